/* SPDX-License-Identifier: LGPL-2.1-only */
/* Sharing a pool of memory: levels in order, and a fair share of the one that is not paid. */
#include "check_main.h"

#include <stdlib.h>

#include "memory/alloc.h"

#define MIB INT64_C(1024)

/* A claim of 1000 shares with these levels, in MiB. */
static struct xlp_claim claim(int64_t held, int64_t bare, int64_t need, int64_t comfort)
{
    struct xlp_claim c = {.shares = 1000, .cap_kib = 4096 * MIB};

    c.level_kib[XLP_LEVEL_HELD] = c.level_kib[XLP_LEVEL_KEPT] = held * MIB;
    c.level_kib[XLP_LEVEL_BARE] = bare * MIB;
    c.level_kib[XLP_LEVEL_ENTITLED] = c.level_kib[XLP_LEVEL_NEED] = need * MIB;
    c.level_kib[XLP_LEVEL_COMFORT] = comfort * MIB;
    c.level_kib[XLP_LEVEL_SURPLUS] = 4096 * MIB;
    return c;
}

/* Without room to work in, which the cases do not care about. */
static enum xlp_level allocate(struct xlp_claim *claims, size_t count, int64_t pool_kib)
{
    struct xlp_range ranges[16];

    return xlp_allocate(claims, count, pool_kib, ranges);
}

static int64_t given(const struct xlp_claim *claims, size_t count)
{
    int64_t sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += claims[i].given_kib;
    return sum;
}

START_TEST(all_levels_are_given_when_the_pool_is_large)
{
    struct xlp_claim c[2] = {claim(100, 200, 300, 400), claim(100, 200, 300, 400)};

    ck_assert_int_eq(allocate(c, 2, 10000 * MIB), XLP_LEVELS);
    ck_assert_int_eq(c[0].given_kib, 4096 * MIB);
    ck_assert_int_eq(c[1].given_kib, 4096 * MIB);
}
END_TEST

START_TEST(what_is_held_is_given_even_beyond_the_pool)
{
    struct xlp_claim c[2] = {claim(100, 200, 300, 400), claim(150, 200, 300, 400)};

    ck_assert_int_eq(allocate(c, 2, 200 * MIB), XLP_LEVEL_HELD);
    ck_assert_int_eq(c[0].given_kib, 100 * MIB);
    ck_assert_int_eq(c[1].given_kib, 150 * MIB);
}
END_TEST

START_TEST(need_is_paid_before_comfort)
{
    struct xlp_claim c[2] = {claim(100, 200, 300, 900), claim(100, 500, 700, 700)};

    ck_assert_int_eq(allocate(c, 2, 1100 * MIB), XLP_LEVEL_COMFORT);
    ck_assert_int_eq(c[0].given_kib, 400 * MIB);
    ck_assert_int_eq(c[1].given_kib, 700 * MIB);
}
END_TEST

START_TEST(the_bare_minimum_is_paid_before_need)
{
    struct xlp_claim c[2] = {claim(100, 200, 800, 800), claim(100, 700, 800, 800)};

    c[0].shares = 3000; /* entitled to three quarters, of which it needs this much */
    ck_assert_int_eq(allocate(c, 2, 1000 * MIB), XLP_LEVEL_BARE);
    ck_assert_int_eq(c[0].given_kib, 750 * MIB);
    c[0] = claim(100, 200, 800, 800);
    c[1] = claim(100, 700, 800, 800);
    ck_assert_int_eq(allocate(c, 2, 1000 * MIB), XLP_LEVEL_BARE);
    ck_assert_int_eq(c[0].given_kib, 500 * MIB);
    ck_assert_int_eq(c[1].given_kib, 500 * MIB);
    c[0] = claim(100, 200, 250, 800);
    ck_assert_int_eq(allocate(c, 2, 1000 * MIB), XLP_LEVEL_NEED);
    ck_assert_int_eq(c[0].given_kib, 250 * MIB);
    ck_assert_int_eq(c[1].given_kib, 750 * MIB);
}
END_TEST

