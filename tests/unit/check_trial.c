/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Scenarios, which tests/scenarios/run sees to hold, do not hold where they must not: without a
 * policy, or under the one that ignores load. Run at the top of the tree.
 */
#include "check_main.h"

#include <stdio.h>
#include <string.h>

#include "host/trial_judge.h"
#include "sim_fixture.h"

/* The result, for the caller to dispose of. */
static struct xlp_trial_result run(const char *path, const char *setting)
{
    const char *settings[] = {setting, NULL};
    struct xlp_trial_options options = {.settings = settings};
    struct xlp_trial_result result;
    char error[256];

    ck_assert_msg(xlp_trial_run(path, &options, &result, error, sizeof(error)) == 0, "%s", error);
    return result;
}

static const struct {
    const char *path, *setting, *fails;
} controls[] = {
    {"tests/scenarios/C1.json", "cpu_policy=off", "pcpu-spread"},
    {"tests/scenarios/C2.json", "cpu_policy=off", "pcpu-spread"},
    {"tests/scenarios/C4.json", "cpu_policy=off", "vcpus-per-pcpu"},
    {"tests/scenarios/C5.json", "cpu_policy=off", "vcpus-per-pcpu"},
    {"tests/scenarios/C5.json", "cpu_policy=round-robin", "pcpu-spread"},
    {"tests/scenarios/C5.json", "cpu_policy=round-robin", "vcpus-per-pcpu"},
    {"tests/scenarios/C5.json", "cpu_policy=round-robin", "guest-cpu"},
    {"tests/scenarios/two-run-queues.json", "cpu_policy=off", "guest-cpu-spread"},
    {"tests/scenarios/one-run-queue.json", "cpu_affinity=hard", "moves"},
    {"tests/scenarios/repin.json", "cpu_policy=off", "moves"},
    {"tests/scenarios/restart.json", "cpu_policy=off", "moves"},
    {"tests/scenarios/pinned.json", "adopt=1", "affinity-unchanged of pinned*"},
    {"tests/scenarios/pinned.json", "adopt=1", "affinity of pinned*"},
    {"tests/scenarios/overload.json", "cpu_policy=off", "unfairness"},
    {"tests/scenarios/overload.json", "cpu_policy=round-robin", "lost-work"},
    {"tests/scenarios/giant.json", "cpu_policy=round-robin", "guest-work of giant"},
    {"tests/scenarios/two-pools.json", "cpu_policy=off", "guest-work of a*"},
    {"tests/scenarios/dom0-pinned.json", "cpu_policy=round-robin", "guest-work"},
    {"tests/scenarios/reset.json", "cpu_policy=off", "moves of vm1"},
    {"tests/scenarios/disjoint.json", "cpu_policy=round-robin", "guest-work of odd"},
    {"tests/scenarios/weights.json", "cpu_policy=round-robin", "guest-share"},
    {"tests/scenarios/capped.json", "cpu_policy=round-robin", "moves"},
    {"tests/scenarios/idle-threshold.json", "cpu_policy=round-robin", "moves"},
    {"tests/scenarios/idle-unsampled.json", "cpu_policy=round-robin", "moves"},
    {"tests/scenarios/flapping.json", "cpu_policy=round-robin", "moves"},
    {"tests/scenarios/spike.json", "cpu_policy=round-robin", "moves"},
    {"tests/scenarios/newcomer.json", "cpu_policy=round-robin", "guest-work of late"},
    {"tests/scenarios/pause.json", "cpu_policy=round-robin", "moves"},
    {"tests/scenarios/missed-ticks.json", "cpu_policy=round-robin", "moves"},
    {"tests/scenarios/rtds.json", "cpu_policy=off", "guest-work"},
    {"tests/scenarios/zeros.json", "cpu_policy=round-robin", "affinity-unchanged"},
    {"tests/scenarios/hidden.json", "cpu_policy=off", "guest-share"},
    {"tests/scenarios/hidden-unsampled.json", "cpu_policy=off", "moves"},
    {"tests/scenarios/full-node.json", "cpu_policy=off", "guest-work"},
    {"tests/scenarios/rtds-soft.json", "cpu_affinity=hard", "moves"},
    {"tests/scenarios/shares.json", "cpu_weights=off", "guest-cpu of heavy*"},
    {"tests/scenarios/shares.json", "cpu_weights=off", "weight of heavy*"},
    {"tests/scenarios/weights-vcpus.json", "cpu_weights=off", "guest-cpu of four"},
    {"tests/scenarios/weights-by-hand.json", "cpu_weights=off", "weight of vm1"},
    {"tests/scenarios/weights-by-hand.json", "adopt=1", "weight of configured"},
    {"tests/scenarios/weights-restart.json", "cpu_weights=off", "weight of vm2"},
    {"tests/scenarios/weights-driver.json", "cpu_weights=off", "guest-cpu of net"},
    {"tests/scenarios/weights-two-run-queues.json", "cpu_weights=off", "guest-cpu of heavy*"},
    {"tests/scenarios/weights-two-run-queues.json", "cpu_policy=off", "guest-cpu of heavy*"},
    {"tests/scenarios/M1.json", "mem_policy=off", "deficit"},
    {"tests/scenarios/M1.json", "mem_margin=32m", "givers-safe"},
    {"tests/scenarios/M2.json", "mem_policy=off", "guest-memory"},
    {"tests/scenarios/M3.json", "mem_policy=off", "short"},
    {"tests/scenarios/growth-waits.json", "mem_policy=off", "short"},
    {"tests/scenarios/stuck-balloons.json", "mem_policy=off", "short"},
    {"tests/scenarios/mem-set.json", "mem_manual_hold_s=0", "target-writes"},
};

