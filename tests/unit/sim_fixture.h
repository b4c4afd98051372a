/* SPDX-License-Identifier: LGPL-2.1-only */
/* A simulated host made from the text of a scenario, and short ways to act on it. */
#ifndef XLPOLICY_TESTS_SIM_FIXTURE_H
#define XLPOLICY_TESTS_SIM_FIXTURE_H

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "host/sim.h"

#define S XLP_SIM_SECOND_NS

/* Scenarios are written with ' for ", so that they read well in C. */
static inline struct xlp_sim *sim_of_flags(const char *text, unsigned int flags)
{
    char json[4096], error[256];
    struct xlp_json *root;
    struct xlp_sim_scenario *scenario;
    struct xlp_sim *sim;

    snprintf(json, sizeof(json), "{'xlpolicy_scenario':1,%s}", text);
    for (char *c = json; *c; c++)
        if (*c == '\'')
            *c = '"';
    root = xlp_json_parse(json, strlen(json), sizeof(json), error, sizeof(error));
    ck_assert_msg(root != NULL, "%s", error);
    scenario = xlp_sim_scenario_read(root, error, sizeof(error));
    ck_assert_msg(scenario != NULL, "%s", error);
    xlp_json_free(root);
    sim = xlp_sim_new(scenario, flags, error, sizeof(error));
    ck_assert_msg(sim != NULL, "%s", error);
    return sim;
}

static inline struct xlp_sim *sim_of(const char *text)
{
    return sim_of_flags(text, 0);
}

static inline void sim_close(struct xlp_sim *sim)
{
    sim->host.ops->close(&sim->host);
}

static inline struct xlp_sim_domain *guest(struct xlp_sim *sim, const char *name)
{
    for (size_t i = 0; i < sim->domain_count; i++)
        if (strcmp(sim->domains[i].spec->name, name) == 0)
            return &sim->domains[i];
    ck_abort_msg("no guest %s", name);
    return NULL;
}

/* The rate of its first vCPU, in percent of a pCPU. */
static inline double rate_pct(struct xlp_sim *sim, const char *name)
{
    return 100 * guest(sim, name)->vcpus[0].rate;
}

static inline int64_t actual_mib(struct xlp_sim *sim, const char *name)
{
    return guest(sim, name)->memory.actual_kib / 1024;
}

static inline struct xlp_action action_on(struct xlp_sim *sim, const char *name,
                                          enum xlp_action_kind kind)
{
    const struct xlp_sim_domain *d = guest(sim, name);
    struct xlp_action action = {.kind = kind, .domid = d->domid};

    memcpy(action.uuid, d->uuid, sizeof(action.uuid));
    action.hard = action.soft = xlp_cpumap_all();
    return action;
}

static inline enum xlp_outcome_code apply(struct xlp_sim *sim, const struct xlp_action *action)
{
    struct xlp_outcome outcome;

    sim->host.ops->apply(&sim->host, action, &outcome);
    ck_assert((outcome.code == XLP_DONE) == (outcome.detail[0] == '\0'));
    return outcome.code;
}

static inline enum xlp_outcome_code place(struct xlp_sim *sim, const char *name, const char *hard,
                                          const char *soft)
{
    struct xlp_action action = action_on(sim, name, XLP_PLACE_VCPU);

    ck_assert_int_eq(xlp_cpumap_parse(hard, &action.hard), 0);
    ck_assert_int_eq(xlp_cpumap_parse(soft, &action.soft), 0);
    return apply(sim, &action);
}

static inline enum xlp_outcome_code set_target(struct xlp_sim *sim, const char *name,
                                               int64_t target_kib, int64_t limit_kib)
{
    struct xlp_action action = action_on(sim, name, XLP_SET_TARGET);

    action.to_kib = target_kib;
    action.limit_kib = limit_kib;
    return apply(sim, &action);
}

static inline enum xlp_outcome_code set_weight(struct xlp_sim *sim, const char *name,
                                               uint32_t weight)
{
    struct xlp_action action = action_on(sim, name, XLP_SET_WEIGHT);

    action.to_weight = weight;
    return apply(sim, &action);
}

static inline void run_to(struct xlp_sim *sim, double seconds)
{
    xlp_sim_advance(sim, (uint64_t)(seconds * 1e9), false);
}

#endif
