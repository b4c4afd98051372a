/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * How fast memory moves: who asks for more now, who gives some up and how much in one step. Each
 * target written costs the guest a balloon run and the operator a line in the log, so few large
 * steps are preferred where nobody is in danger.
 */
#include "memory/parts.h"

/* For so long it has to last before it is acted on: being short, though not in danger, of less than
 * is worth a step. */
#define SHORT_PATIENCE_NS (10 * XLP_SECOND_NS)
/* What a guest will grow into within this time, at the pace its use rises, it need not return. */
#define RETURN_AHEAD_S 60
/* Of what is short, taken from givers: demand moves on while their balloons do. */
#define SHORT_FACTOR 1.1
/* Of what a guest has, taken back in one step of what it uses beyond its share: it may have to
 * swap. */
#define RECALL_PCT 10

static int64_t cost_kib(const struct party *p)
{
    return xlp_max_kib(0, p->goal_kib - xlp_granted_kib(p));
}

/* What is rounded up for one is missing for another: so not by much when needs cannot all be met,
 * or when a guest that is to start waits for the last of it. */
static int64_t grain_kib(const struct room *room)
{
    bool reservation_waits = room->reserved_kib > 0 && room->free_kib < 0;

    return room->needs_met && !reservation_waits ? room->quantum_kib
                                                 : xlp_min_kib(room->quantum_kib, XLP_MIB);
}

/* ---- wants ---- */

static void keep_time(struct party *p, uint64_t passed_ns)
{
    struct pace *pace = &p->past->pace;
    uint64_t fell_left_ns = xlp_time_left(pace->fell_left_ns, passed_ns);
    bool fell = p->target_kib<pace->target_kib, rose = p->target_kib> pace->target_kib;
    bool is_short = p->target_kib < p->levels.need_kib;
    bool wants_more = p->fair_kib - p->target_kib > p->dead_zone_kib;

    /* Factors, not choices: what guests want is no pattern that a processor could foresee. */
    pace->fell_left_ns = fell ? SHORT_PATIENCE_NS : fell_left_ns;
    pace->short_ns = is_short * (pace->short_ns + passed_ns);
    pace->wants_more_ns = (wants_more & !is_short & !rose) * (pace->wants_more_ns + passed_ns);
}

/* Its fair part as a target. */
static int64_t fair_target_kib(const struct party *p, const struct room *room)
{
    int64_t rounded_kib;

    if (room->needs_met)
        return xlp_min_kib(xlp_round_up_kib(p->fair_kib, room->quantum_kib), p->levels.cap_kib);
    rounded_kib = xlp_round_down_kib(p->fair_kib, room->quantum_kib);
    return rounded_kib - p->target_kib >= xlp_least_kib(room)
               ? rounded_kib
               : xlp_round_down_kib(p->fair_kib, grain_kib(room));
}

/* The target it asks for now, 0 for none. */
static int64_t asks_for(const struct party *p, const struct room *room)
{
    int64_t fair_kib, roomy_kib;
    bool urgent = p->in_danger || p->past->pace.short_ns >= SHORT_PATIENCE_NS;
    bool patient = p->rests && p->past->pace.wants_more_ns >= XLP_MORE_PATIENCE_NS;

    if (!p->may_grow || p->fair_kib <= p->target_kib)
        return 0;
    fair_kib = fair_target_kib(p, room);
    if (fair_kib <= p->target_kib)
        return 0;
    if (p->past->pace.fell_left_ns > 0 && p->target_kib >= p->entitled_kib)
        return 0;
    if (p->target_kib >= p->levels.need_kib)
        return patient ? fair_kib : 0;
    roomy_kib = p->target_kib + p->dead_zone_kib;
    roomy_kib = xlp_min_kib(xlp_round_up_kib(roomy_kib, room->quantum_kib), p->levels.cap_kib);
    if (room->needs_met)
        return xlp_max_kib(fair_kib, roomy_kib);
    urgent = urgent && fair_kib - p->target_kib >= xlp_least_kib(room);
    return urgent || fair_kib >= roomy_kib ? fair_kib : 0;
}

/* What it has lacked of its share for a while: for less than that nobody is taken what they use. A
 * balloon that failed has to show first, with what is free, that it works. */
