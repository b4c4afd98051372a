/* SPDX-License-Identifier: LGPL-2.1-only */
/* links: daemon/config.c daemon/config_scan.c daemon/config_text.c daemon/control.c */
/* links: daemon/control_commands.c daemon/control_peer.c daemon/control_reserve.c */
/* links: daemon/config_dom0.c daemon/cycle.c daemon/history.c daemon/log.c daemon/loop.c */
/* links: daemon/notify.c daemon/pidfile.c daemon/state.c daemon/tell.c daemon/words.c */
/* links: daemon/control_operator.c daemon/overrides.c daemon/trial.c */
/* links: daemon/metrics.c daemon/textfile.c */
/* The daemon's parts on a host that does what the test says: ticks, failures, what is told. */
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "check_main.h"
#include "daemon_fixture.h"

static void set_action(struct xlp_action *action, uint32_t vcpu)
{
    *action = (struct xlp_action){
        .kind = XLP_PLACE_VCPU,
        .name = "web1",
        .vcpu = vcpu,
        .from_pcpu = 0,
        .to_pcpu = 1,
        .reason.code = XLP_REASON_CPU_ROUND_ROBIN,
        .reason.number = {1, 4},
    };
}

/* ---- ticks ---- */

START_TEST(a_tick_that_was_late_does_not_delay_the_next)
{
    uint64_t missed = 0;

    ck_assert_uint_eq(loop_next_tick(1000, 1000, 100, &missed), 1100);
    ck_assert_uint_eq(loop_next_tick(1000, 1037, 100, &missed), 1100);
    ck_assert_uint_eq(loop_next_tick(1000, 1100, 100, &missed), 1100);
    ck_assert_uint_eq(missed, 0);
}
END_TEST

START_TEST(ticks_that_passed_are_left_out_and_counted)
{
    uint64_t missed = 0;

    ck_assert_uint_eq(loop_next_tick(1000, 1101, 100, &missed), 1200);
    ck_assert_uint_eq(missed, 1);
    ck_assert_uint_eq(loop_next_tick(1000, 1350, 100, &missed), 1400);
    ck_assert_uint_eq(missed, 4);
}
END_TEST

START_TEST(the_loop_ticks_in_rhythm_until_the_host_ends)
{
    fake.ends_at = 10;
    fake.observe_takes_ns = 30 * MS;
    ck_assert_int_eq(loop_run(&d, -1), 0);
    ck_assert_uint_eq(d.counters.ticks, 10);
    ck_assert_uint_eq(d.counters.ticks_missed, 0);
    ck_assert_uint_eq(fake.now_ns, 2000 * MS);
}
END_TEST

START_TEST(looks_that_take_longer_than_a_tick_do_not_pile_up)
{
    fake.ends_at = 5;
    fake.observe_takes_ns = 250 * MS;
    ck_assert_int_eq(loop_run(&d, -1), 0);
    ck_assert_uint_eq(fake.now_ns, 2500 * MS);
    ck_assert_uint_eq(d.counters.ticks, 5);
    ck_assert_uint_eq(d.counters.ticks_missed, 10);
}
END_TEST

START_TEST(an_event_brings_the_next_tick_forward)
{
    d.config.policy.tick_ms = 60000;
    fake.event_at_ns = 6000 * MS;
    fake.ends_at = 3;
    ck_assert_int_eq(loop_run(&d, -1), 0);
    ck_assert_uint_eq(fake.observed, 3);
    ck_assert_uint_eq(fake.looks_ns[0], 1000 * MS);
    ck_assert_uint_eq(fake.looks_ns[1], 6000 * MS);
    ck_assert_uint_eq(fake.looks_ns[2], 66000 * MS);
    ck_assert_uint_eq(d.counters.ticks_missed, 0);
}
END_TEST

START_TEST(any_number_of_events_makes_one_tick_a_second)
{
    d.config.policy.tick_ms = 60000;
    fake.event_at_ns = 1010 * MS;
    fake.event_every_ns = 10 * MS;
    fake.observe_takes_ns = 5 * MS;
    fake.ends_at = 1000;
    ck_assert_int_eq(loop_run(&d, -1), 0);
    ck_assert_uint_ge(fake.observed, 9);
    for (unsigned int i = 0; i < fake.observed; i++)
        ck_assert_uint_eq(fake.looks_ns[i], (i + 1) * 1000 * MS);
}
END_TEST

