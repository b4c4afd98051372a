/* SPDX-License-Identifier: LGPL-2.1-only */
/* How each run queue shares its places among its units, from what they want and may have. */
#include <math.h>

#include "grow.h"
#include "host/sim.h"

/* Who is slowed down wants more time, and so slows down others: times are worked out anew until no
 * speed changes by more than this. They only grow from one round to the next, so they come to rest.
 */
#define SPEED_CLOSE 1e-6
#define ROUNDS_MAX  40

static void start_over(struct xlp_sim *sim);
static void limit_times(struct xlp_sim *sim);
static int gather(struct xlp_sim *sim);
static int solve(struct xlp_sim *sim, struct xlp_sim_queue *q);
static void settle(struct xlp_sim *sim);

int xlp_sim_share(struct xlp_sim *sim)
{
    start_over(sim);
    for (int round = 0; round < ROUNDS_MAX; round++) {
        limit_times(sim);
        if (gather(sim) < 0)
            return -1;
        for (size_t i = 0; i < sim->queue_count; i++)
            if (solve(sim, &sim->queues[i]) < 0)
                return -1;
        if (xlp_sim_is_even(sim) || xlp_sim_set_speeds(sim) <= SPEED_CLOSE)
            break;
    }
    settle(sim);
    xlp_sim_charge_moves(sim);
    return 0;
}

/* ---- what each may have ---- */

/* A cap is a budget of the whole domain: its vCPUs share it evenly as far as they want it. */
static void cap_domain(struct xlp_sim_domain *d)
{
    double cap = d->cap_pct / 100.0, level = 0, higher = cap / d->vcpu_count;

    while (higher > level) { /* what some do not want is there for the others */
        double left = cap;
        uint32_t open = 0;

        level = higher;
        for (uint32_t k = 0; k < d->vcpu_count; k++) {
            if (d->vcpus[k].limit <= level)
                left -= d->vcpus[k].limit;
            else
                open++;
        }
        higher = open ? left / open : level;
    }
    for (uint32_t k = 0; k < d->vcpu_count; k++)
        d->vcpus[k].limit = fmin(d->vcpus[k].limit, level);
}

/* Run time counts against a cap, whatever was done in it. */
static void limit_times(struct xlp_sim *sim)
{
    for (size_t i = 0; i < sim->live_count; i++) {
        struct xlp_sim_domain *d = sim->live[i];

        for (uint32_t k = 0; k < d->vcpu_count; k++)
            d->vcpus[k].limit = d->vcpus[k].wants = fmin(1, d->vcpus[k].demand / d->vcpus[k].speed);
        if (d->cap_pct > 0)
            cap_domain(d);
    }
}

static void start_over(struct xlp_sim *sim)
{
    for (size_t i = 0; i < sim->live_count; i++)
        for (uint32_t k = 0; k < sim->live[i]->vcpu_count; k++)
            sim->live[i]->vcpus[k].speed = 1;
    limit_times(sim);
    for (size_t i = 0; i < sim->live_count; i++)
        for (uint32_t k = 0; k < sim->live[i]->vcpu_count; k++)
            sim->live[i]->vcpus[k].due = sim->live[i]->vcpus[k].limit;
}

/* ---- the queues ---- */

