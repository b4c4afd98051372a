/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The main() of a Check test program. A file tests/unit/check_NAME.c ends like this:
 *
 *     START_TEST(donors_shrink_before_acceptors_grow)
 *     {
 *         ...
 *     }
 *     END_TEST
 *
 *     CHECK_CASE(ordering, donors_shrink_before_acceptors_grow, another_claim)
 *     CHECK_CASE(limits, nobody_goes_below_its_floor)
 *     CHECK_MAIN("plan", ordering, limits)
 *
 * CHECK_CASE defines the function `TCase *ordering(void)`, made of these tests; with
 * CHECK_FIXTURE_CASE(ordering, set_up, tear_down, ...) each of them runs between these two. Where a
 * case needs a timeout or a loop test, write that function by hand and give it to CHECK_MAIN all
 * the same.
 *
 * The program prints TAP on stdout and nothing else, and exits with 0 only if at least one test ran
 * and none failed. Check's environment variables work: CK_FORK=no to stay in one process under a
 * debugger, CK_RUN_CASE=limits to run one case, CK_TIMEOUT_MULTIPLIER on a slow machine.
 */
#ifndef XLPOLICY_TESTS_CHECK_MAIN_H
#define XLPOLICY_TESTS_CHECK_MAIN_H

#include <check.h>
#include <stddef.h>
#include <stdlib.h>

#define CHECK_CASE(name, ...)                                                                      \
    static TCase *name(void)                                                                       \
    {                                                                                              \
        const TTest *const tests[] = {__VA_ARGS__};                                                \
        TCase *tcase = tcase_create(#name);                                                        \
                                                                                                   \
        for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)                              \
            tcase_add_test(tcase, tests[i]);                                                       \
        return tcase;                                                                              \
    }

#define CHECK_FIXTURE_CASE(name, set_up, tear_down, ...)                                           \
    CHECK_CASE(name##_tests, __VA_ARGS__)                                                          \
    static TCase *name(void)                                                                       \
    {                                                                                              \
        TCase *tcase = name##_tests();                                                             \
                                                                                                   \
        tcase_add_checked_fixture(tcase, set_up, tear_down);                                       \
        return tcase;                                                                              \
    }

#define CHECK_MAIN(suite_name, ...)                                                                \
    int main(void)                                                                                 \
    {                                                                                              \
        TCase *(*const cases[])(void) = {__VA_ARGS__};                                             \
                                                                                                   \
        return check_main_run(suite_name, cases, sizeof(cases) / sizeof(cases[0]));                \
    }

static inline int check_main_run(const char *suite_name, TCase *(*const cases[])(void),
                                 size_t case_count)
{
    Suite *suite = suite_create(suite_name);

    for (size_t i = 0; i < case_count; i++)
        suite_add_tcase(suite, cases[i]());

    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);

    int failed = srunner_ntests_failed(runner);
    int ran = srunner_ntests_run(runner);
    srunner_free(runner);
    return failed == 0 && ran > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
