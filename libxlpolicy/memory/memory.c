/* SPDX-License-Identifier: LGPL-2.1-only */
/* One decision on memory, from a snapshot to actions and verdicts. Reads from top to bottom. */
#include "memory/memory.h"

#include <stdlib.h>
#include <string.h>

#include "grow.h"
#include "memory/parts.h"

/* Of what can be shared out; needs beyond this are worth a warning. */
#define NEEDS_NEAR_PCT 95

struct xlp_memory {
    uint64_t time_ns;         /* of the snapshot before */
    bool at_rest;             /* there was nothing to do or to watch in it */
    struct past *past, *next; /* by domain, in the order of the snapshot before, and of this */
    size_t past_count, past_room, next_room;
    struct party *parties;
    size_t party_count, party_room;
    struct pot pot;
    size_t claim_room, range_room, picked_room;
    struct reservations reservations;
    struct room room; /* in the decision before, and the settings that it went by: for those */
    struct xlp_policy policy; /* who ask why. It has no domains: the roster has */
};

static int make_room(struct xlp_memory *m, size_t domain_count);
static void recall(struct xlp_memory *m, const struct xlp_snapshot *s, bool same);
static void keep_settings(struct xlp_memory *m, const struct xlp_policy *policy);
static void gather(struct xlp_memory *m, const struct xlp_snapshot *s,
                   const struct xlp_policy *policy, const struct xlp_roster *roster,
                   uint64_t passed_ns, bool restart);
static void join(struct xlp_memory *m, size_t i, const struct xlp_domain *d,
                 const struct xlp_policy *policy, const struct xlp_domain_policy *own);
static void set_aside(struct xlp_memory *m, const struct xlp_domain *d, const struct past *past);
static void measure_room(struct xlp_memory *m, const struct xlp_snapshot *s);
static void share(struct xlp_memory *m, const struct xlp_snapshot *s);
static int append_actions(const struct xlp_memory *m, size_t count, struct xlp_plan *plan);
static struct xlp_reason verdict_on_host(const struct room *room);

struct xlp_memory *xlp_memory_new(void)
{
    return calloc(1, sizeof(struct xlp_memory));
}

void xlp_memory_free(struct xlp_memory *m)
{
    if (!m)
        return;
    free(m->past);
    free(m->next);
    free(m->parties);
    free(m->pot.claims);
    free(m->pot.ranges);
    free(m->pot.picked);
    free(m);
}

int xlp_memory_decide(struct xlp_memory *m, const struct xlp_snapshot *s,
                      const struct xlp_policy *policy, const struct xlp_roster *roster,
                      bool restart, struct xlp_plan *plan)
{
    uint64_t passed_ns = restart ? 0 : s->time_ns - m->time_ns;
    struct room *room = &m->room;
    size_t decided;

    m->time_ns = s->time_ns;
    /* What a guest says is taken in although memory is left alone: it is shown, and has to be
     * known once that changes. */
    m->at_rest =
        policy->mem_policy == XLP_MEM_OFF && roster->memory_quiet && s->reservation_count == 0;
    keep_settings(m, policy);
    xlp_reservations_observe(&m->reservations, s);
    if (m->at_rest) {
        m->past_count = 0;
        plan->memory = (struct xlp_reason){.code = XLP_REASON_NONE};
        return 0;
    }
    if (make_room(m, s->domain_count) < 0)
        return -1;
    recall(m, s, roster->same);
    gather(m, s, policy, roster, passed_ns, restart);
    measure_room(m, s);
    share(m, s);
    xlp_pace_release(m->parties, m->party_count, policy, room, &m->pot);
    xlp_pace_trouble(m->parties, m->party_count, room);
    xlp_pace_wants(m->parties, m->party_count, passed_ns, room);
    xlp_pace_shrink(m->parties, m->party_count, policy, passed_ns, room, &m->pot);
    xlp_pace_grow(m->parties, m->party_count, false, room, &m->pot);
    decided = xlp_pace_limits(m->parties, m->party_count, m->pot.picked);
    plan->memory = verdict_on_host(room);
    if (append_actions(m, decided, plan) < 0)
        return -1;
    return xlp_reservations_decide(&m->reservations, s, room, passed_ns, plan);
}

