/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The run queues of the simulated scheduler. credit2 keeps one for each socket (of at most 16
 * pCPUs): within it, sim_cpu.c shares fairly and leaves no pCPU idle while a vCPU waits; between
 * them it only compares how many want to run, now and then. The other schedulers have no such
 * queues and share the pCPUs of a whole pool.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "grow.h"
#include "host/sim.h"

#define RUNQUEUE_PCPUS_MAX 16
#define ALIKE              1e-6 /* loads that differ by less are the same */

int xlp_sim_cpu_start(struct xlp_sim *sim)
{
    const struct xlp_sim_host_spec *host = &sim->scenario->host;
    uint32_t per_socket = host->pcpus / host->sockets, per_node = host->pcpus / host->nodes;

    for (uint32_t i = 0; i < sim->pcpu_count; i++) {
        struct xlp_sim_pcpu *p = &sim->pcpus[i];

        p->online = !xlp_cpumap_test(&host->offline, i);
        p->socket = i / per_socket;
        p->core = i / host->threads;
        p->node = i / per_node;
        p->pool = SIZE_MAX;
        for (size_t pool = 0; pool < host->pool_count; pool++)
            if (xlp_cpumap_test(&host->pools[pool].pcpus, i))
                p->pool = pool;
    }
    return xlp_sim_topology_changed(sim);
}

void xlp_sim_cpu_dispose(struct xlp_sim *sim)
{
    for (size_t i = 0; i < sim->queue_room; i++) {
        struct xlp_sim_queue *q = &sim->queues[i];

        free(q->pcpu_of);
        free(q->vcpus);
        free(q->weights);
        free(q->class_hard);
        free(q->class_soft);
        xlp_share_dispose(&q->share);
    }
    free(sim->queues);
}

/* The queue that takes one more pCPU of this pool and socket, making it if there is none. */
static struct xlp_sim_queue *queue_for(struct xlp_sim *sim, const struct xlp_sim_pcpu *p)
{
    bool by_socket = sim->scenario->host.pools[p->pool].sched == XLP_SCHED_CREDIT2;
    size_t room = sim->queue_room;

    for (size_t i = 0; i < sim->queue_count; i++) {
        struct xlp_sim_queue *q = &sim->queues[i];

        if (q->pool == p->pool && (!by_socket || (sim->pcpus[q->pcpu_of[0]].socket == p->socket &&
                                                  q->pcpu_count < RUNQUEUE_PCPUS_MAX)))
            return q;
    }
    if (xlp_grow(&sim->queues, &sim->queue_room, sim->queue_count + 1, sizeof(*sim->queues)) < 0)
        return NULL;
    memset(&sim->queues[room], 0, (sim->queue_room - room) * sizeof(*sim->queues));
    struct xlp_sim_queue *q = &sim->queues[sim->queue_count++];
    q->pool = p->pool;
    q->pcpu_count = 0;
    q->pcpus = xlp_cpumap_none();
    return q;
}

/* A pin that no pCPU is left for is broken, as Xen's cpu_disable_scheduler does. */
static void mend_pin(const struct xlp_sim *sim, const struct xlp_sim_domain *d,
                     struct xlp_sim_vcpu *v)
{
    for (uint32_t i = 0; i < sim->pcpu_count; i++)
        if (sim->pcpus[i].online && sim->pcpus[i].pool == d->pool &&
            xlp_cpumap_test(&v->masks.hard, i))
            return;
    v->masks.hard = xlp_cpumap_all();
}

int xlp_sim_topology_changed(struct xlp_sim *sim)
{
    sim->queue_count = 0;
    for (uint32_t i = 0; i < sim->pcpu_count; i++) {
        struct xlp_sim_pcpu *p = &sim->pcpus[i];
        struct xlp_sim_queue *q;

        p->queue = SIZE_MAX;
        p->load = 0;
        if (!p->online || p->pool == SIZE_MAX)
            continue;
        q = queue_for(sim, p);
        if (!q || xlp_grow(&q->pcpu_of, &q->pcpu_room, q->pcpu_count + 1, sizeof(uint32_t)) < 0)
            return -1;
        p->queue = (size_t)(q - sim->queues);
        p->place = q->pcpu_count;
        q->pcpu_of[q->pcpu_count++] = i;
        xlp_cpumap_set(&q->pcpus, i);
    }
    for (size_t i = 0; i < sim->live_count; i++) {
        for (uint32_t k = 0; k < sim->live[i]->vcpu_count; k++) {
            mend_pin(sim, sim->live[i], &sim->live[i]->vcpus[k]);
            xlp_sim_enqueue(sim, sim->live[i], &sim->live[i]->vcpus[k]);
        }
    }
    return 0;
}

