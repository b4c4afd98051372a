/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Stride scheduling. Each holder's next thing has a time at which it falls due, one stride (all
 * tickets / its tickets) after the one before; who is due first is served first.
 *
 * By that rule alone any two holders are fair to each other, but one of many tickets may get ahead
 * of many of few, by half their number of things. So nobody is served before its time either: a
 * thing may be taken only by a holder who is owed some part of it. With both rules nobody is ever
 * off by a whole thing, at any length: each thing has a window of time to be given in, a schedule
 * that hits every window exists (Baruah and others, "Proportionate progress", 1996), and on a
 * single row of things, serving the earliest end first finds it.
 *
 * Times are kept as debts, tickets earned less all tickets for each thing got, so that nothing is
 * rounded and nothing grows with time.
 */
#include <stdbool.h>

#include "shares/apportion.h"

/* How many more things can be given to others before this holder is a whole one short. */
static int64_t patience(const struct xlp_holder *h, uint64_t tickets)
{
    int64_t left = (int64_t)tickets - h->due;

    return (left + h->tickets - 1) / h->tickets;
}

static size_t stride_next(struct xlp_apportioner *a)
{
    size_t best = SIZE_MAX;
    bool best_owed = false;
    int64_t best_patience = 0;

    for (size_t i = 0; i < a->count; i++) {
        struct xlp_holder *h = &a->holders[i];
        bool owed;
        int64_t its;

        if (h->tickets == 0)
            continue;
        h->due += h->tickets;
        owed = h->due > 0;
        its = patience(h, a->tickets);
        if (best == SIZE_MAX || owed > best_owed || (owed == best_owed && its < best_patience)) {
            best = i;
            best_owed = owed;
            best_patience = its;
        }
    }
    a->holders[best].due -= (int64_t)a->tickets;
    return best;
}

void xlp_stride_init(struct xlp_apportioner *a)
{
    *a = (struct xlp_apportioner){.next = stride_next};
}
