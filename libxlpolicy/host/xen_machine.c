/* SPDX-License-Identifier: LGPL-2.1-only */
/* The machine: its pCPUs and how idle they were, its cpupools, its memory. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../grow.h"
#include "xen.h"

/* Looks closer together than this say little about idleness. */
#define IDLE_INTERVAL_MIN_NS (200 * XEN_NS_PER_MS)
#define SATURATED_IDLE_PCT   3

static int observe_memory(struct xen_host *h, struct xlp_snapshot *s);
static int read_pools(struct xen_host *h);
static int read_free_pcpus(struct xen_host *h, struct xlp_cpumap *online);
static int read_topology(struct xen_host *h);
static int read_idle(struct xen_host *h, uint64_t now_ns);
static int fill_pcpus(struct xen_host *h, struct xlp_snapshot *s);
static int fill_pools(struct xen_host *h, struct xlp_snapshot *s);

int xlp_xen_machine_open(struct xen_host *h)
{
    int limit = xc_get_max_cpus(h->xc), node_size = xc_get_nodemap_size(h->xc);

    if (limit <= 0)
        return xlp_xen_fail(h, "asking for the number of pCPUs");
    h->pcpu_limit = (unsigned int)limit;
    h->mask_size = (h->pcpu_limit + 7) / 8;
    for (uint32_t i = 0; i < h->pcpu_limit; i++)
        xlp_cpumap_set(&h->every, i);

    h->pcpus = calloc(h->pcpu_limit, sizeof(*h->pcpus));
    h->topology = calloc(h->pcpu_limit, sizeof(*h->topology));
    h->idle = calloc(h->pcpu_limit, sizeof(*h->idle));
    h->hard_bytes = calloc(1, h->mask_size);
    h->soft_bytes = calloc(1, h->mask_size);
    h->node_size = node_size > 0 ? (size_t)node_size : 1;
    h->node_bytes = calloc(1, h->node_size);
    if (!h->pcpus || !h->topology || !h->idle || !h->hard_bytes || !h->soft_bytes || !h->node_bytes)
        return xlp_xen_out_of_memory(h);
    return 0;
}

void xlp_xen_machine_close(struct xen_host *h)
{
    free(h->pcpus);
    free(h->topology);
    free(h->idle);
    free(h->hard_bytes);
    free(h->soft_bytes);
    free(h->node_bytes);
    free(h->pools);
}

int xlp_xen_observe_machine(struct xen_host *h, struct xlp_snapshot *s)
{
    struct xlp_cpumap online = xlp_cpumap_none();

    if (observe_memory(h, s) < 0 || read_pools(h) < 0 || read_free_pcpus(h, &online) < 0)
        return -1;
    for (size_t i = 0; i < h->pool_count; i++)
        for (size_t word = 0; word < XLP_CPUMAP_WORDS; word++)
            online.word[word] |= h->pools[i].map.word[word];

    /* The topology changes only when a pCPU comes or goes. */
    if (!xlp_cpumap_equal(&online, &h->online)) {
        h->online = online;
        if (read_topology(h) < 0)
            return -1;
    }
    if (read_idle(h, s->time_ns) < 0)
        return -1;
    return fill_pcpus(h, s) < 0 || fill_pools(h, s) < 0 ? xlp_xen_out_of_memory(h) : 0;
}

/* free_pages is what Xen's heap can hand out, of which outstanding_pages are claimed for domains
 * that are being built. Pages still to be scrubbed are in the heap too: Xen reports 0 scrub_pages
 * in all versions we know, and is believed should it ever report others. */
static int observe_memory(struct xen_host *h, struct xlp_snapshot *s)
{
    xc_physinfo_t info;

    if (xc_physinfo(h->xc, &info) < 0)
        return xlp_xen_fail(h, "asking for the host's memory");
    s->memory.total_kib = (int64_t)info.total_pages * XEN_PAGE_KIB;
    s->memory.free_kib = (int64_t)info.free_pages * XEN_PAGE_KIB;
    s->memory.scrub_kib = (int64_t)info.scrub_pages * XEN_PAGE_KIB;
    s->memory.claims_kib = (int64_t)info.outstanding_pages * XEN_PAGE_KIB;
    return 0;
}

/* ---- cpupools ---- */

static struct xen_pool *find_pool(struct xen_host *h, uint32_t id)
{
    for (size_t i = 0; i < h->pool_count; i++)
        if (h->pools[i].id == id)
            return &h->pools[i];
    return NULL;
}

