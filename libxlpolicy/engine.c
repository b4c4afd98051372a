/* SPDX-License-Identifier: LGPL-2.1-only */
/* The engine: time between snapshots, then the CPU half and the memory half. */
#include "engine.h"

#include <stdlib.h>
#include <string.h>

#include "cpu/cpu.h"
#include "grow.h"
#include "memory/memory.h"
#include "roster.h"

#define LEAST_MAX_NS  UINT64_C(100000000)
#define CPU_SHORT_MIN 0.1

struct xlp_engine {
    struct xlp_roster roster;
    struct xlp_cpu *cpu;
    struct xlp_memory *memory;
    uint64_t time_ns;              /* of the previous snapshot */
    bool seen;                     /* there was one */
    bool decided;                  /* and what was made of it stands */
    struct xlp_pcpu *pcpus_before; /* of the previous snapshot */
    size_t before_count, before_room;
    struct xlp_pcpu_view *pcpu_views;
    size_t pcpu_count, pcpu_room;
    struct xlp_vcpu_view *vcpu_views;
    size_t vcpu_count, vcpu_room;
    struct xlp_domain_view *domain_views;
    size_t domain_count, domain_room;
};

struct xlp_engine *xlp_engine_new(void)
{
    struct xlp_engine *engine = calloc(1, sizeof(*engine));

    if (!engine)
        return NULL;
    xlp_roster_init(&engine->roster);
    engine->cpu = xlp_cpu_new();
    engine->memory = xlp_memory_new();
    if (!engine->cpu || !engine->memory) {
        xlp_engine_free(engine);
        return NULL;
    }
    return engine;
}

void xlp_engine_free(struct xlp_engine *engine)
{
    if (!engine)
        return;
    xlp_roster_dispose(&engine->roster);
    xlp_cpu_free(engine->cpu);
    xlp_memory_free(engine->memory);
    free(engine->pcpus_before);
    free(engine->pcpu_views);
    free(engine->vcpu_views);
    free(engine->domain_views);
    free(engine);
}

/* Time since the previous snapshot; 0 when the two cannot be compared. */
static uint64_t elapsed_since(const struct xlp_engine *engine, const struct xlp_snapshot *s,
                              const struct xlp_policy *policy)
{
    uint64_t longest_ns = (uint64_t)policy->tick_ms * UINT64_C(10000000);

    if (!engine->seen || s->time_ns <= engine->time_ns || s->time_ns - engine->time_ns > longest_ns)
        return 0;
    return s->time_ns - engine->time_ns;
}

uint64_t xlp_engine_least_gap_ns(const struct xlp_policy *policy)
{
    uint64_t tenth_ns = (uint64_t)policy->tick_ms * UINT64_C(100000);

    return tenth_ns < LEAST_MAX_NS ? tenth_ns : LEAST_MAX_NS;
}

/* What a vCPU did in a moment says nothing of what it wants: 0 for a look that came so soon after
 * the one before, as a command may ask for it. */
static uint64_t measured_over(uint64_t elapsed_ns, const struct xlp_policy *policy)
{
    return elapsed_ns < xlp_engine_least_gap_ns(policy) ? 0 : elapsed_ns;
}

static int make_room(struct xlp_engine *engine, const struct xlp_snapshot *s)
{
    if (xlp_grow(&engine->pcpus_before, &engine->before_room, s->pcpu_count,
                 sizeof(*engine->pcpus_before)) < 0 ||
        xlp_grow(&engine->pcpu_views, &engine->pcpu_room, s->pcpu_count,
                 sizeof(*engine->pcpu_views)) < 0 ||
        xlp_grow(&engine->vcpu_views, &engine->vcpu_room, s->vcpu_count,
                 sizeof(*engine->vcpu_views)) < 0 ||
        xlp_grow(&engine->domain_views, &engine->domain_room, s->domain_count,
                 sizeof(*engine->domain_views)) < 0)
        return -1;
    engine->pcpu_count = s->pcpu_count;
    engine->vcpu_count = s->vcpu_count;
    engine->domain_count = s->domain_count;
    return 0;
}

static struct xlp_pcpu_view view_pcpu(const struct xlp_pcpu *then, const struct xlp_pcpu *now,
                                      uint64_t elapsed_ns)
{
    struct xlp_pcpu_view view = {.known = false};
    uint64_t idle_ns;

    /* The idle time of a pCPU that was offline meanwhile means nothing. */
    if (!elapsed_ns || !then->online || !now->online || now->idle_ns < then->idle_ns)
        return view;
    idle_ns = now->idle_ns - then->idle_ns;
    view.known = true;
    view.used = idle_ns < elapsed_ns ? 1 - (double)idle_ns / (double)elapsed_ns : 0;
    return view;
}

