/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What a vCPU wants to run, which is more than what it ran when others were in its way.
 *
 * On a saturated pCPU run times sum to one whatever the demand. What tells a starved vCPU from a
 * modest one is whether it ever blocks: who blocks has been served, who never does wants at least
 * what it waited for. Measured on credit2: used <= demand <= used + waiting, and blocked is 0 just
 * for those that want more.
 */
#include <math.h>

#include "parts.h"

#define SMOOTHING       0.5  /* weight of the newest measurement */
#define BLOCKED_CLEARLY 0.10 /* a vCPU that blocks this much has all it wants */
#define FULLY_USED      0.98 /* nothing more to be had from one pCPU */
#define CEILING_LIFE_NS (15 * UINT64_C(1000000000))

static double smooth(double old, double new)
{
    return old + SMOOTHING * (new - old);
}

/* Looks were taken: waiting counts in full for who never blocks, and fades as blocking appears. */
static double demand_from_samples(const struct xlp_vcpu *v, double used, struct vcpu_past *past)
{
    double waiting = (double)v->samples_waiting / v->samples;
    double blocked = (double)v->samples_blocked / v->samples;

    past->blocked = past->known ? smooth(past->blocked, blocked) : blocked;
    return fmin(1, used + waiting * fmax(0, 1 - past->blocked / BLOCKED_CLEARLY));
}

/* No looks, and the pCPU was full: believe what it wanted when it was last served; when that is
 * long ago, probe upwards. */
static double demand_unseen(double used, const struct demand_input *in,
                            const struct vcpu_past *past)
{
    if (past->ceiling_ns && in->now_ns - past->ceiling_ns < CEILING_LIFE_NS)
        return fmax(used, past->ceiling);
    return fmin(1, fmax(used, past->known ? past->demand : used) * 1.1);
}

static double measure(const struct xlp_vcpu *v, double used, const struct demand_input *in,
                      struct vcpu_past *past)
{
    if (used >= FULLY_USED)
        return 1;
    if (v->samples)
        return demand_from_samples(v, used, past);
    if (in->pcpu_saturated && !v->blocked)
        return demand_unseen(used, in, past);
    past->ceiling = used;
    past->ceiling_ns = in->now_ns;
    return used;
}

double xlp_measure_demand(const struct xlp_vcpu *v, const struct demand_input *in,
                          struct vcpu_past *past)
{
    uint64_t ran_ns = v->cpu_time_ns - past->cpu_time_ns;
    bool sane = v->cpu_time_ns >= past->cpu_time_ns && in->elapsed_ns > 0;
    double used, demand;

    past->cpu_time_ns = v->cpu_time_ns;
    if (!sane) {
        past->known = false;
        past->ceiling_ns = 0;
        return -1;
    }
    used = fmin(1, (double)ran_ns / (double)in->elapsed_ns);
    demand = fmax(used, fmin(in->cap, measure(v, used, in, past))); /* a cap is the domain's */
    past->demand = past->known ? smooth(past->demand, demand) : demand;
    past->known = true;
    return used;
}
