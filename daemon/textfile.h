/* SPDX-License-Identifier: LGPL-2.1-only */
/* The metrics as a file for node_exporter's textfile collector: no HTTP server in a root daemon. */
#ifndef TEXTFILE_H
#define TEXTFILE_H

#include "state.h"

/* Writes the file, if one is configured and TEXTFILE_INTERVAL_NS have passed since it was written
 * last. It is replaced as a whole: nobody reads half of one. A failure is logged when it is new. */
#define TEXTFILE_INTERVAL_NS (10 * UINT64_C(1000000000))
void textfile_tick(struct daemon *d);

/* Another configuration holds: a file that is no longer wanted goes, and the next tick writes. */
void textfile_reload(struct daemon *d);

/* Removes it: what it says is true no more once the daemon has ended. */
void textfile_remove(struct daemon *d);

#endif
