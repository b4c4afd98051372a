/* SPDX-License-Identifier: LGPL-2.1-only */
/* The daemon's parts on a host with one guest that does what the test says. For use with
 * FIXTURE_CASE, and set_up and tear_down below. */
#ifndef XLPOLICY_TESTS_DAEMON_FIXTURE_H
#define XLPOLICY_TESTS_DAEMON_FIXTURE_H

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../../daemon/control_commands.h"
#include "../../daemon/cycle.h"
#include "../../daemon/loop.h"
#include "../../daemon/state.h"
#include "json/json.h"

#define MS UINT64_C(1000000)

/* ---- a host with one guest, whose clock moves when the daemon waits ---- */

struct fake {
    struct xlp_host base;
    uint64_t now_ns, observe_takes_ns;
    uint64_t event_at_ns, event_every_ns; /* 0: never, once */
    uint64_t looks_ns[200];               /* when */
    unsigned int observed, waited, applied;
    unsigned int observe_fails_at, wait_fails_at, ends_at; /* the how manieth call; 0: never */
    unsigned int fails_again;                              /* looks, after the one that failed */
    uint32_t refuses_vcpu;                                 /* XLP_UNKNOWN: none */
    bool releasing;                                        /* its guest's memory */
    bool afresh;                                           /* the last look was to be */
    enum xlp_action_kind applied_last;
};

static int fake_observe(struct xlp_host *host, struct xlp_snapshot *s)
{
    struct fake *fake = (struct fake *)host;
    struct xlp_domain *domain;

    if (fake->observed < sizeof(fake->looks_ns) / sizeof(fake->looks_ns[0]))
        fake->looks_ns[fake->observed] = fake->now_ns;
    fake->observed++;
    fake->afresh = host->afresh;
    fake->now_ns += fake->observe_takes_ns;
    xlp_snapshot_reset(s);
    s->time_ns = fake->now_ns;
    domain = xlp_snapshot_add_domain(s);
    ck_assert_ptr_nonnull(domain);
    snprintf(domain->name, sizeof(domain->name), "look%u", fake->observed);
    if (fake->releasing) {
        domain->domid = 1;
        domain->memory = (struct xlp_domain_memory){
            .actual_kib = 1 << 20,
            .target_kib = 1 << 20,
            .ledger = {true, 1 << 20, 1 << 20, 1 << 20, true},
        };
    }
    if (fake->observe_fails_at == 0 || fake->observed < fake->observe_fails_at ||
        fake->observed > fake->observe_fails_at + fake->fails_again)
        return 0;
    snprintf(host->error, sizeof(host->error), "xenstored does not answer; start it");
    return -1;
}

static void fake_apply(struct xlp_host *host, const struct xlp_action *action,
                       struct xlp_outcome *outcome_out)
{
    struct fake *fake = (struct fake *)host;

    fake->applied++;
    fake->applied_last = action->kind;
    *outcome_out = (struct xlp_outcome){.code = XLP_DONE};
    if (action->vcpu != fake->refuses_vcpu)
        return;
    outcome_out->code = XLP_NOT_DONE_FAILED;
    snprintf(outcome_out->detail, sizeof(outcome_out->detail), "setting affinity: no memory");
}

static uint64_t fake_now_ns(struct xlp_host *host)
{
    return ((struct fake *)host)->now_ns;
}

static int fake_wait(struct xlp_host *host, uint64_t until_ns, struct pollfd *fds, nfds_t fd_count)
{
    struct fake *fake = (struct fake *)host;
    int wake = XLP_WAKE_TIME;

    (void)fds;
    (void)fd_count;
    fake->waited++;
    if (fake->event_at_ns && fake->event_at_ns < until_ns) {
        until_ns = fake->event_at_ns;
        fake->event_at_ns = fake->event_every_ns ? until_ns + fake->event_every_ns : 0;
        wake = XLP_WAKE_EVENT;
    }
    if (until_ns > fake->now_ns)
        fake->now_ns = until_ns;
    if (fake->waited == fake->wait_fails_at)
        return -1;
    return fake->waited == fake->ends_at ? XLP_WAKE_END : wake;
}

static void fake_close(struct xlp_host *host)
{
    (void)host;
}

static const struct xlp_host_ops fake_ops = {
    .name = "fake",
    .observe = fake_observe,
    .apply = fake_apply,
    .now_ns = fake_now_ns,
    .wait = fake_wait,
    .close = fake_close,
};

static const struct options no_options = {.host = "fake"};
static struct fake fake;
static struct daemon d;

static void set_up(void)
{
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    dup2(null, STDERR_FILENO); /* the log */
    close(null);
    fake = (struct fake){.base.ops = &fake_ops, .now_ns = 1000 * MS, .refuses_vcpu = XLP_UNKNOWN};
    ck_assert_int_eq(daemon_init(&d, &no_options), 0);
    d.host = &fake.base;
    d.config.policy.tick_ms = 100;
}

static void tear_down(void)
{
    daemon_dispose(&d);
}

/* The reply to a request of root's: ask("\"mode\",\"mode\":\"act\"") */
static const char *ask(const char *command)
{
    static const struct control_peer root = {.may_act = true};
    static char text[4096];
    char line[128];
    struct xlp_json_writer *reply = xlp_json_writer_new(false);

    ck_assert_ptr_nonnull(reply);
    snprintf(line, sizeof(line), "{\"xlpolicy\":1,\"command\":%s}", command);
    snprintf(text, sizeof(text), "%s",
             xlp_json_text(control_commands_answer(&d, &root, line, strlen(line), reply), NULL));
    xlp_json_writer_free(reply);
    return text;
}

#endif
