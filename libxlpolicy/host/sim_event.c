/* SPDX-License-Identifier: LGPL-2.1-only */
/* What happens to the simulated host: guests that come and go, and the operator's own commands. */
#include <stdlib.h>
#include <string.h>

#include "host/sim.h"

#define REBOOT_NS (10 * XLP_SIM_SECOND_NS)

/* ---- guests come and go ---- */

static void start_memory(struct xlp_sim *sim, struct xlp_sim_domain *d)
{
    const struct xlp_sim_guest_spec *spec = d->spec;
    struct xlp_sim_memory *m = &d->memory;
    const struct xlp_sim_trace *used = m->used ? m->used : &spec->used;

    *m = (struct xlp_sim_memory){.actual_kib = spec->memory_kib,
                                 .target_kib = spec->memory_kib,
                                 .max_kib = spec->memory_kib + XLP_SIM_LIMIT_SLACK_KIB,
                                 .balloon = spec->balloon,
                                 .agent = spec->agent,
                                 .used = used,
                                 .report_ns = sim->now_ns};
}

static void start_vcpus(struct xlp_sim *sim, struct xlp_sim_domain *d)
{
    for (uint32_t k = 0; k < d->vcpu_count; k++) {
        struct xlp_sim_vcpu *v = &d->vcpus[k];
        const struct xlp_sim_trace *load = v->load ? v->load : &d->spec->load[k];
        size_t first = (size_t)(xlp_sim_unit_of(sim, d, k).vcpus - d->vcpus);

        *v = (struct xlp_sim_vcpu){
            .load = load, .online = k < d->spec->online_vcpus, .queue = SIZE_MAX, .speed = 1};
        v->masks.hard = d->spec->hard[first];
        v->masks.soft = d->spec->soft[first];
        /* The scheduler knows nothing of it yet; what it will want is as good a guess as any. */
        v->waiting = xlp_sim_trace_at(load, (double)sim->now_ns / 1e9) / 100;
    }
    xlp_sim_enqueue(sim, d);
    for (uint32_t k = 0; k < d->vcpu_count; k++)
        d->vcpus[k].moved = false; /* it was nowhere before */
}

bool xlp_sim_create(struct xlp_sim *sim, struct xlp_sim_domain *d)
{
    const struct xlp_sim_guest_spec *spec = d->spec;
    int64_t held_kib = spec->memory_kib + spec->video_kib;

    if (d->alive || held_kib > sim->free_kib - xlp_sim_claimed_kib(sim))
        return false;
    sim->free_kib -= held_kib;
    d->alive = true;
    d->domid = sim->next_domid++;
    d->flags = 0;
    d->pool = spec->pool;
    d->weight = spec->weight;
    d->ledger.recorded = false;
    d->cap_pct = spec->cap_pct;
    d->age_ns = 0;
    d->seen_ns = UINT64_MAX;
    d->up_ns = sim->now_ns;
    sim->live[sim->live_count++] = d;
    start_memory(sim, d);
    start_vcpus(sim, d);
    sim->woken = true;
    return true;
}

/* Its memory must be scrubbed before anyone else may have it. */
void xlp_sim_destroy(struct xlp_sim *sim, struct xlp_sim_domain *d)
{
    size_t i = 0;

    if (!d->alive)
        return;
    while (sim->live[i] != d)
        i++;
    sim->live_count--;
    memmove(&sim->live[i], &sim->live[i + 1], (sim->live_count - i) * sizeof(*sim->live));
    sim->scrub_kib += d->memory.actual_kib + d->spec->video_kib;
    d->alive = false;
    for (uint32_t k = 0; k < d->vcpu_count; k++)
        d->vcpus[k].queue = SIZE_MAX;
    sim->rates_stale = true;
    sim->woken = true;
}

/* As xl: what it will have is claimed, and then allocated while nobody runs it. */
static void begin_to_build(struct xlp_sim *sim, struct xlp_sim_domain *d)
{
    d->flags |= XLP_DOMAIN_BUILDING;
    d->memory.unbuilt_kib = d->memory.actual_kib;
    sim->free_kib += d->memory.actual_kib;
    d->memory.actual_kib = 0;
}

static void start(struct xlp_sim *sim, struct xlp_sim_domain *d)
{
    if (!xlp_sim_create(sim, d))
        return;
    d->age_ns = d->spec->age_ns;
    d->built_ns = sim->now_ns + d->spec->build_ns;
    d->up_ns = d->built_ns + d->spec->boot_ns;
    if (d->spec->build_ns > 0)
        begin_to_build(sim, d);
}

/* The new domain may have the old one's memory at once, and has its weight: so does xl. */
static void reboot(struct xlp_sim *sim, struct xlp_sim_domain *d)
{
    struct xlp_weight_ledger ledger = d->ledger;
    uint32_t weight = d->weight;

    if (!d->alive)
        return;
    xlp_sim_destroy(sim, d);
    sim->scrub_kib -= d->memory.actual_kib + d->spec->video_kib;
    sim->free_kib += d->memory.actual_kib + d->spec->video_kib;
    if (!xlp_sim_create(sim, d))
        return;
    d->up_ns = sim->now_ns + REBOOT_NS;
    d->weight = weight;
    d->ledger = ledger;
}

/* ---- the operator ---- */

static void pin(struct xlp_sim *sim, struct xlp_sim_domain *d, const struct xlp_sim_event *event)
{
    for (uint32_t k = 0; k < d->vcpu_count; k++) {
        struct xlp_sim_masks masks = d->vcpus[k].masks;

        if (event->has_vcpu && event->vcpu != k)
            continue;
        if (event->has_hard)
            masks.hard = event->hard;
        if (event->has_soft)
            masks.soft = event->soft;
        xlp_sim_set_masks(sim, d, &d->vcpus[k], &masks);
    }
}

