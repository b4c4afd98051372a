/* SPDX-License-Identifier: LGPL-2.1-only */
/* links: tools/table.c tools/when.c tools/series.c tools/placement.c tools/source.c */
/* links: tools/source_daemon.c tools/source_host.c tools/daemon_request.c */
/* links: daemon/config.c daemon/config_scan.c daemon/config_text.c daemon/words.c */
/* links: tools/control_client.c tools/cli.c tools/progress.c */
/* The command line's own parts that decide something: columns, times, and series of numbers. */
#include "check_main.h"

#include <math.h>
#include <string.h>

#include "../../tools/series.h"
#include "../../tools/source.h"
#include "../../tools/table.h"
#include "../../tools/when.h"

/* ---- columns ---- */

static void check_table(const struct table *t, int indent, const char *expected)
{
    char text[512] = "";
    FILE *to = fmemopen(text, sizeof(text), "w");

    ck_assert_int_eq(table_print(t, to, indent), 0);
    fclose(to);
    ck_assert_str_eq(text, expected);
}

START_TEST(columns_are_as_wide_as_their_widest_cell)
{
    static const struct table_column columns[] = {
        {"Name", TABLE_LEFT}, {"ID", TABLE_RIGHT}, {"State", TABLE_LEFT}};
    struct table t;

    table_init(&t, columns, 3);
    table_text(&t, "a-long-name");
    table_u32(&t, 7);
    table_text(&t, "r");
    table_text(&t, "b");
    table_u32(&t, 12345);
    table_text(&t, "blocked");
    check_table(&t, 0,
                "Name           ID State\n"
                "a-long-name     7 r\n"
                "b           12345 blocked\n");
    table_dispose(&t);
}
END_TEST

START_TEST(no_line_ends_in_blanks)
{
    static const struct table_column columns[] = {{"", TABLE_LEFT}, {"", TABLE_LEFT}};
    struct table t;

    table_init(&t, columns, 2);
    table_text(&t, "wide cell");
    table_text(&t, "x");
    table_text(&t, "n");
    table_text(&t, "%s", "");
    check_table(&t, 2, "  wide cell x\n  n\n");
    table_dispose(&t);
}
END_TEST

START_TEST(what_is_not_known_is_a_dash)
{
    static const struct table_column columns[] = {{"", TABLE_RIGHT}, {"", TABLE_RIGHT}};
    struct table t;

    table_init(&t, columns, 2);
    table_pct(&t, false, 0.5);
    table_pct(&t, true, 0.125);
    table_mib(&t, false, 1024);
    table_mib(&t, true, 2048);
    table_u32(&t, XLP_UNKNOWN);
    table_u32(&t, 0);
    check_table(&t, 0, "- 12.5\n-    2\n-    0\n");
    table_dispose(&t);
}
END_TEST

CHECK_CASE(columns, columns_are_as_wide_as_their_widest_cell, no_line_ends_in_blanks,
           what_is_not_known_is_a_dash)

/* ---- times ---- */

START_TEST(times_take_a_unit)
{
    static const struct {
        const char *text;
        double seconds;
    } good[] = {{"90s", 90}, {"5m", 300}, {"2h", 7200}, {"1d", 86400}};
    double seconds;

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        ck_assert_int_eq(when_parse(good[i].text, &seconds), 0);
        ck_assert_double_eq(seconds, good[i].seconds);
    }
}
END_TEST

START_TEST(anything_else_is_no_time)
{
    static const char *const bad[] = {"",   "0",  "90",  "s",   "-5",         "5x",        "5mm",
                                      "5 ", " 5", "1.5", "0x5", "9999999999", "999999999d"};
    double seconds = 42;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(when_parse(bad[i], &seconds) == -1, "\"%s\" was taken", bad[i]);
    ck_assert_double_eq(seconds, 42);
}
END_TEST

