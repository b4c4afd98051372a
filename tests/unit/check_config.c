/* SPDX-License-Identifier: LGPL-2.1-only */
/* links: daemon/config.c daemon/config_scan.c daemon/config_text.c daemon/words.c */
/* The configuration file: what is read, what is refused, and that what we ship and document is
 * complete. Run from the top of the source tree. */
#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libxlutil.h>

#include "../../daemon/config.h"
#include "../../daemon/config_scan.h"
#include "../../daemon/words.h"
#include "check_main.h"

static struct config config;
static char error[512];

static void set_up(void)
{
    config_init(&config);
    error[0] = '\0';
}

static void tear_down(void)
{
    config_dispose(&config);
}

static int parse(const char *text)
{
    return config_parse(&config, text, strlen(text), "x.conf", error, sizeof(error));
}

#define ck_refused(text, message)                                                                  \
    do {                                                                                           \
        ck_assert_int_eq(parse(text), CONFIG_WRONG);                                               \
        ck_assert_str_eq(error, message);                                                          \
    } while (0)

/* ---- what is read ---- */

START_TEST(nothing_set_means_all_defaults)
{
    ck_assert_int_eq(parse("# only a comment, and no newline"), CONFIG_OK);
    ck_assert_int_eq(config.mode, CONFIG_ADVISE);
    ck_assert_int_eq(config.log, CONFIG_LOG_AUTO);
    ck_assert_str_eq(config.control_group, "");
    ck_assert_int_eq(config.policy.tick_ms, 1000);
    ck_assert_uint_eq(config.policy.domain_count, 0);
}
END_TEST

START_TEST(policy_daemon_and_domain_keys_are_read_from_one_file)
{
    ck_assert_int_eq(parse("tick_ms = 500\n"
                           "mode='act' ; log = \"stderr\"\n"
                           "mem_reserve = \"256m\" # as much as a guest\n"
                           "domains = [ \"web*: shares=2000, floor=512m\",\n"
                           "            \"db: cpu=0\" ]\n"),
                     CONFIG_OK);
    ck_assert_int_eq(config.policy.tick_ms, 500);
    ck_assert_int_eq(config.mode, CONFIG_ACT);
    ck_assert_int_eq(config.log, CONFIG_LOG_STDERR);
    ck_assert_int_eq(config.policy.mem_reserve_kib, 256 * 1024);
    ck_assert_uint_eq(config.policy.domain_count, 2);
    ck_assert_uint_eq(xlp_policy_for(&config.policy, "web1").shares, 2000);
    ck_assert(!xlp_policy_for(&config.policy, "db").cpu);
}
END_TEST

START_TEST(reading_again_replaces_what_was_there)
{
    ck_assert_int_eq(parse("tick_ms=700\ndomains=[\"a: cpu=0\"]\n"), CONFIG_OK);
    ck_assert_int_eq(parse("domains=[\"b: cpu=0\"]\n"), CONFIG_OK);
    ck_assert_int_eq(config.policy.tick_ms, 1000);
    ck_assert_uint_eq(config.policy.domain_count, 1);
    ck_assert_str_eq(config.policy.domains[0].pattern, "b");
}
END_TEST

START_TEST(domains_may_be_added_to)
{
    ck_assert_int_eq(parse("domains = [\"a: cpu=0\"]\ndomains += [\"b: cpu=0\"]\n"), CONFIG_OK);
    ck_assert_uint_eq(config.policy.domain_count, 2);
}
END_TEST

START_TEST(the_group_of_an_existing_name_has_its_id)
{
    const struct group *own = getgrgid(getegid());
    char text[128];

    ck_assert_ptr_nonnull(own);
    snprintf(text, sizeof(text), "control_group = \"%s\"\n", own->gr_name);
    ck_assert_int_eq(parse(text), CONFIG_OK);
    ck_assert_uint_eq(config_group_id(&config), getegid());
    ck_assert_int_eq(parse("control_group = \"\"\n"), CONFIG_OK);
    ck_assert(config_group_id(&config) == (gid_t)-1);
}
END_TEST

/* ---- what is refused ---- */

START_TEST(a_value_out_of_range_is_named_with_its_line)
{
    ck_refused("\n\ntick_ms = 5\n", "x.conf:3: tick_ms: \"5\" is not a number from 100 to 60000");
}
END_TEST

