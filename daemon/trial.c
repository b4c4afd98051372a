/* SPDX-License-Identifier: LGPL-2.1-only */
#include "trial.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cycle.h"
#include "log.h"
#include "state.h"

static const char *mark_path(const struct daemon *d, char path[PATH_MAX + 8]);
static int write_mark(const struct daemon *d, char *error, unsigned long error_size);
static void remove_mark(const struct daemon *d);
static void put_back(struct daemon *d);

int trial_start(struct daemon *d, double seconds, const char *who, char *error,
                unsigned long error_size)
{
    if (write_mark(d, error, error_size) < 0)
        return -1;
    d->trial = (struct trial){
        .on = true,
        .due_ns = d->host->ops->now_ns(d->host) + (uint64_t)(seconds * 1e9),
    };
    log_line(LOG_NOTICE, "trial: for %.0f s (%s)", seconds, who);
    daemon_set_mode(d, CONFIG_ACT, "trial");
    return 0;
}

void trial_recover(struct daemon *d)
{
    char path[PATH_MAX + 8];

    if (d->options->dry_run || access(mark_path(d, path), F_OK) < 0)
        return;
    if (d->mode == CONFIG_ACT) {
        remove_mark(d);
        return;
    }
    log_line(LOG_NOTICE, "trial: was interrupted; what it changed is put back");
    d->trial = (struct trial){.on = true, .undoing = true};
}

void trial_cancel(struct daemon *d)
{
    if (!d->trial.on)
        return;
    if (!d->trial.undoing)
        log_line(LOG_NOTICE, "trial: ended by another command");
    d->trial.on = false;
    remove_mark(d);
}

void trial_run_due(struct daemon *d)
{
    if (d->host->ops->now_ns(d->host) < trial_due_ns(d))
        return;
    if (!d->trial.undoing) {
        log_line(LOG_NOTICE, "trial: is over; what it changed is put back");
        d->trial.undoing = true;
    }
    daemon_set_mode(d, CONFIG_ADVISE, "end of the trial");
    put_back(d);
    d->state_current = false;
}

uint64_t trial_due_ns(const struct daemon *d)
{
    return d->trial.on ? d->trial.due_ns : UINT64_MAX;
}

/* ---- the end ---- */

/* Memory that is still on its way, the ticks see to: its release has begun, and that is all. While
 * the host cannot be looked at nothing is tried, so nothing is given up. */
static void put_back(struct daemon *d)
{
    int left = cycle_release_all(d);

    if (left == 0) {
        log_line(LOG_NOTICE, "trial: all is put back, or on its way");
        trial_cancel(d);
        return;
    }
    d->trial.tries += left > 0;
    if (d->trial.tries < TRIAL_TRIES_MAX) {
        d->trial.due_ns =
            d->host->ops->now_ns(d->host) + (uint64_t)d->config.policy.tick_ms * 1000000;
        return;
    }
    daemon_note_error(d, "trial: not all could be put back; `xlpolicy release --all` tries again");
    trial_cancel(d);
}

/* ---- the file ---- */

static const char *mark_path(const struct daemon *d, char path[PATH_MAX + 8])
{
    snprintf(path, PATH_MAX + 8, "%s.trial", d->options->pidfile_path);
    return path;
}

static int write_mark(const struct daemon *d, char *error, unsigned long error_size)
{
    char path[PATH_MAX + 8];
    int fd;

    if (d->options->dry_run)
        return 0;
    fd = open(mark_path(d, path), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        snprintf(error, error_size, "cannot note the trial in %s: %s", path, strerror(errno));
        return -1;
    }
    close(fd);
    return 0;
}

static void remove_mark(const struct daemon *d)
{
    char path[PATH_MAX + 8];

    if (!d->options->dry_run)
        unlink(mark_path(d, path));
}
