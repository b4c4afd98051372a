/* SPDX-License-Identifier: LGPL-2.1-only */
#include "ownership.h"

uint32_t xlp_only_slot_of_both(const struct xlp_vcpu *v, const struct pool_facts *pool)
{
    const struct map_facts *hard = &pool->maps[v->hard], *soft = &pool->maps[v->soft];
    struct xlp_cpumap both;

    if (soft->covers)
        return hard->only_slot;
    if (hard->covers)
        return soft->only_slot;
    both = xlp_cpumap_and(hard->slots, soft->slots);
    return xlp_cpumap_only(&both);
}

void xlp_tenure_masks(const struct xlp_snapshot *s, const struct xlp_vcpu *v,
                      const struct tenure *tenure, const struct xlp_policy *policy,
                      const struct xlp_cpumap *to, struct xlp_cpumap *hard_out,
                      struct xlp_cpumap *soft_out)
{
    if (policy->cpu_affinity == XLP_AFFINITY_HARD) {
        *hard_out = *to;
        *soft_out = s->maps[tenure->ours ? v->ledger.original_soft : v->soft];
    } else {
        *hard_out = tenure->whole_pool ? xlp_cpumap_all() : s->maps[tenure->base];
        *soft_out = *to;
    }
}
