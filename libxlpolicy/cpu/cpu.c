/* SPDX-License-Identifier: LGPL-2.1-only */
/* One tick of the CPU half: measure, find out what is ours, entitle, place, and say why. */
#include "cpu.h"

#include <math.h>
#include <stdlib.h>

#include "grow.h"
#include "tick.h"
#include "weights.h"

#define NO_IDLE 0.03 /* a pCPU with less idle time than this is saturated */

struct xlp_cpu *xlp_cpu_new(void)
{
    struct xlp_cpu *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    xlp_budget_init(&c->budget);
    c->weights = xlp_weights_new();
    if (c->weights)
        return c;
    xlp_cpu_free(c);
    return NULL;
}

void xlp_cpu_free(struct xlp_cpu *c)
{
    if (!c)
        return;
    free(c->now.domains);
    free(c->now.vcpus);
    free(c->before.domains);
    free(c->before.vcpus);
    free(c->pools);
    xlp_weights_free(c->weights);
    xlp_budget_dispose(&c->budget);
    free(c->domains);
    free(c->claims);
    free(c->items);
    free(c->claimants);
    free(c->item_vcpus);
    free(c->scratch);
    free(c->pool_demand);
    free(c->maps);
    free(c->slots);
    free(c->load_before);
    free(c);
}

static int make_room(struct xlp_cpu *c, const struct xlp_snapshot *s);
static void measure(struct tick *t);
static uint32_t moves_of_a_tick(const struct xlp_policy *p, const struct xlp_snapshot *s);
static int decide_pool(struct tick *t);

int xlp_cpu_decide(struct xlp_cpu *c, const struct xlp_snapshot *s, const struct xlp_policy *policy,
                   uint64_t elapsed_ns, struct xlp_plan *plan, struct xlp_vcpu_view *views)
{
    struct tick t = {
        .c = c, .s = s, .policy = policy, .elapsed_ns = elapsed_ns, .plan = plan, .views = views};

    if (make_room(c, s) < 0 || xlp_recall(c, s) < 0 ||
        xlp_budget_divide(&c->budget, s, moves_of_a_tick(policy, s)) < 0)
        return -1;
    measure(&t);
    if (xlp_weights_decide(c->weights, s, policy, elapsed_ns, views, plan) < 0)
        return -1;
    for (size_t i = 0; i < s->pool_count; i++) {
        size_t before = plan->action_count;

        t.pool_index = (uint32_t)xlp_budget_pool(&c->budget, i);
        t.moves_max = xlp_budget_open(&c->budget, t.pool_index);
        if (decide_pool(&t) < 0)
            return -1;
        xlp_budget_close(&c->budget, (uint32_t)(plan->action_count - before));
    }
    return 0;
}

/* Of all these arrays the room is that of the smallest. */
static int make_room(struct xlp_cpu *c, const struct xlp_snapshot *s)
{
    const struct {
        void *array;
        size_t size, count, *room;
    } arrays[] = {
        {&c->domains, sizeof(*c->domains), s->domain_count, &c->domain_room},
        {&c->claims, sizeof(*c->claims), s->vcpu_count, &c->vcpu_room},
        {&c->items, sizeof(*c->items), s->vcpu_count, &c->vcpu_room},
        {&c->claimants, sizeof(*c->claimants), s->vcpu_count, &c->vcpu_room},
        {&c->item_vcpus, sizeof(*c->item_vcpus), s->vcpu_count, &c->vcpu_room},
        {&c->pool_demand, sizeof(*c->pool_demand), s->pool_count, &c->pool_demand_room},
        {&c->slots, sizeof(*c->slots), s->pcpu_count, &c->slot_room},
        {&c->load_before, sizeof(*c->load_before), s->pcpu_count, &c->slot_room},
        {&c->maps, sizeof(*c->maps), s->map_count, &c->map_room},
        {&c->scratch, sizeof(*c->scratch), 2 * (s->vcpu_count + s->pcpu_count), &c->scratch_room},
    };
    const size_t last = sizeof(arrays) / sizeof(arrays[0]) - 1;

    for (size_t i = 0; i <= last; i++) {
        size_t room = *arrays[i].room;

        if (xlp_grow(arrays[i].array, &room, arrays[i].count, arrays[i].size) < 0)
            return -1;
        if (i == last || arrays[i + 1].room != arrays[i].room)
            *arrays[i].room = room;
    }
    return 0;
}

/* ---- measuring ---- */

