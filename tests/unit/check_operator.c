/* SPDX-License-Identifier: LGPL-2.1-only */
/* links: daemon/config.c daemon/config_scan.c daemon/config_text.c daemon/control.c */
/* links: daemon/config_dom0.c daemon/control_commands.c daemon/control_reserve.c */
/* links: daemon/control_peer.c daemon/cycle.c daemon/history.c daemon/log.c daemon/loop.c */
/* links: daemon/notify.c daemon/pidfile.c daemon/state.c daemon/tell.c daemon/words.c */
/* links: daemon/control_operator.c daemon/overrides.c daemon/trial.c */
/* links: daemon/metrics.c daemon/textfile.c */
/* What the operator asks the running daemon for: a trial, one tick now, settings of one guest. */
#include "check_main.h"
#include "daemon_fixture.h"

#define SECOND (1000 * MS)

static struct options options;
static char mark[PATH_MAX + 8];

/* A pidfile in a directory of its own, and so a place for the mark of a trial. */
static void set_up_place(void)
{
    char directory[] = "/tmp/check_operator.XXXXXX";

    set_up();
    ck_assert_ptr_nonnull(mkdtemp(directory));
    options = (struct options){.host = "fake", .mode = -1};
    snprintf(options.pidfile_path, sizeof(options.pidfile_path), "%s/pid", directory);
    snprintf(mark, sizeof(mark), "%s/pid.trial", directory);
    d.options = &options;
}

static void tear_down_place(void)
{
    char *slash = strrchr(mark, '/');

    unlink(mark);
    *slash = '\0';
    rmdir(mark);
    tear_down();
}

static bool has_mark(void)
{
    return access(mark, F_OK) == 0;
}

static bool says(const char *command, const char *text)
{
    return strstr(ask(command), text);
}

/* Runs the loop for so long. */
static void run_for(uint64_t ns)
{
    uint64_t end_ns = fake.now_ns + ns;

    while (fake.now_ns < end_ns) {
        fake.ends_at = fake.waited + 1;
        ck_assert_int_eq(loop_run(&d, -1), 0);
        d.stop = false;
    }
}

/* ---- a trial ---- */

START_TEST(a_trial_acts_and_puts_everything_back_when_it_is_over)
{
    fake.releasing = true;
    ck_assert(says("\"trial\",\"for_s\":2", "\"mode\":\"act\""));
    ck_assert(has_mark());
    ck_assert(says("\"status\"", "\"trial_left_s\":2,"));
    run_for(1 * SECOND);
    ck_assert_int_eq(d.mode, CONFIG_ACT);
    ck_assert(has_mark());
    run_for(1 * SECOND + 1);
    ck_assert_int_eq(d.mode, CONFIG_ADVISE);
    ck_assert_int_eq(fake.applied_last, XLP_RELEASE_TARGET);
    ck_assert(!has_mark());
    ck_assert(says("\"status\"", "\"trial_left_s\":null,"));
}
END_TEST

START_TEST(a_trial_that_ends_wakes_the_daemon_in_the_midst_of_a_long_tick)
{
    d.config.policy.tick_ms = 60000;
    ck_assert(says("\"trial\",\"for_s\":5", "\"ok\":true"));
    run_for(6 * SECOND);
    ck_assert_int_eq(d.mode, CONFIG_ADVISE);
    ck_assert_uint_eq(fake.looks_ns[fake.observed - 1], 6 * SECOND);
}
END_TEST

START_TEST(a_mode_set_by_hand_ends_a_trial_and_nothing_is_undone)
{
    static const char *const commands[] = {
        "\"mode\",\"mode\":\"act\"",
        "\"mode\",\"mode\":\"advise\"",
        "\"release\"",
    };
    static const int modes[] = {CONFIG_ACT, CONFIG_ADVISE, CONFIG_ADVISE};

    ck_assert(says("\"trial\",\"for_s\":2", "\"ok\":true"));
    ck_assert(says(commands[_i], "\"ok\":true"));
    ck_assert(!has_mark());
    run_for(3 * SECOND);
    ck_assert_int_eq(d.mode, modes[_i]);
    ck_assert_uint_eq(fake.applied, 0);
}
END_TEST

START_TEST(what_cannot_be_put_back_is_tried_again_and_given_up_in_the_end)
{
    fake.releasing = true;
    fake.refuses_vcpu = 0; /* of the release, too, the number is 0 */
    ck_assert(says("\"trial\",\"for_s\":1", "\"ok\":true"));
    run_for(2 * SECOND);
    ck_assert_int_eq(d.mode, CONFIG_ADVISE);
    ck_assert(has_mark());
    fake.refuses_vcpu = XLP_UNKNOWN;
    run_for(1 * SECOND);
    ck_assert(!has_mark());
    ck_assert(!d.trial.on);

    fake.refuses_vcpu = 0;
    ck_assert(says("\"trial\",\"for_s\":1", "\"ok\":true"));
    run_for(5 * SECOND);
    ck_assert(d.trial.on);
    run_for(5 * SECOND);
    ck_assert(!d.trial.on);
    ck_assert(!has_mark());
}
END_TEST

