/* SPDX-License-Identifier: LGPL-2.1-only */
/* xlpolicy: global options, then a command. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "control_client.h"

#define TICKS_MAX 100000

enum {
    OPTION_HOST = 256,
    OPTION_SOCKET,
    OPTION_JSON,
    OPTION_TICKS,
    OPTION_SET,
};

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

static int read_ticks(const char *text, uint32_t *ticks_out)
{
    char *end;
    long ticks;

    errno = 0;
    ticks = strtol(text, &end, 10);
    if (errno || end == text || *end || ticks < 1 || ticks > TICKS_MAX)
        return -1;
    *ticks_out = (uint32_t)ticks;
    return 0;
}

/* A host that is neither of these would only be found out when it is opened. */
static bool is_host(const char *text)
{
    return strcmp(text, "daemon") == 0 || strcmp(text, "xen") == 0 ||
           (strncmp(text, "sim:", 4) == 0 && text[4]) ||
           (strncmp(text, "replay:", 7) == 0 && text[7]);
}

/* -1 to go on with the command, else the exit code. */
static int read_global_options(struct cli *cli, int argc, char **argv)
{
    static const struct option longs[] = {
        {"host", required_argument, NULL, OPTION_HOST},
        {"socket", required_argument, NULL, OPTION_SOCKET},
        {"json", no_argument, NULL, OPTION_JSON},
        {"ticks", required_argument, NULL, OPTION_TICKS},
        {"set", required_argument, NULL, OPTION_SET},
        {"dry-run", no_argument, NULL, 'N'},
        {"verbose", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
    };
    int option;

    opterr = 0;
    while ((option = getopt_long(argc, argv, "+:vNhV", longs, NULL)) != -1) {
        switch (option) {
        case OPTION_HOST:
            if (!is_host(optarg))
                return (int)cli_usage_error(
                    NULL, "--host %s: allowed are daemon, xen, sim:FILE and replay:FILE", optarg);
            cli->host = optarg;
            break;
        case OPTION_SOCKET: cli->socket = optarg; break;
        case OPTION_JSON: cli->json = true; break;
        case OPTION_TICKS:
            if (read_ticks(optarg, &cli->ticks) < 0)
                return (int)cli_usage_error(NULL, "--ticks %s: allowed is 1 to %d", optarg,
                                            TICKS_MAX);
            break;
        case OPTION_SET:
            if (cli_add_setting(cli, optarg) != CLI_DONE)
                return CLI_USAGE;
            break;
        case 'N': cli->dry_run = true; break;
        case 'v': cli->verbose = true; break;
        case 'h': command_print_overview(); return CLI_DONE;
        case 'V': puts("xlpolicy " XLP_VERSION); return CLI_DONE;
        case ':': return (int)cli_usage_error(NULL, "option %s needs a value", argv[optind - 1]);
        default: return (int)cli_usage_error(NULL, "unknown option %s", argv[optind - 1]);
        }
    }
    return -1;
}
