/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Reservations in one decision: what they keep from those that run, whether they are there yet, and
 * when they are over. What a reservation is short of is taken from guests as any other shortage of
 * the host: from what they can do without, and nothing of what they use.
 */
#include <string.h>

#include "memory/parts.h"
#include "memory/reserve.h"

/* A reservation that could be larger is settled for once it has not grown for so long. */
#define SETTLED_NS (5 * XLP_SECOND_NS)

static struct kept remembered(const struct kept *old, size_t count, uint32_t id)
{
    for (size_t i = 0; i < count; i++)
        if (old[i].id == id)
            return old[i];
    return (struct kept){.id = id};
}

static int64_t taken_kib(const struct xlp_domain *d)
{
    return d->memory.actual_kib + d->memory.video_kib;
}

/* A domain that one look does not show may only not have been readable: so it keeps what it had. */
static void observe_taker(struct kept *k, const struct xlp_snapshot *s,
                          const struct xlp_reservation *r)
{
    bool is_absent = r->taken && !xlp_snapshot_domain(s, r->domid);

    k->missed = is_absent ? k->missed + 1 : 0;
    k->taker = xlp_reservation_taker(s, r);
    if (k->missed != 1)
        k->keeps_kib = xlp_reservation_left_kib(r, k->taker);
    k->asks_kib = k->keeps_kib;
    if (k->taker)
        k->taken_kib = taken_kib(k->taker);
}

void xlp_reservations_observe(struct reservations *rs, const struct xlp_snapshot *s)
{
    struct kept old[XLP_RESERVATIONS_MAX];
    size_t old_count = rs->count;

    memcpy(old, rs->at, old_count * sizeof(*old));
    rs->count = s->reservation_count;
    for (size_t i = 0; i < rs->count; i++) {
        const struct xlp_reservation *r = &s->reservations[i];
        struct kept *k = &rs->at[i];

        *k = remembered(old, old_count, r->id);
        observe_taker(k, s, r);
    }
}

int64_t xlp_reservations_kept_kib(const struct reservations *rs, const struct xlp_domain *taker)
{
    int64_t sum_kib = 0;

    for (size_t i = 0; i < rs->count; i++)
        if (rs->at[i].taker == taker)
            sum_kib += rs->at[i].keeps_kib;
    return sum_kib;
}

static bool may_be_larger(const struct xlp_reservation *r, const struct kept *k)
{
    return !k->taker && !r->taken && k->keeps_kib > 0 && r->granted_kib == 0;
}

int64_t xlp_reservations_stretch(struct reservations *rs, const struct xlp_snapshot *s,
                                 int64_t spare_kib)
{
    int64_t left_kib = xlp_max_kib(0, spare_kib);

    for (size_t i = 0; i < rs->count; i++) {
        const struct xlp_reservation *r = &s->reservations[i];

        if (!may_be_larger(r, &rs->at[i]))
            continue;
        rs->at[i].asks_kib += xlp_min_kib(left_kib, r->max_kib - r->min_kib);
        left_kib -= rs->at[i].asks_kib - rs->at[i].keeps_kib;
    }
    return xlp_max_kib(0, spare_kib) - left_kib;
}

/* What is free for reservations goes to them by age: what each keeps at least, then the rest. */
static void hand_out(struct reservations *rs, int64_t free_kib, uint64_t passed_ns)
{
    int64_t left_kib = xlp_max_kib(0, free_kib);

    for (size_t i = 0; i < rs->count; i++) {
        struct kept *k = &rs->at[i];

        k->had_kib = k->has_kib;
        k->has_kib = k->taker ? 0 : xlp_min_kib(left_kib, k->keeps_kib);
        left_kib -= k->has_kib;
    }
    for (size_t i = 0; i < rs->count; i++) {
        struct kept *k = &rs->at[i];
        int64_t more_kib = k->taker ? 0 : xlp_min_kib(left_kib, k->asks_kib - k->has_kib);

        k->has_kib += more_kib;
        left_kib -= more_kib;
        k->rest_ns = k->has_kib <= k->had_kib ? k->rest_ns + passed_ns : 0;
    }
}

/* ---- one of them ---- */

