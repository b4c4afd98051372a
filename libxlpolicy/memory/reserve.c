/* SPDX-License-Identifier: LGPL-2.1-only */
/* The operator's commands on reservations, and what a reservation keeps free. */
#include "memory/reserve.h"

#include <string.h>

#include "memory/parts.h"

static int refuse(struct xlp_reason *why_not_out, enum xlp_reason_code code, int64_t first,
                  int64_t second)
{
    *why_not_out = (struct xlp_reason){.code = code, .number = {first, second}};
    return XLP_PLAN_REFUSED;
}

/* ---- what it keeps ---- */

static bool is_taker(const struct xlp_reservation *r, const struct xlp_domain *d)
{
    return r->taken && r->domid == d->domid && memcmp(r->uuid, d->uuid, sizeof(r->uuid)) == 0;
}

static const struct xlp_reservation *taken_by(const struct xlp_snapshot *s,
                                              const struct xlp_domain *d)
{
    for (size_t i = 0; i < s->reservation_count; i++)
        if (is_taker(&s->reservations[i], d))
            return &s->reservations[i];
    return NULL;
}

/* Who came under that name since, and is there: a small guest may be built between two looks. */
static bool is_meant(const struct xlp_reservation *r, const struct xlp_domain *d)
{
    return r->name[0] && d->domid != 0 && d->domid != r->former_domid &&
           !(d->flags & XLP_DOMAIN_DYING) && strcmp(d->name, r->name) == 0;
}

static bool is_being_built(const struct xlp_domain *d)
{
    return (d->flags & (XLP_DOMAIN_BUILDING | XLP_DOMAIN_DYING)) == XLP_DOMAIN_BUILDING;
}

const struct xlp_domain *xlp_reservation_taker(const struct xlp_snapshot *s,
                                               const struct xlp_reservation *r)
{
    if (r->taken) {
        const struct xlp_domain *d = xlp_snapshot_domain(s, r->domid);

        return d && is_taker(r, d) && !(d->flags & XLP_DOMAIN_DYING) ? d : NULL;
    }
    for (size_t i = 0; i < s->domain_count; i++)
        if (is_meant(r, &s->domains[i]) && !taken_by(s, &s->domains[i]))
            return &s->domains[i];
    return NULL;
}

int64_t xlp_reservation_left_kib(const struct xlp_reservation *r, const struct xlp_domain *taker)
{
    int64_t size_kib = r->granted_kib > 0 ? r->granted_kib : r->min_kib;

    if (r->ttl_left_ns == 0 || (r->taken && !taker) || (taker && !is_being_built(taker)))
        return 0;
    if (taker)
        size_kib -= taker->memory.actual_kib + taker->memory.video_kib;
    return xlp_max_kib(0, size_kib);
}

/* ---- commands ---- */

/* What guests hold beyond their floors, whether they use it now or not. */
static int64_t beyond_floors_kib(const struct xlp_snapshot *s, const struct xlp_policy *policy)
{
    const struct hold free_hand = {.seen = false};
    int64_t sum_kib = 0;

    for (size_t i = 0; i < s->domain_count; i++) {
        const struct xlp_domain *d = &s->domains[i];
        struct xlp_domain_policy own = xlp_policy_for(policy, d->name);

        if (xlp_memory_off_limits(s, d, policy, &own, &free_hand) == XLP_REASON_NONE)
            sum_kib += xlp_max_kib(0, d->memory.actual_kib - xlp_floor_kib(d, policy, &own));
    }
    return sum_kib;
}

/* What is set aside for domains being built, and for those that are to be. */
static int64_t spoken_for_kib(const struct xlp_snapshot *s, int64_t *reserved_kib_out)
{
    int64_t built_kib = 0;

    *reserved_kib_out = 0;
    for (size_t i = 0; i < s->reservation_count; i++) {
        const struct xlp_domain *taker = xlp_reservation_taker(s, &s->reservations[i]);
        int64_t left_kib = xlp_reservation_left_kib(&s->reservations[i], taker);

        *(taker ? &built_kib : reserved_kib_out) += left_kib;
    }
    return xlp_max_kib(s->memory.claims_kib, built_kib);
}

static int check_room(const struct xlp_snapshot *s, const struct xlp_policy *policy,
                      int64_t min_kib, struct xlp_reason *why_not_out)
{
    int64_t reserved_kib;
    int64_t free_kib = s->memory.free_kib + s->memory.scrub_kib -
                       xlp_policy_reserve_kib(policy, s->memory.total_kib) -
                       spoken_for_kib(s, &reserved_kib) - reserved_kib;
    int64_t guests_kib = beyond_floors_kib(s, policy);

    if (min_kib <= free_kib + guests_kib)
        return 0;
    *why_not_out = (struct xlp_reason){.code = XLP_REASON_RESERVE_TOO_LARGE,
                                       .number = {min_kib, xlp_max_kib(0, free_kib + guests_kib),
                                                  free_kib, guests_kib, reserved_kib}};
    return XLP_PLAN_REFUSED;
}

