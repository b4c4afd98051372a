/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * LPT: the longest processing time first, from scratch in each decision. The heaviest vCPU goes to
 * the emptiest group, and so on; then each group is given the pCPU that most of it came from, so
 * that few move (greedily, by the number of vCPUs that stay; an exact assignment keeps a few more
 * but takes far longer). This is as even as one gets in practice, and knows no restraint.
 *
 * In the closed loop it balances what our engine makes of the same looks (its entitlements, with
 * placing switched off), so that the two differ in placing only. The sort is by radix, the groups
 * are a heap: no time is wasted.
 */
#include <stdlib.h>
#include <string.h>

#include "../measure.h"
#include "engine_policy.h"

#define NONE    UINT32_MAX
#define DIGITS  3 /* of the sort key, 11 bits each */
#define BUCKETS 2048

struct overlap {
    uint32_t group, pcpu, count;
};

struct lpt {
    size_t vcpu_count, pcpu_count;
    void *engine; /* NULL: the demand is known */
    double *load;
    uint32_t *key, *order, *spare; /* [vcpu] */
    uint32_t *group;               /* [vcpu] */
    uint32_t *heap;                /* groups, the emptiest on top */
    double *sum;                   /* [group] */
    uint32_t *group_first, *next;  /* [group], [vcpu]: its members, as a list */
    struct overlap *overlap, *sorted;
    uint32_t *seen;    /* [pcpu] its overlap with the group at hand, or NONE */
    uint32_t *pcpu_of; /* [group] */
    bool *taken;       /* [pcpu] */
};

static void *start(const struct policy_setup *setup)
{
    struct lpt *l = bench_alloc(1, sizeof(*l));
    size_t n = setup->vcpu_count, m = setup->pcpu_count;

    l->vcpu_count = n;
    l->pcpu_count = m;
    l->engine = setup->demand_known ? NULL : engine_policy_start(setup, XLP_CPU_OFF);
    l->load = bench_alloc(n, sizeof(double));
    l->key = bench_alloc(n, sizeof(uint32_t));
    l->order = bench_alloc(n, sizeof(uint32_t));
    l->spare = bench_alloc(n, sizeof(uint32_t));
    l->group = bench_alloc(n, sizeof(uint32_t));
    l->next = bench_alloc(n, sizeof(uint32_t));
    l->heap = bench_alloc(m, sizeof(uint32_t));
    l->sum = bench_alloc(m, sizeof(double));
    l->group_first = bench_alloc(m, sizeof(uint32_t));
    l->overlap = bench_alloc(n, sizeof(*l->overlap));
    l->sorted = bench_alloc(n, sizeof(*l->sorted));
    l->seen = bench_alloc(m, sizeof(uint32_t));
    l->pcpu_of = bench_alloc(m, sizeof(uint32_t));
    l->taken = bench_alloc(m, sizeof(bool));
    return l;
}

static void stop(void *self)
{
    struct lpt *l = self;

    if (l->engine)
        engine_policy_stop(l->engine);
    free(l->load);
    free(l->key);
    free(l->order);
    free(l->spare);
    free(l->group);
    free(l->next);
    free(l->heap);
    free(l->sum);
    free(l->group_first);
    free(l->overlap);
    free(l->sorted);
    free(l->seen);
    free(l->pcpu_of);
    free(l->taken);
    free(l);
}

static void measure(void *self, const struct sight *sight)
{
    struct lpt *l = self;
    struct engine_policy *engine = l->engine;
    const struct xlp_vcpu_view *views;
    size_t count;

    if (!engine) {
        memcpy(l->load, sight->demand, l->vcpu_count * sizeof(double));
        return;
    }
    engine_policy_decide(engine, sight, NULL); /* off: it places nobody */
    views = xlp_engine_vcpu_views(engine->engine, &count);
    for (size_t i = 0; i < count; i++)
        l->load[i] = views[i].entitlement;
}

/* order[]: the vCPUs by load, the heaviest first. */
static void sort_by_load(struct lpt *l)
{
    for (size_t i = 0; i < l->vcpu_count; i++) {
        l->key[i] = UINT32_MAX - (uint32_t)(l->load[i] * 4294967295.0);
        l->order[i] = (uint32_t)i;
    }
    for (int digit = 0; digit < DIGITS; digit++) {
        uint32_t at[BUCKETS + 1] = {0}, *swap = l->order;
        int shift = 11 * digit;

        for (size_t i = 0; i < l->vcpu_count; i++)
            at[(l->key[i] >> shift) % BUCKETS + 1]++;
        for (size_t b = 0; b < BUCKETS; b++)
            at[b + 1] += at[b];
        for (size_t i = 0; i < l->vcpu_count; i++)
            l->spare[at[(l->key[l->order[i]] >> shift) % BUCKETS]++] = l->order[i];
        l->order = l->spare;
        l->spare = swap;
    }
}