START_TEST(between_two_levels_everybody_has_the_same_per_share)
{
    struct xlp_claim c[3] = {claim(0, 0, 0, 900), claim(0, 0, 0, 900), claim(0, 0, 0, 100)};

    c[0].shares = 2000;
    ck_assert_int_eq(allocate(c, 3, 700 * MIB), XLP_LEVEL_COMFORT);
    ck_assert_int_eq(c[0].given_kib, 400 * MIB);
    ck_assert_int_eq(c[1].given_kib, 200 * MIB);
    ck_assert_int_eq(c[2].given_kib, 100 * MIB);
}
END_TEST

START_TEST(odd_kib_are_given_too)
{
    struct xlp_claim c[3] = {claim(0, 0, 0, 900), claim(0, 0, 0, 900), claim(0, 0, 0, 900)};

    allocate(c, 3, 1000 * MIB + 1);
    ck_assert_int_eq(given(c, 3), 1000 * MIB + 1);
    for (int i = 0; i < 3; i++)
        ck_assert_int_le(llabs(c[i].given_kib - 1000 * MIB / 3), 1);
}
END_TEST

START_TEST(what_one_keeps_beyond_its_share_is_there_for_the_needs_of_others)
{
    /* The first has all and says that it needs it, the second comes later. */
    struct xlp_claim c[2] = {claim(100, 1900, 4096, 4096), claim(100, 300, 400, 400)};

    c[0].level_kib[XLP_LEVEL_KEPT] = 1900 * MIB;
    ck_assert_int_eq(allocate(c, 2, 2000 * MIB), XLP_LEVEL_KEPT);
    ck_assert_int_eq(c[1].given_kib, 400 * MIB);
    ck_assert_int_eq(c[0].given_kib, 1600 * MIB);
}
END_TEST

START_TEST(what_one_keeps_is_not_shared_with_those_that_have_their_share)
{
    struct xlp_claim c[3] = {claim(100, 1800, 1800, 1800), claim(100, 1800, 1800, 1800),
                             claim(100, 100, 100, 100)};

    c[0].level_kib[XLP_LEVEL_KEPT] = 1600 * MIB;
    c[1].level_kib[XLP_LEVEL_KEPT] = 1000 * MIB; /* its share */
    ck_assert_int_eq(allocate(c, 3, 3000 * MIB), XLP_LEVEL_BARE);
    ck_assert_int_eq(c[0].given_kib, 1600 * MIB);
    ck_assert_int_eq(c[1].given_kib, 1300 * MIB);
}
END_TEST

START_TEST(a_floor_counts_as_part_of_a_share)
{
    struct xlp_claim c[2] = {claim(100, 1200, 1200, 1200), claim(100, 900, 900, 900)};

    c[0].floor_kib = c[0].level_kib[XLP_LEVEL_KEPT] = 1200 * MIB;
    allocate(c, 2, 1800 * MIB);
    ck_assert_int_eq(c[0].given_kib, 1200 * MIB);
    ck_assert_int_eq(c[1].given_kib, 600 * MIB);
}
END_TEST

START_TEST(a_claim_to_use_everything_leaves_others_what_they_need)
{
    struct xlp_claim c[4] = {claim(200, 4096, 4096, 4096), claim(200, 416, 464, 516),
                             claim(200, 416, 464, 516), claim(200, 416, 464, 516)};

    allocate(c, 4, 2304 * MIB);
    ck_assert_int_eq(given(c, 4), 2304 * MIB);
    for (int i = 1; i < 4; i++)
        ck_assert_int_eq(c[i].given_kib, 464 * MIB);
}
END_TEST

START_TEST(nobody_is_entitled_to_more_than_it_claims)
{
    struct xlp_claim c[2] = {claim(100, 1900, 4096, 4096), claim(100, 300, 400, 400)};

    c[0].level_kib[XLP_LEVEL_KEPT] = 1900 * MIB;
    c[1].level_kib[XLP_LEVEL_ENTITLED] = 300 * MIB;
    allocate(c, 2, 2000 * MIB);
    ck_assert_int_eq(c[1].given_kib, 300 * MIB);
    ck_assert_int_eq(c[0].given_kib, 1700 * MIB);
    ck_assert_int_eq(c[1].share_kib, 1000 * MIB);
}
END_TEST

