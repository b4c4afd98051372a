/* SPDX-License-Identifier: LGPL-2.1-only */
#include "results.h"

#include <math.h>
#include <stdlib.h>

#include "../measure.h"

double results_median(const struct results *r, size_t util, enum policy_id id, enum loop_metric m)
{
    double *values = bench_alloc(r->o->seeds, sizeof(*values)), middle;

    for (uint32_t i = 0; i < r->o->seeds; i++)
        values[i] = r->loop[util][id][i].metric[m];
    middle = median(values, r->o->seeds);
    free(values);
    return middle;
}

double results_worst(const struct results *r, size_t util, enum policy_id id, enum loop_metric m)
{
    double worst = -HUGE_VAL;

    for (uint32_t i = 0; i < r->o->seeds; i++)
        worst = fmax(worst, r->loop[util][id][i].metric[m]);
    return worst;
}
