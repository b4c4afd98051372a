/* SPDX-License-Identifier: LGPL-2.1-only */
/* history: what the daemon did or tried, oldest first. */
#include "commands.h"

#include <stdio.h>
#include <string.h>

#include "daemon_request.h"
#include "when.h"

/* Whether the entry is about that domain, by id or name; NULL is any. */
static bool is_about(const struct xlp_json *entry, const char *domain)
{
    const struct xlp_json *action = xlp_json_get(entry, "action");
    const char *name = action ? daemon_string(action, "name") : NULL;
    char id[24];

    if (!domain)
        return true;
    if (!name)
        return false;
    snprintf(id, sizeof(id), "%.0f", daemon_number(action, "domid"));
    return strcmp(domain, name) == 0 || strcmp(domain, id) == 0;
}

static void print_entry(const struct xlp_json *entry)
{
    const char *text = daemon_string(entry, "text");
    char time[WHEN_TEXT_SIZE];

    printf("%s %s\n", when_format(daemon_number(entry, "time_s"), time), text ? text : "?");
}

static void print_text(const struct xlp_json *entries, const char *domain)
{
    size_t printed = 0;

    for (size_t i = 0; i < xlp_json_count(entries); i++) {
        const struct xlp_json *entry = xlp_json_at(entries, i);

        if (is_about(entry, domain)) {
            print_entry(entry);
            printed++;
        }
    }
    if (!printed)
        printf("Nothing was done%s%s; `xlpolicy why` says why.\n", domain ? " with " : "",
               domain ? domain : "");
}

static enum cli_exit print_json(const struct xlp_json *entries, const char *domain)
{
    struct xlp_json_writer *w = cli_json_start();

    if (!w)
        return cli_out_of_memory();
    xlp_json_write_key(w, "entries");
    xlp_json_open_array(w);
    for (size_t i = 0; i < xlp_json_count(entries); i++)
        if (is_about(xlp_json_at(entries, i), domain))
            daemon_copy_json(w, xlp_json_at(entries, i));
    xlp_json_close_array(w);
    return cli_json_print(w);
}

enum cli_exit cmd_history(const struct cli *cli, const struct command_line *line)
{
    const char *domain = line->operand_count ? line->operands[0] : NULL;
    const struct xlp_json *result, *entries;
    struct xlp_json *reply;
    enum cli_exit exit_code;
    char request[96];
    double since_s = 0; /* 0: all there is */

    for (int i = 0; i < line->option_count; i++)
        if (when_parse(line->options[i].value, &since_s) < 0)
            return cli_usage_error("history", "history: --since %s is not like 90s, 5m, 2h or 1d",
                                   line->options[i].value);
    if (cli->host && strcmp(cli->host, "daemon") != 0) {
        cli_error("history: only a daemon has one; leave out --host %s", cli->host);
        return CLI_USAGE;
    }
    snprintf(request, sizeof(request), "{\"xlpolicy\":1,\"command\":\"history\",\"since_s\":%.0f}",
             since_s);
    exit_code = daemon_request(cli, request, false, &reply, &result);
    if (exit_code != CLI_DONE)
        return exit_code;
    entries = daemon_array(cli, result, "entries");
    if (!entries)
        exit_code = CLI_FAILED;
    else if (cli->json)
        exit_code = print_json(entries, domain);
    else
        print_text(entries, domain);
    xlp_json_free(reply);
    return exit_code;
}
