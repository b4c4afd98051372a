/* SPDX-License-Identifier: LGPL-2.1-only */
/* What became of the actions a command asked for. */
#ifndef OUTCOME_H
#define OUTCOME_H

#include <stdio.h>

#include "cli.h"
#include "host/host.h"

/* Counted while they are told. */
struct outcome_tally {
    size_t actions, failed, refused;
};

void outcome_count(struct outcome_tally *tally, enum xlp_outcome_code code);

/* What the whole command comes to. */
enum cli_exit outcome_exit(const struct outcome_tally *tally);

/* One line: "done: ...", "would: ...", "not done (refused: ...): ...". */
void outcome_print(FILE *to, const struct xlp_action *action, const struct xlp_outcome *outcome);

/* {"time_s": 12.5, "action": {...}, "outcome": "done", "detail": ""}; time_s only if it is >= 0. */
void outcome_write(struct xlp_json_writer *w, double time_s, const struct xlp_action *action,
                   const struct xlp_outcome *outcome);

/* Prints an entry of the daemon's history: when, and what became of it. */
void outcome_print_entry(const struct xlp_json *entry, const char *indent);

/* The same for the "actions" of a daemon's reply, in its own words. */
void outcome_count_all(const struct xlp_json *actions, struct outcome_tally *tally);
void outcome_print_all(const struct xlp_json *actions);

#endif