static int64_t owed_kib(const struct party *p)
{
    bool works = p->may_grow && p->past->balloon.failures == 0;

    if (!works || p->releasing || p->past->pace.short_ns < SHORT_PATIENCE_NS)
        return 0;
    return xlp_max_kib(0, xlp_min_kib(p->fair_kib, p->entitled_kib) - xlp_granted_kib(p));
}

static void want(const struct party *p, struct room *room)
{
    int64_t kib = cost_kib(p);

    room->wants_kib += kib;
    if (p->node == XLP_UNKNOWN || kib == 0)
        return;
    room->wants_by_node = true;
    room->node_wants_kib[p->node] += kib;
}

void xlp_pace_wants(struct party *parties, size_t count, uint64_t passed_ns, struct room *room)
{
    room->wants_kib = room->owed_kib = 0;
    for (size_t i = 0; i < count; i++) {
        struct party *p = &parties[i];

        keep_time(p, passed_ns);
        p->in_danger = p->target_kib < p->levels.bare_kib;
        if (!p->releasing)
            p->goal_kib = xlp_is_idle(p) ? asks_for(p, room) : 0;
        if (p->target_kib < p->levels.need_kib)
            want(p, room);
        room->owed_kib += owed_kib(p);
    }
    room->short_kib = xlp_max_kib(0, room->wants_kib - room->free_kib - room->coming_kib);
}

/* ---- shrinking ---- */

/* No target below this for the sake of guests that are short: comfort, and its part of a surplus,
 * are no reason to let another wait. Its need, and what it may keep idle, is its own unless the
 * host itself is short. */
static int64_t own_kib(const struct party *p, const struct room *room)
{
    int64_t need_kib = p->levels.need_kib;
    int64_t own_kib = room->wants_kib > 0 ? xlp_max_kib(need_kib, p->entitled_kib)
                                          : xlp_min_kib(p->fair_kib, need_kib);

    return xlp_max_kib(own_kib, p->levels.safe_kib);
}

static int64_t lowest_kib(const struct party *p, const struct room *room)
{
    return xlp_round_up_kib(own_kib(p, room), grain_kib(room));
}

/* One step at a time, each watched until it is done. */
static bool can_give(const struct party *p)
{
    return xlp_is_idle(p) && p->may_shrink && !p->releasing && p->rests;
}

static inline int64_t excess_kib(const struct party *p, const struct room *room)
{
    int64_t kib;

    /* Most have none, and are seen through without rounding. */
    if (!can_give(p) || p->target_kib - own_kib(p, room) < xlp_least_kib(room))
        return 0;
    kib = p->target_kib - lowest_kib(p, room);
    return kib >= xlp_least_kib(room) ? kib : 0;
}

int64_t xlp_largest_step_kib(const struct party *p, const struct xlp_policy *policy)
{
    return p->actual_kib / 100 * policy->mem_shrink_pct;
}

/* The target after giving up about step_kib: a multiple of the quantum where that is possible. */
static int64_t shrunk_kib(const struct party *p, int64_t step_kib, const struct xlp_policy *policy,
                          const struct room *room)
{
    int64_t most_kib = p->target_kib - xlp_largest_step_kib(p, policy);
    int64_t to_kib = xlp_round_down_kib(p->target_kib - step_kib, room->quantum_kib);

    if (to_kib < most_kib)
        to_kib = xlp_round_up_kib(most_kib, room->quantum_kib);
    if (to_kib >= p->target_kib)
        to_kib = xlp_round_up_kib(most_kib, XLP_MIB);
    return xlp_min_kib(p->target_kib, xlp_max_kib(to_kib, lowest_kib(p, room)));
}

static struct xlp_reason taken_because(const struct party *p, const struct room *room)
{
    const struct levels *l = &p->levels;

    if (room->wants_kib == 0)
        return (struct xlp_reason){.code = room->reserved_kib > 0 ? XLP_REASON_MEM_RESERVATION
                                                                  : XLP_REASON_MEM_HOST_RESERVE,
                                   .number = {room->short_kib, l->used_kib, l->floor_kib}};
    return (struct xlp_reason){.code = XLP_REASON_MEM_SHRINK,
                               .number = {room->short_kib, l->used_kib, l->need_kib, l->floor_kib}};
}

