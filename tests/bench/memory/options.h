/* SPDX-License-Identifier: LGPL-2.1-only */
/* The command line of `bench memory`. */
#ifndef XLPOLICY_BENCH_MEMORY_OPTIONS_H
#define XLPOLICY_BENCH_MEMORY_OPTIONS_H

#include "loop.h"

struct mem_options {
    uint64_t seed; /* the first */
    uint32_t seeds;
    size_t guest_count;         /* of random traces */
    unsigned int seconds;       /* of those */
    bool traces, random, scale; /* which parts to run */
    bool json, strict;
    bool only[MEM_POLICY_COUNT]; /* which policies to run */
    struct xlp_policy settings;
};

/* Returns -1 when the program shall go on, else an exit status. */
int mem_options_read(struct mem_options *o, int argc, char **argv);

#endif
