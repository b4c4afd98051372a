/* SPDX-License-Identifier: LGPL-2.1-only */
/* Random numbers that a seed repeats (splitmix64). */
#ifndef XLPOLICY_BENCH_RNG_H
#define XLPOLICY_BENCH_RNG_H

#include <math.h>
#include <stdint.h>

struct rng {
    uint64_t state;
};

/* Different streams of one seed have nothing to do with each other. */
static inline struct rng rng_start(uint64_t seed, uint64_t stream)
{
    return (struct rng){seed * UINT64_C(0xd1342543de82ef95) +
                        stream * UINT64_C(0x2545f4914f6cdd1d)};
}

static inline uint64_t rng_next(struct rng *r)
{
    uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* 0 <= x < 1 */
static inline double rng_fraction(struct rng *r)
{
    return (double)(rng_next(r) >> 11) / 9007199254740992.0;
}

static inline uint32_t rng_below(struct rng *r, size_t count)
{
    return (uint32_t)(rng_fraction(r) * (double)count);
}

/* At least `least`; the smaller the shape, the heavier the tail. */
static inline double rng_pareto(struct rng *r, double least, double shape)
{
    return least * pow(1 - rng_fraction(r), -1 / shape);
}

static inline double rng_exponential(struct rng *r, double mean)
{
    return -mean * log(1 - rng_fraction(r));
}

/* A normal variable of variance 1, nearly: twelve evenly spread ones, less their mean. */
static inline double rng_bell(struct rng *r)
{
    double sum = -6;

    for (int i = 0; i < 12; i++)
        sum += rng_fraction(r);
    return sum;
}

#endif
