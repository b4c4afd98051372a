/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Progress of what takes longer than a second: one line on stderr that is rewritten, and gone in
 * the end. Only where a person looks at it: nothing is printed unless stderr is a terminal.
 */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *what; /* "watching the host" */
    uint64_t total;   /* 0: nobody knows */
    uint64_t told_ns; /* when it was last told, or began */
    bool shown, quiet;
};

void progress_start(struct progress *p, const char *what, uint64_t total);

/* So much of total is done. Cheap: may be called as often as one likes. */
void progress_tell(struct progress *p, uint64_t done);

/* Takes the line away. To be called before anything else is printed. */
void progress_end(struct progress *p);

#endif
