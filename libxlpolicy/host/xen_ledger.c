/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The ledger: what we found on the host before we changed it, and what we wrote last. It outlives
 * this process in xenstore, readable and writable by dom0 alone:
 *
 *   /tool/xlpolicyd/domains/UUID/domid      the domain the rest is about
 *   /tool/xlpolicyd/domains/UUID/vcpu/N     ORIGINAL_HARD ORIGINAL_SOFT OUR_HARD OUR_SOFT
 *                                           [NEXT_HARD NEXT_SOFT], in xl's notation
 *   /tool/xlpolicyd/domains/UUID/weight     ORIGINAL OUR [NEXT]
 *   /tool/xlpolicyd/domains/UUID/memory     ORIGINAL_TARGET ORIGINAL_LIMIT OUR_TARGET
 *                                           [NEXT_TARGET], in KiB; and the word "releasing"
 *                                           while it is on its way back
 *   /tool/xlpolicyd/domains/UUID/by-hand    TARGET SINCE, set by somebody else, as GONE below
 *   /tool/xlpolicyd/domains/UUID/released   "1": the operator wants it left alone
 *   /tool/xlpolicyd/domains/UUID/gone       when it was last there, in seconds of the monotonic
 *                                           clock, which starts with xenstore
 *
 * Nothing is lost when we are killed at any point. A change is made in three steps: (1) the entry
 * is written, with what will be set as NEXT; (2) it is set; (3) the entry is written without NEXT
 * and with what was set as OUR. Each write of an entry is atomic. Killed before (1), nothing has
 * happened. Killed after (1), the entry holds the original, and whether (2) happened shows on the
 * host itself: if what is there equals NEXT it did, and NEXT is ours; else OUR still says what we
 * wrote before. settle() decides that once, at the first look after a start. For the first change
 * of all, OUR in step (1) is the original: it then reads as adopted and not yet moved, which is
 * what it is. Should step (3) fail (xenstore full), the entry of (1) says the same.
 *
 * What Xen itself makes of a mask that we wrote is ours too: see widened_by_xen().
 *
 * A domain keeps its UUID across a reboot and gets a new id and fresh masks: their entries then no
 * longer count, and go with the first that is written. Its target and its weight it keeps (xl
 * reboots a guest with what it has), and so their entries stay, if the new domain has what we
 * wrote. The same holds for one that was saved, or sent to another host and comes back, which may
 * be much later: of a domain that is not there these entries and the mark of a release are kept for
 * 30 days. (The other host's daemon knows nothing of them: to it, what the guest came with is the
 * original.)
 *
 * Two domains may have one UUID for a while: one still dying when its successor runs, or both ends
 * of a migration within this host. The entries are then those of the one they name, as long as it
 * lives; the other is left alone.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../grow.h"
#include "xen.h"

#define ROOT      "/tool/xlpolicyd"
#define DOMAINS   ROOT "/domains"
#define PATH_SIZE 160
/* xenstore takes 4096 bytes a write, path included. */
#define ENTRY_SIZE (4096 - PATH_SIZE)
/* Of domains that went: how often they are looked through; how long a reboot may take; how long
 * one that was saved or sent away may take to come back, and how many of those there may be. */
#define SWEEP_EVERY_NS (60 * XEN_NS_PER_S)
#define REBOOT_S       120
#define KEPT_S         (INT64_C(30) * 24 * 3600)
#define KEPT_MAX       1000
/* xl may add libxl's slack to the target when it reboots a guest. */
#define SAME_TARGET_KIB XEN_LIMIT_SLACK_KIB
#define RELEASING       " releasing"

static int add_strangers(struct xen_host *h);
static int load_vcpus(struct xen_host *h, struct xen_domain *d);
static int load_weight(struct xen_host *h, struct xen_domain *d);
static int load_memory(struct xen_host *h, struct xen_domain *d);
static int load_hand(struct xen_host *h, struct xen_domain *d);
static int write_domid(struct xen_host *h, struct xen_domain *d);

