/* SPDX-License-Identifier: LGPL-2.1-only */
/* What an operator should look at: guests that go short, and what keeps the manager from helping.
 */
#ifndef XLP_PROBLEMS_H
#define XLP_PROBLEMS_H

#include "engine.h"

/* Calls tell with one sentence for each problem: who, and what. The plan's verdicts and the views
 * are those that the engine made of this snapshot. Returns how many there are; tell may be NULL. */
size_t xlp_problems_find(const struct xlp_snapshot *s, const struct xlp_plan *plan,
                         const struct xlp_vcpu_view *vcpus,
                         void (*tell)(void *context, const char *sentence), void *context);

#endif
