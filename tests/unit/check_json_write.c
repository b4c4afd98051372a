/* SPDX-License-Identifier: LGPL-2.1-only */
/* Writing JSON: text that any parser reads, and that reads back as what was meant. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "check_main.h"
#include "json/json.h"

static char error[256];

static struct xlp_json *parse(const char *text)
{
    return xlp_json_parse(text, strlen(text), 100000, error, sizeof(error));
}

static void assert_is_json(const char *text)
{
    struct xlp_json *root = parse(text);

    ck_assert_msg(root, "%s: %s", text, error);
    xlp_json_free(root);
}

static const char *written_double(struct xlp_json_writer *w, double value)
{
    xlp_json_writer_reset(w);
    xlp_json_write_double(w, value);
    return xlp_json_text(w, NULL);
}

START_TEST(doubles_are_the_shortest_that_read_back)
{
    struct xlp_json_writer *w = xlp_json_writer_new(false);

    ck_assert_str_eq(written_double(w, 0.1), "0.1");
    ck_assert_str_eq(written_double(w, -2), "-2");
    ck_assert_str_eq(written_double(w, 0.1 + 0.2), "0.30000000000000004");
    ck_assert_str_eq(written_double(w, 1.0 / 3), "0.3333333333333333");
    ck_assert_str_eq(written_double(w, 1e22), "1e+22");
    xlp_json_writer_free(w);
}
END_TEST

START_TEST(any_double_reads_back_as_itself)
{
    static const double edges[] = {0,        -0.0,        DBL_MIN, DBL_MAX,
                                   -DBL_MAX, DBL_EPSILON, 5e-324,  0x1p53};
    struct xlp_json_writer *w = xlp_json_writer_new(false);
    uint64_t random = 88172645463325252;

    for (size_t i = 0; i < 20000; i++) {
        double value;

        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        memcpy(&value, &random, sizeof(value));
        if (i < sizeof(edges) / sizeof(edges[0]))
            value = edges[i];
        if (!isfinite(value))
            continue;
        const char *text = written_double(w, value);
        struct xlp_json *v = parse(text);
        ck_assert_msg(v, "%s: %s", text, error);
        double again = xlp_json_double(v);
        ck_assert_msg(memcmp(&again, &value, sizeof(value)) == 0, "%s", text);
        xlp_json_free(v);
    }
    xlp_json_writer_free(w);
}
END_TEST

START_TEST(what_json_has_no_word_for_fails_the_writer)
{
    struct xlp_json_writer *w = xlp_json_writer_new(false);

    ck_assert_ptr_null(written_double(w, NAN));
    ck_assert_ptr_null(written_double(w, INFINITY));
    xlp_json_write_int(w, 1);
    ck_assert_ptr_null(xlp_json_text(w, NULL)); /* until it is reset */
    ck_assert_str_eq(written_double(w, 1), "1");

    xlp_json_writer_reset(w);
    xlp_json_open_object(w);
    xlp_json_write_int(w, 1); /* not a key */
    ck_assert_ptr_null(xlp_json_text(w, NULL));
    xlp_json_writer_free(w);
}
END_TEST

static void write_sample(struct xlp_json_writer *w)
{
    xlp_json_open_object(w);
    xlp_json_put_int(w, "low", INT64_MIN);
    xlp_json_put_u64(w, "high", UINT64_MAX);
    xlp_json_put_bool(w, "yes", true);
    xlp_json_put_string(w, "text", "a\"\\/\n\x01\x7f\xc3\xa9");
    xlp_json_put_string(w, "stray",
                        "a\xff\xc3"
                        "b\xe2\x82");
    xlp_json_write_key(w, "list");
    xlp_json_open_array(w);
    xlp_json_write_null(w);
    xlp_json_open_array(w);
    xlp_json_close_array(w);
    xlp_json_close_array(w);
    xlp_json_close_object(w);
}

START_TEST(text_is_escaped_and_stray_bytes_replaced)
{
    struct xlp_json_writer *w = xlp_json_writer_new(false);
    size_t length;

    write_sample(w);
    const char *text = xlp_json_text(w, &length);
    ck_assert_str_eq(text, "{\"low\":-9223372036854775808,\"high\":18446744073709551615,"
                           "\"yes\":true,\"text\":\"a\\\"\\\\/\\n\\u0001\x7f\xc3\xa9\","
                           "\"stray\":\"a??b??\",\"list\":[null,[]]}");
    ck_assert_uint_eq(length, strlen(text));
    assert_is_json(text);
    xlp_json_writer_free(w);
}
END_TEST

START_TEST(beautified_text_says_the_same_on_many_lines)
{
    struct xlp_json_writer *w = xlp_json_writer_new(true);

    write_sample(w);
    const char *text = xlp_json_text(w, NULL);
    ck_assert_ptr_nonnull(strstr(text, "{\n  \"low\": -9223372036854775808,\n  \"high\": "));
    assert_is_json(text);
    xlp_json_writer_free(w);
}
END_TEST

START_TEST(a_writer_starts_over_after_reset)
{
    struct xlp_json_writer *w = xlp_json_writer_new(false);

    ck_assert_str_eq(xlp_json_text(w, NULL), "");
    for (int i = 0; i < 1000; i++) { /* more than its first buffer holds */
        xlp_json_writer_reset(w);
        xlp_json_open_array(w);
        for (int k = 0; k < i; k++)
            xlp_json_write_string(w, "0123456789");
        xlp_json_close_array(w);
        ck_assert_uint_eq(strlen(xlp_json_text(w, NULL)), i == 0 ? 2 : 1 + 13 * (size_t)i);
    }
    xlp_json_writer_reset(w);
    xlp_json_open_array(w);
    xlp_json_writer_reset(w);
    xlp_json_write_int(w, 1);
    ck_assert_str_eq(xlp_json_text(w, NULL), "1");
    xlp_json_writer_free(w);
}
END_TEST

CHECK_CASE(doubles, doubles_are_the_shortest_that_read_back, any_double_reads_back_as_itself,
           what_json_has_no_word_for_fails_the_writer)
CHECK_CASE(text, text_is_escaped_and_stray_bytes_replaced,
           beautified_text_says_the_same_on_many_lines, a_writer_starts_over_after_reset)
CHECK_MAIN("json_write", doubles, text)
