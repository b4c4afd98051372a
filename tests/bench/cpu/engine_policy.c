/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Ours, as users have it, but that it pins (the host model knows no soft affinity) and leaves
 * memory alone. A decision is all that a tick takes, xlp_engine_decide: measuring, ownership,
 * entitlement, placing, and actions with their reasons. "off" is the same with cpu_policy = "off".
 */
#include "engine_policy.h"

#include <stdlib.h>

#include "../measure.h"

void *engine_policy_start(const struct policy_setup *setup, enum xlp_cpu_policy_kind kind)
{
    struct engine_policy *e = bench_alloc(1, sizeof(*e));

    e->engine = xlp_engine_new();
    xlp_policy_init(&e->policy);
    xlp_plan_init(&e->plan);
    if (!e->engine || xlp_policy_copy(&e->policy, setup->settings) < 0)
        abort();
    e->policy.cpu_policy = kind;
    e->policy.cpu_affinity = XLP_AFFINITY_HARD;
    e->policy.mem_policy = XLP_MEM_OFF;
    if (setup->moves_max)
        e->policy.cpu_moves_max = setup->moves_max;
    return e;
}

void engine_policy_decide(void *self, const struct sight *sight, uint32_t *place)
{
    struct engine_policy *e = self;

    if (xlp_engine_decide(e->engine, &sight->host->snapshot, &e->policy, &e->plan) < 0)
        abort();
    for (size_t i = 0; i < e->plan.action_count; i++) { /* guest n has domid n + 1 */
        const struct xlp_action *a = &e->plan.actions[i];

        if (a->kind == XLP_PLACE_VCPU)
            place[(a->domid - 1) * sight->host->guest_vcpus + a->vcpu] = a->to_pcpu;
    }
}

void engine_policy_stop(void *self)
{
    struct engine_policy *e = self;

    xlp_engine_free(e->engine);
    xlp_plan_dispose(&e->plan);
    xlp_policy_dispose(&e->policy);
    free(e);
}

static void *start_balance(const struct policy_setup *setup)
{
    return engine_policy_start(setup, XLP_CPU_BALANCE);
}

static void *start_round_robin(const struct policy_setup *setup)
{
    return engine_policy_start(setup, XLP_CPU_ROUND_ROBIN);
}

static void *start_off(const struct policy_setup *setup)
{
    return engine_policy_start(setup, XLP_CPU_OFF);
}

const struct policy policy_balance = {.name = "balance",
                                      .looks = LOOKS_SAMPLED,
                                      .start = start_balance,
                                      .decide = engine_policy_decide,
                                      .stop = engine_policy_stop};

/* What better measuring could bring: the same, shown what each really wanted in the last second. */
const struct policy policy_true_demand = {.name = "balance + true demand",
                                          .looks = LOOKS_TRUE,
                                          .start = start_balance,
                                          .decide = engine_policy_decide,
                                          .stop = engine_policy_stop};

/* What better guessing could bring on top: shown what each will want in the next. */
const struct policy policy_oracle = {.name = "balance + oracle",
                                     .looks = LOOKS_AHEAD,
                                     .start = start_balance,
                                     .decide = engine_policy_decide,
                                     .stop = engine_policy_stop};

const struct policy policy_off = {.name = "engine off",
                                  .looks = LOOKS_SAMPLED,
                                  .start = start_off,
                                  .decide = engine_policy_decide,
                                  .stop = engine_policy_stop};

const struct policy policy_round_robin = {.name = "round-robin",
                                          .looks = LOOKS_SAMPLED,
                                          .start = start_round_robin,
                                          .decide = engine_policy_decide,
                                          .stop = engine_policy_stop};
