/* SPDX-License-Identifier: LGPL-2.1-only */
/* What holds of every decision on CPUs, tried on random hosts through the public engine. */
#include "../unit/check_main.h"

#include <math.h>

#include "cpu_model.h"
#include "property.h"

#define CASES      300
#define KAPPA      0.02 /* the least that a move may gain, in squares of the mean load */
#define MEAN_LEAST 0.1  /* a mean below this counts as this */
#define SETTLE     150  /* ticks in which a host that stands still comes to rest */

/* ---- the claims on single actions ---- */

/* What the model knows of an action's vCPU before it is carried out. */
struct target {
    const struct model_domain *d;
    const struct model_vcpu *v;
    struct xlp_cpumap pool;    /* the online pCPUs of its pool */
    struct xlp_cpumap allowed; /* where the operator lets it run, of those online */
};

/* Whether its masks are still what we wrote. */
static bool is_ours(const struct model_vcpu *v)
{
    return v->recorded && xlp_cpumap_equal(&v->hard, &v->our_hard) &&
           xlp_cpumap_equal(&v->soft, &v->our_soft);
}

static struct target target_of(struct model *m, const struct xlp_action *a)
{
    struct target t = {.d = model_domain_of(m, a)};
    struct xlp_cpumap limit;

    t.v = &t.d->vcpu[a->vcpu];
    t.pool = model_pool_online(m, t.d->pool);
    limit = is_ours(t.v) ? t.v->original_hard : t.v->hard;
    /* A pin that was handed over is no limit; one pCPU left of a wider mask is. */
    t.allowed = xlp_cpumap_count(&limit) == 1 ? t.pool : xlp_cpumap_and(&limit, &t.pool);
    return t;
}

/* Runs a case, and asks of each placement before any is carried out. Where things happen, one in
 * eight fails, as if Xen had said EBUSY. */
static const char *run(const struct shape *shape, bool happenings,
                       const char *(*look)(struct model *m, const struct xlp_action *a))
{
    const char *wrong = NULL;
    static struct model m;

    model_init(&m, shape);
    for (unsigned int t = 0; t < shape->ticks && !wrong; t++) {
        model_decide(&m);
        for (size_t i = 0; i < m.plan.action_count && !wrong; i++)
            if (m.plan.actions[i].kind == XLP_PLACE_VCPU)
                wrong = look(&m, &m.plan.actions[i]);
        for (size_t i = 0; i < m.plan.action_count && !wrong; i++)
            if (!happenings || !draw_once_in(shape->seed, 200000 + t, i, 8))
                model_apply(&m, &m.plan.actions[i]);
        if (happenings)
            model_happen(&m, shape->seed, t);
        model_pass_second(&m);
    }
    model_dispose(&m);
    return wrong;
}

static const char *look_for_forbidden_places(struct model *m, const struct xlp_action *a)
{
    struct target t = target_of(m, a);
    struct xlp_cpumap only = xlp_cpumap_of(a->to_pcpu);
    struct xlp_cpumap hard = xlp_cpumap_and(&a->hard, &t.pool);
    struct xlp_cpumap likes = xlp_cpumap_and(&a->soft, &hard); /* none: Xen goes by hard alone */

    if (!xlp_cpumap_test(&t.pool, a->to_pcpu))
        return "placed outside its pool, or on a pCPU that is offline";
    if (!xlp_cpumap_test(&t.allowed, a->to_pcpu))
        return "placed where the operator's mask does not allow";
    if (!xlp_cpumap_is_subset(&hard, &t.allowed))
        return "may run where the operator's mask does not allow";
    if (!xlp_cpumap_equal(xlp_cpumap_is_empty(&likes) ? &hard : &likes, &only))
        return "masks that do not lead to where it is placed";
    return NULL;
}

static const char *nobody_leaves_pool_and_mask(const struct shape *shape)
{
    return run(shape, true, look_for_forbidden_places);
}

