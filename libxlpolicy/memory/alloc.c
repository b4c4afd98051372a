/* SPDX-License-Identifier: LGPL-2.1-only */
/* Sharing a pool: levels in order, a weighted water-fill in the one that cannot be paid in full. */
#include "memory/alloc.h"

#include <math.h>
#include <stdbool.h>

static bool idle_is_kept(const struct xlp_claim *claims, size_t count);
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

static int64_t sum_of(const struct xlp_claim *claims, size_t count, enum xlp_level level)
{
    int64_t sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += claims[i].level_kib[level];
    return sum;
}

static void give_level(struct xlp_claim *claims, size_t count, enum xlp_level level)
{
    for (size_t i = 0; i < count; i++)
        claims[i].given_kib = claims[i].level_kib[level];
}

static void give_between(struct xlp_claim *claims, size_t count, enum xlp_level lower,
                         int64_t pool_kib)
{
    for (size_t i = 0; i < count; i++) {
        claims[i].low_kib = claims[i].level_kib[lower];
        claims[i].high_kib = claims[i].level_kib[lower + 1];
    }
    fill(claims, count, pool_kib);
}

enum xlp_level xlp_allocate(struct xlp_claim *claims, size_t count, int64_t pool_kib)
{
    enum xlp_level level = XLP_LEVEL_HELD;

    if (sum_of(claims, count, level) > pool_kib) {
        give_level(claims, count, level);
        return level;
    }
    /* Shares matter only when needs cannot all be met, which is seldom. */
    if (!idle_is_kept(claims, count) && sum_of(claims, count, XLP_LEVEL_NEED) <= pool_kib) {
        entitle_to_need(claims, count);
        level = XLP_LEVEL_NEED;
    } else {
        entitle(claims, count, pool_kib);
    }
    while (level + 1 < XLP_LEVELS && sum_of(claims, count, level + 1) <= pool_kib)
        level++;
    if (level + 1 == XLP_LEVELS)
        give_level(claims, count, level);
    else
        give_between(claims, count, level, pool_kib);
    return level + 1;
}

static bool idle_is_kept(const struct xlp_claim *claims, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (claims[i].untaxed_pct > 0)
            return true;
    return false;
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
        claims[i].low_kib = max_kib(claims[i].level_kib[XLP_LEVEL_HELD], claims[i].floor_kib);
        claims[i].high_kib = max_kib(claims[i].low_kib, claims[i].cap_kib);
        most_kib += claims[i].high_kib;
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
    double kib = per_share * c->shares;

    if (kib <= (double)c->low_kib)
        return (double)c->low_kib;
    return kib < (double)c->high_kib ? kib : (double)c->high_kib;
}

/* What is given at one per_share, in sum, and how fast that rises with it. */
static double sum_at(const struct xlp_claim *claims, size_t count, double per_share,
                     double *shares_out)
{
    double sum_kib = 0;

    *shares_out = 0;
    for (size_t i = 0; i < count; i++) {
        double kib = given_at(&claims[i], per_share);

        sum_kib += kib;
        if (kib > (double)claims[i].low_kib && kib < (double)claims[i].high_kib)
            *shares_out += claims[i].shares;
    }
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
    double below = 0, above = 0, shares = 0, guess;

    for (size_t i = 0; i < count; i++) {
        double full = (double)claims[i].high_kib / claims[i].shares;

        above = full > above ? full : above;
        shares += claims[i].shares;
    }
    above = above * 1.0000001 + 1; /* so that rounding keeps nobody from its high */
    guess = pool_kib / (shares > 0 ? shares : 1);
    for (int round = 1;; round++) {
        double left_kib;

        if (!(guess > below && guess < above) || (round > 8 && round % 2 == 0))
            guess = below + (above - below) / 2;
        if (guess <= below || guess >= above)
            return below;
        left_kib = pool_kib - sum_at(claims, count, guess, &shares);
        if (fabs(left_kib) < 0.5)
            return guess;
        *(left_kib > 0 ? &below : &above) = guess;
        guess += left_kib / shares;
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
