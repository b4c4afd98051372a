/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Hosts made at random for claims on the CPU half: pools under different schedulers, pCPU ids with
 * gaps, some offline, guests of several vCPUs, weights, caps, operators' masks. Everybody is served
 * in full whatever its place, so what a vCPU wants is what it runs, and a constant demand looks
 * constant. Affinities that were written show in the next snapshot.
 */
#ifndef XLPOLICY_TESTS_CPU_MODEL_H
#define XLPOLICY_TESTS_CPU_MODEL_H

#include <stdio.h>
#include <string.h>

#include "property.h"
#include "xlpolicy.h"

#define MODEL_SECOND_NS   UINT64_C(1000000000)
#define MODEL_PCPUS_MAX   40
#define MODEL_POOLS_MAX   3
#define MODEL_DOMAINS_MAX 14 /* dom0, and as many guests as a shape can have, and one more */
#define MODEL_VCPUS_MAX   8  /* of one domain */

struct model_vcpu {
    double demand; /* in pCPUs */
    bool online;
    struct xlp_cpumap hard, soft;
    bool recorded; /* the rest is what the ledger says */
    struct xlp_cpumap original_hard, original_soft, our_hard, our_soft;
    uint32_t pcpu;
    uint64_t cpu_time_ns;
};

struct model_domain {
    uint32_t domid, generation; /* another generation is another domain */
    uint32_t pool, weight, cap_pct;
    unsigned int flags;
    bool released;
    uint32_t vcpu_count;
    struct model_vcpu vcpu[MODEL_VCPUS_MAX];
};

struct model {
    struct xlp_pcpu pcpu[MODEL_PCPUS_MAX];
    uint32_t pool_of[MODEL_PCPUS_MAX];
    size_t pcpu_count;
    enum xlp_sched sched[MODEL_POOLS_MAX];
    size_t pool_count;
    struct model_domain domain[MODEL_DOMAINS_MAX];
    size_t domain_count;

    struct xlp_policy policy;
    struct xlp_engine *engine;
    struct xlp_snapshot snapshot; /* what was seen last */
    struct xlp_plan plan;         /* what was decided on that */
    uint64_t time_ns;
};

/* ---- drawing ---- */

static inline uint32_t draw_below(uint64_t seed, uint64_t stream, uint64_t number, uint32_t count)
{
    return (uint32_t)(draw(seed, stream, number) % count);
}

static inline double draw_fraction(uint64_t seed, uint64_t stream, uint64_t number)
{
    return (double)(draw(seed, stream, number) >> 11) / 9007199254740992.0;
}

/* One time in so many. */
static inline bool draw_once_in(uint64_t seed, uint64_t stream, uint64_t number, uint32_t times)
{
    return draw_below(seed, stream, number, times) == 0;
}

/* Some want next to nothing, some a whole pCPU, most little. */
static inline double draw_demand(uint64_t seed, uint64_t stream, uint64_t number)
{
    double x = draw_fraction(seed, stream, number);

    return draw_once_in(seed, stream, number + 1, 4) ? 1 : x * x;
}

/* A mask as an operator writes them: all, a few, or just one; of pools it need not know. */
static inline struct xlp_cpumap draw_mask(const struct model *m, uint64_t seed, uint64_t stream,
                                          uint64_t number)
{
    uint32_t kind = draw_below(seed, stream, number, 8);
    struct xlp_cpumap map = xlp_cpumap_none();

    if (kind >= 3)
        return xlp_cpumap_all();
    for (size_t i = 0; kind > 0 && i < m->pcpu_count; i++)
        if (draw_once_in(seed, stream, number + 2 + i, 2))
            xlp_cpumap_set(&map, m->pcpu[i].id);
    if (kind == 0 || xlp_cpumap_is_empty(&map))
        map = xlp_cpumap_of(
            m->pcpu[draw_below(seed, stream, number + 1, (uint32_t)m->pcpu_count)].id);
    return map;
}

/* ---- making one ---- */

