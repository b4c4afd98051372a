/* SPDX-License-Identifier: LGPL-2.1-only */
/* A host that is looked at again and again: through the daemon, or read here tick by tick. */
#ifndef WATCH_H
#define WATCH_H

#include <poll.h>

#include "source.h"

struct watch;

/* Opens what source_read would choose. flags: XLP_HOST_REALTIME, so that a simulated host keeps to
 * the wall clock, or 0. NULL with *exit_code_out, and the error has been printed. */
struct watch *watch_open(const struct cli *cli, unsigned int flags, enum cli_exit *exit_code_out);
void watch_close(struct watch *w);

/* The host as it is now. source is an initialised one; what it held is disposed of, unless there is
 * nothing newer. CLI_DONE, or the error has been printed. */
enum cli_exit watch_read(struct watch *w, struct source *source);

/* Whether it has been looked at long enough for use to be known. */
bool watch_has_measured(const struct watch *w);

/* Lets time pass, and takes the ticks that fall into it. fds as of host_ops.wait. */
enum watch_end { WATCH_TIME, WATCH_FDS, WATCH_ENDED, WATCH_FAILED };
enum watch_end watch_wait(struct watch *w, uint64_t wait_ns, struct pollfd *fds, nfds_t fd_count);

#endif