START_TEST(it_does_not_hold_where_it_must_not)
{
    struct xlp_trial_result result = run(controls[_i].path, controls[_i].setting);
    bool failed = false;

    for (size_t i = 0; i < result.verdict_count; i++)
        failed = failed ||
                 (!result.verdicts[i].passed && strncmp(result.verdicts[i].text, controls[_i].fails,
                                                        strlen(controls[_i].fails)) == 0);
    ck_assert_msg(failed && !result.passed, "%s with %s: \"%s\" holds all the same",
                  controls[_i].path, controls[_i].setting, controls[_i].fails);
    xlp_trial_result_dispose(&result);
}
END_TEST

/* ---- the runner itself ---- */

struct seen {
    uint32_t ticks, actions;
    double least_pct, most_pct; /* all pCPUs together */
};

static void look(void *arg, const struct xlp_trial_tick *tick)
{
    struct seen *seen = arg;
    double used_pct = 0;

    for (size_t i = 0; i < tick->pcpu_count; i++)
        used_pct += tick->pcpus[i].used_pct;
    for (size_t i = 0; i < tick->plan->action_count; i++)
        ck_assert_int_eq(tick->outcomes[i].code, XLP_DONE);
    seen->actions += (uint32_t)tick->plan->action_count;
    ck_assert_uint_eq(tick->guest_count, 8);
    ck_assert_uint_eq(tick->snapshot->time_ns, tick->time_ns);
    if (seen->ticks++ == 60)
        seen->most_pct = used_pct;
    if (seen->ticks == 2)
        seen->least_pct = used_pct;
}

START_TEST(the_observer_sees_what_really_happened)
{
    struct seen seen = {0};
    struct xlp_trial_options options = {.tick = look, .arg = &seen};
    struct xlp_trial_result result;
    char error[256];

    ck_assert_int_eq(
        xlp_trial_run("tests/scenarios/C1.json", &options, &result, error, sizeof(error)), 0);
    ck_assert_uint_eq(seen.ticks, result.ticks);
    ck_assert_uint_eq(seen.actions, result.outcomes[XLP_DONE]);
    ck_assert_double_eq_tol(seen.least_pct, 102, 3);
    ck_assert_double_eq_tol(seen.most_pct, 202, 10);
    ck_assert_uint_eq(result.time_ns, UINT64_C(3660000000000));
    xlp_trial_result_dispose(&result);
}
END_TEST

START_TEST(a_killed_daemon_misses_its_ticks)
{
    struct xlp_trial_result result = run("tests/scenarios/restart.json", NULL);

    ck_assert_uint_eq(result.time_ns, UINT64_C(320000000000));
    ck_assert_uint_eq(result.ticks, 320 - 5 - 30);
    xlp_trial_result_dispose(&result);
}
END_TEST

