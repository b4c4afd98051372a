/* SPDX-License-Identifier: LGPL-2.1-only */
/* status: what the daemon is up to, and what an operator should look at. */
#include "commands.h"

#include <stdio.h>
#include <string.h>

#include "daemon_request.h"
#include "outcome.h"
#include "past.h"
#include "problems.h"
#include "source.h"
#include "when.h"

#define LAST_ACTIONS 5

static const char *or_none(const char *text)
{
    return text ? text : "none";
}

/* "cpu-even 12, mem-grow 3" */
static void print_counts(const struct xlp_json *status, const char *key)
{
    const struct xlp_json *counts = xlp_json_get(status, key);
    size_t count = counts ? xlp_json_count(counts) : 0;

    if (count == 0)
        printf("nothing");
    for (size_t i = 0; i < count; i++)
        printf("%s%s %.0f", i ? ", " : "", xlp_json_key(counts, i),
               xlp_json_double(xlp_json_at(counts, i)));
    printf("\n");
}

static void print_last_error(const struct xlp_json *status)
{
    const char *error = daemon_string(status, "last_error");
    char time[WHEN_TEXT_SIZE];

    printf("Last error:  %s", or_none(error));
    if (error)
        printf(" (%s)", when_format(daemon_number(status, "last_error_time_s"), time));
    printf("\n");
}

static void print_trial(const struct xlp_json *status)
{
    const struct xlp_json *left = xlp_json_get(status, "trial_left_s");
    char span[WHEN_TEXT_SIZE];

    if (left && xlp_json_kind(left) == XLP_JSON_NUMBER)
        printf("Trial:       all is put back in %s; `xlpolicy act` keeps it\n",
               when_format_span(xlp_json_double(left), span));
}

static void print_daemon(const struct cli *cli, const struct xlp_json *status)
{
    const char *version = daemon_string(status, "version");
    const char *config = daemon_string(status, "config");
    char span[WHEN_TEXT_SIZE], tick[WHEN_TEXT_SIZE];

    printf("Daemon:      xlpolicyd %s on %s, pid %.0f, up %s\n", version ? version : "?",
           cli->socket, daemon_number(status, "pid"),
           when_format_span(daemon_number(status, "uptime_s"), span));
    printf("Mode:        %s%s\n", daemon_string(status, "mode"),
           daemon_number(status, "dry_run") != 0 ? " (dry run: nothing is changed)" : "");
    print_trial(status);
    printf("Config:      %s\n", config ? config : "no file, all defaults");
    printf("Ticks:       %.0f, one every %s, the last took %s; %.0f missed, %.0f failed\n",
           daemon_number(status, "ticks"),
           when_format_short(daemon_number(status, "tick_ms") / 1000, span),
           when_format_short(daemon_number(status, "tick_s"), tick),
           daemon_number(status, "ticks_missed"), daemon_number(status, "ticks_failed"));
    printf("Done:        ");
    print_counts(status, "done");
    printf("Not done:    ");
    print_counts(status, "not_done");
    print_last_error(status);
}

/* One that was asked for and did not answer is worth knowing. */
static void print_no_daemon(const struct cli *cli, const struct source *source)
{
    if (cli->host || cli->setting_count)
        printf("Daemon:      none asked; looking at %s\n", source->name);
    else
        printf("Daemon:      none on %s; looking at %s\n", cli->socket, source->name);
}

static enum cli_exit print_last_actions(const struct cli *cli)
{
    struct past past;
    enum cli_exit exit_code = past_ask(cli, 0, LAST_ACTIONS, &past);
    size_t count;

    if (exit_code != CLI_DONE)
        return exit_code;
    count = xlp_json_count(past.entries);
    printf("Last actions:%s\n", count ? "" : " none");
    for (size_t i = 0; i < count; i++)
        outcome_print_entry(xlp_json_at(past.entries, i), "  ");
    past_dispose(&past);
    return CLI_DONE;
}

/* Those of xl's settings are the daemon's to know: it reads them where it runs. */
static size_t find_problems(const struct source *source,
                            void (*tell)(void *context, const char *sentence), void *context)
{
    const char *autoballoon = source->status ? daemon_string(source->status, "autoballoon") : NULL;

    if (autoballoon)
        tell(context, autoballoon);
    return (autoballoon != NULL) +
           xlp_problems_find(&source->snapshot, &source->plan, source->vcpus, tell, context);
}

static void print_problem(void *context, const char *sentence)
{
    size_t *printed = context;

    if ((*printed)++ == 0)
        printf("Problems:\n");
    printf("  %s\n", sentence);
}

static void print_reservations(const struct source *source)
{
    char text[512], title[XLP_NAME_SIZE];

    for (size_t i = 0; i < source->plan.reservation_count; i++)
        printf("%-13s%s: %s\n", i ? "" : "Reserved:",
               xlp_reservation_title(&source->snapshot.reservations[i], title),
               xlp_reason_format(&source->plan.reservations[i].reason, text, sizeof(text)));
}

static enum cli_exit print_text(const struct cli *cli, const struct source *source)
{
    enum cli_exit exit_code = CLI_DONE;
    size_t printed = 0;

    if (source->status) {
        print_daemon(cli, source->status);
        exit_code = print_last_actions(cli);
    } else {
        print_no_daemon(cli, source);
    }
    printf("Planned:     %zu action%s\n", source->plan.action_count,
           source->plan.action_count == 1 ? "" : "s");
    print_reservations(source);
    if (find_problems(source, print_problem, &printed) == 0)
        printf("Problems:    none\n");
    return exit_code;
}

static void write_problem(void *context, const char *sentence)
{
    xlp_json_write_string(context, sentence);
}

static enum cli_exit print_json(const struct cli *cli, const struct source *source)
{
    struct past past = {.reply = NULL};
    struct xlp_json_writer *w;

    if (source->status && past_ask(cli, 0, LAST_ACTIONS, &past) != CLI_DONE)
        return CLI_FAILED;
    w = cli_json_start();
    if (!w) {
        past_dispose(&past);
        return cli_out_of_memory();
    }
    xlp_json_put_string(w, "source", source->name);
    xlp_json_write_key(w, "daemon");
    if (source->status)
        daemon_copy_json(w, source->status);
    else
        xlp_json_write_null(w);
    if (past.entries)
        past_write(&past, NULL, "last_actions", w);
    past_dispose(&past);
    xlp_json_put_u64(w, "planned", source->plan.action_count);
    xlp_json_put_u64(w, "reservations", source->plan.reservation_count);
    xlp_json_write_key(w, "problems");
    xlp_json_open_array(w);
    find_problems(source, write_problem, w);
    xlp_json_close_array(w);
    return cli_json_print(w);
}

enum cli_exit cmd_status(const struct cli *cli, const struct command_line *line)
{
    struct source source;
    enum cli_exit exit_code = source_read(cli, &source);

    (void)line;
    if (exit_code != CLI_DONE)
        return exit_code;
    exit_code = cli->json ? print_json(cli, &source) : print_text(cli, &source);
    source_dispose(&source);
    return exit_code;
}
