/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What each domain is entitled to: of a pool whose work could be divided at will, its weight's part
 * as far as it wants that. What it did is held against this. The judge has its own idea of it, so
 * that a mistake in the engine's is not its own measure.
 */
#include <math.h>

#include "host/trial_parts.h"

/* What one vCPU gets for each unit of weight, when that much is shared out: it rises until it is
 * used up, passing by who wants no more. */
static double level_of(const struct xlp_sim *sim, size_t pool, double capacity)
{
    double level = -1, higher = 0;

    while (higher > level) {
        double left = capacity, weight = 0;

        level = higher;
        for (size_t i = 0; i < sim->live_count; i++) {
            const struct xlp_sim_domain *d = sim->live[i];
            double each = fmax(1, xlp_sim_weight(sim, d));

            for (uint32_t k = 0; d->pool == pool && k < d->vcpu_count; k++) {
                if (d->vcpus[k].due <= level * each)
                    left -= d->vcpus[k].due;
                else
                    weight += each;
            }
        }
        if (weight == 0)
            return INFINITY;
        higher = left / weight;
    }
    return level;
}

void xlp_judge_entitle(struct xlp_judge *judge)
{
    const struct xlp_sim *sim = judge->sim;

    for (size_t pool = 0; pool < sim->scenario->host.pool_count; pool++) {
        double level = level_of(sim, pool, xlp_sim_capacity(sim, pool));

        for (size_t i = 0; i < sim->live_count; i++) {
            const struct xlp_sim_domain *d = sim->live[i];
            double most = level * fmax(1, xlp_sim_weight(sim, d)), entitled = 0;

            if (d->pool != pool)
                continue;
            for (uint32_t k = 0; k < d->vcpu_count; k++)
                entitled += fmin(d->vcpus[k].due, most);
            judge->entitled[d - sim->domains] = entitled;
        }
    }
}