/* Both have half; one is idle, the other needs all there is. */
static const struct {
    uint32_t untaxed_pct;
    int64_t idle_mib, busy_mib;
} taxes[] = {{0, 200, 1800}, {25, 400, 1600}, {100, 1000, 1000}};

START_TEST(idle_memory_is_kept_as_far_as_it_is_not_taxed)
{
    struct xlp_claim c[2] = {claim(100, 200, 200, 200), claim(100, 1900, 2000, 2000)};

    for (int i = 0; i < 2; i++) {
        c[i].has_kib = 1000 * MIB;
        c[i].level_kib[XLP_LEVEL_KEPT] = i ? 1000 * MIB : 200 * MIB;
        c[i].untaxed_pct = taxes[_i].untaxed_pct;
    }
    allocate(c, 2, 2000 * MIB);
    ck_assert_int_le(llabs(c[0].given_kib - taxes[_i].idle_mib * MIB), 100);
    ck_assert_int_le(llabs(c[1].given_kib - taxes[_i].busy_mib * MIB), 100);
}
END_TEST

/* It has no more than it needs, and gets no more for being entitled to it. */
START_TEST(a_share_is_not_handed_out_to_who_does_not_need_it)
{
    struct xlp_claim c[2] = {claim(100, 200, 200, 200), claim(100, 1900, 2000, 2000)};

    c[0].has_kib = 200 * MIB;
    c[0].untaxed_pct = c[1].untaxed_pct = 100;
    allocate(c, 2, 2000 * MIB);
    ck_assert_int_eq(c[0].given_kib, 200 * MIB);
}
END_TEST

START_TEST(sizes_of_a_petabyte_neither_overflow_nor_lose_a_kib)
{
    struct xlp_claim c[2] = {claim(0, 0, 0, 0), claim(0, 0, 0, 0)};
    const int64_t huge_kib = INT64_C(1) << 44;

    for (int i = 0; i < 2; i++) {
        c[i].shares = i ? 1 : 1000000;
        c[i].cap_kib = c[i].level_kib[XLP_LEVEL_SURPLUS] = huge_kib;
    }
    allocate(c, 2, huge_kib + 12345);
    ck_assert_int_eq(given(c, 2), huge_kib + 12345);
    ck_assert_int_le(llabs(c[0].given_kib - (int64_t)((huge_kib + 12345) * 1e6L / 1000001)), 1);
    allocate(c, 2, 1000001);
    ck_assert_int_eq(c[0].given_kib, 1000000);
    ck_assert_int_eq(c[1].given_kib, 1);
}
END_TEST

START_TEST(nobody_shares_nothing)
{
    ck_assert_int_eq(allocate(NULL, 0, 1000 * MIB), XLP_LEVELS);
    ck_assert_int_eq(allocate(NULL, 0, -1), XLP_LEVEL_HELD);
}
END_TEST

static TCase *taxed(void)
{
    TCase *tcase = tcase_create("taxed");

    tcase_add_loop_test(tcase, idle_memory_is_kept_as_far_as_it_is_not_taxed, 0,
                        sizeof(taxes) / sizeof(taxes[0]));
    tcase_add_test(tcase, a_share_is_not_handed_out_to_who_does_not_need_it);
    return tcase;
}

CHECK_CASE(levels, all_levels_are_given_when_the_pool_is_large,
           what_is_held_is_given_even_beyond_the_pool, need_is_paid_before_comfort,
           the_bare_minimum_is_paid_before_need)
CHECK_CASE(fill, between_two_levels_everybody_has_the_same_per_share, odd_kib_are_given_too,
           what_one_keeps_beyond_its_share_is_there_for_the_needs_of_others,
           what_one_keeps_is_not_shared_with_those_that_have_their_share,
           a_floor_counts_as_part_of_a_share,
           a_claim_to_use_everything_leaves_others_what_they_need,
           nobody_is_entitled_to_more_than_it_claims,
           sizes_of_a_petabyte_neither_overflow_nor_lose_a_kib, nobody_shares_nothing)
CHECK_MAIN("alloc", levels, fill, taxed)