static inline void model_make_pcpus(struct model *m, uint64_t seed)
{
    uint32_t id = draw_below(seed, 1, 0, 5), sockets = 1 + draw_below(seed, 1, 1, 3);

    m->pcpu_count = 1 + draw_below(seed, 1, 2, MODEL_PCPUS_MAX);
    m->pool_count = 1 + draw_below(seed, 1, 3, MODEL_POOLS_MAX);
    for (size_t i = 0; i < m->pool_count; i++)
        m->sched[i] = XLP_SCHED_CREDIT + draw_below(seed, 1, 4 + i, 5);
    for (size_t i = 0; i < m->pcpu_count; i++) {
        uint64_t stream = 100 + i;

        m->pcpu[i] = (struct xlp_pcpu){
            .id = id,
            .online = !draw_once_in(seed, stream, 0, 10),
            .core = (uint32_t)i / 2,
            .socket = (uint32_t)(i * sockets / m->pcpu_count),
            .node = (uint32_t)(i * sockets / m->pcpu_count),
        };
        m->pool_of[i] = draw_below(seed, stream, 1, (uint32_t)m->pool_count);
        id += 1 + (draw_once_in(seed, stream, 2, 4) ? draw_below(seed, stream, 3, 24) : 0);
    }
}

static inline void model_make_vcpu(struct model *m, struct model_vcpu *v, uint64_t seed,
                                   uint64_t stream)
{
    *v = (struct model_vcpu){
        .demand = draw_demand(seed, stream, 0),
        .online = !draw_once_in(seed, stream, 2, 12),
        .hard = draw_mask(m, seed, stream, 100),
        .soft = xlp_cpumap_all(),
    };
    v->pcpu = xlp_cpumap_next(&v->hard, 0) < XLP_PCPUS_MAX ? m->pcpu[0].id : 0;
}

static inline void model_make_domain(struct model *m, struct model_domain *d, uint64_t seed,
                                     uint64_t stream)
{
    static const unsigned int flags[] = {XLP_DOMAIN_PAUSED, XLP_DOMAIN_BUILDING,
                                         XLP_DOMAIN_MIGRATING, XLP_DOMAIN_SHUTDOWN,
                                         XLP_DOMAIN_DYING};

    d->pool = draw_below(seed, stream, 0, (uint32_t)m->pool_count);
    d->weight = 128u << draw_below(seed, stream, 1, 4);
    d->cap_pct = draw_once_in(seed, stream, 2, 8) ? 20 + draw_below(seed, stream, 3, 200) : 0;
    d->flags = draw_once_in(seed, stream, 4, 12) ? flags[draw_below(seed, stream, 5, 5)] : 0;
    d->released = draw_once_in(seed, stream, 6, 20);
    d->vcpu_count = 1 + draw_below(seed, stream, 7, MODEL_VCPUS_MAX);
    for (uint32_t k = 0; k < d->vcpu_count; k++)
        model_make_vcpu(m, &d->vcpu[k], seed, stream * 100 + k);
}

static inline void model_make_policy(struct model *m, uint64_t seed)
{
    char error[256];

    xlp_policy_init(&m->policy);
    m->policy.mem_policy = XLP_MEM_OFF;
    m->policy.cpu_policy = draw_once_in(seed, 2, 0, 8) ? XLP_CPU_ROUND_ROBIN : XLP_CPU_BALANCE;
    m->policy.cpu_affinity = draw_once_in(seed, 2, 1, 2) ? XLP_AFFINITY_HARD : XLP_AFFINITY_SOFT;
    m->policy.adopt = draw_once_in(seed, 2, 2, 2);
    m->policy.cpu_uneven_ticks = 1 + draw_below(seed, 2, 3, 4);
    m->policy.cpu_cooldown_ticks = draw_below(seed, 2, 4, 8);
    m->policy.cpu_moves_max = draw_once_in(seed, 2, 5, 2) ? 0 : 2 + draw_below(seed, 2, 6, 20);
    if (xlp_policy_add_domain(&m->policy, "vm3: cpu=0", error, sizeof(error)) < 0)
        abort();
}

