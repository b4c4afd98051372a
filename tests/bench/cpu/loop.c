/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Every policy gets the same trace and the same random first places. Once a second it sees what
 * dom0 could see of the second that passed, and what it decides holds for the next.
 */
#include "loop.h"

#include <stdlib.h>
#include <string.h>

#include "../measure.h"
#include "quality.h"
#include "trace.h"

#define WANTS 0.01 /* of a pCPU: whose service is looked at for fairness */
#define NEVER UINT32_MAX

const struct loop_metric_name loop_metric_names[LOOP_METRICS] = {
    [LOOP_LOST] = {"lost %", "lost_pct"},
    [LOOP_MOVES] = {"moves", "moves_per_vcpu_hour"},
    [LOOP_REVERSALS] = {"back", "reversals_per_vcpu_hour"},
    [LOOP_REST_MOVES] = {"at rest", "moves_at_rest"},
    [LOOP_UNFAIR] = {"unfair %", "unfair_pct"},
    [LOOP_MISPLACED] = {"misplaced %", "misplaced_pct"},
};

struct tally {
    double work, fluid_work;
    double unfair, misplaced_pct;
    size_t seconds, moves, reversals, rest_moves;
};

struct loop {
    const struct loop_setup *setup;
    struct trace trace;
    struct host host;
    const struct policy *policy;
    void *self;
    struct tally tally;
    uint32_t *place;
    uint32_t *came_from, *left_at; /* [vcpu] its place before, and when it left that */
    double *entitled;              /* [vcpu] */
    double *scratch;               /* [max(vcpu, pcpu)] */
};

static void start_loop(struct loop *l, enum policy_id id, const struct loop_setup *setup);
static void stop_loop(struct loop *l);

/* ---- what is counted ---- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Entitlements: everybody gets the same, or what it wants if that is less. Returns their sum, which
 * is what a perfectly divisible host would do. */
static double entitle(struct loop *l, const double *demand)
{
    size_t n = l->host.vcpu_count;
    double left = (double)l->host.pcpu_count, level = 1, sum = 0;

    memcpy(l->scratch, demand, n * sizeof(double));
    qsort(l->scratch, n, sizeof(double), by_value);
    for (size_t i = 0; i < n; i++) {
        if (l->scratch[i] * (double)(n - i) > left) {
            level = left / (double)(n - i);
            break;
        }
        left -= l->scratch[i];
    }
    for (size_t i = 0; i < n; i++) {
        l->entitled[i] = fmin(demand[i], level);
        sum += l->entitled[i];
    }
    return sum;
}

static double unfairness(const struct loop *l, const double *demand)
{
    double best = 0, worst = HUGE_VAL;

    for (size_t i = 0; i < l->host.vcpu_count; i++) {
        double served = l->host.worked[i] / l->entitled[i];

        if (demand[i] < WANTS)
            continue;
        best = fmax(best, served);
        worst = fmin(worst, served);
    }
    return best > worst ? best - worst : 0;
}

static void count_second(struct loop *l, const double *demand)
{
    struct tally *t = &l->tally;

    t->fluid_work += entitle(l, demand);
    for (size_t i = 0; i < l->host.vcpu_count; i++)
        t->work += l->host.worked[i];
    t->unfair += unfairness(l, demand);
    t->misplaced_pct +=
        quality_of(l->entitled, l->host.place, l->host.vcpu_count, l->scratch, l->host.pcpu_count)
            .misplaced_pct;
    t->seconds++;
}

static void count_reversals(struct loop *l, uint32_t second)
{
    for (size_t i = 0; i < l->host.vcpu_count; i++) {
        uint32_t from = l->host.place[i];

        if (l->place[i] == from)
            continue;
        if (l->place[i] == l->came_from[i] && second - l->left_at[i] <= LOOP_REVERSAL_S)
            l->tally.reversals++;
        l->came_from[i] = from;
        l->left_at[i] = second;
    }
}

/* ---- the loop ---- */

/* The second passes, the policy looks and decides. Returns how many it moves. */
static size_t pass_second(struct loop *l, uint32_t second)
{
    const double *demand = trace_at(&l->trace, second);
    const struct sight sight = {.host = &l->host};
    bool counted = second < l->setup->seconds;

    host_run(&l->host, demand, trace_at(&l->trace, second + 1));
    if (counted)
        count_second(l, demand);
    memcpy(l->place, l->host.place, l->host.vcpu_count * sizeof(*l->place));
    if (l->policy->measure)
        l->policy->measure(l->self, &sight);
    l->policy->decide(l->self, &sight, l->place);
    if (counted)
        count_reversals(l, second);
    return host_place(&l->host, l->place);
}

struct loop_result loop_run(enum policy_id id, const struct loop_setup *setup)
{
    double vcpu_hours = (double)setup->vcpu_count * setup->seconds / 3600;
    struct loop l;
    const struct tally *t = &l.tally;
    struct loop_result result;
    uint32_t second = 0;

    start_loop(&l, id, setup);
    while (second < setup->seconds)
        l.tally.moves += pass_second(&l, second++);
    while (second < setup->seconds + LOOP_SETTLE_S)
        pass_second(&l, second++);
    while (second < setup->seconds + LOOP_SETTLE_S + LOOP_REST_S)
        l.tally.rest_moves += pass_second(&l, second++);
    result = (struct loop_result){{
        [LOOP_LOST] = 100 * (1 - t->work / t->fluid_work),
        [LOOP_MOVES] = (double)t->moves / vcpu_hours,
        [LOOP_REVERSALS] = (double)t->reversals / vcpu_hours,
        [LOOP_REST_MOVES] = (double)t->rest_moves,
        [LOOP_UNFAIR] = 100 * t->unfair / (double)t->seconds,
        [LOOP_MISPLACED] = t->misplaced_pct / (double)t->seconds,
    }};
    stop_loop(&l);
    return result;
}

/* ---- making one ---- */

static void start_loop(struct loop *l, enum policy_id id, const struct loop_setup *setup)
{
    size_t n = setup->vcpu_count, m = setup->pcpu_count;
    const struct policy_setup told = {.vcpu_count = n,
                                      .pcpu_count = m,
                                      .settings = setup->settings,
                                      .irqbalance_s = setup->irqbalance_s,
                                      .rusty_s = setup->rusty_s};
    struct rng rng = rng_start(setup->seed, 5);

    *l = (struct loop){.setup = setup, .policy = policies[id]};
    l->place = bench_alloc(n, sizeof(*l->place));
    l->came_from = bench_alloc(n, sizeof(*l->came_from));
    l->left_at = bench_alloc(n, sizeof(*l->left_at));
    l->entitled = bench_alloc(n, sizeof(double));
    l->scratch = bench_alloc(n + m, sizeof(double));
    for (size_t i = 0; i < n; i++) {
        l->place[i] = rng_below(&rng, m);
        l->came_from[i] = NEVER;
    }
    trace_init(&l->trace, setup->seed, n, setup->seconds, setup->util * (double)m / (double)n);
    host_init(&l->host, setup->seed, n, 1, m, l->place);
    l->host.looks = l->policy->looks;
    l->host.looks_per_s = setup->looks_per_s;
    l->host.move_cost = setup->move_cost;
    l->self = l->policy->start(&told);
}

static void stop_loop(struct loop *l)
{
    l->policy->stop(l->self);
    host_free(&l->host);
    trace_free(&l->trace);
    free(l->place);
    free(l->came_from);
    free(l->left_at);
    free(l->entitled);
    free(l->scratch);
}