static const char *path_of(const uint8_t uuid[16], const char *key, char path[PATH_SIZE])
{
    char text[XLP_UUID_TEXT_SIZE];

    snprintf(path, PATH_SIZE, DOMAINS "/%s%s%s", xlp_uuid_format(uuid, text), *key ? "/" : "", key);
    return path;
}

/* ---- opening ---- */

static int make_root(struct xen_host *h)
{
    struct xs_permissions dom0_only = {.id = 0, .perms = XS_PERM_NONE};

    /* What is made below inherits the permissions. */
    if (!xs_mkdir(h->xs, XBT_NULL, ROOT) ||
        !xs_set_permissions(h->xs, XBT_NULL, ROOT, &dom0_only, 1) ||
        !xs_mkdir(h->xs, XBT_NULL, DOMAINS) ||
        !xs_set_permissions(h->xs, XBT_NULL, DOMAINS, &dom0_only, 1))
        return xlp_xen_fail(h, "making " DOMAINS " in xenstore");
    return 0;
}

int xlp_xen_ledger_open(struct xen_host *h)
{
    return make_root(h) < 0 ? -1 : add_strangers(h);
}

static int restore(struct xen_host *h, struct xen_domain *d)
{
    int rc = d->released ? xlp_xen_ledger_write_released(h, d, true) : 0;

    if (!d->ledger_has_domid || d->info.flags & XEN_DOMINF_dying)
        return rc;
    d->ledger_has_domid = false;
    rc |= write_domid(h, d);
    d->ledger_has_domid = true; /* what we have is right, whether it could be written or not */
    if (d->weight_record.recorded)
        rc |= xlp_xen_ledger_write_weight(h, d, &d->weight_record);
    if (d->memory.recorded)
        rc |= xlp_xen_ledger_write_memory(h, d, &d->memory);
    if (d->hand.known)
        rc |= xlp_xen_ledger_write_hand(h, d);
    for (uint32_t id = 0; id < d->vcpu_count; id++)
        if (d->vcpus[id].record)
            rc |= xlp_xen_ledger_write_vcpu(h, d, id, d->vcpus[id].record);
    return rc;
}

int xlp_xen_ledger_restore(struct xen_host *h)
{
    if (make_root(h) < 0)
        return -1;
    for (size_t i = 0; i < h->domain_count; i++)
        if (restore(h, h->domains[i]) < 0)
            return xlp_xen_fail(h, "writing the ledger to xenstore again");
    if (xlp_xen_reservations_restore(h) < 0)
        return xlp_xen_fail(h, "writing reservations to xenstore again");
    return 0;
}

static bool remove_key(struct xen_host *h, const uint8_t uuid[16], const char *key)
{
    char path[PATH_SIZE];

    return xs_rm(h->xs, XBT_NULL, path_of(uuid, key, path)) || errno == ENOENT;
}

static int64_t seconds(uint64_t ns)
{
    return (int64_t)(ns / XEN_NS_PER_S);
}

/* When memory is out, the next start will find it. */
static struct xen_gone *add_gone(struct xen_host *h, const uint8_t uuid[16])
{
    struct xen_gone *gone;

    for (size_t i = 0; i < h->gone_count; i++)
        if (memcmp(h->gone[i].uuid, uuid, 16) == 0)
            return &h->gone[i];
    if (xlp_grow(&h->gone, &h->gone_room, h->gone_count + 1, sizeof(*h->gone)) < 0)
        return NULL;
    gone = &h->gone[h->gone_count++];
    memcpy(gone->uuid, uuid, sizeof(gone->uuid));
    return gone;
}

