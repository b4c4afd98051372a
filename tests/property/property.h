/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Claims tried on random cases. A case is made from its shape alone; one that breaks a claim is
 * made smaller (fewer guests, fewer ticks) while it still breaks it, and the smallest is printed.
 * SEED in the environment tries other cases.
 */
#ifndef XLPOLICY_TESTS_PROPERTY_H
#define XLPOLICY_TESTS_PROPERTY_H

#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

struct shape {
    uint64_t seed;
    unsigned int guests, ticks;
};

/* A claim: NULL when it holds of the case, else what is wrong. */
typedef const char *(*claim_fn)(const struct shape *shape);

/* splitmix64: each value good by itself, so that part of a case can be left out. */
static inline uint64_t draw(uint64_t seed, uint64_t stream, uint64_t number)
{
    uint64_t z = seed + (stream * 1000003 + number + 1) * UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Halves what it can as long as the claim stays broken. */
static inline struct shape shrink(struct shape shape, claim_fn claim)
{
    bool smaller = true;

    while (smaller) {
        struct shape fewer_guests = shape, fewer_ticks = shape;

        smaller = false;
        fewer_guests.guests /= 2;
        fewer_ticks.ticks /= 2;
        if (fewer_guests.guests > 0 && claim(&fewer_guests)) {
            shape = fewer_guests;
            smaller = true;
        } else if (fewer_ticks.ticks > 0 && claim(&fewer_ticks)) {
            shape = fewer_ticks;
            smaller = true;
        }
    }
    return shape;
}

static inline void holds_always(claim_fn claim, unsigned int cases)
{
    const char *seed_text = getenv("SEED");
    uint64_t seed = seed_text ? strtoull(seed_text, NULL, 10) : 1;

    for (unsigned int i = 0; i < cases; i++) {
        struct shape shape = {.seed = draw(seed, 99, i)};

        shape.guests = 1 + (unsigned int)(draw(shape.seed, 0, 10) % 12);
        shape.ticks = 20 + (unsigned int)(draw(shape.seed, 0, 11) % 200);
        if (!claim(&shape))
            continue;
        shape = shrink(shape, claim);
        ck_abort_msg("%s (case %llu: %u guests, %u ticks)", claim(&shape),
                     (unsigned long long)shape.seed, shape.guests, shape.ticks);
    }
}

#endif
