/* SPDX-License-Identifier: LGPL-2.1-only */
/* Memory of the simulated host: balloons, what guests do with what they have, and scrubbing. */
#include <math.h>
#include <stdlib.h>

#include "host/sim.h"

#define PAGE_KIB       4
#define LINUX_FAILURES 4 /* the fourth time growth fails the driver gives up */
#define LINUX_PARK_S   3600
#define INTERMITTENT_S 20
#define SWAP_IN_KIB_S  (20.0 * 1024)
#define STALL_PER_DEFICIT                                                                          \
    5.0 /* a fifth of the working set missing: nothing but waiting for disk                        \
         */

static void scrub(struct xlp_sim *sim, double step_s);
static void build(struct xlp_sim *sim, struct xlp_sim_domain *d, uint64_t to_ns);
static void move_balloon(struct xlp_sim *sim, struct xlp_sim_domain *d, double step_s, bool grow);
static void use_memory(struct xlp_sim *sim, struct xlp_sim_domain *d, double step_s,
                       uint64_t to_ns);

void xlp_sim_memory_step(struct xlp_sim *sim, uint64_t to_ns)
{
    double step_s = (double)(to_ns - sim->now_ns) / 1e9;

    scrub(sim, step_s);
    for (size_t i = 0; i < sim->live_count; i++) {
        sim->live[i]->memory.moved_kib = 0;
        build(sim, sim->live[i], to_ns);
        move_balloon(sim, sim->live[i], step_s, false);
    }
    for (size_t i = 0; i < sim->live_count; i++) {
        struct xlp_sim_domain *d = sim->live[i];

        move_balloon(sim, d, step_s, true);
        use_memory(sim, d, step_s, to_ns);
        xlp_sim_agent_step(sim, d, to_ns);
    }
}

static void scrub(struct xlp_sim *sim, double step_s)
{
    int64_t clean_kib;

    if (sim->scrub_kib == 0)
        return;
    sim->scrub_carry_kib += sim->scenario->host.scrub_mib_s * 1024 * step_s;
    clean_kib = (int64_t)sim->scrub_carry_kib;
    sim->scrub_carry_kib -= (double)clean_kib;
    if (clean_kib > sim->scrub_kib)
        clean_kib = sim->scrub_kib;
    sim->scrub_kib -= clean_kib;
    sim->free_kib += clean_kib;
}

/* ---- being built ---- */

int64_t xlp_sim_claimed_kib(const struct xlp_sim *sim)
{
    int64_t sum_kib = sim->claims_kib;

    for (size_t i = 0; i < sim->live_count; i++)
        sum_kib += sim->live[i]->memory.unbuilt_kib;
    return sum_kib;
}

static void build(struct xlp_sim *sim, struct xlp_sim_domain *d, uint64_t to_ns)
{
    struct xlp_sim_memory *m = &d->memory;
    int64_t step_kib = m->unbuilt_kib;

    if (!(d->flags & XLP_DOMAIN_BUILDING))
        return;
    if (to_ns < d->built_ns)
        step_kib = (int64_t)((double)m->unbuilt_kib * (double)(to_ns - sim->now_ns) /
                             (double)(d->built_ns - sim->now_ns));
    m->unbuilt_kib -= step_kib;
    m->actual_kib += step_kib;
    sim->free_kib -= step_kib;
    if (to_ns < d->built_ns)
        return;
    d->flags &= ~(unsigned int)XLP_DOMAIN_BUILDING;
    sim->rates_stale = sim->woken = true;
}

/* ---- the balloon driver ---- */

/* A new target wakes the driver, whatever it sleeps for. */
static bool is_awake(const struct xlp_sim_memory *m, uint64_t now_ns)
{
    return m->driver == XLP_SIM_DRIVER_IDLE || now_ns >= m->retry_ns ||
           llabs(m->target_kib - m->slept_at_kib) >= PAGE_KIB;
}

static bool can_move(const struct xlp_sim *sim, const struct xlp_sim_domain *d, bool grow)
{
    const struct xlp_sim_memory *m = &d->memory;

    if (d->flags || sim->now_ns < d->up_ns)
        return false;
    switch (m->balloon) {
    case XLP_SIM_BALLOON_LINUX:
    case XLP_SIM_BALLOON_TRICKLE:
    case XLP_SIM_BALLOON_EAGER: break;
    case XLP_SIM_BALLOON_INTERMITTENT: return sim->now_ns / XLP_SIM_SECOND_NS % INTERMITTENT_S == 0;
    case XLP_SIM_BALLOON_STUCK_UP: return !grow;
    case XLP_SIM_BALLOON_STUCK_DOWN: return grow;
    case XLP_SIM_BALLOON_STUCK:
    case XLP_SIM_BALLOON_REFUSES:
    case XLP_SIM_BALLOON_NONE: return false;
    }
    return !grow || is_awake(m, sim->now_ns);
}

