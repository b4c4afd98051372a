/* SPDX-License-Identifier: LGPL-2.1-only */
/* apply: a trial. The daemon acts for a while and then undoes what it did; it keeps the time
 * itself, so that it does not matter what becomes of us. */
#include "commands.h"

#include <stdio.h>

#include "daemon_request.h"
#include "when.h"

static enum cli_exit print_reply(const struct cli *cli, const struct xlp_json *result)
{
    char until[WHEN_TEXT_SIZE];

    if (cli->json)
        return daemon_print_json(result);
    printf("xlpolicyd carries out its plans until %s%s. Then it puts everything back and only "
           "advises.\n"
           "`xlpolicy act` keeps what it does; `xlpolicy release --all` ends the trial now.\n",
           when_format(daemon_number(result, "ends_time_s"), until),
           daemon_number(result, "dry_run") != 0 ? " (it is a dry run: nothing is changed)" : "");
    return CLI_DONE;
}

enum cli_exit cmd_apply(const struct cli *cli, const struct command_line *line)
{
    char request[96], span[WHEN_TEXT_SIZE], meaning[128];
    enum cli_exit exit_code = daemon_only(cli, "apply");
    double for_s = 0;

    if (exit_code != CLI_DONE)
        return exit_code;
    if (line->option_count == 0)
        return cli_usage_error("apply",
                               "apply: needs --for TIME; without end it is `xlpolicy act`");
    for (int i = 0; i < line->option_count; i++)
        if (when_parse(line->options[i].value, &for_s) < 0)
            return cli_usage_error("apply", "apply: --for %s is not like 90s, 5m, 2h or 1d",
                                   line->options[i].value);
    snprintf(request, sizeof(request), "{\"xlpolicy\":1,\"command\":\"trial\",\"for_s\":%.0f}",
             for_s);
    snprintf(meaning, sizeof(meaning), "act for %s, then put everything back",
             when_format_span(for_s, span));
    return daemon_command(cli, request, meaning, print_reply);
}
