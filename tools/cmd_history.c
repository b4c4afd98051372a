/* SPDX-License-Identifier: LGPL-2.1-only */
/* history: what the daemon did or tried, oldest first. */
#include "commands.h"

#include <stdio.h>

#include "daemon_request.h"
#include "outcome.h"
#include "past.h"
#include "source.h"

static void print_text(const struct past *past, const char *domain, bool all)
{
    if (all && past->forgotten > 0)
        printf("%.0f actions before these are forgotten.\n", past->forgotten);
    for (size_t i = 0; i < xlp_json_count(past->entries); i++)
        if (past_is_about(past, i, domain))
            outcome_print_entry(xlp_json_at(past->entries, i), "");
    if (past_count(past, domain) == 0)
        printf("Nothing was done%s%s; `xlpolicy why` says why.\n", domain ? " with " : "",
               domain ? domain : "");
}

static enum cli_exit print_json(const struct past *past, const char *domain)
{
    struct xlp_json_writer *w = cli_json_start();

    if (!w)
        return cli_out_of_memory();
    past_write(past, domain, "entries", w);
    xlp_json_put_u64(w, "forgotten", (uint64_t)past->forgotten);
    return cli_json_print(w);
}

/* A domain that nothing is told about may be a mistyped one. */
static enum cli_exit check_domain(const struct cli *cli, const struct past *past,
                                  const char *domain)
{
    struct source source;
    enum cli_exit exit_code;

    if (!domain || past_count(past, domain) > 0)
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
    double since_s;
    enum cli_exit exit_code = past_since(line, &since_s);
    struct past past;

    if (exit_code == CLI_DONE)
        exit_code = daemon_only(cli, "history");
    if (exit_code == CLI_DONE)
        exit_code = past_ask(cli, since_s, 0, &past);
    if (exit_code != CLI_DONE)
        return exit_code;
    exit_code = check_domain(cli, &past, domain);
    if (exit_code == CLI_DONE && cli->json)
        exit_code = print_json(&past, domain);
    else if (exit_code == CLI_DONE)
        print_text(&past, domain, since_s == 0);
    past_dispose(&past);
    return exit_code;
}
