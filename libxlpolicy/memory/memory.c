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
    struct xlp_claim *claims;
    size_t claim_room;
    struct reservations reservations;
};

static int make_room(struct xlp_memory *m, size_t domain_count);
static void recall(struct xlp_memory *m, const struct xlp_snapshot *s, bool same);
static void observe(struct past *past, const struct xlp_snapshot *s, const struct xlp_domain *d,
                    const struct xlp_policy *policy, uint64_t passed_ns, bool restart);
static void gather(struct xlp_memory *m, const struct xlp_snapshot *s,
                   const struct xlp_policy *policy, const struct xlp_roster *roster,
                   struct xlp_plan *plan, struct xlp_domain_view *views);
static struct room measure_room(const struct xlp_memory *m, const struct xlp_snapshot *s,
                                const struct xlp_policy *policy);
static void share(struct xlp_memory *m, const struct xlp_snapshot *s,
                  const struct xlp_policy *policy, struct room *room);
static int append_actions(const struct xlp_memory *m, struct xlp_plan *plan);
static struct xlp_reason verdict(const struct party *p, const struct room *room);
static struct xlp_reason verdict_on_host(const struct xlp_memory *m, const struct room *room);

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
    free(m->claims);
    free(m);
}

int xlp_memory_decide(struct xlp_memory *m, const struct xlp_snapshot *s,
                      const struct xlp_policy *policy, const struct xlp_roster *roster,
                      bool restart, struct xlp_plan *plan, struct xlp_domain_view *views)
{
    uint64_t passed_ns = restart ? 0 : s->time_ns - m->time_ns;
    struct room room;

    m->time_ns = s->time_ns;
    /* What a guest says is taken in although memory is left alone: it is shown, and has to be
     * known once that changes. */
    m->at_rest =
        policy->mem_policy == XLP_MEM_OFF && roster->memory_quiet && s->reservation_count == 0;
    if (m->at_rest) {
        m->past_count = 0;
        plan->memory = (struct xlp_reason){.code = XLP_REASON_NONE};
        xlp_reservations_observe(&m->reservations, s);
        return 0;
    }
    if (make_room(m, s->domain_count) < 0)
        return -1;
    recall(m, s, roster->same);
    for (size_t i = 0; i < s->domain_count; i++)
        observe(&m->past[i], s, &s->domains[i], policy, passed_ns, restart);
    gather(m, s, policy, roster, plan, views);
    xlp_reservations_observe(&m->reservations, s);
    room = measure_room(m, s, policy);
    share(m, s, policy, &room);
    xlp_pace_release(m->parties, m->party_count, policy, &room, m->claims);
    xlp_pace_trouble(m->parties, m->party_count, &room);
    xlp_pace_wants(m->parties, m->party_count, policy, passed_ns, &room);
    xlp_pace_shrink(m->parties, m->party_count, policy, passed_ns, &room);
    xlp_pace_grow(m->parties, m->party_count, false, policy, &room, m->claims);
    xlp_pace_limits(m->parties, m->party_count);
    for (size_t i = 0; i < m->party_count; i++)
        plan->verdicts[m->parties[i].index].memory = verdict(&m->parties[i], &room);
    plan->memory = verdict_on_host(m, &room);
    if (append_actions(m, plan) < 0)
        return -1;
    return xlp_reservations_decide(&m->reservations, s, &room, passed_ns, plan);
}

static int make_room(struct xlp_memory *m, size_t domain_count)
{
    if (xlp_grow(&m->past, &m->past_room, domain_count, sizeof(*m->past)) < 0 ||
        xlp_grow(&m->next, &m->next_room, domain_count, sizeof(*m->next)) < 0 ||
        xlp_grow(&m->parties, &m->party_room, domain_count, sizeof(*m->parties)) < 0 ||
        xlp_grow(&m->claims, &m->claim_room, domain_count, sizeof(*m->claims)) < 0)
        return -1;
    return 0;
}

/* ---- nothing to do ---- */

