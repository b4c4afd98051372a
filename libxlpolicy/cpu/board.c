/* SPDX-License-Identifier: LGPL-2.1-only */
#include "board.h"

#include "sort.h"

static bool before(const void *board, uint32_t slot, uint32_t other)
{
    const struct board *b = board;
    double difference = b->slots[slot].pressure - b->slots[other].pressure;

    return difference != 0 ? difference < 0 : slot < other;
}

static void stand(struct board *b, size_t rank, uint32_t slot)
{
    b->order[rank] = slot;
    b->slots[slot].rank = (uint32_t)rank;
}

/* Puts a slot whose pressure has changed where it belongs. */
static void reorder(struct board *b, uint32_t slot)
{
    size_t rank = b->slots[slot].rank;

    for (; rank > 0 && before(b, slot, b->order[rank - 1]); rank--)
        stand(b, rank, b->order[rank - 1]);
    for (; rank + 1 < b->slot_count && before(b, b->order[rank + 1], slot); rank++)
        stand(b, rank, b->order[rank + 1]);
    stand(b, rank, slot);
}

static void link_item(struct board *b, uint32_t item, uint32_t slot)
{
    b->items[item].slot = slot;
    b->items[item].next = b->slots[slot].first;
    b->slots[slot].first = item;
    if (b->items[item].load > b->slots[slot].biggest)
        b->slots[slot].biggest = b->items[item].load;
}

static void unlink_item(struct board *b, uint32_t item)
{
    uint32_t *link = &b->slots[b->items[item].slot].first;

    while (*link != item)
        link = &b->items[*link].next;
    *link = b->items[item].next;
}

static void add_load(struct board *b, uint32_t slot, double load, double demand)
{
    struct slot *s = &b->slots[slot];

    b->load += load;
    b->node_load[s->node] += load;
    s->load += load;
    s->demand += demand;
    s->pressure += load;
    reorder(b, slot);
    for (uint32_t twin = s->twin; twin != slot; twin = b->slots[twin].twin) {
        b->slots[twin].pressure += XLP_SMT_TOLL * load;
        reorder(b, twin);
    }
}

void xlp_board_put(struct board *b, uint32_t item, uint32_t slot)
{
    link_item(b, item, slot);
    add_load(b, slot, b->items[item].load, b->items[item].demand);
}

void xlp_board_take(struct board *b, uint32_t item)
{
    unlink_item(b, item);
    add_load(b, b->items[item].slot, -b->items[item].load, -b->items[item].demand);
}

bool xlp_board_same_core(const struct board *b, uint32_t slot, uint32_t other)
{
    for (uint32_t twin = b->slots[slot].twin; twin != slot; twin = b->slots[twin].twin)
        if (twin == other)
            return true;
    return false;
}

/* ---- setting up ---- */

static void start_slots(struct board *b)
{
    b->load = 0;
    for (uint32_t i = 0; i < b->slot_count; i++) {
        b->node_load[b->slots[i].node] = 0;
        b->node_slots[b->slots[i].node] = 0;
    }
    for (uint32_t i = 0; i < b->slot_count; i++) {
        struct slot *s = &b->slots[i];

        s->load = s->biggest = s->fixed_load;
        s->demand = s->fixed_demand;
        s->first = XLP_NOWHERE;
    }
}

/* Puts the items where they are. */
static void fill(struct board *b)
{
    for (uint32_t i = 0; i < b->item_count; i++) {
        const struct item *item = &b->items[i];

        if (item->slot == XLP_NOWHERE)
            continue;
        b->slots[item->slot].load += item->load;
        b->slots[item->slot].demand += item->demand;
        link_item(b, i, item->slot);
    }
}

static size_t list_homeless(const struct board *b, uint32_t *homeless)
{
    size_t count = 0;

    for (uint32_t i = 0; i < b->item_count; i++)
        if (b->items[i].slot == XLP_NOWHERE)
            homeless[count++] = i;
    return count;
}

static void sum_up(struct board *b)
{
    for (uint32_t i = 0; i < b->slot_count; i++) {
        struct slot *s = &b->slots[i];

        b->load += s->load;
        b->node_load[s->node] += s->load;
        b->node_slots[s->node]++;
        s->pressure = s->load;
        for (uint32_t twin = s->twin; twin != i; twin = b->slots[twin].twin)
            s->pressure += XLP_SMT_TOLL * b->slots[twin].load;
    }
}

static void put_in_order(struct board *b, uint32_t *room)
{
    for (uint32_t i = 0; i < b->slot_count; i++)
        b->order[i] = i;
    xlp_sort(b->order, b->slot_count, before, b, room);
    for (uint32_t i = 0; i < b->slot_count; i++)
        b->slots[b->order[i]].rank = i;
}

size_t xlp_board_set(struct board *b, struct item *items, size_t item_count, struct slot *slots,
                     size_t slot_count, uint32_t *scratch)
{
    b->items = items;
    b->item_count = item_count;
    b->slots = slots;
    b->slot_count = slot_count;
    b->order = scratch;
    b->mean = b->scale = 0;
    b->grain = (double)item_count / (double)slot_count;
    start_slots(b);
    fill(b);
    sum_up(b);
    put_in_order(b, scratch + slot_count);
    return list_homeless(b, scratch + slot_count);
}
