/* SPDX-License-Identifier: LGPL-2.1-only */
/* Lottery scheduling: each thing goes to the holder of a ticket that is drawn. */
#include "shares/apportion.h"

static size_t lottery_next(struct xlp_apportioner *a)
{
    uint64_t drawn = xlp_random_below(a->random, a->tickets);
    size_t i = 0;

    for (; drawn >= a->holders[i].tickets; i++)
        drawn -= a->holders[i].tickets;
    return i;
}

void xlp_lottery_init(struct xlp_apportioner *a, struct xlp_random *random)
{
    *a = (struct xlp_apportioner){.next = lottery_next, .random = random};
}
