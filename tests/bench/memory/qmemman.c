/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * qmemman-like, after Qubes' qmemman and its meminfo-writer. A guest tells what it uses when that
 * has changed by 30 MB; each report has all memory balanced anew, to 1.3 times what each uses and a
 * part of the rest in proportion to that. Targets are set one after the other, those that give
 * first; before one that takes it is waited half a second at most for the memory to be there. Small
 * changes are not made. There is no timer.
 */
#include "qmemman.h"

#include "../measure.h"

#define REPORT_KIB       30000
#define USE_FACTOR       1.3
#define LEAST_KIB        (200 * MIB) /* preferred at least */
#define KEPT_FREE_KIB    (50 * MIB)
#define OVERHEAD_FACTOR  (1 / 1.00781) /* of Xen's page structures */
#define WORTH_MOVING_KIB (150 * MIB)
#define WORTH_HAVING_KIB (15 * MIB)
#define GIVE_UP_KIB      (10 * MIB) /* who is nearer than this to what it prefers need not give */
#define TRIES            5

struct qubes_guest {
    bool reported, news; /* has told what it uses; and since it was last looked at */
    int64_t told_kib;    /* what it told last */
    int64_t used_kib;    /* what of that is known to the manager */
    int64_t current_kib, actual_kib;
    int64_t last_target_kib, most_kib;
    int64_t before_kib; /* when the balance began */
    bool no_progress;
};

struct request {
    size_t guest;
    int64_t kib;
};

struct qubes {
    struct qubes_guest *guest;
    struct request *request;
    size_t request_count, at; /* being carried out */
    int tries;
};

static void agents(struct qubes *q, const struct mem_host *h);
static void plan(struct qubes *q, const struct mem_host *h);
static bool carry_out(struct qubes *q, struct mem_host *h);

static void *start(struct mem_host *h)
{
    struct qubes *q = bench_alloc(1, sizeof(*q));

    q->guest = bench_alloc(h->model.count, sizeof(*q->guest));
    q->request = bench_alloc(h->model.count, sizeof(*q->request));
    for (size_t i = 0; i < h->model.count; i++)
        q->guest[i].last_target_kib = h->model.guest[i].target_kib;
    return q;
}

static void stop(void *self)
{
    struct qubes *q = self;

    free(q->guest);
    free(q->request);
    free(q);
}

static void balance(struct qubes *q, struct mem_host *h, size_t guest)
{
    q->guest[guest].news = false;
    q->guest[guest].reported = true;
    q->guest[guest].used_kib = q->guest[guest].told_kib;
    plan(q, h);
}

/* While a balance waits for memory, reports wait for it. */
static bool step(void *self, struct mem_host *h)
{
    struct qubes *q = self;
    bool decided = false;

    agents(q, h);
    if (!carry_out(q, h))
        return false;
    for (size_t i = 0; i < h->model.count; i++) {
        if (!q->guest[i].news)
            continue;
        balance(q, h, i);
        decided = true;
        if (!carry_out(q, h))
            break;
    }
    return decided;
}

void qmemman_note(void *self, const struct mem_host *h, size_t guest)
{
    struct qubes_guest *g = &((struct qubes *)self)->guest[guest];

    g->reported = true;
    g->told_kib = g->used_kib = h->model.guest[guest].used_kib;
}

void qmemman_balance(void *self, struct mem_host *h, size_t guest)
{
    balance(self, h, guest);
    carry_out(self, h);
}

/* ---- in the guests ---- */

static void agents(struct qubes *q, const struct mem_host *h)
{
    for (size_t i = 0; i < h->model.count; i++) {
        struct qubes_guest *g = &q->guest[i];
        int64_t used_kib = h->model.guest[i].used_kib, actual_kib = h->model.guest[i].actual_kib;
        bool tight = used_kib > g->told_kib && used_kib / 10 > actual_kib / 13;

        if (g->told_kib != 0 &&
            llabs(used_kib - g->told_kib) <= (tight ? REPORT_KIB / 2 : REPORT_KIB))
            continue;
        g->told_kib = used_kib;
        g->news = true;
    }
}

