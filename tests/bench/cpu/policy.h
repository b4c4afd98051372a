/* SPDX-License-Identifier: LGPL-2.1-only */
/* What places vCPUs: ours, and what it is compared with. */
#ifndef XLPOLICY_BENCH_POLICY_H
#define XLPOLICY_BENCH_POLICY_H

#include <stdint.h>

#include "host.h"

enum policy_id {
    POLICY_BALANCE,
    POLICY_TRUE_DEMAND,
    POLICY_ORACLE,
    POLICY_BALANCER,
    POLICY_OFF,
    POLICY_ROUND_ROBIN,
    POLICY_STATIC,
    POLICY_LPT,
    POLICY_IRQBALANCE,
    POLICY_RUSTY,
    POLICY_COUNT
};

/* What a policy is told before it starts. */
struct policy_setup {
    size_t vcpu_count, pcpu_count;
    const struct xlp_policy *settings; /* of ours */
    uint32_t moves_max;                /* in one decision, for ours; 0: by its settings */
    uint32_t irqbalance_s;             /* between two of its decisions */
    uint32_t rusty_s;
    bool demand_known; /* the others are told what each vCPU wants, and need not measure */
};

/* What it may look at, once a second. */
struct sight {
    const struct host *host;
    const double *demand; /* only if it is known; else NULL */
};

struct policy {
    const char *name;
    enum looks looks; /* what it is shown in the closed loop */
    void *(*start)(const struct policy_setup *setup);
    /* Each second: take in what is new; not timed. May be NULL. */
    void (*measure)(void *self, const struct sight *sight);
    /* Then: place[] holds where each vCPU is; put in where it shall be. Timed. */
    void (*decide)(void *self, const struct sight *sight, uint32_t *place);
    void (*stop)(void *self);
};

extern const struct policy *const policies[POLICY_COUNT];

/* Each in a file of its own. */
extern const struct policy policy_balance, policy_true_demand, policy_oracle, policy_balancer,
    policy_off, policy_round_robin, policy_static, policy_lpt, policy_irqbalance, policy_rusty;

/* POLICY_COUNT when there is none of this name. */
enum policy_id policy_by_name(const char *name);

#endif
