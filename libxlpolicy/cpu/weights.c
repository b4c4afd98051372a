/* SPDX-License-Identifier: LGPL-2.1-only */
/* One decision on weights: watch, see whose weights are whose, count tickets, scale, and write. */
#include "weights.h"

#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "activity.h"
#include "grow.h"
#include "shares/tickets.h"

#define SECOND_NS      UINT64_C(1000000000)
#define WRITE_EVERY_NS (10 * SECOND_NS)
#define DEAD_ZONE_PCT  1 /* of its weight: a smaller change is not worth a write */

#define SHARES_USUAL 1000.0 /* are worth XLP_WEIGHT_USUAL on one vCPU */

/* A weight of this size is rounded by at most 0.4 %, so that two are within 1 % of their ratio. */
#define LIGHTEST 128
/* Every weight of a pool changes with the scale: a coarser one waits for so long. */
#define SCALE_KEPT_NS (300 * SECOND_NS)

/* Where everybody gets what it wants, weights decide nothing, and tickets are just shares. A pool
 * is short when so much of it is wanted, until less than the second number is. */
#define SHORT_AT  0.97
#define PLENTY_AT 0.85

enum standing {
    OURS,
    ANOTHERS, /* its weight is not ours to change */
    LEFT,     /* nothing may be done to it for the moment */
};

/* What is remembered of one domain; the last part is of one decision. */
struct weight_past {
    uint32_t domid;
    uint8_t uuid[16];
    uint32_t first_vcpu, vcpu_count;
    struct domain_activity activity;
    struct xlp_tickets tickets;
    uint32_t weight;    /* as it was seen last */
    uint64_t steady_ns; /* since it changed, or was seen first */

    enum standing standing;
    bool in_proportion; /* dom0, which has no shares but the weight that it had */
    char serves[XLP_NAME_SIZE];
    uint32_t due; /* the weight it is to have; 0: it keeps what it has */
};

struct weights_past {
    struct weight_past *domains; /* by rising domid */
    size_t domain_count, domain_room;
    struct vcpu_activity *vcpus;
    size_t vcpu_room;
};

struct pool_past {
    uint32_t id;
    bool is_short;
    int scale;           /* a power of two */
    uint64_t coarser_ns; /* for how long a smaller one would have done */
};

struct xlp_weights {
    struct weights_past now, before; /* swapped each time */
    struct pool_past *pools;
    size_t pool_count, pool_room;

    /* Room for the domains of one pool, kept. */
    size_t *members; /* indices into snapshot.domains */
    struct xlp_tickets **parties;
    size_t *drivers; /* indices into members */
    size_t member_room, party_room, driver_room;
};

/* What one decision hands down to its steps. */
struct decision {
    struct xlp_weights *w;
    const struct xlp_snapshot *s;
    const struct xlp_policy *policy;
    const struct xlp_roster *roster;
    uint64_t elapsed_ns;
    const struct xlp_vcpu_view *views;
    struct xlp_plan *plan;
};

struct pool {
    const struct xlp_pool *pool;
    struct pool_past *past;
    size_t member_count, driver_count;
    double capacity; /* online pCPUs */
};

static int make_room(struct xlp_weights *w, const struct xlp_snapshot *s);
static void recall(struct xlp_weights *w, const struct xlp_snapshot *s);
static void watch(const struct decision *t, size_t domain);
static int decide_pool(const struct decision *t, const struct xlp_pool *pool);

struct xlp_weights *xlp_weights_new(void)
{
    return calloc(1, sizeof(struct xlp_weights));
}

void xlp_weights_free(struct xlp_weights *w)
{
    if (!w)
        return;
    free(w->now.domains);
    free(w->now.vcpus);
    free(w->before.domains);
    free(w->before.vcpus);
    free(w->pools);
    free(w->members);
    free(w->parties);
    free(w->drivers);
    free(w);
}

int xlp_weights_decide(struct xlp_weights *w, const struct xlp_snapshot *s,
                       const struct xlp_policy *policy, const struct xlp_roster *roster,
                       uint64_t elapsed_ns, const struct xlp_vcpu_view *views,
                       struct xlp_plan *plan)
{
    struct decision t = {w, s, policy, roster, elapsed_ns, views, plan};

