/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What a simulated guest wants over time: points joined by straight lines, and repeatable noise.
 * Everything is a function of time and seed alone, so a run does not depend on how it was stepped.
 */
#ifndef XLP_SIM_TRACE_H
#define XLP_SIM_TRACE_H

#include <stddef.h>
#include <stdint.h>

struct xlp_sim_point {
    double at_s, value;
};

/* The first value holds before the first point and the last after the last one. Two points at the
 * same time are a jump. No point at all is 0. */
struct xlp_sim_trace {
    struct xlp_sim_point *points; /* by time, equal times allowed */
    size_t count;
    double every_s; /* > 0: starts over after this time */
};

double xlp_sim_trace_at(const struct xlp_sim_trace *trace, double at_s);

/* Deterministic, evenly spread over 0 <= x < 1: a different number for each (seed, a, b). */
double xlp_sim_random(uint64_t seed, uint64_t a, uint64_t b);

#endif
