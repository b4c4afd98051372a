/* SPDX-License-Identifier: LGPL-2.1-only */
/* Carrying out actions on the simulated host, and the ledger of what was there before. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "host/sim.h"

static void answer(struct xlp_outcome *outcome, enum xlp_outcome_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static struct xlp_sim_domain *find(struct xlp_sim *sim, const struct xlp_action *action);
static void act_on_vcpu(struct xlp_sim *sim, struct xlp_sim_domain *d,
                        const struct xlp_action *action, struct xlp_outcome *outcome_out);
static void act_on_weight(struct xlp_sim *sim, struct xlp_sim_domain *d,
                          const struct xlp_action *action, struct xlp_outcome *outcome_out);
static void act_on_memory(struct xlp_sim_domain *d, const struct xlp_action *action,
                          struct xlp_outcome *outcome_out);

void xlp_sim_apply(struct xlp_host *host, const struct xlp_action *action,
                   struct xlp_outcome *outcome_out)
{
    struct xlp_sim *sim = (struct xlp_sim *)host;
    struct xlp_sim_domain *d = find(sim, action);

    answer(outcome_out, XLP_DONE, "%s", "");
    if (xlp_action_is_of_reservation(action->kind)) {
        if (!xlp_sim_apply_reservation(sim, action))
            answer(outcome_out, XLP_NOT_DONE_REFUSED, "there is no %s, or no room for it",
                   action->name);
        return;
    }
    if (d && d->vanishes) {
        d->vanishes = false;
        xlp_sim_destroy(sim, d);
        d = NULL;
    }
    if (!d) {
        answer(outcome_out, XLP_NOT_DONE_GONE, "domain %u is gone", action->domid);
        return;
    }
    if (d->busy_left > 0) {
        d->busy_left--;
        answer(outcome_out, XLP_NOT_DONE_BUSY, "the hypervisor is busy with domain %u",
               action->domid);
        return;
    }
    switch (action->kind) {
    case XLP_PLACE_VCPU:
    case XLP_ADOPT_VCPU:
    case XLP_RELEASE_VCPU: act_on_vcpu(sim, d, action, outcome_out); break;
    case XLP_SET_WEIGHT:
    case XLP_ADOPT_WEIGHT:
    case XLP_RELEASE_WEIGHT: act_on_weight(sim, d, action, outcome_out); break;
    case XLP_SET_TARGET:
    case XLP_RELEASE_TARGET: act_on_memory(d, action, outcome_out); break;
    case XLP_RELEASE_DOMAIN: d->released = true; break;
    case XLP_ADOPT_DOMAIN: d->released = d->memory.releasing = false; break;
    default: answer(outcome_out, XLP_NOT_DONE_REFUSED, "no such action"); break;
    }
}

static void answer(struct xlp_outcome *outcome, enum xlp_outcome_code code, const char *format, ...)
{
    va_list args;

    outcome->code = code;
    va_start(args, format);
    vsnprintf(outcome->detail, sizeof(outcome->detail), format, args);
    va_end(args);
}

static struct xlp_sim_domain *find(struct xlp_sim *sim, const struct xlp_action *action)
{
    for (size_t i = 0; i < sim->live_count; i++) {
        struct xlp_sim_domain *d = sim->live[i];

        if (d->domid == action->domid)
            return memcmp(d->uuid, action->uuid, sizeof(d->uuid)) == 0 ? d : NULL;
    }
    return NULL;
}

/* ---- affinity ---- */

static bool same_masks(const struct xlp_sim_masks *a, const struct xlp_sim_masks *b)
{
    return xlp_cpumap_equal(&a->hard, &b->hard) && xlp_cpumap_equal(&a->soft, &b->soft);
}

static bool write_masks(struct xlp_sim *sim, struct xlp_sim_domain *d, struct xlp_sim_vcpu *v,
                        const struct xlp_sim_masks *masks, struct xlp_outcome *outcome_out)
{
    if (!xlp_sim_has_place(sim, d, &masks->hard)) {
        answer(outcome_out, XLP_NOT_DONE_REFUSED, "hard affinity has no online pCPU of pool \"%s\"",
               sim->scenario->host.pools[d->pool].name);
        return false;
    }
    if (same_masks(&v->masks, masks)) {
        d->needless_writes++;
    } else {
        d->moves++;
    }
    xlp_sim_set_masks(sim, d, v, masks);
    return true;
}