    if (policy->cpu_weights == XLP_WEIGHTS_OFF) {
        w->now.domain_count = 0;
        return 0;
    }
    if (make_room(w, s) < 0)
        return -1;
    recall(w, s);
    for (size_t i = 0; i < s->domain_count; i++) {
        plan->verdicts[i].weight.code = XLP_REASON_NONE;
        watch(&t, i);
    }
    for (size_t i = 0; i < s->pool_count; i++)
        if (decide_pool(&t, &s->pools[i]) < 0)
            return -1;
    return 0;
}

double xlp_weight_of(const struct xlp_weights *w, const struct xlp_snapshot *s, size_t domain)
{
    if (domain < w->now.domain_count && w->now.domains[domain].due)
        return w->now.domains[domain].due;
    return s->domains[domain].weight ? s->domains[domain].weight : XLP_WEIGHT_USUAL;
}

/* ---- what is remembered ---- */

static int make_room(struct xlp_weights *w, const struct xlp_snapshot *s)
{
    struct weights_past swap = w->before;

    w->before = w->now;
    w->now = swap;
    w->now.domain_count = 0;
    return xlp_grow(&w->now.domains, &w->now.domain_room, s->domain_count,
                    sizeof(*w->now.domains)) < 0 ||
                   xlp_grow(&w->now.vcpus, &w->now.vcpu_room, s->vcpu_count,
                            sizeof(*w->now.vcpus)) < 0 ||
                   xlp_grow(&w->members, &w->member_room, s->domain_count, sizeof(*w->members)) <
                       0 ||
                   xlp_grow(&w->parties, &w->party_room, s->domain_count, sizeof(*w->parties)) <
                       0 ||
                   xlp_grow(&w->drivers, &w->driver_room, s->domain_count, sizeof(*w->drivers)) < 0
               ? -1
               : 0;
}

/* Brings what is remembered into this snapshot's order. Both are by rising domid; who is new, or
 * another domain of that id, starts with nothing. */
static void recall(struct xlp_weights *w, const struct xlp_snapshot *s)
{
    static const struct weight_past nothing;
    size_t old = 0;

    for (size_t i = 0; i < s->domain_count; i++) {
        const struct xlp_domain *d = &s->domains[i];
        const struct weight_past *past = &nothing;
        struct weight_past *now = &w->now.domains[i];

        while (old < w->before.domain_count && w->before.domains[old].domid < d->domid)
            old++;
        if (old < w->before.domain_count && w->before.domains[old].domid == d->domid &&
            memcmp(w->before.domains[old].uuid, d->uuid, sizeof(d->uuid)) == 0)
            past = &w->before.domains[old];
        for (uint32_t k = 0; k < d->vcpu_count; k++)
            w->now.vcpus[d->first_vcpu + k] = k < past->vcpu_count
                                                  ? w->before.vcpus[past->first_vcpu + k]
                                                  : (struct vcpu_activity){0};
        *now = *past;
        now->domid = d->domid;
        memcpy(now->uuid, d->uuid, sizeof(now->uuid));
        now->first_vcpu = d->first_vcpu;
        now->vcpu_count = d->vcpu_count;
    }
    w->now.domain_count = s->domain_count;
}

static void watch(const struct decision *t, size_t domain)
{
    const struct xlp_domain *d = &t->s->domains[domain];
    struct weight_past *past = &t->w->now.domains[domain];

    xlp_watch_activity(t->s, d, t->views, t->elapsed_ns, t->w->now.vcpus, &past->activity);
    past->steady_ns = past->weight == d->weight ? past->steady_ns + t->elapsed_ns : 0;
    past->weight = d->weight;
    past->due = 0;
}

