/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * xenstore: what it holds of each domain, read when it changed.
 *
 * Three watches a domain tell of sizes and reports. The rest (name, devices, the balloon's feature
 * flag) changes rarely, and more watches would cost xenstored a comparison each at every write of
 * every guest; it is read again now and then. A host that is looked at once, by a command, sets no
 * watch and reads all.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "xen.h"

#define PATH_SIZE 128
/* Events taken at one go: a guest that writes without end must not keep us here. */
#define EVENTS_MAX    4096
#define AGENT_BEAT_NS (4500 * XEN_NS_PER_MS)

#define TOKEN_INTRODUCE "introduce"
#define TOKEN_RELEASE   "release"

/* What each watch of a domain looks at, below /local/domain/DOMID/. */
static const char *const watch_keys[XEN_WATCHES] = {
    [XEN_WATCH_MEMORY] = "memory", /* with Qubes' memory/meminfo */
    [XEN_WATCH_AGENT] = XLP_REPORT_AGENT_KEY,
    [XEN_WATCH_XENSERVER] = XLP_REPORT_XENSERVER_FREE_KEY,
};

static void watch_domain(struct xen_host *h, struct xen_domain *d);
static int read_slow(struct xen_host *h, struct xen_domain *d);
static int read_sizes(struct xen_host *h, struct xen_domain *d);
static int read_report(struct xen_host *h, struct xen_domain *d);

/* ---- the connection ---- */

/* libxenstore closes a connection that failed once, and never opens it again. */
static bool is_there(struct xen_host *h)
{
    char *root = xs_read(h->xs, XBT_NULL, "/", NULL);
    bool there = root;

    free(root);
    return there;
}

/* The old handles stay until there are new ones: calls on them fail, and no worse. Only a socket
 * can be lost; the kernel's device takes requests for a xenstored that is not there, and waits. */
int xlp_xen_store_reconnect(struct xen_host *h)
{
    struct xs_handle *xs = xs_open(XS_OPEN_SOCKETONLY);
    libxl_ctx *libxl = h->libxl;

    if (!xs)
        return xlp_xen_fail(h, "connecting to xenstore again");
    if (xlp_xen_libxl_open(h) < 0) {
        h->libxl = libxl;
        xs_close(xs);
        return -1;
    }
    libxl_ctx_free(libxl);
    xs_close(h->xs);
    h->xs = xs;

    h->watching = h->introduce_told = h->release_told = false;
    for (size_t i = 0; i < h->domain_count; i++) {
        struct xen_domain *d = h->domains[i];

        d->watched = false;
        d->own_writes = 0;
        memset(d->told_once, 0, sizeof(d->told_once));
    }
    if (!h->read_only && xlp_xen_ledger_restore(h) < 0)
        return -1;
    h->store_lost = false;
    return 0;
}

/* ---- reading a key ---- */

int xlp_xen_store_read(struct xen_host *h, const char *path, char **text_out,
                       unsigned int *length_out)
{
    unsigned int length = 0;
    char *text = xs_read(h->xs, XBT_NULL, path, &length);

    if (!text) {
        /* EACCES cannot be, for dom0. */
        if (errno == ENOENT || errno == EACCES || errno == EINVAL)
            return 1;
        xlp_xen_fail(h, "reading xenstore");
        h->store_lost = !is_there(h);
        return -1;
    }
    *text_out = text;
    if (length_out)
        *length_out = length;
    return 0;
}

/* What a guest may have written counts only if it is a plain number of a sane size. */
static int64_t number_of(const char *text, int64_t absent)
{
    int64_t value = 0;

    if (!text || !*text)
        return absent;
    for (; *text; text++) {
        if (!isdigit((unsigned char)*text) || value > XEN_SIZE_MAX_KIB)
            return absent;
        value = value * 10 + (*text - '0');
    }
    return value > XEN_SIZE_MAX_KIB ? absent : value;
}

int xlp_xen_store_number(struct xen_host *h, const char *path, int64_t absent, int64_t *out)
{
    char *text = NULL;

    if (xlp_xen_store_read(h, path, &text, NULL) < 0)
        return -1;
    *out = number_of(text, absent);
    free(text);
    return 0;
}

