/* SPDX-License-Identifier: LGPL-2.1-only */
/* act, advise, pause: what the daemon may do from now on. */
#include "commands.h"

#include <stdio.h>
#include <string.h>

#include "daemon_request.h"

static const char *meaning(const char *mode)
{
    if (strcmp(mode, "act") == 0)
        return "it carries out its plans";
    return strcmp(mode, "advise") == 0 ? "it plans and explains, and changes nothing"
                                       : "it only watches";
}

/* In the daemon's words, which may have been started as a dry run. */
static enum cli_exit print_reply(const struct cli *cli, const struct xlp_json *result)
{
    const char *mode = daemon_needed_string(cli, result, "mode");
    bool dry_run = daemon_number(result, "dry_run") != 0;
    struct xlp_json_writer *w;

    if (!mode)
        return CLI_FAILED;
    if (cli->json) {
        w = cli_json_start();
        if (!w)
            return cli_out_of_memory();
        xlp_json_put_string(w, "mode", mode);
        xlp_json_put_bool(w, "dry_run", dry_run);
        return cli_json_print(w);
    }
    if (dry_run && strcmp(mode, "act") == 0)
        printf("xlpolicyd is in mode act, but a dry run (-N): it says what it would do, and "
               "changes nothing\n");
    else
        printf("xlpolicyd is in mode %s: %s\n", mode, meaning(mode));
    if (daemon_number(result, "trial_ended") != 0)
        puts(
            "The trial is over, and what it changed stays: `xlpolicy release --all` puts it back.");
    return CLI_DONE;
}

enum cli_exit cmd_mode(const struct cli *cli, const struct command_line *line)
{
    const char *mode = line->command->name;
    char request[80], text[80];

    if (cli->host && strcmp(cli->host, "daemon") != 0) {
        cli_error("%s: only a daemon has a mode; leave out --host %s", mode, cli->host);
        return CLI_USAGE;
    }
    snprintf(request, sizeof(request), "{\"xlpolicy\":1,\"command\":\"mode\",\"mode\":\"%s\"}",
             mode);
    snprintf(text, sizeof(text), "%s (%s)", mode, meaning(mode));
    return daemon_command(cli, request, text, print_reply);
}
