/* SPDX-License-Identifier: LGPL-2.1-only */
/* Reading JSON: the strict parser, and the reader that goes by keys. */
#include <math.h>
#include <string.h>

#include "check_main.h"
#include "json/json.h"

static char error[256];

static struct xlp_json *parse(const char *text)
{
    return xlp_json_parse(text, strlen(text), 100000, error, sizeof(error));
}

/* The error for this text; "accepted" when there is none. */
static const char *refusal_of(const char *text, size_t length)
{
    struct xlp_json *root = xlp_json_parse(text, length, 100000, error, sizeof(error));

    xlp_json_free(root);
    return root ? "accepted" : error;
}

#define REFUSAL(text) refusal_of(text, sizeof(text) - 1)

/* ---- the tree ---- */

START_TEST(values_of_every_kind_are_read)
{
    struct xlp_json *root = parse("{\"a\": [null, true, false, -1.5, \"x\\n\\u00e9\"], \"b\": {}}");
    ck_assert_ptr_nonnull(root);

    const struct xlp_json *a = xlp_json_get(root, "a");
    ck_assert_int_eq(xlp_json_kind(root), XLP_JSON_OBJECT);
    ck_assert_uint_eq(xlp_json_count(root), 2);
    ck_assert_str_eq(xlp_json_key(root, 1), "b");
    ck_assert_ptr_eq(xlp_json_at(root, 0), a);
    ck_assert_ptr_null(xlp_json_get(root, "c"));
    ck_assert_ptr_null(xlp_json_get(a, "a"));

    ck_assert_uint_eq(xlp_json_count(a), 5);
    ck_assert_ptr_null(xlp_json_at(a, 5));
    ck_assert_int_eq(xlp_json_kind(xlp_json_at(a, 0)), XLP_JSON_NULL);
    ck_assert_int_eq(xlp_json_kind(xlp_json_at(a, 1)), XLP_JSON_BOOL);
    ck_assert_double_eq(xlp_json_double(xlp_json_at(a, 1)), 1);
    ck_assert_double_eq(xlp_json_double(xlp_json_at(a, 2)), 0);
    ck_assert_double_eq(xlp_json_double(xlp_json_at(a, 3)), -1.5);
    ck_assert_str_eq(xlp_json_string(xlp_json_at(a, 4)), "x\n\xc3\xa9");
    ck_assert_ptr_null(xlp_json_string(xlp_json_at(a, 3)));
    ck_assert_uint_eq(xlp_json_count(xlp_json_get(root, "b")), 0);
    xlp_json_free(root);
}
END_TEST

START_TEST(a_value_stands_where_its_token_begins)
{
    static const struct {
        const char *text;
        unsigned int line, column; /* of the last element */
    } cases[] = {
        {"[1]", 1, 2},
        {"[1,2]", 1, 4},
        {"[ 1 ,\t2 ]", 1, 7},
        {"[1,\n  \"a\"]", 2, 3},
        {"[1,\r\n2]", 2, 1},
        {"[\"\\u00e9\\n\", null]", 1, 14},
        {"[\"\xc3\xa9\xe2\x82\xac\", true]", 1, 8}, /* columns are characters */
        {"[[1, 2], [3]]", 1, 10},
        {"[\"a,b: [\", {\"x\" : 1}]", 1, 12},
        {"{\"key\"  :\n -1e5}", 2, 2},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct xlp_json *root = parse(cases[i].text);
        ck_assert_msg(root, "%s: %s", cases[i].text, error);

        const struct xlp_json *last = xlp_json_at(root, xlp_json_count(root) - 1);
        ck_assert_msg(
            xlp_json_line(last) == cases[i].line && xlp_json_column(last) == cases[i].column,
            "%s: line %u, column %u", cases[i].text, xlp_json_line(last), xlp_json_column(last));
        xlp_json_free(root);
    }
}
END_TEST

/* ---- what is refused ---- */

