/* SPDX-License-Identifier: LGPL-2.1-only */
#include "metrics.h"

#include <string.h>

#include "memory/reserve.h"
#include "problems.h"

struct family {
    const char *name; /* without the "_total" that counters have */
    bool counter;
    const char *unit; /* what the name ends in, or "" */
    const char *help;
};

/* One value a domain. */
struct domain_family {
    struct family family;
    /* False when this is not known of the i-th domain. */
    bool (*get)(const struct metrics *m, size_t i, double *value_out);
};

struct writer {
    FILE *stream;
    enum metrics_format format;
};

static void write_daemon(const struct writer *w, const struct metrics_daemon *d);
static void write_host(const struct writer *w, const struct metrics *m);
static void write_reservations(const struct writer *w, const struct xlp_snapshot *s);
static void write_pcpus(const struct writer *w, const struct metrics *m);
static void write_domains(const struct writer *w, const struct metrics *m);
static void write_managed(const struct writer *w, const struct metrics *m);
static void write_decisions(const struct writer *w, const struct metrics *m);
static void write_counts(const struct writer *w, const struct family *f, const uint64_t *counts,
                         const char *label, const char *text);

void metrics_write(FILE *stream, enum metrics_format format, const struct metrics *m)
{
    struct writer w = {stream, format};

    if (m->daemon)
        write_daemon(&w, m->daemon);
    if (m->snapshot) {
        write_host(&w, m);
        write_reservations(&w, m->snapshot);
        write_pcpus(&w, m);
        write_domains(&w, m);
        write_managed(&w, m);
        write_decisions(&w, m);
    }
    if (format == METRICS_OPENMETRICS)
        fputs("# EOF\n", stream);
}

/* ---- lines ---- */

/* The Prometheus text format has a counter's name as its samples have it, OpenMetrics without their
 * suffix. */
static void start_family(const struct writer *w, const struct family *f)
{
    bool open = w->format == METRICS_OPENMETRICS;
    const char *suffix = f->counter && !open ? "_total" : "";

    fprintf(w->stream, "# HELP %s%s %s\n", f->name, suffix, f->help);
    fprintf(w->stream, "# TYPE %s%s %s\n", f->name, suffix, f->counter ? "counter" : "gauge");
    if (open && f->unit[0])
        fprintf(w->stream, "# UNIT %s %s\n", f->name, f->unit);
}

static void write_label(const struct writer *w, const char *name, const char *text)
{
    fprintf(w->stream, "%s=\"", name);
    for (; *text; text++) {
        if (*text == '\n')
            fputs("\\n", w->stream);
        else if (*text == '\\' || *text == '"')
            fprintf(w->stream, "\\%c", *text);
        else
            fputc(*text, w->stream);
    }
    fputc('"', w->stream);
}

/* In pairs, name and text. */
#define LABELS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* labels: LABELS(...), or NULL. */
static void write_sample(const struct writer *w, const struct family *f, double value,
                         const char *const *labels)
{
    const char *separator = "{";

    fprintf(w->stream, "%s%s", f->name, f->counter ? "_total" : "");
    for (; labels && *labels; labels += 2) {
        fputs(separator, w->stream);
        write_label(w, labels[0], labels[1]);
        separator = ",";
    }
    fprintf(w->stream, "%s %.15g\n", separator[0] == ',' ? "}" : "", value);
}

static void write_single(const struct writer *w, const struct family *f, double value)
{
    start_family(w, f);
    write_sample(w, f, value, NULL);
}

/* ---- the daemon ---- */

static void write_mode(const struct writer *w, const char *mode)
{
    static const struct family f = {"xlpolicy_mode", false, "", "1 for the mode that it is in."};
    static const char *const modes[] = {"advise", "act", "pause"};

    start_family(w, &f);
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
        write_sample(w, &f, strcmp(mode, modes[i]) == 0, LABELS("mode", modes[i]));
}

