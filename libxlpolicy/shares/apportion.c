/* SPDX-License-Identifier: LGPL-2.1-only */
/* What stride and lottery have in common: who holds how many tickets. */
#include "shares/apportion.h"

#include <math.h>

void xlp_apportion_among(struct xlp_apportioner *a, struct xlp_holder *holders, size_t count)
{
    uint64_t before = a->tickets;

    a->holders = holders;
    a->count = count;
    a->tickets = 0;
    for (size_t i = 0; i < count; i++)
        a->tickets += holders[i].tickets;
    if (before == a->tickets)
        return;
    /* Debts are in things times all tickets: the things stay, the tickets are others now. */
    for (size_t i = 0; i < count; i++)
        holders[i].due =
            before ? llround((double)holders[i].due * ((double)a->tickets / (double)before)) : 0;
}
