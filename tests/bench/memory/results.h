/* SPDX-License-Identifier: LGPL-2.1-only */
/* All that was measured, and the ways to show it. */
#ifndef XLPOLICY_BENCH_MEMORY_RESULTS_H
#define XLPOLICY_BENCH_MEMORY_RESULTS_H

#include "../target.h"
#include "options.h"
#include "scale.h"

struct mem_results {
    const struct mem_options *o;
    struct mem_result trace[MEM_TRACES][MEM_POLICY_COUNT];
    struct mem_result *random[MEM_POLICY_COUNT]; /* [seed], NULL: not run */
    struct scale scale[SCALE_SIZES];
    double scale_exponent;
};

/* Over the seeds. */
double mem_results_sum(const struct mem_results *r, enum mem_policy_id id, enum mem_metric m);
double mem_results_median(const struct mem_results *r, enum mem_policy_id id, enum mem_metric m);

void mem_table_print(const struct mem_results *r);
void mem_json_print(const struct mem_results *r);

/* Those that can be judged by what was run. */
struct targets mem_targets_judge(const struct mem_results *r);

#endif
