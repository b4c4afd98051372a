/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The guest's agent as a program, with a directory for /proc and a pseudo-terminal, whose other end
 * is xenstored, for the xenbus device.
 */
#include "check_main.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <xen/io/xs_wire.h>

#include "fake_proc.h"
#include "memory/report.h"

/* How long a busy machine may take for what is to happen at once. */
#define PATIENCE_MS 8000

struct agent {
    pid_t pid;
    int stdout_fd;
    int stderr_fd;
};

struct request {
    struct xsd_sockmsg header;
    char payload[XENSTORE_PAYLOAD_MAX + 1];
};

static char device[PATH_MAX]; /* what the agent is told is the xenbus device */
static int store_fd = -1;     /* xenstored's end of it */
static int terminal_fd = -1;
static struct agent agent;

/* The program that was built with this test: BUILD/tests/unit/check_agent knows BUILD. */
static void find_program(char path_out[PATH_MAX])
{
    ssize_t len = readlink("/proc/self/exe", path_out, PATH_MAX - 1);

    ck_assert_int_gt(len, 0);
    path_out[len] = '\0';
    for (int i = 0; i < 3; i++) {
        ck_assert_ptr_nonnull(strrchr(path_out, '/'));
        *strrchr(path_out, '/') = '\0';
    }
    ck_assert_uint_lt(strlen(path_out) + sizeof("/xlpolicy-guest-agent"), PATH_MAX);
    strcat(path_out, "/xlpolicy-guest-agent");
    ck_assert_msg(access(path_out, X_OK) == 0, "%s has to be built first", path_out);
}

/* Runs the agent with the fake /proc and these arguments, the last of which is NULL. */
#define NO_MORE ((const char *)NULL)

static void start_agent(const char *argument, ...)
{
    char program[PATH_MAX];
    const char *argv[16] = {"xlpolicy-guest-agent", "--proc", fake_proc_dir};
    int argc = 3;
    int out[2];
    int err[2];
    va_list arguments;

    va_start(arguments, argument);
    for (; argument; argument = va_arg(arguments, const char *))
        argv[argc++] = argument;
    va_end(arguments);

    find_program(program);
    ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(err, O_CLOEXEC), 0);
    agent.pid = fork();
    ck_assert_int_ge(agent.pid, 0);
    if (agent.pid == 0) {
        dup2(out[1], STDOUT_FILENO);
        dup2(err[1], STDERR_FILENO);
        execv(program, (char *const *)argv);
        _exit(127);
    }
    close(out[1]);
    close(err[1]);
    agent.stdout_fd = out[0];
    agent.stderr_fd = err[0];
}

/* Waits until the agent ends by itself. Returns its exit status. */
static int end_of_agent(void)
{
    int status;

    ck_assert_int_eq(waitpid(agent.pid, &status, 0), agent.pid);
    agent.pid = 0;
    ck_assert_msg(WIFEXITED(status), "the agent was killed by signal %d", WTERMSIG(status));
    return WEXITSTATUS(status);
}

static void stop_agent(void)
{
    if (agent.pid > 0) {
        kill(agent.pid, SIGKILL);
        waitpid(agent.pid, NULL, 0);
    }
    agent = (struct agent){0};
}

static int64_t clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Is there something to read within that time? */
static bool comes_within(int fd, int64_t ms)
{
    struct pollfd pollfd = {.fd = fd, .events = POLLIN};

    return poll(&pollfd, 1, (int)ms) == 1;
}

static void read_exactly(int fd, void *buf, size_t size)
{
    for (size_t len = 0; len < size;) {
        ck_assert_msg(comes_within(fd, PATIENCE_MS), "nothing came for %d ms", PATIENCE_MS);
        ssize_t n = read(fd, (char *)buf + len, size - len);
        ck_assert_int_gt(n, 0);
        len += (size_t)n;
    }
}

static void read_line(int fd, char *line, size_t size)
{
    for (size_t len = 0; len < size; len++) {
        read_exactly(fd, line + len, 1);
        if (line[len] == '\n') {
            line[len] = '\0';
            return;
        }
    }
    ck_abort_msg("a line is too long");
}

/* All that an agent which has ended wrote. */
static void read_rest(int fd, char *text, size_t size)
{
    size_t len = 0;
    ssize_t n;

    while ((n = read(fd, text + len, size - 1 - len)) > 0)
        len += (size_t)n;
    text[len] = '\0';
}

static void make_store(void)
{
    struct termios mode;

    fake_proc_make();
    store_fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    ck_assert_int_ge(store_fd, 0);
    ck_assert_int_eq(grantpt(store_fd), 0);
    ck_assert_int_eq(unlockpt(store_fd), 0);
    ck_assert_int_eq(ptsname_r(store_fd, device, sizeof(device)), 0);

    /* Kept open, so that the agent can close its end without ending the terminal. */
    terminal_fd = open(device, O_RDWR | O_NOCTTY | O_CLOEXEC);
    ck_assert_int_ge(terminal_fd, 0);
    ck_assert_int_eq(tcgetattr(terminal_fd, &mode), 0);
    cfmakeraw(&mode);
    ck_assert_int_eq(tcsetattr(terminal_fd, TCSANOW, &mode), 0);
}

