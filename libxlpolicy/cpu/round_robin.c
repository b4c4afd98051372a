/* SPDX-License-Identifier: LGPL-2.1-only */
/* The naive policy that balance is measured against: it counts vCPUs and ignores their load. */
#include "parts.h"

void xlp_round_robin(struct item *items, size_t item_count, size_t slot_count)
{
    for (size_t i = 0; i < item_count; i++) {
        struct item *item = &items[i];
        uint32_t slot = (uint32_t)(i % slot_count);

        if (!item->may_move || item->slot == slot ||
            (item->allowed && !xlp_cpumap_test(item->allowed, slot)))
            continue;
        item->slot = slot;
        item->why = XLP_REASON_CPU_ROUND_ROBIN;
    }
}
