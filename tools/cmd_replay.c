/* SPDX-License-Identifier: LGPL-2.1-only */
/* replay: decide again, from a recording, what was decided then, or what other settings would have
 * decided. */
#include "commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json/record.h"
#include "picture.h"
#include "progress.h"
#include "xlpolicy.h"

#define LINE_SIZE 1024

struct replay {
    const struct cli *cli;
    struct xlp_recording *recording;
    struct xlp_engine *engine;
    struct xlp_policy policy;
    struct xlp_snapshot snapshot;
    struct xlp_plan recorded, plan, before; /* before: the plan of the tick before */
    struct series series;
    struct xlp_json_writer *w; /* with --json */
    struct progress progress;

    uint64_t first_ns;
    size_t ticks, actions;
    size_t recorded_plans, differing;
    double first_difference_s;
};

/* ---- comparing ---- */

/* As JSON, plans are equal byte for byte or they are not equal. -1 when memory is out. */
static int plans_differ(const struct xlp_plan *a, const struct xlp_plan *b)
{
    struct xlp_json_writer *wa = xlp_json_writer_new(false), *wb = xlp_json_writer_new(false);
    const char *text_a = NULL, *text_b = NULL;
    int result = -1;

    if (wa && wb) {
        xlp_plan_write(wa, a);
        xlp_plan_write(wb, b);
        text_a = xlp_json_text(wa, NULL);
        text_b = xlp_json_text(wb, NULL);
    }
    if (text_a && text_b)
        result = strcmp(text_a, text_b) != 0;
    xlp_json_writer_free(wa);
    xlp_json_writer_free(wb);
    return result;
}

/* A tick that was recorded without a plan has no verdicts either. Other settings decide otherwise,
 * of course. */
static int compare(struct replay *r, double time_s)
{
    int differ;

    if (r->recorded.verdict_count == 0 || r->cli->setting_count)
        return 0;
    differ = plans_differ(&r->recorded, &r->plan);
    if (differ < 0)
        return -1;
    r->recorded_plans++;
    if (differ && r->differing++ == 0)
        r->first_difference_s = time_s;
    return 0;
}

/* ---- running ---- */

/* A recording does not follow what is decided now, so much is decided again tick after tick. */
static bool is_news(const struct replay *r, const struct xlp_action *action)
{
    for (size_t i = 0; i < r->before.action_count; i++) {
        const struct xlp_action *old = &r->before.actions[i];

        if (old->kind == action->kind && old->domid == action->domid && old->vcpu == action->vcpu &&
            old->to_pcpu == action->to_pcpu && old->to_kib == action->to_kib)
            return false;
    }
    return true;
}

static void tell_tick(struct replay *r, double time_s)
{
    char text[LINE_SIZE];

    for (size_t i = 0; i < r->plan.action_count; i++) {
        const struct xlp_action *action = &r->plan.actions[i];

        if (!is_news(r, action))
            continue;
        r->actions++;
        if (!r->w) {
            progress_end(&r->progress);
            printf("%9.1f s  %s\n", time_s, xlp_action_format(action, text, sizeof(text)));
            continue;
        }
        xlp_json_open_object(r->w);
        xlp_json_put_double(r->w, "time_s", time_s);
        xlp_json_write_key(r->w, "action");
        xlp_action_write(r->w, action);
        xlp_json_close_object(r->w);
    }
}

static void keep_plan(struct replay *r)
{
    struct xlp_plan plan = r->before;

    r->before = r->plan;
    r->plan = plan; /* its buffers are used again */
}

/* 1; 0 at the end; -1 when it cannot go on, and the error has been printed. */
static int replay_tick(struct replay *r)
{
    char error[512];
    double time_s;
    int more = xlp_recording_next(r->recording, &r->snapshot, &r->recorded, error, sizeof(error));

    if (more < 0)
        cli_error("%s", error);
    if (more <= 0)
        return more;
    if (r->ticks++ == 0)
        r->first_ns = r->snapshot.time_ns;
    time_s = (double)(r->snapshot.time_ns - r->first_ns) / 1e9;
    if (xlp_policy_copy(&r->policy, xlp_recording_policy(r->recording)) < 0)
        goto out_of_memory;
    if (cli_apply_settings(r->cli, &r->policy) != CLI_DONE)
        return -1;
    if (xlp_engine_decide(r->engine, &r->snapshot, &r->policy, &r->plan) < 0)
        goto out_of_memory;
    xlp_engine_explain(r->engine, &r->snapshot, &r->plan);
    if (series_add(&r->series, &r->snapshot) < 0 || series_plan(&r->series, &r->plan) < 0 ||
        compare(r, time_s) < 0)
        goto out_of_memory;
    tell_tick(r, time_s);
    keep_plan(r);
    return 1;
out_of_memory:
    cli_out_of_memory();
    return -1;
}