static void remove_store(void)
{
    stop_agent();
    close(terminal_fd);
    close(store_fd);
    fake_proc_remove("xenbus");
    fake_proc_dispose();
}

static void expect_request(uint32_t type, struct request *request)
{
    read_exactly(store_fd, &request->header, sizeof(request->header));
    ck_assert_uint_eq(request->header.type, type);
    ck_assert_uint_le(request->header.len, XENSTORE_PAYLOAD_MAX);
    read_exactly(store_fd, request->payload, request->header.len);
    request->payload[request->header.len] = '\0';
    ck_assert_str_eq(request->payload, XLP_REPORT_AGENT_KEY);
}

static void answer(const struct request *request, uint32_t type, const char *text)
{
    struct xsd_sockmsg header = request->header;
    size_t size = strlen(text) + 1;

    header.type = type;
    header.len = (uint32_t)size;
    ck_assert_int_eq(write(store_fd, &header, sizeof(header)), sizeof(header));
    ck_assert_int_eq(write(store_fd, text, size), (ssize_t)size);
}

/* Waits for the next report, takes it, and parses it as the host does. */
static struct xlp_mem_report take_report(void)
{
    struct xlp_mem_report report;
    struct request request;

    expect_request(XS_WRITE, &request);
    answer(&request, XS_WRITE, "OK");
    const char *text = request.payload + sizeof(XLP_REPORT_AGENT_KEY);
    size_t len = request.header.len - sizeof(XLP_REPORT_AGENT_KEY);
    int rc = xlp_report_parse_agent(text, len, &report);
    ck_assert_msg(rc == 0, "%s: %s", text, xlp_report_error_text(rc));
    return report;
}

START_TEST(a_dry_run_prints_and_writes_nothing)
{
    char text[1024];

    start_agent("--once", "-N", "--xenbus", device, NO_MORE);
    ck_assert_int_eq(end_of_agent(), 0);
    read_rest(agent.stdout_fd, text, sizeof(text));
    ck_assert_str_eq(text, FAKE_PROC_REPORT "\n");
    read_rest(agent.stderr_fd, text, sizeof(text));
    ck_assert_str_eq(text, "");
    ck_assert(!comes_within(store_fd, 0));
}
END_TEST

START_TEST(once_prints_and_writes_the_same_report)
{
    struct request request;
    char text[1024];

    start_agent("--once", "--xenbus", device, NO_MORE);
    expect_request(XS_WRITE, &request);
    ck_assert_str_eq(request.payload + sizeof(XLP_REPORT_AGENT_KEY), FAKE_PROC_REPORT);
    answer(&request, XS_WRITE, "OK");
    ck_assert_int_eq(end_of_agent(), 0);
    read_rest(agent.stdout_fd, text, sizeof(text));
    ck_assert_str_eq(text, FAKE_PROC_REPORT "\n");
    ck_assert(!comes_within(store_fd, 0));
}
END_TEST

START_TEST(a_refused_report_is_one_line_and_status_1)
{
    struct request request;
    char text[1024];

    start_agent("--once", "--xenbus", device, NO_MORE);
    expect_request(XS_WRITE, &request);
    answer(&request, XS_ERROR, "EACCES");
    ck_assert_int_eq(end_of_agent(), 1);
    read_rest(agent.stderr_fd, text, sizeof(text));
    ck_assert_str_eq(text, "xlpolicy-guest-agent: xenstore does not take data/xlpolicy/memory: "
                           "Permission denied\n");
}
END_TEST

START_TEST(wrong_usage_is_status_2)
{
    static const char *const wrong[] = {"--interval=0", "--interval=11", "--interval=5s",
                                        "--interval=",  "--nonsense",    "word"};

    start_agent("-N", "--once", wrong[_i], NO_MORE);
    ck_assert_int_eq(end_of_agent(), 2);
    ck_assert(!comes_within(agent.stdout_fd, 0) || read(agent.stdout_fd, device, 1) == 0);
}
END_TEST

START_TEST(a_kernel_without_meminfo_is_one_line_and_status_1)
{
    char text[1024];

    fake_proc_remove("meminfo");
    start_agent("-N", NO_MORE);
    ck_assert_int_eq(end_of_agent(), 1);
    read_rest(agent.stderr_fd, text, sizeof(text));
    ck_assert_ptr_nonnull(strstr(text, "/meminfo: No such file or directory"));
    ck_assert_ptr_eq(strchr(text, '\n'), text + strlen(text) - 1);
}
END_TEST

START_TEST(a_move_is_reported_long_before_the_interval)
{
    start_agent("--interval", "10", "--xenbus", device, NO_MORE);
    ck_assert_uint_eq(take_report().seq, 1);

    int64_t moved_ms = clock_ms();
    fake_proc_put("meminfo", "MemTotal: 204924 kB\nMemFree: 90000 kB\nMemAvailable: 100000 kB\n");
    struct xlp_mem_report report = take_report();
    ck_assert_int_lt(clock_ms() - moved_ms, 5000);
    ck_assert_int_eq(report.avail_kib, 100000);
    ck_assert_uint_eq(report.seq, 2);
}
END_TEST

