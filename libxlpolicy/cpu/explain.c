/* SPDX-License-Identifier: LGPL-2.1-only */
/* What is done with a pool's vCPUs goes into the plan; why, into the verdicts of their domains. */
#include "tick.h"

#define CLEARLY 1.05 /* so much above the mean is worth a word */

void xlp_explain(struct tick *t, uint32_t domain, const struct xlp_reason *reason)
{
    t->plan->verdicts[domain].cpu = *reason;
    t->c->domains[domain].explained = true;
}

static int64_t load_before(const struct tick *t, uint32_t pcpu)
{
    return pcpu == XLP_UNKNOWN ? 0 : xlp_reason_pct(t->c->load_before[t->pool.slot_of[pcpu]]);
}

static struct xlp_reason round_robin(const struct tick *t, size_t position)
{
    return (struct xlp_reason){XLP_REASON_CPU_ROUND_ROBIN,
                               {(int64_t)position, (int64_t)t->pool.slot_count}};
}

static struct xlp_reason reason_to_move(const struct tick *t, size_t position, uint32_t from,
                                        uint32_t to)
{
    const struct item *item = &t->c->items[position];
    int64_t demand = xlp_reason_pct(t->views[t->c->item_vcpus[position]].demand);

    switch (item->why) {
    case XLP_REASON_CPU_ROUND_ROBIN: return round_robin(t, position);
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
    const struct item *item = &t->c->items[position];
    uint32_t vcpu = t->c->item_vcpus[position], to = t->pool.pcpu_of[item->slot];
    const struct xlp_vcpu *v = &t->s->vcpus[vcpu];
    struct xlp_action *a = xlp_plan_add(t->plan, XLP_PLACE_VCPU, &t->s->domains[v->domain]);
    struct xlp_cpumap place = xlp_slot_pcpus(&t->pool, item->slot);
    struct tenure tenure;

    if (!a)
        return -1;
    xlp_tenure(v, &t->pool, t->policy, XLP_REASON_NONE, &tenure);
    a->vcpu = v->id;
    a->from_pcpu = tenure.home;
    a->to_pcpu = to;
    xlp_tenure_masks(t->s, v, &tenure, t->policy, &place, &a->hard, &a->soft);
    a->reason = reason_to_move(t, position, tenure.home, to);
    xlp_explain(t, v->domain, &a->reason);
    return 0;
}

/* Why a vCPU that has a place stays there. */
static struct xlp_reason reason_to_stay(const struct tick *t, size_t position)
{
    const struct item *item = &t->c->items[position];
    uint32_t vcpu = t->c->item_vcpus[position];
    double load = t->c->slots[item->slot].load;
    struct xlp_reason reason = {.number = {xlp_reason_pct(t->views[vcpu].demand),
                                           t->pool.pcpu_of[item->slot], xlp_reason_pct(load),
                                           xlp_reason_pct(t->mean)}};

    if (t->policy->cpu_policy == XLP_CPU_ROUND_ROBIN)
        return round_robin(t, position);
    if (t->c->now.vcpus[vcpu].settle_ticks)
        return (struct xlp_reason){XLP_REASON_CPU_SETTLING,
                                   {(int64_t)t->c->now.vcpus[vcpu].settle_ticks}};
    reason.number[4] = t->s->domains[item->owner].device_node;
    if (item->stays_home && !t->budget_gone && !t->waits)
        reason.code = XLP_REASON_CPU_NEAR_DEVICE;
    else if (load <= t->mean * CLEARLY + 0.01)
        reason.code = XLP_REASON_CPU_BALANCED;
    else if (t->budget_gone)
        reason.code = XLP_REASON_CPU_BUDGET;
    else if (t->waits)
        reason.code = XLP_REASON_CPU_UNEVEN;
    else
        reason.code = XLP_REASON_CPU_NO_GAIN;
    return reason;
}

static int add_placements(struct tick *t)
{
    for (size_t i = 0; i < t->item_count; i++)
        if (t->c->items[i].why != XLP_REASON_NONE && add_placement(t, i) < 0)
            return -1;
    return 0;
}

/* One word for each domain; what happens to one of its vCPUs goes before why another stays. */
static void explain_items(struct tick *t)
{
    for (size_t i = 0; i < t->item_count; i++) {
        const struct item *item = &t->c->items[i];
        struct xlp_reason reason;

        if (t->c->domains[item->owner].explained)
            continue;
        if (item->slot == XLP_NOWHERE)
            reason = (struct xlp_reason){.code = XLP_REASON_CPU_NEXT_TICK};
        else
            reason = reason_to_stay(t, i);
        xlp_explain(t, item->owner, &reason);
    }
}

static void explain_rest(struct tick *t)
{
    const struct xlp_reason first_look = {XLP_REASON_CPU_SETTLING, {1}};

    for (uint32_t i = 0; i < t->s->domain_count; i++)
        if (t->c->domains[i].pool == t->pool_index && !t->c->domains[i].explained)
            xlp_explain(t, i, &first_look);
}

int xlp_explain_pool(struct tick *t)
{
    if (add_placements(t) < 0)
        return -1;
    explain_items(t);
    explain_rest(t);
    return 0;
}
