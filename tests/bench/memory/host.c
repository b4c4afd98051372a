/* SPDX-License-Identifier: LGPL-2.1-only */
#include "host.h"

#include <math.h>

#include "../measure.h"
#include "memory/alloc.h"

#define GUEST_MIB    512
#define LARGEST_MIB  2048
#define FLOOR_MIB    200
#define RESERVE_MIB  50
#define SPARE_MIB    64 /* free beyond the reserve, for each guest */
#define FLIP_S       60
#define HARM_S       10
#define WAITS_MAX    (MODEL_POINTS_MAX * 64)
#define SLACK_PART   10         /* a tenth of the reserve may be missing for a moment */
#define RETURNED_KIB (64 * MIB) /* over 1.25 times what it uses: little more than it needs */

const struct mem_metric_name mem_metric_names[MEM_METRICS] = {
    [MEM_DEFICIT] = {"deficit", "deficit_mib_s"},
    [MEM_WORST] = {"worst", "worst_guest_mib_s"},
    [MEM_WEIGHTED] = {"weighted", "share_weighted_mib_s"},
    [MEM_BOUND] = {"bound", "bound_mib_s"},
    [MEM_REGRET] = {"regret", "regret_mib_s"},
    [MEM_HARM] = {"harm", "harm_to_givers_mib_s"},
    [MEM_RAMP_P50] = {"ramp50", "ramp_p50_s"},
    [MEM_RAMP_P99] = {"ramp99", "ramp_p99_s"},
    [MEM_RAMP_MAX] = {"rampmax", "ramp_max_s"},
    [MEM_RETURN_P50] = {"return", "return_p50_s"},
    [MEM_CHANGES] = {"changes", "target_changes"},
    [MEM_FLIPS] = {"flips", "direction_flips"},
    [MEM_MOVED] = {"moved+", "moved_over_least_mib"},
    [MEM_WASTE] = {"waste", "waste_mib_s"},
    [MEM_LOWEST_FREE] = {"lowest", "lowest_free_mib"},
    [MEM_BELOW_RESERVE] = {"below R", "below_reserve_s"},
    [MEM_JAIN] = {"Jain", "jain_index"},
    [MEM_BROKEN] = {"broken", "broken_invariants"},
    [MEM_DECISION_US] = {"us", "decision_us"},
};

enum basis { NEEDS, SHARES_ALONE };

static void tally(struct mem_host *h);
static void follow_trace(struct mem_host *h, size_t guest);
static void judge_cut(struct mem_host *h, size_t guest, int64_t before_kib);
static void share_out(struct mem_host *h, enum basis basis);

/* ---- making one ---- */

void mem_host_init(struct mem_host *h, size_t guest_count, const struct xlp_policy *settings)
{
    char error[256], text[64];

    model_init(&h->model);
    if (xlp_policy_copy(&h->model.policy, settings) < 0)
        abort();
    h->model.eager = true;
    h->floor_kib = FLOOR_MIB * MIB;
    h->reserve_kib = RESERVE_MIB * MIB;
    h->model.free_kib = h->reserve_kib + (int64_t)guest_count * SPARE_MIB * MIB;
    h->model.lowest_free_kib = h->model.free_kib;
    for (size_t i = 0; i < guest_count; i++) {
        model_add(&h->model, GUEST_MIB, LARGEST_MIB, 150);
        h->shares[i] = 1000;
    }
    h->claims = bench_alloc(guest_count, sizeof(*h->claims));
    h->ranges = bench_alloc(2 * guest_count, sizeof(*h->ranges));
    h->ramp_s = bench_alloc(WAITS_MAX, sizeof(*h->ramp_s));
    h->return_s = bench_alloc(WAITS_MAX, sizeof(*h->return_s));
    snprintf(text, sizeof(text), "*: floor=%dm", FLOOR_MIB);
    h->model.policy.mem_reserve_kib = h->reserve_kib;
    if (xlp_policy_add_domain(&h->model.policy, text, error, sizeof(error)) < 0)
        abort();
}

