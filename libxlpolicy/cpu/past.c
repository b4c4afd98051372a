/* SPDX-License-Identifier: LGPL-2.1-only */
/* What is remembered of domains, vCPUs and pools from one snapshot to the next. */
#include <string.h>

#include "grow.h"
#include "tick.h"

static bool same_domain(const struct domain_past *past, const struct xlp_domain *d)
{
    return past->domid == d->domid && memcmp(past->uuid, d->uuid, sizeof(d->uuid)) == 0;
}

/* The past of d, or NULL. Both lists rise by domid; *at is where the search goes on. */
static const struct domain_past *find_past(const struct memory_of *before, size_t *at,
                                           const struct xlp_domain *d)
{
    while (*at < before->domain_count && before->domains[*at].domid < d->domid)
        ++*at;
    return *at < before->domain_count && same_domain(&before->domains[*at], d)
               ? &before->domains[*at]
               : NULL;
}

/* A vCPU is found again by its place in its domain: Xen numbers them without gaps, offline ones
 * included. */
static void recall_domain(struct xlp_cpu *c, const struct xlp_domain *d,
                          const struct domain_past *past, struct domain_past *now)
{
    *now = (struct domain_past){
        .domid = d->domid, .first_vcpu = d->first_vcpu, .vcpu_count = d->vcpu_count};
    memcpy(now->uuid, d->uuid, sizeof(now->uuid));
    for (uint32_t k = 0; k < d->vcpu_count; k++) {
        bool known = past && k < past->vcpu_count;

        c->now.vcpus[d->first_vcpu + k] = known ? c->before.vcpus[past->first_vcpu + k]
                                                : (struct vcpu_past){.cpu_time_ns = UINT64_MAX};
        c->now.homes[d->first_vcpu + k] =
            known ? c->before.homes[past->first_vcpu + k] : (struct vcpu_home){.pcpu = XLP_UNKNOWN};
    }
}

int xlp_recall(struct xlp_cpu *c, const struct xlp_snapshot *s, bool same)
{
    struct memory_of swap = c->before;
    size_t at = 0;

    if (same && c->now.domain_count == s->domain_count)
        return 0;
    c->before = c->now;
    c->now = swap;
    c->now.domain_count = 0;
    if (xlp_grow(&c->now.domains, &c->now.domain_room, s->domain_count, sizeof(*c->now.domains)) <
            0 ||
        xlp_grow(&c->now.vcpus, &c->now.vcpu_room, s->vcpu_count, sizeof(*c->now.vcpus)) < 0 ||
        xlp_grow(&c->now.homes, &c->now.home_room, s->vcpu_count, sizeof(*c->now.homes)) < 0)
        return -1;
    c->now.domain_count = s->domain_count;
    for (size_t i = 0; i < s->domain_count; i++)
        recall_domain(c, &s->domains[i], find_past(&c->before, &at, &s->domains[i]),
                      &c->now.domains[i]);
    return 0;
}

struct lane *xlp_lane_of(struct xlp_cpu *c, uint32_t pool_id)
{
    for (size_t i = 0; i < c->pool_count; i++)
        if (c->pools[i].id == pool_id)
            return &c->pools[i].lane;
    if (xlp_grow(&c->pools, &c->pool_room, c->pool_count + 1, sizeof(*c->pools)) < 0)
        return NULL;
    c->pools[c->pool_count] = (struct pool_past){.id = pool_id};
    return &c->pools[c->pool_count++].lane;
}
