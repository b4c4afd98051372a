/* SPDX-License-Identifier: LGPL-2.1-only */
/* One tick of the CPU half: measure, find out what is ours, entitle, place, and say why. */
#include "cpu.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "grow.h"
#include "parts.h"

#define NO_IDLE 0.03 /* a pCPU with less idle time than this is saturated */

struct pool_past {
    uint32_t id;
    struct lane lane;
};

/* Parallel to the snapshot's domains; pasts are parallel to its vCPUs. */
struct domain_past {
    uint32_t domid;
    uint8_t uuid[16];
    uint32_t first_vcpu, vcpu_count;
};

struct memory_of {
    struct domain_past *domains;
    size_t domain_count, domain_room;
    struct vcpu_past *vcpus;
    size_t vcpu_room;
};

struct xlp_cpu {
    struct memory_of now, before; /* swapped each tick */
    struct pool_past *pools;
    size_t pool_count, pool_room;
    uint64_t idle_ns[XLP_PCPUS_MAX]; /* by pCPU id, at the previous snapshot */
    struct xlp_cpumap saturated;     /* in the last interval */

    /* Room for one tick's work, kept. All but slots are as long as the snapshot's vCPUs. */
    struct tenure *tenures;
    struct claim *claims;
    struct item *items;
    struct xlp_cpumap *allowed; /* of each item, over slots */
    uint32_t *item_vcpus;       /* index of each item's vCPU in the snapshot */
    uint32_t *scratch;
    size_t work_room;
    struct map_facts *map_facts; /* as long as the snapshot's maps */
    size_t map_room;
    struct slot *slots;
    uint32_t *slot_pcpus;
    size_t slot_room;
};

/* What one tick hands down to its steps. */
struct tick {
    struct xlp_cpu *c;
    const struct xlp_snapshot *s;
    const struct xlp_policy *policy;
    uint64_t elapsed_ns;
    struct xlp_plan *plan;
    struct xlp_vcpu_view *views;
};

struct xlp_cpu *xlp_cpu_new(void)
{
    return calloc(1, sizeof(struct xlp_cpu));
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
    free(c->tenures);
    free(c->claims);
    free(c->items);
    free(c->allowed);
    free(c->item_vcpus);
    free(c->scratch);
    free(c->map_facts);
    free(c->slots);
    free(c->slot_pcpus);
    free(c);
}

static int make_room(struct xlp_cpu *c, const struct xlp_snapshot *s);
static int recall(struct tick *t);
static void measure(struct tick *t);
static int decide_pool(struct tick *t, const struct xlp_pool *pool);
static void explain_poolless(struct tick *t);

int xlp_cpu_decide(struct xlp_cpu *c, const struct xlp_snapshot *s, const struct xlp_policy *policy,
                   uint64_t elapsed_ns, struct xlp_plan *plan, struct xlp_vcpu_view *views)
{
    struct tick t = {c, s, policy, elapsed_ns, plan, views};

    if (make_room(c, s) < 0 || recall(&t) < 0)
        return -1;
    measure(&t);
    explain_poolless(&t);
    for (size_t i = 0; i < s->pool_count; i++)
        if (decide_pool(&t, &s->pools[i]) < 0)
            return -1;
    return 0;
}

/* ---- what is remembered ---- */

static int make_room(struct xlp_cpu *c, const struct xlp_snapshot *s)
{
    size_t n = s->vcpu_count, room;

    room = c->work_room;
    if (xlp_grow(&c->tenures, &room, n, sizeof(*c->tenures)) < 0)
        return -1;
    room = c->work_room;
    if (xlp_grow(&c->claims, &room, n, sizeof(*c->claims)) < 0)
        return -1;
    room = c->work_room;
    if (xlp_grow(&c->items, &room, n, sizeof(*c->items)) < 0)
        return -1;
    room = c->work_room;
    if (xlp_grow(&c->allowed, &room, n, sizeof(*c->allowed)) < 0)
        return -1;
    room = c->work_room;
    if (xlp_grow(&c->item_vcpus, &room, n, sizeof(*c->item_vcpus)) < 0)
        return -1;
    room = c->work_room;
    if (xlp_grow(&c->scratch, &room, n, sizeof(*c->scratch)) < 0)
        return -1;
    c->work_room = room;
    room = c->slot_room;
    if (xlp_grow(&c->slots, &room, s->pcpu_count, sizeof(*c->slots)) < 0)
        return -1;
    room = c->slot_room;
    if (xlp_grow(&c->slot_pcpus, &room, s->pcpu_count, sizeof(*c->slot_pcpus)) < 0)
        return -1;
    c->slot_room = room;
    return xlp_grow(&c->map_facts, &c->map_room, s->map_count, sizeof(*c->map_facts));
}

