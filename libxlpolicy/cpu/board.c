/* SPDX-License-Identifier: LGPL-2.1-only */
#include "board.h"

#include <string.h>

#include "sort.h"

/* How many slots come before one of this pressure and number. */
static size_t count_before(const struct board *b, double pressure, uint32_t slot)
{
    size_t low = 0, high = b->slot_count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (b->pressure[middle] < pressure ||
            (b->pressure[middle] == pressure && b->order[middle] < slot))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Takes the place at `from` out, and makes one at `to`. */
static void shift(struct board *b, size_t from, size_t to)
{
    size_t first = from < to ? from : to, count = from < to ? to - from : from - to;
    size_t source = from < to ? first + 1 : first, target = from < to ? first : first + 1;

    memmove(&b->order[target], &b->order[source], count * sizeof(*b->order));
    memmove(&b->pressure[target], &b->pressure[source], count * sizeof(*b->pressure));
}

/* Puts a slot whose pressure changes where it belongs. */
static void press(struct board *b, uint32_t slot, double change)
{
    double pressure = b->slots[slot].pressure;
    size_t from = count_before(b, pressure, slot), to;

    pressure += change;
    to = count_before(b, pressure, slot);
    if (to > from) /* it counts itself among those before it */
        to--;
    b->slots[slot].pressure = pressure;
    shift(b, from, to);
    b->order[to] = slot;
    b->pressure[to] = pressure;
}

size_t xlp_board_rank(const struct board *b, uint32_t slot)
{
    return count_before(b, b->slots[slot].pressure, slot);
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
    press(b, slot, load);
    for (uint32_t twin = s->twin; twin != slot; twin = b->slots[twin].twin)
        press(b, twin, XLP_SMT_TOLL * load);
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

static bool is_heavier(const void *items, uint32_t x, uint32_t y)
{
    return ((const struct item *)items)[x].load > ((const struct item *)items)[y].load;
}

void xlp_board_sort(struct board *b, uint32_t *list, size_t count)
{
    xlp_sort(list, count, is_heavier, b->items, b->list + b->item_count);
}

size_t xlp_board_list(struct board *b, uint32_t slot, uint32_t *list)
{
    uint32_t *link = &b->slots[slot].first;
    size_t count = 0;

    for (uint32_t i = *link; i != XLP_NOWHERE; i = b->items[i].next)
        list[count++] = i;
    xlp_board_sort(b, list, count);
    for (size_t i = 0; i < count; i++) { /* in order, it is sorted the sooner the next time */
        *link = list[i];
        link = &b->items[list[i]].next;
    }
    *link = XLP_NOWHERE;
    return count;
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

/* Puts the items where they are, and lists those that are nowhere. Returns how many. */
static size_t fill(struct board *b, uint32_t *homeless)
{
    size_t count = 0;

    b->has_kin = false;
    for (uint32_t i = 0; i < b->item_count; i++) {
        struct item *item = &b->items[i];
        bool follows = item->kin > 1 && i > 0 && item[-1].owner == item->owner;

        item->eldest = follows ? item[-1].eldest : i;
        b->has_kin |= item->kin > 1;
        if (item->slot == XLP_NOWHERE) {
            homeless[count++] = i;
            continue;
        }
        b->slots[item->slot].load += item->load;
        b->slots[item->slot].demand += item->demand;
        link_item(b, i, item->slot);
    }
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

static bool is_less_pressed(const void *slots, uint32_t slot, uint32_t other)
{
    double mine = ((const struct slot *)slots)[slot].pressure;
    double its = ((const struct slot *)slots)[other].pressure;

    return mine != its ? mine < its : slot < other;
}

static void put_in_order(struct board *b)
{
    uint32_t room[XLP_PCPUS_MAX];

    for (uint32_t i = 0; i < b->slot_count; i++)
        b->order[i] = i;
    xlp_sort(b->order, b->slot_count, is_less_pressed, b->slots, room);
    for (uint32_t i = 0; i < b->slot_count; i++)
        b->pressure[i] = b->slots[b->order[i]].pressure;
}

size_t xlp_board_set(struct board *b, struct item *items, size_t item_count, struct slot *slots,
                     size_t slot_count, uint32_t *scratch)
{
    size_t homeless;

    b->items = items;
    b->item_count = item_count;
    b->slots = slots;
    b->slot_count = slot_count;
    b->list = scratch;
    b->mean = b->scale = 0;
    b->grain = (double)item_count / (double)slot_count;
    start_slots(b);
    homeless = fill(b, scratch);
    sum_up(b);
    put_in_order(b);
    return homeless;
}