START_TEST(settings_that_contradict_one_another_are_refused)
{
    ck_refused("cpu_even_pct = 9\ntick_ms = 500\n",
               "x.conf:1: cpu_even_pct: 9 is more than cpu_uneven_pct, 2: evening out would end "
               "before it begins");
    ck_refused("cpu_even_pct = 9\n\ncpu_uneven_pct = 8\n",
               "x.conf:3: cpu_even_pct: 9 is more than cpu_uneven_pct, 8: evening out would end "
               "before it begins");
    ck_assert_int_eq(parse("cpu_even_pct = 9\ncpu_uneven_pct = 9\n"), CONFIG_OK);
}
END_TEST

START_TEST(an_unknown_name_is_refused_with_the_nearest_known_one)
{
    ck_refused("tik_ms = 500\n",
               "x.conf:1: tik_ms: there is no such setting; did you mean tick_ms?");
    ck_refused("domain = [ ]\n",
               "x.conf:1: domain: there is no such setting; did you mean domains?");
    ck_refused("foo = 1\n", "x.conf:1: foo: there is no such setting");
    ck_refused("vcpus = 4\n", "x.conf:1: vcpus: there is no such setting");
    ck_refused("averylongnamethatisevenlongerthananythingweknow_tick_ms = 4\n",
               "x.conf:1: averylongnamethatisevenlongerthananythingweknow: there is no such "
               "setting");
}
END_TEST

START_TEST(a_name_set_twice_is_refused)
{
    ck_refused("adopt=1\n# once more\nadopt=0\n",
               "x.conf:3: adopt: set a second time (first on line 1)");
    ck_refused("domains=[]\ndomains=[]\n",
               "x.conf:2: domains: set a second time (first on line 1)");
}
END_TEST

START_TEST(a_wrong_choice_lists_the_right_ones)
{
    ck_refused("mode = \"go\"\n", "x.conf:1: mode: \"go\" is not one of: advise act pause");
    ck_refused("mode = \"\"\n", "x.conf:1: mode: \"\" is not one of: advise act pause");
    ck_refused("cpu_policy = \"fast\"\n",
               "x.conf:1: cpu_policy: \"fast\" is not one of: off round-robin balance");
}
END_TEST

START_TEST(values_and_lists_are_not_confused)
{
    ck_refused("tick_ms = [ 500 ]\n", "x.conf:1: tick_ms: is a list, but should be one value");
    ck_refused("domains = \"web: cpu=0\"\n",
               "x.conf:1: domains: should be a list: [ \"NAME: key=value, ...\" ]");
    ck_refused("domains = [ \"a: cpu=0\", [ \"b\" ] ]\n",
               "x.conf:1: domains: entry 2 is a list, but should be text");
    ck_refused("tick_ms = 100\ntick_ms += 1\n", "x.conf:2: tick_ms: += is for lists; use =");
}
END_TEST

START_TEST(a_wrong_domain_entry_says_what_is_allowed)
{
    ck_refused("\ndomains = [ \"web: colour=red\" ]\n",
               "x.conf:2: domains: \"web\": colour=red: allowed are cpu=0|1, memory=0|1, "
               "managed=0|1, shares=1 to 1000000, serves=PATTERN, floor=SIZE");
}
END_TEST

START_TEST(an_unknown_group_is_refused)
{
    ck_refused("control_group = \"no-such-group\"\n",
               "x.conf:1: control_group: there is no group \"no-such-group\"");
}
END_TEST

#define FORM "; a setting is NAME = VALUE, text in quotes, a list in [ ]"

START_TEST(broken_syntax_is_reported_once_with_its_line)
{
    ck_refused("tick_ms = 500\nmem_reserve = 256m\n", "x.conf:2: not understood at m" FORM);
    ck_refused("import os\n", "x.conf:1: not understood at os" FORM);
    ck_refused("Mode = \"act\"\n", "x.conf:1: not understood at Mode" FORM);
    ck_refused("tick_ms = \"5\\q\"\n", "x.conf:1: not understood at \"5\\q\"" FORM);
}
END_TEST

