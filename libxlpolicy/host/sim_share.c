/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Fair rates and even flows, each by taking off bottlenecks: find the set of classes that is most
 * short of pCPUs (the cut of a maximum flow), fix what it gets, go on with the rest.
 */
#include "host/sim_share.h"

#include <math.h>
#include <string.h>

#include "grow.h"

#define TINY 1e-9

/* The working space of one solve; all arrays lie in share->scratch. */
struct solver {
    struct xlp_share *share;
    const bool *edges; /* [class][pcpu]: where flow may go now */
    double *need;      /* [class] still to be given a place */
    double *capacity;  /* [pcpu] */
    double *base;      /* [pcpu] load that is already there */
    double *part;      /* [class][pcpu] flow of the last route() */
    double *filled;    /* [pcpu] its sum */
    double *routed;    /* [class] its sum */
    double *sorted;    /* [max(pcpu, vcpu * 2)] */
    size_t *came_from; /* [class + pcpu] of the search */
    size_t *queue;     /* [class + pcpu] */
    bool *class_open, *pcpu_open;
    bool *in_cut; /* [class] */
};

static void fair(struct solver *s);
static void place(struct solver *s);

int xlp_share_start(struct xlp_share *share, size_t class_count, size_t pcpu_count,
                    size_t vcpu_count)
{
    size_t cells = class_count * pcpu_count + 1;

    if (xlp_grow(&share->allowed, &share->matrix_room, cells, sizeof(bool)) < 0 ||
        xlp_grow(&share->liked, &share->liked_room, cells, sizeof(bool)) < 0 ||
        xlp_grow(&share->flow, &share->flow_room, cells, sizeof(double)) < 0 ||
        xlp_grow(&share->rate, &share->rate_room, class_count + 1, sizeof(double)) < 0 ||
        xlp_grow(&share->load, &share->load_room, pcpu_count + 1, sizeof(double)) < 0 ||
        xlp_grow(&share->vcpus, &share->vcpu_room, vcpu_count + 1, sizeof(*share->vcpus)) < 0)
        return -1;

    size_t nodes = class_count + pcpu_count;
    size_t doubles = cells + 2 * class_count + 3 * pcpu_count + pcpu_count + 2 * vcpu_count + 8;
    size_t bytes = doubles * sizeof(double) + 2 * (nodes + 1) * sizeof(size_t) +
                   (nodes + class_count + 3) * sizeof(bool);
    if (xlp_grow(&share->scratch, &share->scratch_room, bytes, 1) < 0)
        return -1;

    share->class_count = class_count;
    share->pcpu_count = pcpu_count;
    share->vcpu_count = vcpu_count;
    memset(share->allowed, 0, cells * sizeof(bool));
    memset(share->liked, 0, cells * sizeof(bool));
    return 0;
}

void xlp_share_dispose(struct xlp_share *share)
{
    free(share->allowed);
    free(share->liked);
    free(share->flow);
    free(share->rate);
    free(share->load);
    free(share->vcpus);
    free(share->scratch);
    memset(share, 0, sizeof(*share));
}

void xlp_share_solve(struct xlp_share *share)
{
    size_t classes = share->class_count, pcpus = share->pcpu_count;
    double *d = share->scratch;
    struct solver s = {.share = share, .edges = share->allowed};

    s.part = d, d += classes * pcpus + 1;
    s.need = d, d += classes;
    s.routed = d, d += classes;
    s.capacity = d, d += pcpus;
    s.base = d, d += pcpus;
    s.filled = d, d += pcpus;
    s.sorted = d, d += pcpus + 2 * share->vcpu_count + 2;
    s.came_from = (size_t *)(void *)d;
    s.queue = s.came_from + classes + pcpus + 1;
    s.class_open = (bool *)(s.queue + classes + pcpus + 1);
    s.pcpu_open = s.class_open + classes + 1;
    s.in_cut = s.pcpu_open + pcpus + 1;

    fair(&s);
    place(&s);
}

/* ---- maximum flow from classes to pCPUs ---- */

static bool may_run(const struct solver *s, size_t class, size_t pcpu)
{
    return s->class_open[class] && s->pcpu_open[pcpu] &&
           s->edges[class * s->share->pcpu_count + pcpu];
}

/* Searches from every class with unmet need; the pCPU with room that it reached first, or
 * pcpu_count. in_cut is then all it could reach: those who compete for the same full pCPUs. */
