/* SPDX-License-Identifier: LGPL-2.1-only */
#include "change.h"

#include <math.h>

#define KIN_TOLL       0.25 /* of the mean squared: what it is worth to part two of one domain */
#define KAPPA_ACROSS   0.10 /* from one NUMA node to another, away from the guest's memory */
#define NODE_UNEVEN    0.10 /* and only from a node that carries so much more than the mean */
#define RELIEF         0.06 /* of its load: so much less must the fuller of two slots carry then, */
#define RELIEF_GRAIN   1.5  /* items of a slot; the more there are, the less one of them can do */
#define RELIEF_SHORT   0.015 /* or this, if its vCPUs want more than there is */
#define RELIEF_NO_ROOM 0.08  /* or this, if the pool has not enough for all */
#define RECEIVERS      4     /* how many slots are tried, the least pressed first */

/* ---- what may go where ---- */

bool xlp_may_go(const struct board *b, const struct item *item, uint32_t slot)
{
    if (item->stays_home && b->slots[slot].node != item->home_node)
        return false;
    return !item->allowed || xlp_cpumap_test(item->allowed, slot);
}

/* Pairs of one domain's items on one slot that a move of the item would part (or, below 0, would
 * make), `partner` changing places with it. */
static int32_t parted(const struct board *b, uint32_t item, uint32_t to, uint32_t partner)
{
    if (b->items[item].kin == 1)
        return 0;
    return (int32_t)xlp_kin_on(b, item, b->items[item].slot, XLP_NOWHERE) -
           (int32_t)xlp_kin_on(b, item, to, partner);
}

/* Whether the item would leave the memory of its guest behind. */
static bool leaves_home(const struct board *b, const struct item *item, uint32_t to)
{
    uint32_t from = b->slots[item->slot].node, node = b->slots[to].node;

    return from != node && node != item->home_node;
}

static bool node_is_full(const struct board *b, uint32_t node)
{
    double mean = b->load / (double)b->slot_count;

    return b->node_load[node] > (1 + NODE_UNEVEN) * mean * (double)b->node_slots[node];
}

/* The least gain asked of a vCPU for this move, or INFINITY when it may not be made. Whoever would
 * be parted from its domain's memory and other vCPUs has to gain for all of them. */
static double price(const struct board *b, const struct quest *q, uint32_t item, uint32_t to)
{
    const struct item *it = &b->items[item];

    if (!it->may_move || !xlp_may_go(b, it, to))
        return INFINITY;
    if (!leaves_home(b, it, to))
        return q->kappa;
    if (!node_is_full(b, b->slots[it->slot].node))
        return INFINITY;
    return KAPPA_ACROSS * it->kin;
}

/* ---- what it gains ---- */

/* How much of a weight counts twice when it goes from one slot to the other. */
static double bend_of(const struct board *b, uint32_t from, uint32_t to)
{
    return xlp_board_same_core(b, from, to) ? 1 - XLP_SMT_TOLL : 1;
}

double xlp_gain_bound(const struct board *b, uint32_t from, uint32_t to)
{
    double gap = b->slots[from].pressure - b->slots[to].pressure;

    return gap <= 0 ? 0 : gap * gap / (2 * bend_of(b, from, to));
}

/* Two slots, from the one of which something may go to the other. */
struct way {
    uint32_t from, to;
    double gap;    /* between their pressures */
    double bend;   /* see bend_of */
    double relief; /* so much less must the fuller of them carry then */
    double bonus;  /* the most that parting kin can add to a gain */
};

/* The part of its load that the fuller of two slots must be relieved of. Where there is room
 * elsewhere, whoever goes short can be helped for good; where there is none, only evened out. */
static double relief_of(const struct board *b, uint32_t from)
{
    if (b->is_short)
        return RELIEF_NO_ROOM;
    return b->slots[from].demand > 1 ? RELIEF_SHORT : RELIEF;
}

static struct way way_of(const struct board *b, uint32_t from, uint32_t to)
{
    double relief = relief_of(b, from);
    bool may_part = xlp_cpumap_test(&b->stacked, from) || xlp_cpumap_test(&b->stacked, to);

    return (struct way){
        .from = from,
        .to = to,
        .gap = b->slots[from].pressure - b->slots[to].pressure,
        .bend = bend_of(b, from, to),
        .relief = relief * xlp_min(1, RELIEF_GRAIN / b->grain) * b->slots[from].pressure,
        .bonus = may_part ? KIN_TOLL * b->scale : 0,
    };
}

/* What phi loses when this much weight goes that way. */
static double gain_of(const struct way *way, double weight)
{
    return 2 * weight * (way->gap - weight * way->bend);
}

/* The weight that would gain most. The farther one is from it, the less it gains. */
static double best_weight(const struct way *way)
{
    return way->gap / (2 * way->bend);
}

/* Whether the fuller of two slots would be clearly relieved: else the measurements of the next tick
 * might as well ask for the reverse. */
static bool relieves(const struct way *way, double weight)
{
    return xlp_min(weight, way->gap - weight * way->bend) >= way->relief;
}

/* Weighs one change against the best so far. A change may not stack what was apart. False when it
 * gains too little, whatever it parts. */
static bool weigh(const struct board *b, const struct quest *q, const struct way *way,
                  uint32_t item, struct change *best)
{
    const double scale = b->scale, load = b->items[item].load;
    double gain = gain_of(way, load);
    int32_t apart;

    if (gain + way->bonus <= best->gain)
        return false;
    apart = parted(b, item, way->to, XLP_NOWHERE);
    gain += apart * KIN_TOLL * scale;
    if (apart >= 0 && gain > best->gain && gain >= price(b, q, item, way->to) * scale &&
        (apart > 0 || relieves(way, load)))
        *best = (struct change){.item = item, .partner = XLP_NOWHERE, .to = way->to, .gain = gain};
    return true;
}

