/* SPDX-License-Identifier: LGPL-2.1-only */
/* The commands of the control socket: one table, one function each. */
#include "control_commands.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config_dom0.h"
#include "cycle.h"
#include "overrides.h"
#include "request.h"
#include "trial.h"

#define NS_PER_S       1000000000
#define NS_PER_US      1000
#define REQUEST_VALUES 16
#define ARGUMENTS_MAX  4

struct command {
    const char *name;
    const char *arguments[ARGUMENTS_MAX]; /* the keys it takes, NULL where there is none */
    bool acts;                            /* only for peers that may act */
    request_run *run;
};

static int run_adopt(struct daemon *d, struct request *r);
static int run_history(struct daemon *d, struct request *r);
static int run_mode(struct daemon *d, struct request *r);
static int run_ping(struct daemon *d, struct request *r);
static int run_release(struct daemon *d, struct request *r);
static int run_reload(struct daemon *d, struct request *r);
static int run_state(struct daemon *d, struct request *r);
static int run_status(struct daemon *d, struct request *r);

static const struct command commands[] = {
    {"adopt", {"domain"}, true, run_adopt},
    {"history", {"since_s", "last"}, false, run_history},
    {"mode", {"mode"}, true, run_mode},
    {"ping", {NULL}, false, run_ping},
    {"rebalance", {"dry_run"}, true, request_rebalance},
    {"release", {"domain"}, true, run_release},
    {"reload", {NULL}, true, run_reload},
    {"reservations", {NULL}, false, request_reservations},
    {"reserve", {"min_kib", "max_kib", "ttl_s", "name"}, true, request_reserve},
    {"set", {"domain", "settings"}, true, request_set},
    {"state", {NULL}, false, run_state},
    {"status", {NULL}, false, run_status},
    {"transfer", {"reservation", "domain"}, true, request_transfer},
    {"trial", {"for_s"}, true, request_trial},
    {"unreserve", {"reservation"}, true, request_unreserve},
};

static const struct command *read_request(const struct xlp_json *root, struct request *r);
static void answer(struct daemon *d, const struct command *command, struct request *r);
static void answer_state(struct daemon *d, const struct command *command, struct request *r);
struct xlp_json_writer *control_commands_answer(void *context, const struct control_peer *peer,
                                                const char *line, size_t length,
                                                struct xlp_json_writer *reply)
{
    struct request r = {.peer = peer, .last = HISTORY_ENTRIES, .w = reply};
    const struct command *command = NULL;
    struct daemon *d = context;
    struct xlp_json *root;
    char error[256];

    root = xlp_json_parse(line, length, REQUEST_VALUES, error, sizeof(error));
    if (root)
        command = read_request(root, &r);
    else
        request_refuse(&r, EXIT_CODE_USAGE, "the request is not JSON: %s", error);
    if (command && command->acts && !peer->may_act) {
        request_refuse(&r, EXIT_CODE_REFUSED, "refused: only root may change anything");
        command = NULL;
    }
    if (command && command->run == run_state)
        answer_state(d, command, &r);
    else if (command)
        answer(d, command, &r);
    if (command && command->acts)
        d->state_current = false;
    if (r.exit_code)
        control_reply_error(r.w, r.exit_code, "%s", r.error);
    xlp_json_free(root);
    return r.w;
}

static void answer(struct daemon *d, const struct command *command, struct request *r)
{
    xlp_json_open_object(r->w);
    xlp_json_put_int(r->w, "xlpolicy", XLP_FORMAT_VERSION);
    xlp_json_put_bool(r->w, "ok", true);
    xlp_json_write_key(r->w, "result");
    xlp_json_open_object(r->w);
    command->run(d, r);
    xlp_json_close_object(r->w);
    xlp_json_close_object(r->w);
}

/* The longest reply of all is put together once a tick, however many ask for it and how often. */
static void answer_state(struct daemon *d, const struct command *command, struct request *r)
{
    r->w = d->state_reply;
    if (d->state_current)
        return;
    xlp_json_writer_reset(r->w);
    answer(d, command, r);
    d->state_current = true;
}

