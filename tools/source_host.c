/* SPDX-License-Identifier: LGPL-2.1-only */
#include "source_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/host.h"
#include "progress.h"

struct host_reader {
    const char *spec;
    struct xlp_host *host;
    struct xlp_engine *engine;
    struct xlp_policy policy;
    struct xlp_snapshot snapshot; /* the last */
    struct xlp_plan plan;
};

static int open_all(const struct cli *cli, struct host_reader *r, unsigned int flags,
                    enum cli_exit *exit_code_out);
static int watch_ticks(struct host_reader *r, uint32_t ticks);

enum cli_exit source_read_host(const struct cli *cli, const char *spec, struct source *source_out)
{
    enum cli_exit exit_code;
    struct host_reader *r = host_reader_open(cli, spec, 0, &exit_code);

    if (!r)
        return exit_code;
    if (watch_ticks(r, cli->ticks) < 0) {
        cli_error("%s", host_reader_error(r));
        exit_code = CLI_FAILED;
    } else {
        exit_code = host_reader_copy(r, source_out);
    }
    snprintf(source_out->name, sizeof(source_out->name), "%s, watched for %u tick%s", spec,
             cli->ticks, cli->ticks == 1 ? "" : "s");
    host_reader_close(r);
    return exit_code;
}

static int watch_ticks(struct host_reader *r, uint32_t ticks)
{
    struct progress progress;
    int more = 1;

    if (host_reader_look(r) < 0)
        return -1;
    progress_start(&progress, "watching the host, ticks", ticks);
    for (uint32_t i = 0; i < ticks && more > 0; i++) {
        more = xlp_host_wait_until(r->host, host_reader_now_ns(r) + host_reader_tick_ns(r), NULL);
        if (more > 0 && host_reader_look(r) < 0)
            more = -1;
        progress_tell(&progress, i + 1);
    }
    progress_end(&progress);
    return more < 0 ? -1 : 0;
}

/* ---- one that is open ---- */

struct host_reader *host_reader_open(const struct cli *cli, const char *spec, unsigned int flags,
                                     enum cli_exit *exit_code_out)
{
    struct host_reader *r = calloc(1, sizeof(*r));

    if (!r) {
        *exit_code_out = cli_out_of_memory();
        return NULL;
    }
    r->spec = spec;
    xlp_policy_init(&r->policy);
    xlp_snapshot_init(&r->snapshot);
    xlp_plan_init(&r->plan);
    if (open_all(cli, r, flags, exit_code_out) == 0)
        return r;
    host_reader_close(r);
    return NULL;
}

static int open_all(const struct cli *cli, struct host_reader *r, unsigned int flags,
                    enum cli_exit *exit_code_out)
{
    char error[XLP_HOST_ERROR_SIZE] = "";
    bool no_host = false;

    *exit_code_out = cli_apply_settings(cli, &r->policy);
    if (*exit_code_out != CLI_DONE)
        return -1;
    r->host = xlp_host_open(r->spec, XLP_HOST_READ_ONLY | flags, &no_host, error, sizeof(error));
    if (!r->host) {
        cli_error("%s", error);
        *exit_code_out = no_host ? CLI_NOTHING_THERE : CLI_FAILED;
        return -1;
    }
    r->engine = xlp_engine_new();
    if (r->engine)
        return 0;
    *exit_code_out = cli_out_of_memory();
    return -1;
}

void host_reader_close(struct host_reader *r)
{
    if (!r)
        return;
    xlp_engine_free(r->engine);
    if (r->host)
        r->host->ops->close(r->host);
    xlp_plan_dispose(&r->plan);
    xlp_snapshot_dispose(&r->snapshot);
    xlp_policy_dispose(&r->policy);
    free(r);
}

int host_reader_look(struct host_reader *r)
{
    if (r->host->ops->observe(r->host, &r->snapshot) < 0)
        return -1;
    if (xlp_engine_decide(r->engine, &r->snapshot, &r->policy, &r->plan) < 0) {
        snprintf(r->host->error, sizeof(r->host->error), "out of memory");
        return -1;
    }
    xlp_engine_explain(r->engine, &r->snapshot, &r->plan);
    return 0;
}

int host_reader_wait(struct host_reader *r, uint64_t until_ns, struct pollfd *fds, nfds_t fd_count)
{
    return r->host->ops->wait(r->host, until_ns, fds, fd_count);
}

uint64_t host_reader_now_ns(const struct host_reader *r)
{
    return r->host->ops->now_ns(r->host);
}

uint64_t host_reader_tick_ns(const struct host_reader *r)
{
    return (uint64_t)r->policy.tick_ms * 1000000;
}

const char *host_reader_error(const struct host_reader *r)
{
    return xlp_host_error(r->host);
}

/* ---- what it shows ---- */

static void *copy_of(const void *array, size_t count, size_t size)
{
    void *copy = calloc(count ? count : 1, size);

    if (copy && count)
        memcpy(copy, array, count * size);
    return copy;
}

enum cli_exit host_reader_copy(struct host_reader *r, struct source *source)
{
    size_t pcpu_count, vcpu_count, domain_count;
    const struct xlp_pcpu_view *pcpus = xlp_engine_pcpu_views(r->engine, &pcpu_count);
    const struct xlp_vcpu_view *vcpus = xlp_engine_vcpu_views(r->engine, &vcpu_count);
    const struct xlp_domain_view *domains = xlp_engine_domain_views(r->engine, &domain_count);

    source->pcpus = copy_of(pcpus, pcpu_count, sizeof(*pcpus));
    source->vcpus = copy_of(vcpus, vcpu_count, sizeof(*vcpus));
    source->domains = copy_of(domains, domain_count, sizeof(*domains));
    if (!source->pcpus || !source->vcpus || !source->domains ||
        xlp_policy_copy(&source->policy, &r->policy) < 0)
        return cli_out_of_memory();
    snprintf(source->name, sizeof(source->name), "%s", r->spec);
    source->snapshot = r->snapshot;
    xlp_snapshot_init(&r->snapshot);
    source->plan = r->plan;
    xlp_plan_init(&r->plan);
    return CLI_DONE;
}
