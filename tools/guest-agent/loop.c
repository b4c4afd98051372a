/* SPDX-License-Identifier: LGPL-2.1-only */
/* The agent's life: see loop.h. */
#include "loop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "format.h"
#include "pace.h"
#include "pressure.h"
#include "sample.h"

struct loop {
    const char *proc_dir;
    struct publisher *publisher;
    struct pace pace;
    uint64_t seq;
    int signal_fd;
    int pressure_fd; /* below 0: no trigger, the regular look has to do */
    int complained;  /* the error that was printed last and still holds, 0 if none */
    bool looked;     /* memory could be read: if it cannot now, that will pass */
    int unread;      /* as complained, of reading memory */
};

static void loop_dispose(struct loop *loop);
static int catch_signals(void);
static int look(struct loop *loop);
static size_t compose(const char *proc_dir, uint64_t seq, const struct memory_sample *memory,
                      char report_out[REPORT_ROOM]);
static bool wait_for_next_look(struct loop *loop);
static void complain_of_memory(const char *proc_dir, int rc);
static void complain_once(struct loop *loop, int rc);
static void complain(const struct publisher *publisher, int rc);
static int64_t clock_ms(void);

int loop_run(const char *proc_dir, int64_t interval_ms, struct publisher *publisher)
{
    struct loop loop = {
        .proc_dir = proc_dir,
        .publisher = publisher,
        .signal_fd = catch_signals(),
        .pressure_fd = pressure_trigger_open(proc_dir),
    };
    int rc;

    pace_init(&loop.pace, interval_ms);
    do
        rc = look(&loop);
    while (rc == 0 && wait_for_next_look(&loop));

    publisher->withdraw(publisher);
    loop_dispose(&loop);
    return rc;
}

int loop_once(const char *proc_dir, struct publisher *const publishers[], size_t count)
{
    struct memory_sample memory;
    char report[REPORT_ROOM];
    int rc = sample_memory(proc_dir, &memory);

    if (rc) {
        complain_of_memory(proc_dir, rc);
        return rc;
    }
    size_t len = compose(proc_dir, 1, &memory, report);
    for (size_t i = 0; i < count && rc == 0; i++) {
        rc = publishers[i]->publish(publishers[i], report, len);
        if (rc)
            complain(publishers[i], rc);
    }
    return rc;
}

static void loop_dispose(struct loop *loop)
{
    if (loop->signal_fd >= 0)
        close(loop->signal_fd);
    if (loop->pressure_fd >= 0)
        close(loop->pressure_fd);
}

/* SIGTERM and SIGINT come as something to poll. If that cannot be had, they simply kill us. */
static int catch_signals(void)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);

    int fd = signalfd(-1, &signals, SFD_CLOEXEC);
    if (fd >= 0)
        sigprocmask(SIG_BLOCK, &signals, NULL);
    return fd;
}

/* In a guest that is short of memory or of files a look may fail, and the next succeed. */
static int look(struct loop *loop)
{
    struct memory_sample memory;
    char report[REPORT_ROOM];
    int rc = sample_memory(loop->proc_dir, &memory);

    if (rc != loop->unread)
        complain_of_memory(loop->proc_dir, rc);
    loop->unread = rc;
    if (rc)
        return loop->looked ? 0 : rc;
    loop->looked = true;
    if (!pace_is_due(&loop->pace, &memory, clock_ms()))
        return 0;

    size_t len = compose(loop->proc_dir, ++loop->seq, &memory, report);
    rc = loop->publisher->publish(loop->publisher, report, len);
    if (rc)
        pace_failed(&loop->pace, clock_ms());
    else
        pace_told(&loop->pace, &memory, clock_ms());
    complain_once(loop, rc);
    return 0;
}

static size_t compose(const char *proc_dir, uint64_t seq, const struct memory_sample *memory,
                      char report_out[REPORT_ROOM])
{
    struct stress_sample stress;

    sample_stress(proc_dir, &stress);
    return format_report(seq, memory, &stress, report_out);
}

/* Sleeps until it is time to look again. Returns false when the agent is to stop. */
static bool wait_for_next_look(struct loop *loop)
{
    struct pollfd fds[] = {
        {.fd = loop->signal_fd, .events = POLLIN},
        {.fd = loop->pressure_fd, .events = POLLPRI},
    };

    if (poll(fds, sizeof(fds) / sizeof(fds[0]), PACE_LOOK_MS) <= 0)
        return true;
    if (fds[1].revents & POLLERR) { /* the kernel took the trigger away */
        close(loop->pressure_fd);
        loop->pressure_fd = -1;
    } else if (fds[1].revents & POLLPRI) {
        pace_press(&loop->pace);
    }
    return fds[0].revents == 0;
}

static void complain_of_memory(const char *proc_dir, int rc)
{
    if (rc)
        fprintf(stderr, "xlpolicy-guest-agent: cannot read %s/meminfo: %s; is it mounted?\n",
                proc_dir, strerror(-rc));
    else
        fprintf(stderr, "xlpolicy-guest-agent: %s/meminfo can be read again\n", proc_dir);
}

/* A failure may last for hours: one line when it begins or changes, one when it is over. */
static void complain_once(struct loop *loop, int rc)
{
    if (rc == loop->complained)
        return;
    loop->complained = rc;
    if (rc)
        complain(loop->publisher, rc);
    else
        fprintf(stderr, "xlpolicy-guest-agent: reports are written from now on\n");
}

static void complain(const struct publisher *publisher, int rc)
{
    fprintf(stderr, "xlpolicy-guest-agent: %s: %s\n", publisher->failed, strerror(-rc));
}

/* Runs on through a suspend, so that the first look after a resume or a migration reports. */
static int64_t clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
