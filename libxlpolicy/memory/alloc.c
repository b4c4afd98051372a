/* SPDX-License-Identifier: LGPL-2.1-only */
/* Sharing a pool: levels in order, a weighted water-fill in the one that cannot be paid in full. */
#include "memory/parts.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* What a claim is filled up between: a level and the next, or what its share may be. */
enum { SHARE = XLP_LEVELS };

/* Of all claims together. */
struct outline {
    int64_t held_kib, need_kib;
    int64_t most_kib; /* that their shares may come to */
    uint64_t shares;
    bool idle_is_kept; /* by somebody */
};

/* Sums of levels, once it is known what each is entitled to. */
struct totals {
    int64_t level_kib[XLP_LEVELS];
};

static struct outline outline(const struct xlp_claim *claims, size_t count);
static struct totals entitle_to_need(struct xlp_claim *claims, size_t count);
static struct totals entitle(struct xlp_claim *claims, size_t count, int64_t pool_kib,
                             const struct outline *all, struct xlp_range *ranges);
static void fill(struct xlp_claim *claims, size_t count, int64_t pool_kib, int lower, double weight,
                 struct xlp_range *ranges);

static void give_level(struct xlp_claim *claims, size_t count, enum xlp_level level)
{
    for (size_t i = 0; i < count; i++)
        claims[i].given_kib = claims[i].level_kib[level];
}

enum xlp_level xlp_allocate(struct xlp_claim *claims, size_t count, int64_t pool_kib,
                            struct xlp_range *ranges)
{
    const struct outline all = outline(claims, count);
    enum xlp_level level = XLP_LEVEL_HELD;
    struct totals totals;

    if (all.held_kib > pool_kib) {
        give_level(claims, count, level);
        return level;
    }
    /* Shares matter only when needs cannot all be met, which is seldom. */
    if (!all.idle_is_kept && all.need_kib <= pool_kib) {
        totals = entitle_to_need(claims, count);
        level = XLP_LEVEL_NEED;
    } else {
        totals = entitle(claims, count, pool_kib, &all, ranges);
    }
    while (level + 1 < XLP_LEVELS && totals.level_kib[level + 1] <= pool_kib)
        level++;
    if (level + 1 == XLP_LEVELS)
        give_level(claims, count, level);
    else
        fill(claims, count, pool_kib, level, (double)all.shares, ranges);
    return level + 1;
}

/* The lowest and the highest that a share may be. */
static int64_t low_share_kib(const struct xlp_claim *c)
{
    return xlp_max_kib(c->level_kib[XLP_LEVEL_HELD], c->floor_kib);
}

static int64_t high_share_kib(const struct xlp_claim *c)
{
    return xlp_max_kib(low_share_kib(c), c->cap_kib);
}

/* Spelled out, as everything that each decision does to each claim is made to be fast. */
static void add_levels(struct totals *t, const struct xlp_claim *c)
{
    t->level_kib[XLP_LEVEL_ENTITLED] += c->level_kib[XLP_LEVEL_ENTITLED];
    t->level_kib[XLP_LEVEL_KEPT] += c->level_kib[XLP_LEVEL_KEPT];
    t->level_kib[XLP_LEVEL_BARE] += c->level_kib[XLP_LEVEL_BARE];
    t->level_kib[XLP_LEVEL_NEED] += c->level_kib[XLP_LEVEL_NEED];
    t->level_kib[XLP_LEVEL_COMFORT] += c->level_kib[XLP_LEVEL_COMFORT];
    t->level_kib[XLP_LEVEL_SURPLUS] += c->level_kib[XLP_LEVEL_SURPLUS];
}

static struct outline outline(const struct xlp_claim *claims, size_t count)
{
    struct outline all = {.idle_is_kept = false};

    for (size_t i = 0; i < count; i++) {
        const struct xlp_claim *c = &claims[i];

        all.held_kib += c->level_kib[XLP_LEVEL_HELD];
        all.need_kib += c->level_kib[XLP_LEVEL_NEED];
        all.most_kib += high_share_kib(c);
        all.shares += c->shares;
        all.idle_is_kept |= c->untaxed_pct > 0;
    }
    return all;
}

