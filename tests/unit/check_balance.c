/* SPDX-License-Identifier: LGPL-2.1-only */
/* Where the balancer and round robin put what, on boards made by hand. */
#include <string.h>

#include "check_main.h"
#include "cpu/parts.h"

#define ITEMS_MAX 64
#define SLOTS_MAX 16

static struct item items[ITEMS_MAX];
static struct slot slots[SLOTS_MAX];
static struct lane lane;
static size_t item_count;
static bool budget_gone;
static uint32_t list_room[3 * ITEMS_MAX];
static struct shelved shelf_room[3 * ITEMS_MAX];
static const struct balance_room room = {list_room, shelf_room};

static const struct balance_limits limits = {
    .overload = 0.97, .uneven = 0.06, .even = 0.04, .uneven_ticks = 3, .moves_max = 16};

static void clear_board(void)
{
    memset(items, 0, sizeof(items));
    memset(slots, 0, sizeof(slots));
    lane = (struct lane){0};
    item_count = 0;
    for (uint32_t i = 0; i < SLOTS_MAX; i++)
        slots[i].twin = i;
}

/* Every two slots are threads of one core. */
static void pair_threads(void)
{
    for (uint32_t i = 0; i < SLOTS_MAX; i++)
        slots[i].twin = i ^ 1;
}

/* The first slots are on node 0, the rest on node 1. */
static void split_nodes(uint32_t first)
{
    for (uint32_t i = first; i < SLOTS_MAX; i++)
        slots[i].node = 1;
}

static struct item *add(double load, uint32_t slot)
{
    struct item *item = &items[item_count];

    *item = (struct item){.load = load,
                          .demand = load,
                          .owner = (uint32_t)item_count,
                          .slot = slot,
                          .kin = 1,
                          .home_node = XLP_NOWHERE,
                          .why_first = XLP_REASON_CPU_FIRST_PLACE,
                          .prefer = XLP_NOWHERE,
                          .may_move = true};
    item_count++;
    return item;
}

static uint32_t balance(size_t slot_count)
{
    uint32_t changed = 0;

    for (size_t i = 0; i < item_count; i++) {
        items[i].why = XLP_REASON_NONE;
        items[i].may_move = true;
    }
    xlp_balance(items, item_count, slots, slot_count, &limits, &lane, &room, &budget_gone);
    for (size_t i = 0; i < item_count; i++)
        changed += items[i].why != XLP_REASON_NONE;
    return changed;
}

START_TEST(eight_on_one_pcpu_are_spread_two_each_at_once)
{
    clear_board();
    for (int i = 0; i < 8; i++)
        add(0.5, 0)->demand = 1;
    ck_assert_uint_eq(balance(4), 6);
    for (int i = 0; i < 4; i++)
        ck_assert_double_eq_tol(slots[i].load, 1.0, 1e-9);
    ck_assert_uint_eq(balance(4), 0);
}
END_TEST

START_TEST(a_balanced_host_is_left_alone_forever)
{
    clear_board();
    for (uint32_t i = 0; i < 8; i++)
        add(0.30 + 0.01 * (i % 3), i % 4);
    for (int tick = 0; tick < 100; tick++)
        ck_assert_uint_eq(balance(4), 0);
}
END_TEST

START_TEST(a_mild_unevenness_must_last_before_anything_moves)
{
    clear_board();
    add(0.3, 0);
    add(0.3, 0);
    add(0.3, 1);
    add(0.0, 2);
    ck_assert_uint_eq(balance(3), 0);
    ck_assert_uint_eq(balance(3), 0);
    ck_assert_uint_eq(balance(3), 1);
    ck_assert_uint_eq(balance(3), 0);
}
END_TEST

START_TEST(heavy_and_light_are_paired)
{
    clear_board();
    add(0.7, 0);
    add(0.7, 0);
    add(0.3, 1);
    add(0.3, 1);
    ck_assert_uint_eq(balance(2), 2); /* pCPU 0 at 1.4 is overloaded: no waiting */
    ck_assert_double_eq_tol(slots[0].load, 1.0, 1e-9);
    ck_assert_double_eq_tol(slots[1].load, 1.0, 1e-9);
}
END_TEST

START_TEST(items_trade_places_where_no_single_move_helps)
{
    clear_board();
    add(0.9, 0);
    add(0.9, 0);
    add(0.5, 1);
    add(0.5, 1);
    ck_assert_uint_eq(balance(2), 2);
    ck_assert_double_eq_tol(slots[0].load, slots[1].load, 1e-9);
    ck_assert_int_eq(items[0].why + items[1].why, XLP_REASON_CPU_SWAP);
    ck_assert_int_eq(items[2].why + items[3].why, XLP_REASON_CPU_SWAP);
}
END_TEST

START_TEST(crumbs_on_an_idle_pool_are_not_moved)
{
    clear_board();
    add(1.0, 0);
    add(0.004, 1);
    add(0.004, 1);
    add(0.002, 2);
    for (int tick = 0; tick < 20; tick++)
        ck_assert_uint_eq(balance(4), 0);
}
END_TEST

