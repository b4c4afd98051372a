/* SPDX-License-Identifier: LGPL-2.1-only */
/* A host that is read here, without a daemon and without changing anything, look after look. */
#ifndef SOURCE_HOST_H
#define SOURCE_HOST_H

#include <poll.h>

#include "source.h"

struct host_reader;

/* Opens "xen", "sim:FILE" or "replay:FILE", with the settings of the command line. flags: those of
 * xlp_host_open; read-only it is in any case. NULL with *exit_code_out, and the error has been
 * printed. */
struct host_reader *host_reader_open(const struct cli *cli, const char *spec, unsigned int flags,
                                     enum cli_exit *exit_code_out);
void host_reader_close(struct host_reader *r);

/* Observes and decides. 0, or -1 with host_reader_error. */
int host_reader_look(struct host_reader *r);

/* As of host_ops. */
int host_reader_wait(struct host_reader *r, uint64_t until_ns, struct pollfd *fds, nfds_t fd_count);
uint64_t host_reader_now_ns(const struct host_reader *r);

uint64_t host_reader_tick_ns(const struct host_reader *r);
const char *host_reader_error(const struct host_reader *r);

/* What the last look showed. source is empty. CLI_DONE, or the error has been printed. The snapshot
 * and the plan move over: one call a look. */
enum cli_exit host_reader_copy(struct host_reader *r, struct source *source);

#endif