/* All needs can be met: only what is above them is asked for yet. */
static struct totals entitle_to_need(struct xlp_claim *claims, size_t count)
{
    struct totals t = {.level_kib = {0}};

    for (size_t i = 0; i < count; i++) {
        struct xlp_claim *c = &claims[i];

        c->share_kib = c->level_kib[XLP_LEVEL_ENTITLED] = c->level_kib[XLP_LEVEL_NEED];
        t.level_kib[XLP_LEVEL_COMFORT] += c->level_kib[XLP_LEVEL_COMFORT];
        t.level_kib[XLP_LEVEL_SURPLUS] += c->level_kib[XLP_LEVEL_SURPLUS];
    }
    return t;
}

/* What it has beyond what it claims, as far as it may keep that of its share. */
static int64_t kept_idle_kib(const struct xlp_claim *c)
{
    int64_t claimed_kib = c->level_kib[XLP_LEVEL_ENTITLED], untaxed_kib;

    if (c->untaxed_pct == 0)
        return 0;
    untaxed_kib = (c->share_kib - claimed_kib) * c->untaxed_pct / 100;
    return xlp_max_kib(0, xlp_min_kib(untaxed_kib, c->has_kib - claimed_kib));
}

static void lift(int64_t *kib, int64_t least_kib)
{
    *kib = xlp_max_kib(*kib, least_kib);
}

/* Finds shares, sets XLP_LEVEL_ENTITLED by them and lifts those above to it. Shares sum to the
 * pool, if the floors and what is held do not exceed it, so that the pool can pay what is entitled.
 */
static struct totals entitle(struct xlp_claim *claims, size_t count, int64_t pool_kib,
                             const struct outline *all, struct xlp_range *ranges)
{
    struct totals t = {.level_kib = {0}};

    fill(claims, count, xlp_min_kib(pool_kib, all->most_kib), SHARE, (double)all->shares, ranges);
    for (size_t i = 0; i < count; i++) {
        struct xlp_claim *c = &claims[i];
        int64_t *level_kib = c->level_kib, entitled_kib;

        c->share_kib = c->given_kib;
        entitled_kib = xlp_min_kib(level_kib[XLP_LEVEL_ENTITLED], c->share_kib) + kept_idle_kib(c);
        entitled_kib = xlp_max_kib(level_kib[XLP_LEVEL_HELD], entitled_kib);
        level_kib[XLP_LEVEL_ENTITLED] = entitled_kib;
        lift(&level_kib[XLP_LEVEL_KEPT], entitled_kib);
        lift(&level_kib[XLP_LEVEL_BARE], entitled_kib);
        lift(&level_kib[XLP_LEVEL_NEED], entitled_kib);
        lift(&level_kib[XLP_LEVEL_COMFORT], entitled_kib);
        lift(&level_kib[XLP_LEVEL_SURPLUS], entitled_kib);
        add_levels(&t, c);
    }
    return t;
}

static struct xlp_range range_of(const struct xlp_claim *c, int lower)
{
    int64_t low_kib = lower == SHARE ? low_share_kib(c) : c->level_kib[lower];
    int64_t high_kib = lower == SHARE ? high_share_kib(c) : c->level_kib[lower + 1];

    return (struct xlp_range){
        .low_kib = (double)low_kib, .high_kib = (double)high_kib, .weight = c->shares};
}

static double given_at(const struct xlp_range *r, double per_share)
{
    double kib = per_share * r->weight;

    kib = kib > r->low_kib ? kib : r->low_kib;
    return kib < r->high_kib ? kib : r->high_kib;
}

/* No branches below: which of them a claim would take, no processor could guess. */
static double sum_at(const struct xlp_range *ranges, size_t count, double per_share)
{
    double sum_kib = 0;

    for (size_t i = 0; i < count; i++)
        sum_kib += given_at(&ranges[i], per_share);
    return sum_kib;
}