/* Takes about so much, in proportion to what each has in excess; but from nobody less than is worth
 * a step, so that it may be enough to ask some. Returns what was taken. node: from those whose
 * memory is there; XLP_UNKNOWN: from anybody. */
static int64_t take_from(struct party *parties, const uint32_t *givers, size_t count,
                         int64_t wanted_kib, uint32_t node, const struct xlp_policy *policy,
                         const struct room *room)
{
    int64_t all_kib = 0, left_kib = wanted_kib;
    double part;

    for (size_t i = 0; i < count; i++)
        if (node == XLP_UNKNOWN || parties[givers[i]].node == node)
            all_kib += excess_kib(&parties[givers[i]], room);
    part = all_kib > left_kib ? (double)left_kib / (double)all_kib : 1;
    for (size_t i = 0; i < count && left_kib > 0; i++) {
        struct party *p = &parties[givers[i]];
        int64_t has_kib = node == XLP_UNKNOWN || p->node == node ? excess_kib(p, room) : 0;
        int64_t step_kib =
            xlp_max_kib((int64_t)((double)has_kib * part), xlp_min_kib(has_kib, p->dead_zone_kib));
        int64_t to_kib = has_kib > 0 ? shrunk_kib(p, step_kib, policy, room) : p->target_kib;

        if (to_kib >= p->target_kib)
            continue;
        left_kib -= p->target_kib - to_kib;
        xlp_decide(p, to_kib, taken_because(p, room));
    }
    return wanted_kib - left_kib;
}

/* Takes what is short, and a little more. Where it is known from which NUMA node the memory of who
 * asks is taken, those give first whose memory is there: what they free is what it gets. */
static void take_excess(struct party *parties, size_t count, const struct xlp_policy *policy,
                        const struct room *room, uint32_t *picked)
{
    int64_t left_kib = (int64_t)((double)room->short_kib * SHORT_FACTOR);
    size_t givers = 0;

    for (size_t i = 0; i < count; i++) {
        picked[givers] = (uint32_t)i;
        givers += excess_kib(&parties[i], room) > 0;
    }
    for (uint32_t node = 0; room->wants_by_node && node < NODES_MAX && left_kib > 0; node++) {
        int64_t wanted_kib = (int64_t)((double)room->node_wants_kib[node] * SHORT_FACTOR);

        if (wanted_kib > 0)
            left_kib -= take_from(parties, picked, givers, xlp_min_kib(wanted_kib, left_kib), node,
                                  policy, room);
    }
    take_from(parties, picked, givers, left_kib, XLP_UNKNOWN, policy, room);
}

/* What it has beyond what the allocation gives it, though by its own account it uses that. What is
 * less than a step is rounded up to one, as long as it stays within what is beyond its share. */
static int64_t loan_kib(const struct party *p, const struct room *room)
{
    bool can_give = xlp_is_idle(p) && p->may_recall && p->past->balloon.direction >= 0;
    int64_t own_kib = xlp_round_up_kib(xlp_max_kib(p->entitled_kib, p->levels.floor_kib), XLP_MIB);
    int64_t loan_kib =
        xlp_max_kib(p->target_kib - p->fair_kib, xlp_max_kib(room->quantum_kib, XLP_LEAST_KIB));

    if (!can_give || p->target_kib <= p->fair_kib || p->target_kib - own_kib < XLP_LEAST_KIB)
        return 0;
    return xlp_min_kib(loan_kib, p->target_kib - own_kib);
}

/* A guest that says it uses more than its share has that for as long as nobody lacks any of theirs.
 * Whether it is true cannot be known; so it has to be given back in either case, but slowly. What
 * others have in excess the allocation has counted already; what is free, or promised to a balloon
 * that does not take it, is had without taking anybody what they use. */
static void recall_loans(struct party *parties, size_t count, const struct room *room)
{
    int64_t left_kib = room->owed_kib - room->idle_kib - xlp_max_kib(0, room->free_kib);

    for (size_t i = 0; i < count && left_kib > 0; i++) {
        struct party *p = &parties[i];
        int64_t most_kib = p->actual_kib / 100 * RECALL_PCT;
        int64_t step_kib = xlp_round_down_kib(xlp_min_kib(loan_kib(p, room), most_kib), XLP_MIB);

        if (step_kib == 0)
            continue;
        left_kib -= step_kib;
        xlp_decide(p, p->target_kib - step_kib,
                   (struct xlp_reason){.code = XLP_REASON_MEM_RECALL,
                                       .number = {p->actual_kib, p->entitled_kib, room->owed_kib}});
    }
}

