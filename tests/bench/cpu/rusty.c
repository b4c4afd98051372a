/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Like scx_rusty's load balancer, with vCPUs for tasks and a scheduling domain for each pCPU;
 * written from reading what it does, not from its code.
 *
 * Modelled: a pass every two seconds over loads that are averages with a half-life of one second
 * (its defaults). A task's load is the part of the time it was runnable, running or not. A pCPU
 * more than 5 % above the mean pushes, the fullest first, until it has given half of its surplus;
 * one more than 5 % below the mean pulls, the emptiest first. The task to move is the one whose
 * load is next to half of the smaller of the two distances from the mean, from either side,
 * whichever leaves the smaller sum of distances; none if that sum would grow. A task moves once a
 * pass at most. Not modelled: NUMA nodes (the host has one), weights (all equal), kernel threads,
 * and stealing by idle CPUs, which a scheduler in the kernel can do and dom0 with pinned vCPUs
 * cannot. It is given more than dom0 has: the exact runnable time, where dom0 would have to sample.
 */
#include <stdlib.h>
#include <string.h>

#include "../measure.h"
#include "policy.h"

#define NONE        UINT32_MAX
#define IMBALANCE   0.05 /* of the mean: more than this is to be balanced */
#define PUSH_MOST   0.5  /* of its surplus, by one pCPU in one pass */
#define TRANSFER    0.5  /* of the smaller distance: the load to move */
#define HALF_LIFE_S 1

struct rusty {
    size_t vcpu_count, pcpu_count;
    uint32_t interval_s, second;
    bool known;
    double *load;      /* [vcpu] */
    double *pcpu_load; /* [pcpu] */
    double mean;
    uint32_t *first, *next; /* [pcpu], [vcpu]: who is where, as lists */
    bool *migrated;         /* [vcpu] in this pass */
    uint32_t *sorted;       /* pCPUs that were not pushing yet, by rising load */
    uint32_t *refused;      /* those that the one pushing could give nothing */
    size_t sorted_count, refused_count;
};

static void *start(const struct policy_setup *setup)
{
    struct rusty *r = bench_alloc(1, sizeof(*r));

    r->vcpu_count = setup->vcpu_count;
    r->pcpu_count = setup->pcpu_count;
    r->interval_s = setup->rusty_s;
    r->load = bench_alloc(r->vcpu_count, sizeof(double));
    r->pcpu_load = bench_alloc(r->pcpu_count, sizeof(double));
    r->first = bench_alloc(r->pcpu_count, sizeof(uint32_t));
    r->next = bench_alloc(r->vcpu_count, sizeof(uint32_t));
    r->migrated = bench_alloc(r->vcpu_count, sizeof(bool));
    r->sorted = bench_alloc(r->pcpu_count, sizeof(uint32_t));
    r->refused = bench_alloc(r->pcpu_count, sizeof(uint32_t));
    return r;
}

static void stop(void *self)
{
    struct rusty *r = self;

    free(r->load);
    free(r->pcpu_load);
    free(r->first);
    free(r->next);
    free(r->migrated);
    free(r->sorted);
    free(r->refused);
    free(r);
}

static void measure(void *self, const struct sight *sight)
{
    struct rusty *r = self;
    double newest = sight->demand || !r->known ? 1 : 1 - exp2(-1.0 / HALF_LIFE_S);

    for (size_t i = 0; i < r->vcpu_count; i++) {
        double runnable = sight->demand ? sight->demand[i] : sight->host->runnable[i];

        r->load[i] += newest * (runnable - r->load[i]);
    }
    r->known = true;
    r->second++;
}

static double surplus(const struct rusty *r, uint32_t pcpu)
{
    return r->pcpu_load[pcpu] - r->mean;
}

/* ---- pCPUs by rising load ---- */

static void insert(struct rusty *r, uint32_t pcpu)
{
    size_t low = 0, high = r->sorted_count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (r->pcpu_load[r->sorted[middle]] < r->pcpu_load[pcpu])
            low = middle + 1;
        else
            high = middle;
    }
    memmove(&r->sorted[low + 1], &r->sorted[low], (r->sorted_count - low) * sizeof(*r->sorted));
    r->sorted[low] = pcpu;
    r->sorted_count++;
}

