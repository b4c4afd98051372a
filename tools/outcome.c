/* SPDX-License-Identifier: LGPL-2.1-only */
/* What became of the actions a command asked for. */
#include "outcome.h"

#include <stdio.h>
#include <string.h>

#include "daemon_request.h"
#include "when.h"

#define LINE_SIZE 1024

void outcome_count(struct outcome_tally *tally, enum xlp_outcome_code code)
{
    tally->actions++;
    tally->refused += code == XLP_NOT_DONE_REFUSED;
    tally->failed += code != XLP_DONE && code != XLP_NOT_DONE_DRY_RUN;
}

enum cli_exit outcome_exit(const struct outcome_tally *tally)
{
    if (!tally->failed)
        return CLI_DONE;
    return tally->refused == tally->failed ? CLI_REFUSED : CLI_FAILED;
}

void outcome_print(FILE *to, const struct xlp_action *action, const struct xlp_outcome *outcome)
{
    char text[LINE_SIZE];

    fprintf(to, "%s\n", xlp_outcome_format(action, outcome, text, sizeof(text)));
}

void outcome_write(struct xlp_json_writer *w, double time_s, const struct xlp_action *action,
                   const struct xlp_outcome *outcome)
{
    xlp_json_open_object(w);
    if (time_s >= 0)
        xlp_json_put_double(w, "time_s", time_s);
    xlp_json_write_key(w, "action");
    xlp_action_write(w, action);
    xlp_json_put_string(w, "outcome", xlp_outcome_name(outcome->code));
    xlp_json_put_string(w, "detail", outcome->detail);
    xlp_json_close_object(w);
}

void outcome_print_entry(const struct xlp_json *entry, const char *indent)
{
    const char *text = daemon_string(entry, "text");
    char time[WHEN_TEXT_SIZE];

    printf("%s%s %s\n", indent, when_format(daemon_number(entry, "time_s"), time),
           text ? text : "?");
}

/* The code with that name, or XLP_NOT_DONE_FAILED when there is none. */
static enum xlp_outcome_code outcome_by_name(const char *name)
{
    for (int code = 0; code < XLP_OUTCOME_CODES; code++)
        if (strcmp(xlp_outcome_name((enum xlp_outcome_code)code), name) == 0)
            return (enum xlp_outcome_code)code;
    return XLP_NOT_DONE_FAILED;
}

void outcome_count_all(const struct xlp_json *actions, struct outcome_tally *tally)
{
    for (size_t i = 0; i < xlp_json_count(actions); i++) {
        const char *outcome = daemon_string(xlp_json_at(actions, i), "outcome");

        outcome_count(tally, outcome_by_name(outcome ? outcome : ""));
    }
}

void outcome_print_all(const struct xlp_json *actions)
{
    for (size_t i = 0; i < xlp_json_count(actions); i++) {
        const char *text = daemon_string(xlp_json_at(actions, i), "text");

        if (text)
            puts(text);
    }
}
