/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The run queues of the simulated schedulers. credit2 keeps one for each socket (of at most 16
 * pCPUs): within it, sim_cpu.c shares fairly and leaves no pCPU idle while a vCPU waits; between
 * them it only compares how many want to run, now and then. null gives each vCPU a pCPU of its own,
 * as far as there are any. The other schedulers have no such queues and share the pCPUs of a whole
 * pool.
 *
 * With core granularity all this holds for cores, and for groups of vCPUs, instead of pCPUs and
 * vCPUs: units have places.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "grow.h"
#include "host/sim.h"

#define RUNQUEUE_PLACES_MAX 16
#define ALIKE               1e-6 /* loads that differ by less are the same */

static enum xlp_sched sched_of(const struct xlp_sim *sim, size_t pool)
{
    return sim->scenario->host.pools[pool].sched;
}

static uint32_t span_of(const struct xlp_sim *sim, size_t pool)
{
    return xlp_sim_span(&sim->scenario->host, sim->scenario->host.pools[pool].sched_gran);
}

uint32_t xlp_sim_weight(const struct xlp_sim *sim, const struct xlp_sim_domain *d)
{
    enum xlp_sched sched = sched_of(sim, d->pool);

    return sched == XLP_SCHED_CREDIT || sched == XLP_SCHED_CREDIT2 ? d->weight : 0;
}

bool xlp_sim_ignores_soft(const struct xlp_sim *sim, size_t pool)
{
    return sched_of(sim, pool) == XLP_SCHED_RTDS || sched_of(sim, pool) == XLP_SCHED_ARINC653;
}

/* ---- places ---- */

int xlp_sim_cpu_start(struct xlp_sim *sim)
{
    const struct xlp_sim_host_spec *host = &sim->scenario->host;
    uint32_t per_socket = host->pcpus / host->sockets, per_node = host->pcpus / host->nodes;

    for (uint32_t i = 0; i < sim->pcpu_count; i++) {
        struct xlp_sim_pcpu *p = &sim->pcpus[i];

        p->online = !xlp_cpumap_test(&host->offline, i);
        p->socket = i / per_socket;
        p->core = i % per_socket / host->threads; /* Xen counts them a socket */
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
        free(q->units);
        free(q->class_hard);
        free(q->class_soft);
        xlp_share_dispose(&q->share);
    }
    free(sim->queues);
}

/* Whether this queue takes one more place of that pool and socket. */
static bool takes(const struct xlp_sim *sim, const struct xlp_sim_queue *q,
                  const struct xlp_sim_pcpu *p)
{
    enum xlp_sched sched = sched_of(sim, p->pool);

    if (q->pool != p->pool || sched == XLP_SCHED_NULL)
        return false;
    return sched != XLP_SCHED_CREDIT2 ||
           (sim->pcpus[q->pcpu_of[0]].socket == p->socket && q->place_count < RUNQUEUE_PLACES_MAX);
}

/* The queue for one more place, made if there is none. */
static struct xlp_sim_queue *queue_for(struct xlp_sim *sim, const struct xlp_sim_pcpu *p)
{
    size_t room = sim->queue_room;

    for (size_t i = 0; i < sim->queue_count; i++)
        if (takes(sim, &sim->queues[i], p))
            return &sim->queues[i];
    if (xlp_grow(&sim->queues, &sim->queue_room, sim->queue_count + 1, sizeof(*sim->queues)) < 0)
        return NULL;
    memset(&sim->queues[room], 0, (sim->queue_room - room) * sizeof(*sim->queues));
    struct xlp_sim_queue *q = &sim->queues[sim->queue_count++];
    q->pool = p->pool;
    q->place_count = 0;
    q->places = xlp_cpumap_none();
    q->span = span_of(sim, p->pool);
    return q;
}

/* A core is placed on only while all of it is online. */
static bool is_place(const struct xlp_sim *sim, uint32_t pcpu, uint32_t span)
{
    for (uint32_t i = 0; i < span; i++)
        if (!sim->pcpus[pcpu + i].online || sim->pcpus[pcpu + i].pool == SIZE_MAX)
            return false;
    return true;
}

static int add_place(struct xlp_sim *sim, uint32_t pcpu, uint32_t span)
{
    struct xlp_sim_queue *q = queue_for(sim, &sim->pcpus[pcpu]);

    if (!q || xlp_grow(&q->pcpu_of, &q->place_room, q->place_count + 1, sizeof(uint32_t)) < 0)
        return -1;
    for (uint32_t i = 0; i < span; i++) {
        struct xlp_sim_pcpu *p = &sim->pcpus[pcpu + i];

        p->queue = (size_t)(q - sim->queues);
        p->place = q->place_count;
        p->thread = i;
    }
    q->pcpu_of[q->place_count++] = pcpu;
    xlp_cpumap_set(&q->places, pcpu);
    return 0;
}