/* ---- what each is to have ---- */

static bool takes_part(const struct qubes_guest *g)
{
    return g->reported && !g->no_progress;
}

static int64_t preferred_kib(const struct qubes_guest *g)
{
    int64_t kib = (int64_t)(USE_FACTOR * (double)g->used_kib);

    kib = kib < g->most_kib ? kib : g->most_kib;
    return kib > LEAST_KIB ? kib : LEAST_KIB;
}

static bool is_donor(const struct qubes_guest *g)
{
    return preferred_kib(g) < g->actual_kib || g->actual_kib >= g->most_kib;
}

/* What a guest may grow to at any time counts as its own. */
static void refresh(struct qubes *q, const struct mem_host *h)
{
    for (size_t i = 0; i < h->model.count; i++) {
        struct qubes_guest *g = &q->guest[i];

        g->current_kib = h->model.guest[i].actual_kib;
        g->actual_kib = g->current_kib > g->last_target_kib ? g->current_kib : g->last_target_kib;
        g->most_kib = h->model.guest[i].static_max_kib;
        if (g->reported && (g->actual_kib <= g->last_target_kib + KEPT_FREE_KIB / 2 ||
                            g->actual_kib < preferred_kib(g)))
            g->no_progress = false;
    }
}

static int64_t free_kib(const struct qubes *q, const struct mem_host *h)
{
    int64_t kib = (int64_t)(OVERHEAD_FACTOR * (double)h->model.free_kib);

    for (size_t i = 0; i < h->model.count; i++)
        if (q->guest[i].last_target_kib > q->guest[i].current_kib)
            kib -= q->guest[i].last_target_kib - q->guest[i].current_kib;
    return kib;
}

static void request(struct qubes *q, size_t guest, int64_t kib)
{
    q->request[q->request_count++] = (struct request){guest, kib};
}

static int64_t proportional_kib(const struct qubes_guest *g, double spare_part)
{
    return (int64_t)(0.999 * (double)preferred_kib(g) * (1 + spare_part));
}

/* What those at their maximum leave goes to the others, the same to each. */
static int64_t bonus_kib(const struct qubes *q, size_t count, double spare_part)
{
    int64_t left_kib = 0;
    size_t acceptors = 0;

    for (size_t i = 0; i < count; i++) {
        const struct qubes_guest *g = &q->guest[i];
        int64_t kib = takes_part(g) ? proportional_kib(g, spare_part) : 0;

        if (kib > g->most_kib)
            left_kib += kib - g->most_kib;
        else if (takes_part(g))
            acceptors++;
    }
    return acceptors ? (int64_t)(0.999 * (double)left_kib / (double)acceptors) : 0;
}

static void plan_for_enough(struct qubes *q, size_t count, double spare_part)
{
    int64_t more_kib = bonus_kib(q, count, spare_part);

    for (int giving = 1; giving >= 0; giving--) {
        for (size_t i = 0; i < count; i++) {
            const struct qubes_guest *g = &q->guest[i];
            int64_t kib = takes_part(g) ? proportional_kib(g, spare_part) + more_kib : 0;

            kib = kib < g->most_kib ? kib : g->most_kib;
            if (takes_part(g) && (kib < g->actual_kib) == giving)
                request(q, i, kib);
        }
    }
}

/* Donors down to what they prefer; what that brings is shared by what the others prefer. */
static void plan_for_little(struct qubes *q, size_t count, int64_t spare_kib,
                            double acceptors_prefer_kib)
{
    double to_share_kib = (double)spare_kib;

    for (size_t i = 0; i < count; i++) {
        const struct qubes_guest *g = &q->guest[i];
        int64_t has_kib = g->actual_kib - preferred_kib(g);

        if (!takes_part(g) || !is_donor(g) || has_kib < GIVE_UP_KIB)
            continue;
        to_share_kib += (double)has_kib;
        request(q, i, preferred_kib(g));
    }
    for (size_t i = 0; i < count && to_share_kib >= 0; i++) {
        const struct qubes_guest *g = &q->guest[i];
        int64_t kib;

        if (!takes_part(g) || is_donor(g))
            continue;
        kib = g->actual_kib +
              (int64_t)(0.999 * to_share_kib * (double)preferred_kib(g) / acceptors_prefer_kib);
        request(q, i, kib < g->most_kib ? kib : g->most_kib);
    }
}

