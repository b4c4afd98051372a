/* SPDX-License-Identifier: LGPL-2.1-only */
/* Dividing by shares: stride and lottery, and what tickets are worth. */
#include "check_main.h"

#include <math.h>
#include <string.h>

#include "shares/apportion.h"
#include "shares/tickets.h"

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
    uint32_t tickets[HOLDERS_MAX] = {0};
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
    uint32_t tickets[HOLDERS_MAX] = {0};
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
    size_t drawn[200] = {0};

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

/* ---- compensation and transfer ---- */

/* A domain of 1000 shares that may use one pCPU, and uses half of it. */
static const struct xlp_tickets half_used = {
    .shares = 1000, .used = 0.5, .entitled = 1, .awake = true};

static bool all_serve_all(const void *arg, size_t driver, size_t client)
{
    (void)arg;
    (void)driver;
    (void)client;
    return true;
}

/* The last count_drivers of them are drivers. */
static void lend(struct xlp_tickets *domains, size_t count, size_t driver_count)
{
    struct xlp_tickets *parties[64];
    size_t drivers[64];

    for (size_t i = 0; i < count; i++)
        parties[i] = &domains[i];
    for (size_t i = 0; i < driver_count; i++)
        drivers[i] = count - driver_count + i;
    for (size_t i = 0; i < driver_count; i++)
        domains[drivers[i]].driver = true;
    xlp_lend(parties, count, drivers, driver_count, all_serve_all, NULL);
}

START_TEST(who_blocks_and_waits_is_made_up_for_what_it_could_not_use)
{
    struct xlp_tickets t = half_used;

    xlp_compensate(&t, 1);
    ck_assert_double_eq(xlp_tickets_held(&t), 1000); /* it has what it wants */
    t.held_up = true;
    t.used = 0.7; /* 1/0.7: 43 % more, the nearest step below is a quarter */
    xlp_compensate(&t, 1);
    ck_assert_double_eq(xlp_tickets_held(&t), 1250);
    t.used = 0.01;
    xlp_compensate(&t, 1);
    ck_assert_double_eq(xlp_tickets_held(&t), 2000);
    t = half_used;
    t.held_up = t.driver = true;
    xlp_compensate(&t, 1);
    ck_assert_double_eq(xlp_tickets_held(&t), 1000);
}
END_TEST

START_TEST(compensation_melts_away_once_it_is_over)
{
    struct xlp_tickets t = half_used;
    double before = 2000;

    t.held_up = true;
    t.used = 0.1;
    xlp_compensate(&t, 1);
    ck_assert_double_eq(xlp_tickets_held(&t), before);
    t.held_up = false;
    for (int second = 0; second < 30; second++) {
        xlp_compensate(&t, 1);
        ck_assert_double_le(xlp_tickets_held(&t), before);
        before = xlp_tickets_held(&t);
        if (second == 10)
            ck_assert_double_le(before, 1250);
    }
    ck_assert_double_eq(before, 1000);
}
END_TEST

/* 1.25 and 1.5 times what is used, the points at which steps are made, to and fro. */
START_TEST(a_wavering_measurement_makes_no_steps)
{
    struct xlp_tickets t = half_used;
    uint32_t steps = 0;

    t.held_up = true;
    for (int i = 0; i < 100; i++) {
        t.extra = 0; /* so that it is the measurement alone */
        t.used = 1 / (1.5 + (i % 2 ? 0.04 : -0.04));
        xlp_compensate(&t, 1);
        ck_assert(i < 2 || t.extra_steps == steps);
        steps = t.extra_steps;
    }
    ck_assert_uint_eq(steps, 1);
}
END_TEST

START_TEST(clients_lend_what_they_leave_unused_and_keep_their_shares)
{
    struct xlp_tickets t[] = {half_used, half_used, half_used, half_used};

    t[1].awake = false; /* it sleeps: it waits for nobody */
    t[2].used = 1.2;    /* it uses all it may */
    lend(t, 4, 1);
    ck_assert_double_eq(t[0].lent, 500);
    ck_assert_double_eq(t[1].lent, 0);
    ck_assert_double_eq(t[2].lent, 0);
    ck_assert_double_eq(t[3].lent, 0); /* a driver lends nothing to itself */
    ck_assert_double_eq(t[3].borrowed, 500);
    ck_assert_uint_eq(t[3].loan_steps, 1); /* 2 would be reached at 625 */
    for (int i = 0; i < 3; i++)
        ck_assert_double_eq(xlp_tickets_held(&t[i]), 1000);
    t[0].used = 0.8; /* it takes back what it uses, at once */
    lend(t, 4, 1);
    ck_assert_double_eq(xlp_tickets_held(&t[3]), 1000);
}
END_TEST