/* The domain of the previous tick that is this one; both lists rise by domid, *at walks along. */
static const struct domain_past *same_domain(const struct memory_of *before, size_t *at,
                                             const struct xlp_domain *d)
{
    const struct domain_past *past;

    while (*at < before->domain_count && before->domains[*at].domid < d->domid)
        (*at)++;
    if (*at == before->domain_count)
        return NULL;
    past = &before->domains[*at];
    return past->domid == d->domid && memcmp(past->uuid, d->uuid, sizeof(d->uuid)) == 0 ? past
                                                                                        : NULL;
}

/* Brings what is remembered into this snapshot's order; who is new starts empty. A vCPU is found
 * again by its place in its domain: Xen numbers them without gaps, offline ones included. */
static int recall(struct tick *t)
{
    struct xlp_cpu *c = t->c;
    struct memory_of swap = c->before;
    size_t at = 0;

    c->before = c->now;
    c->now = swap;
    if (xlp_grow(&c->now.domains, &c->now.domain_room, t->s->domain_count,
                 sizeof(*c->now.domains)) < 0 ||
        xlp_grow(&c->now.vcpus, &c->now.vcpu_room, t->s->vcpu_count, sizeof(*c->now.vcpus)) < 0)
        return -1;
    c->now.domain_count = t->s->domain_count;
    for (size_t i = 0; i < t->s->domain_count; i++) {
        const struct xlp_domain *d = &t->s->domains[i];
        const struct domain_past *past = same_domain(&c->before, &at, d);
        struct domain_past *now = &c->now.domains[i];

        *now = (struct domain_past){
            .domid = d->domid, .first_vcpu = d->first_vcpu, .vcpu_count = d->vcpu_count};
        memcpy(now->uuid, d->uuid, sizeof(now->uuid));
        for (uint32_t k = 0; k < d->vcpu_count; k++)
            c->now.vcpus[d->first_vcpu + k] =
                past && k < past->vcpu_count
                    ? c->before.vcpus[past->first_vcpu + k]
                    : (struct vcpu_past){.cpu_time_ns = UINT64_MAX, .home = XLP_UNKNOWN};
    }
    return 0;
}

static struct lane *lane_of(struct xlp_cpu *c, uint32_t pool_id)
{
    for (size_t i = 0; i < c->pool_count; i++)
        if (c->pools[i].id == pool_id)
            return &c->pools[i].lane;
    if (xlp_grow(&c->pools, &c->pool_room, c->pool_count + 1, sizeof(*c->pools)) < 0)
        return NULL;
    c->pools[c->pool_count] = (struct pool_past){.id = pool_id};
    return &c->pools[c->pool_count++].lane;
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

    for (uint32_t k = 0; k < d->vcpu_count; k++)
        online += s->vcpus[d->first_vcpu + k].online;
    return d->cap_pct && online ? fmin(1, d->cap_pct / 100.0 / online) : 1;
}

static void measure(struct tick *t)
{
    measure_pcpus(t);
    for (size_t i = 0; i < t->s->domain_count; i++) {
        const struct xlp_domain *d = &t->s->domains[i];
        struct demand_input in = {
            .now_ns = t->s->time_ns, .elapsed_ns = t->elapsed_ns, .cap = cap_per_vcpu(t->s, d)};

        for (uint32_t k = 0; k < d->vcpu_count; k++) {
            const struct xlp_vcpu *v = &t->s->vcpus[d->first_vcpu + k];
            struct vcpu_past *past = &t->c->now.vcpus[d->first_vcpu + k];
            struct xlp_vcpu_view *view = &t->views[d->first_vcpu + k];
            double used;

            in.pcpu_saturated = xlp_cpumap_test(&t->c->saturated, v->pcpu);
            used = xlp_measure_demand(v, &in, past);
            *view = (struct xlp_vcpu_view){
                .used = fmax(0, used), .known = past->known, .home = XLP_UNKNOWN};
            if (past->known && v->online && !d->flags)
                view->demand = past->demand;
        }
    }
}

