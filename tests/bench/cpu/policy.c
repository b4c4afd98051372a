/* SPDX-License-Identifier: LGPL-2.1-only */
#include "policy.h"

#include <string.h>

const struct policy *const policies[POLICY_COUNT] = {
    [POLICY_BALANCE] = &policy_balance,
    [POLICY_TRUE_DEMAND] = &policy_true_demand,
    [POLICY_ORACLE] = &policy_oracle,
    [POLICY_BALANCER] = &policy_balancer,
    [POLICY_OFF] = &policy_off,
    [POLICY_ROUND_ROBIN] = &policy_round_robin,
    [POLICY_STATIC] = &policy_static,
    [POLICY_LPT] = &policy_lpt,
    [POLICY_IRQBALANCE] = &policy_irqbalance,
    [POLICY_RUSTY] = &policy_rusty,
};

enum policy_id policy_by_name(const char *name)
{
    for (enum policy_id id = 0; id < POLICY_COUNT; id++)
        if (strcmp(policies[id]->name, name) == 0)
            return id;
    return POLICY_COUNT;
}

/* ---- nothing at all ---- */

static void *start_nothing(const struct policy_setup *setup)
{
    (void)setup;
    return NULL;
}

static void decide_nothing(void *self, const struct sight *sight, uint32_t *place)
{
    (void)self;
    (void)sight;
    (void)place;
}

static void stop_nothing(void *self)
{
    (void)self;
}

const struct policy policy_static = {
    .name = "static", .start = start_nothing, .decide = decide_nothing, .stop = stop_nothing};
