/* SPDX-License-Identifier: LGPL-2.1-only */
#include "board.h"

#include <math.h>
#include <string.h>

#include "sort.h"

#define NEARLY_NOTHING 1e-9 /* of a pCPU */

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

uint32_t xlp_kin_on(const struct board *b, uint32_t item, uint32_t slot, uint32_t except)
{
    uint32_t eldest = b->items[item].eldest, count = 0;

    if (b->items[item].kin == 1)
        return 0;
    for (uint32_t i = eldest; i < eldest + b->items[item].kin; i++)
        count += b->items[i].slot == slot && i != item && i != except;
    return count;
}

/* ---- the items of a slot ---- */

static void chain(struct board *b, uint32_t item, uint32_t slot)
{
    b->next[item] = b->slots[slot].first;
    b->slots[slot].first = item;
}

/* From the shelf into a chain again, which begins with the last. */
static void clear_shelf(struct board *b, uint32_t slot)
{
    struct shelf *shelf = &b->shelf[slot];

    for (uint32_t i = 0; i < shelf->count; i++)
        chain(b, b->shelves[shelf->at + i].item, slot);
    shelf->room = 0;
}

/* Between two puts each slot is put on a shelf at most once: all of them have room if so much of it
 * is free then. */
static void clear_shelves_when_full(struct board *b)
{
    if (b->shelved <= 2 * b->item_count)
        return;
    for (uint32_t i = 0; i < b->slot_count; i++)
        if (b->shelf[i].room)
            clear_shelf(b, i);
    b->shelved = 0;
}

static void add_to_shelf(struct board *b, uint32_t item, struct shelf *shelf)
{
    double load = b->items[item].load;
    uint32_t place = (uint32_t)xlp_shelved_up_to(b->shelves + shelf->at, shelf->count, load);
    struct shelved *s = b->shelves + shelf->at + place;

    memmove(s + 1, s, (shelf->count - place) * sizeof(*s));
    *s = (struct shelved){load, item};
    shelf->count++;
}

static void take_from_shelf(struct board *b, uint32_t item, struct shelf *shelf)
{
    struct shelved *s = b->shelves + shelf->at;
    uint32_t place =
        (uint32_t)xlp_shelved_up_to(b->shelves + shelf->at, shelf->count, b->items[item].load);

    do
        place--;
    while (s[place].item != item);
    shelf->count--;
    memmove(s + place, s + place + 1, (shelf->count - place) * sizeof(*s));
}

static void add_item(struct board *b, uint32_t item, uint32_t slot)
{
    struct shelf *shelf = &b->shelf[slot];

    if (shelf->room && shelf->count == shelf->room)
        clear_shelf(b, slot);
    if (shelf->room)
        add_to_shelf(b, item, shelf);
    else
        chain(b, item, slot);
    clear_shelves_when_full(b);
}

static void remove_item(struct board *b, uint32_t item)
{
    uint32_t slot = b->items[item].slot, *link = &b->slots[slot].first;

    if (b->shelf[slot].room) {
        take_from_shelf(b, item, &b->shelf[slot]);
        return;
    }
    while (*link != item)
        link = &b->next[*link];
    *link = b->next[item];
}

static void welcome(struct board *b, uint32_t item, uint32_t slot)
{
    b->items[item].slot = slot;
    b->slots[slot].biggest = xlp_max(b->slots[slot].biggest, b->items[item].load);
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
    welcome(b, item, slot);
    add_item(b, item, slot);
    if (xlp_kin_on(b, item, slot, XLP_NOWHERE) > 0)
        xlp_cpumap_set(&b->stacked, slot);
    add_load(b, slot, b->items[item].load, b->items[item].demand);
}

