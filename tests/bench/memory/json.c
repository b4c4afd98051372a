/* SPDX-License-Identifier: LGPL-2.1-only */
/* The results as JSON: all names are our own, so nothing needs quoting. */
#include "results.h"

static void print_metrics(const struct mem_result *result)
{
    for (enum mem_metric m = 0; m < MEM_METRICS; m++) {
        json_number(mem_metric_names[m].key, result->metric[m]);
        printf("%s", m + 1 < MEM_METRICS ? ", " : "}");
    }
}

static void print_traces(const struct mem_results *r)
{
    const char *comma = "";

    printf("\"traces\": [");
    for (int t = 0; t < MEM_TRACES; t++) {
        for (enum mem_policy_id id = 0; id < MEM_POLICY_COUNT; id++) {
            if (!r->o->only[id])
                continue;
            printf("%s\n  {\"trace\": \"%s\", \"policy\": \"%s\", ", comma, mem_traces[t].name,
                   mem_policies[id]->name);
            print_metrics(&r->trace[t][id]);
            comma = ",";
        }
    }
    printf("],\n");
}

static void print_random(const struct mem_results *r)
{
    const char *comma = "";

    printf("\"random\": {\"guests\": %zu, \"seconds\": %u, \"rows\": [", r->o->guest_count,
           r->o->seconds);
    for (enum mem_policy_id id = 0; id < MEM_POLICY_COUNT; id++) {
        for (uint32_t i = 0; r->random[id] && i < r->o->seeds; i++) {
            printf("%s\n  {\"policy\": \"%s\", \"seed\": %llu, ", comma, mem_policies[id]->name,
                   (unsigned long long)r->o->seed + i);
            print_metrics(&r->random[id][i]);
            comma = ",";
        }
    }
    printf("]},\n");
}

static void print_scale(const struct mem_results *r)
{
    printf("\"scale\": {");
    json_number("exponent", r->scale_exponent), printf(", \"rows\": [");
    for (int i = 0; i < SCALE_SIZES; i++) {
        const struct scale *s = &r->scale[i];

        printf("%s\n  {\"guests\": %zu, ", i ? "," : "", s->guest_count);
        json_number("steady_us", s->steady_us), printf(", ");
        json_number("steady_allocations", s->steady_allocations), printf(", ");
        json_number("busy_us", s->busy_us), printf(", ");
        json_number("busy_p99_us", s->busy_p99_us), printf(", ");
        json_number("explain_us", s->explain_us), printf(", ");
        json_number("fit_us", s->fit_us), printf(", ");
        json_number("qmemman_us", s->qmemman_us), printf("}");
    }
    printf("]},\n");
}

void mem_json_print(const struct mem_results *r)
{
    struct targets targets = mem_targets_judge(r);

    printf("{\"xlpolicy_bench_memory\": 1,\n");
    if (r->o->traces)
        print_traces(r);
    if (r->o->random)
        print_random(r);
    if (r->o->scale)
        print_scale(r);
    targets_print_json(&targets);
    printf("}\n");
}
