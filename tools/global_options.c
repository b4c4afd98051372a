/* SPDX-License-Identifier: LGPL-2.1-only */
#include "global_options.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/host.h"

#define TICKS_MAX 100000

enum {
    OPTION_HOST = 256,
    OPTION_SOCKET,
    OPTION_JSON,
    OPTION_TICKS,
    OPTION_SET,
};

const struct option global_options[GLOBAL_OPTION_COUNT + 1] = {
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

int global_option_take(struct cli *cli, int option, const char *value)
{
    switch (option) {
    case OPTION_HOST:
        if (strcmp(value, "daemon") != 0 && !xlp_host_is_spec(value))
            return (int)cli_usage_error(
                NULL, "--host %s: allowed are daemon, xen, sim:FILE and replay:FILE", value);
        cli->host = value;
        cli->given |= CLI_GIVEN_HOST;
        break;
    case OPTION_SOCKET: cli->socket = value; break;
    case OPTION_JSON:
        cli->json = true;
        cli->given |= CLI_GIVEN_JSON;
        break;
    case OPTION_TICKS:
        if (read_ticks(value, &cli->ticks) < 0)
            return (int)cli_usage_error(NULL, "--ticks %s: allowed is 1 to %d", value, TICKS_MAX);
        cli->given |= CLI_GIVEN_TICKS;
        break;
    case OPTION_SET:
        if (cli_add_setting(cli, value) != CLI_DONE)
            return CLI_USAGE;
        cli->given |= CLI_GIVEN_SET;
        break;
    case 'N':
        cli->dry_run = true;
        cli->given |= CLI_GIVEN_DRY_RUN;
        break;
    case 'v': cli->verbose = true; break;
    case 'V': puts("xlpolicy " XLP_VERSION); return CLI_DONE;
    }
    return -1;
}

const char *global_option_name(unsigned int given)
{
    switch (given) {
    case CLI_GIVEN_HOST: return "--host";
    case CLI_GIVEN_JSON: return "--json";
    case CLI_GIVEN_TICKS: return "--ticks";
    case CLI_GIVEN_SET: return "--set";
    case CLI_GIVEN_DRY_RUN: return "-N";
    default: return "an option";
    }
}

/* ---- what is wrong ---- */

static const struct option *option_of(const struct option *longs, int value)
{
    for (; longs->name; longs++)
        if (longs->val == value)
            return longs;
    return NULL;
}

/* How many long options the word, "--" and all, may be short for. */
static size_t count_meant(const struct option *longs, const char *word)
{
    size_t length = strcspn(word, "=") - 2, count = 0;

    for (; longs->name; longs++)
        count += strncmp(longs->name, word + 2, length) == 0;
    return count;
}

/* Of several letters in one word getopt has not passed the word yet: it is optopt that counts. */
static void name_option(const char *word, const struct option *known, char *name, size_t size)
{
    if (known && strncmp(word, "--", 2) == 0)
        snprintf(name, size, "--%s", known->name);
    else if (optopt)
        snprintf(name, size, "-%c", isprint(optopt) ? optopt : '?');
    else
        snprintf(name, size, "%.*s", (int)strcspn(word, "="), word);
}

enum cli_exit global_option_error(const char *command, int result, char *const *argv,
                                  const struct option *longs)
{
    const char *word = argv[optind - 1];
    const struct option *known = optopt ? option_of(longs, optopt) : NULL;
    const char *in = command ? command : "", *colon = command ? ": " : "";
    char name[256];

    name_option(word, known, name, sizeof(name));
    if (result == ':')
        return cli_usage_error(command, "%s%soption %s needs a value", in, colon, name);
    if (known)
        return cli_usage_error(command, "%s%soption %s takes no value", in, colon, name);
    if (!optopt && count_meant(longs, word) > 1)
        return cli_usage_error(command, "%s%soption %s may mean several", in, colon, name);
    return cli_usage_error(command, "%s%sunknown option %s", in, colon, name);
}
