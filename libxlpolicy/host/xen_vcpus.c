/* SPDX-License-Identifier: LGPL-2.1-only */
/* vCPUs: their state and run times, and their affinity, read and written. */
#include <errno.h>
#include <string.h>

#include "../grow.h"
#include "xen.h"

/* libxl masks it too: early versions used the highest bit of a run time as a flag. */
#define RUN_TIME_MASK (UINT64_MAX >> 1)

static int make_room(struct xen_domain *d);
static void doubt_from(struct xen_domain *d, uint32_t id);
static bool is_due(struct xen_host *h, const struct xen_domain *d, uint32_t id);
static int read_vcpu(struct xen_host *h, struct xen_domain *d, uint32_t id, bool due);
static bool pinned_pcpu(const struct xen_host *h, const struct xen_domain *d,
                        const struct xen_vcpu *v, uint32_t *pcpu_out);

void xlp_xen_begin_vcpus(struct xen_host *h)
{
    if (h->again_left > 0)
        h->again_domid = h->again_vcpu = 0; /* the last look came to the end */
    h->again_left = XEN_AGAIN_VCPUS;
    h->all_due = h->base.afresh || h->pools_changed || h->read_only;
}

int xlp_xen_read_vcpus(struct xen_host *h, struct xen_domain *d)
{
    if (make_room(d) < 0)
        return xlp_xen_out_of_memory(h);
    for (uint32_t id = 0; id < d->vcpu_count; id++) {
        bool due = is_due(h, d, id);
        int rc = read_vcpu(h, d, id, due);

        d->weight_due = d->weight_due || (due && id == 0);
        /* No vCPU 0, though the list told of vCPUs: the domain went in between. */
        if (rc == 1 && id == 0)
            return 1;
        if (rc < 0) {
            doubt_from(d, id);
            return -1;
        }
    }
    d->read_in_pool = d->info.cpupool;
    return 0;
}

/* What was due at this look and was not read is due at the next. */
static void doubt_from(struct xen_domain *d, uint32_t id)
{
    for (; id < d->vcpu_count; id++)
        d->vcpus[id].doubtful = true;
}

static int make_room(struct xen_domain *d)
{
    uint32_t highest = d->info.max_vcpu_id;
    size_t count = highest == XEN_INVALID_MAX_VCPU_ID ? 0 : (size_t)highest + 1;

    if (xlp_grow(&d->vcpus, &d->vcpu_room, count, sizeof(*d->vcpus)) < 0)
        return -1;
    if (count > d->vcpu_count)
        memset(&d->vcpus[d->vcpu_count], 0, (count - d->vcpu_count) * sizeof(*d->vcpus));
    d->vcpu_count = count; /* never shrinks: Xen frees vCPUs with their domain only */
    return 0;
}

/* The versions differ in what they say of a vCPU or domain that is not there. */
bool xlp_xen_vcpu_is_missing(int error)
{
    return error == ESRCH || error == EINVAL || error == ENOENT;
}

/* What the list of domains says is exact for a domain with one vCPU. */
static void state_from_list(struct xen_domain *d, struct xen_vcpu *v)
{
    v->online = d->info.nr_online_vcpus > 0;
    v->blocked = d->info.flags & XEN_DOMINF_blocked;
    v->running = d->info.flags & XEN_DOMINF_running;
    v->cpu_time_ns = d->info.cpu_time & RUN_TIME_MASK;
}

/* Its toolstack may still be at work on it. */
static bool is_new(const struct xen_host *h, const struct xen_domain *d)
{
    return d->info.cpu_time == 0 || h->tick - d->first_tick < XEN_SLOW_TICKS ||
           d->weight_record.inherited;
}

/* Whether what rarely changes of a vCPU is read at this look. A move to another pool resets masks,
 * and so may a pCPU that leaves. Who only reads sees another process's records anew at each look,
 * and must not hold them against masks from before. Domains are looked at by rising domid, so whose
 * turn it is moves along with the look. */
static bool is_due(struct xen_host *h, const struct xen_domain *d, uint32_t id)
{
    const struct xen_vcpu *v = &d->vcpus[id];

    if (!v->exists || v->doubtful || is_new(h, d) || h->all_due ||
        d->read_in_pool != d->info.cpupool)
        return true;
    if (h->again_left == 0 || d->domid < h->again_domid ||
        (d->domid == h->again_domid && id < h->again_vcpu))
        return false;
    h->again_left--;
    h->again_domid = d->domid;
    h->again_vcpu = id + 1;
    return true;
}