START_TEST(a_stalled_daemon_misses_its_ticks)
{
    struct xlp_trial_result result = run("tests/scenarios/missed-ticks.json", NULL);

    ck_assert_uint_eq(result.time_ns, UINT64_C(400000000000));
    ck_assert_uint_eq(result.ticks,
                      400 - 2 - 4 - 40 - 9); /* one looks in between, when it is back */
    xlp_trial_result_dispose(&result);
}
END_TEST

START_TEST(an_unknown_setting_stops_the_trial)
{
    const char *settings[] = {"cpu_polcy=off", NULL};
    struct xlp_trial_options options = {.settings = settings};
    struct xlp_trial_result result;
    char error[256];

    ck_assert_int_eq(
        xlp_trial_run("tests/scenarios/C1.json", &options, &result, error, sizeof(error)), -1);
    ck_assert_str_eq(error, "cpu_polcy: there is no such setting");
}
END_TEST

static void judge_step(void *arg, struct xlp_sim *sim, uint64_t from_ns, uint64_t to_ns)
{
    (void)sim;
    xlp_judge_step(arg, from_ns, to_ns);
}

static void assert_verdict(const struct xlp_judge *judge, size_t i, bool passed, const char *text)
{
    struct xlp_trial_verdict verdict;

    xlp_judge_verdict(judge, i, &verdict);
    ck_assert_str_eq(verdict.text, text);
    ck_assert_int_eq(verdict.passed, passed);
}

START_TEST(work_is_held_against_what_weights_entitle_to)
{
    struct xlp_sim *sim =
        sim_of("'host':{'pcpus':2},'run_s':60,'dom0':{'load_pct':0},'guests':["
               "{'name':'a','hard':'0','load_pct':100},{'name':'b','hard':'0','load_pct':100},"
               "{'name':'c','hard':'1','load_pct':100,'weight':512},"
               "{'name':'d','hard':'0','load_pct':10}],'expect':["
               "{'check':'guest-share','guests':'[a-c]','min_pct':85,'max_pct':110},"
               "{'check':'unfairness','max_pct':11},{'check':'unfairness','max_pct':10},"
               "{'check':'lost-work','max_pct':0},"
               "{'check':'lost-work','guests':'[ab]','max_pct':5}]");
    struct xlp_judge *judge = xlp_judge_new(sim, S);

    ck_assert_ptr_nonnull(judge);
    sim->probe = judge_step;
    sim->probe_arg = judge;
    run_to(sim, 60);
    /* d is entitled to the 10 % it wants, a and b to a quarter of the rest each, 47.5 %, c to half,
     * 95 %. c uses more than that, as nobody else may run there. */
    assert_verdict(judge, 0, true,
                   "guest-share of [a-c], 0 s to 60 s: a did 94.7 % of its share, c 105.3 %; "
                   "expected: 85 to 110 %");
    assert_verdict(judge, 1, true,
                   "unfairness, 0 s to 60 s: a did 94.7 % of its share, c 105.3 %; expected: at "
                   "most 11 points apart");
    assert_verdict(judge, 2, false,
                   "unfairness, 0 s to 60 s: a did 94.7 % of its share, c 105.3 %; expected: at "
                   "most 10 points apart");
    assert_verdict(judge, 3, true,
                   "lost-work, 0 s to 60 s: 120.0 of 120.0 pCPU seconds of work were done, 0.00 % "
                   "lost; expected: at most 0 %");
    assert_verdict(judge, 4, false,
                   "lost-work of [ab], 0 s to 60 s: 54.0 of 57.0 pCPU seconds of work were done, "
                   "5.26 % lost; expected: at most 5 %");
    ck_assert_double_eq_tol(xlp_judge_work_s(judge), 120, 1e-6);
    ck_assert_double_eq_tol(xlp_judge_entitled_s(judge), 120, 1e-6);
    xlp_judge_free(judge);
    sim_close(sim);
}
END_TEST

