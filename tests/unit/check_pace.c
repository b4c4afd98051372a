/* SPDX-License-Identifier: LGPL-2.1-only */
/* links: tools/guest-agent/pace.c */
/* When the guest's agent writes a report, and when it keeps quiet. Times are in ms. */
#include "check_main.h"

#include "../../tools/guest-agent/pace.h"

#define INTERVAL_MS 5000

/* 256 MiB: 2 % of it is less than 8 MiB, so 8 MiB is what counts as a move. */
static const struct memory_sample small = {
    .total_kib = 262144, .avail_kib = 131072, .swap_total_kib = 65536, .swap_used_kib = 32768};

/* 16 GiB: 2 % of it is 335544 KiB. */
static const struct memory_sample large = {.total_kib = 16777216, .avail_kib = 8388608};

static struct pace pace_that_told(const struct memory_sample *memory, int64_t at_ms)
{
    struct pace pace;

    pace_init(&pace, INTERVAL_MS);
    pace_told(&pace, memory, at_ms);
    return pace;
}

START_TEST(the_first_report_is_due_at_once)
{
    struct pace pace;

    pace_init(&pace, INTERVAL_MS);
    ck_assert(pace_is_due(&pace, &small, 0));
    ck_assert(pace_is_due(&pace, &small, 123456789));
}
END_TEST

START_TEST(quiet_memory_is_reported_once_per_interval)
{
    struct pace pace = pace_that_told(&small, 1000);

    ck_assert(!pace_is_due(&pace, &small, 1000 + INTERVAL_MS - 1));
    ck_assert(pace_is_due(&pace, &small, 1000 + INTERVAL_MS));
}
END_TEST

START_TEST(eight_mib_are_a_move_in_a_small_guest)
{
    struct pace pace = pace_that_told(&small, 0);
    struct memory_sample now = small;

    now.avail_kib = small.avail_kib - 8191;
    ck_assert(!pace_is_due(&pace, &now, 1000));
    now.avail_kib = small.avail_kib - 8192;
    ck_assert(pace_is_due(&pace, &now, 1000));
    now.avail_kib = small.avail_kib + 8192;
    ck_assert(pace_is_due(&pace, &now, 1000));
}
END_TEST

START_TEST(two_percent_are_a_move_in_a_large_guest)
{
    struct pace pace = pace_that_told(&large, 0);
    struct memory_sample now = large;

    now.avail_kib = large.avail_kib - 335543;
    ck_assert(!pace_is_due(&pace, &now, 1000));
    now.avail_kib = large.avail_kib - 335544;
    ck_assert(pace_is_due(&pace, &now, 1000));
}
END_TEST

START_TEST(a_move_of_total_or_swap_counts_and_of_free_does_not)
{
    struct pace pace = pace_that_told(&small, 0);
    struct memory_sample now = small;

    now.free_kib += 100000;
    ck_assert(!pace_is_due(&pace, &now, 1000));
    now = small;
    now.total_kib += 8192;
    ck_assert(pace_is_due(&pace, &now, 1000));
    now = small;
    now.swap_used_kib += 8192;
    ck_assert(pace_is_due(&pace, &now, 1000));
}
END_TEST

START_TEST(a_slow_drift_adds_up_to_a_move)
{
    struct pace pace = pace_that_told(&small, 0);
    struct memory_sample now = small;
    int looks = 0;

    do {
        now.avail_kib -= 1024;
        looks++;
    } while (!pace_is_due(&pace, &now, 250 * looks));
    ck_assert_int_eq(looks, 8);
}
END_TEST

START_TEST(pressure_makes_one_report_due)
{
    struct pace pace = pace_that_told(&small, 0);

    pace_press(&pace);
    ck_assert(pace_is_due(&pace, &small, 1000));
    pace_told(&pace, &small, 1000);
    ck_assert(!pace_is_due(&pace, &small, 2000));
}
END_TEST

START_TEST(five_reports_a_second_are_the_most)
{
    struct memory_sample now = small;
    struct pace pace;
    int reports = 0;

    pace_init(&pace, INTERVAL_MS);
    for (int64_t ms = 0; ms < 10000; ms++) {
        now.avail_kib = ms % 2 ? small.avail_kib : 0;
        pace_press(&pace);
        if (pace_is_due(&pace, &now, ms)) {
            pace_told(&pace, &now, ms);
            reports++;
        }
    }
    ck_assert_int_eq(reports, 50);
}
END_TEST

START_TEST(pressure_within_the_gap_is_not_forgotten)
{
    struct pace pace = pace_that_told(&small, 1000);

    pace_press(&pace);
    ck_assert(!pace_is_due(&pace, &small, 1100));
    ck_assert(pace_is_due(&pace, &small, 1200));
}
END_TEST

START_TEST(a_failed_report_stays_due_after_a_pause)
{
    struct pace pace = pace_that_told(&small, 0);

    pace_failed(&pace, 5000);
    ck_assert(!pace_is_due(&pace, &small, 5999));
    ck_assert(pace_is_due(&pace, &small, 6000));
}
END_TEST

CHECK_CASE(due, the_first_report_is_due_at_once, quiet_memory_is_reported_once_per_interval,
           eight_mib_are_a_move_in_a_small_guest, two_percent_are_a_move_in_a_large_guest,
           a_move_of_total_or_swap_counts_and_of_free_does_not, a_slow_drift_adds_up_to_a_move,
           pressure_makes_one_report_due)
CHECK_CASE(held, five_reports_a_second_are_the_most, pressure_within_the_gap_is_not_forgotten,
           a_failed_report_stays_due_after_a_pause)
CHECK_MAIN("pace", due, held)