static void write_daemon(const struct writer *w, const struct metrics_daemon *d)
{
    static const struct family build = {"xlpolicy_build_info", false, "", "Always 1."};
    static const struct family dry_run = {"xlpolicy_dry_run", false, "",
                                          "1: changes nothing, whatever its mode."};
    static const struct family observed = {"xlpolicy_host_observed", false, "",
                                           "0: the last look at the host failed."};
    static const struct family interval = {"xlpolicy_tick_interval_seconds", false, "seconds",
                                           "From one look at the host to the next."};
    static const struct family duration = {"xlpolicy_tick_duration_seconds", false, "seconds",
                                           "How long the last tick took."};
    static const struct family ticks = {"xlpolicy_ticks", true, "", "Ticks that succeeded."};
    static const struct family missed = {"xlpolicy_ticks_missed", true, "",
                                         "Ticks left out because the one before took too long."};
    static const struct family failed = {"xlpolicy_ticks_failed", true, "", "Ticks that failed."};
    static const struct family actions = {"xlpolicy_actions", true, "",
                                          "Actions that were carried out, or tried in vain."};

    start_family(w, &build);
    write_sample(w, &build, 1, LABELS("version", d->version));
    write_mode(w, d->mode);
    write_single(w, &dry_run, d->dry_run);
    write_single(w, &observed, d->observed);
    write_single(w, &interval, d->tick_interval_s);
    write_single(w, &duration, d->tick_duration_s);
    write_single(w, &ticks, (double)d->ticks);
    write_single(w, &missed, (double)d->ticks_missed);
    write_single(w, &failed, (double)d->ticks_failed);
    start_family(w, &actions);
    write_counts(w, &actions, d->done, "outcome", "done");
    write_counts(w, &actions, d->not_done, "outcome", "not-done");
}

/* ---- the host ---- */

static double bytes(int64_t kib)
{
    return (double)kib * 1024;
}

static void write_host(const struct writer *w, const struct metrics *m)
{
    static const struct family size = {"xlpolicy_host_memory_size_bytes", false, "bytes",
                                       "Memory of the host."};
    static const struct family free = {"xlpolicy_host_memory_free_bytes", false, "bytes",
                                       "Memory that is free, to be handed out."};
    static const struct family scrub = {"xlpolicy_host_memory_scrub_bytes", false, "bytes",
                                        "Memory that is free, but not scrubbed yet."};
    static const struct family claimed = {"xlpolicy_host_memory_claimed_bytes", false, "bytes",
                                          "Of free: promised to domains being built."};
    static const struct family reserve = {"xlpolicy_host_memory_reserve_bytes", false, "bytes",
                                          "Memory that is to stay free."};
    static const struct family other = {"xlpolicy_other_controller", false, "",
                                        "1: another program moves memory on this host, too."};
    static const struct family problems = {"xlpolicy_problems", false, "",
                                           "How many problems `xlpolicy status` names."};
    const struct xlp_host_memory *memory = &m->snapshot->memory;

    write_single(w, &size, bytes(memory->total_kib));
    write_single(w, &free, bytes(memory->free_kib));
    write_single(w, &scrub, bytes(memory->scrub_kib));
    write_single(w, &claimed, bytes(memory->claims_kib));
    write_single(w, &reserve, bytes(m->reserve_kib));
    write_single(w, &other, m->snapshot->other_controller[0] != '\0');
    write_single(w, &problems,
                 (double)xlp_problems_find(m->snapshot, m->plan, m->vcpus, NULL, NULL));
}

/* ---- reservations ---- */

static const char *const reservation_states[] = {"waiting", "granted", "taken"};

#define RESERVATION_STATES (sizeof(reservation_states) / sizeof(reservation_states[0]))

static size_t state_of(const struct xlp_reservation *r)
{
    if (r->taken)
        return 2;
    return r->granted_kib > 0 ? 1 : 0;
}

static void write_reservations(const struct writer *w, const struct xlp_snapshot *s)
{
    static const struct family number = {"xlpolicy_reservations", false, "",
                                         "Reservations for guests that are to start."};
    static const struct family memory = {"xlpolicy_reservations_memory_bytes", false, "bytes",
                                         "What they keep free: asked for, there, or still lacked."};
    double counts[RESERVATION_STATES] = {0}, sums[RESERVATION_STATES] = {0};

    for (size_t i = 0; i < s->reservation_count; i++) {
        const struct xlp_reservation *r = &s->reservations[i];

        counts[state_of(r)]++;
        sums[state_of(r)] += bytes(xlp_reservation_left_kib(r, xlp_reservation_taker(s, r)));
    }
    start_family(w, &number);
    for (size_t i = 0; i < RESERVATION_STATES; i++)
        write_sample(w, &number, counts[i], LABELS("state", reservation_states[i]));
    start_family(w, &memory);
    for (size_t i = 0; i < RESERVATION_STATES; i++)
        write_sample(w, &memory, sums[i], LABELS("state", reservation_states[i]));
}

/* ---- pCPUs ---- */

static const char *pool_of(const struct xlp_snapshot *s, uint32_t pcpu)
{
    for (size_t i = 0; i < s->pool_count; i++)
        if (xlp_cpumap_test(&s->maps[s->pools[i].map], pcpu))
            return s->pools[i].name;
    return "";
}

