/* SPDX-License-Identifier: LGPL-2.1-only */
#include "loads.h"

#include <stdlib.h>

#include "../measure.h"

#define SHAPE 1.1

/* The factor with which the capped loads sum up to the total: found by halving an interval. */
static void scale(struct loads *l)
{
    double low = 0, high = 1e6;

    for (size_t k = 0; k < l->count; k++)
        l->load[k] = l->raw[k] * exp(l->noise[k]);
    for (int i = 0; i < 60; i++) {
        double factor = (low + high) / 2, sum = 0;

        for (size_t k = 0; k < l->count; k++)
            sum += fmin(1, l->load[k] * factor);
        if (sum < l->total)
            low = factor;
        else
            high = factor;
    }
    for (size_t k = 0; k < l->count; k++)
        l->load[k] = fmin(1, l->load[k] * low);
}

void loads_init(struct loads *l, uint64_t seed, size_t count, double total)
{
    *l = (struct loads){.count = count, .total = total, .rng = rng_start(seed, 1)};
    l->raw = bench_alloc(count, sizeof(double));
    l->noise = bench_alloc(count, sizeof(double));
    l->load = bench_alloc(count, sizeof(double));
    for (size_t i = 0; i < count; i++)
        l->raw[i] = rng_pareto(&l->rng, 0.001, SHAPE);
    scale(l);
}

void loads_free(struct loads *l)
{
    free(l->raw);
    free(l->noise);
    free(l->load);
}

void loads_drift(struct loads *l, const struct drift *drift)
{
    for (size_t i = 0; i < l->count; i++) {
        l->noise[i] = l->noise[i] / 2 + drift->noise * sqrt(0.75) * rng_bell(&l->rng);
        if (rng_fraction(&l->rng) < drift->anew)
            l->raw[i] = rng_pareto(&l->rng, 0.001, SHAPE);
    }
    scale(l);
}
