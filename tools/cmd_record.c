/* SPDX-License-Identifier: LGPL-2.1-only */
/* record: watch a host, changing nothing, and write down what is seen and would be planned. */
#include "commands.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "host/host.h"
#include "json/record.h"
#include "picture.h"
#include "progress.h"
#include "when.h"
#include "xlpolicy.h"

#define NS_PER_S  1000000000
#define NS_PER_MS 1000000

struct recording_run {
    struct xlp_host *host;
    struct xlp_engine *engine;
    struct xlp_recorder *recorder;
    struct xlp_policy policy;
    struct xlp_snapshot snapshot;
    struct xlp_plan plan;
    const char *path, *picture; /* picture: NULL for none */
    struct series series;
    size_t ticks;
    char error[PATH_MAX + 128];
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    interrupted = 1;
}

/* Without SA_RESTART, so that a wait ends at once. */
static void catch_interrupts(void)
{
    struct sigaction action = {.sa_handler = on_interrupt};

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* NULL, or what went wrong. */
static const char *record_tick(struct recording_run *run)
{
    if (run->host->ops->observe(run->host, &run->snapshot) < 0)
        return xlp_host_error(run->host);
    if (xlp_engine_decide(run->engine, &run->snapshot, &run->policy, &run->plan) < 0)
        return "out of memory";
    xlp_engine_explain(run->engine, &run->snapshot, &run->plan);
    if (xlp_recorder_add(run->recorder, &run->policy, &run->snapshot, &run->plan) < 0) {
        snprintf(run->error, sizeof(run->error), "cannot write %s: %s", run->path, strerror(errno));
        return run->error;
    }
    if (run->picture &&
        (series_add(&run->series, &run->snapshot) < 0 || series_plan(&run->series, &run->plan) < 0))
        return "out of memory";
    run->ticks++;
    return NULL;
}

static int record_ticks(struct recording_run *run, double for_s)
{
    uint64_t (*clock)(struct xlp_host *) = run->host->ops->now_ns;
    uint64_t tick_ns = (uint64_t)run->policy.tick_ms * NS_PER_MS, end_ns = UINT64_MAX;
    struct progress progress;
    const char *error = NULL;
    int more = 1;

    if (for_s > 0)
        end_ns = clock(run->host) + (uint64_t)(for_s * NS_PER_S);
    progress_start(&progress, "recording (^C ends it), tick", 0);
    while (more > 0 && !(error = record_tick(run)) && clock(run->host) < end_ns) {
        progress_tell(&progress, run->ticks);
        more = xlp_host_wait_until(run->host, clock(run->host) + tick_ns, &interrupted);
    }
    progress_end(&progress);
    if (more < 0)
        error = xlp_host_error(run->host);
    if (error)
        cli_error("%s", error);
    return error ? -1 : 0;
}

static enum cli_exit record_to(struct recording_run *run, double for_s)
{
    enum cli_exit exit_code = CLI_FAILED;
    FILE *file = fopen(run->path, "wxe");

    if (!file) {
        cli_error("cannot write %s: %s%s", run->path, strerror(errno),
                  errno == EEXIST ? "; choose a new name" : "");
        return CLI_FAILED;
    }
    run->engine = xlp_engine_new();
    run->recorder = xlp_recorder_new(file, &run->policy);
    if (run->engine && run->recorder) {
        catch_interrupts();
        exit_code = record_ticks(run, for_s) < 0 ? CLI_FAILED : CLI_DONE;
    } else {
        cli_error("cannot write %s: %s", run->path, strerror(errno));
    }
    xlp_recorder_free(run->recorder);
    xlp_engine_free(run->engine);
    if (fclose(file) != 0 && exit_code == CLI_DONE) {
        cli_error("cannot write %s: %s", run->path, strerror(errno));
        exit_code = CLI_FAILED;
    }
    return exit_code;
}

/* The daemon is not asked: it records itself, with --record, and what it does then is in there. */
static const char *host_to_record(const struct cli *cli)
{
    if (!cli->host)
        return "xen";
    if (strcmp(cli->host, "daemon") != 0)
        return cli->host;
    cli_error(
        "record: records a host, not the daemon; for that start xlpolicyd with --record FILE");
    return NULL;
}

enum cli_exit cmd_record(const struct cli *cli, const struct command_line *line)
{
    struct recording_run run = {.path = line->operands[0]};
    const char *host = host_to_record(cli);
    char error[XLP_HOST_ERROR_SIZE];
    enum cli_exit exit_code;
    bool no_host = false;
    double for_s = 0;

    for (int i = 0; i < line->option_count; i++)
        if (line->options[i].letter == 'o')
            run.picture = line->options[i].value;
        else if (when_parse(line->options[i].value, &for_s) < 0)
            return cli_usage_error("record", "record: --for %s is not like 90s, 5m, 2h or 1d",
                                   line->options[i].value);
    if (!host)
        return CLI_USAGE;
    if (picture_check(run.picture) != CLI_DONE)
        return CLI_FAILED;
    if (cli->dry_run) {
        printf("Would record %s in %s\n", host, run.path);
        return CLI_DONE;
    }
    xlp_policy_init(&run.policy);
    exit_code = cli_apply_settings(cli, &run.policy);
    if (exit_code != CLI_DONE)
        return exit_code;
    run.host = xlp_host_open(host, XLP_HOST_READ_ONLY, &no_host, error, sizeof(error));
    if (!run.host) {
        cli_error("%s", error);
        return no_host ? CLI_NOTHING_THERE : CLI_FAILED;
    }
    xlp_snapshot_init(&run.snapshot);
    xlp_plan_init(&run.plan);
    series_init(&run.series);
    exit_code = record_to(&run, for_s);
    if (exit_code == CLI_DONE)
        fprintf(stderr, "xlpolicy: %zu ticks recorded in %s\n", run.ticks, run.path);
    if (exit_code == CLI_DONE && run.picture)
        exit_code = picture_write(run.picture, &run.series, host);
    series_dispose(&run.series);
    xlp_plan_dispose(&run.plan);
    xlp_snapshot_dispose(&run.snapshot);
    xlp_policy_dispose(&run.policy);
    run.host->ops->close(run.host);
    return exit_code;
}
