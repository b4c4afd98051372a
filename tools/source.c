/* SPDX-License-Identifier: LGPL-2.1-only */
/* Choosing where facts come from, and what is common to all sources. */
#include "source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/host.h"

static enum cli_exit choose_what_is_there(const struct cli *cli, const char **spec_out,
                                          struct source *daemon_out);

enum cli_exit source_read(const struct cli *cli, struct source *source_out)
{
    struct source source;
    const char *spec;
    enum cli_exit exit_code;

    source_init(&source);
    exit_code = source_choose(cli, &spec, &source);
    if (exit_code == CLI_DONE && spec)
        exit_code = source_read_host(cli, spec, &source);
    if (exit_code != CLI_DONE) {
        source_dispose(&source);
        return exit_code;
    }
    if (cli->verbose)
        fprintf(stderr, "xlpolicy: from %s\n", source.name);
    *source_out = source;
    return CLI_DONE;
}

enum cli_exit source_choose(const struct cli *cli, const char **spec_out, struct source *daemon_out)
{
    bool daemon = cli->host && strcmp(cli->host, "daemon") == 0;

    *spec_out = NULL;
    if (daemon && cli->setting_count)
        return cli_usage_error(NULL, "--set: the daemon decides by its own configuration");
    if (daemon && cli->given & CLI_GIVEN_TICKS)
        return cli_usage_error(NULL, "--ticks: the daemon watches all the time");
    if (daemon)
        return source_read_daemon(cli, false, daemon_out);
    if (!cli->host && !cli->setting_count)
        return choose_what_is_there(cli, spec_out, daemon_out);
    *spec_out = cli->host ? cli->host : "xen";
    return CLI_DONE;
}

/* A daemon that is there but does not answer properly is an error: looking past it would show the
 * host without what it knows. */
static enum cli_exit choose_what_is_there(const struct cli *cli, const char **spec_out,
                                          struct source *daemon_out)
{
    static const char same[] = "no Xen here: "; /* not to be said twice */
    char error[XLP_HOST_ERROR_SIZE];
    enum cli_exit exit_code = source_read_daemon(cli, true, daemon_out);
    struct xlp_host *host;
    bool no_host = false;

    if (exit_code == CLI_DONE && cli->given & CLI_GIVEN_TICKS)
        return cli_usage_error(NULL,
                               "--ticks: xlpolicyd on %s answers, and watches all the time; leave "
                               "--ticks out, or look past it with --host xen",
                               cli->socket);
    if (exit_code != CLI_NOTHING_THERE)
        return exit_code;
    host = xlp_host_open("xen", XLP_HOST_READ_ONLY, &no_host, error, sizeof(error));
    if (host) {
        host->ops->close(host);
        *spec_out = "xen";
        return CLI_DONE;
    }
    cli_error("nothing to talk to: no xlpolicyd on %s, and no Xen here: %s", cli->socket,
              strncmp(error, same, strlen(same)) == 0 ? error + strlen(same) : error);
    return no_host ? CLI_NOTHING_THERE : CLI_FAILED;
}

void source_init(struct source *source)
{
    *source = (struct source){.name = ""};
    xlp_policy_init(&source->policy);
    xlp_snapshot_init(&source->snapshot);
    xlp_plan_init(&source->plan);
}

void source_dispose(struct source *source)
{
    xlp_json_free(source->daemon_root);
    xlp_policy_dispose(&source->policy);
    xlp_snapshot_dispose(&source->snapshot);
    xlp_plan_dispose(&source->plan);
    free(source->pcpus);
    free(source->vcpus);
    free(source->domains);
    free(source->entry_lines);
    source_init(source);
}

const struct xlp_domain *source_find_domain(const struct xlp_snapshot *snapshot, const char *text)
{
    const struct xlp_domain *domain = xlp_snapshot_find_domain(snapshot, text);

    if (!domain)
        cli_error("no domain \"%s\" here; `xlpolicy list` shows them", text);
    return domain;
}

enum cli_exit source_show(const struct cli *cli, const struct command_line *line,
                          source_printer *print_text, source_printer *print_json)
{
    struct source_range guests;
    struct source source;
    enum cli_exit exit_code = source_read(cli, &source);

    if (exit_code != CLI_DONE)
        return exit_code;
    exit_code = source_select(&source, line, &guests);
    if (exit_code == CLI_DONE)
        exit_code = cli->json ? print_json(&source, guests) : print_text(&source, guests);
    source_dispose(&source);
    return exit_code;
}

enum cli_exit source_select(const struct source *source, const struct command_line *line,
                            struct source_range *guests_out)
{
    const struct xlp_snapshot *s = &source->snapshot;
    const struct xlp_domain *domain;

    *guests_out = (struct source_range){0, s->domain_count};
    if (line->operand_count == 0)
        return CLI_DONE;
    domain = source_find_domain(s, line->operands[0]);
    if (!domain)
        return CLI_FAILED;
    guests_out->first = (size_t)(domain - s->domains);
    guests_out->end = guests_out->first + 1;
    return CLI_DONE;
}

const char *source_override(const struct source *source, const char *name)
{
    char pattern[XLP_NAME_SIZE];
    size_t length;

    if (!source->overrides || xlp_pattern_of_name(name, pattern) < 0)
        return NULL;
    length = strlen(pattern);
    for (size_t i = 0; i < xlp_json_count(source->overrides); i++) {
        const char *entry = xlp_json_string(xlp_json_at(source->overrides, i));

        if (entry && strncmp(entry, pattern, length) == 0 && entry[length] == ':')
            return entry + length + 1 + strspn(entry + length + 1, " ");
    }
    return NULL;
}