START_TEST(nothing_is_given_up_while_the_host_cannot_be_looked_at)
{
    fake.releasing = true;
    ck_assert(says("\"trial\",\"for_s\":1", "\"ok\":true"));
    fake.observe_fails_at = fake.observed + 1;
    fake.fails_again = 500;
    run_for(20 * SECOND);
    ck_assert(has_mark());
    fake.observe_fails_at = 0;
    run_for(1 * SECOND);
    ck_assert(!has_mark());
    ck_assert_int_eq(fake.applied_last, XLP_RELEASE_TARGET);
}
END_TEST

START_TEST(a_trial_may_be_begun_anew_but_not_over_the_mode_act)
{
    ck_assert(says("\"trial\",\"for_s\":2", "\"ok\":true"));
    run_for(1 * SECOND);
    ck_assert(says("\"trial\",\"for_s\":2", "\"ok\":true"));
    run_for(SECOND + SECOND / 2);
    ck_assert_int_eq(d.mode, CONFIG_ACT);
    ck_assert(says("\"mode\",\"mode\":\"act\"", "\"ok\":true"));
    ck_assert(says("\"trial\",\"for_s\":2", "\"exit_code\":4"));
    ck_assert(says("\"mode\",\"mode\":\"advise\"", "\"ok\":true"));
    ck_assert(says("\"trial\"", "\"exit_code\":2"));
    strcpy(options.pidfile_path, "/nonexistent/pid");
    ck_assert(says("\"trial\",\"for_s\":2", "cannot note the trial in /nonexistent/pid.trial"));
    ck_assert_int_eq(d.mode, CONFIG_ADVISE);
}
END_TEST

START_TEST(a_daemon_that_was_killed_in_a_trial_puts_everything_back_when_it_runs_again)
{
    fake.releasing = true;
    ck_assert(says("\"trial\",\"for_s\":1000", "\"ok\":true"));
    daemon_dispose(&d); /* and the mark stays */
    ck_assert_int_eq(daemon_init(&d, &options), 0);
    d.host = &fake.base;
    d.config.policy.tick_ms = 100;
    fake.applied = 0;
    if (_i == 1)
        d.mode = CONFIG_ACT; /* a later word, in the configuration or on the command line */
    trial_recover(&d);
    trial_run_due(&d);
    ck_assert_uint_eq(fake.applied, _i == 1 ? 0 : 1);
    ck_assert_int_eq(d.mode, _i == 1 ? CONFIG_ACT : CONFIG_ADVISE);
    ck_assert(!has_mark());
}
END_TEST

/* ---- one tick now ---- */

START_TEST(rebalance_acts_once_whatever_the_mode)
{
    d.mode = CONFIG_PAUSE;
    run_for(SECOND);
    ck_assert_uint_eq(fake.applied, 0);
    fake.now_ns += 60 * MS;
    fake.releasing = true;
    ck_assert(says("\"rebalance\"", "\"outcome\":\"done\""));
    ck_assert_uint_eq(fake.applied, 1);
    fake.releasing = false;
    ck_assert_int_eq(d.mode, CONFIG_PAUSE);
    ck_assert_int_eq(d.config.policy.cpu_uneven_ticks, 3);
    ck_assert_uint_eq(d.next_tick_ns, fake.now_ns + 10 * MS + 10 * MS / 4);
    ck_assert(d.control.on_hold);
    run_for(SECOND);
    ck_assert(!d.control.on_hold);
    ck_assert_uint_eq(fake.applied, 1);
}
END_TEST

START_TEST(a_dry_run_of_rebalance_takes_no_step_of_a_release_either)
{
    d.mode = CONFIG_PAUSE;
    run_for(SECOND);
    fake.now_ns += 60 * MS;
    fake.releasing = true;
    ck_assert(says("\"rebalance\",\"dry_run\":true", "\"outcome\":\"dry-run\""));
    ck_assert_uint_eq(fake.applied, 0);
}
END_TEST

START_TEST(rebalance_waits_until_use_can_be_measured)
{
    unsigned int looks;

    ck_assert(says("\"rebalance\"", "\"wait_ms\":")); /* before the first tick */
    run_for(SECOND);
    looks = fake.observed;
    fake.now_ns = d.last_tick_ns + 20 * MS;
    ck_assert(says("\"rebalance\"", "\"wait_ms\":31}"));
    ck_assert_uint_eq(fake.observed, looks);
    fake.now_ns += 31 * MS;
    ck_assert(says("\"rebalance\"", "\"actions\":[]"));
    ck_assert_uint_eq(fake.observed, looks + 1);
    fake.now_ns += SECOND;
    fake.observe_fails_at = looks + 2;
    ck_assert(says("\"rebalance\"", "xenstored does not answer"));
}
END_TEST