static size_t search(struct solver *s)
{
    size_t classes = s->share->class_count, pcpus = s->share->pcpu_count;
    size_t none = classes + pcpus, head = 0, tail = 0;

    for (size_t i = 0; i < none; i++)
        s->came_from[i] = none + 1;
    for (size_t c = 0; c < classes; c++) {
        if (s->class_open[c] && s->need[c] - s->routed[c] > TINY) {
            s->came_from[c] = none;
            s->queue[tail++] = c;
        }
    }
    while (head < tail) {
        size_t node = s->queue[head++];

        if (node >= classes) { /* a full pCPU: whoever flows there could make room */
            size_t p = node - classes;

            for (size_t c = 0; c < classes; c++) {
                if (s->came_from[c] > none && s->part[c * pcpus + p] > TINY) {
                    s->came_from[c] = node;
                    s->queue[tail++] = c;
                }
            }
            continue;
        }
        for (size_t p = 0; p < pcpus; p++) {
            if (s->came_from[classes + p] <= none || !may_run(s, node, p))
                continue;
            s->came_from[classes + p] = node;
            if (s->capacity[p] - s->filled[p] > TINY)
                return p;
            s->queue[tail++] = classes + p;
        }
    }
    return pcpus;
}

/* Sends as much as fits along the path that search() found to this pCPU. */
static void augment(struct solver *s, size_t pcpu)
{
    size_t classes = s->share->class_count, pcpus = s->share->pcpu_count;
    size_t none = classes + pcpus;
    double amount = s->capacity[pcpu] - s->filled[pcpu];
    size_t p = pcpu, c;

    for (;; p = s->came_from[c] - classes) {
        c = s->came_from[classes + p];
        if (s->came_from[c] == none)
            break;
        amount = fmin(amount, s->part[c * pcpus + s->came_from[c] - classes]);
    }
    amount = fmin(amount, s->need[c] - s->routed[c]);
    s->routed[c] += amount;
    s->filled[pcpu] += amount;
    for (p = pcpu;; p = s->came_from[c] - classes) {
        c = s->came_from[classes + p];
        s->part[c * pcpus + p] += amount;
        if (s->came_from[c] == none)
            break;
        s->part[c * pcpus + s->came_from[c] - classes] -= amount;
    }
}

/* Routes need within capacity; true if all of it fits. Otherwise in_cut holds the classes that
 * together want more than the pCPUs they may run on have; it stays until the next failure. */
static bool route(struct solver *s)
{
    size_t classes = s->share->class_count, pcpus = s->share->pcpu_count, pcpu;
    bool fits = true;

    memset(s->part, 0, classes * pcpus * sizeof(double));
    memset(s->routed, 0, classes * sizeof(double));
    memset(s->filled, 0, pcpus * sizeof(double));
    while ((pcpu = search(s)) < pcpus)
        augment(s, pcpu);
    for (size_t c = 0; c < classes; c++)
        fits = fits && s->came_from[c] > classes + pcpus;
    for (size_t c = 0; c < classes && !fits; c++)
        s->in_cut[c] = s->came_from[c] <= classes + pcpus;
    return fits;
}

/* Whether a class of the cut may run on this pCPU. */
static bool wanted_by_cut(const struct solver *s, size_t pcpu)
{
    for (size_t c = 0; c < s->share->class_count; c++)
        if (s->in_cut[c] && may_run(s, c, pcpu))
            return true;
    return false;
}

static void open_all(struct solver *s)
{
    memset(s->class_open, true, s->share->class_count);
    memset(s->pcpu_open, true, s->share->pcpu_count);
}

/* Takes the classes of the cut, and the pCPUs they fill, out of the rest of the problem. */
static void close_cut(struct solver *s)
{
    for (size_t p = 0; p < s->share->pcpu_count; p++)
        if (s->pcpu_open[p] && wanted_by_cut(s, p))
            s->pcpu_open[p] = false;
    for (size_t c = 0; c < s->share->class_count; c++)
        if (s->in_cut[c])
            s->class_open[c] = false;
}

/* ---- fair rates ---- */

