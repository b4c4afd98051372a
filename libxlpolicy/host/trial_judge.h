/* SPDX-License-Identifier: LGPL-2.1-only */
/* Holds a simulated host against the expectations of its scenario, step by step. */
#ifndef XLP_TRIAL_JUDGE_H
#define XLP_TRIAL_JUDGE_H

#include "host/sim.h"
#include "host/trial.h"

struct xlp_judge;

/* sim must outlive it. NULL when memory is out. */
struct xlp_judge *xlp_judge_new(const struct xlp_sim *sim, uint64_t tick_ns);
void xlp_judge_free(struct xlp_judge *judge);

/* After each step of the host, and after each round of actions, whose outcomes are counted one by
 * one. */
void xlp_judge_step(struct xlp_judge *judge, uint64_t from_ns, uint64_t to_ns);
void xlp_judge_outcome(struct xlp_judge *judge, enum xlp_outcome_code code);
void xlp_judge_round(struct xlp_judge *judge);

/* How the i-th expectation came out. One that met nothing to judge has failed. */
void xlp_judge_verdict(const struct xlp_judge *judge, size_t i,
                       struct xlp_trial_verdict *verdict_out);

/* What guests wanted and had no room for, so far; the work they did, and were entitled to do. */
double xlp_judge_deficit_mib_s(const struct xlp_judge *judge);
double xlp_judge_work_s(const struct xlp_judge *judge);
double xlp_judge_entitled_s(const struct xlp_judge *judge);

#endif
