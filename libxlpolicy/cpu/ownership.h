/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Whose a vCPU's affinity is. We place a vCPU only while its masks are free (never narrowed to one
 * pCPU) or are what we wrote last. Anything else is the operator's word, and stays.
 *
 * A hard mask of several pCPUs is a limit to place within; a hard mask of one is a decision.
 *
 * Inline, because every tick asks it of every vCPU: a call each would cost as much as the answer.
 * Private to libxlpolicy/cpu.
 */
#ifndef XLP_CPU_OWNERSHIP_H
#define XLP_CPU_OWNERSHIP_H

#include "parts.h"

/* Whether, and where, we may place one vCPU. */
struct tenure {
    bool movable;
    bool whole_pool;    /* base is a pin that was handed over: the whole pool is allowed */
    bool ours;          /* its masks are what we wrote last */
    uint32_t home;      /* the single pCPU it is bound to, or XLP_UNKNOWN */
    uint32_t home_slot; /* the slot that this is the first of, or XLP_NOWHERE */
    uint32_t prefer;    /* without a home: the pCPU where it had best start */
    uint32_t base;      /* the set to stay within: an index into snapshot.maps, */
    const struct xlp_cpumap *allowed; /* and that as slots; NULL: everywhere in the pool */
    uint32_t home_node; /* the node (as in struct slot) its memory is on, or XLP_NOWHERE */
    enum xlp_reason_code verdict; /* when not movable: why, */
    int64_t number;               /* and the number that goes with it */
};

/* The only slot that both masks of a vCPU leave it, or XLP_NOWHERE. */
uint32_t xlp_only_slot_of_both(const struct xlp_vcpu *v, const struct pool_facts *pool);

/* Fills in the masks that bind it to the pCPUs `to` in the policy's affinity mode. */
void xlp_tenure_masks(const struct xlp_snapshot *s, const struct xlp_vcpu *v,
                      const struct tenure *tenure, const struct xlp_policy *policy,
                      const struct xlp_cpumap *to, struct xlp_cpumap *hard_out,
                      struct xlp_cpumap *soft_out);

/* XLP_REASON_NONE, or what of the domain itself forbids to place any of its vCPUs. terms: what the
 * configuration says of it. */
static inline enum xlp_reason_code xlp_domain_tenure(const struct xlp_domain *d,
                                                     const struct xlp_policy *policy,
                                                     const struct xlp_domain_policy *terms)
{
    enum xlp_reason_code state = d->flags ? xlp_untouchable_because(d) : XLP_REASON_NONE;

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

static inline void xlp_refuse(struct tenure *t, enum xlp_reason_code code, int64_t number)
{
    t->movable = false;
    t->verdict = code;
    t->number = number;
}

/* Masks we never wrote: a pin is the operator's unless the policy is to adopt. A soft mask of whole
 * NUMA nodes is not: libxl gives one to every guest that it places itself. */
static inline void xlp_judge_found(const struct xlp_vcpu *v, const struct pool_facts *pool,
                                   const struct xlp_policy *policy, struct tenure *t)
{
    uint32_t pin = pool->maps[v->hard].pin;
    bool preference = !pool->maps[v->soft].covers && !pool->maps[v->soft].whole_nodes;

    if (policy->adopt)
        return;
    if (pin != XLP_UNKNOWN)
        xlp_refuse(t, XLP_REASON_CPU_OPERATOR_PIN, pin);
    else if (preference)
        xlp_refuse(t, XLP_REASON_CPU_OPERATOR_PREFERENCE, v->id);
}

/* Masks we wrote once: they must still be what we wrote, or be wide open again. */
static inline void xlp_judge_recorded(const struct xlp_vcpu *v, const struct pool_facts *pool,
                                      struct tenure *t)
{
    if (t->ours || (pool->maps[v->hard].covers && pool->maps[v->soft].covers))
        return;
    xlp_refuse(t, XLP_REASON_CPU_TAKEN_BACK, v->id);
}

/* Where it is bound now. A preference is no home for a policy that pins: it gets one, there. */
static inline void xlp_find_home(const struct xlp_vcpu *v, const struct pool_facts *pool,
                                 const struct xlp_policy *policy, struct tenure *t)
{
    uint32_t both;

    t->home = t->prefer = pool->maps[v->hard].only_online;
    t->home_slot = pool->maps[v->hard].only_slot;
    if (t->home != XLP_UNKNOWN)
        return;
    both = xlp_only_slot_of_both(v, pool);
    t->prefer = both == XLP_NOWHERE ? v->pcpu : pool->pcpu_of[both];
    if (policy->cpu_affinity == XLP_AFFINITY_SOFT && both != XLP_NOWHERE) {
        t->home = t->prefer;
        t->home_slot = both;
    }
}

/* The node its memory was put on, as far as its masks tell: the nodes it was first given. */
static inline uint32_t xlp_node_of(const struct xlp_vcpu *v, const struct pool_facts *pool,
                                   bool ours)
{
    return pool->maps[ours ? v->ledger.original_soft : v->soft].home_node;
}

/* forbidden: of its domain, by xlp_domain_tenure. */
static inline void xlp_tenure(const struct xlp_vcpu *v, const struct pool_facts *pool,
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
    t->allowed = base->limit;
    t->home_node = xlp_node_of(v, pool, t->ours);
    xlp_find_home(v, pool, policy, t);
    if (forbidden != XLP_REASON_NONE)
        xlp_refuse(t, forbidden, 0);
    else if (v->ledger.recorded)
        xlp_judge_recorded(v, pool, t);
    else
        xlp_judge_found(v, pool, policy, t);
    if (!t->movable)
        return;

    if (!t->whole_pool && base->empty) {
        xlp_refuse(t, XLP_REASON_CPU_NOWHERE, 0);
    } else if (pool->fixed) {
        xlp_refuse(t, XLP_REASON_CPU_SCHED_FIXED, pool->pool->id);
    } else if (policy->cpu_affinity == XLP_AFFINITY_SOFT) {
        if (pool->soft_ignored)
            xlp_refuse(t, XLP_REASON_CPU_SOFT_IGNORED, pool->pool->id);
        else if (pool->scheduler_balances && t->home == XLP_UNKNOWN)
            xlp_refuse(t, XLP_REASON_CPU_SCHED_BALANCES, pool->pool->id);
    }
}

#endif
