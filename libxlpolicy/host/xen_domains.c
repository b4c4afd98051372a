/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The domains: which there are, what is remembered of each, and the snapshot of them.
 *
 * A domain may go at any moment between two calls. It is then left out, without an error: the next
 * look will not find it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../grow.h"
#include "xen.h"

#define LIST_CHUNK       1024
#define SHUTDOWN_SUSPEND 2 /* SHUTDOWN_suspend of Xen's sched.h, of every version */

static int list_domains(struct xen_host *h);
static int meet(struct xen_host *h, const xc_domaininfo_t *info, uint64_t now_ns);
static void drop_gone(struct xen_host *h);
static void note_left_out(struct xen_host *h, const struct xen_domain *d, size_t others);
static int look_at(struct xen_host *h, struct xen_domain *d);
static int fill_domain(struct xen_host *h, struct xen_domain *d, struct xlp_snapshot *s);
static int fill_vcpus(struct xen_domain *d, struct xlp_snapshot *s);
static unsigned int flags_of(const struct xen_domain *d);

int xlp_xen_observe_domains(struct xen_host *h, struct xlp_snapshot *s)
{
    size_t left_out = 0;

    h->single_count = h->multiple_count = 0; /* they point at domains that may go below */
    if (list_domains(h) < 0)
        return -1;
    for (size_t i = 0; i < h->info_count; i++)
        if (meet(h, &h->infos[i], s->time_ns) < 0)
            return -1;
    drop_gone(h);
    xlp_xen_find_saved(h, s->time_ns);
    xlp_xen_begin_vcpus(h);

    for (size_t i = 0; i < h->domain_count; i++) {
        int rc = look_at(h, h->domains[i]);

        if (rc == 0 && fill_domain(h, h->domains[i], s) < 0)
            return -1;
        if (rc < 0 && h->store_lost)
            return -1;
        if (rc < 0)
            note_left_out(h, h->domains[i], left_out++);
    }
    h->pools_changed = false;
    /* What fails for each of them is the host's trouble. */
    return s->domain_count == 0 && left_out ? -1 : 0;
}

/* The first gives the reason. */
static void note_left_out(struct xen_host *h, const struct xen_domain *d, size_t others)
{
    char *note = h->base.note;

    if (others == 0)
        snprintf(note, sizeof(h->base.note), "domain %u is left out: %.200s", d->domid,
                 h->base.error);
    else if (others == 1)
        strcat(note, "; others are, too");
}

/* A call returns the domains from the id asked for on, by rising id: fewer than asked means the
 * end. The buffer ends up a chunk larger than the host needs. */
static int list_domains(struct xen_host *h)
{
    uint32_t from = 0;

    h->info_count = 0;
    for (;;) {
        int got;

        if (xlp_grow(&h->infos, &h->info_room, h->info_count + LIST_CHUNK, sizeof(*h->infos)) < 0)
            return xlp_xen_out_of_memory(h);
        got = xc_domain_getinfolist(h->xc, from, LIST_CHUNK, &h->infos[h->info_count]);
        if (got < 0)
            return xlp_xen_fail(h, "listing the domains");
        h->info_count += (size_t)got;
        if (got < LIST_CHUNK)
            return 0;
        from = h->infos[h->info_count - 1].domain + 1u;
    }
}

/* ---- what is remembered ---- */

