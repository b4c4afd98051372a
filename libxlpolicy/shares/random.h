/* SPDX-License-Identifier: LGPL-2.1-only */
/* Chance that repeats: numbers that look random, and are a function of a seed alone. */
#ifndef XLP_SHARES_RANDOM_H
#define XLP_SHARES_RANDOM_H

#include <stdint.h>

/* A generator; its state may start as any number, the seed. */
struct xlp_random {
    uint64_t state;
};

/* The finalizer of splitmix64: each input bit reaches every output bit. */
static inline uint64_t xlp_mix64(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* The next number, evenly spread over 0 ... limit - 1; limit is at least 1. */
static inline uint64_t xlp_random_below(struct xlp_random *random, uint64_t limit)
{
    uint64_t uneven = UINT64_MAX % limit, number; /* what is above the last whole round is unfair */

    do {
        number = xlp_mix64(random->state);
        random->state += UINT64_C(0x9e3779b97f4a7c15);
    } while (number >= UINT64_MAX - uneven);
    return number % limit;
}

#endif
