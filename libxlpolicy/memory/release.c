/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Guests that the operator released: back to the target they had before us, as fast as is safe. A
 * guest gets no smaller than what it uses and its margin, or half of that where it had no more
 * before, and by no more in one step than any other; it grows into memory that is free. What cannot
 * be done now is done as soon as it can: use may fall, and what one of them gives up is what
 * another waits for.
 */
#include "memory/parts.h"

static int64_t original_kib(const struct party *p)
{
    return p->domain->memory.ledger.original_target_kib;
}

static bool rests(const struct party *p)
{
    return p->rests || p->past->balloon.failed;
}

/* The target is what it was, or the operator has set another: the record goes, and with it the
 * limit goes back. Before the balloon is there it could not. */
static void finish(struct party *p, struct xlp_reason why)
{
    bool restored = why.code == XLP_REASON_MEM_RELEASE;

    if (restored && !rests(p))
        return;
    p->decided = true;
    p->limit_kib = restored ? p->domain->memory.ledger.original_max_kib : 0;
    p->why = why;
}

/* One that failed is told something new once its next try is due, not in each look. */
static bool may_step(const struct party *p)
{
    const struct balloon *b = &p->past->balloon;

    return p->rests || (b->failed && !b->retold && b->retry_left_ns == 0);
}

static void shrink(struct party *p, struct xlp_reason why, const struct xlp_policy *policy)
{
    int64_t to_kib = p->target_kib - xlp_largest_step_kib(p, policy);

    if (!may_step(p))
        return;
    to_kib = xlp_round_up_kib(xlp_max_kib(to_kib, p->levels.safe_kib), XLP_MIB);
    to_kib = xlp_max_kib(to_kib, original_kib(p));
    if (p->target_kib - to_kib < p->dead_zone_kib && to_kib != original_kib(p))
        return;
    p->decided = true;
    p->target_kib = to_kib;
    p->why = why;
}

void xlp_pace_release(struct party *parties, size_t count, const struct xlp_policy *policy,
                      struct room *room, const struct pot *pot)
{
    if (!room->anybody_releases)
        return;
    for (size_t i = 0; i < count; i++) {
        struct party *p = &parties[i];
        struct xlp_reason why;

        if (!p->releasing || p->refused)
            continue;
        why = xlp_release_reason(&p->domain->memory);
        if (why.code != XLP_REASON_MEM_RELEASING)
            finish(p, why);
        else if (original_kib(p) < p->target_kib)
            shrink(p, why, policy);
        else
            p->goal_kib = original_kib(p);
    }
    xlp_pace_grow(parties, count, true, room, pot);
    for (size_t i = 0; i < count; i++)
        if (parties[i].releasing && parties[i].decided &&
            parties[i].why.code == XLP_REASON_MEM_GROW)
            parties[i].why = xlp_release_reason(&parties[i].domain->memory);
}
