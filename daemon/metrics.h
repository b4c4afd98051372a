/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the manager knows, as metrics: the one writer of the daemon's file for node_exporter and of
 * `xlpolicy export openmetrics`. The names and what they mean: docs/metrics.md.
 */
#ifndef METRICS_H
#define METRICS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "engine.h"

/* How it is written. The two differ in what they call counters, and in how they end. */
enum metrics_format {
    METRICS_PROMETHEUS,  /* the text format that node_exporter reads */
    METRICS_OPENMETRICS, /* OpenMetrics 1.0 */
};

/* What a daemon tells of itself. */
struct metrics_daemon {
    const char *version, *mode; /* mode: "advise", "act" or "pause" */
    bool dry_run, observed;     /* observed: the last tick saw the host */
    double tick_interval_s, tick_duration_s;
    uint64_t ticks, ticks_missed, ticks_failed;
    const uint64_t *done, *not_done; /* actions, by enum xlp_reason_code */
};

/* Nothing is owned. The plan and the views are those made of the snapshot. */
struct metrics {
    const struct metrics_daemon *daemon; /* NULL: there is none */
    const struct xlp_snapshot *snapshot; /* NULL: the host cannot be looked at, and the rest is
                                            meaningless */
    const struct xlp_plan *plan;
    const struct xlp_pcpu_view *pcpus;
    const struct xlp_vcpu_view *vcpus;
    const struct xlp_domain_view *domains;
    int64_t reserve_kib; /* kept free on the host */
};

/* Whether all could be written is for the caller to ask of the stream. */
void metrics_write(FILE *stream, enum metrics_format format, const struct metrics *m);

#endif
