/* SPDX-License-Identifier: LGPL-2.1-only */
/* help: the list of commands, or one of them at length. */
#include "commands.h"

enum cli_exit cmd_help(const struct cli *cli, const struct command_line *line)
{
    const struct command *command;

    (void)cli;
    if (line->operand_count == 0) {
        command_print_overview();
        return CLI_DONE;
    }
    command = command_by_name(line->operands[0]);
    if (!command)
        return command_unknown(line->operands[0]);
    command_print_help(command);
    return CLI_DONE;
}
