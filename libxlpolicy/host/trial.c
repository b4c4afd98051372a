/* SPDX-License-Identifier: LGPL-2.1-only */
/* Running a trial: observe, decide, act, wait, as the daemon does, on a simulated host. */
#include "host/trial.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "grow.h"
#include "host/trial_judge.h"
#include "memory/reserve.h"

struct trial {
    struct xlp_sim *sim;
    struct xlp_engine *engine;
    struct xlp_judge *judge;
    struct xlp_policy policy;
    struct xlp_snapshot snapshot;
    struct xlp_plan plan;
    struct xlp_outcome *outcomes;
    size_t outcome_room;
    bool advising; /* since all was released */
    const struct xlp_trial_options *options;
    struct xlp_trial_result *result;

    /* for the observer */
    struct xlp_trial_pcpu *pcpus;
    struct xlp_trial_guest *guests;
    double *idle_ns, *run_ns, *work_ns; /* [pcpu], [slot], [slot] at the tick before */
    uint64_t told_ns;

    char *error;
    size_t error_size;
};

static int start(struct trial *t, const char *path);
static int run(struct trial *t);
static int tick(struct trial *t);
static int run_commands(struct trial *t);
static int collect(struct trial *t);
static void tell(struct trial *t);
static void dispose(struct trial *t);

int xlp_trial_run(const char *path, const struct xlp_trial_options *options,
                  struct xlp_trial_result *result_out, char *error, size_t error_size)
{
    static const struct xlp_trial_options none;
    struct xlp_trial_result result = {0};
    struct trial t = {.options = options ? options : &none,
                      .result = &result,
                      .error = error,
                      .error_size = error_size};
    int rc = -1;

    xlp_policy_init(&t.policy);
    xlp_snapshot_init(&t.snapshot);
    xlp_plan_init(&t.plan);
    if (start(&t, path) < 0 || run(&t) < 0 || collect(&t) < 0)
        goto out;
    *result_out = result;
    rc = 0;
out:
    if (rc < 0)
        xlp_trial_result_dispose(&result);
    dispose(&t);
    return rc;
}

void xlp_trial_result_dispose(struct xlp_trial_result *result)
{
    free(result->verdicts);
    memset(result, 0, sizeof(*result));
}

static int out_of_memory(struct trial *t)
{
    snprintf(t->error, t->error_size, "out of memory");
    return -1;
}

/* ---- before and after ---- */

static int override_setting(struct trial *t, const char *text)
{
    const char *equals = strchr(text, '=');
    char name[64];

    if (!equals || equals - text >= (ptrdiff_t)sizeof(name)) {
        snprintf(t->error, t->error_size, "\"%s\" should be NAME=VALUE", text);
        return -1;
    }
    snprintf(name, sizeof(name), "%.*s", (int)(equals - text), text);
    return xlp_policy_set(&t->policy, name, equals + 1, t->error, t->error_size);
}

static void probe(void *arg, struct xlp_sim *sim, uint64_t from_ns, uint64_t to_ns)
{
    (void)sim;
    xlp_judge_step(arg, from_ns, to_ns);
}

static int start(struct trial *t, const char *path)
{
    struct xlp_sim_scenario *scenario = xlp_sim_scenario_read_file(path, t->error, t->error_size);

    if (!scenario)
        return -1;
    t->sim = xlp_sim_new(scenario, 0, t->error, t->error_size);
    if (!t->sim)
        return -1;
    if (xlp_policy_copy(&t->policy, &scenario->policy) < 0)
        return out_of_memory(t);
    for (size_t i = 0; t->options->settings && t->options->settings[i]; i++)
        if (override_setting(t, t->options->settings[i]) < 0)
            return -1;
    if (xlp_policy_check(&t->policy, t->error, t->error_size) < 0)
        return -1;
    t->engine = xlp_engine_new();
    t->judge = xlp_judge_new(t->sim, (uint64_t)t->policy.tick_ms * 1000000);
    t->pcpus = calloc(t->sim->pcpu_count, sizeof(*t->pcpus));
    t->guests = calloc(t->sim->domain_count, sizeof(*t->guests));
    t->idle_ns = calloc(t->sim->pcpu_count, sizeof(double));
    t->run_ns = calloc(t->sim->domain_count, sizeof(double));
    t->work_ns = calloc(t->sim->domain_count, sizeof(double));
    if (!t->engine || !t->judge || !t->pcpus || !t->guests || !t->idle_ns || !t->run_ns ||
        !t->work_ns)
        return out_of_memory(t);
    t->sim->probe = probe;
    t->sim->probe_arg = t->judge;
    return 0;
}

