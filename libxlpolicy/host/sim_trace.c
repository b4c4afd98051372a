/* SPDX-License-Identifier: LGPL-2.1-only */
/* Demand over time: see sim_trace.h. */
#include "host/sim_trace.h"

#include <math.h>

#include "shares/random.h"

double xlp_sim_trace_at(const struct xlp_sim_trace *trace, double at_s)
{
    const struct xlp_sim_point *p = trace->points;
    size_t low = 0, high = trace->count;

    if (trace->every_s > 0)
        at_s = fmod(at_s, trace->every_s);
    /* The first point later than at_s: of points at the same time the last one holds. */
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (p[middle].at_s <= at_s)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return trace->count ? p[0].value : 0;
    if (low == trace->count)
        return p[low - 1].value;

    double part = (at_s - p[low - 1].at_s) / (p[low].at_s - p[low - 1].at_s);
    return p[low - 1].value + part * (p[low].value - p[low - 1].value);
}

double xlp_sim_random(uint64_t seed, uint64_t a, uint64_t b)
{
    return (double)(xlp_mix64(xlp_mix64(xlp_mix64(seed) + a) + b) >> 11) * 0x1p-53;
}
