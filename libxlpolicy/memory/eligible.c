/* SPDX-License-Identifier: LGPL-2.1-only */
/* Whose memory is ours to manage, and the operator's word on a target. */
#include "memory/parts.h"

/*
 * Where we wrote a target, the record of it tells ours from another's. Where we did not, the target
 * a guest has when first seen is its toolstack's; only a change after that is the operator's word,
 * be it one that a daemon before us saw.
 */
static bool set_by_hand(const struct hold *hold, const struct xlp_domain *d)
{
    const struct xlp_domain_memory *m = &d->memory;

    if (m->ledger.recorded)
        return m->target_kib != m->ledger.our_target_kib &&
               !(hold->honoured && hold->honoured_kib == m->target_kib);
    return hold->seen ? m->target_kib != hold->target_kib : m->by_hand_ns > 0;
}

void xlp_hold_observe(struct hold *hold, const struct xlp_domain *d,
                      const struct xlp_policy *policy, uint64_t passed_ns)
{
    const struct xlp_domain_memory *m = &d->memory;
    bool is_ours = m->ledger.recorded && m->target_kib == m->ledger.our_target_kib;

    hold->left_ns = xlp_time_left(hold->left_ns, passed_ns);
    /* Until it is built its toolstack may yet write the target, or write another. */
    if (d->flags & XLP_DOMAIN_BUILDING)
        return;
    if (is_ours) {
        hold->honoured = false;
        hold->left_ns = 0;
    } else if (set_by_hand(hold, d)) {
        hold->honoured = true;
        hold->honoured_kib = m->target_kib;
        hold->left_ns = xlp_time_left((uint64_t)policy->mem_manual_hold_s * XLP_SECOND_NS,
                                      hold->seen ? 0 : m->by_hand_ns);
    }
    hold->target_kib = m->target_kib;
    hold->seen = true;
}

/* What somebody said of it, or of memory as a whole. */
static enum xlp_reason_code word_of_others(const struct xlp_snapshot *s, const struct xlp_domain *d,
                                           const struct xlp_policy *policy,
                                           const struct xlp_domain_policy *own)
{
    if (d->domid == 0 && !policy->mem_dom0)
        return XLP_REASON_MEM_DOM0;
    if (policy->mem_policy == XLP_MEM_OFF)
        return XLP_REASON_MEM_OFF;
    if (d->flags && xlp_untouchable_because(d) != XLP_REASON_NONE)
        return xlp_untouchable_because(d);
    if (!own->memory)
        return XLP_REASON_MEM_EXCLUDED;
    if (d->released)
        return XLP_REASON_RELEASED;
    if (d->passthrough_devices > 0)
        return XLP_REASON_MEM_PASSTHROUGH;
    if (s->other_controller[0])
        return XLP_REASON_MEM_OTHER_CONTROLLER;
    return XLP_REASON_NONE;
}

/* What the guest itself lacks. One that reports nothing may not be up yet; what it says of its
 * balloon driver counts once it does. */
static enum xlp_reason_code missing(const struct xlp_domain_memory *m, const struct hold *hold)
{
    if (m->report.source == XLP_REPORT_NONE && !m->report_bad)
        return XLP_REASON_MEM_NO_AGENT;
    if (!m->balloon)
        return XLP_REASON_MEM_NO_BALLOON;
    if (hold->left_ns > 0)
        return XLP_REASON_MEM_OPERATOR;
    return m->report_bad ? XLP_REASON_MEM_BAD_REPORT : XLP_REASON_NONE;
}

enum xlp_reason_code xlp_memory_off_limits(const struct xlp_snapshot *s, const struct xlp_domain *d,
                                           const struct xlp_policy *policy,
                                           const struct xlp_domain_policy *own,
                                           const struct hold *hold)
{
    enum xlp_reason_code code = word_of_others(s, d, policy, own);

    return code != XLP_REASON_NONE ? code : missing(&d->memory, hold);
}
