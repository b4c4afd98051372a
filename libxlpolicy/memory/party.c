/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Who takes part in sharing memory out, and with what: what a guest may be asked to give, what it
 * may be given, and what it claims of the pool. A guest on its way back to what it had before us,
 * and one that fell silent with what we gave it, take part on terms of their own.
 */
#include "memory/parts.h"

static void set_levels(struct party *p, const struct xlp_policy *policy,
                       const struct xlp_domain_policy *own);
static void release(struct party *p, const struct xlp_policy *policy,
                    const struct xlp_domain_policy *own);
static void report(struct party *p);
static void fall_silent(struct party *p, const struct xlp_policy *policy,
                        const struct xlp_domain_policy *own);
static enum xlp_reason_code held_by(const struct party *p, const struct xlp_policy *policy);
static void add_to_room(const struct party *p, struct room *room);
static void claim(const struct party *p, const struct xlp_policy *policy, struct xlp_claim *c);

static bool is_young(const struct xlp_domain *d, const struct xlp_policy *policy)
{
    return d->age_ns < (uint64_t)policy->mem_boot_hold_s * XLP_SECOND_NS;
}

void xlp_party_join(struct party *p, const struct xlp_domain *d, struct past *past,
                    const struct xlp_policy *policy, const struct xlp_domain_policy *own,
                    struct room *room, struct xlp_claim *claim_out)
{
    const struct balloon *b = &past->balloon;
    bool waits = b->failed && b->retry_left_ns > 0;

    p->domain = d;
    p->past = past;
    p->node = d->memory_node < NODES_MAX ? d->memory_node : XLP_UNKNOWN;
    p->shares = own->shares > 0 ? own->shares : 1;
    p->decided = p->releasing = p->silent = p->in_danger = false;
    p->refused = past->refusal.left_ns > 0;
    p->rests = b->direction == 0;
    p->actual_kib = d->memory.actual_kib;
    p->told_kib = p->target_kib = d->memory.target_kib;
    p->goal_kib = p->limit_kib = 0;
    p->dead_zone_kib =
        xlp_max_kib(policy->mem_quantum_kib, p->actual_kib / 100 * policy->mem_dead_zone_pct);
    set_levels(p, policy, own);
    p->held_by = held_by(p, policy);
    p->may_shrink = p->held_by == XLP_REASON_NONE && !b->slow && !waits;
    p->may_recall = d->domid != 0 && !is_young(d, policy) && !b->slow && !b->failed && !p->refused;
    /* Raising the target of a balloon that would not shrink is no promise: it has the memory. */
    p->may_grow = !p->refused && (b->direction < 0 || (!b->slow && !waits));
    if (xlp_memory_is_releasing(d))
        release(p, policy, own);
    else if (past->off_limits == XLP_REASON_NONE)
        report(p);
    else
        fall_silent(p, policy, own);
    p->fitting_kib = xlp_fitting_limit_kib(p);
    add_to_room(p, room);
    claim(p, policy, claim_out);
    room->claimed_kib += claim_out->level_kib[XLP_LEVEL_NEED];
}

static void set_levels(struct party *p, const struct xlp_policy *policy,
                       const struct xlp_domain_policy *own)
{
    if (xlp_has_report(p->domain))
        xlp_demand_levels(&p->past->demand, p->domain, policy, own, &p->levels);
    else
        p->levels = (struct levels){.floor_kib = xlp_floor_kib(p->domain, policy, own)};
}

/* Why it must not be made smaller now; NONE: it may be. */
static enum xlp_reason_code held_by(const struct party *p, const struct xlp_policy *policy)
{
    const struct xlp_domain_memory *m = &p->domain->memory;
    const struct demand *demand = &p->past->demand;