const struct xen_pool *xlp_xen_pool(const struct xen_host *h, uint32_t id)
{
    return find_pool((struct xen_host *)h, id);
}

/* A name lasts: it is read when the pool is new, and again every now and then. */
static int name_pool(struct xen_host *h, struct xen_pool *pool)
{
    char path[64], *name = NULL;
    int rc;

    snprintf(path, sizeof(path), "/local/pool/%u/name", pool->id);
    rc = xlp_xen_store_read(h, path, &name, NULL);
    if (rc < 0)
        return -1;
    if (rc == 0)
        xlp_name_copy(pool->name, name);
    else
        snprintf(pool->name, sizeof(pool->name), "Pool-%u", pool->id);
    free(name);
    return 0;
}

static int read_pool(struct xen_host *h, const xc_cpupoolinfo_t *info)
{
    struct xen_pool *pool = find_pool(h, info->cpupool_id);
    struct xlp_cpumap before = pool ? pool->map : xlp_cpumap_none();
    bool is_new = !pool;

    if (is_new) {
        if (xlp_grow(&h->pools, &h->pool_room, h->pool_count + 1, sizeof(*pool)) < 0)
            return xlp_xen_out_of_memory(h);
        pool = &h->pools[h->pool_count++];
        memset(pool, 0, sizeof(*pool));
        pool->id = info->cpupool_id;
    }
    pool->sched_id = info->sched_id;
    pool->seen_tick = h->tick;
    pool->map = xlp_cpumap_none();
    for (uint32_t i = 0; i < h->pcpu_limit; i++)
        if (info->cpumap[i / 8] >> (i % 8) & 1)
            xlp_cpumap_set(&pool->map, i);
    h->pools_changed = h->pools_changed || is_new || !xlp_cpumap_equal(&before, &pool->map);
    return is_new || h->tick % XEN_SLOW_TICKS == 0 ? name_pool(h, pool) : 0;
}

static int by_pool_id(const void *a, const void *b)
{
    const struct xen_pool *left = a, *right = b;

    return (left->id > right->id) - (left->id < right->id);
}

/* Each tick: nothing announces that a pCPU moved between pools or went offline, and a mask is only
 * worth what it has in common with the pool. */
static int read_pools(struct xen_host *h)
{
    uint32_t next = 0;
    size_t kept = 0;

    for (;;) {
        xc_cpupoolinfo_t *info = xc_cpupool_getinfo(h->xc, next);
        int rc;

        if (!info && errno == ENOENT)
            break; /* there is no pool with this id or a higher one */
        if (!info)
            return xlp_xen_fail(h, "listing the cpupools");
        rc = read_pool(h, info);
        next = info->cpupool_id + 1;
        xc_cpupool_infofree(h->xc, info);
        if (rc < 0)
            return -1;
    }
    for (size_t i = 0; i < h->pool_count; i++)
        if (h->pools[i].seen_tick == h->tick)
            h->pools[kept++] = h->pools[i];
    h->pool_count = kept;
    qsort(h->pools, h->pool_count, sizeof(*h->pools), by_pool_id);
    return 0;
}

/* Online pCPUs that are in no pool. */
static int read_free_pcpus(struct xen_host *h, struct xlp_cpumap *online)
{
    xc_cpumap_t bytes = xc_cpupool_freeinfo(h->xc);

    if (!bytes)
        return xlp_xen_fail(h, "asking for pCPUs in no cpupool");
    for (uint32_t i = 0; i < h->pcpu_limit; i++)
        if (bytes[i / 8] >> (i % 8) & 1)
            xlp_cpumap_set(online, i);
    free(bytes);
    return 0;
}

/* ---- pCPUs ---- */

static uint32_t known(uint32_t id, uint32_t invalid)
{
    return id == invalid ? XLP_UNKNOWN : id;
}

static int read_topology(struct xen_host *h)
{
    unsigned int count = h->pcpu_limit;

    if (xc_cputopoinfo(h->xc, &count, h->topology) < 0)
        return xlp_xen_fail(h, "asking for the pCPU topology");
    h->has_nodes = false;
    for (uint32_t i = 0; i < h->pcpu_limit; i++) {
        struct xen_pcpu *p = &h->pcpus[i];
        const xc_cputopo_t *t = &h->topology[i];

        p->present = i < count && t->core != XEN_INVALID_CORE_ID;
        if (!p->present)
            continue;
        p->core = t->core;
        p->socket = known(t->socket, XEN_INVALID_SOCKET_ID);
        p->node = known(t->node, XEN_INVALID_NODE_ID);
        h->has_nodes = h->has_nodes || (p->node != XLP_UNKNOWN && p->node != 0);
    }
    return 0;
}

