/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Carrying out actions on memory. The hypervisor's limit is raised before a target and lowered
 * after it, and never below what the guest has: its balloon driver would burn CPU trying to get
 * back what it cannot have. Written in the ledger first, as xen_ledger.c argues.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "xen.h"

#define DOM0_MIN_KIB (INT64_C(128) * 1024) /* LIBXL_MIN_DOM0_MEM */

static bool may_set(struct xen_host *h, struct xen_domain *d, const struct xlp_action *a,
                    struct xlp_outcome *o);
static void set_target(struct xen_host *h, struct xen_domain *d, const struct xlp_action *a,
                       struct xlp_outcome *o);
static void release_target(struct xen_host *h, struct xen_domain *d, const struct xlp_action *a,
                           struct xlp_outcome *o);
static bool change(struct xen_host *h, struct xen_domain *d, const struct xlp_action *a,
                   struct xlp_outcome *o);
static bool is_still(struct xen_host *h, struct xen_domain *d, int64_t target_kib, int64_t max_kib);

void xlp_xen_apply_target(struct xen_host *h, struct xen_domain *d, const struct xlp_action *action,
                          struct xlp_outcome *outcome_out)
{
    int64_t seen_kib = d->target_kib;

    xlp_xen_find_saved(h, xlp_xen_now_ns());
    if (d->being_saved) {
        xlp_xen_outcome(outcome_out, XLP_NOT_DONE_BUSY,
                        "it is being saved or migrated: its size has to stay until that is over");
        return;
    }
    if (xlp_xen_libxl_is_locked(d)) {
        xlp_xen_outcome(outcome_out, XLP_NOT_DONE_BUSY,
                        "another process is changing its configuration at this moment");
        return;
    }
    if (xlp_xen_store_refresh_sizes(h, d) < 0) {
        xlp_xen_outcome(outcome_out, XLP_NOT_DONE_FAILED, "%s", h->base.error);
        return;
    }
    if (d->domid == 0 && d->target_kib < 0) {
        /* dom0 has none in xenstore until somebody asks libxl for it: then it is what dom0 has. */
        xlp_xen_libxl_make_dom0_target(h);
        if (xlp_xen_store_refresh_sizes(h, d) < 0) {
            xlp_xen_outcome(outcome_out, XLP_NOT_DONE_FAILED, "%s", h->base.error);
            return;
        }
        seen_kib = d->target_kib;
    }
    if (d->target_kib < 0) { /* nor can libxl change one then */
        xlp_xen_outcome(outcome_out, XLP_NOT_DONE_REFUSED,
                        "it has no balloon target in xenstore: its toolstack does not balloon it");
        return;
    }
    if (d->target_kib != seen_kib) {
        d->target_kib = seen_kib;
        d->stale |= XEN_STALE_MEMORY;
        xlp_xen_outcome(outcome_out, XLP_NOT_DONE_BUSY,
                        "its target was changed a moment ago by someone else");
        return;
    }
    if (action->kind == XLP_RELEASE_TARGET)
        release_target(h, d, action, outcome_out);
    else
        set_target(h, d, action, outcome_out);
    /* The engine then asks more seldom. */
    if (outcome_out->code == XLP_NOT_DONE_REFUSED || outcome_out->code == XLP_NOT_DONE_FAILED)
        d->target_refusals++;
}

static bool changes_nothing(const struct xen_domain *d, const struct xlp_action *a)
{
    return a->to_kib == d->target_kib && (a->limit_kib == 0 || a->limit_kib == xlp_xen_max_kib(d));
}

/* False, with the outcome, if its target is not what the action says. What was there is on record
 * before it changes, and as long as anything of the change may stand. */
static bool change_on_record(struct xen_host *h, struct xen_domain *d, const struct xlp_action *a,
                             struct xlp_outcome *o)
{
    struct xen_memory_record before = d->memory;
    struct xen_memory_record *r = &d->memory;
    int64_t target_kib = d->target_kib, max_kib = xlp_xen_max_kib(d);

    if (!may_set(h, d, a, o))
        return false;
    /* What is there and was not written by us is what a release has to restore. */
    if (!r->recorded || r->inherited || r->our_target != d->target_kib) {
        memset(r, 0, sizeof(*r));
        r->recorded = true;
        r->original_target = r->our_target = d->target_kib;
        r->original_max = xlp_xen_max_kib(d);
    }
    r->next_target = a->to_kib;
    r->pending = true;
    if (xlp_xen_ledger_write_memory(h, d, r) < 0) {
        xlp_xen_not_recorded(o);
        *r = before;
        return false;
    }
    if (!change(h, d, a, o)) {
        if (is_still(h, d, target_kib, max_kib)) {
            *r = before;
            xlp_xen_ledger_write_memory(h, d, before.recorded ? &before : NULL);
        }
        d->stale |= XEN_STALE_MEMORY; /* the next look settles the record */
        return false;
    }
    r->our_target = a->to_kib;
    r->pending = false;
    xlp_xen_ledger_write_memory(h, d, r); /* should this fail, NEXT says the same */
    return true;
}