static void tell_shares(struct mem_host *h)
{
    char error[256], text[64];

    for (size_t i = 0; i < h->model.count; i++) {
        if (h->shares[i] == 1000)
            continue;
        snprintf(text, sizeof(text), "vm%zu: shares=%u", i + 1, h->shares[i]);
        if (xlp_policy_add_domain(&h->model.policy, text, error, sizeof(error)) < 0)
            abort();
    }
}

void mem_host_start(struct mem_host *h)
{
    tell_shares(h);
    h->memory_kib = h->model.free_kib;
    for (size_t i = 0; i < h->model.count; i++) {
        const struct model_guest *g = &h->model.guest[i];

        h->memory_kib += g->actual_kib;
        h->notes[i] = (struct mem_notes){
            .actual_kib = g->actual_kib,
            .target_kib = g->target_kib,
            .start_kib = g->actual_kib,
            .changed_s = -HUGE_VAL,
            .cut_s = -HUGE_VAL,
            .point = 1,
            .rise_s = -1,
            .fall_s = -1,
        };
    }
    h->sums[MEM_LOWEST_FREE] = (double)h->model.free_kib / MIB;
}

void mem_host_free(struct mem_host *h)
{
    model_dispose(&h->model);
    free(h->claims);
    free(h->ranges);
    free(h->ramp_s);
    free(h->return_s);
}

void mem_host_set_target(struct mem_host *h, size_t guest, int64_t kib)
{
    struct model_guest *g = &h->model.guest[guest];
    const struct xlp_action a = {.kind = XLP_SET_TARGET,
                                 .domid = g->domid,
                                 .from_kib = g->target_kib,
                                 .to_kib = kib,
                                 .limit_kib = kib};

    model_apply(&h->model, &a);
    if (!h->instant)
        return;
    h->model.free_kib -= kib - g->actual_kib;
    g->actual_kib = kib;
}

void mem_host_step(struct mem_host *h)
{
    model_let_time_pass(&h->model, MODEL_STEP_NS);
    h->now_s += STEP_S;
    tally(h);
}

/* ---- what a policy did ---- */

static bool is_short(const struct model_guest *g)
{
    return g->actual_kib < g->used_kib + SPARE_KIB;
}

static void note_change(struct mem_host *h, size_t guest)
{
    const struct model_guest *g = &h->model.guest[guest];
    struct mem_notes *n = &h->notes[guest];
    int direction = g->target_kib > n->target_kib ? 1 : -1;

    h->sums[MEM_CHANGES]++;
    if (direction == -n->direction && h->now_s - n->changed_s < FLIP_S)
        h->sums[MEM_FLIPS]++;
    if (direction < 0) {
        judge_cut(h, guest, n->target_kib);
        n->cut_s = h->now_s;
    }
    if (g->target_kib > g->static_max_kib)
        h->sums[MEM_BROKEN]++;
    n->direction = direction;
    n->changed_s = h->now_s;
    n->target_kib = g->target_kib;
}

/* Nobody is told less than its floor, nor less than it uses of what its shares of all the memory
 * come to. */
static void judge_cut(struct mem_host *h, size_t guest, int64_t before_kib)
{
    const struct model_guest *g = &h->model.guest[guest];
    int64_t least_kib = g->used_kib;

    if (least_kib > g->target_kib) {
        share_out(h, SHARES_ALONE);
        if (least_kib > h->claims[guest].given_kib)
            least_kib = h->claims[guest].given_kib;
    }
    if (least_kib < h->floor_kib)
        least_kib = h->floor_kib;
    if (g->target_kib < least_kib && g->target_kib < before_kib)
        h->sums[MEM_BROKEN]++;
}

void mem_host_judge(struct mem_host *h)
{
    int64_t slack_kib = h->reserve_kib / SLACK_PART, promised_kib = 0, targets_kib = 0;
    bool raised = false;

    for (size_t i = 0; i < h->model.count; i++) {
        const struct model_guest *g = &h->model.guest[i];

        raised = raised || g->target_kib > h->notes[i].target_kib;
        if (g->target_kib != h->notes[i].target_kib)
            note_change(h, i);
        if (g->target_kib > g->actual_kib)
            promised_kib += g->target_kib - g->actual_kib;
        targets_kib += g->target_kib;
    }
    /* Growth is granted from what is free now, and never into the reserve. */
    if (raised && promised_kib > h->model.free_kib - h->reserve_kib + slack_kib)
        h->sums[MEM_BROKEN]++;
    if (raised && targets_kib + h->reserve_kib > h->memory_kib + slack_kib)
        h->sums[MEM_BROKEN]++;
}

