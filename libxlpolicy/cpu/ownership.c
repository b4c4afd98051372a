/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Whose a vCPU's affinity is. We place a vCPU only while its masks are free (never narrowed to one
 * pCPU) or are what we wrote last. Anything else is the operator's word, and stays.
 *
 * A hard mask of several pCPUs is a limit to place within; a hard mask of one is a decision.
 */
#include "parts.h"

static void refuse(struct tenure *t, enum xlp_reason_code code, int64_t number)
{
    t->movable = false;
    t->verdict = code;
    t->number = number;
}

enum xlp_reason_code xlp_domain_tenure(const struct xlp_domain *d, const struct xlp_policy *policy,
                                       const struct xlp_domain_policy *terms)
{
    enum xlp_reason_code state = xlp_untouchable_because(d);

    if (state != XLP_REASON_NONE)
        return state;
    if (d->domid == 0)
        return XLP_REASON_CPU_DOM0;
    if (policy->cpu_policy == XLP_CPU_OFF)
        return XLP_REASON_CPU_OFF;
    if (!terms->cpu)
        return XLP_REASON_CPU_EXCLUDED;
    return d->released ? XLP_REASON_RELEASED : XLP_REASON_NONE;
}

/* Masks we never wrote: a pin is the operator's unless the policy is to adopt. A soft mask of whole
 * NUMA nodes is not: libxl gives one to every guest that it places itself. */
static void judge_found(const struct xlp_vcpu *v, const struct pool_facts *pool,
                        const struct xlp_policy *policy, struct tenure *t)
{
    uint32_t pin = pool->maps[v->hard].pin;
    bool preference = !pool->maps[v->soft].covers && !pool->maps[v->soft].whole_nodes;

    if (policy->adopt)
        return;
    if (pin != XLP_UNKNOWN)
        refuse(t, XLP_REASON_CPU_OPERATOR_PIN, pin);
    else if (preference)
        refuse(t, XLP_REASON_CPU_OPERATOR_PREFERENCE, v->id);
}

/* Masks we wrote once: they must still be what we wrote, or be wide open again. */
static void judge_recorded(const struct xlp_vcpu *v, const struct pool_facts *pool,
                           struct tenure *t)
{
    bool wide_open = pool->maps[v->hard].covers && pool->maps[v->soft].covers;

    if (!t->ours && !wide_open)
        refuse(t, XLP_REASON_CPU_TAKEN_BACK, v->id);
}

/* The only slot that both masks of a vCPU leave it, or XLP_NOWHERE. */
static uint32_t only_of_both(const struct xlp_vcpu *v, const struct pool_facts *pool)
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

/* Where it is bound now. A preference is no home for a policy that pins: it gets one, there. */
static void find_home(const struct xlp_vcpu *v, const struct pool_facts *pool,
                      const struct xlp_policy *policy, struct tenure *t)
{
    uint32_t both;

    t->home = t->prefer = pool->maps[v->hard].only_online;
    t->home_slot = pool->maps[v->hard].only_slot;
    if (t->home != XLP_UNKNOWN)
        return;
    both = only_of_both(v, pool);
    t->prefer = both == XLP_NOWHERE ? v->pcpu : pool->pcpu_of[both];
    if (policy->cpu_affinity == XLP_AFFINITY_SOFT && both != XLP_NOWHERE) {
        t->home = t->prefer;
        t->home_slot = both;
    }
}

/* The node its memory was put on, as far as its masks tell: the nodes it was first given. */
static uint32_t node_of(const struct xlp_vcpu *v, const struct pool_facts *pool, bool ours)
{
    const struct map_facts *soft = &pool->maps[ours ? v->ledger.original_soft : v->soft];

    return soft->whole_nodes && !soft->covers && !soft->empty ? soft->node : XLP_NOWHERE;
}

void xlp_tenure(const struct xlp_vcpu *v, const struct pool_facts *pool,
                const struct xlp_policy *policy, enum xlp_reason_code forbidden,
                struct tenure *tenure_out)
{
    struct tenure *t = tenure_out;
    const struct map_facts *base;

    t->movable = true;
    t->ours = v->ledger.recorded && v->hard == v->ledger.our_hard && v->soft == v->ledger.our_soft;
    t->base = t->ours ? v->ledger.original_hard : v->hard;
    base = &pool->maps[t->base];
    t->whole_pool = base->pin != XLP_UNKNOWN;
    t->allowed = t->whole_pool || base->covers ? NULL : base->slots;
    t->home_node = node_of(v, pool, t->ours);
    find_home(v, pool, policy, t);
    if (forbidden != XLP_REASON_NONE)
        refuse(t, forbidden, 0);
    else if (v->ledger.recorded)
        judge_recorded(v, pool, t);
    else
        judge_found(v, pool, policy, t);
    if (!t->movable)
        return;

    if (!t->whole_pool && base->empty) {
        refuse(t, XLP_REASON_CPU_NOWHERE, 0);
    } else if (pool->fixed) {
        refuse(t, XLP_REASON_CPU_SCHED_FIXED, pool->pool->id);
    } else if (policy->cpu_affinity == XLP_AFFINITY_SOFT) {
        if (pool->soft_ignored)
            refuse(t, XLP_REASON_CPU_SOFT_IGNORED, pool->pool->id);
        else if (pool->scheduler_balances && t->home == XLP_UNKNOWN)
            refuse(t, XLP_REASON_CPU_SCHED_BALANCES, pool->pool->id);
    }
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
