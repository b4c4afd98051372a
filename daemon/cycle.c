/* SPDX-License-Identifier: LGPL-2.1-only */
#include "cycle.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

static int observe(struct daemon *d);
static void tell_note(struct daemon *d);
static int decide(struct daemon *d);
static int act(struct daemon *d);
static void go_on_releasing(struct daemon *d);
static void apply(struct daemon *d, const struct xlp_action *action, uint64_t time_ns,
                  struct xlp_outcome *outcome_out);
static void tell(struct daemon *d);
static void record(struct daemon *d);
static int make_room(struct outcomes *outcomes, size_t count);

/* acting: false for a tick that is only told, not even what goes back at a release. */
static int run(struct daemon *d, bool acting)
{
    uint64_t start_ns = daemon_monotonic_ns(); /* a simulated host's own clock stands still */

    d->state_current = false;
    if (observe(d) < 0 || decide(d) < 0 || (acting && act(d) < 0)) {
        d->counters.ticks_failed++;
        d->failing = true;
        return -1;
    }
    tell(d);
    record(d);
    d->counters.ticks++;
    d->counters.tick_ns = daemon_monotonic_ns() - start_ns;
    return 0;
}

int cycle_run(struct daemon *d)
{
    return run(d, true);
}

int cycle_look(struct daemon *d)
{
    return observe(d) < 0 || decide(d) < 0 ? -1 : 0;
}

/* The last snapshot stays until the next one is complete: clients may ask for it meanwhile. */
static int observe(struct daemon *d)
{
    struct xlp_snapshot last = d->snapshot;

    if (d->host->ops->observe(d->host, &d->fresh) < 0) {
        daemon_note_error(d, xlp_host_error(d->host));
        return -1;
    }
    d->snapshot = d->fresh;
    d->fresh = last;
    tell_note(d);
    return 0;
}

static void tell_note(struct daemon *d)
{
    const char *note = xlp_host_note(d->host);

    if (strcmp(note, d->note) == 0)
        return;
    if (*note)
        log_line(LOG_WARNING, "%s", note);
    else
        log_line(LOG_NOTICE, "every domain can be looked at again");
    snprintf(d->note, sizeof(d->note), "%s", note);
}

static int decide(struct daemon *d)
{
    if (xlp_engine_decide(d->engine, &d->snapshot, &d->config.policy, &d->plan) < 0) {
        daemon_note_error(d, "out of memory while deciding");
        return -1;
    }
    return 0;
}

static int act(struct daemon *d)
{
    d->outcomes.count = 0;
    if (d->mode != CONFIG_ACT) {
        go_on_releasing(d);
        return 0;
    }
    if (cycle_apply(d, &d->plan, &d->outcomes) < 0) {
        daemon_note_error(d, "out of memory before acting");
        return -1;
    }
    return 0;
}

/* Memory that the operator released goes back step by step, in every mode: he asked for it. */
static void go_on_releasing(struct daemon *d)
{
    for (size_t i = 0; i < d->plan.action_count; i++) {
        struct xlp_outcome outcome;

        if (xlp_action_is_commanded(&d->plan.actions[i]))
            apply(d, &d->plan.actions[i], d->plan.time_ns, &outcome);
    }
}

/* What was acted on has been told as it happened; this is what would have been. */
static void tell(struct daemon *d)
{
    uint64_t now_ns = d->snapshot.time_ns;

    if (d->failing)
        log_line(LOG_NOTICE, "the host can be observed again");
    d->failing = false;
    if (d->mode == CONFIG_ADVISE)
        for (size_t i = 0; i < d->plan.action_count; i++)
            if (!xlp_action_is_commanded(&d->plan.actions[i]))
                tell_action(&d->tell, &d->plan.actions[i], NULL, now_ns);
    tell_forget(&d->tell, now_ns);
    log_line(LOG_DEBUG, "tick: %zu domains, %zu vCPUs, %zu actions", d->snapshot.domain_count,
             d->snapshot.vcpu_count, d->plan.action_count);
}

/* A full disk ends the recording, not the daemon's work. */
static void record(struct daemon *d)
{
    if (!d->recorder)
        return;
    xlp_engine_explain(d->engine, &d->snapshot, &d->plan);
    if (xlp_recorder_add(d->recorder, &d->config.policy, &d->snapshot, &d->plan) == 0)
        return;
    log_line(LOG_ERR, "recording to %s ends here: %s", d->record_path, strerror(errno));
    daemon_end_record(d);
}