static struct xlp_reason over_because(const struct xlp_reservation *r, const struct kept *k)
{
    if (r->ttl_left_ns == 0)
        return (struct xlp_reason){.code = XLP_REASON_RESERVE_EXPIRED};
    if (k->missed == 1)
        return (struct xlp_reason){.code = XLP_REASON_NONE};
    if (r->taken && !k->taker)
        return (struct xlp_reason){.code = XLP_REASON_RESERVE_GONE, .number = {r->domid}};
    if (r->taken && k->keeps_kib == 0)
        return (struct xlp_reason){.code = XLP_REASON_RESERVE_DONE,
                                   .number = {r->domid, k->taken_kib}};
    return (struct xlp_reason){.code = XLP_REASON_NONE};
}

/* As much as it will be, as far as can be told. */
static bool is_complete(const struct xlp_reservation *r, const struct kept *k)
{
    return k->has_kib >= k->asks_kib || (k->has_kib >= r->min_kib && k->rest_ns >= SETTLED_NS);
}

static int grant(const struct xlp_reservation *r, const struct kept *k, struct xlp_plan *plan)
{
    struct xlp_reservation granted = *r;

    granted.granted_kib = xlp_max_kib(r->min_kib, xlp_round_down_kib(k->has_kib, XLP_MIB));
    if (k->has_kib >= r->max_kib)
        granted.granted_kib = r->max_kib;
    return xlp_plan_add_reservation(
        plan, XLP_GRANT, &granted,
        (struct xlp_reason){.code = XLP_REASON_RESERVE_GRANT, .number = {granted.granted_kib}});
}

static int take_over(const struct xlp_reservation *r, const struct kept *k, struct xlp_plan *plan)
{
    struct xlp_reservation taken = *r;

    taken.taken = true;
    taken.domid = k->taker->domid;
    memcpy(taken.uuid, k->taker->uuid, sizeof(taken.uuid));
    return xlp_plan_add_reservation(
        plan, XLP_TRANSFER, &taken,
        (struct xlp_reason){.code = XLP_REASON_RESERVE_TRANSFER, .number = {k->taker->domid}});
}

static struct xlp_reason as_it_stands(const struct xlp_reservation *r, const struct kept *k,
                                      const struct room *room)
{
    int64_t left_s = (int64_t)((r->ttl_left_ns + XLP_SECOND_NS - 1) / XLP_SECOND_NS);

    if (k->taker || r->taken)
        return (struct xlp_reason){.code = XLP_REASON_RESERVE_TAKEN,
                                   .number = {k->taker ? k->taker->domid : r->domid, k->taken_kib,
                                              xlp_max_kib(r->granted_kib, r->min_kib)}};
    if (r->granted_kib == 0)
        return (struct xlp_reason){.code = XLP_REASON_RESERVE_WAITS,
                                   .number = {k->has_kib, k->asks_kib, room->coming_kib, left_s}};
    if (k->has_kib < r->granted_kib)
        return (struct xlp_reason){.code = XLP_REASON_RESERVE_SHORT,
                                   .number = {k->has_kib, r->granted_kib}};
    return (struct xlp_reason){.code = XLP_REASON_RESERVE_READY,
                               .number = {r->granted_kib, left_s}};
}

int xlp_reservations_decide(struct reservations *rs, const struct xlp_snapshot *s,
                            const struct room *room, uint64_t passed_ns, struct xlp_plan *plan)
{
    hand_out(rs, room->free_for_reservations_kib, passed_ns);
    for (size_t i = 0; i < rs->count; i++) {
        const struct xlp_reservation *r = &s->reservations[i];
        const struct kept *k = &rs->at[i];
        struct xlp_reason over = over_because(r, k);
        int rc = 0;

        plan->reservations[i].reason = over;
        if (over.code == XLP_REASON_NONE)
            plan->reservations[i].reason = as_it_stands(r, k, room);
        if (over.code != XLP_REASON_NONE)
            rc = xlp_plan_add_reservation(plan, XLP_UNRESERVE, r, over);
        else if (k->taker && !r->taken)
            rc = take_over(r, k, plan);
        else if (!k->taker && !r->taken && r->granted_kib == 0 && is_complete(r, k))
            rc = grant(r, k, plan);
        if (rc < 0)
            return -1;
    }
    return 0;
}
