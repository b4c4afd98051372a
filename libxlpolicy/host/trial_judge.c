/* SPDX-License-Identifier: LGPL-2.1-only */
/* Measuring what a scenario's expectations are about; trial_verdict.c words the outcome. */
#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/trial_parts.h"

static void measure(const struct xlp_judge *judge, struct xlp_measure *m, double step_s);

/* ---- setting up ---- */

static int start_measure(const struct xlp_judge *judge, struct xlp_measure *m,
                         const struct xlp_sim_expect *expect, uint64_t tick_ns)
{
    const struct xlp_sim *sim = judge->sim;

    m->expect = expect;
    m->from_ns = expect->from_tick ? expect->from_tick * tick_ns : expect->from_ns;
    m->low = INFINITY;
    m->high = -INFINITY;
    m->pcpu_sum = calloc(sim->pcpu_count, sizeof(double));
    m->pcpu_s = calloc(sim->pcpu_count, sizeof(double));
    m->guest_a = calloc(sim->domain_count, sizeof(double));
    m->guest_b = calloc(sim->domain_count, sizeof(double));
    m->matches = calloc(sim->domain_count, sizeof(bool));
    m->masks = calloc(judge->vcpu_count + 1, sizeof(*m->masks));
    if (!m->pcpu_sum || !m->pcpu_s || !m->guest_a || !m->guest_b || !m->matches || !m->masks)
        return -1;
    for (size_t i = 1; i < sim->domain_count; i++)
        m->matches[i] = fnmatch(expect->guests, sim->domains[i].spec->name, 0) == 0;
    return 0;
}

struct xlp_judge *xlp_judge_new(const struct xlp_sim *sim, uint64_t tick_ns)
{
    struct xlp_judge *judge = calloc(1, sizeof(*judge));

    if (!judge)
        return NULL;
    judge->sim = sim;
    judge->measure_count = sim->scenario->expect_count;
    judge->measures = calloc(judge->measure_count + 1, sizeof(*judge->measures));
    judge->counted = calloc(sim->domain_count, sizeof(*judge->counted));
    judge->entitled = calloc(sim->domain_count, sizeof(*judge->entitled));
    for (size_t i = 0; i < sim->domain_count; i++)
        judge->vcpu_count += sim->domains[i].vcpu_count;
    if (!judge->measures || !judge->counted || !judge->entitled)
        goto fail;
    for (size_t i = 0; i < judge->measure_count; i++)
        if (start_measure(judge, &judge->measures[i], &sim->scenario->expects[i], tick_ns) < 0)
            goto fail;
    return judge;

fail:
    xlp_judge_free(judge);
    return NULL;
}

void xlp_judge_free(struct xlp_judge *judge)
{
    if (!judge)
        return;
    for (size_t i = 0; judge->measures && i < judge->measure_count; i++) {
        struct xlp_measure *m = &judge->measures[i];

        free(m->pcpu_sum);
        free(m->pcpu_s);
        free(m->guest_a);
        free(m->guest_b);
        free(m->matches);
        free(m->masks);
    }
    free(judge->measures);
    free(judge->counted);
    free(judge->entitled);
    free(judge);
}

/* ---- as time goes by ---- */

static uint32_t online_vcpus(const struct xlp_sim_domain *d)
{
    uint32_t count = 0;

    for (uint32_t k = 0; k < d->vcpu_count; k++)
        count += d->vcpus[k].online;
    return count;
}

static double work_of(const struct xlp_sim_domain *d)
{
    double work = 0;

    for (uint32_t k = 0; k < d->vcpu_count; k++)
        work += d->vcpus[k].work;
    return work;
}

static void add_totals(struct xlp_judge *judge, double step_s)
{
    for (size_t slot = 1; slot < judge->sim->domain_count; slot++) {
        const struct xlp_sim_domain *d = &judge->sim->domains[slot];

        if (!d->alive)
            continue;
        judge->deficit_mib_s += (double)d->memory.deficit_kib / 1024 * step_s;
        judge->work_s += work_of(d) * step_s;
        judge->entitled_s += judge->entitled[slot] * step_s;
    }
}