void xlp_memory_explain(const struct xlp_memory *m, const struct xlp_snapshot *s,
                        const struct xlp_roster *roster, struct xlp_plan *plan,
                        struct xlp_domain_view *views)
{
    if (!m->at_rest)
        return;
    for (size_t i = 0; i < s->domain_count; i++) {
        const struct xlp_domain *d = &s->domains[i];

        plan->verdicts[i].memory =
            (struct xlp_reason){.code = d->domid == 0 ? XLP_REASON_MEM_DOM0 : XLP_REASON_MEM_OFF};
        views[i] = (struct xlp_domain_view){
            .floor_kib = xlp_floor_kib(&d->memory, xlp_roster_terms(roster, i))};
    }
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

static bool has_report(const struct xlp_domain *d)
{
    return d->memory.report.source != XLP_REPORT_NONE && !d->memory.report_bad;
}

static void observe(struct past *past, const struct xlp_snapshot *s, const struct xlp_domain *d,
                    const struct xlp_policy *policy, uint64_t passed_ns, bool restart)
{
    xlp_hold_observe(&past->hold, d, policy, passed_ns);
    xlp_refusal_observe(&past->refusal, &d->memory, passed_ns);
    xlp_balloon_observe(&past->balloon, &d->memory, s->memory.free_kib, passed_ns,
                        restart || d->flags != 0);
    if (restart || d->flags != 0 || !has_report(d))
        past->demand.measured = false;
    if (has_report(d))
        xlp_demand_observe(&past->demand, &d->memory, past->balloon.rest_ns, passed_ns);
}

/* ---- the managed guests ---- */

static bool is_young(const struct xlp_domain *d, const struct xlp_policy *policy)
{
    return d->age_ns < (uint64_t)policy->mem_boot_hold_s * XLP_SECOND_NS;
}

/* Why it must not be made smaller now; code NONE: it may be. */
static struct xlp_reason not_shrunk_because(const struct party *p, const struct xlp_policy *policy)
{
    const struct xlp_domain_memory *m = &p->domain->memory;
    const struct demand *demand = &p->past->demand;
    int64_t report_age_s = (int64_t)(m->report_age_ns / XLP_SECOND_NS);
    int64_t age_s = (int64_t)(p->domain->age_ns / XLP_SECOND_NS);
    int64_t retry_s = (int64_t)((p->past->refusal.left_ns + XLP_SECOND_NS - 1) / XLP_SECOND_NS);
    bool stale = m->report_age_ns > (uint64_t)policy->mem_stale_s * XLP_SECOND_NS;

