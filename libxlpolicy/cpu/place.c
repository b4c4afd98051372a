/* SPDX-License-Identifier: LGPL-2.1-only */
/* One pool in one tick: what each vCPU is entitled to, whose it is to move, and where it goes. */

#include <string.h>

#include "ownership.h"
#include "tick.h"
#include "weights.h"

/* A claim for each vCPU of the domain; where the scheduler hands out cores, for each of the groups
 * that it schedules as one, which wants what the busiest of them wants. */
static size_t add_claims(struct tick *t, uint32_t domain, size_t n)
{
    const struct domain_work *d = &t->c->domains[domain];
    const double weight = xlp_weight_of(t->c->weights, t->s, domain);

    for (uint32_t k = 0; k < d->vcpu_count; k += t->pool.unit) {
        struct claim claim = {.weight = weight};

        for (uint32_t i = k; i < k + t->pool.unit && i < d->vcpu_count; i++)
            claim.demand = xlp_max(claim.demand, t->views[d->first_vcpu + i].demand);
        t->c->claimants[n] = d->first_vcpu + k;
        t->c->claims[n++] = claim;
    }
    return n;
}

/* What each vCPU is entitled to in a pool that has not enough for all; dom0 and those we may not
 * touch have their part too. */
static void entitle_pool(struct tick *t)
{
    struct xlp_cpu *c = t->c;
    size_t n = 0;

    for (uint32_t i = 0; i < t->s->domain_count; i++)
        if (c->domains[i].pool == t->pool_index)
            n = add_claims(t, i, n);
    xlp_entitle(c->claims, n, (double)t->pool.slot_count, c->scratch);
    for (size_t i = 0; i < n; i++) {
        const uint32_t first = c->claimants[i], end = first + t->pool.unit;
        uint32_t v = first;

        do
            t->views[v].entitlement = xlp_min(t->views[v].demand, c->claims[i].entitlement);
        while (++v < end && v < t->s->vcpu_count &&
               t->s->vcpus[v].domain == t->s->vcpus[first].domain);
    }
}

/* A pCPU as a slot; XLP_NOWHERE where it is not one of those allowed (NULL: all of the pool's). */
static uint32_t slot_of(const struct tick *t, uint32_t pcpu, const struct xlp_cpumap *allowed)
{
    uint32_t slot;

    if (!xlp_cpumap_test(&t->pool.online, pcpu))
        return XLP_NOWHERE;
    slot = t->pool.slot_of[pcpu];
    return !allowed || xlp_cpumap_test(allowed, slot) ? slot : XLP_NOWHERE;
}

/* Our pin of the time when affinity was hard: it would stay until the vCPU moves, and cost it what
 * soft affinity is there to save. */
static bool is_to_be_softened(const struct tick *t, const struct xlp_vcpu *v,
                              const struct tenure *tenure)
{
    return tenure->ours && t->policy->cpu_affinity == XLP_AFFINITY_SOFT &&
           v->ledger.our_hard != v->ledger.original_hard && t->c->maps[v->hard].pin != XLP_UNKNOWN;
}

/* What is placed goes as one, so it is as large as the largest of its vCPUs. */
static void take_largest(const struct tick *t, uint32_t first, uint32_t end, struct item *item)
{
    for (uint32_t i = first; i < end; i++) {
        item->load = xlp_max(item->load, t->views[i].entitlement);
        item->demand = xlp_max(item->demand, t->views[i].demand);
    }
}

/* Of the vCPUs from first on, which go together. */
static void add_item(struct tick *t, uint32_t first, uint32_t end, const struct domain_work *d,
                     const struct tenure *tenure)
{
    const struct xlp_vcpu *v = &t->s->vcpus[first];
    const struct xlp_cpumap *allowed = tenure->allowed;
    struct item *item = &t->items[t->item_count++];

    *item = (struct item){
        .load = t->views[first].entitlement,
        .demand = t->views[first].demand,
        .allowed = allowed,
        .owner = v->domain,
        .home_node = tenure->home_node,
        .slot = tenure->home_slot,
        .prefer = XLP_NOWHERE,
        .why_first = XLP_REASON_CPU_FIRST_PLACE,
        .may_move = t->c->now.homes[first].settle_ticks == 0,
        .vcpu = first,
    };
    if (end - first > 1)
        take_largest(t, first + 1, end, item);
    if (allowed && !xlp_cpumap_test(allowed, item->slot))
        item->slot = XLP_NOWHERE;
    if (item->slot == XLP_NOWHERE)
        item->prefer = slot_of(t, tenure->prefer, allowed);
    else if (is_to_be_softened(t, v, tenure))
        item->why = XLP_REASON_CPU_MODE;
    if (d->passthrough)
        xlp_bind_to_device(t, item);
    if (item->slot != XLP_NOWHERE)
        t->c->load_before[item->slot] += item->load;
}

/* Notes where a vCPU is bound; if that changed since the last snapshot, whoever did it, it is given
 * time to settle. Whether it can be placed: it is online, and what it wants is known. */