void xlp_judge_step(struct xlp_judge *judge, uint64_t from_ns, uint64_t to_ns)
{
    double step_s = (double)(to_ns - from_ns) / 1e9;

    xlp_judge_entitle(judge);
    add_totals(judge, step_s);
    for (size_t i = 0; i < judge->measure_count; i++) {
        struct xlp_measure *m = &judge->measures[i];

        if (to_ns > m->from_ns && to_ns <= m->expect->to_ns) {
            m->judged_s += step_s;
            measure(judge, m, step_s);
        }
    }
}

static bool holds_now(const struct xlp_judge *judge, const struct xlp_measure *m)
{
    return judge->sim->now_ns >= m->from_ns && judge->sim->now_ns < m->expect->to_ns;
}

void xlp_judge_outcome(struct xlp_judge *judge, enum xlp_outcome_code code)
{
    for (size_t i = 0; i < judge->measure_count; i++) {
        struct xlp_measure *m = &judge->measures[i];

        if (m->expect->check == XLP_CHECK_OUTCOMES && m->expect->outcome == code &&
            holds_now(judge, m))
            m->count++;
    }
}

static uint32_t counter_of(const struct xlp_counters *c, enum xlp_sim_check check)
{
    switch (check) {
    case XLP_CHECK_MOVES: return c->moves;
    case XLP_CHECK_REVERSALS: return c->reversals;
    case XLP_CHECK_NEEDLESS_WRITES: return c->needless_writes;
    case XLP_CHECK_WEIGHT_WRITES: return c->weight_writes;
    case XLP_CHECK_TARGET_WRITES: return c->target_writes;
    case XLP_CHECK_TARGET_FLIPS: return c->target_flips;
    case XLP_CHECK_GROWTH_FAILURES: return c->growth_failures;
    default: return 0;
    }
}

void xlp_judge_round(struct xlp_judge *judge)
{
    for (size_t slot = 1; slot < judge->sim->domain_count; slot++) {
        const struct xlp_sim_domain *d = &judge->sim->domains[slot];
        struct xlp_counters now = {.moves = d->moves,
                                   .reversals = d->reversals,
                                   .needless_writes = d->needless_writes,
                                   .weight_writes = d->weight_writes,
                                   .target_writes = d->target_writes,
                                   .target_flips = d->target_flips,
                                   .growth_failures = d->growth_failures};

        for (size_t i = 0; i < judge->measure_count; i++) {
            struct xlp_measure *m = &judge->measures[i];

            if (m->matches[slot] && holds_now(judge, m))
                m->count += counter_of(&now, m->expect->check) -
                            counter_of(&judge->counted[slot], m->expect->check);
        }
        judge->counted[slot] = now;
    }
}

double xlp_judge_deficit_mib_s(const struct xlp_judge *judge)
{
    return judge->deficit_mib_s;
}

double xlp_judge_work_s(const struct xlp_judge *judge)
{
    return judge->work_s;
}

double xlp_judge_entitled_s(const struct xlp_judge *judge)
{
    return judge->entitled_s;
}

/* ---- CPU ---- */

static void measure_pcpus(const struct xlp_judge *judge, struct xlp_measure *m, double step_s)
{
    for (uint32_t p = 0; p < judge->sim->pcpu_count; p++) {
        if (!judge->sim->pcpus[p].online)
            continue;
        m->pcpu_sum[p] += judge->sim->pcpus[p].load * step_s;
        m->pcpu_s[p] += step_s;
    }
}

static void measure_pins(const struct xlp_judge *judge, struct xlp_measure *m,
                         const struct xlp_sim_domain *d, double step_s)
{
    for (uint32_t k = 0; k < d->vcpu_count; k++) {
        const struct xlp_cpumap *hard = &d->vcpus[k].masks.hard;

        if (xlp_cpumap_count(hard) == 1 && xlp_cpumap_next(hard, 0) < judge->sim->pcpu_count)
            m->pcpu_sum[xlp_cpumap_next(hard, 0)] += step_s;
    }
}

