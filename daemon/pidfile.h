/* SPDX-License-Identifier: LGPL-2.1-only */
/* The pidfile, and the lock on it that keeps a second daemon away. The kernel drops the lock when
 * the process ends in whatever way, so a file left behind does no harm. */
#ifndef PIDFILE_H
#define PIDFILE_H

#include <stddef.h>

/* Creates path (and its directory), locks it and writes our pid. Returns the descriptor that holds
 * the lock; or -1 with one line in error, which names the pid of the daemon that has it. */
int pidfile_take(const char *path, char *error, size_t error_size);

/* Removes the file and lets go of the lock. Does nothing for fd -1. */
void pidfile_release(const char *path, int fd);

/* Creates the directory that path lies in, if it is missing. 0, or -1 with error. */
int pidfile_make_directory(const char *path, char *error, size_t error_size);

#endif