static double rate_at(const struct xlp_share_vcpu *v, double per_weight)
{
    return fmin(v->limit, per_weight * v->weight);
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The rate per weight at which the vCPUs of the cut together use exactly amount. */
static double per_weight_for(struct solver *s, double amount)
{
    const struct xlp_share *share = s->share;
    double given = 0, weight = 0, level = 0;
    size_t count = 0;

    for (size_t i = 0; i < share->vcpu_count; i++) {
        const struct xlp_share_vcpu *v = &share->vcpus[i];

        if (!s->in_cut[v->class])
            continue;
        s->sorted[2 * count] = v->limit / v->weight; /* satisfied from here on */
        s->sorted[2 * count + 1] = v->weight;
        count++;
        weight += v->weight;
    }
    qsort(s->sorted, count, 2 * sizeof(double), compare_doubles);
    for (size_t i = 0; i < count; i++) {
        double next = s->sorted[2 * i];

        if (given + (next - level) * weight >= amount)
            break;
        given += (next - level) * weight;
        level = next;
        weight -= s->sorted[2 * i + 1];
    }
    return weight > 0 ? level + (amount - given) / weight : level;
}

/* Fixes the rates of the tightest bottleneck among the open classes; false when none is left and
 * all have what they want. */
static bool fix_bottleneck(struct solver *s)
{
    struct xlp_share *share = s->share;
    double per_weight = INFINITY;

    for (;;) {
        memset(s->need, 0, share->class_count * sizeof(double));
        for (size_t i = 0; i < share->vcpu_count; i++) {
            const struct xlp_share_vcpu *v = &share->vcpus[i];

            if (s->class_open[v->class])
                s->need[v->class] += rate_at(v, per_weight);
        }
        if (route(s))
            break;

        double room = 0;
        for (size_t p = 0; p < share->pcpu_count; p++)
            if (s->pcpu_open[p] && wanted_by_cut(s, p))
                room += s->capacity[p];
        double lower = per_weight_for(s, room);
        if (lower >= per_weight) /* rounding: the cut fits as well as it ever will */
            break;
        per_weight = lower;
    }
    for (size_t i = 0; i < share->vcpu_count; i++) {
        struct xlp_share_vcpu *v = &share->vcpus[i];

        if (s->class_open[v->class] && (isinf(per_weight) || s->in_cut[v->class]))
            v->rate = rate_at(v, per_weight);
    }
    if (isinf(per_weight))
        return false;
    close_cut(s);
    return true;
}

static void fair(struct solver *s)
{
    open_all(s);
    for (size_t p = 0; p < s->share->pcpu_count; p++)
        s->capacity[p] = 1;
    while (fix_bottleneck(s))
        ;
}

/* ---- even flows ---- */

/* The level to which amount fills these pCPUs (those of the cut, or all open ones) over base. */
static double level_for(struct solver *s, double amount, bool of_cut)
{
    size_t count = 0;
    double level, rest = amount;

    for (size_t p = 0; p < s->share->pcpu_count; p++)
        if (s->pcpu_open[p] && (!of_cut || wanted_by_cut(s, p)))
            s->sorted[count++] = s->base[p];
    if (count == 0)
        return 0;
    qsort(s->sorted, count, sizeof(double), compare_doubles);
    level = s->sorted[0];
    for (size_t i = 1; i < count; i++) {
        double step = (s->sorted[i] - level) * (double)i;

        if (step >= rest)
            return level + rest / (double)i;
        rest -= step;
        level = s->sorted[i];
    }
    return level + rest / (double)count;
}

/* Places the open classes that are the hardest to place evenly; false when none is left. */
static bool place_bottleneck(struct solver *s)
{
    struct xlp_share *share = s->share;
    size_t pcpus = share->pcpu_count;
    double total = 0, level;
    bool tight = false;

    for (size_t c = 0; c < share->class_count; c++)
        total += s->class_open[c] ? s->need[c] : 0;
    level = level_for(s, total, false);
    for (;;) {
        for (size_t p = 0; p < pcpus; p++)
            s->capacity[p] = fmax(0, level - s->base[p]);
        if (route(s))
            break;

        double wanted = 0;
        for (size_t c = 0; c < share->class_count; c++)
            wanted += s->in_cut[c] ? s->need[c] : 0;
        double higher = level_for(s, wanted, true);
        tight = true;
        if (higher <= level) /* rounding: it fits as well as it ever will */
            break;
        level = higher;
    }
    for (size_t c = 0; c < share->class_count; c++) {
        if (!s->class_open[c] || (tight && !s->in_cut[c]))
            continue;
        for (size_t p = 0; p < pcpus; p++) {
            share->flow[c * pcpus + p] += s->part[c * pcpus + p];
            share->load[p] += s->part[c * pcpus + p];
        }
    }
    if (tight)
        close_cut(s);
    return tight;
}

/* Adds need[] to flow and load, as evenly as edges allow. */
static void spread(struct solver *s, const bool *edges)
{
    s->edges = edges;
    open_all(s);
    for (size_t c = 0; c < s->share->class_count; c++)
        s->class_open[c] = s->need[c] > TINY;
    memcpy(s->base, s->share->load, s->share->pcpu_count * sizeof(double));
    while (place_bottleneck(s))
        ;
}

/* Whether the class would rather run on some of its pCPUs than on others. */
static bool has_preference(const struct xlp_share *share, size_t class)
{
    const bool *allowed = &share->allowed[class * share->pcpu_count];
    const bool *liked = &share->liked[class * share->pcpu_count];
    bool some = false, all = true;

    for (size_t p = 0; p < share->pcpu_count; p++) {
        some = some || (allowed[p] && liked[p]);
        all = all && (!allowed[p] || liked[p]);
    }
    return some && !all;
}

static void start_flows(struct xlp_share *share)
{
    memset(share->flow, 0, share->class_count * share->pcpu_count * sizeof(double));
    memset(share->load, 0, share->pcpu_count * sizeof(double));
}

/* What each pCPU would be busy if every vCPU ran only where its class has its flow now, each at
 * times of its own: whoever comes while another runs there is not served there. */
static void busy_by_chance(struct solver *s, double *busy)
{
    const struct xlp_share *share = s->share;
    size_t pcpus = share->pcpu_count;

    for (size_t p = 0; p < pcpus; p++)
        busy[p] = 1 - fmin(1, s->base[p]);
    for (size_t i = 0; i < share->vcpu_count; i++) {
        const struct xlp_share_vcpu *v = &share->vcpus[i];
        double liked = s->need[v->class];

        for (size_t p = 0; liked > TINY && p < pcpus; p++)
            busy[p] *= 1 - fmin(1, v->rate * share->flow[v->class * pcpus + p] / liked);
    }
    for (size_t p = 0; p < pcpus; p++)
        busy[p] = 1 - busy[p];
}

/* What fits into the liked pCPUs goes there, as evenly as it can; but a vCPU that finds its liked
 * pCPU taken runs elsewhere rather than wait. */
static void place_where_liked(struct solver *s)
{
    struct xlp_share *share = s->share;
    size_t classes = share->class_count, pcpus = share->pcpu_count;

    s->edges = share->liked;
    open_all(s);
    for (size_t c = 0; c < classes; c++)
        s->need[c] = has_preference(share, c) ? share->rate[c] : 0;
    for (size_t p = 0; p < pcpus; p++)
        s->capacity[p] = fmax(0, 1 - share->load[p]);
    route(s);
    memcpy(s->need, s->routed, classes * sizeof(double));
    spread(s, share->liked);

    double *busy = s->sorted;
    busy_by_chance(s, busy);
    for (size_t p = 0; p < pcpus; p++) {
        double liked = share->load[p] - s->base[p];
        double keep = liked > TINY ? fmax(0, fmin(1, (busy[p] - s->base[p]) / liked)) : 1;

        for (size_t c = 0; c < classes; c++)
            if (s->need[c] > 0)
                share->flow[c * pcpus + p] *= keep;
        share->load[p] = s->base[p] + liked * keep;
    }
}

/* Soft affinity is a preference: it decides where a vCPU runs, and never what it gets. Those
 * without one go first, then the others where they like to be, then what did not fit there. If
 * somebody is left without room that way, preferences are let go. */
static void place(struct solver *s)
{
    struct xlp_share *share = s->share;
    size_t classes = share->class_count, pcpus = share->pcpu_count;
    double fullest = 0;

    memset(share->rate, 0, classes * sizeof(double));
    for (size_t i = 0; i < share->vcpu_count; i++)
        share->rate[share->vcpus[i].class] += share->vcpus[i].rate;

    start_flows(share);
    for (size_t c = 0; c < classes; c++)
        s->need[c] = has_preference(share, c) ? 0 : share->rate[c];
    spread(s, share->allowed);
    place_where_liked(s);
    for (size_t c = 0; c < classes; c++) {
        s->need[c] = share->rate[c];
        for (size_t p = 0; p < pcpus; p++)
            s->need[c] -= share->flow[c * pcpus + p];
    }
    spread(s, share->allowed);

    for (size_t p = 0; p < pcpus; p++)
        fullest = fmax(fullest, share->load[p]);
    if (fullest > 1 + 1e-6) {
        start_flows(share);
        memcpy(s->need, share->rate, classes * sizeof(double));
        spread(s, share->allowed);
    }
}
