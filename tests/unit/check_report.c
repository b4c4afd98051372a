/* SPDX-License-Identifier: LGPL-2.1-only */
/* What guests say about their memory: the three parsers, and what they must refuse. */
#include "check_main.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "memory/report.h"

/* The tests write reports as string literals; the parsers never see the NUL. */
static int parse(const char *text, struct xlp_mem_report *report_out)
{
    return xlp_report_parse_agent(text, strlen(text), report_out);
}

static int parse_qubes(const char *text, int64_t total_kib, struct xlp_mem_report *report_out)
{
    return xlp_report_parse_qubes(text, strlen(text), total_kib, report_out);
}

static int parse_xenserver(const char *total, const char *free, struct xlp_mem_report *report_out)
{
    return xlp_report_parse_xenserver(total, strlen(total), free, strlen(free), report_out);
}

static void expect(const char *text, int error)
{
    struct xlp_mem_report report;
    int rc = parse(text, &report);

    ck_assert_msg(rc == error, "\"%s\": %s, expected: %s", text, xlp_report_error_text(rc),
                  xlp_report_error_text(error));
}

/* A report of exactly this length, padded with a key that nobody knows. */
static void make_report_of_length(char *text, size_t len)
{
    static const char start[] = "1 seq=1 total=2 avail=1 padding=";

    memset(text, 'x', len);
    memcpy(text, start, sizeof(start) - 1);
}

START_TEST(a_full_report_gives_every_field)
{
    struct xlp_mem_report r = {0};

    ck_assert_int_eq(parse("1 seq=17 total=204924 avail=150000 free=120000 swap_total=1000 "
                           "swap_used=900 pswpin=1 pswpout=2 refault_anon=3 refault_file=12 "
                           "psi_some_avg10=125 psi_full_avg10=10000 psi_some_us=99 psi_full_us=98 "
                           "oom_kill=7",
                           &r),
                     0);
    ck_assert_int_eq(r.source, XLP_REPORT_AGENT);
    ck_assert_uint_eq(r.seq, 17);
    ck_assert_int_eq(r.total_kib, 204924);
    ck_assert_int_eq(r.avail_kib, 150000);
    ck_assert_int_eq(r.free_kib, 120000);
    ck_assert_int_eq(r.swap_total_kib, 1000);
    ck_assert_int_eq(r.swap_used_kib, 900);
    ck_assert_uint_eq(r.pswpin, 1);
    ck_assert_uint_eq(r.pswpout, 2);
    ck_assert_uint_eq(r.refault_anon, 3);
    ck_assert_uint_eq(r.refault_file, 12);
    ck_assert_uint_eq(r.psi_some_avg10_centipct, 125);
    ck_assert_uint_eq(r.psi_full_avg10_centipct, 10000);
    ck_assert_uint_eq(r.psi_some_us, 99);
    ck_assert_uint_eq(r.psi_full_us, 98);
    ck_assert_uint_eq(r.oom_kill, 7);
}
END_TEST

START_TEST(what_an_agent_leaves_out_is_zero)
{
    struct xlp_mem_report r;

    memset(&r, 0xff, sizeof(r));
    ck_assert_int_eq(parse("1 avail=0 total=1 seq=0", &r), 0);
    ck_assert_uint_eq(r.seq, 0);
    ck_assert_int_eq(r.total_kib, 1);
    ck_assert_int_eq(r.avail_kib, 0);
    ck_assert_int_eq(r.free_kib, 0);
    ck_assert_int_eq(r.swap_total_kib, 0);
    ck_assert_int_eq(r.swap_used_kib, 0);
    ck_assert_uint_eq(r.pswpin | r.pswpout | r.refault_anon | r.refault_file | r.oom_kill, 0);
    ck_assert_uint_eq(r.psi_some_avg10_centipct | r.psi_full_avg10_centipct, 0);
    ck_assert_uint_eq(r.psi_some_us | r.psi_full_us, 0);
}
END_TEST

START_TEST(unknown_keys_are_ignored)
{
    expect("1 seq=1 colour=blue total=2 x= avail=1 colour=red y=a=b", 0);
}
END_TEST

START_TEST(a_known_key_appears_once)
{
    expect("1 seq=1 total=2 avail=1 seq=1", XLP_REPORT_E_DUPLICATE);
    expect("1 seq=1 total=2 avail=1 oom_kill=0 oom_kill=0", XLP_REPORT_E_DUPLICATE);
}
END_TEST

