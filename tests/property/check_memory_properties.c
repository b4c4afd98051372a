/* SPDX-License-Identifier: LGPL-2.1-only */
/* What holds of every decision on memory, tried on random hosts. */
#include "../unit/check_main.h"

#include "../unit/memory_model.h"
#include "memory/alloc.h"
#include "property.h"

#define CASES 400

static int64_t draw_mib(uint64_t seed, uint64_t stream, uint64_t number, int64_t from, int64_t to)
{
    return from + (int64_t)(draw(seed, stream, number) % (uint64_t)(to - from + 1));
}

static void make_guest(struct model *m, const struct shape *shape, unsigned int i)
{
    const uint64_t seed = shape->seed, stream = i + 1;
    int64_t static_max_mib = draw_mib(seed, stream, 0, 128, 4096);
    int64_t size_mib = draw_mib(seed, stream, 1, static_max_mib / 4 + 64, static_max_mib);
    struct model_guest *g =
        model_add(m, size_mib, static_max_mib, draw_mib(seed, stream, 2, 60, size_mib));
    double at_s = 0;

    g->overhead_kib = draw_mib(seed, stream, 3, 0, 50) * MIB;
    g->balloon =
        draw(seed, stream, 4) % 8 ? MODEL_WORKS : MODEL_STUCK_UP + draw(seed, stream, 5) % 3;
    g->lies = draw(seed, stream, 6) % 10 == 0;
    model_report(m, g);
    for (unsigned int p = 0; p < MODEL_POINTS_MAX - 1; p++) {
        at_s += (double)draw_mib(seed, stream, 20 + p, 1, 40);
        model_point(g, at_s, (double)draw_mib(seed, stream, 40 + p, 60, static_max_mib));
    }
}

static void make(struct model *m, const struct shape *shape)
{
    char error[256], text[64];

    model_init(m);
    m->policy.mem_surplus = draw(shape->seed, 0, 1) % 2 ? XLP_SURPLUS_HOST : XLP_SURPLUS_GUESTS;
    m->policy.mem_idle_tax_pct =
        draw(shape->seed, 0, 6) % 3 ? 100 : draw_mib(shape->seed, 0, 7, 0, 100);
    m->policy.mem_reserve_kib = draw_mib(shape->seed, 0, 2, 1, 100) * MIB;
    m->policy.mem_dead_zone_pct = draw_mib(shape->seed, 0, 3, 0, 20);
    m->policy.mem_quantum_kib = draw(shape->seed, 0, 4) % 4 ? 16 * MIB : 4;
    m->free_kib = m->lowest_free_kib = draw_mib(shape->seed, 0, 5, 0, 2000) * MIB;
    for (unsigned int i = 0; i < shape->guests; i++)
        make_guest(m, shape, i);
    for (unsigned int i = 0; i < shape->guests; i++) {
        snprintf(text, sizeof(text), "vm%u: shares=%lld", i + 1,
                 (long long)draw_mib(shape->seed, i + 1, 10, 1, 3) * 1000);
        if (xlp_policy_add_domain(&m->policy, text, error, sizeof(error)) < 0)
            abort();
    }
}

static void carry_out(struct model *m)
{
    for (size_t i = 0; i < m->plan.action_count; i++)
        model_apply(m, &m->plan.actions[i]);
    model_let_time_pass(m, MODEL_SECOND_NS);
}

/* In half of the cases something is reserved, whether guests can make room for it or not. */
static void reserve_something(struct model *m, const struct shape *shape)
{
    struct xlp_reservation *r = &m->reservation[0];

    if (draw(shape->seed, 0, 6) % 2)
        return;
    *r = (struct xlp_reservation){
        .id = 1,
        .min_kib = draw_mib(shape->seed, 0, 7, 1, 1000) * MIB,
        .ttl_left_ns = (uint64_t)draw_mib(shape->seed, 0, 8, 1, 100) * MODEL_SECOND_NS,
    };
    r->max_kib = r->min_kib + draw_mib(shape->seed, 0, 9, 0, 500) * MIB;
    m->reservation_count = 1;
}

