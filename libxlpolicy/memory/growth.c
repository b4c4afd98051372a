/* SPDX-License-Identifier: LGPL-2.1-only */
/* Who gets what the host has free at this moment, of those that ask for it. */
#include "memory/parts.h"

/* Below this a guest takes whatever there is, be it little. */
#define HURTING_KIB (16 * XLP_MIB)

/* Those that ask, by their index: once, and without branches, which nobody could foresee. */
static size_t pick_asking(const struct party *parties, size_t count, bool releasing,
                          uint32_t *picked)
{
    size_t asking = 0;

    for (size_t i = 0; i < count; i++) {
        const struct party *p = &parties[i];

        picked[asking] = (uint32_t)i;
        asking += (p->goal_kib > p->target_kib) & xlp_is_idle(p) & (p->releasing == releasing);
    }
    return asking;
}

static bool is_anything_given_up(const struct party *parties, size_t count)
{
    bool given_up = false;

    for (size_t i = 0; i < count; i++)
        given_up |= parties[i].target_kib < parties[i].told_kib;
    return given_up;
}

static void claim(const struct party *p, struct xlp_claim *c)
{
    const int64_t has_kib = xlp_granted_kib(p);
    const int64_t goal_kib = xlp_max_kib(has_kib, p->goal_kib);

    *c = (struct xlp_claim){.shares = p->shares, .cap_kib = goal_kib};
    c->level_kib[XLP_LEVEL_HELD] = c->level_kib[XLP_LEVEL_KEPT] = has_kib;
    c->level_kib[XLP_LEVEL_ENTITLED] =
        xlp_max_kib(has_kib, xlp_min_kib(goal_kib, xlp_claimed_kib(p)));
    c->level_kib[XLP_LEVEL_BARE] = xlp_min_kib(goal_kib, xlp_max_kib(has_kib, p->levels.bare_kib));
    c->level_kib[XLP_LEVEL_NEED] = xlp_min_kib(goal_kib, xlp_max_kib(has_kib, p->levels.need_kib));
    c->level_kib[XLP_LEVEL_COMFORT] = c->level_kib[XLP_LEVEL_SURPLUS] = goal_kib;
}

/* What to make of less than it asked for. Taking it piece by piece costs a target each, so it waits
 * for the rest where more is coming, unless it hurts already. */
static int64_t partly_kib(const struct party *p, int64_t given_kib, const struct room *room,
                          bool more_is_coming)
{
    int64_t rounded_kib = xlp_round_down_kib(given_kib, room->quantum_kib);
    int64_t exact_kib = xlp_round_down_kib(given_kib, XLP_MIB);

    if (p->target_kib < p->levels.used_kib + HURTING_KIB)
        return rounded_kib > p->target_kib ? rounded_kib : exact_kib;
    if (!more_is_coming && rounded_kib <= p->target_kib && p->target_kib < p->levels.need_kib)
        return exact_kib - p->target_kib >= xlp_least_kib(room) ? exact_kib : p->target_kib;
    if (!more_is_coming || rounded_kib - p->target_kib >= p->dead_zone_kib)
        return rounded_kib;
    return p->target_kib;
}

static struct xlp_reason grown_because(const struct party *p, const struct room *room)
{
    int64_t free_kib = xlp_max_kib(0, room->free_kib);

    if (p->silent && p->target_kib >= p->levels.need_kib)
        return (struct xlp_reason){
            .code = XLP_REASON_MEM_GIVE_BACK,
            .number = {p->domain->memory.ledger.original_target_kib, free_kib}};
    return (struct xlp_reason){.code = XLP_REASON_MEM_GROW,
                               .number = {p->levels.used_kib, p->levels.need_kib, free_kib}};
}

static void grow_to(struct party *p, int64_t target_kib, const struct room *room)
{
    if (target_kib <= p->target_kib)
        return;
    p->limit_kib = target_kib > p->actual_kib ? target_kib : 0;
    xlp_decide(p, target_kib, grown_because(p, room));
}

void xlp_pace_grow(struct party *parties, size_t count, bool releasing, struct room *room,
                   const struct pot *pot)
{
    int64_t pool_kib = xlp_max_kib(0, room->free_kib), taken_kib = 0;
    size_t asking = pick_asking(parties, count, releasing, pot->picked);
    bool more_is_coming;

    if (asking == 0)
        return;
    more_is_coming = room->coming_kib > 0 || is_anything_given_up(parties, count);
    for (size_t i = 0; i < asking; i++) {
        claim(&parties[pot->picked[i]], &pot->claims[i]);
        pool_kib += pot->claims[i].level_kib[XLP_LEVEL_HELD];
    }
    xlp_allocate(pot->claims, asking, pool_kib, pot->ranges);
    for (size_t i = 0; i < asking; i++) {
        struct party *p = &parties[pot->picked[i]];
        int64_t given_kib = pot->claims[i].given_kib, before_kib = xlp_granted_kib(p);

        grow_to(p,
                given_kib >= p->goal_kib ? p->goal_kib
                                         : partly_kib(p, given_kib, room, more_is_coming),
                room);
        taken_kib += xlp_granted_kib(p) - before_kib;
    }
    room->free_kib -= taken_kib;
}
