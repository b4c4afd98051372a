/* SPDX-License-Identifier: LGPL-2.1-only */
#include "results.h"

#include "../measure.h"

double mem_results_sum(const struct mem_results *r, enum mem_policy_id id, enum mem_metric m)
{
    double sum = 0;

    for (uint32_t i = 0; i < r->o->seeds; i++)
        sum += r->random[id][i].metric[m];
    return sum;
}

double mem_results_median(const struct mem_results *r, enum mem_policy_id id, enum mem_metric m)
{
    double *values = bench_alloc(r->o->seeds, sizeof(*values)), middle;

    for (uint32_t i = 0; i < r->o->seeds; i++)
        values[i] = r->random[id][i].metric[m];
    middle = median(values, r->o->seeds);
    free(values);
    return middle;
}