static double length_s(const struct replay *r)
{
    return r->ticks ? (double)(r->snapshot.time_ns - r->first_ns) / 1e9 : 0;
}

static void tell_text(const struct replay *r)
{
    const char *note = xlp_recording_note(r->recording);

    printf("%s%zu ticks over %.1f s, %zu actions decided.\n", r->actions ? "\n" : "", r->ticks,
           length_s(r), r->actions);
    if (r->cli->setting_count)
        printf("Not compared with what was recorded: --set was given.\n");
    else if (r->recorded_plans == 0)
        printf("No plans were recorded to compare with.\n");
    else if (r->differing)
        printf("Decided otherwise in %zu of %zu ticks, first at %.1f s: recorded by another "
               "version, or not from its start.\n",
               r->differing, r->recorded_plans, r->first_difference_s);
    else
        printf("All %zu plans are the recorded ones.\n", r->recorded_plans);
    if (note[0])
        printf("%s\n", note);
}

static enum cli_exit tell_json(struct replay *r)
{
    struct xlp_json_writer *w = r->w;

    r->w = NULL; /* printing frees it */
    xlp_json_close_array(w);
    xlp_json_put_u64(w, "ticks", r->ticks);
    xlp_json_put_double(w, "time_s", length_s(r));
    xlp_json_put_u64(w, "compared", r->recorded_plans);
    xlp_json_put_u64(w, "differing", r->differing);
    return cli_json_print(w);
}

static enum cli_exit run_replay(struct replay *r, const char *path, const char *picture)
{
    enum cli_exit exit_code = CLI_DONE;
    const char *name = strrchr(path, '/');
    int more;

    if (picture_check(picture) != CLI_DONE)
        return CLI_FAILED;
    if (r->cli->json) {
        r->w = cli_json_start();
        if (!r->w)
            return cli_out_of_memory();
        xlp_json_write_key(r->w, "actions");
        xlp_json_open_array(r->w);
    }
    progress_start(&r->progress, "deciding again, tick", 0);
    while ((more = replay_tick(r)) > 0)
        progress_tell(&r->progress, r->ticks);
    progress_end(&r->progress);
    if (more < 0)
        return CLI_FAILED;
    if (r->w)
        exit_code = tell_json(r);
    else
        tell_text(r);
    if (exit_code == CLI_DONE && picture)
        exit_code = picture_write(picture, &r->series, name ? name + 1 : path);
    return exit_code == CLI_DONE && r->differing ? CLI_FAILED : exit_code;
}

/* The other file that one may have at hand; what the parser makes of it as a recording helps
 * nobody.
 */
static bool is_scenario(const char *path)
{
    const size_t size_max = (size_t)1 << 20;
    char error[256];
    struct xlp_json *root = xlp_json_parse_file(path, size_max, error, sizeof(error));
    bool found = root && xlp_json_get(root, "xlpolicy_scenario");

    xlp_json_free(root);
    return found;
}

enum cli_exit cmd_replay(const struct cli *cli, const struct command_line *line)
{
    const char *path = line->operands[0];
    struct replay r = {.cli = cli};
    enum cli_exit exit_code = CLI_FAILED;
    char error[512];

    xlp_policy_init(&r.policy);
    xlp_snapshot_init(&r.snapshot);
    xlp_plan_init(&r.recorded);
    xlp_plan_init(&r.plan);
    xlp_plan_init(&r.before);
    series_init(&r.series);
    r.engine = xlp_engine_new();
    r.recording = xlp_recording_open(path, error, sizeof(error));
    if (!r.recording && is_scenario(path))
        cli_error("%s: is a scenario, not a recording: `xlpolicy simulate` runs it", path);
    else if (!r.recording)
        cli_error("%s", error);
    else if (!r.engine)
        cli_out_of_memory();
    else
        exit_code = run_replay(&r, path, line->option_count ? line->options[0].value : NULL);
    xlp_json_writer_free(r.w);
    if (r.recording)
        xlp_recording_close(r.recording);
    xlp_engine_free(r.engine);
    series_dispose(&r.series);
    xlp_plan_dispose(&r.plan);
    xlp_plan_dispose(&r.before);
    xlp_plan_dispose(&r.recorded);
    xlp_snapshot_dispose(&r.snapshot);
    xlp_policy_dispose(&r.policy);
    return exit_code;
}
