/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Who gets how much of a pool of memory: arithmetic on arrays, nothing else.
 *
 * Each claim is a staircase of levels. A level is paid for all before the next is begun; in the
 * first that the pool cannot pay in full, the rest is shared so that everybody strictly between
 * two levels has the same amount per share. What is given sums to the pool, to the KiB.
 */
#ifndef XLP_MEMORY_ALLOC_H
#define XLP_MEMORY_ALLOC_H

#include <stddef.h>
#include <stdint.h>

enum xlp_level {
    XLP_LEVEL_HELD,     /* cannot be taken from it */
    XLP_LEVEL_ENTITLED, /* in: what it may have of what others use; out: what of that is its share
                         */
    XLP_LEVEL_KEPT,     /* what it has by its own account of its need */
    XLP_LEVEL_BARE,     /* what it uses, and barely more */
    XLP_LEVEL_NEED,
    XLP_LEVEL_COMFORT,
    XLP_LEVEL_SURPLUS, /* what it may hold when nobody needs it */
    XLP_LEVELS
};

struct xlp_claim {
    uint32_t shares;            /* at least 1 */
    int64_t floor_kib, cap_kib; /* its share is not less, nor more; no level is above cap */
    int64_t has_kib;            /* now; at most cap */
    uint32_t untaxed_pct; /* of its share beyond what it claims: what it has of that it keeps */
    int64_t level_kib[XLP_LEVELS]; /* 0 <= each <= the next, but ENTITLED any up to NEED */
    int64_t share_kib;             /* out: of the pool, by shares; all it needs if all have that */
    int64_t given_kib;             /* out */
};

/* Between what and what a claim gets its shares' part. */
struct xlp_range {
    double low_kib, high_kib, weight;
};

/*
 * Sets given_kib of each claim: min(pool, all levels) in sum, or all of XLP_LEVEL_HELD when the
 * pool is smaller even than that. Returns the first level that is not paid in full, XLP_LEVELS when
 * all are. Memory up to 2^53 KiB in sum. ranges: room for 2 * count of them, to work in.
 *
 * XLP_LEVEL_ENTITLED is what makes claims safe to believe: whatever others claim to need or to use,
 * nobody gets less than min(that level, its share of what is not held). It is below XLP_LEVEL_KEPT:
 * what one has beyond its share it has for as long as nobody lacks any of its own. What one has
 * within its share though it is idle, is entitled to as far as it is not taxed, whoever needs it.
 */
enum xlp_level xlp_allocate(struct xlp_claim *claims, size_t count, int64_t pool_kib,
                            struct xlp_range *ranges);

#endif