    if (p->refused)
        return (struct xlp_reason){.code = XLP_REASON_MEM_REFUSED,
                                   .number = {m->target_kib, retry_s}};
    if (!has_report(p->domain))
        return (struct xlp_reason){.code = XLP_REASON_MEM_NO_AGENT, .number = {m->actual_kib}};
    if (stale)
        return (struct xlp_reason){.code = XLP_REASON_MEM_STALE,
                                   .number = {report_age_s, p->levels.used_kib}};
    if (demand->pressure_left_ns > 0)
        return (struct xlp_reason){
            .code = XLP_REASON_MEM_PRESSURE,
            .number = {m->report.psi_some_avg10_centipct, p->levels.used_kib}};
    if (is_young(p->domain, policy))
        return (struct xlp_reason){.code = XLP_REASON_MEM_BOOTING, .number = {age_s}};
    if (!demand->overhead_known && m->report.source != XLP_REPORT_QUBES)
        return (struct xlp_reason){.code = XLP_REASON_MEM_LEARNING,
                                   .number = {m->actual_kib, m->report.total_kib}};
    return (struct xlp_reason){.code = XLP_REASON_NONE};
}

static struct party *add_party(struct xlp_memory *m, const struct xlp_domain *d, size_t index,
                               const struct levels *levels, const struct xlp_policy *policy,
                               const struct xlp_domain_policy *own)
{
    struct party *p = &m->parties[m->party_count++];
    const struct balloon *b = &m->past[index].balloon;
    bool waits = b->failed && b->retry_left_ns > 0;

    *p = (struct party){
        .domain = d,
        .past = &m->past[index],
        .index = index,
        .shares = own->shares > 0 ? own->shares : 1,
        .levels = *levels,
        .target_kib = d->memory.target_kib,
    };
    p->past->managed = true;
    p->refused = p->past->refusal.left_ns > 0;
    p->held_by = not_shrunk_because(p, policy);
    p->may_shrink = p->held_by.code == XLP_REASON_NONE && !b->slow && !waits;
    p->may_recall = !is_young(d, policy) && !b->slow && !b->failed && !p->refused;
    /* Raising the target of a balloon that would not shrink is no promise: it has the memory. */
    p->may_grow = !p->refused && (b->direction < 0 || (!b->slow && !waits));
    return p;
}

/* What it had before us is the least that it should have now, if it can live with that: it did, and
 * the operator asks for it, though we would leave a guest more. */
static int64_t released_safe_kib(const struct xlp_domain *d, const struct levels *levels,
                                 const struct xlp_policy *policy,
                                 const struct xlp_domain_policy *own)
{
    int64_t original_kib = d->memory.ledger.original_target_kib;
    int64_t asked_kib = xlp_max_kib(own->floor_kib, d->memory.dynamic_min_kib);
    int64_t least_kib = xlp_max_kib(asked_kib, levels->used_kib + policy->mem_margin_kib / 2);

    return original_kib >= least_kib ? original_kib : levels->safe_kib;
}

/* What it had before us is what it needs now, if that is more than it has; what it gives up, others
 * get once it is there. */
static void add_releasing(struct xlp_memory *m, const struct xlp_domain *d, size_t index,
                          const struct levels *levels, const struct xlp_policy *policy,
                          const struct xlp_domain_policy *own)
{
    struct party *p = add_party(m, d, index, levels, policy, own);
    int64_t owed_kib = xlp_max_kib(d->memory.target_kib, d->memory.ledger.original_target_kib);

    p->releasing = true;
    p->may_recall = false;
    p->may_shrink = p->held_by.code == XLP_REASON_NONE;
    p->levels.safe_kib =
        p->may_shrink ? released_safe_kib(d, levels, policy, own) : d->memory.target_kib;
    p->levels.need_kib = p->levels.comfort_kib = p->levels.cap_kib = owed_kib;
}

static bool is_ours(const struct xlp_domain_memory *m)
{
    return m->ledger.recorded && m->ledger.our_target_kib == m->target_kib;
}

/* A guest that no longer reports keeps what it has. If that is our doing, it takes part with it all
 * the same: else it could take what is free and then fall silent. */
static bool fell_silent(const struct xlp_domain *d, const struct xlp_reason *why_not)
{
    return is_ours(&d->memory) &&
           (why_not->code == XLP_REASON_MEM_BAD_REPORT || why_not->code == XLP_REASON_MEM_NO_AGENT);
}

/* What it had before us it may well need again by now, and nobody would know: so that is what it
 * gets back, as far as nobody else needs it. */
static void comfort_silent(struct party *p)
{
    const struct xlp_domain_memory *m = &p->domain->memory;
    struct levels *l = &p->levels;
    int64_t before_kib = xlp_min_kib(m->ledger.original_target_kib, xlp_cap_kib(m));

    p->silent = true;
    if (!is_ours(m))
        return;
    l->comfort_kib = xlp_max_kib(l->comfort_kib, before_kib);
    l->cap_kib = xlp_max_kib(l->cap_kib, l->comfort_kib);
}

static void add_reporting(struct xlp_memory *m, const struct xlp_domain *d, size_t index,
                          const struct levels *levels, const struct xlp_policy *policy,
                          const struct xlp_domain_policy *own)
{
    struct party *p = add_party(m, d, index, levels, policy, own);

    /* Ours reports every few seconds, others when something changes, or every two minutes. */
    if (p->held_by.code == XLP_REASON_MEM_STALE && d->memory.report.source == XLP_REPORT_AGENT)
        comfort_silent(p);
}

static void add_silent(struct xlp_memory *m, const struct xlp_domain *d, size_t index,
                       const struct xlp_policy *policy, const struct xlp_domain_policy *own,
                       const struct xlp_reason *why_not)
{
    int64_t has_kib = d->memory.target_kib;
    struct levels levels = {.used_kib = has_kib,
                            .floor_kib = xlp_min_kib(has_kib, xlp_floor_kib(&d->memory, own)),
                            .safe_kib = has_kib,
                            .bare_kib = has_kib,
                            .wanted_kib = has_kib,
                            .need_kib = has_kib,
                            .comfort_kib = has_kib,
                            .cap_kib = has_kib};
    struct party *p = add_party(m, d, index, &levels, policy, own);

    if (!p->refused)
        p->held_by = *why_not;
    p->may_shrink = false;
    comfort_silent(p);
}

static void gather(struct xlp_memory *m, const struct xlp_snapshot *s,
                   const struct xlp_policy *policy, const struct xlp_roster *roster,
                   struct xlp_plan *plan, struct xlp_domain_view *views)
{
    m->party_count = 0;
    for (size_t i = 0; i < s->domain_count; i++) {
        const struct xlp_domain *d = &s->domains[i];
        const struct xlp_domain_policy *own = xlp_roster_terms(roster, i);
        struct levels levels = {.floor_kib = xlp_floor_kib(&d->memory, own)};
        struct xlp_reason *why_not = &plan->verdicts[i].memory;

        views[i].known = has_report(d);
        if (views[i].known)
            levels = xlp_demand_levels(&m->past[i].demand, &d->memory, policy, own);
        views[i].used_kib = levels.used_kib;
        views[i].need_kib = levels.need_kib;
        views[i].comfort_kib = levels.comfort_kib;
        views[i].floor_kib = levels.floor_kib;
        m->past[i].managed = false;
        if (xlp_memory_is_releasing(d))
            add_releasing(m, d, i, &levels, policy, own);
        else if (xlp_memory_eligible(s, d, policy, own, &m->past[i].hold, why_not))
            add_reporting(m, d, i, &levels, policy, own);
        else if (fell_silent(d, why_not))
            add_silent(m, d, i, policy, own, why_not);
    }
}

/* ---- the pool ---- */

/* What has been promised to a domain that it has not taken yet. */
static int64_t promised_kib(const struct xlp_domain *d)
{
    const struct xlp_domain_memory *m = &d->memory;
    int64_t to_kib = m->max_kib > 0 ? xlp_min_kib(m->target_kib, m->max_kib) : m->target_kib;

    return xlp_max_kib(0, to_kib - m->actual_kib);
}

/* Anybody may write a target that its guest never reaches, and nobody takes it back: memory is set
 * aside for it only while the guest is on its way there. What we promised is there, and stays there
 * for a guest that is paused; but we do not wait for a balloon that does not move. */
static bool takes_promise(const struct xlp_domain *d, const struct balloon *b)
{
    if (d->flags & (XLP_DOMAIN_DYING | XLP_DOMAIN_SHUTDOWN) || !d->memory.balloon)
        return false;
    return (d->flags == 0 || is_ours(&d->memory)) && !b->slow && !b->failed;
}

/* Its balloon is not seen to move. */
static bool keeps_what_it_has(const struct party *p)
{
    return p->past->balloon.slow || p->past->balloon.failed;
}

static bool brings_memory_back(const struct party *p)
{
    return p->past->balloon.direction < 0 && !keeps_what_it_has(p);
}

static struct room measure_room(const struct xlp_memory *m, const struct xlp_snapshot *s,
                                const struct xlp_policy *policy)
{
    struct room room = {.quantum_kib = policy->mem_quantum_kib};
    int64_t reserve_kib = xlp_policy_reserve_kib(policy, s->memory.total_kib);
    int64_t built_kib = 0, promised_others_kib = 0, promised_ours_kib = 0;

    for (size_t i = 0; i < s->domain_count; i++) {
        const struct xlp_domain *d = &s->domains[i];

        if (d->flags & XLP_DOMAIN_BUILDING)
            built_kib +=
                xlp_max_kib(promised_kib(d), xlp_reservations_kept_kib(&m->reservations, d));
        else if (!m->past[i].managed && takes_promise(d, &m->past[i].balloon))
            promised_others_kib += promised_kib(d);
    }
    for (size_t i = 0; i < m->party_count; i++) {
        const struct xlp_domain_memory *memory = &m->parties[i].domain->memory;

        promised_ours_kib += promised_kib(m->parties[i].domain);
        room.pool_kib += memory->actual_kib;
        if (brings_memory_back(&m->parties[i]))
            room.coming_kib += memory->actual_kib - memory->target_kib;
        if (keeps_what_it_has(&m->parties[i]))
            room.idle_kib += promised_kib(m->parties[i].domain);
    }
    /* What a domain being built still lacks is, as a rule, what the toolstack has claimed. */
    reserve_kib += xlp_max_kib(s->memory.claims_kib, built_kib);
    room.free_for_reservations_kib =
        s->memory.free_kib - reserve_kib - promised_others_kib - promised_ours_kib;
    room.reserved_kib = xlp_reservations_kept_kib(&m->reservations, NULL);
    room.free_kib = room.free_for_reservations_kib - room.reserved_kib;
    room.pool_kib += room.free_kib + s->memory.scrub_kib + promised_ours_kib;
    return room;
}

static void claim(const struct party *p, const struct xlp_policy *policy, struct xlp_claim *c)
{
    const struct xlp_domain_memory *m = &p->domain->memory;
    const struct levels *l = &p->levels;
    int64_t has_kib =
        keeps_what_it_has(p) ? xlp_max_kib(m->actual_kib, m->target_kib) : m->target_kib;
    int64_t most_kib = p->may_grow ? xlp_max_kib(l->cap_kib, has_kib) : has_kib;

    *c = (struct xlp_claim){.shares = p->shares,
                            .floor_kib = l->floor_kib,
                            .cap_kib = most_kib,
                            .has_kib = has_kib,
                            .untaxed_pct = 100 - (uint32_t)policy->mem_idle_tax_pct};
    c->level_kib[XLP_LEVEL_HELD] = p->may_recall ? xlp_min_kib(has_kib, l->floor_kib) : has_kib;
    /* What it has of its need stays with it, and all of it while it is not known what it needs:
     * needs of others are met from surplus, or from what is beyond a share. */
    c->level_kib[XLP_LEVEL_KEPT] = p->may_shrink ? xlp_min_kib(has_kib, l->need_kib) : has_kib;
    c->level_kib[XLP_LEVEL_BARE] = l->bare_kib;
    c->level_kib[XLP_LEVEL_NEED] = l->need_kib;
    c->level_kib[XLP_LEVEL_COMFORT] = l->comfort_kib;
    c->level_kib[XLP_LEVEL_SURPLUS] =
        policy->mem_surplus == XLP_SURPLUS_GUESTS ? most_kib : l->comfort_kib;
    for (int i = XLP_LEVEL_KEPT; i < XLP_LEVELS; i++) {
        int below = i == XLP_LEVEL_KEPT ? XLP_LEVEL_HELD : i - 1;

        c->level_kib[i] = xlp_min_kib(c->level_kib[i], most_kib);
        c->level_kib[i] = xlp_max_kib(c->level_kib[i], c->level_kib[below]);
    }
    c->level_kib[XLP_LEVEL_ENTITLED] = xlp_min_kib(xlp_claimed_kib(p), most_kib);
}

static void share(struct xlp_memory *m, const struct xlp_snapshot *s,
                  const struct xlp_policy *policy, struct room *room)
{
    int64_t need_kib = 0, stretch_kib;

    for (size_t i = 0; i < m->party_count; i++) {
        claim(&m->parties[i], policy, &m->claims[i]);
        need_kib += m->claims[i].level_kib[XLP_LEVEL_NEED];
    }
    stretch_kib = xlp_reservations_stretch(&m->reservations, s, room->pool_kib - need_kib);
    room->reserved_kib += stretch_kib;
    room->free_kib -= stretch_kib;
    room->pool_kib -= stretch_kib;
    room->needs_met = xlp_allocate(m->claims, m->party_count, room->pool_kib) > XLP_LEVEL_NEED;
    for (size_t i = 0; i < m->party_count; i++) {
        m->parties[i].fair_kib = m->claims[i].given_kib;
        m->parties[i].entitled_kib = xlp_max_kib(
            m->claims[i].level_kib[XLP_LEVEL_ENTITLED],
            xlp_min_kib(m->claims[i].level_kib[XLP_LEVEL_NEED], m->claims[i].share_kib));
    }
}

/* ---- what comes of it ---- */

static int append_action(const struct party *p, struct xlp_plan *plan)
{
    struct xlp_action *a =
        xlp_plan_add(plan, p->releasing ? XLP_RELEASE_TARGET : XLP_SET_TARGET, p->domain);

    if (!a)
        return -1;
    a->from_kib = p->domain->memory.target_kib;
    a->to_kib = p->target_kib;
    a->limit_kib = p->limit_kib;
    a->reason = p->why;
    return 0;
}

static int append_if(const struct xlp_memory *m, bool grows, struct xlp_plan *plan)
{
    for (size_t i = 0; i < m->party_count; i++) {
        const struct party *p = &m->parties[i];

        if (p->why.code != XLP_REASON_NONE &&
            (p->target_kib > p->domain->memory.target_kib) == grows && append_action(p, plan) < 0)
            return -1;
    }
    return 0;
}

static int append_actions(const struct xlp_memory *m, struct xlp_plan *plan)
{
    return append_if(m, false, plan) < 0 ? -1 : append_if(m, true, plan);
}

/* Said while every guest still has its margin: what follows, nobody could avert. */
static struct xlp_reason verdict_on_host(const struct xlp_memory *m, const struct room *room)
{
    int64_t floors_kib = 0, need_kib = 0;