static const char *look_for_idle_writes(struct model *m, const struct xlp_action *a)
{
    struct target t = target_of(m, a);

    if (xlp_cpumap_equal(&a->hard, &t.v->hard) && xlp_cpumap_equal(&a->soft, &t.v->soft))
        return "a write of the masks that are there";
    for (const struct xlp_action *b = m->plan.actions; b < a; b++)
        if (b->kind == a->kind && b->domid == a->domid && b->vcpu == a->vcpu)
            return "two writes for one vCPU";
    return NULL;
}

static const char *no_write_changes_nothing(const struct shape *shape)
{
    return run(shape, true, look_for_idle_writes);
}

/* Whether a mask takes each NUMA node of the pool entirely or not at all, as libxl's placement
 * does.
 */
static bool is_of_whole_nodes(const struct model *m, const struct xlp_cpumap *map,
                              const struct xlp_cpumap *pool)
{
    struct xlp_cpumap in_pool = xlp_cpumap_and(map, pool);

    if (xlp_cpumap_count(&in_pool) == 1)
        return false;
    for (size_t i = 0; i < m->pcpu_count; i++)
        for (size_t k = 0; k < m->pcpu_count; k++)
            if (m->pcpu[i].node == m->pcpu[k].node && xlp_cpumap_test(pool, m->pcpu[i].id) &&
                xlp_cpumap_test(pool, m->pcpu[k].id) &&
                xlp_cpumap_test(map, m->pcpu[i].id) != xlp_cpumap_test(map, m->pcpu[k].id))
                return false;
    return true;
}

static const char *look_for_trespass(struct model *m, const struct xlp_action *a)
{
    struct target t = target_of(m, a);
    bool open =
        xlp_cpumap_is_subset(&t.pool, &t.v->hard) && xlp_cpumap_is_subset(&t.pool, &t.v->soft);

    if (t.d->domid == 0 || t.d->flags || t.d->released || t.d == &m->domain[3])
        return "a vCPU of a domain that must be left alone";
    if (t.v->recorded && !is_ours(t.v) && !open)
        return "a vCPU that the operator took back";
    if (!t.v->recorded && !m->policy.adopt &&
        (xlp_cpumap_count(&t.v->hard) == 1 || !is_of_whole_nodes(m, &t.v->soft, &t.pool)))
        return "a vCPU that the operator pinned";
    return NULL;
}

static const char *what_is_the_operators_stays(const struct shape *shape)
{
    return run(shape, true, look_for_trespass);
}

/* ---- the claims on hosts that stand still ---- */

static void tick(struct model *m)
{
    model_decide(m);
    for (size_t i = 0; i < m->plan.action_count; i++)
        model_apply(m, &m->plan.actions[i]);
    model_pass_second(m);
}

static const char *a_host_that_stands_still_comes_to_rest(const struct shape *shape)
{
    static struct model m;
    const char *wrong = NULL;

    model_init(&m, shape);
    for (unsigned int t = 0; t < SETTLE; t++)
        tick(&m);
    for (unsigned int t = 0; t < shape->ticks && !wrong; t++) {
        tick(&m);
        if (m.plan.action_count > 0)
            wrong = "a move on a host that stands still";
    }
    model_dispose(&m);
    return wrong;
}

/* Adds what the engine makes of each vCPU to the loads of the pCPUs: on its home if it has one,
 * else spread over where it may run. heaviest[]: loads that no move can break up. Returns how many
 * of those there are. */
