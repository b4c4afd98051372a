/* SPDX-License-Identifier: LGPL-2.1-only */
/* What is done with a pool's vCPUs goes into the plan; why, or why not, into verdicts when asked.
 */
#include "grow.h"
#include "ownership.h"
#include "tick.h"

#define CLEARLY 1.05 /* so much above the mean is worth a word */

/* ---- what is done ---- */

static int64_t load_before(const struct tick *t, uint32_t pcpu)
{
    return pcpu == XLP_UNKNOWN ? 0 : xlp_reason_pct(t->c->load_before[t->pool.slot_of[pcpu]]);
}

static struct xlp_reason round_robin(size_t position, size_t slot_count)
{
    return (struct xlp_reason){XLP_REASON_CPU_ROUND_ROBIN,
                               {(int64_t)position, (int64_t)slot_count}};
}

static struct xlp_reason reason_to_move(const struct tick *t, size_t position, uint32_t from,
                                        uint32_t to)
{
    const struct item *item = &t->items[position];
    int64_t demand = xlp_reason_pct(t->views[item->vcpu].demand);

    switch (item->why) {
    case XLP_REASON_CPU_ROUND_ROBIN: return round_robin(position, t->pool.slot_count);
    case XLP_REASON_CPU_FIRST_PLACE:
        return (struct xlp_reason){item->why,
                                   {demand, to, xlp_reason_pct(t->c->slots[item->slot].load)}};
    case XLP_REASON_CPU_DEVICE_FIRST:
        return (struct xlp_reason){item->why,
                                   {demand, to, xlp_reason_pct(t->c->slots[item->slot].load),
                                    t->s->domains[item->owner].device_node}};
    case XLP_REASON_CPU_MODE: return (struct xlp_reason){item->why, {to}};
    case XLP_REASON_CPU_DEVICE_NODE: return (struct xlp_reason){item->why, {from, to}};
    default:
        return (struct xlp_reason){item->why,
                                   {demand, from, load_before(t, from), to, load_before(t, to)}};
    }
}

static int add_placement(struct tick *t, size_t position)
{
    const struct item *item = &t->items[position];
    const struct xlp_vcpu *v = &t->s->vcpus[item->vcpu];
    uint32_t to = t->pool.pcpu_of[item->slot];
    struct xlp_action *a = xlp_plan_add(t->plan, XLP_PLACE_VCPU, &t->s->domains[v->domain]);
    struct xlp_cpumap place = xlp_slot_pcpus(&t->pool, item->slot);
    struct xlp_cpu *c = t->c;
    struct tenure tenure;

    if (!a || xlp_grow(&c->placed, &c->placed_room, c->placed_count + 1, sizeof(*c->placed)) < 0)
        return -1;
    xlp_tenure(v, &t->pool, t->policy, XLP_REASON_NONE, &tenure);
    a->vcpu = v->id;
    a->from_pcpu = tenure.home;
    a->to_pcpu = to;
    xlp_tenure_masks(t->s, v, &tenure, t->policy, &place, &a->hard, &a->soft);
    a->reason = reason_to_move(t, position, tenure.home, to);
    c->placed[c->placed_count++] = (struct placed){v->domain, a->reason};
    return 0;
}

int xlp_add_placements(struct tick *t)
{
    for (size_t i = 0; i < t->item_count; i++)
        if (t->items[i].why != XLP_REASON_NONE && add_placement(t, i) < 0)
            return -1;
    return 0;
}

/* ---- why ---- */

/* Why a vCPU that has a place stays there. */
static struct xlp_reason reason_to_stay(const struct xlp_cpu *c, const struct xlp_snapshot *s,
                                        const struct pool_word *pool, size_t item,
                                        const struct xlp_vcpu_view *views)
{
    uint32_t vcpu = c->items[item].vcpu, ticks = c->now.homes[vcpu].settle_ticks;
    double load = c->load[views[vcpu].home];
    struct xlp_reason reason = {.number = {xlp_reason_pct(views[vcpu].demand), views[vcpu].home,
                                           xlp_reason_pct(load), xlp_reason_pct(pool->mean)}};

    if (pool->round_robin)
        return round_robin(item - pool->first_item, pool->slot_count);
    if (ticks)
        return (struct xlp_reason){XLP_REASON_CPU_SETTLING, {ticks}};
    if (c->items[item].stays_home && !pool->budget_gone && !pool->waits) {
        reason.code = XLP_REASON_CPU_NEAR_DEVICE;
        reason.number[4] = s->domains[c->items[item].owner].device_node;
    } else if (load <= pool->mean * CLEARLY + 0.01) {
        reason.code = XLP_REASON_CPU_BALANCED;
    } else if (pool->budget_gone) {
        reason.code = XLP_REASON_CPU_BUDGET;
    } else if (pool->waits) {
        reason.code = XLP_REASON_CPU_UNEVEN;
    } else {
        reason.code = XLP_REASON_CPU_NO_GAIN;
    }
    return reason;
}

/* One word for each domain: why one of its vCPUs is not ours to move goes before why the first of
 * the others stays. What is placed has a word of its own. */
static struct xlp_reason word_on(const struct xlp_cpu *c, const struct xlp_snapshot *s,
                                 const struct domain_work *d, const struct xlp_vcpu_view *views)
{
    if (d->unmoved != XLP_REASON_NONE)
        return (struct xlp_reason){d->unmoved, {d->number}};
    if (d->first_item == XLP_NOWHERE) /* it has been looked at only once */
        return (struct xlp_reason){XLP_REASON_CPU_SETTLING, {1}};
    if (c->items[d->first_item].why != XLP_REASON_NONE)
        return (struct xlp_reason){.code = XLP_REASON_NONE};
    if (c->items[d->first_item].slot == XLP_NOWHERE)
        return (struct xlp_reason){.code = XLP_REASON_CPU_NEXT_TICK};
    return reason_to_stay(c, s, &c->pool_words[d->pool], d->first_item, views);
}

void xlp_cpu_explain(const struct xlp_cpu *c, const struct xlp_snapshot *s,
                     const struct xlp_vcpu_view *views, struct xlp_plan *plan)
{
    for (size_t i = 0; i < s->domain_count; i++) {
        plan->verdicts[i].cpu = word_on(c, s, &c->domains[i], views);
        if (!c->weighed)
            plan->verdicts[i].weight = (struct xlp_reason){.code = XLP_REASON_NONE};
    }
    for (size_t i = 0; i < c->placed_count; i++)
        plan->verdicts[c->placed[i].domain].cpu = c->placed[i].reason;
}