/* ---- one pool ---- */

static void set_verdict(struct tick *t, uint32_t domain, const struct xlp_reason *reason)
{
    t->plan->verdicts[domain].cpu = *reason;
}

/* A domain in a pool that is not in the snapshot (it is being moved) cannot be placed. */
static void explain_poolless(struct tick *t)
{
    const struct xlp_reason nowhere = {.code = XLP_REASON_CPU_NOWHERE};

    for (size_t i = 0; i < t->s->domain_count; i++)
        if (!xlp_snapshot_pool(t->s, t->s->domains[i].pool_id))
            set_verdict(t, (uint32_t)i, &nowhere);
}

struct pool_work {
    struct pool_facts facts;
    size_t slot_count, item_count;
    uint32_t slot_of[XLP_PCPUS_MAX];   /* by pCPU id */
    double load_before[XLP_PCPUS_MAX]; /* of each slot, before anything is placed */
    double mean;
};

static void number_slots(struct tick *t, struct pool_work *w)
{
    struct xlp_cpu *c = t->c;

    w->slot_count = 0;
    for (uint32_t p = xlp_cpumap_next(&w->facts.online, 0); p < XLP_PCPUS_MAX;
         p = xlp_cpumap_next(&w->facts.online, p + 1)) {
        w->slot_of[p] = (uint32_t)w->slot_count;
        c->slot_pcpus[w->slot_count] = p;
        c->slots[w->slot_count++] = (struct slot){0};
    }
}

/* What each vCPU of the pool is entitled to; dom0 and all we may not touch have their part too. */
static void entitle_pool(struct tick *t, const struct pool_work *w)
{
    struct xlp_cpu *c = t->c;
    size_t n = 0;

    for (size_t i = 0; i < t->s->vcpu_count; i++) {
        const struct xlp_domain *d = &t->s->domains[t->s->vcpus[i].domain];

        if (d->pool_id == w->facts.pool->id) {
            c->item_vcpus[n] = (uint32_t)i;
            c->claims[n++] =
                (struct claim){.demand = t->views[i].demand, .weight = d->weight ? d->weight : 256};
        }
    }
    xlp_entitle(c->claims, n, (double)w->slot_count, c->scratch);
    for (size_t i = 0; i < n; i++)
        t->views[c->item_vcpus[i]].entitlement = c->claims[i].entitlement;
}

/* The load of a vCPU we do not place: on its pin, or spread over where it may run. */
static void add_fixed(struct tick *t, struct pool_work *w, uint32_t vcpu)
{
    const struct xlp_vcpu_view *view = &t->views[vcpu];
    struct xlp_cpumap allowed =
        xlp_cpumap_and(&t->s->maps[t->s->vcpus[vcpu].hard], &w->facts.online);
    uint32_t count = xlp_cpumap_count(&allowed);

    for (uint32_t p = xlp_cpumap_next(&allowed, 0); p < XLP_PCPUS_MAX;
         p = xlp_cpumap_next(&allowed, p + 1)) {
        t->c->slots[w->slot_of[p]].fixed_load += view->entitlement / count;
        t->c->slots[w->slot_of[p]].fixed_demand += view->demand / count;
    }
}

/* The allowed pCPUs as slots, in the item's own map; NULL when that is all of them. */
static const struct xlp_cpumap *allowed_slots(struct tick *t, const struct pool_work *w,
                                              const struct tenure *tenure)
{
    struct xlp_cpumap *slots = &t->c->allowed[w->item_count], pcpus;

    if (xlp_tenure_anywhere(&w->facts, tenure))
        return NULL;
    pcpus = xlp_tenure_allowed(t->s, &w->facts, tenure);
    *slots = xlp_cpumap_none();
    for (uint32_t p = xlp_cpumap_next(&pcpus, 0); p < XLP_PCPUS_MAX;
         p = xlp_cpumap_next(&pcpus, p + 1))
        xlp_cpumap_set(slots, w->slot_of[p]);
    return slots;
}

