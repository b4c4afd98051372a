/* SPDX-License-Identifier: LGPL-2.1-only */
/* A request to the daemon, and reading what it sent. */
#include "daemon_request.h"

#include <math.h>
#include <string.h>

#include "control_client.h"

/* Its own words, and the exit code it asks for. */
static enum cli_exit refusal(const struct xlp_json *reply)
{
    double code = daemon_number(reply, "exit_code");
    const char *error = daemon_string(reply, "error");

    cli_error("%s", error ? error : "the daemon refused, and does not say why");
    return code >= CLI_FAILED && code <= CLI_REFUSED ? (enum cli_exit)code : CLI_FAILED;
}

enum cli_exit daemon_request(const struct cli *cli, const char *request_line, bool quiet,
                             struct xlp_json **reply_out, const struct xlp_json **result_out)
{
    char error[256];
    struct xlp_json *reply;
    enum cli_exit exit_code;

    switch (control_request(cli->socket, request_line, CONTROL_REPLY_MAX, &reply, error,
                            sizeof(error))) {
    case CONTROL_REPLIED: break;
    case CONTROL_NO_DAEMON:
        if (!quiet)
            cli_error("%s", error);
        return CLI_NOTHING_THERE;
    case CONTROL_DENIED: cli_error("%s", error); return CLI_REFUSED;
    default: cli_error("%s", error); return CLI_FAILED;
    }
    if (daemon_number(reply, "ok") == 0) {
        exit_code = refusal(reply);
        xlp_json_free(reply);
        return exit_code;
    }
    *reply_out = reply;
    *result_out = xlp_json_get(reply, "result");
    return CLI_DONE;
}

enum cli_exit daemon_only(const struct cli *cli, const char *command)
{
    if (!cli->host || strcmp(cli->host, "daemon") == 0)
        return CLI_DONE;
    cli_error("%s: only a daemon can do that; leave out --host %s", command, cli->host);
    return CLI_USAGE;
}

enum cli_exit daemon_print_json(const struct xlp_json *result)
{
    struct xlp_json_writer *w = cli_json_start();

    if (!w)
        return cli_out_of_memory();
    for (size_t i = 0; i < xlp_json_count(result); i++) {
        xlp_json_write_key(w, xlp_json_key(result, i));
        daemon_copy_json(w, xlp_json_at(result, i));
    }
    return cli_json_print(w);
}

enum cli_exit daemon_would_send(const struct cli *cli, const char *request_line,
                                const char *meaning)
{
    struct xlp_json_writer *w;
    struct xlp_json *request;
    char error[256];

    if (!cli->json) {
        printf("Would tell xlpolicyd on %s: %s\n", cli->socket, meaning);
        return CLI_DONE;
    }
    w = cli_json_start();
    request = xlp_json_parse(request_line, strlen(request_line), 16, error, sizeof(error));
    if (!w || !request) {
        xlp_json_writer_free(w);
        xlp_json_free(request);
        return cli_out_of_memory();
    }
    xlp_json_write_key(w, "would_send");
    daemon_copy_json(w, request);
    xlp_json_free(request);
    return cli_json_print(w);
}

enum cli_exit daemon_command(const struct cli *cli, const char *request_line, const char *meaning,
                             daemon_printer *print)
{
    const struct xlp_json *result;
    struct xlp_json *reply;
    enum cli_exit exit_code;

    if (cli->dry_run)
        return daemon_would_send(cli, request_line, meaning);
    exit_code = daemon_request(cli, request_line, false, &reply, &result);
    if (exit_code != CLI_DONE)
        return exit_code;
    exit_code = print(cli, result);
    xlp_json_free(reply);
    return exit_code;
}

const char *daemon_string(const struct xlp_json *object, const char *key)
{
    const struct xlp_json *value = xlp_json_get(object, key);

    return value ? xlp_json_string(value) : NULL;
}

double daemon_number(const struct xlp_json *object, const char *key)
{
    const struct xlp_json *value = xlp_json_get(object, key);

    return value ? xlp_json_double(value) : 0;
}

static void say_what_is_lacking(const struct cli *cli, const char *key)
{
    cli_error("cannot understand the daemon on %s: its reply lacks \"%s\"; is it of another "
              "version?",
              cli->socket, key);
}

const char *daemon_needed_string(const struct cli *cli, const struct xlp_json *object,
                                 const char *key)
{
    const char *text = daemon_string(object, key);

    if (!text)
        say_what_is_lacking(cli, key);
    return text;
}

const struct xlp_json *daemon_array(const struct cli *cli, const struct xlp_json *object,
                                    const char *key)
{
    const struct xlp_json *value = xlp_json_get(object, key);

    if (value && xlp_json_kind(value) == XLP_JSON_ARRAY)
        return value;
    say_what_is_lacking(cli, key);
    return NULL;
}

static void copy_number(struct xlp_json_writer *w, double number)
{
    const double exact_max = 9007199254740992; /* 2^53 */

    if (number == trunc(number) && fabs(number) < exact_max)
        xlp_json_write_int(w, (int64_t)number);
    else
        xlp_json_write_double(w, number);
}

/* Recurses no deeper than the parser lets a text be nested. */
void daemon_copy_json(struct xlp_json_writer *w, const struct xlp_json *value)
{
    switch (xlp_json_kind(value)) {
    case XLP_JSON_NULL: xlp_json_write_null(w); break;
    case XLP_JSON_BOOL: xlp_json_write_bool(w, xlp_json_double(value) != 0); break;
    case XLP_JSON_NUMBER: copy_number(w, xlp_json_double(value)); break;
    case XLP_JSON_STRING: xlp_json_write_string(w, xlp_json_string(value)); break;
    case XLP_JSON_ARRAY:
        xlp_json_open_array(w);
        for (size_t i = 0; i < xlp_json_count(value); i++)
            daemon_copy_json(w, xlp_json_at(value, i));
        xlp_json_close_array(w);
        break;
    case XLP_JSON_OBJECT:
        xlp_json_open_object(w);
        for (size_t i = 0; i < xlp_json_count(value); i++) {
            xlp_json_write_key(w, xlp_json_key(value, i));
            daemon_copy_json(w, xlp_json_at(value, i));
        }
        xlp_json_close_object(w);
        break;
    }
}
