/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A host with guests for tests of the memory half: use follows a trace, balloons move at a rate,
 * agents report as ours does, and a plan's actions show in the next snapshot. A balloon that finds
 * no memory to grow into sleeps until its target changes, the worst that Linux's driver does. The
 * limits below may be defined before.
 */
#ifndef XLPOLICY_TESTS_MEMORY_MODEL_H
#define XLPOLICY_TESTS_MEMORY_MODEL_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory/memory.h"
#include "memory/reserve.h"

#define MIB             INT64_C(1024) /* in KiB */
#define MODEL_SECOND_NS UINT64_C(1000000000)
#define MODEL_STEP_NS   (MODEL_SECOND_NS / 10)
#ifndef MODEL_GUESTS_MAX
#define MODEL_GUESTS_MAX 64
#define MODEL_POINTS_MAX 8
#endif
#define MODEL_RESERVATIONS_MAX 8

/* Use in MiB at times in seconds, linear in between, constant outside. */
struct model_trace {
    struct {
        double at_s, mib;
    } point[MODEL_POINTS_MAX];
    size_t count;
};

enum model_balloon { MODEL_WORKS, MODEL_STUCK_UP, MODEL_STUCK_DOWN, MODEL_STUCK };

struct model_guest {
    uint32_t domid;
    uint32_t name_of;   /* it is called like this domain; 0: like itself */
    unsigned int flags; /* of the domain */
    bool gone;          /* it is not there */
    struct model_trace trace;
    int64_t used_kib; /* of what it has, overhead included; beyond that it swaps */
    int64_t overhead_kib;
    int64_t actual_kib, target_kib, max_kib, static_max_kib;
    enum model_balloon balloon;
    int64_t distance_kib;       /* below its target its balloon rests */
    bool parked, lies, refuses; /* refuses: its toolstack takes no target */
    uint32_t refusals;
    uint64_t by_hand_ns; /* as a daemon before this one noted it */
    struct xlp_mem_report report;
    int64_t reported_kib; /* used_kib when it reported last */
    uint64_t reported_ns;
    struct xlp_memory_ledger ledger;
    /* what came of it */
    double deficit_mib_s;
    unsigned int changes; /* of its target */
};

struct model {
    uint64_t now_ns;
    int64_t free_kib, lowest_free_kib;
    int64_t balloon_kib_s;
    struct model_guest guest[MODEL_GUESTS_MAX];
    size_t count;
    struct xlp_reservation reservation[MODEL_RESERVATIONS_MAX]; /* time left: as of the last look */
    size_t reservation_count;
    uint32_t next_reservation;
    struct xlp_policy policy;
    struct xlp_roster roster;
    struct xlp_snapshot snapshot;
    struct xlp_plan plan;
    struct xlp_domain_view views[MODEL_GUESTS_MAX];
    struct xlp_memory *memory;
    bool advise; /* plans are not carried out */
    bool eager;  /* balloons that find too little memory take what there is, and never sleep */
};

static inline void model_init(struct model *m)
{
    memset(m, 0, sizeof(*m));
    m->now_ns = 1000 * MODEL_SECOND_NS;
    m->balloon_kib_s = 100 * MIB;
    xlp_policy_init(&m->policy);
    xlp_snapshot_init(&m->snapshot);
    xlp_plan_init(&m->plan);
    m->memory = xlp_memory_new();
}

static inline void model_dispose(struct model *m)
{
    xlp_memory_free(m->memory);
    xlp_plan_dispose(&m->plan);
    xlp_snapshot_dispose(&m->snapshot);
    xlp_policy_dispose(&m->policy);
    xlp_roster_dispose(&m->roster);
}

static inline double model_trace_at(const struct model_trace *t, double s)
{
    for (size_t i = 0; i < t->count; i++) {
        if (s >= t->point[i].at_s)
            continue;
        if (i == 0)
            return t->point[0].mib;
        double part = (s - t->point[i - 1].at_s) / (t->point[i].at_s - t->point[i - 1].at_s);
        return t->point[i - 1].mib + part * (t->point[i].mib - t->point[i - 1].mib);
    }
    return t->count ? t->point[t->count - 1].mib : 0;
}

