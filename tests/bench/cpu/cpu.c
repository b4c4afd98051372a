/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * bench cpu: xlpolicy's CPU half beside other ways to place vCPUs, all on the same hosts.
 *
 *   decision  one large host: what a decision costs, how much it moves, how even it leaves the host
 *   loop      an hour on a small host with bursty guests: what is lost, and at what number of moves
 */
#include <stdio.h>
#include <stdlib.h>

#include "../bench.h"
#include "../measure.h"
#include "results.h"

/* On the large host all know what everybody wants; for the loop there has to be a whole policy. */
static bool is_for_decisions(enum policy_id id)
{
    return id != POLICY_TRUE_DEMAND && id != POLICY_ORACLE;
}

static bool is_for_loop(enum policy_id id)
{
    return id != POLICY_OFF && id != POLICY_BALANCER;
}

static void run_decisions(struct results *r)
{
    for (enum policy_id id = 0; id < POLICY_COUNT; id++) {
        if (!r->o->only[id] || !is_for_decisions(id))
            continue;
        for (enum scenario s = 0; s < SCENARIO_COUNT; s++)
            r->decision[s][id] = decision_run(s, id, &r->o->decision);
        r->decided[id] = true;
    }
}

static void run_loops(struct results *r)
{
    struct loop_setup setup = r->o->one_loop;

    for (enum policy_id id = 0; id < POLICY_COUNT; id++) {
        if (!r->o->only[id] || !is_for_loop(id))
            continue;
        for (size_t u = 0; u < r->o->util_count; u++) {
            setup.util = r->o->util[u];
            r->loop[u][id] = bench_alloc(r->o->seeds, sizeof(*r->loop[u][id]));
            for (uint32_t i = 0; i < r->o->seeds; i++) {
                setup.seed = r->o->seed + i;
                r->loop[u][id][i] = loop_run(id, &setup);
            }
        }
        r->looped[id] = true;
    }
}

int bench_cpu(int argc, char **argv)
{
    struct results r = {0};
    struct targets targets;
    struct options o;
    int status = options_read(&o, argc, argv);

    if (status >= 0)
        return status;
    r.o = &o;
    if (o.decisions)
        run_decisions(&r);
    if (o.loop)
        run_loops(&r);
    if (o.json)
        json_print(&r);
    else
        table_print(&r);
    targets = targets_judge(&r);
    status = o.strict && !targets_all_met(&targets);
    for (size_t u = 0; u < UTILS_MAX; u++)
        for (enum policy_id id = 0; id < POLICY_COUNT; id++)
            free(r.loop[u][id]);
    options_dispose(&o);
    return status;
}
