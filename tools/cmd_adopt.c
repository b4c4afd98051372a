/* SPDX-License-Identifier: LGPL-2.1-only */
/* adopt, release: hand guests over to the manager, and take them back. The daemon does it; with an
 * explicit --host it is done from here, as when there is no daemon any more. */
#include "commands.h"

#include <stdio.h>
#include <string.h>

#include "../daemon/config.h"
#include "daemon_request.h"
#include "outcome.h"
#include "release_memory.h"
#include "source.h"

struct errand {
    const char *command; /* "adopt" or "release" */
    const char *domain;  /* NULL: all */
};

static enum cli_exit ask_daemon(const struct cli *cli, const struct errand *errand);
static enum cli_exit do_it_here(const struct cli *cli, const struct errand *errand);

static enum cli_exit run_errand(const struct cli *cli, const struct command_line *line)
{
    struct errand errand = {.command = line->command->name};
    bool all = line->option_count > 0; /* --all is the only option */

    if (all == (line->operand_count == 1))
        return cli_usage_error(errand.command, "%s: needs either DOM or --all", errand.command);
    errand.domain = all ? NULL : line->operands[0];
    if (cli->host && strcmp(cli->host, "daemon") != 0)
        return do_it_here(cli, &errand);
    return ask_daemon(cli, &errand);
}

enum cli_exit cmd_adopt(const struct cli *cli, const struct command_line *line)
{
    return run_errand(cli, line);
}

enum cli_exit cmd_release(const struct cli *cli, const struct command_line *line)
{
    return run_errand(cli, line);
}

static void print_nothing_to_do(const struct errand *errand)
{
    printf("Nothing to do: %s%s\n", errand->domain ? errand->domain : "all domains",
           strcmp(errand->command, "adopt") == 0 ? ": managed already"
                                                 : ": nothing of ours to undo");
}

/* ---- by the daemon ---- */

static const char *write_request(struct xlp_json_writer *w, const struct errand *errand)
{
    xlp_json_open_object(w);
    xlp_json_put_int(w, "xlpolicy", XLP_FORMAT_VERSION);
    xlp_json_put_string(w, "command", errand->command);
    if (errand->domain)
        xlp_json_put_string(w, "domain", errand->domain);
    xlp_json_close_object(w);
    return xlp_json_text(w, NULL);
}

static enum cli_exit print_json(const struct xlp_json *actions, const char *mode)
{
    struct xlp_json_writer *w = cli_json_start();

    if (!w)
        return cli_out_of_memory();
    xlp_json_write_key(w, "actions");
    daemon_copy_json(w, actions);
    if (mode)
        xlp_json_put_string(w, "mode", mode);
    return cli_json_print(w);
}

static enum cli_exit tell_result(const struct cli *cli, const struct errand *errand,
                                 const struct xlp_json *result)
{
    const struct xlp_json *actions = daemon_array(cli, result, "actions");
    /* The daemon stops acting when all is released, or it would take all back at once. */
    const char *mode = daemon_string(result, "mode");
    struct outcome_tally tally = {0};

    if (!actions)
        return CLI_FAILED;
    outcome_count_all(actions, &tally);
    if (cli->json && print_json(actions, mode) != CLI_DONE)
        return CLI_FAILED;
    if (!cli->json && tally.actions == 0)
        print_nothing_to_do(errand);
    if (!cli->json) {
        outcome_print_all(actions);
        if (mode)
            printf("xlpolicyd is in mode %s\n", mode);
    }
    return outcome_exit(&tally);
}

static enum cli_exit send_or_say(const struct cli *cli, const struct errand *errand,
                                 const char *request)
{
    const struct xlp_json *result;
    struct xlp_json *reply = NULL;
    enum cli_exit exit_code;
    char text[128];

    if (cli->dry_run) {
        snprintf(text, sizeof(text), "%s %s", errand->command,
                 errand->domain ? errand->domain : "all domains");
        return daemon_would_send(cli, request, text);
    }
    exit_code = daemon_request(cli, request, false, &reply, &result);
    if (exit_code == CLI_DONE)
        exit_code = tell_result(cli, errand, result);
    xlp_json_free(reply);
    return exit_code;
}

static enum cli_exit ask_daemon(const struct cli *cli, const struct errand *errand)
{
    struct xlp_json_writer *w = xlp_json_writer_new(false);
    const char *request = w ? write_request(w, errand) : NULL;
    enum cli_exit exit_code = request ? send_or_say(cli, errand, request) : cli_out_of_memory();

    xlp_json_writer_free(w);
    return exit_code;
}

/* ---- from here ---- */

static struct xlp_host *open_host(const struct cli *cli, enum cli_exit *exit_code_out)
{
    char error[XLP_HOST_ERROR_SIZE];
    bool no_host = false;
    struct xlp_host *host = xlp_host_open(cli->host, cli->dry_run ? XLP_HOST_READ_ONLY : 0,
                                          &no_host, error, sizeof(error));

