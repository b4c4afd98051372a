/* SPDX-License-Identifier: LGPL-2.1-only */
/* A request to the daemon, with its failures told as every command tells them. */
#ifndef DAEMON_REQUEST_H
#define DAEMON_REQUEST_H

#include "cli.h"

/*
 * Sends one request and gives its result, an object in *reply_out; the caller frees that with
 * xlp_json_free. Otherwise the error has been printed and the exit code is returned: what the
 * daemon said, or CLI_NOTHING_THERE when there is no daemon (not printed when quiet).
 */
enum cli_exit daemon_request(const struct cli *cli, const char *request_line, bool quiet,
                             struct xlp_json **reply_out, const struct xlp_json **result_out);

/* CLI_DONE; or, when another host than a daemon was asked for, the error has been printed. */
enum cli_exit daemon_only(const struct cli *cli, const char *command);

/* Prints its result as the command's JSON. */
enum cli_exit daemon_print_json(const struct xlp_json *result);

/* With -N: says, instead of sending it, what the daemon would be told; meaning is for people. */
enum cli_exit daemon_would_send(const struct cli *cli, const char *request_line,
                                const char *meaning);

/* Does a command that is one request: sends it and has its result printed, or with -N says what
 * would be sent. Returns the exit code; errors have been printed. */
typedef enum cli_exit daemon_printer(const struct cli *cli, const struct xlp_json *result);
enum cli_exit daemon_command(const struct cli *cli, const char *request_line, const char *meaning,
                             daemon_printer *print);

/* A member of what the daemon sent: NULL, or 0, where it is missing or of another kind. */
const char *daemon_string(const struct xlp_json *object, const char *key);
double daemon_number(const struct xlp_json *object, const char *key);

/* Its string, or array, of that name; or NULL, and an error has been printed. */
const char *daemon_needed_string(const struct cli *cli, const struct xlp_json *object,
                                 const char *key);
const struct xlp_json *daemon_array(const struct cli *cli, const struct xlp_json *object,
                                    const char *key);

/* Writes a value as it was read, whole numbers up to 2^53 exactly. */
void daemon_copy_json(struct xlp_json_writer *w, const struct xlp_json *value);

#endif
