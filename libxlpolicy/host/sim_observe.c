/* SPDX-License-Identifier: LGPL-2.1-only */
/* What a manager is shown of the simulated host: no more than Xen would tell. */
#include <stdlib.h>
#include <string.h>

#include "host/sim.h"

static int add_pcpus(const struct xlp_sim *sim, struct xlp_snapshot *s);
static int add_pools(const struct xlp_sim *sim, struct xlp_snapshot *s);
static int add_domain(struct xlp_sim *sim, struct xlp_sim_domain *d, struct xlp_snapshot *s);

/* Never below 0, however far back the clock was set. */
static uint64_t shown_time_ns(const struct xlp_sim *sim)
{
    if (sim->clock_step_ns < 0 && sim->now_ns < (uint64_t)-sim->clock_step_ns)
        return 0;
    return sim->now_ns + (uint64_t)sim->clock_step_ns;
}

int xlp_sim_observe(struct xlp_host *host, struct xlp_snapshot *s)
{
    struct xlp_sim *sim = (struct xlp_sim *)host;

    xlp_snapshot_reset(s);
    xlp_sim_see_vcpus(sim);
    s->time_ns = shown_time_ns(sim);
    s->memory.total_kib = sim->total_kib;
    s->memory.free_kib = sim->free_kib;
    s->memory.scrub_kib = sim->scrub_kib;
    s->memory.claims_kib = xlp_sim_claimed_kib(sim);
    memcpy(s->other_controller, sim->other_controller, XLP_NAME_SIZE);
    if (add_pcpus(sim, s) < 0 || add_pools(sim, s) < 0)
        goto out_of_memory;
    for (size_t i = 0; i < sim->live_count; i++)
        if (add_domain(sim, sim->live[i], s) < 0)
            goto out_of_memory;
    if (xlp_sim_show_reservations(sim, s) < 0)
        goto out_of_memory;
    return 0;

out_of_memory:
    snprintf(host->error, sizeof(host->error), "out of memory");
    return -1;
}

static int add_pcpus(const struct xlp_sim *sim, struct xlp_snapshot *s)
{
    for (uint32_t i = 0; i < sim->pcpu_count; i++) {
        const struct xlp_sim_pcpu *from = &sim->pcpus[i];
        struct xlp_pcpu *p = xlp_snapshot_add_pcpu(s);

        if (!p)
            return -1;
        p->id = i;
        p->online = from->online;
        p->core = from->core;
        p->socket = from->socket;
        p->node = from->node;
        p->idle_ns = from->online ? (uint64_t)from->idle_ns : 0; /* as Xen says it */
    }
    return 0;
}

static int add_pools(const struct xlp_sim *sim, struct xlp_snapshot *s)
{
    for (size_t i = 0; i < sim->scenario->host.pool_count; i++) {
        const struct xlp_sim_pool_spec *spec = &sim->scenario->host.pools[i];
        struct xlp_pool *pool = xlp_snapshot_add_pool(s);
        struct xlp_cpumap map = xlp_cpumap_none();

        if (!pool)
            return -1;
        for (uint32_t p = 0; p < sim->pcpu_count; p++)
            if (sim->pcpus[p].online && sim->pcpus[p].pool == i)
                xlp_cpumap_set(&map, p);
        pool->id = (uint32_t)i;
        memcpy(pool->name, spec->name, XLP_NAME_SIZE);
        pool->sched = spec->sched;
        pool->sched_gran = spec->sched_gran;
        pool->map = xlp_snapshot_intern(s, &map);
        if (pool->map == XLP_UNKNOWN)
            return -1;
    }
    return 0;
}

static void fill_state(const struct xlp_sim *sim, const struct xlp_sim_domain *d,
                       const struct xlp_sim_vcpu *from, struct xlp_vcpu *v)
{
    double now =
        xlp_sim_random(sim->scenario->host.seed, sim->now_ns, (uint64_t)d->domid << 16 | v->id);

    v->online = from->online;
    v->running = now < from->rate;
    v->blocked = !v->running && now < from->rate + from->blocked;
    v->pcpu = from->pcpu;
    v->cpu_time_ns = (uint64_t)from->run_ns;
    v->samples = from->samples;
    v->samples_waiting = from->samples_waiting;
    v->samples_blocked = from->samples_blocked;
}

