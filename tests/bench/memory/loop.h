/* SPDX-License-Identifier: LGPL-2.1-only */
/* The closed loop: a policy on a host whose guests' use follows a trace. */
#ifndef XLPOLICY_BENCH_MEMORY_LOOP_H
#define XLPOLICY_BENCH_MEMORY_LOOP_H

#include "policy.h"
#include "traces.h"

struct mem_loop_setup {
    const struct mem_trace *trace; /* NULL: a random one */
    uint64_t seed;                 /* of that */
    size_t guest_count;            /* of that */
    unsigned int seconds;          /* of that */
    const struct xlp_policy *settings;
};

struct mem_result mem_loop_run(enum mem_policy_id id, const struct mem_loop_setup *setup);

#endif
