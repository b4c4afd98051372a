/* SPDX-License-Identifier: LGPL-2.1-only */
/* The results as tables to read. */
#include <stdio.h>

#include "results.h"

static void print_decisions(const struct results *r)
{
    const struct decision_setup *d = &r->o->decision;

    printf(
        "Decisions: %zu vCPUs on %zu pCPUs, utilisation %.2f, seed %llu.\n"
        "drift: %u times all loads change by about %.0f %%, and %.1f %% of them altogether;\n"
        "starts: %u hosts.\n"
        "Ten decisions each. Time: processor time of all decisions (drift), of the longest of\n"
        "ten (starts). Moves and evenness: of the ten together. max/bound: the worst of all.\n\n",
        d->vcpu_count, d->pcpu_count, d->util, (unsigned long long)d->seed, d->drifts,
        d->drift.noise * 100, d->drift.anew * 100, d->instances);
    for (enum scenario s = 0; s < SCENARIO_COUNT; s++) {
        printf("%-24s %9s %9s %9s %12s %10s %12s\n", scenario_names[s], "p50 us", "p99 us", "moves",
               "misplaced %", "max/bound", "allocations");
        for (enum policy_id id = 0; id < POLICY_COUNT; id++) {
            const struct decision *x = &r->decision[s][id];

            if (r->decided[id])
                printf("  %-22s %9.0f %9.0f %9.1f %12.2f %10.3f %12.2f\n", policies[id]->name,
                       x->p50_us, x->p99_us, x->moves, x->misplaced_pct, x->max_over_bound,
                       x->allocations);
        }
        putchar('\n');
    }
}

static void print_loop(const struct results *r, size_t u)
{
    printf("%-24s", "policy");
    for (enum loop_metric m = 0; m < LOOP_METRICS; m++)
        printf(" %15s", loop_metric_names[m].title);
    putchar('\n');
    for (enum policy_id id = 0; id < POLICY_COUNT; id++) {
        if (!r->looped[id])
            continue;
        printf("  %-22s", policies[id]->name);
        for (enum loop_metric m = 0; m < LOOP_METRICS; m++)
            printf(" %7.2f %7.2f", results_median(r, u, id, m), results_worst(r, u, id, m));
        putchar('\n');
    }
    putchar('\n');
}

static void print_loops(const struct results *r)
{
    const struct loop_setup *l = &r->o->one_loop;

    printf(
        "Closed loop: %zu vCPUs on %zu pCPUs, traces of %u s, seeds %llu to %llu.\n"
        "In each column the median over the seeds, then the worst seed.\n"
        "lost: of the work that perfectly divisible capacity would do; moves, and of those back\n"
        "to where it was within %d s: a vCPU and hour; at rest: moves in %d s of constant\n"
        "demand, after %d s to settle; unfair: distance of best and worst served (work by\n"
        "entitlement, of those that want something); misplaced: of entitlement, over time.\n",
        l->vcpu_count, l->pcpu_count, l->seconds, (unsigned long long)r->o->seed,
        (unsigned long long)r->o->seed + r->o->seeds - 1, LOOP_REVERSAL_S, LOOP_REST_S,
        LOOP_SETTLE_S);
    for (size_t u = 0; u < r->o->util_count; u++) {
        printf("\nutilisation %.2f\n", r->o->util[u]);
        print_loop(r, u);
    }
}

void table_print(const struct results *r)
{
    struct targets targets = targets_judge(r);

    if (r->o->decisions)
        print_decisions(r);
    if (r->o->loop)
        print_loops(r);
    targets_print(&targets);
}
