/* SPDX-License-Identifier: LGPL-2.1-only */
#include "trace.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "../measure.h"
#include "../rng.h"

#define QUIET      0.03 /* wanted between bursts */
#define BURST_LOW  0.2  /* a burst wants from this ... */
#define BURST_HIGH 1.2  /* ... to this, all above 1 being 1 */
#define BURST_MEAN 0.68 /* of the above: what a burst wants on average */
#define BURST_S    40
#define BURST_SHAPE                                                                                \
    1.5               /* of the Pareto distribution of their lengths: three times that on average */
#define SPREAD    0.8 /* how different vCPUs are: of the logarithm of the time in bursts */
#define BUSY_MOST 0.95 /* nobody bursts for more of the time than this */

/* Fills in one vCPU, which bursts for that part of the time. */
static void fill(struct trace *t, struct rng *r, size_t vcpu, double busy)
{
    double quiet_s = BURST_S * BURST_SHAPE / (BURST_SHAPE - 1) * (1 - busy) / busy;
    double change_s = 0, want = QUIET;
    bool burst = rng_fraction(r) >= busy; /* of the time before the start */

    for (size_t s = 0; s < t->seconds; s++) {
        while (change_s <= (double)s) {
            burst = !burst;
            change_s += burst ? fmin(900, rng_pareto(r, BURST_S, BURST_SHAPE))
                              : rng_exponential(r, quiet_s);
            want = burst ? fmin(1, BURST_LOW + (BURST_HIGH - BURST_LOW) * rng_fraction(r)) : QUIET;
        }
        t->demand[s * t->vcpu_count + vcpu] = want * (0.95 + 0.1 * rng_fraction(r));
    }
}

/* Raises or lowers all demands by one factor until they have the mean. */
static void scale(struct trace *t, double mean)
{
    size_t count = t->seconds * t->vcpu_count;

    for (int pass = 0; pass < 20; pass++) {
        double sum = 0;

        for (size_t i = 0; i < count; i++)
            sum += t->demand[i];
        for (size_t i = 0; i < count; i++)
            t->demand[i] = fmin(1, t->demand[i] * mean * (double)count / sum);
    }
}

void trace_init(struct trace *t, uint64_t seed, size_t vcpu_count, size_t seconds, double mean)
{
    struct rng rng = rng_start(seed, 2);
    double busy = fmax(0.01, (mean - QUIET) / (BURST_MEAN - QUIET));

    *t = (struct trace){.vcpu_count = vcpu_count, .seconds = seconds};
    t->demand = bench_alloc(vcpu_count * seconds, sizeof(double));
    for (size_t i = 0; i < vcpu_count; i++)
        fill(t, &rng, i,
             fmin(BUSY_MOST, busy * exp(SPREAD * rng_bell(&rng) - SPREAD * SPREAD / 2)));
    scale(t, mean);
}

void trace_free(struct trace *t)
{
    free(t->demand);
}

const double *trace_at(const struct trace *t, size_t second)
{
    return &t->demand[(second < t->seconds ? second : t->seconds - 1) * t->vcpu_count];
}
