/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Placing vCPUs so that every pCPU of a pool carries the same load, with few moves.
 *
 * The objective is phi = sum over slots of load^2, plus, for two threads of one core, twice their
 * product times XLP_SMT_TOLL (they are in each other's way), plus a toll for every two vCPUs of one
 * domain on one slot. A move is made only if it lowers phi by at least kappa * mean^2 for each
 * vCPU that has to move. So there are at most phi / (kappa * mean^2) moves, and a steady load comes
 * to rest: no move can ever be undone by the next tick for the same load.
 *
 * Items above the mean (giants) can at best have a slot each to themselves; they are left out of
 * the mean that the rest is compared with.
 */
#include <math.h>

#include "change.h"

/* What a move has to gain. The finer the grain, the less one of them can do, so by the items of a
 * slot; each at most the number below it. */
#define KAPPA_URGENT      0.08 /* divided by the items of a slot */
#define KAPPA_URGENT_MOST 0.02
#define KAPPA_SHORT_MOST  0.01 /* where a pool has not enough for all: uneven is unfair there */
#define KAPPA_LAZY        1.4  /* divided by the items of a slot to the power of 3/2 */
#define KAPPA_LAZY_MOST   0.2
#define KAPPA_APART       0.02

#define NODE_TOLL  1   /* of a pCPU: how much fuller home may be before a first place abroad */
#define MEAN_LEAST 0.1 /* on a nearly idle pool nothing is worth a move */

/* The unit of gains: the mean squared. */
static double unit_of_gain(const struct board *b)
{
    double mean = xlp_max(b->load / (double)b->slot_count, MEAN_LEAST);

    return mean * mean;
}

/* ---- the mean, and the distance from it ---- */

/* Loads that no move can break up, and their number, where they are above the mean. No slot's items
 * are on a shelf yet. */
static double giants_above(const struct board *b, double mean, size_t *count_out)
{
    double load = 0;
    size_t count = 0;

    for (size_t p = 0; p < b->slot_count; p++) {
        const struct slot *s = &b->slots[p];

        if (s->biggest <= mean)
            continue;
        if (s->fixed_load > mean) {
            load += s->fixed_load;
            count++;
        }
        for (uint32_t i = s->first; i != XLP_NOWHERE; i = b->next[i])
            if (b->items[i].load > mean) {
                load += b->items[i].load;
                count++;
            }
    }
    *count_out = count;
    return load;
}

/* The mean load of the slots that are not filled by one giant each. */
static double mean_without_giants(const struct board *b)
{
    double mean = b->load / (double)b->slot_count;
    size_t giants = 0;

    for (;;) {
        size_t more;
        double load = giants_above(b, mean * (1 + 1e-9), &more);

        if (more <= giants || more >= b->slot_count)
            return mean;
        giants = more;
        mean = (b->load - load) / (double)(b->slot_count - giants);
    }
}

/* The part of all load that would have to move to make it even: 0 is even. It is seen from below
 * (what slots lack of the mean) and from above (what they have over the mean, or over the giant
 * that fills them): two giants on one slot lack nothing elsewhere. */
static double out_of_place(const struct board *b)
{
    double missing = 0, excess = 0;

    for (size_t i = 0; i < b->slot_count; i++) {
        const struct slot *s = &b->slots[i];

        missing += xlp_max(0, b->mean - s->load);
        excess += xlp_max(0, s->load - xlp_max(b->mean, s->biggest));
    }
    return b->load > 0 ? xlp_max(missing, excess) / b->load : 0;
}

/* Opens the lazy lane after enough uneven ticks, and shuts it once it is even again. */
static void watch_lane(struct lane *lane, const struct balance_limits *limits, double misplaced)
{
    lane->uneven_ticks = misplaced > limits->uneven ? lane->uneven_ticks + 1 : 0;
    if (lane->uneven_ticks >= limits->uneven_ticks)
        lane->open = true;
    if (misplaced < limits->even)
        lane->open = false;
}

/* Puts an item that is nowhere, or was taken, on a slot; once a tick. */
static void go(struct board *b, uint32_t item, uint32_t to, enum xlp_reason_code why)
{
    xlp_board_put(b, item, to);
    b->items[item].why = why;
    b->items[item].may_move = false;
    b->moves_left--;
}

/* ---- first places ---- */

/* How little a slot suits an item that has none yet: lower is better. */
static double burden(const struct board *b, uint32_t item, uint32_t slot)
{
    const struct item *it = &b->items[item];
    bool abroad = it->home_node != XLP_NOWHERE && b->slots[slot].node != it->home_node;

    return b->slots[slot].pressure + (abroad ? NODE_TOLL : 0);
}

/* The best slot in order of: no kin on it, least burden, the one it prefers. */
static uint32_t first_place(const struct board *b, uint32_t item)
{
    const struct item *it = &b->items[item];
    uint32_t best = XLP_NOWHERE, best_kin = UINT32_MAX;
    double best_burden = INFINITY;

    for (size_t i = 0; i < b->slot_count; i++) {
        uint32_t slot = b->order[i], kin;
        double weight;

        /* Slots come by rising pressure, and a burden is never below it. */
        if (best_kin == 0 && b->slots[slot].pressure > best_burden)
            break;
        if (!xlp_may_go(b, it, slot))
            continue;
        kin = xlp_kin_on(b, item, slot, XLP_NOWHERE);
        weight = burden(b, item, slot);
        if (kin > best_kin || (kin == best_kin && weight > best_burden))
            continue;
        if (kin == best_kin && weight == best_burden && slot != it->prefer &&
            (best == it->prefer || slot > best))
            continue;
        best = slot;
        best_kin = kin;
        best_burden = weight;
    }
    return best;
}

/* The heaviest first, each to the slot that suits it best. */
static void place_homeless(struct board *b, uint32_t *homeless, size_t count)
{
    xlp_board_sort(b, homeless, count);
    for (size_t i = 0; i < count && b->moves_left; i++) {
        uint32_t slot = first_place(b, homeless[i]);

        if (slot != XLP_NOWHERE)
            go(b, homeless[i], slot, b->items[homeless[i]].why_first);
    }
}

/* ---- moves ---- */

static void make(struct board *b, const struct change *c, enum xlp_reason_code why)
{
    uint32_t from = b->items[c->item].slot;

    xlp_board_take(b, c->item);
    if (c->partner != XLP_NOWHERE) {
        why = XLP_REASON_CPU_SWAP;
        xlp_board_take(b, c->partner);
        go(b, c->partner, from, why);
    }
    go(b, c->item, c->to, why);
}

/* Parts the vCPUs of one domain that share a slot. Items of a domain follow each other. */
static void part_kin(struct board *b, const struct quest *q)
{
    if (xlp_cpumap_is_empty(&b->stacked))
        return;
    for (uint32_t i = 0; i < b->item_count && b->moves_left; i++) {
        const struct item *item = &b->items[i];
        struct change c;

        if (item->kin == 1 || !item->may_move || !xlp_cpumap_test(&b->stacked, item->slot) ||
            xlp_kin_on(b, i, item->slot, XLP_NOWHERE) == 0)
            continue;
        c = xlp_best_change(b, q, item->slot, i);
        if (c.item != XLP_NOWHERE)
            make(b, &c, q->why);
    }
}

/* Relieves slots from the most pressed down, until no change is worth it. */
static void relieve(struct board *b, const struct quest *q)
{
    struct xlp_cpumap hopeless = xlp_cpumap_none();
    double least = q->kappa * b->scale;
    size_t at = b->slot_count;

    while (b->moves_left && at > 0) {
        uint32_t donor = b->order[at - 1];
        struct change c;
        size_t rank;

        if (xlp_gain_bound(b, donor, b->order[0]) <= least && b->slots[donor].twin == donor)
            break; /* nor has any slot below */
        if (b->slots[donor].demand <= q->overload || xlp_cpumap_test(&hopeless, donor)) {
            at--;
            continue;
        }
        c = xlp_best_change(b, q, donor, XLP_NOWHERE);
        if (c.item == XLP_NOWHERE) {
            xlp_cpumap_set(&hopeless, donor);
            continue;
        }
        make(b, &c, q->why);
        /* Whoever took it may now be above those that were passed. */
        rank = xlp_board_rank(b, c.to);
        if (rank >= at)
            at = rank + 1;
    }
}

static bool wants_more_than_there_is(const struct board *b)
{
    double demand = 0;

    for (size_t i = 0; i < b->slot_count; i++)
        demand += b->slots[i].demand;
    return demand > (double)b->slot_count;
}

static double urgent_kappa(const struct board *b)
{
    return xlp_min(b->is_short ? KAPPA_SHORT_MOST : KAPPA_URGENT_MOST, KAPPA_URGENT / b->grain);
}

static double lazy_kappa(const struct board *b)
{
    return xlp_min(KAPPA_LAZY_MOST, KAPPA_LAZY / (b->grain * sqrt(b->grain)));
}

double xlp_balance(struct item *items, size_t item_count, struct slot *slots, size_t slot_count,
                   const struct balance_limits *limits, struct lane *lane,
                   const struct balance_room *room, bool *budget_gone_out)
{
    struct board b;
    size_t homeless = xlp_board_set(&b, items, item_count, slots, slot_count, room);
    const struct quest apart = {KAPPA_APART, 0, XLP_REASON_CPU_APART};
    const struct quest lazy = {lazy_kappa(&b), 0, XLP_REASON_CPU_EVEN};
    struct quest urgent = {0, limits->overload, XLP_REASON_CPU_OVERLOAD};

    b.moves_left = limits->moves_max;
    place_homeless(&b, room->list, homeless);
    b.is_short = wants_more_than_there_is(&b);
    urgent.kappa = urgent_kappa(&b);
    b.mean = mean_without_giants(&b);
    b.scale = unit_of_gain(&b);
    watch_lane(lane, limits, out_of_place(&b));
    part_kin(&b, &apart);
    relieve(&b, &urgent);
    if (lane->open)
        relieve(&b, &lazy);
    *budget_gone_out = b.moves_left == 0;
    return b.mean;
}
