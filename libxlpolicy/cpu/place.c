/* SPDX-License-Identifier: LGPL-2.1-only */
/* One pool in one tick: what each vCPU is entitled to, whose it is to move, and where it goes. */

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
        uint32_t first = c->claimants[i], domain = t->s->vcpus[first].domain;

        for (uint32_t v = first;
             v < first + t->pool.unit && v < t->s->vcpu_count && t->s->vcpus[v].domain == domain;
             v++)
            t->views[v].entitlement = xlp_min(t->views[v].demand, c->claims[i].entitlement);
    }
}

/* Where a vCPU that we do not place runs: where both masks let it, or else where the hard one does.
 */
static struct xlp_cpumap slots_of_fixed(const struct tick *t, const struct xlp_vcpu *v)
{
    const struct map_facts *hard = &t->c->maps[v->hard], *soft = &t->c->maps[v->soft];
    struct xlp_cpumap both;

    if (soft->covers || soft->empty)
        return *hard->slots;
    if (hard->covers)
        return *soft->slots;
    both = xlp_cpumap_and(hard->slots, soft->slots);
    return xlp_cpumap_is_empty(&both) ? *hard->slots : both;
}

/* Its load lies on its pin, or is spread over where it may run. */
static void add_fixed(struct tick *t, uint32_t vcpu)
{
    const struct xlp_vcpu_view *view = &t->views[vcpu];
    struct xlp_cpumap slots;
    uint32_t count;

    if (view->demand == 0)
        return;
    slots = slots_of_fixed(t, &t->s->vcpus[vcpu]);
    count = xlp_cpumap_count(&slots);
    for (uint32_t i = xlp_cpumap_next(&slots, 0); i < XLP_PCPUS_MAX;
         i = xlp_cpumap_next(&slots, i + 1)) {
        t->c->slots[i].fixed_load += view->entitlement / count;
        t->c->slots[i].fixed_demand += view->demand / count;
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

/* The node (as in struct slot) of a guest's PCI device, or XLP_NOWHERE. */
static uint32_t device_node(const struct tick *t, const struct xlp_domain *d)
{
    if (d->device_node == XLP_UNKNOWN)
        return XLP_NOWHERE;
    for (size_t i = 0; i < t->s->pcpu_count; i++)
        if (t->s->pcpus[i].node == d->device_node &&
            xlp_cpumap_test(&t->pool.online, t->s->pcpus[i].id))
            return t->c->slots[t->pool.slot_of[t->s->pcpus[i].id]].node;
    return XLP_NOWHERE;
}

/* A guest stays on the node of its device, if its mask lets it be there at all. */
static void bind_to_device(const struct tick *t, struct item *item)
{
    uint32_t node = device_node(t, &t->s->domains[item->owner]);
    bool may = false;

    for (uint32_t i = 0; i < t->pool.slot_count && !may; i++)
        may = t->c->slots[i].node == node && (!item->allowed || xlp_cpumap_test(item->allowed, i));
    if (!may)
        return;
    item->home_node = node;
    item->stays_home = true;
    if (item->slot == XLP_NOWHERE) {
        item->why_first = XLP_REASON_CPU_DEVICE_FIRST;
    } else if (t->c->slots[item->slot].node != node) {
        item->slot = XLP_NOWHERE;
        item->why_first = XLP_REASON_CPU_DEVICE_NODE;
    }
}

/* vcpus: so many go together, from this one on. */
static void add_item(struct tick *t, uint32_t vcpu, uint32_t vcpus, const struct tenure *tenure)
{
    const struct xlp_vcpu *v = &t->s->vcpus[vcpu];
    struct item *item = &t->items[t->item_count];

    t->item_vcpus[t->item_count++] = vcpu;
    *item = (struct item){
        .load = t->views[vcpu].entitlement,
        .demand = t->views[vcpu].demand,
        .owner = v->domain,
        .home_node = tenure->home_node,
        .allowed = xlp_tenure_slots(&t->pool, tenure),
        .why_first = XLP_REASON_CPU_FIRST_PLACE,
        .may_move = t->c->now.vcpus[vcpu].settle_ticks == 0,
    };
    for (uint32_t i = vcpu + 1; i < vcpu + vcpus; i++) {
        item->load = xlp_max(item->load, t->views[i].entitlement);
        item->demand = xlp_max(item->demand, t->views[i].demand);
    }
    item->slot = slot_of(t, tenure->home, item->allowed);
    item->prefer =
        item->slot == XLP_NOWHERE ? slot_of(t, tenure->prefer, item->allowed) : XLP_NOWHERE;
    if (item->slot != XLP_NOWHERE && is_to_be_softened(t, v, tenure))
        item->why = XLP_REASON_CPU_MODE;
    if (t->c->domains[v->domain].passthrough)
        bind_to_device(t, item);
}

/* A vCPU that changed places since the last snapshot, by whomever, is given time to settle. */
static void watch_home(struct tick *t, uint32_t vcpu, uint32_t home)
{
    struct vcpu_past *past = &t->c->now.vcpus[vcpu];

    if (past->settle_ticks > 0)
        past->settle_ticks--;
    if (past->home != home && past->home != XLP_UNKNOWN)
        past->settle_ticks = (uint32_t)t->policy->cpu_cooldown_ticks;
    past->home = home;
    t->views[vcpu].home = home;
}

/* Whether one of these vCPUs can be placed: it is online, and what it wants is known. */
static bool is_there(const struct tick *t, uint32_t first, uint32_t count)
{
    for (uint32_t v = first; v < first + count; v++)
        if (t->s->vcpus[v].online && t->views[v].known)
            return true;
    return false;
}

/* The vCPUs of one domain: into items to place, and load that is just there. Those that the
 * scheduler takes as one have one affinity: what holds for the first holds for all. */
static void sort_domain(struct tick *t, uint32_t domain)
{
    struct domain_work *d = &t->c->domains[domain];
    const enum xlp_reason_code forbidden = d->unmoved;
    uint32_t end = d->first_vcpu + d->vcpu_count, count;
    size_t first = t->item_count;

    for (uint32_t v = d->first_vcpu; v < end; v += count) {
        struct tenure tenure;

        count = end - v < t->pool.unit ? end - v : t->pool.unit;
        xlp_tenure(&t->s->vcpus[v], &t->pool, t->policy, forbidden, &tenure);
        for (uint32_t i = v; i < v + count; i++)
            watch_home(t, i, tenure.home);
        if (!tenure.movable && d->unmoved == XLP_REASON_NONE) {
            d->unmoved = tenure.verdict;
            d->number = (uint32_t)tenure.number;
        }
        /* Nothing is decided on a look that could be compared with none before. */
        if (tenure.movable && t->elapsed_ns && is_there(t, v, count))
            add_item(t, v, count, &tenure);
        else
            for (uint32_t i = v; i < v + count; i++)
                add_fixed(t, i);
    }
    if (t->item_count > first)
        d->first_item = (uint32_t)(t->items_so_far + first);
    for (size_t i = first; i < t->item_count; i++)
        t->items[i].kin = (uint32_t)(t->item_count - first);
}

static void note_loads(struct tick *t)
{
    for (size_t i = 0; i < t->pool.slot_count; i++)
        t->c->load_before[i] = t->c->slots[i].fixed_load;
    for (size_t i = 0; i < t->item_count; i++)
        if (t->items[i].slot != XLP_NOWHERE)
            t->c->load_before[t->items[i].slot] += t->items[i].load;
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
    t->items = c->items + t->items_so_far;
    t->item_vcpus = c->item_vcpus + t->items_so_far;
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
            sort_domain(t, i);
    note_loads(t);
    if (place(t) < 0 || xlp_add_placements(t) < 0)
        return -1;
    end_pool(t);
    return 0;
}