static inline void model_report(struct model *m, struct model_guest *g)
{
    int64_t resident_kib = g->used_kib < g->actual_kib ? g->used_kib : g->actual_kib;
    int64_t avail_kib = g->lies ? 0 : g->actual_kib - resident_kib;
    int64_t total_kib = g->actual_kib - g->overhead_kib;

    g->report.source = XLP_REPORT_AGENT;
    g->report.seq++;
    g->report.total_kib = total_kib;
    g->report.avail_kib = avail_kib < total_kib ? avail_kib : total_kib;
    g->report.free_kib = g->report.avail_kib;
    g->report.swap_total_kib = 4096 * MIB;
    g->report.swap_used_kib = g->used_kib - resident_kib;
    g->reported_kib = g->used_kib;
    g->reported_ns = m->now_ns;
}

/* A guest that has run for long, with size_mib of memory and use constant at used_mib. */
static inline struct model_guest *model_add(struct model *m, int64_t size_mib,
                                            int64_t static_max_mib, int64_t used_mib)
{
    struct model_guest *g = &m->guest[m->count++];

    g->domid = (uint32_t)m->count;
    g->actual_kib = g->target_kib = size_mib * MIB;
    g->max_kib = g->static_max_kib = static_max_mib * MIB;
    g->used_kib = used_mib * MIB;
    g->trace.point[0].mib = (double)used_mib;
    g->trace.count = 1;
    model_report(m, g);
    return g;
}

static inline void model_balloon_step(struct model *m, struct model_guest *g)
{
    int64_t most_kib = (int64_t)((double)m->balloon_kib_s * MODEL_STEP_NS / MODEL_SECOND_NS);
    int64_t aim_kib = g->target_kib < g->max_kib ? g->target_kib : g->max_kib;
    int64_t way_kib = aim_kib - g->distance_kib - g->actual_kib;
    bool stuck = g->balloon == MODEL_STUCK || (g->balloon == MODEL_STUCK_UP && way_kib > 0) ||
                 (g->balloon == MODEL_STUCK_DOWN && way_kib < 0);

    if (stuck || g->parked || way_kib == 0)
        return;
    if (way_kib > most_kib)
        way_kib = most_kib;
    if (way_kib < -most_kib)
        way_kib = -most_kib;
    if (way_kib > m->free_kib && !m->eager) {
        g->parked = true;
        return;
    }
    if (way_kib > m->free_kib)
        way_kib = m->free_kib > 0 ? m->free_kib : 0;
    g->actual_kib += way_kib;
    m->free_kib -= way_kib;
}

static inline void model_guest_step(struct model *m, struct model_guest *g, double since_start_s)
{
    int64_t moved_kib, worth_kib = g->actual_kib / 50 > 8 * MIB ? g->actual_kib / 50 : 8 * MIB;
    int64_t lacks_kib;

    g->used_kib = (int64_t)(model_trace_at(&g->trace, since_start_s) * (double)MIB);
    model_balloon_step(m, g);
    moved_kib = llabs(g->used_kib - g->reported_kib);
    if (moved_kib >= worth_kib || m->now_ns - g->reported_ns >= 5 * MODEL_SECOND_NS)
        model_report(m, g);
    lacks_kib = g->used_kib + 16 * MIB - g->actual_kib;
    if (lacks_kib > 0)
        g->deficit_mib_s += (double)lacks_kib / MIB * MODEL_STEP_NS / MODEL_SECOND_NS;
}

static inline void model_let_time_pass(struct model *m, uint64_t ns)
{
    for (uint64_t t = 0; t < ns; t += MODEL_STEP_NS) {
        m->now_ns += MODEL_STEP_NS;
        for (size_t i = 0; i < m->reservation_count; i++)
            m->reservation[i].ttl_left_ns -= m->reservation[i].ttl_left_ns < MODEL_STEP_NS
                                                 ? m->reservation[i].ttl_left_ns
                                                 : MODEL_STEP_NS;
        for (size_t i = 0; i < m->count; i++)
            model_guest_step(m, &m->guest[i], (double)m->now_ns / MODEL_SECOND_NS - 1000);
        if (m->free_kib < m->lowest_free_kib)
            m->lowest_free_kib = m->free_kib;
    }
}

