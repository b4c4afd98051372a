/* SPDX-License-Identifier: LGPL-2.1-only */
/* The results as JSON: all names are our own, so nothing needs quoting. */
#include <stdio.h>

#include "results.h"

static void print_decision(const char *scenario, const char *policy, const struct decision *d)
{
    printf("{\"scenario\": \"%s\", \"policy\": \"%s\", ", scenario, policy);
    json_number("p50_us", d->p50_us), printf(", ");
    json_number("p99_us", d->p99_us), printf(", ");
    json_number("moves", d->moves), printf(", ");
    json_number("misplaced_pct", d->misplaced_pct), printf(", ");
    json_number("max_over_bound", d->max_over_bound), printf(", ");
    json_number("allocations", d->allocations), printf("}");
}

static void print_decisions(const struct results *r)
{
    const struct decision_setup *d = &r->o->decision;
    const char *comma = "";

    printf("\"decisions\": {\"vcpus\": %zu, \"pcpus\": %zu, ", d->vcpu_count, d->pcpu_count);
    json_number("util", d->util);
    printf(", \"seed\": %llu, \"rows\": [", (unsigned long long)d->seed);
    for (enum scenario s = 0; s < SCENARIO_COUNT; s++) {
        for (enum policy_id id = 0; id < POLICY_COUNT; id++) {
            if (!r->decided[id])
                continue;
            printf("%s\n  ", comma);
            print_decision(scenario_names[s], policies[id]->name, &r->decision[s][id]);
            comma = ",";
        }
    }
    printf("]},\n");
}

static void print_metrics(const struct loop_result *result)
{
    for (enum loop_metric m = 0; m < LOOP_METRICS; m++) {
        json_number(loop_metric_names[m].key, result->metric[m]);
        printf("%s", m + 1 < LOOP_METRICS ? ", " : "}");
    }
}

static void print_loop(const struct results *r, size_t u, enum policy_id id)
{
    struct loop_result middle, worst;

    for (enum loop_metric m = 0; m < LOOP_METRICS; m++) {
        middle.metric[m] = results_median(r, u, id, m);
        worst.metric[m] = results_worst(r, u, id, m);
    }
    printf("{");
    json_number("util", r->o->util[u]);
    printf(", \"policy\": \"%s\",\n   \"median\": {", policies[id]->name);
    print_metrics(&middle);
    printf(",\n   \"worst\": {");
    print_metrics(&worst);
    printf(",\n   \"seeds\": [");
    for (uint32_t i = 0; i < r->o->seeds; i++) {
        printf("%s\n    {\"seed\": %llu, ", i ? "," : "", (unsigned long long)r->o->seed + i);
        print_metrics(&r->loop[u][id][i]);
    }
    printf("]}");
}

static void print_loops(const struct results *r)
{
    const struct loop_setup *l = &r->o->one_loop;
    const char *comma = "";

    printf("\"loop\": {\"vcpus\": %zu, \"pcpus\": %zu, \"seconds\": %u, \"rows\": [", l->vcpu_count,
           l->pcpu_count, l->seconds);
    for (size_t u = 0; u < r->o->util_count; u++) {
        for (enum policy_id id = 0; id < POLICY_COUNT; id++) {
            if (!r->looped[id])
                continue;
            printf("%s\n  ", comma);
            print_loop(r, u, id);
            comma = ",";
        }
    }
    printf("]},\n");
}

void json_print(const struct results *r)
{
    struct targets targets = targets_judge(r);

    printf("{\"xlpolicy_bench_cpu\": 1,\n");
    if (r->o->decisions)
        print_decisions(r);
    if (r->o->loop)
        print_loops(r);
    targets_print_json(&targets);
    printf("}\n");
}