/* ---- reading a request ---- */

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

/* NULL with r->error when it is not one of our requests. */
static const struct command *read_request(const struct xlp_json *root, struct request *r)
{
    const char *known[2 + ARGUMENTS_MAX + 1] = {"xlpolicy", "command"};
    const struct command *command;
    const char *name = "";
    int64_t version = 0;
    struct xlp_json_reader reader;
    char error[256];

    xlp_json_reader_init(&reader, error, sizeof(error));
    if (xlp_json_kind(root) != XLP_JSON_OBJECT)
        xlp_json_fail(&reader, root, "a request is an object");
    xlp_json_read_int(&reader, root, "xlpolicy", XLP_JSON_REQUIRED, 1, 1000000, &version);
    xlp_json_read_string(&reader, root, "command", XLP_JSON_REQUIRED, &name);
    if (xlp_json_done(&reader) < 0) {
        request_refuse(r, EXIT_CODE_USAGE, "the request is wrong: %s", error);
        return NULL;
    }
    if (version != XLP_FORMAT_VERSION) {
        request_refuse(r, EXIT_CODE_USAGE, "protocol version %lld is not known here, only %d",
                       (long long)version, XLP_FORMAT_VERSION);
        return NULL;
    }
    command = find_command(name);
    if (!command) {
        request_refuse(r, EXIT_CODE_USAGE, "there is no command \"%.40s\"", name);
        return NULL;
    }
    memcpy(known + 2, command->arguments, sizeof(command->arguments));
    xlp_json_check_keys(&reader, root, known);
    xlp_json_read_string(&reader, root, "mode", XLP_JSON_OPTIONAL, &r->mode);
    xlp_json_read_string(&reader, root, "domain", XLP_JSON_OPTIONAL, &r->domain);
    xlp_json_read_string(&reader, root, "settings", XLP_JSON_OPTIONAL, &r->settings);
    xlp_json_read_double(&reader, root, "since_s", XLP_JSON_OPTIONAL, 0, 1e9, &r->since_s);
    xlp_json_read_int(&reader, root, "last", XLP_JSON_OPTIONAL, 1, HISTORY_ENTRIES, &r->last);
    request_read_reservation(&reader, root, r);
    xlp_json_read_bool(&reader, root, "dry_run", XLP_JSON_OPTIONAL, &r->dry_run);
    xlp_json_read_double(&reader, root, "for_s", XLP_JSON_OPTIONAL, 0, 1e9, &r->for_s);
    if (xlp_json_done(&reader) < 0) {
        request_refuse(r, EXIT_CODE_USAGE, "the request is wrong: %s", error);
        return NULL;
    }
    return command;
}

int request_refuse(struct request *r, int exit_code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(r->error, sizeof(r->error), format, arguments);
    va_end(arguments);
    r->exit_code = exit_code;
    return -1;
}

/* ---- asking ---- */

static void put_seconds(struct xlp_json_writer *w, const char *key, uint64_t ns)
{
    xlp_json_put_double(w, key, (double)(ns / NS_PER_US) / 1e6);
}

static void put_counts(struct xlp_json_writer *w, const char *key, const uint64_t *counts)
{
    xlp_json_write_key(w, key);
    xlp_json_open_object(w);
    for (int code = 0; code < XLP_REASON_COUNT; code++)
        if (counts[code])
            xlp_json_put_u64(w, xlp_reason_name(code), counts[code]);
    xlp_json_close_object(w);
}

static void put_string_or_null(struct xlp_json_writer *w, const char *key, const char *text)
{
    xlp_json_write_key(w, key);
    if (text)
        xlp_json_write_string(w, text);
    else
        xlp_json_write_null(w);
}

static int run_ping(struct daemon *d, struct request *r)
{
    (void)d;
    xlp_json_put_string(r->w, "version", XLP_VERSION);
    return 0;
}

