/* SPDX-License-Identifier: LGPL-2.1-only */
/* mem-list: who has, uses and needs how much memory, and whether the balloon and agent work. */
#include "commands.h"

#include "source.h"
#include "table.h"

static const char *balloon_state(const struct xlp_domain *d, enum xlp_reason_code verdict)
{
    const struct xlp_domain_memory *m = &d->memory;

    if (d->domid == 0)
        return "-";
    if (!m->balloon)
        return "none";
    if (verdict == XLP_REASON_MEM_STUCK || verdict == XLP_REASON_MEM_GIVE_UP)
        return "stuck";
    return m->actual_kib == m->target_kib ? "at target" : "moving";
}

static const char *agent_state(const struct xlp_domain *d, enum xlp_reason_code verdict)
{
    static const char *const names[] = {
        [XLP_REPORT_NONE] = "none",
        [XLP_REPORT_AGENT] = "agent",
        [XLP_REPORT_QUBES] = "qubes",
        [XLP_REPORT_XENSERVER] = "xenserver",
    };

    if (d->domid == 0)
        return "-";
    if (d->memory.report_bad)
        return "unreadable";
    if (verdict == XLP_REASON_MEM_STALE)
        return "stale";
    return names[d->memory.report.source];
}

static void add_row(struct table *t, const struct source *source, size_t i)
{
    const struct xlp_domain *d = &source->snapshot.domains[i];
    const struct xlp_domain_view *view = &source->domains[i];
    enum xlp_reason_code verdict = source->plan.verdicts[i].memory.code;

    table_text(t, "%s", d->name);
    table_u32(t, d->domid);
    table_mib(t, true, d->memory.actual_kib);
    table_mib(t, true, d->memory.target_kib);
    table_mib(t, view->known, view->used_kib);
    table_mib(t, view->known, view->need_kib);
    table_mib(t, view->known, view->comfort_kib);
    table_mib(t, view->known, view->floor_kib);
    table_mib(t, d->memory.static_max_kib > 0, d->memory.static_max_kib);
    table_text(t, "%s", balloon_state(d, verdict));
    table_text(t, "%s", agent_state(d, verdict));
}

static void print_host(const struct xlp_host_memory *m, const struct xlp_policy *policy)
{
    printf("\nHost: %lld MiB, free %lld, reserve %lld", (long long)m->total_kib / 1024,
           (long long)m->free_kib / 1024,
           (long long)xlp_policy_reserve_kib(policy, m->total_kib) / 1024);
    if (m->scrub_kib)
        printf(", being scrubbed %lld", (long long)m->scrub_kib / 1024);
    if (m->claims_kib)
        printf(", promised to guests being built %lld", (long long)m->claims_kib / 1024);
    printf(" (all in MiB)\n");
}

static int print_reservations(const struct source *source)
{
    static const struct table_column columns[] = {
        {"Reservation", TABLE_LEFT}, {"For", TABLE_LEFT},   {"Min", TABLE_RIGHT},
        {"Max", TABLE_RIGHT},        {"Kept", TABLE_RIGHT}, {"State", TABLE_LEFT},
    };
    const struct xlp_snapshot *s = &source->snapshot;
    char text[512];
    struct table t;
    int result;

    table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < s->reservation_count; i++) {
        const struct xlp_reservation *r = &s->reservations[i];

        table_u32(&t, r->id);
        table_text(&t, "%s", r->name[0] ? r->name : "-");
        table_mib(&t, true, r->min_kib);
        table_mib(&t, true, r->max_kib);
        table_mib(&t, r->granted_kib > 0, r->granted_kib);
        table_text(&t, "%s",
                   xlp_reason_format(&source->plan.reservations[i].reason, text, sizeof(text)));
    }
    printf("\n");
    result = table_print(&t, stdout, 0);
    table_dispose(&t);
    return result;
}

static enum cli_exit print_text(const struct source *source, struct source_range guests)
{
    static const struct table_column columns[] = {
        {"Name", TABLE_LEFT},     {"ID", TABLE_RIGHT},    {"Actual", TABLE_RIGHT},
        {"Target", TABLE_RIGHT},  {"Used", TABLE_RIGHT},  {"Need", TABLE_RIGHT},
        {"Comfort", TABLE_RIGHT}, {"Floor", TABLE_RIGHT}, {"Max", TABLE_RIGHT},
        {"Balloon", TABLE_LEFT},  {"Report", TABLE_LEFT},
    };
    struct table t;
    int result;

    table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = guests.first; i < guests.end; i++)
        add_row(&t, source, i);
    result = table_print(&t, stdout, 0);
    table_dispose(&t);
    if (result < 0)
        return cli_out_of_memory();
    print_host(&source->snapshot.memory, &source->policy);
    if (source->snapshot.reservation_count > 0 && print_reservations(source) < 0)
        return cli_out_of_memory();
    return CLI_DONE;
}

static void write_domain(struct xlp_json_writer *w, const struct source *source, size_t i)
{
    const struct xlp_domain *d = &source->snapshot.domains[i];
    enum xlp_reason_code verdict = source->plan.verdicts[i].memory.code;

    xlp_json_open_object(w);
    xlp_json_put_string(w, "name", d->name);
    xlp_json_put_int(w, "domid", d->domid);
    xlp_json_put_int(w, "actual_kib", d->memory.actual_kib);
    xlp_json_put_int(w, "target_kib", d->memory.target_kib);
    xlp_json_put_int(w, "static_max_kib", d->memory.static_max_kib);
    xlp_json_write_key(w, "view");
    xlp_domain_view_write(w, &source->domains[i]);
    xlp_json_put_string(w, "balloon", balloon_state(d, verdict));
    xlp_json_put_string(w, "report", agent_state(d, verdict));
    xlp_json_close_object(w);
}

static enum cli_exit print_json(const struct source *source, struct source_range guests)
{
    const struct xlp_host_memory *m = &source->snapshot.memory;
    struct xlp_json_writer *w = cli_json_start();

    if (!w)
        return cli_out_of_memory();
    xlp_json_write_key(w, "host");
    xlp_json_open_object(w);
    xlp_json_put_int(w, "total_kib", m->total_kib);
    xlp_json_put_int(w, "free_kib", m->free_kib);
    xlp_json_put_int(w, "scrub_kib", m->scrub_kib);
    xlp_json_put_int(w, "claims_kib", m->claims_kib);
    xlp_json_put_int(w, "reserve_kib", xlp_policy_reserve_kib(&source->policy, m->total_kib));
    xlp_json_close_object(w);
    xlp_json_write_key(w, "domains");
    xlp_json_open_array(w);
    for (size_t i = guests.first; i < guests.end; i++)
        write_domain(w, source, i);
    xlp_json_close_array(w);
    xlp_reservations_write(w, &source->snapshot, &source->plan);
    return cli_json_print(w);
}

enum cli_exit cmd_mem_list(const struct cli *cli, const struct command_line *line)
{
    return source_show(cli, line, print_text, print_json);
}
