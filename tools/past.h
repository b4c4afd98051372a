/* SPDX-License-Identifier: LGPL-2.1-only */
/* The daemon's history, as far as a command asks for it. */
#ifndef PAST_H
#define PAST_H

#include <stdbool.h>

#include "commands.h"

struct past {
    struct xlp_json *reply;
    const struct xlp_json *entries; /* an array, in reply */
    double forgotten;               /* how many there were before them */
};

/* Reads --since, the only option of line, as seconds; 0 where it is not given: all there is.
 * CLI_DONE, or the error has been printed. */
enum cli_exit past_since(const struct command_line *line, double *since_s_out);

/* Asks for the entries of that long (0: all), or for the last few (0: all). CLI_DONE, and *past_out
 * is to be disposed of; or the error has been printed. */
enum cli_exit past_ask(const struct cli *cli, double since_s, unsigned int last,
                       struct past *past_out);
void past_dispose(struct past *past);

/* Whether the i-th entry is about that domain, by id or name, or a reservation for that name; NULL
 * is any. */
bool past_is_about(const struct past *past, size_t i, const char *domain);

/* How many are. */
size_t past_count(const struct past *past, const char *domain);

/* Writes them as an array of that key. */
void past_write(const struct past *past, const char *domain, const char *key,
                struct xlp_json_writer *w);

#endif
