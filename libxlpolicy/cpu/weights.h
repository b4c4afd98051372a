/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Shares as scheduler weights, for cpu_weights = "shares". Weights of credit and credit2 count for
 * each vCPU, so a domain's tickets are divided by its active vCPUs:
 *
 *   weight = 256 * tickets / 1000 / active vCPUs * scale
 *
 * where tickets are its shares with what compensation and its clients add (shares/tickets.h), and
 * scale is a power of two common to the pool, chosen so that rounding the lightest weight still
 * leaves all of them within 1 % of their proportions. In a pool where some weights are not ours to
 * change scale is 1, so that these keep their meaning.
 *
 * A weight is ours if it is what we wrote last or what we found first. If it was set by hand before
 * us (it is not 256), it is ours only if the configuration gives the domain shares, or by adoption.
 * dom0 keeps its weight, but for the scale, unless it is given shares.
 */
#ifndef XLP_CPU_WEIGHTS_H
#define XLP_CPU_WEIGHTS_H

#include "engine.h"
#include "plan.h"
#include "policy.h"
#include "roster.h"
#include "snapshot.h"

struct xlp_weights; /* what is remembered of domains and pools between snapshots */

struct xlp_weights *xlp_weights_new(void); /* NULL when memory is out */
void xlp_weights_free(struct xlp_weights *w);

/* Sets plan->verdicts[].weight and appends what is to be written: for each domain at most once in
 * ten seconds, and nothing that would change its weight by 1 % or less. roster: called for s.
 * views: of s's vCPUs, with used and demand set. Does nothing where cpu_weights is off. 0, or -1
 * when memory is out. */
int xlp_weights_decide(struct xlp_weights *w, const struct xlp_snapshot *s,
                       const struct xlp_policy *policy, const struct xlp_roster *roster,
                       uint64_t elapsed_ns, const struct xlp_vcpu_view *views,
                       struct xlp_plan *plan);

/* What the vCPUs of s->domains[domain] are to weigh, by the last decision; what they do weigh where
 * that is not ours to change. Above 0. */
double xlp_weight_of(const struct xlp_weights *w, const struct xlp_snapshot *s, size_t domain);

#endif
