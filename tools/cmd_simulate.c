/* SPDX-License-Identifier: LGPL-2.1-only */
/* simulate: run a scenario on a simulated host, and tell what came of it. */
#include "commands.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "host/trial.h"
#include "json/record.h"
#include "outcome.h"
#include "picture.h"
#include "progress.h"
#include "simulate_report.h"

/* Without --trace no more actions than this are printed. */
#define ACTIONS_MAX 20

struct simulation {
    bool trace;
    FILE *actions; /* what to print of them; not with --json */
    struct xlp_json_writer *w;
    size_t action_count;
    struct report report;
    struct series series;
    struct progress progress;
    uint64_t ticks;
    bool out_of_memory;
};

/* ---- while it runs ---- */

static void print_action(struct simulation *sim, uint64_t time_ns, const struct xlp_action *action,
                         const struct xlp_outcome *outcome)
{
    if (!sim->trace && sim->action_count > ACTIONS_MAX)
        return;
    fprintf(sim->actions, "%7.1f s  ", (double)time_ns / 1e9);
    outcome_print(sim->actions, action, outcome);
}

static void on_tick(void *arg, const struct xlp_trial_tick *tick)
{
    struct simulation *sim = arg;

    for (size_t i = 0; i < tick->plan->action_count; i++) {
        sim->action_count++;
        if (sim->w)
            outcome_write(sim->w, (double)tick->time_ns / 1e9, &tick->plan->actions[i],
                          &tick->outcomes[i]);
        else
            print_action(sim, tick->time_ns, &tick->plan->actions[i], &tick->outcomes[i]);
    }
    progress_tell(&sim->progress, ++sim->ticks);
    if (report_tick(&sim->report, tick) < 0 || series_add(&sim->series, tick->snapshot) < 0 ||
        series_plan(&sim->series, tick->plan) < 0)
        sim->out_of_memory = true;
}

/* The other file that one may have at hand. */
static bool is_recording(const char *path)
{
    char error[512];
    struct xlp_recording *recording = xlp_recording_open(path, error, sizeof(error));

    if (recording)
        xlp_recording_close(recording);
    return recording != NULL;
}

static enum cli_exit run_trial(const char *path, const struct cli *cli, struct simulation *sim,
                               struct xlp_trial_result *result_out)
{
    struct xlp_trial_options options = {.settings = cli->settings, .tick = on_tick, .arg = sim};
    char error[XLP_HOST_ERROR_SIZE];
    int rc;

    progress_start(&sim->progress, "simulating, tick", 0);
    rc = xlp_trial_run(path, &options, result_out, error, sizeof(error));
    progress_end(&sim->progress);
    if (rc < 0) {
        if (is_recording(path))
            cli_error("%s: is a recording, not a scenario: `xlpolicy replay` decides it again",
                      path);
        else
            cli_error("%s", error);
        return CLI_FAILED;
    }
    if (!sim->out_of_memory)
        return CLI_DONE;
    xlp_trial_result_dispose(result_out);
    return cli_out_of_memory();
}

/* ---- afterwards ---- */

static size_t count_failed(const struct xlp_trial_result *result)
{
    size_t failed = 0;

    for (size_t i = 0; i < result->verdict_count; i++)
        failed += !result->verdicts[i].passed;
    return failed;
}

static void print_expectations(const struct xlp_trial_result *result)
{
    size_t failed = count_failed(result);

    printf("Expectations:\n");
    for (size_t i = 0; i < result->verdict_count; i++)
        printf("  %s  line %u: %s\n", result->verdicts[i].passed ? "pass" : "FAIL",
               result->verdicts[i].line, result->verdicts[i].text);
    if (result->verdict_count == 0)
        printf("  none in this scenario\n");
    else if (failed)
        printf("%zu of %zu failed\n", failed, result->verdict_count);
    else
        printf("all %zu hold\n", result->verdict_count);
}

static void print_actions(const struct simulation *sim, const char *text)
{
    printf("Actions:%s\n%s", sim->action_count ? "" : " none", text);
    if (!sim->trace && sim->action_count > ACTIONS_MAX)
        printf("           and %zu more; --trace shows them all\n",
               sim->action_count - ACTIONS_MAX);
}