START_TEST(an_error_stands_at_the_token_that_is_wrong)
{
    static const struct {
        const char *text, *where;
    } cases[] = {
        {"", "line 1, column 1: "},
        {" \n ", "line 2, column 2: "},
        {"[1,,2]", "line 1, column 4: "},
        {"[1, ,2]", "line 1, column 5: "},
        {"[1 2]", "line 1, column 4: "},
        {"[1,\n 01]", "line 2, column 3: "},
        {"[1,\n x]", "line 2, column 2: "},
        {"[1, nul]", "line 1, column 5: "},
        {"[1, -]", "line 1, column 5: "},
        {"[1, 1.]", "line 1, column 5: "},
        {"[1, .5]", "line 1, column 5: "},
        {"[1, +5]", "line 1, column 5: "},
        {"[1}", "line 1, column 3: "},
        {"[1", "line 1, column 3: "},
        {"[\"abc", "line 1, column 2: "},
        {"[\"a, \x01\"]", "line 1, column 2: "},
        {"[1, \"a\\q\"]", "line 1, column 5: "},
        {"[1, \"a\\u12g4\"]", "line 1, column 5: "},
        {"{\"a\" 1}", "line 1, column 6: "},
        {"{\"a\":}", "line 1, column 6: "},
        {"{\"a\",1}", "line 1, column 5: "},
        {"{1:2}", "line 1, column 2: "},
        {"{\"a\":1,}", "line 1, column 8: "},
        {"[1, /* no */ 2]", "line 1, column 5: "},
        {"// no\n1", "line 1, column 1: "},
        {"\xef\xbb\xbf[1]", "line 1, column 1: "},
        {"[1]\n x", "line 2, column 2: "},
        {"[1] 2", "line 1, column 5: "},
        {"1 2", "line 1, column 3: "},
        {"[1]]", "line 1, column 4: "},
        {"NaN", "line 1, column 1: "},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *refusal = refusal_of(cases[i].text, strlen(cases[i].text));

        ck_assert_msg(strncmp(refusal, cases[i].where, strlen(cases[i].where)) == 0, "%s: %s",
                      cases[i].text, refusal);
        ck_assert_msg(!strchr(refusal, '\n'), "%s", refusal);
    }
}
END_TEST

START_TEST(every_beginning_of_a_document_is_refused)
{
    const char text[] = "{\"a\": [1, -2.5e3, \"x\\u00e9\\\\\", null], \"b\": {\"c\": true}}";

    ck_assert_str_eq(refusal_of(text, sizeof(text) - 1), "accepted");
    for (size_t length = 0; length < sizeof(text) - 1; length++)
        ck_assert_str_ne(refusal_of(text, length), "accepted");
}
END_TEST

START_TEST(nesting_is_bounded)
{
    char text[2 * XLP_JSON_DEPTH_MAX + 2];
    size_t deepest = XLP_JSON_DEPTH_MAX;

    memset(text, '[', deepest);
    memset(text + deepest, ']', deepest);
    ck_assert_str_eq(refusal_of(text, 2 * deepest), "accepted");

    memset(text, '[', deepest + 1);
    memset(text + deepest + 1, ']', deepest + 1);
    ck_assert_str_eq(refusal_of(text, 2 * deepest + 2),
                     "line 1, column 33: nested more than 32 deep");
}
END_TEST

START_TEST(the_number_of_values_is_bounded)
{
    const char text[] = "{\"a\": [1, 2], \"b\": 3}"; /* five values: keys are none */
    struct xlp_json *root = xlp_json_parse(text, strlen(text), 5, error, sizeof(error));

    ck_assert_ptr_nonnull(root);
    xlp_json_free(root);
    ck_assert_ptr_null(xlp_json_parse(text, strlen(text), 4, error, sizeof(error)));
    ck_assert_str_eq(error, "line 1, column 20: too many values");
}
END_TEST

START_TEST(a_key_stands_once_in_an_object)
{
    ck_assert_str_eq(REFUSAL("{\"a\": 1,\n \"b\": 2, \"a\": 3, \"b\": 4}"),
                     "line 2, column 10: the key \"a\" stands here a second time");
    ck_assert_str_eq(REFUSAL("[{\"\": 1, \"\\u0061\": 2, \"a\": 3}]"),
                     "line 1, column 23: the key \"a\" stands here a second time");
    ck_assert_str_eq(REFUSAL("{\"\xc3\xa9\\n\": 1, \"\xc3\xa9\\n\": 2}"),
                     "line 1, column 12: the key \"???\" stands here a second time");
    ck_assert_str_eq(REFUSAL("{\"a\": {\"a\": 1}, \"A\": [{\"a\": 1}, {\"a\": 2}]}"), "accepted");
}
END_TEST

