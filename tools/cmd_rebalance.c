/* SPDX-License-Identifier: LGPL-2.1-only */
/* rebalance: one tick of the daemon now, carried out whatever its mode. */
#include "commands.h"

#include <stdio.h>
#include <time.h>

#include "daemon_request.h"
#include "outcome.h"
#include "progress.h"

/* The daemon asks to be left alone for half a tick at most, and a tick is a minute at most. */
#define TRIES_MAX 100

static void sleep_ms(double ms)
{
    struct timespec left = {.tv_sec = (time_t)(ms / 1000),
                            .tv_nsec = (long)(ms - (double)(time_t)(ms / 1000) * 1000) * 1000000};

    nanosleep(&left, NULL);
}

/* Asks until it is not too early any more. */
static enum cli_exit ask(const struct cli *cli, const char *request, struct xlp_json **reply_out,
                         const struct xlp_json **result_out)
{
    struct progress progress;
    enum cli_exit exit_code = CLI_FAILED;
    double wait_ms = 1;

    progress_start(&progress, "waiting until use can be measured", 0);
    for (int i = 0; i < TRIES_MAX && wait_ms > 0; i++) {
        exit_code = daemon_request(cli, request, false, reply_out, result_out);
        if (exit_code != CLI_DONE)
            break;
        wait_ms = daemon_number(*result_out, "wait_ms");
        if (wait_ms > 0) {
            xlp_json_free(*reply_out);
            *reply_out = NULL;
            progress_tell(&progress, 0);
            sleep_ms(wait_ms);
        }
    }
    progress_end(&progress);
    if (exit_code == CLI_DONE && !*reply_out) {
        cli_error("rebalance: the daemon is always just looking at the host; try again");
        return CLI_FAILED;
    }
    return exit_code;
}

static enum cli_exit tell(const struct cli *cli, const struct xlp_json *result)
{
    const struct xlp_json *actions = daemon_array(cli, result, "actions");
    struct outcome_tally tally = {0};

    if (!actions)
        return CLI_FAILED;
    outcome_count_all(actions, &tally);
    if (cli->json && daemon_print_json(result) != CLI_DONE)
        return CLI_FAILED;
    if (!cli->json && tally.actions == 0)
        printf("Nothing to do: `xlpolicy why` says why, guest by guest.\n");
    if (!cli->json)
        outcome_print_all(actions);
    return outcome_exit(&tally);
}

enum cli_exit cmd_rebalance(const struct cli *cli, const struct command_line *line)
{
    const char *request = cli->dry_run
                              ? "{\"xlpolicy\":1,\"command\":\"rebalance\",\"dry_run\":true}"
                              : "{\"xlpolicy\":1,\"command\":\"rebalance\"}";
    const struct xlp_json *result;
    struct xlp_json *reply = NULL;
    enum cli_exit exit_code = daemon_only(cli, line->command->name);

    if (exit_code != CLI_DONE)
        return exit_code;
    exit_code = ask(cli, request, &reply, &result);
    if (exit_code == CLI_DONE)
        exit_code = tell(cli, result);
    xlp_json_free(reply);
    return exit_code;
}