/* xl vcpu-set: the first so many are online. */
static void set_vcpus(struct xlp_sim *sim, struct xlp_sim_domain *d, uint32_t online)
{
    for (uint32_t k = 0; k < d->vcpu_count; k++)
        d->vcpus[k].online = k < online;
    xlp_sim_enqueue(sim, d);
}

/* xl mem-set moves the limit along with the target. */
static void mem_set(const struct xlp_sim *sim, struct xlp_sim_domain *d, int64_t target_kib)
{
    if (target_kib > d->spec->max_memory_kib)
        target_kib = d->spec->max_memory_kib;
    d->memory.target_kib = target_kib;
    d->memory.max_kib = target_kib + XLP_SIM_LIMIT_SLACK_KIB;
    d->memory.by_hand_at_ns = sim->now_ns;
}

/* A move to another pool sets all masks, the weight and the cap back: the new scheduler meets the
 * domain for the first time. */
static void move_to_pool(struct xlp_sim *sim, struct xlp_sim_domain *d, size_t pool)
{
    d->pool = pool;
    d->weight = XLP_WEIGHT_USUAL;
    d->cap_pct = 0;
    for (uint32_t k = 0; k < d->vcpu_count; k++)
        d->vcpus[k].masks.hard = d->vcpus[k].masks.soft = xlp_cpumap_all();
    xlp_sim_enqueue(sim, d);
}

static void set_online(struct xlp_sim *sim, uint32_t pcpu, bool online)
{
    sim->pcpus[pcpu].online = online;
    xlp_sim_topology_changed(sim);
}

static void set_agent(struct xlp_sim_memory *m, enum xlp_sim_agent agent)
{
    m->agent = agent;
    m->told = false;
    if (agent == XLP_SIM_AGENT_NONE) {
        m->report = (struct xlp_mem_report){.source = XLP_REPORT_NONE};
        m->report_bad = false;
    }
}

static void set_flag(struct xlp_sim *sim, struct xlp_sim_domain *d, unsigned int flag, bool on)
{
    d->flags = on ? d->flags | flag : d->flags & ~flag;
    sim->rates_stale = true;
}

static void change_guest(struct xlp_sim *sim, struct xlp_sim_domain *d,
                         const struct xlp_sim_event *event)
{
    switch (event->kind) {
    case XLP_SIM_START: start(sim, d); return;
    case XLP_SIM_DESTROY: xlp_sim_destroy(sim, d); return;
    case XLP_SIM_REBOOT: reboot(sim, d); return;
    case XLP_SIM_PAUSE: set_flag(sim, d, XLP_DOMAIN_PAUSED, true); return;
    case XLP_SIM_UNPAUSE: set_flag(sim, d, XLP_DOMAIN_PAUSED, false); return;
    case XLP_SIM_MIGRATE: set_flag(sim, d, XLP_DOMAIN_MIGRATING, true); return;
    case XLP_SIM_SHUTDOWN: set_flag(sim, d, XLP_DOMAIN_SHUTDOWN, true); return;
    case XLP_SIM_VCPU_PIN: pin(sim, d, event); return;
    case XLP_SIM_VCPU_SET: set_vcpus(sim, d, event->vcpus); return;
    case XLP_SIM_SCHED:
        d->weight = event->has_weight ? event->weight : d->weight;
        d->cap_pct = event->has_cap ? event->cap_pct : d->cap_pct;
        sim->rates_stale = true;
        return;
    case XLP_SIM_MEM_SET: mem_set(sim, d, event->memory_kib); return;
    case XLP_SIM_SET_LOAD:
        for (uint32_t k = 0; k < d->vcpu_count; k++)
            d->vcpus[k].load = &event->trace;
        return;
    case XLP_SIM_SET_USED: d->memory.used = &event->trace; return;
    case XLP_SIM_SET_BALLOON: d->memory.balloon = event->balloon; return;
    case XLP_SIM_SET_AGENT: set_agent(&d->memory, event->agent); return;
    case XLP_SIM_POOL_MIGRATE: move_to_pool(sim, d, event->pool); return;
    case XLP_SIM_FAULT_BUSY: d->busy_left = event->times; return;
    case XLP_SIM_FAULT_VANISH: d->vanishes = true; return;
    case XLP_SIM_FAULT_ZERO: d->zero_left = event->times; return;
    default: return;
    }
}

void xlp_sim_event_apply(struct xlp_sim *sim, const struct xlp_sim_event *event)
{
    switch (event->kind) {
    case XLP_SIM_PCPU_OFFLINE: set_online(sim, event->pcpu, false); return;
    case XLP_SIM_PCPU_ONLINE: set_online(sim, event->pcpu, true); return;
    case XLP_SIM_CLAIM: sim->claims_kib = event->memory_kib; return;
    case XLP_SIM_CONTROLLER: memcpy(sim->other_controller, event->name, XLP_NAME_SIZE); return;
    case XLP_SIM_CLOCK_STEP: sim->clock_step_ns += event->step_ns; return;
    case XLP_SIM_KILL_DAEMON:
    case XLP_SIM_STALL_DAEMON:
    case XLP_SIM_ADOPT:
    case XLP_SIM_RELEASE:
    case XLP_SIM_ACT:
    case XLP_SIM_SETTING:
    case XLP_SIM_RESERVE:
    case XLP_SIM_TRANSFER:
    case XLP_SIM_UNRESERVE: sim->woken = true; return; /* the runner fetches it */
    default: break;
    }
    if (event->guest < sim->scenario->guest_count &&
        (event->kind == XLP_SIM_START || sim->domains[event->guest + 1].alive))
        change_guest(sim, &sim->domains[event->guest + 1], event);
}