static void write_pcpus(const struct writer *w, const struct metrics *m)
{
    static const struct family used = {"xlpolicy_pcpu_used_ratio", false, "ratio",
                                       "How busy a pCPU was over the last tick."};
    const struct xlp_snapshot *s = m->snapshot;
    char id[16];

    start_family(w, &used);
    for (size_t i = 0; i < s->pcpu_count; i++) {
        if (!m->pcpus[i].known)
            continue;
        snprintf(id, sizeof(id), "%u", s->pcpus[i].id);
        write_sample(w, &used, m->pcpus[i].used,
                     LABELS("pcpu", id, "pool", pool_of(s, s->pcpus[i].id)));
    }
}

/* ---- domains ---- */

static bool get_cpu_used(const struct metrics *m, size_t i, double *value_out)
{
    struct xlp_domain_cpu cpu = xlp_domain_cpu_sum(m->snapshot, &m->snapshot->domains[i], m->vcpus);

    *value_out = cpu.used;
    return cpu.known;
}

static bool get_cpu_demand(const struct metrics *m, size_t i, double *value_out)
{
    struct xlp_domain_cpu cpu = xlp_domain_cpu_sum(m->snapshot, &m->snapshot->domains[i], m->vcpus);

    *value_out = cpu.demand;
    return cpu.known;
}

static bool get_cpu_entitlement(const struct metrics *m, size_t i, double *value_out)
{
    struct xlp_domain_cpu cpu = xlp_domain_cpu_sum(m->snapshot, &m->snapshot->domains[i], m->vcpus);

    *value_out = cpu.entitlement;
    return cpu.known;
}

static bool get_cpu_seconds(const struct metrics *m, size_t i, double *value_out)
{
    const struct xlp_domain *d = &m->snapshot->domains[i];
    uint64_t time_ns = 0;

    for (uint32_t v = d->first_vcpu; v < d->first_vcpu + d->vcpu_count; v++)
        time_ns += m->snapshot->vcpus[v].cpu_time_ns;
    *value_out = (double)time_ns / 1e9;
    return true;
}

static bool get_vcpus(const struct metrics *m, size_t i, double *value_out)
{
    const struct xlp_domain *d = &m->snapshot->domains[i];

    *value_out = 0;
    for (uint32_t v = d->first_vcpu; v < d->first_vcpu + d->vcpu_count; v++)
        *value_out += m->snapshot->vcpus[v].online;
    return true;
}

static bool get_weight(const struct metrics *m, size_t i, double *value_out)
{
    *value_out = m->snapshot->domains[i].weight;
    return m->snapshot->domains[i].weight > 0;
}

static bool get_actual(const struct metrics *m, size_t i, double *value_out)
{
    *value_out = bytes(m->snapshot->domains[i].memory.actual_kib);
    return true;
}

static bool get_target(const struct metrics *m, size_t i, double *value_out)
{
    *value_out = bytes(m->snapshot->domains[i].memory.target_kib);
    return true;
}

static bool get_max(const struct metrics *m, size_t i, double *value_out)
{
    *value_out = bytes(m->snapshot->domains[i].memory.static_max_kib);
    return true;
}

static bool get_used(const struct metrics *m, size_t i, double *value_out)
{
    *value_out = bytes(m->domains[i].used_kib);
    return m->domains[i].known;
}

static bool get_need(const struct metrics *m, size_t i, double *value_out)
{
    *value_out = bytes(m->domains[i].need_kib);
    return m->domains[i].known;
}

static bool get_comfort(const struct metrics *m, size_t i, double *value_out)
{
    *value_out = bytes(m->domains[i].comfort_kib);
    return m->domains[i].known;
}

static bool get_floor(const struct metrics *m, size_t i, double *value_out)
{
    *value_out = bytes(m->domains[i].floor_kib);
    return m->domains[i].known;
}

static const struct domain_family domain_families[] = {
    {{"xlpolicy_domain_cpu_used_pcpus", false, "pcpus", "What its vCPUs got, in pCPUs."},
     get_cpu_used},
    {{"xlpolicy_domain_cpu_demand_pcpus", false, "pcpus",
      "What its vCPUs would use if they could have all they want, in pCPUs."},
     get_cpu_demand},
    {{"xlpolicy_domain_cpu_entitlement_pcpus", false, "pcpus",
      "What its vCPUs are due: their demand, or a fair share of too little, in pCPUs."},
     get_cpu_entitlement},
    {{"xlpolicy_domain_cpu_seconds", true, "seconds", "Run time of all its vCPUs."},
     get_cpu_seconds},
    {{"xlpolicy_domain_vcpus", false, "", "How many of its vCPUs are online."}, get_vcpus},
    {{"xlpolicy_domain_weight", false, "", "Its weight in Xen's scheduler."}, get_weight},
    {{"xlpolicy_domain_memory_actual_bytes", false, "bytes", "What it holds."}, get_actual},
    {{"xlpolicy_domain_memory_target_bytes", false, "bytes", "What its balloon was told last."},
     get_target},
    {{"xlpolicy_domain_memory_max_bytes", false, "bytes", "The most that it can ever use."},
     get_max},
    {{"xlpolicy_domain_memory_used_bytes", false, "bytes",
      "What it uses by its own reports, swap included."},
     get_used},
    {{"xlpolicy_domain_memory_need_bytes", false, "bytes", "What it uses, and a margin."},
     get_need},
    {{"xlpolicy_domain_memory_comfort_bytes", false, "bytes",
      "What it should have when there is enough."},
     get_comfort},
    {{"xlpolicy_domain_memory_floor_bytes", false, "bytes", "What it is never pushed below."},
     get_floor},
};