static inline void model_observe(struct model *m)
{
    struct xlp_snapshot *s = &m->snapshot;

    xlp_snapshot_reset(s);
    s->time_ns = m->now_ns;
    s->memory.free_kib = m->free_kib;
    s->memory.total_kib = m->free_kib;
    for (size_t i = 0; i < m->count; i++) {
        const struct model_guest *g = &m->guest[i];
        struct xlp_domain *d;

        if (g->gone)
            continue;
        d = xlp_snapshot_add_domain(s);
        d->domid = g->domid;
        d->flags = g->flags;
        snprintf(d->name, sizeof(d->name), "vm%u", g->name_of ? g->name_of : g->domid);
        d->uuid[0] = (uint8_t)g->domid;
        d->age_ns = m->now_ns;
        d->memory.actual_kib = g->actual_kib;
        d->memory.target_kib = g->target_kib;
        d->memory.max_kib = g->max_kib;
        d->memory.static_max_kib = g->static_max_kib;
        d->memory.balloon = true;
        d->memory.report = g->report;
        d->memory.report_age_ns = m->now_ns - g->reported_ns;
        d->memory.ledger = g->ledger;
        d->memory.refusals = g->refusals;
        d->memory.by_hand_ns = g->by_hand_ns;
        s->memory.total_kib += g->actual_kib;
    }
    s->next_reservation = m->next_reservation;
    for (size_t i = 0; i < m->reservation_count; i++)
        *xlp_snapshot_add_reservation(s) = m->reservation[i];
}

/* 0, or -1 when memory is out. */
static inline int model_decide(struct model *m, bool restart)
{
    memset(m->views, 0, sizeof(m->views));
    xlp_plan_reset(&m->plan);
    if (xlp_plan_start(&m->plan, &m->snapshot) < 0)
        return -1;
    if (xlp_roster_call(&m->roster, &m->snapshot, &m->policy) < 0 ||
        xlp_memory_decide(m->memory, &m->snapshot, &m->policy, &m->roster, restart, &m->plan) < 0)
        return -1;
    xlp_memory_explain(m->memory, &m->snapshot, &m->roster, &m->plan, m->views);
    return 0;
}

static inline struct model_guest *model_by_domid(struct model *m, uint32_t domid)
{
    return &m->guest[domid - 1];
}

static inline void model_apply_reservation(struct model *m, const struct xlp_action *a)
{
    size_t at = 0;

    while (at < m->reservation_count && m->reservation[at].id != a->reservation.id)
        at++;
    if (a->kind == XLP_RESERVE) {
        m->reservation_count++;
        m->next_reservation = a->reservation.id + 1;
    }
    m->reservation[at] = a->reservation;
    if (a->kind == XLP_UNRESERVE) {
        m->reservation_count--;
        memmove(&m->reservation[at], &m->reservation[at + 1],
                (m->reservation_count - at) * sizeof(m->reservation[0]));
    }
}

/* As the toolstack does it: the limit before the target when it rises, after it when it falls, and
 * never below what the guest has. */
static inline void model_apply(struct model *m, const struct xlp_action *a)
{
    struct model_guest *g;

    if (xlp_action_is_of_reservation(a->kind)) {
        model_apply_reservation(m, a);
        return;
    }
    g = model_by_domid(m, a->domid);
    if (g->refuses) {
        g->refusals++;
        return;
    }
    if (a->kind == XLP_RELEASE_TARGET) {
        bool ours = g->target_kib == g->ledger.our_target_kib;

        g->ledger.recorded = ours && g->target_kib != g->ledger.original_target_kib;
        if (!ours)
            return;
    } else if (!g->ledger.recorded) {
        g->ledger.recorded = true;
        g->ledger.releasing = false;
        g->ledger.original_target_kib = g->target_kib;
        g->ledger.original_max_kib = g->max_kib;
    }
    if (a->to_kib != g->target_kib) {
        g->changes++;
        g->parked = false;
    }
    g->target_kib = g->ledger.our_target_kib = a->to_kib;
    if (a->limit_kib)
        g->max_kib = a->limit_kib > g->actual_kib ? a->limit_kib : g->actual_kib;
}

/* A set by the operator's hand. */
static inline void model_mem_set(struct model_guest *g, int64_t mib)
{
    g->target_kib = mib * MIB;
    g->max_kib = mib * MIB;
    g->parked = false;
}

/* One look, decision and act; time then passes until the next. */
static inline void model_tick(struct model *m, bool first)
{
    model_observe(m);
    if (model_decide(m, first) < 0)
        abort();
    for (size_t i = 0; !m->advise && i < m->plan.action_count; i++)
        model_apply(m, &m->plan.actions[i]);
    model_let_time_pass(m, MODEL_SECOND_NS);
}

static inline void model_run(struct model *m, unsigned int seconds)
{
    for (unsigned int i = 0; i < seconds; i++)
        model_tick(m, false);
}

static inline void model_point(struct model_guest *g, double at_s, double mib)
{
    if (g->trace.count == 1 && g->trace.point[0].at_s == 0 && at_s == 0)
        g->trace.count = 0;
    g->trace.point[g->trace.count].at_s = at_s;
    g->trace.point[g->trace.count++].mib = mib;
}

#endif
