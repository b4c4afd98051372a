/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the vCPUs of a large host want: a few much, most little (Pareto), none more than a pCPU. */
#ifndef XLPOLICY_BENCH_LOADS_H
#define XLPOLICY_BENCH_LOADS_H

#include <stddef.h>
#include <stdint.h>

#include "../rng.h"

struct loads {
    size_t count;
    double total;  /* what they sum up to, in pCPUs */
    double *raw;   /* as drawn */
    double *noise; /* the logarithm of what it wants more or less at the moment */
    double *load;  /* both together, scaled to the total; 0 ... 1 */
    struct rng rng;
};

/* How loads change. */
struct drift {
    double noise; /* all of them, by about this part, up or down, and tend back */
    double anew;  /* this part of them altogether */
};

void loads_init(struct loads *l, uint64_t seed, size_t count, double total);
void loads_free(struct loads *l);

void loads_drift(struct loads *l, const struct drift *drift);

#endif
