/* SPDX-License-Identifier: LGPL-2.1-only */
#include "past.h"

#include <stdio.h>
#include <string.h>

#include "daemon_request.h"
#include "when.h"

enum cli_exit past_since(const struct command_line *line, double *since_s_out)
{
    const char *command = line->command->name;

    *since_s_out = 0;
    for (int i = 0; i < line->option_count; i++)
        if (when_parse(line->options[i].value, since_s_out) < 0)
            return cli_usage_error(command, "%s: --since %s is not like 90s, 5m, 2h or 1d", command,
                                   line->options[i].value);
    return CLI_DONE;
}

enum cli_exit past_ask(const struct cli *cli, double since_s, unsigned int last,
                       struct past *past_out)
{
    struct past past = {.reply = NULL};
    const struct xlp_json *result;
    enum cli_exit exit_code;
    char request[96];

    if (last)
        snprintf(request, sizeof(request), "{\"xlpolicy\":1,\"command\":\"history\",\"last\":%u}",
                 last);
    else
        snprintf(request, sizeof(request),
                 "{\"xlpolicy\":1,\"command\":\"history\",\"since_s\":%.0f}", since_s);
    exit_code = daemon_request(cli, request, false, &past.reply, &result);
    if (exit_code != CLI_DONE)
        return exit_code;
    past.entries = daemon_array(cli, result, "entries");
    past.forgotten = daemon_number(result, "forgotten");
    if (!past.entries) {
        past_dispose(&past);
        return CLI_FAILED;
    }
    *past_out = past;
    return CLI_DONE;
}

void past_dispose(struct past *past)
{
    xlp_json_free(past->reply);
    *past = (struct past){.reply = NULL};
}

bool past_is_about(const struct past *past, size_t i, const char *domain)
{
    const struct xlp_json *action = xlp_json_get(xlp_json_at(past->entries, i), "action");
    const char *name = action ? daemon_string(action, "name") : NULL;
    const struct xlp_json *reservation = action ? xlp_json_get(action, "reservation") : NULL;
    const struct xlp_json *of = action;
    char id[24];

    if (!domain)
        return true;
    if (reservation) { /* it has no domain, but may be for one */
        name = daemon_string(reservation, "name");
        of = xlp_json_get(reservation, "taken_by");
    }
    if (name && strcmp(domain, name) == 0)
        return true;
    if (!of || !xlp_json_get(of, "domid"))
        return false;
    snprintf(id, sizeof(id), "%.0f", daemon_number(of, "domid"));
    return strcmp(domain, id) == 0;
}

size_t past_count(const struct past *past, const char *domain)
{
    size_t count = 0;

    for (size_t i = 0; i < xlp_json_count(past->entries); i++)
        count += past_is_about(past, i, domain);
    return count;
}

void past_write(const struct past *past, const char *domain, const char *key,
                struct xlp_json_writer *w)
{
    xlp_json_write_key(w, key);
    xlp_json_open_array(w);
    for (size_t i = 0; i < xlp_json_count(past->entries); i++)
        if (past_is_about(past, i, domain))
            daemon_copy_json(w, xlp_json_at(past->entries, i));
    xlp_json_close_array(w);
}