void xlp_board_take(struct board *b, uint32_t item)
{
    remove_item(b, item);
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

static void put_on_shelf(struct board *b, uint32_t slot)
{
    struct shelf *shelf = &b->shelf[slot];
    struct shelved *s = b->shelves + b->shelved;
    uint32_t count = 0;

    for (uint32_t i = b->slots[slot].first; i != XLP_NOWHERE; i = b->next[i])
        b->list[count++] = i;
    xlp_board_sort(b, b->list, count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t item = b->list[count - 1 - i];

        s[i] = (struct shelved){b->items[item].load, item};
    }
    *shelf = (struct shelf){.at = (uint32_t)b->shelved, .count = count, .room = count};
    b->shelved += count;
    b->slots[slot].first = XLP_NOWHERE;
}

size_t xlp_board_list(struct board *b, uint32_t slot, const struct shelved **list_out)
{
    if (!b->shelf[slot].room)
        put_on_shelf(b, slot);
    *list_out = b->shelves + b->shelf[slot].at;
    return b->shelf[slot].count;
}

/* ---- setting up ---- */

static void start_slots(struct board *b)
{
    b->load = 0;
    b->shelved = 0;
    for (uint32_t i = 0; i < b->slot_count; i++) {
        b->shelf[i].room = 0;
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
    uint32_t last[XLP_PCPUS_MAX]; /* the eldest of the domain that came to a slot last */
    size_t count = 0;

    memset(last, 0xff, b->slot_count * sizeof(*last));
    b->stacked = xlp_cpumap_none();
    for (uint32_t i = 0; i < b->item_count; i++) {
        struct item *item = &b->items[i];
        bool follows = item->kin > 1 && i > 0 && item[-1].owner == item->owner;

        item->eldest = follows ? item[-1].eldest : i;
        if (item->slot == XLP_NOWHERE) {
            homeless[count++] = i;
            continue;
        }
        b->slots[item->slot].load += item->load;
        b->slots[item->slot].demand += item->demand;
        welcome(b, i, item->slot);
        chain(b, i, item->slot);
        if (follows && last[item->slot] == item->eldest)
            xlp_cpumap_set(&b->stacked, item->slot);
        last[item->slot] = item->eldest;
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

static bool is_less_pressed(const void *pressure, uint32_t slot, uint32_t other)
{
    return ((const double *)pressure)[slot] < ((const double *)pressure)[other];
}

/* Into as many classes of pressure as there can be slots, and within each by number. */
static void put_in_rough_order(struct board *b, const double *pressure)
{
    uint32_t start[XLP_PCPUS_MAX + 1] = {0}, class[XLP_PCPUS_MAX];
    double least = INFINITY, most = 0, scale;

    for (uint32_t i = 0; i < b->slot_count; i++) {
        least = xlp_min(least, pressure[i]);
        most = xlp_max(most, pressure[i]);
    }
    scale = most - least > NEARLY_NOTHING ? (XLP_PCPUS_MAX - 1) / (most - least) : 0;
    for (uint32_t i = 0; i < b->slot_count; i++) {
        class[i] = (uint32_t)((pressure[i] - least) * scale);
        start[class[i] + 1]++;
    }
    for (uint32_t i = 0; i < XLP_PCPUS_MAX; i++)
        start[i + 1] += start[i];
    for (uint32_t i = 0; i < b->slot_count; i++)
        b->order[start[class[i]]++] = i;
}

/* What is nearly in order is sorted in no time. */
static void put_in_order(struct board *b)
{
    double pressure[XLP_PCPUS_MAX];
    uint32_t room[XLP_PCPUS_MAX];

    for (uint32_t i = 0; i < b->slot_count; i++)
        pressure[i] = b->slots[i].pressure;
    put_in_rough_order(b, pressure);
    xlp_sort(b->order, b->slot_count, is_less_pressed, pressure, room); /* equals by number */
    for (uint32_t i = 0; i < b->slot_count; i++)
        b->pressure[i] = b->slots[b->order[i]].pressure;
}

size_t xlp_board_set(struct board *b, struct item *items, size_t item_count, struct slot *slots,
                     size_t slot_count, const struct balance_room *room)
{
    size_t homeless;

    b->items = items;
    b->item_count = item_count;
    b->slots = slots;
    b->slot_count = slot_count;
    b->list = room->list;
    b->next = room->list + 2 * item_count;
    b->shelves = room->shelves;
    b->mean = b->scale = 0;
    b->grain = (double)item_count / (double)slot_count;
    start_slots(b);
    homeless = fill(b, room->list);
    sum_up(b);
    put_in_order(b);
    return homeless;
}
