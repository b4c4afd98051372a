/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Targets that the host does not take: its toolstack refuses them, or fails at them. Asking again
 * each tick would not change that, only fill the log; so it is asked more and more seldom.
 */
#include "memory/parts.h"

#define RETRY_FIRST_S 30
#define RETRY_LAST_S  600

void xlp_refusal_observe(struct refusal *refusal, const struct xlp_domain_memory *memory,
                         uint64_t passed_ns)
{
    refusal->left_ns = xlp_time_left(refusal->left_ns, passed_ns);
    if (refusal->seen && refusal->target_kib != memory->target_kib) {
        refusal->pause_s = 0; /* one was taken */
        refusal->left_ns = 0;
    }
    if (refusal->seen && refusal->count != memory->refusals) {
        refusal->pause_s = refusal->pause_s > 0 ? 2 * refusal->pause_s : RETRY_FIRST_S;
        if (refusal->pause_s > RETRY_LAST_S)
            refusal->pause_s = RETRY_LAST_S;
        refusal->left_ns = refusal->pause_s * XLP_SECOND_NS;
    }
    refusal->seen = true;
    refusal->count = memory->refusals;
    refusal->target_kib = memory->target_kib;
}
