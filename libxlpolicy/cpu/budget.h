/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The vCPUs that may be moved in one tick, divided among the cpupools by their vCPUs: by stride, so
 * that a small pool gets its turn however few there are. What a pool leaves over is for those that
 * come after it; so that nobody is always last, or first, the pools take turns.
 */
#ifndef XLP_CPU_BUDGET_H
#define XLP_CPU_BUDGET_H

#include "shares/apportion.h"
#include "snapshot.h"

struct xlp_budget {
    struct xlp_apportioner stride;
    struct xlp_holder *pools, *before; /* in the snapshot's order; swapped each tick */
    size_t pool_count, pool_room, before_room;
    uint32_t *parts;
    size_t part_room;
    size_t turn;   /* counts ticks */
    uint32_t over; /* left by the pools so far */
};

void xlp_budget_init(struct xlp_budget *b);
void xlp_budget_dispose(struct xlp_budget *b);

/* A new tick, with so many moves. 0, or -1 when memory is out. */
int xlp_budget_divide(struct xlp_budget *b, const struct xlp_snapshot *s, uint32_t moves);

/* The i-th pool to be decided: an index into the snapshot's pools. */
size_t xlp_budget_pool(const struct xlp_budget *b, size_t i);

/* How many moves this pool may make; asked once, and then told how many it did make. */
uint32_t xlp_budget_open(struct xlp_budget *b, size_t pool);
void xlp_budget_close(struct xlp_budget *b, uint32_t made);

#endif