    if (!host) {
        cli_error("%s", error);
        *exit_code_out = no_host ? CLI_NOTHING_THERE : CLI_FAILED;
        return NULL;
    }
    if (cli->dry_run)
        host = xlp_host_dry_run(host);
    if (!host)
        *exit_code_out = cli_out_of_memory();
    return host;
}

static enum cli_exit make_plan(const struct errand *errand, const struct xlp_snapshot *snapshot,
                               struct xlp_plan *plan_out)
{
    const struct xlp_domain *domain = NULL;
    uint32_t domid = XLP_UNKNOWN;
    int result;

    if (errand->domain) {
        domain = source_find_domain(snapshot, errand->domain);
        if (!domain)
            return CLI_FAILED;
        domid = domain->domid;
    }
    if (strcmp(errand->command, "adopt") == 0)
        result = xlp_plan_adopt(snapshot, domid, plan_out);
    else
        result = xlp_plan_release(snapshot, domid, plan_out);
    if (result == XLP_PLAN_REFUSED) {
        cli_error("adopt: refused: dom0's vCPUs are left alone");
        return CLI_REFUSED;
    }
    return result < 0 ? cli_out_of_memory() : CLI_DONE;
}

struct told {
    struct xlp_json_writer *w; /* NULL: as text */
    struct outcome_tally tally;
    unsigned int left;
};

static void tell_action(void *arg, const struct xlp_action *action,
                        const struct xlp_outcome *outcome)
{
    struct told *told = arg;

    outcome_count(&told->tally, outcome->code);
    if (told->w)
        outcome_write(told->w, -1, action, outcome);
    else
        outcome_print(stdout, action, outcome);
}

static void tell_left(void *arg, const struct xlp_verdict *verdict)
{
    struct told *told = arg;
    char text[512];

    told->left++;
    cli_error("%s: %s", verdict->name, xlp_reason_format(&verdict->memory, text, sizeof(text)));
}

/* Memory goes back in steps; a dry run takes none. A configuration that is wrong does not keep
 * anybody from putting things back. */
static int go_on(const struct cli *cli, struct xlp_host *host, struct told *told)
{
    const struct release_memory_listener listener = {told, tell_action, tell_left};
    struct xlp_policy policy;
    char error[512];
    int rc;

    xlp_policy_init(&policy);
    if (strcmp(cli->host, "xen") == 0 &&
        release_memory_policy(CONFIG_DEFAULT_PATH, &policy, error, sizeof(error)) < 0)
        cli_error("%s; going by the defaults", error);
    rc = release_memory(host, &policy, &listener);
    if (rc < 0)
        cli_error("%s", xlp_host_error(host));
    xlp_policy_dispose(&policy);
    return rc;
}

static enum cli_exit apply_plan(const struct cli *cli, const struct errand *errand,
                                struct xlp_host *host, const struct xlp_plan *plan)
{
    struct told told = {.w = cli->json ? cli_json_start() : NULL};
    bool has_steps = strcmp(errand->command, "release") == 0 && !cli->dry_run;
    int rc;

    if (cli->json && !told.w)
        return cli_out_of_memory();
    if (told.w) {
        xlp_json_write_key(told.w, "actions");
        xlp_json_open_array(told.w);
    }
    for (size_t i = 0; i < plan->action_count; i++) {
        struct xlp_outcome outcome;

        host->ops->apply(host, &plan->actions[i], &outcome);
        tell_action(&told, &plan->actions[i], &outcome);
    }
    rc = has_steps ? go_on(cli, host, &told) : 0;
    if (told.w) {
        xlp_json_close_array(told.w);
        if (cli_json_print(told.w) != CLI_DONE)
            return CLI_FAILED;
    }
    return rc < 0 || told.left > 0 ? CLI_FAILED : outcome_exit(&told.tally);
}

/* "done" would be believed. */
static void warn_of_its_end(const struct cli *cli, const struct errand *errand)
{
    if (strncmp(cli->host, "sim:", 4) == 0 && !cli->dry_run)
        cli_error(
            "%s: nothing of it remains: the simulated host ends with this command; `xlpolicyd "
            "-F --host sim:FILE` keeps one",
            errand->command);
}

static enum cli_exit do_it_here(const struct cli *cli, const struct errand *errand)
{
    struct xlp_snapshot snapshot;
    struct xlp_plan plan;
    enum cli_exit exit_code = CLI_FAILED;
    struct xlp_host *host = open_host(cli, &exit_code);

    if (!host)
        return exit_code;
    xlp_snapshot_init(&snapshot);
    xlp_plan_init(&plan);
    if (host->ops->observe(host, &snapshot) < 0)
        cli_error("%s", xlp_host_error(host));
    else
        exit_code = make_plan(errand, &snapshot, &plan);
    if (exit_code == CLI_DONE && plan.action_count == 0 && !cli->json)
        print_nothing_to_do(errand);
    else if (exit_code == CLI_DONE)
        exit_code = apply_plan(cli, errand, host, &plan);
    if (plan.action_count > 0)
        warn_of_its_end(cli, errand);
    xlp_plan_dispose(&plan);
    xlp_snapshot_dispose(&snapshot);
    host->ops->close(host);
    return exit_code;
}
