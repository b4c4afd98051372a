/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The engine: a sequence of snapshots in, a plan for each out. Pure and deterministic: the same
 * snapshots and policies give the same plans, byte for byte. Between snapshots it remembers only
 * what it saw (run times, demand, when a placement changed, how balloons moved), never what it
 * asked for; whether a plan was carried out shows in the next snapshot.
 *
 * A tick needs the actions; why nothing is done to somebody is asked for now and then. So that is
 * said only when asked: xlp_engine_explain.
 */
#ifndef XLP_ENGINE_H
#define XLP_ENGINE_H

#include "plan.h"
#include "policy.h"
#include "snapshot.h"

struct xlp_engine;

/* NULL when memory is out. */
struct xlp_engine *xlp_engine_new(void);
void xlp_engine_free(struct xlp_engine *engine);

/* Fills in plan_out's actions (reset first, buffers kept). A snapshot not later than the one
 * before, or of a gap longer than ten ticks, starts measurements afresh; one less than a tenth of a
 * tick later, or than 100 ms where that is less, measures no use of CPU, and moves no vCPU. 0, or
 * -1 when memory is out. */
int xlp_engine_decide(struct xlp_engine *engine, const struct xlp_snapshot *s,
                      const struct xlp_policy *policy, struct xlp_plan *plan_out);

/* The least time from one snapshot to the next over which use is measured. */
uint64_t xlp_engine_least_gap_ns(const struct xlp_policy *policy);

/* Adds the verdicts to the last decision's plan, whose actions may be gone by now. s: the snapshot
 * that was decided on. Decides nothing and forgets nothing; does nothing after a decision that
 * failed. */
void xlp_engine_explain(struct xlp_engine *engine, const struct xlp_snapshot *s,
                        struct xlp_plan *plan);

/* What the engine made of the last snapshot, for the live view and the metrics. Indexed like the
 * snapshot's pcpus, vcpus and domains; valid until the next decision. Those of domains are complete
 * once it was explained. */
struct xlp_pcpu_view {
    double used; /* busy part of the time since the snapshot before, 0 ... 1 */
    bool known;  /* false until measured over two snapshots, online in both */
};

struct xlp_vcpu_view {
    double used, demand, entitlement; /* in pCPUs, 0 ... 1 */
    bool known;                       /* false until measured over two snapshots */
    uint32_t home;                    /* the pCPU its load is counted on, or XLP_UNKNOWN */
};

struct xlp_domain_view {
    int64_t used_kib, need_kib, comfort_kib, floor_kib;
    bool known; /* false while there is no usable report */
};

/* All vCPUs of a domain together, in pCPUs. Of those not known the sums have nothing. */
struct xlp_domain_cpu {
    double used, demand, entitlement;
    bool known; /* all that are online are; false, too, of a domain without vCPUs */
};

/* vcpus: the views of all vCPUs of the snapshot that the domain is from. */
struct xlp_domain_cpu xlp_domain_cpu_sum(const struct xlp_snapshot *s, const struct xlp_domain *d,
                                         const struct xlp_vcpu_view *vcpus);

/* Whether it gets so much less than it wants that somebody should be told: a tenth of a pCPU. */
bool xlp_domain_cpu_is_short(const struct xlp_domain_cpu *cpu);

const struct xlp_pcpu_view *xlp_engine_pcpu_views(const struct xlp_engine *engine,
                                                  size_t *count_out);
const struct xlp_vcpu_view *xlp_engine_vcpu_views(const struct xlp_engine *engine,
                                                  size_t *count_out);
const struct xlp_domain_view *xlp_engine_domain_views(const struct xlp_engine *engine,
                                                      size_t *count_out);

#endif