bool xlp_sim_has_place(const struct xlp_sim *sim, const struct xlp_sim_domain *d,
                       const struct xlp_cpumap *hard)
{
    for (uint32_t i = 0; i < sim->pcpu_count; i++) {
        const struct xlp_sim_pcpu *p = &sim->pcpus[i];

        if (p->queue != SIZE_MAX && p->pool == d->pool && p->thread == 0 &&
            xlp_cpumap_test(hard, i))
            return true;
    }
    return false;
}

/* Queues are numbered anew. A pin that no place is left for is broken, as Xen's
 * cpu_disable_scheduler does. */
static void adapt(const struct xlp_sim *sim, struct xlp_sim_domain *d)
{
    for (uint32_t k = 0; k < d->vcpu_count; k++) {
        struct xlp_sim_vcpu *v = &d->vcpus[k];

        if (v->queue != SIZE_MAX)
            v->queue = sim->pcpus[v->pcpu].queue;
        if (!xlp_sim_has_place(sim, d, &v->masks.hard))
            v->masks.hard = xlp_cpumap_all();
    }
}

int xlp_sim_topology_changed(struct xlp_sim *sim)
{
    uint32_t span;

    sim->queue_count = 0;
    for (uint32_t i = 0; i < sim->pcpu_count; i++) {
        sim->pcpus[i].queue = SIZE_MAX;
        sim->pcpus[i].load = 0;
    }
    for (uint32_t i = 0; i < sim->pcpu_count; i += span) {
        size_t pool = sim->pcpus[i].pool;

        span = pool == SIZE_MAX ? 1 : span_of(sim, pool);
        if (is_place(sim, i, span) && add_place(sim, i, span) < 0)
            return -1;
    }
    for (size_t i = 0; i < sim->live_count; i++)
        adapt(sim, sim->live[i]);
    for (size_t i = 0; i < sim->live_count; i++)
        xlp_sim_enqueue(sim, sim->live[i]);
    return 0;
}

/* ---- units ---- */

struct xlp_sim_unit xlp_sim_unit_of(const struct xlp_sim *sim, struct xlp_sim_domain *d,
                                    uint32_t vcpu)
{
    uint32_t span = span_of(sim, d->pool), first = vcpu - vcpu % span;
    uint32_t left = d->vcpu_count - first;

    return (struct xlp_sim_unit){
        .domain = d, .vcpus = &d->vcpus[first], .vcpu_count = left < span ? left : span};
}

/* What wants to run, waiting included. */
static double wants_to_run(const struct xlp_sim_unit *u)
{
    double wants = 0;

    for (uint32_t k = 0; k < u->vcpu_count; k++)
        wants = fmax(wants, u->vcpus[k].rate + u->vcpus[k].waiting);
    return wants;
}

static void put(const struct xlp_sim *sim, const struct xlp_sim_unit *u, size_t queue)
{
    for (uint32_t k = 0; k < u->vcpu_count; k++) {
        struct xlp_sim_vcpu *v = &u->vcpus[k];

        v->queue = queue;
        v->thread = k;
        v->moved = v->moved || sim->pcpus[v->pcpu].queue != queue;
    }
}

static bool meets(const struct xlp_cpumap *a, const struct xlp_cpumap *b)
{
    struct xlp_cpumap both = xlp_cpumap_and(a, b);

    return !xlp_cpumap_is_empty(&both);
}

/* How credit2 counts the load of a queue: not divided by the number of places. */
static double queue_load(const struct xlp_sim *sim, size_t queue, const struct xlp_sim_unit *but)
{
    double load = 0;

    for (size_t i = 0; i < sim->live_count; i++) {
        struct xlp_sim_domain *d = sim->live[i];

        for (uint32_t k = 0; k < d->vcpu_count;) {
            struct xlp_sim_unit u = xlp_sim_unit_of(sim, d, k);

            if (u.vcpus->queue == queue && u.vcpus != but->vcpus)
                load += wants_to_run(&u);
            k += u.vcpu_count;
        }
    }
    return load;
}

/* The least loaded queue with a place of this mask. */
static size_t least_loaded(const struct xlp_sim *sim, const struct xlp_sim_unit *u,
                           const struct xlp_cpumap *mask)
{
    size_t best = SIZE_MAX;
    double least = INFINITY;

    for (size_t i = 0; i < sim->queue_count; i++) {
        const struct xlp_sim_queue *q = &sim->queues[i];
        double load;

        if (q->pool != u->domain->pool || !meets(mask, &q->places))
            continue;
        load = sim->queue_count > 1 ? queue_load(sim, i, u) : 0;
        if (load < least - ALIKE || (load < least + ALIKE && i == u->vcpus->queue)) {
            least = load;
            best = i;
        }
    }
    return best;
}

/* Whether null has given the only place of this queue to another unit. */
static bool is_taken(const struct xlp_sim *sim, size_t queue, const struct xlp_sim_unit *but)
{
    for (size_t i = 0; i < sim->live_count; i++)
        for (uint32_t k = 0; k < sim->live[i]->vcpu_count; k++) {
            const struct xlp_sim_vcpu *v = &sim->live[i]->vcpus[k];

            if (v->queue == queue && v - v->thread != but->vcpus)
                return true;
        }
    return false;
}