static int collect(struct trial *t)
{
    struct xlp_trial_result *r = t->result;
    size_t count = t->sim->scenario->expect_count;

    r->verdicts = calloc(count + 1, sizeof(*r->verdicts));
    if (!r->verdicts)
        return out_of_memory(t);
    snprintf(r->title, sizeof(r->title), "%s", t->sim->scenario->title);
    r->verdict_count = count;
    r->passed = true;
    for (size_t i = 0; i < count; i++) {
        xlp_judge_verdict(t->judge, i, &r->verdicts[i]);
        r->passed = r->passed && r->verdicts[i].passed;
    }
    r->time_ns = t->sim->now_ns;
    r->deficit_mib_s = xlp_judge_deficit_mib_s(t->judge);
    r->work_s = xlp_judge_work_s(t->judge);
    r->entitled_s = xlp_judge_entitled_s(t->judge);
    for (size_t i = 0; i < t->sim->domain_count; i++) {
        r->moves += t->sim->domains[i].moves;
        r->reversals += t->sim->domains[i].reversals;
        r->weight_writes += t->sim->domains[i].weight_writes;
        r->target_writes += t->sim->domains[i].target_writes;
        r->target_flips += t->sim->domains[i].target_flips;
    }
    return 0;
}

static void dispose(struct trial *t)
{
    xlp_engine_free(t->engine);
    xlp_judge_free(t->judge);
    if (t->sim)
        t->sim->host.ops->close(&t->sim->host);
    xlp_policy_dispose(&t->policy);
    xlp_snapshot_dispose(&t->snapshot);
    xlp_plan_dispose(&t->plan);
    free(t->outcomes);
    free(t->pcpus);
    free(t->guests);
    free(t->idle_ns);
    free(t->run_ns);
    free(t->work_ns);
}

/* ---- the loop ---- */

static int run(struct trial *t)
{
    struct xlp_host *host = &t->sim->host;
    uint64_t next_ns = 0;
    int wake = 0;

    while (!(wake & XLP_WAKE_END)) {
        if (tick(t) < 0)
            return -1;
        next_ns += (uint64_t)t->policy.tick_ms * 1000000;
        do {
            wake = host->ops->wait(host, next_ns, NULL, 0);
            if (wake < 0) {
                snprintf(t->error, t->error_size, "%s", xlp_host_error(host));
                return -1;
            }
            if (run_commands(t) < 0)
                return -1;
        } while (!(wake & (XLP_WAKE_TIME | XLP_WAKE_END)));
        /* After a pause of the daemon its ticks stay on the grid. */
        while (next_ns < t->sim->now_ns)
            next_ns += (uint64_t)t->policy.tick_ms * 1000000;
    }
    return 0;
}

static int apply_plan(struct trial *t)
{
    struct xlp_host *host = &t->sim->host;

    if (xlp_grow(&t->outcomes, &t->outcome_room, t->plan.action_count, sizeof(*t->outcomes)) < 0)
        return out_of_memory(t);
    for (size_t i = 0; i < t->plan.action_count; i++) {
        host->ops->apply(host, &t->plan.actions[i], &t->outcomes[i]);
        t->result->outcomes[t->outcomes[i].code]++;
        xlp_judge_outcome(t->judge, t->outcomes[i].code);
    }
    xlp_judge_round(t->judge);
    return 0;
}

static int observe(struct trial *t)
{
    struct xlp_host *host = &t->sim->host;

    if (host->ops->observe(host, &t->snapshot) == 0)
        return 0;
    snprintf(t->error, t->error_size, "%s", xlp_host_error(host));
    return -1;
}

