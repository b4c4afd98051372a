/* SPDX-License-Identifier: LGPL-2.1-only */
/* Making a plan, and the plans that the operator's own commands come down to. */
#include "plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grow.h"

void xlp_plan_init(struct xlp_plan *p)
{
    memset(p, 0, sizeof(*p));
}

void xlp_plan_dispose(struct xlp_plan *p)
{
    free(p->actions);
    free(p->verdicts);
    free(p->reservations);
    xlp_plan_init(p);
}

void xlp_plan_reset(struct xlp_plan *p)
{
    p->time_ns = 0;
    p->memory = (struct xlp_reason){.code = XLP_REASON_NONE};
    p->action_count = p->verdict_count = p->reservation_count = 0;
}

struct xlp_action *xlp_plan_add(struct xlp_plan *p, enum xlp_action_kind kind,
                                const struct xlp_domain *domain)
{
    struct xlp_action *a;

    if (xlp_grow(&p->actions, &p->action_room, p->action_count + 1, sizeof(*p->actions)) < 0)
        return NULL;
    a = &p->actions[p->action_count++];
    memset(a, 0, sizeof(*a));
    a->kind = kind;
    a->domid = domain->domid;
    memcpy(a->uuid, domain->uuid, sizeof(a->uuid));
    memcpy(a->name, domain->name, sizeof(a->name));
    a->from_pcpu = a->to_pcpu = XLP_UNKNOWN;
    return a;
}

int xlp_plan_add_reservation(struct xlp_plan *p, enum xlp_action_kind kind,
                             const struct xlp_reservation *reservation, struct xlp_reason reason)
{
    struct xlp_domain nobody = {.domid = XLP_UNKNOWN};
    struct xlp_action *a;

    xlp_reservation_title(reservation, nobody.name);
    a = xlp_plan_add(p, kind, &nobody);
    if (!a)
        return -1;
    a->reservation = *reservation;
    a->reason = reason;
    return 0;
}

char *xlp_reservation_title(const struct xlp_reservation *reservation, char text[XLP_NAME_SIZE])
{
    int used = snprintf(text, XLP_NAME_SIZE, "reservation %u%s", reservation->id,
                        reservation->name[0] ? " for " : "");

    snprintf(text + used, (size_t)(XLP_NAME_SIZE - used), "%.*s", XLP_NAME_SIZE - 1 - used,
             reservation->name);
    return text;
}

static int start_reservations(struct xlp_plan *p, const struct xlp_snapshot *s)
{
    if (xlp_grow(&p->reservations, &p->reservation_room, s->reservation_count,
                 sizeof(*p->reservations)) < 0)
        return -1;
    p->reservation_count = s->reservation_count;
    for (size_t i = 0; i < s->reservation_count; i++)
        p->reservations[i] = (struct xlp_reservation_verdict){.id = s->reservations[i].id};
    return 0;
}

int xlp_plan_make_room(struct xlp_plan *p, const struct xlp_snapshot *s)
{
    p->time_ns = s->time_ns;
    if (xlp_grow(&p->verdicts, &p->verdict_room, s->domain_count, sizeof(*p->verdicts)) < 0)
        return -1;
    return start_reservations(p, s);
}

int xlp_plan_start(struct xlp_plan *p, const struct xlp_snapshot *s)
{
    if (xlp_plan_make_room(p, s) < 0)
        return -1;
    p->verdict_count = s->domain_count;
    for (size_t i = 0; i < s->domain_count; i++) {
        struct xlp_verdict *v = &p->verdicts[i];

        memset(v, 0, sizeof(*v));
        v->domid = s->domains[i].domid;
        memcpy(v->name, s->domains[i].name, sizeof(v->name));
    }
    return 0;
}

enum xlp_reason_code xlp_untouchable_because(const struct xlp_domain *d)
{
    if (d->flags & XLP_DOMAIN_DYING)
        return XLP_REASON_DYING;
    if (d->flags & XLP_DOMAIN_SHUTDOWN)
        return XLP_REASON_SHUTDOWN;
    if (d->flags & XLP_DOMAIN_MIGRATING)
        return XLP_REASON_MIGRATING;
    if (d->flags & XLP_DOMAIN_BUILDING)
        return XLP_REASON_BUILDING;
    if (d->flags & XLP_DOMAIN_PAUSED)
        return XLP_REASON_PAUSED;
    return XLP_REASON_NONE;
}