    if (p->refused)
        return XLP_REASON_MEM_REFUSED;
    if (!xlp_has_report(p->domain))
        return XLP_REASON_MEM_NO_AGENT;
    if (m->report_age_ns > (uint64_t)policy->mem_stale_s * XLP_SECOND_NS)
        return XLP_REASON_MEM_STALE;
    if (demand->pressure_left_ns > 0)
        return XLP_REASON_MEM_PRESSURE;
    if (is_young(p->domain, policy))
        return XLP_REASON_MEM_BOOTING;
    if (!demand->overhead_known && m->report.source != XLP_REPORT_QUBES)
        return XLP_REASON_MEM_LEARNING;
    return XLP_REASON_NONE;
}

/* ---- on its way back ---- */

/* What it had before us is the least that it should have now, if it can live with that: it did, and
 * the operator asks for it, though we would leave a guest more. */
static int64_t released_safe_kib(const struct party *p, const struct xlp_policy *policy,
                                 const struct xlp_domain_policy *own)
{
    const struct xlp_domain_memory *m = &p->domain->memory;
    int64_t original_kib = m->ledger.original_target_kib;
    int64_t asked_kib = xlp_max_kib(own->floor_kib, m->dynamic_min_kib);
    int64_t least_kib = xlp_max_kib(asked_kib, p->levels.used_kib + policy->mem_margin_kib / 2);

    return original_kib >= least_kib ? original_kib : p->levels.safe_kib;
}

/* What it had before us is what it needs now, if that is more than it has; what it gives up, others
 * get once it is there. */
static void release(struct party *p, const struct xlp_policy *policy,
                    const struct xlp_domain_policy *own)
{
    int64_t owed_kib = xlp_max_kib(p->told_kib, p->domain->memory.ledger.original_target_kib);

    p->releasing = true;
    p->may_recall = false;
    p->may_shrink = p->held_by == XLP_REASON_NONE;
    p->levels.safe_kib = p->may_shrink ? released_safe_kib(p, policy, own) : p->told_kib;
    p->levels.need_kib = p->levels.comfort_kib = p->levels.cap_kib = owed_kib;
}

/* ---- silent ---- */

/* A guest that no longer reports keeps what it has. If that is our doing, it takes part with it all
 * the same: else it could take what is free and then fall silent. */
bool xlp_party_fell_silent(const struct xlp_domain *d, enum xlp_reason_code off_limits)
{
    return xlp_memory_is_ours(&d->memory) &&
           (off_limits == XLP_REASON_MEM_BAD_REPORT || off_limits == XLP_REASON_MEM_NO_AGENT);
}

/* What it had before us it may well need again by now, and nobody would know: so that is what it
 * gets back, as far as nobody else needs it. */
static void comfort(struct party *p)
{
    const struct xlp_domain_memory *m = &p->domain->memory;
    struct levels *l = &p->levels;
    int64_t before_kib = xlp_min_kib(m->ledger.original_target_kib, xlp_cap_kib(m));

    p->silent = true;
    if (!xlp_memory_is_ours(m))
        return;
    l->comfort_kib = xlp_max_kib(l->comfort_kib, before_kib);
    l->cap_kib = xlp_max_kib(l->cap_kib, l->comfort_kib);
}

/* Ours reports every few seconds, others when something changes, or every two minutes. */
static void report(struct party *p)
{
    if (p->held_by == XLP_REASON_MEM_STALE && p->domain->memory.report.source == XLP_REPORT_AGENT)
        comfort(p);
}

static void fall_silent(struct party *p, const struct xlp_policy *policy,
                        const struct xlp_domain_policy *own)
{
    int64_t has_kib = p->told_kib;

    p->levels =
        (struct levels){.used_kib = has_kib,
                        .floor_kib = xlp_min_kib(has_kib, xlp_floor_kib(p->domain, policy, own)),
                        .safe_kib = has_kib,
                        .bare_kib = has_kib,
                        .wanted_kib = has_kib,
                        .need_kib = has_kib,
                        .comfort_kib = has_kib,
                        .cap_kib = has_kib};
    if (!p->refused)
        p->held_by = p->past->off_limits;
    p->may_shrink = false;
    comfort(p);
}

