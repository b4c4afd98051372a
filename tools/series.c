/* SPDX-License-Identifier: LGPL-2.1-only */
/* A host over time: snapshots in, series of numbers out. */
#include "series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "grow.h"
#include "placement.h"

#define KIB_PER_MIB 1024.0
#define NS_PER_S    1e9

static int start(struct series *series, const struct xlp_snapshot *s);
static struct series_tick *add_tick(struct series *series);
static int find_resizes(struct series *series);
static int add_guests(struct series *series, const struct xlp_snapshot *s, size_t **guest_of_out);
static void sample_guest(struct series_guest *guest, struct series_sample *sample,
                         const struct xlp_domain *d);
static void measure_pcpus(struct series *series, struct series_tick *tick,
                          const struct xlp_snapshot *s);
static int measure_vcpus(struct series *series, struct series_tick *tick,
                         const struct xlp_snapshot *s, const size_t *guest_of);

void series_init(struct series *series)
{
    memset(series, 0, sizeof(*series));
}

void series_dispose(struct series *series)
{
    for (size_t i = 0; i < series->tick_count; i++) {
        free(series->ticks[i].busy);
        free(series->ticks[i].samples);
        free(series->ticks[i].shares);
    }
    free(series->ticks);
    free(series->pcpus);
    free(series->guests);
    free(series->moves);
    free(series->resizes);
    free(series->planned);
    free(series->idle_ns);
    free(series->vcpus);
    free(series->old_vcpus);
    series_init(series);
}

int series_add(struct series *series, const struct xlp_snapshot *s)
{
    struct series_tick *tick;
    size_t *guest_of = NULL; /* index into guests of each domain of s */
    int rc = -1;

    if (series->tick_count && s->time_ns <= series->last_ns)
        return 0;
    if ((!series->tick_count && start(series, s) < 0) || add_guests(series, s, &guest_of) < 0)
        goto out;
    tick = add_tick(series);
    if (!tick)
        goto out;
    tick->free_mib = (double)(s->memory.free_kib + s->memory.scrub_kib) / KIB_PER_MIB;
    if (series->tick_count > 1)
        tick->time_s = tick[-1].time_s + (double)(s->time_ns - series->last_ns) / NS_PER_S;
    for (size_t i = 0; i < s->domain_count; i++)
        sample_guest(&series->guests[guest_of[i]], &tick->samples[guest_of[i]], &s->domains[i]);
    measure_pcpus(series, tick, s);
    if (measure_vcpus(series, tick, s, guest_of) < 0 || find_resizes(series) < 0)
        goto out;
    series->last_ns = s->time_ns;
    series->planned_count = 0;
    rc = 0;
out:
    free(guest_of);
    return rc;
}

int series_plan(struct series *series, const struct xlp_plan *plan)
{
    series->planned_count = 0;
    if (xlp_grow(&series->planned, &series->planned_room, plan->action_count,
                 sizeof(*series->planned)) < 0)
        return -1;
    for (size_t i = 0; i < plan->action_count; i++) {
        const struct xlp_action *action = &plan->actions[i];
        struct series_planned planned = {
            .resizes = action->kind == XLP_SET_TARGET || action->kind == XLP_RELEASE_TARGET,
            .vcpu = action->vcpu,
            .reason = action->reason,
        };

        if (!planned.resizes && action->kind != XLP_PLACE_VCPU)
            continue;
        memcpy(planned.uuid, action->uuid, sizeof(planned.uuid));
        series->planned[series->planned_count++] = planned;
    }
    return 0;
}

/* NONE where it was in no plan, so that somebody else did it. */
static struct xlp_reason find_reason(const struct series *series, size_t guest, bool resizes,
                                     uint32_t vcpu)
{
    for (size_t i = 0; i < series->planned_count; i++) {
        const struct series_planned *p = &series->planned[i];

        if (p->resizes == resizes && p->vcpu == vcpu &&
            memcmp(p->uuid, series->guests[guest].uuid, sizeof(p->uuid)) == 0)
            return p->reason;
    }
    return (struct xlp_reason){.code = XLP_REASON_NONE};
}

static int start(struct series *series, const struct xlp_snapshot *s)
{
    series->pcpus = calloc(s->pcpu_count + 1, sizeof(*series->pcpus));
    series->idle_ns = calloc(s->pcpu_count + 1, sizeof(*series->idle_ns));
    if (!series->pcpus || !series->idle_ns)
        return -1;
    series->pcpu_count = s->pcpu_count;
    for (size_t i = 0; i < s->pcpu_count; i++)
        series->pcpus[i] = s->pcpus[i].id;
    return 0;
}

