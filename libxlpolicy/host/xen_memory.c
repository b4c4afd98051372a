/* SPDX-License-Identifier: LGPL-2.1-only */
/* The memory of a domain in the snapshot's terms: where each number comes from. */
#include "xen.h"

static void fill_report(const struct xen_domain *d, uint64_t age_ns, uint64_t now_ns,
                        struct xlp_domain_memory *m);

static int64_t within(int64_t kib)
{
    return kib < 0 ? 0 : kib > XEN_SIZE_MAX_KIB ? XEN_SIZE_MAX_KIB : kib;
}

static int64_t pages_kib(uint64_t pages)
{
    return pages > (uint64_t)(XEN_SIZE_MAX_KIB / XEN_PAGE_KIB) ? XEN_SIZE_MAX_KIB
                                                               : (int64_t)pages * XEN_PAGE_KIB;
}

/* tot_pages: what it holds of the host's memory, its page tables (PV) and video RAM (HVM) included;
 * not what it merely has a claim on (outstanding_pages), nor what was paged out. */
int64_t xlp_xen_actual_kib(const struct xen_domain *d)
{
    return within(pages_kib(d->info.tot_pages) - d->video_kib);
}

/* max_pages: the hypervisor's limit. libxl sets it to target + video RAM + slack; without the
 * latter two it is in terms of the target. A dom0 without dom0_mem has no limit to speak of. */
int64_t xlp_xen_max_kib(const struct xen_domain *d)
{
    return within(pages_kib(d->info.max_pages) - d->video_kib - XEN_LIMIT_SLACK_KIB);
}

void xlp_xen_fill_memory(const struct xen_domain *d, uint64_t age_ns, uint64_t now_ns,
                         struct xlp_domain_memory *m)
{
    const struct xen_memory_record *record = &d->memory;
    uint64_t since_ns = (uint64_t)d->hand.since_s * XEN_NS_PER_S;

    m->actual_kib = xlp_xen_actual_kib(d);
    m->max_kib = xlp_xen_max_kib(d);
    m->video_kib = d->video_kib;
    /* memory/target is without video RAM. Where the toolstack wrote none, what it has is the only
     * target it can have been told; likewise its size is then the most it can ever have. */
    m->target_kib = d->target_kib >= 0 ? d->target_kib : m->actual_kib;
    m->static_max_kib = d->static_max_kib >= 0 ? d->static_max_kib : m->actual_kib;
    m->dynamic_min_kib = d->dynamic_min_kib;
    m->dynamic_max_kib = d->dynamic_max_kib;
    m->balloon = d->balloon;
    m->refusals = d->target_refusals;
    /* Seen in this very look, it was set after the look began. */
    if (d->hand.known && d->hand.target_kib == d->target_kib && since_ns < now_ns)
        m->by_hand_ns = now_ns - since_ns;
    fill_report(d, age_ns, now_ns, m);

    if (record->recorded && !record->inherited) {
        m->ledger.recorded = true;
        m->ledger.original_target_kib = record->original_target;
        m->ledger.original_max_kib = record->original_max;
        m->ledger.our_target_kib = record->our_target;
        m->ledger.releasing = record->releasing;
    }
}

static int parse(const struct xen_report *r, int64_t total_kib, struct xlp_mem_report *report_out)
{
    switch (r->source) {
    case XLP_REPORT_AGENT: return xlp_report_parse_agent(r->untrusted_text, r->length, report_out);
    case XLP_REPORT_QUBES:
        return xlp_report_parse_qubes(r->untrusted_text, r->length, total_kib, report_out);
    case XLP_REPORT_XENSERVER:
        return xlp_report_parse_xenserver(r->untrusted_total, r->total_length, r->untrusted_text,
                                          r->length, report_out);
    case XLP_REPORT_NONE: break;
    }
    return 0;
}

/* xenstore does not tell when a key was written. A report that was there when a domain was first
 * looked at may be as old as the domain: whoever may act on it has to assume so until it changes.
 * Who only reads can do no harm, and counts from the first look. */
static void fill_report(const struct xen_domain *d, uint64_t age_ns, uint64_t now_ns,
                        struct xlp_domain_memory *m)
{
    const struct xen_report *r = &d->report;

    if (d->domid == 0)
        xlp_xen_read_dom0_report("/proc", &m->report); /* just now; or there is none */
    if (d->domid == 0 || r->source == XLP_REPORT_NONE)
        return;
    m->report_bad = parse(r, m->actual_kib, &m->report) < 0;
    m->report_age_ns = r->found ? age_ns : now_ns - r->changed_ns;
}