static int add_vcpu(struct xlp_sim *sim, uint32_t id, struct xlp_sim_vcpu *from,
                    const struct xlp_sim_domain *d, struct xlp_snapshot *s)
{
    struct xlp_vcpu *v = xlp_snapshot_add_vcpu(s);

    if (!v)
        return -1;
    v->domain = (uint32_t)s->domain_count - 1;
    v->id = id;
    if (d->zero_left == 0)
        fill_state(sim, d, from, v);
    from->samples = from->samples_waiting = from->samples_blocked = 0;
    v->hard = xlp_snapshot_intern(s, &from->masks.hard);
    v->soft = xlp_snapshot_intern(s, &from->masks.soft);
    if (v->hard == XLP_UNKNOWN || v->soft == XLP_UNKNOWN)
        return -1;
    if (!from->recorded)
        return 0;
    v->ledger.recorded = true;
    v->ledger.original_hard = xlp_snapshot_intern(s, &from->original.hard);
    v->ledger.original_soft = xlp_snapshot_intern(s, &from->original.soft);
    v->ledger.our_hard = xlp_snapshot_intern(s, &from->ours.hard);
    v->ledger.our_soft = xlp_snapshot_intern(s, &from->ours.soft);
    return v->ledger.original_hard == XLP_UNKNOWN || v->ledger.original_soft == XLP_UNKNOWN ||
                   v->ledger.our_hard == XLP_UNKNOWN || v->ledger.our_soft == XLP_UNKNOWN
               ? -1
               : 0;
}

static void fill_memory(const struct xlp_sim *sim, const struct xlp_sim_domain *from,
                        struct xlp_domain_memory *m)
{
    const struct xlp_sim_memory *memory = &from->memory;

    m->actual_kib = memory->actual_kib;
    m->target_kib = memory->target_kib;
    m->max_kib = memory->max_kib;
    m->static_max_kib = from->spec->max_memory_kib;
    m->video_kib = from->spec->video_kib;
    m->dynamic_min_kib = from->spec->dynamic_min_kib;
    m->dynamic_max_kib = from->spec->dynamic_max_kib;
    m->balloon = memory->balloon != XLP_SIM_BALLOON_NONE && sim->now_ns >= from->up_ns;
    m->report = memory->report;
    m->report_bad = memory->report_bad;
    m->refusals = memory->refusals;
    if (memory->by_hand_at_ns)
        m->by_hand_ns = sim->now_ns - memory->by_hand_at_ns;
    m->report_age_ns = sim->now_ns - memory->report_ns;
    m->ledger.recorded = memory->recorded;
    m->ledger.original_target_kib = memory->original_target_kib;
    m->ledger.original_max_kib = memory->original_max_kib;
    m->ledger.our_target_kib = memory->our_target_kib;
    m->ledger.releasing = memory->releasing;
}

static int add_domain(struct xlp_sim *sim, struct xlp_sim_domain *from, struct xlp_snapshot *s)
{
    struct xlp_domain *d = xlp_snapshot_add_domain(s);

    if (!d)
        return -1;
    if (from->seen_ns == UINT64_MAX)
        from->seen_ns = sim->now_ns;
    d->domid = from->domid;
    memcpy(d->uuid, from->uuid, sizeof(d->uuid));
    memcpy(d->name, from->spec->name, XLP_NAME_SIZE);
    d->type = from->spec->type;
    d->flags = from->flags;
    d->pool_id = (uint32_t)from->pool;
    d->weight = xlp_sim_weight(sim, from);
    d->ledger = from->ledger;
    d->cap_pct = from->cap_pct;
    d->first_vcpu = (uint32_t)s->vcpu_count;
    d->passthrough_devices = from->spec->pci_devices;
    d->device_node = from->spec->device_node;
    d->memory_node = from->spec->memory_node;
    d->age_ns = sim->now_ns - from->seen_ns + from->age_ns;
    d->released = from->released;
    fill_memory(sim, from, &d->memory);
    for (uint32_t i = 0; i < from->vcpu_count; i++)
        if (add_vcpu(sim, i, &from->vcpus[i], from, s) < 0)
            return -1;
    if (from->zero_left > 0)
        from->zero_left--;
    return 0;
}