/* 0, 1 when there is no such vCPU, or -1. */
static int read_vcpu(struct xen_host *h, struct xen_domain *d, uint32_t id, bool due)
{
    struct xen_vcpu *v = &d->vcpus[id];
    xc_vcpuinfo_t info;

    v->exists = v->exists && !due;
    if (due && xlp_xen_read_masks(h, d->domid, id, &v->masks) < 0)
        return xlp_xen_vcpu_is_missing(errno) ? 1 : xlp_xen_fail(h, "reading a vCPU's affinity");
    v->exists = true;
    if (d->vcpu_count == 1 && (pinned_pcpu(h, d, v, &v->pcpu) || !due)) {
        v->doubtful = v->doubtful && !due;
        state_from_list(d, v);
        return 0;
    }

    if (xc_vcpu_getinfo(h->xc, d->domid, id, &info) < 0) {
        v->exists = false;
        return xlp_xen_vcpu_is_missing(errno) ? 1 : xlp_xen_fail(h, "reading a vCPU's state");
    }
    v->online = info.online;
    v->blocked = info.blocked;
    v->running = info.running;
    v->pcpu = info.cpu;
    v->cpu_time_ns = info.cpu_time & RUN_TIME_MASK;
    v->doubtful = v->doubtful && !due;
    return 0;
}

/* Xen moves a vCPU, running or not, as soon as its hard affinity excludes where it is: one that
 * may run on a single pCPU is there, and we need not ask. */
static bool pinned_pcpu(const struct xen_host *h, const struct xen_domain *d,
                        const struct xen_vcpu *v, uint32_t *pcpu_out)
{
    const struct xen_pool *pool = xlp_xen_pool(h, d->info.cpupool);
    struct xlp_cpumap usable;
    uint32_t first;

    if (!pool)
        return false;
    usable = xlp_cpumap_and(&v->masks.hard, &pool->map);
    first = xlp_cpumap_next(&usable, 0);
    if (first == XLP_PCPUS_MAX || xlp_cpumap_next(&usable, first + 1) != XLP_PCPUS_MAX)
        return false;
    *pcpu_out = first;
    return true;
}

/* ---- affinity ---- */

bool xlp_xen_masks_equal(const struct xen_masks *a, const struct xen_masks *b)
{
    return xlp_cpumap_equal(&a->hard, &b->hard) && xlp_cpumap_equal(&a->soft, &b->soft);
}

/* Xen's default is every pCPU there can be; that is our "all", whatever their number. */
struct xlp_cpumap xlp_xen_map_here(const struct xen_host *h, const struct xlp_cpumap *map)
{
    struct xlp_cpumap here = xlp_cpumap_and(map, &h->every);

    return xlp_cpumap_equal(&here, &h->every) ? xlp_cpumap_all() : here;
}

static struct xlp_cpumap map_of(const struct xen_host *h, const uint8_t *bytes)
{
    struct xlp_cpumap map = xlp_cpumap_none();

    for (size_t i = 0; i < h->mask_size && i < XLP_PCPUS_MAX / 8; i++)
        map.word[i / 8] |= (uint64_t)bytes[i] << (i % 8 * 8);
    return xlp_xen_map_here(h, &map);
}

static void bytes_of(const struct xen_host *h, const struct xlp_cpumap *map, uint8_t *bytes)
{
    struct xlp_cpumap all = xlp_cpumap_all();

    if (xlp_cpumap_equal(map, &all)) {
        memset(bytes, 0xff, h->mask_size);
        return;
    }
    memset(bytes, 0, h->mask_size);
    for (size_t i = 0; i < h->mask_size && i < XLP_PCPUS_MAX / 8; i++)
        bytes[i] = (uint8_t)(map->word[i / 8] >> (i % 8 * 8));
}

int xlp_xen_read_masks(struct xen_host *h, uint32_t domid, uint32_t vcpu,
                       struct xen_masks *masks_out)
{
    if (xc_vcpu_getaffinity(h->xc, domid, (int)vcpu, h->hard_bytes, h->soft_bytes,
                            XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT) < 0)
        return -1;
    masks_out->hard = map_of(h, h->hard_bytes);
    masks_out->soft = map_of(h, h->soft_bytes);
    return 0;
}

/* Xen writes the effective masks back into the buffers: these are copies. It undoes the hard one
 * when it refuses the soft one. A mask that would not change is not named in flags, because even
 * writing the same one takes the vCPU off its pCPU. */
int xlp_xen_write_masks(struct xen_host *h, uint32_t domid, uint32_t vcpu,
                        const struct xen_masks *from, const struct xen_masks *to)
{
    uint32_t flags = 0;

    if (!xlp_cpumap_equal(&from->hard, &to->hard))
        flags |= XEN_VCPUAFFINITY_HARD;
    if (!xlp_cpumap_equal(&from->soft, &to->soft))
        flags |= XEN_VCPUAFFINITY_SOFT;
    if (!flags)
        return 0;
    bytes_of(h, &to->hard, h->hard_bytes);
    bytes_of(h, &to->soft, h->soft_bytes);
    return xc_vcpu_setaffinity(h->xc, domid, (int)vcpu, h->hard_bytes, h->soft_bytes, flags);
}
