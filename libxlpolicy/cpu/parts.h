/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the parts of the CPU half hand to each other. Private to libxlpolicy/cpu. */
#ifndef XLP_CPU_PARTS_H
#define XLP_CPU_PARTS_H

#include "cpu.h"

#define XLP_NOWHERE UINT32_MAX

/* Without what fmin and fmax do for numbers that are none, at a call each. */
static inline double xlp_min(double a, double b)
{
    return a < b ? a : b;
}

static inline double xlp_max(double a, double b)
{
    return a > b ? a : b;
}

/* ---- what is placed, and where ---- */

/* A pCPU, or where the scheduler hands out whole cores or sockets, one of these. Those of a pool
 * that are online are numbered 0 ..., as "slots". */
struct slot {
    double fixed_load, fixed_demand; /* in: of what is not among the items */
    double load, demand;             /* out: that, and all items placed on it */
    double pressure;                 /* private: what decides who gives and who takes */
    double biggest;                  /* private: the biggest load that was put on it */
    uint32_t node;                   /* in: NUMA node, numbered 0 ... */
    uint32_t twin;                   /* in: the next thread of its core, in a ring */
    uint32_t first;                  /* private: its first item, unless they are on a shelf */
};

/* ---- pool.c ---- */

/* What one set of the snapshot means within a pool. Few sets are shared by many vCPUs, so this is
 * worked out once a tick for each. */
struct map_facts {
    const struct xlp_cpumap *slots; /* its online pCPUs of the pool, as slots */
    const struct xlp_cpumap *limit; /* these; NULL: it is a pin, or covers the pool */
    uint32_t only_slot;             /* its only online slot, or XLP_NOWHERE */
    uint32_t only_online;           /* the first pCPU of that, or XLP_UNKNOWN */
    uint32_t pin;                   /* its only pCPU (or slot) of all, or XLP_UNKNOWN */
    uint32_t home_node; /* the first node (as in struct slot) of a set of some whole nodes, or
                           XLP_NOWHERE */
    bool empty;         /* no online pCPU of the pool is in it */
    bool covers;        /* every online pCPU of the pool is in it */
    bool whole_nodes;   /* it takes each NUMA node of the pool entirely or not at all */
};

/* What all vCPUs of one pool share. */
struct pool_facts {
    const struct xlp_pool *pool;
    struct xlp_cpumap online; /* its pCPUs that are online */
    size_t slot_count;
    uint32_t slot_of[XLP_PCPUS_MAX]; /* by pCPU id; for those that are online */
    uint32_t pcpu_of[XLP_PCPUS_MAX]; /* by slot: its first */
    uint32_t unit;                   /* pCPUs of a slot: so many vCPUs of a domain go together */
    bool scheduler_balances;         /* within it, Xen's scheduler shares the pCPUs by itself */
    bool fixed;                      /* its scheduler gives each vCPU its place, and no other */
    bool soft_ignored;               /* its scheduler knows no soft affinity */
    const struct map_facts *maps;    /* of each of snapshot.maps */
};

/* Numbers the pool's online pCPUs as slots, empty, with their nodes and twins, and works out the
 * facts, which refer to maps, and these to map_slots. Room: slots for s->pcpu_count, maps and
 * map_slots for s->map_count. */
void xlp_pool_facts(const struct xlp_snapshot *s, const struct xlp_pool *pool, struct slot *slots,
                    struct map_facts *maps, struct xlp_cpumap *map_slots,
                    struct pool_facts *facts_out);

/* All pCPUs of a slot. */
struct xlp_cpumap xlp_slot_pcpus(const struct pool_facts *facts, uint32_t slot);

/* ---- entitlement.c ---- */

struct claim {
    double demand, weight;
    double entitlement; /* out */
};

/* Weighted water-fill: entitlement = min(demand, level * weight), the level such that they sum to
 * min(capacity, total demand). scratch holds count elements. */
void xlp_entitle(struct claim *claims, size_t count, double capacity, uint32_t *scratch);

/* ---- balance.c ---- */

/* One vCPU as the balancer sees it: one line of the cache. Items of one domain follow each other.
 */
struct item {
    double load; /* its entitlement */
    double demand;
    const struct xlp_cpumap *allowed; /* over slots; NULL: all */
    uint32_t owner;                   /* its domain: items of one owner are kept apart */
    uint32_t kin;                     /* how many items that domain has */
    uint32_t home_node;       /* NUMA node it had best stay on, or XLP_NOWHERE: the one it is on */
    uint32_t slot;            /* in: where it is, or XLP_NOWHERE; out: where it goes */
    uint32_t prefer;          /* of equal slots for a first place: this one, or XLP_NOWHERE */
    uint32_t eldest;          /* private: the first item of its domain */
    enum xlp_reason_code why; /* out: set when the slot changed */
    enum xlp_reason_code why_first; /* in: what it is set to when an item without a slot gets one */
    bool may_move;                  /* settled, and movable */
    bool stays_home;                /* never to leave home_node */
    uint32_t vcpu;                  /* the balancer leaves it alone */
};

struct balance_limits {
    double overload;     /* a slot whose demand is above this is relieved at once */
    double uneven, even; /* load out of place, as a part of all load: start and stop evening out */
    uint32_t uneven_ticks; /* for so many ticks in a row first */
    uint32_t moves_max;
};

/* What is remembered of one pool from tick to tick. */
struct lane {
    uint32_t uneven_ticks;
    bool open; /* evening out */
};

/* An item among those of its slot. */
struct shelved {
    double load;
    uint32_t item;
};

/* What the balancer works in: room for three times as many as there are items, of each. */
struct balance_room {
    uint32_t *list;
    struct shelved *shelves;
};

/* Gives every item without a slot one, then moves items while a move gains enough.
 * *budget_gone_out: more might have been done but for moves_max. Returns the mean load that was
 * aimed at. */
double xlp_balance(struct item *items, size_t item_count, struct slot *slots, size_t slot_count,
                   const struct balance_limits *limits, struct lane *lane,
                   const struct balance_room *room, bool *budget_gone_out);

/* ---- round_robin.c ---- */

/* Item i goes to slot i modulo the slots (of those it may have), load ignored. */
void xlp_round_robin(struct item *items, size_t item_count, size_t slot_count, uint32_t moves_max);

#endif
