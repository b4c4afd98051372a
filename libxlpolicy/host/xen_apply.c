/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Carrying out actions on vCPUs and domains. Before anything is written the domain is asked for
 * again, and what is there is compared with what was seen when the plan was made: whoever changed
 * it meanwhile is right, and the next plan will know.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xen.h"

static struct xen_domain *verify(struct xen_host *h, const struct xlp_action *a,
                                 struct xlp_outcome *o);
static void apply_vcpu(struct xen_host *h, struct xen_domain *d, const struct xlp_action *a,
                       struct xlp_outcome *o);
static void place(struct xen_host *h, struct xen_domain *d, const struct xlp_action *a,
                  struct xlp_outcome *o);
static void adopt(struct xen_host *h, struct xen_domain *d, uint32_t vcpu, struct xlp_outcome *o);
static void release(struct xen_host *h, struct xen_domain *d, const struct xlp_action *a,
                    struct xlp_outcome *o);
static void mark_released(struct xen_host *h, struct xen_domain *d, bool released,
                          struct xlp_outcome *o);

void xlp_xen_outcome(struct xlp_outcome *o, enum xlp_outcome_code code, const char *format, ...)
{
    va_list args;

    o->code = code;
    va_start(args, format);
    vsnprintf(o->detail, sizeof(o->detail), format, args);
    va_end(args);
}

void xlp_xen_not_recorded(struct xlp_outcome *o)
{
    xlp_xen_outcome(o, XLP_NOT_DONE_FAILED,
                    "not changed: what was there cannot be recorded in xenstore: %s",
                    strerror(errno));
}

static void done(struct xlp_outcome *o)
{
    o->code = XLP_DONE;
    o->detail[0] = '\0';
}

void xlp_xen_apply(struct xlp_host *host, const struct xlp_action *action,
                   struct xlp_outcome *outcome_out)
{
    struct xen_host *h = xen_host_of(host);
    struct xen_domain *d;

    if (h->read_only) {
        xlp_xen_outcome(outcome_out, XLP_NOT_DONE_REFUSED, "the host was opened for reading only");
        return;
    }
    done(outcome_out);
    if (xlp_action_is_of_reservation(action->kind)) {
        xlp_xen_apply_reservation(h, action, outcome_out);
        return;
    }
    d = verify(h, action, outcome_out);
    if (!d)
        return;

    switch (action->kind) {
    case XLP_PLACE_VCPU:
    case XLP_ADOPT_VCPU:
    case XLP_RELEASE_VCPU: apply_vcpu(h, d, action, outcome_out); return;
    case XLP_SET_WEIGHT:
    case XLP_ADOPT_WEIGHT:
    case XLP_RELEASE_WEIGHT: xlp_xen_apply_weight(h, d, action, outcome_out); return;
    case XLP_SET_TARGET:
    case XLP_RELEASE_TARGET: xlp_xen_apply_target(h, d, action, outcome_out); return;
    case XLP_RELEASE_DOMAIN: mark_released(h, d, true, outcome_out); return;
    case XLP_ADOPT_DOMAIN: mark_released(h, d, false, outcome_out); return;
    default: break;
    }
    xlp_xen_outcome(outcome_out, XLP_NOT_DONE_REFUSED, "this host knows no such action");
}

/* What gives nothing back, and is no mere mark. */
static bool is_change(enum xlp_action_kind kind)
{
    return kind == XLP_PLACE_VCPU || kind == XLP_SET_WEIGHT || kind == XLP_SET_TARGET;
}

/* The marks of a domain are its UUID's, whoever has it. */
static bool needs_record(enum xlp_action_kind kind)
{
    return kind != XLP_RELEASE_DOMAIN && kind != XLP_ADOPT_DOMAIN;
}

/* The domain of the action if it is the one the plan was made for, with fresh info. Ids are given
 * out in a circle of 32 752: none comes again between this question and the writes below. */
static struct xen_domain *verify(struct xen_host *h, const struct xlp_action *a,
                                 struct xlp_outcome *o)
{
    struct xen_domain *d = xlp_xen_domain(h, a->domid);
    xc_domaininfo_t info;
    int got = xc_domain_getinfolist(h->xc, a->domid, 1, &info);