START_TEST(a_giant_is_no_reason_to_shuffle_the_rest)
{
    clear_board();
    add(1.0, 0);
    for (uint32_t i = 0; i < 6; i++)
        add(0.1, 1 + i % 3);
    for (int tick = 0; tick < 20; tick++)
        ck_assert_uint_eq(balance(4), 0);
}
END_TEST

/* The last items added are vCPUs of one domain. */
static void make_kin(uint32_t count)
{
    for (size_t i = item_count - count; i < item_count; i++) {
        items[i].owner = 1000;
        items[i].kin = count;
    }
}

START_TEST(siblings_are_not_stacked)
{
    clear_board();
    for (int i = 0; i < 4; i++)
        add(0.5, XLP_NOWHERE);
    make_kin(4);
    ck_assert_uint_eq(balance(4), 4);
    for (int i = 0; i < 4; i++)
        ck_assert_double_eq(slots[i].load, 0.5);
}
END_TEST

START_TEST(an_item_never_leaves_its_allowed_slots)
{
    struct xlp_cpumap two_and_three = {{0xc}};

    clear_board();
    for (int i = 0; i < 6; i++)
        add(0.4, i % 2 ? XLP_NOWHERE : 2)->allowed = &two_and_three;
    balance(8);
    for (size_t i = 0; i < item_count; i++)
        ck_assert(items[i].slot == 2 || items[i].slot == 3);
    ck_assert_double_eq_tol(slots[2].load, slots[3].load, 1e-9);
}
END_TEST

START_TEST(who_may_not_use_the_emptiest_slots_gets_the_emptiest_it_may_use)
{
    struct xlp_cpumap zero_to_three = {{0xf}};

    clear_board();
    add(1, 0)->allowed = &zero_to_three;
    add(1, 0)->allowed = &zero_to_three;
    for (uint32_t i = 1; i < 4; i++)
        add(0.05, i)->allowed = &zero_to_three;
    ck_assert_uint_ge(balance(16), 1);
    ck_assert_uint_ne(items[0].slot, items[1].slot);
    for (size_t i = 0; i < item_count; i++)
        ck_assert_uint_lt(items[i].slot, 4);
}
END_TEST

START_TEST(more_siblings_than_slots_are_spread_all_the_same)
{
    clear_board();
    for (int i = 0; i < 8; i++)
        add(0.5, 0);
    make_kin(8);
    ck_assert_uint_eq(balance(4), 6);
    for (int i = 0; i < 4; i++)
        ck_assert_double_eq_tol(slots[i].load, 1.0, 1e-9);
    ck_assert_uint_eq(balance(4), 0);
}
END_TEST

START_TEST(siblings_on_one_slot_are_parted_even_where_all_carry_the_same)
{
    clear_board();
    add(0.4, 1);
    add(0.4, 1);
    add(0.4, 0);
    add(0.4, 0);
    make_kin(2);
    ck_assert_uint_eq(balance(2), 2);
    ck_assert_uint_ne(items[2].slot, items[3].slot);
    ck_assert_double_eq_tol(slots[0].load, slots[1].load, 1e-9);
    for (int tick = 0; tick < 10; tick++)
        ck_assert_uint_eq(balance(2), 0);
}
END_TEST

START_TEST(a_core_of_its_own_comes_before_the_second_thread_of_another)
{
    clear_board();
    pair_threads();
    add(0.9, 0);
    add(0.9, 0);
    ck_assert_uint_eq(balance(8), 1);
    ck_assert_uint_ge(items[0].slot + items[1].slot, 2); /* one went to another core */

    clear_board();
    pair_threads();
    for (int i = 0; i < 4; i++)
        add(0.9, XLP_NOWHERE);
    ck_assert_uint_eq(balance(8), 4);
    for (uint32_t i = 0; i < 8; i += 2)
        ck_assert_double_eq(slots[i].load + slots[i + 1].load, 0.9);
}
END_TEST

START_TEST(two_busy_threads_of_a_core_part_for_an_idle_core)
{
    clear_board();
    pair_threads();
    add(1, 0);
    add(1, 1);
    ck_assert_uint_eq(balance(4), 1);
    ck_assert_uint_eq(balance(4), 0);
    ck_assert_double_eq(slots[0].load + slots[1].load, 1);
}
END_TEST

START_TEST(a_full_slot_gives_within_its_node)
{
    clear_board();
    split_nodes(4);
    for (int i = 0; i < 4; i++)
        add(0.5, 0);
    ck_assert_uint_eq(balance(8), 3);
    for (uint32_t i = 0; i < 4; i++)
        ck_assert_double_eq(slots[i].load, 0.5);
}
END_TEST

START_TEST(only_a_full_node_gives_to_another)
{
    clear_board();
    split_nodes(2);
    for (uint32_t i = 0; i < 6; i++)
        add(1, i % 2);
    ck_assert_uint_eq(balance(4), 2);
    for (uint32_t i = 0; i < 4; i++)
        ck_assert_double_eq(slots[i].load, i < 2 ? 2 : 1);
    ck_assert_uint_eq(balance(4), 0);
}
END_TEST

