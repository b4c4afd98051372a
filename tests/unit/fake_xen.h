/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A Xen that consists of tables, for tests of the Xen adapter's own parts: the calls of libxenctrl,
 * libxenstore and libxl that they make are answered from `fake`, and fail where a test says so.
 * What real Xen does is asked of real Xen (tests/lab); this is for what cannot be brought about
 * there: a call that fails in the middle.
 *
 * The host has pCPUs 0-3, never idle, in one pool, and domains of one vCPU.
 */
#ifndef XLPOLICY_TESTS_FAKE_XEN_H
#define XLPOLICY_TESTS_FAKE_XEN_H

#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/xen.h"

#define FAKE_PCPUS   4
#define FAKE_KEYS    2200
#define FAKE_WATCHES 256
#define FAKE_TEXT    160
#define FAKE_LEDGER  "/tool/xlpolicyd/domains/"
#define FAKE_MIB_KIB (INT64_C(1024))

struct fake_domain {
    xc_domaininfo_t info;
    uint8_t hard, soft;
    uint16_t weight;
    uint8_t nodes; /* of its memory */
    int error;     /* of every call about its vCPU */
};

struct fake_key {
    char path[FAKE_TEXT], text[FAKE_TEXT];
};

static struct {
    uint8_t pool;   /* its pCPUs */
    bool has_nodes; /* two pCPUs each */
    struct fake_domain domains[64];
    size_t domain_count;
    struct fake_key keys[FAKE_KEYS];
    size_t key_count;
    char watches[FAKE_WATCHES][2 * FAKE_TEXT];
    size_t watch_count;
    bool store_lost;       /* the connection: every call on it fails */
    bool store_down;       /* nor can there be another one */
    const char *fail_path; /* a call on a path that holds this text fails with fail_error */
    int fail_error;
    const char *fail_watch;               /* likewise a watch, for want of memory */
    unsigned int looks;                   /* at single vCPUs: their state, */
    unsigned int masks, weights;          /* their affinities, and at the weights of domains */
    int weight_error;                     /* why no weight can be read */
    int limits;                           /* that Xen still sets before it refuses; 0: any number */
    bool target_fails;                    /* libxl sets none */
    bool target_lost;                     /* nor does it notice */
    const char *config;                   /* libxl's, of every domain: words of it; NULL: none */
    int config_error;                     /* or why it cannot be read */
    uint64_t pod_set_aside, pod_demanded; /* pages of populate-on-demand, of every HVM guest */
    unsigned int events_left;             /* of the memory of domain 1, that are waiting */
    uint32_t nodes[2];                    /* of the devices 0000:01:00.0 and 0000:02:00.1 */
    bool no_topology;                     /* of PCI can be had */
} fake;

/* ---- the tables ---- */

static inline struct fake_domain *fake_domain(uint32_t domid)
{
    for (size_t i = 0; i < fake.domain_count; i++)
        if (fake.domains[i].info.domain == domid)
            return &fake.domains[i];
    return NULL;
}

/* Domids must rise. */
static inline struct fake_domain *fake_add(uint32_t domid, uint8_t uuid)
{
    struct fake_domain *d = &fake.domains[fake.domain_count++];

    *d = (struct fake_domain){.hard = 0xff, .soft = 0xff, .weight = 256};
    d->info.domain = (domid_t)domid;
    d->info.handle[15] = uuid;
    d->info.nr_online_vcpus = 1;
    d->info.cpu_time = XEN_NS_PER_S;
    return d;
}

static inline void fake_remove(uint32_t domid)
{
    struct fake_domain *d = fake_domain(domid);

    fake.domain_count--;
    memmove(d, d + 1, (size_t)(&fake.domains[fake.domain_count] - d) * sizeof(*d));
}

static inline struct fake_key *fake_key(const char *path)
{
    for (size_t i = 0; i < fake.key_count; i++)
        if (strcmp(fake.keys[i].path, path) == 0)
            return &fake.keys[i];
    return NULL;
}

static inline void fake_put(const char *path, const char *text)
{
    struct fake_key *key = fake_key(path);

    if (!key) {
        ck_assert_uint_lt(fake.key_count, FAKE_KEYS);
        key = &fake.keys[fake.key_count++];
        snprintf(key->path, sizeof(key->path), "%s", path);
    }
    snprintf(key->text, sizeof(key->text), "%s", text);
}

/* The text of a key, or "" where there is none. */
static inline const char *fake_text(const char *path)
{
    const struct fake_key *key = fake_key(path);

    return key ? key->text : "";
}

static inline bool fake_fails(const char *path)
{
    if (fake.store_lost) {
        errno = EBADF;
        return true;
    }
    if (!fake.fail_path || !strstr(path, fake.fail_path))
        return false;
    errno = fake.fail_error;
    return true;
}