/* pCPUs stand by rising id in both snapshots. */
static void view_pcpus(struct xlp_engine *engine, const struct xlp_snapshot *s, uint64_t elapsed_ns)
{
    static const struct xlp_pcpu absent = {.online = false};
    size_t at = 0;

    for (size_t i = 0; i < s->pcpu_count; i++) {
        const struct xlp_pcpu *then = &absent;

        while (at < engine->before_count && engine->pcpus_before[at].id < s->pcpus[i].id)
            at++;
        if (at < engine->before_count && engine->pcpus_before[at].id == s->pcpus[i].id)
            then = &engine->pcpus_before[at];
        engine->pcpu_views[i] = view_pcpu(then, &s->pcpus[i], elapsed_ns);
    }
    if (s->pcpu_count)
        memcpy(engine->pcpus_before, s->pcpus, s->pcpu_count * sizeof(*s->pcpus));
    engine->before_count = s->pcpu_count;
}

int xlp_engine_decide(struct xlp_engine *engine, const struct xlp_snapshot *s,
                      const struct xlp_policy *policy, struct xlp_plan *plan_out)
{
    uint64_t elapsed_ns = elapsed_since(engine, s, policy);
    uint64_t measured_ns = measured_over(elapsed_ns, policy);

    xlp_plan_reset(plan_out);
    engine->decided = false;
    engine->time_ns = s->time_ns;
    engine->seen = true;
    if (make_room(engine, s) < 0 || xlp_plan_make_room(plan_out, s) < 0 ||
        xlp_roster_call(&engine->roster, s, policy) < 0)
        return -1;
    view_pcpus(engine, s, measured_ns);
    if (xlp_cpu_decide(engine->cpu, s, policy, &engine->roster, measured_ns, plan_out,
                       engine->vcpu_views) < 0)
        return -1;
    if (xlp_memory_decide(engine->memory, s, policy, &engine->roster, elapsed_ns == 0, plan_out) <
        0)
        return -1;
    engine->decided = true;
    return 0;
}

void xlp_engine_explain(struct xlp_engine *engine, const struct xlp_snapshot *s,
                        struct xlp_plan *plan)
{
    if (!engine->decided)
        return;
    for (size_t i = 0; i < s->domain_count; i++) {
        plan->verdicts[i].domid = s->domains[i].domid;
        memcpy(plan->verdicts[i].name, s->domains[i].name, sizeof(plan->verdicts[i].name));
    }
    xlp_cpu_explain(engine->cpu, s, engine->vcpu_views, plan);
    xlp_memory_explain(engine->memory, s, &engine->roster, plan, engine->domain_views);
    plan->verdict_count = s->domain_count;
}

const struct xlp_pcpu_view *xlp_engine_pcpu_views(const struct xlp_engine *engine,
                                                  size_t *count_out)
{
    *count_out = engine->pcpu_count;
    return engine->pcpu_views;
}

const struct xlp_vcpu_view *xlp_engine_vcpu_views(const struct xlp_engine *engine,
                                                  size_t *count_out)
{
    *count_out = engine->vcpu_count;
    return engine->vcpu_views;
}

const struct xlp_domain_view *xlp_engine_domain_views(const struct xlp_engine *engine,
                                                      size_t *count_out)
{
    *count_out = engine->domain_count;
    return engine->domain_views;
}

struct xlp_domain_cpu xlp_domain_cpu_sum(const struct xlp_snapshot *s, const struct xlp_domain *d,
                                         const struct xlp_vcpu_view *vcpus)
{
    struct xlp_domain_cpu sum = {.known = d->vcpu_count > 0};

    for (uint32_t i = d->first_vcpu; i < d->first_vcpu + d->vcpu_count; i++) {
        sum.known &= vcpus[i].known || !s->vcpus[i].online;
        if (!vcpus[i].known)
            continue;
        sum.used += vcpus[i].used;
        sum.demand += vcpus[i].demand;
        sum.entitlement += vcpus[i].entitlement;
    }
    return sum;
}

bool xlp_domain_cpu_is_short(const struct xlp_domain_cpu *cpu)
{
    return cpu->demand - cpu->used >= CPU_SHORT_MIN;
}
