/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The CPU half of the engine. One tick reads as: measure what every vCPU wants (demand.h), find out
 * what we may move and where to (ownership.h), work out what each is entitled to in its pool
 * (entitlement.c), and place (balance.c or round_robin.c). cpu.c and place.c are the pages that say
 * so.
 *
 * Loads, demands and entitlements are in pCPUs: 1.0 is one pCPU, busy all the time.
 */
#ifndef XLP_CPU_H
#define XLP_CPU_H

#include "engine.h"
#include "plan.h"
#include "policy.h"
#include "roster.h"
#include "snapshot.h"

struct xlp_cpu; /* what is remembered of vCPUs and pools between snapshots */

struct xlp_cpu *xlp_cpu_new(void); /* NULL when memory is out */
void xlp_cpu_free(struct xlp_cpu *c);

/* Appends the placements and weights, and fills views (one a vCPU of s). roster: called for s.
 * elapsed_ns: since the snapshot before; 0: measurements start afresh. The plan has room for the
 * verdicts. 0, or -1 out of memory. */
int xlp_cpu_decide(struct xlp_cpu *c, const struct xlp_snapshot *s, const struct xlp_policy *policy,
                   const struct xlp_roster *roster, uint64_t elapsed_ns, struct xlp_plan *plan,
                   struct xlp_vcpu_view *views);

/* Sets plan->verdicts[].cpu and .weight of every domain, by the last decision, which this is the
 * snapshot, the plan and the views of. */
void xlp_cpu_explain(const struct xlp_cpu *c, const struct xlp_snapshot *s,
                     const struct xlp_vcpu_view *views, struct xlp_plan *plan);

#endif
