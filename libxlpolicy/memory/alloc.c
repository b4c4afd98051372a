/* SPDX-License-Identifier: LGPL-2.1-only */
/* Sharing a pool: levels in order, a weighted water-fill in the one that cannot be paid in full. */
#include "memory/alloc.h"

#include <math.h>
#include <stdbool.h>

static void entitle_to_need(struct xlp_claim *claims, size_t count);
static void entitle(struct xlp_claim *claims, size_t count, int64_t pool_kib);
static void fill(struct xlp_claim *claims, size_t count, int64_t pool_kib);

static int64_t min_kib(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t max_kib(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Of all claims together. */
struct totals {
    int64_t level_kib[XLP_LEVELS];
    bool idle_is_kept; /* by somebody */
};

static struct totals add_up(const struct xlp_claim *claims, size_t count)
{
    struct totals t = {.idle_is_kept = false};

    for (size_t i = 0; i < count; i++) {
        for (int level = 0; level < XLP_LEVELS; level++)
            t.level_kib[level] += claims[i].level_kib[level];
        t.idle_is_kept |= claims[i].untaxed_pct > 0;
    }
    return t;
}

static void give_level(struct xlp_claim *claims, size_t count, enum xlp_level level)
{
    for (size_t i = 0; i < count; i++)
        claims[i].given_kib = claims[i].level_kib[level];
}

/* Between which it gets what its shares come to. */
static void set_range(struct xlp_claim *c, int64_t low_kib, int64_t high_kib)
{
    c->low_kib = (double)low_kib;
    c->high_kib = (double)high_kib;
    c->weight = c->shares;
}

static void give_between(struct xlp_claim *claims, size_t count, enum xlp_level lower,
                         int64_t pool_kib)
{
    for (size_t i = 0; i < count; i++) {
        struct xlp_claim *c = &claims[i];

        set_range(c, c->level_kib[lower], c->level_kib[lower + 1]);
    }
    fill(claims, count, pool_kib);
}

enum xlp_level xlp_allocate(struct xlp_claim *claims, size_t count, int64_t pool_kib)
{
    struct totals totals = add_up(claims, count);
    enum xlp_level level = XLP_LEVEL_HELD;

    if (totals.level_kib[level] > pool_kib) {
        give_level(claims, count, level);
        return level;
    }
    /* Shares matter only when needs cannot all be met, which is seldom. */
    if (!totals.idle_is_kept && totals.level_kib[XLP_LEVEL_NEED] <= pool_kib) {
        entitle_to_need(claims, count);
        level = XLP_LEVEL_NEED;
    } else {
        entitle(claims, count, pool_kib);
        totals = add_up(claims, count);
    }
    while (level + 1 < XLP_LEVELS && totals.level_kib[level + 1] <= pool_kib)
        level++;
    if (level + 1 == XLP_LEVELS)
        give_level(claims, count, level);
    else
        give_between(claims, count, level, pool_kib);
    return level + 1;
}

static void entitle_to_need(struct xlp_claim *claims, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        claims[i].share_kib = claims[i].level_kib[XLP_LEVEL_NEED];
        claims[i].level_kib[XLP_LEVEL_ENTITLED] = claims[i].level_kib[XLP_LEVEL_NEED];
    }
}

/* What it has beyond what it claims, as far as it may keep that of its share. */
static int64_t kept_idle_kib(const struct xlp_claim *c)
{
    int64_t claimed_kib = c->level_kib[XLP_LEVEL_ENTITLED];
    int64_t untaxed_kib = (c->share_kib - claimed_kib) * c->untaxed_pct / 100;

    return max_kib(0, min_kib(untaxed_kib, c->has_kib - claimed_kib));
}

/* Finds shares, sets XLP_LEVEL_ENTITLED by them and lifts those above to it. Shares sum to the
 * pool, if the floors and what is held do not exceed it, so that the pool can pay what is entitled.
 */
static void entitle(struct xlp_claim *claims, size_t count, int64_t pool_kib)
{
    int64_t most_kib = 0;

    for (size_t i = 0; i < count; i++) {
        int64_t low_kib = max_kib(claims[i].level_kib[XLP_LEVEL_HELD], claims[i].floor_kib);
        int64_t high_kib = max_kib(low_kib, claims[i].cap_kib);

        set_range(&claims[i], low_kib, high_kib);
        most_kib += high_kib;
    }
    fill(claims, count, min_kib(pool_kib, most_kib));
    for (size_t i = 0; i < count; i++) {
        int64_t *level_kib = claims[i].level_kib, entitled_kib;

        claims[i].share_kib = claims[i].given_kib;
        entitled_kib =
            min_kib(level_kib[XLP_LEVEL_ENTITLED], claims[i].share_kib) + kept_idle_kib(&claims[i]);
        level_kib[XLP_LEVEL_ENTITLED] = max_kib(level_kib[XLP_LEVEL_HELD], entitled_kib);
        for (int level = XLP_LEVEL_KEPT; level < XLP_LEVELS; level++)
            level_kib[level] = max_kib(level_kib[level], level_kib[XLP_LEVEL_ENTITLED]);
    }
}

static double given_at(const struct xlp_claim *c, double per_share)
{
    double kib = per_share * c->weight;

    kib = kib > c->low_kib ? kib : c->low_kib;
    return kib < c->high_kib ? kib : c->high_kib;
}

/* What is given at one per_share, in sum, and how fast that rises with it. */
static double sum_at(const struct xlp_claim *claims, size_t count, double per_share,
                     double *rise_out)
{
    double sum_kib = 0, rise = 0;

    for (size_t i = 0; i < count; i++) {
        double kib = given_at(&claims[i], per_share);

        sum_kib += kib;
        rise += kib == per_share * claims[i].weight ? claims[i].weight : 0;
    }
    *rise_out = rise;
    return sum_kib;
}

/*
 * The sum of what is given rises with per_share, in straight lines between the 2n points where it
 * bends. So each guess is where the line at the last one meets the pool: a handful of rounds as a
 * rule, and right once the line is. After some rounds every second one halves what is left:
 * O(n log(memory)) at worst.
 */
static double find_per_share(const struct xlp_claim *claims, size_t count, double pool_kib)
{
    double below = 0, above = 0, rise = 0, guess;

    for (size_t i = 0; i < count; i++) {
        double full = claims[i].high_kib / claims[i].weight;

        above = full > above ? full : above;
        rise += claims[i].weight;
    }
    above = above * 1.0000001 + 1; /* so that rounding keeps nobody from its high */
    guess = pool_kib / (rise > 0 ? rise : 1);
    for (int round = 1;; round++) {
        double left_kib;

        if (!(guess > below && guess < above) || (round > 8 && round % 2 == 0))
            guess = below + (above - below) / 2;
        if (guess <= below || guess >= above)
            return below;
        left_kib = pool_kib - sum_at(claims, count, guess, &rise);
        if (fabs(left_kib) < 0.5)
            return guess;
        *(left_kib > 0 ? &below : &above) = guess;
        guess += left_kib / rise;
    }
}

/*
 * given = clamp(per_share * shares, low, high), with per_share such that it sums to the pool, which
 * lies between the sums of low and high. What is rounded down goes to the first in line, to each up
 * to what it would be rounded up.
 */
static void fill(struct xlp_claim *claims, size_t count, int64_t pool_kib)
{
    double per_share = find_per_share(claims, count, (double)pool_kib);
    int64_t left_kib = pool_kib;

    for (size_t i = 0; i < count; i++) {
        claims[i].given_kib = (int64_t)given_at(&claims[i], per_share);
        left_kib -= claims[i].given_kib;
    }
    for (size_t i = 0; i < count && left_kib > 0; i++) {
        if ((double)claims[i].given_kib == given_at(&claims[i], per_share))
            continue;
        claims[i].given_kib++;
        left_kib--;
    }
}
