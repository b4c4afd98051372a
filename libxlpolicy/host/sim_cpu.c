/* SPDX-License-Identifier: LGPL-2.1-only */
/* Who runs how much, and where, in each step of the simulated host. */
#include <math.h>
#include <stdlib.h>

#include "host/sim.h"

static void run(struct xlp_sim_vcpu *v, double step_ns);
static void take_look(struct xlp_sim *sim);
static void update_demands(struct xlp_sim *sim);

void xlp_sim_cpu_step(struct xlp_sim *sim, uint64_t to_ns)
{
    double step_ns = (double)(to_ns - sim->now_ns);
    uint64_t seconds = to_ns / XLP_SIM_SECOND_NS - sim->now_ns / XLP_SIM_SECOND_NS;
    double per_s = sim->scenario->host.samples_per_s;
    uint64_t looks =
        (uint64_t)((double)to_ns / 1e9 * per_s) - (uint64_t)((double)sim->now_ns / 1e9 * per_s);

    update_demands(sim);
    if (sim->rates_stale && xlp_sim_share(sim) == 0)
        sim->rates_stale = false;
    for (uint32_t i = 0; i < sim->pcpu_count; i++)
        if (sim->pcpus[i].online)
            sim->pcpus[i].idle_ns += (1 - sim->pcpus[i].load) * step_ns;
    for (size_t i = 0; i < sim->live_count; i++)
        for (uint32_t k = 0; k < sim->live[i]->vcpu_count; k++)
            run(&sim->live[i]->vcpus[k], step_ns);
    for (; looks > 0; looks--)
        take_look(sim);
    if (seconds > 0)
        xlp_sim_balance_queues(sim);
}

static void run(struct xlp_sim_vcpu *v, double step_ns)
{
    double work_ns = v->rate * v->speed * step_ns, lost_ns = fmin(v->cold_ns, work_ns);

    v->run_ns += v->rate * step_ns;
    v->work_ns += work_ns - lost_ns;
    v->work = (work_ns - lost_ns) / step_ns;
    v->cold_ns -= lost_ns;
}

/* A look from dom0: it finds each vCPU in one of its states by chance. dom0 is not looked at: its
 * own vCPU always runs in that moment. */
static void take_look(struct xlp_sim *sim)
{
    uint64_t look = sim->look_count++;

    for (size_t i = 1; i < sim->live_count; i++) {
        struct xlp_sim_domain *d = sim->live[i];

        for (uint32_t k = 0; k < d->vcpu_count; k++) {
            struct xlp_sim_vcpu *v = &d->vcpus[k];
            double x =
                xlp_sim_random(~sim->scenario->host.seed, look, (uint64_t)d->domid << 16 | k);

            v->samples++;
            if (x < v->waiting)
                v->samples_waiting++;
            else if (x < v->waiting + v->blocked)
                v->samples_blocked++;
        }
    }
}

static double demand_now(const struct xlp_sim *sim, const struct xlp_sim_domain *d, uint32_t k)
{
    double now_s = (double)sim->now_ns / 1e9;
    double demand = xlp_sim_trace_at(d->vcpus[k].load, now_s) / 100;

    if (d->flags || !d->vcpus[k].online)
        return 0;
    if (d->spec->noise_pct > 0)
        demand += d->spec->noise_pct / 100 *
                  (2 * xlp_sim_random(sim->scenario->host.seed, (uint64_t)now_s,
                                      (uint64_t)(d - sim->domains) << 32 | k) -
                   1);
    return fmin(1, fmax(0, demand));
}

static void update_demands(struct xlp_sim *sim)
{
    for (size_t i = 0; i < sim->live_count; i++) {
        struct xlp_sim_domain *d = sim->live[i];
        bool changed = false;

        for (uint32_t k = 0; k < d->vcpu_count; k++) {
            double demand = demand_now(sim, d, k);

            changed = changed || fabs(demand - d->vcpus[k].demand) > XLP_SIM_TINY;
            d->vcpus[k].demand = demand;
        }
        sim->rates_stale = sim->rates_stale || changed;
    }
}

/* ---- where they run ---- */

double xlp_sim_vcpu_part(const struct xlp_sim *sim, const struct xlp_sim_vcpu *v, uint32_t pcpu)
{
    const struct xlp_sim_pcpu *p = &sim->pcpus[pcpu];
    const struct xlp_sim_queue *q;

    if (p->queue == SIZE_MAX || p->queue != v->queue || p->thread != v->thread)
        return 0;
    q = &sim->queues[v->queue];
    if (v->class >= q->share.class_count || q->share.rate[v->class] < XLP_SIM_TINY)
        return 0;
    return q->share.flow[v->class * q->place_count + p->place] / q->share.rate[v->class];
}

/* The first place it may run on where it is queued now. */
static uint32_t some_place(const struct xlp_sim *sim, const struct xlp_sim_vcpu *v)
{
    struct xlp_cpumap can;

    if (v->queue >= sim->queue_count)
        return v->pcpu;
    can = xlp_cpumap_and(&v->masks.hard, &sim->queues[v->queue].places);
    return xlp_cpumap_next(&can, 0) + v->thread;
}

/* One that floats is found on each of its pCPUs as often as it runs there; one that does not run
 * stays where it was, unless it may not be there any more. */
static void see_vcpu(struct xlp_sim *sim, struct xlp_sim_vcpu *v, double x)
{
    if (sim->pcpus[v->pcpu].queue != v->queue ||
        !xlp_cpumap_test(&v->masks.hard, v->pcpu - v->thread))
        v->pcpu = some_place(sim, v);
    if (v->queue >= sim->queue_count)
        return;
    for (size_t p = 0; p < sim->queues[v->queue].place_count; p++) {
        uint32_t pcpu = sim->queues[v->queue].pcpu_of[p] + v->thread;

        x -= xlp_sim_vcpu_part(sim, v, pcpu);
        if (x < 0) {
            v->pcpu = pcpu;
            return;
        }
    }
}

void xlp_sim_see_vcpus(struct xlp_sim *sim)
{
    for (size_t i = 0; i < sim->live_count; i++)
        for (uint32_t k = 0; k < sim->live[i]->vcpu_count; k++)
            see_vcpu(sim, &sim->live[i]->vcpus[k],
                     xlp_sim_random(sim->scenario->host.seed + 1, sim->now_ns,
                                    (uint64_t)sim->live[i]->domid << 16 | k));
}