/* How long until all is put back; null: there is no trial. */
static void put_trial(struct xlp_json_writer *w, const struct daemon *d)
{
    uint64_t now_ns = d->host->ops->now_ns(d->host), due_ns = trial_due_ns(d);

    xlp_json_write_key(w, "trial_left_s");
    if (due_ns == UINT64_MAX)
        xlp_json_write_null(w);
    else
        xlp_json_write_double(w,
                              due_ns > now_ns ? (double)((due_ns - now_ns) / NS_PER_US) / 1e6 : 0);
}

/* What xl would do with dom0's memory, as its configuration is now. */
static void put_autoballoon(struct xlp_json_writer *w, const struct daemon *d)
{
    char text[512];
    bool contested = config_dom0_is_contested(&d->config.policy, XL_CONF_PATH, text, sizeof(text));

    put_string_or_null(w, "autoballoon", contested ? text : NULL);
}

static int run_status(struct daemon *d, struct request *r)
{
    const struct counters *n = &d->counters;
    struct xlp_json_writer *w = r->w;

    xlp_json_put_string(w, "version", XLP_VERSION);
    xlp_json_put_int(w, "pid", getpid());
    xlp_json_put_string(w, "mode", config_mode_name(d->mode));
    xlp_json_put_bool(w, "dry_run", d->options->dry_run);
    put_trial(w, d);
    xlp_json_put_string(w, "host", d->options->host);
    put_string_or_null(w, "config", d->config_found ? d->options->config_path : NULL);
    put_seconds(w, "uptime_s", d->host->ops->now_ns(d->host) - d->started_ns);
    xlp_json_put_int(w, "tick_ms", d->config.policy.tick_ms);
    xlp_json_put_u64(w, "ticks", n->ticks);
    xlp_json_put_u64(w, "ticks_missed", n->ticks_missed);
    xlp_json_put_u64(w, "ticks_failed", n->ticks_failed);
    xlp_json_put_bool(w, "failing", d->failing);
    put_seconds(w, "tick_s", n->tick_ns);
    put_counts(w, "done", n->done);
    put_counts(w, "not_done", n->not_done);
    put_string_or_null(w, "last_error", d->last_error[0] ? d->last_error : NULL);
    if (d->last_error[0])
        put_seconds(w, "last_error_time_s", d->last_error_wall_ns);
    put_autoballoon(w, d);
    xlp_json_put_u64(w, "clients", d->control.client_count);
    return 0;
}

static void put_outcome(struct xlp_json_writer *w, const struct xlp_outcome *outcome)
{
    xlp_json_put_string(w, "outcome", xlp_outcome_name(outcome->code));
    xlp_json_put_string(w, "detail", outcome->detail);
}

static void put_outcomes(struct xlp_json_writer *w, const struct outcomes *outcomes)
{
    xlp_json_write_key(w, "outcomes");
    xlp_json_open_array(w);
    for (size_t i = 0; i < outcomes->count; i++) {
        xlp_json_open_object(w);
        put_outcome(w, &outcomes->at[i]);
        xlp_json_close_object(w);
    }
    xlp_json_close_array(w);
}

static void put_views(struct xlp_json_writer *w, const struct xlp_engine *engine)
{
    size_t pcpu_count, vcpu_count, domain_count;
    const struct xlp_pcpu_view *pcpus = xlp_engine_pcpu_views(engine, &pcpu_count);
    const struct xlp_vcpu_view *vcpus = xlp_engine_vcpu_views(engine, &vcpu_count);
    const struct xlp_domain_view *domains = xlp_engine_domain_views(engine, &domain_count);

    xlp_json_write_key(w, "pcpu_views");
    xlp_json_open_array(w);
    for (size_t i = 0; i < pcpu_count; i++)
        xlp_pcpu_view_write(w, &pcpus[i]);
    xlp_json_close_array(w);
    xlp_json_write_key(w, "vcpu_views");
    xlp_json_open_array(w);
    for (size_t i = 0; i < vcpu_count; i++)
        xlp_vcpu_view_write(w, &vcpus[i]);
    xlp_json_close_array(w);
    xlp_json_write_key(w, "domain_views");
    xlp_json_open_array(w);
    for (size_t i = 0; i < domain_count; i++)
        xlp_domain_view_write(w, &domains[i]);
    xlp_json_close_array(w);
}

