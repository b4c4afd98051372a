/* SPDX-License-Identifier: LGPL-2.1-only */
/* plan: what is, or would be, done to the host as it is now. */
#include "commands.h"

#include <stdio.h>
#include <string.h>

#include "explain.h"
#include "source.h"

static bool is_commanded(const struct xlp_plan *plan)
{
    for (size_t i = 0; i < plan->action_count; i++)
        if (xlp_action_is_commanded(&plan->actions[i]))
            return true;
    return false;
}

/* What becomes of the plan, now that it has been shown. */
static void print_fate(const struct source *source)
{
    const char *mode = source_mode(source);

    if (!mode)
        printf("\nNone of this is done: no daemon acts on it.\n");
    else if (source_is_dry_run(source))
        printf("\nNone of this is done: the daemon is a dry run; start it without -N to change "
               "that.\n");
    else if (strcmp(mode, "act") == 0)
        printf("\nThe daemon acts on this.\n");
    else if (is_commanded(&source->plan))
        printf(
            "\nThe daemon is in mode %s: of this, only what `release` and `reserve` asked for is "
            "done.\n",
            mode);
    else
        printf("\nNone of this is done: the daemon is in mode %s; `xlpolicy act` changes that.\n",
               mode);
}

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
    print_fate(source);
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
