/* SPDX-License-Identifier: LGPL-2.1-only */
/* The daemon's metrics, or those of a host that is read here. */
#include "export.h"

#include <stdio.h>

#include "../daemon/metrics.h"
#include "daemon_request.h"
#include "source.h"

struct counts {
    uint64_t done[XLP_REASON_COUNT], not_done[XLP_REASON_COUNT];
};

/* {"cpu-even": 12}; a reason of another version has no place. */
static void read_counts(const struct xlp_json *status, const char *key, uint64_t *counts)
{
    const struct xlp_json *object = xlp_json_get(status, key);

    for (size_t i = 0; object && i < xlp_json_count(object); i++) {
        int code = xlp_reason_by_name(xlp_json_key(object, i));

        if (code >= 0)
            counts[code] = (uint64_t)xlp_json_double(xlp_json_at(object, i));
    }
}

static struct metrics_daemon read_daemon(const struct source *source, struct counts *counts)
{
    const struct xlp_json *status = source->status;
    const char *version = daemon_string(status, "version");

    read_counts(status, "done", counts->done);
    read_counts(status, "not_done", counts->not_done);
    return (struct metrics_daemon){
        .version = version ? version : "",
        .mode = source_mode(source),
        .dry_run = source_is_dry_run(source),
        .observed = daemon_number(status, "failing") == 0,
        .tick_interval_s = daemon_number(status, "tick_ms") / 1e3,
        .tick_duration_s = daemon_number(status, "tick_s"),
        .ticks = (uint64_t)daemon_number(status, "ticks"),
        .ticks_missed = (uint64_t)daemon_number(status, "ticks_missed"),
        .ticks_failed = (uint64_t)daemon_number(status, "ticks_failed"),
        .done = counts->done,
        .not_done = counts->not_done,
    };
}

enum cli_exit export_openmetrics(const struct cli *cli)
{
    struct counts counts = {{0}, {0}};
    struct metrics_daemon daemon = {.observed = true};
    struct metrics metrics = {.daemon = NULL};
    struct source source;
    enum cli_exit exit_code = source_read(cli, &source);

    if (exit_code != CLI_DONE)
        return exit_code;
    if (source.status) {
        daemon = read_daemon(&source, &counts);
        metrics.daemon = &daemon;
    }
    if (daemon.observed)
        metrics.snapshot = &source.snapshot;
    metrics.plan = &source.plan;
    metrics.pcpus = source.pcpus;
    metrics.vcpus = source.vcpus;
    metrics.domains = source.domains;
    metrics.reserve_kib = xlp_policy_reserve_kib(&source.policy, source.snapshot.memory.total_kib);
    metrics_write(stdout, METRICS_OPENMETRICS, &metrics);
    source_dispose(&source);
    return CLI_DONE;
}
