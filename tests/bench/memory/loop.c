/* SPDX-License-Identifier: LGPL-2.1-only */
#include "loop.h"

#include "../measure.h"

static unsigned int make_trace(struct mem_host *h, const struct mem_loop_setup *setup)
{
    mem_host_init(h, setup->trace ? 4 : setup->guest_count, setup->settings);
    if (setup->trace)
        setup->trace->make(h);
    else
        mem_trace_random(h, setup->seed, setup->seconds);
    mem_host_start(h);
    return setup->trace ? setup->trace->seconds : setup->seconds;
}

struct mem_result mem_loop_run(enum mem_policy_id id, const struct mem_loop_setup *setup)
{
    const struct mem_policy *policy = mem_policies[id];
    struct mem_host *h = bench_alloc(1, sizeof(*h));
    unsigned int steps = make_trace(h, setup) * 10, decisions = 0;
    void *self = policy->start(h);
    struct mem_result result;
    double us = 0;

    for (unsigned int i = 0; i < steps; i++) {
        struct stopwatch watch;

        mem_host_step(h);
        watch = stopwatch_start();
        if (policy->step(self, h)) {
            us += stopwatch_stop(&watch).us;
            decisions++;
        }
        mem_host_judge(h);
    }
    result = mem_host_result(h);
    result.metric[MEM_DECISION_US] = decisions ? us / decisions : 0;
    policy->stop(self);
    mem_host_free(h);
    free(h);
    return result;
}
