/* SPDX-License-Identifier: LGPL-2.1-only */
/* vcpu-list: xl's vcpu-list, with use, demand and the pCPU each vCPU's load is counted on. */
#include "commands.h"

#include <string.h>

#include "source.h"
#include "table.h"

/* The range of vCPUs that belong to a range of domains. */
static struct source_range vcpus_of(const struct source *source, struct source_range guests)
{
    struct source_range vcpus = {0, 0};

    if (guests.first < guests.end) {
        const struct xlp_domain *last = &source->snapshot.domains[guests.end - 1];

        vcpus.first = source->snapshot.domains[guests.first].first_vcpu;
        vcpus.end = (size_t)last->first_vcpu + last->vcpu_count;
    }
    return vcpus;
}

static void format_state(const struct xlp_vcpu *v, const struct xlp_domain *d, char text[4])
{
    memcpy(text, "---", 4);
    if (v->running)
        text[0] = 'r';
    if (v->blocked)
        text[1] = 'b';
    if (!v->online || d->flags & (XLP_DOMAIN_PAUSED | XLP_DOMAIN_BUILDING))
        text[2] = 'p';
}

static void add_row(struct table *t, const struct source *source, size_t i)
{
    const struct xlp_snapshot *s = &source->snapshot;
    const struct xlp_vcpu *v = &s->vcpus[i];
    const struct xlp_vcpu_view *view = &source->vcpus[i];
    const struct xlp_domain *d = &s->domains[v->domain];
    char hard[XLP_CPUMAP_TEXT_MAX], soft[XLP_CPUMAP_TEXT_MAX], state[4];

    format_state(v, d, state);
    xlp_cpumap_format(&s->maps[v->hard], hard, sizeof(hard));
    xlp_cpumap_format(&s->maps[v->soft], soft, sizeof(soft));
    table_text(t, "%s", d->name);
    table_u32(t, d->domid);
    table_u32(t, v->id);
    table_u32(t, v->online ? v->pcpu : XLP_UNKNOWN);
    table_text(t, "%s", state);
    table_text(t, "%.1f", (double)v->cpu_time_ns / 1e9);
    table_pct(t, view->known, view->used);
    table_pct(t, view->known, view->demand);
    table_pct(t, view->known, view->entitlement);
    table_u32(t, view->home);
    table_text(t, "%s / %s", hard, soft);
}

static enum cli_exit print_text(const struct source *source, struct source_range guests)
{
    struct source_range vcpus = vcpus_of(source, guests);
    static const struct table_column columns[] = {
        {"Name", TABLE_LEFT},
        {"ID", TABLE_RIGHT},
        {"VCPU", TABLE_RIGHT},
        {"CPU", TABLE_RIGHT},
        {"State", TABLE_LEFT},
        {"Time(s)", TABLE_RIGHT},
        {"CPU%", TABLE_RIGHT},
        {"Demand%", TABLE_RIGHT},
        {"Entitled%", TABLE_RIGHT},
        {"Home", TABLE_RIGHT},
        {"Affinity (Hard / Soft)", TABLE_LEFT},
    };
    struct table t;
    int result;

    table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = vcpus.first; i < vcpus.end; i++)
        add_row(&t, source, i);
    result = table_print(&t, stdout, 0);
    table_dispose(&t);
    return result < 0 ? cli_out_of_memory() : CLI_DONE;
}

static void write_vcpu(struct xlp_json_writer *w, const struct source *source, size_t i)
{
    const struct xlp_snapshot *s = &source->snapshot;
    const struct xlp_vcpu *v = &s->vcpus[i];
    const struct xlp_domain *d = &s->domains[v->domain];
    char map[XLP_CPUMAP_TEXT_MAX];

    xlp_json_open_object(w);
    xlp_json_put_string(w, "name", d->name);
    xlp_json_put_int(w, "domid", d->domid);
    xlp_json_put_int(w, "vcpu", v->id);
    xlp_json_put_bool(w, "online", v->online);
    xlp_json_write_key(w, "pcpu");
    if (v->pcpu == XLP_UNKNOWN)
        xlp_json_write_null(w);
    else
        xlp_json_write_int(w, v->pcpu);
    xlp_json_put_double(w, "time_s", (double)v->cpu_time_ns / 1e9);
    xlp_json_put_string(w, "hard", xlp_cpumap_format(&s->maps[v->hard], map, sizeof(map)));
    xlp_json_put_string(w, "soft", xlp_cpumap_format(&s->maps[v->soft], map, sizeof(map)));
    xlp_json_write_key(w, "view");
    xlp_vcpu_view_write(w, &source->vcpus[i]);
    xlp_json_close_object(w);
}

static enum cli_exit print_json(const struct source *source, struct source_range guests)
{
    struct source_range vcpus = vcpus_of(source, guests);
    struct xlp_json_writer *w = cli_json_start();

    if (!w)
        return cli_out_of_memory();
    xlp_json_write_key(w, "vcpus");
    xlp_json_open_array(w);
    for (size_t i = vcpus.first; i < vcpus.end; i++)
        write_vcpu(w, source, i);
    xlp_json_close_array(w);
    return cli_json_print(w);
}

enum cli_exit cmd_vcpu_list(const struct cli *cli, const struct command_line *line)
{
    return source_show(cli, line, print_text, print_json);
}
