/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Reservations outlive this process beside the ledger, readable and writable by dom0 alone:
 *
 *   /tool/xlpolicyd/reservations/ID    MIN MAX GRANTED END FORMER DOMID UUID NAME, sizes in KiB,
 * END in seconds of the monotonic clock, which starts with xenstore; FORMER is the domain that had
 * the name already; DOMID and UUID are "-" until a domain has taken it, NAME may be empty
 *   /tool/xlpolicyd/next-reservation   the id that the next one gets
 *
 * Each write of an entry is atomic, and says all there is to say: killed before or after, the next
 * start finds a reservation as it was or as it is to be.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xen.h"

#define DIRECTORY  "/tool/xlpolicyd/reservations"
#define NEXT       "/tool/xlpolicyd/next-reservation"
#define PATH_SIZE  64
#define ENTRY_SIZE 256

static int load(struct xen_host *h);
static int write_entry(struct xen_host *h, const struct xen_reservation *r);
static int write_next(struct xen_host *h, uint32_t next);

static int64_t now_s(void)
{
    return (int64_t)(xlp_xen_now_ns() / XEN_NS_PER_S);
}

/* ---- showing ---- */

int xlp_xen_show_reservations(struct xen_host *h, struct xlp_snapshot *s)
{
    int64_t now = now_s();

    /* Only when another process may write them, or at first. */
    if ((h->read_only || !h->reservations_loaded) && load(h) < 0)
        return -1;
    s->next_reservation = h->next_reservation;
    for (size_t i = 0; i < h->reservation_count; i++) {
        const struct xen_reservation *from = &h->reservations[i];
        struct xlp_reservation *r = xlp_snapshot_add_reservation(s);

        if (!r)
            return xlp_xen_out_of_memory(h);
        *r = from->what;
        r->ttl_left_ns = from->end_s > now ? (uint64_t)(from->end_s - now) * XEN_NS_PER_S : 0;
    }
    return 0;
}

/* ---- loading ---- */

/* Whether text is of the form above: nobody but us writes there, and a snapshot has to be valid. */
static bool parse(const char *text, uint32_t id, struct xen_reservation *r)
{
    char domid[16], uuid[XLP_UUID_TEXT_SIZE];
    int name_at = 0;

    memset(r, 0, sizeof(*r));
    r->what.id = id;
    if (sscanf(text, "%" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNu32 " %15s %36s %n",
               &r->what.min_kib, &r->what.max_kib, &r->what.granted_kib, &r->end_s,
               &r->what.former_domid, domid, uuid, &name_at) != 7)
        return false;
    if (name_at)
        xlp_name_copy(r->what.name, text + name_at);
    r->what.taken = strcmp(domid, "-") != 0;
    if (r->what.taken) {
        r->what.domid = (uint32_t)strtoul(domid, NULL, 10);
        if (xlp_uuid_parse(uuid, r->what.uuid) < 0)
            return false;
    }
    return id > 0 && r->what.min_kib > 0 && r->what.min_kib <= r->what.max_kib &&
           r->what.max_kib <= XEN_SIZE_MAX_KIB && r->what.granted_kib >= 0 &&
           r->what.granted_kib <= r->what.max_kib;
}

static int load_one(struct xen_host *h, const char *name)
{
    uint32_t id = (uint32_t)strtoul(name, NULL, 10);
    char path[PATH_SIZE], *text = NULL;
    struct xen_reservation r;
    int rc;

    snprintf(path, sizeof(path), DIRECTORY "/%" PRIu32, id);
    rc = xlp_xen_store_read(h, path, &text, NULL);
    if (rc == 0 && h->reservation_count < XLP_RESERVATIONS_MAX && parse(text, id, &r))
        h->reservations[h->reservation_count++] = r;
    free(text);
    return rc < 0 ? -1 : 0;
}

static int by_id(const void *a, const void *b)
{
    const struct xen_reservation *left = a, *right = b;

    return (left->what.id > right->what.id) - (left->what.id < right->what.id);
}

static int load(struct xen_host *h)
{
    unsigned int count = 0;
    int64_t next = 0;
    char **names;
    int rc = 0;

    if (xlp_xen_store_number(h, NEXT, 0, &next) < 0)
        return -1;
    h->next_reservation = next < XLP_UNKNOWN ? (uint32_t)next : 0;
    h->reservation_count = 0;
    names = xs_directory(h->xs, XBT_NULL, DIRECTORY, &count);
    if (!names && errno != ENOENT && errno != EACCES)
        return xlp_xen_fail(h, "listing " DIRECTORY " in xenstore");
    for (unsigned int i = 0; i < count && rc == 0; i++)
        rc = load_one(h, names[i]);
    free(names);
    qsort(h->reservations, h->reservation_count, sizeof(*h->reservations), by_id);
    h->reservations_loaded = rc == 0;
    return rc;
}

