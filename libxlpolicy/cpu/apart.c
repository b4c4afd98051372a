/* SPDX-License-Identifier: LGPL-2.1-only */
/* The few vCPUs that are not like most: those that stay where they are, and those near a device. */
#include "tick.h"

/* Where a vCPU that we do not place runs: where both masks let it, or else where the hard one does.
 */
static struct xlp_cpumap slots_of_fixed(const struct tick *t, const struct xlp_vcpu *v)
{
    const struct map_facts *hard = &t->c->maps[v->hard], *soft = &t->c->maps[v->soft];
    struct xlp_cpumap both;

    if (soft->covers || soft->empty)
        return *hard->slots;
    if (hard->covers)
        return *soft->slots;
    both = xlp_cpumap_and(hard->slots, soft->slots);
    return xlp_cpumap_is_empty(&both) ? *hard->slots : both;
}

static void add_fixed_to(struct tick *t, uint32_t slot, const struct xlp_vcpu_view *view,
                         uint32_t slot_count)
{
    t->c->slots[slot].fixed_load += view->entitlement / slot_count;
    t->c->slots[slot].fixed_demand += view->demand / slot_count;
}

void xlp_add_fixed(struct tick *t, uint32_t vcpu)
{
    const struct xlp_vcpu_view *view = &t->views[vcpu];
    const struct xlp_vcpu *v = &t->s->vcpus[vcpu];
    uint32_t pin = t->c->maps[v->hard].only_slot, count;
    struct xlp_cpumap slots;

    if (view->demand == 0)
        return;
    if (pin != XLP_NOWHERE) { /* whatever it would prefer */
        add_fixed_to(t, pin, view, 1);
        return;
    }
    slots = slots_of_fixed(t, v);
    count = xlp_cpumap_count(&slots);
    for (uint32_t i = xlp_cpumap_next(&slots, 0); i < XLP_PCPUS_MAX;
         i = xlp_cpumap_next(&slots, i + 1))
        add_fixed_to(t, i, view, count);
}

/* The node (as in struct slot) of a guest's PCI device, or XLP_NOWHERE. */
static uint32_t device_node(const struct tick *t, const struct xlp_domain *d)
{
    if (d->device_node == XLP_UNKNOWN)
        return XLP_NOWHERE;
    for (size_t i = 0; i < t->s->pcpu_count; i++)
        if (t->s->pcpus[i].node == d->device_node &&
            xlp_cpumap_test(&t->pool.online, t->s->pcpus[i].id))
            return t->c->slots[t->pool.slot_of[t->s->pcpus[i].id]].node;
    return XLP_NOWHERE;
}

void xlp_bind_to_device(const struct tick *t, struct item *item)
{
    uint32_t node = device_node(t, &t->s->domains[item->owner]);
    bool may = false;

    for (uint32_t i = 0; i < t->pool.slot_count && !may; i++)
        may = t->c->slots[i].node == node && (!item->allowed || xlp_cpumap_test(item->allowed, i));
    if (!may)
        return;
    item->home_node = node;
    item->stays_home = true;
    if (item->slot == XLP_NOWHERE) {
        item->why_first = XLP_REASON_CPU_DEVICE_FIRST;
    } else if (t->c->slots[item->slot].node != node) {
        item->slot = XLP_NOWHERE;
        item->why_first = XLP_REASON_CPU_DEVICE_NODE;
    }
}
