/* SPDX-License-Identifier: LGPL-2.1-only */
/* pcpu-list: how busy each pCPU is, and whose vCPUs are placed on it. */
#include "commands.h"

#include <stdlib.h>

#include "domain_cpu.h"
#include "placement.h"
#include "source.h"
#include "table.h"

static const char *pool_name(const struct xlp_snapshot *s, uint32_t pcpu)
{
    for (size_t i = 0; i < s->pool_count; i++)
        if (xlp_cpumap_test(&s->maps[s->pools[i].map], pcpu))
            return s->pools[i].name;
    return "-";
}

static void add_row(struct table *t, const struct source *source, size_t i)
{
    const struct xlp_pcpu *p = &source->snapshot.pcpus[i];
    char *vcpus = placement_list(&source->snapshot, p->id);
    double demand;
    bool known = pcpu_demand(source, p->id, &demand);

    table_u32(t, p->id);
    table_u32(t, p->node);
    table_u32(t, p->socket);
    table_text(t, "%s", pool_name(&source->snapshot, p->id));
    if (p->online)
        table_pct(t, source->pcpus[i].known, source->pcpus[i].used);
    else
        table_text(t, "offline");
    table_pct(t, known, demand);
    if (vcpus)
        table_text(t, "%s", vcpus);
    else
        t->failed = true;
    free(vcpus);
}

static enum cli_exit print_text(const struct source *source, struct source_range guests)
{
    static const struct table_column columns[] = {
        {"pCPU", TABLE_RIGHT}, {"Node", TABLE_RIGHT},   {"Socket", TABLE_RIGHT},
        {"Pool", TABLE_LEFT},  {"Usage%", TABLE_RIGHT}, {"Demand%", TABLE_RIGHT},
        {"vCPUs", TABLE_LEFT},
    };
    struct table t;
    int result;

    (void)guests;
    table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < source->snapshot.pcpu_count; i++)
        add_row(&t, source, i);
    result = table_print(&t, stdout, 0);
    table_dispose(&t);
    return result < 0 ? cli_out_of_memory() : CLI_DONE;
}

static void write_pcpu(struct xlp_json_writer *w, const struct source *source, size_t index)
{
    const struct xlp_snapshot *s = &source->snapshot;
    const struct xlp_pcpu *p = &s->pcpus[index];

    xlp_json_open_object(w);
    xlp_json_put_int(w, "pcpu", p->id);
    xlp_json_put_bool(w, "online", p->online);
    xlp_json_put_string(w, "pool", pool_name(s, p->id));
    xlp_json_write_key(w, "used");
    if (source->pcpus[index].known)
        xlp_json_write_double(w, source->pcpus[index].used);
    else
        xlp_json_write_null(w);
    xlp_json_write_key(w, "vcpus");
    xlp_json_open_array(w);
    for (size_t i = 0; i < s->vcpu_count; i++) {
        const struct xlp_domain *d = &s->domains[s->vcpus[i].domain];
        struct placement place = placement_of(s, &s->vcpus[i]);

        if (place.pcpu != p->id)
            continue;
        xlp_json_open_object(w);
        xlp_json_put_string(w, "name", d->name);
        xlp_json_put_int(w, "domid", d->domid);
        xlp_json_put_int(w, "vcpu", s->vcpus[i].id);
        xlp_json_put_bool(w, "bound", place.bound);
        xlp_json_close_object(w);
    }
    xlp_json_close_array(w);
    xlp_json_close_object(w);
}

static enum cli_exit print_json(const struct source *source, struct source_range guests)
{
    struct xlp_json_writer *w = cli_json_start();

    (void)guests;
    if (!w)
        return cli_out_of_memory();
    xlp_json_write_key(w, "pcpus");
    xlp_json_open_array(w);
    for (size_t i = 0; i < source->snapshot.pcpu_count; i++)
        write_pcpu(w, source, i);
    xlp_json_close_array(w);
    return cli_json_print(w);
}

enum cli_exit cmd_pcpu_list(const struct cli *cli, const struct command_line *line)
{
    return source_show(cli, line, print_text, print_json);
}
