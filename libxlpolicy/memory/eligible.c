/* SPDX-License-Identifier: LGPL-2.1-only */
/* Whose memory is ours to manage, and the operator's word on a target. */
#include "memory/parts.h"

static struct xlp_reason reason(enum xlp_reason_code code, int64_t first, int64_t second)
{
    return (struct xlp_reason){.code = code, .number = {first, second}};
}

/*
 * Where we wrote a target, the record of it tells ours from another's. Where we did not, the target
 * a guest has when first seen is its toolstack's; only a change after that is the operator's word.
 */
static bool set_by_hand(const struct hold *hold, const struct xlp_domain *d)
{
    const struct xlp_domain_memory *m = &d->memory;

    if (m->ledger.recorded)
        return m->target_kib != m->ledger.our_target_kib &&
               !(hold->honoured && hold->honoured_kib == m->target_kib);
    return hold->seen && m->target_kib != hold->target_kib;
}

void xlp_hold_observe(struct hold *hold, const struct xlp_domain *d,
                      const struct xlp_policy *policy, uint64_t passed_ns)
{
    const struct xlp_domain_memory *m = &d->memory;
    bool is_ours = m->ledger.recorded && m->target_kib == m->ledger.our_target_kib;

    hold->left_ns = xlp_time_left(hold->left_ns, passed_ns);
    if (is_ours) {
        hold->honoured = false;
        hold->left_ns = 0;
    } else if (!(d->flags & XLP_DOMAIN_BUILDING) && set_by_hand(hold, d)) {
        hold->honoured = true;
        hold->honoured_kib = m->target_kib;
        hold->left_ns = (uint64_t)policy->mem_manual_hold_s * XLP_SECOND_NS;
    }
    hold->target_kib = m->target_kib;
    hold->seen = true;
}

bool xlp_memory_is_releasing(const struct xlp_domain *d)
{
    return d->memory.ledger.recorded && d->memory.ledger.releasing &&
           xlp_untouchable_because(d) == XLP_REASON_NONE;
}

/* What somebody said of it, or of memory as a whole. */
static struct xlp_reason word_of_others(const struct xlp_snapshot *s, const struct xlp_domain *d,
                                        const struct xlp_policy *policy,
                                        const struct xlp_domain_policy *own)
{
    if (d->domid == 0)
        return reason(XLP_REASON_MEM_DOM0, 0, 0);
    if (policy->mem_policy == XLP_MEM_OFF)
        return reason(XLP_REASON_MEM_OFF, 0, 0);
    if (xlp_untouchable_because(d) != XLP_REASON_NONE)
        return reason(xlp_untouchable_because(d), 0, 0);
    if (!own->memory)
        return reason(XLP_REASON_MEM_EXCLUDED, 0, 0);
    if (d->released)
        return reason(XLP_REASON_RELEASED, 0, 0);
    if (d->passthrough_devices > 0)
        return reason(XLP_REASON_MEM_PASSTHROUGH, d->passthrough_devices, 0);
    if (s->other_controller[0])
        return reason(XLP_REASON_MEM_OTHER_CONTROLLER, 0, 0);
    return reason(XLP_REASON_NONE, 0, 0);
}

/* What the guest itself lacks. One that reports nothing may not be up yet; what it says of its
 * balloon driver counts once it does. */
static struct xlp_reason missing(const struct xlp_domain_memory *m, const struct hold *hold)
{
    int64_t left_s = (int64_t)((hold->left_ns + XLP_SECOND_NS - 1) / XLP_SECOND_NS);

    if (m->report.source == XLP_REPORT_NONE && !m->report_bad)
        return reason(XLP_REASON_MEM_NO_AGENT, m->actual_kib, 0);
    if (!m->balloon)
        return reason(XLP_REASON_MEM_NO_BALLOON, 0, 0);
    if (hold->left_ns > 0)
        return reason(XLP_REASON_MEM_OPERATOR, m->target_kib, left_s);
    if (m->report_bad)
        return reason(XLP_REASON_MEM_BAD_REPORT, m->actual_kib, 0);
    return reason(XLP_REASON_NONE, 0, 0);
}

bool xlp_memory_eligible(const struct xlp_snapshot *s, const struct xlp_domain *d,
                         const struct xlp_policy *policy, const struct xlp_domain_policy *own,
                         const struct hold *hold, struct xlp_reason *why_not_out)
{
    struct xlp_reason why_not = word_of_others(s, d, policy, own);

    if (why_not.code == XLP_REASON_NONE)
        why_not = missing(&d->memory, hold);
    if (why_not.code == XLP_REASON_NONE)
        return true;
    *why_not_out = why_not;
    return false;
}
