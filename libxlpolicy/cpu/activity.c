/* SPDX-License-Identifier: LGPL-2.1-only */
/* Watching what the vCPUs of a domain do, slowly enough that a weight can follow it. */
#include "activity.h"

#define SECOND_NS UINT64_C(1000000000)

/* A weight counts for a vCPU that would run longer if it could. One that wants little gets it
 * whatever its weight, and dividing by it would only take from its siblings. */
#define ACTIVE_DEMAND   0.20
#define IDLE_DEMAND     0.10
#define ACTIVE_AFTER_NS (3 * SECOND_NS)
#define IDLE_AFTER_NS   (30 * SECOND_NS)

#define AWAKE_USE    0.02 /* pCPUs */
#define ASLEEP_USE   0.01
#define SMOOTHING_NS (5 * SECOND_NS)
#define HELD_UP_PART 0.30 /* of the time it would run it waits so much */
#define FREE_PART    0.15
#define LOOKS_TELL   0.01 /* less waiting than this is chance */

#define BLOCKED_CLEARLY UINT64_C(10) /* one look in so many finds one blocked that does block */

static void watch_vcpu(struct vcpu_activity *a, const struct xlp_vcpu *v,
                       const struct xlp_vcpu_view *view, uint64_t elapsed_ns)
{
    bool otherwise = a->active ? view->demand < IDLE_DEMAND : view->demand >= ACTIVE_DEMAND;

    if (!v->online) {
        *a = (struct vcpu_activity){0};
        return;
    }
    a->otherwise_ns = otherwise ? a->otherwise_ns + elapsed_ns : 0;
    if (a->otherwise_ns >= (a->active ? IDLE_AFTER_NS : ACTIVE_AFTER_NS))
        *a = (struct vcpu_activity){.active = !a->active};
}

static uint32_t count_sharers(uint32_t active, uint32_t online, uint32_t before)
{
    if (active == 0)
        active = before && before < online ? before : online;
    return active ? active : 1;
}

/* What one interval shows of a domain as a whole. */
struct interval {
    double used, runnable, waiting;
};

/* Only vCPUs that block: one that never does waits because others are in its way, which a weight
 * alone does not mend. */
static void count_looks(const struct xlp_vcpu *vcpus, uint32_t count, struct interval *now)
{
    uint64_t looks = 0, blocked = 0, waiting = 0;

    for (uint32_t i = 0; i < count; i++) {
        const struct xlp_vcpu *v = &vcpus[i];

        if (v->samples_blocked == 0 || v->samples_blocked * BLOCKED_CLEARLY < v->samples)
            continue;
        looks += v->samples;
        blocked += v->samples_blocked;
        waiting += v->samples_waiting;
    }
    now->runnable = looks ? (double)(looks - blocked) / (double)looks : 0;
    now->waiting = looks ? (double)waiting / (double)looks : 0;
}

/* Each number is moved towards the new measurement, in a second by a sixth of the way. */
static void smooth(struct domain_activity *domain, const struct interval *now, uint64_t elapsed_ns)
{
    double part = (double)elapsed_ns / (double)(elapsed_ns + SMOOTHING_NS);

    if (!domain->measured)
        part = 1;
    domain->measured = true;
    domain->used += (now->used - domain->used) * part;
    domain->runnable += (now->runnable - domain->runnable) * part;
    domain->waiting += (now->waiting - domain->waiting) * part;
}

void xlp_watch_activity(const struct xlp_snapshot *s, const struct xlp_domain *d,
                        const struct xlp_vcpu_view *views, uint64_t elapsed_ns,
                        struct vcpu_activity *vcpus, struct domain_activity *domain)
{
    struct interval now = {0};
    uint32_t active = 0, online = 0;
    bool known = false;

    for (uint32_t v = d->first_vcpu; v < d->first_vcpu + d->vcpu_count; v++) {
        if (!d->flags)
            watch_vcpu(&vcpus[v], &s->vcpus[v], &views[v], elapsed_ns);
        online += s->vcpus[v].online;
        active += vcpus[v].active;
        known |= views[v].known;
        now.used += views[v].used;
    }
    count_looks(&s->vcpus[d->first_vcpu], d->vcpu_count, &now);
    if (known)
        smooth(domain, &now, elapsed_ns);
    domain->sharers = count_sharers(active, online, domain->sharers);
    domain->awake = !d->flags && domain->used >= (domain->awake ? ASLEEP_USE : AWAKE_USE);
    domain->held_up =
        domain->waiting > LOOKS_TELL &&
        domain->waiting >= domain->runnable * (domain->held_up ? FREE_PART : HELD_UP_PART);
}
