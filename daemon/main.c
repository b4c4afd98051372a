/* SPDX-License-Identifier: LGPL-2.1-only */
/* xlpolicyd: from the command line to the loop, and back. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "background.h"
#include "cycle.h"
#include "log.h"
#include "loop.h"
#include "notify.h"
#include "options.h"
#include "pidfile.h"
#include "state.h"
#include "textfile.h"

static int run(struct daemon *d);
static int run_daemon(struct daemon *d);
static int run_once(struct daemon *d);
static int serve(struct daemon *d, int signal_fd, int ready_fd);
static int open_host(struct daemon *d);
static int complain(const char *error);

int main(int argc, char **argv)
{
    struct options options;
    struct daemon daemon;
    int code;

    background_fill_standard();
    code = options_parse(argc, argv, &options);
    if (code >= 0)
        return code;
    code = daemon_init(&daemon, &options) < 0 ? complain("out of memory") : run(&daemon);
    daemon_dispose(&daemon);
    return code;
}

static int run(struct daemon *d)
{
    char error[512];

    if (daemon_load_config(d, error, sizeof(error)) < 0)
        return complain(error);
    if (d->options->check) {
        printf("%sconfiguration OK\n",
               d->config_found ? "" : CONFIG_DEFAULT_PATH ": " CONFIG_ALL_DEFAULTS);
        return EXIT_CODE_DONE;
    }
    d->mode = d->options->mode >= 0 ? d->options->mode : d->config.mode;
    return d->options->once ? run_once(d) : run_daemon(d);
}

/* There is one daemon for a real host, but beside it may be others on simulated ones. */
static int take_pidfile(const struct daemon *d, char *error, size_t error_size)
{
    int fd = pidfile_take(d->options->pidfile_path, error, error_size);
    size_t used = strlen(error);

    if (fd < 0 && errno == EWOULDBLOCK && strcmp(d->options->host, "xen") != 0)
        snprintf(error + used, error_size - used,
                 "; one on another host needs its own --pidfile and --socket");
    return fd;
}

static int run_daemon(struct daemon *d)
{
    int ready_fd = -1, signal_fd, pidfile_fd, code;
    char error[512];

    if (!d->options->foreground) {
        ready_fd = background_start();
        if (ready_fd < 0)
            return complain(strerror(errno));
    }
    signal_fd = loop_take_signals();
    if (signal_fd < 0)
        return complain(strerror(errno));
    code = open_host(d);
    if (code)
        return code;
    pidfile_fd = take_pidfile(d, error, sizeof(error));
    if (pidfile_fd < 0)
        return complain(error);
    code = daemon_start_control(d, error, sizeof(error)) < 0 ? complain(error)
                                                             : serve(d, signal_fd, ready_fd);
    control_close(&d->control);
    /* Who waits for the pidfile to go may start the next one at once, and that wants the host. */
    d->host->ops->close(d->host);
    d->host = NULL;
    pidfile_release(d->options->pidfile_path, pidfile_fd);
    close(signal_fd);
    return code;
}

/* From here on what goes wrong is for the log. */
static int serve(struct daemon *d, int signal_fd, int ready_fd)
{
    int rc;

    daemon_open_log(d);
    if (ready_fd >= 0)
        background_ready(ready_fd, d->config.log == CONFIG_LOG_STDERR);
    log_line(LOG_NOTICE, "started: version %s, mode %s%s, host %s, configuration %s", XLP_VERSION,
             config_mode_name(d->mode), d->options->dry_run ? " (dry run)" : "", d->options->host,
             d->config_found ? d->options->config_path : "none: the defaults");
    daemon_warn_of_dom0(d);
    if (d->record_file)
        log_line(LOG_NOTICE, "recording to %s", d->record_path);
    trial_recover(d);
    notify_send("READY=1");
    rc = loop_run(d, signal_fd);
    notify_send("STOPPING=1");
    textfile_remove(d);
    log_line(LOG_NOTICE, "stopped; the host stays as it is");
    return rc < 0 ? EXIT_CODE_FAILED : EXIT_CODE_DONE;
}

/* Two looks, a tick apart, tell what each vCPU needs. */
static int decide_once(struct daemon *d)
{
    uint64_t until_ns;
    int more;

    if (cycle_look(d) < 0)
        return EXIT_CODE_FAILED;
    until_ns = d->snapshot.time_ns + (uint64_t)d->config.policy.tick_ms * 1000000;
    more = xlp_host_wait_until(d->host, until_ns, NULL);
    if (more <= 0)
        return complain(more < 0 ? xlp_host_error(d->host) : "the host has no more to show");
    if (cycle_run(d) < 0)
        return EXIT_CODE_FAILED;
    if (d->plan.action_count == 0)
        log_line(LOG_INFO, "nothing to do");
    for (size_t i = 0; i < d->outcomes.count; i++)
        if (d->outcomes.at[i].code == XLP_NOT_DONE_FAILED ||
            d->outcomes.at[i].code == XLP_NOT_DONE_REFUSED)
            return EXIT_CODE_FAILED;
    return EXIT_CODE_DONE;
}

static int run_once(struct daemon *d)
{
    bool acts = d->mode == CONFIG_ACT && !d->options->dry_run;
    int pidfile_fd = -1, code = open_host(d);
    char error[512];

    if (code)
        return code;
    daemon_open_log(d);
    if (acts) { /* two that act would undo each other's work */
        pidfile_fd = take_pidfile(d, error, sizeof(error));
        if (pidfile_fd < 0)
            return complain(error);
    }
    code = decide_once(d);
    pidfile_release(d->options->pidfile_path, pidfile_fd);
    return code;
}

static int open_host(struct daemon *d)
{
    unsigned int flags = XLP_HOST_REALTIME | (d->options->dry_run ? XLP_HOST_READ_ONLY : 0);
    char error[XLP_HOST_ERROR_SIZE];
    bool no_host = false;

    d->host = xlp_host_open(d->options->host, flags, &no_host, error, sizeof(error));
    if (!d->host) {
        complain(error);
        return no_host ? EXIT_CODE_NOBODY : EXIT_CODE_FAILED;
    }
    if (daemon_start_record(d, error, sizeof(error)) < 0)
        return complain(error);
    if (d->options->dry_run) {
        d->host = xlp_host_dry_run(d->host);
        if (!d->host)
            return complain("out of memory");
    }
    d->started_ns = d->host->ops->now_ns(d->host);
    return 0;
}

static int complain(const char *error)
{
    fprintf(stderr, "xlpolicyd: %s\n", error);
    return EXIT_CODE_FAILED;
}