/* What a former run left: whoever is there is found at the first sweep. */
static int add_stranger(struct xen_host *h, const uint8_t uuid[16])
{
    struct xen_gone *gone = add_gone(h, uuid);
    int64_t now_s = seconds(xlp_xen_now_ns()), since_s;
    char path[PATH_SIZE];

    if (!gone)
        return xlp_xen_out_of_memory(h);
    if (xlp_xen_store_number(h, path_of(uuid, "gone", path), -1, &since_s) < 0)
        return -1;
    gone->retired = since_s >= 0 && since_s <= now_s;
    gone->since_s = gone->retired ? since_s : now_s;
    return 0;
}

static int add_strangers(struct xen_host *h)
{
    unsigned int count = 0;
    char **names = xs_directory(h->xs, XBT_NULL, DOMAINS, &count);
    uint8_t uuid[16];
    int rc = 0;

    if (!names)
        return errno == ENOENT ? 0 : xlp_xen_fail(h, "listing " DOMAINS " in xenstore");
    for (unsigned int i = 0; i < count && rc == 0; i++)
        if (xlp_uuid_parse(names[i], uuid) == 0)
            rc = add_stranger(h, uuid);
    free(names);
    return rc;
}

/* ---- domains that went ---- */

void xlp_xen_ledger_gone(struct xen_host *h, const struct xen_domain *d)
{
    struct xen_gone *gone = h->read_only ? NULL : add_gone(h, d->uuid);

    if (!gone)
        return;
    gone->since_s = seconds(xlp_xen_now_ns());
    gone->retired = false;
}

static bool is_listed(const struct xen_host *h, const uint8_t uuid[16])
{
    for (size_t i = 0; i < h->info_count; i++)
        if (memcmp(h->infos[i].handle, uuid, 16) == 0)
            return true;
    return false;
}

static bool has_key(struct xen_host *h, const uint8_t uuid[16], const char *key)
{
    char path[PATH_SIZE], *text = NULL;
    bool has = xlp_xen_store_read(h, path_of(uuid, key, path), &text, NULL) != 1;

    free(text);
    return has;
}

/* Whatever fails is tried again at the next sweep. */
static void retire(struct xen_host *h, struct xen_gone *gone)
{
    char path[PATH_SIZE], text[32];

    snprintf(text, sizeof(text), "%" PRId64, gone->since_s);
    gone->retired = remove_key(h, gone->uuid, "vcpu") && remove_key(h, gone->uuid, "domid") &&
                    xs_write(h->xs, XBT_NULL, path_of(gone->uuid, "gone", path), text,
                             (unsigned int)strlen(text));
}

/* Whether it still has to be remembered that this domain went. */
static bool is_awaited(struct xen_host *h, struct xen_gone *gone, int64_t now_s)
{
    if (is_listed(h, gone->uuid))
        return gone->retired && !remove_key(h, gone->uuid, "gone");
    if (now_s - gone->since_s < REBOOT_S)
        return true;
    if (now_s - gone->since_s >= KEPT_S ||
        !(has_key(h, gone->uuid, "memory") || has_key(h, gone->uuid, "weight") ||
          has_key(h, gone->uuid, "released")))
        return !remove_key(h, gone->uuid, "");
    if (!gone->retired)
        retire(h, gone);
    return true;
}

/* The one that went first, so that domains that come and go for ever do not fill xenstore. */
static void drop_oldest(struct xen_host *h)
{
    size_t oldest = 0;

    for (size_t i = 1; i < h->gone_count; i++)
        if (h->gone[i].since_s < h->gone[oldest].since_s)
            oldest = i;
    remove_key(h, h->gone[oldest].uuid, "");
    h->gone[oldest] = h->gone[--h->gone_count];
}

void xlp_xen_ledger_sweep(struct xen_host *h, uint64_t now_ns)
{
    size_t kept = 0;

    if (h->swept_ns && now_ns - h->swept_ns < SWEEP_EVERY_NS)
        return;
    h->swept_ns = now_ns;
    for (size_t i = 0; i < h->gone_count; i++)
        if (is_awaited(h, &h->gone[i], seconds(now_ns)))
            h->gone[kept++] = h->gone[i];
    h->gone_count = kept;
    while (h->gone_count > KEPT_MAX)
        drop_oldest(h);
}