START_TEST(events_do_not_change_the_rhythm_of_ticks_that_are_no_longer_than_a_second)
{
    static const uint32_t ticks_ms[] = {100, 500, 1000};

    d.config.policy.tick_ms = ticks_ms[_i];
    fake.event_at_ns = 1007 * MS;
    fake.event_every_ns = 7 * MS;
    fake.observe_takes_ns = 5 * MS;
    fake.ends_at = 1000;
    ck_assert_int_eq(loop_run(&d, -1), 0);
    ck_assert_uint_ge(fake.observed, 6);
    for (unsigned int i = 0; i < fake.observed; i++)
        ck_assert_uint_eq(fake.looks_ns[i], 1000 * MS + i * ticks_ms[_i] * MS);
}
END_TEST

START_TEST(a_host_that_cannot_be_waited_for_ends_the_loop_with_an_error)
{
    fake.wait_fails_at = 3;
    ck_assert_int_eq(loop_run(&d, -1), -1);
    ck_assert_uint_eq(d.counters.ticks, 3);
}
END_TEST

/* ---- one tick ---- */

START_TEST(a_look_that_fails_leaves_the_last_snapshot)
{
    fake.observe_fails_at = 2;
    ck_assert_int_eq(cycle_run(&d), 0);
    ck_assert_int_eq(cycle_run(&d), -1);
    ck_assert_str_eq(d.snapshot.domains[0].name, "look1");
    ck_assert_str_eq(d.last_error, "xenstored does not answer; start it");
    ck_assert_uint_eq(d.counters.ticks, 1);
    ck_assert_uint_eq(d.counters.ticks_failed, 1);
    ck_assert(d.failing);
    ck_assert_int_eq(cycle_run(&d), 0);
    ck_assert_str_eq(d.snapshot.domains[0].name, "look3");
    ck_assert(!d.failing);
}
END_TEST

START_TEST(every_action_is_tried_though_one_fails)
{
    struct xlp_action actions[3];
    struct xlp_plan plan = {.actions = actions, .action_count = 3};

    for (uint32_t i = 0; i < 3; i++)
        set_action(&actions[i], i);
    fake.refuses_vcpu = 1;
    ck_assert_int_eq(cycle_apply(&d, &plan, &d.outcomes), 0);
    ck_assert_uint_eq(fake.applied, 3);
    ck_assert_uint_eq(d.outcomes.count, 3);
    ck_assert_int_eq(d.outcomes.at[0].code, XLP_DONE);
    ck_assert_int_eq(d.outcomes.at[1].code, XLP_NOT_DONE_FAILED);
    ck_assert_int_eq(d.outcomes.at[2].code, XLP_DONE);
    ck_assert_uint_eq(d.counters.done[XLP_REASON_CPU_ROUND_ROBIN], 2);
    ck_assert_uint_eq(d.counters.not_done[XLP_REASON_CPU_ROUND_ROBIN], 1);
    ck_assert_str_eq(d.last_error, "setting affinity: no memory");
    ck_assert_uint_eq(history_count(&d.history), 3);
}
END_TEST

START_TEST(memory_that_was_released_goes_back_although_all_else_is_only_advised)
{
    fake.releasing = true;
    d.mode = CONFIG_ADVISE;
    ck_assert_int_eq(cycle_run(&d), 0);
    ck_assert_uint_eq(fake.applied, 1);
    ck_assert_int_eq(fake.applied_last, XLP_RELEASE_TARGET);
    ck_assert_uint_eq(d.outcomes.count, 0);
    ck_assert_uint_eq(history_count(&d.history), 1);
    d.mode = CONFIG_PAUSE;
    ck_assert_int_eq(cycle_run(&d), 0);
    ck_assert_uint_eq(fake.applied, 2);
}
END_TEST

START_TEST(acting_again_ends_a_release_that_is_not_finished)
{
    fake.releasing = true;
    ck_assert_int_eq(cycle_resume(&d), 0);
    ck_assert_uint_eq(fake.applied, 1);
    ck_assert_int_eq(fake.applied_last, XLP_ADOPT_DOMAIN);
}
END_TEST

static bool looks_afresh(const char *command)
{
    fake.afresh = false;
    ask(command);
    return fake.afresh;
}

