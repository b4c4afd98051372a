/* SPDX-License-Identifier: LGPL-2.1-only */
/* Recordings: written, cut short, spoilt, read, and shown again as a host. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check_main.h"
#include "host/host.h"
#include "json/json.h"
#include "json/record.h"
#include "made_host.h"

static char error[512];
static char path[] = "/tmp/check_replay_XXXXXX";

static void make_path(void)
{
    strcpy(path + strlen(path) - 6, "XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
}

static void remove_path(void)
{
    remove(path);
}

/* ---- recordings to begin with ---- */

static void make_tick(struct xlp_snapshot *s, struct xlp_plan *p, uint64_t seconds)
{
    made_host(s, 4, XLP_SCHED_CREDIT2);
    s->time_ns = seconds * SECOND_NS;
    made_guest(s, 0, 1);
    made_guest(s, 7, 2);
    xlp_plan_init(p);
    ck_assert_int_eq(xlp_plan_start(p, s), 0);
    p->verdicts[1].cpu.code = XLP_REASON_CPU_SETTLING;
    p->verdicts[1].cpu.number[0] = (int64_t)seconds;
    xlp_plan_add(p, XLP_RELEASE_DOMAIN, &s->domains[1])->reason.code = XLP_REASON_RELEASED;
}

static void add_tick(struct xlp_recorder *recorder, const struct xlp_policy *policy,
                     uint64_t seconds)
{
    struct xlp_snapshot s;
    struct xlp_plan p;

    make_tick(&s, &p, seconds);
    ck_assert_int_eq(xlp_recorder_add(recorder, policy, &s, &p), 0);
    xlp_snapshot_dispose(&s);
    xlp_plan_dispose(&p);
}

/* Snapshots at 1, 2 and 4 s, each with another policy. */
static void record_three(void)
{
    struct xlp_policy policy;
    FILE *file = fopen(path, "w");
    xlp_policy_init(&policy);
    struct xlp_recorder *recorder = xlp_recorder_new(file, &policy);

    ck_assert_ptr_nonnull(recorder);
    add_tick(recorder, &policy, 1);
    policy.tick_ms = 2000;
    add_tick(recorder, &policy, 2);
    ck_assert_int_eq(xlp_policy_add_domain(&policy, "a: cpu=0", error, sizeof(error)), 0);
    add_tick(recorder, &policy, 4);
    xlp_recorder_free(recorder);
    fclose(file);
    xlp_policy_dispose(&policy);
}

static size_t read_recorded(char *text, size_t room)
{
    FILE *file = fopen(path, "r");
    size_t length = fread(text, 1, room, file);

    ck_assert_uint_lt(length, room);
    fclose(file);
    text[length] = '\0';
    return length;
}

static void write_recorded(const char *text, size_t length)
{
    FILE *file = fopen(path, "w");

    ck_assert_uint_eq(fwrite(text, 1, length, file), length);
    fclose(file);
}

/* Reads all there is: how many ticks, and what came after the last. */
static int read_all(unsigned int *ticks_out, char note[512])
{
    struct xlp_recording *recording = xlp_recording_open(path, error, sizeof(error));
    struct xlp_snapshot s;
    int rc;

    *ticks_out = 0;
    note[0] = '\0';
    if (!recording)
        return -2;
    xlp_snapshot_init(&s);
    while ((rc = xlp_recording_next(recording, &s, NULL, error, sizeof(error))) > 0)
        (*ticks_out)++;
    int again = xlp_recording_next(recording, &s, NULL, error, sizeof(error));
    ck_assert_int_eq(again, rc);
    snprintf(note, 512, "%s", xlp_recording_note(recording));
    xlp_snapshot_dispose(&s);
    xlp_recording_close(recording);
    return rc;
}

/* ---- recordings ---- */

