/* SPDX-License-Identifier: LGPL-2.1-only */
/* The moves of a tick, divided among cpupools. */
#include "check_main.h"

#include "cpu/budget.h"
#include "made_host.h"

#define POOLS_MAX 4

static struct xlp_snapshot s;
static struct xlp_budget budget;
static uint32_t made[POOLS_MAX]; /* by each pool, all in all */

static void set_up(void)
{
    made_host(&s, 4, XLP_SCHED_CREDIT2);
    xlp_budget_init(&budget);
    memset(made, 0, sizeof(made));
}

static void tear_down(void)
{
    xlp_budget_dispose(&budget);
    xlp_snapshot_dispose(&s);
}

/* Pool 0 is there already. */
static void add_pool(uint32_t id)
{
    struct xlp_pool *pool = xlp_snapshot_add_pool(&s);

    pool->id = id;
    pool->map = made_map(&s, "none");
}

static void add_guest(uint32_t pool_id, uint32_t vcpus)
{
    made_guest(&s, (uint32_t)s.domain_count + 1, vcpus)->pool_id = pool_id;
}

/* One tick in which each pool wants that many moves; returns how many were made. */
static uint32_t tick(uint32_t moves, const uint32_t *wants)
{
    uint32_t sum = 0;

    ck_assert_int_eq(xlp_budget_divide(&budget, &s, moves), 0);
    for (size_t i = 0; i < s.pool_count; i++) {
        size_t pool = xlp_budget_pool(&budget, i);
        uint32_t may = xlp_budget_open(&budget, pool);
        uint32_t makes = wants[pool] < may ? wants[pool] : may;

        xlp_budget_close(&budget, makes);
        made[pool] += makes;
        sum += makes;
    }
    return sum;
}

START_TEST(a_pool_alone_has_all_moves)
{
    const uint32_t wants[] = {100};

    add_guest(0, 50);
    ck_assert_uint_eq(tick(7, wants), 7);
    ck_assert_uint_eq(tick(7, wants), 7);
}
END_TEST

START_TEST(pools_that_want_more_share_by_their_vcpus)
{
    const uint32_t wants[] = {100, 100, 100};

    add_pool(3);
    add_pool(7);
    add_guest(0, 10);
    add_guest(3, 20);
    add_guest(7, 5);
    add_guest(7, 5);
    for (int i = 0; i < 100; i++)
        ck_assert_uint_eq(tick(3, wants), 3);
    ck_assert_uint_eq(made[0], 75);
    ck_assert_uint_eq(made[1], 150);
    ck_assert_uint_eq(made[2], 75);
}
END_TEST

START_TEST(a_small_pool_gets_its_turn)
{
    const uint32_t wants[] = {100, 100};

    add_pool(1);
    add_guest(0, 40);
    add_guest(1, 1);
    for (int i = 0; i < 41 * 5; i++)
        ck_assert_uint_eq(tick(1, wants), 1);
    ck_assert_uint_eq(made[1], 5);
}
END_TEST

START_TEST(what_one_pool_leaves_another_may_use)
{
    const uint32_t wants[] = {0, 100};

    add_pool(1);
    add_guest(0, 30);
    add_guest(1, 10);
    for (int i = 0; i < 10; i++)
        ck_assert_uint_le(tick(4, wants), 4);
    ck_assert_uint_eq(made[1], 5 * 1 + 5 * 4); /* it comes last in every second tick */
}
END_TEST

START_TEST(enough_for_all_is_not_divided)
{
    const uint32_t wants[] = {100, 100};

    add_pool(1);
    add_guest(0, 3);
    add_guest(1, 2);
    ck_assert_uint_eq(tick(1000000, wants), 5);
}
END_TEST

/* As pools come and go, and guests with them, nobody loses what it is owed. */
START_TEST(a_pool_keeps_what_it_is_owed)
{
    const uint32_t wants[] = {100, 100};

    add_pool(1);
    add_guest(0, 40);
    add_guest(1, 1);
    for (int i = 0; i < 41 * 5; i++) {
        s.domains[0].vcpu_count = 40 + (uint32_t)i % 2;
        tick(1, wants);
    }
    ck_assert_uint_ge(made[1], 4);
    s.pool_count = 0;
    ck_assert_uint_eq(tick(5, wants), 0);
}
END_TEST

CHECK_FIXTURE_CASE(dividing, set_up, tear_down, a_pool_alone_has_all_moves,
                   pools_that_want_more_share_by_their_vcpus, a_small_pool_gets_its_turn,
                   what_one_pool_leaves_another_may_use, enough_for_all_is_not_divided,
                   a_pool_keeps_what_it_is_owed)
CHECK_MAIN("budget", dividing)