static size_t add_up(const struct model *m, uint32_t pool, double load[XLP_PCPUS_MAX],
                     double heaviest[])
{
    size_t count, heavy = 0, index = 0;
    const struct xlp_vcpu_view *views = xlp_engine_vcpu_views(m->engine, &count);
    struct xlp_cpumap online = model_pool_online(m, pool);

    memset(load, 0, XLP_PCPUS_MAX * sizeof(*load));
    for (size_t i = 0; i < m->domain_count; i++) {
        for (uint32_t k = 0; k < m->domain[i].vcpu_count; k++, index++) {
            const struct xlp_vcpu_view *view = &views[index];
            struct xlp_cpumap on = xlp_cpumap_and(&m->domain[i].vcpu[k].hard, &online);

            if (m->domain[i].pool != pool)
                continue;
            if (view->home != XLP_UNKNOWN)
                on = xlp_cpumap_of(view->home);
            for (uint32_t p = xlp_cpumap_next(&on, 0); p < XLP_PCPUS_MAX;
                 p = xlp_cpumap_next(&on, p + 1))
                load[p] += view->entitlement / xlp_cpumap_count(&on);
            heaviest[heavy++] = view->entitlement;
        }
    }
    return heavy;
}

/* The mean of the pCPUs that are not filled by one heavy vCPU each. */
static double mean_of_rest(double total, size_t pcpus, const double *heaviest, size_t count)
{
    double mean = total / (double)pcpus;

    for (size_t giants = 0;;) {
        double left = total;
        size_t now = 0;

        for (size_t i = 0; i < count; i++) {
            if (heaviest[i] > mean * (1 + 1e-9)) {
                left -= heaviest[i];
                now++;
            }
        }
        if (now <= giants || now >= pcpus)
            return mean;
        giants = now;
        mean = left / (double)(pcpus - giants);
    }
}

/* How many moves the loads of a pool allow: each gains so much of the sum of squares that there
 * cannot be more. */
static double moves_allowed(const struct model *m, uint32_t pool)
{
    double load[XLP_PCPUS_MAX], heaviest[MODEL_DOMAINS_MAX * MODEL_VCPUS_MAX];
    double total = 0, squares = 0, mean;
    struct xlp_cpumap online = model_pool_online(m, pool);
    size_t heavy = add_up(m, pool, load, heaviest), pcpus = xlp_cpumap_count(&online);

    if (pcpus == 0)
        return 0;
    for (size_t p = 0; p < XLP_PCPUS_MAX; p++)
        total += load[p];
    for (uint32_t p = xlp_cpumap_next(&online, 0); p < XLP_PCPUS_MAX;
         p = xlp_cpumap_next(&online, p + 1))
        squares += pow(load[p] - total / (double)pcpus, 2);
    mean = fmax(MEAN_LEAST, mean_of_rest(total, pcpus, heaviest, heavy));
    return squares / (KAPPA * mean * mean) + 1e-6;
}

static bool is_balancing(const struct xlp_action *a)
{
    return a->reason.code == XLP_REASON_CPU_EVEN || a->reason.code == XLP_REASON_CPU_OVERLOAD ||
           a->reason.code == XLP_REASON_CPU_SWAP;
}

static const char *moves_stay_within_the_bound(const struct shape *shape)
{
    double allowed[MODEL_POOLS_MAX] = {0};
    size_t moves[MODEL_POOLS_MAX] = {0};
    const char *wrong = NULL;
    static struct model m;
    unsigned int t = 0;

    model_init(&m, shape);
    for (bool homeless = true; homeless && t < SETTLE; t++) { /* until everybody has a place */
        tick(&m);
        homeless = t < 2;
        for (size_t i = 0; i < m.plan.action_count; i++)
            homeless = homeless || m.plan.actions[i].reason.code == XLP_REASON_CPU_FIRST_PLACE ||
                       m.plan.actions[i].reason.code == XLP_REASON_CPU_DEVICE_FIRST;
    }
    model_decide(&m);
    for (uint32_t pool = 0; pool < m.pool_count; pool++)
        allowed[pool] = moves_allowed(&m, pool);
    for (unsigned int i = 0; i < shape->ticks && !wrong; i++) {
        for (size_t k = 0; k < m.plan.action_count; k++) {
            const struct xlp_action *a = &m.plan.actions[k];
            uint32_t pool = model_domain_of(&m, a)->pool;

            model_apply(&m, a);
            if (is_balancing(a) && (double)++moves[pool] > allowed[pool])
                wrong = "more moves than the loads allow";
        }
        model_pass_second(&m);
        model_decide(&m);
    }
    model_dispose(&m);
    return wrong;
}

