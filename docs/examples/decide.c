/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * libxlpolicy by itself: a host of two pCPUs, made up here, with three busy guests on the first of
 * them. Says what should be done. To build it:
 *
 *   cc decide.c $(pkg-config --cflags --libs xlpolicy) -o decide
 */
#include <stdio.h>
#include <stdlib.h>

#include <xlpolicy/xlpolicy.h>

#define SECOND_NS UINT64_C(1000000000)

/* What an adapter of a real host would ask that host for. */
static void look(struct xlp_snapshot *s, uint64_t second)
{
    struct xlp_cpumap both = xlp_cpumap_none(), first = xlp_cpumap_of(0);
    struct xlp_pool *pool;

    xlp_snapshot_reset(s);
    s->time_ns = (1 + second) * SECOND_NS;
    s->memory.total_kib = 4 << 20;
    s->memory.free_kib = 1 << 20;
    for (uint32_t i = 0; i < 2; i++) {
        struct xlp_pcpu *pcpu = xlp_snapshot_add_pcpu(s);

        if (!pcpu)
            abort();
        pcpu->id = pcpu->core = i;
        pcpu->online = true;
        pcpu->idle_ns = i * second * SECOND_NS;
        xlp_cpumap_set(&both, i);
    }
    pool = xlp_snapshot_add_pool(s);
    if (!pool)
        abort();
    snprintf(pool->name, sizeof(pool->name), "Pool-0");
    pool->sched = XLP_SCHED_CREDIT2;
    pool->map = xlp_snapshot_intern(s, &both);
    for (uint32_t id = 1; id <= 3; id++) {
        struct xlp_domain *domain = xlp_snapshot_add_domain(s);
        struct xlp_vcpu *vcpu = domain ? xlp_snapshot_add_vcpu(s) : NULL;

        if (!vcpu)
            abort();
        domain->domid = id;
        domain->uuid[0] = (uint8_t)id;
        snprintf(domain->name, sizeof(domain->name), "guest%u", id);
        domain->type = XLP_GUEST_PVH;
        domain->weight = XLP_WEIGHT_USUAL;
        domain->memory.actual_kib = domain->memory.target_kib = domain->memory.max_kib =
            domain->memory.static_max_kib = 512 << 10;
        vcpu->online = vcpu->running = true;
        vcpu->cpu_time_ns = second * SECOND_NS / 3;
        vcpu->samples = 15; /* ten times it had to wait, never was it blocked */
        vcpu->samples_waiting = 10;
        vcpu->hard = xlp_snapshot_intern(s, &first);
    }
}

static void print(const struct xlp_plan *plan)
{
    char text[512];

    for (size_t i = 0; i < plan->action_count; i++)
        printf("do: %s\n", xlp_action_format(&plan->actions[i], text, sizeof(text)));
    for (size_t i = 0; i < plan->verdict_count; i++)
        printf("%s: %s\n", plan->verdicts[i].name,
               xlp_reason_format(&plan->verdicts[i].cpu, text, sizeof(text)));
}

int main(void)
{
    struct xlp_engine *engine = xlp_engine_new();
    struct xlp_snapshot snapshot;
    struct xlp_policy policy;
    struct xlp_plan plan;
    char error[256];
    int rc = EXIT_FAILURE;

    xlp_snapshot_init(&snapshot);
    xlp_policy_init(&policy);
    xlp_plan_init(&plan);
    if (!engine)
        goto out;
    if (xlp_policy_set(&policy, "adopt", "1", error, sizeof(error)) < 0 ||
        xlp_policy_set(&policy, "cpu_affinity", "hard", error, sizeof(error)) < 0) {
        fprintf(stderr, "%s\n", error);
        goto out;
    }
    for (uint64_t second = 0; second < 3; second++) { /* what a guest needs takes two looks */
        look(&snapshot, second);
        if (xlp_snapshot_check(&snapshot, error, sizeof(error)) < 0) {
            fprintf(stderr, "%s\n", error);
            goto out;
        }
        if (xlp_engine_decide(engine, &snapshot, &policy, &plan) < 0)
            goto out;
    }
    xlp_engine_explain(engine, &snapshot, &plan);
    print(&plan);
    rc = EXIT_SUCCESS;
out:
    xlp_plan_dispose(&plan);
    xlp_policy_dispose(&policy);
    xlp_snapshot_dispose(&snapshot);
    xlp_engine_free(engine);
    return rc;
}
