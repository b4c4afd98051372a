/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Placing vCPUs so that every pCPU of a pool carries the same load, with few moves.
 *
 * The objective is phi = sum over slots of (load - mean)^2. Moving w from a slot that is higher by
 * gap lowers it by 2w(gap - w); swapping two items that differ by w does the same. A move is made
 * only if it gains at least KAPPA * mean^2 for each vCPU that has to move, so there are at most
 * phi / (KAPPA * mean^2) moves, and a steady load comes to rest: no move can ever be undone by the
 * next tick for the same load.
 *
 * Items above the mean (giants) can at best have a slot each to themselves; they are left out of
 * the mean that the rest is compared with.
 */
#include <math.h>
#include <stdlib.h>

#include "parts.h"

#define KAPPA_URGENT 0.02
#define KAPPA_LAZY   0.05
#define RECEIVERS    4   /* how many of the emptiest slots are tried */
#define MEAN_LEAST   0.1 /* on a nearly idle pool nothing is worth a move */

struct board {
    struct item *items;
    size_t item_count;
    struct slot *slots;
    size_t slot_count;
    double mean;
    uint32_t moves_left;
};

/* A move of one item, or a trade of two. */
struct change {
    uint32_t item, partner; /* partner XLP_NOWHERE: a plain move */
    uint32_t to;
    double gain; /* of phi, for each vCPU that moves */
};

/* ---- the board ---- */

static void put(struct board *b, uint32_t i, uint32_t slot)
{
    struct item *item = &b->items[i];
    struct slot *s = &b->slots[slot];

    item->slot = slot;
    item->next = s->first;
    s->first = i;
    s->load += item->load;
    s->demand += item->demand;
}

static void take(struct board *b, uint32_t i)
{
    struct item *item = &b->items[i];
    struct slot *s = &b->slots[item->slot];
    uint32_t *link = &s->first;

    while (*link != i)
        link = &b->items[*link].next;
    *link = item->next;
    s->load -= item->load;
    s->demand -= item->demand;
}

static bool may_go(const struct item *item, uint32_t slot)
{
    return !item->allowed || xlp_cpumap_test(item->allowed, slot);
}

/* Whether a sibling of the item is on the slot already (other than `except`). */
static bool sibling_on(const struct board *b, const struct item *item, uint32_t slot,
                       uint32_t except)
{
    for (uint32_t i = b->slots[slot].first; i != XLP_NOWHERE; i = b->items[i].next)
        if (b->items[i].owner == item->owner && i != except && &b->items[i] != item)
            return true;
    return false;
}

/* ---- the mean, and the distance from it ---- */

/* Loads that no move can break up, and their number, where they are above the mean. */
static double giants_above(const struct board *b, double mean, size_t *count_out)
{
    double load = 0;
    size_t count = 0;

    for (size_t i = 0; i < b->item_count; i++)
        if (b->items[i].load > mean) {
            load += b->items[i].load;
            count++;
        }
    for (size_t i = 0; i < b->slot_count; i++)
        if (b->slots[i].fixed_load > mean) {
            load += b->slots[i].fixed_load;
            count++;
        }
    *count_out = count;
    return load;
}

/* The mean load of the slots that are not filled by one giant each. */
static double mean_without_giants(const struct board *b)
{
    double total = 0, mean;
    size_t giants = 0;

    for (size_t i = 0; i < b->slot_count; i++)
        total += b->slots[i].load;
    mean = total / (double)b->slot_count;
    for (;;) {
        size_t more;
        double load = giants_above(b, mean * (1 + 1e-9), &more);

        if (more <= giants || more >= b->slot_count)
            return mean;
        giants = more;
        mean = (total - load) / (double)(b->slot_count - giants);
    }
}

