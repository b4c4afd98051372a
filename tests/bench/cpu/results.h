/* SPDX-License-Identifier: LGPL-2.1-only */
/* All that was measured, and the ways to show it. */
#ifndef XLPOLICY_BENCH_RESULTS_H
#define XLPOLICY_BENCH_RESULTS_H

#include "../target.h"
#include "options.h"

struct results {
    const struct options *o;
    bool decided[POLICY_COUNT];
    struct decision decision[SCENARIO_COUNT][POLICY_COUNT];
    bool looped[POLICY_COUNT];
    struct loop_result *loop[UTILS_MAX][POLICY_COUNT]; /* [seed] */
};

/* Over the seeds. */
double results_median(const struct results *r, size_t util, enum policy_id id, enum loop_metric m);
double results_worst(const struct results *r, size_t util, enum policy_id id, enum loop_metric m);

void table_print(const struct results *r);
void json_print(const struct results *r);

/* ---- targets.c ---- */

/* Those that can be judged by what was run. */
struct targets targets_judge(const struct results *r);

#endif
