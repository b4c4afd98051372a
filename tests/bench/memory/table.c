/* SPDX-License-Identifier: LGPL-2.1-only */
/* The results as tables to read. */
#include <math.h>

#include "results.h"

static void print_head(const char *first)
{
    printf("%-18s", first);
    for (enum mem_metric m = 0; m < MEM_METRICS; m++)
        printf(" %8s", mem_metric_names[m].title);
    putchar('\n');
}

static void print_value(enum mem_metric m, double value)
{
    bool fine = m == MEM_JAIN || m == MEM_DECISION_US;
    bool seconds = m == MEM_RAMP_P50 || m == MEM_RAMP_P99 || m == MEM_RAMP_MAX ||
                   m == MEM_RETURN_P50 || m == MEM_BELOW_RESERVE;

    if (isfinite(value))
        printf(" %8.*f", fine ? 2 : seconds ? 1 : 0, value);
    else
        printf(" %8s", "-");
}

static void print_traces(const struct mem_results *r)
{
    for (int t = 0; t < MEM_TRACES; t++) {
        printf("%s: %s\n", mem_traces[t].name, mem_traces[t].what);
        print_head("  policy");
        for (enum mem_policy_id id = 0; id < MEM_POLICY_COUNT; id++) {
            if (!r->o->only[id])
                continue;
            printf("  %-16s", mem_policies[id]->name);
            for (enum mem_metric m = 0; m < MEM_METRICS; m++)
                print_value(m, r->trace[t][id].metric[m]);
            putchar('\n');
        }
        putchar('\n');
    }
}

static void print_random(const struct mem_results *r)
{
    printf("Random traces: %zu guests, %u s, seeds %llu to %llu. Medians.\n", r->o->guest_count,
           r->o->seconds, (unsigned long long)r->o->seed,
           (unsigned long long)r->o->seed + r->o->seeds - 1);
    print_head("  policy");
    for (enum mem_policy_id id = 0; id < MEM_POLICY_COUNT; id++) {
        if (!r->random[id])
            continue;
        printf("  %-16s", mem_policies[id]->name);
        for (enum mem_metric m = 0; m < MEM_METRICS; m++)
            print_value(m, mem_results_median(r, id, m));
        putchar('\n');
    }
    printf("\nRegret (MiB s), seed by seed\n  %-8s", "seed");
    for (enum mem_policy_id id = 0; id < MEM_POLICY_COUNT; id++)
        if (r->random[id])
            printf(" %16s", mem_policies[id]->name);
    putchar('\n');
    for (uint32_t i = 0; i < r->o->seeds; i++) {
        printf("  %-8llu", (unsigned long long)r->o->seed + i);
        for (enum mem_policy_id id = 0; id < MEM_POLICY_COUNT; id++)
            if (r->random[id])
                printf(" %16.1f", r->random[id][i].metric[MEM_REGRET]);
        putchar('\n');
    }
    putchar('\n');
}

static void print_scale(const struct mem_results *r)
{
    printf(
        "One decision, processor time in us (medians): at rest, and with a tenth of the guests "
        "wanting other\namounts each second, of memory that is not enough for all; the verdicts on "
        "all, where asked for; and\none balance of qmemman-like.\n"
        "%9s %9s %12s %9s %9s %9s %12s %9s %14s %7s\n",
        "guests", "at rest", "allocations", "busy", "p99", "verdicts", "c N log2 N", "busy/fit",
        "qmemman-like", "ratio");
    for (int i = 0; i < SCALE_SIZES; i++) {
        const struct scale *s = &r->scale[i];

        printf("%9zu %9.1f %12.2f %9.1f %9.1f %9.1f %12.1f %9.2f %14.1f %7.1f\n", s->guest_count,
               s->steady_us, s->steady_allocations, s->busy_us, s->busy_p99_us, s->explain_us,
               s->fit_us, s->busy_us / s->fit_us, s->qmemman_us, s->qmemman_us / s->busy_us);
    }
    printf("The best fit of (N log N)^e has e = %.2f.\n\n", r->scale_exponent);
}

void mem_table_print(const struct mem_results *r)
{
    struct targets targets = mem_targets_judge(r);

    if (r->o->traces || r->o->random)
        printf(
            "Guests of 512 MiB, 200 at least, 2048 at most; 64 MiB for each free beyond a reserve "
            "of 50;\nballoons move 100 MiB/s. xlpolicy as its settings say, and with mem_surplus = "
            "guests: what nobody\nneeds stays with guests, as it does with the others.\n"
            "deficit (MiB s): what guests lacked of what they use and 16 MiB; worst: of one guest; "
            "weighted: by\nshares; bound: the least possible; regret: deficit over that; harm: in "
            "the 10 s after being made\nto give. ramp, return (s): from the end of a rise until "
            "the guest has that, of a fall until it holds\nno more than a quarter and 64 MiB over "
            "its use. changes: of targets; flips: taken back within 60 s.\nmoved+ (MiB): over the "
            "least. waste (MiB s): free and lacked at once. lowest (MiB), below R (s): what\nthe "
            "host had free. Jain: evenness while somebody is short. broken: targets that must "
            "never be.\n\n");
    if (r->o->traces)
        print_traces(r);
    if (r->o->random)
        print_random(r);
    if (r->o->scale)
        print_scale(r);
    targets_print(&targets);
}