/* ---- adopt and release ---- */

static struct xlp_action *add_vcpu_action(const struct xlp_snapshot *s, const struct xlp_vcpu *v,
                                          enum xlp_action_kind kind, uint32_t hard, uint32_t soft,
                                          struct xlp_plan *plan)
{
    struct xlp_action *a = xlp_plan_add(plan, kind, &s->domains[v->domain]);

    if (!a)
        return NULL;
    a->vcpu = v->id;
    a->hard = s->maps[hard];
    a->soft = s->maps[soft];
    a->from_pcpu = xlp_cpumap_only(&s->maps[v->hard]);
    a->to_pcpu = xlp_cpumap_only(&a->hard);
    if (kind == XLP_ADOPT_VCPU)
        a->reason.code = XLP_REASON_CPU_ADOPT;
    else
        a->reason.code = hard == v->hard && soft == v->soft ? XLP_REASON_CPU_RELEASE_KEPT
                                                            : XLP_REASON_CPU_RELEASE;
    return a;
}

static bool is_ours(const struct xlp_vcpu *v)
{
    return v->ledger.recorded && v->hard == v->ledger.our_hard && v->soft == v->ledger.our_soft;
}

static int add_weight_action(const struct xlp_domain *d, enum xlp_action_kind kind, uint32_t weight,
                             enum xlp_reason_code code, struct xlp_plan *plan)
{
    struct xlp_action *a = xlp_plan_add(plan, kind, d);

    if (!a)
        return -1;
    a->from_weight = d->weight;
    a->to_weight = weight;
    a->reason = (struct xlp_reason){.code = code, .number = {weight}};
    return 0;
}

/* A weight that was set by hand; 0 is of a scheduler that has none. */
static int adopt_weight(const struct xlp_domain *d, struct xlp_plan *plan)
{
    uint32_t expected = d->ledger.recorded ? d->ledger.our_weight : XLP_WEIGHT_USUAL;

    if (d->weight == 0 || d->weight == expected)
        return 0;
    return add_weight_action(d, XLP_ADOPT_WEIGHT, d->weight, XLP_REASON_WEIGHT_ADOPT, plan);
}

static int end_release(const struct xlp_domain *d, enum xlp_reason_code code, struct xlp_plan *plan)
{
    struct xlp_action *a = xlp_plan_add(plan, XLP_ADOPT_DOMAIN, d);

    if (!a)
        return -1;
    a->reason.code = code;
    return 0;
}

static int adopt_domain(const struct xlp_snapshot *s, const struct xlp_domain *d,
                        struct xlp_plan *plan)
{
    if ((d->released || d->memory.ledger.releasing) &&
        end_release(d, XLP_REASON_CPU_ADOPT, plan) < 0)
        return -1;
    for (uint32_t i = 0; i < d->vcpu_count; i++) {
        const struct xlp_vcpu *v = &s->vcpus[d->first_vcpu + i];

        if (!is_ours(v) && !add_vcpu_action(s, v, XLP_ADOPT_VCPU, v->hard, v->soft, plan))
            return -1;
    }
    return adopt_weight(d, plan);
}

/* A weight set by hand since is the operator's: only the record goes. */
static int release_weight(const struct xlp_domain *d, struct xlp_plan *plan)
{
    const struct xlp_weight_ledger *l = &d->ledger;
    uint32_t weight = d->weight == l->our_weight ? l->original_weight : d->weight;

    if (!l->recorded)
        return 0;
    return add_weight_action(
        d, XLP_RELEASE_WEIGHT, weight,
        weight == d->weight ? XLP_REASON_WEIGHT_RELEASE_KEPT : XLP_REASON_WEIGHT_RELEASE, plan);
}