static void drop_advice(struct xlp_plan *plan)
{
    size_t kept = 0;

    for (size_t i = 0; i < plan->action_count; i++)
        if (xlp_action_is_commanded(&plan->actions[i]))
            plan->actions[kept++] = plan->actions[i];
    plan->action_count = kept;
}

static int tick(struct trial *t)
{
    if (observe(t) < 0)
        return -1;
    if (xlp_engine_decide(t->engine, &t->snapshot, &t->policy, &t->plan) < 0)
        return out_of_memory(t);
    if (t->advising)
        drop_advice(&t->plan);
    if (apply_plan(t) < 0)
        return -1;
    t->result->ticks++;
    if (t->options->tick)
        tell(t);
    return 0;
}

/* ---- what the daemon's operator does ---- */

/* For so long it does nothing. */
static void stall_daemon(struct trial *t, uint64_t down_ns)
{
    uint64_t up_ns = t->sim->now_ns + down_ns;

    if (up_ns > t->sim->scenario->run_ns)
        up_ns = t->sim->scenario->run_ns;
    xlp_sim_advance(t->sim, up_ns, false);
}

/* The engine's memory goes with the daemon; the host's ledger stays. */
static int restart_daemon(struct trial *t, uint64_t down_ns)
{
    xlp_engine_free(t->engine);
    t->engine = xlp_engine_new();
    if (!t->engine)
        return out_of_memory(t);
    stall_daemon(t, down_ns);
    xlp_sim_forget_seen(t->sim);
    return 0;
}

static int make_plan(struct trial *t, enum xlp_sim_event_kind command, uint32_t domid)
{
    switch (command) {
    case XLP_SIM_ADOPT: return xlp_plan_adopt(&t->snapshot, domid, &t->plan);
    case XLP_SIM_ACT: t->advising = false; return xlp_plan_resume(&t->snapshot, domid, &t->plan);
    default:
        t->advising = t->advising || domid == XLP_UNKNOWN;
        return xlp_plan_release(&t->snapshot, domid, &t->plan);
    }
}

static int operate(struct trial *t, const struct xlp_sim_event *event)
{
    uint32_t domid = XLP_UNKNOWN;

    if (event->guest != SIZE_MAX) {
        if (!t->sim->domains[event->guest + 1].alive)
            return 0;
        domid = t->sim->domains[event->guest + 1].domid;
    }
    if (observe(t) < 0)
        return -1;
    return make_plan(t, event->kind, domid) < 0 ? out_of_memory(t) : apply_plan(t);
}

static int make_reservation_plan(struct trial *t, const struct xlp_sim_event *event)
{
    struct xlp_reservation wanted = {
        .min_kib = event->min_kib, .max_kib = event->memory_kib, .ttl_left_ns = event->ttl_ns};
    const struct xlp_domain *to;
    struct xlp_reason why_not;

    memcpy(wanted.name, event->name, sizeof(wanted.name));
    switch (event->kind) {
    case XLP_SIM_RESERVE:
        return xlp_plan_reserve(&t->snapshot, &t->policy, &wanted, &t->plan, &why_not);
    case XLP_SIM_TRANSFER:
        to = xlp_snapshot_domain(&t->snapshot, t->sim->domains[event->guest + 1].domid);
        return to ? xlp_plan_transfer(&t->snapshot, event->reservation, to, &t->plan, &why_not)
                  : XLP_PLAN_REFUSED;
    default: return xlp_plan_unreserve(&t->snapshot, event->reservation, &t->plan, &why_not);
    }
}

/* What is refused shows in that there is no reservation then. */
static int reserve(struct trial *t, const struct xlp_sim_event *event)
{
    int made;

    if (observe(t) < 0)
        return -1;
    made = make_reservation_plan(t, event);
    if (made == XLP_PLAN_REFUSED)
        return 0;
    return made < 0 ? out_of_memory(t) : apply_plan(t);
}

static int change_setting(struct trial *t, const struct xlp_sim_event *event)
{
    if (xlp_policy_set(&t->policy, event->name, event->value, t->error, t->error_size) < 0)
        return -1;
    return xlp_policy_check(&t->policy, t->error, t->error_size);
}