START_TEST(a_command_looks_at_all_there_is_and_a_tick_does_not)
{
    ck_assert_int_eq(cycle_run(&d), 0);
    ck_assert(!fake.afresh);
    ck_assert(looks_afresh("\"adopt\""));
    ck_assert(looks_afresh("\"release\""));
    fake.now_ns += 1000 * MS;
    ck_assert(looks_afresh("\"rebalance\""));
    ck_assert(looks_afresh("\"mode\",\"mode\":\"act\""));
    ck_assert_int_eq(cycle_release_all(&d), 0);
    ck_assert(fake.afresh);
    ck_assert_int_eq(cycle_run(&d), 0);
    ck_assert(!fake.afresh);
}
END_TEST

START_TEST(what_fails_every_tick_does_not_fill_the_history)
{
    struct xlp_action action;
    struct xlp_plan plan = {.actions = &action, .action_count = 1};

    set_action(&action, 1);
    fake.refuses_vcpu = 1;
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(cycle_apply(&d, &plan, &d.outcomes), 0);
    ck_assert_uint_eq(d.counters.not_done[XLP_REASON_CPU_ROUND_ROBIN], 20);
    ck_assert_uint_eq(history_count(&d.history), 1);
}
END_TEST

/* ---- the state ---- */

static bool state_has(const char *text)
{
    return strstr(ask("\"state\""), text);
}

START_TEST(the_state_is_put_together_once_a_tick)
{
    ck_assert(state_has("\"ok\":false"));
    ck_assert_int_eq(cycle_run(&d), 0);
    ck_assert(state_has("\"name\":\"look1\""));
    strcpy(d.snapshot.domains[0].name, "other");
    ck_assert(!state_has("\"name\":\"other\""));
    ck_assert_int_eq(cycle_run(&d), 0);
    ck_assert(state_has("\"name\":\"look2\""));
    fake.observe_fails_at = 3;
    ck_assert_int_eq(cycle_run(&d), -1);
    ck_assert(state_has("\"ticks_failed\":1"));
}
END_TEST

START_TEST(what_a_command_changed_shows_in_the_state_at_once)
{
    ck_assert_int_eq(cycle_run(&d), 0);
    ck_assert(state_has("\"mode\":\"advise\""));
    ck_assert_ptr_nonnull(strstr(ask("\"mode\",\"mode\":\"pause\""), "\"ok\":true"));
    ck_assert(state_has("\"mode\":\"pause\""));
}
END_TEST

/* ---- reloading ---- */

static struct options named;

static void write_config(void)
{
    int fd;

    strcpy(named.config_path, "/tmp/check_daemon.XXXXXX");
    fd = mkstemp(named.config_path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_gt(dprintf(fd, "tick_ms = 250\nmode = \"act\"\n"), 0);
    close(fd);
    named.config_named = true;
    d.options = &named;
}

START_TEST(a_reload_that_fails_changes_nothing)
{
    char error[256];
    int rc;

    write_config();
    ck_assert_str_eq(d.control.path, ""); /* no socket whose group could be set */
    rc = daemon_reload(&d, "SIGHUP", error, sizeof(error));
    unlink(named.config_path);
    ck_assert_int_eq(rc, -1);
    ck_assert_ptr_nonnull(strstr(error, "cannot give the group access to "));
    ck_assert_uint_eq(d.config.policy.tick_ms, 100);
    ck_assert_int_eq(d.config.mode, CONFIG_ADVISE);
    ck_assert_int_eq(d.mode, CONFIG_ADVISE);
    ck_assert(!d.config_found);
}
END_TEST

static void reload(void)
{
    char error[256];
    int rc;

    named.host = "fake";
    named.mode = -1;
    write_config();
    strcpy(d.control.path, named.config_path); /* a file whose group can be set */
    rc = daemon_reload(&d, "SIGHUP", error, sizeof(error));
    unlink(named.config_path);
    ck_assert_int_eq(rc, 0);
}

START_TEST(what_was_reloaded_shows_in_the_state_at_once)
{
    ck_assert_int_eq(cycle_run(&d), 0);
    ck_assert(state_has("\"tick_ms\":100"));
    reload();
    ck_assert(state_has("\"tick_ms\":250"));
    ck_assert(state_has("\"mode\":\"act\""));
}
END_TEST

START_TEST(the_mode_act_from_the_file_ends_a_release_as_the_command_does)
{
    fake.releasing = true;
    reload();
    ck_assert_int_eq(d.mode, CONFIG_ACT);
    ck_assert_uint_eq(fake.applied, 1);
}
END_TEST

/* ---- the watchdog ---- */

static int watchdog_socket(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    socklen_t length;

    ck_assert_int_ge(fd, 0);
    length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
                         (size_t)snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1,
                                          "check_daemon.%d", (int)getpid()));
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, length), 0);
    address.sun_path[0] = '@';
    setenv("NOTIFY_SOCKET", address.sun_path, 1);
    setenv("WATCHDOG_USEC", "180000000", 1);
    return fd;
}

