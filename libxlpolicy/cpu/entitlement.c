/* SPDX-License-Identifier: LGPL-2.1-only */
/* What each vCPU is entitled to when not everyone can have what it wants. */
#include <stdlib.h>

#include "parts.h"

/* The level at which a claim is fully met. */
static double breakpoint(const struct claim *c)
{
    return c->demand / c->weight;
}

static int by_breakpoint(const void *a, const void *b, void *claims)
{
    const struct claim *all = claims;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    double difference = breakpoint(&all[x]) - breakpoint(&all[y]);

    if (difference != 0)
        return difference < 0 ? -1 : 1;
    return x < y ? -1 : 1;
}

void xlp_entitle(struct claim *claims, size_t count, double capacity, uint32_t *scratch)
{
    double demand = 0, weight = 0, level;
    size_t met;

    for (size_t i = 0; i < count; i++) {
        claims[i].entitlement = claims[i].demand;
        demand += claims[i].demand;
        weight += claims[i].weight;
    }
    if (demand <= capacity)
        return;

    /* Raise the level past one claim after another; those it passes are met in full. */
    for (size_t i = 0; i < count; i++)
        scratch[i] = (uint32_t)i;
    qsort_r(scratch, count, sizeof(*scratch), by_breakpoint, claims);
    for (met = 0; met < count; met++) {
        const struct claim *c = &claims[scratch[met]];

        if (breakpoint(c) * weight > capacity)
            break;
        capacity -= c->demand;
        weight -= c->weight;
    }
    level = weight > 0 ? capacity / weight : 0;
    for (size_t i = met; i < count; i++)
        claims[scratch[i]].entitlement = level * claims[scratch[i]].weight;
}
