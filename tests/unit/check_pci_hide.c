/* SPDX-License-Identifier: LGPL-2.1-only */
/* links: tools/pci/hide.c */
/* The lint of xen-pciback's hide=. */
#include <string.h>

#include "../../tools/pci/hide.h"
#include "check_main.h"

static struct pci_hidden hidden[4];
static char error[200];

static int parse(const char *text)
{
    memset(hidden, 0, sizeof(hidden));
    return pci_hide_parse(text, hidden, 4, error, sizeof(error));
}

#define ck_refused(text, message)                                                                  \
    do {                                                                                           \
        ck_assert_int_eq(parse(text), -1);                                                         \
        ck_assert_str_eq(error, message);                                                          \
    } while (0)

START_TEST(functions_follow_one_another_in_parentheses)
{
    ck_assert_int_eq(parse("(0000:01:00.0)(0000:01:00.1)(AB:1f.7)"), 3);
    ck_assert_int_eq(hidden[0].bus, 1);
    ck_assert_int_eq(hidden[1].function, 1);
    ck_assert_int_eq(hidden[2].domain, 0);
    ck_assert_int_eq(hidden[2].bus, 0xab);
    ck_assert_int_eq(hidden[2].slot, 0x1f);
}
END_TEST

START_TEST(a_star_stands_for_all_functions_or_all_slots)
{
    ck_assert_int_eq(parse("(0000:01:02.*)(0001:03:*.*)(04:*.*)"), 3);
    ck_assert_int_eq(hidden[0].slot, 2);
    ck_assert_int_eq(hidden[0].function, PCI_HIDE_ALL);
    ck_assert_int_eq(hidden[1].domain, 1);
    ck_assert_int_eq(hidden[1].slot, PCI_HIDE_ALL);
    ck_assert_int_eq(hidden[2].bus, 4);
}
END_TEST

START_TEST(more_than_there_is_room_for_are_counted)
{
    ck_assert_int_eq(parse("(1:0.0)(1:0.1)(1:0.2)(1:0.3)(1:0.4)"), 5);
}
END_TEST

START_TEST(a_comma_is_named)
{
    ck_refused("(0000:01:00.0),(0000:01:00.1)",
               "hide= at character 15: a comma, but entries follow one another without: the form "
               "is (0000:01:00.0)(0000:01:00.1)");
}
END_TEST

START_TEST(a_blank_is_named)
{
    ck_refused("(0000:01:00.0) (0000:01:00.1)",
               "hide= at character 15: a blank, which would end the option: the form is "
               "(0000:01:00.0)(0000:01:00.1)");
}
END_TEST

START_TEST(missing_parentheses_are_named)
{
    ck_refused("0000:01:00.0", "hide= at character 1: \"(\" is missing: the form is "
                               "(0000:01:00.0)(0000:01:00.1)");
    ck_refused("(0000:01:00.0)(01:00.1",
               "hide= at character 15: this parenthesis is never closed: the form is "
               "(0000:01:00.0)(0000:01:00.1)");
}
END_TEST

START_TEST(a_doubled_colon_is_named)
{
    ck_refused("(0b::00.1)", "hide= at character 5: no hexadecimal bus here: the form is "
                             "(0000:01:00.0)(0000:01:00.1)");
}
END_TEST

START_TEST(numbers_have_limits)
{
    ck_refused("(00:20.0)", "hide= at character 5: the slot is more than 1f");
    ck_refused("(00:1f.8)", "hide= at character 8: the function is more than 7");
    ck_refused("(100:00.0)", "hide= at character 2: the bus is more than ff");
    ck_refused("(10000:00:00.0)", "hide= at character 2: the domain is more than ffff");
}
END_TEST

START_TEST(nothing_is_not_a_list)
{
    ck_refused("", "hide= at character 1: nothing is named: the form is "
                   "(0000:01:00.0)(0000:01:00.1)");
}
END_TEST

CHECK_CASE(taken, functions_follow_one_another_in_parentheses,
           a_star_stands_for_all_functions_or_all_slots, more_than_there_is_room_for_are_counted)
CHECK_CASE(refused, a_comma_is_named, a_blank_is_named, missing_parentheses_are_named,
           a_doubled_colon_is_named, numbers_have_limits, nothing_is_not_a_list)
CHECK_MAIN("pci hide", taken, refused)