static unsigned int pats(int fd)
{
    unsigned int count = 0;
    char text[256];
    ssize_t length;

    while ((length = recv(fd, text, sizeof(text) - 1, 0)) > 0) {
        text[length] = '\0';
        count += strcmp(text, "WATCHDOG=1") == 0;
    }
    return count;
}

/* One is due every 90 s, a look every 60: the second fails, and the third comes in time. */
START_TEST(a_look_that_fails_puts_a_pat_off_until_one_succeeds)
{
    int fd = watchdog_socket();

    d.config.policy.tick_ms = 60000;
    fake.observe_fails_at = 2;
    fake.ends_at = 4;
    ck_assert_int_eq(loop_run(&d, -1), 0);
    ck_assert_uint_eq(pats(fd), 2);
    close(fd);
}
END_TEST

/* ---- the history ---- */

START_TEST(the_history_keeps_the_last_in_order)
{
    struct xlp_outcome outcome = {.code = XLP_DONE};
    struct xlp_action action;

    ck_assert_uint_eq(history_count(&d.history), 0);
    for (uint32_t i = 0; i < HISTORY_ENTRIES + 10; i++) {
        set_action(&action, i);
        history_add(&d.history, i, &action, &outcome);
        ck_assert_uint_eq(history_at(&d.history, history_count(&d.history) - 1)->action.vcpu, i);
    }
    ck_assert_uint_eq(history_count(&d.history), HISTORY_ENTRIES);
    for (size_t i = 0; i < HISTORY_ENTRIES; i++)
        ck_assert_uint_eq(history_at(&d.history, i)->wall_ns, i + 10);
}
END_TEST

/* ---- what is told ---- */

START_TEST(what_is_done_is_told_each_time)
{
    struct xlp_outcome outcome = {.code = XLP_DONE};
    struct xlp_action action;

    set_action(&action, 0);
    ck_assert(tell_action(&d.tell, &action, &outcome, 1));
    ck_assert(tell_action(&d.tell, &action, &outcome, 2));
}
END_TEST

START_TEST(what_is_planned_is_told_when_it_changes)
{
    struct xlp_action action;

    set_action(&action, 0);
    ck_assert(tell_action(&d.tell, &action, NULL, 1));
    action.reason.number[0] = 2; /* the load of the moment */
    ck_assert(!tell_action(&d.tell, &action, NULL, 2));
    action.to_pcpu = 3;
    ck_assert(tell_action(&d.tell, &action, NULL, 3));
    action.to_kib = 4;
    ck_assert(tell_action(&d.tell, &action, NULL, 4));
    action.to_weight = 4;
    ck_assert(tell_action(&d.tell, &action, NULL, 4));
    action.vcpu = 5;
    ck_assert(tell_action(&d.tell, &action, NULL, 5));
    action.domid = 6;
    ck_assert(tell_action(&d.tell, &action, NULL, 6));
    action.reason.code = XLP_REASON_CPU_EVEN;
    ck_assert(tell_action(&d.tell, &action, NULL, 7));
}
END_TEST

START_TEST(another_outcome_is_news)
{
    struct xlp_outcome busy = {.code = XLP_NOT_DONE_BUSY}, gone = {.code = XLP_NOT_DONE_GONE};
    struct xlp_action action;

    set_action(&action, 0);
    ck_assert(tell_action(&d.tell, &action, &busy, 1));
    ck_assert(!tell_action(&d.tell, &action, &busy, 2));
    ck_assert(tell_action(&d.tell, &action, &gone, 3));
    ck_assert(tell_action(&d.tell, &action, NULL, 4));
}
END_TEST

START_TEST(what_comes_up_again_after_a_minute_is_told_again)
{
    struct xlp_action action;

    set_action(&action, 0);
    ck_assert(tell_action(&d.tell, &action, NULL, 0));
    tell_forget(&d.tell, TELL_FORGET_NS - 1);
    ck_assert(!tell_action(&d.tell, &action, NULL, TELL_FORGET_NS - 1));
    tell_forget(&d.tell, 2 * TELL_FORGET_NS - 2);
    ck_assert(!tell_action(&d.tell, &action, NULL, 2 * TELL_FORGET_NS - 2));
    tell_forget(&d.tell, 3 * TELL_FORGET_NS - 2);
    ck_assert(tell_action(&d.tell, &action, NULL, 3 * TELL_FORGET_NS - 2));
}
END_TEST

