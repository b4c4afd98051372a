/* SPDX-License-Identifier: LGPL-2.1-only */
/* The naive policy that balance is measured against: it counts vCPUs and ignores their load. */
#include "parts.h"

/* The slot that is the item's turn, of those it may have. */
static uint32_t turn(const struct item *item, size_t position, size_t slot_count)
{
    uint32_t slot, left;

    if (!item->allowed)
        return (uint32_t)(position % slot_count);
    left = (uint32_t)(position % xlp_cpumap_count(item->allowed));
    for (slot = xlp_cpumap_next(item->allowed, 0); left; left--)
        slot = xlp_cpumap_next(item->allowed, slot + 1);
    return slot;
}

void xlp_round_robin(struct item *items, size_t item_count, size_t slot_count, uint32_t moves_max)
{
    for (size_t i = 0; i < item_count && moves_max > 0; i++) {
        struct item *item = &items[i];
        uint32_t slot = turn(item, i, slot_count);

        if (!item->may_move || item->slot == slot)
            continue;
        item->slot = slot;
        item->why = XLP_REASON_CPU_ROUND_ROBIN;
        moves_max--;
    }
}