/* ---- loading ---- */

static void forget_records(struct xen_domain *d)
{
    for (size_t i = 0; i < d->vcpu_count; i++) {
        free(d->vcpus[i].record);
        d->vcpus[i].record = NULL;
    }
    memset(&d->weight_record, 0, sizeof(d->weight_record));
    memset(&d->memory, 0, sizeof(d->memory));
    d->hand.known = false;
    d->released = false;
}

/* Another domain that is there and has the UUID of d. */
static bool is_twin(const struct xen_domain *other, const struct xen_domain *d)
{
    return other && other != d && memcmp(other->uuid, d->uuid, sizeof(d->uuid)) == 0 &&
           !(other->info.flags & XEN_DOMINF_dying);
}

bool xlp_xen_ledger_is_anothers(const struct xen_host *h, const struct xen_domain *d)
{
    for (size_t i = 0; i < h->domain_count; i++)
        if (h->domains[i]->ledger_has_domid && is_twin(h->domains[i], d))
            return true;
    return false;
}

int xlp_xen_ledger_load(struct xen_host *h, struct xen_domain *d)
{
    char path[PATH_SIZE], *released = NULL;
    int64_t domid;
    int rc;

    rc = xlp_xen_store_read(h, path_of(d->uuid, "released", path), &released, NULL);
    free(released);
    if (rc < 0 || xlp_xen_store_number(h, path_of(d->uuid, "domid", path), -1, &domid) < 0)
        return -1;
    forget_records(d);
    d->released = rc == 0;
    d->ledger_has_domid = domid == (int64_t)d->domid;
    d->ledger_is_anothers = domid >= 0 && is_twin(xlp_xen_domain(h, (uint32_t)domid), d);
    if (d->ledger_is_anothers)
        return 0;
    if (load_memory(h, d) < 0 || load_weight(h, d) < 0)
        return -1;
    if (d->ledger_has_domid)
        return load_hand(h, d) < 0 ? -1 : load_vcpus(h, d);
    d->memory.inherited = d->memory.recorded; /* rebooted */
    d->weight_record.inherited = d->weight_record.recorded;
    return 0;
}

/* The next word of *text, or "" when there is none. */
static const char *next_word(char **text)
{
    char *word = strsep(text, " ");

    return word ? word : "";
}

/* 0, or -1 when text is not of the form above: nobody but us writes there. */
static int parse_vcpu(char *text, struct xen_vcpu_record *r)
{
    struct xlp_cpumap *const maps[] = {&r->original.hard, &r->original.soft, &r->ours.hard,
                                       &r->ours.soft,     &r->next.hard,     &r->next.soft};

    memset(r, 0, sizeof(*r));
    for (int i = 0; i < 4; i++)
        if (xlp_cpumap_parse(next_word(&text), maps[i]) < 0)
            return -1;
    if (!text)
        return 0;
    r->pending = true;
    if (xlp_cpumap_parse(next_word(&text), maps[4]) < 0 ||
        xlp_cpumap_parse(next_word(&text), maps[5]) < 0)
        return -1;
    return text ? -1 : 0;
}

static int load_vcpu(struct xen_host *h, struct xen_domain *d, uint32_t id)
{
    char path[PATH_SIZE], key[32], *text = NULL;
    struct xen_vcpu_record record;
    int rc;

    snprintf(key, sizeof(key), "vcpu/%" PRIu32, id);
    rc = xlp_xen_store_read(h, path_of(d->uuid, key, path), &text, NULL);
    if (rc == 0 && parse_vcpu(text, &record) == 0) {
        d->vcpus[id].record = malloc(sizeof(record));
        if (d->vcpus[id].record)
            *d->vcpus[id].record = record;
        else
            rc = xlp_xen_out_of_memory(h);
    }
    free(text);
    return rc < 0 ? -1 : 0;
}

