/* SPDX-License-Identifier: LGPL-2.1-only */
/* What xlpolicy is to show of memory. */
#include <math.h>

#include "results.h"

struct judge {
    const struct mem_results *r;
    struct targets targets;
};

static bool is_other(const struct mem_results *r, enum mem_policy_id id)
{
    return id != MEM_POLICY_OURS && id != MEM_POLICY_GUESTS && r->o->only[id];
}

static double of_trace(const struct judge *j, int trace, enum mem_policy_id id, enum mem_metric m)
{
    return j->r->trace[trace][id].metric[m];
}

/* On traces that can be foreseen nothing is lost, and few targets are set. */
static void judge_slow(struct judge *j, int trace, enum mem_policy_id id)
{
    const char *name = mem_traces[trace].name, *who = mem_policies[id]->name;

    target_at_most(&j->targets, of_trace(j, trace, id, MEM_REGRET), 1, "%s: %s: regret, MiB s",
                   name, who);
    if (j->r->o->only[MEM_POLICY_QMEMMAN])
        target_at_most(&j->targets, of_trace(j, trace, id, MEM_CHANGES),
                       of_trace(j, trace, MEM_POLICY_QMEMMAN, MEM_CHANGES),
                       "%s: %s: target changes, qmemman-like", name, who);
}

/* On others, less than with any other policy. */
static void judge_fast(struct judge *j, int trace, enum mem_policy_id id)
{
    double least = HUGE_VAL;

    for (enum mem_policy_id other = 0; other < MEM_POLICY_COUNT; other++)
        if (is_other(j->r, other))
            least = fmin(least, of_trace(j, trace, other, MEM_DEFICIT));
    target_at_most(&j->targets, of_trace(j, trace, id, MEM_DEFICIT), least,
                   "%s: %s: deficit, MiB s, the best of the others", mem_traces[trace].name,
                   mem_policies[id]->name);
}

static void judge_traces(struct judge *j, enum mem_policy_id id)
{
    for (int t = MEM_TRACE_M1; t <= MEM_TRACE_M3; t++)
        judge_slow(j, t, id);
    judge_fast(j, MEM_TRACE_STEP, id);
    judge_fast(j, MEM_TRACE_ANTIPHASE, id);
    for (int t = 0; t < MEM_TRACES; t++)
        target_at_most(&j->targets, of_trace(j, t, id, MEM_BROKEN), 0, "%s: %s: broken invariants",
                       mem_traces[t].name, mem_policies[id]->name);
}

static void judge_random(struct judge *j, enum mem_policy_id id)
{
    const char *who = mem_policies[id]->name;

    for (enum mem_policy_id other = 0; other < MEM_POLICY_COUNT; other++) {
        double most = -HUGE_VAL;

        if (!is_other(j->r, other))
            continue;
        for (uint32_t i = 0; i < j->r->o->seeds; i++)
            most = fmax(most, j->r->random[id][i].metric[MEM_REGRET] -
                                  j->r->random[other][i].metric[MEM_REGRET]);
        target_at_most(&j->targets, most, 0, "random: %s: regret above %s on the worst seed", who,
                       mem_policies[other]->name);
    }
    target_at_most(&j->targets, mem_results_sum(j->r, id, MEM_BROKEN), 0,
                   "random: %s: broken invariants", who);
    target_at_most(&j->targets, mem_results_sum(j->r, id, MEM_BELOW_RESERVE), 0,
                   "random: %s: seconds below the reserve", who);
}

static const struct scale *scale_of(const struct judge *j, size_t guest_count)
{
    for (int i = 0; i < SCALE_SIZES; i++)
        if (j->r->scale[i].guest_count == guest_count)
            return &j->r->scale[i];
    return &j->r->scale[0];
}

static void judge_scale(struct judge *j)
{
    const struct scale *s = scale_of(j, 5000);

    target_at_most(&j->targets, s->busy_us, 1000, "a decision for 5000 guests, us");
    target_at_most(&j->targets, scale_of(j, 1000)->busy_us, 200, "a decision for 1000 guests, us");
    target_at_most(&j->targets, s->steady_allocations, 0, "heap allocations in a decision at rest");
    target_at_most(&j->targets, j->r->scale_exponent, 1.1, "growth: exponent of N log N");
    target_at_most(&j->targets, s->busy_us / s->qmemman_us, 0.05,
                   "a decision's time over that of qmemman-like, 5000 guests");
}

struct targets mem_targets_judge(const struct mem_results *r)
{
    struct judge j = {.r = r};

    for (enum mem_policy_id id = MEM_POLICY_OURS; id <= MEM_POLICY_GUESTS; id++) {
        if (r->o->only[id] && r->o->traces)
            judge_traces(&j, id);
        if (r->o->only[id] && r->o->random)
            judge_random(&j, id);
    }
    if (r->o->scale)
        judge_scale(&j);
    return j.targets;
}
