/* SPDX-License-Identifier: LGPL-2.1-only */
/* The real engine, through its public face, as one of the policies. */
#ifndef XLPOLICY_BENCH_ENGINE_POLICY_H
#define XLPOLICY_BENCH_ENGINE_POLICY_H

#include "policy.h"

struct engine_policy {
    struct xlp_engine *engine;
    struct xlp_policy policy;
    struct xlp_plan plan;
};

void *engine_policy_start(const struct policy_setup *setup, enum xlp_cpu_policy_kind kind);
void engine_policy_decide(void *self, const struct sight *sight, uint32_t *place);
void engine_policy_stop(void *self);

#endif
