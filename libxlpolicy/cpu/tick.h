/* SPDX-License-Identifier: LGPL-2.1-only */
/* What one tick of the CPU half hands down to its steps. Private to libxlpolicy/cpu. */
#ifndef XLP_CPU_TICK_H
#define XLP_CPU_TICK_H

#include "budget.h"
#include "parts.h"

struct pool_past {
    uint32_t id;
    struct lane lane;
};

/* What is remembered of what one vCPU used and wanted. */
struct vcpu_past {
    uint64_t cpu_time_ns;
    double demand;            /* smoothed; meaningful once known */
    double blocked;           /* smoothed share of looks in which it was blocked */
    double served;            /* what it used when it last got all it wanted, */
    uint64_t served_ns;       /* when that was (0: never), */
    uint64_t steady_since_ns; /* and since when it had been about as much */
    bool known;               /* demand has been measured */
    bool jumped;              /* demand rose clearly in the last interval */
    bool looked;              /* there were looks in the last interval */
};

/* Where a vCPU was placed, and since when. */
struct vcpu_home {
    uint32_t pcpu;         /* or XLP_UNKNOWN */
    uint32_t settle_ticks; /* it is not moved again while this is above 0 */
};

/* Parallel to the snapshot's domains; pasts and homes are parallel to its vCPUs. */
struct domain_past {
    uint32_t domid;
    uint8_t uuid[16];
    uint32_t first_vcpu, vcpu_count;
};

struct memory_of {
    struct domain_past *domains;
    size_t domain_count, domain_room;
    struct vcpu_past *vcpus;
    struct vcpu_home *homes;
    size_t vcpu_room, home_room;
};

/* What the steps need of each domain of the snapshot, close together. */
struct domain_work {
    uint32_t pool; /* index into snapshot.pools, or XLP_UNKNOWN */
    uint32_t first_vcpu, vcpu_count;
    uint32_t first_item;          /* index into xlp_cpu.items, or XLP_NOWHERE */
    enum xlp_reason_code unmoved; /* why it, or the first of its vCPUs, may not be moved; or NONE */
    bool passthrough;             /* it holds PCI devices */
    uint32_t number;              /* that goes with it */
};

/* What was made of one pool of the snapshot, to explain it by. */
struct pool_word {
    size_t first_item; /* index into xlp_cpu.items */
    size_t slot_count;
    double mean;
    bool waits;       /* uneven, but not yet for long enough */
    bool budget_gone; /* as much was moved as may be in one tick */
    bool round_robin;
};

/* A domain, one of whose vCPUs is placed, and why. */
struct placed {
    uint32_t domain; /* index into snapshot.domains */
    struct xlp_reason reason;
};

struct xlp_cpu {
    struct memory_of now, before; /* swapped when domains come or go */
    struct pool_past *pools;
    size_t pool_count, pool_room;
    struct xlp_weights *weights;
    struct xlp_budget budget;
    uint64_t idle_ns[XLP_PCPUS_MAX]; /* by pCPU id, at the previous snapshot */
    struct xlp_cpumap saturated;     /* in the last interval */

    /* Room for one tick's work, kept. */
    struct domain_work *domains; /* of each domain of the snapshot */
    size_t domain_room;
    struct claim *claims; /* of each vCPU of the snapshot, like the two below */
    struct item *items;   /* pool after pool */
    uint32_t *claimants;  /* vCPU of each claim */
    size_t vcpu_room;
    uint32_t *scratch; /* three times as many as vCPUs, like the next */
    struct shelved *shelves;
    size_t scratch_room;
    double *pool_demand; /* of each pool of the snapshot */
    size_t pool_demand_room;
    struct map_facts *maps; /* of each map of the snapshot, like the one below */
    struct xlp_cpumap *map_slots;
    size_t map_room;
    struct slot *slots;  /* of each pCPU of the snapshot, like the one below */
    double *load_before; /* of each slot, before anything is placed */
    size_t slot_room;

    /* For whom asks why. */
    struct pool_word *pool_words; /* of each pool of the snapshot */
    size_t pool_word_room;
    struct placed *placed;
    size_t placed_count, placed_room;
    double load[XLP_PCPUS_MAX]; /* by the first pCPU id of a slot, in the end */
    bool weighed;               /* weights have verdicts of their own */
};

struct tick {
    struct xlp_cpu *c;
    const struct xlp_snapshot *s;
    const struct xlp_policy *policy;
    uint64_t elapsed_ns;
    struct xlp_plan *plan;
    struct xlp_vcpu_view *views;
    size_t items_so_far; /* of the pools before */

    /* the pool at hand */
    uint32_t pool_index;
    uint32_t moves_max;
    struct pool_facts pool;
    struct pool_word *word;
    struct item *items;
    size_t item_count;
};

/* ---- past.c ---- */

/* Brings what is remembered into this snapshot's order; who is new starts empty. same: nobody came
 * or went since. 0, or -1. */
int xlp_recall(struct xlp_cpu *c, const struct xlp_snapshot *s, bool same);

/* What is remembered of a pool; NULL when memory is out. */
struct lane *xlp_lane_of(struct xlp_cpu *c, uint32_t pool_id);

/* ---- place.c ---- */

/* Decides for the pool at hand. 0, or -1 when memory is out. */
int xlp_place_pool(struct tick *t);

/* ---- apart.c ---- */

/* The load of a vCPU that we do not place lies on its pin, or is spread over where it may run. */
void xlp_add_fixed(struct tick *t, uint32_t vcpu);

/* The item of a guest with a PCI device stays on the node of that, if its mask lets it be there at
 * all. */
void xlp_bind_to_device(const struct tick *t, struct item *item);

/* ---- explain.c ---- */

/* Adds the placements of the pool to the plan. 0, or -1 when memory is out. */
int xlp_add_placements(struct tick *t);

#endif