/* The place of domid in h->domains, or where it would stand. */
static size_t place_of(const struct xen_host *h, uint32_t domid)
{
    size_t low = 0, high = h->domain_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (h->domains[middle]->domid < domid)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct xen_domain *xlp_xen_domain(const struct xen_host *h, uint32_t domid)
{
    size_t at = place_of(h, domid);

    return at < h->domain_count && h->domains[at]->domid == domid ? h->domains[at] : NULL;
}

static void forget(struct xen_host *h, struct xen_domain *d)
{
    xlp_xen_store_unwatch(h, d);
    for (size_t i = 0; i < d->vcpu_count; i++)
        free(d->vcpus[i].record);
    free(d->vcpus);
    free(d->report.untrusted_text);
    free(d->report.untrusted_total);
    free(d);
}

/* A domain that is new to us. */
static int add(struct xen_host *h, size_t at, const xc_domaininfo_t *info)
{
    struct xen_domain *d = calloc(1, sizeof(*d));

    if (!d ||
        xlp_grow(&h->domains, &h->domain_room, h->domain_count + 1, sizeof(*h->domains)) < 0) {
        free(d);
        return xlp_xen_out_of_memory(h);
    }
    d->domid = info->domain;
    memcpy(d->uuid, info->handle, sizeof(d->uuid));
    d->first_tick = h->tick;
    d->stale = XEN_STALE_ALL;
    d->device_node = XLP_UNKNOWN;
    memmove(&h->domains[at + 1], &h->domains[at], (h->domain_count - at) * sizeof(*h->domains));
    h->domains[at] = d;
    h->domain_count++;
    return 0;
}

/* Its age counts from its first unpausing: it may have been built, or kept paused, for long. One
 * that has run at first sight is older than our acquaintance. */
static void take_info(struct xen_host *h, struct xen_domain *d, const xc_domaininfo_t *info,
                      uint64_t now_ns)
{
    bool is_new = d->seen_tick == 0;

    d->info = *info;
    d->seen_tick = h->tick;
    if (d->first_ran_ns || !info->cpu_time)
        return;
    d->first_ran_ns = now_ns;
    d->age_then_ns = is_new ? xlp_xen_store_age_ns(h, d) : 0;
}

/* The same id with another uuid is another domain. */
static int meet(struct xen_host *h, const xc_domaininfo_t *info, uint64_t now_ns)
{
    size_t at = place_of(h, info->domain);
    struct xen_domain *d = at < h->domain_count ? h->domains[at] : NULL;

    if (d && d->domid == info->domain) {
        if (memcmp(d->uuid, info->handle, sizeof(d->uuid)) == 0) {
            take_info(h, d, info, now_ns);
            return 0;
        }
        h->domain_count--;
        memmove(&h->domains[at], &h->domains[at + 1], (h->domain_count - at) * sizeof(*h->domains));
        xlp_xen_ledger_gone(h, d);
        forget(h, d);
    }
    if (add(h, at, info) < 0)
        return -1;
    take_info(h, h->domains[at], info, now_ns);
    return 0;
}

/* The others first: whether a domain is only rebooting shows in those that are there. */
static void drop_gone(struct xen_host *h)
{
    size_t count = h->domain_count, kept = 0;

    for (size_t i = 0; i < count; i++) {
        struct xen_domain *d = h->domains[i];

        if (d->seen_tick != h->tick)
            continue;
        h->domains[i] = h->domains[kept];
        h->domains[kept++] = d;
    }
    h->domain_count = kept;
    for (size_t i = kept; i < count; i++) {
        xlp_xen_ledger_gone(h, h->domains[i]);
        forget(h, h->domains[i]);
    }
}

void xlp_xen_domains_close(struct xen_host *h)
{
    for (size_t i = 0; i < h->domain_count; i++)
        forget(h, h->domains[i]);
    free(h->domains);
    free(h->infos);
}

/* ---- looking at one ---- */

/* Rare changes that no watch tells of are looked for every now and then, a part of the domains at
 * a time; and always while its toolstack is still writing down what it builds, and until it is
 * known what it was built for. */
static bool is_slow_due(const struct xen_host *h, const struct xen_domain *d)
{
    return d->info.cpu_time == 0 || d->iommu == XEN_IOMMU_UNKNOWN ||
           h->tick - d->first_tick < XEN_SLOW_TICKS || (h->tick + d->domid) % XEN_SLOW_TICKS == 0;
}

/* 0, 1 when it has gone, or -1 when it has to be left out. */
static int look_at(struct xen_host *h, struct xen_domain *d)
{
    int rc;

    /* An event may get lost. */
    if (!d->watched || (h->tick + d->domid) % XEN_RECHECK_TICKS == 0)
        d->stale |= XEN_STALE_STORE;
    else if (is_slow_due(h, d))
        d->stale |= XEN_STALE_SLOW;

    if (d->stale & XEN_STALE_SLOW)
        d->memory_node = xlp_xen_memory_node(h, d->domid);
    rc = xlp_xen_read_vcpus(h, d);
    if (rc)
        return rc;
    if (d->weight_due) {
        rc = xlp_xen_read_scheduling(h, d);
        if (rc)
            return rc;
    }
    if (xlp_xen_store_refresh(h, d) < 0)
        return -1;
    d->stale &= XEN_STALE_LEDGER;
    if (d->info.flags & XEN_DOMINF_dying)
        return 0; /* its records may be its successor's by now */
    if (d->stale && xlp_xen_ledger_load(h, d) < 0)
        return -1;
    xlp_xen_ledger_settle(h, d);
    /* Another process may be writing it, or another domain give it up. */
    d->stale = h->read_only || d->ledger_is_anothers ? XEN_STALE_LEDGER : 0;
    return 0;
}

int xlp_xen_read_scheduling(struct xen_host *h, struct xen_domain *d)
{
    const struct xen_pool *pool = xlp_xen_pool(h, d->info.cpupool);
    struct xen_domctl_sched_credit credit = {0};
    struct xen_domctl_sched_credit2 credit2 = {0};
    int rc = 0;

    d->weight = d->cap_pct = 0;
    d->weight_due = true; /* until it is known */
    if (pool && pool->sched_id == XEN_SCHEDULER_CREDIT) {
        rc = xc_sched_credit_domain_get(h->xc, d->domid, &credit);
        d->weight = credit.weight;
        d->cap_pct = credit.cap;
    } else if (pool && pool->sched_id == XEN_SCHEDULER_CREDIT2) {
        rc = xc_sched_credit2_domain_get(h->xc, d->domid, &credit2);
        d->weight = credit2.weight;
        d->cap_pct = credit2.cap;
    }
    if (rc < 0)
        /* EINVAL: it moved to a pool with another scheduler since the pools were read. */
        return errno == ESRCH ? 1 : errno == EINVAL ? 0 : xlp_xen_fail(h, "reading a weight");
    d->weight_due = false;
    return 0;
}

/* ---- into the snapshot ---- */

static uint64_t age_ns(const struct xen_domain *d, uint64_t now_ns)
{
    return d->first_ran_ns ? d->age_then_ns + (now_ns - d->first_ran_ns) : 0;
}

static int fill_domain(struct xen_host *h, struct xen_domain *d, struct xlp_snapshot *s)
{
    struct xlp_domain *to = xlp_snapshot_add_domain(s);

    if (!to)
        return xlp_xen_out_of_memory(h);
    to->domid = d->domid;
    memcpy(to->uuid, d->uuid, sizeof(to->uuid));
    memcpy(to->name, d->name, sizeof(to->name));
    to->type = d->type;
    to->flags = flags_of(d);
    to->pool_id = d->info.cpupool;
    to->weight = d->weight;
    to->cap_pct = d->cap_pct;
    /* A domain made for passthrough is as good as one that has a device: once its target differs
     * from its maximum, it cannot be rebooted. So is one that may be. */
    to->passthrough_devices = d->passthrough_devices;
    if (!to->passthrough_devices && d->iommu != XEN_IOMMU_NO)
        to->passthrough_devices = 1;
    to->device_node = d->device_node;
    to->memory_node = d->memory_node;
    to->age_ns = age_ns(d, s->time_ns);
    to->released = d->released;
    if (d->weight_record.recorded && !d->weight_record.inherited)
        to->ledger = (struct xlp_weight_ledger){.recorded = true,
                                                .original_weight = d->weight_record.original,
                                                .our_weight = d->weight_record.ours};
    xlp_xen_fill_memory(d, to->age_ns, s->time_ns, &to->memory);
    return fill_vcpus(d, s) < 0 ? xlp_xen_out_of_memory(h) : 0;
}

static int fill_ledger(const struct xen_vcpu_record *record, struct xlp_snapshot *s,
                       struct xlp_vcpu_ledger *to)
{
    to->recorded = true;
    to->original_hard = xlp_snapshot_intern(s, &record->original.hard);
    to->original_soft = xlp_snapshot_intern(s, &record->original.soft);
    to->our_hard = xlp_snapshot_intern(s, &record->ours.hard);
    to->our_soft = xlp_snapshot_intern(s, &record->ours.soft);
    return to->original_hard == XLP_UNKNOWN || to->original_soft == XLP_UNKNOWN ||
                   to->our_hard == XLP_UNKNOWN || to->our_soft == XLP_UNKNOWN
               ? -1
               : 0;
}

static int fill_vcpus(struct xen_domain *d, struct xlp_snapshot *s)
{
    if (d->domid == 0)
        xlp_xen_count_dom0(d);
    for (uint32_t id = 0; id < d->vcpu_count; id++) {
        struct xen_vcpu *from = &d->vcpus[id];
        struct xlp_vcpu *v;

        if (!from->exists)
            continue;
        v = xlp_snapshot_add_vcpu(s);
        if (!v)
            return -1;
        v->id = id;
        v->online = from->online;
        v->blocked = from->blocked;
        v->running = from->running;
        v->pcpu = from->pcpu;
        v->cpu_time_ns = from->cpu_time_ns;
        v->samples = from->samples;
        v->samples_waiting = from->samples_waiting;
        v->samples_blocked = from->samples_blocked;
        from->samples = from->samples_waiting = from->samples_blocked = 0;
        v->hard = xlp_snapshot_intern(s, &from->masks.hard);
        v->soft = xlp_snapshot_intern(s, &from->masks.soft);
        if (v->hard == XLP_UNKNOWN || v->soft == XLP_UNKNOWN)
            return -1;
        if (from->record && fill_ledger(from->record, s, &v->ledger) < 0)
            return -1;
    }
    return 0;
}

/* ---- why it may not be touched ---- */

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);

    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

