/* SPDX-License-Identifier: LGPL-2.1-only */
/* The log: lines to syslog, to stderr, or (for a single run) to stdout. */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <syslog.h>

enum log_target {
    LOG_TO_STDERR, /* with the journal's priority prefixes when stderr is the journal */
    LOG_TO_SYSLOG,
    LOG_TO_STDOUT, /* bare; errors go to stderr all the same */
};

/* May be called again to change over. Before the first call the log goes to stderr. */
void log_open(enum log_target target, bool verbose);

/* One line, without a newline. LOG_DEBUG is dropped unless verbose. */
void log_line(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