/* ---- settings of one guest ---- */

START_TEST(what_is_set_goes_before_the_configuration_and_can_be_forgotten)
{
    char error[128];

    ck_assert_int_eq(
        xlp_policy_add_domain(&d.config.policy, "look*: shares=500, cpu=0", error, sizeof(error)),
        0);
    ck_assert_int_eq(cycle_run(&d), 0); /* its name is look1 now */
    ck_assert(says("\"set\",\"domain\":\"0\",\"settings\":\"shares=7\"",
                   "\"override\":\"look1: shares=7\""));
    ck_assert(says("\"set\",\"domain\":\"look1\",\"settings\":\"floor=1g\"",
                   "\"override\":\"look1: shares=7, floor=1g\""));
    ck_assert_uint_eq(xlp_policy_for(&d.config.policy, "look1").shares, 7);
    ck_assert(!xlp_policy_for(&d.config.policy, "look1").cpu);
    ck_assert_uint_eq(xlp_policy_for(&d.config.policy, "look2").shares, 500);
    ck_assert_uint_eq(d.config.policy.domain_count, 2);
    ck_assert(says("\"state\"", "\"overrides\":[\"look1: shares=7, floor=1g\"]"));
    ck_assert(says("\"set\",\"domain\":\"look1\"", "\"override\":null"));
    ck_assert_uint_eq(xlp_policy_for(&d.config.policy, "look1").shares, 500);
    ck_assert_uint_eq(d.config.policy.domain_count, 1);
}
END_TEST

START_TEST(what_is_set_wrongly_changes_nothing)
{
    ck_assert_int_eq(cycle_run(&d), 0);
    ck_assert(says("\"set\",\"domain\":\"look1\",\"settings\":\"shares=0\"", "\"exit_code\":2"));
    ck_assert(says("\"set\",\"settings\":\"shares=1\"", "\"exit_code\":2"));
    ck_assert(says("\"set\",\"domain\":\"x\",\"settings\":\"shares=1\"", "\"exit_code\":1"));
    strcpy(d.snapshot.domains[0].name, "a:b");
    ck_assert(says("\"set\",\"domain\":\"0\",\"settings\":\"shares=1\"", "\"exit_code\":4"));
    ck_assert_uint_eq(d.config.policy.domain_count, 0);
    ck_assert_uint_eq(d.overrides.domain_count, 0);
}
END_TEST

START_TEST(what_is_set_outlives_a_reload)
{
    char error[256];
    int fd;

    ck_assert_int_eq(cycle_run(&d), 0);
    ck_assert(says("\"set\",\"domain\":\"look1\",\"settings\":\"shares=7\"", "\"ok\":true"));
    memcpy(options.config_path, mark, sizeof(options.config_path));
    fd = open(options.config_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_gt(dprintf(fd, "domains = [ \"look*: shares=5, cpu=0\" ]\n"), 0);
    close(fd);
    strcpy(d.control.path, options.config_path); /* a file whose group can be set */
    ck_assert_int_eq(daemon_reload(&d, "SIGHUP", error, sizeof(error)), 0);
    unlink(options.config_path);
    ck_assert_uint_eq(xlp_policy_for(&d.config.policy, "look1").shares, 7);
    ck_assert(!xlp_policy_for(&d.config.policy, "look1").cpu);
    ck_assert_uint_eq(xlp_policy_for(&d.config.policy, "look2").shares, 5);
}
END_TEST

CHECK_FIXTURE_CASE(plain_trials, set_up_place, tear_down_place,
                   a_trial_acts_and_puts_everything_back_when_it_is_over,
                   a_trial_that_ends_wakes_the_daemon_in_the_midst_of_a_long_tick,
                   what_cannot_be_put_back_is_tried_again_and_given_up_in_the_end,
                   nothing_is_given_up_while_the_host_cannot_be_looked_at,
                   a_trial_may_be_begun_anew_but_not_over_the_mode_act)
static TCase *trials(void)
{
    TCase *tcase = plain_trials();

    tcase_add_loop_test(tcase, a_mode_set_by_hand_ends_a_trial_and_nothing_is_undone, 0, 3);
    tcase_add_loop_test(
        tcase, a_daemon_that_was_killed_in_a_trial_puts_everything_back_when_it_runs_again, 0, 2);
    return tcase;
}
CHECK_FIXTURE_CASE(rebalancing, set_up_place, tear_down_place,
                   rebalance_acts_once_whatever_the_mode,
                   a_dry_run_of_rebalance_takes_no_step_of_a_release_either,
                   rebalance_waits_until_use_can_be_measured)
CHECK_FIXTURE_CASE(setting, set_up_place, tear_down_place,
                   what_is_set_goes_before_the_configuration_and_can_be_forgotten,
                   what_is_set_wrongly_changes_nothing, what_is_set_outlives_a_reload)
CHECK_MAIN("operator", trials, rebalancing, setting)
