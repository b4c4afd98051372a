/* SPDX-License-Identifier: LGPL-2.1-only */
#include "loop.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cycle.h"
#include "log.h"
#include "notify.h"
#include "textfile.h"

#define NS_PER_MS UINT64_C(1000000)
/* What happens on the host brings the next tick forward, but one tick keeps this far from another:
 * no guest makes us work more than with the usual tick_ms. */
#define EARLY_TICK_NS (1000 * NS_PER_MS)

static void run_due_tick(struct daemon *d);
static void bring_tick_forward(struct daemon *d);
static uint64_t wake_time(const struct daemon *d, uint64_t watchdog_due_ns);
static void pat_watchdog(const struct daemon *d, uint64_t interval_ns, uint64_t *due_ns);
static void take_signal(struct daemon *d, int signal_fd);

int loop_take_signals(void)
{
    sigset_t set;

    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -1;
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int loop_run(struct daemon *d, int signal_fd)
{
    uint64_t watchdog_ns = notify_watchdog_ns();
    uint64_t watchdog_due_ns = watchdog_ns ? 0 : UINT64_MAX;

    d->next_tick_ns = d->host->ops->now_ns(d->host);
    while (!d->stop) {
        struct pollfd fds[1 + CONTROL_FDS_MAX];
        size_t control_count;
        int woke;

        trial_run_due(d);
        run_due_tick(d);
        pat_watchdog(d, watchdog_ns, &watchdog_due_ns);
        fds[0] = (struct pollfd){.fd = signal_fd, .events = POLLIN};
        control_count = control_fds(&d->control, fds + 1, d->host->ops->now_ns(d->host));
        woke = d->host->ops->wait(d->host, wake_time(d, watchdog_due_ns), fds, 1 + control_count);
        if (woke < 0) {
            log_line(LOG_CRIT, "%s", xlp_host_error(d->host));
            return -1;
        }
        if (woke & XLP_WAKE_END) {
            log_line(LOG_NOTICE, "the host has no more to show");
            d->stop = true;
        }
        if (woke & XLP_WAKE_EVENT)
            bring_tick_forward(d);
        if (!(woke & XLP_WAKE_FD))
            for (size_t i = 0; i < 1 + control_count; i++)
                fds[i].revents = 0;
        if (fds[0].revents)
            take_signal(d, signal_fd);
        control_serve(&d->control, fds + 1, control_count, d->host->ops->now_ns(d->host));
    }
    return 0;
}

uint64_t loop_next_tick(uint64_t due_ns, uint64_t now_ns, uint64_t tick_ns, uint64_t *missed)
{
    uint64_t passed = now_ns > due_ns ? (now_ns - due_ns - 1) / tick_ns : 0;

    *missed += passed;
    return due_ns + (passed + 1) * tick_ns;
}

static void run_due_tick(struct daemon *d)
{
    uint64_t tick_ns = (uint64_t)d->config.policy.tick_ms * NS_PER_MS;
    uint64_t now_ns = d->host->ops->now_ns(d->host);

    if (now_ns < d->next_tick_ns)
        return;
    d->last_tick_ns = now_ns;
    cycle_run(d);
    d->control.on_hold = false;
    textfile_tick(d);
    d->next_tick_ns = loop_next_tick(d->next_tick_ns, d->host->ops->now_ns(d->host), tick_ns,
                                     &d->counters.ticks_missed);
    notify_send("STATUS=%s: %zu domains, %zu actions", config_mode_name(d->mode),
                d->snapshot.domain_count, d->plan.action_count);
}

/* A domain that came, or a guest in need, does not wait for the end of a long tick. */
static void bring_tick_forward(struct daemon *d)
{
    uint64_t due_ns = d->host->ops->now_ns(d->host);

    if (due_ns < d->last_tick_ns + EARLY_TICK_NS)
        due_ns = d->last_tick_ns + EARLY_TICK_NS;
    if (due_ns < d->next_tick_ns)
        d->next_tick_ns = due_ns;
}

static uint64_t wake_time(const struct daemon *d, uint64_t watchdog_due_ns)
{
    uint64_t time_ns = control_deadline_ns(&d->control);

    if (d->next_tick_ns < time_ns)
        time_ns = d->next_tick_ns;
    if (trial_due_ns(d) < time_ns)
        time_ns = trial_due_ns(d);
    return watchdog_due_ns < time_ns ? watchdog_due_ns : time_ns;
}

/* A daemon that can no longer observe its host keeps silent: to be started anew may help. */
static void pat_watchdog(const struct daemon *d, uint64_t interval_ns, uint64_t *due_ns)
{
    uint64_t now_ns = d->host->ops->now_ns(d->host);

    if (now_ns < *due_ns)
        return;
    if (d->failing) {
        *due_ns = d->next_tick_ns > now_ns ? d->next_tick_ns : now_ns + NS_PER_MS;
        return;
    }
    notify_send("WATCHDOG=1");
    *due_ns = now_ns + interval_ns;
}

static void take_signal(struct daemon *d, int signal_fd)
{
    struct signalfd_siginfo info;
    char error[512];

    if (read(signal_fd, &info, sizeof(info)) != sizeof(info))
        return;
    if (info.ssi_signo == SIGHUP)
        daemon_reload(d, "SIGHUP", error, sizeof(error));
    else
        d->stop = true;
}
