/* SPDX-License-Identifier: LGPL-2.1-only */
#include "textfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "metrics.h"

#define TEMPORARY_SUFFIX ".tmp"

static int replace_file(const struct daemon *d, const char *path);
static int write_file(const struct daemon *d, const char *path);

void textfile_tick(struct daemon *d)
{
    const char *path = d->config.metrics_file;
    uint64_t now_ns = daemon_monotonic_ns();

    if (!path[0] || now_ns < d->textfile.due_ns)
        return;
    d->textfile.due_ns = now_ns + TEXTFILE_INTERVAL_NS;
    xlp_engine_explain(d->engine, &d->snapshot, &d->plan);
    if (replace_file(d, path) < 0) {
        if (!d->textfile.failing)
            log_line(LOG_ERR, "cannot write the metrics to %s: %s", path, strerror(errno));
        d->textfile.failing = true;
        return;
    }
    if (d->textfile.failing)
        log_line(LOG_NOTICE, "the metrics can be written to %s again", path);
    d->textfile.failing = false;
    snprintf(d->textfile.written, sizeof(d->textfile.written), "%s", path);
}

void textfile_reload(struct daemon *d)
{
    if (strcmp(d->textfile.written, d->config.metrics_file) != 0)
        textfile_remove(d);
    d->textfile.due_ns = 0;
}

void textfile_remove(struct daemon *d)
{
    if (d->textfile.written[0])
        unlink(d->textfile.written);
    d->textfile.written[0] = '\0';
}

/* The directory may belong to another user: no link of his is followed, and no file of his is
 * written to. The collector reads only what ends in .prom. */
static int replace_file(const struct daemon *d, const char *path)
{
    char temporary[CONFIG_PATH_SIZE + sizeof(TEMPORARY_SUFFIX)];

    snprintf(temporary, sizeof(temporary), "%s%s", path, TEMPORARY_SUFFIX);
    if (unlink(temporary) < 0 && errno != ENOENT)
        return -1;
    if (write_file(d, temporary) == 0 && rename(temporary, path) == 0)
        return 0;
    unlink(temporary);
    return -1;
}

static void write_metrics(const struct daemon *d, FILE *stream)
{
    const struct counters *n = &d->counters;
    const struct metrics_daemon self = {
        .version = XLP_VERSION,
        .mode = config_mode_name(d->mode),
        .dry_run = d->options->dry_run,
        .observed = !d->failing,
        .tick_interval_s = (double)d->config.policy.tick_ms / 1e3,
        .tick_duration_s = (double)n->tick_ns / 1e9,
        .ticks = n->ticks,
        .ticks_missed = n->ticks_missed,
        .ticks_failed = n->ticks_failed,
        .done = n->done,
        .not_done = n->not_done,
    };
    struct metrics m = {
        .daemon = &self,
        .snapshot = d->failing ? NULL : &d->snapshot,
        .plan = &d->plan,
        .reserve_kib = xlp_policy_reserve_kib(&d->config.policy, d->snapshot.memory.total_kib),
    };
    size_t count;

    m.pcpus = xlp_engine_pcpu_views(d->engine, &count);
    m.vcpus = xlp_engine_vcpu_views(d->engine, &count);
    m.domains = xlp_engine_domain_views(d->engine, &count);
    metrics_write(stream, METRICS_PROMETHEUS, &m);
}

/* The collector runs as another user, so all may read it, whatever our umask. errno is set when -1
 * is returned. */
static int write_file(const struct daemon *d, const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *stream = fd < 0 ? NULL : fdopen(fd, "w");
    bool failed;

    if (!stream) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    write_metrics(d, stream);
    failed = fflush(stream) != 0 || ferror(stream) || fchmod(fd, 0644) < 0;
    return fclose(stream) != 0 || failed ? -1 : 0;
}