static bool meets(const struct xlp_cpumap *a, const struct xlp_cpumap *b)
{
    struct xlp_cpumap both = xlp_cpumap_and(a, b);

    return !xlp_cpumap_is_empty(&both);
}

/* How credit2 counts the load of a queue: what wants to run, waiting included, and not divided by
 * the number of pCPUs. */
static double queue_load(const struct xlp_sim *sim, size_t queue, const struct xlp_sim_vcpu *but)
{
    double load = 0;

    for (size_t i = 0; i < sim->live_count; i++) {
        const struct xlp_sim_domain *d = sim->live[i];

        for (uint32_t k = 0; k < d->vcpu_count; k++)
            if (d->vcpus[k].queue == queue && &d->vcpus[k] != but)
                load += d->vcpus[k].rate + d->vcpus[k].waiting;
    }
    return load;
}

/* The least loaded queue with a pCPU of this mask. */
static size_t least_loaded(const struct xlp_sim *sim, const struct xlp_sim_domain *d,
                           const struct xlp_sim_vcpu *v, const struct xlp_cpumap *mask)
{
    size_t best = SIZE_MAX;
    double least = INFINITY;

    for (size_t i = 0; i < sim->queue_count; i++) {
        const struct xlp_sim_queue *q = &sim->queues[i];
        double load;

        if (q->pool != d->pool || !meets(mask, &q->pcpus))
            continue;
        load = sim->queue_count > 1 ? queue_load(sim, i, v) : 0;
        if (load < least - ALIKE || (load < least + ALIKE && i == v->queue)) {
            least = load;
            best = i;
        }
    }
    return best;
}

void xlp_sim_enqueue(struct xlp_sim *sim, struct xlp_sim_domain *d, struct xlp_sim_vcpu *v)
{
    struct xlp_cpumap liked = xlp_cpumap_and(&v->masks.hard, &v->masks.soft);
    size_t queue = least_loaded(sim, d, v, &liked);

    v->queue = queue == SIZE_MAX ? least_loaded(sim, d, v, &v->masks.hard) : queue;
    sim->rates_stale = true;
}

/* ---- credit2's balancing between run queues ---- */

static double wants_to_run(const struct xlp_sim_vcpu *v)
{
    return v->rate + v->waiting;
}

/* Moves the vCPU, or swaps the pair, that levels two queues best; delta is how much more the first
 * one carries. */
static void level_queues(struct xlp_sim *sim, size_t from, size_t to, double delta)
{
    struct xlp_sim_queue *f = &sim->queues[from], *t = &sim->queues[to];
    struct xlp_sim_vcpu *push = NULL, *pull = NULL;
    double best = delta - ALIKE;

    for (size_t i = 0; i < f->vcpu_count; i++) {
        struct xlp_sim_vcpu *a = f->vcpus[i];

        if (!meets(&a->masks.hard, &t->pcpus))
            continue;
        for (size_t j = 0; j <= t->vcpu_count; j++) {
            struct xlp_sim_vcpu *b = j < t->vcpu_count ? t->vcpus[j] : NULL;
            double moved = wants_to_run(a) - (b ? wants_to_run(b) : 0);

            if (fabs(delta - 2 * moved) < best && (!b || meets(&b->masks.hard, &f->pcpus))) {
                best = fabs(delta - 2 * moved) - ALIKE;
                push = a;
                pull = b;
            }
        }
    }
    if (!push)
        return;
    push->queue = to;
    if (pull)
        pull->queue = from;
    sim->rates_stale = true;
}

/* At a credit reset the fullest and the emptiest queue are compared. Below full load credit2
 * tolerates a whole vCPU of difference, above it an eighth. */
static void balance_pool(struct xlp_sim *sim, size_t pool)
{
    size_t full = SIZE_MAX, empty = SIZE_MAX;
    double most = -1, least = INFINITY;

    for (size_t i = 0; i < sim->queue_count; i++) {
        double load = 0;

        if (sim->queues[i].pool != pool)
            continue;
        for (size_t k = 0; k < sim->queues[i].vcpu_count; k++)
            load += wants_to_run(sim->queues[i].vcpus[k]);
        if (load > most) {
            most = load;
            full = i;
        }
        if (load < least) {
            least = load;
            empty = i;
        }
    }
    if (full == SIZE_MAX || full == empty)
        return;
    if (most - least >= (most < (double)sim->queues[full].pcpu_count ? 1.0 : 0.125))
        level_queues(sim, full, empty, most - least);
}

void xlp_sim_balance_queues(struct xlp_sim *sim)
{
    for (size_t pool = 0; pool < sim->scenario->host.pool_count; pool++)
        balance_pool(sim, pool);
}