static void set_target(struct xen_host *h, struct xen_domain *d, const struct xlp_action *a,
                       struct xlp_outcome *o)
{
    if (changes_nothing(d, a)) {
        h->needless_writes++;
        xlp_xen_outcome(o, XLP_NOT_DONE_REFUSED, "it has this target already");
        return;
    }
    change_on_record(h, d, a, o);
}

/* What we changed is restored: its target, and its limit as soon as the guest has given back what
 * it has above that. */
static bool is_restored(const struct xen_domain *d, const struct xen_memory_record *r)
{
    return d->target_kib == r->original_target && xlp_xen_max_kib(d) == r->original_max;
}

/* Says on record that it goes back from here: the engine then takes it there step by step, after a
 * restart, too. */
static bool start_back(struct xen_host *h, struct xen_domain *d, struct xlp_outcome *o)
{
    d->memory.releasing = true;
    if (xlp_xen_ledger_write_memory(h, d, &d->memory) == 0)
        return true;
    d->memory.releasing = false;
    xlp_xen_not_recorded(o);
    return false;
}

/* The way back may take several actions, and the record stays until the last. A target set by hand
 * since is the operator's, and so is the limit that goes with it: then only the record goes. */
static void release_target(struct xen_host *h, struct xen_domain *d, const struct xlp_action *a,
                           struct xlp_outcome *o)
{
    const struct xen_memory_record *r = &d->memory;
    bool ours = r->recorded && d->target_kib == r->our_target;
    int64_t target_kib = d->target_kib, max_kib = xlp_xen_max_kib(d);

    if (ours && !is_restored(d, r) && !r->releasing && !start_back(h, d, o))
        return;
    if (ours && !changes_nothing(d, a) && !change_on_record(h, d, a, o))
        return;
    if (ours && !is_restored(d, r)) {
        bool came_nearer = d->target_kib != target_kib || xlp_xen_max_kib(d) != max_kib;

        if (o->code == XLP_DONE && d->target_kib == r->original_target)
            xlp_xen_outcome(o, came_nearer ? XLP_DONE : XLP_NOT_DONE_BUSY,
                            "its limit of %" PRId64
                            " KiB follows when it has given back: it still holds %" PRId64 " KiB",
                            r->original_max, xlp_xen_actual_kib(d));
        return;
    }
    memset(&d->memory, 0, sizeof(d->memory));
    if (xlp_xen_ledger_write_memory(h, d, NULL) < 0)
        xlp_xen_outcome(o, XLP_NOT_DONE_FAILED,
                        "its target is restored, but the record in xenstore stays: %s",
                        strerror(errno));
}

/* ---- what must never be done ---- */

/* A guest booted with less than its maximum must first give back what it was created without: its
 * pages in demand exceed what was set aside for them, and taking more away would crash it. */
static bool owes_pages(struct xen_host *h, const struct xen_domain *d)
{
    uint64_t held = 0, set_aside = 0, demanded = 0;

    if (!(d->info.flags & XEN_DOMINF_hvm_guest))
        return false;
    if (xc_domain_get_pod_target(h->xc, d->domid, &held, &set_aside, &demanded) < 0)
        return false; /* no populate-on-demand here, or it has gone: the next call will tell */
    return demanded > set_aside;
}

static bool may_set(struct xen_host *h, struct xen_domain *d, const struct xlp_action *a,
                    struct xlp_outcome *o)
{
    int64_t most_kib = d->static_max_kib >= 0 ? d->static_max_kib : XEN_SIZE_MAX_KIB;
    const char *why = NULL;
    enum xlp_outcome_code code = XLP_NOT_DONE_REFUSED;

    if (d->passthrough_devices || d->iommu == XEN_IOMMU_YES)
        why = "it is set up for PCI passthrough: ballooning would break its next reboot";
    else if (d->iommu == XEN_IOMMU_UNKNOWN) {
        code = XLP_NOT_DONE_BUSY;
        why = "its configuration cannot be read yet: it may be set up for PCI passthrough";
    } else if (d->info.flags & XEN_DOMINF_shutdown)
        why = "it has shut down";
    else if (a->to_kib <= 0)
        why = "a target must be more than nothing";
    else if (a->to_kib > most_kib)
        why = "the target is above its static maximum";
    else if (d->domid == 0 && a->to_kib < DOM0_MIN_KIB)
        why = "dom0 must keep 128 MiB";
    if (!why && a->to_kib < d->target_kib && owes_pages(h, d)) {
        code = XLP_NOT_DONE_BUSY;
        why = "it still boots: its balloon has not yet given back what it was created without";
    }
    if (why)
        xlp_xen_outcome(o, code, "%s", why);
    return !why;
}