static int64_t reserved_kib(const struct model *m)
{
    const struct xlp_snapshot *s = &m->snapshot;

    return s->reservation_count > 0 ? xlp_reservation_left_kib(&s->reservations[0], NULL) : 0;
}

/* Runs a case and asks after each decision, before it is carried out. */
static const char *run(const struct shape *shape,
                       const char *(*look)(const struct model *m, const struct xlp_action *a))
{
    const char *wrong = NULL;
    static struct model m;

    make(&m, shape);
    reserve_something(&m, shape);
    for (unsigned int t = 0; t < shape->ticks && !wrong; t++) {
        model_observe(&m);
        if (model_decide(&m, t == 0) < 0)
            abort();
        for (size_t i = 0; i < m.plan.action_count && !wrong; i++)
            if (!xlp_action_is_of_reservation(m.plan.actions[i].kind))
                wrong = look(&m, &m.plan.actions[i]);
        carry_out(&m);
    }
    model_dispose(&m);
    return wrong;
}

/* ---- what each guest's shares come to ---- */

/* What nobody can claim away from a guest: its shares of all the memory there is, no less than its
 * floor and no more than its maximum, when the balloons that do not work keep what they have. */
static int64_t share_at(const struct model *m, size_t i, double per_share)
{
    const struct model_guest *g = &m->guest[i];
    int64_t has_kib = g->actual_kib > g->target_kib ? g->actual_kib : g->target_kib;
    int64_t low_kib = g->balloon == MODEL_WORKS ? m->views[i].floor_kib : has_kib;
    char name[16];
    double kib;

    snprintf(name, sizeof(name), "vm%u", g->domid);
    kib = per_share * xlp_policy_for(&m->policy, name).shares;
    if (kib > (double)g->static_max_kib)
        kib = (double)g->static_max_kib;
    return kib > (double)low_kib ? (int64_t)kib : low_kib;
}

static int64_t share_of(const struct model *m, size_t i)
{
    int64_t pool_kib = m->free_kib - m->policy.mem_reserve_kib - reserved_kib(m);
    double below = 0, above = 1e9;

    for (size_t g = 0; g < m->count; g++)
        pool_kib += m->guest[g].actual_kib;
    for (int step = 0; step < 100; step++) {
        double middle = (below + above) / 2;
        int64_t sum_kib = 0;

        for (size_t g = 0; g < m->count; g++)
            sum_kib += share_at(m, g, middle);
        *(sum_kib <= pool_kib ? &below : &above) = middle;
    }
    return share_at(m, i, below);
}

static int64_t owed_to(const struct model *m, size_t i)
{
    int64_t share_kib = share_of(m, i);

    return share_kib < m->views[i].need_kib ? share_kib : m->views[i].need_kib;
}

/* ---- the claims on single actions ---- */

static const struct xlp_domain *domain_of(const struct model *m, const struct xlp_action *a)
{
    return &m->snapshot.domains[a->domid - 1];
}

/* What a guest's use may have moved by since it reported last: its agent's step. */
static int64_t unreported_kib(const struct model_guest *g)
{
    return g->actual_kib / 50 > 8 * MIB ? g->actual_kib / 50 : 8 * MIB;
}

/* By what the guest really uses, not by what the engine makes of it. What it has not, cannot be
 * taken from it; what is beyond its share is for another claim. */
static const char *look_for_unsafe(const struct model *m, const struct xlp_action *a)
{
    const struct model_guest *g = &m->guest[a->domid - 1];
    int64_t safe_kib = g->used_kib + m->policy.mem_margin_kib - unreported_kib(g);

    if (safe_kib < m->views[a->domid - 1].floor_kib)
        safe_kib = m->views[a->domid - 1].floor_kib;
    if (safe_kib > g->actual_kib)
        safe_kib = g->actual_kib;
    return a->reason.code != XLP_REASON_MEM_RECALL && a->to_kib < a->from_kib &&
                   a->to_kib < safe_kib && a->to_kib < g->static_max_kib
               ? "a target below what is safe"
               : NULL;
}

