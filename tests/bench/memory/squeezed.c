/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Squeezed-like, after XenServer's squeezed: blind to what guests use. All that is not kept for the
 * host is given out, so that each guest has the same part gamma of the range between its minimum
 * and maximum. First all that have too much give up; once they have, the others take.
 */
#include "policy.h"

#define PERIOD_S      10
#define TOLERATED_KIB (4 * MIB)

static double gamma_of(const struct mem_host *h)
{
    double spare_kib = (double)(h->model.free_kib - h->reserve_kib), range_kib = 0, gamma;

    for (size_t i = 0; i < h->model.count; i++) {
        const struct model_guest *g = &h->model.guest[i];

        spare_kib += (double)(g->actual_kib - h->floor_kib);
        range_kib += (double)(g->static_max_kib - h->floor_kib);
    }
    gamma = range_kib > 0 ? spare_kib / range_kib : 0;
    return gamma < 0 ? 0 : gamma > 1 ? 1 : gamma;
}

/* True while one of those that give has not given. */
static bool move(struct mem_host *h, double gamma, bool up)
{
    bool waits = false;

    for (size_t i = 0; i < h->model.count; i++) {
        const struct model_guest *g = &h->model.guest[i];
        int64_t target_kib =
            h->floor_kib + (int64_t)(gamma * (double)(g->static_max_kib - h->floor_kib));

        if (up ? target_kib > g->target_kib + TOLERATED_KIB
               : target_kib < g->target_kib - TOLERATED_KIB)
            mem_host_set_target(h, i, target_kib);
        waits = waits || g->actual_kib > g->target_kib + TOLERATED_KIB;
    }
    return waits;
}

static bool step(void *self, struct mem_host *h)
{
    double gamma;

    (void)self;
    if (!mem_policy_is_due(h, PERIOD_S))
        return false;
    gamma = gamma_of(h);
    if (!move(h, gamma, false))
        move(h, gamma, true);
    return true;
}

const struct mem_policy mem_policy_squeezed = {.name = "squeezed-like",
                                               .start = mem_policy_start_nothing,
                                               .step = step,
                                               .stop = mem_policy_stop_nothing};