START_TEST(what_takes_less_than_a_second_is_told_in_parts_of_it)
{
    char text[WHEN_TEXT_SIZE];

    ck_assert_str_eq(when_format_short(27.3e-6, text), "27.3 µs");
    ck_assert_str_eq(when_format_short(0.5, text), "500 ms");
    ck_assert_str_eq(when_format_short(1, text), "1 s");
}
END_TEST

START_TEST(spans_are_told_in_two_units)
{
    char text[WHEN_TEXT_SIZE];

    ck_assert_str_eq(when_format_span(59.9, text), "59 s");
    ck_assert_str_eq(when_format_span(185, text), "3 min 5 s");
    ck_assert_str_eq(when_format_span(7800, text), "2 h 10 min");
    ck_assert_str_eq(when_format_span(4 * 86400 + 3700, text), "4 d 1 h");
    ck_assert_str_eq(when_format_span(-1, text), "0 s");
}
END_TEST

CHECK_CASE(times, times_take_a_unit, anything_else_is_no_time,
           what_takes_less_than_a_second_is_told_in_parts_of_it, spans_are_told_in_two_units)

/* ---- series ---- */

#define SECOND UINT64_C(1000000000)

/* Two pCPUs and one guest with one vCPU, pinned to that pCPU, seen on it. */
static void fill(struct xlp_snapshot *s, uint64_t time_s, uint32_t pin, uint64_t idle0_ns,
                 uint64_t idle1_ns, uint64_t ran_ns)
{
    struct xlp_cpumap map = xlp_cpumap_of(pin), all = xlp_cpumap_all();
    struct xlp_vcpu *vcpu;

    xlp_snapshot_reset(s);
    s->time_ns = time_s * SECOND;
    *xlp_snapshot_add_pcpu(s) = (struct xlp_pcpu){.id = 0, .online = true, .idle_ns = idle0_ns};
    *xlp_snapshot_add_pcpu(s) = (struct xlp_pcpu){.id = 1, .online = true, .idle_ns = idle1_ns};
    struct xlp_domain *d = xlp_snapshot_add_domain(s);
    d->domid = 1;
    memcpy(d->name, "vm1", 4);
    d->memory.actual_kib = d->memory.target_kib = 1024;
    vcpu = xlp_snapshot_add_vcpu(s);
    vcpu->online = true;
    vcpu->pcpu = pin;
    vcpu->cpu_time_ns = ran_ns;
    vcpu->hard = xlp_snapshot_intern(s, &map);
    vcpu->soft = xlp_snapshot_intern(s, &all);
}

static struct xlp_snapshot snapshot;
static struct series series;

static void set_up(void)
{
    xlp_snapshot_init(&snapshot);
    series_init(&series);
}

static void tear_down(void)
{
    xlp_snapshot_dispose(&snapshot);
    series_dispose(&series);
}

static void add(uint64_t time_s, uint32_t pin, uint64_t idle0_ns, uint64_t idle1_ns,
                uint64_t ran_ns)
{
    fill(&snapshot, time_s, pin, idle0_ns, idle1_ns, ran_ns);
    ck_assert_int_eq(series_add(&series, &snapshot), 0);
}

START_TEST(busy_is_what_was_not_idle)
{
    add(10, 0, 0, 0, 0);
    add(12, 0, SECOND, 2 * SECOND, SECOND);
    ck_assert_uint_eq(series.tick_count, 2);
    ck_assert(isnan(series.ticks[0].busy[0]));
    ck_assert_double_eq_tol(series.ticks[1].busy[0], 0.5, 1e-9);
    ck_assert_double_eq_tol(series.ticks[1].busy[1], 0, 1e-9);
    ck_assert_double_eq_tol(series.ticks[1].shares[0], 0.5, 1e-9);
    ck_assert_double_eq_tol(series.ticks[1].time_s, 2, 1e-9);
}
END_TEST