/* ---- what came of it ---- */

static int64_t need_of(const struct mem_host *h, const struct model_guest *g)
{
    int64_t need_kib = g->used_kib + SPARE_KIB;

    if (need_kib < h->floor_kib)
        need_kib = h->floor_kib;
    return need_kib < g->static_max_kib ? need_kib : g->static_max_kib;
}

/* What each should have: its need, or what of it the shares allow; or what the shares alone come
 * to. Into claims[].given_kib. */
static void share_out(struct mem_host *h, enum basis basis)
{
    for (size_t i = 0; i < h->model.count; i++) {
        struct xlp_claim *c = &h->claims[i];
        const struct model_guest *g = &h->model.guest[i];
        int64_t most_kib = basis == SHARES_ALONE ? g->static_max_kib : need_of(h, g);

        *c = (struct xlp_claim){
            .shares = h->shares[i], .floor_kib = h->floor_kib, .cap_kib = most_kib};
        c->level_kib[XLP_LEVEL_HELD] = h->floor_kib;
        c->level_kib[XLP_LEVEL_KEPT] = h->floor_kib;
        for (int level = XLP_LEVEL_BARE; level < XLP_LEVELS; level++)
            c->level_kib[level] = most_kib;
    }
    xlp_allocate(h->claims, h->model.count, h->memory_kib - h->reserve_kib, h->ranges);
}

/* Jain's index of what each has of what it should have: 1 when all have the same part. */
static double jain_index(struct mem_host *h)
{
    double sum = 0, squares = 0;

    share_out(h, NEEDS);
    for (size_t i = 0; i < h->model.count; i++) {
        double part =
            fmin(1, (double)h->model.guest[i].actual_kib / (double)h->claims[i].given_kib);

        sum += part;
        squares += part * part;
    }
    return sum * sum / ((double)h->model.count * squares);
}

/* To have all served that can be, at this moment, so much must have moved since the start. */
static double least_moved(const struct mem_host *h)
{
    double grow_kib = 0, give_kib = 0;
    double free_kib = (double)(h->memory_kib - h->reserve_kib);

    for (size_t i = 0; i < h->model.count; i++) {
        int64_t more_kib = need_of(h, &h->model.guest[i]) - h->notes[i].start_kib;

        free_kib -= (double)h->notes[i].start_kib;
        *(more_kib > 0 ? &grow_kib : &give_kib) += fabs((double)more_kib);
    }
    grow_kib = fmin(grow_kib, free_kib + give_kib);
    return grow_kib + fmax(0, grow_kib - free_kib);
}

static void tally_guest(struct mem_host *h, size_t guest, double *deficit_mib, double mean_shares)
{
    const struct model_guest *g = &h->model.guest[guest];
    struct mem_notes *n = &h->notes[guest];
    double short_mib = fmax(0, (double)(g->used_kib + SPARE_KIB - g->actual_kib) / MIB);

    h->moved_kib += fabs((double)(g->actual_kib - n->actual_kib));
    n->actual_kib = g->actual_kib;
    n->deficit_mib_s += short_mib * STEP_S;
    *deficit_mib += short_mib;
    h->sums[MEM_WEIGHTED] += short_mib * STEP_S * h->shares[guest] / mean_shares;
    if (h->now_s - n->cut_s < HARM_S)
        h->sums[MEM_HARM] += short_mib * STEP_S;
    follow_trace(h, guest);
}

