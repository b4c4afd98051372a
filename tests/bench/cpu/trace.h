/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What each vCPU wants in each second: quiet times and bursts. How high a burst is, how long it
 * lasts (heavy-tailed: most are short, a few last for minutes) and how often they come differs from
 * one to the next. The whole is made to use the given part of the host over its length.
 */
#ifndef XLPOLICY_BENCH_TRACE_H
#define XLPOLICY_BENCH_TRACE_H

#include <stddef.h>
#include <stdint.h>

struct trace {
    size_t vcpu_count, seconds;
    double *demand; /* [second][vcpu], 0 ... 1 */
};

/* mean: of all demands, over time and vCPUs; below 1. */
void trace_init(struct trace *t, uint64_t seed, size_t vcpu_count, size_t seconds, double mean);
void trace_free(struct trace *t);

/* The last second's demands hold for ever after. */
const double *trace_at(const struct trace *t, size_t second);

#endif