START_TEST(the_line_that_lacks_something_is_named_and_not_one_beside_it)
{
    ck_refused("tick_ms = 500\n\n\nadopt\n", "x.conf:4: the line ends too early" FORM);
    ck_refused("adopt = # 1\nmode = \"act\"\n", "x.conf:1: the line ends too early" FORM);
    ck_refused("\n\nmode = act\n", "x.conf:3: not understood at act" FORM);
    ck_refused("\ndomains = [ \"a: cpu=0\",\n\n", "x.conf:3: the file ends too early" FORM);
    ck_refused("\nmode = \"act\n",
               "x.conf:2: the quote that opens at \"act is not closed on its line");
    ck_refused("mode = 'act`b': \n\nadopt", "x.conf:1: not understood at :" FORM);
}
END_TEST

START_TEST(more_names_than_there_is_room_for_are_refused)
{
    char text[257 * 8 + 1] = "";

    for (int i = 0; i < 257; i++)
        strcat(text, "adopt=1\n");
    ck_refused(text, "x.conf: more than 256 settings");
}
END_TEST

START_TEST(a_refused_text_leaves_the_configuration_as_it_was)
{
    ck_assert_int_eq(parse("tick_ms=700\ndomains=[\"a: cpu=0\"]\n"), CONFIG_OK);
    ck_assert_int_eq(parse("tick_ms=900\ntick_mss=1\n"), CONFIG_WRONG);
    ck_assert_int_eq(config.policy.tick_ms, 700);
    ck_assert_uint_eq(config.policy.domain_count, 1);
}
END_TEST

/* ---- files ---- */

START_TEST(a_missing_file_is_told_from_a_wrong_one)
{
    ck_assert_int_eq(config_read(&config, "/nonexistent/x.conf", error, sizeof(error)),
                     CONFIG_MISSING);
    ck_assert_str_eq(error, "cannot read /nonexistent/x.conf: No such file or directory");
    ck_assert_int_eq(config_read(&config, "/", error, sizeof(error)), CONFIG_WRONG);
    ck_assert_str_eq(error, "cannot read /: Is a directory");
}
END_TEST

START_TEST(a_huge_file_is_refused)
{
    char path[] = "/tmp/check_config.XXXXXX", expected[128];
    int fd = mkstemp(path);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ftruncate(fd, CONFIG_FILE_MAX + 1), 0);
    close(fd);
    snprintf(expected, sizeof(expected), "%s: longer than 256 KiB: not a configuration file", path);
    ck_assert_int_eq(config_read(&config, path, error, sizeof(error)), CONFIG_WRONG);
    unlink(path);
    ck_assert_str_eq(error, expected);
}
END_TEST

/* ---- the scanner agrees with libxlutil ---- */

START_TEST(names_in_comments_strings_lists_and_numbers_are_not_settings)
{
    static const char text[] = "# a = 1\n"
                               "b = \"c = 1\" # d = 2\n"
                               "e = [ \"f=1\", 'g = \"2', # h = 3 ]\n"
                               "  \"i\" ] ; j='\\'k=1'\n"
                               "l=0xa;m\t+= [0xfe]\n";
    static const struct config_name expected[] = {
        {.name = "b", .line = 2},
        {.name = "e", .line = 3},
        {.name = "j", .line = 4},
        {.name = "l", .line = 5},
        {.name = "m", .line = 5, .adds = true},
    };
    struct config_name names[8];
    size_t count = config_scan(text, sizeof(text) - 1, names, 8);

    ck_assert_uint_eq(count, 5);
    for (size_t i = 0; i < count; i++) {
        ck_assert_str_eq(names[i].name, expected[i].name);
        ck_assert_uint_eq(names[i].line, expected[i].line);
        ck_assert(names[i].adds == expected[i].adds);
    }
}
END_TEST

START_TEST(the_values_of_a_list_have_the_lines_they_stand_on)
{
    static const char text[] = "a = \"no list\"\n"
                               "b = # [ \"comment\"\n"
                               " [ \"1\", # \"comment\"\n"
                               "   2,\n"
                               "   [ \"inner\",\n 3 ], '\"4\"]',\n"
                               " 0x5 ]\n"
                               "c = [ \"6\" ]\n";
    static const unsigned int expected[] = {3, 4, 6, 7};
    struct config_name names[3];
    unsigned int lines[4];

    ck_assert_uint_eq(config_scan(text, sizeof(text) - 1, names, 3), 3);
    ck_assert_uint_eq(config_scan_list(text, sizeof(text) - 1, &names[0], lines, 4), 0);
    ck_assert_uint_eq(config_scan_list(text, sizeof(text) - 1, &names[1], lines, 4), 4);
    for (size_t i = 0; i < 4; i++)
        ck_assert_uint_eq(lines[i], expected[i]);
    lines[1] = 99;
    ck_assert_uint_eq(config_scan_list(text, sizeof(text) - 1, &names[1], lines, 1), 4);
    ck_assert_uint_eq(lines[1], 99);
}
END_TEST