/* ---- the pool ---- */

/* Its balloon is not seen to move. */
static bool keeps_what_it_has(const struct party *p)
{
    return p->past->balloon.slow || p->past->balloon.failed;
}

/* What one on its way back is to have again says nothing of what it needs. */
static int64_t needs_kib(const struct party *p)
{
    return p->releasing ? xlp_min_kib(p->levels.wanted_kib, p->levels.cap_kib) : p->levels.need_kib;
}

static void add_to_room(const struct party *p, struct room *room)
{
    int64_t promised_kib = xlp_promised_kib(p->domain);

    room->pool_kib += p->actual_kib + promised_kib;
    room->promised_kib += promised_kib;
    room->floors_kib += p->levels.floor_kib;
    room->need_kib += needs_kib(p);
    room->anybody_releases |= p->releasing;
    room->anybody_failed |= p->past->balloon.failed;
    if (keeps_what_it_has(p))
        room->idle_kib += promised_kib;
    else if (p->past->balloon.direction < 0)
        room->coming_kib += p->actual_kib - p->told_kib;
}

static int64_t between_kib(int64_t kib, int64_t least_kib, int64_t most_kib)
{
    return xlp_max_kib(least_kib, xlp_min_kib(kib, most_kib));
}

/* What cannot be taken from it, whoever needs it. All guests depend on dom0, so it keeps what it
 * uses and its margin, be that more than its share. */
static int64_t held_of_kib(const struct party *p, int64_t has_kib)
{
    if (p->may_recall)
        return xlp_min_kib(has_kib, p->levels.floor_kib);
    if (p->domain->domid == 0 && p->may_shrink)
        return xlp_min_kib(has_kib, p->levels.need_kib);
    return has_kib;
}

static void claim(const struct party *p, const struct xlp_policy *policy, struct xlp_claim *c)
{
    const struct levels *l = &p->levels;
    int64_t has_kib = keeps_what_it_has(p) ? xlp_max_kib(p->actual_kib, p->told_kib) : p->told_kib;
    int64_t most_kib = p->may_grow ? xlp_max_kib(l->cap_kib, has_kib) : has_kib;
    int64_t held_kib = held_of_kib(p, has_kib);
    /* What it has of its need stays with it, and all of it while it is not known what it needs:
     * needs of others are met from surplus, or from what is beyond a share. */
    int64_t own_kib = p->may_shrink ? xlp_min_kib(has_kib, l->need_kib) : has_kib;
    int64_t kept_kib = between_kib(own_kib, held_kib, most_kib);
    int64_t bare_kib = between_kib(l->bare_kib, kept_kib, most_kib);
    int64_t need_kib = between_kib(l->need_kib, bare_kib, most_kib);
    int64_t comfort_kib = between_kib(l->comfort_kib, need_kib, most_kib);

    c->shares = p->shares;
    c->floor_kib = l->floor_kib;
    c->cap_kib = most_kib;
    c->has_kib = has_kib;
    c->untaxed_pct = 100 - (uint32_t)policy->mem_idle_tax_pct;
    c->level_kib[XLP_LEVEL_HELD] = held_kib;
    c->level_kib[XLP_LEVEL_ENTITLED] = xlp_min_kib(xlp_claimed_kib(p), most_kib);
    c->level_kib[XLP_LEVEL_KEPT] = kept_kib;
    c->level_kib[XLP_LEVEL_BARE] = bare_kib;
    c->level_kib[XLP_LEVEL_NEED] = need_kib;
    c->level_kib[XLP_LEVEL_COMFORT] = comfort_kib;
    c->level_kib[XLP_LEVEL_SURPLUS] =
        policy->mem_surplus == XLP_SURPLUS_GUESTS ? most_kib : comfort_kib;
}
