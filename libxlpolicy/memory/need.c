/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What a guest needs, from what it says. A report is a claim: it is bounded by what Xen knows, and
 * can raise its own guest's need up to its maximum. What that may cost others is for alloc.h.
 */
#include "memory/parts.h"

#define BARE_KIB        (16 * XLP_MIB)  /* a guest with less than this unused is hurting */
#define AHEAD_MAX_KIB   (256 * XLP_MIB) /* a rise is believed so far ahead at most */
#define NEED_AHEAD_S    3               /* memory takes about this long to arrive */
#define COMFORT_AHEAD_S 8               /* so that a steady rise is served in few steps */

/* Smoothing of the rise: long enough that a jump counts for little more than itself. */
#define RISE_TAU_S 4
/* How long a past peak is remembered. Surplus is returned within 60 s of its release, of which
 * the pacing takes up to 50: so most of a peak must be forgotten within the first 20. */
#define PEAK_TAU_S 10

#define PRESSURE_CENTIPCT      100  /* stalled on memory for 1 % of the time */
#define PRESSURE_FULL_CENTIPCT 1000 /* from here on pressure raises need by a quarter */
#define PRESSURE_HOLD_NS       (30 * XLP_SECOND_NS)
#define REFAULT_PAGES          1024 /* anonymous pages faulted back between two looks */

static int64_t kept_by_kernel(const struct demand *d, const struct xlp_domain_memory *memory);
static void observe_overhead(struct demand *d, const struct xlp_domain_memory *memory,
                             uint64_t rest_ns);
static void observe_pressure(struct demand *d, const struct xlp_mem_report *report,
                             uint64_t passed_ns);
static int64_t used_by(const struct demand *d, const struct xlp_domain_memory *memory);
static int64_t ahead(const struct demand *d, double seconds);

/* Exponential decay by implicit Euler: no exp(), whose last digit differs from libm to libm. */
static double fading(double tau_s, uint64_t passed_ns)
{
    return tau_s / (tau_s + (double)passed_ns / XLP_SECOND_NS);
}

struct lapse xlp_lapse(uint64_t passed_ns)
{
    return (struct lapse){.passed_ns = passed_ns,
                          .per_s = passed_ns > 0 ? XLP_SECOND_NS / (double)passed_ns : 0,
                          .rise_kept = fading(RISE_TAU_S, passed_ns),
                          .peak_kept = fading(PEAK_TAU_S, passed_ns)};
}

static int64_t said_by(const struct xlp_mem_report *report)
{
    return report->total_kib - report->avail_kib + report->swap_used_kib;
}

void xlp_demand_observe(struct demand *demand, const struct xlp_domain_memory *memory,
                        uint64_t rest_ns, const struct lapse *lapse)
{
    int64_t said_kib = said_by(&memory->report);
    int64_t faded_kib;

    observe_overhead(demand, memory, rest_ns);
    observe_pressure(demand, &memory->report, lapse->passed_ns);
    if (!demand->measured) {
        demand->rise_kib_s = 0;
        demand->peak_kib = 0;
    } else if (lapse->passed_ns > 0) {
        double rise = (double)(said_kib - demand->said_kib) * lapse->per_s;

        demand->rise_kib_s += (1 - lapse->rise_kept) * (rise - demand->rise_kib_s);
    }
    demand->used_kib = used_by(demand, memory);
    demand->soon_kib = demand->used_kib + ahead(demand, NEED_AHEAD_S);
    faded_kib = demand->soon_kib +
                (int64_t)((double)(demand->peak_kib - demand->soon_kib) * lapse->peak_kept);
    demand->peak_kib = xlp_max_kib(demand->soon_kib, faded_kib);
    demand->said_kib = said_kib;
    demand->measured = true;
}

/* A report tells the kernel's own share only when it was made while nothing moved: a report from
 * before a balloon step has a MemTotal that no longer belongs to what Xen counts now. */
static void observe_overhead(struct demand *d, const struct xlp_domain_memory *memory,
                             uint64_t rest_ns)
{
    if (memory->report.source == XLP_REPORT_QUBES || memory->report_age_ns >= rest_ns)
        return;
    d->overhead_kib = xlp_max_kib(0, memory->actual_kib - memory->report.total_kib);
    d->overhead_known = true;
}

static void observe_pressure(struct demand *d, const struct xlp_mem_report *report,
                             uint64_t passed_ns)
{
    bool refaults = d->counters_known && report->refault_anon > d->refault_anon &&
                    report->refault_anon - d->refault_anon >= REFAULT_PAGES;
    bool killed = d->counters_known && report->oom_kill > d->oom_kill;

    d->pressure_left_ns = xlp_time_left(d->pressure_left_ns, passed_ns);
    if (report->psi_some_avg10_centipct > PRESSURE_CENTIPCT || refaults || killed)
        d->pressure_left_ns = PRESSURE_HOLD_NS;
    d->refault_anon = report->refault_anon;
    d->oom_kill = report->oom_kill;
    d->counters_known = true;
}

/* The kernel image and its tables: about 48 MiB, and 1/64 of the largest size for page structs. */
static int64_t usual_overhead(const struct xlp_domain_memory *memory)
{
    return 48 * XLP_MIB + xlp_cap_kib(memory) / 64;
}

