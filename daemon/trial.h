/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A trial: the daemon acts for a set time, and then puts back all it changed and only advises
 * again. A file beside the pidfile stands for as long as it lasts, so that a daemon that is started
 * in its midst, the one before having been stopped or killed, knows that there is something to put
 * back.
 */
#ifndef TRIAL_H
#define TRIAL_H

#include <stdbool.h>
#include <stdint.h>

struct daemon;

struct trial {
    bool on;
    bool undoing;       /* it is over, but not all could be put back yet */
    unsigned int tries; /* of that */
    uint64_t due_ns;    /* when it is over, or tried again: host's clock */
};

#define TRIAL_TRIES_MAX 60
#define TRIAL_MAX_S     (7 * 86400)

/* Begins one, or begins it anew: the mode is act from now on. 0, or -1 with error: the file could
 * not be written, and nothing has changed. */
int trial_start(struct daemon *d, double seconds, const char *who, char *error,
                unsigned long error_size);

/* For a daemon that starts: goes on with the end of a trial that was interrupted, unless it starts
 * in mode act, which is a later word than the trial. */
void trial_recover(struct daemon *d);

/* The mode is changed by hand: there is nothing to end any more. */
void trial_cancel(struct daemon *d);

/* Does what is due, if something is. */
void trial_run_due(struct daemon *d);

/* When that will be; UINT64_MAX: never. */
uint64_t trial_due_ns(const struct daemon *d);

#endif
