/* SPDX-License-Identifier: LGPL-2.1-only */
/* history: what the daemon did or tried, oldest first. */
#include "commands.h"

#include <stdio.h>
#include <string.h>

#include "daemon_request.h"
#include "outcome.h"
#include "source.h"
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

static size_t count_about(const struct xlp_json *entries, const char *domain)
{
    size_t count = 0;

    for (size_t i = 0; i < xlp_json_count(entries); i++)
        count += is_about(xlp_json_at(entries, i), domain);
    return count;
}

static void print_text(const struct xlp_json *entries, const char *domain, double forgotten)
{
    if (forgotten > 0)
        printf("%.0f actions before these are forgotten.\n", forgotten);
    for (size_t i = 0; i < xlp_json_count(entries); i++)
        if (is_about(xlp_json_at(entries, i), domain))
            outcome_print_entry(xlp_json_at(entries, i), "");
    if (count_about(entries, domain) == 0)
        printf("Nothing was done%s%s; `xlpolicy why` says why.\n", domain ? " with " : "",
               domain ? domain : "");
}

static enum cli_exit print_json(const struct xlp_json *entries, const char *domain,
                                double forgotten)
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
    xlp_json_put_u64(w, "forgotten", (uint64_t)forgotten);
    return cli_json_print(w);
}

/* A domain that nothing is told about may be a mistyped one. */
static enum cli_exit check_domain(const struct cli *cli, const struct xlp_json *entries,
                                  const char *domain)
{
    struct source source;
    enum cli_exit exit_code;

    if (!domain || count_about(entries, domain) > 0)
        return CLI_DONE;
    exit_code = source_read(cli, &source);
    if (exit_code != CLI_DONE)
        return exit_code;
    if (!xlp_snapshot_find_domain(&source.snapshot, domain)) {
        cli_error("no domain \"%s\" here, nor in the history; `xlpolicy list` shows those here",
                  domain);
        exit_code = CLI_FAILED;
    }
    source_dispose(&source);
    return exit_code;
}

enum cli_exit cmd_history(const struct cli *cli, const struct command_line *line)
{
    const char *domain = line->operand_count ? line->operands[0] : NULL;
    const struct xlp_json *result, *entries;
    struct xlp_json *reply;
    enum cli_exit exit_code;
    char request[96];
    double since_s = 0, forgotten; /* since 0: all there is */

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
    forgotten = daemon_number(result, "forgotten");
    exit_code = entries ? check_domain(cli, entries, domain) : CLI_FAILED;
    if (exit_code == CLI_DONE && cli->json)
        exit_code = print_json(entries, domain, forgotten);
    else if (exit_code == CLI_DONE)
        print_text(entries, domain, since_s > 0 ? 0 : forgotten);
    xlp_json_free(reply);
    return exit_code;
}
