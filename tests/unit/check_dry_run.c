/* SPDX-License-Identifier: LGPL-2.1-only */
/* A dry run passes everything on to the host it wraps, except what would change that host. */
#include "check_main.h"

#include <stdio.h>
#include <string.h>

#include "host/host.h"

/* A host that counts what is asked of it. */
struct recorder {
    struct xlp_host base;
    bool fails, afresh;
    int observed, applied, waited, closed;
    uint64_t waited_until_ns;
};

static struct recorder inner;

static int rc_of(struct recorder *r)
{
    if (r->fails)
        snprintf(r->base.error, sizeof(r->base.error), "the wrapped host says no");
    return r->fails ? -1 : 0;
}

static int recorder_observe(struct xlp_host *host, struct xlp_snapshot *s)
{
    struct recorder *r = (struct recorder *)host;

    r->observed++;
    r->afresh = host->afresh;
    s->time_ns = 42;
    return rc_of(r);
}

static void recorder_apply(struct xlp_host *host, const struct xlp_action *action,
                           struct xlp_outcome *outcome_out)
{
    (void)action;
    ((struct recorder *)host)->applied++;
    outcome_out->code = XLP_DONE;
}

static uint64_t recorder_now_ns(struct xlp_host *host)
{
    (void)host;
    return 4711;
}

static int recorder_wait(struct xlp_host *host, uint64_t until_ns, struct pollfd *fds,
                         nfds_t fd_count)
{
    struct recorder *r = (struct recorder *)host;

    r->waited++;
    r->waited_until_ns = until_ns;
    if (fd_count)
        fds[0].revents = POLLIN;
    return r->fails ? rc_of(r) : XLP_WAKE_FD;
}

static void recorder_close(struct xlp_host *host)
{
    ((struct recorder *)host)->closed++;
}

static const struct xlp_host_ops recorder_ops = {
    .name = "recorder",
    .observe = recorder_observe,
    .apply = recorder_apply,
    .now_ns = recorder_now_ns,
    .wait = recorder_wait,
    .close = recorder_close,
};

static struct xlp_host *dry_run_of_recorder(bool fails)
{
    struct xlp_host *host;

    memset(&inner, 0, sizeof(inner));
    inner.base.ops = &recorder_ops;
    inner.fails = fails;
    host = xlp_host_dry_run(&inner.base);
    ck_assert_ptr_nonnull(host);
    ck_assert_str_eq(host->ops->name, "dry-run");
    return host;
}

START_TEST(no_action_reaches_the_wrapped_host)
{
    struct xlp_host *host = dry_run_of_recorder(false);

    for (int kind = 0; kind < XLP_ACTION_KINDS; kind++) {
        struct xlp_action action = {.kind = kind, .domid = 1};
        struct xlp_outcome outcome = {.code = XLP_DONE};

        host->ops->apply(host, &action, &outcome);
        ck_assert_int_eq(outcome.code, XLP_NOT_DONE_DRY_RUN);
        ck_assert_str_ne(outcome.detail, "");
    }
    ck_assert_int_eq(inner.applied, 0);
    host->ops->close(host);
}
END_TEST

START_TEST(looks_time_and_waiting_are_the_wrapped_hosts)
{
    struct xlp_host *host = dry_run_of_recorder(false);
    struct xlp_snapshot s = {0};
    struct pollfd fd = {.fd = -1};

    ck_assert_int_eq(xlp_host_observe_afresh(host, &s), 0);
    ck_assert(inner.afresh);
    ck_assert_int_eq(host->ops->observe(host, &s), 0);
    ck_assert(!inner.afresh);
    ck_assert_uint_eq(s.time_ns, 42);
    ck_assert_uint_eq(host->ops->now_ns(host), 4711);
    ck_assert_int_eq(host->ops->wait(host, 5000, &fd, 1), XLP_WAKE_FD);
    ck_assert_uint_eq(inner.waited_until_ns, 5000);
    ck_assert_int_eq(fd.revents, POLLIN);
    host->ops->close(host);
}
END_TEST

START_TEST(a_failure_comes_with_the_wrapped_hosts_explanation)
{
    struct xlp_host *host = dry_run_of_recorder(true);
    struct xlp_snapshot s = {0};

    ck_assert_int_eq(host->ops->observe(host, &s), -1);
    ck_assert_str_eq(xlp_host_error(host), "the wrapped host says no");
    host->error[0] = '\0';
    ck_assert_int_eq(host->ops->wait(host, 0, NULL, 0), -1);
    ck_assert_str_eq(xlp_host_error(host), "the wrapped host says no");
    host->ops->close(host);
}
END_TEST

START_TEST(closing_it_closes_the_wrapped_host_once)
{
    struct xlp_host *host = dry_run_of_recorder(false);

    host->ops->close(host);
    ck_assert_int_eq(inner.closed, 1);
}
END_TEST

CHECK_CASE(dry_run, no_action_reaches_the_wrapped_host,
           looks_time_and_waiting_are_the_wrapped_hosts,
           a_failure_comes_with_the_wrapped_hosts_explanation,
           closing_it_closes_the_wrapped_host_once)
CHECK_MAIN("dry_run", dry_run)