static struct pool_past *past_of(struct xlp_weights *w, uint32_t pool_id)
{
    for (size_t i = 0; i < w->pool_count; i++)
        if (w->pools[i].id == pool_id)
            return &w->pools[i];
    if (xlp_grow(&w->pools, &w->pool_room, w->pool_count + 1, sizeof(*w->pools)) < 0)
        return NULL;
    w->pools[w->pool_count] = (struct pool_past){.id = pool_id};
    return &w->pools[w->pool_count++];
}

/* ---- whose its weight is ---- */

/* Why it is not ours to change; NONE: it is. */
static struct xlp_reason anothers_because(const struct xlp_domain *d,
                                          const struct xlp_domain_policy *dp,
                                          const struct xlp_policy *policy)
{
    const struct xlp_weight_ledger *l = &d->ledger;
    bool given = dp->shares_given || d->domid == 0 || policy->adopt;

    if (!dp->cpu)
        return (struct xlp_reason){.code = XLP_REASON_CPU_EXCLUDED};
    if (d->released)
        return (struct xlp_reason){.code = XLP_REASON_RELEASED};
    if (l->recorded && d->weight != l->our_weight && d->weight != l->original_weight)
        return (struct xlp_reason){XLP_REASON_WEIGHT_TAKEN_BACK, {d->weight, l->our_weight}};
    if (!l->recorded && d->weight != XLP_WEIGHT_USUAL && !given)
        return (struct xlp_reason){XLP_REASON_WEIGHT_OPERATOR, {d->weight}};
    return (struct xlp_reason){.code = XLP_REASON_NONE};
}

/* The shares that this weight stands for on the domain's active vCPUs. */
static double worth(const struct weight_past *past, uint32_t weight)
{
    return weight * (SHARES_USUAL / XLP_WEIGHT_USUAL) * past->activity.sharers;
}

static uint32_t original_weight(const struct xlp_domain *d)
{
    return d->ledger.recorded ? d->ledger.original_weight : d->weight;
}

/* Finds out where a domain stands, and what its shares are. */
static void judge(const struct decision *t, size_t domain)
{
    const struct xlp_domain *d = &t->s->domains[domain];
    const struct xlp_domain_policy *terms = xlp_roster_terms(t->roster, domain);
    struct weight_past *past = &t->w->now.domains[domain];
    struct xlp_reason *verdict = &t->plan->verdicts[domain].weight;

    past->standing = LEFT;
    past->in_proportion = d->domid == 0 && !terms->shares_given;
    memcpy(past->serves, terms->serves, sizeof(past->serves));
    past->tickets.shares = past->in_proportion ? worth(past, original_weight(d)) : terms->shares;
    verdict->code = xlp_untouchable_because(d);
    if (verdict->code != XLP_REASON_NONE)
        return;
    *verdict = anothers_because(d, terms, t->policy);
    past->standing = verdict->code == XLP_REASON_NONE ? OURS : ANOTHERS;
    if (past->standing == ANOTHERS)
        past->tickets.shares = worth(past, d->weight);
}

/* ---- one pool ---- */

static double count_pcpus(const struct xlp_snapshot *s, const struct xlp_pool *pool)
{
    uint32_t count = 0;

    for (size_t i = 0; i < s->pcpu_count; i++)
        count += s->pcpus[i].online && xlp_cpumap_test(&s->maps[pool->map], s->pcpus[i].id);
    return count;
}

static void gather(const struct decision *t, struct pool *p)
{
    struct xlp_weights *w = t->w;
    bool has_weights = p->pool->sched == XLP_SCHED_CREDIT || p->pool->sched == XLP_SCHED_CREDIT2;

    for (size_t i = 0; i < t->s->domain_count; i++) {
        const struct xlp_domain *d = &t->s->domains[i];

        if (d->pool_id != p->pool->id)
            continue;
        if (!has_weights || d->weight == 0) {
            t->plan->verdicts[i].weight =
                (struct xlp_reason){XLP_REASON_WEIGHT_NO_WEIGHTS, {p->pool->id}};
            continue;
        }
        judge(t, i);
        if (w->now.domains[i].serves[0])
            w->drivers[p->driver_count++] = p->member_count;
        w->parties[p->member_count] = &w->now.domains[i].tickets;
        w->members[p->member_count++] = i;
    }
}