/* ---- the claims on whole decisions ---- */

static const char *same_snapshots_same_plans(const struct shape *shape)
{
    static struct model a, b;
    const char *wrong = NULL;

    model_init(&a, shape);
    model_init(&b, shape);
    for (unsigned int t = 0; t < shape->ticks && !wrong; t++) {
        tick(&a);
        tick(&b);
        model_happen(&a, shape->seed, t);
        model_happen(&b, shape->seed, t);
        if (a.plan.action_count != b.plan.action_count ||
            (a.plan.action_count > 0 &&
             memcmp(a.plan.actions, b.plan.actions,
                    a.plan.action_count * sizeof(*a.plan.actions)) != 0) ||
            memcmp(a.plan.verdicts, b.plan.verdicts,
                   a.plan.verdict_count * sizeof(*a.plan.verdicts)) != 0)
            wrong = "two plans from the same snapshots";
    }
    model_dispose(&a);
    model_dispose(&b);
    return wrong;
}

static const char *everybody_gets_a_verdict(const struct shape *shape)
{
    static struct model m;
    const char *wrong = NULL;

    model_init(&m, shape);
    for (unsigned int t = 0; t < shape->ticks && !wrong; t++) {
        tick(&m);
        model_happen(&m, shape->seed, t);
        for (size_t i = 0; i < m.domain_count; i++)
            if (m.plan.verdicts[i].cpu.code == XLP_REASON_NONE)
                wrong = "no verdict";
    }
    model_dispose(&m);
    return wrong;
}

/* Where a vCPU is bound once the plan is carried out, if it runs and we are the one who bound it.
 */
static uint32_t home_after(const struct model *m, const struct model_domain *d, uint32_t id)
{
    const struct model_vcpu *v = &d->vcpu[id];
    struct xlp_cpumap pool = model_pool_online(m, d->pool);
    struct xlp_cpumap on = xlp_cpumap_and(&v->hard, &v->soft);

    for (size_t i = 0; i < m->plan.action_count; i++)
        if (m->plan.actions[i].domid == d->domid && m->plan.actions[i].vcpu == id)
            return m->plan.actions[i].to_pcpu;
    on = xlp_cpumap_and(&on, &pool);
    return v->online && is_ours(v) && xlp_cpumap_count(&on) == 1 ? xlp_cpumap_next(&on, 0)
                                                                 : XLP_UNKNOWN;
}

static const char *look_for_stacked_siblings(struct model *m, const struct xlp_action *a)
{
    struct target t = target_of(m, a);
    uint32_t there = 0;

    if (!is_balancing(a) || t.d->vcpu_count > xlp_cpumap_count(&t.allowed))
        return NULL;
    for (uint32_t k = 0; k < t.d->vcpu_count; k++)
        there += home_after(m, t.d, k) == a->to_pcpu;
    return there > 1 ? "moved onto the pCPU of a sibling" : NULL;
}

static const char *no_move_stacks_siblings(const struct shape *shape)
{
    return run(shape, false, look_for_stacked_siblings);
}

static const claim_fn claims[] = {
    nobody_leaves_pool_and_mask, no_write_changes_nothing,
    what_is_the_operators_stays, a_host_that_stands_still_comes_to_rest,
    moves_stay_within_the_bound, same_snapshots_same_plans,
    everybody_gets_a_verdict,    no_move_stacks_siblings,
};

START_TEST(every_decision_is_sound)
{
    holds_always(claims[_i], CASES);
}
END_TEST

static TCase *decisions(void)
{
    TCase *tcase = tcase_create("decisions");

    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, every_decision_is_sound, 0, sizeof(claims) / sizeof(claims[0]));
    return tcase;
}

CHECK_MAIN("CPU properties", decisions)
