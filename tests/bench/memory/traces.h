/* SPDX-License-Identifier: LGPL-2.1-only */
/* What guests use over time. */
#ifndef XLPOLICY_BENCH_MEMORY_TRACES_H
#define XLPOLICY_BENCH_MEMORY_TRACES_H

#include "host.h"

struct mem_trace {
    const char *name, *what;
    unsigned int seconds;
    void (*make)(struct mem_host *h); /* for four guests */
};

#define MEM_TRACES 7
extern const struct mem_trace mem_traces[MEM_TRACES];

enum {
    MEM_TRACE_M1,
    MEM_TRACE_M2,
    MEM_TRACE_M3,
    MEM_TRACE_STEP,
    MEM_TRACE_ANTIPHASE,
    MEM_TRACE_SHARES,
    MEM_TRACE_IDLE
};

/* Each guest now holds, now ramps, now jumps to another level: mostly low, now and then high. */
void mem_trace_random(struct mem_host *h, uint64_t seed, unsigned int seconds);

#endif