/* Where there is not enough for everybody's comfort, what one gives up is for the others. */
static struct xlp_reason returned_because(const struct party *p, const struct xlp_policy *policy)
{
    const struct levels *l = &p->levels;

    if (policy->mem_surplus == XLP_SURPLUS_GUESTS || p->fair_kib < l->comfort_kib)
        return (struct xlp_reason){.code = XLP_REASON_MEM_EVEN,
                                   .number = {l->used_kib, l->comfort_kib, p->fair_kib}};
    return (struct xlp_reason){.code = XLP_REASON_MEM_RETURN,
                               .number = {l->used_kib, l->comfort_kib, l->floor_kib}};
}

/* What it has for no good reason: beyond its fair part, and beyond what it will soon use. 0 when
 * that is not worth a step. A guest that grew has been given up to a dead zone more than it needs,
 * and a quantum by rounding; were that taken back as soon as its use falls a little, it would be
 * given again when it rises. So surplus begins beyond both, and once it is on its way back all but
 * the dead zone goes. */
static int64_t surplus_kib(const struct party *p, const struct room *room)
{
    int64_t begin_kib = p->past->pace.returning ? 0 : room->quantum_kib;
    int64_t least_kib = p->dead_zone_kib + begin_kib, keeps_kib, kib;
    double rise_kib;

    if (!p->may_shrink || p->releasing || p->target_kib - p->fair_kib <= least_kib)
        return 0;
    rise_kib = p->past->demand.rise_kib_s * RETURN_AHEAD_S;
    keeps_kib = xlp_max_kib(p->fair_kib, lowest_kib(p, room));
    if (rise_kib > 0)
        keeps_kib += (int64_t)rise_kib;
    kib = p->target_kib - xlp_round_up_kib(keeps_kib, room->quantum_kib);
    return kib > least_kib ? kib : 0;
}

/* Surplus earns a credit, a part of what the guest held when the surplus appeared each second, and
 * a step is made once it is covered: surplus that comes and goes costs nothing, surplus that stays
 * is gone in 100/mem_return_pct seconds. */
static void return_surplus(struct party *p, const struct xlp_policy *policy, uint64_t passed_ns,
                           const struct room *room)
{
    struct pace *pace = &p->past->pace;
    int64_t has_kib = surplus_kib(p, room);
    int64_t step_kib, to_kib;

    if (has_kib == 0) {
        pace->base_kib = pace->credit_kib = 0;
        pace->returning &= !p->rests;
        return;
    }
    step_kib = xlp_min_kib(has_kib, xlp_largest_step_kib(p, policy));
    pace->base_kib = xlp_max_kib(pace->base_kib, p->actual_kib);
    pace->credit_kib += (int64_t)((double)pace->base_kib * (double)policy->mem_return_pct / 100 *
                                  (double)passed_ns / XLP_SECOND_NS);
    if (pace->credit_kib < step_kib)
        return;
    pace->credit_kib = step_kib;
    to_kib = can_give(p) ? shrunk_kib(p, step_kib, policy, room) : p->target_kib;
    if (to_kib < p->target_kib)
        xlp_decide(p, to_kib, returned_because(p, policy));
}

void xlp_pace_shrink(struct party *parties, size_t count, const struct xlp_policy *policy,
                     uint64_t passed_ns, const struct room *room, const struct pot *pot)
{
    if (room->short_kib > 0)
        take_excess(parties, count, policy, room, pot->picked);
    if (room->owed_kib > 0)
        recall_loans(parties, count, room);
    for (size_t i = 0; i < count; i++) {
        struct pace *pace = &parties[i].past->pace;
        int64_t target_kib = parties[i].told_kib;
        int64_t given_up_kib = xlp_max_kib(0, pace->target_kib - target_kib);

        pace->credit_kib = xlp_max_kib(0, pace->credit_kib - given_up_kib);
        pace->returning |= given_up_kib > 0;
        pace->target_kib = target_kib;
        if (xlp_is_idle(&parties[i]))
            return_surplus(&parties[i], policy, passed_ns, room);
    }
}
