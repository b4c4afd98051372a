/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Whose a vCPU's affinity is. We place a vCPU only while its masks are free (never narrowed to one
 * pCPU) or are what we wrote last. Anything else is the operator's word, and stays.
 *
 * A hard mask of several pCPUs is a limit to place within; a hard mask of one is a decision.
 */
#include <string.h>

#include "parts.h"

/* ---- the pool ---- */

/* Within one run queue Xen's scheduler keeps no pCPU idle while a vCPU waits. credit2 has a run
 * queue a socket, of at most 16 pCPUs; credit steals work across the whole pool. */
static bool one_run_queue(const struct xlp_snapshot *s, const struct pool_facts *facts)
{
    uint32_t socket = XLP_UNKNOWN, count = 0;

    if (facts->pool->sched == XLP_SCHED_CREDIT)
        return true;
    if (facts->pool->sched != XLP_SCHED_CREDIT2)
        return false;
    for (size_t i = 0; i < s->pcpu_count; i++) {
        const struct xlp_pcpu *p = &s->pcpus[i];

        if (!xlp_cpumap_test(&facts->online, p->id))
            continue;
        if (count++ && p->socket != socket)
            return false;
        socket = p->socket;
    }
    return count <= 16;
}

static uint32_t single(const struct xlp_cpumap *map)
{
    uint32_t first = xlp_cpumap_next(map, 0);

    return first < XLP_PCPUS_MAX && xlp_cpumap_next(map, first + 1) == XLP_PCPUS_MAX ? first
                                                                                     : XLP_UNKNOWN;
}

static struct map_facts facts_of_map(const struct xlp_cpumap *map, const struct xlp_cpumap *pool,
                                     const struct xlp_cpumap *online)
{
    struct xlp_cpumap in_pool = xlp_cpumap_and(map, pool);
    struct xlp_cpumap in_online = xlp_cpumap_and(map, online);

    return (struct map_facts){
        .only_online = single(&in_online),
        .only_pool = single(&in_pool),
        .empty = xlp_cpumap_is_empty(&in_online),
        .covers = xlp_cpumap_is_subset(online, map),
    };
}

void xlp_pool_facts(const struct xlp_snapshot *s, const struct xlp_pool *pool,
                    struct map_facts *maps, struct pool_facts *facts_out)
{
    struct pool_facts facts = {.pool = pool, .online = xlp_cpumap_none(), .maps = maps};
    const struct xlp_cpumap *pool_map = &s->maps[pool->map];

    for (size_t i = 0; i < s->pcpu_count; i++)
        if (s->pcpus[i].online && xlp_cpumap_test(pool_map, s->pcpus[i].id))
            xlp_cpumap_set(&facts.online, s->pcpus[i].id);
    for (size_t i = 0; i < s->map_count; i++)
        maps[i] = facts_of_map(&s->maps[i], pool_map, &facts.online);
    facts.scheduler_balances = one_run_queue(s, &facts);
    facts.soft_ignored = pool->sched == XLP_SCHED_RTDS || pool->sched == XLP_SCHED_ARINC653;
    *facts_out = facts;
}

/* ---- the vCPU ---- */

static void refuse(struct tenure *t, enum xlp_reason_code code, int64_t number)
{
    t->movable = false;
    t->verdict = (struct xlp_reason){.code = code, .number = {number}};
}

/* What the state of its domain forbids. */
static bool domain_forbids(const struct xlp_domain *d, const struct xlp_domain_policy *dp,
                           const struct xlp_policy *policy, struct tenure *t)
{
    enum xlp_reason_code code = XLP_REASON_NONE;

    if (d->flags & XLP_DOMAIN_DYING)
        code = XLP_REASON_DYING;
    else if (d->flags & XLP_DOMAIN_SHUTDOWN)
        code = XLP_REASON_SHUTDOWN;
    else if (d->flags & XLP_DOMAIN_MIGRATING)
        code = XLP_REASON_MIGRATING;
    else if (d->flags & XLP_DOMAIN_BUILDING)
        code = XLP_REASON_BUILDING;
    else if (d->flags & XLP_DOMAIN_PAUSED)
        code = XLP_REASON_PAUSED;
    else if (d->domid == 0)
        code = XLP_REASON_CPU_DOM0;
    else if (policy->cpu_policy == XLP_CPU_OFF)
        code = XLP_REASON_CPU_OFF;
    else if (!dp->cpu)
        code = XLP_REASON_CPU_EXCLUDED;
    else if (d->released)
        code = XLP_REASON_RELEASED;
    if (code != XLP_REASON_NONE)
        refuse(t, code, 0);
    return code != XLP_REASON_NONE;
}

