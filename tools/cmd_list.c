/* SPDX-License-Identifier: LGPL-2.1-only */
/* list: xl's list, with what each guest uses, wants and is due. */
#include "commands.h"

#include <string.h>

#include "domain_cpu.h"
#include "source.h"
#include "table.h"

/* Letters at xl's places; where xl has "c" for crashed stands "m" for migrating. */
static void format_state(const struct xlp_domain *d, const struct domain_cpu *cpu, char text[7])
{
    bool still = d->flags & (XLP_DOMAIN_PAUSED | XLP_DOMAIN_BUILDING);

    memcpy(text, "------", 7);
    if (cpu->running)
        text[0] = 'r';
    if (cpu->blocked)
        text[1] = 'b';
    if (still)
        text[2] = 'p';
    if (d->flags & XLP_DOMAIN_SHUTDOWN)
        text[3] = 's';
    if (d->flags & XLP_DOMAIN_MIGRATING)
        text[4] = 'm';
    if (d->flags & XLP_DOMAIN_DYING)
        text[5] = 'd';
}

static const char *managed_text(const struct xlp_domain *d, const struct xlp_verdict *verdict)
{
    bool cpu = !xlp_reason_is_hands_off(verdict->cpu.code);
    bool memory = !xlp_reason_is_hands_off(verdict->memory.code);

    if (d->released)
        return "no"; /* its memory may still be on its way back */
    if (cpu && memory)
        return "yes";
    if (cpu)
        return "cpu";
    return memory ? "memory" : "no";
}

static enum cli_exit print_text(const struct source *source, struct source_range guests)
{
    static const struct table_column columns[] = {
        {"Name", TABLE_LEFT},   {"ID", TABLE_RIGHT},      {"Mem", TABLE_RIGHT},
        {"VCPUs", TABLE_RIGHT}, {"State", TABLE_LEFT},    {"Time(s)", TABLE_RIGHT},
        {"CPU%", TABLE_RIGHT},  {"Demand%", TABLE_RIGHT}, {"Entitled%", TABLE_RIGHT},
        {"Need", TABLE_RIGHT},  {"Target", TABLE_RIGHT},  {"Managed", TABLE_LEFT},
    };
    struct table t;
    int result;

    table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = guests.first; i < guests.end; i++) {
        const struct xlp_domain *d = &source->snapshot.domains[i];
        const struct xlp_domain_view *view = &source->domains[i];
        struct domain_cpu cpu = domain_cpu(source, d);
        char state[7];

        format_state(d, &cpu, state);
        table_text(&t, "%s", d->name);
        table_u32(&t, d->domid);
        table_mib(&t, true, d->memory.actual_kib);
        table_u32(&t, d->vcpu_count);
        table_text(&t, "%s", state);
        table_text(&t, "%.1f", cpu.seconds);
        table_pct(&t, cpu.known, cpu.used);
        table_pct(&t, cpu.known, cpu.demand);
        table_pct(&t, cpu.known, cpu.entitlement);
        table_mib(&t, view->known, view->need_kib);
        table_mib(&t, true, d->memory.target_kib);
        table_text(&t, "%s", managed_text(d, &source->plan.verdicts[i]));
    }
    result = table_print(&t, stdout, 0);
    table_dispose(&t);
    return result < 0 ? cli_out_of_memory() : CLI_DONE;
}

static void write_domain(struct xlp_json_writer *w, const struct source *source, size_t i)
{
    const struct xlp_domain *d = &source->snapshot.domains[i];
    struct domain_cpu cpu = domain_cpu(source, d);
    char state[7];

    format_state(d, &cpu, state);
    xlp_json_open_object(w);
    xlp_json_put_string(w, "name", d->name);
    xlp_json_put_int(w, "domid", d->domid);
    xlp_json_put_string(w, "type", xlp_guest_type_name(d->type));
    xlp_json_put_int(w, "vcpus", d->vcpu_count);
    xlp_json_put_string(w, "state", state);
    xlp_json_put_double(w, "time_s", cpu.seconds);
    xlp_json_write_key(w, "cpu");
    if (cpu.known) {
        xlp_json_open_object(w);
        xlp_json_put_double(w, "used", cpu.used);
        xlp_json_put_double(w, "demand", cpu.demand);
        xlp_json_put_double(w, "entitlement", cpu.entitlement);
        xlp_json_close_object(w);
    } else {
        xlp_json_write_null(w);
    }
    xlp_json_put_int(w, "actual_kib", d->memory.actual_kib);
    xlp_json_put_int(w, "target_kib", d->memory.target_kib);
    xlp_json_write_key(w, "memory");
    xlp_domain_view_write(w, &source->domains[i]);
    xlp_json_put_string(w, "managed", managed_text(d, &source->plan.verdicts[i]));
    xlp_json_close_object(w);
}

static enum cli_exit print_json(const struct source *source, struct source_range guests)
{
    struct xlp_json_writer *w = cli_json_start();

    if (!w)
        return cli_out_of_memory();
    xlp_json_write_key(w, "domains");
    xlp_json_open_array(w);
    for (size_t i = guests.first; i < guests.end; i++)
        write_domain(w, source, i);
    xlp_json_close_array(w);
    return cli_json_print(w);
}

enum cli_exit cmd_list(const struct cli *cli, const struct command_line *line)
{
    return source_show(cli, line, print_text, print_json);
}