static int run_state(struct daemon *d, struct request *r)
{
    struct xlp_json_writer *w = r->w;

    if (d->counters.ticks == 0)
        return request_refuse(r, EXIT_CODE_FAILED, "the host has not been looked at yet%s%s",
                              d->last_error[0] ? ": " : "", d->last_error);
    xlp_json_write_key(w, "status");
    xlp_json_open_object(w);
    run_status(d, r);
    xlp_json_close_object(w);
    xlp_json_write_key(w, "policy");
    xlp_policy_write(w, &d->config.policy);
    xlp_json_write_key(w, "overrides");
    overrides_write_all(d, w);
    xlp_json_write_key(w, "snapshot");
    xlp_snapshot_write(w, &d->snapshot);
    xlp_engine_explain(d->engine, &d->snapshot, &d->plan);
    xlp_json_write_key(w, "plan");
    xlp_plan_write(w, &d->plan);
    put_outcomes(w, &d->outcomes);
    put_views(w, d->engine);
    return 0;
}

static int run_history(struct daemon *d, struct request *r)
{
    size_t count = history_count(&d->history), last = (size_t)r->last;
    uint64_t now = daemon_wall_ns();
    uint64_t age = (uint64_t)(r->since_s * NS_PER_S);
    uint64_t from = r->since_s > 0 && age < now ? now - age : 0;
    char text[1000];

    xlp_json_write_key(r->w, "entries");
    xlp_json_open_array(r->w);
    for (size_t i = count > last ? count - last : 0; i < count; i++) {
        const struct history_entry *entry = history_at(&d->history, i);

        if (entry->wall_ns < from)
            continue;
        xlp_json_open_object(r->w);
        put_seconds(r->w, "time_s", entry->wall_ns);
        xlp_json_write_key(r->w, "action");
        xlp_action_write(r->w, &entry->action);
        put_outcome(r->w, &entry->outcome);
        xlp_json_put_string(
            r->w, "text", xlp_outcome_format(&entry->action, &entry->outcome, text, sizeof(text)));
        xlp_json_close_object(r->w);
    }
    xlp_json_close_array(r->w);
    xlp_json_put_u64(r->w, "forgotten", d->history.added - history_count(&d->history));
    return 0;
}

/* ---- acting ---- */

void request_look_again(struct daemon *d)
{
    uint64_t now_ns = d->host->ops->now_ns(d->host);
    uint64_t gap_ns = xlp_engine_least_gap_ns(&d->config.policy);
    uint64_t measurable_ns = d->snapshot.time_ns + gap_ns + gap_ns / 4; /* not just about */

    d->next_tick_ns = now_ns < measurable_ns ? measurable_ns : now_ns;
    d->control.on_hold = true;
}

const char *request_peer(const struct request *r, char text[REQUEST_PEER_SIZE])
{
    snprintf(text, REQUEST_PEER_SIZE, "uid %u, pid %d", r->peer->uid, r->peer->pid);
    return text;
}

static int run_mode(struct daemon *d, struct request *r)
{
    char who[REQUEST_PEER_SIZE];
    int mode;

    if (!r->mode || config_mode_by_name(r->mode, &mode) < 0)
        return request_refuse(r, EXIT_CODE_USAGE, "mode: should be one of: advise act pause");
    if (mode == CONFIG_ACT && d->mode != CONFIG_ACT && cycle_resume(d) < 0)
        return request_refuse(r, EXIT_CODE_FAILED, "%s", d->last_error);
    xlp_json_put_string(r->w, "was", config_mode_name(d->mode));
    xlp_json_put_bool(r->w, "trial_ended", d->trial.on);
    trial_cancel(d);
    daemon_set_mode(d, mode, request_peer(r, who));
    xlp_json_put_string(r->w, "mode", config_mode_name(d->mode));
    xlp_json_put_bool(r->w, "dry_run", d->options->dry_run);
    request_look_again(d);
    return 0;
}