    if (got < 0) {
        xlp_xen_outcome(o, XLP_NOT_DONE_FAILED, "asking for domain %u: %s", a->domid,
                        strerror(errno));
        return NULL;
    }
    if (got == 0 || info.domain != a->domid || info.flags & XEN_DOMINF_dying) {
        xlp_xen_outcome(o, XLP_NOT_DONE_GONE, "domain %u is no longer there", a->domid);
        return NULL;
    }
    if (memcmp(info.handle, a->uuid, sizeof(a->uuid)) != 0 || !d ||
        memcmp(d->uuid, a->uuid, sizeof(a->uuid)) != 0) {
        xlp_xen_outcome(o, XLP_NOT_DONE_GONE, "domain %u is another domain now", a->domid);
        return NULL;
    }
    d->info = info;
    if (is_change(a->kind) && info.flags & (XEN_DOMINF_paused | XEN_DOMINF_shutdown)) {
        xlp_xen_outcome(o, XLP_NOT_DONE_BUSY, "it was %s a moment ago",
                        info.flags & XEN_DOMINF_shutdown ? "shut down" : "paused");
        return NULL;
    }
    if (needs_record(a->kind) && xlp_xen_ledger_is_anothers(h, d)) {
        xlp_xen_outcome(o, XLP_NOT_DONE_BUSY,
                        "another domain has its UUID: what was there cannot be recorded");
        return NULL;
    }
    return d;
}

/* ---- vCPUs ---- */

static void failed_masks(struct xlp_outcome *o, uint32_t vcpu, int error)
{
    switch (error) {
    case ESRCH:
    case ENOENT: xlp_xen_outcome(o, XLP_NOT_DONE_GONE, "vCPU %u is no longer there", vcpu); return;
    case EINVAL:
        xlp_xen_outcome(o, XLP_NOT_DONE_REFUSED,
                        "Xen refuses: none of these pCPUs is online in the domain's cpupool");
        return;
    case EBUSY:
        xlp_xen_outcome(o, XLP_NOT_DONE_BUSY,
                        "vCPU %u is pinned by Xen itself for the moment; tried again next tick",
                        vcpu);
        return;
    default:
        xlp_xen_outcome(o, XLP_NOT_DONE_FAILED, "setting the affinity of vCPU %u: %s", vcpu,
                        strerror(error));
    }
}

static void apply_vcpu(struct xen_host *h, struct xen_domain *d, const struct xlp_action *a,
                       struct xlp_outcome *o)
{
    struct xen_masks now;

    if (a->vcpu >= d->vcpu_count || !d->vcpus[a->vcpu].exists) {
        failed_masks(o, a->vcpu, ESRCH);
        return;
    }
    if (xlp_xen_read_masks(h, d->domid, a->vcpu, &now) < 0) {
        failed_masks(o, a->vcpu, xlp_xen_vcpu_is_missing(errno) ? ESRCH : errno);
        return;
    }
    d->vcpus[a->vcpu].doubtful = true;
    if (!xlp_xen_masks_equal(&now, &d->vcpus[a->vcpu].masks)) {
        xlp_xen_outcome(o, XLP_NOT_DONE_BUSY,
                        "the affinity of vCPU %u was changed a moment ago by someone else",
                        a->vcpu);
        return;
    }
    if (a->kind == XLP_PLACE_VCPU)
        place(h, d, a, o);
    else if (a->kind == XLP_ADOPT_VCPU)
        adopt(h, d, a->vcpu, o);
    else
        release(h, d, a, o);
}

/* Takes ownership of the record, or drops the one there was (NULL). */
static void remember(struct xen_vcpu *v, struct xen_vcpu_record *record)
{
    free(v->record);
    v->record = record;
}

/* What is there and was not written by us is what a release has to restore. NULL, with the outcome,
 * when memory is out: a change that is not remembered would next be taken for the operator's. */
static struct xen_vcpu_record *new_record(const struct xen_vcpu *v, struct xlp_outcome *o)
{
    struct xen_vcpu_record *record = malloc(sizeof(*record));

    if (!record) {
        xlp_xen_outcome(o, XLP_NOT_DONE_FAILED, "not changed: out of memory");
        return NULL;
    }
    *record = (struct xen_vcpu_record){.original = v->masks, .ours = v->masks};
    if (v->record && xlp_xen_masks_equal(&v->record->ours, &v->masks))
        record->original = v->record->original;
    return record;
}

/* The masks of an action as Xen will show them once they are written, so that they can be compared
 * with what is read. */
