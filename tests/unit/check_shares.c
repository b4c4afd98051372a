/* SPDX-License-Identifier: LGPL-2.1-only */
/* Dividing by shares: stride and lottery, and what tickets are worth. */
#include "check_main.h"

#include <math.h>
#include <string.h>

#include "shares/apportion.h"

/* ---- stride and lottery ---- */

#define HOLDERS_MAX 101

static struct xlp_holder holders[HOLDERS_MAX];
static uint64_t given[HOLDERS_MAX];

static void start(struct xlp_apportioner *a, const uint32_t *tickets, size_t count)
{
    memset(given, 0, sizeof(given));
    for (size_t i = 0; i < count; i++)
        holders[i] = (struct xlp_holder){.id = i, .tickets = tickets[i]};
    xlp_apportion_among(a, holders, count);
}

static void give(struct xlp_apportioner *a, uint64_t things)
{
    for (; things > 0; things--)
        given[xlp_apportion_next(a)]++;
}

/* The most that any holder is off its part of n things, in things. */
static double worst_error(const struct xlp_apportioner *a, uint64_t n)
{
    double worst = 0;

    for (size_t i = 0; i < a->count; i++)
        worst = fmax(worst,
                     fabs((double)given[i] - (double)n * holders[i].tickets / (double)a->tickets));
    return worst;
}

/* Holders of every kind: alike, one of many tickets among many of one, of any number. */
static size_t any_tickets(struct xlp_random *random, uint32_t tickets[HOLDERS_MAX])
{
    size_t count = 1 + xlp_random_below(random, HOLDERS_MAX);
    uint64_t kind = xlp_random_below(random, 3);

    for (size_t i = 0; i < count; i++)
        tickets[i] = kind == 0 ? 7 : kind == 1 ? 1 : 1 + (uint32_t)xlp_random_below(random, 50);
    if (kind == 1)
        tickets[0] = (uint32_t)count;
    return count;
}

START_TEST(stride_is_never_off_by_a_whole_thing)
{
    struct xlp_random random = {(uint64_t)_i};
    uint32_t tickets[HOLDERS_MAX];
    struct xlp_apportioner a;

    xlp_stride_init(&a);
    start(&a, tickets, any_tickets(&random, tickets));
    for (uint64_t n = 1; n <= 2 * a.tickets; n++) {
        give(&a, 1);
        ck_assert_double_lt(worst_error(&a, n), 1);
    }
}
END_TEST

/* So what holds of one round, as long as there are tickets, holds at any length. */
START_TEST(stride_repeats_itself_once_every_ticket_was_served)
{
    struct xlp_random random = {(uint64_t)_i};
    uint32_t tickets[HOLDERS_MAX];
    struct xlp_apportioner a;

    xlp_stride_init(&a);
    start(&a, tickets, any_tickets(&random, tickets));
    give(&a, a.tickets);
    for (size_t i = 0; i < a.count; i++) {
        ck_assert_uint_eq(given[i], holders[i].tickets);
        ck_assert_int_eq(holders[i].due, 0);
    }
}
END_TEST

/* The root of the mean square of one holder's error, as a part of n, over many lotteries. */
static double lottery_error(uint64_t n)
{
    const uint32_t tickets[] = {300, 500, 200};
    struct xlp_random random;
    struct xlp_apportioner a;
    double sum = 0;

    for (uint64_t seed = 0; seed < 1000; seed++) {
        double error;

        random = (struct xlp_random){xlp_mix64(seed)};
        xlp_lottery_init(&a, &random);
        start(&a, tickets, 3);
        give(&a, n);
        error = (double)given[0] / (double)n - 0.3;
        sum += error * error;
    }
    return sqrt(sum / 1000);
}

START_TEST(the_error_of_a_lottery_falls_with_the_root_of_its_length)
{
    const double spread = sqrt(0.3 * 0.7);

    for (uint64_t n = 25; n <= 25 * 256; n *= 4)
        ck_assert_double_eq_tol(lottery_error(n) * sqrt((double)n), spread, 0.08 * spread);
}
END_TEST

START_TEST(the_same_seed_draws_the_same_lots)
{
    const uint32_t tickets[] = {1, 2, 3};
    size_t drawn[200];

    for (int round = 0; round < 2; round++) {
        struct xlp_random random = {42};
        struct xlp_apportioner a;

        xlp_lottery_init(&a, &random);
        start(&a, tickets, 3);
        for (size_t i = 0; i < 200; i++) {
            size_t next = xlp_apportion_next(&a);

            ck_assert(round == 0 || drawn[i] == next);
            drawn[i] = next;
        }
    }
}
END_TEST

START_TEST(who_holds_no_ticket_gets_nothing)
{
    const uint32_t tickets[] = {0, 3, 0, 1, 0}, none[] = {0, 0};
    struct xlp_random random = {1};
    struct xlp_apportioner a[2];

    xlp_stride_init(&a[0]);
    xlp_lottery_init(&a[1], &random);
    for (int i = 0; i < 2; i++) {
        start(&a[i], tickets, 5);
        give(&a[i], 1000);
        ck_assert_uint_eq(given[0] + given[2] + given[4], 0);
        start(&a[i], none, 2);
        ck_assert_uint_eq(xlp_apportion_next(&a[i]), SIZE_MAX);
    }
}
END_TEST

/* One thing at a time, and each time somebody else is there too: who has few tickets would never
 * come up if everything started anew. */
START_TEST(what_is_owed_outlives_a_change_of_holders)
{
    struct xlp_apportioner a;
    uint64_t small = 0;

    xlp_stride_init(&a);
    memset(holders, 0, sizeof(holders));
    for (uint32_t n = 0; n < 2000; n++) {
        holders[0].tickets = 100 + n % 2;
        holders[1].tickets = 1;
        xlp_apportion_among(&a, holders, 2);
        small += xlp_apportion_next(&a) == 1;
    }
    ck_assert_uint_ge(small, 19);
    ck_assert_uint_le(small, 20);
}
END_TEST

static TCase *apportioning(void)
{
    TCase *tcase = tcase_create("apportioning");

    tcase_add_loop_test(tcase, stride_is_never_off_by_a_whole_thing, 0, 50);
    tcase_add_loop_test(tcase, stride_repeats_itself_once_every_ticket_was_served, 0, 50);
    tcase_add_test(tcase, the_error_of_a_lottery_falls_with_the_root_of_its_length);
    tcase_add_test(tcase, the_same_seed_draws_the_same_lots);
    tcase_add_test(tcase, who_holds_no_ticket_gets_nothing);
    tcase_add_test(tcase, what_is_owed_outlives_a_change_of_holders);
    return tcase;
}

CHECK_MAIN("shares", apportioning)