/* No step yet: how far and how fast it may go, the engine finds out. */
static int release_memory(const struct xlp_domain *d, struct xlp_plan *plan)
{
    const struct xlp_memory_ledger *l = &d->memory.ledger;
    struct xlp_action *a;

    if (!l->recorded)
        return 0;
    a = xlp_plan_add(plan, XLP_RELEASE_TARGET, d);
    if (!a)
        return -1;
    a->from_kib = a->to_kib = d->memory.target_kib;
    a->reason = xlp_release_reason(&d->memory);
    if (a->reason.code == XLP_REASON_MEM_RELEASE)
        a->limit_kib = l->original_max_kib;
    return 0;
}

static int release_domain(const struct xlp_snapshot *s, const struct xlp_domain *d, bool keep_off,
                          struct xlp_plan *plan)
{
    if (keep_off && !d->released) {
        struct xlp_action *a = xlp_plan_add(plan, XLP_RELEASE_DOMAIN, d);

        if (!a)
            return -1;
        a->reason.code = XLP_REASON_RELEASED;
    }
    for (uint32_t i = 0; i < d->vcpu_count; i++) {
        const struct xlp_vcpu *v = &s->vcpus[d->first_vcpu + i];
        bool ours = is_ours(v);

        if (v->ledger.recorded &&
            !add_vcpu_action(s, v, XLP_RELEASE_VCPU, ours ? v->ledger.original_hard : v->hard,
                             ours ? v->ledger.original_soft : v->soft, plan))
            return -1;
    }
    return release_weight(d, plan) < 0 ? -1 : release_memory(d, plan);
}

int xlp_plan_adopt(const struct xlp_snapshot *s, uint32_t domid, struct xlp_plan *plan_out)
{
    xlp_plan_reset(plan_out);
    plan_out->time_ns = s->time_ns;
    if (domid == 0)
        return XLP_PLAN_REFUSED;
    for (size_t i = 0; i < s->domain_count; i++) {
        const struct xlp_domain *d = &s->domains[i];

        if ((domid == XLP_UNKNOWN ? d->domid != 0 : d->domid == domid) &&
            adopt_domain(s, d, plan_out) < 0)
            return -1;
    }
    return 0;
}

int xlp_plan_release(const struct xlp_snapshot *s, uint32_t domid, struct xlp_plan *plan_out)
{
    xlp_plan_reset(plan_out);
    plan_out->time_ns = s->time_ns;
    for (size_t i = 0; i < s->domain_count; i++) {
        const struct xlp_domain *d = &s->domains[i];

        if ((domid == XLP_UNKNOWN || d->domid == domid) &&
            release_domain(s, d, domid != XLP_UNKNOWN && domid != 0, plan_out) < 0)
            return -1;
    }
    return 0;
}

int xlp_plan_resume(const struct xlp_snapshot *s, uint32_t domid, struct xlp_plan *plan_out)
{
    xlp_plan_reset(plan_out);
    plan_out->time_ns = s->time_ns;
    for (size_t i = 0; i < s->domain_count; i++) {
        const struct xlp_domain *d = &s->domains[i];

        if ((domid == XLP_UNKNOWN || d->domid == domid) && d->memory.ledger.releasing &&
            !d->released && end_release(d, XLP_REASON_MEM_RESUMED, plan_out) < 0)
            return -1;
    }
    return 0;
}

/* Nothing else of what the engine plans was commanded. */
bool xlp_action_is_commanded(const struct xlp_action *a)
{
    return a->kind == XLP_RELEASE_TARGET || xlp_action_is_of_reservation(a->kind);
}

bool xlp_action_is_of_reservation(enum xlp_action_kind kind)
{
    return kind == XLP_RESERVE || kind == XLP_GRANT || kind == XLP_TRANSFER ||
           kind == XLP_UNRESERVE;
}

struct xlp_reason xlp_release_reason(const struct xlp_domain_memory *m)
{
    if (m->target_kib != m->ledger.our_target_kib)
        return (struct xlp_reason){.code = XLP_REASON_MEM_RELEASE_KEPT, .number = {m->target_kib}};
    return (struct xlp_reason){.code = m->target_kib == m->ledger.original_target_kib
                                           ? XLP_REASON_MEM_RELEASE
                                           : XLP_REASON_MEM_RELEASING,
                               .number = {m->ledger.original_target_kib}};
}

/* ---- names and sentences ---- */