static const char *never_below_floor_or_use(const struct shape *shape)
{
    return run(shape, look_for_unsafe);
}

/* What it uses, or says it uses, may be taken only for one that lacks of its own share, and only
 * down to its share. */
static const char *look_for_unfair_recall(const struct model *m, const struct xlp_action *a)
{
    bool somebody_lacks = false;

    if (a->reason.code != XLP_REASON_MEM_RECALL)
        return NULL;
    if (m->guest[a->domid - 1].balloon == MODEL_WORKS && a->to_kib < owed_to(m, a->domid - 1))
        return "more than what is beyond its share is taken back";
    for (size_t i = 0; i < m->count; i++)
        somebody_lacks =
            somebody_lacks || (i != a->domid - 1 && m->views[i].need_kib > m->guest[i].target_kib);
    return somebody_lacks ? NULL : "taken back for nobody";
}

static const char *only_what_is_beyond_a_share_is_taken_back(const struct shape *shape)
{
    return run(shape, look_for_unfair_recall);
}

static const char *look_for_bad_sizes(const struct model *m, const struct xlp_action *a)
{
    const struct xlp_domain_memory *memory = &domain_of(m, a)->memory;

    if (a->to_kib > memory->static_max_kib)
        return "a target above the maximum";
    if (a->to_kib < a->from_kib && a->reason.code != XLP_REASON_MEM_GIVE_UP &&
        a->from_kib - a->to_kib > memory->actual_kib / 4)
        return "a step down of more than a quarter";
    if (a->from_kib != memory->target_kib || a->to_kib <= 0)
        return "a target from nowhere";
    if (a->limit_kib && a->limit_kib < a->to_kib && a->limit_kib < memory->actual_kib)
        return "a limit below what the guest has";
    return NULL;
}

static const char *sizes_are_within_bounds(const struct shape *shape)
{
    return run(shape, look_for_bad_sizes);
}

/* Growth of a whole plan, asked at its first action: memory's come before those of reservations. */
static const char *look_for_growth_on_credit(const struct model *m, const struct xlp_action *a)
{
    int64_t growth_kib = 0;
    int64_t may_kib = m->free_kib - m->policy.mem_reserve_kib - reserved_kib(m);

    if (a != &m->plan.actions[0])
        return NULL;
    for (size_t i = 0; i < m->count; i++)
        if (m->guest[i].target_kib > m->guest[i].actual_kib)
            may_kib -= m->guest[i].target_kib - m->guest[i].actual_kib;
    for (size_t i = 0; i < m->plan.action_count; i++) {
        const struct xlp_action *b = &m->plan.actions[i];
        int64_t has_kib;

        if (xlp_action_is_of_reservation(b->kind))
            continue;
        has_kib = domain_of(m, b)->memory.actual_kib;
        has_kib = b->from_kib > has_kib ? b->from_kib : has_kib;
        growth_kib += b->to_kib > has_kib ? b->to_kib - has_kib : 0;
    }
    return growth_kib > 0 && growth_kib > may_kib ? "more is promised than is free" : NULL;
}

static const char *growth_fits_what_is_free(const struct shape *shape)
{
    return run(shape, look_for_growth_on_credit);
}

static int64_t granted_kib(const struct model_guest *g, int64_t target_kib)
{
    return g->actual_kib > target_kib ? g->actual_kib : target_kib;
}

/* What guests have or are told they may have, and the reserve, fit into the memory there is; if not
 * so at first, a plan does not add to it. Asked at its last action. */
