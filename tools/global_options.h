/* SPDX-License-Identifier: LGPL-2.1-only */
/* The options that any command may be given, before its name or after it. */
#ifndef GLOBAL_OPTIONS_H
#define GLOBAL_OPTIONS_H

#include <getopt.h>

#include "cli.h"

/* As getopt_long takes them; the array ends with a name of NULL. */
extern const struct option global_options[];
#define GLOBAL_OPTION_COUNT   9
#define GLOBAL_OPTION_LETTERS "vNhV"

/* Takes an option that getopt_long found, other than 'h'. -1 to go on, or the exit code to end
 * with: something was printed then. */
int global_option_take(struct cli *cli, int option, const char *value);

/* Tells what is wrong with the option at which getopt_long returned '?' or ':'. longs is what it
 * was given; command is NULL before there is one. Returns CLI_USAGE. */
enum cli_exit global_option_error(const char *command, int result, char *const *argv,
                                  const struct option *longs);

/* The name of a single enum cli_given, as one types it. */
const char *global_option_name(unsigned int given);

#endif