static void act_on_vcpu(struct xlp_sim *sim, struct xlp_sim_domain *d,
                        const struct xlp_action *action, struct xlp_outcome *outcome_out)
{
    struct xlp_sim_masks wanted = {.hard = action->hard, .soft = action->soft}, before, undone;
    struct xlp_sim_vcpu *v;

    if (action->vcpu >= d->vcpu_count) {
        answer(outcome_out, XLP_NOT_DONE_GONE, "domain %u has no vCPU %u", d->domid, action->vcpu);
        return;
    }
    v = &d->vcpus[action->vcpu];
    before = v->masks;
    switch (action->kind) {
    case XLP_PLACE_VCPU:
        undone = v->undone;
        if (!write_masks(sim, d, v, &wanted, outcome_out))
            return;
        d->reversals += same_masks(&wanted, &undone);
        v->undone = same_masks(&wanted, &before) ? undone : before;
        if (!v->recorded)
            v->original = before;
        v->recorded = true;
        v->ours = wanted;
        return;
    case XLP_ADOPT_VCPU:
        v->recorded = true;
        v->original = v->ours = v->masks;
        return;
    default:
        if (!v->recorded)
            answer(outcome_out, XLP_NOT_DONE_REFUSED, "vCPU %u was never changed", action->vcpu);
        else if (same_masks(&wanted, &v->masks) || write_masks(sim, d, v, &wanted, outcome_out))
            v->recorded = false;
        return;
    }
}

/* ---- weights ---- */

static void act_on_weight(struct xlp_sim *sim, struct xlp_sim_domain *d,
                          const struct xlp_action *action, struct xlp_outcome *outcome_out)
{
    enum xlp_sched sched = sim->scenario->host.pools[d->pool].sched;

    if (sched != XLP_SCHED_CREDIT && sched != XLP_SCHED_CREDIT2) {
        answer(outcome_out, XLP_NOT_DONE_REFUSED, "%s", "its scheduler has no weights");
        return;
    }
    if (action->kind == XLP_ADOPT_WEIGHT) {
        d->ledger = (struct xlp_weight_ledger){true, d->weight, d->weight};
        return;
    }
    if (action->to_weight < 1 || action->to_weight > XLP_WEIGHT_MAX) {
        answer(outcome_out, XLP_NOT_DONE_REFUSED, "there is no weight %u", action->to_weight);
        return;
    }
    if (action->kind == XLP_RELEASE_WEIGHT && !d->ledger.recorded) {
        answer(outcome_out, XLP_NOT_DONE_REFUSED, "its weight was never changed");
        return;
    }
    if (!d->ledger.recorded)
        d->ledger.original_weight = d->weight;
    d->ledger.our_weight = action->to_weight;
    d->ledger.recorded = action->kind == XLP_SET_WEIGHT;
    d->weight_writes += action->to_weight != d->weight;
    d->weight = action->to_weight;
    sim->rates_stale = true;
}

/* ---- balloon targets ---- */

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void act_on_memory(struct xlp_sim_domain *d, const struct xlp_action *action,
                          struct xlp_outcome *outcome_out)
{
    struct xlp_sim_memory *m = &d->memory;
    int64_t target_kib = action->to_kib;

    if (m->balloon == XLP_SIM_BALLOON_REFUSES || target_kib <= 0 ||
        target_kib > d->spec->max_memory_kib) {
        m->refusals++;
        answer(outcome_out, XLP_NOT_DONE_REFUSED,
               m->balloon == XLP_SIM_BALLOON_REFUSES
                   ? "the toolstack refuses a target of %lld KiB"
                   : "a target of %lld KiB is not between 1 KiB and the static maximum",
               (long long)target_kib);
        return;
    }
    if (action->kind == XLP_RELEASE_TARGET) {
        bool ours = m->target_kib == m->our_target_kib;

        if (!m->recorded) {
            answer(outcome_out, XLP_NOT_DONE_REFUSED, "its target was never changed");
            return;
        }
        m->recorded = m->releasing = ours && m->target_kib != m->original_target_kib;
        if (!ours)
            return;
    } else if (!m->recorded) {
        m->recorded = true;
        m->original_target_kib = m->target_kib;
        m->original_max_kib = m->max_kib;
    }
    if (target_kib != m->target_kib) {
        d->target_writes++;
        if (m->last_change_kib && (m->last_change_kib > 0) != (target_kib > m->target_kib))
            d->target_flips++;
        m->last_change_kib = target_kib - m->target_kib;
    }
    m->our_target_kib = target_kib;
    m->target_kib = target_kib;
    m->by_hand_at_ns = 0;
    if (action->limit_kib > 0)
        m->max_kib = larger(action->limit_kib, m->actual_kib);
}