START_TEST(what_is_remembered_as_told_is_bounded)
{
    struct xlp_action action;

    for (uint32_t i = 0; i < TELL_ENTRIES_MAX + 1; i++) {
        set_action(&action, i);
        ck_assert(tell_action(&d.tell, &action, NULL, 1));
    }
    ck_assert_uint_eq(d.tell.count, TELL_ENTRIES_MAX);
    ck_assert(tell_action(&d.tell, &action, NULL, 2));
}
END_TEST

START_TEST(the_lines_say_what_became_of_it)
{
    static const char sentence[] =
        "web1 vCPU 2: pCPU 0 -> pCPU 1: round robin: vCPU 1 of the pool, 4 pCPUs, load ignored";
    struct xlp_outcome outcome = {.code = XLP_DONE};
    struct xlp_action action;
    char text[256], expected[256];

    set_action(&action, 2);
    snprintf(expected, sizeof(expected), "would: %s", sentence);
    ck_assert_str_eq(xlp_outcome_format(&action, NULL, text, sizeof(text)), expected);
    snprintf(expected, sizeof(expected), "done: %s", sentence);
    ck_assert_str_eq(xlp_outcome_format(&action, &outcome, text, sizeof(text)), expected);
    outcome = (struct xlp_outcome){XLP_NOT_DONE_DRY_RUN, "dry run"};
    snprintf(expected, sizeof(expected), "would: %s", sentence);
    ck_assert_str_eq(xlp_outcome_format(&action, &outcome, text, sizeof(text)), expected);
    outcome = (struct xlp_outcome){XLP_NOT_DONE_BUSY, ""};
    snprintf(expected, sizeof(expected), "not done (busy): %s", sentence);
    ck_assert_str_eq(xlp_outcome_format(&action, &outcome, text, sizeof(text)), expected);
    outcome = (struct xlp_outcome){XLP_NOT_DONE_REFUSED, "pinned meanwhile"};
    snprintf(expected, sizeof(expected), "not done (refused: pinned meanwhile): %s", sentence);
    ck_assert_str_eq(xlp_outcome_format(&action, &outcome, text, sizeof(text)), expected);
}
END_TEST

#define FIXTURE_CASE(name, ...) CHECK_FIXTURE_CASE(name, set_up, tear_down, __VA_ARGS__)

FIXTURE_CASE(plain_ticks, a_tick_that_was_late_does_not_delay_the_next,
             ticks_that_passed_are_left_out_and_counted,
             the_loop_ticks_in_rhythm_until_the_host_ends,
             looks_that_take_longer_than_a_tick_do_not_pile_up,
             an_event_brings_the_next_tick_forward, any_number_of_events_makes_one_tick_a_second,
             a_host_that_cannot_be_waited_for_ends_the_loop_with_an_error)
static TCase *ticks(void)
{
    TCase *tcase = plain_ticks();

    tcase_add_loop_test(
        tcase, events_do_not_change_the_rhythm_of_ticks_that_are_no_longer_than_a_second, 0, 3);
    return tcase;
}

FIXTURE_CASE(one_tick, a_look_that_fails_leaves_the_last_snapshot,
             every_action_is_tried_though_one_fails,
             memory_that_was_released_goes_back_although_all_else_is_only_advised,
             acting_again_ends_a_release_that_is_not_finished,
             a_command_looks_at_all_there_is_and_a_tick_does_not,
             what_fails_every_tick_does_not_fill_the_history)
FIXTURE_CASE(asking, the_state_is_put_together_once_a_tick,
             what_a_command_changed_shows_in_the_state_at_once)
FIXTURE_CASE(reloading, a_reload_that_fails_changes_nothing,
             what_was_reloaded_shows_in_the_state_at_once,
             the_mode_act_from_the_file_ends_a_release_as_the_command_does)
FIXTURE_CASE(watchdog, a_look_that_fails_puts_a_pat_off_until_one_succeeds)
FIXTURE_CASE(telling, the_history_keeps_the_last_in_order, what_is_done_is_told_each_time,
             what_is_planned_is_told_when_it_changes, another_outcome_is_news,
             what_comes_up_again_after_a_minute_is_told_again,
             what_is_remembered_as_told_is_bounded, the_lines_say_what_became_of_it)
CHECK_MAIN("daemon", ticks, one_tick, asking, reloading, watchdog, telling)
