/* SPDX-License-Identifier: LGPL-2.1-only */
/* How good a placement is, by the true loads. */
#ifndef XLPOLICY_BENCH_QUALITY_H
#define XLPOLICY_BENCH_QUALITY_H

#include <stddef.h>
#include <stdint.h>

struct quality {
    /* The part of all load, in %, that is missing on pCPUs below the mean. vCPUs heavier than the
     * mean are set aside with a pCPU each, and so is what no placement could mend: the mean is that
     * of the rest. */
    double misplaced_pct;
    /* The fullest pCPU against the least that any placement could have there: the mean, or the
     * heaviest vCPU. 1 is perfect. */
    double max_over_bound;
};

/* scratch holds pcpu_count elements. */
struct quality quality_of(const double *load, const uint32_t *place, size_t vcpu_count,
                          double *scratch, size_t pcpu_count);

#endif