    for (size_t i = 0; i < m->party_count; i++) {
        floors_kib += m->parties[i].levels.floor_kib;
        need_kib += m->parties[i].levels.need_kib;
    }
    if (floors_kib > room->pool_kib)
        return (struct xlp_reason){.code = XLP_REASON_MEM_FLOORS_EXCEED,
                                   .number = {floors_kib, xlp_max_kib(0, room->pool_kib)}};
    if (need_kib > room->pool_kib / 100 * NEEDS_NEAR_PCT)
        return (struct xlp_reason){.code = XLP_REASON_MEM_NEEDS_EXCEED,
                                   .number = {need_kib, room->pool_kib}};
    return (struct xlp_reason){.code = XLP_REASON_NONE};
}

static struct xlp_reason verdict_on_balloon(const struct party *p)
{
    const struct xlp_domain_memory *m = &p->domain->memory;
    const struct balloon *b = &p->past->balloon;
    int64_t aim_kib = b->failed ? b->failed_target_kib : m->target_kib;

    if (b->slow || (b->failed && b->retry_left_ns > 0))
        return (struct xlp_reason){.code = XLP_REASON_MEM_STUCK,
                                   .number = {m->actual_kib, aim_kib, xlp_balloon_retry_s(b)}};
    if (b->direction != 0)
        return (struct xlp_reason){.code = XLP_REASON_MEM_MOVING,
                                   .number = {m->actual_kib, m->target_kib}};
    return (struct xlp_reason){.code = XLP_REASON_NONE};
}

static struct xlp_reason verdict(const struct party *p, const struct room *room)
{
    const struct xlp_domain_memory *m = &p->domain->memory;
    const struct levels *l = &p->levels;
    struct xlp_reason on_balloon = verdict_on_balloon(p);