static int make_room(struct xlp_memory *m, size_t domain_count)
{
    if (xlp_grow(&m->past, &m->past_room, domain_count, sizeof(*m->past)) < 0 ||
        xlp_grow(&m->next, &m->next_room, domain_count, sizeof(*m->next)) < 0 ||
        xlp_grow(&m->parties, &m->party_room, domain_count, sizeof(*m->parties)) < 0 ||
        xlp_grow(&m->pot.claims, &m->claim_room, domain_count, sizeof(*m->pot.claims)) < 0 ||
        xlp_grow(&m->pot.ranges, &m->range_room, 2 * domain_count, sizeof(*m->pot.ranges)) < 0 ||
        xlp_grow(&m->pot.picked, &m->picked_room, domain_count, sizeof(*m->pot.picked)) < 0)
        return -1;
    return 0;
}

static void keep_settings(struct xlp_memory *m, const struct xlp_policy *policy)
{
    m->policy = *policy;
    m->policy.domains = NULL;
    m->policy.domain_count = 0;
}

/* ---- why ---- */

/* All but the padding, so that the same snapshots give the same plans to the byte. */
static void say(struct xlp_reason *reason, struct xlp_reason why)
{
    reason->code = why.code;
    memcpy(reason->number, why.number, sizeof(reason->number));
}

static struct xlp_domain_view view(const struct xlp_memory *m, const struct xlp_domain *d,
                                   const struct xlp_domain_policy *own, size_t i)
{
    struct levels l = {.floor_kib = xlp_floor_kib(d, &m->policy, own)};
    bool known = !m->at_rest && xlp_has_report(d);

    if (known)
        xlp_demand_levels(&m->past[i].demand, d, &m->policy, own, &l);
    return (struct xlp_domain_view){.used_kib = l.used_kib,
                                    .need_kib = l.need_kib,
                                    .comfort_kib = l.comfort_kib,
                                    .floor_kib = l.floor_kib,
                                    .known = known};
}

void xlp_memory_explain(const struct xlp_memory *m, const struct xlp_snapshot *s,
                        const struct xlp_roster *roster, struct xlp_plan *plan,
                        struct xlp_domain_view *views)
{
    for (size_t i = 0; i < s->domain_count; i++) {
        const struct xlp_domain *d = &s->domains[i];
        struct xlp_reason *why = &plan->verdicts[i].memory;

        views[i] = view(m, d, xlp_roster_terms(roster, i), i);
        if (m->at_rest)
            say(why, (struct xlp_reason){.code = d->domid == 0 ? XLP_REASON_MEM_DOM0
                                                               : XLP_REASON_MEM_OFF});
        else if (!m->past[i].managed)
            say(why, xlp_verdict_off_limits(d, &m->past[i]));
    }
    for (size_t i = 0; !m->at_rest && i < m->party_count; i++)
        say(&plan->verdicts[m->parties[i].index].memory, xlp_verdict(&m->parties[i], &m->room));
}

/* ---- the past ---- */

static bool is_past_of(const struct past *past, const struct xlp_domain *d)
{
    return past->domid == d->domid && memcmp(past->uuid, d->uuid, sizeof(d->uuid)) == 0;
}

/* Makes m->past[i] the past of s->domains[i]. Both are by rising domid, so it is a merge. same:
 * they are those of the snapshot before. */