static const char *const action_names[XLP_ACTION_KINDS] = {
    [XLP_PLACE_VCPU] = "place-vcpu",
    [XLP_ADOPT_VCPU] = "adopt-vcpu",
    [XLP_RELEASE_VCPU] = "release-vcpu",
    [XLP_SET_WEIGHT] = "set-weight",
    [XLP_ADOPT_WEIGHT] = "adopt-weight",
    [XLP_RELEASE_WEIGHT] = "release-weight",
    [XLP_SET_TARGET] = "set-target",
    [XLP_RELEASE_TARGET] = "release-target",
    [XLP_RELEASE_DOMAIN] = "release-domain",
    [XLP_ADOPT_DOMAIN] = "adopt-domain",
    [XLP_RESERVE] = "reserve",
    [XLP_GRANT] = "grant",
    [XLP_TRANSFER] = "transfer",
    [XLP_UNRESERVE] = "unreserve",
};

const char *xlp_action_name(enum xlp_action_kind kind)
{
    return (unsigned int)kind < XLP_ACTION_KINDS ? action_names[kind] : "unknown";
}

/* "pCPU 0", or the affinity when it is not one place. */
static void format_place(uint32_t pcpu, char *text, size_t size)
{
    if (pcpu == XLP_UNKNOWN)
        snprintf(text, size, "any pCPU");
    else
        snprintf(text, size, "pCPU %u", pcpu);
}

char *xlp_action_format(const struct xlp_action *a, char *text, size_t size)
{
    char sentence[512], from[24], to[24];

    xlp_reason_format(&a->reason, sentence, sizeof(sentence));
    format_place(a->from_pcpu, from, sizeof(from));
    format_place(a->to_pcpu, to, sizeof(to));
    switch (a->kind) {
    case XLP_PLACE_VCPU:
    case XLP_RELEASE_VCPU:
        if (a->reason.code == XLP_REASON_CPU_RELEASE_KEPT)
            snprintf(text, size, "%s vCPU %u: %s", a->name, a->vcpu, sentence);
        else
            snprintf(text, size, "%s vCPU %u: %s -> %s: %s", a->name, a->vcpu, from, to, sentence);
        break;
    case XLP_ADOPT_VCPU: snprintf(text, size, "%s vCPU %u: %s", a->name, a->vcpu, sentence); break;
    case XLP_SET_WEIGHT:
    case XLP_RELEASE_WEIGHT:
        if (a->from_weight == a->to_weight)
            snprintf(text, size, "%s: %s", a->name, sentence);
        else
            snprintf(text, size, "%s: weight %u -> %u: %s", a->name, a->from_weight, a->to_weight,
                     sentence);
        break;
    case XLP_SET_TARGET:
    case XLP_RELEASE_TARGET:
        if (a->from_kib == a->to_kib)
            snprintf(text, size, "%s: %s", a->name, sentence);
        else
            snprintf(text, size, "%s: %lld -> %lld MiB: %s", a->name, (long long)a->from_kib / 1024,
                     (long long)a->to_kib / 1024, sentence);
        break;
    case XLP_ADOPT_WEIGHT:
    case XLP_RELEASE_DOMAIN:
    case XLP_ADOPT_DOMAIN:
    case XLP_RESERVE:
    case XLP_GRANT:
    case XLP_TRANSFER:
    case XLP_UNRESERVE:
    case XLP_ACTION_KINDS: snprintf(text, size, "%s: %s", a->name, sentence); break;
    }
    return text;
}

bool xlp_action_lifts_pin(const struct xlp_snapshot *s, const struct xlp_action *a, char *text,
                          size_t size)
{
    const struct xlp_vcpu *v;

    if (a->kind != XLP_PLACE_VCPU || a->reason.code == XLP_REASON_CPU_MODE)
        return false;
    v = xlp_snapshot_vcpu(s, a->domid, a->vcpu);
    if (!v || xlp_cpumap_count(&s->maps[v->hard]) != 1 || xlp_cpumap_count(&a->hard) == 1)
        return false;
    snprintf(text, size, "its pin to pCPU %u is lifted, the new place is a preference",
             xlp_cpumap_next(&s->maps[v->hard], 0));
    return true;
}
