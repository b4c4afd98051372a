/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A trial: the engine manages a simulated host through a whole scenario, as the daemon would, and
 * the scenario's expectations are judged by what really happened there: by what pCPUs and guests
 * got and had, not by what was planned or reported.
 */
#ifndef XLP_TRIAL_H
#define XLP_TRIAL_H

#include "engine.h"
#include "host/host.h"
#include "plan.h"
#include "snapshot.h"

/* The truth at a tick; rates are over the time since the tick before (0 at the first). */
struct xlp_trial_pcpu {
    uint32_t id;
    bool online;
    double used_pct;
    double vcpus; /* guests' vCPUs that run here now; one that floats counts in parts */
};

struct xlp_trial_guest {
    const char *name;
    bool alive;
    uint32_t domid;
    double wanted_pct, used_pct; /* of one pCPU, all vCPUs together */
    double work_pct;             /* what was done in the time used */
    int64_t actual_kib, target_kib, static_max_kib;
    int64_t total_kib;             /* of actual, what the guest itself can use */
    int64_t wanted_kib, short_kib; /* its working set, and what of it has no room */
};

struct xlp_trial_tick {
    uint64_t time_ns;
    const struct xlp_snapshot *snapshot;
    const struct xlp_plan *plan;
    const struct xlp_outcome *outcomes; /* of the plan's actions */
    const struct xlp_engine *engine;
    const struct xlp_trial_pcpu *pcpus;
    size_t pcpu_count;
    const struct xlp_trial_guest *guests; /* in the scenario's order, dom0 not among them */
    size_t guest_count;
    int64_t host_free_kib;
};

struct xlp_trial_options {
    const char *const *settings; /* "name=value", NULL-terminated: win over the file's policy */
    void (*tick)(void *arg, const struct xlp_trial_tick *tick); /* after each tick; or NULL */
    void *arg;
};

struct xlp_trial_verdict {
    bool passed;
    unsigned int line; /* of the expectation in the file */
    char text[320];    /* one sentence, with what was measured and what was allowed */
};

struct xlp_trial_result {
    char title[128];
    struct xlp_trial_verdict *verdicts; /* in the file's order */
    size_t verdict_count;
    bool passed; /* all of them */

    uint64_t time_ns; /* simulated */
    uint32_t ticks;
    uint32_t outcomes[XLP_OUTCOME_CODES];
    uint32_t moves, reversals, weight_writes, target_writes, target_flips;
    double deficit_mib_s;      /* what guests wanted and had no room for, over time */
    double work_s, entitled_s; /* what guests did, and were entitled to do, in pCPU seconds */
};

/* Runs the scenario of that file. options may be NULL. 0, or -1 with one line in error when it
 * could not be run; a failed expectation is no error. */
int xlp_trial_run(const char *path, const struct xlp_trial_options *options,
                  struct xlp_trial_result *result_out, char *error, size_t error_size);
void xlp_trial_result_dispose(struct xlp_trial_result *result);

#endif