START_TEST(a_ticket_is_either_lent_or_given_as_compensation)
{
    struct xlp_tickets t[] = {half_used, half_used};

    t[0].held_up = true;
    t[0].used = 0.4; /* it lends 600; to make up for it would take 1500 more */
    lend(t, 2, 1);
    xlp_compensate(&t[0], 1);
    ck_assert_double_eq(t[0].lent, 600);
    ck_assert_double_eq(xlp_tickets_held(&t[0]), 1250);
    t[1].awake = false;
    lend(t, 2, 1);
    xlp_compensate(&t[0], 1);
    ck_assert_double_eq(xlp_tickets_held(&t[0]), 2000);
}
END_TEST

START_TEST(two_drivers_share_what_their_clients_lend_by_their_shares)
{
    struct xlp_tickets t[] = {half_used, half_used, half_used};

    t[2].shares = 250;
    t[1].used = t[2].used = 1; /* so that they lend nothing to each other */
    lend(t, 3, 2);
    ck_assert_double_eq(t[1].borrowed, 400);
    ck_assert_double_eq(t[2].borrowed, 100);
    t[2].awake = false;
    lend(t, 3, 2);
    ck_assert_double_eq(t[1].borrowed, 500);
    ck_assert_double_eq(t[2].borrowed, 0);
}
END_TEST

START_TEST(a_driver_borrows_no_more_than_sixteen_times_its_shares)
{
    struct xlp_tickets t[64];

    for (int i = 0; i < 64; i++)
        t[i] = half_used;
    lend(t, 64, 1);
    ck_assert_double_eq(t[63].borrowed, 31500);
    ck_assert_double_eq(xlp_tickets_held(&t[63]), 17000);
}
END_TEST

static double any_part(struct xlp_random *random)
{
    return (double)xlp_random_below(random, 1001) / 1000;
}

static void any_domain(struct xlp_random *random, struct xlp_tickets *t)
{
    t->shares = (double)(1 + xlp_random_below(random, 3) * xlp_random_below(random, 10000));
    t->awake = xlp_random_below(random, 5) > 0;
    t->used = 0.001 + any_part(random);
    t->entitled = 0.001 + 4 * any_part(random);
    t->held_up = xlp_random_below(random, 2);
}

/* The three rules of tickets.h, and what follows of them, while everything changes. */
START_TEST(nobody_starves_whatever_the_others_do)
{
    struct xlp_random random = {(uint64_t)_i};
    size_t count = 2 + xlp_random_below(&random, 62);
    size_t driver_count = xlp_random_below(&random, count);
    struct xlp_tickets t[64] = {{0}};

    for (int second = 0; second < 50; second++) {
        double shares = 0, held = 0, lent = 0, borrowed = 0;

        for (size_t i = 0; i < count; i++) {
            if (second == 0 || xlp_random_below(&random, 3) == 0)
                any_domain(&random, &t[i]);
        }
        lend(t, count, driver_count);
        for (size_t i = 0; i < count; i++)
            xlp_compensate(&t[i], any_part(&random) * 3);
        for (size_t i = 0; i < count; i++) {
            double extra = t[i].shares * XLP_TICKET_STEP * t[i].extra_steps;
            double unused = fmax(0, t[i].shares * (1 - t[i].used / t[i].entitled));

            ck_assert_double_ge(xlp_tickets_held(&t[i]), t[i].shares);
            ck_assert_double_le(t[i].lent, unused);
            ck_assert_double_le(t[i].lent + extra, t[i].shares);
            ck_assert_double_le(xlp_tickets_held(&t[i]) - t[i].shares - extra,
                                t[i].borrowed * (1 + 1e-12));
            shares += t[i].shares;
            held += xlp_tickets_held(&t[i]);
            lent += t[i].lent;
            borrowed += t[i].borrowed;
        }
        ck_assert_double_le(borrowed, lent * (1 + 1e-12));
        for (size_t i = 0; i < count; i++)
            ck_assert_double_ge(xlp_tickets_held(&t[i]) / held,
                                0.5 * t[i].shares / shares * (1 - 1e-12));
    }
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

static TCase *tickets(void)
{
    TCase *tcase = tcase_create("tickets");

    tcase_add_test(tcase, who_blocks_and_waits_is_made_up_for_what_it_could_not_use);
    tcase_add_test(tcase, compensation_melts_away_once_it_is_over);
    tcase_add_test(tcase, a_wavering_measurement_makes_no_steps);
    tcase_add_test(tcase, clients_lend_what_they_leave_unused_and_keep_their_shares);
    tcase_add_test(tcase, a_ticket_is_either_lent_or_given_as_compensation);
    tcase_add_test(tcase, two_drivers_share_what_their_clients_lend_by_their_shares);
    tcase_add_test(tcase, a_driver_borrows_no_more_than_sixteen_times_its_shares);
    tcase_add_loop_test(tcase, nobody_starves_whatever_the_others_do, 0, 200);
    return tcase;
}

CHECK_MAIN("shares", apportioning, tickets)
