/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The board that balance.c moves items on: the slots of one pool, kept in order of pressure. The
 * pressure of a slot is its load and, as two threads of a core hinder each other, a part of the
 * load of the other threads of its core. Private to libxlpolicy/cpu.
 */
#ifndef XLP_CPU_BOARD_H
#define XLP_CPU_BOARD_H

#include "parts.h"

/* How much of a thread's load weighs on its twin: two busy threads do the work of about 1.3. */
#define XLP_SMT_TOLL 0.35

/* The items of one slot in order, once somebody asked for them: a part of board.shelves. Until
 * then, and again when one more comes than there is room for, they are a chain (slot.first). */
struct shelf {
    uint32_t at, count;
    uint32_t room; /* 0: they are a chain */
};

struct board {
    struct item *items;
    size_t item_count;
    struct slot *slots;
    size_t slot_count;
    uint32_t order[XLP_PCPUS_MAX];     /* all slots, the least pressed first; equals by number */
    double pressure[XLP_PCPUS_MAX];    /* theirs */
    struct shelf shelf[XLP_PCPUS_MAX]; /* of each slot */
    struct shelved *shelves;           /* room for three times as many as there are items */
    size_t shelved;                    /* so much of it was given away */
    uint32_t *list;                    /* room for twice as many as there are items */
    uint32_t *next;                    /* of each item: the next of the chain */
    struct xlp_cpumap stacked; /* slots that may have two items of one domain; others have not */
    double load;               /* of all slots */
    double mean;               /* load of a slot to aim at */
    double grain;              /* items of a slot, on average */
    bool is_short;             /* more is wanted than there is; the balancer's, like the next */
    double scale;              /* what gains are measured in; the balancer's */
    uint32_t moves_left;
    double node_load[XLP_PCPUS_MAX]; /* by slot.node */
    uint32_t node_slots[XLP_PCPUS_MAX];
};

/* Sets the board up. room: in use as long as the board is; at first its list has the items that
 * have no slot yet. Returns how many. */
size_t xlp_board_set(struct board *b, struct item *items, size_t item_count, struct slot *slots,
                     size_t slot_count, const struct balance_room *room);

void xlp_board_put(struct board *b, uint32_t item, uint32_t slot);
void xlp_board_take(struct board *b, uint32_t item); /* item.slot stays what it was */

/* How many slots are less pressed. */
size_t xlp_board_rank(const struct board *b, uint32_t slot);

/* Sorts items, the heaviest first; equals keep their order. Uses the second half of b->list. */
void xlp_board_sort(struct board *b, uint32_t *list, size_t count);

/* Lists the items of a slot, the lightest first, of equals the one that was put there last.
 * Returns how many. The list is good until an item is put or taken. */
size_t xlp_board_list(struct board *b, uint32_t slot, const struct shelved **list_out);

/* How many of such a list are no heavier than this. */
static inline size_t xlp_shelved_up_to(const struct shelved *list, size_t count, double load)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (list[middle].load > load)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* How many items of the same domain are on the slot, the item itself and `except` left out. */
uint32_t xlp_kin_on(const struct board *b, uint32_t item, uint32_t slot, uint32_t except);

static inline bool xlp_board_same_core(const struct board *b, uint32_t slot, uint32_t other)
{
    for (uint32_t twin = b->slots[slot].twin; twin != slot; twin = b->slots[twin].twin)
        if (twin == other)
            return true;
    return false;
}

#endif