static bool is_online(const struct xlp_sim_unit *u)
{
    for (uint32_t k = 0; k < u->vcpu_count; k++)
        if (u->vcpus[k].online)
            return true;
    return false;
}

/* Under null: where it was, if that is still free, or else any free place of the mask. */
static size_t free_place(const struct xlp_sim *sim, const struct xlp_sim_unit *u,
                         const struct xlp_cpumap *mask)
{
    size_t old = sim->pcpus[u->vcpus->pcpu].queue, best = SIZE_MAX;

    for (size_t i = 0; i < sim->queue_count; i++) {
        const struct xlp_sim_queue *q = &sim->queues[i];

        if (q->pool == u->domain->pool && meets(mask, &q->places) && is_online(u) &&
            !is_taken(sim, i, u) && (best == SIZE_MAX || i == old))
            best = i;
    }
    return best;
}

static size_t queue_of_mask(const struct xlp_sim *sim, const struct xlp_sim_unit *u,
                            const struct xlp_cpumap *mask)
{
    return sched_of(sim, u->domain->pool) == XLP_SCHED_NULL ? free_place(sim, u, mask)
                                                            : least_loaded(sim, u, mask);
}

static void enqueue(struct xlp_sim *sim, const struct xlp_sim_unit *u)
{
    const struct xlp_sim_masks *masks = &u->vcpus->masks;
    struct xlp_cpumap liked = xlp_cpumap_and(&masks->hard, &masks->soft);
    size_t queue = queue_of_mask(sim, u, &liked);

    put(sim, u, queue == SIZE_MAX ? queue_of_mask(sim, u, &masks->hard) : queue);
    sim->rates_stale = true;
}

void xlp_sim_enqueue(struct xlp_sim *sim, struct xlp_sim_domain *d)
{
    for (uint32_t k = 0; k < d->vcpu_count;) {
        struct xlp_sim_unit u = xlp_sim_unit_of(sim, d, k);

        enqueue(sim, &u);
        k += u.vcpu_count;
    }
}

void xlp_sim_set_masks(struct xlp_sim *sim, struct xlp_sim_domain *d, struct xlp_sim_vcpu *v,
                       const struct xlp_sim_masks *masks)
{
    struct xlp_sim_unit u = xlp_sim_unit_of(sim, d, (uint32_t)(v - d->vcpus));
    struct xlp_sim_masks copy = *masks; /* which may be one of those */

    for (uint32_t k = 0; k < u.vcpu_count; k++) {
        u.vcpus[k].masks = copy;
        u.vcpus[k].undone = (struct xlp_sim_masks){0};
        u.vcpus[k].moved = true;
    }
    enqueue(sim, &u);
}

/* ---- as time goes by ---- */

/* Moves the unit, or swaps the pair, that levels two queues best; delta is how much more the first
 * one carries. */
static void level_queues(struct xlp_sim *sim, size_t from, size_t to, double delta)
{
    struct xlp_sim_queue *f = &sim->queues[from], *t = &sim->queues[to];
    struct xlp_sim_unit *push = NULL, *pull = NULL;
    double best = delta - ALIKE;

    for (size_t i = 0; i < f->unit_count; i++) {
        struct xlp_sim_unit *a = &f->units[i];

        if (!meets(&a->vcpus->masks.hard, &t->places))
            continue;
        for (size_t j = 0; j <= t->unit_count; j++) {
            struct xlp_sim_unit *b = j < t->unit_count ? &t->units[j] : NULL;
            double moved = wants_to_run(a) - (b ? wants_to_run(b) : 0);

            if (fabs(delta - 2 * moved) < best &&
                (!b || meets(&b->vcpus->masks.hard, &f->places))) {
                best = fabs(delta - 2 * moved) - ALIKE;
                push = a;
                pull = b;
            }
        }
    }
    if (!push)
        return;
    put(sim, push, to);
    if (pull)
        put(sim, pull, from);
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
        for (size_t k = 0; k < sim->queues[i].unit_count; k++)
            load += wants_to_run(&sim->queues[i].units[k]);
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
    if (most - least >= (most < (double)sim->queues[full].place_count ? 1.0 : 0.125))
        level_queues(sim, full, empty, most - least);
}

/* null gives a place that became free to one that waits for it. */
static void hand_out_places(struct xlp_sim *sim, size_t pool)
{
    for (size_t i = 0; i < sim->live_count; i++) {
        struct xlp_sim_domain *d = sim->live[i];

        for (uint32_t k = 0; d->pool == pool && k < d->vcpu_count; k++) {
            struct xlp_sim_unit u = xlp_sim_unit_of(sim, d, k);

            if (d->vcpus[k].queue == SIZE_MAX)
                enqueue(sim, &u);
        }
    }
}

void xlp_sim_balance_queues(struct xlp_sim *sim)
{
    for (size_t pool = 0; pool < sim->scenario->host.pool_count; pool++) {
        if (sched_of(sim, pool) == XLP_SCHED_CREDIT2)
            balance_pool(sim, pool);
        else if (sched_of(sim, pool) == XLP_SCHED_NULL)
            hand_out_places(sim, pool);
    }
}