START_TEST(a_recording_gives_back_what_was_recorded)
{
    struct xlp_json_writer *was = xlp_json_writer_new(false), *is = xlp_json_writer_new(false);
    static const uint64_t seconds[] = {1, 2, 4};
    struct xlp_snapshot s, recorded_s;
    struct xlp_plan p, recorded_p;

    record_three();
    struct xlp_recording *recording = xlp_recording_open(path, error, sizeof(error));
    ck_assert_msg(recording, "%s", error);
    xlp_snapshot_init(&s);
    xlp_plan_init(&p);
    ck_assert_int_eq(xlp_recording_policy(recording)->tick_ms, 1000);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(xlp_recording_next(recording, &s, &p, error, sizeof(error)), 1);
        ck_assert_int_eq(xlp_recording_policy(recording)->tick_ms, i == 0 ? 1000 : 2000);
        ck_assert_uint_eq(xlp_recording_policy(recording)->domain_count, i < 2 ? 0 : 1);

        make_tick(&recorded_s, &recorded_p, seconds[i]);
        xlp_json_writer_reset(was);
        xlp_json_writer_reset(is);
        xlp_json_open_array(was);
        xlp_json_open_array(is);
        xlp_snapshot_write(was, &recorded_s);
        xlp_snapshot_write(is, &s);
        xlp_plan_write(was, &recorded_p);
        xlp_plan_write(is, &p);
        ck_assert_str_eq(xlp_json_text(was, NULL), xlp_json_text(is, NULL));
        xlp_snapshot_dispose(&recorded_s);
        xlp_plan_dispose(&recorded_p);
    }
    ck_assert_int_eq(xlp_recording_next(recording, &s, &p, error, sizeof(error)), 0);
    ck_assert_str_eq(xlp_recording_note(recording), "");
    xlp_recording_close(recording);
    xlp_snapshot_dispose(&s);
    xlp_plan_dispose(&p);
    xlp_json_writer_free(was);
    xlp_json_writer_free(is);
}
END_TEST

START_TEST(the_policy_is_written_only_when_it_changes)
{
    char text[32768];
    unsigned int lines = 0, policies = 0;
    struct xlp_policy policy;
    FILE *file = fopen(path, "w");

    xlp_policy_init(&policy);
    struct xlp_recorder *recorder = xlp_recorder_new(file, &policy);
    for (uint64_t seconds = 1; seconds < 9; seconds++) {
        if (seconds == 5) {
            xlp_policy_add_domain(&policy, "a: cpu=0", error, sizeof(error));
            policy.domains[0].cpu = true;
        }
        if (seconds == 7)
            policy.domains[0].cpu = false;
        add_tick(recorder, &policy, seconds);
    }
    xlp_recorder_free(recorder);
    fclose(file);
    xlp_policy_dispose(&policy);

    read_recorded(text, sizeof(text));
    for (const char *at = text; (at = strchr(at, '\n')); at++)
        lines++;
    for (const char *at = text; (at = strstr(at, "\"policy\":")); at++)
        policies++;
    ck_assert_uint_eq(lines, 9);
    ck_assert_uint_eq(policies, 3);
}
END_TEST

START_TEST(a_tick_without_a_plan_reads_as_an_empty_plan)
{
    struct xlp_policy policy;
    struct xlp_snapshot s;
    struct xlp_plan p;
    FILE *file = fopen(path, "w");

    xlp_policy_init(&policy);
    make_tick(&s, &p, 1);
    struct xlp_recorder *recorder = xlp_recorder_new(file, &policy);
    ck_assert_int_eq(xlp_recorder_add(recorder, &policy, &s, NULL), 0);
    xlp_recorder_free(recorder);
    fclose(file);

    struct xlp_recording *recording = xlp_recording_open(path, error, sizeof(error));
    ck_assert_int_eq(xlp_recording_next(recording, &s, &p, error, sizeof(error)), 1);
    ck_assert_uint_eq(s.domain_count, 2);
    ck_assert_uint_eq(p.action_count + p.verdict_count, 0);
    xlp_recording_close(recording);
    xlp_snapshot_dispose(&s);
    xlp_plan_dispose(&p);
    xlp_policy_dispose(&policy);
}
END_TEST

START_TEST(a_last_line_cut_anywhere_is_left_out_with_a_note)
{
    char text[32768], note[512], expected[512];
    unsigned int ticks;

    record_three();
    size_t length = read_recorded(text, sizeof(text));
    size_t last = (size_t)((char *)memrchr(text, '\n', length - 1) - text) + 1;

    write_recorded(text, last); /* nothing of it */
    ck_assert_int_eq(read_all(&ticks, note), 0);
    ck_assert_uint_eq(ticks, 2);
    ck_assert_str_eq(note, "");

    snprintf(expected, sizeof(expected), "%s: line 4 is cut short and was left out", path);
    for (size_t cut = last + 1; cut < length - 1; cut += 7) {
        write_recorded(text, cut);
        ck_assert_int_eq(read_all(&ticks, note), 0);
        ck_assert_uint_eq(ticks, 2);
        ck_assert_str_eq(note, expected);
    }

    write_recorded(text, length - 1); /* all but the newline */
    ck_assert_int_eq(read_all(&ticks, note), 0);
    ck_assert_uint_eq(ticks, 3);
    ck_assert_str_eq(note, "");
}
END_TEST