static const char *look_for_overcommitment(const struct model *m, const struct xlp_action *a)
{
    int64_t memory_kib = m->free_kib - m->policy.mem_reserve_kib, before_kib = 0, more_kib = 0;

    if (a != &m->plan.actions[m->plan.action_count - 1])
        return NULL;
    for (size_t i = 0; i < m->count; i++) {
        memory_kib += m->guest[i].actual_kib;
        before_kib += granted_kib(&m->guest[i], m->guest[i].target_kib);
    }
    for (size_t i = 0; i < m->plan.action_count; i++) {
        const struct xlp_action *b = &m->plan.actions[i];

        more_kib += granted_kib(&m->guest[b->domid - 1], b->to_kib) -
                    granted_kib(&m->guest[b->domid - 1], b->from_kib);
    }
    return more_kib > 0 && before_kib + more_kib > memory_kib ? "more is promised than there is"
                                                              : NULL;
}

static const char *targets_fit_the_memory_there_is(const struct shape *shape)
{
    return run(shape, look_for_overcommitment);
}

/* Only the host's own reserve may take from a guest what it needs. */
static const char *look_for_taken_need(const struct model *m, const struct xlp_action *a)
{
    return a->reason.code == XLP_REASON_MEM_SHRINK && a->to_kib < m->views[a->domid - 1].need_kib
               ? "need is taken from a guest for another"
               : NULL;
}

static const char *nobody_pays_with_its_need(const struct shape *shape)
{
    return run(shape, look_for_taken_need);
}

/* What goes back to the host is more than the guest would be comfortable with; what it gives up of
 * that, it gives up for others, and the reason says so. */
static const char *look_for_false_reason(const struct model *m, const struct xlp_action *a)
{
    (void)m;
    return a->reason.code == XLP_REASON_MEM_RETURN && a->to_kib < a->reason.number[1]
               ? "it is said to be comfortable with less than what would make it so"
               : NULL;
}

static const char *reasons_are_true(const struct shape *shape)
{
    return run(shape, look_for_false_reason);
}

/* ---- the claims on whole decisions ---- */