/* The values directly in a list that libxlutil knows by this name: 0 when it is none. */
static size_t values_in(const XLU_Config *parsed, const char *name)
{
    XLU_ConfigList *list;
    int count;
    size_t values = 0;

    if (xlu_cfg_get_list(parsed, name, &list, &count, 1) != 0)
        return 0;
    for (int i = 0; i < count; i++)
        values += xlu_cfg_get_listitem(list, i) != NULL;
    return values;
}

/* Where a name is assigned to several times, the last assignment counts and what is added to it. */
static size_t values_scanned(const char *text, const struct config_name *names, size_t count,
                             const char *name)
{
    size_t values = 0;
    unsigned int lines[1];

    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i].name, name) == 0)
            values = (names[i].adds ? values : 0) +
                     config_scan_list(text, strlen(text), &names[i], lines, 1);
    return values;
}

/* Random texts of these; whatever libxlutil accepts, we list the names it knows and no others, and
 * as many values of each list. */
static const char *const pieces[] = {
    "a",        "b",       "c",    "a=1",          "b = \"x\"", "=",
    "+=",       "1",       "0xab", "\"",           "'",         "[",
    "]",        ",",       ";",    "\n",           " ",         "\t",
    "#",        "\\",      "\\\"", "#b\n",         "c=[\"a\"]", "a=[\n1,\n2 ]\n",
    "\"\\\\\"", "\"a=1\"", "_",    "b='\\'a=1'\n", "c='\\\\'",  "a=[[1],'b',2]\n",
    "b+=[3]\n",
};

static int compare_one(unsigned int *seed)
{
    char text[256] = "";
    struct config_name names[32];
    XLU_Config *parsed;
    size_t count;
    int accepted;
    FILE *nowhere = fopen("/dev/null", "w");

    ck_assert_ptr_nonnull(nowhere);
    for (int i = rand_r(seed) % 12; i >= 0; i--)
        strcat(text, pieces[(size_t)rand_r(seed) % (sizeof(pieces) / sizeof(pieces[0]))]);
    strcat(text, "\n");
    count = config_scan(text, strlen(text), names, 32);
    ck_assert_uint_le(count, 32);
    parsed = xlu_cfg_init(nowhere, "random");
    ck_assert_ptr_nonnull(parsed);
    accepted = xlu_cfg_readdata(parsed, text, (int)strlen(text)) == 0;
    for (const char *name = "abc"; accepted && *name; name++) {
        char one[2] = {*name, '\0'};
        const char *value;
        bool known = xlu_cfg_get_string(parsed, one, &value, 1) != ESRCH, listed = false;

        for (size_t i = 0; i < count; i++)
            listed = listed || strcmp(names[i].name, one) == 0;
        if (listed)
            ck_assert_msg(values_in(parsed, one) == values_scanned(text, names, count, one),
                          "%s has another number of values in: %s", one, text);
        ck_assert_msg(known == listed, "\"%s\" is %sknown but %slisted in: %s", one,
                      known ? "" : "not ", listed ? "" : "not ", text);
    }
    xlu_cfg_destroy(parsed);
    fclose(nowhere);
    return accepted;
}

START_TEST(the_scanner_lists_what_libxlutil_knows)
{
    unsigned int seed = 20240229;
    int accepted = 0;

    for (int i = 0; i < 20000; i++)
        accepted += compare_one(&seed);
    ck_assert_int_gt(accepted, 500);
}
END_TEST