static const char *domain_path(const struct xen_domain *d, const char *key, char path[PATH_SIZE])
{
    snprintf(path, PATH_SIZE, "/local/domain/%u/%s", d->domid, key);
    return path;
}

static int domain_number(struct xen_host *h, const struct xen_domain *d, const char *key,
                         int64_t absent, int64_t *out)
{
    char path[PATH_SIZE];

    return xlp_xen_store_number(h, domain_path(d, key, path), absent, out);
}

/* ---- refreshing a domain ---- */

int xlp_xen_store_refresh(struct xen_host *h, struct xen_domain *d)
{
    /* First the watch, then the read: a change in between is then told of. */
    if (h->watching && !d->watched)
        watch_domain(h, d);
    if (d->stale & XEN_STALE_SLOW && read_slow(h, d) < 0)
        return -1;
    if (d->stale & XEN_STALE_MEMORY && read_sizes(h, d) < 0)
        return -1;
    if (d->stale & XEN_STALE_REPORT && read_report(h, d) < 0)
        return -1;
    return 0;
}

int xlp_xen_store_refresh_sizes(struct xen_host *h, struct xen_domain *d)
{
    return read_sizes(h, d) < 0 || xlp_xen_read_devices(h, d) < 0 ? -1 : 0;
}

/* Video RAM first: the others are shown without it. memory/target already is. -1 is how libxl
 * writes "none", and is no number to us. */
static int read_sizes(struct xen_host *h, struct xen_domain *d)
{
    if (domain_number(h, d, "memory/videoram", 0, &d->video_kib) < 0 ||
        domain_number(h, d, "memory/target", -1, &d->target_kib) < 0 ||
        domain_number(h, d, "memory/static-max", -1, &d->static_max_kib) < 0 ||
        domain_number(h, d, "memory/dynamic-min", 0, &d->dynamic_min_kib) < 0 ||
        domain_number(h, d, "memory/dynamic-max", 0, &d->dynamic_max_kib) < 0)
        return -1;
    if (d->static_max_kib >= d->video_kib)
        d->static_max_kib -= d->video_kib;
    return 0;
}

static int read_name(struct xen_host *h, struct xen_domain *d)
{
    char path[PATH_SIZE], *name = NULL;

    if (xlp_xen_store_read(h, domain_path(d, "name", path), &name, NULL) < 0)
        return -1;
    if (name)
        xlp_name_copy(d->name, name);
    else
        snprintf(d->name, sizeof(d->name), "domain-%u", d->domid);
    free(name);
    return 0;
}

/* libxl tells PVH from HVM; Xen itself knows only domains with hardware assistance and without. */
static int read_type(struct xen_host *h, struct xen_domain *d)
{
    bool hardware = d->info.flags & XEN_DOMINF_hvm_guest;
    char path[PATH_SIZE], *type = NULL;

    snprintf(path, sizeof(path), "/libxl/%u/type", d->domid);
    if (xlp_xen_store_read(h, path, &type, NULL) < 0)
        return -1;
    if (!hardware)
        d->type = XLP_GUEST_PV;
    else if (type && strcmp(type, "hvm") == 0)
        d->type = XLP_GUEST_HVM;
    else if (d->domid == 0 || (type && strcmp(type, "pvh") == 0))
        d->type = XLP_GUEST_PVH;
    else
        d->type = XLP_GUEST_UNKNOWN;
    free(type);
    return 0;
}

/* Few drivers write this key (Windows' do, Linux' does not), so its absence says nothing: only a
 * guest that denies having a balloon is taken to have none. One that reports its memory runs Linux
 * or PV drivers; one that does not is not managed anyhow. */
static int read_balloon(struct xen_host *h, struct xen_domain *d)
{
    char path[PATH_SIZE], *untrusted = NULL;

    if (xlp_xen_store_read(h, domain_path(d, "control/feature-balloon", path), &untrusted, NULL) <
        0)
        return -1;
    d->balloon = !untrusted || strcmp(untrusted, "0") != 0;
    free(untrusted);
    return 0;
}