/* A vCPU that has nothing to run counts where it was last. */
static void measure_places(const struct xlp_judge *judge, struct xlp_measure *m,
                           const struct xlp_sim_domain *d, double step_s)
{
    for (uint32_t k = 0; k < d->vcpu_count; k++) {
        const struct xlp_sim_vcpu *v = &d->vcpus[k];
        double rest = 1;

        for (uint32_t p = 0; p < judge->sim->pcpu_count; p++) {
            double part = xlp_sim_vcpu_part(judge->sim, v, p);

            m->pcpu_sum[p] += part * step_s;
            rest -= part;
        }
        m->pcpu_sum[v->pcpu] += rest * step_s;
    }
}

static void measure_cpu(struct xlp_measure *m, const struct xlp_sim_domain *d, size_t slot,
                        double step_s)
{
    double rate = 0;

    for (uint32_t k = 0; k < d->vcpu_count; k++)
        rate += d->vcpus[k].rate;
    m->guest_a[slot] += rate * step_s;
    m->guest_b[slot] += online_vcpus(d) * step_s;
}

/* Where it ran, of the time it did. */
static void measure_running(const struct xlp_judge *judge, struct xlp_measure *m,
                            const struct xlp_sim_domain *d, double step_s)
{
    for (uint32_t k = 0; k < d->vcpu_count; k++)
        for (uint32_t p = 0; p < judge->sim->pcpu_count; p++)
            m->pcpu_sum[p] +=
                xlp_sim_vcpu_part(judge->sim, &d->vcpus[k], p) * d->vcpus[k].rate * step_s;
}

/* How the masks compare with what they are to be: the file's, or the window's first ones. */
static void measure_affinity(struct xlp_measure *m, const struct xlp_sim_domain *d,
                             size_t first_vcpu, bool first_time)
{
    for (uint32_t k = 0; k < d->vcpu_count; k++) {
        const struct xlp_sim_masks *masks = &d->vcpus[k].masks;

        if (m->expect->check == XLP_CHECK_AFFINITY) {
            m->count += !xlp_cpumap_equal(&masks->hard, &m->expect->map);
            continue;
        }
        if (!first_time && memcmp(&m->masks[first_vcpu + k], masks, sizeof(*masks)) != 0)
            m->count++;
        m->masks[first_vcpu + k] = *masks;
    }
}

/* ---- memory ---- */

static void measure_short(struct xlp_measure *m, const struct xlp_sim_domain *d, size_t slot,
                          double step_s)
{
    m->guest_a[slot] = d->memory.deficit_kib > 0 ? m->guest_a[slot] + step_s : 0;
    if (m->guest_a[slot] > m->guest_b[slot])
        m->guest_b[slot] = m->guest_a[slot];
}

/* The guest gave memory up on our word: how much was left above what it uses. */
static void measure_giver(struct xlp_measure *m, const struct xlp_sim_domain *d, size_t slot)
{
    const struct xlp_sim_memory *memory = &d->memory;
    double left_mib = (double)(xlp_sim_guest_total_kib(d) - memory->wanted_kib) / 1024;

    if (memory->moved_kib >= 0 || !memory->recorded || memory->target_kib != memory->our_target_kib)
        return;
    if (left_mib < m->low) {
        m->low = left_mib;
        m->worst_guest = slot;
    }
}

static void measure_size(struct xlp_measure *m, const struct xlp_sim_domain *d, size_t slot)
{
    double mib = (double)d->memory.actual_kib / 1024;

    m->guest_a[slot] = mib;
    if (mib < m->low)
        m->worst_guest = slot;
    m->low = fmin(m->low, mib);
    m->high = fmax(m->high, mib);
}