static struct series_tick *add_tick(struct series *series)
{
    struct series_tick *tick;

    if (xlp_grow(&series->ticks, &series->tick_room, series->tick_count + 1, sizeof(*tick)) < 0)
        return NULL;
    tick = &series->ticks[series->tick_count++];
    memset(tick, 0, sizeof(*tick));
    tick->guest_count = series->guest_count;
    tick->busy = calloc(series->pcpu_count + 1, sizeof(*tick->busy));
    tick->samples = calloc(series->guest_count + 1, sizeof(*tick->samples));
    tick->shares = calloc(series->pcpu_count * series->guest_count + 1, sizeof(*tick->shares));
    return tick->busy && tick->samples && tick->shares ? tick : NULL;
}

/* ---- guests ---- */

/* A guest that was rebooted has another domid and stays the same guest. */
static size_t find_guest(const struct series *series, const struct xlp_domain *d)
{
    size_t i = 0;

    while (i < series->guest_count &&
           (memcmp(series->guests[i].uuid, d->uuid, sizeof(d->uuid)) != 0 ||
            strcmp(series->guests[i].name, d->name) != 0))
        i++;
    return i;
}

static int add_guests(struct series *series, const struct xlp_snapshot *s, size_t **guest_of_out)
{
    size_t *guest_of = calloc(s->domain_count + 1, sizeof(*guest_of));

    if (!guest_of)
        return -1;
    for (size_t i = 0; i < s->domain_count; i++) {
        const struct xlp_domain *d = &s->domains[i];
        struct series_guest *guest;

        guest_of[i] = find_guest(series, d);
        if (guest_of[i] < series->guest_count)
            continue;
        if (xlp_grow(&series->guests, &series->guest_room, series->guest_count + 1,
                     sizeof(*guest)) < 0) {
            free(guest_of);
            return -1;
        }
        guest = &series->guests[series->guest_count++];
        memset(guest, 0, sizeof(*guest));
        memcpy(guest->uuid, d->uuid, sizeof(guest->uuid));
        memcpy(guest->name, d->name, sizeof(guest->name));
        guest->domid = d->domid;
        guest->first_actual_kib = d->memory.actual_kib;
    }
    *guest_of_out = guest_of;
    return 0;
}

static void sample_guest(struct series_guest *guest, struct series_sample *sample,
                         const struct xlp_domain *d)
{
    const struct xlp_domain_memory *m = &d->memory;
    const struct xlp_mem_report *r = &m->report;

    sample->present = true;
    sample->actual_mib = (double)m->actual_kib / KIB_PER_MIB;
    sample->target_mib = (double)m->target_kib / KIB_PER_MIB;
    sample->reports = r->source != XLP_REPORT_NONE && !m->report_bad;
    sample->used_mib = (double)(r->total_kib - r->avail_kib + r->swap_used_kib) / KIB_PER_MIB;
    if (sample->reports) {
        bool first = guest->used_max_mib == 0;

        guest->used_min_mib =
            first ? sample->used_mib : fmin(guest->used_min_mib, sample->used_mib);
        guest->used_max_mib = fmax(guest->used_max_mib, sample->used_mib);
    }
    guest->resized |= m->actual_kib != guest->first_actual_kib;
}

/* Between the last tick and the one before. */
static int find_resizes(struct series *series)
{
    const struct series_tick *now = &series->ticks[series->tick_count - 1], *before = now - 1;

    if (series->tick_count < 2)
        return 0;
    for (size_t g = 0; g < before->guest_count; g++) {
        double to_mib = now->samples[g].target_mib;

        if (!now->samples[g].present || !before->samples[g].present ||
            to_mib == before->samples[g].target_mib)
            continue;
        if (xlp_grow(&series->resizes, &series->resize_room, series->resize_count + 1,
                     sizeof(*series->resizes)) < 0)
            return -1;
        series->resizes[series->resize_count++] = (struct series_resize){
            series->tick_count - 2, g, to_mib, find_reason(series, g, true, 0)};
    }
    return 0;
}

/* ---- pCPUs and vCPUs ---- */

