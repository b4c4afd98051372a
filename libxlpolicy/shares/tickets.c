/* SPDX-License-Identifier: LGPL-2.1-only */
/* Compensation and transfer of tickets: see tickets.h. */
#include "shares/tickets.h"

#include <math.h>

#define EXTRA_MAX    1.0  /* as many tickets again as it has shares */
#define EXTRA_LIFE_S 10.0 /* compensation no longer due loses about a tenth each second */
#define LOAN_MAX     16.0 /* as many times its shares may a driver borrow */

/* What it takes to reach the last step. */
#define TO_REACH(most) ((most) + XLP_TICKET_STEP / 2)

/* The whole steps in amount. One more than before takes half a step more than that. */
static uint32_t steps_in(double amount, uint32_t before)
{
    double steps = amount / XLP_TICKET_STEP;
    uint32_t whole = (uint32_t)steps, sure = steps > 0.5 ? (uint32_t)(steps - 0.5) : 0;

    if (whole < before)
        return whole;
    return sure > before ? sure : before;
}

static double unused(const struct xlp_tickets *t)
{
    return t->awake && t->used < t->entitled ? t->shares * (1 - t->used / t->entitled) : 0;
}

struct loans {
    struct xlp_tickets *const *parties;
    const size_t *drivers;
    size_t driver_count;
    xlp_serves_fn *serves;
    const void *arg;
};

/* The i-th driver if it works for this client, or NULL. One that sleeps has nothing to do. */
static struct xlp_tickets *driver_of(const struct loans *l, size_t i, size_t client)
{
    size_t driver = l->drivers[i];

    return driver != client && l->parties[driver]->awake && l->serves(l->arg, driver, client)
               ? l->parties[driver]
               : NULL;
}

static void lend(const struct loans *l, size_t client)
{
    struct xlp_tickets *from = l->parties[client], *to;
    double may = unused(from), shares = 0;

    for (size_t i = 0; may > 0 && i < l->driver_count; i++)
        if ((to = driver_of(l, i, client)) != NULL)
            shares += to->shares;
    if (shares <= 0)
        return;
    from->lent = may;
    for (size_t i = 0; i < l->driver_count; i++)
        if ((to = driver_of(l, i, client)) != NULL)
            to->borrowed += may * (to->shares / shares);
}

void xlp_lend(struct xlp_tickets *const *parties, size_t count, const size_t *drivers,
              size_t driver_count, xlp_serves_fn *serves, const void *arg)
{
    const struct loans loans = {parties, drivers, driver_count, serves, arg};

    for (size_t i = 0; i < count; i++)
        parties[i]->lent = parties[i]->borrowed = 0;
    for (size_t i = 0; i < count; i++)
        lend(&loans, i);
    for (size_t i = 0; i < count; i++) {
        struct xlp_tickets *t = parties[i];

        t->loan_steps = steps_in(fmin(t->borrowed / t->shares, TO_REACH(LOAN_MAX)), t->loan_steps);
    }
}

void xlp_compensate(struct xlp_tickets *t, double elapsed_s)
{
    double due = 0, left = t->extra * EXTRA_LIFE_S / (EXTRA_LIFE_S + elapsed_s);
    uint32_t most = (uint32_t)((1 - t->lent / t->shares) / XLP_TICKET_STEP);

    if (t->awake && t->held_up && !t->driver && t->used < t->entitled)
        due = fmin(t->entitled / t->used - 1, TO_REACH(EXTRA_MAX));
    t->extra = fmax(due, left);
    t->extra_steps = steps_in(t->extra, t->extra_steps);
    if (t->extra_steps > most)
        t->extra_steps = most; /* what is lent cannot be spent a second time */
}