/* As Linux's driver: again after 2, 4 and 8 s, then not for an hour. The eager one never parks. */
static void growth_failed(const struct xlp_sim *sim, struct xlp_sim_domain *d)
{
    struct xlp_sim_memory *m = &d->memory;
    uint64_t delay_s = 1;

    if (m->driver == XLP_SIM_DRIVER_PARKED)
        m->failures = 0;
    d->growth_failures++;
    m->driver = XLP_SIM_DRIVER_RETRY;
    if (m->balloon == XLP_SIM_BALLOON_EAGER) {
        m->failures = 0; /* it does not count them */
    } else if (++m->failures < LINUX_FAILURES) {
        delay_s = UINT64_C(1) << m->failures;
    } else {
        delay_s = LINUX_PARK_S;
        m->driver = XLP_SIM_DRIVER_PARKED;
    }
    m->slept_at_kib = m->target_kib;
    m->retry_ns = sim->now_ns + delay_s * XLP_SIM_SECOND_NS;
}

/* What Xen lets a domain have more: free memory that nobody claimed, up to the domain's limit. */
static int64_t room_to_grow(const struct xlp_sim *sim, const struct xlp_sim_memory *m)
{
    int64_t unclaimed_kib = sim->free_kib - xlp_sim_claimed_kib(sim);
    int64_t below_limit_kib = m->max_kib - m->actual_kib;
    int64_t room_kib = unclaimed_kib < below_limit_kib ? unclaimed_kib : below_limit_kib;

    return room_kib > 0 ? room_kib : 0;
}

static double kib_s(const struct xlp_sim_domain *d)
{
    if (d->memory.balloon == XLP_SIM_BALLOON_TRICKLE)
        return PAGE_KIB / 5.0;
    return d->spec->balloon_mib_s * 1024;
}

static void move_balloon(struct xlp_sim *sim, struct xlp_sim_domain *d, double step_s, bool grow)
{
    struct xlp_sim_memory *m = &d->memory;
    int64_t wanted_kib = llabs(m->target_kib - m->actual_kib), step_kib, room_kib;

    if (grow != (m->target_kib > m->actual_kib) || wanted_kib == 0 || !can_move(sim, d, grow))
        return;
    m->carry_kib += kib_s(d) * step_s;
    step_kib = m->balloon == XLP_SIM_BALLOON_TRICKLE ? (int64_t)m->carry_kib / PAGE_KIB * PAGE_KIB
                                                     : (int64_t)m->carry_kib;
    m->carry_kib -= (double)step_kib;
    if (step_kib > wanted_kib)
        step_kib = wanted_kib;
    if (!grow) {
        m->moved_kib = -step_kib;
    } else {
        room_kib = room_to_grow(sim, m);
        m->moved_kib = step_kib < room_kib ? step_kib : room_kib;
        if (step_kib > room_kib) {
            growth_failed(sim, d);
        } else if (step_kib > 0) {
            m->driver = XLP_SIM_DRIVER_IDLE;
            m->failures = step_kib < wanted_kib ? m->failures : 0;
        }
    }
    m->actual_kib += m->moved_kib;
    sim->free_kib -= m->moved_kib;
}

/* ---- what the guest does with it ---- */

/* Pressure as Linux would average it over ten seconds. */
static void stall(struct xlp_sim_memory *m, double step_s)
{
    double part = 0, keep = exp(-step_s / 10);

    if (m->deficit_kib > 0)
        part = fmin(1, STALL_PER_DEFICIT * (double)m->deficit_kib / (double)m->wanted_kib);
    m->psi_some_pct = m->psi_some_pct * keep + 100 * part * (1 - keep);
    m->psi_full_pct = m->psi_full_pct * keep + 50 * part * (1 - keep);
    m->psi_some_us += part * step_s * 1e6;
    m->psi_full_us += part * step_s * 0.5e6;
}

static void swap(const struct xlp_sim_guest_spec *spec, struct xlp_sim_memory *m, double step_s)
{
    int64_t before_kib = m->swap_used_kib;

    if (m->deficit_kib > 0) {
        if (m->deficit_kib > spec->swap_kib && before_kib <= spec->swap_kib && !m->killing)
            m->oom_kill++;
        m->killing = m->deficit_kib > spec->swap_kib;
        m->swap_used_kib = m->deficit_kib < spec->swap_kib ? m->deficit_kib : spec->swap_kib;
        /* What is missing is read back as soon as it was written out. */
        m->refault_anon += (uint64_t)((double)m->deficit_kib / PAGE_KIB * step_s);
    } else {
        m->killing = false;
        m->swap_used_kib -= (int64_t)(SWAP_IN_KIB_S * step_s);
        if (m->swap_used_kib < 0)
            m->swap_used_kib = 0;
    }
    if (m->swap_used_kib > before_kib)
        m->pswpout += (uint64_t)(m->swap_used_kib - before_kib) / PAGE_KIB;
    else
        m->pswpin += (uint64_t)(before_kib - m->swap_used_kib) / PAGE_KIB;
}

static void use_memory(struct xlp_sim *sim, struct xlp_sim_domain *d, double step_s, uint64_t to_ns)
{
    struct xlp_sim_memory *m = &d->memory;

    if (d->flags || (d == &sim->domains[0] && d->memory.agent == XLP_SIM_AGENT_NONE))
        return;
    m->wanted_kib = llround(xlp_sim_trace_at(m->used, (double)to_ns / 1e9) * 1024);
    m->deficit_kib = m->wanted_kib - xlp_sim_guest_total_kib(d);
    if (m->deficit_kib < 0)
        m->deficit_kib = 0;
    swap(d->spec, m, step_s);
    stall(m, step_s);
}
