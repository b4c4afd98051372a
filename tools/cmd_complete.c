/* SPDX-License-Identifier: LGPL-2.1-only */
/* complete: what may come next on a command line, for the shell's completion (xlpolicy.bash). The
 * first line of the answer is "words" or "files"; after "words" come those that fit, one a line. */
#include "commands.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "global_options.h"
#include "host/host.h"
#include "policy.h"
#include "source.h"

/* The words typed so far, read up to the last, which is to be completed. */
struct typed {
    struct cli cli;                          /* as the global options among them say */
    const char *name;                        /* of the command; NULL before it */
    const struct command *command;           /* NULL where there is none of that name */
    int operand_count;                       /* of the command, so far */
    const struct command_option *unfinished; /* the last word is its value */
};

static void read_words(struct typed *t, char *const *words, int count);
static void complete_option(const struct typed *t, const char *word);
static void complete_commands(const char *word);
static void complete_operand(const struct typed *t, const char *word);
static void complete_value(const struct typed *t, const char *kind, const char *word);

enum cli_exit cmd_complete(const struct cli *cli, const struct command_line *line)
{
    struct typed t = {.cli = *cli};
    const char *word = line->operand_count ? line->operands[line->operand_count - 1] : "";

    if (line->operand_count)
        read_words(&t, line->operands, line->operand_count - 1);
    if (t.unfinished)
        complete_value(&t, t.unfinished->argument, word);
    else if (word[0] == '-')
        complete_option(&t, word);
    else if (!t.name)
        complete_commands(word);
    else
        complete_operand(&t, word);
    return CLI_DONE;
}

/* ---- what was typed ---- */

static const struct command_option *find_in(const struct command_option *options, const char *word)
{
    size_t length = strcspn(word, "=");

    for (const struct command_option *o = options; o && o->name; o++) {
        if (strncmp(word, "--", 2) == 0
                ? strlen(o->name) == length - 2 && strncmp(o->name, word + 2, length - 2) == 0
                : word[1] == o->letter && !word[2])
            return o;
    }
    return NULL;
}

static const struct command_option *find_option(const struct typed *t, const char *word)
{
    const struct command_option *own = t->command ? find_in(t->command->options, word) : NULL;

    return own ? own : find_in(global_options, word);
}

/* Where the names of domains are to be looked for is said by these two. */
static void take_value(struct typed *t, const struct command_option *option, const char *value)
{
    if (strcmp(option->name, "socket") == 0)
        t->cli.socket = value;
    else if (strcmp(option->name, "host") == 0)
        t->cli.host = value;
}

static void read_words(struct typed *t, char *const *words, int count)
{
    for (int i = 0; i < count; i++) {
        const char *word = words[i], *equals = strchr(word, '=');
        const struct command_option *option = word[0] == '-' ? find_option(t, word) : NULL;

        if (option && option->argument && !equals && i + 1 == count)
            t->unfinished = option;
        else if (option && option->argument)
            take_value(t, option, equals ? equals + 1 : words[++i]);
        else if (word[0] != '-' && t->name)
            t->operand_count++;
        else if (word[0] != '-')
            t->command = command_by_name(t->name = word);
    }
}

/* ---- what fits ---- */

/* Prints head and text as one word if it begins with what was typed of it. */
static void offer(const char *word, const char *head, const char *text, const char *tail)
{
    char whole[256];

    snprintf(whole, sizeof(whole), "%s%s%s", head, text, tail);
    if (strncmp(whole, word, strlen(word)) == 0)
        puts(whole);
}

static void complete_option(const struct typed *t, const char *word)
{
    const struct command_option *lists[] = {t->command ? t->command->options : NULL,
                                            global_options};
    const struct command_option *option = find_option(t, word);
    const char *equals = strchr(word, '=');

    if (option && option->argument && equals) {
        complete_value(t, option->argument, equals + 1);
        return;
    }
    puts("words");
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        for (const struct command_option *o = lists[i]; o && o->name; o++)
            offer(word, "--", o->name, "");
}