START_TEST(quiet_memory_is_reported_at_the_interval)
{
    start_agent("--interval", "1", "--xenbus", device, NO_MORE);
    ck_assert_uint_eq(take_report().seq, 1);
    ck_assert(!comes_within(store_fd, 700));
    ck_assert_uint_eq(take_report().seq, 2);
    ck_assert_uint_eq(take_report().seq, 3);
}
END_TEST

START_TEST(a_late_xenbus_is_waited_for_with_one_complaint)
{
    char late[PATH_MAX];
    char line[1024];

    snprintf(late, sizeof(late), "%s/xenbus", fake_proc_dir);
    start_agent("--xenbus", late, NO_MORE);
    read_line(agent.stderr_fd, line, sizeof(line));
    ck_assert_ptr_nonnull(strstr(line, "cannot open the xenbus device"));
    ck_assert(!comes_within(agent.stderr_fd, 2500)); /* it has tried twice more by then */

    ck_assert_int_eq(symlink(device, late), 0);
    take_report();
    read_line(agent.stderr_fd, line, sizeof(line));
    ck_assert_str_eq(line, "xlpolicy-guest-agent: reports are written from now on");
}
END_TEST

START_TEST(a_broken_connection_is_opened_again_after_a_pause)
{
    struct request request;
    char line[1024];

    start_agent("--interval", "10", "--xenbus", device, NO_MORE);
    expect_request(XS_WRITE, &request);
    int64_t broken_ms = clock_ms();
    answer(&request, XS_DIRECTORY, "not what was asked");
    read_line(agent.stderr_fd, line, sizeof(line));
    ck_assert_ptr_nonnull(strstr(line, "lost the connection to xenstore"));
    take_report();
    ck_assert_int_ge(clock_ms() - broken_ms, 900);
}
END_TEST

START_TEST(memory_that_cannot_be_read_for_a_while_is_waited_for_with_one_complaint)
{
    char line[1024];

    start_agent("--interval", "10", "--xenbus", device, NO_MORE);
    take_report();
    fake_proc_remove("meminfo");
    read_line(agent.stderr_fd, line, sizeof(line));
    ck_assert_ptr_nonnull(strstr(line, "/meminfo: No such file or directory"));
    ck_assert(!comes_within(agent.stderr_fd, 1000)); /* it has looked thrice more by then */
    ck_assert(!comes_within(store_fd, 0));           /* and its report still stands */

    fake_proc_put("meminfo", "MemTotal: 204924 kB\nMemFree: 90000 kB\nMemAvailable: 100000 kB\n");
    ck_assert_int_eq(take_report().avail_kib, 100000);
    read_line(agent.stderr_fd, line, sizeof(line));
    ck_assert_ptr_nonnull(strstr(line, "/meminfo can be read again"));
}
END_TEST

START_TEST(a_stopped_agent_withdraws_its_report)
{
    struct request request;

    start_agent("--interval", "10", "--xenbus", device, NO_MORE);
    take_report();
    ck_assert_int_eq(kill(agent.pid, SIGTERM), 0);
    expect_request(XS_RM, &request);
    answer(&request, XS_RM, "OK");
    ck_assert_int_eq(end_of_agent(), 0);
}
END_TEST

START_TEST(a_plain_file_for_pressure_is_not_written_to)
{
    start_agent("--interval", "1", "--xenbus", device, NO_MORE);
    ck_assert_uint_eq(take_report().psi_some_us, 99);
    ck_assert_uint_eq(take_report().psi_some_us, 99);
}
END_TEST

static TCase *program(void)
{
    TCase *tcase = tcase_create("program");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, make_store, remove_store);
    tcase_add_test(tcase, a_dry_run_prints_and_writes_nothing);
    tcase_add_test(tcase, once_prints_and_writes_the_same_report);
    tcase_add_test(tcase, a_refused_report_is_one_line_and_status_1);
    tcase_add_loop_test(tcase, wrong_usage_is_status_2, 0, 6);
    tcase_add_test(tcase, a_kernel_without_meminfo_is_one_line_and_status_1);
    tcase_add_test(tcase, a_move_is_reported_long_before_the_interval);
    tcase_add_test(tcase, quiet_memory_is_reported_at_the_interval);
    tcase_add_test(tcase, a_late_xenbus_is_waited_for_with_one_complaint);
    tcase_add_test(tcase, a_broken_connection_is_opened_again_after_a_pause);
    tcase_add_test(tcase, memory_that_cannot_be_read_for_a_while_is_waited_for_with_one_complaint);
    tcase_add_test(tcase, a_stopped_agent_withdraws_its_report);
    tcase_add_test(tcase, a_plain_file_for_pressure_is_not_written_to);
    return tcase;
}

CHECK_MAIN("agent", program)
