/* SPDX-License-Identifier: LGPL-2.1-only */
/* A dry run: another host, all of whose looks are real and none of whose actions are carried out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"

struct dry_run {
    struct xlp_host base;
    struct xlp_host *inner;
};

static int dry_run_observe(struct xlp_host *host, struct xlp_snapshot *s);
static void dry_run_apply(struct xlp_host *host, const struct xlp_action *action,
                          struct xlp_outcome *outcome_out);
static uint64_t dry_run_now_ns(struct xlp_host *host);
static int dry_run_wait(struct xlp_host *host, uint64_t until_ns, struct pollfd *fds,
                        nfds_t fd_count);
static void dry_run_close(struct xlp_host *host);

static const struct xlp_host_ops dry_run_ops = {
    .name = "dry-run",
    .observe = dry_run_observe,
    .apply = dry_run_apply,
    .now_ns = dry_run_now_ns,
    .wait = dry_run_wait,
    .close = dry_run_close,
};

struct xlp_host *xlp_host_dry_run(struct xlp_host *inner)
{
    struct dry_run *dry = calloc(1, sizeof(*dry));

    if (!dry) {
        inner->ops->close(inner);
        return NULL;
    }
    dry->base.ops = &dry_run_ops;
    dry->inner = inner;
    return &dry->base;
}

static struct dry_run *dry_run_of(struct xlp_host *host)
{
    return (struct dry_run *)host;
}

/* A failure is the inner host's, and so is its explanation. */
static int passed_on(struct dry_run *dry, int rc)
{
    if (rc < 0)
        memcpy(dry->base.error, dry->inner->error, sizeof(dry->base.error));
    return rc;
}

static int dry_run_observe(struct xlp_host *host, struct xlp_snapshot *s)
{
    struct dry_run *dry = dry_run_of(host);
    int rc;

    dry->inner->afresh = host->afresh;
    rc = passed_on(dry, dry->inner->ops->observe(dry->inner, s));
    memcpy(dry->base.note, dry->inner->note, sizeof(dry->base.note));
    return rc;
}

static void dry_run_apply(struct xlp_host *host, const struct xlp_action *action,
                          struct xlp_outcome *outcome_out)
{
    (void)host;
    (void)action;
    outcome_out->code = XLP_NOT_DONE_DRY_RUN;
    snprintf(outcome_out->detail, sizeof(outcome_out->detail), "dry run: nothing was changed");
}

static uint64_t dry_run_now_ns(struct xlp_host *host)
{
    struct dry_run *dry = dry_run_of(host);

    return dry->inner->ops->now_ns(dry->inner);
}

static int dry_run_wait(struct xlp_host *host, uint64_t until_ns, struct pollfd *fds,
                        nfds_t fd_count)
{
    struct dry_run *dry = dry_run_of(host);

    return passed_on(dry, dry->inner->ops->wait(dry->inner, until_ns, fds, fd_count));
}

static void dry_run_close(struct xlp_host *host)
{
    struct dry_run *dry = dry_run_of(host);

    dry->inner->ops->close(dry->inner);
    free(dry);
}
