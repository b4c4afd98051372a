/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Dividing indivisible things by tickets: one after the other, for as long as one likes, whose is
 * the next? Two ways to answer, behind one interface:
 *
 *   stride   deterministic. However many things were given, each holder has its part of them to
 *            within less than one: |given - things * tickets / all tickets| < 1.
 *   lottery  a draw for each thing. Fair in expectation only: after n things a holder's part of
 *            them is off by about 1/sqrt(n).
 *
 * After Waldspurger and Weihl, who named both. Arithmetic on the caller's array, nothing else.
 */
#ifndef XLP_SHARES_APPORTION_H
#define XLP_SHARES_APPORTION_H

#include <stddef.h>
#include <stdint.h>

#include "shares/random.h"

struct xlp_holder {
    uint64_t id;      /* the caller's own: who it is */
    uint32_t tickets; /* 0: gets nothing */
    int64_t due;      /* private, 0 at first: what it is owed, in things times all tickets */
};

struct xlp_apportioner {
    size_t (*next)(struct xlp_apportioner *a);
    struct xlp_random *random; /* the lottery's */
    struct xlp_holder *holders;
    size_t count;
    uint64_t tickets; /* of all holders; below 2^48 */
};

/* Without holders. random must outlive the lottery. */
void xlp_stride_init(struct xlp_apportioner *a);
void xlp_lottery_init(struct xlp_apportioner *a, struct xlp_random *random);

/* Who takes part from now on. The array is the caller's and must outlive its use. Who took part
 * before is owed what he was owed, if the caller copies `due`. */
void xlp_apportion_among(struct xlp_apportioner *a, struct xlp_holder *holders, size_t count);

/* Whose the next thing is: an index into holders; SIZE_MAX when nobody holds a ticket. O(count) */
static inline size_t xlp_apportion_next(struct xlp_apportioner *a)
{
    return a->tickets ? a->next(a) : SIZE_MAX;
}

#endif
