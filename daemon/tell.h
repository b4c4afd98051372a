/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Telling what was done, what was not, and what would be. What is done is told each time; what is
 * not done is told when it is new, since the next tick will most likely come to the same.
 */
#ifndef TELL_H
#define TELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/host.h"
#include "plan.h"

/* What identifies something told: not the numbers in its sentence, which differ each tick. */
struct tell_key {
    enum xlp_action_kind kind;
    enum xlp_reason_code reason;
    int outcome; /* enum xlp_outcome_code, or TELL_WOULD */
    uint32_t domid, vcpu, to_pcpu, to_weight;
    int64_t to_kib;
    uint32_t reservation;
};

struct tell_entry {
    struct tell_key key;
    uint64_t seen_ns;
};

/* What was told and is still so. Bounded: beyond it, more is told than needed. */
struct tell {
    struct tell_entry *entries;
    size_t count, room;
};

#define TELL_ENTRIES_MAX 4096
#define TELL_WOULD       -1
/* What has not come up for so long is told again when it does. */
#define TELL_FORGET_NS (60 * UINT64_C(1000000000))

void tell_dispose(struct tell *t);

/* Logs one action with its outcome; NULL when it is only planned. Returns whether it was logged,
 * and so was news. */
bool tell_action(struct tell *t, const struct xlp_action *action, const struct xlp_outcome *outcome,
                 uint64_t now_ns);

/* Forgets what has not come up for TELL_FORGET_NS. */
void tell_forget(struct tell *t, uint64_t now_ns);

#endif