/* The part of all load that would have to move to make it even: 0 is even. */
static double out_of_place(const struct board *b)
{
    double total = 0, missing = 0;

    for (size_t i = 0; i < b->slot_count; i++) {
        total += b->slots[i].load;
        missing += fmax(0, b->mean - b->slots[i].load);
    }
    return total > 0 ? missing / total : 0;
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

/* ---- first places ---- */

static uint32_t emptiest_for(const struct board *b, const struct item *item)
{
    uint32_t best = XLP_NOWHERE;
    bool best_stacked = false;

    for (uint32_t slot = 0; slot < b->slot_count; slot++) {
        double difference = best == XLP_NOWHERE ? 0 : b->slots[slot].load - b->slots[best].load;
        bool stacked, better;

        if (!may_go(item, slot))
            continue;
        stacked = sibling_on(b, item, slot, XLP_NOWHERE);
        if (best == XLP_NOWHERE || stacked != best_stacked)
            better = best == XLP_NOWHERE || !stacked;
        else
            better = difference < 0 || (difference == 0 && slot == item->prefer);
        if (better) {
            best = slot;
            best_stacked = stacked;
        }
    }
    return best;
}

static int by_load(const void *a, const void *b, void *items)
{
    const struct item *all = items;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    if (all[x].load != all[y].load)
        return all[x].load > all[y].load ? -1 : 1;
    return x < y ? -1 : 1;
}

/* The heaviest first, each to the emptiest slot. */
static void place_homeless(struct board *b, uint32_t *order)
{
    uint32_t homeless = 0;

    for (uint32_t i = 0; i < b->item_count; i++)
        if (b->items[i].slot == XLP_NOWHERE)
            order[homeless++] = i;
    qsort_r(order, homeless, sizeof(*order), by_load, b->items);
    for (uint32_t i = 0; i < homeless; i++) {
        uint32_t slot = emptiest_for(b, &b->items[order[i]]);

        if (slot == XLP_NOWHERE)
            continue;
        put(b, order[i], slot);
        b->items[order[i]].why = XLP_REASON_CPU_FIRST_PLACE;
    }
}

/* ---- moves ---- */

static double gain_of(double weight, double gap)
{
    return 2 * weight * (gap - weight);
}

/* The best single item to move from one slot to another. */
static void try_moves(const struct board *b, uint32_t from, uint32_t to, struct change *best)
{
    double gap = b->slots[from].load - b->slots[to].load;

    for (uint32_t i = b->slots[from].first; i != XLP_NOWHERE; i = b->items[i].next) {
        const struct item *item = &b->items[i];
        double gain = gain_of(item->load, gap);

        if (gain > best->gain && item->may_move && may_go(item, to) &&
            !sibling_on(b, item, to, XLP_NOWHERE))
            *best = (struct change){.item = i, .partner = XLP_NOWHERE, .to = to, .gain = gain};
    }
}

/* The best pair to trade; each side must move, so the gain counts half. */
static void try_swaps(const struct board *b, uint32_t from, uint32_t to, struct change *best)
{
    double gap = b->slots[from].load - b->slots[to].load;

    for (uint32_t i = b->slots[from].first; i != XLP_NOWHERE; i = b->items[i].next) {
        const struct item *item = &b->items[i];

        if (!item->may_move || !may_go(item, to))
            continue;
        for (uint32_t k = b->slots[to].first; k != XLP_NOWHERE; k = b->items[k].next) {
            const struct item *partner = &b->items[k];
            double gain = gain_of(item->load - partner->load, gap) / 2;

            if (gain > best->gain && partner->may_move && may_go(partner, from) &&
                !sibling_on(b, item, to, k) && !sibling_on(b, partner, from, i))
                *best = (struct change){.item = i, .partner = k, .to = to, .gain = gain};
        }
    }
}

/* The emptiest slots, lowest first. Returns how many. */
static size_t find_receivers(const struct board *b, uint32_t donor, uint32_t found[RECEIVERS])
{
    size_t count = 0;

    for (uint32_t slot = 0; slot < b->slot_count; slot++) {
        size_t at = count;

        if (slot == donor || b->slots[slot].load >= b->slots[donor].load)
            continue;
        while (at > 0 && b->slots[found[at - 1]].load > b->slots[slot].load)
            at--;
        if (at == RECEIVERS)
            continue;
        if (count < RECEIVERS)
            count++;
        for (size_t i = count - 1; i > at; i--)
            found[i] = found[i - 1];
        found[at] = slot;
    }
    return count;
}

static struct change best_change(const struct board *b, uint32_t donor, double least)
{
    struct change best = {.item = XLP_NOWHERE, .partner = XLP_NOWHERE, .gain = least};
    uint32_t receivers[RECEIVERS];
    size_t count = find_receivers(b, donor, receivers);

    for (size_t i = 0; i < count; i++)
        try_moves(b, donor, receivers[i], &best);
    for (size_t i = 0; i < count && best.item == XLP_NOWHERE; i++)
        try_swaps(b, donor, receivers[i], &best);
    return best;
}

static uint32_t make(struct board *b, const struct change *c, enum xlp_reason_code why)
{
    uint32_t from = b->items[c->item].slot;

    take(b, c->item);
    if (c->partner != XLP_NOWHERE) {
        take(b, c->partner);
        put(b, c->partner, from);
        b->items[c->partner].why = XLP_REASON_CPU_SWAP;
        b->items[c->partner].may_move = false;
        why = XLP_REASON_CPU_SWAP;
    }
    put(b, c->item, c->to);
    b->items[c->item].why = why;
    b->items[c->item].may_move = false; /* once a tick */
    return c->partner == XLP_NOWHERE ? 1 : 2;
}

/* The fullest slot above the mean that is a donor and not yet known to be hopeless. */
static uint32_t next_donor(const struct board *b, double overload,
                           const struct xlp_cpumap *hopeless)
{
    uint32_t donor = XLP_NOWHERE;

    for (uint32_t slot = 0; slot < b->slot_count; slot++) {
        const struct slot *s = &b->slots[slot];

        if (s->load <= b->mean || s->demand <= overload || xlp_cpumap_test(hopeless, slot))
            continue;
        if (donor == XLP_NOWHERE || s->load > b->slots[donor].load)
            donor = slot;
    }
    return donor;
}

static void run_lane(struct board *b, double overload, double kappa, enum xlp_reason_code why)
{
    double scale = fmax(b->mean, MEAN_LEAST), least = kappa * scale * scale;
    struct xlp_cpumap hopeless = xlp_cpumap_none();

    while (b->moves_left) {
        uint32_t donor = next_donor(b, overload, &hopeless);
        struct change c;
        uint32_t made;

        if (donor == XLP_NOWHERE)
            break;
        c = best_change(b, donor, least);
        if (c.item == XLP_NOWHERE) {
            xlp_cpumap_set(&hopeless, donor);
            continue;
        }
        made = make(b, &c, why);
        b->moves_left -= made < b->moves_left ? made : b->moves_left;
    }
}

double xlp_balance(struct item *items, size_t item_count, struct slot *slots, size_t slot_count,
                   const struct balance_limits *limits, struct lane *lane, uint32_t *scratch)
{
    struct board b = {
        .items = items,
        .item_count = item_count,
        .slots = slots,
        .slot_count = slot_count,
        .moves_left = limits->moves_max,
    };

    for (uint32_t slot = 0; slot < slot_count; slot++) {
        slots[slot].load = slots[slot].fixed_load;
        slots[slot].demand = slots[slot].fixed_demand;
        slots[slot].first = XLP_NOWHERE;
    }
    for (uint32_t i = 0; i < item_count; i++)
        if (items[i].slot != XLP_NOWHERE)
            put(&b, i, items[i].slot);
    place_homeless(&b, scratch);
    b.mean = mean_without_giants(&b);
    watch_lane(lane, limits, out_of_place(&b));
    run_lane(&b, limits->overload, KAPPA_URGENT, XLP_REASON_CPU_OVERLOAD);
    if (lane->open)
        run_lane(&b, 0, KAPPA_LAZY, XLP_REASON_CPU_EVEN);
    return b.mean;
}
