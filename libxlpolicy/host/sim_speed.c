/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * How much work a vCPU does in the time it gets. On a real host run time is charged in full, and
 * work falls behind: beside a busy thread of the same core, away from one's memory, and with cold
 * caches after a move. Where a scenario says nothing of these, time is work.
 */
#include <math.h>

#include "host/sim.h"

#define THREADS_MAX 8

/* What so many busy threads of one core do together: it grows evenly from one to that of all. */
static double core_work(const struct xlp_sim_host_spec *host, uint32_t busy)
{
    if (busy < 2)
        return busy;
    return 1 + (host->core_capacity - 1) * (busy - 1) / (host->threads - 1);
}

double xlp_sim_capacity(const struct xlp_sim *sim, size_t pool)
{
    const struct xlp_sim_host_spec *host = &sim->scenario->host;
    double capacity = 0;

    for (uint32_t first = 0; first < sim->pcpu_count; first += host->threads) {
        uint32_t count = 0;

        for (uint32_t i = first; i < first + host->threads; i++)
            count += sim->pcpus[i].online && sim->pcpus[i].pool == pool;
        capacity += core_work(host, count);
    }
    return capacity;
}

/* The part of this vCPU's run time in which that other thread of its core is busy. Those that are
 * scheduled with it run at the same time, as they want to; others come and go by themselves. */
static double busy_beside(const struct xlp_sim *sim, const struct xlp_sim_unit *u, uint32_t thread,
                          uint32_t pcpu)
{
    const struct xlp_sim_vcpu *v = &u->vcpus[thread];
    double own;

    if (sim->pcpus[pcpu].queue == v->queue && sim->queues[v->queue].span > 1) {
        uint32_t other = sim->pcpus[pcpu].thread;

        return other < u->vcpu_count ? u->vcpus[other].limit : 0;
    }
    own = v->rate * xlp_sim_vcpu_part(sim, v, pcpu);
    return own < 1 ? fmin(1, fmax(0, sim->pcpus[pcpu].load - own) / (1 - own)) : 0;
}

static double speed_beside_others(const struct xlp_sim *sim, const struct xlp_sim_unit *u,
                                  uint32_t thread, uint32_t pcpu)
{
    const struct xlp_sim_host_spec *host = &sim->scenario->host;
    double chance[THREADS_MAX] = {1}; /* that so many others are busy */
    uint32_t first = pcpu - pcpu % host->threads, others = 0;
    double speed = 0;

    for (uint32_t p = first; p < first + host->threads; p++) {
        double busy;

        if (p == pcpu)
            continue;
        busy = busy_beside(sim, u, thread, p);
        others++;
        for (uint32_t n = others; n > 0; n--)
            chance[n] = chance[n] * (1 - busy) + chance[n - 1] * busy;
        chance[0] *= 1 - busy;
    }
    for (uint32_t n = 0; n <= others; n++)
        speed += chance[n] * core_work(host, n + 1) / (n + 1);
    return speed;
}

static double speed_on(const struct xlp_sim *sim, const struct xlp_sim_unit *u, uint32_t thread,
                       uint32_t pcpu)
{
    const struct xlp_sim_host_spec *host = &sim->scenario->host;
    uint32_t memory_node = u->domain->spec->memory_node;
    bool remote = memory_node != XLP_UNKNOWN && memory_node != sim->pcpus[pcpu].node;

    return speed_beside_others(sim, u, thread, pcpu) * (remote ? host->remote_speed : 1);
}

/* Over all places where it runs. */
static double speed_of(const struct xlp_sim *sim, const struct xlp_sim_queue *q,
                       const struct xlp_sim_unit *u, uint32_t thread)
{
    double work = 0, time = 0;

    for (size_t p = 0; p < q->place_count; p++) {
        uint32_t pcpu = q->pcpu_of[p] + thread;
        double part = xlp_sim_vcpu_part(sim, &u->vcpus[thread], pcpu);

        if (part <= 0)
            continue;
        work += part * speed_on(sim, u, thread, pcpu);
        time += part;
    }
    return time > 0 ? work / time : 1;
}

bool xlp_sim_is_even(const struct xlp_sim *sim)
{
    const struct xlp_sim_host_spec *host = &sim->scenario->host;

    return host->core_capacity >= host->threads && host->remote_speed >= 1;
}

double xlp_sim_set_speeds(struct xlp_sim *sim)
{
    double most = 0;

    for (size_t i = 0; i < sim->queue_count; i++) {
        const struct xlp_sim_queue *q = &sim->queues[i];

        for (size_t n = 0; n < q->unit_count; n++)
            for (uint32_t k = 0; k < q->units[n].vcpu_count; k++) {
                double speed = speed_of(sim, q, &q->units[n], k);

                most = fmax(most, fabs(speed - q->units[n].vcpus[k].speed));
                q->units[n].vcpus[k].speed = speed;
            }
    }
    return most;
}

/* ---- moves ---- */

/* The chance that the next it does is not where it was seen last. */
static double away(const struct xlp_sim *sim, const struct xlp_sim_vcpu *v)
{
    const struct xlp_sim_pcpu *p = &sim->pcpus[v->pcpu];

    if (p->queue != v->queue || !xlp_cpumap_test(&v->masks.hard, v->pcpu - v->thread))
        return 1;
    return v->rate > XLP_SIM_TINY ? 1 - xlp_sim_vcpu_part(sim, v, v->pcpu) : 0;
}

void xlp_sim_charge_moves(struct xlp_sim *sim)
{
    double cost_ns = sim->scenario->host.migration_ms * 1e6;

    for (size_t i = 0; i < sim->live_count; i++)
        for (uint32_t k = 0; k < sim->live[i]->vcpu_count; k++) {
            struct xlp_sim_vcpu *v = &sim->live[i]->vcpus[k];

            if (v->moved && cost_ns > 0) /* caches are cold but once, however often it moved */
                v->cold_ns = fmin(cost_ns, v->cold_ns + cost_ns * away(sim, v));
            v->moved = false;
        }
}
