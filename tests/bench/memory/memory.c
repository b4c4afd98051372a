/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * bench memory: xlpolicy's memory half beside other ways to move memory, all on the same guests.
 *
 *   traces  a few courses of demand that each show one thing
 *   random  courses that a seed makes, many of them
 *   scale   what a decision costs on large hosts
 */
#include "../bench.h"
#include "../measure.h"
#include "results.h"

static void run_traces(struct mem_results *r)
{
    for (int t = 0; t < MEM_TRACES; t++)
        for (enum mem_policy_id id = 0; id < MEM_POLICY_COUNT; id++)
            if (r->o->only[id])
                r->trace[t][id] =
                    mem_loop_run(id, &(struct mem_loop_setup){.trace = &mem_traces[t],
                                                              .settings = &r->o->settings});
}

static void run_random(struct mem_results *r)
{
    struct mem_loop_setup setup = {
        .guest_count = r->o->guest_count, .seconds = r->o->seconds, .settings = &r->o->settings};

    for (enum mem_policy_id id = 0; id < MEM_POLICY_COUNT; id++) {
        if (!r->o->only[id])
            continue;
        r->random[id] = bench_alloc(r->o->seeds, sizeof(*r->random[id]));
        for (uint32_t i = 0; i < r->o->seeds; i++) {
            setup.seed = r->o->seed + i;
            r->random[id][i] = mem_loop_run(id, &setup);
        }
    }
}

int bench_memory(int argc, char **argv)
{
    struct mem_results r = {0};
    struct mem_options o;
    struct targets targets;
    int status = mem_options_read(&o, argc, argv);

    if (status >= 0)
        return status;
    r.o = &o;
    if (o.traces)
        run_traces(&r);
    if (o.random)
        run_random(&r);
    if (o.scale)
        r.scale_exponent = scale_run(r.scale, o.seed, &o.settings);
    if (o.json)
        mem_json_print(&r);
    else
        mem_table_print(&r);
    targets = mem_targets_judge(&r);
    for (enum mem_policy_id id = 0; id < MEM_POLICY_COUNT; id++)
        free(r.random[id]);
    xlp_policy_dispose(&o.settings);
    return o.strict && !targets_all_met(&targets);
}
