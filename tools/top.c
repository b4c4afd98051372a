/* SPDX-License-Identifier: LGPL-2.1-only */
/* top's state: what guests are sorted by, which one is under the cursor, what happened to each. */
#include "top.h"

#include <stdlib.h>
#include <string.h>

#include "domain_cpu.h"

static const struct {
    const char *name;
    int key;
} sorts[TOP_SORTS] = {
    [TOP_BY_CPU] = {"cpu", 'c'},
    [TOP_BY_DEMAND] = {"demand", 'd'},
    [TOP_BY_ENTITLED] = {"entitled", 'e'},
    [TOP_BY_MEM] = {"mem", 'm'},
    [TOP_BY_TARGET] = {"target", 't'},
    [TOP_BY_NEED] = {"need", 'n'},
    [TOP_BY_FLOOR] = {"floor", 'f'},
    [TOP_BY_NAME] = {"name", 'a'},
    [TOP_BY_ID] = {"id", 'i'},
};

int top_sort_by_name(const char *name)
{
    for (int i = 0; i < TOP_SORTS; i++)
        if (strcmp(sorts[i].name, name) == 0)
            return i;
    return -1;
}

int top_sort_by_key(int key)
{
    for (int i = 0; i < TOP_SORTS; i++)
        if (sorts[i].key == key)
            return i;
    return -1;
}

const char *top_sort_name(enum top_sort sort)
{
    return sorts[sort].name;
}

void top_init(struct top *t)
{
    *t = (struct top){.selected = XLP_UNKNOWN};
}

void top_dispose(struct top *t)
{
    free(t->order);
    free(t->last);
    top_init(t);
}

/* ---- last reasons ---- */

static bool is_still_there(const struct source *source, const struct top_last *last)
{
    const struct xlp_domain *d = xlp_snapshot_domain(&source->snapshot, last->domid);

    return d && memcmp(d->uuid, last->uuid, sizeof(d->uuid)) == 0 &&
           source->snapshot.time_ns - last->time_ns < TOP_LAST_NS;
}

static struct top_last *find_last(const struct top *t, uint32_t domid)
{
    for (size_t i = 0; i < t->last_count; i++)
        if (t->last[i].domid == domid)
            return &t->last[i];
    return NULL;
}

static struct top_last *add_last(struct top *t)
{
    size_t room = t->last_room ? 2 * t->last_room : 64;
    struct top_last *grown = t->last;

    if (t->last_count == t->last_room) {
        grown = reallocarray(t->last, room, sizeof(*grown));
        if (!grown)
            return NULL;
        t->last = grown;
        t->last_room = room;
    }
    return &t->last[t->last_count++];
}

int top_note(struct top *t, const struct source *source)
{
    size_t kept = 0;

    for (size_t i = 0; i < t->last_count; i++)
        if (is_still_there(source, &t->last[i]))
            t->last[kept++] = t->last[i];
    t->last_count = kept;
    for (size_t i = 0; i < source->plan.action_count; i++) {
        const struct xlp_action *action = &source->plan.actions[i];
        struct top_last *last = find_last(t, action->domid);

        if (!last)
            last = add_last(t);
        if (!last)
            return -1;
        *last = (struct top_last){
            .domid = action->domid, .reason = action->reason, .time_ns = source->snapshot.time_ns};
        memcpy(last->uuid, action->uuid, sizeof(last->uuid));
    }
    return 0;
}

bool top_lacks_cpu(const struct source *source, size_t i)
{
    struct xlp_domain_cpu cpu =
        xlp_domain_cpu_sum(&source->snapshot, &source->snapshot.domains[i], source->vcpus);

    return cpu.known && xlp_domain_cpu_is_short(&cpu);
}

bool top_lacks_memory(const struct source *source, size_t i)
{
    const struct xlp_domain_view *view = &source->domains[i];

    return view->known && view->need_kib > source->snapshot.domains[i].memory.actual_kib;
}

const struct xlp_reason *top_reason(const struct top *t, const struct source *source, size_t i)
{
    const struct xlp_verdict *v = &source->plan.verdicts[i];
    const struct top_last *last = find_last(t, v->domid);

    if (last)
        return &last->reason;
    if (!xlp_reason_is_hands_off(v->cpu.code) || xlp_reason_is_hands_off(v->memory.code))
        return &v->cpu;
    return top_lacks_cpu(source, i) && !top_lacks_memory(source, i) ? &v->cpu : &v->memory;
}

/* ---- sorting ---- */

struct sort_key {
    double value;
    const char *name;
    uint32_t index;
    bool reverse;
};

static double value_of(enum top_sort sort, const struct source *source, size_t i)
{
    const struct xlp_domain *d = &source->snapshot.domains[i];
    const struct xlp_domain_view *view = &source->domains[i];

    switch (sort) {
    case TOP_BY_CPU: return domain_cpu(source, d).used;
    case TOP_BY_DEMAND: return domain_cpu(source, d).demand;
    case TOP_BY_ENTITLED: return domain_cpu(source, d).entitlement;
    case TOP_BY_MEM: return (double)d->memory.actual_kib;
    case TOP_BY_TARGET: return (double)d->memory.target_kib;
    case TOP_BY_NEED: return view->known ? (double)view->need_kib : -1;
    case TOP_BY_FLOOR: return view->known ? (double)view->floor_kib : -1;
    case TOP_BY_ID: return -(double)d->domid;
    case TOP_BY_NAME:
    case TOP_SORTS: break;
    }
    return 0;
}

/* The largest first; equal ones by name, and by id. */
static int compare(const void *left, const void *right)
{
    const struct sort_key *a = left, *b = right;
    int order = (a->value < b->value) - (a->value > b->value);

    if (!order)
        order = strcmp(a->name, b->name);
    if (!order)
        order = (a->index > b->index) - (a->index < b->index);
    return a->reverse ? -order : order;
}

int top_sort(struct top *t, const struct source *source)
{
    size_t count = source->snapshot.domain_count;
    struct sort_key *keys = calloc(count + 1, sizeof(*keys));
    uint32_t *order = reallocarray(t->order, count + 1, sizeof(*order));

    if (order)
        t->order = order;
    if (!keys || !order) {
        free(keys);
        return -1;
    }
    for (size_t i = 0; i < count; i++)
        keys[i] = (struct sort_key){value_of(t->sort, source, i), source->snapshot.domains[i].name,
                                    (uint32_t)i, t->reverse};
    qsort(keys, count, sizeof(*keys), compare);
    for (size_t i = 0; i < count; i++)
        order[i] = keys[i].index;
    free(keys);
    return 0;
}

/* ---- the cursor ---- */

size_t top_selected(const struct top *t, const struct source *source)
{
    for (size_t i = 0; i < source->snapshot.domain_count; i++)
        if (source->snapshot.domains[t->order[i]].domid == t->selected)
            return i;
    return 0;
}

void top_move(struct top *t, const struct source *source, int by)
{
    size_t count = source->snapshot.domain_count;
    long at;

    if (count == 0 || top_sort(t, source) < 0)
        return;
    at = (long)top_selected(t, source) + by;
    if (at < 0)
        at = 0;
    if (at >= (long)count)
        at = (long)count - 1;
    t->selected = source->snapshot.domains[t->order[at]].domid;
}
