/* SPDX-License-Identifier: LGPL-2.1-only */
#include "domain_cpu.h"

#include "placement.h"

struct domain_cpu domain_cpu(const struct source *source, const struct xlp_domain *d)
{
    struct xlp_domain_cpu cpu = xlp_domain_cpu_sum(&source->snapshot, d, source->vcpus);
    struct domain_cpu sum = {
        .known = cpu.known,
        .used = cpu.used,
        .demand = cpu.demand,
        .entitlement = cpu.entitlement,
        .blocked = d->vcpu_count > 0,
    };

    for (uint32_t i = d->first_vcpu; i < d->first_vcpu + d->vcpu_count; i++) {
        const struct xlp_vcpu *v = &source->snapshot.vcpus[i];

        sum.seconds += (double)v->cpu_time_ns / 1e9;
        sum.running |= v->running;
        sum.blocked &= v->blocked || !v->online;
    }
    return sum;
}

bool pcpu_demand(const struct source *source, uint32_t pcpu, double *demand_out)
{
    const struct xlp_snapshot *s = &source->snapshot;
    bool known = true;

    *demand_out = 0;
    for (size_t i = 0; i < s->vcpu_count; i++) {
        if (placement_of(s, &s->vcpus[i]).pcpu != pcpu)
            continue;
        known &= source->vcpus[i].known;
        *demand_out += source->vcpus[i].demand;
    }
    return known;
}