static struct weight_past *member(const struct decision *t, size_t i)
{
    return &t->w->now.domains[t->w->members[i]];
}

static bool serves(const void *arg, size_t driver, size_t client)
{
    const struct decision *t = arg;

    return fnmatch(member(t, driver)->serves, t->s->domains[t->w->members[client]].name, 0) == 0;
}

/* What its shares entitle it to while all want to run that run at all. */
static double entitled(const struct decision *t, const struct pool *p, size_t i, double shares)
{
    const struct xlp_domain *d = &t->s->domains[t->w->members[i]];
    double most = member(t, i)->activity.sharers;

    if (d->cap_pct)
        most = fmin(most, d->cap_pct / 100.0);
    return fmin(most, p->capacity * member(t, i)->tickets.shares / shares);
}

static void watch_shortage(const struct decision *t, const struct pool *p)
{
    double demand = 0;

    for (size_t i = 0; i < p->member_count; i++) {
        const struct weight_past *past = member(t, i);

        for (uint32_t k = 0; k < past->vcpu_count; k++)
            demand += t->views[past->first_vcpu + k].demand;
    }
    p->past->is_short = demand >= p->capacity * (p->past->is_short ? PLENTY_AT : SHORT_AT);
}

static void count_tickets(const struct decision *t, const struct pool *p)
{
    double shares = 0;

    for (size_t i = 0; i < p->member_count; i++)
        if (member(t, i)->activity.awake)
            shares += member(t, i)->tickets.shares;
    for (size_t i = 0; i < p->member_count; i++) {
        struct weight_past *past = member(t, i);
        struct xlp_tickets *tickets = &past->tickets;

        tickets->awake = past->activity.awake;
        tickets->used = past->activity.used;
        tickets->entitled = tickets->awake ? entitled(t, p, i, shares) : 0;
        tickets->held_up = past->activity.held_up && p->past->is_short;
        tickets->driver = past->serves[0] != '\0';
    }
    xlp_lend(t->w->parties, p->member_count, t->w->drivers, p->past->is_short ? p->driver_count : 0,
             serves, t);
    for (size_t i = 0; i < p->member_count; i++)
        xlp_compensate(&member(t, i)->tickets, (double)t->elapsed_ns / (double)SECOND_NS);
}

/* ---- from tickets to weights ---- */

/* At scale 1, and not rounded. */
static double weight_at_1(const struct weight_past *past, double tickets)
{
    return tickets * (XLP_WEIGHT_USUAL / SHARES_USUAL) / past->activity.sharers;
}

/* The power of two that makes the lightest weight large enough to be rounded, as far as the
 * heaviest allows it. */
static int fitting_scale(double lightest, double heaviest)
{
    int scale = 0;

    while (ldexp(heaviest, scale) > XLP_WEIGHT_MAX)
        scale--;
    while (ldexp(lightest, scale) < LIGHTEST && ldexp(heaviest, scale + 1) <= XLP_WEIGHT_MAX)
        scale++;
    return scale;
}

/* The range of the pool's weights, and whether some of them are not ours. */
struct range {
    double lightest, heaviest;
    bool shared;
};

static struct range range_of(const struct decision *t, const struct pool *p)
{
    struct range range = {.lightest = XLP_WEIGHT_USUAL};

    for (size_t i = 0; i < p->member_count; i++) {
        const struct weight_past *past = member(t, i);

        range.shared |= past->standing == ANOTHERS;
        range.lightest = fmin(range.lightest, weight_at_1(past, past->tickets.shares));
        range.heaviest = fmax(range.heaviest, weight_at_1(past, xlp_tickets_held(&past->tickets)));
    }
    return range;
}

/* A coarser scale than the present one waits, unless it must be. */
static void choose_scale(const struct decision *t, const struct pool *p)
{
    struct range range = range_of(t, p);
    struct pool_past *past = p->past;
    int wanted = range.shared ? 0 : fitting_scale(range.lightest, range.heaviest);
    bool must = range.shared || ldexp(range.heaviest, past->scale) > XLP_WEIGHT_MAX;

    past->coarser_ns = wanted < past->scale ? past->coarser_ns + t->elapsed_ns : 0;
    if (must || wanted > past->scale || past->coarser_ns >= SCALE_KEPT_NS)
        past->scale = wanted;
}

