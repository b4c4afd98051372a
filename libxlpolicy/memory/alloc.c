/* SPDX-License-Identifier: LGPL-2.1-only */
/* Sharing a pool: levels in order, a weighted water-fill in the one that cannot be paid in full. */
#include "memory/alloc.h"

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
    if (sum_of(claims, count, XLP_LEVEL_NEED) <= pool_kib) {
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

static void entitle_to_need(struct xlp_claim *claims, size_t count)
{
    for (size_t i = 0; i < count; i++)
        claims[i].level_kib[XLP_LEVEL_ENTITLED] = claims[i].level_kib[XLP_LEVEL_NEED];
}

/* Sets XLP_LEVEL_ENTITLED and lifts the two above to it. Shares sum to the pool, if the floors and
 * what is held do not exceed it, so that the pool can pay what is entitled. */
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
        int64_t *level_kib = claims[i].level_kib;

        level_kib[XLP_LEVEL_ENTITLED] = max_kib(
            level_kib[XLP_LEVEL_HELD], min_kib(level_kib[XLP_LEVEL_NEED], claims[i].given_kib));
        for (int level = XLP_LEVEL_KEPT; level <= XLP_LEVEL_BARE; level++)
            level_kib[level] = max_kib(level_kib[level], level_kib[XLP_LEVEL_ENTITLED]);
    }
}

static int64_t given_at(const struct xlp_claim *c, double per_share)
{
    double kib = per_share * c->shares;

    if (kib <= (double)c->low_kib)
        return c->low_kib;
    if (kib >= (double)c->high_kib)
        return c->high_kib;
    return (int64_t)kib;
}

static int64_t sum_at(const struct xlp_claim *claims, size_t count, double per_share)
{
    int64_t sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += given_at(&claims[i], per_share);
    return sum;
}

/*
 * given = clamp(per_share * shares, low, high), with per_share such that it sums to the pool, which
 * lies between the sums of low and high. The sum rises with per_share, so per_share is bisected
 * until it is known to the KiB for everyone, and the odd KiB that are left go to the first in line.
 * O(n log(memory)), in place: faster than sorting the 2n points where the sum bends, and without
 * the room to sort them in.
 */
static void fill(struct xlp_claim *claims, size_t count, int64_t pool_kib)
{
    double below = 0, above = 0, most_shares = 1;
    int64_t left_kib = pool_kib;

    for (size_t i = 0; i < count; i++) {
        double full = (double)claims[i].high_kib / claims[i].shares;

        above = full > above ? full : above;
        most_shares = claims[i].shares > most_shares ? claims[i].shares : most_shares;
    }
    above = above * 1.0000001 + 1; /* so that rounding keeps nobody from its high */
    while ((above - below) * most_shares > 0.5) {
        double middle = below + (above - below) / 2;

        if (middle <= below || middle >= above)
            break;
        if (sum_at(claims, count, middle) <= pool_kib)
            below = middle;
        else
            above = middle;
    }
    for (size_t i = 0; i < count; i++) {
        claims[i].given_kib = given_at(&claims[i], below);
        left_kib -= claims[i].given_kib;
    }
    for (size_t i = 0; i < count && left_kib > 0; i++) {
        int64_t more_kib = min_kib(left_kib, given_at(&claims[i], above) - claims[i].given_kib);

        claims[i].given_kib += more_kib;
        left_kib -= more_kib;
    }
}