START_TEST(work_is_told_from_time_and_place_from_place)
{
    struct xlp_sim *sim =
        sim_of("'host':{'pcpus':4,'threads':2,'core_capacity':1.5},'run_s':60,"
               "'dom0':{'load_pct':0},'guests':["
               "{'name':'a','vcpus':2,'hard':['0','1'],'load_pct':100},"
               "{'name':'b','vcpus':2,'online_vcpus':1,'hard':'2-3','load_pct':60},"
               "{'name':'idle'}],'expect':["
               "{'check':'guest-cpu','guests':'a','min_pct':100},"
               "{'check':'guest-work','guests':'a','min_pct':80},"
               "{'check':'guest-work','guests':'a','min_pct':75},"
               "{'check':'elsewhere','guests':'[ab]','pcpus':'0-1','max_pct':10},"
               "{'check':'elsewhere','guests':'b','pcpus':'2-3','max_pct':0},"
               "{'check':'elsewhere','guests':'idle','pcpus':'2-3','max_pct':0},"
               "{'check':'unfairness','guests':'idle','max_pct':0},"
               "{'check':'guest-cpu','guests':'b','min_pct':60},"
               "{'check':'guest-work','guests':'b','min_pct':60}]");
    struct xlp_judge *judge = xlp_judge_new(sim, S);

    ck_assert_ptr_nonnull(judge);
    sim->probe = judge_step;
    sim->probe_arg = judge;
    run_to(sim, 60);
    assert_verdict(judge, 0, true,
                   "guest-cpu of a, 0 s to 60 s: a got 100.0 % a vCPU, a 100.0 %; expected: at "
                   "least 100 %");
    assert_verdict(judge, 1, false,
                   "guest-work of a, 0 s to 60 s: a did work of 75.0 % a vCPU, a 75.0 %; "
                   "expected: at least 80 %");
    assert_verdict(judge, 2, true,
                   "guest-work of a, 0 s to 60 s: a did work of 75.0 % a vCPU, a 75.0 %; "
                   "expected: at least 75 %");
    assert_verdict(judge, 3, false,
                   "elsewhere of [ab], 0 s to 60 s: 23.08 % of the run time was on other pCPUs; "
                   "expected: at most 10 %");
    assert_verdict(judge, 4, true,
                   "elsewhere of b, 0 s to 60 s: 0.00 % of the run time was on other pCPUs; "
                   "expected: at most 0 %");
    assert_verdict(judge, 5, false, "elsewhere of idle, 0 s to 60 s: nothing ran");
    assert_verdict(judge, 6, false,
                   "unfairness of idle, 0 s to 60 s: nobody was entitled to anything");
    /* Only vCPUs that are online count. */
    assert_verdict(judge, 7, true,
                   "guest-cpu of b, 0 s to 60 s: b got 60.0 % a vCPU, b 60.0 %; expected: at least "
                   "60 %");
    assert_verdict(judge, 8, true,
                   "guest-work of b, 0 s to 60 s: b did work of 60.0 % a vCPU, b 60.0 %; expected: "
                   "at least 60 %");
    xlp_judge_free(judge);
    sim_close(sim);
}
END_TEST

/* What the manager undid of its own; what others did in between does not count. */
START_TEST(a_move_back_is_a_reversal)
{
    static const struct {
        const char *to; /* NULL: the operator pins it to pCPU 0 */
        uint32_t reversals;
    } steps[] = {{"1", 0}, {"2", 0}, {"1", 1}, {"3", 1}, {NULL, 1},
                 {"1", 1}, {"0", 2}, {"0", 2}, {"1", 3}};
    struct xlp_sim *sim = sim_of("'host':{'pcpus':4},'run_s':60,'guests':[{'name':'a'}],"
                                 "'events':[{'at_s':4.5,'event':'vcpu-pin','guest':'a',"
                                 "'hard':'0'}],"
                                 "'expect':[{'check':'reversals','max':1}]");
    struct xlp_judge *judge = xlp_judge_new(sim, S);

    ck_assert_ptr_nonnull(judge);
    sim->probe = judge_step;
    sim->probe_arg = judge;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (steps[i].to)
            ck_assert_int_eq(place(sim, "a", steps[i].to, "all"), XLP_DONE);
        ck_assert_msg(guest(sim, "a")->reversals == steps[i].reversals, "step %zu: %u", i,
                      guest(sim, "a")->reversals);
        xlp_judge_round(judge);
        run_to(sim, (double)i + 1);
    }
    assert_verdict(judge, 0, false, "reversals, 0 s to 60 s: 3; expected: at most 1");
    xlp_judge_free(judge);
    sim_close(sim);
}
END_TEST

