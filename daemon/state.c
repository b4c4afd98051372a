/* SPDX-License-Identifier: LGPL-2.1-only */
#include "state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config_dom0.h"
#include "control_commands.h"
#include "cycle.h"
#include "json/json.h"
#include "log.h"
#include "notify.h"
#include "overrides.h"
#include "textfile.h"

#define RELOAD_FAILED "reload: the configuration stays as it was: "

/* Beside one another, of the same name. */
#define RECORDINGS_MAX 100

int daemon_init(struct daemon *d, const struct options *options)
{
    memset(d, 0, sizeof(*d));
    d->options = options;
    config_init(&d->config);
    xlp_policy_init(&d->overrides);
    xlp_snapshot_init(&d->snapshot);
    xlp_snapshot_init(&d->fresh);
    xlp_plan_init(&d->plan);
    control_init(&d->control);
    d->engine = xlp_engine_new();
    d->state_reply = xlp_json_writer_new(false);
    return history_init(&d->history) < 0 || !d->engine || !d->state_reply ? -1 : 0;
}

void daemon_dispose(struct daemon *d)
{
    control_close(&d->control);
    xlp_json_writer_free(d->state_reply);
    d->state_reply = NULL;
    if (d->host)
        d->host->ops->close(d->host);
    d->host = NULL;
    xlp_engine_free(d->engine);
    d->engine = NULL;
    daemon_end_record(d);
    history_dispose(&d->history);
    tell_dispose(&d->tell);
    free(d->outcomes.at);
    d->outcomes = (struct outcomes){0};
    xlp_plan_dispose(&d->plan);
    xlp_snapshot_dispose(&d->fresh);
    xlp_snapshot_dispose(&d->snapshot);
    xlp_policy_dispose(&d->overrides);
    config_dispose(&d->config);
}

/* c is initialised, and stays as it is unless 0 is returned and there is a file. */
static int read_config(const struct options *options, struct config *c, bool *found_out,
                       char *error, size_t error_size)
{
    int result = config_read(c, options->config_path, error, error_size);

    if (result == CONFIG_WRONG || (result == CONFIG_MISSING && options->config_named))
        return -1;
    *found_out = result == CONFIG_OK;
    return 0;
}

int daemon_load_config(struct daemon *d, char *error, size_t error_size)
{
    return read_config(d->options, &d->config, &d->config_found, error, error_size);
}

int daemon_start_control(struct daemon *d, char *error, size_t error_size)
{
    return control_open(&d->control, d->options->socket_path, config_group_id(&d->config),
                        control_commands_answer, d, error, error_size);
}

/* Never over an earlier recording, which may be of the crash that had us started anew: FILE, FILE.1
 * and so on. Notes what it is called. NULL with errno. */
static FILE *open_new(struct daemon *d, const char *path)
{
    FILE *file = NULL;

    snprintf(d->record_path, sizeof(d->record_path), "%s", path);
    errno = 0;
    for (int i = 1; i <= RECORDINGS_MAX && !file && (errno == 0 || errno == EEXIST); i++) {
        file = fopen(d->record_path, "wxe");
        if (!file)
            snprintf(d->record_path, sizeof(d->record_path), "%s.%d", path, i);
    }
    return file;
}

int daemon_start_record(struct daemon *d, char *error, size_t error_size)
{
    const char *path = d->options->record_path;

    if (!path[0])
        return 0;
    d->record_file = open_new(d, path);
    if (d->record_file)
        d->recorder = xlp_recorder_new(d->record_file, &d->config.policy);
    if (d->recorder)
        return 0;
    snprintf(error, error_size, "cannot record to %s: %s", path, strerror(errno));
    daemon_end_record(d);
    return -1;
}

void daemon_end_record(struct daemon *d)
{
    xlp_recorder_free(d->recorder);
    d->recorder = NULL;
    if (d->record_file)
        fclose(d->record_file);
    d->record_file = NULL;
}