static bool weigh_trade(const struct board *b, const struct quest *q, const struct way *way,
                        uint32_t item, uint32_t partner, struct change *best)
{
    const struct item *mine = &b->items[item], *other = &b->items[partner];
    const double scale = b->scale;
    double gain = gain_of(way, mine->load - other->load);
    int32_t apart;

    if (gain / 2 + way->bonus <= best->gain)
        return false;
    if (mine->owner == other->owner)
        return true;
    apart = parted(b, item, way->to, partner) + parted(b, partner, way->from, item);
    gain = (gain + apart * KIN_TOLL * scale) / 2;
    if (apart >= 0 && gain > best->gain && gain >= price(b, q, item, way->to) * scale &&
        gain >= price(b, q, partner, way->from) * scale &&
        (apart > 0 || relieves(way, mine->load - other->load)))
        *best = (struct change){.item = item, .partner = partner, .to = way->to, .gain = gain};
    return true;
}

/* A list of items, the lightest first, to be gone through by how near they are to one load. */
struct nearest {
    const struct shelved *list;
    double load;
    size_t lighter, heavier; /* so many are lighter and still to come; those from here on too */
    size_t count;
};

static struct nearest nearest_to(const struct shelved *list, size_t count, double load)
{
    size_t lighter = xlp_shelved_up_to(list, count, load);

    return (struct nearest){
        .list = list, .load = load, .lighter = lighter, .heavier = lighter, .count = count};
}

static uint32_t next_nearest(struct nearest *n)
{
    if (n->heavier == n->count)
        return n->lighter ? n->list[--n->lighter].item : XLP_NOWHERE;
    if (n->lighter == 0 ||
        n->list[n->heavier].load - n->load < n->load - n->list[n->lighter - 1].load)
        return n->list[n->heavier++].item;
    return n->list[--n->lighter].item;
}

static void weigh_moves(const struct board *b, const struct quest *q, const struct way *way,
                        const struct shelved *givers, size_t count, struct change *best)
{
    struct nearest n = nearest_to(givers, count, best_weight(way));

    for (uint32_t i = next_nearest(&n); i != XLP_NOWHERE; i = next_nearest(&n))
        if (!weigh(b, q, way, i, best))
            break;
}

static void weigh_trades(struct board *b, const struct quest *q, const struct way *way,
                         const struct shelved *givers, size_t count, struct change *best)
{
    const struct shelved *takers;
    size_t taker_count = xlp_board_list(b, way->to, &takers);

    for (size_t g = count; g-- > 0;) { /* the heaviest first */
        struct nearest n;

        if (!b->items[givers[g].item].may_move)
            continue;
        n = nearest_to(takers, taker_count, givers[g].load - best_weight(way));
        for (uint32_t i = next_nearest(&n); i != XLP_NOWHERE; i = next_nearest(&n))
            if (!weigh_trade(b, q, way, givers[g].item, i, best))
                break;
    }
}

static bool may_any_move(const struct board *b, const struct shelved *givers, size_t count)
{
    for (size_t g = 0; g < count; g++)
        if (b->items[givers[g].item].may_move)
            return true;
    return false;
}

/* Whether any of these items may go to the slot. */
static bool admits(const struct board *b, const struct quest *q, const struct shelved *givers,
                   size_t count, uint32_t to)
{
    for (size_t g = 0; g < count; g++)
        if (b->items[givers[g].item].may_move && price(b, q, givers[g].item, to) < INFINITY)
            return true;
    return false;
}

/* The least pressed slots that can take something and might gain more than least. */
static size_t find_receivers(const struct board *b, const struct quest *q, uint32_t donor,
                             const struct shelved *givers, size_t giver_count, double least,
                             uint32_t found[RECEIVERS])
{
    size_t count = 0;

    for (size_t i = 0; i < b->slot_count && count < RECEIVERS; i++) {
        uint32_t to = b->order[i];

        if (xlp_gain_bound(b, donor, to) <= least)
            break;
        if (to != donor && admits(b, q, givers, giver_count, to))
            found[count++] = to;
    }
    return count;
}

struct change xlp_best_change(struct board *b, const struct quest *q, uint32_t donor, uint32_t only)
{
    struct change best = {.item = XLP_NOWHERE, .gain = q->kappa * b->scale};
    double least = only == XLP_NOWHERE ? best.gain : best.gain - KIN_TOLL * b->scale;
    struct shelved alone = {.item = only};
    const struct shelved *givers = &alone;
    size_t giver_count = 1, count;
    uint32_t receivers[RECEIVERS];

    if (only == XLP_NOWHERE)
        giver_count = xlp_board_list(b, donor, &givers);
    else
        alone.load = b->items[only].load;
    if (!may_any_move(b, givers, giver_count))
        return best;
    count = find_receivers(b, q, donor, givers, giver_count, least, receivers);
    for (size_t r = 0; r < count; r++) {
        struct way way = way_of(b, donor, receivers[r]);

        weigh_moves(b, q, &way, givers, giver_count, &best);
    }
    if (best.item != XLP_NOWHERE || b->moves_left < 2)
        return best;
    for (size_t r = 0; r < count; r++) {
        struct way way = way_of(b, donor, receivers[r]);

        if (xlp_gain_bound(b, donor, receivers[r]) / 2 <= least)
            break;
        weigh_trades(b, q, &way, givers, giver_count, &best);
    }
    return best;
}
