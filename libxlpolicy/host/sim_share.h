/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * How a work-conserving scheduler shares pCPUs among vCPUs, as a fluid: rates instead of time
 * slices. Two questions, both answered exactly:
 *
 *   fair   what rate does each vCPU get? Weighted max-min: nobody gets more by weight while
 *          somebody with less could have it, given where each may run and what each wants.
 *   spread where do these rates run? As evenly as the masks allow.
 *
 * vCPUs that may run on the same pCPUs form a class; masks are kept per class.
 */
#ifndef XLP_SIM_SHARE_H
#define XLP_SIM_SHARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct xlp_share_vcpu {
    size_t class;
    double weight; /* > 0 */
    double limit;  /* what it could use, 0 ... 1 */
    double rate;   /* out */
};

/* A zeroed struct is ready for use. Buffers are kept from use to use. */
struct xlp_share {
    size_t class_count, pcpu_count, vcpu_count;
    bool *allowed; /* [class][pcpu]: hard affinity */
    bool *liked;   /* [class][pcpu]: soft affinity; a class with none likes all it may use */
    double *flow;  /* [class][pcpu], out */
    double *rate;  /* [class], out: the sum of its vCPUs' rates */
    double *load;  /* [pcpu], out: the sum of the flows there, 0 ... 1 */
    struct xlp_share_vcpu *vcpus;

    size_t matrix_room, liked_room, flow_room, rate_room, load_room, vcpu_room;
    void *scratch;
    size_t scratch_room;
};

/* Sizes it, with all masks empty and no vCPUs. 0, or -1 when memory is out. */
int xlp_share_start(struct xlp_share *share, size_t class_count, size_t pcpu_count,
                    size_t vcpu_count);

/* Rates, flows and loads for the masks and vCPUs filled in. */
void xlp_share_solve(struct xlp_share *share);

void xlp_share_dispose(struct xlp_share *share);

#endif