/* Where a domain's pages are Xen tells nobody; but it takes new ones from the nodes that the domain
 * has affinity with, which follow its vCPUs' affinity unless its toolstack said otherwise. */
uint32_t xlp_xen_memory_node(struct xen_host *h, uint32_t domid)
{
    uint32_t node = XLP_UNKNOWN;

    if (!h->has_nodes || xc_domain_node_getaffinity(h->xc, domid, h->node_bytes) < 0)
        return XLP_UNKNOWN;
    for (uint32_t i = 0; i < 8 * h->node_size; i++) {
        if (!(h->node_bytes[i / 8] >> (i % 8) & 1))
            continue;
        if (node != XLP_UNKNOWN)
            return XLP_UNKNOWN;
        node = i;
    }
    return node;
}

/* Over the time since the last comparison. An offline pCPU has idle time 0, which would look fully
 * busy: only the difference of two looks at an online one counts. Before there is anything to
 * compare with each pCPU may be saturated, so that the first decision need not guess either. */
static bool is_saturated(const struct xen_host *h, const struct xen_pcpu *p, uint32_t id,
                         uint64_t elapsed_ns)
{
    if (!xlp_cpumap_test(&h->online, id))
        return false;
    return !h->compared_ns ||
           (p->idle_ns >= p->compared_idle_ns &&
            p->idle_ns - p->compared_idle_ns < elapsed_ns / 100 * SATURATED_IDLE_PCT);
}

static int read_idle(struct xen_host *h, uint64_t now_ns)
{
    uint64_t elapsed_ns = now_ns - h->compared_ns;
    bool compare = elapsed_ns >= IDLE_INTERVAL_MIN_NS;
    int count = 0;

    if (xc_getcpuinfo(h->xc, (int)h->pcpu_limit, h->idle, &count) < 0)
        return xlp_xen_fail(h, "asking for the idle times");
    if (compare)
        h->saturated = xlp_cpumap_none();
    for (uint32_t i = 0; i < h->pcpu_limit; i++) {
        struct xen_pcpu *p = &h->pcpus[i];

        p->idle_ns = i < (uint32_t)count ? h->idle[i].idletime : 0;
        if (!compare)
            continue;
        if (is_saturated(h, p, i, elapsed_ns))
            xlp_cpumap_set(&h->saturated, i);
        p->compared_idle_ns = p->idle_ns;
    }
    if (compare)
        h->compared_ns = now_ns;
    return 0;
}

/* ---- into the snapshot ---- */

static int fill_pcpus(struct xen_host *h, struct xlp_snapshot *s)
{
    for (uint32_t i = 0; i < h->pcpu_limit && i < XLP_PCPUS_MAX; i++) {
        const struct xen_pcpu *from = &h->pcpus[i];
        struct xlp_pcpu *p;

        if (!from->present)
            continue;
        p = xlp_snapshot_add_pcpu(s);
        if (!p)
            return -1;
        p->id = i;
        p->online = xlp_cpumap_test(&h->online, i);
        p->core = from->core;
        p->socket = from->socket;
        p->node = from->node;
        p->idle_ns = from->idle_ns;
    }
    return 0;
}

static enum xlp_sched scheduler(uint32_t sched_id)
{
    switch (sched_id) {
    case XEN_SCHEDULER_CREDIT: return XLP_SCHED_CREDIT;
    case XEN_SCHEDULER_CREDIT2: return XLP_SCHED_CREDIT2;
    case XEN_SCHEDULER_RTDS: return XLP_SCHED_RTDS;
    case XEN_SCHEDULER_ARINC653: return XLP_SCHED_ARINC653;
    case XEN_SCHEDULER_NULL: return XLP_SCHED_NULL;
    default: return XLP_SCHED_UNKNOWN;
    }
}

static int fill_pools(struct xen_host *h, struct xlp_snapshot *s)
{
    for (size_t i = 0; i < h->pool_count; i++) {
        struct xlp_pool *pool = xlp_snapshot_add_pool(s);

        if (!pool)
            return -1;
        pool->id = h->pools[i].id;
        memcpy(pool->name, h->pools[i].name, sizeof(pool->name));
        pool->sched = scheduler(h->pools[i].sched_id);
        pool->map = xlp_snapshot_intern(s, &h->pools[i].map);
        if (pool->map == XLP_UNKNOWN)
            return -1;
    }
    return 0;
}
