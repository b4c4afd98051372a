/* SPDX-License-Identifier: LGPL-2.1-only */
/* What a simulation looked like near its start and at its end, side by side. */
#ifndef SIMULATE_REPORT_H
#define SIMULATE_REPORT_H

#include "cli.h"
#include "host/trial.h"

struct report_guest {
    char name[XLP_NAME_SIZE];
    struct xlp_trial_guest truth; /* its name is gone by the time of the report: use the above */
};

struct report_moment {
    double time_s;
    struct xlp_snapshot snapshot; /* as seen at that time, before anything was done */
    struct xlp_trial_pcpu *pcpus;
    size_t pcpu_count, pcpu_room;
    struct report_guest *guests;
    size_t guest_count, guest_room;
};

struct report {
    uint32_t ticks;
    struct report_moment before; /* the second tick, the first with rates */
    struct report_moment after;  /* the last one so far */
};

void report_init(struct report *report);
void report_dispose(struct report *report);

/* 0, or -1 when memory is out. */
int report_tick(struct report *report, const struct xlp_trial_tick *tick);

/* The tables, as text and as JSON members "before" and "after". 0, or -1 when memory is out. */
int report_print(const struct report *report);
int report_write(const struct report *report, struct xlp_json_writer *w);

#endif