static int64_t kept_by_kernel(const struct demand *d, const struct xlp_domain_memory *memory)
{
    int64_t unseen_kib = xlp_max_kib(0, memory->actual_kib - memory->report.total_kib);

    /* Qubes' number knows no MemTotal, so nothing can be learned from it. */
    if (memory->report.source == XLP_REPORT_QUBES)
        return usual_overhead(memory);
    return d->overhead_known ? d->overhead_kib : xlp_min_kib(unseen_kib, usual_overhead(memory));
}

/* No guest has more in use than it has; only what it swapped out has to be believed. */
static int64_t used_by(const struct demand *d, const struct xlp_domain_memory *memory)
{
    const struct xlp_mem_report *r = &memory->report;
    int64_t resident_kib = r->total_kib - r->avail_kib + kept_by_kernel(d, memory);

    return xlp_min_kib(resident_kib, memory->actual_kib) + r->swap_used_kib;
}

static int64_t ahead(const struct demand *d, double seconds)
{
    double kib = d->rise_kib_s * seconds;

    kib = kib > -AHEAD_MAX_KIB ? kib : -AHEAD_MAX_KIB;
    kib = kib < AHEAD_MAX_KIB ? kib : AHEAD_MAX_KIB;
    return xlp_max_kib(0, (int64_t)kib);
}

/* By how much pressure raises need: with the square, so that a passing stall hardly counts. */
static double pressure_factor(const struct xlp_mem_report *report)
{
    double part = (double)report->psi_some_avg10_centipct / PRESSURE_FULL_CENTIPCT;

    return part >= 1 ? 1.25 : 1 + 0.25 * part * part;
}

void xlp_demand_levels(const struct demand *demand, const struct xlp_domain *d,
                       const struct xlp_policy *policy, const struct xlp_domain_policy *own,
                       struct levels *levels_out)
{
    const struct xlp_domain_memory *memory = &d->memory;
    int64_t margin_kib = policy->mem_margin_kib, used_kib = demand->used_kib;
    int64_t soon_kib = demand->soon_kib, peak_kib = demand->peak_kib;
    int64_t floor_kib = xlp_floor_kib(d, policy, own), cap_kib = xlp_cap_kib(memory);
    int64_t wanted_kib = soon_kib + margin_kib, need_kib, usual_kib;

    if (memory->report.psi_some_avg10_centipct > PRESSURE_CENTIPCT)
        wanted_kib = (int64_t)((double)wanted_kib * pressure_factor(&memory->report));
    wanted_kib = xlp_max_kib(floor_kib, wanted_kib);
    need_kib = xlp_min_kib(wanted_kib, cap_kib);
    /* A fifth of a small guest is less than the margin. */
    usual_kib = peak_kib + xlp_max_kib(peak_kib / 5 + BARE_KIB, margin_kib);
    usual_kib = xlp_max_kib(usual_kib, need_kib + ahead(demand, COMFORT_AHEAD_S));
    *levels_out = (struct levels){
        .used_kib = used_kib,
        .floor_kib = floor_kib,
        .cap_kib = cap_kib,
        .safe_kib = xlp_min_kib(cap_kib, xlp_max_kib(floor_kib, used_kib + margin_kib)),
        .wanted_kib = wanted_kib,
        .need_kib = need_kib,
        .bare_kib = xlp_min_kib(soon_kib + xlp_min_kib(BARE_KIB, margin_kib), need_kib),
        .comfort_kib = xlp_min_kib(usual_kib, cap_kib),
    };
}

int64_t xlp_default_floor_kib(int64_t static_max_kib)
{
    if (static_max_kib < 128 * XLP_MIB)
        return 8 * XLP_MIB + static_max_kib / 2;
    if (static_max_kib < 512 * XLP_MIB)
        return 40 * XLP_MIB + static_max_kib / 4;
    if (static_max_kib < 2048 * XLP_MIB)
        return 104 * XLP_MIB + static_max_kib / 8;
    return 296 * XLP_MIB + static_max_kib / 32;
}

int64_t xlp_cap_kib(const struct xlp_domain_memory *memory)
{
    int64_t cap_kib = memory->static_max_kib > 0
                          ? memory->static_max_kib
                          : xlp_max_kib(memory->actual_kib, memory->target_kib);

    return memory->dynamic_max_kib > 0 ? xlp_min_kib(cap_kib, memory->dynamic_max_kib) : cap_kib;
}

int64_t xlp_floor_kib(const struct xlp_domain *d, const struct xlp_policy *policy,
                      const struct xlp_domain_policy *own)
{
    const struct xlp_domain_memory *memory = &d->memory;
    int64_t floor_kib =
        own->floor_kib > 0 ? own->floor_kib : xlp_default_floor_kib(memory->static_max_kib);

    if (d->domid == 0 && policy->mem_dom0)
        floor_kib = xlp_max_kib(floor_kib, policy->mem_dom0_floor_kib);
    floor_kib = xlp_max_kib(floor_kib, memory->dynamic_min_kib);
    return xlp_min_kib(floor_kib, xlp_cap_kib(memory));
}