static void measure_pcpus(struct tick *t)
{
    t->c->saturated = xlp_cpumap_none();
    for (size_t i = 0; i < t->s->pcpu_count; i++) {
        const struct xlp_pcpu *p = &t->s->pcpus[i];
        uint64_t *before = &t->c->idle_ns[p->id];

        if (p->online && t->elapsed_ns && p->idle_ns >= *before &&
            (double)(p->idle_ns - *before) < NO_IDLE * (double)t->elapsed_ns)
            xlp_cpumap_set(&t->c->saturated, p->id);
        *before = p->idle_ns;
    }
}

/* A domain's cap, spread over its online vCPUs. */
static double cap_per_vcpu(const struct xlp_snapshot *s, const struct xlp_domain *d)
{
    uint32_t online = 0;

    if (d->cap_pct == 0)
        return 1;
    for (uint32_t k = 0; k < d->vcpu_count; k++)
        online += s->vcpus[d->first_vcpu + k].online;
    return online ? fmin(1, d->cap_pct / 100.0 / online) : 1;
}

/* Measures a domain's vCPUs. Returns what they want, all together. */
static double measure_vcpus(struct tick *t, const struct xlp_domain *d)
{
    struct demand_input in = {
        .now_ns = t->s->time_ns, .elapsed_ns = t->elapsed_ns, .cap = cap_per_vcpu(t->s, d)};
    double sum = 0;

    for (uint32_t i = d->first_vcpu; i < d->first_vcpu + d->vcpu_count; i++) {
        const struct xlp_vcpu *v = &t->s->vcpus[i];
        struct vcpu_past *past = &t->c->now.vcpus[i];
        struct xlp_vcpu_view *view = &t->views[i];
        double used;

        in.pcpu_saturated = xlp_cpumap_test(&t->c->saturated, v->pcpu);
        used = xlp_measure_demand(v, &in, past);
        view->used = used > 0 ? used : 0;
        view->known = past->known;
        view->home = XLP_UNKNOWN;
        view->demand = past->known && v->online && !d->flags ? past->demand : 0;
        view->entitlement = view->demand; /* unless there is not enough */
        sum += view->demand;
    }
    return sum;
}

/* Its place in the snapshot, or XLP_UNKNOWN: a domain that is being moved may be in no pool. */
static uint32_t pool_index(const struct xlp_snapshot *s, uint32_t pool_id, uint32_t guess)
{
    if (guess < s->pool_count && s->pools[guess].id == pool_id)
        return guess;
    for (uint32_t i = 0; i < s->pool_count; i++)
        if (s->pools[i].id == pool_id)
            return i;
    return XLP_UNKNOWN;
}

static void measure(struct tick *t)
{
    const struct xlp_reason nowhere = {.code = XLP_REASON_CPU_NOWHERE};
    uint32_t pool = 0;

    measure_pcpus(t);
    for (size_t i = 0; i < t->s->pool_count; i++)
        t->c->pool_demand[i] = 0;
    for (uint32_t i = 0; i < t->s->domain_count; i++) {
        const struct xlp_domain *d = &t->s->domains[i];
        struct xlp_domain_policy terms = xlp_policy_for(t->policy, d->name);
        double demand = measure_vcpus(t, d);

        pool = pool_index(t->s, d->pool_id, pool);
        t->c->domains[i] = (struct domain_work){
            .pool = pool,
            .first_vcpu = d->first_vcpu,
            .vcpu_count = d->vcpu_count,
            .forbidden = xlp_domain_tenure(d, t->policy, &terms),
        };
        if (pool == XLP_UNKNOWN)
            xlp_explain(t, i, &nowhere);
        else
            t->c->pool_demand[pool] += demand;
    }
}

/* ---- one pool ---- */

/* A claim for each vCPU of the domain; where the scheduler hands out cores, for each of the groups
 * that it schedules as one, which wants what the busiest of them wants. */
static size_t add_claims(struct tick *t, uint32_t domain, size_t n)
{
    const struct domain_work *d = &t->c->domains[domain];
    const double weight = xlp_weight_of(t->c->weights, t->s, domain);

    for (uint32_t k = 0; k < d->vcpu_count; k += t->pool.unit) {
        struct claim claim = {.weight = weight};

        for (uint32_t i = k; i < k + t->pool.unit && i < d->vcpu_count; i++)
            claim.demand = fmax(claim.demand, t->views[d->first_vcpu + i].demand);
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
            t->views[v].entitlement = fmin(t->views[v].demand, c->claims[i].entitlement);
    }
}