static void tally(struct mem_host *h)
{
    double deficit_mib = 0, need_kib = 0, over_max_kib = 0, shares = 0;
    double free_mib = (double)h->model.free_kib / MIB, reserve_mib = (double)h->reserve_kib / MIB;

    for (size_t i = 0; i < h->model.count; i++)
        shares += h->shares[i];
    for (size_t i = 0; i < h->model.count; i++) {
        const struct model_guest *g = &h->model.guest[i];

        need_kib += (double)need_of(h, g);
        over_max_kib += fmax(0, (double)(g->used_kib + SPARE_KIB - g->static_max_kib));
        tally_guest(h, i, &deficit_mib, shares / (double)h->model.count);
    }
    need_kib = fmax(0, need_kib - (double)(h->memory_kib - h->reserve_kib));
    h->sums[MEM_BOUND] += (need_kib + over_max_kib) / MIB * STEP_S;
    h->sums[MEM_DEFICIT] += deficit_mib * STEP_S;
    h->sums[MEM_WASTE] += fmax(0, fmin(free_mib - reserve_mib, deficit_mib)) * STEP_S;
    h->sums[MEM_LOWEST_FREE] = fmin(h->sums[MEM_LOWEST_FREE], free_mib);
    if (h->model.free_kib < h->reserve_kib)
        h->sums[MEM_BELOW_RESERVE] += STEP_S;
    h->least_moved_kib = fmax(h->least_moved_kib, least_moved(h));
    if (deficit_mib > 0) {
        h->sums[MEM_JAIN] += jain_index(h) * STEP_S;
        h->scarce_s += STEP_S;
    }
}

static void stop_waiting(double *since_s, double now_s, double *waits_s, size_t *count)
{
    if (*since_s >= 0 && *count < WAITS_MAX)
        waits_s[(*count)++] = now_s - *since_s;
    *since_s = -1;
}

/* At the end of a rise it begins to wait for what it wants, at the end of a fall for what it has
 * too much of to go. */
static void follow_trace(struct mem_host *h, size_t guest)
{
    const struct model_guest *g = &h->model.guest[guest];
    struct mem_notes *n = &h->notes[guest];

    for (; n->point < g->trace.count && g->trace.point[n->point].at_s <= h->now_s; n->point++) {
        double step_mib = g->trace.point[n->point].mib - g->trace.point[n->point - 1].mib;

        if (step_mib > 0) {
            n->fall_s = -1; /* it needs it again */
            n->rise_s = n->rise_s >= 0 ? n->rise_s : g->trace.point[n->point].at_s;
        }
        if (step_mib < 0)
            n->fall_s = g->trace.point[n->point].at_s;
    }
    if (!is_short(g))
        stop_waiting(&n->rise_s, h->now_s, h->ramp_s, &h->ramp_count);
    if (g->actual_kib <= h->floor_kib ||
        g->actual_kib <= g->used_kib + g->used_kib / 4 + RETURNED_KIB)
        stop_waiting(&n->fall_s, h->now_s, h->return_s, &h->return_count);
}

struct mem_result mem_host_result(struct mem_host *h)
{
    struct mem_result r;

    for (size_t i = 0; i < h->model.count; i++) {
        struct mem_notes *n = &h->notes[i];

        stop_waiting(&n->rise_s, h->now_s, h->ramp_s, &h->ramp_count);
        stop_waiting(&n->fall_s, h->now_s, h->return_s, &h->return_count);
        h->sums[MEM_WORST] = fmax(h->sums[MEM_WORST], n->deficit_mib_s);
    }
    memcpy(r.metric, h->sums, sizeof(r.metric));
    r.metric[MEM_REGRET] = r.metric[MEM_DEFICIT] - r.metric[MEM_BOUND];
    r.metric[MEM_MOVED] = (h->moved_kib - h->least_moved_kib) / MIB;
    r.metric[MEM_JAIN] = h->scarce_s > 0 ? r.metric[MEM_JAIN] / h->scarce_s : 1;
    r.metric[MEM_RAMP_P50] = quantile(h->ramp_s, h->ramp_count, 0.5);
    r.metric[MEM_RAMP_P99] = quantile(h->ramp_s, h->ramp_count, 0.99);
    r.metric[MEM_RAMP_MAX] = quantile(h->ramp_s, h->ramp_count, 1);
    r.metric[MEM_RETURN_P50] = quantile(h->return_s, h->return_count, 0.5);
    return r;
}