static int load_vcpus(struct xen_host *h, struct xen_domain *d)
{
    char path[PATH_SIZE];
    unsigned int count = 0;
    char **ids = xs_directory(h->xs, XBT_NULL, path_of(d->uuid, "vcpu", path), &count);
    int rc = 0;

    if (!ids)
        return errno == ENOENT ? 0 : xlp_xen_fail(h, "reading the ledger in xenstore");
    for (unsigned int i = 0; i < count && rc == 0; i++) {
        unsigned long id = strtoul(ids[i], NULL, 10);

        if (isdigit((unsigned char)ids[i][0]) && id < d->vcpu_count)
            rc = load_vcpu(h, d, (uint32_t)id);
    }
    free(ids);
    return rc;
}

static int load_weight(struct xen_host *h, struct xen_domain *d)
{
    char path[PATH_SIZE], *text = NULL;
    struct xen_weight_record r = {0};
    int rc = xlp_xen_store_read(h, path_of(d->uuid, "weight", path), &text, NULL);
    int fields;

    if (rc)
        return rc < 0 ? -1 : 0;
    fields = sscanf(text, "%" SCNu32 " %" SCNu32 " %" SCNu32, &r.original, &r.ours, &r.next);
    free(text);
    r.recorded = fields >= 2 && r.original >= 1 && r.original <= XLP_WEIGHT_MAX && r.ours >= 1 &&
                 r.ours <= XLP_WEIGHT_MAX;
    r.pending = fields == 3;
    if (r.recorded)
        d->weight_record = r;
    return 0;
}

static int load_hand(struct xen_host *h, struct xen_domain *d)
{
    char path[PATH_SIZE], *text = NULL;
    int rc = xlp_xen_store_read(h, path_of(d->uuid, "by-hand", path), &text, NULL);

    if (rc)
        return rc < 0 ? -1 : 0;
    d->hand.known =
        sscanf(text, "%" SCNd64 " %" SCNd64, &d->hand.target_kib, &d->hand.since_s) == 2;
    free(text);
    return 0;
}

static int load_memory(struct xen_host *h, struct xen_domain *d)
{
    char path[PATH_SIZE], *text = NULL;
    struct xen_memory_record r = {0};
    int rc = xlp_xen_store_read(h, path_of(d->uuid, "memory", path), &text, NULL);
    int fields;

    if (rc)
        return rc < 0 ? -1 : 0;
    fields = sscanf(text, "%" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64, &r.original_target,
                    &r.original_max, &r.our_target, &r.next_target);
    r.recorded = fields >= 3;
    r.pending = fields == 4;
    r.releasing = r.recorded && strstr(text, RELEASING);
    free(text);
    if (r.recorded)
        d->memory = r;
    return 0;
}

/* ---- settling ---- */

static bool reaches(const struct xlp_cpumap *mask, const struct xen_pool *pool)
{
    struct xlp_cpumap usable = xlp_cpumap_and(mask, &pool->map);

    return !xlp_cpumap_is_empty(&usable);
}

/* When the last pCPU of a hard mask leaves the pool, Xen widens that mask to all and leaves the
 * soft one (cpu_disable_scheduler). It is then not the operator who took the vCPU back. Of an
 * original that Xen would have widened too, or that a move to another pool did away with, nothing
 * is kept. */
static bool widened_by_xen(const struct xen_host *h, const struct xen_domain *d,
                           const struct xen_vcpu_record *r, const struct xen_masks *ours,
                           const struct xen_masks *now)
{
    const struct xen_pool *pool = xlp_xen_pool(h, d->info.cpupool);
    struct xlp_cpumap all = xlp_cpumap_all();

    return pool && xlp_cpumap_equal(&now->hard, &all) &&
           xlp_cpumap_equal(&now->soft, &ours->soft) && !reaches(&ours->hard, pool) &&
           reaches(&r->original.hard, pool);
}

