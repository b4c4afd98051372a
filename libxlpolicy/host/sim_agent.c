/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What simulated guests write into xenstore about their memory, in the very text of the real
 * agents and at their pace, read back by the parser that real guests are read with.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/sim.h"

#define LOOK_NS               (XLP_SIM_SECOND_NS / 4)
#define OURS_GAP_NS           (XLP_SIM_SECOND_NS / 5)
#define OURS_INTERVAL_NS      (5 * XLP_SIM_SECOND_NS)
#define RESETS_NS             (10 * XLP_SIM_SECOND_NS)
#define OURS_MOVE_KIB         8192
#define OURS_MOVE_PARTS       50
#define QUBES_MOVE_KIB        30000
#define QUBES_URGENT_KIB      15000
#define QUBES_URGENT_PART     0.77
#define XENSERVER_INTERVAL_NS (120 * XLP_SIM_SECOND_NS)

struct view { /* what an agent reads in its guest's /proc */
    int64_t total_kib, avail_kib, free_kib, swap_total_kib, swap_used_kib;
};

static struct view look_around(const struct xlp_sim_domain *d);
static bool is_due(const struct xlp_sim_memory *m, const struct view *view, uint64_t now_ns);
static void write_report(struct xlp_sim_domain *d, const struct view *view, uint64_t now_ns);

void xlp_sim_agent_step(struct xlp_sim *sim, struct xlp_sim_domain *d, uint64_t to_ns)
{
    struct xlp_sim_memory *m = &d->memory;
    struct view view;

    if (m->agent == XLP_SIM_AGENT_NONE || m->agent == XLP_SIM_AGENT_DEAD || d->flags ||
        to_ns < d->up_ns || to_ns < m->look_ns)
        return;
    m->look_ns = (to_ns / LOOK_NS + 1) * LOOK_NS;
    if (m->agent == XLP_SIM_AGENT_FLOODS) {
        m->look_ns = 0;
        sim->woken = true; /* each write is an event */
    }
    if (m->agent == XLP_SIM_AGENT_RESETS && to_ns - m->reset_ns >= RESETS_NS) {
        m->reset_ns = to_ns;
        m->seq = m->pswpin = m->pswpout = m->refault_anon = m->oom_kill = 0;
        m->psi_some_us = m->psi_full_us = 0;
    }
    view = look_around(d);
    if (m->told && !is_due(m, &view, to_ns))
        return;
    write_report(d, &view, to_ns);
    m->told = true;
    m->told_ns = to_ns;
    m->told_total_kib = view.total_kib;
    m->told_avail_kib = view.avail_kib;
    m->told_swap_kib = view.swap_used_kib;
}

static struct view look_around(const struct xlp_sim_domain *d)
{
    const struct xlp_sim_memory *m = &d->memory;
    struct view v = {.total_kib = xlp_sim_guest_total_kib(d),
                     .swap_total_kib = d->spec->swap_kib,
                     .swap_used_kib = m->swap_used_kib};
    int64_t resident_kib = m->wanted_kib - m->swap_used_kib;

    if (v.total_kib < 1)
        v.total_kib = 1;
    if (resident_kib < 0)
        resident_kib = 0;
    v.avail_kib = resident_kib < v.total_kib ? v.total_kib - resident_kib : 0;
    v.free_kib = v.avail_kib > d->spec->cache_kib ? v.avail_kib - d->spec->cache_kib : 0;
    if (m->agent == XLP_SIM_AGENT_LIES)
        v.avail_kib = v.free_kib = 0;
    return v;
}

/* ---- when ---- */

static bool ours_is_due(const struct xlp_sim_memory *m, const struct view *view, uint64_t now_ns)
{
    int64_t enough_kib = view->total_kib / OURS_MOVE_PARTS;

    if (enough_kib < OURS_MOVE_KIB)
        enough_kib = OURS_MOVE_KIB;
    if (now_ns - m->told_ns < OURS_GAP_NS)
        return false;
    return now_ns - m->told_ns >= OURS_INTERVAL_NS ||
           llabs(view->avail_kib - m->told_avail_kib) >= enough_kib ||
           llabs(view->total_kib - m->told_total_kib) >= enough_kib ||
           llabs(view->swap_used_kib - m->told_swap_kib) >= enough_kib ||
           (m->deficit_kib > 0 && m->told_swap_kib == 0 && view->swap_used_kib > 0);
}

