/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Placing vCPUs so that every pCPU of a pool carries the same load, with few moves.
 *
 * The objective is phi = sum over slots of load^2, plus, for two threads of one core, twice their
 * product times XLP_SMT_TOLL (they are in each other's way), plus KIN_TOLL for every two vCPUs of
 * one domain on one slot. A move is made only if it lowers phi by at least kappa * mean^2 for each
 * vCPU that has to move. So there are at most phi / (kappa * mean^2) moves, and a steady load comes
 * to rest: no move can ever be undone by the next tick for the same load.
 *
 * Items above the mean (giants) can at best have a slot each to themselves; they are left out of
 * the mean that the rest is compared with.
 */
#include <math.h>

#include "board.h"

#define KAPPA_URGENT 0.02
#define KAPPA_LAZY                                                                                 \
    1.6 /* divided by the items of a slot to the power of 3/2: the finer the grain                 \
         */
#define KAPPA_COARSE 0.2   /* at most, however few they are */
#define KAPPA_ACROSS 0.10  /* from one NUMA node to another, away from the guest's memory */
#define NODE_UNEVEN  0.10  /* and only from a node that carries so much more than the mean */
#define NODE_TOLL    1     /* of a pCPU: how much fuller home may be before a first place abroad */
#define KIN_TOLL     0.25  /* of the mean squared: what it is worth to part two of one domain */
#define RELIEF       0.06  /* of its load: so much less must the fuller of two slots carry then, */
#define RELIEF_GRAIN 1.5   /* items of a slot; the more there are, the less one of them can do */
#define RELIEF_SHORT 0.015 /* or this, if its vCPUs want more than there is */
#define RECEIVERS    4     /* how many slots are tried, the least pressed first */
#define MEAN_LEAST   0.1   /* on a nearly idle pool nothing is worth a move */

/* A move of one item, or a trade of two. */
struct change {
    uint32_t item, partner; /* partner XLP_NOWHERE: a plain move */
    uint32_t to;
    double gain; /* of phi, for each vCPU that moves */
};

/* What a step looks for, and what it asks of a change. */
struct quest {
    double kappa;             /* least gain of a vCPU that moves, in units of the mean squared */
    double overload;          /* only slots whose demand is above this give */
    enum xlp_reason_code why; /* of a plain move */
};

/* The unit of gains: the mean squared. */
static double unit_of_gain(const struct board *b)
{
    double mean = xlp_max(b->load / (double)b->slot_count, MEAN_LEAST);

    return mean * mean;
}

/* ---- the mean, and the distance from it ---- */

/* Loads that no move can break up, and their number, where they are above the mean. */
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
        for (uint32_t i = s->first; i != XLP_NOWHERE; i = b->items[i].next)
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

/* ---- what may go where ---- */

static bool may_go(const struct board *b, const struct item *item, uint32_t slot)
{
    if (item->stays_home && b->slots[slot].node != item->home_node)
        return false;
    return !item->allowed || xlp_cpumap_test(item->allowed, slot);
}

/* How many items of the same domain are on the slot, the item itself and `except` left out. */
static uint32_t kin_on(const struct board *b, uint32_t item, uint32_t slot, uint32_t except)
{
    uint32_t owner = b->items[item].owner, count = 0;

    if (b->items[item].kin == 1)
        return 0;
    for (uint32_t i = b->slots[slot].first; i != XLP_NOWHERE; i = b->items[i].next)
        count += b->items[i].owner == owner && i != item && i != except;
    return count;
}

/* Pairs of one domain's items on one slot that a move of the item would part (or, below 0, would
 * make), `partner` changing places with it. */
static int32_t parted(const struct board *b, uint32_t item, uint32_t to, uint32_t partner)
{
    if (b->items[item].kin == 1)
        return 0;
    return (int32_t)kin_on(b, item, b->items[item].slot, XLP_NOWHERE) -
           (int32_t)kin_on(b, item, to, partner);
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

    if (!it->may_move || !may_go(b, it, to))
        return INFINITY;
    if (!leaves_home(b, it, to))
        return q->kappa;
    if (!node_is_full(b, b->slots[it->slot].node))
        return INFINITY;
    return KAPPA_ACROSS * it->kin;
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
        if (!may_go(b, it, slot))
            continue;
        kin = kin_on(b, item, slot, XLP_NOWHERE);
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

/* How much of a weight counts twice when it goes from one slot to the other. */
static double bend_of(const struct board *b, uint32_t from, uint32_t to)
{
    return xlp_board_same_core(b, from, to) ? 1 - XLP_SMT_TOLL : 1;
}

/* More than any weight could gain; a trade gains no more than half of that for each of the two. */
static double gain_bound(const struct board *b, uint32_t from, uint32_t to)
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

static struct way way_of(const struct board *b, uint32_t from, uint32_t to)
{
    double relief = b->slots[from].demand > 1 ? RELIEF_SHORT : RELIEF;

    return (struct way){
        .from = from,
        .to = to,
        .gap = b->slots[from].pressure - b->slots[to].pressure,
        .bend = bend_of(b, from, to),
        .relief = relief * xlp_min(1, RELIEF_GRAIN / b->grain) * b->slots[from].pressure,
        .bonus = b->has_kin ? KIN_TOLL * b->scale : 0,
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

/* A list of items, the heaviest first, to be gone through by how near they are to one load. */
struct nearest {
    const struct item *items;
    const uint32_t *list;
    double load;
    size_t heavier, lighter; /* so many are heavier and still to come; those from here on too */
    size_t count;
};

static struct nearest nearest_to(const struct board *b, const uint32_t *list, size_t count,
                                 double load)
{
    struct nearest n = {.items = b->items, .list = list, .load = load, .count = count};
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (b->items[list[middle]].load > load)
            low = middle + 1;
        else
            high = middle;
    }
    n.heavier = n.lighter = low;
    return n;
}

static uint32_t next_nearest(struct nearest *n)
{
    if (n->heavier == 0 && n->lighter == n->count)
        return XLP_NOWHERE;
    if (n->heavier == 0)
        return n->list[n->lighter++];
    if (n->lighter == n->count || n->items[n->list[n->heavier - 1]].load - n->load <
                                      n->load - n->items[n->list[n->lighter]].load)
        return n->list[--n->heavier];
    return n->list[n->lighter++];
}

static void weigh_moves(const struct board *b, const struct quest *q, const struct way *way,
                        const uint32_t *givers, size_t count, struct change *best)
{
    struct nearest n = nearest_to(b, givers, count, best_weight(way));

    for (uint32_t i = next_nearest(&n); i != XLP_NOWHERE; i = next_nearest(&n))
        if (!weigh(b, q, way, i, best))
            break;
}

static void weigh_trades(struct board *b, const struct quest *q, const struct way *way,
                         uint32_t *givers, size_t count, struct change *best)
{
    uint32_t *takers = givers + count;
    size_t taker_count = xlp_board_list(b, way->to, takers);

    for (size_t g = 0; g < count; g++) {
        double load = b->items[givers[g]].load - best_weight(way);
        struct nearest n = nearest_to(b, takers, taker_count, load);

        if (!b->items[givers[g]].may_move)
            continue;
        for (uint32_t i = next_nearest(&n); i != XLP_NOWHERE; i = next_nearest(&n))
            if (!weigh_trade(b, q, way, givers[g], i, best))
                break;
    }
}

/* Whether any of the donor's items (or this one) may go to the slot. */
static bool admits(const struct board *b, const struct quest *q, uint32_t donor, uint32_t only,
                   uint32_t to)
{
    if (only != XLP_NOWHERE)
        return price(b, q, only, to) < INFINITY;
    for (uint32_t i = b->slots[donor].first; i != XLP_NOWHERE; i = b->items[i].next)
        if (price(b, q, i, to) < INFINITY)
            return true;
    return false;
}

/* The least pressed slots that can take something and might gain more than least. */
static size_t find_receivers(const struct board *b, const struct quest *q, uint32_t donor,
                             uint32_t only, double least, uint32_t found[RECEIVERS])
{
    size_t count = 0;

    for (size_t i = 0; i < b->slot_count && count < RECEIVERS; i++) {
        uint32_t to = b->order[i];

        if (gain_bound(b, donor, to) <= least)
            break;
        if (to != donor && admits(b, q, donor, only, to))
            found[count++] = to;
    }
    return count;
}

/* The best change that takes load off a slot: a move, or a trade where no move is good enough.
 * only: this item alone, which has kin there; or XLP_NOWHERE: any. */
static struct change best_change(struct board *b, const struct quest *q, uint32_t donor,
                                 uint32_t only)
{
    struct change best = {.item = XLP_NOWHERE, .gain = q->kappa * b->scale};
    double least = only == XLP_NOWHERE ? best.gain : best.gain - KIN_TOLL * b->scale;
    uint32_t receivers[RECEIVERS];
    size_t count = find_receivers(b, q, donor, only, least, receivers), givers = 1;

    b->list[0] = only;
    if (only == XLP_NOWHERE && count)
        givers = xlp_board_list(b, donor, b->list);
    for (size_t r = 0; r < count; r++) {
        struct way way = way_of(b, donor, receivers[r]);

        weigh_moves(b, q, &way, b->list, givers, &best);
    }
    if (best.item != XLP_NOWHERE || b->moves_left < 2)
        return best;
    for (size_t r = 0; r < count; r++) {
        struct way way = way_of(b, donor, receivers[r]);

        if (gain_bound(b, donor, receivers[r]) / 2 <= least)
            break;
        weigh_trades(b, q, &way, b->list, givers, &best);
    }
    return best;
}

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
    for (uint32_t i = 0; b->has_kin && i < b->item_count && b->moves_left; i++) {
        const struct item *item = &b->items[i];
        struct change c;

        if (item->kin == 1 || !item->may_move || item->slot == XLP_NOWHERE ||
            kin_on(b, i, item->slot, XLP_NOWHERE) == 0)
            continue;
        c = best_change(b, q, item->slot, i);
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

        if (gain_bound(b, donor, b->order[0]) <= least && b->slots[donor].twin == donor)
            break; /* nor has any slot below */
        if (b->slots[donor].demand <= q->overload || xlp_cpumap_test(&hopeless, donor)) {
            at--;
            continue;
        }
        c = best_change(b, q, donor, XLP_NOWHERE);
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

double xlp_balance(struct item *items, size_t item_count, struct slot *slots, size_t slot_count,
                   const struct balance_limits *limits, struct lane *lane, uint32_t *scratch,
                   bool *budget_gone_out)
{
    const struct quest urgent = {KAPPA_URGENT, limits->overload, XLP_REASON_CPU_OVERLOAD};
    const struct quest apart = {KAPPA_URGENT, 0, XLP_REASON_CPU_APART};
    struct board b;
    size_t homeless = xlp_board_set(&b, items, item_count, slots, slot_count, scratch);

    const struct quest lazy = {xlp_min(KAPPA_COARSE, KAPPA_LAZY / (b.grain * sqrt(b.grain))), 0,
                               XLP_REASON_CPU_EVEN};

    b.moves_left = limits->moves_max;
    place_homeless(&b, scratch, homeless);
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