static int lay_overrides(const struct daemon *d, struct config *c, char *error, size_t error_size)
{
    if (overrides_apply(d, c) == 0)
        return 0;
    snprintf(error, error_size, "out of memory");
    return -1;
}

/* All that can fail comes before anything changes. */
static int replace_config(struct daemon *d, char *error, size_t error_size)
{
    struct config fresh;
    bool found;

    config_init(&fresh);
    if (read_config(d->options, &fresh, &found, error, error_size) < 0 ||
        lay_overrides(d, &fresh, error, error_size) < 0 ||
        control_set_group(&d->control, config_group_id(&fresh), error, error_size) < 0) {
        config_dispose(&fresh);
        return -1;
    }
    config_dispose(&d->config);
    d->config = fresh;
    d->config_found = found;
    d->state_current = false;
    textfile_reload(d);
    return 0;
}

int daemon_reload(struct daemon *d, const char *who, char *error, size_t error_size)
{
    int mode_before = d->config.mode;
    uint64_t now = d->host->ops->now_ns(d->host), tick_ns;
    char text[XLP_HOST_ERROR_SIZE];

    notify_send("RELOADING=1\nMONOTONIC_USEC=%" PRIu64, daemon_monotonic_ns() / 1000);
    if (replace_config(d, error, error_size) < 0) {
        snprintf(text, sizeof(text), RELOAD_FAILED "%s", error);
        daemon_remember_error(d, text);
        log_line(LOG_ERR, "reload (%s): the configuration stays as it was: %s", who, error);
        notify_send("READY=1");
        return -1;
    }
    if (strncmp(d->last_error, RELOAD_FAILED, strlen(RELOAD_FAILED)) == 0)
        d->last_error[0] = '\0';
    daemon_open_log(d);
    log_line(LOG_NOTICE, "reload (%s): %s", who,
             d->config_found ? d->options->config_path : "no configuration file: the defaults");
    daemon_warn_of_dom0(d);
    if (d->options->mode < 0 && d->config.mode != mode_before) {
        trial_cancel(d);
        if (d->config.mode == CONFIG_ACT && cycle_resume(d) < 0)
            log_line(LOG_ERR, "reload (%s): guests on their way back stay so: %s", who,
                     d->last_error);
        daemon_set_mode(d, d->config.mode, "the configuration");
    }
    tick_ns = (uint64_t)d->config.policy.tick_ms * 1000000;
    if (d->next_tick_ns > now + tick_ns)
        d->next_tick_ns = now + tick_ns;
    notify_send("READY=1");
    return 0;
}

void daemon_warn_of_dom0(const struct daemon *d)
{
    char text[512];

    if (config_dom0_is_contested(&d->config.policy, XL_CONF_PATH, text, sizeof(text)))
        log_line(LOG_WARNING, "%s", text);
}

void daemon_open_log(const struct daemon *d)
{
    enum log_target target = LOG_TO_STDERR;

    if (d->options->once)
        target = LOG_TO_STDOUT;
    else if (d->config.log == CONFIG_LOG_SYSLOG ||
             (d->config.log == CONFIG_LOG_AUTO && !d->options->foreground))
        target = LOG_TO_SYSLOG;
    log_open(target, d->options->verbose);
}

void daemon_set_mode(struct daemon *d, int mode, const char *who)
{
    if (mode != d->mode)
        log_line(LOG_NOTICE, "mode: %s -> %s (%s)", config_mode_name(d->mode),
                 config_mode_name(mode), who);
    d->mode = mode;
}

void daemon_note_error(struct daemon *d, const char *error)
{
    if (!d->failing || strcmp(error, d->last_error) != 0)
        log_line(LOG_ERR, "%s", error);
    daemon_remember_error(d, error);
}

void daemon_remember_error(struct daemon *d, const char *error)
{
    snprintf(d->last_error, sizeof(d->last_error), "%s", error);
    d->last_error_wall_ns = daemon_wall_ns();
    d->state_current = false;
}

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t daemon_wall_ns(void)
{
    return clock_ns(CLOCK_REALTIME);
}

uint64_t daemon_monotonic_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}
