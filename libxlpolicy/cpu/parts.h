/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the parts of the CPU half hand to each other. Private to libxlpolicy/cpu. */
#ifndef XLP_CPU_PARTS_H
#define XLP_CPU_PARTS_H

#include "cpu.h"

#define XLP_NOWHERE UINT32_MAX

/* ---- demand.c ---- */

/* What is remembered of one vCPU. */
struct vcpu_past {
    uint64_t cpu_time_ns;
    double demand;         /* smoothed; meaningful once known */
    double blocked;        /* smoothed share of looks in which it was blocked */
    double ceiling;        /* its demand when it was last fully served */
    uint64_t ceiling_ns;   /* when that was; 0: never */
    uint32_t home;         /* where it was placed, or XLP_UNKNOWN */
    uint32_t settle_ticks; /* it is not moved again while this is above 0 */
    bool known;            /* demand has been measured */
};

struct demand_input {
    uint64_t now_ns, elapsed_ns;
    bool pcpu_saturated; /* the pCPU it is on had next to no idle time */
    double cap;          /* most it may use: 1, or its part of the domain's cap */
};

/* Measures one vCPU against its past, and updates that. Returns what it used (0 ... 1), or -1 when
 * the counters make no sense (then nothing is measured, and the past starts anew). */
double xlp_measure_demand(const struct xlp_vcpu *v, const struct demand_input *in,
                          struct vcpu_past *past);

/* ---- ownership.c ---- */

/* What one set of the snapshot means within a pool. Few sets are shared by many vCPUs, so this is
 * worked out once a tick for each. */
struct map_facts {
    uint32_t only_online; /* its only online pCPU of the pool, or XLP_UNKNOWN */
    uint32_t only_pool;   /* its only pCPU of the pool, online or not, or XLP_UNKNOWN */
    bool empty;           /* no online pCPU of the pool is in it */
    bool covers;          /* every online pCPU of the pool is in it */
};

/* What all vCPUs of one pool share. */
struct pool_facts {
    const struct xlp_pool *pool;
    struct xlp_cpumap online;     /* its pCPUs that are online */
    bool scheduler_balances;      /* within it, Xen's scheduler shares the pCPUs by itself */
    bool soft_ignored;            /* its scheduler knows no soft affinity */
    const struct map_facts *maps; /* of each of snapshot.maps */
};

/* maps: room for s->map_count, filled here; facts refer to it. */
void xlp_pool_facts(const struct xlp_snapshot *s, const struct xlp_pool *pool,
                    struct map_facts *maps, struct pool_facts *facts_out);

/* Whether, and where, we may place one vCPU. */
struct tenure {
    bool movable;
    bool whole_pool;           /* base is only a former pin: the whole pool is allowed */
    uint32_t home;             /* the single pCPU it is bound to, or XLP_UNKNOWN */
    uint32_t prefer;           /* without a home: where it had best start */
    uint32_t base;             /* the set to stay within: an index into snapshot.maps */
    struct xlp_reason verdict; /* when not movable: why */
};

/* domain_policy: what the configuration says of its domain. */
void xlp_tenure(const struct xlp_snapshot *s, const struct xlp_vcpu *v,
                const struct pool_facts *pool, const struct xlp_policy *policy,
                const struct xlp_domain_policy *domain_policy, struct tenure *tenure_out);

/* Whether it may run on every online pCPU of the pool. */
bool xlp_tenure_anywhere(const struct pool_facts *pool, const struct tenure *tenure);

/* Where it may run: tenure.base within the pool, or the whole pool. */
struct xlp_cpumap xlp_tenure_allowed(const struct xlp_snapshot *s, const struct pool_facts *pool,
                                     const struct tenure *tenure);

/* Fills in the masks that bind it to pCPU `to` in the policy's affinity mode. */
void xlp_tenure_masks(const struct xlp_snapshot *s, const struct xlp_vcpu *v,
                      const struct tenure *tenure, const struct xlp_policy *policy, uint32_t to,
                      struct xlp_cpumap *hard_out, struct xlp_cpumap *soft_out);

/* ---- entitlement.c ---- */

struct claim {
    double demand, weight;
    double entitlement; /* out */
};

/* Weighted water-fill: entitlement = min(demand, level * weight), the level such that they sum to
 * min(capacity, total demand). scratch holds count elements. O(n log n), O(n) when all fits. */
void xlp_entitle(struct claim *claims, size_t count, double capacity, uint32_t *scratch);

/* ---- balance.c ---- */

/* One vCPU as the balancer sees it. pCPUs are numbered 0 ... within the pool ("slots"). */
struct item {
    double load; /* its entitlement */
    double demand;
    uint32_t owner;  /* its domain: items of one owner are kept apart */
    uint32_t slot;   /* in: where it is, or XLP_NOWHERE; out: where it goes */
    uint32_t was;    /* slot as it came in; the balancer keeps it */
    uint32_t prefer; /* of equal slots for a first place: this one, or XLP_NOWHERE */
    const struct xlp_cpumap *allowed; /* over slots; NULL: all */
    bool may_move;                    /* settled, and movable */
    uint32_t next;                    /* private: the next item on the same slot */
    enum xlp_reason_code why;         /* out: set when the slot changed */
};

struct slot {
    double fixed_load, fixed_demand; /* in: of what is not among the items */
    double load, demand;             /* out: that, and all items placed on it */
    uint32_t first;                  /* private: its items */
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

/* Gives every item without a slot one, then moves items while a move gains enough. scratch holds
 * item_count elements. Returns the mean load that was aimed at. */
double xlp_balance(struct item *items, size_t item_count, struct slot *slots, size_t slot_count,
                   const struct balance_limits *limits, struct lane *lane, uint32_t *scratch);

/* ---- round_robin.c ---- */

/* Item i goes to slot i modulo the slots (of those it may have), load ignored. */
void xlp_round_robin(struct item *items, size_t item_count, size_t slot_count);

#endif