/* ---- libxenctrl: the machine ---- */

int xc_get_max_cpus(xc_interface *xch)
{
    (void)xch;
    return FAKE_PCPUS;
}

int xc_physinfo(xc_interface *xch, xc_physinfo_t *info)
{
    (void)xch;
    memset(info, 0, sizeof(*info));
    return 0;
}

xc_cpupoolinfo_t *xc_cpupool_getinfo(xc_interface *xch, uint32_t id)
{
    xc_cpupoolinfo_t *pool;

    (void)xch;
    if (id > 0) {
        errno = ENOENT;
        return NULL;
    }
    pool = calloc(1, sizeof(*pool));
    pool->sched_id = XEN_SCHEDULER_CREDIT2;
    pool->cpumap = &fake.pool;
    return pool;
}

void xc_cpupool_infofree(xc_interface *xch, xc_cpupoolinfo_t *info)
{
    (void)xch;
    free(info);
}

xc_cpumap_t xc_cpupool_freeinfo(xc_interface *xch)
{
    (void)xch;
    return calloc(1, 1);
}

int xc_cputopoinfo(xc_interface *xch, unsigned int *count, xc_cputopo_t *topology)
{
    (void)xch;
    memset(topology, 0, *count * sizeof(*topology));
    for (unsigned int i = 0; fake.has_nodes && i < *count; i++)
        topology[i].node = i / 2;
    return 0;
}

int xc_get_nodemap_size(xc_interface *xch)
{
    (void)xch;
    return 1;
}

int xc_domain_node_getaffinity(xc_interface *xch, uint32_t domid, xc_nodemap_t nodes)
{
    const struct fake_domain *d = fake_domain(domid);

    (void)xch;
    if (!d) {
        errno = ESRCH;
        return -1;
    }
    nodes[0] = d->nodes;
    return 0;
}

int xc_getcpuinfo(xc_interface *xch, int max, xc_cpuinfo_t *info, int *count)
{
    (void)xch;
    memset(info, 0, (size_t)max * sizeof(*info));
    *count = max;
    return 0;
}

/* ---- libxenctrl: domains ---- */

int xc_domain_getinfolist(xc_interface *xch, uint32_t first, unsigned int max,
                          xc_domaininfo_t *info)
{
    unsigned int count = 0;

    (void)xch;
    for (size_t i = 0; i < fake.domain_count && count < max; i++)
        if (fake.domains[i].info.domain >= first)
            info[count++] = fake.domains[i].info;
    return (int)count;
}

/* The domain, or NULL with errno. */
static inline struct fake_domain *fake_vcpu(uint32_t domid, int vcpu)
{
    struct fake_domain *d = fake_domain(domid);

    errno = d && (unsigned int)vcpu <= d->info.max_vcpu_id ? d->error : ESRCH;
    return errno ? NULL : d;
}

int xc_vcpu_getaffinity(xc_interface *xch, uint32_t domid, int vcpu, xc_cpumap_t hard,
                        xc_cpumap_t soft, uint32_t flags)
{
    const struct fake_domain *d = fake_vcpu(domid, vcpu);

    (void)xch;
    (void)flags;
    fake.masks++;
    if (!d)
        return -1;
    *hard = d->hard;
    *soft = d->soft;
    return 0;
}

int xc_vcpu_setaffinity(xc_interface *xch, uint32_t domid, int vcpu, xc_cpumap_t hard,
                        xc_cpumap_t soft, uint32_t flags)
{
    struct fake_domain *d = fake_vcpu(domid, vcpu);

    (void)xch;
    if (!d)
        return -1;
    d->hard = flags & XEN_VCPUAFFINITY_HARD ? *hard : d->hard;
    d->soft = flags & XEN_VCPUAFFINITY_SOFT ? *soft : d->soft;
    return 0;
}

int xc_vcpu_getinfo(xc_interface *xch, uint32_t domid, uint32_t vcpu, xc_vcpuinfo_t *info)
{
    const struct fake_domain *d = fake_vcpu(domid, (int)vcpu);

    (void)xch;
    fake.looks++;
    if (!d)
        return -1;
    memset(info, 0, sizeof(*info));
    info->online = 1;
    return 0;
}

int xc_sched_credit2_domain_get(xc_interface *xch, uint32_t domid,
                                struct xen_domctl_sched_credit2 *sdom)
{
    (void)xch;
    fake.weights++;
    if (fake.weight_error) {
        errno = fake.weight_error;
        return -1;
    }
    sdom->weight = fake_domain(domid)->weight;
    return 0;
}