static inline void model_init(struct model *m, const struct shape *shape)
{
    uint32_t domid = 0;

    memset(m, 0, sizeof(*m));
    model_make_pcpus(m, shape->seed);
    model_make_policy(m, shape->seed);
    m->domain_count = 1 + shape->guests;
    for (size_t i = 0; i < m->domain_count; i++) {
        struct model_domain *d = &m->domain[i];

        model_make_domain(m, d, shape->seed, 10 + i);
        d->domid = domid;
        domid += 1 + draw_below(shape->seed, 10 + i, 99, 3);
    }
    m->domain[0].flags = 0;
    m->time_ns = MODEL_SECOND_NS;
    xlp_snapshot_init(&m->snapshot);
    xlp_plan_init(&m->plan);
    m->engine = xlp_engine_new();
    if (!m->engine)
        abort();
}

static inline void model_dispose(struct model *m)
{
    xlp_engine_free(m->engine);
    xlp_plan_dispose(&m->plan);
    xlp_snapshot_dispose(&m->snapshot);
    xlp_policy_dispose(&m->policy);
}

/* ---- a tick ---- */

static inline struct xlp_cpumap model_pool_members(const struct model *m, uint32_t pool)
{
    struct xlp_cpumap map = xlp_cpumap_none();

    for (size_t i = 0; i < m->pcpu_count; i++)
        if (m->pool_of[i] == pool)
            xlp_cpumap_set(&map, m->pcpu[i].id);
    return map;
}

static inline struct xlp_cpumap model_pool_online(const struct model *m, uint32_t pool)
{
    struct xlp_cpumap map = model_pool_members(m, pool);

    for (size_t i = 0; i < m->pcpu_count; i++)
        if (!m->pcpu[i].online)
            xlp_cpumap_clear(&map, m->pcpu[i].id);
    return map;
}

/* It stays where it is, if it may; else it goes to the first pCPU that its masks allow. */
static inline void model_settle_vcpu(const struct model *m, const struct model_domain *d,
                                     struct model_vcpu *v)
{
    struct xlp_cpumap online = model_pool_online(m, d->pool);
    struct xlp_cpumap can = xlp_cpumap_and(&v->hard, &online);
    struct xlp_cpumap likes = xlp_cpumap_and(&v->soft, &can);

    if (!xlp_cpumap_is_empty(&likes))
        can = likes;
    if (!xlp_cpumap_is_empty(&can) && !xlp_cpumap_test(&can, v->pcpu))
        v->pcpu = xlp_cpumap_next(&can, 0);
}

static inline void model_see_vcpu(struct model *m, const struct model_vcpu *from)
{
    struct xlp_snapshot *s = &m->snapshot;
    struct xlp_vcpu *v = xlp_snapshot_add_vcpu(s);

    v->id = s->domains[s->domain_count - 1].vcpu_count - 1;
    v->online = from->online;
    v->blocked = true;
    v->pcpu = from->pcpu;
    v->cpu_time_ns = from->cpu_time_ns;
    v->hard = xlp_snapshot_intern(s, &from->hard);
    v->soft = xlp_snapshot_intern(s, &from->soft);
    if (!from->recorded)
        return;
    v->ledger.recorded = true;
    v->ledger.original_hard = xlp_snapshot_intern(s, &from->original_hard);
    v->ledger.original_soft = xlp_snapshot_intern(s, &from->original_soft);
    v->ledger.our_hard = xlp_snapshot_intern(s, &from->our_hard);
    v->ledger.our_soft = xlp_snapshot_intern(s, &from->our_soft);
}

static inline void model_observe(struct model *m)
{
    struct xlp_snapshot *s = &m->snapshot;
    char error[256];

    xlp_snapshot_reset(s);
    s->time_ns = m->time_ns;
    for (size_t i = 0; i < m->pcpu_count; i++)
        *xlp_snapshot_add_pcpu(s) = m->pcpu[i];
    for (uint32_t i = 0; i < m->pool_count; i++) {
        struct xlp_cpumap map = model_pool_members(m, i);
        struct xlp_pool *pool = xlp_snapshot_add_pool(s);

        pool->id = i;
        pool->sched = m->sched[i];
        pool->map = xlp_snapshot_intern(s, &map);
    }
    for (size_t i = 0; i < m->domain_count; i++) {
        const struct model_domain *from = &m->domain[i];
        struct xlp_domain *d = xlp_snapshot_add_domain(s);

        d->domid = from->domid;
        memcpy(d->uuid, &from->domid, sizeof(from->domid));
        memcpy(d->uuid + 4, &from->generation, sizeof(from->generation));
        snprintf(d->name, sizeof(d->name), "vm%zu", i);
        d->pool_id = from->pool;
        d->weight = from->weight;
        d->cap_pct = from->cap_pct;
        d->flags = from->flags;
        d->released = from->released;
        d->age_ns = m->time_ns;
        for (uint32_t k = 0; k < from->vcpu_count; k++)
            model_see_vcpu(m, &from->vcpu[k]);
    }
    if (xlp_snapshot_check(s, error, sizeof(error)) < 0) {
        fprintf(stderr, "model: %s\n", error);
        abort();
    }
}