static const char *same_snapshots_same_plans(const struct shape *shape)
{
    static struct model a, b;
    const char *wrong = NULL;

    make(&a, shape);
    make(&b, shape);
    for (unsigned int t = 0; t < shape->ticks && !wrong; t++) {
        model_tick(&a, t == 0);
        model_tick(&b, t == 0);
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

    make(&m, shape);
    for (unsigned int t = 0; t < shape->ticks && !wrong; t++) {
        model_tick(&m, t == 0);
        for (size_t i = 0; i < m.count; i++)
            if (m.plan.verdicts[i].memory.code == XLP_REASON_NONE)
                wrong = "no verdict";
    }
    model_dispose(&m);
    return wrong;
}

/* What the next plan makes of each guest's target. */
static void next_targets(struct model *m, int64_t target_kib[MODEL_GUESTS_MAX])
{
    model_observe(m);
    if (model_decide(m, false) < 0)
        abort();
    for (size_t i = 0; i < m->count; i++)
        target_kib[i] = m->guest[i].target_kib;
    for (size_t i = 0; i < m->plan.action_count; i++)
        target_kib[m->plan.actions[i].domid - 1] = m->plan.actions[i].to_kib;
}

static void use_stays(struct model *m)
{
    for (size_t i = 0; i < m->count; i++) {
        m->guest[i].trace.count = 1;
        m->guest[i].trace.point[0].mib = (double)m->guest[i].used_kib / MIB;
    }
}

/* Two hosts with the same past; then on one of them the first guest begins to lie. Another guest
 * that loses by it, at once or after a while, still has its need, or its share. */
static const char *a_lie_costs_nobody_what_is_his(const struct shape *shape)
{
    static struct model honest, lying;
    int64_t honest_kib[MODEL_GUESTS_MAX], lying_kib[MODEL_GUESTS_MAX];
    const char *wrong = NULL;

    make(&honest, shape);
    make(&lying, shape);
    honest.guest[0].lies = lying.guest[0].lies = false;
    for (unsigned int t = 0; t < shape->ticks; t++) {
        model_tick(&honest, t == 0);
        model_tick(&lying, t == 0);
    }
    use_stays(&honest);
    use_stays(&lying);
    lying.guest[0].lies = true;
    lying.guest[0].report.avail_kib = 0;
    lying.guest[0].report.swap_used_kib = lying.guest[0].report.swap_total_kib;
    for (unsigned int t = 0; t < 100 && !wrong; t++) {
        next_targets(&honest, honest_kib);
        next_targets(&lying, lying_kib);
        for (size_t i = 1; i < lying.count; i++)
            if (lying.guest[i].balloon == MODEL_WORKS && lying_kib[i] < honest_kib[i] &&
                lying_kib[i] < lying.guest[i].target_kib && lying_kib[i] < owed_to(&lying, i))
                wrong = "a lie took a guest's need";
        carry_out(&honest);
        carry_out(&lying);
    }
    model_dispose(&honest);
    model_dispose(&lying);
    return wrong;
}

/* Targets are multiples of 16 MiB, and less than that is not worth a step. */
#define NEARLY_KIB (32 * MIB)

/* After whatever happened, use stays as it is, but the first guest's rises: it gets what it needs
 * of its share, though others had that before and say that they use it, truly or not. */
static const char *who_comes_late_gets_his_share(const struct shape *shape)
{
    static struct model m;
    const char *wrong = NULL;

    make(&m, shape);
    m.guest[0].balloon = MODEL_WORKS;
    m.guest[0].lies = false;
    for (unsigned int t = 0; t < shape->ticks; t++)
        model_tick(&m, t == 0);
    use_stays(&m);
    m.guest[0].trace.point[0].mib =
        (double)draw_mib(shape->seed, 0, 20, 60, m.guest[0].static_max_kib / MIB);
    model_run(&m, 300);
    if (m.guest[0].target_kib < owed_to(&m, 0) - NEARLY_KIB)
        wrong = "it never got its share";
    model_dispose(&m);
    return wrong;
}

/* ---- the claims on the arithmetic ---- */

/* Without room to work in, which the cases do not care about. */
static enum xlp_level allocate(struct xlp_claim *claims, size_t count, int64_t pool_kib)
{
    struct xlp_range ranges[2 * MODEL_GUESTS_MAX];

    return xlp_allocate(claims, count, pool_kib, ranges);
}

static size_t make_claims(const struct shape *shape, struct xlp_claim claims[MODEL_GUESTS_MAX],
                          int64_t *pool_kib_out)
{
    int64_t sum_kib = 0;

    for (unsigned int i = 0; i < shape->guests; i++) {
        struct xlp_claim *c = &claims[i];
        int64_t at_kib = 0;

        memset(c, 0, sizeof(*c));
        c->shares = (uint32_t)draw_mib(shape->seed, i + 1, 0, 1, i % 3 ? 3000 : 3);
        for (int level = 0; level < XLP_LEVELS; level++) {
            if (draw(shape->seed, i + 1, 10 + (uint64_t)level) % 4)
                at_kib += draw_mib(shape->seed, i + 1, 20 + (uint64_t)level, 0, 1000000);
            c->level_kib[level] = at_kib;
        }
        c->cap_kib = at_kib;
        c->has_kib = draw_mib(shape->seed, i + 1, 30, 0, at_kib);
        c->untaxed_pct =
            (uint32_t)(draw(shape->seed, 0, 31) % 2 ? draw_mib(shape->seed, 0, 32, 0, 100) : 0);
        sum_kib += at_kib;
    }
    *pool_kib_out = draw_mib(shape->seed, 0, 0, 0, sum_kib);
    return shape->guests;
}

static const char *the_pool_is_given_to_the_kib(const struct shape *shape)
{
    struct xlp_claim claims[MODEL_GUESTS_MAX];
    int64_t pool_kib, sum_kib = 0;
    size_t count = make_claims(shape, claims, &pool_kib);
    enum xlp_level unpaid = allocate(claims, count, pool_kib);

    for (size_t i = 0; i < count; i++) {
        const struct xlp_claim *c = &claims[i];

        sum_kib += c->given_kib;
        if (c->given_kib < c->level_kib[XLP_LEVEL_HELD])
            return "less than is held";
        if (c->given_kib > c->level_kib[XLP_LEVEL_SURPLUS])
            return "more than the last level";
        if (unpaid > 0 && c->given_kib < c->level_kib[unpaid - 1])
            return "less than a level that is paid";
        if (unpaid > 0 && unpaid < XLP_LEVELS && c->given_kib > c->level_kib[unpaid])
            return "more than a level that is not paid";
    }
    return unpaid > XLP_LEVEL_HELD && sum_kib != pool_kib ? "not the pool in sum" : NULL;
}

/* In the level that is shared, who has more per share than another is at its lower end, or the
 * other is at its upper. */
static const char *what_is_shared_is_shared_evenly(const struct shape *shape)
{
    struct xlp_claim claims[MODEL_GUESTS_MAX];
    int64_t pool_kib;
    size_t count = make_claims(shape, claims, &pool_kib);
    enum xlp_level unpaid = allocate(claims, count, pool_kib);

    if (unpaid == XLP_LEVEL_HELD || unpaid == XLP_LEVELS)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            const struct xlp_claim *a = &claims[i], *b = &claims[j];

            if (a->given_kib > a->level_kib[unpaid - 1] && b->given_kib < b->level_kib[unpaid] &&
                (double)(a->given_kib - 1) / a->shares > (double)(b->given_kib + 1) / b->shares)
                return "one has more per share";
        }
    }
    return NULL;
}