static int run_reload(struct daemon *d, struct request *r)
{
    char who[REQUEST_PEER_SIZE], error[512];

    if (daemon_reload(d, request_peer(r, who), error, sizeof(error)) < 0)
        return request_refuse(r, EXIT_CODE_FAILED, "%s", error);
    put_string_or_null(r->w, "config", d->config_found ? d->options->config_path : NULL);
    xlp_json_put_string(r->w, "mode", config_mode_name(d->mode));
    request_look_again(d);
    return 0;
}

const struct xlp_domain *request_find_domain(const struct xlp_snapshot *s, struct request *r)
{
    const struct xlp_domain *domain = xlp_snapshot_find_domain(s, r->domain);

    if (!domain)
        request_refuse(r, EXIT_CODE_FAILED, "no domain \"%.64s\" here; `xlpolicy list` shows them",
                       r->domain);
    return domain;
}

/* No name is all. */
static int find_domid(const struct xlp_snapshot *s, struct request *r, uint32_t *domid_out)
{
    const struct xlp_domain *domain = r->domain ? request_find_domain(s, r) : NULL;

    *domid_out = domain ? domain->domid : XLP_UNKNOWN;
    return r->domain && !domain ? -1 : 0;
}

void request_put_actions(struct request *r, const struct xlp_plan *plan,
                         const struct outcomes *outcomes)
{
    char text[1000];

    xlp_json_write_key(r->w, "actions");
    xlp_json_open_array(r->w);
    for (size_t i = 0; i < plan->action_count; i++) {
        xlp_json_open_object(r->w);
        xlp_json_write_key(r->w, "action");
        xlp_action_write(r->w, &plan->actions[i]);
        put_outcome(r->w, &outcomes->at[i]);
        xlp_json_put_string(
            r->w, "text",
            xlp_outcome_format(&plan->actions[i], &outcomes->at[i], text, sizeof(text)));
        xlp_json_close_object(r->w);
    }
    xlp_json_close_array(r->w);
}

/* Carries out, at once and in every mode, what an operator's command comes down to. */
static int run_plan(struct daemon *d, struct request *r,
                    int (*make)(const struct xlp_snapshot *, uint32_t, struct xlp_plan *))
{
    struct outcomes outcomes = {0};
    struct xlp_plan plan;
    uint32_t domid;
    int made, rc = -1;

    xlp_plan_init(&plan);
    if (xlp_host_observe_afresh(d->host, &d->fresh) < 0) {
        request_refuse(r, EXIT_CODE_FAILED, "%s", xlp_host_error(d->host));
        goto out;
    }
    if (find_domid(&d->fresh, r, &domid) < 0)
        goto out;
    made = make(&d->fresh, domid, &plan);
    if (made == XLP_PLAN_REFUSED) {
        request_refuse(r, EXIT_CODE_REFUSED, "adopt: refused: dom0's vCPUs are left alone");
        goto out;
    }
    if (made < 0 || cycle_apply(d, &plan, &outcomes) < 0) {
        request_refuse(r, EXIT_CODE_FAILED, "out of memory");
        goto out;
    }
    request_put_actions(r, &plan, &outcomes);
    request_look_again(d);
    rc = 0;
out:
    free(outcomes.at);
    xlp_plan_dispose(&plan);
    return rc;
}

static int run_adopt(struct daemon *d, struct request *r)
{
    return run_plan(d, r, xlp_plan_adopt);
}

/* Releasing everything ends acting, too, or the next tick would take it all back. */
static int run_release(struct daemon *d, struct request *r)
{
    char who[REQUEST_PEER_SIZE];

    if (!r->domain)
        trial_cancel(d);
    if (!r->domain && d->mode == CONFIG_ACT)
        daemon_set_mode(d, CONFIG_ADVISE, request_peer(r, who));
    if (run_plan(d, r, xlp_plan_release) < 0)
        return -1;
    xlp_json_put_string(r->w, "mode", config_mode_name(d->mode));
    return 0;
}