static inline void model_decide(struct model *m)
{
    model_observe(m);
    if (xlp_engine_decide(m->engine, &m->snapshot, &m->policy, &m->plan) < 0)
        abort();
    xlp_engine_explain(m->engine, &m->snapshot, &m->plan);
}

static inline struct model_domain *model_domain_of(struct model *m, const struct xlp_action *a)
{
    for (size_t i = 0; i < m->domain_count; i++)
        if (m->domain[i].domid == a->domid)
            return &m->domain[i];
    return NULL;
}

/* Writes the masks, as the Xen adapter does: with what was there before on record. */
static inline void model_apply(struct model *m, const struct xlp_action *a)
{
    struct model_vcpu *v = &model_domain_of(m, a)->vcpu[a->vcpu];

    if (a->kind != XLP_PLACE_VCPU)
        return;
    if (!v->recorded) {
        v->original_hard = v->hard;
        v->original_soft = v->soft;
    }
    v->recorded = true;
    v->hard = v->our_hard = a->hard;
    v->soft = v->our_soft = a->soft;
}

static inline void model_pass_second(struct model *m)
{
    m->time_ns += MODEL_SECOND_NS;
    for (size_t i = 0; i < m->pcpu_count; i++)
        m->pcpu[i].idle_ns += MODEL_SECOND_NS / 2;
    for (size_t i = 0; i < m->domain_count; i++) {
        struct model_domain *d = &m->domain[i];
        double most = d->cap_pct ? d->cap_pct / 100.0 / d->vcpu_count : 1;

        for (uint32_t k = 0; k < d->vcpu_count; k++) {
            struct model_vcpu *v = &d->vcpu[k];
            double runs = v->demand < most ? v->demand : most;

            if (!d->flags && v->online)
                v->cpu_time_ns += (uint64_t)(runs * 1e9);
            model_settle_vcpu(m, d, v);
        }
    }
}

/* ---- what happens to a host ---- */

/* The operator, and the host itself, on tick number t. */
static inline void model_happen(struct model *m, uint64_t seed, unsigned int t)
{
    uint64_t stream = 100000 + t;
    struct model_domain *d = &m->domain[draw_below(seed, stream, 1, (uint32_t)m->domain_count)];
    struct model_vcpu *v = &d->vcpu[draw_below(seed, stream, 2, d->vcpu_count)];
    uint32_t pcpu = draw_below(seed, stream, 3, (uint32_t)m->pcpu_count);

    switch (draw_below(seed, stream, 0, 16)) {
    case 0: v->hard = draw_mask(m, seed, stream, 100); break;
    case 1: v->soft = draw_mask(m, seed, stream, 100); break;
    case 2: v->hard = v->soft = xlp_cpumap_all(); break;
    case 3: m->pcpu[pcpu].online = !m->pcpu[pcpu].online; break;
    case 4: v->online = !v->online; break;
    case 5:
        if (d->domid != 0)
            d->flags ^= XLP_DOMAIN_PAUSED;
        break;
    case 6: d->released = !d->released; break;
    case 7: /* destroyed, and its domid used again */
        if (d->domid != 0) {
            uint32_t domid = d->domid, generation = d->generation + 1;

            model_make_domain(m, d, seed, stream);
            d->domid = domid;
            d->generation = generation;
        }
        break;
    case 8: d->pool = draw_below(seed, stream, 4, (uint32_t)m->pool_count); break;
    case 9: m->pool_of[pcpu] = draw_below(seed, stream, 4, (uint32_t)m->pool_count); break;
    case 10: m->policy.cpu_affinity = !m->policy.cpu_affinity; break;
    default: v->demand = draw_demand(seed, stream, 5); break;
    }
}

#endif
