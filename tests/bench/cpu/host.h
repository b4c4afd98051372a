/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A host made for measuring: guests of equal weight, whose vCPUs are each pinned to one pCPU. A
 * pCPU is shared max-min fairly among the vCPUs on it, as credit2 shares a run queue of one pCPU.
 * Time passes in steps of a second, in each of which demand is constant; what a vCPU wanted and did
 * not get in its second is lost.
 */
#ifndef XLPOLICY_BENCH_HOST_H
#define XLPOLICY_BENCH_HOST_H

#include <stddef.h>
#include <stdint.h>

#include "../rng.h"
#include "xlpolicy.h"

/* What dom0's looks at the run states are like. */
enum looks {
    LOOKS_SAMPLED, /* as on Xen: now and then, at vCPUs whose pCPU was saturated */
    LOOKS_TRUE,    /* they tell the demand of the second that passed exactly */
    LOOKS_AHEAD,   /* the same for the second to come: an oracle */
};

struct host {
    size_t vcpu_count, pcpu_count;
    uint32_t guest_vcpus; /* of each guest; the last may have fewer */
    enum looks looks;
    uint32_t looks_per_s;
    double move_cost; /* of the second after a move, the part that does no useful work */

    uint32_t *place; /* [vcpu] the pCPU it is pinned to */

    /* Of the second that passed, [vcpu]. */
    double *used;     /* what it ran */
    double *worked;   /* that, less what moving cost it */
    double *runnable; /* ran or waited, as a kernel's own accounting would tell */

    struct xlp_snapshot snapshot; /* what dom0 sees of all this */

    /* private */
    struct rng rng;
    uint32_t *first, *next; /* [pcpu], [vcpu]: who is where, as lists */
    double *load;           /* [pcpu] */
    bool *full;             /* [pcpu] had next to no idle time in the last second */
    bool *watched;          /* [vcpu] looks are taken at it in this second */
    bool *moved;            /* [vcpu] before this second */
    uint32_t *pins;         /* [pcpu]: index of the set that holds just it */
};

/* place: where everybody is at first. Looks and costs may be set afterwards. */
void host_init(struct host *h, uint64_t seed, size_t vcpu_count, uint32_t guest_vcpus,
               size_t pcpu_count, const uint32_t *place);
void host_free(struct host *h);

/* A second passes in which the vCPUs want `demand`, and then `ahead`. */
void host_run(struct host *h, const double *demand, const double *ahead);

/* Pins everybody where `place` says. Returns how many that moved. */
size_t host_place(struct host *h, const uint32_t *place);

#endif
