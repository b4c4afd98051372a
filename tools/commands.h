/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The commands: one file each, and one table (commands.c) that `help`, the argument checks and the
 * dispatch go by.
 */
#ifndef COMMANDS_H
#define COMMANDS_H

#include <stddef.h>

#include "cli.h"

struct command_option {
    const char *name;     /* long name, without the dashes; NULL ends the list */
    int letter;           /* what the command calls it, and its short form */
    const char *argument; /* "FILE", or NULL when it takes none */
    const char *help;
};

#define COMMAND_OPTIONS_MAX  12 /* a command has no more, global ones not counted */
#define COMMAND_OPERANDS_ANY 1000
#define COMMAND_VALUES_MAX   64 /* how often options may be given in one call */

struct command;

/* One call, checked against the table. */
struct command_line {
    const struct command *command;
    int operand_count;
    char *const *operands;
    struct {
        int letter;
        const char *value; /* NULL when the option takes none */
    } options[COMMAND_VALUES_MAX];
    int option_count;
};

typedef enum cli_exit command_function(const struct cli *cli, const struct command_line *line);

struct command {
    const char *name;
    const char *operands; /* as usage shows them, and completion goes by: "check|show [FILE]" */
    int operands_min, operands_max;
    const struct command_option *options; /* its own, or NULL */
    const char *summary;                  /* one line, no full stop */
    const char *help;                     /* what a user should know, lines of at most 78 */
    command_function *run;
    unsigned int takes; /* those of enum cli_given that have a meaning */
};

extern const struct command commands[];
extern const size_t command_count;

/* NULL when there is none. */
const struct command *command_by_name(const char *name);

/* The command whose name is nearest, or NULL when none is near. */
const struct command *command_nearest(const char *name);

/* Says that there is no such command, and which may have been meant. */
enum cli_exit command_unknown(const char *name);

/* argv[0] is the command's name. Global options given after it change cli. */
enum cli_exit command_run(struct cli *cli, int argc, char **argv);

/* What `help` and -h print. */
void command_print_overview(void);
void command_print_help(const struct command *command);

command_function cmd_list, cmd_vcpu_list, cmd_pcpu_list, cmd_mem_list, cmd_top, cmd_info;
command_function cmd_status, cmd_plan, cmd_why, cmd_history;
command_function cmd_mode, cmd_apply, cmd_rebalance, cmd_set, cmd_get, cmd_adopt, cmd_release;
command_function cmd_reserve, cmd_unreserve;
command_function cmd_simulate, cmd_replay, cmd_record, cmd_config, cmd_help, cmd_complete;
command_function cmd_pci_check, cmd_pci_list, cmd_pci_info;
command_function cmd_pci_validate, cmd_pci_config, cmd_pci_prepare, cmd_pci_reset, cmd_pci_release;
command_function cmd_export;

#endif