/* In other units, and with other shares of the same ratios, it is the same; but what is rounded in
 * each claim may come to one. */
static const char *units_do_not_matter(const struct shape *shape)
{
    struct xlp_claim once[MODEL_GUESTS_MAX], scaled[MODEL_GUESTS_MAX];
    const int64_t scale = draw_mib(shape->seed, 0, 8, 2, 1000);
    int64_t pool_kib;
    size_t count = make_claims(shape, once, &pool_kib);

    make_claims(shape, scaled, &pool_kib);
    for (size_t i = 0; i < count; i++) {
        scaled[i].shares *= 5;
        scaled[i].cap_kib *= scale;
        scaled[i].has_kib *= scale;
        for (int level = 0; level < XLP_LEVELS; level++)
            scaled[i].level_kib[level] *= scale;
    }
    if (allocate(once, count, pool_kib) != allocate(scaled, count, pool_kib * scale))
        return "another level is not paid";
    for (size_t i = 0; i < count; i++)
        if (llabs(scaled[i].given_kib - once[i].given_kib * scale) > ((int64_t)count + 1) * scale)
            return "another part";
    return NULL;
}

/* Who is taxed less keeps no less. */
static const char *less_tax_never_gives_less(const struct shape *shape)
{
    struct xlp_claim before[MODEL_GUESTS_MAX], after[MODEL_GUESTS_MAX];
    int64_t pool_kib;
    size_t count = make_claims(shape, before, &pool_kib);
    size_t who = draw(shape->seed, 0, 7) % count;

    make_claims(shape, after, &pool_kib);
    after[who].untaxed_pct += (100 - after[who].untaxed_pct) / 2;
    allocate(before, count, pool_kib);
    allocate(after, count, pool_kib);
    return after[who].given_kib < before[who].given_kib - 1 ? "less tax gave less" : NULL;
}