static enum cli_exit tell_in_text(const struct simulation *sim,
                                  const struct xlp_trial_result *result, const char *actions)
{
    printf("%s\n", result->title);
    printf("%g s simulated in %u ticks: %u vCPU placements, %u of them back and forth; %u weights "
           "set; %u targets set, %u of them back and forth\n",
           round((double)result->time_ns / 1e9), result->ticks, result->moves, result->reversals,
           result->weight_writes, result->target_writes, result->target_flips);
    printf("Guests did %.1f of the %.1f pCPU seconds of work they were entitled to\n\n",
           result->work_s, result->entitled_s);
    if (report_print(&sim->report) < 0)
        return cli_out_of_memory();
    print_actions(sim, actions);
    printf("\n");
    print_expectations(result);
    return CLI_DONE;
}

static enum cli_exit tell_in_json(struct simulation *sim, const struct xlp_trial_result *result)
{
    struct xlp_json_writer *w = sim->w;

    sim->w = NULL; /* printing frees it */
    xlp_json_close_array(w);
    xlp_json_put_string(w, "title", result->title);
    xlp_json_put_double(w, "time_s", (double)result->time_ns / 1e9);
    xlp_json_put_int(w, "ticks", result->ticks);
    xlp_json_put_int(w, "moves", result->moves);
    xlp_json_put_int(w, "reversals", result->reversals);
    xlp_json_put_double(w, "work_s", result->work_s);
    xlp_json_put_double(w, "entitled_s", result->entitled_s);
    xlp_json_put_int(w, "weight_writes", result->weight_writes);
    xlp_json_put_int(w, "target_writes", result->target_writes);
    xlp_json_put_int(w, "target_flips", result->target_flips);
    xlp_json_put_double(w, "deficit_mib_s", result->deficit_mib_s);
    if (report_write(&sim->report, w) < 0) {
        xlp_json_writer_free(w);
        return cli_out_of_memory();
    }
    xlp_json_put_bool(w, "passed", result->passed);
    xlp_json_write_key(w, "expectations");
    xlp_json_open_array(w);
    for (size_t i = 0; i < result->verdict_count; i++) {
        xlp_json_open_object(w);
        xlp_json_put_bool(w, "passed", result->verdicts[i].passed);
        xlp_json_put_int(w, "line", result->verdicts[i].line);
        xlp_json_put_string(w, "text", result->verdicts[i].text);
        xlp_json_close_object(w);
    }
    xlp_json_close_array(w);
    return cli_json_print(w);
}

static enum cli_exit open_output(const struct cli *cli, struct simulation *sim, char **text,
                                 size_t *size)
{
    if (cli->json) {
        sim->w = cli_json_start();
        if (!sim->w)
            return cli_out_of_memory();
        xlp_json_write_key(sim->w, "actions");
        xlp_json_open_array(sim->w);
        return CLI_DONE;
    }
    sim->actions = open_memstream(text, size);
    return sim->actions ? CLI_DONE : cli_out_of_memory();
}

static enum cli_exit simulate(const char *path, const struct cli *cli, const char *picture,
                              struct simulation *sim, char **text)
{
    struct xlp_trial_result result;
    enum cli_exit exit_code = run_trial(path, cli, sim, &result);

    if (exit_code != CLI_DONE)
        return exit_code;
    if (sim->actions) {
        fflush(sim->actions); /* now *text is all of it */
        exit_code = tell_in_text(sim, &result, *text);
    } else {
        exit_code = tell_in_json(sim, &result);
    }
    if (exit_code == CLI_DONE && picture)
        exit_code = picture_write(picture, &sim->series, result.title);
    if (exit_code == CLI_DONE && !result.passed)
        exit_code = CLI_FAILED;
    xlp_trial_result_dispose(&result);
    return exit_code;
}

enum cli_exit cmd_simulate(const struct cli *cli, const struct command_line *line)
{
    struct simulation sim = {.trace = false};
    const char *picture = NULL;
    char *text = NULL;
    size_t size;
    enum cli_exit exit_code;

    for (int i = 0; i < line->option_count; i++) {
        if (line->options[i].letter == 't')
            sim.trace = true;
        if (line->options[i].letter == 'o')
            picture = line->options[i].value;
    }
    report_init(&sim.report);
    series_init(&sim.series);
    exit_code = picture_check(picture);
    if (exit_code == CLI_DONE)
        exit_code = open_output(cli, &sim, &text, &size);
    if (exit_code == CLI_DONE)
        exit_code = simulate(line->operands[0], cli, picture, &sim, &text);
    if (sim.actions)
        fclose(sim.actions);
    free(text);
    xlp_json_writer_free(sim.w);
    report_dispose(&sim.report);
    series_dispose(&sim.series);
    return exit_code;
}
