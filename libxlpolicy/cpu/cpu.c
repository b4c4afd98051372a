/* SPDX-License-Identifier: LGPL-2.1-only */
/* One tick of the CPU half: measure, weigh, and place pool after pool. */
#include "cpu.h"

#include <stdlib.h>

#include "demand.h"
#include "grow.h"
#include "ownership.h"
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
    free(c->now.homes);
    free(c->before.domains);
    free(c->before.vcpus);
    free(c->before.homes);
    free(c->pools);
    xlp_weights_free(c->weights);
    xlp_budget_dispose(&c->budget);
    free(c->domains);
    free(c->claims);
    free(c->items);
    free(c->claimants);
    free(c->scratch);
    free(c->shelves);
    free(c->pool_demand);
    free(c->maps);
    free(c->map_slots);
    free(c->slots);
    free(c->load_before);
    free(c->pool_words);
    free(c->placed);
    free(c);
}

static int make_room(struct xlp_cpu *c, const struct xlp_snapshot *s);
static int make_room_for_moves(struct xlp_cpu *c, struct xlp_plan *plan, size_t moves);
static void measure(struct tick *t, const struct xlp_roster *roster);
static uint32_t moves_of_a_tick(const struct xlp_policy *p, const struct xlp_snapshot *s);

int xlp_cpu_decide(struct xlp_cpu *c, const struct xlp_snapshot *s, const struct xlp_policy *policy,
                   const struct xlp_roster *roster, uint64_t elapsed_ns, struct xlp_plan *plan,
                   struct xlp_vcpu_view *views)
{
    struct tick t = {
        .c = c, .s = s, .policy = policy, .elapsed_ns = elapsed_ns, .plan = plan, .views = views};
    const uint32_t moves = moves_of_a_tick(policy, s);

    if (make_room(c, s) < 0 || make_room_for_moves(c, plan, moves) < 0 ||
        xlp_recall(c, s, roster->same) < 0 || xlp_budget_divide(&c->budget, s, moves) < 0)
        return -1;
    c->placed_count = 0;
    c->weighed = policy->cpu_weights != XLP_WEIGHTS_OFF;
    measure(&t, roster);
    if (xlp_weights_decide(c->weights, s, policy, roster, elapsed_ns, views, plan) < 0)
        return -1;
    for (size_t i = 0; i < s->pool_count; i++) {
        size_t before = plan->action_count;

        t.pool_index = (uint32_t)xlp_budget_pool(&c->budget, i);
        t.moves_max = xlp_budget_open(&c->budget, t.pool_index);
        if (xlp_place_pool(&t) < 0)
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
        {&c->pool_words, sizeof(*c->pool_words), s->pool_count, &c->pool_word_room},
        {&c->pool_demand, sizeof(*c->pool_demand), s->pool_count, &c->pool_demand_room},
        {&c->slots, sizeof(*c->slots), s->pcpu_count, &c->slot_room},
        {&c->load_before, sizeof(*c->load_before), s->pcpu_count, &c->slot_room},
        {&c->maps, sizeof(*c->maps), s->map_count, &c->map_room},
        {&c->map_slots, sizeof(*c->map_slots), s->map_count, &c->map_room},
        {&c->shelves, sizeof(*c->shelves), 3 * s->vcpu_count, &c->scratch_room},
        {&c->scratch, sizeof(*c->scratch), 3 * s->vcpu_count, &c->scratch_room},
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

/* Before anybody moves, so that the tick that moves many does not have to wait for it. */
static int make_room_for_moves(struct xlp_cpu *c, struct xlp_plan *plan, size_t moves)
{
    return xlp_grow(&plan->actions, &plan->action_room, plan->action_count + moves,
                    sizeof(*plan->actions)) < 0 ||
                   xlp_grow(&c->placed, &c->placed_room, moves, sizeof(*c->placed)) < 0
               ? -1
               : 0;
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
    return online ? xlp_min(1, d->cap_pct / 100.0 / online) : 1;
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

static void measure(struct tick *t, const struct xlp_roster *roster)
{
    struct demand_input in = {
        .now_ns = t->s->time_ns, .elapsed_ns = t->elapsed_ns, .saturated = &t->c->saturated};
    uint32_t pool = 0;

    measure_pcpus(t);
    for (size_t i = 0; i < t->s->pool_count; i++)
        t->c->pool_demand[i] = 0;
    for (uint32_t i = 0; i < t->s->domain_count; i++) {
        const struct xlp_domain *d = &t->s->domains[i];
        double demand;

        in.cap = cap_per_vcpu(t->s, d);
        in.stands_still = d->flags != 0;
        demand = xlp_measure_demand(&t->s->vcpus[d->first_vcpu], d->vcpu_count, &in,
                                    &t->c->now.vcpus[d->first_vcpu], &t->views[d->first_vcpu]);
        pool = pool_index(t->s, d->pool_id, pool);
        t->c->domains[i] = (struct domain_work){
            .pool = pool,
            .first_vcpu = d->first_vcpu,
            .vcpu_count = d->vcpu_count,
            .first_item = XLP_NOWHERE,
            .passthrough = d->passthrough_devices > 0,
            .unmoved = pool == XLP_UNKNOWN
                           ? XLP_REASON_CPU_NOWHERE
                           : xlp_domain_tenure(d, t->policy, xlp_roster_terms(roster, i)),
        };
        if (pool != XLP_UNKNOWN)
            t->c->pool_demand[pool] += demand;
    }
}

static uint32_t moves_of_a_tick(const struct xlp_policy *p, const struct xlp_snapshot *s)
{
    uint32_t vcpus = (uint32_t)s->vcpu_count, moves = vcpus / 20 > 16 ? vcpus / 20 : 16;

    if (p->cpu_moves_max)
        moves = (uint32_t)p->cpu_moves_max;
    return moves < vcpus ? moves : vcpus;
}