START_TEST(anything_else_wrong_is_an_error_with_its_line)
{
    char text[32768], note[512], expected[512];
    unsigned int ticks;

    record_three();
    size_t length = read_recorded(text, sizeof(text));
    char *second = strchr(text, '\n') + 1, *third = strchr(second, '\n') + 1;

    third[0] = '[';
    write_recorded(text, length);
    ck_assert_int_eq(read_all(&ticks, note), -1);
    ck_assert_uint_eq(ticks, 1);
    snprintf(expected, sizeof(expected), "%s: line 3, column ", path);
    ck_assert_msg(strncmp(error, expected, strlen(expected)) == 0, "%s", error);
    ck_assert_ptr_null(strchr(error, '\n'));

    /* A whole value that is no tick is wrong even where a line may be cut. */
    write_recorded(text, (size_t)(third - text));
    FILE *file = fopen(path, "a");
    fputs("{\"snapshot\": {}}", file);
    fclose(file);
    ck_assert_int_eq(read_all(&ticks, note), -1);
    snprintf(expected, sizeof(expected),
             "%s: line 3, column 14: the key \"xlpolicy_snapshot\" is missing", path);
    ck_assert_str_eq(error, expected);
}
END_TEST

START_TEST(a_file_that_is_no_recording_is_refused)
{
    static const char *const bad[] = {
        "",
        "\n",
        "{}\n",
        "[1]\n",
        "{\"xlpolicy_recording\": 2, \"policy\": {}}\n",
        "{\"xlpolicy_recording\": 1}\n",
        "{\"xlpolicy_recording\": 1, \"policy\": {\"tick_ms\": 0}}\n",
        "{\"xlpolicy_recording\": 1, \"policy\": {}, \"x\": 1}\n",
        "{\"xlpolicy_recording\": 1, \"poli",
    };
    char note[512];
    unsigned int ticks;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        write_recorded(bad[i], strlen(bad[i]));
        ck_assert_msg(read_all(&ticks, note) == -2, "%s", bad[i]);
        ck_assert_msg(strncmp(error, path, strlen(path)) == 0, "%s", error);
    }
    ck_assert_ptr_null(xlp_recording_open("/nonexistent/x", error, sizeof(error)));
    ck_assert_str_eq(error, "/nonexistent/x: cannot be opened: No such file or directory");
}
END_TEST

START_TEST(a_full_disk_is_told)
{
    struct xlp_policy policy;
    FILE *file = fopen("/dev/full", "w");

    xlp_policy_init(&policy);
    ck_assert_ptr_null(xlp_recorder_new(file, &policy));
    ck_assert_int_eq(errno, ENOSPC);
    fclose(file);
}
END_TEST

/* ---- as a host ---- */

static struct xlp_host *open_host(unsigned int flags)
{
    struct xlp_host *host = xlp_host_replay_open(path, flags, error, sizeof(error));

    ck_assert_msg(host, "%s", error);
    return host;
}

START_TEST(a_replayed_host_shows_each_snapshot_at_its_time)
{
    static const uint64_t seconds[] = {1, 2, 4};
    struct xlp_snapshot s;

    record_three();
    struct xlp_host *host = open_host(0);
    xlp_snapshot_init(&s);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(host->ops->now_ns(host), seconds[i] * SECOND_NS);
        ck_assert_int_eq(host->ops->observe(host, &s), 0);
        ck_assert_uint_eq(s.time_ns, seconds[i] * SECOND_NS);
        ck_assert_uint_eq(s.domain_count, 2);
        ck_assert_int_eq(host->ops->wait(host, s.time_ns + SECOND_NS, NULL, 0),
                         i < 2 ? XLP_WAKE_TIME : XLP_WAKE_END);
    }
    ck_assert_int_eq(host->ops->observe(host, &s), -1);
    ck_assert_str_eq(xlp_host_error(host), "the recording ends here");
    xlp_snapshot_dispose(&s);
    host->ops->close(host);
}
END_TEST

START_TEST(a_recording_cannot_be_changed)
{
    const struct xlp_action action = {.kind = XLP_RELEASE_DOMAIN, .domid = 7};
    struct xlp_outcome outcome;

    record_three();
    struct xlp_host *host = open_host(0);
    host->ops->apply(host, &action, &outcome);
    ck_assert_int_eq(outcome.code, XLP_NOT_DONE_REFUSED);
    ck_assert_str_eq(outcome.detail, "a recording cannot be changed");
    host->ops->close(host);
}
END_TEST