static void recall(struct xlp_memory *m, const struct xlp_snapshot *s, bool same)
{
    struct past *swap = m->past;
    size_t swap_room = m->past_room;

    if (same && m->past_count == s->domain_count)
        return;
    for (size_t i = 0, old = 0; i < s->domain_count; i++) {
        const struct xlp_domain *d = &s->domains[i];

        while (old < m->past_count && m->past[old].domid < d->domid)
            old++;
        if (old < m->past_count && is_past_of(&m->past[old], d)) {
            m->next[i] = m->past[old];
            continue;
        }
        memset(&m->next[i], 0, sizeof(m->next[i]));
        m->next[i].domid = d->domid;
        memcpy(m->next[i].uuid, d->uuid, sizeof(d->uuid));
    }
    m->past = m->next;
    m->past_room = m->next_room;
    m->past_count = s->domain_count;
    m->next = swap;
    m->next_room = swap_room;
}

static void observe(struct past *past, const struct xlp_snapshot *s, const struct xlp_domain *d,
                    const struct xlp_policy *policy, const struct lapse *lapse, bool restart)
{
    bool reports = xlp_has_report(d);

    xlp_hold_observe(&past->hold, d, policy, lapse->passed_ns);
    xlp_refusal_observe(&past->refusal, &d->memory, lapse->passed_ns);
    xlp_balloon_observe(&past->balloon, &d->memory, s->memory.free_kib, lapse->passed_ns,
                        restart || d->flags != 0);
    if (restart || d->flags != 0 || !reports)
        past->demand.measured = false;
    if (reports)
        xlp_demand_observe(&past->demand, &d->memory, past->balloon.rest_ns, lapse);
}

/* ---- the managed guests ---- */

/* One walk over all domains, with all that is known of one of them at hand. */
static void gather(struct xlp_memory *m, const struct xlp_snapshot *s,
                   const struct xlp_policy *policy, const struct xlp_roster *roster,
                   uint64_t passed_ns, bool restart)
{
    struct lapse lapse = xlp_lapse(passed_ns);

    m->room = (struct room){.quantum_kib = policy->mem_quantum_kib,
                            .boot_hold_s = policy->mem_boot_hold_s};
    m->party_count = 0;
    for (size_t i = 0; i < s->domain_count; i++) {
        const struct xlp_domain *d = &s->domains[i];
        const struct xlp_domain_policy *own = xlp_roster_terms(roster, i);
        struct past *past = &m->past[i];

        observe(past, s, d, policy, &lapse, restart);
        past->off_limits = xlp_memory_off_limits(s, d, policy, own, &past->hold);
        past->managed = past->off_limits == XLP_REASON_NONE || xlp_memory_is_releasing(d) ||
                        xlp_party_fell_silent(d, past->off_limits);
        if (past->managed)
            join(m, i, d, policy, own);
        else
            set_aside(m, d, past);
    }
}

static void join(struct xlp_memory *m, size_t i, const struct xlp_domain *d,
                 const struct xlp_policy *policy, const struct xlp_domain_policy *own)
{
    struct party *p = &m->parties[m->party_count];
    struct xlp_claim *c = &m->pot.claims[m->party_count++];

    p->index = (uint32_t)i;
    xlp_party_join(p, d, &m->past[i], policy, own, &m->room, c);
}

/* Anybody may write a target that its guest never reaches, and nobody takes it back: memory is set
 * aside for it only while the guest is on its way there. What we promised is there, and stays there
 * for a guest that is paused; but we do not wait for a balloon that does not move. */
static bool takes_promise(const struct xlp_domain *d, const struct balloon *b)
{
    if (d->flags & (XLP_DOMAIN_DYING | XLP_DOMAIN_SHUTDOWN) || !d->memory.balloon)
        return false;
    return (d->flags == 0 || xlp_memory_is_ours(&d->memory)) && !b->slow && !b->failed;
}

/* What is kept for those that take no part. */
static void set_aside(struct xlp_memory *m, const struct xlp_domain *d, const struct past *past)
{
    if (d->flags & XLP_DOMAIN_BUILDING)
        m->room.built_kib +=
            xlp_max_kib(xlp_promised_kib(d), xlp_reservations_kept_kib(&m->reservations, d));
    else if (takes_promise(d, &past->balloon))
        m->room.promised_others_kib += xlp_promised_kib(d);
}