START_TEST(guests_never_use_more_than_the_pcpu_was_busy)
{
    add(10, 0, 0, 0, 0);
    /* It ran for a second, but half of that elsewhere: pCPU 0 was only busy for half of one. */
    add(11, 0, SECOND / 2, SECOND / 2, SECOND);
    ck_assert_double_eq_tol(series.ticks[1].shares[0], 0.5, 1e-9);
}
END_TEST

START_TEST(a_pcpu_that_was_offline_is_not_known_for_a_tick)
{
    add(10, 0, 0, 0, 0);
    fill(&snapshot, 11, 0, SECOND, 0, 0);
    snapshot.pcpus[1].online = false;
    ck_assert_int_eq(series_add(&series, &snapshot), 0);
    add(12, 0, 2 * SECOND, 0, 0);
    add(13, 0, 3 * SECOND, 0, 0);
    ck_assert(isnan(series.ticks[1].busy[1]));
    ck_assert(isnan(series.ticks[2].busy[1]));
    ck_assert_double_eq_tol(series.ticks[3].busy[1], 1, 1e-9);
}
END_TEST

START_TEST(a_new_pin_is_a_move_in_the_tick_before)
{
    add(10, 0, 0, 0, 0);
    add(11, 0, 0, 0, 0);
    add(12, 1, 0, 0, 0);
    add(13, 1, 0, 0, 0);
    ck_assert_uint_eq(series.move_count, 1);
    ck_assert_uint_eq(series.moves[0].tick, 1);
    ck_assert_uint_eq(series.moves[0].to, 1);
}
END_TEST

START_TEST(a_guest_that_is_rebooted_stays_one_guest)
{
    add(10, 0, 0, 0, 7 * SECOND);
    fill(&snapshot, 11, 0, 0, 0, 0);
    snapshot.domains[0].domid = 2;
    ck_assert_int_eq(series_add(&series, &snapshot), 0);
    ck_assert_uint_eq(series.guest_count, 1);
    /* Its run time began anew: nothing can be said of this tick. */
    ck_assert_double_eq(series.ticks[1].shares[0], 0);
}
END_TEST

START_TEST(a_snapshot_out_of_order_is_left_out)
{
    add(10, 0, 0, 0, 0);
    add(10, 0, 0, 0, 0);
    add(9, 0, 0, 0, 0);
    ck_assert_uint_eq(series.tick_count, 1);
}
END_TEST

static TCase *numbers(void)
{
    TCase *tcase = tcase_create("numbers");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, busy_is_what_was_not_idle);
    tcase_add_test(tcase, guests_never_use_more_than_the_pcpu_was_busy);
    tcase_add_test(tcase, a_pcpu_that_was_offline_is_not_known_for_a_tick);
    tcase_add_test(tcase, a_new_pin_is_a_move_in_the_tick_before);
    tcase_add_test(tcase, a_guest_that_is_rebooted_stays_one_guest);
    tcase_add_test(tcase, a_snapshot_out_of_order_is_left_out);
    return tcase;
}

/* ---- verdicts ---- */

static bool begins_with(const char *text, const char *beginning)
{
    return strncmp(text, beginning, strlen(beginning)) == 0;
}

/* `list` goes by the code and `why` prints the sentence: they must not contradict each other. */
START_TEST(hands_off_is_what_the_sentence_says)
{
    struct xlp_reason reason = {.code = (enum xlp_reason_code)_i};
    char text[512];

    xlp_reason_format(&reason, text, sizeof(text));
    ck_assert_msg(xlp_reason_is_hands_off(reason.code) ==
                      (begins_with(text, "not managed:") || begins_with(text, "not touched:") ||
                       begins_with(text, "left to Xen:")),
                  "%s: %s", xlp_reason_name(reason.code), text);
}
END_TEST

static TCase *verdicts(void)
{
    TCase *tcase = tcase_create("verdicts");

    tcase_add_loop_test(tcase, hands_off_is_what_the_sentence_says, 0, XLP_REASON_COUNT);
    return tcase;
}

CHECK_MAIN("tools", columns, times, numbers, verdicts)
