/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What a vCPU wants to run, which is more than what it ran when others were in its way.
 *
 * On a saturated pCPU run times sum to one whatever the demand. What tells a starved vCPU from a
 * modest one is whether it ever blocks: who blocks has been served, who never does wants more than
 * it got. Measured on credit2: used <= demand <= used + waiting, and blocked is 0 just for those
 * that want more.
 *
 * How much more, looks cannot tell: a guest that wants 70 % and gets 50 % never blocks either. So
 * what it used while it was served is remembered, and believed for as long again as it had been
 * steady; but not when it uses more than that now. More is a part of it, and not of a pCPU: among
 * many that want little, who wanted 8 % and gets 9 %, and never blocks, may want all of one.
 *
 * Inline, because every tick asks it of every vCPU. Private to libxlpolicy/cpu.
 */
#ifndef XLP_CPU_DEMAND_H
#define XLP_CPU_DEMAND_H

#include <math.h>

#include "tick.h"

/* What holds for all vCPUs of a domain. */
struct demand_input {
    uint64_t now_ns, elapsed_ns;
    const struct xlp_cpumap *saturated; /* pCPUs that had next to no idle time */
    double cap;                         /* most each may use: 1, or its part of the domain's cap */
    bool stands_still;                  /* nobody wants anything for now */
};

#define JUMP          0.10 /* a demand that rose by more is news, not noise */
#define SMOOTH_SERVED 0.70 /* weight of the newest use, which is measured exactly, */
#define SMOOTH_JUMP                                                                                \
    0.7 /* of a rise in the first tick: it may be a spike; in the next all of it                   \
         */
#define SMOOTH_FALL     0.50 /* when it is much lower (a burst may go on), */
#define SMOOTH_UNSERVED 0.25 /* and of the newest guess from a few looks */
#define SMOOTH_BLOCKED  0.50
#define BLOCKED_CLEARLY 0.10 /* a vCPU that blocks this much has all it wants */
#define FULLY_USED      0.98 /* nothing more to be had from one pCPU */
#define IMPOSSIBLE      1.5  /* of one pCPU */
#define STEADY          0.15 /* uses this near to each other are the same */
#define BEYOND          0.1  /* who uses so much more than it did when served, as a part of that, */
#define BEYOND_MOST     0.05 /* or so much of a pCPU, wants more */
#define BELIEF_NS       (5 * UINT64_C(1000000000))
#define BELIEF_MAX_NS   (300 * UINT64_C(1000000000))
#define PROBE           1.1 /* without looks and memory: up by so much a tick */

static inline double xlp_smooth(double new, bool served, struct vcpu_past *past)
{
    double old = past->demand;
    double weight = served || !past->looked ? SMOOTH_SERVED : SMOOTH_UNSERVED;
    bool jumps = new > old + JUMP;

    if (jumps)
        weight = past->jumped ? 1 : SMOOTH_JUMP;
    else if (new < old - JUMP)
        weight = SMOOTH_FALL;
    past->jumped = jumps;
    return old + weight * (new - old);
}

/* Whether it got all it wanted in the last interval. */
static inline bool xlp_was_served(const struct xlp_vcpu *v, const struct demand_input *in,
                                  struct vcpu_past *past)
{
    bool looked_before = past->looked;
    double blocked;

    past->looked = v->samples > 0;
    if (!past->looked)
        return v->blocked || !xlp_cpumap_test(in->saturated, v->pcpu);
    blocked = (double)v->samples_blocked / v->samples;
    if (looked_before)
        blocked = past->blocked + SMOOTH_BLOCKED * (blocked - past->blocked);
    past->blocked = blocked;
    return blocked >= BLOCKED_CLEARLY;
}

static inline void xlp_remember_served(double used, uint64_t now_ns, struct vcpu_past *past)
{
    if (past->served_ns && fabs(used - past->served) <= STEADY) {
        past->served += 0.3 * (used - past->served);
    } else {
        past->served = used;
        past->steady_since_ns = now_ns;
    }
    past->served_ns = now_ns;
}

static inline bool xlp_is_believed(double used, uint64_t now_ns, const struct vcpu_past *past)
{
    uint64_t life_ns = BELIEF_NS + (past->served_ns - past->steady_since_ns);
    double beyond = xlp_min(BEYOND_MOST, BEYOND * past->served);

    if (life_ns > BELIEF_MAX_NS)
        life_ns = BELIEF_MAX_NS;
    return past->served_ns && now_ns - past->served_ns < life_ns && used <= past->served + beyond;
}

/* It was not served: what it may want. */
static inline double xlp_guess(const struct xlp_vcpu *v, double used, uint64_t now_ns,
                               const struct vcpu_past *past)
{
    if (xlp_is_believed(used, now_ns, past))
        return xlp_max(used, past->served);
    if (v->samples)
        return used + (1 - used) * (1 - past->blocked / BLOCKED_CLEARLY);
    return xlp_min(1, PROBE * xlp_max(used, past->known ? past->demand : used));
}

/* Returns what it used (0 ... 1), or 0 when that cannot be told. */
static inline double xlp_measure_use(const struct xlp_vcpu *v, const struct demand_input *in,
                                     double elapsed_ns, struct vcpu_past *past)
{
    uint64_t ran_ns = v->cpu_time_ns - past->cpu_time_ns;
    bool backwards = v->cpu_time_ns < past->cpu_time_ns, served;
    double used, demand;

    past->cpu_time_ns = v->cpu_time_ns;
    if (backwards) {
        past->known = past->looked = false;
        past->served_ns = 0;
        return 0;
    }
    used = (double)ran_ns / elapsed_ns;
    if (in->elapsed_ns == 0 || used > IMPOSSIBLE)
        return 0; /* a clock jumped: what is remembered stands */
    used = xlp_min(1, used);
    served = xlp_was_served(v, in, past);
    if (served)
        xlp_remember_served(used, in->now_ns, past);
    demand = served ? used : used >= FULLY_USED ? 1 : xlp_guess(v, used, in->now_ns, past);
    demand =
        xlp_max(used, xlp_min(in->cap, demand)); /* a cap is the domain's, and may go to one vCPU */
    past->demand = past->known ? xlp_smooth(demand, served, past) : demand;
    past->known = true;
    return used;
}

/* Measures the vCPUs of one domain against their pasts, updates those, and makes their views, as if
 * all could have what they want. Where use cannot be told, what is remembered stands, unless the
 * run time went backwards. Returns what they want, all together. */
static inline double xlp_measure_demand(const struct xlp_vcpu *vcpus, uint32_t count,
                                        const struct demand_input *in, struct vcpu_past *pasts,
                                        struct xlp_vcpu_view *views_out)
{
    const double elapsed_ns = (double)in->elapsed_ns;
    double sum = 0;

    for (uint32_t i = 0; i < count; i++) {
        double used = xlp_measure_use(&vcpus[i], in, elapsed_ns, &pasts[i]);
        bool wants = pasts[i].known && vcpus[i].online && !in->stands_still;
        double demand = wants ? pasts[i].demand : 0;

        views_out[i] = (struct xlp_vcpu_view){
            .used = used,
            .demand = demand,
            .entitlement = demand, /* unless there is not enough */
            .known = pasts[i].known,
            .home = XLP_UNKNOWN,
        };
        sum += demand;
    }
    return sum;
}

#endif
