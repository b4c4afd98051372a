/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The host that all policies are tried on: the unit tests' model of guests with balloons, in steps
 * of a tenth of a second, and what there is to say of how well they fared.
 *
 * Balloons move 100 MiB a second and take what memory there is. Nobody looks ahead: a policy is
 * shown what guests use now, and tells them targets.
 */
#ifndef XLPOLICY_BENCH_MEMORY_HOST_H
#define XLPOLICY_BENCH_MEMORY_HOST_H

#define MODEL_GUESTS_MAX 5000
#define MODEL_POINTS_MAX 128
#include "../../unit/memory_model.h"

#define STEP_S (1.0 * MODEL_STEP_NS / MODEL_SECOND_NS)

/* With less than this unused, a guest is short. */
#define SPARE_KIB (16 * MIB)

enum mem_metric {
    MEM_DEFICIT,     /* MiB s: how much guests were short, for how long, all together */
    MEM_WORST,       /* the same, of the guest that was worst off */
    MEM_WEIGHTED,    /* the same, each guest's by its part of the shares */
    MEM_BOUND,       /* the least that is possible: what all together were short */
    MEM_REGRET,      /* MEM_DEFICIT less that */
    MEM_HARM,        /* part of MEM_DEFICIT: within 10 s of having been told to give up memory */
    MEM_RAMP_P50,    /* s from the end of a rise until the guest has what it wants */
    MEM_RAMP_P99,    /* ... */
    MEM_RAMP_MAX,    /* ... */
    MEM_RETURN_P50,  /* s from the end of a fall until the guest holds little more than it needs */
    MEM_CHANGES,     /* of targets */
    MEM_FLIPS,       /* of those, the ones that take back within a minute what the last one did */
    MEM_MOVED,       /* MiB that balloons moved, over the least that MEM_BOUND takes */
    MEM_WASTE,       /* MiB s that were free beyond the reserve while somebody was short of them */
    MEM_LOWEST_FREE, /* MiB */
    MEM_BELOW_RESERVE, /* s */
    MEM_JAIN,          /* of what guests have of what they should, while somebody is short */
    MEM_BROKEN,        /* invariants: times that a target was what it must never be */
    MEM_DECISION_US,   /* processor time, mean */
    MEM_METRICS
};

struct mem_metric_name {
    const char *title; /* in the table */
    const char *key;   /* in JSON */
};

extern const struct mem_metric_name mem_metric_names[MEM_METRICS];

struct mem_result {
    double metric[MEM_METRICS];
};

/* What is noted of one guest. */
struct mem_notes {
    int64_t actual_kib, target_kib; /* a step ago */
    int64_t start_kib;              /* what it had at first */
    int direction;                  /* of its target's last change */
    double changed_s, cut_s;        /* when its target last changed, and fell; < 0: never */
    size_t point;                   /* of its trace, the next */
    double rise_s, fall_s;          /* since when it waits to have, or to have returned; < 0 */
    double deficit_mib_s;
};

struct mem_host {
    struct model model;
    int64_t floor_kib, reserve_kib, memory_kib;
    bool instant; /* balloons take no time */
    uint32_t shares[MODEL_GUESTS_MAX];
    struct mem_notes notes[MODEL_GUESTS_MAX];
    struct xlp_claim *claims; /* [model.count] */
    struct xlp_range *ranges;
    double now_s;
    double *ramp_s, *return_s; /* how long each took */
    size_t ramp_count, return_count;
    double sums[MEM_METRICS];
    double scarce_s, least_moved_kib, moved_kib;
};

/* Guests of 512 MiB that may grow to 2 GiB, and 64 MiB for each free beyond the reserve. */
void mem_host_init(struct mem_host *h, size_t guest_count, const struct xlp_policy *settings);
void mem_host_free(struct mem_host *h);

/* To be called when the traces are there. */
void mem_host_start(struct mem_host *h);

/* A tenth of a second passes. */
void mem_host_step(struct mem_host *h);

/* What any policy does. The limit moves with the target, as far as what the guest has allows. */
void mem_host_set_target(struct mem_host *h, size_t guest, int64_t kib);

/* Looks at what a policy just did: for broken invariants, at changes. */
void mem_host_judge(struct mem_host *h);

struct mem_result mem_host_result(struct mem_host *h);

#endif
