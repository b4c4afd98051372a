/* SPDX-License-Identifier: LGPL-2.1-only */
#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../measure.h"

#define SECOND_NS  UINT64_C(1000000000)
#define FULL       0.97 /* a pCPU busier than this is saturated: the adapter's rule */
#define SHORT      1e-6 /* who lacks more than this never blocks */
#define TRUE_LOOKS 1000000
#define NOBODY     UINT32_MAX

static void make_snapshot(struct host *h);
static void share_pcpu(struct host *h, uint32_t pcpu, const double *demand);
static void tell_vcpu(struct host *h, size_t i, const double *demand, const double *ahead);

void host_init(struct host *h, uint64_t seed, size_t vcpu_count, uint32_t guest_vcpus,
               size_t pcpu_count, const uint32_t *place)
{
    *h = (struct host){.vcpu_count = vcpu_count,
                       .guest_vcpus = guest_vcpus,
                       .pcpu_count = pcpu_count,
                       .looks = LOOKS_TRUE,
                       .rng = rng_start(seed, 3)};
    h->place = bench_alloc(vcpu_count, sizeof(*h->place));
    h->used = bench_alloc(vcpu_count, sizeof(double));
    h->worked = bench_alloc(vcpu_count, sizeof(double));
    h->runnable = bench_alloc(vcpu_count, sizeof(double));
    h->first = bench_alloc(pcpu_count, sizeof(*h->first));
    h->next = bench_alloc(vcpu_count, sizeof(*h->next));
    h->load = bench_alloc(pcpu_count, sizeof(double));
    h->full = bench_alloc(pcpu_count, sizeof(bool));
    h->watched = bench_alloc(vcpu_count, sizeof(bool));
    h->moved = bench_alloc(vcpu_count, sizeof(bool));
    h->pins = bench_alloc(pcpu_count, sizeof(*h->pins));
    memcpy(h->place, place, vcpu_count * sizeof(*place));
    make_snapshot(h);
}

void host_free(struct host *h)
{
    free(h->place);
    free(h->used);
    free(h->worked);
    free(h->runnable);
    free(h->first);
    free(h->next);
    free(h->load);
    free(h->full);
    free(h->watched);
    free(h->moved);
    free(h->pins);
    xlp_snapshot_dispose(&h->snapshot);
}

/* ---- time ---- */

void host_run(struct host *h, const double *demand, const double *ahead)
{
    for (size_t p = 0; p < h->pcpu_count; p++)
        h->first[p] = NOBODY;
    for (size_t i = h->vcpu_count; i-- > 0;) {
        h->next[i] = h->first[h->place[i]];
        h->first[h->place[i]] = (uint32_t)i;
    }
    for (uint32_t p = 0; p < h->pcpu_count; p++)
        share_pcpu(h, p, demand);

    h->snapshot.time_ns += SECOND_NS;
    for (size_t i = 0; i < h->vcpu_count; i++)
        tell_vcpu(h, i, demand, ahead);
    for (size_t p = 0; p < h->pcpu_count; p++) {
        h->full[p] = h->load[p] > FULL;
        h->snapshot.pcpus[p].idle_ns +=
            (uint64_t)((h->looks == LOOKS_AHEAD ? 0.5 : 1 - h->load[p]) * 1e9);
    }
    for (size_t i = 0; i < h->vcpu_count; i++) {
        h->watched[i] = h->full[h->place[i]];
        h->moved[i] = false;
    }
}

/* Everybody gets an even part, or what it wants if that is less. */
static void share_pcpu(struct host *h, uint32_t pcpu, const double *demand)
{
    double left = 1, level = 0;
    uint32_t open = 0;
    bool more = true;

    for (uint32_t i = h->first[pcpu]; i != NOBODY; i = h->next[i]) {
        h->used[i] = -1;
        open++;
    }
    while (open > 0 && more) { /* who wants less than an even part of what is left */
        level = left / open;
        more = false;
        for (uint32_t i = h->first[pcpu]; i != NOBODY; i = h->next[i]) {
            if (h->used[i] < 0 && demand[i] <= level) {
                h->used[i] = demand[i];
                left -= demand[i];
                open--;
                more = true;
            }
        }
    }
    for (uint32_t i = h->first[pcpu]; i != NOBODY; i = h->next[i]) {
        if (h->used[i] < 0) {
            h->used[i] = level;
            left = 0;
        }
        h->worked[i] = h->used[i] - (h->moved[i] ? fmin(h->move_cost, h->used[i]) : 0);
    }
    h->load[pcpu] = 1 - left;
}

/* ---- what dom0 sees ---- */

/* The part of the second that it waited: all it did not run, if it got less than it wants. Else it
 * waits only when it wakes up while another runs; a tenth of its idle time it is always seen
 * blocked. */