START_TEST(seq_total_and_avail_are_required)
{
    expect("1 total=2 avail=1", XLP_REPORT_E_MISSING);
    expect("1 seq=1 avail=1", XLP_REPORT_E_MISSING);
    expect("1 seq=1 total=2", XLP_REPORT_E_MISSING);
    expect("1", XLP_REPORT_E_MISSING);
}
END_TEST

START_TEST(another_version_is_refused)
{
    expect("2 seq=1 total=2 avail=1", XLP_REPORT_E_VERSION);
    expect("11 seq=1 total=2 avail=1", XLP_REPORT_E_VERSION);
    expect("seq=1 total=2 avail=1", XLP_REPORT_E_VERSION);
    expect(" 1 seq=1 total=2 avail=1", XLP_REPORT_E_VERSION);
}
END_TEST

START_TEST(tokens_are_key_and_value_with_single_spaces)
{
    expect("1 seq=1 total=2  avail=1", XLP_REPORT_E_SYNTAX);
    expect("1 seq=1 total=2 avail=1 ", XLP_REPORT_E_SYNTAX);
    expect("1 seq=1 total=2 avail=1 word", XLP_REPORT_E_SYNTAX);
    expect("1 seq=1 total=2 avail=1 =3", XLP_REPORT_E_SYNTAX);
}
END_TEST

START_TEST(numbers_have_one_spelling)
{
    static const char *const wrong[] = {
        "", "-1", "+1", "0x1", "01", "00", "1.0", "1k", "1e3", "1,", "=1",
    };
    char text[64];

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        snprintf(text, sizeof(text), "1 seq=%s total=2 avail=1", wrong[i]);
        expect(text, XLP_REPORT_E_NUMBER);
    }
    expect("1 seq=1 total= 2 avail=1", XLP_REPORT_E_NUMBER);
}
END_TEST

START_TEST(counters_take_all_of_64_bits_and_no_more)
{
    struct xlp_mem_report r;

    ck_assert_int_eq(parse("1 seq=18446744073709551615 total=2 avail=1", &r), 0);
    ck_assert_uint_eq(r.seq, UINT64_MAX);
    expect("1 seq=18446744073709551616 total=2 avail=1", XLP_REPORT_E_RANGE);
    expect("1 seq=18446744073709551620 total=2 avail=1", XLP_REPORT_E_RANGE);
    expect("1 seq=99999999999999999999 total=2 avail=1", XLP_REPORT_E_RANGE);
    expect("1 seq=100000000000000000000000000000000000000 total=2 avail=1", XLP_REPORT_E_RANGE);
}
END_TEST

START_TEST(memory_is_bounded)
{
    struct xlp_mem_report r;

    ck_assert_int_eq(parse("1 seq=1 total=17592186044416 avail=17592186044416", &r), 0);
    ck_assert_int_eq(r.total_kib, XLP_REPORT_MAX_MEMORY_KIB);
    expect("1 seq=1 total=17592186044417 avail=1", XLP_REPORT_E_RANGE);
    expect("1 seq=1 total=1 avail=1 swap_total=17592186044417", XLP_REPORT_E_RANGE);
    expect("1 seq=1 total=0 avail=0", XLP_REPORT_E_RANGE);
}
END_TEST

START_TEST(pressure_is_at_most_100_percent)
{
    expect("1 seq=1 total=2 avail=1 psi_some_avg10=10000", 0);
    expect("1 seq=1 total=2 avail=1 psi_some_avg10=10001", XLP_REPORT_E_RANGE);
    expect("1 seq=1 total=2 avail=1 psi_full_avg10=10001", XLP_REPORT_E_RANGE);
}
END_TEST

START_TEST(a_part_is_not_larger_than_the_whole)
{
    expect("1 seq=1 total=2 avail=2 free=2 swap_total=1 swap_used=1", 0);
    expect("1 seq=1 total=2 avail=3", XLP_REPORT_E_INCONSISTENT);
    expect("1 seq=1 total=2 avail=1 free=3", XLP_REPORT_E_INCONSISTENT);
    expect("1 seq=1 total=2 avail=1 swap_total=1 swap_used=2", XLP_REPORT_E_INCONSISTENT);
    expect("1 seq=1 total=2 avail=1 swap_used=1", XLP_REPORT_E_INCONSISTENT);
}
END_TEST