static bool is_worth_it(const struct qubes *q, int64_t kib_free)
{
    int64_t moved_kib = llabs(kib_free - KEPT_FREE_KIB);

    if (KEPT_FREE_KIB - kib_free > WORTH_HAVING_KIB)
        return true;
    for (size_t i = 0; i < q->request_count; i++) {
        const struct qubes_guest *g = &q->guest[q->request[i].guest];
        int64_t change_kib = q->request[i].kib - g->last_target_kib;

        moved_kib += llabs(change_kib);
        if (g->last_target_kib < preferred_kib(g) && change_kib > WORTH_HAVING_KIB)
            return true;
    }
    return moved_kib > WORTH_MOVING_KIB;
}

static void plan(struct qubes *q, const struct mem_host *h)
{
    double all_prefer_kib = 0, acceptors_prefer_kib = 0, spare_kib;
    int64_t kib_free;

    refresh(q, h);
    kib_free = free_kib(q, h);
    q->request_count = q->at = 0;
    q->tries = TRIES;
    spare_kib = (double)(kib_free - KEPT_FREE_KIB);
    for (size_t i = 0; i < h->model.count; i++) {
        struct qubes_guest *g = &q->guest[i];

        g->before_kib = g->actual_kib;
        if (!takes_part(g))
            continue;
        all_prefer_kib += (double)preferred_kib(g);
        acceptors_prefer_kib += is_donor(g) ? 0 : (double)preferred_kib(g);
        spare_kib -= (double)(preferred_kib(g) - g->actual_kib);
    }
    if (spare_kib > 0)
        plan_for_enough(q, h->model.count, spare_kib / all_prefer_kib);
    else
        plan_for_little(q, h->model.count, kib_free - KEPT_FREE_KIB, acceptors_prefer_kib);
    if (!is_worth_it(q, kib_free))
        q->request_count = 0;
}

/* ---- carrying it out ---- */

static void set(struct qubes *q, struct mem_host *h, size_t guest, int64_t kib)
{
    q->guest[guest].last_target_kib = kib;
    mem_host_set_target(h, guest, kib);
    if (h->instant)
        q->guest[guest].current_kib = kib;
}

/* The memory for this one has not come: it gets what there is, and who did not give at all takes
 * part no more. */
static void give_up(struct qubes *q, struct mem_host *h)
{
    size_t guest = q->request[q->at].guest;

    for (size_t i = 0; i < q->at; i++) {
        struct qubes_guest *g = &q->guest[q->request[i].guest];

        if (g->actual_kib > g->last_target_kib + KEPT_FREE_KIB / 4 &&
            g->actual_kib == g->before_kib)
            g->no_progress = true;
    }
    set(q, h, guest, free_kib(q, h) + q->guest[guest].actual_kib - KEPT_FREE_KIB);
    q->request_count = q->at;
}

/* False while it waits. */
static bool carry_out(struct qubes *q, struct mem_host *h)
{
    if (q->at < q->request_count && q->tries < TRIES)
        refresh(q, h);
    for (; q->at < q->request_count; q->at++) {
        const struct request *r = &q->request[q->at];
        int64_t left_kib = free_kib(q, h) - (r->kib - q->guest[r->guest].actual_kib);

        if ((double)left_kib < 0.9 * KEPT_FREE_KIB) {
            if (q->tries-- > 0)
                return false;
            give_up(q, h);
            return true;
        }
        set(q, h, r->guest, r->kib);
        q->tries = TRIES;
    }
    return true;
}

const struct mem_policy mem_policy_qmemman = {
    .name = "qmemman-like", .start = start, .step = step, .stop = stop};
