/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The report's text: one line of key=value, understood by libxlpolicy's memory/report.c.
 */
#ifndef GUEST_AGENT_FORMAT_H
#define GUEST_AGENT_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include "sample.h"

/* Where in xenstore the report goes, below the guest's own directory. */
#define REPORT_KEY "data/xlpolicy/memory"

/* Room for the longest report, in which every number has 20 digits, and a NUL. */
#define REPORT_ROOM 640

/*
 * Writes the report, without a line end, and a NUL to text_out. Returns its length. seq is to
 * differ from one report to the next, so that the host can tell a fresh report from a stale one.
 */
size_t format_report(uint64_t seq, const struct memory_sample *memory,
                     const struct stress_sample *stress, char text_out[REPORT_ROOM]);

#endif