static const char *more_shares_never_give_less(const struct shape *shape)
{
    struct xlp_claim before[MODEL_GUESTS_MAX], after[MODEL_GUESTS_MAX];
    int64_t pool_kib;
    size_t count = make_claims(shape, before, &pool_kib);
    size_t who = draw(shape->seed, 0, 7) % count;

    make_claims(shape, after, &pool_kib);
    after[who].shares += 1 + after[who].shares / 2;
    allocate(before, count, pool_kib);
    allocate(after, count, pool_kib);
    /* An odd KiB may go to another. */
    return after[who].given_kib < before[who].given_kib - 1 ? "more shares gave less" : NULL;
}

/* Whatever others claim beyond what they hold, one's entitled need is paid. */
static const char *claims_of_others_leave_the_entitled_need(const struct shape *shape)
{
    struct xlp_claim modest[MODEL_GUESTS_MAX], greedy[MODEL_GUESTS_MAX];
    int64_t pool_kib, entitled_kib;
    size_t count = make_claims(shape, modest, &pool_kib);
    enum xlp_level unpaid;

    for (size_t i = 0; i < count; i++) {
        modest[i].level_kib[XLP_LEVEL_ENTITLED] = modest[i].level_kib[XLP_LEVEL_NEED];
        greedy[i] = modest[i];
        for (int level = XLP_LEVEL_BARE; i > 0 && level < XLP_LEVELS; level++)
            greedy[i].level_kib[level] = greedy[i].cap_kib;
    }
    unpaid = allocate(greedy, count, pool_kib);
    if (unpaid <= XLP_LEVEL_KEPT)
        return NULL; /* not even what is held and the floors can be paid */
    /* Its part if all had the same per share, floors apart: what a claim with no other levels would
     * get from the same pool. */
    for (size_t i = 0; i < count; i++)
        for (int level = XLP_LEVEL_ENTITLED; level < XLP_LEVELS; level++)
            modest[i].level_kib[level] =
                level < XLP_LEVEL_COMFORT ? modest[i].level_kib[XLP_LEVEL_KEPT] : modest[i].cap_kib;
    allocate(modest, count, pool_kib);
    entitled_kib = modest[0].given_kib;
    if (entitled_kib > greedy[0].level_kib[XLP_LEVEL_NEED])
        entitled_kib = greedy[0].level_kib[XLP_LEVEL_NEED];
    return greedy[0].given_kib < entitled_kib - 1 ? "less than its entitled need" : NULL;
}

static const claim_fn claims_on_actions[] = {
    never_below_floor_or_use,
    only_what_is_beyond_a_share_is_taken_back,
    sizes_are_within_bounds,
    growth_fits_what_is_free,
    targets_fit_the_memory_there_is,
    nobody_pays_with_its_need,
    reasons_are_true,
    same_snapshots_same_plans,
    everybody_gets_a_verdict,
    a_lie_costs_nobody_what_is_his,
    who_comes_late_gets_his_share,
};

static const claim_fn claims_on_arithmetic[] = {
    the_pool_is_given_to_the_kib, what_is_shared_is_shared_evenly,
    more_shares_never_give_less,  less_tax_never_gives_less,
    units_do_not_matter,          claims_of_others_leave_the_entitled_need,
};

START_TEST(every_decision_is_sound)
{
    holds_always(claims_on_actions[_i], CASES);
}
END_TEST

START_TEST(every_allocation_is_fair)
{
    holds_always(claims_on_arithmetic[_i], CASES);
}
END_TEST

static TCase *decisions(void)
{
    TCase *tcase = tcase_create("decisions");

    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, every_decision_is_sound, 0,
                        sizeof(claims_on_actions) / sizeof(claims_on_actions[0]));
    return tcase;
}

static TCase *allocations(void)
{
    TCase *tcase = tcase_create("allocations");

    tcase_add_loop_test(tcase, every_allocation_is_fair, 0,
                        sizeof(claims_on_arithmetic) / sizeof(claims_on_arithmetic[0]));
    return tcase;
}

CHECK_MAIN("memory properties", decisions, allocations)