START_TEST(only_printable_ascii_is_accepted)
{
    static const char rest[] = "1 seq=1 total=2 avail=1 k=";
    char text[sizeof(rest)];
    struct xlp_mem_report r;

    for (int byte = 0; byte < 256; byte++) {
        int printable = byte >= 0x20 && byte <= 0x7e;

        memcpy(text, rest, sizeof(rest));
        text[sizeof(rest) - 1] = (char)byte;
        /* A blank ends the token, and leaves an empty one behind it. */
        int expected = !printable    ? XLP_REPORT_E_NOT_PRINTABLE
                       : byte == ' ' ? XLP_REPORT_E_SYNTAX
                                     : 0;
        ck_assert_msg(xlp_report_parse_agent(text, sizeof(text), &r) == expected, "byte %d", byte);
    }
}
END_TEST

START_TEST(the_length_is_bounded)
{
    char text[XLP_REPORT_MAX_LEN + 1];
    struct xlp_mem_report r;

    make_report_of_length(text, sizeof(text));
    ck_assert_int_eq(xlp_report_parse_agent(text, XLP_REPORT_MAX_LEN, &r), 0);
    ck_assert_int_eq(xlp_report_parse_agent(text, sizeof(text), &r), XLP_REPORT_E_TOO_LONG);
    ck_assert_int_eq(xlp_report_parse_agent(text, 0, &r), XLP_REPORT_E_EMPTY);
    ck_assert_int_eq(xlp_report_parse_agent(NULL, 0, &r), XLP_REPORT_E_EMPTY);
}
END_TEST

/* Every prefix of a report, placed so that the byte behind it faults when it is touched. */
START_TEST(nothing_is_read_past_the_length)
{
    static const char text[] = "1 seq=17 total=204924 avail=150000 free=120000 psi_some_us=99";
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct xlp_mem_report r;

    ck_assert_ptr_ne(pages, MAP_FAILED);
    ck_assert_int_eq(mprotect(pages + page, page, PROT_NONE), 0);
    for (size_t len = 1; len < sizeof(text); len++) {
        char *at = pages + page - len;

        memcpy(at, text, len);
        xlp_report_parse_agent(at, len, &r);
        xlp_report_parse_qubes(at, len, 1000, &r);
        xlp_report_parse_xenserver(at, len, at, len, &r);
    }
    ck_assert_int_eq(
        xlp_report_parse_agent(pages + page - (sizeof(text) - 1), sizeof(text) - 1, &r), 0);
    munmap(pages, 2 * page);
}
END_TEST

START_TEST(a_refused_report_leaves_the_output_alone)
{
    struct xlp_mem_report before;
    struct xlp_mem_report r;

    memset(&before, 0x5a, sizeof(before));
    memcpy(&r, &before, sizeof(r));
    ck_assert_int_lt(parse("1 seq=1 total=2 avail=3", &r), 0);
    ck_assert_int_lt(parse("1 seq=1 total=2 avail=1 seq=2", &r), 0);
    ck_assert_int_lt(parse_qubes("1x", 100, &r), 0);
    ck_assert_int_lt(parse_xenserver("100", "101", &r), 0);
    ck_assert_mem_eq(&r, &before, sizeof(r));
}
END_TEST

START_TEST(qubes_used_is_taken_from_the_total)
{
    struct xlp_mem_report r;

    memset(&r, 0xff, sizeof(r));
    ck_assert_int_eq(parse_qubes("300000", 400000, &r), 0);
    ck_assert_int_eq(r.source, XLP_REPORT_QUBES);
    ck_assert_int_eq(r.total_kib, 400000);
    ck_assert_int_eq(r.avail_kib, 100000);
    ck_assert_int_eq(r.free_kib, 100000);
    ck_assert_int_eq(r.swap_total_kib, 0);
    ck_assert_int_eq(r.swap_used_kib, 0);
    ck_assert_uint_eq(r.seq | r.pswpin | r.psi_some_us | r.oom_kill, 0);
}
END_TEST

START_TEST(qubes_used_beyond_the_total_is_swap)
{
    struct xlp_mem_report r;

    ck_assert_int_eq(parse_qubes("450000", 400000, &r), 0);
    ck_assert_int_eq(r.avail_kib, 0);
    ck_assert_int_eq(r.swap_used_kib, 50000);
    ck_assert_int_eq(r.swap_total_kib, 50000);
}
END_TEST

