/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * After each start, and after each change of the loads, a policy has ten decisions, a second apart,
 * while the loads stay as they are. Ours has to measure first, and smooths what it measures; the
 * others are told at once. Moves are those of all ten together, and quality is that of the end.
 *
 * Time, for drift: of every decision, since a steady host is one on which most decisions are to do
 * nothing. For a start: of the longest of the ten, which is the one that does the work.
 */
#include "decision.h"

#include <stdlib.h>
#include <string.h>

#include "../measure.h"
#include "quality.h"

#define DECISIONS 10
#define WILD      3 /* times as much as usual changes at first, so that buffers grow: not counted */
#define WIDE      8 /* vCPUs of a guest */
#define WARM_UP   3 /* more drifts that are not counted */

const char *const scenario_names[SCENARIO_COUNT] = {"drift", "drift, 8-vCPU guests", "random start",
                                                    "stacked start"};

/* One policy on one host. */
struct run {
    const struct policy *policy;
    void *self;
    const struct decision_setup *setup;
    struct loads loads;
    struct host host;
    uint32_t *place;
    double *scratch; /* [pcpu] */

    double *us; /* one a decision (drift) or a start */
    size_t us_count;
    size_t decisions, moves, ends;
    double allocations, misplaced_pct, max_over_bound;
};

static void start_run(struct run *r, enum scenario scenario, uint64_t seed);
static void end_run(struct run *r);

/* A second passes; then the policy decides. Returns the time that took. */
static double decide(struct run *r, bool carry_out)
{
    const struct sight sight = {.host = &r->host, .demand = r->loads.load};
    struct stopwatch watch;
    struct cost cost;

    host_run(&r->host, r->loads.load, r->loads.load);
    memcpy(r->place, r->host.place, r->host.vcpu_count * sizeof(*r->place));
    if (r->policy->measure)
        r->policy->measure(r->self, &sight);
    watch = stopwatch_start();
    r->policy->decide(r->self, &sight, r->place);
    cost = stopwatch_stop(&watch);
    if (!carry_out)
        return cost.us;
    r->moves += host_place(&r->host, r->place);
    r->allocations += cost.allocations;
    r->decisions++;
    return cost.us;
}

static void look_at_the_end(struct run *r)
{
    struct quality q = quality_of(r->loads.load, r->host.place, r->host.vcpu_count, r->scratch,
                                  r->host.pcpu_count);

    r->misplaced_pct += q.misplaced_pct;
    r->max_over_bound = fmax(r->max_over_bound, q.max_over_bound);
    r->ends++;
}

static void run_start(struct run *r, enum scenario scenario, uint64_t seed)
{
    double longest_us = 0;

    start_run(r, scenario, seed);
    decide(r, false); /* a first look, to measure from */
    for (int i = 0; i < DECISIONS; i++)
        longest_us = fmax(longest_us, decide(r, true));
    r->us[r->us_count++] = longest_us;
    look_at_the_end(r);
    end_run(r);
}

/* Places everybody as evenly as can be. */
static void even_out(struct run *r)
{
    const struct sight sight = {.host = &r->host, .demand = r->loads.load};
    const struct policy_setup setup = {
        .vcpu_count = r->host.vcpu_count, .pcpu_count = r->host.pcpu_count, .demand_known = true};
    void *lpt = policy_lpt.start(&setup);

    memcpy(r->place, r->host.place, r->host.vcpu_count * sizeof(*r->place));
    policy_lpt.measure(lpt, &sight);
    policy_lpt.decide(lpt, &sight, r->place);
    policy_lpt.stop(lpt);
    host_place(&r->host, r->place);
}

static void drift_once(struct run *r, const struct drift *drift)
{
    loads_drift(&r->loads, drift);
    for (int i = 0; i < DECISIONS; i++)
        r->us[r->us_count++] = decide(r, true);
    look_at_the_end(r);
    if (r->policy == &policy_static || r->policy == &policy_off)
        even_out(r); /* who does nothing is judged by what one drift does to an even host */
}

static bool is_drift(enum scenario scenario)
{
    return scenario == SCENARIO_DRIFT || scenario == SCENARIO_WIDE;
}

static void run_drift(struct run *r, enum scenario scenario)
{
    const struct drift *drift = &r->setup->drift;
    const struct drift wilder = {WILD * drift->noise, WILD * drift->anew};

    start_run(r, scenario, r->setup->seed);
    even_out(r);
    decide(r, false);
    drift_once(r, &wilder);
    for (uint32_t i = 0; i < WARM_UP; i++)
        drift_once(r, drift);
    r->us_count = r->decisions = r->moves = r->ends = 0;
    r->allocations = r->misplaced_pct = r->max_over_bound = 0;
    for (uint32_t i = 0; i < r->setup->drifts; i++)
        drift_once(r, drift);
    end_run(r);
}

struct decision decision_run(enum scenario scenario, enum policy_id id,
                             const struct decision_setup *setup)
{
    struct run r = {.policy = policies[id], .setup = setup};
    struct decision d;

    r.us = bench_alloc(setup->instances + (size_t)(setup->drifts + WARM_UP + 1) * DECISIONS,
                       sizeof(double));
    if (is_drift(scenario))
        run_drift(&r, scenario);
    for (uint32_t i = 0; !is_drift(scenario) && i < setup->instances; i++)
        run_start(&r, scenario, setup->seed + i);
    d = (struct decision){
        .p50_us = quantile(r.us, r.us_count, 0.5),
        .p99_us = quantile(r.us, r.us_count, 0.99),
        .moves = (double)r.moves / (double)r.ends,
        .misplaced_pct = r.misplaced_pct / (double)r.ends,
        .max_over_bound = r.max_over_bound,
        .allocations = r.allocations / (double)r.decisions,
    };
    free(r.us);
    return d;
}

/* ---- making one ---- */

static void start_run(struct run *r, enum scenario scenario, uint64_t seed)
{
    size_t vcpus = r->setup->vcpu_count, pcpus = r->setup->pcpu_count;
    size_t spread = scenario == SCENARIO_STACKED && pcpus >= 4 ? pcpus / 4 : pcpus;
    struct policy_setup setup = {
        .vcpu_count = vcpus,
        .pcpu_count = pcpus,
        .settings = r->setup->settings,
        .moves_max = is_drift(scenario) ? 0 : (uint32_t)vcpus, /* the whole way at once */
        .irqbalance_s = 1,
        .rusty_s = 1,
        .demand_known = true,
    };
    struct rng rng = rng_start(seed, 4);

    r->place = bench_alloc(vcpus, sizeof(*r->place));
    r->scratch = bench_alloc(pcpus, sizeof(*r->scratch));
    for (size_t i = 0; i < vcpus; i++)
        r->place[i] = rng_below(&rng, spread);
    loads_init(&r->loads, seed, vcpus, r->setup->util * (double)pcpus);
    host_init(&r->host, seed, vcpus, scenario == SCENARIO_WIDE ? WIDE : 1, pcpus, r->place);
    r->self = r->policy->start(&setup);
}

static void end_run(struct run *r)
{
    r->policy->stop(r->self);
    host_free(&r->host);
    loads_free(&r->loads);
    free(r->place);
    free(r->scratch);
}
