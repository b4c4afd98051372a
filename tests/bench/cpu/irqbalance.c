/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Like irqbalance 1.9.x, with vCPUs for interrupts and run time for interrupt load; written from
 * reading what it does, not from its code.
 *
 * Modelled: a decision every ten seconds (its default) on the load of just that time. Each pCPU
 * that is fuller than the emptiest offers its vCPUs, the heaviest first, while giving one away
 * would not turn the imbalance round, as if all went to the emptiest, whose load counts up
 * meanwhile; it keeps at least one. Then all that were offered are placed, the heaviest first, each
 * where the measured load plus what came since is least, or by number of vCPUs if equal. Not
 * modelled: its tree of caches, packages and nodes (the host is one of each, where it makes no
 * difference), classes and hints, power saving and the migration ratio (both off by default).
 * It is given more than the real one has: the exact load of each vCPU, where irqbalance must guess
 * by counting interrupts.
 */
#include <stdlib.h>
#include <string.h>

#include "../measure.h"
#include "policy.h"

#define NONE  UINT32_MAX
#define LEAST 1e-9 /* its loads are at least 1 ns; who has no more is not worth moving */

struct irqbalance {
    size_t vcpu_count, pcpu_count;
    uint32_t interval_s, second;
    double *load;           /* [vcpu] over the interval */
    double *pcpu_load;      /* [pcpu] */
    uint32_t *count;        /* [pcpu] of vCPUs */
    uint32_t *first, *next; /* [pcpu], [vcpu]: who is where, as lists, the heaviest first */
    uint32_t *order;        /* [vcpu] by load, the heaviest first */
    uint32_t *offered;
    size_t offered_count;
};

static void *start(const struct policy_setup *setup)
{
    struct irqbalance *b = bench_alloc(1, sizeof(*b));

    b->vcpu_count = setup->vcpu_count;
    b->pcpu_count = setup->pcpu_count;
    b->interval_s = setup->irqbalance_s;
    b->load = bench_alloc(b->vcpu_count, sizeof(double));
    b->pcpu_load = bench_alloc(b->pcpu_count, sizeof(double));
    b->count = bench_alloc(b->pcpu_count, sizeof(uint32_t));
    b->first = bench_alloc(b->pcpu_count, sizeof(uint32_t));
    b->next = bench_alloc(b->vcpu_count, sizeof(uint32_t));
    b->order = bench_alloc(b->vcpu_count, sizeof(uint32_t));
    b->offered = bench_alloc(b->vcpu_count, sizeof(uint32_t));
    return b;
}

static void stop(void *self)
{
    struct irqbalance *b = self;

    free(b->load);
    free(b->pcpu_load);
    free(b->count);
    free(b->first);
    free(b->next);
    free(b->order);
    free(b->offered);
    free(b);
}

static void measure(void *self, const struct sight *sight)
{
    struct irqbalance *b = self;

    if (b->second++ % b->interval_s == 0)
        memset(b->load, 0, b->vcpu_count * sizeof(double));
    for (size_t i = 0; i < b->vcpu_count; i++)
        b->load[i] +=
            (sight->demand ? sight->demand[i] : sight->host->used[i]) / (double)b->interval_s;
}

static int heavier_first(const void *x, const void *y, void *load)
{
    uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
    double difference = ((const double *)load)[b] - ((const double *)load)[a];

    return difference > 0 ? 1 : difference < 0 ? -1 : (a > b) - (a < b);
}

/* Lists who is where, and adds up. */
static void gather(struct irqbalance *b, const uint32_t *place)
{
    memset(b->first, 0xff, b->pcpu_count * sizeof(*b->first));
    memset(b->count, 0, b->pcpu_count * sizeof(*b->count));
    memset(b->pcpu_load, 0, b->pcpu_count * sizeof(*b->pcpu_load));
    for (uint32_t i = 0; i < b->vcpu_count; i++)
        b->order[i] = i;
    qsort_r(b->order, b->vcpu_count, sizeof(*b->order), heavier_first, b->load);
    for (size_t i = b->vcpu_count; i-- > 0;) {
        uint32_t vcpu = b->order[i], pcpu = place[vcpu];

        b->next[vcpu] = b->first[pcpu];
        b->first[pcpu] = vcpu;
        b->count[pcpu]++;
        b->pcpu_load[pcpu] += b->load[vcpu];
    }
}

/* least: the load of the emptiest pCPU, and what it would have got so far. */
static void offer_from(struct irqbalance *b, uint32_t pcpu, double *least)
{
    double here = b->pcpu_load[pcpu];

    if (here <= *least)
        return;
    for (uint32_t v = b->first[pcpu]; v != NONE && b->count[pcpu] > 1; v = b->next[v]) {
        if (b->load[v] <= LEAST || *least + b->load[v] >= here - b->load[v])
            continue;
        here -= b->load[v];
        *least = fmin(here, *least + b->load[v]);
        b->count[pcpu]--;
        b->offered[b->offered_count++] = v;
    }
}

static uint32_t emptiest(const struct irqbalance *b)
{
    uint32_t best = 0;

    for (uint32_t p = 1; p < b->pcpu_count; p++)
        if (b->pcpu_load[p] < b->pcpu_load[best] ||
            (b->pcpu_load[p] == b->pcpu_load[best] && b->count[p] < b->count[best]))
            best = p;
    return best;
}

static void decide(void *self, const struct sight *sight, uint32_t *place)
{
    struct irqbalance *b = self;
    double least;

    (void)sight;
    if (b->second % b->interval_s != 0)
        return;
    gather(b, place);
    least = b->pcpu_load[emptiest(b)];
    b->offered_count = 0;
    for (uint32_t p = 0; p < b->pcpu_count; p++)
        offer_from(b, p, &least);
    qsort_r(b->offered, b->offered_count, sizeof(*b->offered), heavier_first, b->load);
    for (size_t i = 0; i < b->offered_count; i++) {
        uint32_t vcpu = b->offered[i], to = emptiest(b);

        b->pcpu_load[to] += b->load[vcpu]; /* what left its pCPU is not taken off there */
        b->count[to]++;
        place[vcpu] = to;
    }
}

const struct policy policy_irqbalance = {
    .name = "irqbalance-like", .start = start, .measure = measure, .decide = decide, .stop = stop};
