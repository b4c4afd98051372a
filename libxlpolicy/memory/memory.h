/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The memory half of the engine: what each guest needs, what it gets, and how fast it gets there.
 * docs/architecture.md tells the policy in words. Pure, as the engine is.
 */
#ifndef XLP_MEMORY_MEMORY_H
#define XLP_MEMORY_MEMORY_H

#include "engine.h"
#include "roster.h"

struct xlp_memory; /* what is remembered of guests between snapshots */

/* NULL when memory is out. */
struct xlp_memory *xlp_memory_new(void);
void xlp_memory_free(struct xlp_memory *m);

/* Appends the memory actions, those that free memory before those that use it, and sets what is
 * to be said of reservations and of the host's memory. roster: called for s. restart: the time
 * since the last snapshot means nothing, so rates are measured afresh. 0, or -1 when memory is out.
 */
int xlp_memory_decide(struct xlp_memory *m, const struct xlp_snapshot *s,
                      const struct xlp_policy *policy, const struct xlp_roster *roster,
                      bool restart, struct xlp_plan *plan);

/* Says why, of the decision on this snapshot: sets plan->verdicts[i].memory for every domain of s
 * (there is room for them, in the domains' order) and views[i]. */
void xlp_memory_explain(const struct xlp_memory *m, const struct xlp_snapshot *s,
                        const struct xlp_roster *roster, struct xlp_plan *plan,
                        struct xlp_domain_view *views);

#endif
