/* SPDX-License-Identifier: LGPL-2.1-only */
/* Scenario files: what they mean, and what is said of a wrong one. */
#include "check_main.h"

#include "sim_fixture.h"

/* ---- traces ---- */

START_TEST(a_trace_joins_its_points_and_may_jump_and_repeat)
{
    struct xlp_sim_point points[] = {{10, 100}, {20, 200}, {20, 50}, {30, 50}};
    struct xlp_sim_trace trace = {.points = points, .count = 4};
    static const double expected[][2] = {{0, 100}, {10, 100}, {15, 150}, {19.9, 199},
                                         {20, 50}, {25, 50},  {99, 50}};

    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        ck_assert_double_eq_tol(xlp_sim_trace_at(&trace, expected[i][0]), expected[i][1], 1e-9);
    trace.every_s = 40;
    ck_assert_double_eq_tol(xlp_sim_trace_at(&trace, 95), 150, 1e-9);
    trace.count = 0;
    ck_assert_double_eq(xlp_sim_trace_at(&trace, 5), 0);
}
END_TEST

START_TEST(noise_is_even_and_repeatable)
{
    double sum = 0;

    for (uint64_t i = 0; i < 10000; i++) {
        double x = xlp_sim_random(1, 2, i);

        ck_assert(x >= 0 && x < 1 && x == xlp_sim_random(1, 2, i));
        sum += x;
    }
    ck_assert_double_eq_tol(sum / 10000, 0.5, 0.02);
    ck_assert_double_ne(xlp_sim_random(1, 2, 3), xlp_sim_random(2, 2, 3));
}
END_TEST

/* ---- guests ---- */

START_TEST(an_entry_deals_masks_and_loads_to_its_vcpus_in_turn)
{
    struct xlp_sim *sim =
        sim_of("'host':{'pcpus':4},'run_s':1,'guests':["
               "{'name':'vm%d','count':3,'first':5,'vcpus':2,'hard':['0','1','2'],"
               "'load_pct':[10,20]},{'name':'x','load_pct':[[0,30],[10,30]]}]");
    static const char *const names[] = {"vm5", "vm6", "vm7"};
    static const uint32_t pins[] = {0, 1, 2, 0, 1, 2};

    for (size_t i = 0; i < 6; i++) {
        const struct xlp_sim_vcpu *v = &guest(sim, names[i / 2])->vcpus[i % 2];
        struct xlp_cpumap expected = xlp_cpumap_of(pins[i]);

        ck_assert(xlp_cpumap_equal(&v->masks.hard, &expected));
        ck_assert_double_eq(xlp_sim_trace_at(v->load, 0), i % 2 ? 20 : 10);
    }
    ck_assert_double_eq(xlp_sim_trace_at(guest(sim, "x")->vcpus[0].load, 5), 30);
    sim_close(sim);
}
END_TEST

/* ---- errors ---- */

#define HEAD "{\"xlpolicy_scenario\": 1, \"run_s\": 60,\n \"host\": {\"pcpus\": 4},\n"