static void measure_pcpus(struct series *series, struct series_tick *tick,
                          const struct xlp_snapshot *s)
{
    double elapsed_ns = (double)s->time_ns - (double)series->last_ns;
    size_t at = 0;

    for (size_t i = 0; i < series->pcpu_count; i++) {
        uint64_t before_ns = series->idle_ns[i], now_ns = UINT64_MAX;

        while (at < s->pcpu_count && s->pcpus[at].id < series->pcpus[i])
            at++;
        if (at < s->pcpu_count && s->pcpus[at].id == series->pcpus[i] && s->pcpus[at].online)
            now_ns = s->pcpus[at].idle_ns;
        tick->busy[i] = NAN;
        /* The idle time of a pCPU that is or was offline means nothing. */
        if (series->tick_count > 1 && now_ns != UINT64_MAX && now_ns >= before_ns)
            tick->busy[i] = fmax(0, 1 - (double)(now_ns - before_ns) / elapsed_ns);
        series->idle_ns[i] = now_ns;
    }
}

static size_t pcpu_index(const struct series *series, uint32_t id)
{
    for (size_t i = 0; i < series->pcpu_count; i++)
        if (series->pcpus[i] == id)
            return i;
    return SERIES_NO_PLACE;
}

static size_t place_of(const struct series *series, const struct xlp_snapshot *s,
                       const struct xlp_vcpu *v)
{
    struct placement place = placement_of(s, v);

    return place.bound ? pcpu_index(series, place.pcpu) : SERIES_NO_PLACE;
}

/* Looks first where it was the last time: there it mostly is. */
static const struct series_vcpu *find_old(const struct series *series, size_t hint, size_t guest,
                                          uint32_t id)
{
    size_t count = series->old_vcpu_count;

    for (size_t i = 0; i < count; i++) {
        const struct series_vcpu *v = &series->old_vcpus[(hint + i) % count];

        if (v->guest == guest && v->id == id)
            return v;
    }
    return NULL;
}

static int add_move(struct series *series, const struct series_vcpu *v)
{
    struct series_move *move;

    if (xlp_grow(&series->moves, &series->move_room, series->move_count + 1, sizeof(*move)) < 0)
        return -1;
    move = &series->moves[series->move_count++];
    *move = (struct series_move){series->tick_count - 2, v->guest, v->id, v->place,
                                 find_reason(series, v->guest, false, v->id)};
    return 0;
}

/* What the vCPUs seen on a pCPU used seldom adds up to how busy it was: they wander, and counters
 * are read one after another. Measured is how busy it was, so that is what is shared out. */
static void level_shares(const struct series *series, struct series_tick *tick)
{
    for (size_t p = 0; p < series->pcpu_count; p++) {
        double *shares = &tick->shares[p * tick->guest_count];
        double sum = 0;

        for (size_t g = 0; g < tick->guest_count; g++)
            sum += shares[g];
        for (size_t g = 0; g < tick->guest_count && sum > 0 && tick->busy[p] < sum; g++)
            shares[g] *= tick->busy[p] / sum;
    }
}

static void swap_vcpus(struct series *series)
{
    struct series_vcpu *vcpus = series->old_vcpus;
    size_t room = series->old_vcpu_room;

    series->old_vcpus = series->vcpus;
    series->old_vcpu_room = series->vcpu_room;
    series->old_vcpu_count = series->vcpu_count;
    series->vcpus = vcpus;
    series->vcpu_room = room;
    series->vcpu_count = 0;
}

static int measure_vcpus(struct series *series, struct series_tick *tick,
                         const struct xlp_snapshot *s, const size_t *guest_of)
{
    double elapsed_ns = (double)s->time_ns - (double)series->last_ns;

    swap_vcpus(series);
    if (xlp_grow(&series->vcpus, &series->vcpu_room, s->vcpu_count, sizeof(*series->vcpus)) < 0)
        return -1;
    for (size_t i = 0; i < s->vcpu_count; i++) {
        const struct xlp_vcpu *v = &s->vcpus[i];
        struct series_vcpu *now = &series->vcpus[series->vcpu_count++];
        const struct series_vcpu *before = find_old(series, i, guest_of[v->domain], v->id);
        size_t ran_on = pcpu_index(series, v->pcpu);

        *now = (struct series_vcpu){guest_of[v->domain], v->id, v->cpu_time_ns,
                                    place_of(series, s, v)};
        if (!before)
            continue;
        if (ran_on != SERIES_NO_PLACE && now->cpu_time_ns >= before->cpu_time_ns)
            tick->shares[ran_on * tick->guest_count + now->guest] +=
                (double)(now->cpu_time_ns - before->cpu_time_ns) / elapsed_ns;
        if (now->place != before->place && now->place != SERIES_NO_PLACE &&
            add_move(series, now) < 0)
            return -1;
    }
    level_shares(series, tick);
    return 0;
}