static uint32_t take_emptiest(struct rusty *r)
{
    uint32_t pcpu = r->sorted[0];

    memmove(&r->sorted[0], &r->sorted[1], --r->sorted_count * sizeof(*r->sorted));
    return pcpu;
}

static void gather(struct rusty *r, const uint32_t *place)
{
    double total = 0;

    memset(r->first, 0xff, r->pcpu_count * sizeof(*r->first));
    memset(r->pcpu_load, 0, r->pcpu_count * sizeof(*r->pcpu_load));
    memset(r->migrated, 0, r->vcpu_count * sizeof(*r->migrated));
    for (uint32_t i = 0; i < r->vcpu_count; i++) {
        r->next[i] = r->first[place[i]];
        r->first[place[i]] = i;
        r->pcpu_load[place[i]] += r->load[i];
        total += r->load[i];
    }
    r->mean = total / (double)r->pcpu_count;
    r->sorted_count = 0;
    for (uint32_t p = 0; p < r->pcpu_count; p++)
        insert(r, p);
}

/* ---- one transfer ---- */

static double distances(double to_push, double to_pull, double load)
{
    return fabs(to_push - load) + fabs(to_pull - load);
}

/* The task to move from one to the other, or NONE. to_push is the surplus that the pushing pCPU had
 * before it gave anything; to_pull is what the other lacks now. */
static uint32_t choose(const struct rusty *r, uint32_t from, uint32_t to, double to_push)
{
    double to_pull = -surplus(r, to);
    double aim = fmin(fabs(surplus(r, from)), to_pull) * TRANSFER;
    uint32_t below = NONE, above = NONE, best;

    for (uint32_t v = r->first[from]; v != NONE; v = r->next[v]) {
        if (r->migrated[v] || r->load[v] <= 0)
            continue;
        if (r->load[v] <= aim && (below == NONE || r->load[v] > r->load[below]))
            below = v;
        if (r->load[v] >= aim && (above == NONE || r->load[v] < r->load[above]))
            above = v;
    }
    if (below == NONE && above == NONE)
        return NONE;
    if (below == NONE || above == NONE)
        best = below == NONE ? above : below;
    else
        best = distances(to_push, to_pull, r->load[below]) <=
                       distances(to_push, to_pull, r->load[above])
                   ? below
                   : above;
    return distances(to_push, to_pull, r->load[best]) <= to_push + to_pull ? best : NONE;
}

static void push_from(struct rusty *r, uint32_t from, uint32_t *place)
{
    double to_push = surplus(r, from), pushed = 0;

    r->refused_count = 0;
    while (r->sorted_count > 0 && pushed < to_push * PUSH_MOST) {
        uint32_t to = r->sorted[0], task;

        if (-surplus(r, to) <= IMBALANCE * r->mean)
            break;
        take_emptiest(r);
        task = choose(r, from, to, to_push);
        if (task == NONE) {
            r->refused[r->refused_count++] = to;
            continue;
        }
        place[task] = to;
        r->migrated[task] = true;
        r->pcpu_load[from] -= r->load[task];
        r->pcpu_load[to] += r->load[task];
        pushed += r->load[task];
        insert(r, to);
    }
    while (r->refused_count > 0)
        insert(r, r->refused[--r->refused_count]);
}

static void decide(void *self, const struct sight *sight, uint32_t *place)
{
    struct rusty *r = self;

    (void)sight;
    if (r->second % r->interval_s != 0)
        return;
    gather(r, place);
    while (r->sorted_count >= 2) {
        uint32_t fullest = r->sorted[r->sorted_count - 1];

        if (surplus(r, fullest) <= IMBALANCE * r->mean)
            break;
        r->sorted_count--;
        push_from(r, fullest, place);
    }
}

const struct policy policy_rusty = {
    .name = "scx_rusty-like", .start = start, .measure = measure, .decide = decide, .stop = stop};