/* Where a vCPU that we do not place runs: where both masks let it, or else where the hard one does.
 */
static struct xlp_cpumap slots_of_fixed(const struct tick *t, const struct xlp_vcpu *v)
{
    const struct map_facts *hard = &t->c->maps[v->hard], *soft = &t->c->maps[v->soft];
    struct xlp_cpumap both;

    if (soft->covers || soft->empty)
        return hard->slots;
    if (hard->covers)
        return soft->slots;
    both = xlp_cpumap_and(&hard->slots, &soft->slots);
    return xlp_cpumap_is_empty(&both) ? hard->slots : both;
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
    struct item *item = &t->c->items[t->item_count];

    t->c->item_vcpus[t->item_count++] = vcpu;
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
        item->load = fmax(item->load, t->views[i].entitlement);
        item->demand = fmax(item->demand, t->views[i].demand);
    }
    item->slot = slot_of(t, tenure->home, item->allowed);
    item->prefer = slot_of(t, tenure->prefer, item->allowed);
    if (item->slot != XLP_NOWHERE && is_to_be_softened(t, v, tenure))
        item->why = XLP_REASON_CPU_MODE;
    if (t->s->domains[v->domain].passthrough_devices)
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
    uint32_t end = d->first_vcpu + d->vcpu_count, count;
    size_t first = t->item_count;

    for (uint32_t v = d->first_vcpu; v < end; v += count) {
        struct tenure tenure;

        count = end - v < t->pool.unit ? end - v : t->pool.unit;
        xlp_tenure(&t->s->vcpus[v], &t->pool, t->policy, d->forbidden, &tenure);
        for (uint32_t i = v; i < v + count; i++)
            watch_home(t, i, tenure.home);
        if (!tenure.movable && !d->explained)
            xlp_explain(t, domain, &(struct xlp_reason){tenure.verdict, {tenure.number}});
        /* Nothing is decided on a look that could be compared with none before. */
        if (tenure.movable && t->elapsed_ns && is_there(t, v, count))
            add_item(t, v, count, &tenure);
        else
            for (uint32_t i = v; i < v + count; i++)
                add_fixed(t, i);
    }
    for (size_t i = first; i < t->item_count; i++)
        t->c->items[i].kin = (uint32_t)(t->item_count - first);
}

static void note_loads(struct tick *t)
{
    for (size_t i = 0; i < t->pool.slot_count; i++)
        t->c->load_before[i] = t->c->slots[i].fixed_load;
    for (size_t i = 0; i < t->item_count; i++)
        if (t->c->items[i].slot != XLP_NOWHERE)
            t->c->load_before[t->c->items[i].slot] += t->c->items[i].load;
}

static uint32_t moves_of_a_tick(const struct xlp_policy *p, const struct xlp_snapshot *s)
{
    uint32_t part = (uint32_t)(s->vcpu_count / 20);

    if (p->cpu_moves_max)
        return (uint32_t)p->cpu_moves_max;
    return part > 16 ? part : 16;
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
    struct lane *lane = xlp_lane_of(c, t->pool.pool->id);

    if (!lane)
        return -1;
    if (t->policy->cpu_policy == XLP_CPU_ROUND_ROBIN) {
        xlp_round_robin(c->items, t->item_count, t->pool.slot_count, limits.moves_max);
        return 0;
    }
    t->mean = xlp_balance(c->items, t->item_count, c->slots, t->pool.slot_count, &limits, lane,
                          c->scratch, &t->budget_gone);
    t->waits = !lane->open && lane->uneven_ticks > 0;
    return 0;
}

static int decide_pool(struct tick *t)
{
    xlp_pool_facts(t->s, &t->s->pools[t->pool_index], t->c->slots, t->c->maps, &t->pool);
    t->item_count = 0;
    t->mean = 0;
    t->waits = t->budget_gone = false;
    if (t->pool.slot_count == 0)
        return xlp_explain_pool(t);
    if (t->pool.unit > 1 || t->c->pool_demand[t->pool_index] > (double)t->pool.slot_count)
        entitle_pool(t);
    for (uint32_t i = 0; i < t->s->domain_count; i++)
        if (t->c->domains[i].pool == t->pool_index)
            sort_domain(t, i);
    note_loads(t);
    return place(t) < 0 ? -1 : xlp_explain_pool(t);
}