START_TEST(strings_are_unicode_without_nul)
{
    ck_assert_str_eq(REFUSAL("[\"\\ud83d\\ude00\", \"\xf0\x9f\x98\x80\", \"\\\\u0000\"]"),
                     "accepted");
    ck_assert_str_eq(REFUSAL("[1, \"a\\u0000b\"]"),
                     "line 1, column 5: a string with \\u0000 in it");
    ck_assert_str_eq(REFUSAL("{\"a\\u0000\": 1}"), "line 1, column 2: a string with \\u0000 in it");
    ck_assert_str_ne(REFUSAL("[\"a\0b\"]"), "accepted");

    static const char *const half[] = {"[\"\\ud800\"]",
                                       "[\"\\udc00\"]",
                                       "[\"\\ud800\\u0041\"]",
                                       "[\"\\ud800\\\\dc00\"]",
                                       "[\"\\ud800\\ud800\\udc00\"]",
                                       "[\"\\udc00\\udc00\"]"};
    for (size_t i = 0; i < sizeof(half) / sizeof(half[0]); i++)
        ck_assert_str_eq(refusal_of(half[i], strlen(half[i])),
                         "line 1, column 2: a string with half a surrogate pair in it");
}
END_TEST

START_TEST(what_is_not_utf8_is_refused_where_it_stands)
{
    static const char *const bad[] = {
        "[\"ab\xff\"]",
        "[\"ab\x80\"]",
        "[\"ab\xc0\x80\"]",
        "[\"ab\xc1\xbf\"]",
        "[\"ab\xe0\x9f\xbf\"]",
        "[\"ab\xed\xa0\x80\"]",
        "[\"ab\xe2\x82\"]",
        "[\"ab\xf0\x8f\xbf\xbf\"]",
        "[\"ab\xf4\x90\x80\x80\"]",
        "[\"ab\xf5\x80\x80\x80\"]",
        "[\"ab\xf0\x9f\x98",
        "[1,2\xe2\x82",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_str_eq(refusal_of(bad[i], strlen(bad[i])),
                         "line 1, column 5: this byte is not UTF-8");
    /* The text ends inside a character, whatever lies behind it in memory. */
    ck_assert_str_eq(refusal_of("[\"ab\xe2\x82\xac", 6),
                     "line 1, column 5: this byte is not UTF-8");
    ck_assert_str_eq(REFUSAL("[\"\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf\xc2\x80\xe0\xa0\x80\"]"),
                     "accepted");
}
END_TEST

/* ---- numbers ---- */

START_TEST(whole_numbers_are_exact_to_the_edges)
{
    static const struct {
        const char *text;
        bool is_int, is_u64;
        int64_t as_int;
        uint64_t as_u64;
    } cases[] = {
        {"0", true, true, 0, 0},
        {"-0", true, true, 0, 0},
        {"-1", true, false, -1, 0},
        {"9007199254740993", true, true, 9007199254740993, 9007199254740993}, /* 2^53 + 1 */
        {"9223372036854775807", true, true, INT64_MAX, INT64_MAX},
        {"9223372036854775808", false, true, 0, UINT64_C(9223372036854775808)},
        {"-9223372036854775808", true, false, INT64_MIN, 0},
        {"-9223372036854775809", false, false, 0, 0},
        {"18446744073709551615", false, true, 0, UINT64_MAX},
        {"18446744073709551616", false, false, 0, 0},
        {"184467440737095516150", false, false, 0, 0},
        {"1.0", false, false, 0, 0},
        {"1e0", false, false, 0, 0},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct xlp_json *v = parse(cases[i].text);
        int64_t as_int = 0;
        uint64_t as_u64 = 0;

        ck_assert_msg(v, "%s: %s", cases[i].text, error);
        ck_assert_msg(xlp_json_int(v, &as_int) == cases[i].is_int && as_int == cases[i].as_int,
                      "%s: %lld", cases[i].text, (long long)as_int);
        ck_assert_msg(xlp_json_u64(v, &as_u64) == cases[i].is_u64 && as_u64 == cases[i].as_u64,
                      "%s: %llu", cases[i].text, (unsigned long long)as_u64);
        xlp_json_free(v);
    }
}
END_TEST

START_TEST(other_numbers_are_the_nearest_double)
{
    static const struct {
        const char *text;
        double value;
    } cases[] = {
        {"0.1", 0.1},         {"1e308", 1e308},
        {"-1.5E-3", -1.5e-3}, {"1e-400", 0},
        {"5e-324", 5e-324},   {"-0.0", -0.0},
        {"-0", -0.0},         {"18446744073709551616", 0x1p64},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct xlp_json *v = parse(cases[i].text);
        double value = v ? xlp_json_double(v) : NAN;

        ck_assert_msg(value == cases[i].value && signbit(value) == signbit(cases[i].value), "%s",
                      cases[i].text);
        xlp_json_free(v);
    }
}
END_TEST

START_TEST(numbers_out_of_range_are_refused)
{
    char digits[600];

    ck_assert_str_eq(REFUSAL("[1e400]"), "line 1, column 2: the number 1e400 is out of range");
    ck_assert_str_eq(REFUSAL("[-1e400]"), "line 1, column 2: the number -1e400 is out of range");
    memset(digits, '1', sizeof(digits));
    ck_assert_str_ne(refusal_of(digits, 310), "accepted");
    ck_assert_str_eq(refusal_of(digits, sizeof(digits)),
                     "line 1, column 1: a number of more than 512 characters");
}
END_TEST

/* ---- by key ---- */

/* What a reader says to this object, which should have an int "n" of 1 to 9 and may have others. */
static const char *read_one(const char *text, int64_t *n_out)
{
    static const char *const known[] = {"n", "u", "d", "b", "s", "a", "o", NULL};
    struct xlp_json *root = parse(text);
    struct xlp_json_reader r;
    uint32_t u = 7;
    double d = 0.5;
    bool b = true;
    const char *s = "unset";

    ck_assert_msg(root, "%s: %s", text, error);
    xlp_json_reader_init(&r, error, sizeof(error));
    xlp_json_check_keys(&r, root, known);
    xlp_json_read_int(&r, root, "n", XLP_JSON_REQUIRED, 1, 9, n_out);
    xlp_json_read_u32(&r, root, "u", XLP_JSON_OPTIONAL, 10, &u);
    xlp_json_read_double(&r, root, "d", XLP_JSON_OPTIONAL, 0, 1, &d);
    xlp_json_read_bool(&r, root, "b", XLP_JSON_OPTIONAL, &b);
    xlp_json_read_string(&r, root, "s", XLP_JSON_OPTIONAL, &s);
    const struct xlp_json *a = xlp_json_read_array(&r, root, "a", XLP_JSON_OPTIONAL);
    const struct xlp_json *o = xlp_json_read_object(&r, root, "o", XLP_JSON_OPTIONAL);
    /* Optional and absent is fine however deep. */
    xlp_json_read_u32(&r, o, "needed", XLP_JSON_REQUIRED, 10, &u);

    if (xlp_json_done(&r) == 0 && xlp_json_count(root) == 1)
        ck_assert(u == 7 && d == 0.5 && b && strcmp(s, "unset") == 0 && !a && !o);
    xlp_json_free(root);
    return xlp_json_done(&r) < 0 ? error : "";
}

START_TEST(a_reader_takes_what_is_in_range)
{
    int64_t n = 0;

    ck_assert_str_eq(read_one("{\"n\": 9}", &n), "");
    ck_assert_int_eq(n, 9);
    ck_assert_str_eq(read_one("{\"n\": 1, \"u\": 10, \"d\": 1, \"b\": false, \"s\": \"\", "
                              "\"a\": [], \"o\": {\"needed\": 0}}",
                              &n),
                     "");
    ck_assert_int_eq(n, 1);
}
END_TEST

START_TEST(a_reader_names_what_is_wrong_and_where)
{
    static const struct {
        const char *text, *refusal;
    } cases[] = {
        {"\n {}", "line 2, column 2: the key \"n\" is missing"},
        {"[]", "line 1, column 1: must be an object"},
        {"{\"n\":\n  0}", "line 2, column 3: \"n\" must be a whole number from 1 to 9"},
        {"{\"n\": 10}", "line 1, column 7: \"n\" must be a whole number from 1 to 9"},
        {"{\"n\": 1.0}", "line 1, column 7: \"n\" must be a whole number from 1 to 9"},
        {"{\"n\": \"1\"}", "line 1, column 7: \"n\" must be a whole number from 1 to 9"},
        {"{\"n\": 1, \"u\": 11}", "line 1, column 15: \"u\" must be a whole number from 0 to 10"},
        {"{\"n\": 1, \"u\": -1}", "line 1, column 15: \"u\" must be a whole number from 0 to 10"},
        {"{\"n\": 1, \"d\": 1.01}", "line 1, column 15: \"d\" must be a number from 0 to 1"},
        {"{\"n\": 1, \"d\": true}", "line 1, column 15: \"d\" must be a number"},
        {"{\"n\": 1, \"b\": 1}", "line 1, column 15: \"b\" must be true or false"},
        {"{\"n\": 1, \"s\": null}", "line 1, column 15: \"s\" must be a string"},
        {"{\"n\": 1, \"a\": {}}", "line 1, column 15: \"a\" must be an array"},
        {"{\"n\": 1, \"o\": []}", "line 1, column 15: \"o\" must be an object"},
        {"{\"n\": 1, \"o\": {}}", "line 1, column 15: the key \"needed\" is missing"},
        {"{\"a\\n\\u001b\\u009b\": 0}",
         "line 1, column 2: unknown key \"a????\""},                       /* to a terminal */
        {"{\"n\": 0,\n \"N\": 1}", "line 2, column 2: unknown key \"N\""}, /* the first is kept */
    };
    int64_t n = 5;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        ck_assert_str_eq(read_one(cases[i].text, &n), cases[i].refusal);
}
END_TEST

START_TEST(the_first_failure_is_kept)
{
    struct xlp_json *root = parse("[]");
    struct xlp_json_reader r;

    xlp_json_reader_init(&r, error, sizeof(error));
    ck_assert_int_eq(xlp_json_done(&r), 0);
    xlp_json_fail(&r, root, "first");
    xlp_json_fail(&r, NULL, "second");
    ck_assert_int_eq(xlp_json_done(&r), -1);
    ck_assert_str_eq(error, "line 1, column 1: first");
    xlp_json_free(root);
}
END_TEST

START_TEST(a_failed_read_leaves_the_value_alone)
{
    int64_t n = 5;

    read_one("{\"n\": 10}", &n);
    read_one("{}", &n);
    read_one("{\"n\": 3, \"unknown\": 0}", &n);
    ck_assert_int_eq(n, 5);
}
END_TEST

/* ---- files ---- */

static const char *refusal_of_file(const char *text, size_t max_bytes, char path[32])
{
    strcpy(path, "/tmp/check_json_XXXXXX");
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);

    struct xlp_json *root = xlp_json_parse_file(path, max_bytes, error, sizeof(error));
    remove(path);
    xlp_json_free(root);
    return root ? "accepted" : error;
}