/* The group on top has become fuller. */
static void sink(struct lpt *l)
{
    uint32_t group = l->heap[0];
    size_t at = 0;

    for (size_t child; (child = 2 * at + 1) < l->pcpu_count; at = child) {
        if (child + 1 < l->pcpu_count && l->sum[l->heap[child + 1]] < l->sum[l->heap[child]])
            child++;
        if (l->sum[l->heap[child]] >= l->sum[group])
            break;
        l->heap[at] = l->heap[child];
    }
    l->heap[at] = group;
}

static void make_groups(struct lpt *l)
{
    for (uint32_t g = 0; g < l->pcpu_count; g++) {
        l->heap[g] = g;
        l->sum[g] = 0;
        l->group_first[g] = NONE;
    }
    for (size_t i = 0; i < l->vcpu_count; i++) {
        uint32_t vcpu = l->order[i], group = l->heap[0];

        l->group[vcpu] = group;
        l->next[vcpu] = l->group_first[group];
        l->group_first[group] = vcpu;
        l->sum[group] += l->load[vcpu];
        sink(l);
    }
}

/* How many of each group are on each pCPU now, where that is any. */
static size_t count_overlaps(struct lpt *l, const uint32_t *place)
{
    size_t count = 0;

    memset(l->seen, 0xff, l->pcpu_count * sizeof(*l->seen));
    for (uint32_t g = 0; g < l->pcpu_count; g++) {
        size_t start_of_group = count;

        for (uint32_t v = l->group_first[g]; v != NONE; v = l->next[v]) {
            uint32_t pcpu = place[v];

            if (l->seen[pcpu] == NONE) {
                l->seen[pcpu] = (uint32_t)count;
                l->overlap[count++] = (struct overlap){g, pcpu, 0};
            }
            l->overlap[l->seen[pcpu]].count++;
        }
        for (size_t i = start_of_group; i < count; i++)
            l->seen[l->overlap[i].pcpu] = NONE;
    }
    return count;
}

/* The largest overlap in the first bucket; very large ones need not be told apart. */
static size_t bucket_of(const struct overlap *o)
{
    return o->count < BUCKETS ? BUCKETS - 1 - o->count : 0;
}

/* The largest overlaps first. */
static void sort_overlaps(struct lpt *l, size_t count)
{
    uint32_t at[BUCKETS + 1] = {0};

    for (size_t i = 0; i < count; i++)
        at[bucket_of(&l->overlap[i]) + 1]++;
    for (size_t b = 0; b < BUCKETS; b++)
        at[b + 1] += at[b];
    for (size_t i = 0; i < count; i++)
        l->sorted[at[bucket_of(&l->overlap[i])]++] = l->overlap[i];
}

static void label_groups(struct lpt *l, const uint32_t *place)
{
    size_t count = count_overlaps(l, place);
    uint32_t free_pcpu = 0;

    sort_overlaps(l, count);
    memset(l->pcpu_of, 0xff, l->pcpu_count * sizeof(*l->pcpu_of));
    memset(l->taken, 0, l->pcpu_count * sizeof(*l->taken));
    for (size_t i = 0; i < count; i++) {
        const struct overlap *o = &l->sorted[i];

        if (l->pcpu_of[o->group] == NONE && !l->taken[o->pcpu]) {
            l->pcpu_of[o->group] = o->pcpu;
            l->taken[o->pcpu] = true;
        }
    }
    for (uint32_t g = 0; g < l->pcpu_count; g++) {
        if (l->pcpu_of[g] != NONE)
            continue;
        while (l->taken[free_pcpu])
            free_pcpu++;
        l->pcpu_of[g] = free_pcpu++;
    }
}

static void decide(void *self, const struct sight *sight, uint32_t *place)
{
    struct lpt *l = self;

    (void)sight;
    sort_by_load(l);
    make_groups(l);
    label_groups(l, place);
    for (size_t i = 0; i < l->vcpu_count; i++)
        place[i] = l->pcpu_of[l->group[i]];
}

const struct policy policy_lpt = {.name = "LPT + relabel",
                                  .looks = LOOKS_SAMPLED,
                                  .start = start,
                                  .measure = measure,
                                  .decide = decide,
                                  .stop = stop};
