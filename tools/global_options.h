/* SPDX-License-Identifier: LGPL-2.1-only */
/* The options that any command may be given, before its name or after it. */
#ifndef GLOBAL_OPTIONS_H
#define GLOBAL_OPTIONS_H

#include <getopt.h>

#include "commands.h"

/* Ends with a name of NULL. */
extern const struct command_option global_options[];
#define GLOBAL_OPTIONS_MAX 16

/* Options as getopt_long takes them. */
struct getopt_options {
    struct option longs[GLOBAL_OPTIONS_MAX + COMMAND_OPTIONS_MAX + 1];
    size_t count;
    char shorts[2 * (GLOBAL_OPTIONS_MAX + COMMAND_OPTIONS_MAX) + 4];
};

/* None yet; prefix, of at most three characters, is what getopt wants before the letters. */
void getopt_options_init(struct getopt_options *g, const char *prefix);

/* Adds these; NULL is none. */
void getopt_options_add(struct getopt_options *g, const struct command_option *options);

/* Whether it also has a form of one letter. */
bool command_option_is_short(const struct command_option *option);

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
