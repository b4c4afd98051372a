/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Proxmox-like, after Proxmox VE's automatic balloons: every ten seconds the host's use is steered
 * towards 80 % of its memory. What there is to give or to take goes by shares of what each guest
 * has above its minimum, at most 100 MiB a guest at a time; first to guests with little memory
 * free, or from guests with some.
 */
#include "policy.h"

#include "../measure.h"

#define PERIOD_S   10
#define USE_PCT    80
#define STEP_KIB   (100 * MIB)
#define IGNORE_KIB (10 * MIB)
#define FREE_PART  4 /* a quarter of its minimum free: it has some */

enum whom { PRESSED, ROOMY, ALL };

static int64_t distribute(struct mem_host *h, int64_t *to_kib, enum whom whom, int64_t kib);

static void *start(struct mem_host *h)
{
    return bench_alloc(h->model.count, sizeof(int64_t));
}

static bool is_one_of(const struct mem_host *h, size_t i, enum whom whom)
{
    const struct model_guest *g = &h->model.guest[i];
    bool roomy =
        g->actual_kib - g->used_kib > h->floor_kib / FREE_PART && g->actual_kib >= h->floor_kib;

    return whom == ALL || (whom == ROOMY) == roomy;
}

static bool step(void *self, struct mem_host *h)
{
    int64_t *to_kib = self;
    int64_t goal_kib = h->model.free_kib - h->memory_kib / 100 * (100 - USE_PCT), left_kib;

    if (!mem_policy_is_due(h, PERIOD_S))
        return false;
    for (size_t i = 0; i < h->model.count; i++)
        to_kib[i] = h->model.guest[i].actual_kib;
    if (goal_kib > -IGNORE_KIB && goal_kib < IGNORE_KIB)
        return true;
    left_kib = distribute(h, to_kib, goal_kib > 0 ? PRESSED : ROOMY, goal_kib);
    if (left_kib == goal_kib)
        distribute(h, to_kib, ALL, goal_kib);
    for (size_t i = 0; i < h->model.count; i++)
        if (to_kib[i] != h->model.guest[i].actual_kib)
            mem_host_set_target(h, i, to_kib[i]);
    return true;
}

/* What it would have if what all have above their minimum, and kib more, went by shares. */
static int64_t desired_kib(const struct mem_host *h, size_t i, double per_share)
{
    int64_t kib = h->floor_kib + (int64_t)(per_share * h->shares[i]);

    kib = kib < h->floor_kib ? h->floor_kib : kib;
    return kib < h->model.guest[i].static_max_kib ? kib : h->model.guest[i].static_max_kib;
}

/* One round. Returns what it changed in sum. */
static int64_t distribute_once(struct mem_host *h, int64_t *to_kib, enum whom whom, int64_t kib,
                               bool grows)
{
    double above_kib = (double)kib, shares = 0;
    int64_t changed_kib = 0;

    for (size_t i = 0; i < h->model.count; i++) {
        if (!is_one_of(h, i, whom))
            continue;
        above_kib += (double)(to_kib[i] - h->floor_kib);
        shares += h->shares[i];
    }
    for (size_t i = 0; i < h->model.count; i++) {
        int64_t has_kib = h->model.guest[i].actual_kib, want_kib;

        if (!is_one_of(h, i, whom))
            continue;
        want_kib = desired_kib(h, i, above_kib / shares);
        if (want_kib == has_kib || (want_kib > has_kib) != grows)
            continue;
        want_kib = want_kib > has_kib + STEP_KIB ? has_kib + STEP_KIB : want_kib;
        want_kib = want_kib < has_kib - STEP_KIB ? has_kib - STEP_KIB : want_kib;
        changed_kib += want_kib - to_kib[i];
        to_kib[i] = want_kib;
    }
    return changed_kib;
}

/* As much of kib as these guests take. Returns what is left. */
static int64_t distribute(struct mem_host *h, int64_t *to_kib, enum whom whom, int64_t kib)
{
    bool grows = kib > 0;

    while (kib != 0) {
        int64_t changed_kib = distribute_once(h, to_kib, whom, kib, grows);

        if (changed_kib == 0 || (changed_kib > 0) != grows)
            break;
        kib -= changed_kib;
    }
    return kib;
}

const struct mem_policy mem_policy_proxmox = {
    .name = "Proxmox-like", .start = start, .step = step, .stop = free};