START_TEST(a_spoilt_line_fails_the_wait_before_it)
{
    struct xlp_snapshot s;

    record_three();
    FILE *file = fopen(path, "a");
    fputs("{}\n", file);
    fclose(file);
    struct xlp_host *host = open_host(0);
    xlp_snapshot_init(&s);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(host->ops->observe(host, &s), 0);
    ck_assert_int_eq(host->ops->wait(host, 0, NULL, 0), -1);
    ck_assert_ptr_nonnull(strstr(xlp_host_error(host), ": line 5, column 1: "));
    ck_assert_int_eq(host->ops->observe(host, &s), -1);
    ck_assert_uint_eq(s.time_ns, 4 * SECOND_NS); /* the last good one is still there */
    xlp_snapshot_dispose(&s);
    host->ops->close(host);
}
END_TEST

START_TEST(a_recording_without_snapshots_is_no_host)
{
    static const char header[] = "{\"xlpolicy_recording\": 1, \"policy\": {}}\n";

    write_recorded(header, strlen(header));
    ck_assert_ptr_null(xlp_host_replay_open(path, 0, error, sizeof(error)));
    ck_assert_ptr_nonnull(strstr(error, ": the recording ends before its first snapshot"));
    ck_assert_ptr_null(xlp_host_replay_open("/nonexistent/x", 0, error, sizeof(error)));
    ck_assert_ptr_nonnull(strstr(error, "/nonexistent/x: cannot be opened"));
}
END_TEST

static uint64_t wall_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

START_TEST(in_real_time_it_takes_as_long_as_it_took)
{
    struct xlp_snapshot s;
    int ends[2];

    record_three();
    struct xlp_host *host = open_host(XLP_HOST_REALTIME);
    xlp_snapshot_init(&s);
    ck_assert_int_eq(host->ops->observe(host, &s), 0);

    /* A caller's fd comes first, and the clock goes on from there. */
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], "x", 1), 1);
    struct pollfd fd = {.fd = ends[0], .events = POLLIN};
    uint64_t start_ms = wall_ms();
    ck_assert_int_eq(host->ops->wait(host, 0, &fd, 1), XLP_WAKE_FD);
    ck_assert_int_eq(fd.revents, POLLIN);
    ck_assert_uint_lt(host->ops->now_ns(host), 2 * SECOND_NS);

    fd.fd = -1;
    ck_assert_int_eq(host->ops->wait(host, 0, &fd, 1), XLP_WAKE_TIME);
    ck_assert_uint_ge(wall_ms() - start_ms, 999);
    ck_assert_uint_eq(host->ops->now_ns(host), 2 * SECOND_NS);
    close(ends[0]);
    close(ends[1]);
    xlp_snapshot_dispose(&s);
    host->ops->close(host);
}
END_TEST

START_TEST(at_once_an_fd_does_not_keep_time_from_passing)
{
    struct xlp_snapshot s;
    int ends[2];

    record_three();
    struct xlp_host *host = open_host(0);
    xlp_snapshot_init(&s);
    ck_assert_int_eq(host->ops->observe(host, &s), 0);
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], "x", 1), 1);
    struct pollfd fd = {.fd = ends[0], .events = POLLIN};
    ck_assert_int_eq(host->ops->wait(host, 0, &fd, 1), XLP_WAKE_TIME | XLP_WAKE_FD);
    ck_assert_uint_eq(host->ops->now_ns(host), 2 * SECOND_NS);
    close(ends[0]);
    close(ends[1]);
    xlp_snapshot_dispose(&s);
    host->ops->close(host);
}
END_TEST

static TCase *with_file(const char *name, const TTest *const *tests, size_t count)
{
    TCase *tcase = tcase_create(name);

    tcase_add_checked_fixture(tcase, make_path, remove_path);
    for (size_t i = 0; i < count; i++)
        tcase_add_test(tcase, tests[i]);
    return tcase;
}

static TCase *recordings(void)
{
    const TTest *const tests[] = {
        a_recording_gives_back_what_was_recorded,
        the_policy_is_written_only_when_it_changes,
        a_tick_without_a_plan_reads_as_an_empty_plan,
        a_last_line_cut_anywhere_is_left_out_with_a_note,
        anything_else_wrong_is_an_error_with_its_line,
        a_file_that_is_no_recording_is_refused,
        a_full_disk_is_told,
    };

    return with_file("recordings", tests, sizeof(tests) / sizeof(tests[0]));
}

static TCase *hosts(void)
{
    const TTest *const tests[] = {
        a_replayed_host_shows_each_snapshot_at_its_time,
        a_recording_cannot_be_changed,
        a_spoilt_line_fails_the_wait_before_it,
        a_recording_without_snapshots_is_no_host,
        in_real_time_it_takes_as_long_as_it_took,
        at_once_an_fd_does_not_keep_time_from_passing,
    };

    return with_file("hosts", tests, sizeof(tests) / sizeof(tests[0]));
}

CHECK_MAIN("replay", recordings, hosts)