static void measure_guest(const struct xlp_judge *judge, struct xlp_measure *m, size_t slot,
                          size_t first_vcpu, bool first_time, double step_s)
{
    const struct xlp_sim_domain *d = &judge->sim->domains[slot];

    switch (m->expect->check) {
    case XLP_CHECK_VCPUS_PER_PCPU:
        if (m->expect->pinned)
            measure_pins(judge, m, d, step_s);
        else
            measure_places(judge, m, d, step_s);
        break;
    case XLP_CHECK_GUEST_CPU:
    case XLP_CHECK_GUEST_CPU_SPREAD: measure_cpu(m, d, slot, step_s); break;
    case XLP_CHECK_GUEST_WORK:
        m->guest_a[slot] += work_of(d) * step_s;
        m->guest_b[slot] += online_vcpus(d) * step_s;
        break;
    case XLP_CHECK_GUEST_SHARE:
    case XLP_CHECK_UNFAIRNESS:
    case XLP_CHECK_LOST_WORK:
        m->guest_a[slot] += work_of(d) * step_s;
        m->guest_b[slot] += judge->entitled[slot] * step_s;
        break;
    case XLP_CHECK_ELSEWHERE: measure_running(judge, m, d, step_s); break;
    case XLP_CHECK_AFFINITY:
    case XLP_CHECK_AFFINITY_UNCHANGED: measure_affinity(m, d, first_vcpu, first_time); break;
    case XLP_CHECK_WEIGHT:
        m->low = fmin(m->low, d->weight);
        m->high = fmax(m->high, d->weight);
        break;
    case XLP_CHECK_SHORT: measure_short(m, d, slot, step_s); break;
    case XLP_CHECK_DEFICIT: m->sum += (double)d->memory.deficit_kib / 1024 * step_s; break;
    case XLP_CHECK_GIVERS_SAFE: measure_giver(m, d, slot); break;
    case XLP_CHECK_SIZES_WITHIN:
    case XLP_CHECK_GUEST_MEMORY: measure_size(m, d, slot); break;
    default: break;
    }
    m->met_guest = true;
}

/* What is granted counts only as far as it is really free. */
static void measure_reservations(const struct xlp_sim *sim, struct xlp_measure *m)
{
    double now = (double)sim->reservation_count;

    if (m->expect->check == XLP_CHECK_RESERVED) {
        int64_t free_kib = sim->free_kib - xlp_sim_claimed_kib(sim);
        int64_t kib = xlp_sim_reserved_kib(sim, m->expect->reservation);

        now = (double)(kib < free_kib ? kib : free_kib) / 1024;
    } else if (m->expect->check != XLP_CHECK_RESERVATIONS) {
        return;
    }
    m->low = fmin(m->low, now);
    m->high = fmax(m->high, now);
}

/* These two look at the end of the window only, so each step starts over. */
static void start_over(struct xlp_measure *m)
{
    if (m->expect->check == XLP_CHECK_AFFINITY)
        m->count = 0;
    if (m->expect->check == XLP_CHECK_SIZES_WITHIN) {
        m->low = INFINITY;
        m->high = -INFINITY;
    }
}

static void measure(const struct xlp_judge *judge, struct xlp_measure *m, double step_s)
{
    const struct xlp_sim *sim = judge->sim;
    bool first_time = !m->started;
    size_t first_vcpu = 0;

    m->started = true;
    if (m->expect->check == XLP_CHECK_PCPU_SPREAD)
        measure_pcpus(judge, m, step_s);
    if (m->expect->check == XLP_CHECK_HOST_FREE) {
        m->low = fmin(m->low, (double)sim->free_kib / 1024);
        m->high = fmax(m->high, (double)sim->free_kib / 1024);
    }
    measure_reservations(sim, m);
    start_over(m);
    for (size_t slot = 0; slot < sim->domain_count; slot++) {
        if (m->matches[slot] && sim->domains[slot].alive)
            measure_guest(judge, m, slot, first_vcpu, first_time, step_s);
        first_vcpu += sim->domains[slot].vcpu_count;
    }
}