/*
 * Building: every new domain is paused by its toolstack, and a vCPU that has never been scheduled
 * has no run time at all; from its first unpausing on it has some. So paused without any run time
 * is "never yet unpaused", also for one that is being restored or received.
 *
 * Migrating: xl receives into NAME--incoming and leaves NAME--migratedaway behind, a domain that is
 * being saved suspends at the end, and before that libxl's helper runs. The receiver's limit is
 * what the target was when it all began: growing meanwhile would make the migration fail.
 */
static unsigned int flags_of(const struct xen_domain *d)
{
    unsigned int flags = 0;
    bool paused = d->info.flags & XEN_DOMINF_paused;
    unsigned int shutdown_code =
        d->info.flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask;

    if (d->info.flags & XEN_DOMINF_dying)
        flags |= XLP_DOMAIN_DYING;
    if (d->info.flags & XEN_DOMINF_shutdown)
        flags |= shutdown_code == SHUTDOWN_SUSPEND ? XLP_DOMAIN_MIGRATING : XLP_DOMAIN_SHUTDOWN;
    if (d->being_saved || ends_with(d->name, "--incoming") || ends_with(d->name, "--migratedaway"))
        flags |= XLP_DOMAIN_MIGRATING;
    if (d->info.max_vcpu_id == XEN_INVALID_MAX_VCPU_ID || (paused && d->info.cpu_time == 0))
        flags |= XLP_DOMAIN_BUILDING;
    else if (paused)
        flags |= XLP_DOMAIN_PAUSED;
    return flags;
}