static uint32_t due_weight(const struct weight_past *past, int scale)
{
    double weight = ldexp(weight_at_1(past, xlp_tickets_held(&past->tickets)), scale);

    return (uint32_t)fmin(XLP_WEIGHT_MAX, fmax(1, round(weight)));
}

/* ---- saying so ---- */

static struct xlp_reason reason_of(const struct xlp_domain *d, const struct weight_past *past,
                                   int scale)
{
    const struct xlp_tickets *tickets = &past->tickets;
    int64_t shares = llround(tickets->shares), vcpus = past->activity.sharers;

    if (tickets->loan_steps)
        return (struct xlp_reason){
            XLP_REASON_WEIGHT_LENT,
            {shares, vcpus, llround(tickets->shares * XLP_TICKET_STEP * tickets->loan_steps)}};
    if (past->in_proportion)
        return (struct xlp_reason){XLP_REASON_WEIGHT_IN_PROPORTION,
                                   {original_weight(d), xlp_reason_pct(ldexp(1, scale))}};
    if (tickets->extra_steps)
        return (struct xlp_reason){
            XLP_REASON_WEIGHT_COMPENSATED,
            {shares, vcpus, xlp_reason_pct(XLP_TICKET_STEP * tickets->extra_steps)}};
    return (struct xlp_reason){XLP_REASON_WEIGHT_SHARES, {shares, vcpus}};
}

/* So much of ten seconds is left since it was last written, or first seen. */
static int64_t wait_s(const struct weight_past *past)
{
    return past->steady_ns >= WRITE_EVERY_NS
               ? 0
               : (int64_t)((WRITE_EVERY_NS - past->steady_ns + SECOND_NS - 1) / SECOND_NS);
}

static bool is_worth_a_write(uint32_t from, uint32_t to)
{
    uint64_t change = from > to ? from - to : to - from;

    return change * 100 > (uint64_t)from * DEAD_ZONE_PCT;
}

static int write_weight(const struct decision *t, const struct pool *p, size_t domain)
{
    const struct xlp_domain *d = &t->s->domains[domain];
    const struct weight_past *past = &t->w->now.domains[domain];
    struct xlp_reason *verdict = &t->plan->verdicts[domain].weight;
    int64_t shares = llround(past->tickets.shares), vcpus = past->activity.sharers;
    struct xlp_action *a;

    *verdict = reason_of(d, past, p->past->scale);
    if (!is_worth_a_write(d->weight, past->due)) {
        if (!past->in_proportion)
            *verdict = (struct xlp_reason){XLP_REASON_WEIGHT_FITS, {d->weight, shares, vcpus}};
        return 0;
    }
    if (wait_s(past) > 0) {
        *verdict = (struct xlp_reason){XLP_REASON_WEIGHT_SETTLING,
                                       {d->weight, past->due, shares, vcpus, wait_s(past)}};
        return 0;
    }
    a = xlp_plan_add(t->plan, XLP_SET_WEIGHT, d);
    if (!a)
        return -1;
    a->from_weight = d->weight;
    a->to_weight = past->due;
    a->reason = *verdict;
    return 0;
}

static int decide_pool(const struct decision *t, const struct xlp_pool *pool)
{
    struct pool p = {.pool = pool, .past = past_of(t->w, pool->id)};

    if (!p.past)
        return -1;
    p.capacity = count_pcpus(t->s, pool);
    gather(t, &p);
    watch_shortage(t, &p);
    count_tickets(t, &p);
    choose_scale(t, &p);
    for (size_t i = 0; i < p.member_count; i++) {
        struct weight_past *past = member(t, i);

        if (past->standing != OURS)
            continue;
        past->due = due_weight(past, p.past->scale);
        if (write_weight(t, &p, t->w->members[i]) < 0)
            return -1;
    }
    return 0;
}
