/* SPDX-License-Identifier: LGPL-2.1-only */
/* Into the background: the parent stays until the daemon is ready, so that whoever started it is
 * told of a failure by the exit status. */
#ifndef BACKGROUND_H
#define BACKGROUND_H

#include <stdbool.h>

/* Opens /dev/null in the place of standard descriptors that are closed, so that nothing else comes
 * to be read, written or closed as one of them. To be called before anything is opened. */
void background_fill_standard(void);

/* Forks. Returns in the child only, with a descriptor for background_ready, or -1 when it could not
 * fork. The parent exits: with 0 once the child is ready, else with the child's exit status. */
int background_start(void);

/* Says that we are ready and lets go of the terminal: standard input and output become /dev/null,
 * and standard error too unless keep_stderr. */
void background_ready(int fd, bool keep_stderr);

#endif