int xlp_xen_reservations_restore(struct xen_host *h)
{
    int rc = h->next_reservation > 0 ? write_next(h, h->next_reservation) : 0;

    for (size_t i = 0; i < h->reservation_count; i++)
        rc |= write_entry(h, &h->reservations[i]);
    return rc;
}

/* ---- writing ---- */

static const char *path_of(const struct xen_reservation *r, char path[PATH_SIZE])
{
    snprintf(path, PATH_SIZE, DIRECTORY "/%" PRIu32, r->what.id);
    return path;
}

static int write_text(struct xen_host *h, const char *path, const char *text)
{
    return xs_write(h->xs, XBT_NULL, path, text, (unsigned int)strlen(text)) ? 0 : -1;
}

static int write_next(struct xen_host *h, uint32_t next)
{
    char text[16];

    snprintf(text, sizeof(text), "%" PRIu32, next);
    return write_text(h, NEXT, text);
}

static int write_entry(struct xen_host *h, const struct xen_reservation *r)
{
    char path[PATH_SIZE], text[ENTRY_SIZE], domid[16] = "-", uuid[XLP_UUID_TEXT_SIZE] = "-";

    if (r->what.taken) {
        snprintf(domid, sizeof(domid), "%" PRIu32, r->what.domid);
        xlp_uuid_format(r->what.uuid, uuid);
    }
    snprintf(text, sizeof(text),
             "%" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRIu32 " %s %s %s",
             r->what.min_kib, r->what.max_kib, r->what.granted_kib, r->end_s, r->what.former_domid,
             domid, uuid, r->what.name);
    return write_text(h, path_of(r, path), text);
}

static struct xen_reservation *find(struct xen_host *h, uint32_t id)
{
    for (size_t i = 0; i < h->reservation_count; i++)
        if (h->reservations[i].what.id == id)
            return &h->reservations[i];
    return NULL;
}

/* The counter first: an id is lost rather than given twice. */
static int make(struct xen_host *h, const struct xlp_reservation *wanted)
{
    struct xen_reservation r = {.what = *wanted,
                                .end_s = now_s() + (int64_t)(wanted->ttl_left_ns / XEN_NS_PER_S)};

    if (write_next(h, wanted->id + 1) < 0 || write_entry(h, &r) < 0)
        return -1;
    h->next_reservation = wanted->id + 1;
    h->reservations[h->reservation_count++] = r;
    return 0;
}

static int change(struct xen_host *h, struct xen_reservation *r,
                  const struct xlp_reservation *wanted)
{
    struct xen_reservation changed = {.what = *wanted, .end_s = r->end_s};

    if (write_entry(h, &changed) < 0)
        return -1;
    *r = changed;
    return 0;
}

static int forget(struct xen_host *h, struct xen_reservation *r)
{
    size_t after = (size_t)(&h->reservations[h->reservation_count] - (r + 1));
    char path[PATH_SIZE];

    if (!xs_rm(h->xs, XBT_NULL, path_of(r, path)) && errno != ENOENT)
        return -1;
    memmove(r, r + 1, after * sizeof(*r));
    h->reservation_count--;
    return 0;
}

void xlp_xen_apply_reservation(struct xen_host *h, const struct xlp_action *action,
                               struct xlp_outcome *outcome_out)
{
    const struct xlp_reservation *wanted = &action->reservation;
    struct xen_reservation *r;
    bool is_new = action->kind == XLP_RESERVE;
    int rc;

    if (!h->reservations_loaded && load(h) < 0) {
        xlp_xen_outcome(outcome_out, XLP_NOT_DONE_FAILED, "%s", h->base.error);
        return;
    }
    r = find(h, wanted->id);
    if (is_new ? r || h->reservation_count == XLP_RESERVATIONS_MAX : !r) {
        xlp_xen_outcome(outcome_out, XLP_NOT_DONE_GONE,
                        is_new ? "there is no room for it" : "it is there no longer");
        return;
    }
    if (is_new)
        rc = make(h, wanted);
    else if (action->kind == XLP_UNRESERVE)
        rc = forget(h, r);
    else
        rc = change(h, r, wanted);
    if (rc < 0)
        xlp_xen_outcome(outcome_out, XLP_NOT_DONE_FAILED, "writing it to xenstore: %s",
                        strerror(errno));
}
