/* SPDX-License-Identifier: LGPL-2.1-only */
/* Snapshots made by hand: a small host and its guests, for tests of the decisions. */
#ifndef XLPOLICY_TESTS_MADE_HOST_H
#define XLPOLICY_TESTS_MADE_HOST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "snapshot.h"

#define SECOND_NS UINT64_C(1000000000)

static inline uint32_t made_map(struct xlp_snapshot *s, const char *text)
{
    struct xlp_cpumap map;

    if (xlp_cpumap_parse(text, &map) < 0)
        abort();
    return xlp_snapshot_intern(s, &map);
}

/* One pool of that many pCPUs on one socket, all idle so far. */
static inline void made_host(struct xlp_snapshot *s, uint32_t pcpus, enum xlp_sched sched)
{
    struct xlp_pool *pool;
    char range[16];

    xlp_snapshot_init(s);
    s->time_ns = SECOND_NS;
    s->memory.total_kib = 8 << 20;
    s->memory.free_kib = 1 << 20;
    for (uint32_t i = 0; i < pcpus; i++) {
        struct xlp_pcpu *p = xlp_snapshot_add_pcpu(s);

        p->id = i;
        p->core = i;
        p->online = true;
    }
    pool = xlp_snapshot_add_pool(s);
    strcpy(pool->name, "Pool-0");
    pool->sched = sched;
    snprintf(range, sizeof(range), "0-%u", pcpus - 1);
    pool->map = made_map(s, range);
}

/* A guest with vCPUs that may run anywhere; domids must rise. */
static inline struct xlp_domain *made_guest(struct xlp_snapshot *s, uint32_t domid, uint32_t vcpus)
{
    struct xlp_domain *d = xlp_snapshot_add_domain(s);
    size_t at = s->domain_count - 1;

    d->domid = domid;
    d->uuid[0] = (uint8_t)domid;
    snprintf(d->name, sizeof(d->name), domid ? "vm%u" : "Domain-0", domid);
    d->type = XLP_GUEST_PV;
    d->weight = 256;
    d->age_ns = 3600 * SECOND_NS;
    d->memory.actual_kib = d->memory.target_kib = d->memory.max_kib = d->memory.static_max_kib =
        256 << 10;
    for (uint32_t i = 0; i < vcpus; i++) {
        uint32_t all = made_map(s, "all");
        struct xlp_vcpu *v = xlp_snapshot_add_vcpu(s);

        v->id = i;
        v->online = true;
        v->hard = v->soft = all;
    }
    return &s->domains[at];
}

static inline struct xlp_vcpu *made_vcpu(struct xlp_snapshot *s, uint32_t domid, uint32_t vcpu)
{
    return (struct xlp_vcpu *)xlp_snapshot_vcpu(s, domid, vcpu);
}

/* Pins one vCPU by hand, as an operator would. */
static inline void made_pin(struct xlp_snapshot *s, uint32_t domid, uint32_t vcpu, const char *hard)
{
    uint32_t map = made_map(s, hard);

    made_vcpu(s, domid, vcpu)->hard = map;
    made_vcpu(s, domid, vcpu)->pcpu = xlp_cpumap_next(&s->maps[map], 0);
}

#endif
