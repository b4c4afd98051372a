/* SPDX-License-Identifier: LGPL-2.1-only */
/* What one decision costs, by the number of guests. */
#ifndef XLPOLICY_BENCH_MEMORY_SCALE_H
#define XLPOLICY_BENCH_MEMORY_SCALE_H

#include "policy.h"

#define SCALE_SIZES 6
extern const size_t scale_sizes[SCALE_SIZES];

struct scale {
    size_t guest_count;
    double steady_us, steady_allocations; /* nobody's use changes; median */
    double busy_us, busy_p99_us; /* a tenth of the guests change, and need what is not there */
    double explain_us; /* a verdict on every guest after such a decision; when asked for */
    double qmemman_us; /* qmemman-like on such a host, its balloons instant */
    double fit_us;     /* c N log2 N, with c such that it fits busy_us best */
};

/* The exponent e of the best fit of (N log N)^e: 1 when it grows as N log N does. */
double scale_run(struct scale scales[SCALE_SIZES], uint64_t seed,
                 const struct xlp_policy *settings);

#endif
