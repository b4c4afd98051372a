/* SPDX-License-Identifier: LGPL-2.1-only */
#include "release_memory.h"

#include <stdio.h>

#include "../daemon/config.h"

/* No guest is made smaller that was first seen less than a minute ago. */
#define IDLE_NS (90 * UINT64_C(1000000000))

struct release {
    struct xlp_host *host;
    const struct xlp_policy *policy;
    const struct release_memory_listener *listener;
    struct xlp_engine *engine;
    struct xlp_snapshot snapshot;
    struct xlp_plan plan;
};

static int take_all_steps(struct release *r);
static int look(struct release *r);
static bool is_under_way(const struct xlp_domain *d);
static bool any_is_under_way(const struct xlp_snapshot *s);
static unsigned int take_steps(struct release *r);
static int wait_a_tick(struct release *r);

int release_memory(struct xlp_host *host, const struct xlp_policy *policy,
                   const struct release_memory_listener *listener)
{
    struct release r = {.host = host, .policy = policy, .listener = listener};
    int rc = -1;

    xlp_snapshot_init(&r.snapshot);
    xlp_plan_init(&r.plan);
    r.engine = xlp_engine_new();
    if (r.engine)
        rc = take_all_steps(&r);
    else
        snprintf(host->error, sizeof(host->error), "out of memory");
    for (size_t i = 0; rc == 0 && i < r.snapshot.domain_count; i++)
        if (is_under_way(&r.snapshot.domains[i]))
            listener->left(listener->arg, &r.plan.verdicts[i]);
    xlp_engine_free(r.engine);
    xlp_plan_dispose(&r.plan);
    xlp_snapshot_dispose(&r.snapshot);
    return rc;
}

static int take_all_steps(struct release *r)
{
    uint64_t last_ns = r->host->ops->now_ns(r->host);
    int rc = look(r);

    while (rc == 0 && any_is_under_way(&r->snapshot)) {
        if (take_steps(r) > 0)
            last_ns = r->host->ops->now_ns(r->host);
        else if (r->host->ops->now_ns(r->host) - last_ns >= IDLE_NS)
            break;
        rc = wait_a_tick(r);
        if (rc == 0)
            rc = look(r);
    }
    return rc < 0 ? -1 : 0;
}

static int look(struct release *r)
{
    if (r->host->ops->observe(r->host, &r->snapshot) < 0)
        return -1;
    if (xlp_engine_decide(r->engine, &r->snapshot, r->policy, &r->plan) == 0) {
        xlp_engine_explain(r->engine, &r->snapshot, &r->plan);
        return 0;
    }
    snprintf(r->host->error, sizeof(r->host->error), "out of memory");
    return -1;
}

static bool is_under_way(const struct xlp_domain *d)
{
    return d->memory.ledger.recorded && d->memory.ledger.releasing;
}

static bool any_is_under_way(const struct xlp_snapshot *s)
{
    for (size_t i = 0; i < s->domain_count; i++)
        if (is_under_way(&s->domains[i]))
            return true;
    return false;
}

static unsigned int take_steps(struct release *r)
{
    unsigned int taken = 0;

    for (size_t i = 0; i < r->plan.action_count; i++) {
        const struct xlp_action *action = &r->plan.actions[i];
        struct xlp_outcome outcome;

        if (!xlp_action_is_commanded(action))
            continue;
        r->host->ops->apply(r->host, action, &outcome);
        r->listener->step(r->listener->arg, action, &outcome);
        taken += outcome.code == XLP_DONE;
    }
    return taken;
}

/* 1 when the host has no more to show, -1 on failure. */
static int wait_a_tick(struct release *r)
{
    uint64_t until_ns =
        r->host->ops->now_ns(r->host) + (uint64_t)r->policy->tick_ms * UINT64_C(1000000);
    int wake;

    do {
        wake = r->host->ops->wait(r->host, until_ns, NULL, 0);
    } while (wake >= 0 && !(wake & (XLP_WAKE_TIME | XLP_WAKE_END)));
    return wake < 0 ? -1 : (wake & XLP_WAKE_END) != 0;
}

int release_memory_policy(const char *config_path, struct xlp_policy *policy, char *error,
                          size_t error_size)
{
    struct config config;
    int rc;

    config_init(&config);
    rc = config_read(&config, config_path, error, error_size) == CONFIG_WRONG ? -1 : 0;
    if (rc == 0 && xlp_policy_copy(policy, &config.policy) < 0) {
        snprintf(error, error_size, "%s: out of memory", config_path);
        rc = -1;
    }
    config_dispose(&config);
    return rc;
}