START_TEST(taking_too_much_from_a_guest_is_seen)
{
    struct xlp_sim *sim = sim_of("'host':{'pcpus':1},'run_s':60,"
                                 "'guests':[{'name':'a','overhead_mib':12,'used_mib':300}],"
                                 "'expect':[{'check':'givers-safe','margin_mib':20,'to_s':30},"
                                 "{'check':'givers-safe','margin_mib':20},"
                                 "{'check':'short','max_s':5},"
                                 "{'check':'givers-safe','from_s':35,'to_s':40}]");
    struct xlp_judge *judge = xlp_judge_new(sim, S);
    struct xlp_trial_verdict verdicts[4];

    ck_assert_ptr_nonnull(judge);
    sim->probe = judge_step;
    sim->probe_arg = judge;
    ck_assert_int_eq(set_target(sim, "a", 332 * 1024, 0), XLP_DONE);
    run_to(sim, 40);
    ck_assert_int_eq(set_target(sim, "a", 252 * 1024, 0), XLP_DONE);
    run_to(sim, 60);
    for (size_t i = 0; i < 4; i++)
        xlp_judge_verdict(judge, i, &verdicts[i]);
    ck_assert(verdicts[0].passed);
    ck_assert_str_eq(verdicts[0].text, "givers-safe, 0 s to 30 s: a was left 20.0 MiB above what "
                                       "it used when it gave memory up; expected: at least 20");
    ck_assert(!verdicts[1].passed);
    ck_assert_str_eq(verdicts[1].text, "givers-safe, 0 s to 60 s: a was left -60.0 MiB above what "
                                       "it used when it gave memory up; expected: at least 20");
    ck_assert(!verdicts[2].passed);
    ck_assert_str_eq(verdicts[2].text,
                     "short, 0 s to 60 s: a was short for 19.8 s on end; expected: at most 5 s");
    ck_assert(!verdicts[3].passed);
    ck_assert_str_eq(verdicts[3].text, "givers-safe, 35 s to 40 s: nothing to judge: nobody gave "
                                       "memory up");
    xlp_judge_free(judge);
    sim_close(sim);
}
END_TEST

/* An expectation that met nothing has not been met. */
START_TEST(nothing_to_judge_is_a_failure)
{
    char path[] = "/tmp/check_trial.XXXXXX";
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "w");
    struct xlp_trial_result result;

    ck_assert_ptr_nonnull(file);
    fputs("{\"xlpolicy_scenario\": 1, \"host\": {\"pcpus\": 1}, \"run_s\": 5,\n"
          " \"guests\": [{\"name\": \"a\"}],\n"
          " \"expect\": [{\"check\": \"short\", \"guests\": \"web*\", \"max_s\": 5},\n"
          "            {\"check\": \"host-free\", \"min_mib\": 1}]}\n",
          file);
    fclose(file);
    result = run(path, NULL);
    remove(path);
    ck_assert(!result.passed);
    ck_assert(!result.verdicts[0].passed);
    ck_assert_uint_eq(result.verdicts[0].line, 3);
    ck_assert_str_eq(result.verdicts[0].text, "short of web*, 0 s to 5 s: nothing to judge: no "
                                              "such time, or no such guest then");
    ck_assert(result.verdicts[1].passed);
    xlp_trial_result_dispose(&result);
}
END_TEST

static TCase *scenarios(void)
{
    TCase *tcase = tcase_create("scenarios");

    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, it_does_not_hold_where_it_must_not, 0,
                        sizeof(controls) / sizeof(controls[0]));
    return tcase;
}

CHECK_CASE(runner, the_observer_sees_what_really_happened, a_killed_daemon_misses_its_ticks,
           a_stalled_daemon_misses_its_ticks, an_unknown_setting_stops_the_trial,
           work_is_held_against_what_weights_entitle_to,
           work_is_told_from_time_and_place_from_place, a_move_back_is_a_reversal,
           taking_too_much_from_a_guest_is_seen, nothing_to_judge_is_a_failure)
CHECK_MAIN("trial", scenarios, runner)
