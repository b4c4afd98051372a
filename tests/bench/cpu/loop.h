/* SPDX-License-Identifier: LGPL-2.1-only */
/* The closed loop: a policy that places, on a host whose guests want now this, now that. */
#ifndef XLPOLICY_BENCH_LOOP_H
#define XLPOLICY_BENCH_LOOP_H

#include "policy.h"

#define LOOP_REVERSAL_S 60  /* back where it came from within this time: a reversal */
#define LOOP_SETTLE_S   120 /* after the trace, demand stands still: so long to come to rest ... */
#define LOOP_REST_S     300 /* ... and so long a look at who does */

struct loop_setup {
    uint64_t seed;
    size_t vcpu_count, pcpu_count;
    double util;
    uint32_t seconds;
    uint32_t looks_per_s;
    double move_cost; /* of a second, for each move */
    uint32_t irqbalance_s, rusty_s;
    const struct xlp_policy *settings;
};

enum loop_metric {
    LOOP_LOST,       /* %, of the work that a perfectly divisible host would have done */
    LOOP_MOVES,      /* a vCPU and hour */
    LOOP_REVERSALS,  /* the same, of those moves */
    LOOP_REST_MOVES, /* in all, while demand stood still, once it had had time to come to rest */
    LOOP_UNFAIR,     /* %, mean over time of the distance of the best from the worst served vCPU:
                        work over entitlement, of those that wanted at least 1 % of a pCPU */
    LOOP_MISPLACED,  /* %, mean over time, of entitlements: see quality.h */
    LOOP_METRICS
};

struct loop_metric_name {
    const char *title; /* in the table */
    const char *key;   /* in JSON */
};

extern const struct loop_metric_name loop_metric_names[LOOP_METRICS];

struct loop_result {
    double metric[LOOP_METRICS];
};

struct loop_result loop_run(enum policy_id id, const struct loop_setup *setup);

#endif
