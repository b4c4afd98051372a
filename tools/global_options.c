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

const struct command_option global_options[] = {
    {"host", OPTION_HOST, "HOST",
     "where to look: daemon, xen, sim:FILE or replay:FILE; without\n"
     "it the daemon if it answers, else Xen, read only"},
    {"socket", OPTION_SOCKET, "PATH", "the daemon's control socket"},
    {"ticks", OPTION_TICKS, "N", "watch a host that is read directly for N ticks (default 1)"},
    {"set", OPTION_SET, "KEY=VALUE",
     "decide by another setting than the default; may be repeated;\n"
     "no daemon is asked then"},
    {"json", OPTION_JSON, NULL, "print JSON instead of text"},
    {"dry-run", 'N', NULL, "change nothing, say what would be done"},
    {"verbose", 'v', NULL, "say on stderr where the facts come from"},
    {"help", 'h', NULL, "print this; after a command, its help"},
    {"version", 'V', NULL, "print the version"},
    {NULL, 0, NULL, NULL},
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

/* ---- for getopt ---- */

void getopt_options_init(struct getopt_options *g, const char *prefix)
{
    memset(g, 0, sizeof(*g));
    strcpy(g->shorts, prefix);
}

void getopt_options_add(struct getopt_options *g, const struct command_option *options)
{
    size_t used = strlen(g->shorts);

    for (const struct command_option *o = options; o && o->name; o++) {
        g->longs[g->count++] = (struct option){
            o->name, o->argument ? required_argument : no_argument, NULL, o->letter};
        if (!command_option_is_short(o))
            continue;
        g->shorts[used++] = (char)o->letter;
        if (o->argument)
            g->shorts[used++] = ':';
    }
}

bool command_option_is_short(const struct command_option *option)
{
    return option->letter < OPTION_HOST;
}

/* ---- taking them ---- */

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
    case 'N': cli->dry_run = true; break;
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