static void settle_vcpu(struct xen_host *h, struct xen_domain *d, uint32_t id)
{
    const struct xen_masks *now = &d->vcpus[id].masks;
    struct xen_vcpu_record *r = d->vcpus[id].record;

    if (!r || !d->vcpus[id].exists)
        return;
    if (widened_by_xen(h, d, r, &r->ours, now) ||
        (r->pending &&
         (xlp_xen_masks_equal(now, &r->next) || widened_by_xen(h, d, r, &r->next, now))))
        r->ours = *now;
    else if (!r->pending)
        return;
    r->pending = false;
    /* Left as it is when this fails, it reads the same next time. */
    if (!h->read_only)
        xlp_xen_ledger_write_vcpu(h, d, id, r);
}

static void settle_weight(struct xen_host *h, struct xen_domain *d)
{
    struct xen_weight_record *r = &d->weight_record;

    if (!r->pending && !r->inherited)
        return;
    if (r->inherited && (d->weight == 0 || d->info.cpu_time == 0))
        return; /* it is still being built */
    if (r->pending && d->weight == r->next)
        r->ours = r->next;
    r->recorded = !r->inherited || d->weight == r->ours;
    r->pending = r->inherited = false;
    if (!h->read_only)
        xlp_xen_ledger_write_weight(h, d, r->recorded ? r : NULL);
}

static bool same_target(int64_t a, int64_t b)
{
    return llabs(a - b) <= SAME_TARGET_KIB;
}

/* Of a domain that rebooted, once it is built and its target stands. */
static void settle_inherited(struct xen_host *h, struct xen_domain *d)
{
    struct xen_memory_record *r = &d->memory;

    if (d->target_kib < 0 || d->info.cpu_time == 0)
        return;
    if (r->pending && same_target(d->target_kib, r->next_target))
        r->our_target = r->next_target;
    r->pending = r->inherited = false;
    r->recorded = same_target(d->target_kib, r->our_target);
    if (r->recorded)
        r->our_target = d->target_kib;
    if (!h->read_only)
        xlp_xen_ledger_write_memory(h, d, r->recorded ? r : NULL);
}

/* A target that changed since the last look, and not by us. Should it not get on record, the daemon
 * that is running knows of it all the same. */
static void settle_hand(struct xen_host *h, struct xen_domain *d)
{
    bool ours = d->memory.recorded && d->target_kib == d->memory.our_target;

    if (h->read_only || d->info.cpu_time == 0 || d->target_kib <= 0)
        return;
    if (d->hand.seen_kib > 0 && d->hand.seen_kib != d->target_kib && !ours) {
        d->hand.known = true;
        d->hand.target_kib = d->target_kib;
        d->hand.since_s = seconds(xlp_xen_now_ns());
        xlp_xen_ledger_write_hand(h, d);
    }
    d->hand.seen_kib = d->target_kib;
}

void xlp_xen_ledger_settle(struct xen_host *h, struct xen_domain *d)
{
    struct xen_memory_record *r = &d->memory;

    for (uint32_t id = 0; id < d->vcpu_count; id++)
        settle_vcpu(h, d, id);
    settle_weight(h, d);
    if (r->inherited) {
        settle_inherited(h, d);
    } else if (r->pending) {
        if (d->target_kib == r->next_target)
            r->our_target = r->next_target;
        r->pending = false;
        if (!h->read_only)
            xlp_xen_ledger_write_memory(h, d, r);
    }
    settle_hand(h, d);
}

/* ---- writing ---- */

static int write_entry(struct xen_host *h, struct xen_domain *d, const char *key, const char *text)
{
    char path[PATH_SIZE];

    path_of(d->uuid, key, path);
    if (!text)
        return xs_rm(h->xs, XBT_NULL, path) || errno == ENOENT ? 0 : -1;
    return xs_write(h->xs, XBT_NULL, path, text, (unsigned int)strlen(text)) ? 0 : -1;
}