START_TEST(the_way_home_is_as_short_as_any)
{
    clear_board();
    split_nodes(2);
    add(0.6, 0);
    add(0.6, 0)->home_node = 1;
    add(0.3, 1);
    ck_assert_uint_eq(balance(4), 1);
    ck_assert_uint_ge(items[1].slot, 2);
}
END_TEST

START_TEST(a_first_place_is_at_home_unless_that_is_much_fuller)
{
    clear_board();
    split_nodes(2);
    slots[0].fixed_load = slots[1].fixed_load = 0.6;
    add(0.5, XLP_NOWHERE)->home_node = 0;
    balance(4);
    ck_assert_uint_lt(items[0].slot, 2);

    clear_board();
    split_nodes(2);
    slots[0].fixed_load = slots[1].fixed_load = 1.5;
    add(0.5, XLP_NOWHERE)->home_node = 0;
    balance(4);
    ck_assert_uint_ge(items[0].slot, 2);
}
END_TEST

START_TEST(the_budget_of_moves_is_kept)
{
    clear_board();
    for (int i = 0; i < 60; i++)
        add(0.1, 0);
    ck_assert_uint_eq(balance(16), 16);
    ck_assert(budget_gone);
}
END_TEST

START_TEST(first_places_are_in_the_budget_too)
{
    clear_board();
    for (int i = 0; i < 60; i++)
        add(0.1, XLP_NOWHERE);
    ck_assert_uint_eq(balance(16), 16);
}
END_TEST

START_TEST(a_trade_needs_room_for_two_in_the_budget)
{
    struct balance_limits one = limits;

    one.moves_max = 1;
    clear_board();
    add(0.9, 0);
    add(0.9, 0);
    add(0.5, 1);
    add(0.5, 1);
    xlp_balance(items, item_count, slots, 2, &one, &lane, &room, &budget_gone);
    for (size_t i = 0; i < item_count; i++)
        ck_assert_int_eq(items[i].why, XLP_REASON_NONE);
}
END_TEST

START_TEST(a_first_place_prefers_where_it_ran)
{
    clear_board();
    add(0.5, XLP_NOWHERE)->prefer = 3;
    add(0.4, XLP_NOWHERE)->prefer = 3;
    ck_assert_uint_eq(balance(4), 2);
    ck_assert_uint_eq(items[0].slot, 3);
    ck_assert_uint_ne(items[1].slot, 3);
}
END_TEST

START_TEST(round_robin_counts_and_ignores_load)
{
    clear_board();
    for (int i = 0; i < 8; i++)
        add(i % 4 < 2 ? 0.9 : 0.1, XLP_NOWHERE);
    xlp_round_robin(items, item_count, 4, 16);
    for (uint32_t i = 0; i < 8; i++)
        ck_assert_uint_eq(items[i].slot, i % 4);
}
END_TEST

START_TEST(round_robin_deals_out_what_is_allowed)
{
    struct xlp_cpumap one_to_three = {{0xe}};

    clear_board();
    for (int i = 0; i < 6; i++)
        add(0.1, XLP_NOWHERE)->allowed = &one_to_three;
    xlp_round_robin(items, item_count, 4, 16);
    for (uint32_t i = 0; i < 6; i++)
        ck_assert_uint_eq(items[i].slot, 1 + i % 3);
}
END_TEST

CHECK_CASE(moving, eight_on_one_pcpu_are_spread_two_each_at_once,
           a_balanced_host_is_left_alone_forever, a_mild_unevenness_must_last_before_anything_moves,
           heavy_and_light_are_paired, items_trade_places_where_no_single_move_helps,
           crumbs_on_an_idle_pool_are_not_moved, a_giant_is_no_reason_to_shuffle_the_rest,
           who_may_not_use_the_emptiest_slots_gets_the_emptiest_it_may_use,
           an_item_never_leaves_its_allowed_slots, a_first_place_prefers_where_it_ran)
CHECK_CASE(siblings, siblings_are_not_stacked, more_siblings_than_slots_are_spread_all_the_same,
           siblings_on_one_slot_are_parted_even_where_all_carry_the_same)
CHECK_CASE(topology, a_core_of_its_own_comes_before_the_second_thread_of_another,
           two_busy_threads_of_a_core_part_for_an_idle_core, a_full_slot_gives_within_its_node,
           only_a_full_node_gives_to_another, the_way_home_is_as_short_as_any,
           a_first_place_is_at_home_unless_that_is_much_fuller)
CHECK_CASE(budget, the_budget_of_moves_is_kept, first_places_are_in_the_budget_too,
           a_trade_needs_room_for_two_in_the_budget)
CHECK_CASE(round_robin, round_robin_counts_and_ignores_load, round_robin_deals_out_what_is_allowed)
CHECK_MAIN("balance", moving, siblings, topology, budget, round_robin)
