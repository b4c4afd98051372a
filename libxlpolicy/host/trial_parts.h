/* SPDX-License-Identifier: LGPL-2.1-only */
/* What a judge has measured so far. Private to trial_judge.c and trial_verdict.c. */
#ifndef XLP_TRIAL_PARTS_H
#define XLP_TRIAL_PARTS_H

#include "host/trial_judge.h"

/* One expectation's. Which fields are used, and for what, depends on the check. */
struct xlp_measure {
    const struct xlp_sim_expect *expect;
    uint64_t from_ns;
    bool started, met_guest;
    double judged_s;
    bool *matches;               /* [slot] */
    double *pcpu_sum;            /* [pcpu] pCPU seconds, or vCPU seconds */
    double *pcpu_s;              /* [pcpu] seconds online */
    double *guest_a, *guest_b;   /* [slot] */
    struct xlp_sim_masks *masks; /* [vCPU], slot by slot */
    double low, high, sum;
    size_t worst_guest;
    uint64_t count;
};

struct xlp_counters {
    uint32_t moves, reversals, needless_writes, weight_writes, target_writes, target_flips;
    uint32_t growth_failures;
};

struct xlp_judge {
    const struct xlp_sim *sim;
    struct xlp_measure *measures;
    size_t measure_count, vcpu_count;
    struct xlp_counters *counted;             /* [slot] */
    double *entitled;                         /* [slot] what each is entitled to now, in pCPUs */
    double deficit_mib_s, work_s, entitled_s; /* of all guests so far */
};

/* trial_share.c: sets entitled[] from what domains want now, and their weights: what they would get
 * of a pool without queues, masks or moves that cost. */
void xlp_judge_entitle(struct xlp_judge *judge);

#endif