/* The id tells two of the same name apart: a file with one line twice would be refused whole. */
static const char *format_id(const struct xlp_domain *d, char text[16])
{
    snprintf(text, 16, "%u", d->domid);
    return text;
}

static void write_domains(const struct writer *w, const struct metrics *m)
{
    const struct xlp_snapshot *s = m->snapshot;
    char id[16];
    double value;

    for (size_t f = 0; f < sizeof(domain_families) / sizeof(domain_families[0]); f++) {
        start_family(w, &domain_families[f].family);
        for (size_t i = 0; i < s->domain_count; i++)
            if (domain_families[f].get(m, i, &value))
                write_sample(
                    w, &domain_families[f].family, value,
                    LABELS("domain", s->domains[i].name, "domid", format_id(&s->domains[i], id)));
    }
}

/* ---- decisions ---- */

/* What a verdict has a reason on. */
static const struct {
    const char *name;
    size_t offset;
} resources[] = {
    {"cpu", offsetof(struct xlp_verdict, cpu)},
    {"weight", offsetof(struct xlp_verdict, weight)},
    {"memory", offsetof(struct xlp_verdict, memory)},
};

#define RESOURCES (sizeof(resources) / sizeof(resources[0]))

static enum xlp_reason_code verdict_code(const struct xlp_verdict *verdict, size_t resource)
{
    const char *at = (const char *)verdict + resources[resource].offset;

    return ((const struct xlp_reason *)(const void *)at)->code;
}

static void write_managed(const struct writer *w, const struct metrics *m)
{
    static const struct family managed = {"xlpolicy_domain_managed", false, "",
                                          "1: its cpu, weight or memory is managed."};
    char id[16];

    start_family(w, &managed);
    for (size_t i = 0; i < m->plan->verdict_count; i++) {
        for (size_t r = 0; r < RESOURCES; r++) {
            enum xlp_reason_code code = verdict_code(&m->plan->verdicts[i], r);

            if (code != XLP_REASON_NONE)
                write_sample(w, &managed, !xlp_reason_is_hands_off(code),
                             LABELS("domain", m->snapshot->domains[i].name, "domid",
                                    format_id(&m->snapshot->domains[i], id), "resource",
                                    resources[r].name));
        }
    }
}

static void write_verdicts(const struct writer *w, const struct metrics *m)
{
    static const struct family verdicts = {"xlpolicy_verdicts", false, "",
                                           "How many domains this was decided for."};
    uint64_t counts[RESOURCES][XLP_REASON_COUNT] = {{0}};

    for (size_t i = 0; i < m->plan->verdict_count; i++)
        for (size_t r = 0; r < RESOURCES; r++)
            counts[r][verdict_code(&m->plan->verdicts[i], r)]++;
    start_family(w, &verdicts);
    for (size_t r = 0; r < RESOURCES; r++) {
        counts[r][XLP_REASON_NONE] = 0;
        write_counts(w, &verdicts, counts[r], "resource", resources[r].name);
    }
}

static void write_decisions(const struct writer *w, const struct metrics *m)
{
    static const struct family planned = {"xlpolicy_planned_actions", false, "",
                                          "Actions of the last plan, done or only advised."};
    uint64_t counts[XLP_REASON_COUNT] = {0};

    write_verdicts(w, m);
    for (size_t i = 0; i < m->plan->action_count; i++)
        counts[m->plan->actions[i].reason.code]++;
    start_family(w, &planned);
    write_counts(w, &planned, counts, NULL, NULL);
}

/* By reason, without those that did not occur. */
static void write_counts(const struct writer *w, const struct family *f, const uint64_t *counts,
                         const char *label, const char *text)
{
    for (int code = 0; code < XLP_REASON_COUNT; code++)
        if (counts[code])
            write_sample(w, f, (double)counts[code],
                         LABELS("reason", xlp_reason_name(code), label, text));
}