/* ---- doing it ---- */

/* In terms of the target: the limit itself is higher by video RAM and libxl's slack. */
static int set_limit(struct xen_host *h, const struct xen_domain *d, int64_t limit_kib)
{
    uint64_t kib = (uint64_t)(limit_kib + d->video_kib + XEN_LIMIT_SLACK_KIB);

    return xc_domain_setmaxmem(h->xc, d->domid, kib);
}

static void failed_limit(struct xlp_outcome *o, int64_t limit_kib, int error)
{
    xlp_xen_outcome(o, error == ESRCH ? XLP_NOT_DONE_GONE : XLP_NOT_DONE_FAILED,
                    "setting its limit to %" PRId64 " KiB: %s", limit_kib, strerror(error));
}

static bool refresh_info(struct xen_host *h, struct xen_domain *d)
{
    xc_domaininfo_t info;

    if (xc_domain_getinfolist(h->xc, d->domid, 1, &info) != 1 || info.domain != d->domid)
        return false;
    d->info = info;
    return true;
}

static bool is_still(struct xen_host *h, struct xen_domain *d, int64_t target_kib, int64_t max_kib)
{
    return xlp_xen_store_refresh_sizes(h, d) == 0 && refresh_info(h, d) &&
           d->target_kib == target_kib && xlp_xen_max_kib(d) == max_kib;
}

/* libxl says it is done also where xenstore did not take it, so we look. */
static bool write_target(struct xen_host *h, struct xen_domain *d, int64_t target_kib,
                         struct xlp_outcome *o)
{
    int64_t before_kib = d->target_kib;

    if (xlp_xen_libxl_set_target(h, d, target_kib) < 0)
        xlp_xen_outcome(o, XLP_NOT_DONE_FAILED, "libxl does not set its target: %s",
                        h->logger.last[0] ? h->logger.last : "no reason given");
    else if (xlp_xen_store_refresh_sizes(h, d) < 0)
        xlp_xen_outcome(o, XLP_NOT_DONE_FAILED, "%s", h->base.error);
    else if (d->target_kib == before_kib)
        xlp_xen_outcome(o, XLP_NOT_DONE_FAILED, "xenstore did not take its target");
    else if (d->target_kib != target_kib)
        xlp_xen_outcome(o, XLP_NOT_DONE_BUSY,
                        "its target was changed at the same time by someone else");
    else
        return true;
    return false;
}

/* Never below what it has at this moment, beyond the slack it always has, nor below its target. */
static void lower_limit(struct xen_host *h, struct xen_domain *d, int64_t limit_kib,
                        struct xlp_outcome *o)
{
    int64_t actual_kib;

    refresh_info(h, d);
    actual_kib = xlp_xen_actual_kib(d);
    if (limit_kib < actual_kib - XEN_LIMIT_SLACK_KIB)
        limit_kib = actual_kib;
    if (limit_kib < d->target_kib)
        limit_kib = d->target_kib;
    if (limit_kib >= xlp_xen_max_kib(d))
        return;
    if (set_limit(h, d, limit_kib) < 0)
        failed_limit(o, limit_kib, errno);
    refresh_info(h, d);
}

/* False, with the outcome, if its target is not what the action says; its limit is then again what
 * it was, if Xen allows that. */
static bool change(struct xen_host *h, struct xen_domain *d, const struct xlp_action *a,
                   struct xlp_outcome *o)
{
    int64_t target_kib = d->target_kib, max_kib = xlp_xen_max_kib(d);
    bool raised = a->limit_kib > max_kib;

    if (raised && set_limit(h, d, a->limit_kib) < 0) {
        failed_limit(o, a->limit_kib, errno);
        return false;
    }
    if (a->to_kib != target_kib) {
        if (!write_target(h, d, a->to_kib, o)) {
            if (raised && d->target_kib == target_kib)
                set_limit(h, d, max_kib);
            return false;
        }
        if (d->watched)
            d->own_writes++;
        d->hand.seen_kib = d->target_kib;
    }
    if (a->limit_kib)
        lower_limit(h, d, a->limit_kib, o);
    if (o->code == XLP_NOT_DONE_FAILED && a->to_kib != target_kib)
        o->code = XLP_DONE; /* the target stands, which is what matters; the limit is tried again */
    return true;
}
