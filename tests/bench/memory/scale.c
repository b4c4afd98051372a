/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Time is that of xlp_memory_decide alone, and of finding the guests' terms: what guests need, what
 * each gets, how fast, and each action with its reason. A verdict on every guest is made only when
 * somebody asks, and has a time of its own. A qmemman-like balance is the whole
 * answer to one report; its host carries everything out at once, so it never waits.
 */
#include "scale.h"

#include <math.h>

#include "../measure.h"
#include "../rng.h"
#include "qmemman.h"

#define SETTLE    90 /* ticks before anything is measured */
#define TICKS     60
#define BALANCES  9
#define CHANGE_BY 10 /* every tenth guest */

const size_t scale_sizes[SCALE_SIZES] = {100, 200, 500, 1000, 2000, 5000};

static void settle_on(struct mem_host *h, struct rng *r, size_t one_in)
{
    for (size_t i = 0; i < h->model.count; i++)
        if (rng_below(r, one_in) == 0)
            h->model.guest[i].trace.point[0].mib = 300 + 600 * rng_fraction(r);
}

static void pass_second(struct mem_host *h)
{
    for (size_t i = 0; i < h->model.plan.action_count; i++)
        model_apply(&h->model, &h->model.plan.actions[i]);
    model_let_time_pass(&h->model, MODEL_SECOND_NS);
    model_observe(&h->model);
}

static struct cost decide(struct mem_host *h, bool first)
{
    struct model *m = &h->model;
    struct stopwatch watch;

    xlp_plan_reset(&m->plan);
    if (xlp_plan_start(&m->plan, &m->snapshot) < 0)
        abort();
    watch = stopwatch_start();
    if (xlp_roster_call(&m->roster, &m->snapshot, &m->policy) < 0 ||
        xlp_memory_decide(m->memory, &m->snapshot, &m->policy, &m->roster, first, &m->plan) < 0)
        abort();
    return stopwatch_stop(&watch);
}

static double explain(struct mem_host *h)
{
    struct model *m = &h->model;
    struct stopwatch watch = stopwatch_start();

    xlp_memory_explain(m->memory, &m->snapshot, &m->roster, &m->plan, m->views);
    return stopwatch_stop(&watch).us;
}

static void run_ours(struct scale *s, struct mem_host *h, struct rng *r)
{
    double us[TICKS], explain_us[TICKS], allocations = 0;

    for (int i = 0; i < SETTLE; i++) {
        pass_second(h);
        decide(h, i == 0);
    }
    for (int i = 0; i < TICKS; i++) {
        struct cost cost;

        pass_second(h);
        cost = decide(h, false);
        us[i] = cost.us;
        allocations += cost.allocations;
    }
    s->steady_us = median(us, TICKS);
    s->steady_allocations = allocations / TICKS;
    for (int i = 0; i < TICKS; i++) {
        settle_on(h, r, CHANGE_BY);
        pass_second(h);
        us[i] = decide(h, false).us;
        explain_us[i] = explain(h);
    }
    s->explain_us = median(explain_us, TICKS);
    s->busy_us = median(us, TICKS);
    s->busy_p99_us = quantile(us, TICKS, 0.99);
}

static void run_qmemman(struct scale *s, struct mem_host *h, struct rng *r)
{
    void *self = mem_policy_qmemman.start(h);
    double us[BALANCES];

    h->instant = true;
    for (size_t i = 0; i < h->model.count; i++)
        qmemman_note(self, h, i);
    qmemman_balance(self, h, 0);
    for (int i = 0; i < BALANCES; i++) {
        struct stopwatch watch;

        settle_on(h, r, CHANGE_BY);
        model_let_time_pass(&h->model, MODEL_STEP_NS);
        for (size_t g = 0; g < h->model.count; g++)
            qmemman_note(self, h, g);
        watch = stopwatch_start();
        qmemman_balance(self, h, 0);
        us[i] = stopwatch_stop(&watch).us;
    }
    s->qmemman_us = median(us, BALANCES);
    mem_policy_qmemman.stop(self);
}

static struct mem_host *make(size_t count, const struct xlp_policy *settings, struct rng *r)
{
    struct mem_host *h = bench_alloc(1, sizeof(*h));

    mem_host_init(h, count, settings);
    settle_on(h, r, 1);
    mem_host_start(h);
    return h;
}

static void unmake(struct mem_host *h)
{
    mem_host_free(h);
    free(h);
}

static double n_log_n(size_t n)
{
    return (double)n * log2((double)n);
}

/* Least squares in logarithms. */
static double fit(struct scale scales[SCALE_SIZES])
{
    double x_sum = 0, y_sum = 0, xx_sum = 0, xy_sum = 0;

    for (int i = 0; i < SCALE_SIZES; i++) {
        double x = log(n_log_n(scales[i].guest_count)), y = log(scales[i].busy_us);

        x_sum += x;
        y_sum += y;
        xx_sum += x * x;
        xy_sum += x * y;
    }
    for (int i = 0; i < SCALE_SIZES; i++)
        scales[i].fit_us = n_log_n(scales[i].guest_count) * exp((y_sum - x_sum) / SCALE_SIZES);
    return (SCALE_SIZES * xy_sum - x_sum * y_sum) / (SCALE_SIZES * xx_sum - x_sum * x_sum);
}

double scale_run(struct scale scales[SCALE_SIZES], uint64_t seed, const struct xlp_policy *settings)
{
    for (int i = 0; i < SCALE_SIZES; i++) {
        struct rng r = rng_start(seed, 50);
        struct mem_host *h = make(scale_sizes[i], settings, &r);

        scales[i] = (struct scale){.guest_count = scale_sizes[i]};
        run_ours(&scales[i], h, &r);
        unmake(h);
        h = make(scale_sizes[i], settings, &r);
        run_qmemman(&scales[i], h, &r);
        unmake(h);
    }
    return fit(scales);
}
