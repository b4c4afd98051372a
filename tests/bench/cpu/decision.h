/* SPDX-License-Identifier: LGPL-2.1-only */
/* What one decision costs and achieves on a large host. */
#ifndef XLPOLICY_BENCH_DECISION_H
#define XLPOLICY_BENCH_DECISION_H

#include "loads.h"
#include "policy.h"

enum scenario {
    SCENARIO_DRIFT,   /* an even host, on which now and then a few guests begin to want otherwise */
    SCENARIO_WIDE,    /* the same, but guests have eight vCPUs, which are kept apart */
    SCENARIO_RANDOM,  /* everybody is somewhere */
    SCENARIO_STACKED, /* everybody is on a quarter of the pCPUs */
    SCENARIO_COUNT
};

extern const char *const scenario_names[SCENARIO_COUNT];

struct decision_setup {
    uint64_t seed;
    size_t vcpu_count, pcpu_count;
    double util;
    const struct xlp_policy *settings;
    uint32_t instances; /* of each start */
    uint32_t drifts;    /* how often the loads change */
    struct drift drift;
};

struct decision {
    double p50_us, p99_us;
    double moves;          /* after each start or drift, on average */
    double misplaced_pct;  /* in the end, on average */
    double max_over_bound; /* in the end, the worst of all */
    double allocations;    /* in a decision, on average; NAN: not counted */
};

struct decision decision_run(enum scenario scenario, enum policy_id id,
                             const struct decision_setup *setup);

#endif
