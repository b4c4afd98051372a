/* SPDX-License-Identifier: LGPL-2.1-only */
/* why: for each guest what is decided about its CPU and its memory, and for what reason; also where
 * the decision is to do nothing. */
#include "commands.h"

#include <stdio.h>
#include <string.h>

#include "daemon_request.h"
#include "excluded_by.h"
#include "explain.h"
#include "outcome.h"
#include "past.h"
#include "source.h"

static bool is_about_cpu(enum xlp_action_kind kind)
{
    return kind == XLP_PLACE_VCPU || kind == XLP_ADOPT_VCPU || kind == XLP_RELEASE_VCPU;
}

static bool is_about_weight(enum xlp_action_kind kind)
{
    return kind == XLP_SET_WEIGHT || kind == XLP_ADOPT_WEIGHT || kind == XLP_RELEASE_WEIGHT;
}

static bool is_about_memory(enum xlp_action_kind kind)
{
    return kind == XLP_SET_TARGET || kind == XLP_RELEASE_TARGET;
}

/* The guest's name stands in the heading already. */
static void print_action(const struct source *source, const struct xlp_action *action,
                         const char *heading)
{
    char text[EXPLAIN_SIZE], skipped[EXPLAIN_SIZE];
    const char *rest = explain_action(source, action, text) + strlen(action->name);

    printf("  %-8s%s%s\n", heading, rest + strspn(rest, ": "),
           explain_skipped(&source->plan, &action->reason, action->domid, skipped));
}

/* The planned actions, which carry their reasons; or the reason why there are none. Returns how
 * many there are. */
static size_t print_part(const struct source *source, const struct xlp_verdict *of,
                         const char *heading, bool (*is_part)(enum xlp_action_kind),
                         const struct xlp_reason *verdict)
{
    const struct xlp_plan *plan = &source->plan;
    char text[EXPLAIN_SIZE], skipped[EXPLAIN_SIZE];
    size_t printed = 0;

    for (size_t i = 0; i < plan->action_count; i++) {
        const struct xlp_action *action = &plan->actions[i];

        if (action->domid == of->domid && is_part(action->kind))
            print_action(source, action, printed++ ? "" : heading);
    }
    if (!printed)
        printf("  %-8s%s%s%s\n", heading, explain_verdict(source, of->name, verdict, text),
               explain_when(source, verdict), explain_skipped(plan, verdict, of->domid, skipped));
    return printed;
}

/* What was done, if that was asked for. */
static void print_past(const struct past *past, const char *name)
{
    if (!past->entries)
        return;
    for (size_t i = 0; i < xlp_json_count(past->entries); i++)
        if (past_is_about(past, i, name))
            outcome_print_entry(xlp_json_at(past->entries, i), "  ");
    if (past_count(past, name) == 0)
        printf("  %-8snothing in that time\n", "done");
}

static enum cli_exit print_text(const struct source *source, struct source_range guests,
                                const struct past *past)
{
    char text[EXPLAIN_SIZE];
    size_t planned = 0;

    if (source->plan.memory.code != XLP_REASON_NONE)
        printf("Host\n  memory  %s\n\n",
               xlp_reason_format(&source->plan.memory, text, sizeof(text)));
    for (size_t i = guests.first; i < guests.end; i++) {
        const struct xlp_verdict *v = &source->plan.verdicts[i];

        printf("%s%s (ID %u)\n", i > guests.first ? "\n" : "", v->name, v->domid);
        print_past(past, v->name);
        planned += print_part(source, v, "CPU", is_about_cpu, &v->cpu);
        if (v->weight.code != XLP_REASON_NONE) /* NONE: cpu_weights is "off" */
            planned += print_part(source, v, "weight", is_about_weight, &v->weight);
        planned += print_part(source, v, "memory", is_about_memory, &v->memory);
    }
    if (planned)
        explain_fate(source);
    return CLI_DONE;
}

static void write_reason(struct xlp_json_writer *w, const char *key,
                         const struct xlp_reason *reason)
{
    xlp_json_write_key(w, key);
    xlp_json_open_object(w);
    xlp_json_put_bool(w, "managed", !xlp_reason_is_hands_off(reason->code));
    xlp_json_write_key(w, "reason");
    xlp_reason_write(w, reason);
    xlp_json_close_object(w);
}

static void write_domain(struct xlp_json_writer *w, const struct xlp_plan *plan,
                         const struct xlp_verdict *v, const struct past *past)
{
    xlp_json_open_object(w);
    xlp_json_put_string(w, "name", v->name);
    xlp_json_put_int(w, "domid", v->domid);
    write_reason(w, "cpu", &v->cpu);
    if (v->weight.code != XLP_REASON_NONE)
        write_reason(w, "weight", &v->weight);
    write_reason(w, "memory", &v->memory);
    xlp_json_write_key(w, "actions");
    xlp_json_open_array(w);
    for (size_t i = 0; i < plan->action_count; i++)
        if (plan->actions[i].domid == v->domid)
            xlp_action_write(w, &plan->actions[i]);
    xlp_json_close_array(w);
    if (past->entries)
        past_write(past, v->name, "done", w);
    xlp_json_close_object(w);
}

static enum cli_exit print_json(const struct source *source, struct source_range guests,
                                const struct past *past)
{
    struct xlp_json_writer *w = cli_json_start();

    if (!w)
        return cli_out_of_memory();
    if (source->plan.memory.code != XLP_REASON_NONE) {
        xlp_json_write_key(w, "memory");
        xlp_reason_write(w, &source->plan.memory);
    }
    xlp_json_write_key(w, "domains");
    xlp_json_open_array(w);
    for (size_t i = guests.first; i < guests.end; i++)
        write_domain(w, &source->plan, &source->plan.verdicts[i], past);
    xlp_json_close_array(w);
    return cli_json_print(w);
}

static enum cli_exit print(const struct cli *cli, const struct command_line *line,
                           const struct source *source, double since_s)
{
    struct past past = {.reply = NULL};
    struct source_range guests;
    enum cli_exit exit_code = source_select(source, line, &guests);

    if (exit_code == CLI_DONE && since_s > 0)
        exit_code = past_ask(cli, since_s, 0, &past);
    if (exit_code == CLI_DONE)
        exit_code =
            cli->json ? print_json(source, guests, &past) : print_text(source, guests, &past);
    past_dispose(&past);
    return exit_code;
}

enum cli_exit cmd_why(const struct cli *cli, const struct command_line *line)
{
    double since_s;
    enum cli_exit exit_code = past_since(line, &since_s);
    struct source source;

    if (exit_code == CLI_DONE && since_s > 0)
        exit_code = daemon_only(cli, "why --since");
    if (exit_code == CLI_DONE)
        exit_code = source_read(cli, &source);
    if (exit_code != CLI_DONE)
        return exit_code;
    excluded_by_look_up(&source);
    exit_code = print(cli, line, &source, since_s);
    source_dispose(&source);
    return exit_code;
}
