/* SPDX-License-Identifier: LGPL-2.1-only */
#include "history.h"

#include <stdlib.h>

int history_init(struct history *h)
{
    h->added = 0;
    h->entries = calloc(HISTORY_ENTRIES, sizeof(*h->entries));
    return h->entries ? 0 : -1;
}

void history_dispose(struct history *h)
{
    free(h->entries);
    h->entries = NULL;
    h->added = 0;
}

void history_add(struct history *h, uint64_t wall_ns, const struct xlp_action *action,
                 const struct xlp_outcome *outcome)
{
    struct history_entry *entry = &h->entries[h->added % HISTORY_ENTRIES];

    entry->wall_ns = wall_ns;
    entry->action = *action;
    entry->outcome = *outcome;
    h->added++;
}

size_t history_count(const struct history *h)
{
    return h->added < HISTORY_ENTRIES ? (size_t)h->added : HISTORY_ENTRIES;
}

const struct history_entry *history_at(const struct history *h, size_t i)
{
    return &h->entries[(h->added - history_count(h) + i) % HISTORY_ENTRIES];
}
