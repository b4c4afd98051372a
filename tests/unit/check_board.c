/* SPDX-License-Identifier: LGPL-2.1-only */
/* The board: whatever is put and taken, in whatever order, its slots' lists say what is there. */
#include <math.h>

#include "check_main.h"
#include "cpu/board.h"

#define ITEMS 40
#define SLOTS 5
#define STEPS 20000

static struct item items[ITEMS];
static struct slot slots[SLOTS];
static uint32_t list_room[3 * ITEMS];
static struct shelved shelf_room[3 * ITEMS];
static struct board board;
static uint64_t state;

static uint32_t below(uint32_t n)
{
    state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)(state >> 33) % n;
}

/* Few different loads, so that many are equal; two vCPUs a domain. */
static void set_board(void)
{
    const struct balance_room room = {list_room, shelf_room};

    state = 1;
    for (uint32_t i = 0; i < ITEMS; i++)
        items[i] = (struct item){.load = below(8) / 8.0,
                                 .owner = i / 2,
                                 .kin = 2,
                                 .home_node = XLP_NOWHERE,
                                 .slot = below(SLOTS),
                                 .prefer = XLP_NOWHERE};
    for (uint32_t i = 0; i < SLOTS; i++)
        slots[i] = (struct slot){.twin = i};
    ck_assert_uint_eq(xlp_board_set(&board, items, ITEMS, slots, SLOTS, &room), 0);
}

static void check_list(uint32_t slot)
{
    const struct shelved *list;
    size_t count = xlp_board_list(&board, slot, &list), there = 0;

    for (size_t i = 0; i < count; i++) {
        ck_assert_uint_eq(items[list[i].item].slot, slot);
        ck_assert(list[i].load == items[list[i].item].load);
        ck_assert(i == 0 || list[i - 1].load <= list[i].load);
    }
    for (uint32_t i = 0; i < ITEMS; i++)
        there += items[i].slot == slot;
    ck_assert_uint_eq(count, there);
}

static void check_order(void)
{
    for (uint32_t i = 0; i < SLOTS; i++) {
        double load = 0;

        for (uint32_t k = 0; k < ITEMS; k++)
            load += items[k].slot == i ? items[k].load : 0;
        ck_assert(fabs(slots[i].load - load) < 1e-9);
        ck_assert(i == 0 || slots[board.order[i - 1]].pressure <= slots[board.order[i]].pressure);
    }
}

START_TEST(lists_say_what_is_on_a_slot)
{
    set_board();
    for (int i = 0; i < STEPS; i++) {
        uint32_t item = below(ITEMS);

        if (below(2))
            check_list(below(SLOTS));
        xlp_board_take(&board, item);
        xlp_board_put(&board, item, below(SLOTS));
        check_order();
    }
    for (uint32_t i = 0; i < SLOTS; i++)
        check_list(i);
}
END_TEST

START_TEST(of_equals_the_one_that_came_last_is_listed_last)
{
    const struct shelved *list;
    size_t count;

    set_board();
    for (uint32_t i = 0; i < ITEMS; i++)
        if (items[i].slot == 0)
            xlp_board_take(&board, i);
    for (uint32_t i = 0; i < ITEMS; i++) {
        items[i].load = 0.5;
        if (items[i].slot != 0)
            continue;
        xlp_board_list(&board, 0, &list);
        xlp_board_put(&board, i, 0);
    }
    count = xlp_board_list(&board, 0, &list);
    ck_assert_uint_gt(count, 3);
    for (size_t i = 1; i < count; i++)
        ck_assert_uint_lt(list[i - 1].item, list[i].item);
}
END_TEST

/* Slots that are not marked never have two of a domain. */
START_TEST(where_kin_may_be_together_is_known)
{
    set_board();
    for (int i = 0; i < STEPS; i++) {
        uint32_t item = below(ITEMS);

        xlp_board_take(&board, item);
        xlp_board_put(&board, item, below(SLOTS));
        for (uint32_t k = 0; k < ITEMS; k++)
            ck_assert(xlp_kin_on(&board, k, items[k].slot, XLP_NOWHERE) == 0 ||
                      xlp_cpumap_test(&board.stacked, items[k].slot));
    }
}
END_TEST

START_TEST(kin_that_begin_together_are_marked)
{
    const struct balance_room room = {list_room, shelf_room};

    set_board();
    for (uint32_t i = 0; i < ITEMS; i++) {
        items[i].slot = i % SLOTS;
        items[i].owner = i / 2;
    }
    items[7].slot = items[6].slot;
    xlp_board_set(&board, items, ITEMS, slots, SLOTS, &room);
    ck_assert_uint_eq(xlp_cpumap_only(&board.stacked), items[6].slot);
}
END_TEST

CHECK_CASE(lists, lists_say_what_is_on_a_slot, of_equals_the_one_that_came_last_is_listed_last)
CHECK_CASE(kin, where_kin_may_be_together_is_known, kin_that_begin_together_are_marked)
CHECK_MAIN("board", lists, kin)