START_TEST(qubes_report_is_one_bounded_number)
{
    struct xlp_mem_report r;

    ck_assert_int_eq(parse_qubes("", 100, &r), XLP_REPORT_E_EMPTY);
    ck_assert_int_eq(parse_qubes("12 ", 100, &r), XLP_REPORT_E_NUMBER);
    ck_assert_int_eq(parse_qubes("-12", 100, &r), XLP_REPORT_E_NUMBER);
    ck_assert_int_eq(parse_qubes("12\n", 100, &r), XLP_REPORT_E_NOT_PRINTABLE);
    ck_assert_int_eq(parse_qubes("17592186044417", 100, &r), XLP_REPORT_E_RANGE);
    ck_assert_int_eq(parse_qubes("MemTotal: 1 kB", 100, &r), XLP_REPORT_E_NUMBER);
}
END_TEST

START_TEST(qubes_total_from_the_caller_is_checked)
{
    struct xlp_mem_report r;

    ck_assert_int_eq(parse_qubes("1", 0, &r), XLP_REPORT_E_RANGE);
    ck_assert_int_eq(parse_qubes("1", -1, &r), XLP_REPORT_E_RANGE);
    ck_assert_int_eq(parse_qubes("1", INT64_MAX, &r), XLP_REPORT_E_RANGE);
    ck_assert_int_eq(parse_qubes("1", XLP_REPORT_MAX_MEMORY_KIB, &r), 0);
}
END_TEST

START_TEST(xenserver_free_is_all_that_is_available)
{
    struct xlp_mem_report r;

    memset(&r, 0xff, sizeof(r));
    ck_assert_int_eq(parse_xenserver("400000", "100000", &r), 0);
    ck_assert_int_eq(r.source, XLP_REPORT_XENSERVER);
    ck_assert_int_eq(r.total_kib, 400000);
    ck_assert_int_eq(r.avail_kib, 100000);
    ck_assert_int_eq(r.free_kib, 100000);
    ck_assert_int_eq(r.swap_total_kib, 0);
    ck_assert_uint_eq(r.seq | r.pswpin | r.psi_some_us | r.oom_kill, 0);
}
END_TEST

START_TEST(xenserver_numbers_are_both_checked)
{
    struct xlp_mem_report r;

    ck_assert_int_eq(parse_xenserver("", "1", &r), XLP_REPORT_E_EMPTY);
    ck_assert_int_eq(parse_xenserver("1", "", &r), XLP_REPORT_E_EMPTY);
    ck_assert_int_eq(parse_xenserver("0", "0", &r), XLP_REPORT_E_RANGE);
    ck_assert_int_eq(parse_xenserver("1 ", "1", &r), XLP_REPORT_E_NUMBER);
    ck_assert_int_eq(parse_xenserver("1", "x", &r), XLP_REPORT_E_NUMBER);
    ck_assert_int_eq(parse_xenserver("17592186044417", "1", &r), XLP_REPORT_E_RANGE);
    ck_assert_int_eq(parse_xenserver("1", "2", &r), XLP_REPORT_E_INCONSISTENT);
}
END_TEST

START_TEST(every_error_has_its_own_text)
{
    for (int a = 0; a >= XLP_REPORT_E_INCONSISTENT; a--) {
        ck_assert_str_ne(xlp_report_error_text(a), xlp_report_error_text(1));
        for (int b = 0; b > a; b--)
            ck_assert_str_ne(xlp_report_error_text(a), xlp_report_error_text(b));
    }
    ck_assert_str_eq(xlp_report_error_text(INT32_MIN), xlp_report_error_text(1));
}
END_TEST

CHECK_CASE(agent, a_full_report_gives_every_field, what_an_agent_leaves_out_is_zero,
           unknown_keys_are_ignored, a_known_key_appears_once, seq_total_and_avail_are_required,
           another_version_is_refused, tokens_are_key_and_value_with_single_spaces,
           numbers_have_one_spelling, counters_take_all_of_64_bits_and_no_more, memory_is_bounded,
           pressure_is_at_most_100_percent, a_part_is_not_larger_than_the_whole)
CHECK_CASE(bytes, only_printable_ascii_is_accepted, the_length_is_bounded,
           nothing_is_read_past_the_length, a_refused_report_leaves_the_output_alone,
           every_error_has_its_own_text)
CHECK_CASE(qubes, qubes_used_is_taken_from_the_total, qubes_used_beyond_the_total_is_swap,
           qubes_report_is_one_bounded_number, qubes_total_from_the_caller_is_checked)
CHECK_CASE(xenserver, xenserver_free_is_all_that_is_available, xenserver_numbers_are_both_checked)
CHECK_MAIN("report", agent, bytes, qubes, xenserver)
