/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The balancer alone: the search that placing comes down to, given each vCPU's load and place, as
 * LPT is. The only part of the benchmark that knows a private interface (cpu/parts.h).
 */
#include <stdlib.h>

#include "../measure.h"
#include "cpu/parts.h"
#include "policy.h"

struct balancer {
    size_t vcpu_count, pcpu_count;
    struct item *items;
    struct slot *slots;
    struct balance_room room;
    struct lane lane;
    struct balance_limits limits;
};

static void *start(const struct policy_setup *setup)
{
    struct balancer *b = bench_alloc(1, sizeof(*b));
    const struct xlp_policy *settings = setup->settings;

    b->vcpu_count = setup->vcpu_count;
    b->pcpu_count = setup->pcpu_count;
    b->items = bench_alloc(b->vcpu_count, sizeof(*b->items));
    b->slots = bench_alloc(b->pcpu_count, sizeof(*b->slots));
    b->room.list = bench_alloc(3 * b->vcpu_count, sizeof(*b->room.list));
    b->room.shelves = bench_alloc(3 * b->vcpu_count, sizeof(*b->room.shelves));
    b->limits = (struct balance_limits){
        .overload = (double)settings->cpu_overload_pct / 100,
        .uneven = (double)settings->cpu_uneven_pct / 100,
        .even = (double)settings->cpu_even_pct / 100,
        .uneven_ticks = (uint32_t)settings->cpu_uneven_ticks,
        .moves_max = setup->moves_max ? setup->moves_max : (uint32_t)setup->vcpu_count / 20,
    };
    return b;
}

static void stop(void *self)
{
    struct balancer *b = self;

    free(b->items);
    free(b->slots);
    free(b->room.list);
    free(b->room.shelves);
    free(b);
}

/* Of each guest but the last, which may have fewer. */
static uint32_t kin_of(const struct balancer *b, uint32_t guest, uint32_t guest_vcpus)
{
    size_t rest = b->vcpu_count - (size_t)guest * guest_vcpus;

    return rest < guest_vcpus ? (uint32_t)rest : guest_vcpus;
}

static void measure(void *self, const struct sight *sight)
{
    const uint32_t guest_vcpus = sight->host->guest_vcpus;
    struct balancer *b = self;

    for (uint32_t i = 0; i < b->vcpu_count; i++)
        b->items[i] = (struct item){.load = sight->demand[i],
                                    .demand = sight->demand[i],
                                    .owner = i / guest_vcpus,
                                    .kin = kin_of(b, i / guest_vcpus, guest_vcpus),
                                    .home_node = XLP_NOWHERE,
                                    .why_first = XLP_REASON_CPU_FIRST_PLACE,
                                    .slot = sight->host->place[i],
                                    .prefer = XLP_NOWHERE,
                                    .may_move = true};
    for (uint32_t i = 0; i < b->pcpu_count; i++)
        b->slots[i] = (struct slot){.twin = i};
}

static void decide(void *self, const struct sight *sight, uint32_t *place)
{
    struct balancer *b = self;
    bool budget_gone;

    (void)sight;
    xlp_balance(b->items, b->vcpu_count, b->slots, b->pcpu_count, &b->limits, &b->lane, &b->room,
                &budget_gone);
    for (size_t i = 0; i < b->vcpu_count; i++)
        place[i] = b->items[i].slot;
}

const struct policy policy_balancer = {
    .name = "balancer alone", .start = start, .measure = measure, .decide = decide, .stop = stop};