START_TEST(the_scanner_stays_within_any_bytes)
{
    static const char letters[] = "a=+[]\"'#\\\n;0x\0\xff ";
    struct config_name names[4];
    unsigned int seed = 1, lines[1];

    for (int i = 0; i < 20000; i++) {
        size_t length = (size_t)rand_r(&seed) % 24;
        char *text = malloc(length ? length : 1); /* exact, for the sanitizer to watch */

        ck_assert_ptr_nonnull(text);
        for (size_t j = 0; j < length; j++)
            text[j] = letters[(size_t)rand_r(&seed) % (sizeof(letters) - 1)];
        if (config_scan(text, length, names, 4) > 0)
            ck_assert_uint_le(config_scan_list(text, length, &names[0], lines, 1), length);
        free(text);
    }
}
END_TEST

START_TEST(distance_counts_letters)
{
    ck_assert_uint_eq(words_distance("tick", "tick"), 0);
    ck_assert_uint_eq(words_distance("tik", "tick"), 1);
    ck_assert_uint_eq(words_distance("tcik", "tick"), 2);
    ck_assert_uint_eq(words_distance("", "tick"), 4);
    ck_assert_uint_eq(words_distance("tick", ""), 4);
}
END_TEST

/* ---- what we ship ---- */

static char *read_whole(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = calloc(1, CONFIG_FILE_MAX + 1);

    ck_assert_msg(file && text, "cannot read %s (run from the top of the source tree)", path);
    ck_assert_uint_gt(fread(text, 1, CONFIG_FILE_MAX, file), 0);
    fclose(file);
    return text;
}

/* The shipped file with each "#name = value" made effective. */
static char *uncomment(const char *text)
{
    char *result = calloc(1, strlen(text) + 1), *to = result;
    bool at_line_start = true;

    ck_assert_ptr_nonnull(result);
    for (; *text; text++) {
        bool drop = at_line_start && text[0] == '#' && islower((unsigned char)text[1]);

        at_line_start = *text == '\n';
        if (!drop)
            *to++ = *text;
    }
    return result;
}

START_TEST(the_shipped_file_sets_nothing)
{
    ck_assert_int_eq(config_read(&config, "daemon/xlpolicyd.conf", error, sizeof(error)),
                     CONFIG_OK);
    char *text = read_whole("daemon/xlpolicyd.conf");
    struct config_name names[1];

    ck_assert_uint_eq(config_scan(text, strlen(text), names, 1), 0);
    free(text);
}
END_TEST

START_TEST(the_shipped_file_shows_every_key_once_with_its_default)
{
    char *text = read_whole("daemon/xlpolicyd.conf"), *effective = uncomment(text);
    size_t expected = xlp_setting_count + config_key_count + 1; /* and "domains" */
    struct config_name names[64];
    struct config standard;

    ck_assert_msg(parse(effective) == CONFIG_OK, "%s", error);
    ck_assert_uint_eq(config_scan(effective, strlen(effective), names, 64), expected);
    config_init(&standard);
    for (size_t i = 0; i < xlp_setting_count; i++) {
        char shown[64], right[64];

        xlp_policy_get(&config.policy, &xlp_settings[i], shown, sizeof(shown));
        xlp_policy_get(&standard.policy, &xlp_settings[i], right, sizeof(right));
        ck_assert_msg(strcmp(shown, right) == 0, "%s: shown as %s, but the default is %s",
                      xlp_settings[i].name, shown, right);
    }
    ck_assert_int_eq(config.mode, standard.mode);
    ck_assert_int_eq(config.log, standard.log);
    ck_assert_str_eq(config.control_group, standard.control_group);
    ck_assert_uint_eq(config.policy.domain_count, 0);
    config_dispose(&standard);
    free(effective);
    free(text);
}
END_TEST

static void assert_documented(const char *manual, const char *name, const char *standard)
{
    char item[128];

    snprintf(item, sizeof(item), "\n=item B<%s> = %s\n", name, standard);
    ck_assert_msg(strstr(manual, item) != NULL, "docs/man/xlpolicyd.conf.pod lacks:%s", item);
}

/* As one would write it into the file: numbers bare, the rest in quotes. */
static void print_default(const struct xlp_setting *setting, char *text, size_t size)
{
    char value[64];
    bool bare;

    xlp_policy_get(&config.policy, setting, value, sizeof(value));
    bare = strcmp(value, "0k") == 0 || value[strspn(value, "0123456789")] == '\0';
    snprintf(text, size, bare ? "%.*s" : "\"%.*s\"",
             (int)(bare ? strspn(value, "0123456789") : strlen(value)), value);
}