static void complete_commands(const char *word)
{
    puts("words");
    for (size_t i = 0; i < command_count; i++)
        offer(word, commands[i].name, "", "");
}

/* The usage of a command is a pattern: "[DOM]", "check|show [FILE]", "DOM key=value...". */
static void complete_operand(const struct typed *t, const char *word)
{
    const char *at = t->command ? t->command->operands : "";
    char kind[64];

    for (int i = 0; i < t->operand_count; i++) {
        const char *next = strchr(at, ' ');

        if (!next && strstr(at, "..."))
            break;
        at = next ? next + 1 : "";
    }
    at += *at == '[';
    snprintf(kind, sizeof(kind), "%.*s", (int)strcspn(at, " ]."), at);
    complete_value(t, kind, word);
}

/* ---- values ---- */

static void complete_choices(const char *choices, const char *word)
{
    char choice[64];

    for (const char *at = choices; *at; at += *at == '|') {
        size_t length = strcspn(at, "|");

        snprintf(choice, sizeof(choice), "%.*s", (int)length, at);
        offer(word, choice, "", "");
        at += length;
    }
}

static void offer_domains(const struct xlp_snapshot *s, const char *word)
{
    for (size_t i = 0; i < s->domain_count; i++)
        offer(word, s->domains[i].name, "", "");
}

/* Nobody who presses a key waits for a tick: a host that is read here is looked at only once. */
static void complete_domains(const struct typed *t, const char *word)
{
    const char *host = t->cli.host ? t->cli.host : "xen";
    struct source source;
    struct xlp_host *opened = NULL;
    char error[XLP_HOST_ERROR_SIZE];

    source_init(&source);
    if ((!t->cli.host || strcmp(host, "daemon") == 0) &&
        source_read_daemon(&t->cli, true, &source) == CLI_DONE)
        offer_domains(&source.snapshot, word);
    else if (strcmp(host, "daemon") != 0)
        opened = xlp_host_open(host, XLP_HOST_READ_ONLY, NULL, error, sizeof(error));
    if (opened && opened->ops->observe(opened, &source.snapshot) == 0)
        offer_domains(&source.snapshot, word);
    if (opened)
        opened->ops->close(opened);
    source_dispose(&source);
}

static void complete_keys(const char *word)
{
    static const char keys[] = XLP_DOMAIN_KEYS;
    char key[32];

    for (const char *at = keys; *at; at += strspn(at, " ")) {
        size_t length = strcspn(at, " ");

        snprintf(key, sizeof(key), "%.*s", (int)length, at);
        offer(word, key, "", "=");
        at += length;
    }
}

static void complete_settings(const char *word)
{
    for (size_t i = 0; i < xlp_setting_count; i++)
        offer(word, xlp_settings[i].name, "", "=");
}

static void complete_value(const struct typed *t, const char *kind, const char *word)
{
    bool is_path =
        strcmp(kind, "FILE") == 0 || strcmp(kind, "PATH") == 0 || strcmp(kind, "DIR") == 0;
    bool is_host_file = strcmp(kind, "HOST") == 0 && strchr(word, ':');

    puts(is_path || is_host_file ? "files" : "words");
    if (strcmp(kind, "HOST") == 0)
        complete_choices("daemon|xen|sim:|replay:", word);
    else if (strcmp(kind, "DOM") == 0)
        complete_domains(t, word);
    else if (strcmp(kind, "COMMAND") == 0)
        for (size_t i = 0; i < command_count; i++)
            offer(word, commands[i].name, "", "");
    else if (strcmp(kind, "KEY=VALUE") == 0)
        complete_settings(word);
    else if (strcmp(kind, "key=value") == 0)
        complete_keys(word);
    else if (islower((unsigned char)kind[0]))
        complete_choices(kind, word);
}