/* Masks we never wrote: a pin is the operator's unless the policy is to adopt. */
static void judge_found(const struct xlp_vcpu *v, const struct pool_facts *pool,
                        const struct xlp_policy *policy, struct tenure *t)
{
    uint32_t pin = pool->maps[v->hard].only_pool;
    bool preference = !pool->maps[v->soft].covers;

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
    bool ours = v->hard == v->ledger.our_hard && v->soft == v->ledger.our_soft;
    bool wide_open = pool->maps[v->hard].covers && pool->maps[v->soft].covers;

    if (!ours && !wide_open)
        refuse(t, XLP_REASON_CPU_TAKEN_BACK, v->id);
}

/* The only pCPU that both masks of a vCPU leave it, or XLP_UNKNOWN. */
static uint32_t only_of_both(const struct xlp_snapshot *s, const struct xlp_vcpu *v,
                             const struct pool_facts *pool)
{
    struct xlp_cpumap both;

    if (pool->maps[v->soft].covers)
        return pool->maps[v->hard].only_online;
    if (pool->maps[v->hard].covers)
        return pool->maps[v->soft].only_online;
    both = xlp_cpumap_and(&s->maps[v->hard], &s->maps[v->soft]);
    both = xlp_cpumap_and(&both, &pool->online);
    return single(&both);
}

/* Where it is bound now. A preference is no home for a policy that pins: it gets one, there. */
static void find_home(const struct xlp_snapshot *s, const struct xlp_vcpu *v,
                      const struct pool_facts *pool, const struct xlp_policy *policy,
                      struct tenure *t)
{
    t->home = pool->maps[v->hard].only_online;
    t->prefer = only_of_both(s, v, pool);
    if (t->home == XLP_UNKNOWN && policy->cpu_affinity == XLP_AFFINITY_SOFT)
        t->home = t->prefer;
    if (t->prefer == XLP_UNKNOWN)
        t->prefer = v->pcpu;
}

void xlp_tenure(const struct xlp_snapshot *s, const struct xlp_vcpu *v,
                const struct pool_facts *pool, const struct xlp_policy *policy,
                const struct xlp_domain_policy *domain_policy, struct tenure *tenure_out)
{
    struct tenure *t = tenure_out;

    memset(t, 0, sizeof(*t));
    t->movable = true;
    t->base = v->ledger.recorded ? v->ledger.original_hard : v->hard;
    t->whole_pool = pool->maps[t->base].only_pool != XLP_UNKNOWN;
    find_home(s, v, pool, policy, t);
    if (domain_forbids(&s->domains[v->domain], domain_policy, policy, t))
        return;
    if (v->ledger.recorded)
        judge_recorded(v, pool, t);
    else
        judge_found(v, pool, policy, t);
    if (!t->movable)
        return;

    if (!t->whole_pool && pool->maps[t->base].empty) {
        refuse(t, XLP_REASON_CPU_NOWHERE, 0);
    } else if (policy->cpu_affinity == XLP_AFFINITY_SOFT) {
        if (pool->soft_ignored)
            refuse(t, XLP_REASON_CPU_SOFT_IGNORED, pool->pool->id);
        else if (pool->scheduler_balances && t->home == XLP_UNKNOWN)
            refuse(t, XLP_REASON_CPU_SCHED_BALANCES, pool->pool->id);
    }
}

bool xlp_tenure_anywhere(const struct pool_facts *pool, const struct tenure *tenure)
{
    return tenure->whole_pool || pool->maps[tenure->base].covers;
}

struct xlp_cpumap xlp_tenure_allowed(const struct xlp_snapshot *s, const struct pool_facts *pool,
                                     const struct tenure *tenure)
{
    if (tenure->whole_pool)
        return pool->online;
    return xlp_cpumap_and(&s->maps[tenure->base], &pool->online);
}

void xlp_tenure_masks(const struct xlp_snapshot *s, const struct xlp_vcpu *v,
                      const struct tenure *tenure, const struct xlp_policy *policy, uint32_t to,
                      struct xlp_cpumap *hard_out, struct xlp_cpumap *soft_out)
{
    if (policy->cpu_affinity == XLP_AFFINITY_HARD) {
        *hard_out = xlp_cpumap_of(to);
        *soft_out = s->maps[v->ledger.recorded ? v->ledger.original_soft : v->soft];
    } else {
        *hard_out = tenure->whole_pool ? xlp_cpumap_all() : s->maps[tenure->base];
        *soft_out = xlp_cpumap_of(to);
    }
}