/* ---- the pool ---- */

static void measure_room(struct xlp_memory *m, const struct xlp_snapshot *s)
{
    struct room *room = &m->room;
    int64_t reserve_kib = xlp_policy_reserve_kib(&m->policy, s->memory.total_kib);

    /* What a domain being built still lacks is, as a rule, what the toolstack has claimed. */
    reserve_kib += xlp_max_kib(s->memory.claims_kib, room->built_kib);
    room->free_for_reservations_kib =
        s->memory.free_kib - reserve_kib - room->promised_others_kib - room->promised_kib;
    room->reserved_kib = xlp_reservations_kept_kib(&m->reservations, NULL);
    room->free_kib = room->free_for_reservations_kib - room->reserved_kib;
    room->pool_kib += room->free_kib + s->memory.scrub_kib;
}

static void share(struct xlp_memory *m, const struct xlp_snapshot *s)
{
    struct room *room = &m->room;
    int64_t stretch_kib =
        xlp_reservations_stretch(&m->reservations, s, room->pool_kib - room->claimed_kib);

    room->reserved_kib += stretch_kib;
    room->free_kib -= stretch_kib;
    room->pool_kib -= stretch_kib;
    room->needs_met =
        xlp_allocate(m->pot.claims, m->party_count, room->pool_kib, m->pot.ranges) > XLP_LEVEL_NEED;
    for (size_t i = 0; i < m->party_count; i++) {
        const struct xlp_claim *c = &m->pot.claims[i];

        m->parties[i].fair_kib = c->given_kib;
        m->parties[i].entitled_kib =
            xlp_max_kib(c->level_kib[XLP_LEVEL_ENTITLED],
                        xlp_min_kib(c->level_kib[XLP_LEVEL_NEED], c->share_kib));
    }
}

/* ---- what comes of it ---- */

static int append_action(const struct party *p, struct xlp_plan *plan)
{
    struct xlp_action *a =
        xlp_plan_add(plan, p->releasing ? XLP_RELEASE_TARGET : XLP_SET_TARGET, p->domain);

    if (!a)
        return -1;
    a->from_kib = p->told_kib;
    a->to_kib = p->target_kib;
    /* dom0's limit is its own: whoever finds it too low could not mend it from without. */
    if (p->domain->domid != 0 || p->target_kib > p->domain->memory.max_kib)
        a->limit_kib = p->limit_kib;
    say(&a->reason, p->why);
    return 0;
}

static int append_if(const struct xlp_memory *m, size_t count, bool grows, struct xlp_plan *plan)
{
    for (size_t i = 0; i < count; i++) {
        const struct party *p = &m->parties[m->pot.picked[i]];

        if ((p->target_kib > p->told_kib) == grows && append_action(p, plan) < 0)
            return -1;
    }
    return 0;
}

static int append_actions(const struct xlp_memory *m, size_t count, struct xlp_plan *plan)
{
    return append_if(m, count, false, plan) < 0 ? -1 : append_if(m, count, true, plan);
}

/* Said while every guest still has its margin: what follows, nobody could avert. */
static struct xlp_reason verdict_on_host(const struct room *room)
{
    if (room->floors_kib > room->pool_kib)
        return (struct xlp_reason){.code = XLP_REASON_MEM_FLOORS_EXCEED,
                                   .number = {room->floors_kib, xlp_max_kib(0, room->pool_kib)}};
    if (room->need_kib > room->pool_kib / 100 * NEEDS_NEAR_PCT)
        return (struct xlp_reason){.code = XLP_REASON_MEM_NEEDS_EXCEED,
                                   .number = {room->need_kib, room->pool_kib}};
    return (struct xlp_reason){.code = XLP_REASON_NONE};
}
