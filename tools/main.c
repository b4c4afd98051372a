/* SPDX-License-Identifier: LGPL-2.1-only */
/* xlpolicy: global options, then a command. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "../daemon/config.h"
#include "commands.h"
#include "global_options.h"

static int read_global_options(struct cli *cli, int argc, char **argv);
static enum cli_exit finish_output(enum cli_exit exit_code);

int main(int argc, char **argv)
{
    struct cli cli = {.socket = CONTROL_SOCKET_DEFAULT, .ticks = 1};
    int exit_code = read_global_options(&cli, argc, argv);

    signal(SIGPIPE, SIG_IGN); /* a daemon that goes away is an error to report, not our end */
    if (exit_code >= 0)
        return (int)finish_output((enum cli_exit)exit_code);
    if (optind == argc)
        return (int)cli_usage_error(NULL, "needs a command");
    return (int)finish_output(command_run(&cli, argc - optind, argv + optind));
}

/* A command whose answer was lost on the way (full disk, closed pipe) has not succeeded. */
static enum cli_exit finish_output(enum cli_exit exit_code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return exit_code;
    if (errno != EPIPE) /* the reader had enough: no reason to complain */
        cli_error("cannot write the output: %s", strerror(errno));
    return exit_code == CLI_DONE ? CLI_FAILED : exit_code;
}

/* -1 to go on with the command, else the exit code. */
static int read_global_options(struct cli *cli, int argc, char **argv)
{
    struct getopt_options known;
    int option, exit_code = -1;

    getopt_options_init(&known, "+:"); /* "+": not beyond the command */
    getopt_options_add(&known, global_options);
    opterr = 0;
    while (exit_code < 0 &&
           (option = getopt_long(argc, argv, known.shorts, known.longs, NULL)) != -1) {
        if (option == '?' || option == ':')
            return (int)global_option_error(NULL, option, argv, known.longs);
        if (option == 'h') {
            command_print_overview();
            return CLI_DONE;
        }
        exit_code = global_option_take(cli, option, optarg);
    }
    return exit_code;
}
