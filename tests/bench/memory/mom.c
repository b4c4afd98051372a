/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * MOM-like, after the balloon rules of oVirt's Memory Overcommitment Manager: every ten seconds,
 * while less than a fifth of the host is free, each guest gives up 5 %, down to what leaves it a
 * part free that goes with the host's; while more is free, each gets 5 % more, or as much more as
 * leaves it a fifth free.
 */
#include "policy.h"

#define PERIOD_S          10
#define HOST_FREE_PART    0.2
#define HOST_CRITICAL     0.05
#define GUEST_FREE_PART   0.2
#define CHANGE_PART       0.05
#define LEAST_CHANGE_PART 0.0025

static double clamp(double kib, double least_kib, double most_kib)
{
    kib = kib < least_kib ? least_kib : kib;
    return kib > most_kib ? most_kib : kib;
}

static double used_kib(const struct model_guest *g)
{
    return (double)(g->used_kib < g->actual_kib ? g->used_kib : g->actual_kib);
}

static void set(struct mem_host *h, size_t guest, double kib)
{
    double has_kib = (double)h->model.guest[guest].actual_kib, change_kib = kib - has_kib;

    if (change_kib < 0)
        change_kib = -change_kib;
    if (change_kib > LEAST_CHANGE_PART * has_kib)
        mem_host_set_target(h, guest, (int64_t)kib);
}

static void shrink(struct mem_host *h, size_t guest, double host_free)
{
    const struct model_guest *g = &h->model.guest[guest];
    double has_kib = (double)g->actual_kib;
    double part = host_free <= HOST_CRITICAL ? host_free - 0.05
                                             : GUEST_FREE_PART * host_free / HOST_FREE_PART;
    double least_kib = used_kib(g) + part * has_kib;

    least_kib = clamp(least_kib, (double)h->floor_kib, (double)g->static_max_kib);
    least_kib = clamp((1 - CHANGE_PART) * has_kib, least_kib, (double)g->static_max_kib);
    if (least_kib <= has_kib)
        set(h, guest, least_kib);
}

static void grow(struct mem_host *h, size_t guest)
{
    const struct model_guest *g = &h->model.guest[guest];
    double has_kib = (double)g->actual_kib, most_kib = (double)g->static_max_kib;
    double least_kib = used_kib(g) + GUEST_FREE_PART * has_kib;

    least_kib = clamp(least_kib, (double)h->floor_kib, most_kib);
    if (has_kib < most_kib)
        set(h, guest, clamp((1 + CHANGE_PART) * has_kib, least_kib, most_kib));
}

static bool step(void *self, struct mem_host *h)
{
    double host_free = (double)h->model.free_kib / (double)h->memory_kib;

    (void)self;
    if (!mem_policy_is_due(h, PERIOD_S))
        return false;
    for (size_t i = 0; i < h->model.count; i++) {
        if (host_free < HOST_FREE_PART)
            shrink(h, i, host_free);
        else
            grow(h, i);
    }
    return true;
}

const struct mem_policy mem_policy_mom = {.name = "MOM-like",
                                          .start = mem_policy_start_nothing,
                                          .step = step,
                                          .stop = mem_policy_stop_nothing};