START_TEST(the_manual_has_every_key_with_its_default)
{
    char *manual = read_whole("docs/man/xlpolicyd.conf.pod");
    char value[80];

    for (size_t i = 0; i < xlp_setting_count; i++) {
        print_default(&xlp_settings[i], value, sizeof(value));
        assert_documented(manual, xlp_settings[i].name, value);
    }
    for (size_t i = 0; i < config_key_count; i++) {
        snprintf(value, sizeof(value), "\"%s\"", config_keys[i].standard);
        assert_documented(manual, config_keys[i].name, value);
    }
    assert_documented(manual, "domains", "[ ]");
    free(manual);
}
END_TEST

/* A row of the table in the operations guide: | `key` | `default` | */
static void assert_row(const char *guide, const char *key, const char *value)
{
    char row[128];

    snprintf(row, sizeof(row), "| `%s` | `%s` | ", key, value);
    ck_assert_msg(strstr(guide, row) != NULL, "docs/operations.md has no row %s", row);
}

START_TEST(the_operations_guide_has_every_key_with_its_default)
{
    char *guide = read_whole("docs/operations.md");
    char value[80];

    for (size_t i = 0; i < xlp_setting_count; i++) {
        print_default(&xlp_settings[i], value, sizeof(value));
        assert_row(guide, xlp_settings[i].name, value);
    }
    for (size_t i = 0; i < config_key_count; i++) {
        snprintf(value, sizeof(value), "\"%s\"", config_keys[i].standard);
        assert_row(guide, config_keys[i].name, value);
    }
    assert_row(guide, "domains", "[ ]");
    free(guide);
}
END_TEST

START_TEST(the_table_of_the_daemons_keys_tells_the_defaults)
{
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        const void *field = (const char *)&config + key->offset;

        if (key->kind == CONFIG_CHOICE)
            ck_assert_int_eq(*(const int *)field, words_index(key->choices, key->standard));
        else
            ck_assert_str_eq(field, key->standard);
    }
}
END_TEST

START_TEST(modes_have_the_names_that_are_read)
{
    int mode;

    for (int i = CONFIG_ADVISE; i <= CONFIG_PAUSE; i++) {
        ck_assert_int_eq(config_mode_by_name(config_mode_name(i), &mode), 0);
        ck_assert_int_eq(mode, i);
    }
    ck_assert_int_eq(config_mode_by_name("actt", &mode), -1);
}
END_TEST

#define FIXTURE_CASE(name, ...) CHECK_FIXTURE_CASE(name, set_up, tear_down, __VA_ARGS__)

FIXTURE_CASE(reading, nothing_set_means_all_defaults,
             policy_daemon_and_domain_keys_are_read_from_one_file,
             reading_again_replaces_what_was_there, domains_may_be_added_to,
             the_group_of_an_existing_name_has_its_id, modes_have_the_names_that_are_read)
FIXTURE_CASE(refusing, a_value_out_of_range_is_named_with_its_line,
             settings_that_contradict_one_another_are_refused,
             an_unknown_name_is_refused_with_the_nearest_known_one, a_name_set_twice_is_refused,
             a_wrong_choice_lists_the_right_ones, values_and_lists_are_not_confused,
             a_wrong_domain_entry_says_what_is_allowed, an_unknown_group_is_refused,
             broken_syntax_is_reported_once_with_its_line,
             the_line_that_lacks_something_is_named_and_not_one_beside_it,
             more_names_than_there_is_room_for_are_refused,
             a_refused_text_leaves_the_configuration_as_it_was)
FIXTURE_CASE(files, a_missing_file_is_told_from_a_wrong_one, a_huge_file_is_refused)
FIXTURE_CASE(scanning, names_in_comments_strings_lists_and_numbers_are_not_settings,
             the_values_of_a_list_have_the_lines_they_stand_on,
             the_scanner_lists_what_libxlutil_knows, the_scanner_stays_within_any_bytes,
             distance_counts_letters)
FIXTURE_CASE(shipped, the_shipped_file_sets_nothing,
             the_shipped_file_shows_every_key_once_with_its_default,
             the_manual_has_every_key_with_its_default,
             the_operations_guide_has_every_key_with_its_default,
             the_table_of_the_daemons_keys_tells_the_defaults)
CHECK_MAIN("config", reading, refusing, files, scanning, shipped)
