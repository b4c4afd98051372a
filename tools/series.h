/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A host over time, as a picture needs it: taken from its snapshots, one after another, so that a
 * simulation, a recording and a live host are all drawn alike, and from what was, not from what was
 * planned.
 */
#ifndef SERIES_H
#define SERIES_H

#include "plan.h"

struct series_guest {
    uint8_t uuid[16];
    uint32_t domid;
    char name[XLP_NAME_SIZE];
    bool resized;                      /* at some time it had another size than at first, */
    int64_t first_actual_kib;          /* which was this */
    double used_min_mib, used_max_mib; /* 0 and 0 while it has not reported */
};

/* One guest at one time. */
struct series_sample {
    bool present;
    bool reports; /* used_mib is known */
    double used_mib, actual_mib, target_mib;
};

struct series_tick {
    double time_s;                 /* since the first */
    double free_mib;               /* of the host, being scrubbed included */
    double *busy;                  /* [pcpu_count] 0 ... 1 since the tick before, or NAN */
    size_t guest_count;            /* known by then */
    struct series_sample *samples; /* [guest_count] */
    double *shares;                /* [pcpu_count][guest_count] of busy, whose use it was */
};

/* A vCPU got another place, after this tick and before the next. */
struct series_move {
    size_t tick, guest;
    uint32_t vcpu;
    size_t to;                /* index into pcpus */
    struct xlp_reason reason; /* of the action that was planned then; NONE: nobody's plan */
};

/* A guest's balloon got another target, after this tick and before the next. */
struct series_resize {
    size_t tick, guest;
    double to_mib;
    struct xlp_reason reason; /* as above */
};

/* An action that was planned on the last snapshot: what is then seen has its reason. */
struct series_planned {
    uint8_t uuid[16];
    bool resizes; /* else it places this vCPU */
    uint32_t vcpu;
    struct xlp_reason reason;
};

/* What is kept of the last snapshot, to measure the next one against. */
struct series_vcpu {
    size_t guest;
    uint32_t id;
    uint64_t cpu_time_ns;
    size_t place; /* the one pCPU it is to run on (index into pcpus), or SERIES_NO_PLACE */
};

#define SERIES_NO_PLACE SIZE_MAX

struct series {
    size_t pcpu_count;
    uint32_t *pcpus;             /* ids, from the first snapshot, rising */
    struct series_guest *guests; /* in the order of appearance */
    size_t guest_count, guest_room;
    struct series_tick *ticks;
    size_t tick_count, tick_room;
    struct series_move *moves;
    size_t move_count, move_room;
    struct series_resize *resizes;
    size_t resize_count, resize_room;
    struct series_planned *planned;
    size_t planned_count, planned_room;

    uint64_t last_ns;
    uint64_t *idle_ns; /* [pcpu_count] UINT64_MAX while offline */
    struct series_vcpu *vcpus, *old_vcpus;
    size_t vcpu_count, vcpu_room, old_vcpu_count, old_vcpu_room;
};

void series_init(struct series *series);
void series_dispose(struct series *series);

/* Adds a snapshot, later than the one before; any other is left out. Nothing of it is kept. 0, or
 * -1 when memory is out. */
int series_add(struct series *series, const struct xlp_snapshot *snapshot);

/* What was planned on the snapshot added last, so that what changes by the next has a reason. 0, or
 * -1 when memory is out. */
int series_plan(struct series *series, const struct xlp_plan *plan);

#endif