START_TEST(a_file_is_bounded_and_named_in_errors)
{
    char path[32], expected[128];

    ck_assert_str_eq(refusal_of_file("[1,\n2]", 6, path), "accepted");
    refusal_of_file("[1,\n2]", 5, path);
    snprintf(expected, sizeof(expected), "%s: is larger than this program reads", path);
    ck_assert_str_eq(error, expected);
    refusal_of_file("[1,\n}", 100, path);
    snprintf(expected, sizeof(expected), "%s: line 2, column 1: ", path);
    ck_assert_msg(strncmp(error, expected, strlen(expected)) == 0, "%s", error);

    ck_assert_ptr_null(xlp_json_parse_file("/nonexistent/x", 10, error, sizeof(error)));
    ck_assert_str_eq(error, "/nonexistent/x: cannot be opened: No such file or directory");
    ck_assert_ptr_null(xlp_json_parse_file("/tmp", 10, error, sizeof(error)));
    ck_assert_str_eq(error, "/tmp: Is a directory");
}
END_TEST

CHECK_CASE(tree, values_of_every_kind_are_read, a_value_stands_where_its_token_begins)
CHECK_CASE(refusals, an_error_stands_at_the_token_that_is_wrong,
           every_beginning_of_a_document_is_refused, nesting_is_bounded,
           the_number_of_values_is_bounded, a_key_stands_once_in_an_object,
           strings_are_unicode_without_nul, what_is_not_utf8_is_refused_where_it_stands)
CHECK_CASE(numbers, whole_numbers_are_exact_to_the_edges, other_numbers_are_the_nearest_double,
           numbers_out_of_range_are_refused)
CHECK_CASE(reader, a_reader_takes_what_is_in_range, a_reader_names_what_is_wrong_and_where,
           the_first_failure_is_kept, a_failed_read_leaves_the_value_alone)
CHECK_CASE(files, a_file_is_bounded_and_named_in_errors)
CHECK_MAIN("json", tree, refusals, numbers, reader, files)