int xc_domain_setmaxmem(xc_interface *xch, uint32_t domid, uint64_t max_memkb)
{
    (void)xch;
    if (fake.limits && --fake.limits == 0) {
        fake.limits = 1;
        errno = EINVAL;
        return -1;
    }
    fake_domain(domid)->info.max_pages = max_memkb / XEN_PAGE_KIB;
    return 0;
}

int xc_domain_get_pod_target(xc_interface *xch, uint32_t domid, uint64_t *tot_pages,
                             uint64_t *pod_cache_pages, uint64_t *pod_entries)
{
    (void)xch;
    (void)domid;
    *tot_pages = 0;
    *pod_cache_pages = fake.pod_set_aside;
    *pod_entries = fake.pod_demanded;
    return 0;
}

/* ---- libxenstore ---- */

struct xs_handle *xs_open(unsigned long flags)
{
    (void)flags;
    if (fake.store_down) {
        errno = ENOENT;
        return NULL;
    }
    fake.store_lost = false;
    return (struct xs_handle *)&fake;
}

void xs_close(struct xs_handle *h)
{
    (void)h;
}

bool xs_mkdir(struct xs_handle *h, xs_transaction_t t, const char *path)
{
    (void)h;
    (void)t;
    return !fake_fails(path);
}

bool xs_set_permissions(struct xs_handle *h, xs_transaction_t t, const char *path,
                        struct xs_permissions *permissions, unsigned int count)
{
    (void)h;
    (void)t;
    (void)permissions;
    (void)count;
    return !fake_fails(path);
}

void *xs_read(struct xs_handle *h, xs_transaction_t t, const char *path, unsigned int *length)
{
    const struct fake_key *key = fake_key(path);

    (void)h;
    (void)t;
    if (fake_fails(path))
        return NULL;
    if (!key && strcmp(path, "/") == 0)
        return strdup("");
    if (!key) {
        errno = ENOENT;
        return NULL;
    }
    if (length)
        *length = (unsigned int)strlen(key->text);
    return strdup(key->text);
}

bool xs_write(struct xs_handle *h, xs_transaction_t t, const char *path, const void *data,
              unsigned int length)
{
    char text[FAKE_TEXT];

    (void)h;
    (void)t;
    if (fake_fails(path))
        return false;
    snprintf(text, sizeof(text), "%.*s", (int)length, (const char *)data);
    fake_put(path, text);
    return true;
}

