/* SPDX-License-Identifier: LGPL-2.1-only */
/* Everything the daemon knows, in one place: there is one of it, and main() owns it. */
#ifndef STATE_H
#define STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "config.h"
#include "control.h"
#include "engine.h"
#include "history.h"
#include "host/host.h"
#include "json/record.h"
#include "options.h"
#include "tell.h"
#include "trial.h"

/* The outcomes of the actions of one plan, in its order. */
struct outcomes {
    struct xlp_outcome *at;
    size_t count, room;
};

struct counters {
    uint64_t ticks, ticks_missed, ticks_failed;
    uint64_t tick_ns; /* what the last one took */
    uint64_t done[XLP_REASON_COUNT], not_done[XLP_REASON_COUNT];
};

struct daemon {
    const struct options *options;
    struct config config;        /* with the overrides at the end of its policy's domains */
    struct xlp_policy overrides; /* only its domains count */
    bool config_found;           /* false: there was no file, these are the defaults */
    int mode;                    /* enum config_mode; the operator may change it meanwhile */
    struct trial trial;

    struct xlp_host *host;
    struct xlp_engine *engine;

    struct xlp_snapshot snapshot; /* the last the engine saw, */
    struct xlp_plan plan;         /* what it made of it, */
    struct outcomes outcomes;     /* and what became of that: empty unless in mode act */
    struct xlp_snapshot fresh;    /* being filled, or for the operator's commands */

    struct history history;
    struct tell tell;
    struct counters counters;
    bool failing;                         /* the last tick failed */
    char last_error[XLP_HOST_ERROR_SIZE]; /* "" none so far */
    uint64_t last_error_wall_ns;
    char note[XLP_HOST_ERROR_SIZE]; /* what the last observation left out; "" nothing */

    FILE *record_file;               /* NULL: not recording */
    char record_path[PATH_MAX + 16]; /* its name */
    struct xlp_recorder *recorder;

    struct {
        uint64_t due_ns;                /* monotonic clock */
        char written[CONFIG_PATH_SIZE]; /* where there is one of ours; "": nowhere */
        bool failing;
    } textfile;

    struct control control;
    struct xlp_json_writer *state_reply;             /* to "state", as long as */
    bool state_current;                              /* there was no tick or change since */
    uint64_t started_ns, last_tick_ns, next_tick_ns; /* host's clock */
    bool stop;
};

/* Zeroes and allocates. 0, or -1 when memory is out; then, too, it may be disposed. */
int daemon_init(struct daemon *d, const struct options *options);
void daemon_dispose(struct daemon *d);

/* Reads the configuration file of a daemon that starts; where there is none at the usual place, the
 * defaults hold. 0, or -1 with one line in error. */
int daemon_load_config(struct daemon *d, char *error, size_t error_size);

/* Opens the log where the configuration wants it. */
void daemon_open_log(const struct daemon *d);

/* Logs that xl moves dom0's memory beside us, where it does. */
void daemon_warn_of_dom0(const struct daemon *d);

/* Opens the control socket. 0, or -1 with error. */
int daemon_start_control(struct daemon *d, char *error, size_t error_size);

/* Starts the recording, if one was asked for; beside an earlier one, not over it. 0, or -1 with
 * error. */
int daemon_start_record(struct daemon *d, char *error, size_t error_size);

/* Ends it, if there is one. */
void daemon_end_record(struct daemon *d);

/* Loads the configuration anew for a running daemon, and logs how it went. The mode changes only if
 * the file's did: what the operator said meanwhile holds. 0, or -1 with error, and nothing has
 * changed. */
int daemon_reload(struct daemon *d, const char *who, char *error, size_t error_size);

/* Sets the mode and logs who wanted it. */
void daemon_set_mode(struct daemon *d, int mode, const char *who);

/* Remembers a failure for `status`. */
void daemon_remember_error(struct daemon *d, const char *error);

/* The same, and logs it unless the tick before failed with the same. */
void daemon_note_error(struct daemon *d, const char *error);

uint64_t daemon_wall_ns(void);
uint64_t daemon_monotonic_ns(void);

#endif
