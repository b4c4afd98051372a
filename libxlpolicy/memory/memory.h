/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The memory half of the engine: what each guest needs, what it gets, and how fast it gets there.
 * docs/architecture.md tells the policy in words. Pure, as the engine is.
 */
#ifndef XLP_MEMORY_MEMORY_H
#define XLP_MEMORY_MEMORY_H

#include "engine.h"

struct xlp_memory; /* what is remembered of guests between snapshots */

/* NULL when memory is out. */
struct xlp_memory *xlp_memory_new(void);
void xlp_memory_free(struct xlp_memory *m);

/* Sets plan->verdicts[i].memory for every domain of s (the verdicts are started, in the domains'
 * order), appends the memory actions, those that free memory before those that use it, and fills
 * views[i] (which come zeroed). restart: the time since the last snapshot means nothing, so rates
 * are measured afresh. 0, or -1 when memory is out. */
int xlp_memory_decide(struct xlp_memory *m, const struct xlp_snapshot *s,
                      const struct xlp_policy *policy, bool restart, struct xlp_plan *plan,
                      struct xlp_domain_view *views);

#endif