/* Units with the same masks within the queue form one class. */
static int class_for(const struct xlp_sim *sim, struct xlp_sim_queue *q,
                     const struct xlp_sim_masks *masks, size_t *class_out)
{
    struct xlp_cpumap hard = xlp_cpumap_and(&masks->hard, &q->places);
    struct xlp_cpumap soft =
        xlp_sim_ignores_soft(sim, q->pool) ? hard : xlp_cpumap_and(&masks->soft, &hard);

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

/* Puts a unit among those of its queue. */
static int file_unit(struct xlp_sim *sim, struct xlp_sim_unit *u)
{
    struct xlp_sim_queue *q = &sim->queues[u->vcpus->queue];
    size_t class;

    if (xlp_grow(&q->units, &q->unit_room, q->unit_count + 1, sizeof(*q->units)) < 0 ||
        class_for(sim, q, &u->vcpus->masks, &class) < 0)
        return -1;
    for (uint32_t k = 0; k < u->vcpu_count; k++) {
        struct xlp_sim_vcpu *v = &u->vcpus[k];

        v->class = class;
        u->limit += v->limit * (1 - u->limit); /* they come and go by themselves */
    }
    q->units[q->unit_count++] = *u;
    return 0;
}

/*
 * A vCPU that does not get all it wants never blocks: it runs or waits. One that does waits only
 * when it wakes while all of its places are busy with others; a tenth of its idle time it is always
 * seen blocked.
 */
static void settle_states(const struct xlp_sim_unit *u, double busy)
{
    for (uint32_t k = 0; k < u->vcpu_count; k++) {
        struct xlp_sim_vcpu *v = &u->vcpus[k];

        v->waiting = v->blocked = 0;
        if (u->domain->flags || !v->online)
            continue;
        if (v->wants - v->rate > XLP_SIM_TINY)
            v->waiting = 1 - v->rate;
        else
            v->waiting = fmin(v->rate * busy, 0.9 * (1 - v->rate));
        v->blocked = 1 - v->rate - v->waiting;
    }
}

static int gather(struct xlp_sim *sim)
{
    for (size_t i = 0; i < sim->queue_count; i++)
        sim->queues[i].unit_count = sim->queues[i].class_count = 0;
    for (size_t i = 0; i < sim->live_count; i++) {
        struct xlp_sim_domain *d = sim->live[i];

        for (uint32_t k = 0; k < d->vcpu_count;) {
            struct xlp_sim_unit u = xlp_sim_unit_of(sim, d, k);

            for (uint32_t n = 0; n < u.vcpu_count; n++)
                u.vcpus[n].rate = 0;
            if (u.vcpus->queue >= sim->queue_count)
                settle_states(&u, 1);
            else if (file_unit(sim, &u) < 0)
                return -1;
            k += u.vcpu_count;
        }
    }
    return 0;
}

static void set_problem(const struct xlp_sim *sim, struct xlp_sim_queue *q)
{
    struct xlp_share *share = &q->share;

    for (size_t c = 0; c < q->class_count; c++) {
        for (size_t p = 0; p < q->place_count; p++) {
            share->allowed[c * q->place_count + p] =
                xlp_cpumap_test(&q->class_hard[c], q->pcpu_of[p]);
            share->liked[c * q->place_count + p] =
                xlp_cpumap_test(&q->class_soft[c], q->pcpu_of[p]);
        }
    }
    for (size_t i = 0; i < q->unit_count; i++) {
        const struct xlp_sim_unit *u = &q->units[i];
        uint32_t weight = xlp_sim_weight(sim, u->domain);

        share->vcpus[i] = (struct xlp_share_vcpu){
            .class = u->vcpus->class, .weight = weight ? weight : 1, .limit = u->limit};
    }
}

/* The vCPUs of a unit have its time as they want it; who wants nothing leaves its thread idle. */
static void take_solution(struct xlp_sim *sim, struct xlp_sim_queue *q)
{
    const struct xlp_share *share = &q->share;

    for (size_t p = 0; p < q->place_count; p++)
        for (uint32_t k = 0; k < q->span; k++)
            sim->pcpus[q->pcpu_of[p] + k].load = q->span == 1 ? share->load[p] : 0;
    for (size_t i = 0; i < q->unit_count; i++) {
        struct xlp_sim_unit *u = &q->units[i];

        u->rate = share->vcpus[i].rate;
        for (uint32_t k = 0; k < u->vcpu_count; k++) {
            struct xlp_sim_vcpu *v = &u->vcpus[k];

            v->rate = u->limit > 0 ? u->rate * (v->limit / u->limit) : 0;
            for (size_t p = 0; q->span > 1 && p < q->place_count; p++)
                sim->pcpus[q->pcpu_of[p] + k].load +=
                    v->rate * xlp_sim_vcpu_part(sim, v, q->pcpu_of[p] + k);
        }
    }
}

static int solve(struct xlp_sim *sim, struct xlp_sim_queue *q)
{
    if (xlp_share_start(&q->share, q->class_count, q->place_count, q->unit_count) < 0)
        return -1;
    set_problem(sim, q);
    xlp_share_solve(&q->share);
    take_solution(sim, q);
    return 0;
}

/* The part of the time in which all places that a unit may have are busy with others. */
static double all_busy(const struct xlp_sim *sim, const struct xlp_sim_queue *q,
                       const struct xlp_sim_unit *u)
{
    double busy = 1;

    for (size_t p = 0; p < q->place_count; p++) {
        double own = xlp_sim_vcpu_part(sim, u->vcpus, q->pcpu_of[p]) * u->rate;

        if (xlp_cpumap_test(&u->vcpus->masks.hard, q->pcpu_of[p]))
            busy *= fmax(0, q->share.load[p] - own);
    }
    return busy;
}

static void settle(struct xlp_sim *sim)
{
    for (size_t i = 0; i < sim->queue_count; i++) {
        struct xlp_sim_queue *q = &sim->queues[i];

        for (size_t k = 0; k < q->unit_count; k++)
            settle_states(&q->units[k], all_busy(sim, q, &q->units[k]));
    }
}