/* What is still to be found: per_share of those that are not settled yet. */
struct rest {
    const struct xlp_range *ranges;
    struct xlp_range *work; /* where those left are put */
    size_t count;
    double pool_kib, weight, highest_kib;
};

/* yes ? value : 0, without a branch that compilers put there. */
static double only_if(bool yes, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof(bits));
    bits &= -(uint64_t)yes;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

/* Leaves out those that stay where they are when per_share rises, or falls: at their high, or at
 * their low. */
static inline void drop_settled(struct rest *rest, double per_share, bool rises)
{
    const struct xlp_range *from = rest->ranges;
    double settled_kib = 0, weight = 0;
    size_t left = 0;

    for (size_t i = 0; i < rest->count; i++) {
        const struct xlp_range r = from[i];
        double kib = per_share * r.weight;
        bool settles = rises ? kib >= r.high_kib : kib <= r.low_kib;

        settled_kib += only_if(settles, rises ? r.high_kib : r.low_kib);
        weight += only_if(!settles, r.weight);
        rest->work[left] = r;
        left += !settles;
    }
    rest->ranges = rest->work;
    rest->count = left;
    rest->pool_kib -= settled_kib;
    rest->weight = weight;
}

/*
 * Each guess is what it would be if nobody were at its low or its high. When that gives too little
 * in sum, those at their high stay there whatever comes, when it gives too much, those at their
 * low; they are left out, and the others have a guess of their own. Few rounds as a rule, each with
 * fewer to look at. After some, every second one halves what is left: O(n log(memory)) at worst.
 */
static double find_per_share(struct rest rest, double guess, double sum_kib)
{
    double below = 0, above = rest.highest_kib * 1.0000001 + 1; /* weights are 1 at least */

    for (int round = 1;; round++) {
        double left_kib = rest.pool_kib - sum_kib;

        if (fabs(left_kib) < 0.5)
            return guess;
        if (left_kib > 0) {
            below = guess > below ? guess : below;
            drop_settled(&rest, guess, true);
        } else {
            above = guess < above ? guess : above;
            drop_settled(&rest, guess, false);
        }
        guess = rest.weight > 0 ? rest.pool_kib / rest.weight : 0;
        if (!(guess > below && guess < above) || (round > 8 && round % 2 == 0))
            guess = below + (above - below) / 2;
        if (guess <= below || guess >= above)
            return below;
        sum_kib = sum_at(rest.ranges, rest.count, guess);
    }
}

/*
 * given = clamp(per_share * shares, low, high), with per_share such that it sums to the pool, which
 * lies between the sums of low and high. What is rounded down goes to the first in line, to each up
 * to what it would be rounded up.
 */
static void fill(struct xlp_claim *claims, size_t count, int64_t pool_kib, int lower, double weight,
                 struct xlp_range *ranges)
{
    struct rest rest = {.ranges = ranges,
                        .work = ranges + count,
                        .count = count,
                        .pool_kib = (double)pool_kib,
                        .weight = weight};
    double per_share = weight > 0 ? rest.pool_kib / weight : 0, sum_kib = 0;
    int64_t left_kib = pool_kib;

    for (size_t i = 0; i < count; i++) {
        struct xlp_range r = range_of(&claims[i], lower);

        sum_kib += given_at(&r, per_share);
        rest.highest_kib = r.high_kib > rest.highest_kib ? r.high_kib : rest.highest_kib;
        ranges[i] = r;
    }
    per_share = find_per_share(rest, per_share, sum_kib);
    for (size_t i = 0; i < count; i++) {
        claims[i].given_kib = (int64_t)given_at(&ranges[i], per_share);
        left_kib -= claims[i].given_kib;
    }
    for (size_t i = 0; i < count && left_kib > 0; i++) {
        int rounded = (double)claims[i].given_kib < given_at(&ranges[i], per_share);

        claims[i].given_kib += rounded;
        left_kib -= rounded;
    }
}
