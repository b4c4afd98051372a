/* SPDX-License-Identifier: LGPL-2.1-only */
/* Facts read from the host itself, here and now, without a daemon and without changing anything. */
#include "source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/host.h"

struct watch {
    struct xlp_host *host;
    struct xlp_engine *engine;
    struct xlp_policy policy;
    struct xlp_snapshot snapshot; /* the last */
    struct xlp_plan plan;
};

static int watch_host(struct watch *w, uint32_t ticks);
static int keep_result(struct watch *w, struct source *source_out);

enum cli_exit source_read_host(const struct cli *cli, const char *spec, struct source *source_out)
{
    char error[XLP_HOST_ERROR_SIZE] = "";
    struct watch w = {0};
    enum cli_exit exit_code = CLI_FAILED;
    bool no_host = false;

    xlp_policy_init(&w.policy);
    xlp_snapshot_init(&w.snapshot);
    xlp_plan_init(&w.plan);
    exit_code = cli_apply_settings(cli, &w.policy);
    if (exit_code != CLI_DONE)
        goto out;
    exit_code = CLI_FAILED;
    w.host = xlp_host_open(spec, XLP_HOST_READ_ONLY, &no_host, error, sizeof(error));
    if (!w.host) {
        cli_error("%s", error);
        exit_code = no_host ? CLI_NOTHING_THERE : CLI_FAILED;
        goto out;
    }
    w.engine = xlp_engine_new();
    if (!w.engine) {
        exit_code = cli_out_of_memory();
        goto out;
    }
    if (watch_host(&w, cli->ticks) < 0) {
        cli_error("%s", xlp_host_error(w.host));
        goto out;
    }
    if (keep_result(&w, source_out) < 0) {
        exit_code = cli_out_of_memory();
        goto out;
    }
    snprintf(source_out->name, sizeof(source_out->name), "%s, watched for %u tick%s", spec,
             cli->ticks, cli->ticks == 1 ? "" : "s");
    exit_code = CLI_DONE;
out:
    xlp_engine_free(w.engine);
    if (w.host)
        w.host->ops->close(w.host);
    xlp_plan_dispose(&w.plan);
    xlp_snapshot_dispose(&w.snapshot);
    xlp_policy_dispose(&w.policy);
    return exit_code;
}

static int look(struct watch *w)
{
    if (w->host->ops->observe(w->host, &w->snapshot) < 0)
        return -1;
    if (xlp_engine_decide(w->engine, &w->snapshot, &w->policy, &w->plan) < 0) {
        snprintf(w->host->error, sizeof(w->host->error), "out of memory");
        return -1;
    }
    return 0;
}

static int watch_host(struct watch *w, uint32_t ticks)
{
    uint64_t tick_ns = (uint64_t)w->policy.tick_ms * 1000000;

    if (look(w) < 0)
        return -1;
    for (uint32_t i = 0; i < ticks; i++) {
        uint64_t now_ns = w->host->ops->now_ns(w->host);
        int more = xlp_host_wait_until(w->host, now_ns + tick_ns, NULL);

        if (more <= 0)
            return more;
        if (look(w) < 0)
            return -1;
    }
    return 0;
}

static void *copy_of(const void *array, size_t count, size_t size)
{
    void *copy = calloc(count ? count : 1, size);

    if (copy && count)
        memcpy(copy, array, count * size);
    return copy;
}

/* Moves the last snapshot and plan over and copies the engine's views, which end with it. */
static int keep_result(struct watch *w, struct source *source_out)
{
    size_t pcpu_count, vcpu_count, domain_count;
    const struct xlp_pcpu_view *pcpus = xlp_engine_pcpu_views(w->engine, &pcpu_count);
    const struct xlp_vcpu_view *vcpus = xlp_engine_vcpu_views(w->engine, &vcpu_count);
    const struct xlp_domain_view *domains = xlp_engine_domain_views(w->engine, &domain_count);

    source_out->pcpus = copy_of(pcpus, pcpu_count, sizeof(*pcpus));
    source_out->vcpus = copy_of(vcpus, vcpu_count, sizeof(*vcpus));
    source_out->domains = copy_of(domains, domain_count, sizeof(*domains));
    if (!source_out->pcpus || !source_out->vcpus || !source_out->domains)
        return -1;
    source_out->policy = w->policy;
    xlp_policy_init(&w->policy);
    source_out->snapshot = w->snapshot;
    xlp_snapshot_init(&w->snapshot);
    source_out->plan = w->plan;
    xlp_plan_init(&w->plan);
    return 0;
}