/* The slot where a vCPU without a home had best start. */
static uint32_t preferred_slot(const struct pool_work *w, uint32_t prefer)
{
    return xlp_cpumap_test(&w->facts.online, prefer) ? w->slot_of[prefer] : XLP_NOWHERE;
}

static void add_item(struct tick *t, struct pool_work *w, uint32_t vcpu)
{
    const struct tenure *tenure = &t->c->tenures[vcpu];
    const struct xlp_cpumap *slots = allowed_slots(t, w, tenure);

    t->c->item_vcpus[w->item_count] = vcpu;
    t->c->items[w->item_count++] = (struct item){
        .load = t->views[vcpu].entitlement,
        .demand = t->views[vcpu].demand,
        .owner = t->s->vcpus[vcpu].domain,
        .slot = tenure->home == XLP_UNKNOWN ? XLP_NOWHERE : w->slot_of[tenure->home],
        .prefer = preferred_slot(w, tenure->prefer),
        .allowed = slots,
        .may_move = t->c->now.vcpus[vcpu].settle_ticks == 0,
    };
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

/* Sorts the pool's vCPUs into items to place and load that is just there. */
static void sort_vcpus(struct tick *t, struct pool_work *w)
{
    const struct xlp_snapshot *s = t->s;

    w->item_count = 0;
    for (uint32_t i = 0; i < s->domain_count; i++) {
        const struct xlp_domain *d = &s->domains[i];
        struct xlp_domain_policy dp;

        if (d->pool_id != w->facts.pool->id)
            continue;
        dp = xlp_policy_for(t->policy, d->name);
        for (uint32_t v = d->first_vcpu; v < d->first_vcpu + d->vcpu_count; v++) {
            struct tenure *tenure = &t->c->tenures[v];

            xlp_tenure(s, &s->vcpus[v], &w->facts, t->policy, &dp, tenure);
            watch_home(t, v, tenure->home);
            if (!tenure->movable && t->plan->verdicts[i].cpu.code == XLP_REASON_NONE)
                set_verdict(t, i, &tenure->verdict);
            if (tenure->movable && s->vcpus[v].online && t->views[v].known)
                add_item(t, w, v);
            else
                add_fixed(t, w, v);
        }
    }
}

static void note_loads(const struct tick *t, struct pool_work *w)
{
    for (size_t i = 0; i < w->slot_count; i++)
        w->load_before[i] = t->c->slots[i].fixed_load;
    for (size_t i = 0; i < w->item_count; i++)
        if (t->c->items[i].slot != XLP_NOWHERE)
            w->load_before[t->c->items[i].slot] += t->c->items[i].load;
}

static struct balance_limits limits_of(const struct xlp_policy *p, const struct xlp_snapshot *s)
{
    uint32_t part = (uint32_t)(s->vcpu_count / 20);

    return (struct balance_limits){
        .overload = (double)p->cpu_overload_pct / 100,
        .uneven = (double)p->cpu_uneven_pct / 100,
        .even = (double)p->cpu_even_pct / 100,
        .uneven_ticks = (uint32_t)p->cpu_uneven_ticks,
        .moves_max = p->cpu_moves_max ? (uint32_t)p->cpu_moves_max
                     : part > 16      ? part
                                      : 16,
    };
}

static int place(struct tick *t, struct pool_work *w)
{
    struct xlp_cpu *c = t->c;
    struct balance_limits limits = limits_of(t->policy, t->s);
    struct lane *lane = lane_of(c, w->facts.pool->id);

    if (!lane)
        return -1;
    if (t->policy->cpu_policy == XLP_CPU_ROUND_ROBIN)
        xlp_round_robin(c->items, w->item_count, w->slot_count);
    else
        w->mean = xlp_balance(c->items, w->item_count, c->slots, w->slot_count, &limits, lane,
                              c->scratch);
    return 0;
}

/* ---- saying so ---- */

static double load_before(const struct pool_work *w, uint32_t pcpu)
{
    return pcpu == XLP_UNKNOWN ? 0 : w->load_before[w->slot_of[pcpu]];
}

static struct xlp_reason reason_of(const struct tick *t, const struct pool_work *w, uint32_t vcpu,
                                   uint32_t from, uint32_t to, const struct item *item,
                                   int64_t position)
{
    int64_t demand = xlp_reason_pct(t->views[vcpu].demand);
    int64_t to_load = xlp_reason_pct(load_before(w, to));

    switch (item->why) {
    case XLP_REASON_CPU_ROUND_ROBIN:
        return (struct xlp_reason){item->why, {position, (int64_t)w->slot_count}};
    case XLP_REASON_CPU_FIRST_PLACE: return (struct xlp_reason){item->why, {demand, to, to_load}};
    default:
        return (struct xlp_reason){
            item->why, {demand, from, xlp_reason_pct(load_before(w, from)), to, to_load}};
    }
}

static int add_placement(struct tick *t, const struct pool_work *w, size_t position)
{
    const struct item *item = &t->c->items[position];
    uint32_t vcpu = t->c->item_vcpus[position], to = t->c->slot_pcpus[item->slot];
    const struct xlp_vcpu *v = &t->s->vcpus[vcpu];
    const struct tenure *tenure = &t->c->tenures[vcpu];
    struct xlp_action *a = xlp_plan_add(t->plan, XLP_PLACE_VCPU, &t->s->domains[v->domain]);

    if (!a)
        return -1;
    a->vcpu = v->id;
    a->from_pcpu = tenure->home;
    a->to_pcpu = to;
    xlp_tenure_masks(t->s, v, tenure, t->policy, to, &a->hard, &a->soft);
    a->reason = reason_of(t, w, vcpu, tenure->home, to, item, (int64_t)position);
    set_verdict(t, v->domain, &a->reason);
    return 0;
}

/* Why a movable vCPU stays; moves of its siblings are told first. */
static void explain_staying(struct tick *t, const struct pool_work *w, size_t position)
{
    const struct item *item = &t->c->items[position];
    uint32_t vcpu = t->c->item_vcpus[position], pcpu = t->c->slot_pcpus[item->slot];
    uint32_t domain = t->s->vcpus[vcpu].domain;
    double load = t->c->slots[item->slot].load;
    struct xlp_reason reason = {.code = load > w->mean * 1.05 + 0.01 ? XLP_REASON_CPU_NO_GAIN
                                                                     : XLP_REASON_CPU_BALANCED,
                                .number = {xlp_reason_pct(t->views[vcpu].demand), pcpu,
                                           xlp_reason_pct(load), xlp_reason_pct(w->mean)}};

    if (t->plan->verdicts[domain].cpu.code != XLP_REASON_NONE)
        return;
    if (t->c->now.vcpus[vcpu].settle_ticks)
        reason = (struct xlp_reason){XLP_REASON_CPU_SETTLING,
                                     {(int64_t)t->c->now.vcpus[vcpu].settle_ticks}};
    set_verdict(t, domain, &reason);
}

static int explain_pool(struct tick *t, const struct pool_work *w)
{
    const struct xlp_reason first_look = {XLP_REASON_CPU_SETTLING, {1}};

    for (size_t i = 0; i < w->item_count; i++) {
        const struct item *item = &t->c->items[i];
        uint32_t home = t->c->tenures[t->c->item_vcpus[i]].home;

        if (item->slot != XLP_NOWHERE && t->c->slot_pcpus[item->slot] != home &&
            add_placement(t, w, i) < 0)
            return -1;
    }
    for (size_t i = 0; i < w->item_count; i++)
        if (t->c->items[i].slot != XLP_NOWHERE)
            explain_staying(t, w, i);
    for (size_t i = 0; i < t->s->domain_count; i++)
        if (t->s->domains[i].pool_id == w->facts.pool->id &&
            t->plan->verdicts[i].cpu.code == XLP_REASON_NONE)
            set_verdict(t, (uint32_t)i, &first_look);
    return 0;
}

static int decide_pool(struct tick *t, const struct xlp_pool *pool)
{
    struct pool_work w = {0};

    xlp_pool_facts(t->s, pool, t->c->map_facts, &w.facts);
    number_slots(t, &w);
    if (w.slot_count == 0)
        return explain_pool(t, &w);
    entitle_pool(t, &w);
    sort_vcpus(t, &w);
    note_loads(t, &w);
    if (place(t, &w) < 0)
        return -1;
    return explain_pool(t, &w);
}
