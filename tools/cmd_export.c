/* SPDX-License-Identifier: LGPL-2.1-only */
/* export: what is known of the host, in other programs' formats. */
#include <string.h>

#include "export.h"
#include "when.h"

enum cli_exit cmd_export(const struct cli *cli, const struct command_line *line)
{
    const char *format = line->operands[0], *instances_path = NULL;
    double for_s = 0;

    for (int i = 0; i < line->option_count; i++) {
        if (line->options[i].letter == 'i')
            instances_path = line->options[i].value;
        else if (when_parse(line->options[i].value, &for_s) < 0)
            return cli_usage_error("export", "export: --for %s is not like 90s, 5m, 2h or 1d",
                                   line->options[i].value);
    }
    if (strcmp(format, "hbal") == 0)
        return export_hbal(cli, for_s, instances_path);
    if (strcmp(format, "openmetrics") != 0)
        return cli_usage_error("export", "export: \"%s\" is neither hbal nor openmetrics", format);
    if (line->option_count)
        return cli_usage_error("export", "export: --for and --instances are for hbal");
    return export_openmetrics(cli);
}