static const struct xlp_reservation *for_name(const struct xlp_snapshot *s, const char *name)
{
    for (size_t i = 0; *name && i < s->reservation_count; i++)
        if (!s->reservations[i].taken && strcmp(s->reservations[i].name, name) == 0)
            return &s->reservations[i];
    return NULL;
}

static const struct xlp_domain *named(const struct xlp_snapshot *s, const char *name)
{
    for (size_t i = 0; i < s->domain_count; i++)
        if (strcmp(s->domains[i].name, name) == 0)
            return &s->domains[i];
    return NULL;
}

int xlp_plan_reserve(const struct xlp_snapshot *s, const struct xlp_policy *policy,
                     const struct xlp_reservation *wanted, struct xlp_plan *plan_out,
                     struct xlp_reason *why_not_out)
{
    const struct xlp_reservation *same = for_name(s, wanted->name);
    const struct xlp_domain *has_name = named(s, wanted->name);
    struct xlp_reservation made = {.id = s->next_reservation > 0 ? s->next_reservation : 1,
                                   .min_kib = wanted->min_kib,
                                   .max_kib = wanted->max_kib,
                                   .ttl_left_ns = wanted->ttl_left_ns};

    xlp_plan_reset(plan_out);
    plan_out->time_ns = s->time_ns;
    memcpy(made.name, wanted->name, sizeof(made.name));
    if (has_name)
        made.former_domid = has_name->domid;
    if (s->other_controller[0])
        return refuse(why_not_out, XLP_REASON_RESERVE_CONTROLLER, 0, 0);
    if (same)
        return refuse(why_not_out, XLP_REASON_RESERVE_NAMED, same->id, 0);
    if (s->reservation_count >= XLP_RESERVATIONS_MAX)
        return refuse(why_not_out, XLP_REASON_RESERVE_TOO_MANY, XLP_RESERVATIONS_MAX, 0);
    if (check_room(s, policy, made.min_kib, why_not_out) != 0)
        return XLP_PLAN_REFUSED;
    return xlp_plan_add_reservation(
        plan_out, XLP_RESERVE, &made,
        (struct xlp_reason){
            .code = XLP_REASON_RESERVE,
            .number = {made.min_kib, made.max_kib, (int64_t)(made.ttl_left_ns / XLP_SECOND_NS)}});
}

int xlp_plan_transfer(const struct xlp_snapshot *s, uint32_t id, const struct xlp_domain *to,
                      struct xlp_plan *plan_out, struct xlp_reason *why_not_out)
{
    const struct xlp_reservation *r = xlp_snapshot_reservation(s, id), *other = taken_by(s, to);
    struct xlp_reservation given;

    xlp_plan_reset(plan_out);
    plan_out->time_ns = s->time_ns;
    if (!r)
        return refuse(why_not_out, XLP_REASON_RESERVE_UNKNOWN, id, 0);
    if (other && other != r)
        return refuse(why_not_out, XLP_REASON_RESERVE_OTHERS, other->id, to->domid);
    if (r->taken && !is_taker(r, to) && xlp_reservation_taker(s, r))
        return refuse(why_not_out, XLP_REASON_RESERVE_OTHERS, r->id, r->domid);
    given = *r;
    given.taken = true;
    given.domid = to->domid;
    memcpy(given.uuid, to->uuid, sizeof(given.uuid));
    memcpy(given.name, to->name, sizeof(given.name));
    given.former_domid = 0;
    return xlp_plan_add_reservation(
        plan_out, XLP_TRANSFER, &given,
        (struct xlp_reason){.code = XLP_REASON_RESERVE_TRANSFER, .number = {to->domid}});
}

int xlp_plan_unreserve(const struct xlp_snapshot *s, uint32_t id, struct xlp_plan *plan_out,
                       struct xlp_reason *why_not_out)
{
    const struct xlp_reservation *r = xlp_snapshot_reservation(s, id);

    xlp_plan_reset(plan_out);
    plan_out->time_ns = s->time_ns;
    if (!r)
        return refuse(why_not_out, XLP_REASON_RESERVE_UNKNOWN, id, 0);
    return xlp_plan_add_reservation(plan_out, XLP_UNRESERVE, r,
                                    (struct xlp_reason){.code = XLP_REASON_RESERVE_RELEASE});
}
