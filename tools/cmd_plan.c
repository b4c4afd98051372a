/* SPDX-License-Identifier: LGPL-2.1-only */
/* plan: what is, or would be, done to the host as it is now. */
#include "commands.h"

#include <stdio.h>

#include "explain.h"
#include "source.h"

static enum cli_exit print_text(const struct source *source, struct source_range guests)
{
    const struct xlp_plan *plan = &source->plan;
    char text[EXPLAIN_SIZE];

    (void)guests;
    if (plan->action_count == 0) {
        printf("Nothing to do: `xlpolicy why` says why, guest by guest.\n");
        return CLI_DONE;
    }
    for (size_t i = 0; i < plan->action_count; i++)
        printf("%s\n", explain_action(source, &plan->actions[i], text));
    explain_fate(source);
    return CLI_DONE;
}

static enum cli_exit print_json(const struct source *source, struct source_range guests)
{
    struct xlp_json_writer *w = cli_json_start();

    (void)guests;
    if (!w)
        return cli_out_of_memory();
    xlp_json_write_key(w, "mode");
    if (source_mode(source))
        xlp_json_write_string(w, source_mode(source));
    else
        xlp_json_write_null(w);
    xlp_json_put_bool(w, "dry_run", source_is_dry_run(source));
    xlp_json_write_key(w, "plan");
    xlp_plan_write(w, &source->plan);
    return cli_json_print(w);
}

enum cli_exit cmd_plan(const struct cli *cli, const struct command_line *line)
{
    return source_show(cli, line, print_text, print_json);
}
