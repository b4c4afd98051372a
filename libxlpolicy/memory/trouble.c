/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Balloons that do not do as they are told, and limits that keep those that did from going back.
 *
 * Linux's driver gives up after a few tries and then sleeps for up to an hour unless its target
 * changes. So a balloon is tried again by telling it something new, and what cannot be reached is
 * not left standing as a promise that nobody else can use.
 */
#include "memory/parts.h"

/* libxl itself leaves this much between target and limit. */
#define LIMIT_SLACK_KIB XLP_MIB
/* A limit follows a balloon that never arrives only in steps like this. */
#define FAILED_SLACK_KIB (16 * XLP_MIB)
/* A balloon that stays this long where it is, near its target, will not come nearer. */
#define SETTLED_NS (5 * XLP_SECOND_NS)

static void tell(struct party *p, enum xlp_reason_code code, int64_t target_kib)
{
    const struct xlp_domain_memory *m = &p->domain->memory;

    if (target_kib == m->target_kib)
        return;
    p->decided = true;
    p->target_kib = target_kib;
    p->limit_kib = target_kib > m->target_kib && target_kib > m->actual_kib ? target_kib : 0;
    p->why = (struct xlp_reason){.code = code, .number = {m->actual_kib, m->target_kib}};
}

/* It did not grow: the promise of memory is taken back, all of it, for others can use it. That
 * takes nothing from a guest that stays where it is, which is promised the same again when its
 * balloon is next tried; one that follows downwards is not told so twice (balloon.c).
 * Tried again, the target moves by a little; the memory for that must be there. */
static void mend_growth(struct party *p, struct room *room, bool again)
{
    const struct xlp_domain_memory *m = &p->domain->memory;

    if (m->actual_kib < m->target_kib - XLP_ARRIVED_KIB) {
        tell(p, XLP_REASON_MEM_GIVE_UP, m->actual_kib);
        p->limit_kib = m->actual_kib;
    } else if (again && room->free_kib >= XLP_MIB && m->target_kib + XLP_MIB <= p->levels.cap_kib) {
        tell(p, XLP_REASON_MEM_POKE, m->target_kib + XLP_MIB);
        room->free_kib -= XLP_MIB;
    }
}

/* It did not shrink: told again, or let be when it uses by now what it kept. */
static void mend_shrink(struct party *p, bool again)
{
    const struct xlp_domain_memory *m = &p->domain->memory;

    if (p->levels.need_kib >= m->actual_kib - XLP_ARRIVED_KIB)
        tell(p, XLP_REASON_MEM_GIVE_UP, m->actual_kib);
    else if (again)
        tell(p, XLP_REASON_MEM_POKE, xlp_max_kib(m->target_kib + XLP_MIB, p->levels.need_kib));
}

void xlp_pace_trouble(struct party *parties, size_t count, struct room *room)
{
    if (!room->anybody_failed)
        return;
    for (size_t i = 0; i < count; i++) {
        struct party *p = &parties[i];
        const struct balloon *b = &p->past->balloon;
        bool again = b->retry_left_ns == 0;

        if (p->domain->domid == 0 || p->releasing || p->refused || !b->failed || b->retold)
            continue;
        if (b->direction > 0)
            mend_growth(p, room, again);
        else if (b->direction < 0)
            mend_shrink(p, again);
    }
}

/* The limit that would fit it now, or 0 while its balloon is on the way. */
static int64_t fitting_kib(const struct party *p, int64_t *slack_kib_out)
{
    const struct xlp_domain_memory *m = &p->domain->memory;
    const struct balloon *b = &p->past->balloon;

    *slack_kib_out = LIMIT_SLACK_KIB;
    if (b->direction > 0)
        return 0; /* it rose with the target */
    if (m->actual_kib <= m->target_kib + LIMIT_SLACK_KIB)
        return m->target_kib;
    if (b->direction == 0 && b->rest_ns >= SETTLED_NS)
        return m->actual_kib;
    *slack_kib_out = FAILED_SLACK_KIB;
    return b->failed ? m->actual_kib : 0;
}

/* Only where the target is ours: the limit of others is their toolstack's. */
int64_t xlp_fitting_limit_kib(const struct party *p)
{
    const struct xlp_domain_memory *m = &p->domain->memory;
    int64_t slack_kib, limit_kib;

    if (m->max_kib <= xlp_min_kib(p->told_kib, p->actual_kib) + LIMIT_SLACK_KIB)
        return 0;
    if (p->domain->domid == 0 || p->releasing || p->refused || !xlp_memory_is_ours(m))
        return 0;
    limit_kib = fitting_kib(p, &slack_kib);
    return limit_kib > 0 && m->max_kib > limit_kib + slack_kib ? limit_kib : 0;
}

static void fit_limit(struct party *p)
{
    p->decided = true;
    p->limit_kib = p->fitting_kib;
    p->why = (struct xlp_reason){.code = XLP_REASON_MEM_LIMIT,
                                 .number = {p->actual_kib, p->fitting_kib}};
}

size_t xlp_pace_limits(struct party *parties, size_t count, uint32_t *decided_out)
{
    size_t decided = 0;

    for (size_t i = 0; i < count; i++) {
        struct party *p = &parties[i];

        if (p->fitting_kib > 0 && !p->decided)
            fit_limit(p);
        decided_out[decided] = (uint32_t)i;
        decided += p->decided;
    }
    return decided;
}
