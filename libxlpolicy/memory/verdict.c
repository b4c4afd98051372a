/* SPDX-License-Identifier: LGPL-2.1-only */
/* Why a guest's memory is, or is not, changed: said of a decision that was made, when asked. */
#include "memory/parts.h"

static int64_t whole_s(uint64_t ns)
{
    return (int64_t)((ns + XLP_SECOND_NS - 1) / XLP_SECOND_NS);
}

struct xlp_reason xlp_verdict_off_limits(const struct xlp_domain *d, const struct past *past)
{
    struct xlp_reason why = {.code = past->off_limits};

    switch (why.code) {
    case XLP_REASON_MEM_PASSTHROUGH: why.number[0] = d->passthrough_devices; break;
    case XLP_REASON_MEM_OPERATOR:
        why.number[0] = d->memory.target_kib;
        why.number[1] = whole_s(past->hold.left_ns);
        break;
    case XLP_REASON_MEM_NO_AGENT:
    case XLP_REASON_MEM_BAD_REPORT: why.number[0] = d->memory.actual_kib; break;
    default: break;
    }
    return why;
}

static struct xlp_reason why_held(const struct party *p, const struct room *room)
{
    const struct xlp_domain_memory *m = &p->domain->memory;
    struct xlp_reason why = {.code = p->held_by};

    switch (why.code) {
    case XLP_REASON_MEM_REFUSED:
        why.number[0] = p->told_kib;
        why.number[1] = whole_s(p->past->refusal.left_ns);
        break;
    case XLP_REASON_MEM_NO_AGENT:
    case XLP_REASON_MEM_BAD_REPORT: why.number[0] = p->actual_kib; break;
    case XLP_REASON_MEM_STALE:
        why.number[0] = (int64_t)(m->report_age_ns / XLP_SECOND_NS);
        why.number[1] = p->levels.used_kib;
        break;
    case XLP_REASON_MEM_PRESSURE:
        why.number[0] = m->report.psi_some_avg10_centipct;
        why.number[1] = p->levels.used_kib;
        break;
    case XLP_REASON_MEM_BOOTING:
        why.number[0] = (int64_t)(p->domain->age_ns / XLP_SECOND_NS);
        why.number[1] = room->boot_hold_s;
        break;
    case XLP_REASON_MEM_LEARNING:
        why.number[0] = p->actual_kib;
        why.number[1] = m->report.total_kib;
        break;
    default: break;
    }
    return why;
}

static struct xlp_reason on_balloon(const struct party *p)
{
    const struct balloon *b = &p->past->balloon;
    int64_t aim_kib = b->failed ? b->failed_target_kib : p->told_kib;

    if (b->slow || (b->failed && b->retry_left_ns > 0))
        return (struct xlp_reason){.code = XLP_REASON_MEM_STUCK,
                                   .number = {p->actual_kib, aim_kib, xlp_balloon_retry_s(b)}};
    if (b->direction != 0)
        return (struct xlp_reason){.code = XLP_REASON_MEM_MOVING,
                                   .number = {p->actual_kib, p->told_kib}};
    return (struct xlp_reason){.code = XLP_REASON_NONE};
}

/* It has what it needs, and could do with more that is free; that has to last. */
static bool is_to_have_more(const struct party *p, const struct room *room)
{
    return p->may_grow && p->rests && room->free_kib >= xlp_least_kib(room) &&
           p->past->pace.wants_more_ns > 0 && p->past->pace.wants_more_ns < XLP_MORE_PATIENCE_NS;
}

static struct xlp_reason why_it_gets_more_later(const struct party *p)
{
    const struct levels *l = &p->levels;
    uint64_t left_ns = XLP_MORE_PATIENCE_NS - p->past->pace.wants_more_ns;

    return (struct xlp_reason){.code = XLP_REASON_MEM_MORE_LATER,
                               .number = {l->used_kib, l->need_kib, p->actual_kib,
                                          p->fair_kib - p->told_kib, whole_s(left_ns)}};
}

/* It has what it needs. What it has beyond its part stays for the time being because it is little,
 * or because it goes back at a rate. */
static struct xlp_reason why_it_stays(const struct party *p, const struct room *room)
{
    const struct levels *l = &p->levels;
    int64_t spare_kib = p->told_kib - p->fair_kib;
    int64_t little_kib = p->dead_zone_kib + room->quantum_kib;
    struct xlp_reason why = {.code = XLP_REASON_MEM_SATISFIED,
                             .number = {l->used_kib, l->need_kib, p->actual_kib}};

    if (p->silent || spare_kib < XLP_MIB)
        return why;
    if (p->past->pace.base_kib > 0)
        why.code = XLP_REASON_MEM_RETURN_RATE;
    else if (spare_kib <= little_kib)
        why.code = XLP_REASON_MEM_DEAD_ZONE;
    if (why.code != XLP_REASON_MEM_SATISFIED)
        why.number[3] = spare_kib;
    return why;
}

struct xlp_reason xlp_verdict(const struct party *p, const struct room *room)
{
    const struct levels *l = &p->levels;
    int64_t original_kib = p->domain->memory.ledger.original_target_kib;
    int64_t free_kib = xlp_max_kib(0, room->free_kib);
    struct xlp_reason balloon = on_balloon(p);

    if (p->decided)
        return p->why;
    if (p->refused)
        return why_held(p, room);
    if (balloon.code != XLP_REASON_NONE)
        return balloon;
    if (p->releasing && p->told_kib < original_kib)
        return (struct xlp_reason){.code = XLP_REASON_MEM_RELEASE_WAITS,
                                   .number = {p->actual_kib, original_kib, free_kib}};
    if (p->releasing)
        return (struct xlp_reason){.code = XLP_REASON_MEM_RELEASE_HELD,
                                   .number = {p->actual_kib, original_kib, l->safe_kib}};
    if (l->wanted_kib > l->cap_kib && p->told_kib > l->cap_kib - room->quantum_kib)
        return (struct xlp_reason){.code = XLP_REASON_MEM_AT_MAX,
                                   .number = {l->wanted_kib, l->cap_kib}};
    if (p->told_kib < l->need_kib)
        return (struct xlp_reason){.code = XLP_REASON_MEM_WAITS,
                                   .number = {l->need_kib, p->actual_kib, free_kib}};
    if (p->held_by != XLP_REASON_NONE)
        return why_held(p, room);
    return is_to_have_more(p, room) ? why_it_gets_more_later(p) : why_it_stays(p, room);
}
