/* SPDX-License-Identifier: LGPL-2.1-only */
/* What each vCPU is entitled to when not everyone can have what it wants. */
#include "parts.h"
#include "sort.h"

static bool is_met_before(const void *claims, uint32_t x, uint32_t y)
{
    return ((const struct claim *)claims)[x].met_at < ((const struct claim *)claims)[y].met_at;
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
    for (size_t i = 0; i < count; i++) {
        claims[i].met_at = claims[i].demand / claims[i].weight;
        scratch[i] = (uint32_t)i;
    }
    xlp_sort(scratch, count, is_met_before, claims, scratch + count);
    for (met = 0; met < count; met++) {
        const struct claim *c = &claims[scratch[met]];

        if (c->met_at * weight > capacity)
            break;
        capacity -= c->demand;
        weight -= c->weight;
    }
    level = weight > 0 ? capacity / weight : 0;
    for (size_t i = met; i < count; i++)
        claims[scratch[i]].entitlement = level * claims[scratch[i]].weight;
}