static bool watch_home(struct tick *t, uint32_t vcpu, uint32_t pcpu)
{
    struct vcpu_home *home = &t->c->now.homes[vcpu];
    struct xlp_vcpu_view *view = &t->views[vcpu];

    if (home->settle_ticks > 0)
        home->settle_ticks--;
    if (home->pcpu != pcpu && home->pcpu != XLP_UNKNOWN)
        home->settle_ticks = (uint32_t)t->policy->cpu_cooldown_ticks;
    home->pcpu = view->home = pcpu;
    return t->s->vcpus[vcpu].online & view->known;
}

/* The vCPUs from first on, which the scheduler takes as one and which have one affinity, so what
 * holds for the first holds for all: into an item to place, or load that is just there. */
static void sort_vcpus(struct tick *t, uint32_t first, uint32_t end, struct domain_work *d,
                       enum xlp_reason_code forbidden)
{
    struct tenure tenure;
    uint32_t v = first;
    bool there = false;

    xlp_tenure(&t->s->vcpus[first], &t->pool, t->policy, forbidden, &tenure);
    do
        there |= watch_home(t, v, tenure.home);
    while (++v < end);
    if (!tenure.movable && d->unmoved == XLP_REASON_NONE) {
        d->unmoved = tenure.verdict;
        d->number = (uint32_t)tenure.number;
    }
    /* Nothing is decided on a look that could be compared with none before. */
    if (tenure.movable && t->elapsed_ns && there)
        add_item(t, first, end, d, &tenure);
    else
        for (v = first; v < end; v++)
            xlp_add_fixed(t, v);
}

static void sort_domain(struct tick *t, struct domain_work *d)
{
    const enum xlp_reason_code forbidden = d->unmoved;
    const uint32_t end = d->first_vcpu + d->vcpu_count, unit = t->pool.unit;
    const size_t first = t->item_count;
    size_t kin;

    for (uint32_t v = d->first_vcpu; v < end; v += unit)
        sort_vcpus(t, v, end - v < unit ? end : v + unit, d, forbidden);
    kin = t->item_count - first;
    if (kin == 0)
        return;
    d->first_item = (uint32_t)(t->items_so_far + first);
    for (size_t i = first; i < first + kin; i++)
        t->items[i].kin = (uint32_t)kin;
}

static struct balance_limits limits_of(const struct xlp_policy *p, uint32_t moves_max)
{
    return (struct balance_limits){
        .overload = (double)p->cpu_overload_pct / 100,
        .uneven = (double)p->cpu_uneven_pct / 100,
        .even = (double)p->cpu_even_pct / 100,
        .uneven_ticks = (uint32_t)p->cpu_uneven_ticks,
        .moves_max = moves_max,
    };
}

static int place(struct tick *t)
{
    struct xlp_cpu *c = t->c;
    struct balance_limits limits = limits_of(t->policy, t->moves_max);
    const struct balance_room room = {c->scratch, c->shelves};
    struct lane *lane = xlp_lane_of(c, t->pool.pool->id);

    if (!lane)
        return -1;
    if (t->word->round_robin) {
        xlp_round_robin(t->items, t->item_count, t->pool.slot_count, limits.moves_max);
        return 0;
    }
    t->word->mean = xlp_balance(t->items, t->item_count, c->slots, t->pool.slot_count, &limits,
                                lane, &room, &t->word->budget_gone);
    t->word->waits = !lane->open && lane->uneven_ticks > 0;
    return 0;
}

static void start_pool(struct tick *t)
{
    struct xlp_cpu *c = t->c;

    xlp_pool_facts(t->s, &t->s->pools[t->pool_index], c->slots, c->maps, c->map_slots, &t->pool);
    memset(c->load_before, 0, t->pool.slot_count * sizeof(*c->load_before));
    t->items = c->items + t->items_so_far;
    t->item_count = 0;
    t->word = &c->pool_words[t->pool_index];
    *t->word = (struct pool_word){
        .first_item = t->items_so_far,
        .slot_count = t->pool.slot_count,
        .round_robin = t->policy->cpu_policy == XLP_CPU_ROUND_ROBIN,
    };
}

static void end_pool(struct tick *t)
{
    for (size_t i = 0; i < t->pool.slot_count; i++)
        t->c->load[t->pool.pcpu_of[i]] = t->c->slots[i].load;
    t->items_so_far += t->item_count;
}

int xlp_place_pool(struct tick *t)
{
    start_pool(t);
    if (t->pool.slot_count == 0)
        return 0;
    if (t->pool.unit > 1 || t->c->pool_demand[t->pool_index] > (double)t->pool.slot_count)
        entitle_pool(t);
    for (uint32_t i = 0; i < t->s->domain_count; i++)
        if (t->c->domains[i].pool == t->pool_index)
            sort_domain(t, &t->c->domains[i]);
    for (size_t i = 0; i < t->pool.slot_count; i++)
        t->c->load_before[i] += t->c->slots[i].fixed_load;
    if (place(t) < 0 || xlp_add_placements(t) < 0)
        return -1;
    end_pool(t);
    return 0;
}