/* In a dry run: what each would come to. */
static int say_would(struct daemon *d)
{
    if (make_room(&d->outcomes, d->plan.action_count) < 0)
        return -1;
    for (size_t i = 0; i < d->plan.action_count; i++)
        d->outcomes.at[i] = (struct xlp_outcome){.code = XLP_NOT_DONE_DRY_RUN};
    d->outcomes.count = d->plan.action_count;
    return 0;
}

int cycle_rebalance(struct daemon *d, bool dry_run)
{
    uint64_t now_ns = d->host->ops->now_ns(d->host);
    int64_t ticks = d->config.policy.cpu_uneven_ticks;
    int mode = d->mode, rc;

    d->config.policy.cpu_uneven_ticks = 1;
    d->mode = dry_run ? CONFIG_PAUSE : CONFIG_ACT;
    d->host->afresh = true;
    rc = run(d, !dry_run);
    if (rc == 0 && dry_run)
        rc = say_would(d);
    d->host->afresh = false;
    d->mode = mode;
    d->config.policy.cpu_uneven_ticks = ticks;
    d->last_tick_ns = now_ns;
    d->next_tick_ns = now_ns + (uint64_t)d->config.policy.tick_ms * 1000000;
    return rc;
}

/* Looks at the host and carries out at once, in every mode, what a command about all domains comes
 * down to. 0 with the outcomes, which the caller frees; or -1. */
static int command_all(struct daemon *d,
                       int (*make)(const struct xlp_snapshot *, uint32_t, struct xlp_plan *),
                       struct outcomes *outcomes_out)
{
    struct xlp_plan plan;
    int rc = -1;

    xlp_plan_init(&plan);
    if (xlp_host_observe_afresh(d->host, &d->fresh) < 0)
        daemon_note_error(d, xlp_host_error(d->host));
    else if (make(&d->fresh, XLP_UNKNOWN, &plan) < 0 || cycle_apply(d, &plan, outcomes_out) < 0)
        daemon_note_error(d, "out of memory before acting");
    else
        rc = 0;
    xlp_plan_dispose(&plan);
    return rc;
}

int cycle_resume(struct daemon *d)
{
    struct outcomes outcomes = {0};
    int rc = command_all(d, xlp_plan_resume, &outcomes);

    free(outcomes.at);
    return rc;
}

int cycle_release_all(struct daemon *d)
{
    struct outcomes outcomes = {0};
    int rc = command_all(d, xlp_plan_release, &outcomes);

    for (size_t i = 0; rc >= 0 && i < outcomes.count; i++)
        rc += outcomes.at[i].code != XLP_DONE && outcomes.at[i].code != XLP_NOT_DONE_DRY_RUN &&
              outcomes.at[i].code != XLP_NOT_DONE_GONE;
    free(outcomes.at);
    return rc;
}

static int make_room(struct outcomes *outcomes, size_t count)
{
    struct xlp_outcome *grown;

    if (count <= outcomes->room)
        return 0;
    grown = reallocarray(outcomes->at, count, sizeof(*grown));
    if (!grown)
        return -1;
    outcomes->at = grown;
    outcomes->room = count;
    return 0;
}

static void apply(struct daemon *d, const struct xlp_action *action, uint64_t time_ns,
                  struct xlp_outcome *outcome_out)
{
    bool done;

    d->host->ops->apply(d->host, action, outcome_out);
    done = outcome_out->code == XLP_DONE;
    if (done)
        xlp_action_lifts_pin(&d->snapshot, action, outcome_out->detail,
                             sizeof(outcome_out->detail));
    (done ? d->counters.done : d->counters.not_done)[action->reason.code]++;
    /* What fails the same way each tick must not push what was done out of the history. */
    if (tell_action(&d->tell, action, outcome_out, time_ns))
        history_add(&d->history, daemon_wall_ns(), action, outcome_out);
    if (outcome_out->code == XLP_NOT_DONE_FAILED)
        daemon_remember_error(d, outcome_out->detail);
}

int cycle_apply(struct daemon *d, const struct xlp_plan *plan, struct outcomes *outcomes_out)
{
    if (make_room(outcomes_out, plan->action_count) < 0)
        return -1;
    for (size_t i = 0; i < plan->action_count; i++)
        apply(d, &plan->actions[i], plan->time_ns, &outcomes_out->at[i]);
    outcomes_out->count = plan->action_count;
    return 0;
}
