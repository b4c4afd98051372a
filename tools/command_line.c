/* SPDX-License-Identifier: LGPL-2.1-only */
/* From argv to a checked call of a command; and the help that the same table gives. */
#include "commands.h"

#include <stdio.h>
#include <string.h>

#include "../daemon/words.h"
#include "global_options.h"

/* ---- finding a command ---- */

const struct command *command_by_name(const char *name)
{
    for (size_t i = 0; i < command_count; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

const struct command *command_nearest(const char *name)
{
    const struct command *nearest = NULL;
    size_t shortest = 3; /* farther off than two letters is another word */

    for (size_t i = 0; i < command_count; i++) {
        size_t letters = words_distance(name, commands[i].name);

        if (letters < shortest && letters < strlen(commands[i].name)) {
            shortest = letters;
            nearest = &commands[i];
        }
    }
    return nearest;
}

/* ---- reading one call ---- */

static bool is_own(const struct command *command, int letter)
{
    for (const struct command_option *o = command->options; o && o->name; o++)
        if (o->letter == letter)
            return true;
    return false;
}

/* -1 to go on, or the exit code to end with. */
static int read_options(struct cli *cli, struct command_line *line, int argc, char **argv)
{
    const char *name = line->command->name;
    struct getopt_options known;
    int letter, exit_code = -1;

    getopt_options_init(&known, ":"); /* ":": tells a missing value */
    getopt_options_add(&known, global_options);
    getopt_options_add(&known, line->command->options);
    opterr = 0;
    optind = 0; /* glibc: start afresh, main has used getopt already */
    while (exit_code < 0 &&
           (letter = getopt_long(argc, argv, known.shorts, known.longs, NULL)) != -1) {
        if (letter == '?' || letter == ':')
            return (int)global_option_error(name, letter, argv, known.longs);
        if (letter == 'h') {
            command_print_help(line->command);
            return CLI_DONE;
        }
        if (!is_own(line->command, letter)) {
            exit_code = global_option_take(cli, letter, optarg);
        } else if (line->option_count < COMMAND_VALUES_MAX) {
            line->options[line->option_count].letter = letter;
            line->options[line->option_count++].value = optarg;
        } else {
            return (int)cli_usage_error(name, "%s: more than %d options", name, COMMAND_VALUES_MAX);
        }
    }
    line->operands = argv + optind;
    line->operand_count = argc - optind;
    return exit_code;
}

/* An option that would change nothing is a misunderstanding. */
static enum cli_exit check_given(const struct cli *cli, const struct command *c)
{
    unsigned int meaningless = cli->given & ~c->takes;

    if (!meaningless)
        return CLI_DONE;
    return cli_usage_error(c->name, "%s: %s has no meaning here", c->name,
                           global_option_name(meaningless & -meaningless));
}

static enum cli_exit check_operands(const struct command_line *line)
{
    const struct command *c = line->command;

    if (line->operand_count < c->operands_min)
        return cli_usage_error(c->name, "%s: needs %.*s%s%s", c->name,
                               (int)strcspn(c->operands, "|"), c->operands,
                               strchr(c->operands, '|') ? " or " : "",
                               strchr(c->operands, '|') ? strchr(c->operands, '|') + 1 : "");
    if (line->operand_count > c->operands_max)
        return cli_usage_error(c->name, "%s: \"%s\" is one argument too many", c->name,
                               line->operands[c->operands_max]);
    return CLI_DONE;
}

enum cli_exit command_unknown(const char *name)
{
    const struct command *nearest = command_nearest(name);

    if (nearest)
        cli_error("no command \"%s\"; did you mean \"%s\"?", name, nearest->name);
    else
        cli_error("no command \"%s\"; `xlpolicy help` lists them", name);
    return CLI_USAGE;
}

enum cli_exit command_run(struct cli *cli, int argc, char **argv)
{
    struct command_line line = {.command = command_by_name(argv[0])};
    enum cli_exit exit_code;
    int end;

    if (!line.command)
        return command_unknown(argv[0]);
    end = read_options(cli, &line, argc, argv);
    if (end >= 0)
        return (enum cli_exit)end;
    exit_code = check_given(cli, line.command);
    if (exit_code == CLI_DONE)
        exit_code = check_operands(&line);
    return exit_code == CLI_DONE ? line.command->run(cli, &line) : exit_code;
}

/* ---- help ---- */

/* What is told of it begins in this column, on each of its lines. */
static void print_option(const struct command_option *o, int column)
{
    char letter[8] = "";
    int length;

    if (command_option_is_short(o))
        snprintf(letter, sizeof(letter), "-%c, ", o->letter);
    length = printf("  %s--%s%s%s", letter, o->name, o->argument ? " " : "",
                    o->argument ? o->argument : "");
    for (const char *at = o->help; *at; length = 0) {
        int end = (int)strcspn(at, "\n");

        printf("%*s%.*s\n", length < column ? column - length : 1, "", end, at);
        at += end + (at[end] == '\n');
    }
}

void command_print_overview(void)
{
    printf("Usage: xlpolicy [OPTION]... COMMAND [ARGUMENT]...\n"
           "Shows how CPU and memory are shared among the guests of this Xen host, and why.\n"
           "\n"
           "Options, before or after the command:\n");
    for (const struct command_option *o = global_options; o->name; o++)
        print_option(o, 19);
    printf("\n"
           "Commands:\n");
    for (size_t i = 0; i < command_count; i++)
        printf("  %-12s %s\n", commands[i].name, commands[i].summary);
    printf("\n"
           "`xlpolicy help COMMAND` tells more about one of them.\n");
}

void command_print_help(const struct command *command)
{
    printf("Usage: xlpolicy %s%s%s%s\n\n%s.\n", command->name,
           command->options ? " [OPTION]..." : "", command->operands[0] ? " " : "",
           command->operands, command->summary);
    if (command->options)
        printf("\nOptions:\n");
    for (const struct command_option *o = command->options; o && o->name; o++)
        print_option(o, 26);
    if (command->help[0])
        printf("\n%s", command->help);
}
