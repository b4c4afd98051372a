/* SPDX-License-Identifier: LGPL-2.1-only */
/* Sentences for people that need more than one action or verdict to be whole. */
#ifndef EXPLAIN_H
#define EXPLAIN_H

#include "source.h"

#define EXPLAIN_SIZE 1280

/* xlp_action_format, and what else the action changes on this host: a pin that is lifted. Returns
 * text. */
char *explain_action(const struct source *source, const struct xlp_action *action,
                     char text[EXPLAIN_SIZE]);

/* xlp_reason_format of a verdict on the domain of that name; where it is excluded, by what. Returns
 * text. */
char *explain_verdict(const struct source *source, const char *name,
                      const struct xlp_reason *verdict, char text[EXPLAIN_SIZE]);

/* Whose memory cannot be had: "; db1 skipped (PCI passthrough), old (no memory report) and 2 more",
 * or "" where a guest named by domid does not depend on others', or none is skipped. Returns text.
 */
char *explain_skipped(const struct xlp_plan *plan, const struct xlp_reason *reason, uint32_t domid,
                      char text[EXPLAIN_SIZE]);

/* Prints what becomes of the plan, now that it, or part of it, has been shown. */
void explain_fate(const struct source *source);

/* What is to be added to a verdict that tells of the host as it would be, with the plan carried
 * out, where nobody carries it out; or "". */
const char *explain_when(const struct source *source, const struct xlp_reason *verdict);

#endif