static struct xen_masks wanted_masks(const struct xen_host *h, const struct xlp_action *a)
{
    return (struct xen_masks){.hard = xlp_xen_map_here(h, &a->hard),
                              .soft = xlp_xen_map_here(h, &a->soft)};
}

/* Writes them if they differ from what is there. False, with the outcome, if that fails. */
static bool write_masks(struct xen_host *h, const struct xen_domain *d, uint32_t vcpu,
                        const struct xen_masks *wanted, struct xlp_outcome *o)
{
    struct xen_vcpu *v = &d->vcpus[vcpu];

    if (xlp_xen_masks_equal(&v->masks, wanted))
        return true;
    if (xlp_cpumap_is_empty(&wanted->hard) || xlp_cpumap_is_empty(&wanted->soft)) {
        xlp_xen_outcome(o, XLP_NOT_DONE_REFUSED, "this machine has none of these pCPUs");
        return false;
    }
    if (xlp_xen_write_masks(h, d->domid, vcpu, &v->masks, wanted) < 0) {
        failed_masks(o, vcpu, errno);
        return false;
    }
    v->masks = *wanted;
    return true;
}

/* See xen_ledger.c for why this order loses nothing. */
static void place(struct xen_host *h, struct xen_domain *d, const struct xlp_action *a,
                  struct xlp_outcome *o)
{
    struct xen_vcpu *v = &d->vcpus[a->vcpu];
    struct xen_masks wanted = wanted_masks(h, a);
    struct xen_vcpu_record *record;

    if (xlp_xen_masks_equal(&wanted, &v->masks)) {
        h->needless_writes++;
        xlp_xen_outcome(o, XLP_NOT_DONE_REFUSED, "it has this affinity already");
        return;
    }
    record = new_record(v, o);
    if (!record)
        return;
    record->next = wanted;
    record->pending = true;
    if (xlp_xen_ledger_write_vcpu(h, d, a->vcpu, record) < 0) {
        xlp_xen_not_recorded(o);
        free(record);
        return;
    }
    if (!write_masks(h, d, a->vcpu, &wanted, o)) {
        xlp_xen_ledger_write_vcpu(h, d, a->vcpu, v->record); /* as it was before */
        free(record);
        return;
    }
    record->ours = wanted;
    record->pending = false;
    xlp_xen_ledger_write_vcpu(h, d, a->vcpu, record); /* should this fail, NEXT says the same */
    remember(v, record);
}

static void adopt(struct xen_host *h, struct xen_domain *d, uint32_t vcpu, struct xlp_outcome *o)
{
    struct xen_vcpu_record *record = new_record(&d->vcpus[vcpu], o);

    if (!record)
        return;
    if (xlp_xen_ledger_write_vcpu(h, d, vcpu, record) < 0) {
        xlp_xen_not_recorded(o);
        free(record);
        return;
    }
    remember(&d->vcpus[vcpu], record);
}

/* Killed between the two steps, the entry says ours and the masks say original: taken back, which
 * is what was asked for. */
static void release(struct xen_host *h, struct xen_domain *d, const struct xlp_action *a,
                    struct xlp_outcome *o)
{
    struct xen_masks wanted = wanted_masks(h, a);

    if (!write_masks(h, d, a->vcpu, &wanted, o))
        return;
    remember(&d->vcpus[a->vcpu], NULL);
    if (xlp_xen_ledger_write_vcpu(h, d, a->vcpu, NULL) < 0)
        xlp_xen_outcome(o, XLP_NOT_DONE_FAILED,
                        "its affinity is restored, but the record in xenstore stays: %s",
                        strerror(errno));
}

/* ---- domains ---- */

static int write_mark(struct xen_host *h, struct xen_domain *d, bool released)
{
    struct xen_memory_record stays = d->memory;

    if (xlp_xen_ledger_write_released(h, d, released) < 0)
        return -1;
    d->released = released;
    if (released || !d->memory.releasing)
        return 0;
    stays.releasing = false;
    if (xlp_xen_ledger_write_memory(h, d, &stays) < 0)
        return -1;
    d->memory = stays;
    return 0;
}

static void mark_released(struct xen_host *h, struct xen_domain *d, bool released,
                          struct xlp_outcome *o)
{
    if (write_mark(h, d, released) < 0)
        xlp_xen_outcome(o, XLP_NOT_DONE_FAILED, "writing the mark to xenstore: %s",
                        strerror(errno));
}