    if (p->why.code != XLP_REASON_NONE)
        return p->why;
    if (p->refused)
        return p->held_by;
    if (on_balloon.code != XLP_REASON_NONE)
        return on_balloon;
    if (p->releasing && m->target_kib < m->ledger.original_target_kib)
        return (struct xlp_reason){.code = XLP_REASON_MEM_RELEASE_WAITS,
                                   .number = {m->actual_kib, m->ledger.original_target_kib,
                                              xlp_max_kib(0, room->free_kib)}};
    if (p->releasing)
        return (struct xlp_reason){
            .code = XLP_REASON_MEM_RELEASE_HELD,
            .number = {m->actual_kib, m->ledger.original_target_kib, l->safe_kib}};
    if (l->wanted_kib > l->cap_kib && m->target_kib > l->cap_kib - room->quantum_kib)
        return (struct xlp_reason){.code = XLP_REASON_MEM_AT_MAX,
                                   .number = {l->wanted_kib, l->cap_kib}};
    if (m->target_kib < l->need_kib)
        return (struct xlp_reason){
            .code = XLP_REASON_MEM_WAITS,
            .number = {l->need_kib, m->actual_kib, xlp_max_kib(0, room->free_kib)}};
    if (p->held_by.code != XLP_REASON_NONE)
        return p->held_by;
    return (struct xlp_reason){.code = XLP_REASON_MEM_SATISFIED,
                               .number = {l->used_kib, l->need_kib, m->actual_kib}};
}