static int read_slow(struct xen_host *h, struct xen_domain *d)
{
    if (read_name(h, d) < 0 || read_type(h, d) < 0 || read_balloon(h, d) < 0 ||
        xlp_xen_read_devices(h, d) < 0)
        return -1;
    /* dom0 has every device that nobody else has: the question makes no sense for it. */
    if (d->domid == 0)
        d->iommu = XEN_IOMMU_NO;
    else if (d->iommu == XEN_IOMMU_UNKNOWN && d->info.cpu_time)
        d->iommu = xlp_xen_libxl_iommu(h, d);
    return 0;
}

/* ---- reports ---- */

static bool same(const char *a, unsigned int a_length, const char *b, unsigned int b_length)
{
    return !a == !b && a_length == b_length && (!a || memcmp(a, b, a_length) == 0);
}

/* Takes ownership of both texts. */
static void take_report(struct xen_host *h, struct xen_domain *d, const struct xen_report *now)
{
    struct xen_report *r = &d->report;
    bool first = r->source == XLP_REPORT_NONE && !r->changed_ns;

    if (r->source == now->source &&
        same(r->untrusted_text, r->length, now->untrusted_text, now->length) &&
        same(r->untrusted_total, r->total_length, now->untrusted_total, now->total_length)) {
        free(now->untrusted_text);
        free(now->untrusted_total);
        r->changed_ns = r->changed_ns ? r->changed_ns : h->now_ns;
        return;
    }
    free(r->untrusted_text);
    free(r->untrusted_total);
    *r = *now;
    r->changed_ns = h->now_ns;
    r->found = first && !h->read_only;
}

/* The agent's, or where there is none Qubes', or XenServer's. */
static int read_report(struct xen_host *h, struct xen_domain *d)
{
    static const struct {
        enum xlp_report_source source;
        const char *key, *total_key;
    } kinds[] = {
        {XLP_REPORT_AGENT, XLP_REPORT_AGENT_KEY, NULL},
        {XLP_REPORT_QUBES, XLP_REPORT_QUBES_KEY, NULL},
        {XLP_REPORT_XENSERVER, XLP_REPORT_XENSERVER_FREE_KEY, XLP_REPORT_XENSERVER_TOTAL_KEY},
    };
    struct xen_report now = {0};
    char path[PATH_SIZE];
    int rc = 1;

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && rc == 1; i++) {
        rc = xlp_xen_store_read(h, domain_path(d, kinds[i].key, path), &now.untrusted_text,
                                &now.length);
        if (rc == 0)
            now.source = kinds[i].source;
        if (rc == 0 && kinds[i].total_key)
            rc = xlp_xen_store_read(h, domain_path(d, kinds[i].total_key, path),
                                    &now.untrusted_total, &now.total_length);
    }
    if (rc < 0) {
        free(now.untrusted_text);
        return -1;
    }
    take_report(h, d, &now);
    return 0;
}

/* ---- age ---- */

/*
 * How old a domain is at least when we first see it. Two witnesses: its vCPUs cannot have run
 * longer than it exists; and libxl notes the wall clock of its creation. The latter errs when that
 * clock was set since, but a domain is never taken to be older than dom0's kernel.
 */
uint64_t xlp_xen_store_age_ns(struct xen_host *h, const struct xen_domain *d)
{
    char uuid[XLP_UUID_TEXT_SIZE], path[PATH_SIZE], *text = NULL;
    uint64_t vcpus = (uint64_t)d->info.max_vcpu_id + 1, ran = 0, by_clock = 0;
    struct timespec wall, up;

    if (d->info.max_vcpu_id != XEN_INVALID_MAX_VCPU_ID)
        ran = (d->info.cpu_time & (UINT64_MAX >> 1)) / vcpus;
    clock_gettime(CLOCK_REALTIME, &wall);
    clock_gettime(CLOCK_BOOTTIME, &up);
    if (d->domid == 0)
        return (uint64_t)up.tv_sec * XEN_NS_PER_S;

    snprintf(path, sizeof(path), "/vm/%s/start_time", xlp_uuid_format(d->uuid, uuid));
    if (xlp_xen_store_read(h, path, &text, NULL) == 0) {
        long long started = strtoll(text, NULL, 10);

        if (started > 0 && wall.tv_sec > started && wall.tv_sec - started <= up.tv_sec)
            by_clock = (uint64_t)(wall.tv_sec - started) * XEN_NS_PER_S;
    }
    free(text);
    return by_clock > ran ? by_clock : ran;
}