/* meminfo-writer has no sign of life: it is silent for as long as nothing changes. */
static bool qubes_is_due(const struct xlp_sim_memory *m, const struct view *view)
{
    int64_t used_kib = view->total_kib - view->avail_kib + view->swap_used_kib;
    int64_t told_kib = m->told_total_kib - m->told_avail_kib + m->told_swap_kib;
    bool urgent =
        used_kib > told_kib && (double)used_kib > QUBES_URGENT_PART * (double)view->total_kib;

    return llabs(used_kib - told_kib) >= (urgent ? QUBES_URGENT_KIB : QUBES_MOVE_KIB);
}

static bool is_due(const struct xlp_sim_memory *m, const struct view *view, uint64_t now_ns)
{
    if (m->agent == XLP_SIM_AGENT_FLOODS)
        return true;
    if (m->agent == XLP_SIM_AGENT_QUBES)
        return qubes_is_due(m, view);
    if (m->agent == XLP_SIM_AGENT_XENSERVER)
        return now_ns - m->told_ns >= XENSERVER_INTERVAL_NS;
    return ours_is_due(m, view, now_ns);
}

/* ---- what ---- */

static int write_ours(struct xlp_sim_memory *m, const struct view *v,
                      struct xlp_mem_report *report_out)
{
    char text[XLP_REPORT_MAX_LEN];
    int length = snprintf(
        text, sizeof(text),
        "1 seq=%llu total=%lld avail=%lld free=%lld swap_total=%lld swap_used=%lld pswpin=%llu "
        "pswpout=%llu refault_anon=%llu psi_some_avg10=%ld psi_full_avg10=%ld psi_some_us=%.0f "
        "psi_full_us=%.0f oom_kill=%llu",
        (unsigned long long)++m->seq, (long long)v->total_kib, (long long)v->avail_kib,
        (long long)v->free_kib, (long long)v->swap_total_kib, (long long)v->swap_used_kib,
        (unsigned long long)m->pswpin, (unsigned long long)m->pswpout,
        (unsigned long long)m->refault_anon, lround(100 * m->psi_some_pct),
        lround(100 * m->psi_full_pct), m->psi_some_us, m->psi_full_us,
        (unsigned long long)m->oom_kill);

    return xlp_report_parse_agent(text, (size_t)length, report_out);
}

static int write_qubes(const struct xlp_sim_domain *d, const struct view *v,
                       struct xlp_mem_report *report_out)
{
    char text[32];
    int length = snprintf(text, sizeof(text), "%lld",
                          (long long)(v->total_kib - v->avail_kib + v->swap_used_kib));

    return xlp_report_parse_qubes(text, (size_t)length, d->memory.actual_kib, report_out);
}

static int write_xenserver(const struct view *v, struct xlp_mem_report *report_out)
{
    char total[32], available[32];
    int total_length = snprintf(total, sizeof(total), "%lld", (long long)v->total_kib);
    int length = snprintf(available, sizeof(available), "%lld", (long long)v->free_kib);

    return xlp_report_parse_xenserver(total, (size_t)total_length, available, (size_t)length,
                                      report_out);
}

/* Different each time, so that the reader meets more than one kind of nonsense. */
static int write_garbage(struct xlp_sim_memory *m, struct xlp_mem_report *report_out)
{
    static const char *const texts[] = {
        "",
        "1 seq=1 total=18446744073709551616 avail=0",
        "1 seq=1 total=-5 avail=0",
        "1 seq=1 total=1024 avail=99999999",
        "\xff\xfe\x01\x1b[2J",
        "2 seq=1 total=1 avail=1",
        "1 seq=1 total=1024 total=1024 avail=1",
        "%s%s%s%n ../../etc/passwd",
    };
    const char *text = texts[m->seq++ % (sizeof(texts) / sizeof(texts[0]))];

    return xlp_report_parse_agent(text, strlen(text), report_out);
}

static void write_report(struct xlp_sim_domain *d, const struct view *view, uint64_t now_ns)
{
    struct xlp_sim_memory *m = &d->memory;
    struct xlp_mem_report report = {.source = XLP_REPORT_NONE};
    int rc = 0;

    switch (m->agent) {
    case XLP_SIM_AGENT_OURS:
    case XLP_SIM_AGENT_FLOODS:
    case XLP_SIM_AGENT_RESETS:
    case XLP_SIM_AGENT_LIES: rc = write_ours(m, view, &report); break;
    case XLP_SIM_AGENT_QUBES: rc = write_qubes(d, view, &report); break;
    case XLP_SIM_AGENT_XENSERVER: rc = write_xenserver(view, &report); break;
    case XLP_SIM_AGENT_GARBAGE: rc = write_garbage(m, &report); break;
    case XLP_SIM_AGENT_NONE:
    case XLP_SIM_AGENT_DEAD: return;
    }
    m->report = report;
    m->report_bad = rc < 0;
    m->report_ns = now_ns;
}
