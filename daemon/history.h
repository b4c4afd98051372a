/* SPDX-License-Identifier: LGPL-2.1-only */
/* What was done, or tried, most lately: a ring of fixed size. */
#ifndef HISTORY_H
#define HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "host/host.h"
#include "plan.h"

#define HISTORY_ENTRIES 1024

struct history_entry {
    uint64_t wall_ns; /* since 1970 */
    struct xlp_action action;
    struct xlp_outcome outcome;
};

struct history {
    struct history_entry *entries;
    uint64_t added; /* ever; the last HISTORY_ENTRIES of them are kept */
};

/* 0, or -1 when memory is out. */
int history_init(struct history *h);
void history_dispose(struct history *h);

void history_add(struct history *h, uint64_t wall_ns, const struct xlp_action *action,
                 const struct xlp_outcome *outcome);

/* How many are kept, and the i-th of them, oldest first. */
size_t history_count(const struct history *h);
const struct history_entry *history_at(const struct history *h, size_t i);

#endif
