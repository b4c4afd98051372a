/* SPDX-License-Identifier: LGPL-2.1-only */
/* The command line of `bench cpu`. */
#ifndef XLPOLICY_BENCH_CPU_OPTIONS_H
#define XLPOLICY_BENCH_CPU_OPTIONS_H

#include <stdbool.h>

#include "decision.h"
#include "loop.h"

#define UTILS_MAX 4

struct options {
    uint64_t seed; /* the first */
    uint32_t seeds;
    bool decisions, loop; /* which parts to run */
    bool json, strict;
    bool only[POLICY_COUNT]; /* which policies to run */
    double util[UTILS_MAX];
    size_t util_count;
    struct xlp_policy settings;
    struct decision_setup decision;
    struct loop_setup one_loop; /* all but seed and util */
};

/* o has to stay where it is. Returns -1 when the program shall go on, else an exit status. */
int options_read(struct options *o, int argc, char **argv);
void options_dispose(struct options *o);

#endif
