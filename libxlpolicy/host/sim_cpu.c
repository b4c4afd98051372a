/* SPDX-License-Identifier: LGPL-2.1-only */
/* Who runs how much, and where, in each step of the simulated host. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "grow.h"
#include "host/sim.h"

#define SHORT 1e-6 /* of a pCPU: a vCPU that lacks more than this never blocks */

static void take_look(struct xlp_sim *sim);
static void update_demands(struct xlp_sim *sim);
static int rebuild_queues(struct xlp_sim *sim);

void xlp_sim_cpu_step(struct xlp_sim *sim, uint64_t to_ns)
{
    double step_ns = (double)(to_ns - sim->now_ns);
    uint64_t seconds = to_ns / XLP_SIM_SECOND_NS - sim->now_ns / XLP_SIM_SECOND_NS;
    double per_s = sim->scenario->host.samples_per_s;
    uint64_t looks =
        (uint64_t)((double)to_ns / 1e9 * per_s) - (uint64_t)((double)sim->now_ns / 1e9 * per_s);

    update_demands(sim);
    if (sim->rates_stale && rebuild_queues(sim) == 0)
        sim->rates_stale = false;
    for (uint32_t i = 0; i < sim->pcpu_count; i++)
        if (sim->pcpus[i].online)
            sim->pcpus[i].idle_ns += (1 - sim->pcpus[i].load) * step_ns;
    for (size_t i = 0; i < sim->live_count; i++)
        for (uint32_t k = 0; k < sim->live[i]->vcpu_count; k++)
            sim->live[i]->vcpus[k].run_ns += sim->live[i]->vcpus[k].rate * step_ns;
    for (; looks > 0; looks--)
        take_look(sim);
    if (seconds > 0)
        xlp_sim_balance_queues(sim);
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

    if (d->flags)
        return 0;
    if (d->spec->noise_pct > 0)
        demand += d->spec->noise_pct / 100 *
                  (2 * xlp_sim_random(sim->scenario->host.seed, (uint64_t)now_s,
                                      (uint64_t)(d - sim->domains) << 32 | k) -
                   1);
    return fmin(1, fmax(0, demand));
}

/* A cap is a budget of the whole domain: its vCPUs share it evenly as far as they want it. */
static void cap_domain(struct xlp_sim_domain *d)
{
    double left = d->cap_pct / 100.0;
    uint32_t unfixed = d->vcpu_count;
    bool fixed = true;

    for (uint32_t k = 0; k < d->vcpu_count; k++)
        d->vcpus[k].limit = -1;
    while (fixed && unfixed > 0) { /* those that want less than an even part */
        double part = left / unfixed;

        fixed = false;
        for (uint32_t k = 0; k < d->vcpu_count; k++) {
            if (d->vcpus[k].limit < 0 && d->vcpus[k].demand <= part) {
                d->vcpus[k].limit = d->vcpus[k].demand;
                left -= d->vcpus[k].demand;
                unfixed--;
                fixed = true;
            }
        }
    }
    for (uint32_t k = 0; k < d->vcpu_count; k++)
        if (d->vcpus[k].limit < 0)
            d->vcpus[k].limit = left / unfixed;
}

static void update_demands(struct xlp_sim *sim)
{
    for (size_t i = 0; i < sim->live_count; i++) {
        struct xlp_sim_domain *d = sim->live[i];
        bool changed = false;

        for (uint32_t k = 0; k < d->vcpu_count; k++) {
            double demand = demand_now(sim, d, k);

            changed = changed || fabs(demand - d->vcpus[k].demand) > SHORT;
            d->vcpus[k].demand = demand;
        }
        if (!changed && !sim->rates_stale)
            continue;
        sim->rates_stale = true;
        for (uint32_t k = 0; k < d->vcpu_count; k++)
            d->vcpus[k].limit = d->vcpus[k].demand;
        if (d->cap_pct > 0)
            cap_domain(d);
    }
}

/* vCPUs with the same masks within the queue form one class. */
static int class_for(struct xlp_sim_queue *q, const struct xlp_sim_masks *masks, size_t *class_out)
{
    struct xlp_cpumap hard = xlp_cpumap_and(&masks->hard, &q->pcpus);
    struct xlp_cpumap soft = xlp_cpumap_and(&masks->soft, &hard);

    for (size_t c = 0; c < q->class_count; c++) {
        if (xlp_cpumap_equal(&q->class_hard[c], &hard) &&
            xlp_cpumap_equal(&q->class_soft[c], &soft)) {
            *class_out = c;
            return 0;
        }
    }
    if (xlp_grow(&q->class_hard, &q->hard_room, q->class_count + 1, sizeof(hard)) < 0 ||
        xlp_grow(&q->class_soft, &q->soft_room, q->class_count + 1, sizeof(soft)) < 0)
        return -1;
    q->class_hard[q->class_count] = hard;
    q->class_soft[q->class_count] = soft;
    *class_out = q->class_count++;
    return 0;
}