static inline bool fake_is_below(const char *path, const char *parent)
{
    size_t length = strlen(parent);

    return strncmp(path, parent, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* As xenstored: with everything below, and ENOENT only if the parent is missing too. */
bool xs_rm(struct xs_handle *h, xs_transaction_t t, const char *path)
{
    size_t kept = 0;

    (void)h;
    (void)t;
    if (fake_fails(path))
        return false;
    for (size_t i = 0; i < fake.key_count; i++)
        if (!fake_is_below(fake.keys[i].path, path))
            fake.keys[kept++] = fake.keys[i];
    fake.key_count = kept;
    return true;
}

char **xs_directory(struct xs_handle *h, xs_transaction_t t, const char *path, unsigned int *count)
{
    char **names, *text;
    size_t length = strlen(path);

    (void)h;
    (void)t;
    *count = 0;
    if (fake_fails(path))
        return NULL;
    names = calloc(FAKE_KEYS, sizeof(*names) + FAKE_TEXT); /* one block, as the caller frees one */
    text = (char *)(names + FAKE_KEYS);
    for (size_t i = 0; i < fake.key_count; i++) {
        const char *key = fake.keys[i].path;
        bool known = false;

        if (!fake_is_below(key, path) || !key[length])
            continue;
        snprintf(text, FAKE_TEXT, "%.*s", (int)strcspn(key + length + 1, "/"), key + length + 1);
        for (unsigned int k = 0; k < *count; k++)
            known = known || strcmp(names[k], text) == 0;
        if (known)
            continue;
        names[(*count)++] = text;
        text += FAKE_TEXT;
    }
    return names;
}

bool xs_watch(struct xs_handle *h, const char *path, const char *token)
{
    char watch[2 * FAKE_TEXT];

    (void)h;
    if (fake_fails(path))
        return false;
    if (fake.fail_watch && strstr(path, fake.fail_watch)) {
        errno = ENOMEM;
        return false;
    }
    snprintf(watch, sizeof(watch), "%s %s", path, token);
    for (size_t i = 0; i < fake.watch_count; i++) {
        if (strcmp(fake.watches[i], watch) == 0) {
            errno = EEXIST;
            return false;
        }
    }
    ck_assert_uint_lt(fake.watch_count, FAKE_WATCHES);
    memcpy(fake.watches[fake.watch_count++], watch, sizeof(watch));
    return true;
}

bool xs_unwatch(struct xs_handle *h, const char *path, const char *token)
{
    (void)h;
    (void)path;
    (void)token;
    return true;
}

int xs_fileno(struct xs_handle *h)
{
    (void)h;
    return -1; /* which poll(2) passes over */
}

char **xs_check_watch(struct xs_handle *h)
{
    char **event;

    (void)h;
    if (fake.events_left == 0)
        return NULL;
    fake.events_left--;
    event = calloc(1, 2 * sizeof(*event) + 32);
    event[XS_WATCH_PATH] = event[XS_WATCH_TOKEN] = (char *)(event + 2);
    snprintf(event[XS_WATCH_TOKEN], 32, "%d/1", XEN_WATCH_MEMORY);
    return event;
}

/* ---- libxl ---- */

int libxl_ctx_alloc(libxl_ctx **ctx, int version, unsigned int flags, xentoollog_logger *logger)
{
    (void)version;
    (void)flags;
    (void)logger;
    *ctx = NULL;
    return 0;
}

int libxl_ctx_free(libxl_ctx *ctx)
{
    (void)ctx;
    return 0;
}

int libxl_get_memory_target(libxl_ctx *ctx, uint32_t domid, uint64_t *target_kib_out)
{
    (void)ctx;
    *target_kib_out = fake_domain(domid)->info.tot_pages * XEN_PAGE_KIB;
    if (domid == 0) {
        char text[24];

        snprintf(text, sizeof(text), "%" PRIu64, *target_kib_out);
        fake_put("/local/domain/0/memory/target", text);
        fake_put("/local/domain/0/memory/static-max", text);
    }
    return 0;
}

int libxl_set_memory_target(libxl_ctx *ctx, uint32_t domid, int64_t target_kib, int relative,
                            int enforce)
{
    char path[FAKE_TEXT], text[32];

    (void)ctx;
    (void)relative;
    (void)enforce;
    snprintf(path, sizeof(path), "/local/domain/%u/memory/target", domid);
    snprintf(text, sizeof(text), "%lld", (long long)target_kib);
    if (!fake.target_fails && !fake.target_lost)
        fake_put(path, text);
    return fake.target_fails ? ERROR_FAIL : 0;
}

int libxl_userdata_retrieve(libxl_ctx *ctx, uint32_t domid, const char *userid, uint8_t **data,
                            int *length)
{
    (void)ctx;
    (void)domid;
    (void)userid;
    if (fake.config_error)
        return fake.config_error;
    *data = fake.config ? (uint8_t *)strdup(fake.config) : NULL;
    *length = fake.config ? (int)strlen(fake.config) : 0;
    return 0;
}

int libxl_domain_config_from_json(libxl_ctx *ctx, libxl_domain_config *config, const char *text)
{
    (void)ctx;
    if (strstr(text, "passthrough"))
        config->c_info.passthrough = LIBXL_PASSTHROUGH_ENABLED;
    if (strstr(text, "device")) {
        config->pcidevs = calloc(1, sizeof(*config->pcidevs));
        config->num_pcidevs = 1;
    }
    return strstr(text, "rubbish") ? ERROR_FAIL : 0;
}

libxl_pcitopology *libxl_get_pci_topology(libxl_ctx *ctx, int *num_devs)
{
    libxl_pcitopology *topology = fake.no_topology ? NULL : calloc(2, sizeof(*topology));

    (void)ctx;
    if (!topology)
        return NULL;
    topology[0] = (libxl_pcitopology){.bus = 1, .devfn = 0, .node = fake.nodes[0]};
    topology[1] = (libxl_pcitopology){.bus = 2, .devfn = 1, .node = fake.nodes[1]};
    *num_devs = 2;
    return topology;
}

void libxl_pcitopology_list_free(libxl_pcitopology *topology, int num_devs)
{
    (void)num_devs;
    free(topology);
}

/* ---- the adapter on top ---- */

/* Opened by hand, past the question whether this is a dom0. */
static inline struct xen_host *fake_open(void)
{
    struct xen_host *h = calloc(1, sizeof(*h));

    memset(&fake, 0, sizeof(fake));
    fake.pool = 0xf;
    h->lock_fd = -1;
    h->xs = xs_open(0);
    ck_assert_int_eq(xlp_xen_machine_open(h), 0);
    xlp_xen_store_watch(h); /* as in the daemon: what is not stale is not read again */
    return h;
}

static inline void fake_close(struct xen_host *h)
{
    xlp_xen_domains_close(h);
    xlp_xen_machine_close(h);
    free(h->poll_fds);
    free(h->single);
    free(h->multiple);
    free(h->gone);
    free(h);
}

#endif