static double waiting(const struct host *h, size_t i, double demand)
{
    double used = h->used[i], others = h->load[h->place[i]] - used;

    return demand - used > SHORT ? 1 - used : fmin(used * fmax(0, others), 0.9 * (1 - used));
}

static void look_sampled(struct host *h, size_t i, struct xlp_vcpu *v)
{
    double wait = h->runnable[i] - h->used[i];

    v->samples = v->samples_waiting = v->samples_blocked = 0;
    if (!h->watched[i])
        return;
    v->samples = h->looks_per_s;
    for (uint32_t look = 0; look < h->looks_per_s; look++) {
        double x = rng_fraction(&h->rng) - h->used[i];

        if (x >= wait)
            v->samples_blocked++;
        else if (x >= 0)
            v->samples_waiting++;
    }
}

static void look_true(struct xlp_vcpu *v, double used, double demand)
{
    bool served = demand - used <= SHORT;

    v->samples = TRUE_LOOKS;
    v->samples_waiting = served ? 0 : (uint32_t)((demand - used) * TRUE_LOOKS);
    v->samples_blocked = served ? (uint32_t)((1 - used) * TRUE_LOOKS) : 0;
}

static void tell_vcpu(struct host *h, size_t i, const double *demand, const double *ahead)
{
    struct xlp_vcpu *v = &h->snapshot.vcpus[i];
    double used = h->looks == LOOKS_AHEAD ? ahead[i] : h->used[i];

    h->runnable[i] = h->used[i] + waiting(h, i, demand[i]);
    v->cpu_time_ns += (uint64_t)(used * 1e9);
    switch (h->looks) {
    case LOOKS_SAMPLED: look_sampled(h, i, v); break;
    case LOOKS_TRUE: look_true(v, used, demand[i]); break;
    case LOOKS_AHEAD: look_true(v, used, used); break;
    }
}

/* ---- placing ---- */

static void pin(struct host *h, size_t vcpu, uint32_t pcpu)
{
    struct xlp_vcpu *v = &h->snapshot.vcpus[vcpu];

    h->place[vcpu] = v->pcpu = pcpu;
    v->hard = v->ledger.our_hard = h->pins[pcpu];
}

size_t host_place(struct host *h, const uint32_t *place)
{
    size_t moves = 0;

    for (size_t i = 0; i < h->vcpu_count; i++) {
        if (place[i] == h->place[i])
            continue;
        pin(h, i, place[i]);
        h->moved[i] = true;
        moves++;
    }
    return moves;
}

/* ---- making it ---- */

static void add_vcpu(struct host *h, uint32_t i)
{
    struct xlp_vcpu *v = xlp_snapshot_add_vcpu(&h->snapshot);

    v->id = i % h->guest_vcpus;
    v->online = true;
    v->ledger.recorded = true; /* placed by us, and free to go anywhere */
    pin(h, i, h->place[i]);
}

static void add_guest(struct host *h, uint32_t first)
{
    struct xlp_domain *d = xlp_snapshot_add_domain(&h->snapshot);

    d->domid = first / h->guest_vcpus + 1;
    memcpy(d->uuid, &d->domid, sizeof(d->domid));
    snprintf(d->name, sizeof(d->name), "vm%u", d->domid);
    d->type = XLP_GUEST_PVH;
    d->weight = 256;
    d->age_ns = 3600 * SECOND_NS;
    for (uint32_t i = first; i < first + h->guest_vcpus && i < h->vcpu_count; i++)
        add_vcpu(h, i);
}

/* No sockets are told, so that credit2's own balancing is out of it. */
static void make_snapshot(struct host *h)
{
    struct xlp_snapshot *s = &h->snapshot;
    struct xlp_cpumap all = xlp_cpumap_all();
    struct xlp_pool *pool;

    xlp_snapshot_init(s);
    s->time_ns = SECOND_NS;
    s->memory.total_kib = INT64_C(1) << 32;
    pool = xlp_snapshot_add_pool(s);
    xlp_name_copy(pool->name, "Pool-0");
    pool->sched = XLP_SCHED_CREDIT2;
    pool->map = xlp_snapshot_intern(s, &all);
    for (uint32_t p = 0; p < h->pcpu_count; p++) {
        struct xlp_cpumap only = xlp_cpumap_of(p);

        *xlp_snapshot_add_pcpu(s) = (struct xlp_pcpu){
            .id = p, .online = true, .core = p, .socket = XLP_UNKNOWN, .node = XLP_UNKNOWN};
        h->pins[p] = xlp_snapshot_intern(s, &only);
    }
    for (uint32_t i = 0; i < h->vcpu_count; i += h->guest_vcpus)
        add_guest(h, i);
}
