/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Carrying out actions on weights. The weight that is there is asked for again first: `xl
 * sched-credit2` changes it and nothing tells of that. Written in the ledger first, as xen_ledger.c
 * argues.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "xen.h"

static bool look_again(struct xen_host *h, struct xen_domain *d, struct xlp_outcome *o);
static void set(struct xen_host *h, struct xen_domain *d, uint32_t weight, struct xlp_outcome *o);
static void adopt(struct xen_host *h, struct xen_domain *d, struct xlp_outcome *o);
static void release(struct xen_host *h, struct xen_domain *d, struct xlp_outcome *o);

void xlp_xen_apply_weight(struct xen_host *h, struct xen_domain *d, const struct xlp_action *action,
                          struct xlp_outcome *outcome_out)
{
    if (!look_again(h, d, outcome_out))
        return;
    if (action->kind == XLP_SET_WEIGHT)
        set(h, d, action->to_weight, outcome_out);
    else if (action->kind == XLP_ADOPT_WEIGHT)
        adopt(h, d, outcome_out);
    else
        release(h, d, outcome_out);
}

/* Whether its weight still is what it was when the plan was made. */
static bool look_again(struct xen_host *h, struct xen_domain *d, struct xlp_outcome *o)
{
    uint32_t seen = d->weight;
    int rc = xlp_xen_read_scheduling(h, d);

    if (rc > 0)
        xlp_xen_outcome(o, XLP_NOT_DONE_GONE, "domain %" PRIu32 " is no longer there", d->domid);
    else if (rc < 0)
        xlp_xen_outcome(o, XLP_NOT_DONE_FAILED, "%s", h->base.error);
    else if (d->weight == 0)
        xlp_xen_outcome(o, XLP_NOT_DONE_REFUSED, "the scheduler of its cpupool has no weights");
    else if (d->weight != seen)
        xlp_xen_outcome(o, XLP_NOT_DONE_BUSY,
                        "its weight was changed a moment ago by someone else");
    else
        return true;
    return false;
}

/* What is there and was not written by us is what a release has to restore. */
static struct xen_weight_record record_for(const struct xen_domain *d)
{
    const struct xen_weight_record *r = &d->weight_record;
    bool ours = r->recorded && r->ours == d->weight;

    return (struct xen_weight_record){
        .recorded = true, .original = ours ? r->original : d->weight, .ours = d->weight};
}

/* Writes it if it differs from what is there. False, with the outcome, if that fails. */
static bool write_weight(struct xen_host *h, struct xen_domain *d, uint32_t weight,
                         struct xlp_outcome *o)
{
    if (weight == d->weight)
        return true;
    if (xlp_xen_libxl_set_weight(h, d->domid, weight) < 0) {
        xlp_xen_outcome(o, XLP_NOT_DONE_FAILED, "libxl does not set its weight: %s",
                        h->logger.last[0] ? h->logger.last : "no reason given");
        return false;
    }
    d->weight = weight;
    return true;
}

/* See xen_ledger.c for why this order loses nothing. */
static void set(struct xen_host *h, struct xen_domain *d, uint32_t weight, struct xlp_outcome *o)
{
    struct xen_weight_record record = record_for(d), before = d->weight_record;

    if (weight == d->weight) {
        h->needless_writes++;
        xlp_xen_outcome(o, XLP_NOT_DONE_REFUSED, "it has this weight already");
        return;
    }
    if (weight < 1 || weight > XLP_WEIGHT_MAX) {
        xlp_xen_outcome(o, XLP_NOT_DONE_REFUSED, "there is no weight %" PRIu32, weight);
        return;
    }
    record.next = weight;
    record.pending = true;
    if (xlp_xen_ledger_write_weight(h, d, &record) < 0) {
        xlp_xen_not_recorded(o);
        return;
    }
    if (!write_weight(h, d, weight, o)) {
        xlp_xen_ledger_write_weight(h, d, before.recorded ? &before : NULL);
        return;
    }
    record.ours = weight;
    record.pending = false;
    d->weight_record = record;
    xlp_xen_ledger_write_weight(h, d, &record); /* should this fail, NEXT says the same */
}

static void adopt(struct xen_host *h, struct xen_domain *d, struct xlp_outcome *o)
{
    struct xen_weight_record record = record_for(d);

    if (xlp_xen_ledger_write_weight(h, d, &record) < 0)
        xlp_xen_not_recorded(o);
    else
        d->weight_record = record;
}

/* A weight set by hand since is the operator's: only the record goes. */
static void release(struct xen_host *h, struct xen_domain *d, struct xlp_outcome *o)
{
    const struct xen_weight_record *r = &d->weight_record;

    if (r->recorded && r->ours == d->weight && !write_weight(h, d, r->original, o))
        return;
    memset(&d->weight_record, 0, sizeof(d->weight_record));
    if (xlp_xen_ledger_write_weight(h, d, NULL) < 0)
        xlp_xen_outcome(o, XLP_NOT_DONE_FAILED,
                        "its weight is restored, but the record in xenstore stays: %s",
                        strerror(errno));
}
