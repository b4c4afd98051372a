/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What a domain's tickets are worth for a while, beyond the shares they stand for. Two ideas of
 * lottery scheduling:
 *
 *   transfer      who does not use its part lends what it leaves unused to those who work for it,
 *                 as a guest to its driver domain; to each at most 16 times its shares.
 *   compensation  who blocks before it has used its part, and then has to wait when it wakes, gets
 *                 as many tickets more as make up for that: at most as many again as it has
 *                 shares. When that is over they melt away.
 *
 * Nobody starves by either, whatever the others do:
 *   1. Nobody holds less than its shares: what is lent was not in use, and is not taken from it.
 *   2. Nobody lends more than it leaves unused, and what it lends and what it is given as
 *      compensation are together no more than its shares.
 *   3. Nobody borrows what nobody lends.
 * So all tickets are at most twice all shares, and everybody keeps at least half of the part that
 * its shares alone would give it.
 *
 * Both come in steps of a quarter of the domain's shares, which it takes a little more to reach
 * than to keep: a weight is written when a step is made, and not whenever a measurement wavers.
 */
#ifndef XLP_SHARES_TICKETS_H
#define XLP_SHARES_TICKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XLP_TICKET_STEP 0.25 /* of the domain's shares */

struct xlp_tickets {
    double shares;         /* above 0 */
    double used, entitled; /* in pCPUs: what it uses, and what its shares entitle it to */
    bool awake;            /* it runs, if only a little: used is above 0 */
    bool held_up;          /* it blocks, and has to wait when it wakes */
    bool driver;           /* others may lend to it; it is not compensated then */

    double lent, borrowed; /* out, in tickets; of borrowed it holds the whole steps */
    double extra;          /* kept from time to time: its compensation, as a part of its shares */
    uint32_t extra_steps;  /* kept, out: the same in steps */
    uint32_t loan_steps;   /* kept, out: what it borrows, in steps of its own shares */
};

/* Whether the driver works for the client; both are indices into parties. */
typedef bool xlp_serves_fn(const void *arg, size_t driver, size_t client);

/* Sets lent, borrowed and loan_steps of all parties. drivers: the indices of those who are one. A
 * client with several drivers lends to each by the driver's shares. */
void xlp_lend(struct xlp_tickets *const *parties, size_t count, const size_t *drivers,
              size_t driver_count, xlp_serves_fn *serves, const void *arg);

/* After lending: sets extra_steps of one domain. */
void xlp_compensate(struct xlp_tickets *t, double elapsed_s);

/* What it holds, all in all. */
static inline double xlp_tickets_held(const struct xlp_tickets *t)
{
    return t->shares * (1 + XLP_TICKET_STEP * (t->extra_steps + t->loan_steps));
}

#endif