static int run_commands(struct trial *t)
{
    const struct xlp_sim_event *event;
    int rc = 0;

    while (rc == 0 && (event = xlp_sim_next_command(t->sim)) != NULL) {
        if (event->kind == XLP_SIM_KILL_DAEMON)
            rc = restart_daemon(t, event->down_ns);
        else if (event->kind == XLP_SIM_STALL_DAEMON)
            stall_daemon(t, event->down_ns);
        else if (event->kind == XLP_SIM_SETTING)
            rc = change_setting(t, event);
        else if (event->kind >= XLP_SIM_RESERVE)
            rc = reserve(t, event);
        else
            rc = operate(t, event);
    }
    return rc;
}

/* ---- for the observer ---- */

static void look_at_pcpus(struct trial *t, double passed_ns)
{
    for (uint32_t p = 0; p < t->sim->pcpu_count; p++) {
        const struct xlp_sim_pcpu *from = &t->sim->pcpus[p];
        struct xlp_trial_pcpu *to = &t->pcpus[p];

        *to = (struct xlp_trial_pcpu){.id = p, .online = from->online};
        if (passed_ns > 0 && from->online)
            to->used_pct = 100 * (1 - (from->idle_ns - t->idle_ns[p]) / passed_ns);
        t->idle_ns[p] = from->idle_ns;
        for (size_t i = 1; i < t->sim->live_count; i++)
            for (uint32_t k = 0; k < t->sim->live[i]->vcpu_count; k++)
                to->vcpus += xlp_sim_vcpu_part(t->sim, &t->sim->live[i]->vcpus[k], p);
    }
}

static void look_at_guest(struct trial *t, size_t slot, double passed_ns)
{
    const struct xlp_sim_domain *d = &t->sim->domains[slot];
    struct xlp_trial_guest *g = &t->guests[slot - 1];
    double run_ns = 0, work_ns = 0;

    *g = (struct xlp_trial_guest){.name = d->spec->name, .alive = d->alive, .domid = d->domid};
    if (!d->alive) {
        t->run_ns[slot] = t->work_ns[slot] = 0;
        return;
    }
    for (uint32_t k = 0; k < d->vcpu_count; k++) {
        g->wanted_pct += 100 * d->vcpus[k].demand;
        run_ns += d->vcpus[k].run_ns;
        work_ns += d->vcpus[k].work_ns;
    }
    if (passed_ns > 0 && run_ns >= t->run_ns[slot]) {
        g->used_pct = 100 * (run_ns - t->run_ns[slot]) / passed_ns;
        g->work_pct = 100 * (work_ns - t->work_ns[slot]) / passed_ns;
    }
    t->run_ns[slot] = run_ns;
    t->work_ns[slot] = work_ns;
    g->actual_kib = d->memory.actual_kib;
    g->target_kib = d->memory.target_kib;
    g->static_max_kib = d->spec->max_memory_kib;
    g->total_kib = xlp_sim_guest_total_kib(d);
    g->wanted_kib = d->memory.wanted_kib;
    g->short_kib = d->memory.deficit_kib;
}

static void tell(struct trial *t)
{
    double passed_ns = (double)(t->sim->now_ns - t->told_ns);
    struct xlp_trial_tick now = {.time_ns = t->sim->now_ns,
                                 .snapshot = &t->snapshot,
                                 .plan = &t->plan,
                                 .outcomes = t->outcomes,
                                 .engine = t->engine,
                                 .pcpus = t->pcpus,
                                 .pcpu_count = t->sim->pcpu_count,
                                 .guests = t->guests,
                                 .guest_count = t->sim->domain_count - 1,
                                 .host_free_kib = t->sim->free_kib};

    xlp_engine_explain(t->engine, &t->snapshot, &t->plan);
    look_at_pcpus(t, passed_ns);
    for (size_t slot = 1; slot < t->sim->domain_count; slot++)
        look_at_guest(t, slot, passed_ns);
    t->told_ns = t->sim->now_ns;
    t->options->tick(t->options->arg, &now);
}