static int gather(struct xlp_sim *sim)
{
    for (size_t i = 0; i < sim->queue_count; i++)
        sim->queues[i].vcpu_count = sim->queues[i].class_count = 0;
    for (size_t i = 0; i < sim->live_count; i++) {
        for (uint32_t k = 0; k < sim->live[i]->vcpu_count; k++) {
            struct xlp_sim_vcpu *v = &sim->live[i]->vcpus[k];
            struct xlp_sim_queue *q;

            v->rate = 0;
            if (v->queue >= sim->queue_count)
                continue;
            q = &sim->queues[v->queue];
            if (xlp_grow(&q->vcpus, &q->vcpu_room, q->vcpu_count + 1, sizeof(*q->vcpus)) < 0 ||
                xlp_grow(&q->weights, &q->weight_room, q->vcpu_count + 1, sizeof(uint32_t)) < 0 ||
                class_for(q, &v->masks, &v->class) < 0)
                return -1;
            q->weights[q->vcpu_count] = sim->live[i]->weight;
            q->vcpus[q->vcpu_count++] = v;
        }
    }
    return 0;
}

static int solve(struct xlp_sim *sim, struct xlp_sim_queue *q)
{
    struct xlp_share *share = &q->share;

    if (xlp_share_start(share, q->class_count, q->pcpu_count, q->vcpu_count) < 0)
        return -1;
    for (size_t c = 0; c < q->class_count; c++) {
        for (size_t p = 0; p < q->pcpu_count; p++) {
            share->allowed[c * q->pcpu_count + p] =
                xlp_cpumap_test(&q->class_hard[c], q->pcpu_of[p]);
            share->liked[c * q->pcpu_count + p] = xlp_cpumap_test(&q->class_soft[c], q->pcpu_of[p]);
        }
    }
    for (size_t i = 0; i < q->vcpu_count; i++)
        share->vcpus[i] = (struct xlp_share_vcpu){
            .class = q->vcpus[i]->class, .weight = q->weights[i], .limit = q->vcpus[i]->limit};
    xlp_share_solve(share);
    for (size_t i = 0; i < q->vcpu_count; i++)
        q->vcpus[i]->rate = share->vcpus[i].rate;
    for (size_t p = 0; p < q->pcpu_count; p++)
        sim->pcpus[q->pcpu_of[p]].load = share->load[p];
    return 0;
}

/*
 * A vCPU that does not get all it wants never blocks: it runs or waits. One that does waits only
 * when it wakes while all of its pCPUs are busy; a tenth of its idle time it is always seen
 * blocked.
 */
static void settle_states(const struct xlp_sim *sim, const struct xlp_sim_domain *d,
                          struct xlp_sim_vcpu *v)
{
    const struct xlp_sim_queue *q;
    double all_busy = 1;

    v->waiting = v->blocked = 0;
    if (d->flags)
        return;
    if (v->demand - v->rate > SHORT) {
        v->waiting = 1 - v->rate;
        return;
    }
    q = v->queue < sim->queue_count ? &sim->queues[v->queue] : NULL;
    for (size_t p = 0; q && p < q->pcpu_count; p++) {
        uint32_t pcpu = q->pcpu_of[p];
        double own = xlp_sim_vcpu_part(sim, v, pcpu) * v->rate;

        if (xlp_cpumap_test(&v->masks.hard, pcpu))
            all_busy *= fmax(0, sim->pcpus[pcpu].load - own);
    }
    v->waiting = fmin(v->rate * all_busy, 0.9 * (1 - v->rate));
    v->blocked = 1 - v->rate - v->waiting;
}

static int rebuild_queues(struct xlp_sim *sim)
{
    if (gather(sim) < 0)
        return -1;
    for (size_t i = 0; i < sim->queue_count; i++)
        if (solve(sim, &sim->queues[i]) < 0)
            return -1;
    for (size_t i = 0; i < sim->live_count; i++)
        for (uint32_t k = 0; k < sim->live[i]->vcpu_count; k++)
            settle_states(sim, sim->live[i], &sim->live[i]->vcpus[k]);
    return 0;
}

/* ---- where they run ---- */

double xlp_sim_vcpu_part(const struct xlp_sim *sim, const struct xlp_sim_vcpu *v, uint32_t pcpu)
{
    const struct xlp_sim_pcpu *p = &sim->pcpus[pcpu];
    const struct xlp_sim_queue *q;

    if (p->queue == SIZE_MAX || p->queue != v->queue)
        return 0;
    q = &sim->queues[v->queue];
    if (v->class >= q->share.class_count || q->share.rate[v->class] < SHORT)
        return 0;
    return q->share.flow[v->class * q->pcpu_count + p->place] / q->share.rate[v->class];
}

/* The first pCPU it may run on where it is queued now. */
static uint32_t some_place(const struct xlp_sim *sim, const struct xlp_sim_vcpu *v)
{
    struct xlp_cpumap can;

    if (v->queue >= sim->queue_count)
        return v->pcpu;
    can = xlp_cpumap_and(&v->masks.hard, &sim->queues[v->queue].pcpus);
    return xlp_cpumap_next(&can, 0);
}

/* One that floats is found on each of its pCPUs as often as it runs there; one that does not run
 * stays where it was, unless it may not be there any more. */
static void see_vcpu(struct xlp_sim *sim, struct xlp_sim_vcpu *v, double x)
{
    if (sim->pcpus[v->pcpu].queue != v->queue || !xlp_cpumap_test(&v->masks.hard, v->pcpu))
        v->pcpu = some_place(sim, v);
    if (v->queue >= sim->queue_count)
        return;
    for (size_t p = 0; p < sim->queues[v->queue].pcpu_count; p++) {
        uint32_t pcpu = sim->queues[v->queue].pcpu_of[p];

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
