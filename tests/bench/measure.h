/* SPDX-License-Identifier: LGPL-2.1-only */
/* What a piece of code costs, and what to make of many such figures. */
#ifndef XLPOLICY_BENCH_MEASURE_H
#define XLPOLICY_BENCH_MEASURE_H

#include <stddef.h>

struct cost {
    double us;          /* processor time of this thread: what else runs here does not count */
    double allocations; /* calls of malloc, calloc and realloc, libc's own included; NAN: unknown */
};

struct stopwatch {
    double start_us, start_allocations;
};

struct stopwatch stopwatch_start(void);
struct cost stopwatch_stop(const struct stopwatch *w);

/* The value that this part (0 ... 1) of the values do not exceed. Sorts them. */
double quantile(double *values, size_t count, double part);
double median(double *values, size_t count);

/* calloc, or the end of the program. */
void *bench_alloc(size_t count, size_t size);

#endif