/* ---- watches ---- */

static const char *token_of(const struct xen_domain *d, enum xen_watch watch, char token[32])
{
    snprintf(token, 32, "%d/%" PRIu32, (int)watch, d->domid);
    return token;
}

/* One that was set before, when another failed, is as good. */
static bool set_watch(struct xen_host *h, const char *path, const char *token)
{
    return xs_watch(h->xs, path, token) || errno == EEXIST;
}

void xlp_xen_store_watch(struct xen_host *h)
{
    if (h->watching)
        return;
    h->watching = set_watch(h, "@introduceDomain", TOKEN_INTRODUCE) &&
                  set_watch(h, "@releaseDomain", TOKEN_RELEASE);
    for (size_t i = 0; i < h->domain_count && h->watching; i++) {
        watch_domain(h, h->domains[i]);
        h->domains[i]->stale |= XEN_STALE_MEMORY | XEN_STALE_REPORT;
    }
}

static void watch_domain(struct xen_host *h, struct xen_domain *d)
{
    char path[PATH_SIZE], token[32];

    for (int i = 0; i < XEN_WATCHES; i++)
        if (!set_watch(h, domain_path(d, watch_keys[i], path), token_of(d, i, token)))
            return;
    d->watched = true;
}

/* Failing is of no consequence: a watch on a domain that went never fires. */
void xlp_xen_store_unwatch(struct xen_host *h, struct xen_domain *d)
{
    char path[PATH_SIZE], token[32];

    if (!d->watched)
        return;
    for (int i = 0; i < XEN_WATCHES; i++)
        xs_unwatch(h->xs, domain_path(d, watch_keys[i], path), token_of(d, i, token));
    d->watched = false;
}

/* A watch fires once for being set, before anything else: that tells nothing new. */
static bool told_before(bool *told_once)
{
    bool before = *told_once;

    *told_once = true;
    return before;
}

/* The agent reports every 5 s even if there is nothing new, which is no reason to wake: with many
 * guests there would be no end of it. What it reports sooner than that, it finds worth telling. */
static bool is_news(struct xen_domain *d, enum xen_watch watch)
{
    uint64_t now_ns = xlp_xen_now_ns(), since_ns = now_ns - d->agent_event_ns;

    if (watch == XEN_WATCH_AGENT) {
        d->agent_event_ns = now_ns;
        return since_ns < AGENT_BEAT_NS;
    }
    if (watch == XEN_WATCH_MEMORY && d->own_writes > 0) {
        d->own_writes--; /* the echo of our own target */
        return false;
    }
    return true;
}

static void take_event(struct xen_host *h, const char *token)
{
    struct xen_domain *d;
    int watch;
    uint32_t domid;

    if (strcmp(token, TOKEN_INTRODUCE) == 0) {
        h->event |= told_before(&h->introduce_told);
        return;
    }
    if (strcmp(token, TOKEN_RELEASE) == 0) {
        h->event |= told_before(&h->release_told);
        return;
    }
    if (sscanf(token, "%d/%" SCNu32, &watch, &domid) != 2 || watch < 0 || watch >= XEN_WATCHES)
        return;
    d = xlp_xen_domain(h, domid);
    if (!d || !told_before(&d->told_once[watch]))
        return;
    /* Qubes' report is among the sizes. */
    d->stale |= XEN_STALE_REPORT | (watch == XEN_WATCH_MEMORY ? XEN_STALE_MEMORY : 0);
    h->event |= is_news(d, watch);
}

void xlp_xen_store_take_events(struct xen_host *h)
{
    for (int i = 0; i < EVENTS_MAX; i++) {
        char **event = xs_check_watch(h->xs);

        if (!event)
            return;
        take_event(h, event[XS_WATCH_TOKEN]);
        free(event);
    }
}
