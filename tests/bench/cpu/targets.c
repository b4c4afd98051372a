/* SPDX-License-Identifier: LGPL-2.1-only */
/* What xlpolicy is to show, and whether it did: a report, not a test. */
#include <math.h>

#include "results.h"

struct judge {
    const struct results *r;
    struct targets targets;
};

/* ---- decisions ---- */

static void judge_times(struct judge *j, enum policy_id id, const char *what)
{
    target_at_most(&j->targets, j->r->decision[SCENARIO_DRIFT][id].p99_us, 300,
                   "drift: p99 of %s, us", what);
    target_at_most(&j->targets, j->r->decision[SCENARIO_RANDOM][id].p50_us, 1000,
                   "random start: p50 of %s, us", what);
    target_at_most(&j->targets, j->r->decision[SCENARIO_STACKED][id].p50_us, 1500,
                   "stacked start: p50 of %s, us", what);
}

static void judge_decisions(struct judge *j)
{
    const struct decision *drift = j->r->decision[SCENARIO_DRIFT];
    const struct decision *ours = &drift[POLICY_BALANCE], *lpt = &drift[POLICY_LPT];

    if (!j->r->decided[POLICY_BALANCE])
        return;
    judge_times(j, POLICY_BALANCE, "the whole engine");
    if (j->r->decided[POLICY_BALANCER])
        judge_times(j, POLICY_BALANCER, "the balancer alone");
    target_at_most(&j->targets, ours->misplaced_pct, 2, "drift: misplaced, %%");
    target_at_most(&j->targets, ours->max_over_bound, 1.02,
                   "drift: max/lower bound, the worst of all");
    target_at_most(&j->targets, ours->allocations, 0, "drift: heap allocations in a decision");
    if (!j->r->decided[POLICY_LPT])
        return;
    target_at_most(&j->targets, ours->p50_us / lpt->p50_us, 0.2,
                   "drift: the whole engine's time over that of LPT alone, p50");
    if (j->r->decided[POLICY_BALANCER])
        target_at_most(&j->targets, drift[POLICY_BALANCER].p50_us / lpt->p50_us, 0.2,
                       "drift: the balancer's time over that of LPT, p50");
    target_at_most(&j->targets, 100 * ours->moves / lpt->moves, 2,
                   "drift: moves over those of LPT, %%");
}

/* ---- the closed loop ---- */

/* By how much ours is above that part of the other's, on the seed where that is most. 0 or less:
 * it is no worse on any seed. */
static double most_above(const struct results *r, size_t u, enum policy_id other, double part,
                         enum loop_metric m)
{
    double most = -HUGE_VAL;

    for (uint32_t i = 0; i < r->o->seeds; i++)
        most = fmax(most, r->loop[u][POLICY_BALANCE][i].metric[m] -
                              part * r->loop[u][other][i].metric[m]);
    return most;
}

/* The median against that part of the other's, and each seed against the same seed. */
static void judge_against(struct judge *j, size_t u, enum policy_id other, double part,
                          enum loop_metric m)
{
    const char *metric = loop_metric_names[m].title, *name = policies[other]->name;
    double util = j->r->o->util[u];

    if (!j->r->looped[other])
        return;
    target_at_most(&j->targets, results_median(j->r, u, POLICY_BALANCE, m),
                   part * results_median(j->r, u, other, m), "%.2f: %s, median, %s%s", util, metric,
                   part < 1 ? "a third of " : "", name);
    target_at_most(&j->targets, most_above(j->r, u, other, part, m), 0,
                   "%.2f: %s, above %s%s on the worst seed", util, metric,
                   part < 1 ? "a third of " : "", name);
}

static void judge_loop(struct judge *j)
{
    if (!j->r->looped[POLICY_BALANCE])
        return;
    for (size_t u = 0; u < j->r->o->util_count; u++) {
        if (j->r->o->util[u] <= 1) {
            judge_against(j, u, POLICY_RUSTY, 1, LOOP_LOST);
            judge_against(j, u, POLICY_RUSTY, 1, LOOP_MOVES);
            judge_against(j, u, POLICY_IRQBALANCE, 1.0 / 3, LOOP_LOST);
        } else {
            judge_against(j, u, POLICY_RUSTY, 1, LOOP_LOST);
            judge_against(j, u, POLICY_RUSTY, 1, LOOP_UNFAIR);
            judge_against(j, u, POLICY_IRQBALANCE, 1, LOOP_LOST);
            judge_against(j, u, POLICY_IRQBALANCE, 1, LOOP_UNFAIR);
        }
    }
}

struct targets targets_judge(const struct results *r)
{
    struct judge j = {.r = r};

    judge_decisions(&j);
    judge_loop(&j);
    return j.targets;
}
