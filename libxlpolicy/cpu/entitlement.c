/* SPDX-License-Identifier: LGPL-2.1-only */
/* What each vCPU is entitled to when not everyone can have what it wants. */
#include "parts.h"

void xlp_entitle(struct claim *claims, size_t count, double capacity, uint32_t *open)
{
    double demand = 0, weight = 0;
    size_t left = count, before;

    for (size_t i = 0; i < count; i++) {
        claims[i].entitlement = claims[i].demand;
        demand += claims[i].demand;
        weight += claims[i].weight;
        open[i] = (uint32_t)i;
    }
    if (demand <= capacity)
        return;

    /* Who wants no more than its part of what is left is met in full, and leaves the others a
     * larger part. In a few rounds nobody is left who does. */
    do {
        double level = capacity / weight;

        before = left;
        left = 0;
        for (size_t i = 0; i < before; i++) {
            const struct claim *c = &claims[open[i]];

            if (c->demand > level * c->weight) {
                open[left++] = open[i];
                continue;
            }
            capacity -= c->demand;
            weight -= c->weight;
        }
    } while (left < before);
    for (size_t i = 0; i < left; i++)
        claims[open[i]].entitlement = capacity / weight * claims[open[i]].weight;
}
