/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the daemon does once a tick: observe, decide, act, tell. */
#ifndef CYCLE_H
#define CYCLE_H

#include "state.h"

/* One tick. 0, or -1 when the host could not be observed (d->last_error says why). */
int cycle_run(struct daemon *d);

/* The first half: observes and decides, but neither acts nor tells. */
int cycle_look(struct daemon *d);

/* One tick in which nothing waits for unevenness to last, and which is carried out in every mode.
 * A dry run decides in the same way, and its outcomes say what would be done. As cycle_run. */
int cycle_rebalance(struct daemon *d, bool dry_run);

/* Puts everything back as it was, whatever the mode. How many actions were not done, though their
 * domains are there; or -1 with a sentence in d->last_error. */
int cycle_release_all(struct daemon *d);

/* Ends a release of all that is not finished, because acting begins again. 0, or -1 with a sentence
 * in d->last_error. */
int cycle_resume(struct daemon *d);

/* Carries out the actions of a plan, whatever the mode, and records and tells each. Failures are
 * among the outcomes. 0, or -1 when memory is out, and then nothing was done. */
int cycle_apply(struct daemon *d, const struct xlp_plan *plan, struct outcomes *outcomes_out);

#endif