/* An entry counts for the domain whose id stands beside it, so the id comes first; and before it,
 * the masks of a former domain of this UUID go. */
static int write_domid(struct xen_host *h, struct xen_domain *d)
{
    char text[16];

    if (d->ledger_has_domid)
        return 0;
    snprintf(text, sizeof(text), "%" PRIu32, d->domid);
    if (write_entry(h, d, "vcpu", NULL) < 0 || write_entry(h, d, "domid", text) < 0)
        return -1;
    d->ledger_has_domid = true;
    return 0;
}

/* Returns the length so far, ENTRY_SIZE or more when it does not fit. */
static size_t append_masks(char *text, size_t used, const struct xen_masks *masks)
{
    char hard[XLP_CPUMAP_TEXT_MAX], soft[XLP_CPUMAP_TEXT_MAX];

    xlp_cpumap_format(&masks->hard, hard, sizeof(hard));
    xlp_cpumap_format(&masks->soft, soft, sizeof(soft));
    if (used >= ENTRY_SIZE)
        return used;
    return used +
           (size_t)snprintf(text + used, ENTRY_SIZE - used, "%s%s %s", used ? " " : "", hard, soft);
}

int xlp_xen_ledger_write_vcpu(struct xen_host *h, struct xen_domain *d, uint32_t vcpu,
                              const struct xen_vcpu_record *record)
{
    char key[32], text[ENTRY_SIZE];
    size_t used = 0;

    snprintf(key, sizeof(key), "vcpu/%" PRIu32, vcpu);
    if (!record)
        return write_entry(h, d, key, NULL);
    used = append_masks(text, used, &record->original);
    used = append_masks(text, used, &record->ours);
    if (record->pending)
        used = append_masks(text, used, &record->next);
    if (used >= sizeof(text)) {
        errno = E2BIG; /* masks too ragged for one key: better not changed than not recorded */
        return -1;
    }
    return write_domid(h, d) < 0 ? -1 : write_entry(h, d, key, text);
}

int xlp_xen_ledger_write_weight(struct xen_host *h, struct xen_domain *d,
                                const struct xen_weight_record *record)
{
    char text[48];
    int used;

    if (!record)
        return write_entry(h, d, "weight", NULL);
    used = snprintf(text, sizeof(text), "%" PRIu32 " %" PRIu32, record->original, record->ours);
    if (record->pending)
        snprintf(text + used, sizeof(text) - (size_t)used, " %" PRIu32, record->next);
    return write_domid(h, d) < 0 ? -1 : write_entry(h, d, "weight", text);
}

int xlp_xen_ledger_write_memory(struct xen_host *h, struct xen_domain *d,
                                const struct xen_memory_record *record)
{
    char text[128];
    int used;

    if (!record)
        return write_entry(h, d, "memory", NULL);
    used = snprintf(text, sizeof(text), "%" PRId64 " %" PRId64 " %" PRId64, record->original_target,
                    record->original_max, record->our_target);
    if (record->pending)
        used +=
            snprintf(text + used, sizeof(text) - (size_t)used, " %" PRId64, record->next_target);
    if (record->releasing)
        snprintf(text + used, sizeof(text) - (size_t)used, RELEASING);
    return write_domid(h, d) < 0 ? -1 : write_entry(h, d, "memory", text);
}

int xlp_xen_ledger_write_hand(struct xen_host *h, struct xen_domain *d)
{
    char text[64];

    snprintf(text, sizeof(text), "%" PRId64 " %" PRId64, d->hand.target_kib, d->hand.since_s);
    return write_domid(h, d) < 0 ? -1 : write_entry(h, d, "by-hand", text);
}

int xlp_xen_ledger_write_released(struct xen_host *h, struct xen_domain *d, bool released)
{
    return write_entry(h, d, "released", released ? "1" : NULL);
}