static const struct {
    const char *text, *error;
} wrong[] = {
    {"{\"xlpolicy_scenario\": 2}",
     "line 1, column 23: \"xlpolicy_scenario\" must be a whole number from 1 to 1"},
    {HEAD " \"guest\": []}", "line 3, column 2: unknown key \"guest\""},
    {"{\"xlpolicy_scenario\": 1, \"run_s\": 60, \"guests\": []}",
     "line 1, column 1: the key \"host\" is missing"},
    {HEAD " \"guests\": [{\"name\": \"a\", \"load\": 3}]}",
     "line 3, column 27: unknown key \"load\""},
    {HEAD " \"guests\": [{\"name\": \"a\", \"load_pct\": 101}]}",
     "line 3, column 39: \"load_pct\" must be a number from 0 to 100"},
    {HEAD " \"guests\": [{\"name\": \"a\", \"load_pct\": [[5, 1], [4, 1]]}]}",
     "line 3, column 48: \"load_pct\": a point is earlier than the one before it"},
    {HEAD " \"guests\": [{\"name\": \"a\", \"hard\": \"0-\"}]}",
     "line 3, column 35: \"hard\" must be pCPUs as in \"0-3,5\", or \"all\""},
    {HEAD " \"guests\": [{\"name\": \"a\", \"hard\": \"7\"}]}",
     "line 3, column 13: \"hard\" has no pCPU of pool \"Pool-0\""},
    {HEAD " \"guests\": [{\"name\": \"a\"}, {\"name\": \"a\"}]}",
     "line 3, column 28: there are two guests \"a\""},
    {HEAD " \"guests\": [{\"name\": \"a\", \"count\": 2}]}",
     "line 3, column 13: \"name\" must have %d in it where \"count\" is given"},
    {HEAD " \"guests\": [{\"name\": \"a\", \"balloon\": \"flat\"}]}",
     "line 3, column 38: \"balloon\" must be one of: linux eager intermittent trickle stuck "
     "stuck-up "
     "stuck-down refuses none"},
    {HEAD " \"guests\": [{\"name\": \"a\", \"memory_mib\": 900, \"max_memory_mib\": 800}]}",
     "line 3, column 13: \"memory_mib\" is above \"max_memory_mib\""},
    {HEAD " \"guests\": [],\n \"policy\": {\"cpu_policy\": \"fair\"}}",
     "line 4, column 27: cpu_policy: \"fair\" is not one of: off round-robin balance"},
    {HEAD " \"guests\": [],\n \"policy\": {\"cpu_even_pct\": 9, \"cpu_uneven_pct\": 8}}",
     "line 4, column 12: cpu_even_pct: 9 is more than cpu_uneven_pct, 8: evening out would end "
     "before it begins"},
    {HEAD " \"guests\": [],\n \"events\": [{\"at_s\": 1, \"event\": \"explode\"}]}",
     "line 4, column 34: there is no event \"explode\""},
    {HEAD " \"guests\": [],\n \"events\": [{\"at_s\": 1, \"event\": \"pause\"}]}",
     "line 4, column 13: the key \"guest\" is missing"},
    {HEAD " \"guests\": [],\n \"events\": [{\"at_s\": 1, \"event\": \"pause\", \"guest\": \"b\"}]}",
     "line 4, column 52: there is no guest \"b\""},
    {HEAD
     " \"guests\": [],\n \"events\": [{\"at_s\": 1, \"event\": \"pcpu-offline\", \"pcpu\": 4}]}",
     "line 4, column 58: \"pcpu\" must be a whole number from 0 to 3"},
    {HEAD
     " \"guests\": [],\n \"events\": [{\"at_s\": 1, \"event\": \"kill-daemon\", \"vcpu\": 0}]}",
     "line 4, column 49: unknown key \"vcpu\""},
    {HEAD " \"guests\": [],\n \"expect\": [{\"check\": \"moves\"}]}",
     "line 4, column 13: \"moves\" needs a bound: a key that begins with \"min\" or \"max\""},
    {HEAD " \"guests\": [],\n \"expect\": [{\"check\": \"moves\", \"max\": 0, \"from_s\": 60}]}",
     "line 4, column 13: \"from_s\" must be before \"to_s\" and the end of the run"},
    {"{\"xlpolicy_scenario\": 1, \"run_s\": 60, \"guests\": [],\n"
     " \"host\": {\"pcpus\": 4, \"threads\": 2,\n"
     " \"pools\": [{\"name\": \"a\", \"pcpus\": \"0-2\", \"sched_gran\": \"core\"}]}}",
     "line 3, column 35: \"pcpus\" splits what \"sched_gran\" keeps whole"},
    {HEAD " \"guests\": [],\n \"expect\": [{\"check\": \"harmony\", \"max\": 0}]}",
     "line 4, column 23: there is no check \"harmony\""},
};

START_TEST(a_wrong_file_is_refused_with_the_place)
{
    char error[256] = "";
    struct xlp_json *root =
        xlp_json_parse(wrong[_i].text, strlen(wrong[_i].text), 10000, error, sizeof(error));

    ck_assert_msg(root != NULL, "%s", error);
    ck_assert_ptr_null(xlp_sim_scenario_read(root, error, sizeof(error)));
    ck_assert_str_eq(error, wrong[_i].error);
    xlp_json_free(root);
}
END_TEST

START_TEST(a_missing_file_is_named)
{
    char error[256] = "";

    ck_assert_ptr_null(xlp_host_sim_open("/nowhere/at-all.json", 0, error, sizeof(error)));
    ck_assert_str_eq(error, "/nowhere/at-all.json: cannot be opened: No such file or directory");
}
END_TEST

static TCase *errors(void)
{
    TCase *tcase = tcase_create("errors");

    tcase_add_loop_test(tcase, a_wrong_file_is_refused_with_the_place, 0,
                        sizeof(wrong) / sizeof(wrong[0]));
    tcase_add_test(tcase, a_missing_file_is_named);
    return tcase;
}

CHECK_CASE(meaning, a_trace_joins_its_points_and_may_jump_and_repeat, noise_is_even_and_repeatable,
           an_entry_deals_masks_and_loads_to_its_vcpus_in_turn)
CHECK_MAIN("scenario", meaning, errors)
