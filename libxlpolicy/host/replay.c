/* SPDX-License-Identifier: LGPL-2.1-only */
/* A host that is read from a recording: it shows what was seen then, and cannot be changed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host/host.h"
#include "json/record.h"

struct replay_host {
    struct xlp_host host;
    struct xlp_recording *recording;
    struct xlp_snapshot next; /* the one that observe will show, if has_next */
    bool has_next;
    bool realtime;
    uint64_t now_ns; /* on the clock of the recording */
};

static int replay_observe(struct xlp_host *host, struct xlp_snapshot *s);
static void replay_apply(struct xlp_host *host, const struct xlp_action *action,
                         struct xlp_outcome *outcome_out);
static uint64_t replay_now_ns(struct xlp_host *host);
static int replay_wait(struct xlp_host *host, uint64_t until_ns, struct pollfd *fds,
                       nfds_t fd_count);
static void replay_close(struct xlp_host *host);
static int read_ahead(struct replay_host *replay);

static const struct xlp_host_ops replay_ops = {
    .name = "replay",
    .observe = replay_observe,
    .apply = replay_apply,
    .now_ns = replay_now_ns,
    .wait = replay_wait,
    .close = replay_close,
};

struct xlp_host *xlp_host_replay_open(const char *path, unsigned int flags, char *error,
                                      size_t error_size)
{
    struct replay_host *replay = calloc(1, sizeof(*replay));

    if (!replay) {
        snprintf(error, error_size, "%s: memory is out", path);
        return NULL;
    }
    replay->host.ops = &replay_ops;
    replay->realtime = flags & XLP_HOST_REALTIME;
    xlp_snapshot_init(&replay->next);
    replay->recording = xlp_recording_open(path, error, error_size);
    if (!replay->recording)
        goto out;

    int rc = read_ahead(replay);
    if (rc <= 0) {
        if (rc < 0)
            snprintf(error, error_size, "%s", replay->host.error);
        else
            snprintf(error, error_size, "%s: the recording ends before its first snapshot", path);
        goto out;
    }
    replay->now_ns = replay->next.time_ns;
    return &replay->host;

out:
    replay_close(&replay->host);
    return NULL;
}

static void replay_close(struct xlp_host *host)
{
    struct replay_host *replay = (struct replay_host *)host;

    xlp_recording_close(replay->recording);
    xlp_snapshot_dispose(&replay->next);
    free(replay);
}

/* 1 when there is a next snapshot, 0 at the end, -1 with the host's error set. */
static int read_ahead(struct replay_host *replay)
{
    if (replay->has_next)
        return 1;

    int rc = xlp_recording_next(replay->recording, &replay->next, NULL, replay->host.error,
                                sizeof(replay->host.error));
    replay->has_next = rc > 0;
    return rc;
}

static int replay_observe(struct xlp_host *host, struct xlp_snapshot *s)
{
    struct replay_host *replay = (struct replay_host *)host;
    int rc = read_ahead(replay);

    if (rc == 0)
        snprintf(host->error, sizeof(host->error), "the recording ends here");
    if (rc <= 0)
        return -1;

    /* Swapped, not copied: each side keeps a set of buffers to fill again. */
    struct xlp_snapshot shown = replay->next;
    replay->next = *s;
    *s = shown;
    replay->has_next = false;
    replay->now_ns = s->time_ns;
    return 0;
}

static void replay_apply(struct xlp_host *host, const struct xlp_action *action,
                         struct xlp_outcome *outcome_out)
{
    (void)host;
    (void)action;
    outcome_out->code = XLP_NOT_DONE_REFUSED;
    snprintf(outcome_out->detail, sizeof(outcome_out->detail), "a recording cannot be changed");
}

static uint64_t replay_now_ns(struct xlp_host *host)
{
    return ((const struct replay_host *)host)->now_ns;
}

/* ---- waiting ---- */

static uint64_t wall_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Sleeps that long or until one of fds is ready. XLP_WAKE_FD, XLP_WAKE_TIME, or -1. */
static int sleep_or_fd(struct xlp_host *host, uint64_t duration_ns, struct pollfd *fds,
                       nfds_t fd_count, uint64_t *slept_ns_out)
{
    uint64_t start_ns = wall_ns(), slept_ns = 0;
    int ready;

    do {
        uint64_t left_ns = duration_ns > slept_ns ? duration_ns - slept_ns : 0;
        struct timespec timeout = {.tv_sec = (time_t)(left_ns / 1000000000),
                                   .tv_nsec = (long)(left_ns % 1000000000)};

        ready = ppoll(fds, fd_count, &timeout, NULL);
        slept_ns = wall_ns() - start_ns;
    } while (ready < 0 && errno == EINTR);
    if (ready < 0) {
        snprintf(host->error, sizeof(host->error), "poll: %s", strerror(errno));
        return -1;
    }
    *slept_ns_out = slept_ns;
    return ready > 0 ? XLP_WAKE_FD : XLP_WAKE_TIME;
}

/*
 * A recording has no moments between its snapshots, so it always goes on to the next one, whenever
 * the caller wanted to be woken. In real time that takes as long as it took then, unless one of the
 * caller's fds is ready first.
 */
static int replay_wait(struct xlp_host *host, uint64_t until_ns, struct pollfd *fds,
                       nfds_t fd_count)
{
    struct replay_host *replay = (struct replay_host *)host;
    int rc = read_ahead(replay);
    uint64_t duration_ns = 0, slept_ns;

    (void)until_ns;
    if (rc < 0)
        return -1;
    if (rc > 0 && replay->realtime && replay->next.time_ns > replay->now_ns)
        duration_ns = replay->next.time_ns - replay->now_ns;

    int wake = sleep_or_fd(host, duration_ns, fds, fd_count, &slept_ns);
    if (wake < 0)
        return -1;
    if (rc == 0)
        return XLP_WAKE_END | (wake & XLP_WAKE_FD);
    if (wake == XLP_WAKE_FD && slept_ns < duration_ns) {
        replay->now_ns += slept_ns;
        return XLP_WAKE_FD;
    }
    replay->now_ns = replay->next.time_ns;
    return XLP_WAKE_TIME | (wake & XLP_WAKE_FD);
}
