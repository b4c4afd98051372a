/* SPDX-License-Identifier: LGPL-2.1-only */
/* Filling, searching and checking a snapshot. */
#include "snapshot.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grow.h"

void xlp_snapshot_init(struct xlp_snapshot *s)
{
    memset(s, 0, sizeof(*s));
}

void xlp_snapshot_dispose(struct xlp_snapshot *s)
{
    free(s->pcpus);
    free(s->pools);
    free(s->domains);
    free(s->vcpus);
    free(s->reservations);
    free(s->maps);
    free(s->map_index);
    xlp_snapshot_init(s);
}

void xlp_snapshot_reset(struct xlp_snapshot *s)
{
    s->time_ns = 0;
    memset(&s->memory, 0, sizeof(s->memory));
    s->other_controller[0] = '\0';
    s->pcpu_count = s->pool_count = s->domain_count = s->vcpu_count = s->map_count = 0;
    s->reservation_count = 0;
    s->next_reservation = 0;
    if (s->map_index)
        memset(s->map_index, 0xff, s->map_index_size * sizeof(*s->map_index));
}

/* ---- adding ---- */

static void *append(void *array, size_t *count, size_t *room, size_t size)
{
    char *element;

    if (xlp_grow(array, room, *count + 1, size) < 0)
        return NULL;
    memcpy(&element, array, sizeof(element));
    element += *count * size;
    memset(element, 0, size);
    (*count)++;
    return element;
}

struct xlp_pcpu *xlp_snapshot_add_pcpu(struct xlp_snapshot *s)
{
    return append(&s->pcpus, &s->pcpu_count, &s->pcpu_room, sizeof(*s->pcpus));
}

struct xlp_pool *xlp_snapshot_add_pool(struct xlp_snapshot *s)
{
    return append(&s->pools, &s->pool_count, &s->pool_room, sizeof(*s->pools));
}

struct xlp_domain *xlp_snapshot_add_domain(struct xlp_snapshot *s)
{
    struct xlp_domain *d = append(&s->domains, &s->domain_count, &s->domain_room, sizeof(*d));

    if (d) {
        d->first_vcpu = (uint32_t)s->vcpu_count;
        d->device_node = d->memory_node = XLP_UNKNOWN;
    }
    return d;
}

struct xlp_vcpu *xlp_snapshot_add_vcpu(struct xlp_snapshot *s)
{
    struct xlp_vcpu *v = append(&s->vcpus, &s->vcpu_count, &s->vcpu_room, sizeof(*v));

    if (v) {
        v->domain = (uint32_t)s->domain_count - 1;
        s->domains[v->domain].vcpu_count++;
    }
    return v;
}

struct xlp_reservation *xlp_snapshot_add_reservation(struct xlp_snapshot *s)
{
    return append(&s->reservations, &s->reservation_count, &s->reservation_room,
                  sizeof(*s->reservations));
}

/* ---- interned sets ---- */

static uint64_t map_hash(const struct xlp_cpumap *map)
{
    uint64_t hash = UINT64_C(0x9e3779b97f4a7c15);

    for (size_t i = 0; i < XLP_CPUMAP_WORDS; i++) {
        hash = (hash ^ map->word[i]) * UINT64_C(0xff51afd7ed558ccd);
        hash ^= hash >> 32;
    }
    return hash;
}

/* The slot that holds this set, or the free one where it belongs. */
static size_t map_slot(const struct xlp_snapshot *s, const struct xlp_cpumap *map)
{
    size_t slot = map_hash(map) & (s->map_index_size - 1);

    while (s->map_index[slot] != XLP_UNKNOWN &&
           !xlp_cpumap_equal(&s->maps[s->map_index[slot]], map))
        slot = (slot + 1) & (s->map_index_size - 1);
    return slot;
}

/* Keeps the table at most half full. */
static int map_index_grow(struct xlp_snapshot *s)
{
    size_t size = s->map_index_size ? s->map_index_size * 2 : 64;
    uint32_t *index;

    if (s->map_count * 2 < s->map_index_size)
        return 0;
    index = malloc(size * sizeof(*index));
    if (!index)
        return -1;
    free(s->map_index);
    s->map_index = index;
    s->map_index_size = size;
    memset(index, 0xff, size * sizeof(*index));
    for (size_t i = 0; i < s->map_count; i++)
        index[map_slot(s, &s->maps[i])] = (uint32_t)i;
    return 0;
}

static uint32_t intern(struct xlp_snapshot *s, const struct xlp_cpumap *map)
{
    struct xlp_cpumap *copy;
    size_t slot;

    if (map_index_grow(s) < 0)
        return XLP_UNKNOWN;
    slot = map_slot(s, map);
    if (s->map_index[slot] != XLP_UNKNOWN)
        return s->map_index[slot];
    copy = append(&s->maps, &s->map_count, &s->map_room, sizeof(*s->maps));
    if (!copy)
        return XLP_UNKNOWN;
    *copy = *map;
    return s->map_index[slot] = (uint32_t)s->map_count - 1;
}

uint32_t xlp_snapshot_intern(struct xlp_snapshot *s, const struct xlp_cpumap *map)
{
    const struct xlp_cpumap all = xlp_cpumap_all();

    if (s->map_count == 0 && intern(s, &all) == XLP_UNKNOWN)
        return XLP_UNKNOWN;
    return intern(s, map);
}

/* ---- finding ---- */

const struct xlp_domain *xlp_snapshot_domain(const struct xlp_snapshot *s, uint32_t domid)
{
    size_t low = 0, high = s->domain_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (s->domains[middle].domid < domid)
            low = middle + 1;
        else
            high = middle;
    }
    return low < s->domain_count && s->domains[low].domid == domid ? &s->domains[low] : NULL;
}

const struct xlp_domain *xlp_snapshot_find_domain(const struct xlp_snapshot *s, const char *text)
{
    size_t digits = strspn(text, "0123456789");
    bool is_id = digits > 0 && digits <= 5 && !text[digits]; /* ids end before 2^15 */
    const struct xlp_domain *domain =
        is_id ? xlp_snapshot_domain(s, (uint32_t)strtoul(text, NULL, 10)) : NULL;

    for (size_t i = 0; i < s->domain_count && !domain; i++)
        if (strcmp(s->domains[i].name, text) == 0)
            domain = &s->domains[i];
    return domain;
}

const struct xlp_vcpu *xlp_snapshot_vcpu(const struct xlp_snapshot *s, uint32_t domid,
                                         uint32_t vcpu)
{
    const struct xlp_domain *d = xlp_snapshot_domain(s, domid);

    for (uint32_t i = 0; d && i < d->vcpu_count; i++)
        if (s->vcpus[d->first_vcpu + i].id == vcpu)
            return &s->vcpus[d->first_vcpu + i];
    return NULL;
}

const struct xlp_reservation *xlp_snapshot_reservation(const struct xlp_snapshot *s, uint32_t id)
{
    for (size_t i = 0; i < s->reservation_count; i++)
        if (s->reservations[i].id == id)
            return &s->reservations[i];
    return NULL;
}

/* ---- names ---- */

void xlp_name_copy(char name[XLP_NAME_SIZE], const char *untrusted)
{
    size_t i;

    for (i = 0; i < XLP_NAME_SIZE - 1 && untrusted[i]; i++)
        name[i] = untrusted[i] >= 0x20 && untrusted[i] < 0x7f ? untrusted[i] : '?';
    name[i] = '\0';
}

char *xlp_uuid_format(const uint8_t uuid[16], char text[XLP_UUID_TEXT_SIZE])
{
    char *at = text;

    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *at++ = '-';
        at += sprintf(at, "%02x", uuid[i]);
    }
    return text;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int xlp_uuid_parse(const char *text, uint8_t uuid_out[16])
{
    uint8_t uuid[16];

    for (int i = 0; i < 16; i++) {
        int high, low;

        if ((i == 4 || i == 6 || i == 8 || i == 10) && *text++ != '-')
            return -1;
        high = hex_digit(text[0]);
        low = high < 0 ? -1 : hex_digit(text[1]);
        if (low < 0)
            return -1;
        uuid[i] = (uint8_t)(high * 16 + low);
        text += 2;
    }
    if (*text)
        return -1;
    memcpy(uuid_out, uuid, sizeof(uuid));
    return 0;
}

const char *xlp_sched_name(enum xlp_sched sched)
{
    switch (sched) {
    case XLP_SCHED_CREDIT: return "credit";
    case XLP_SCHED_CREDIT2: return "credit2";
    case XLP_SCHED_RTDS: return "rtds";
    case XLP_SCHED_ARINC653: return "arinc653";
    case XLP_SCHED_NULL: return "null";
    case XLP_SCHED_UNKNOWN: break;
    }
    return "unknown";
}

const char *xlp_sched_gran_name(enum xlp_sched_gran gran)
{
    switch (gran) {
    case XLP_GRAN_CPU: return "cpu";
    case XLP_GRAN_CORE: return "core";
    case XLP_GRAN_SOCKET: return "socket";
    }
    return "unknown";
}

const char *xlp_guest_type_name(enum xlp_guest_type type)
{
    switch (type) {
    case XLP_GUEST_PV: return "pv";
    case XLP_GUEST_PVH: return "pvh";
    case XLP_GUEST_HVM: return "hvm";
    case XLP_GUEST_UNKNOWN: break;
    }
    return "unknown";
}

/* ---- checking what came from a file ---- */

struct check {
    char *error;
    size_t error_size;
    bool failed;
};

static void __attribute__((format(printf, 2, 3))) wrong(struct check *c, const char *format, ...)
{
    va_list args;

    if (c->failed)
        return;
    c->failed = true;
    va_start(args, format);
    vsnprintf(c->error, c->error_size, format, args);
    va_end(args);
}

static void check_pcpus(struct check *c, const struct xlp_snapshot *s)
{
    for (size_t i = 0; i < s->pcpu_count; i++) {
        uint32_t id = s->pcpus[i].id;

        if (id >= XLP_PCPUS_MAX)
            wrong(c, "pCPU %u is beyond the last that is supported, %d", id, XLP_PCPUS_MAX - 1);
        else if (i && id <= s->pcpus[i - 1].id)
            wrong(c, "pCPU %u stands after pCPU %u: they must rise", id, s->pcpus[i - 1].id);
    }
}

static void check_pools(struct check *c, const struct xlp_snapshot *s)
{
    struct xlp_cpumap taken = xlp_cpumap_none();

    for (size_t i = 0; i < s->pool_count && !c->failed; i++) {
        const struct xlp_pool *pool = &s->pools[i];
        struct xlp_cpumap both;

        if (i && pool->id <= s->pools[i - 1].id)
            wrong(c, "pool %u stands after pool %u: they must rise", pool->id, s->pools[i - 1].id);
        if (pool->map >= s->map_count) {
            wrong(c, "pool %u has no valid set of pCPUs", pool->id);
            continue;
        }
        both = xlp_cpumap_and(&taken, &s->maps[pool->map]);
        if (!xlp_cpumap_is_empty(&both))
            wrong(c, "pool %u shares pCPU %u with another pool", pool->id,
                  xlp_cpumap_next(&both, 0));
        for (size_t word = 0; word < XLP_CPUMAP_WORDS; word++)
            taken.word[word] |= s->maps[pool->map].word[word];
    }
}

static void check_vcpu(struct check *c, const struct xlp_snapshot *s, size_t i, size_t domain)
{
    const struct xlp_vcpu *v = &s->vcpus[i];
    const struct xlp_vcpu_ledger *l = &v->ledger;
    uint32_t domid = s->domains[domain].domid;
    bool maps_known = v->hard < s->map_count && v->soft < s->map_count;

    if (l->recorded)
        maps_known = maps_known && l->original_hard < s->map_count &&
                     l->original_soft < s->map_count && l->our_hard < s->map_count &&
                     l->our_soft < s->map_count;
    if (!maps_known)
        wrong(c, "domain %u vCPU %u has no valid affinity", domid, v->id);
    if (v->domain != domain)
        wrong(c, "domain %u vCPU %u is filed under another domain", domid, v->id);
    if (i > s->domains[domain].first_vcpu && v->id <= s->vcpus[i - 1].id)
        wrong(c, "domain %u vCPU %u stands after vCPU %u: they must rise", domid, v->id,
              s->vcpus[i - 1].id);
    if (v->pcpu >= XLP_PCPUS_MAX && v->pcpu != XLP_UNKNOWN)
        wrong(c, "domain %u vCPU %u is on pCPU %u, beyond the last that is supported", domid, v->id,
              v->pcpu);
    if ((uint64_t)v->samples_waiting + v->samples_blocked > v->samples)
        wrong(c, "domain %u vCPU %u was waiting or blocked in more samples than were taken", domid,
              v->id);
}

/* Little enough that sums over every domain stay far from INT64_MAX. */
#define MEMORY_MAX_KIB (INT64_C(1) << 44)

static void check_memory(struct check *c, const struct xlp_domain *d)
{
    const struct xlp_domain_memory *m = &d->memory;
    const int64_t all[] = {m->actual_kib,
                           m->target_kib,
                           m->max_kib,
                           m->static_max_kib,
                           m->video_kib,
                           m->dynamic_min_kib,
                           m->dynamic_max_kib,
                           m->ledger.original_target_kib,
                           m->ledger.our_target_kib,
                           m->ledger.original_max_kib};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (all[i] < 0 || all[i] > MEMORY_MAX_KIB)
            wrong(c, "domain %u has a memory size of %lld KiB, out of range", d->domid,
                  (long long)all[i]);
}

static bool is_weight(uint32_t weight)
{
    return weight >= 1 && weight <= XLP_WEIGHT_MAX;
}

static void check_domains(struct check *c, const struct xlp_snapshot *s)
{
    size_t vcpu = 0;

    for (size_t i = 0; i < s->domain_count && !c->failed; i++) {
        const struct xlp_domain *d = &s->domains[i];

        if (i && d->domid <= s->domains[i - 1].domid)
            wrong(c, "domain %u stands after domain %u: they must rise", d->domid,
                  s->domains[i - 1].domid);
        if (d->first_vcpu != vcpu || d->vcpu_count > s->vcpu_count - vcpu) {
            wrong(c, "domain %u does not own the vCPUs it should", d->domid);
            return;
        }
        if (d->weight > XLP_WEIGHT_MAX)
            wrong(c, "domain %u has a weight above the most there is, %d", d->domid,
                  XLP_WEIGHT_MAX);
        if (d->ledger.recorded &&
            (!is_weight(d->ledger.original_weight) || !is_weight(d->ledger.our_weight)))
            wrong(c, "domain %u has a record of a weight that is none from 1 to %d", d->domid,
                  XLP_WEIGHT_MAX);
        for (uint32_t k = 0; k < d->vcpu_count; k++)
            check_vcpu(c, s, vcpu++, i);
        check_memory(c, d);
    }
    if (!c->failed && vcpu != s->vcpu_count)
        wrong(c, "%zu vCPUs belong to no domain", s->vcpu_count - vcpu);
}

static void check_reservations(struct check *c, const struct xlp_snapshot *s)
{
    if (s->reservation_count > XLP_RESERVATIONS_MAX)
        wrong(c, "there are %zu reservations, more than %d", s->reservation_count,
              XLP_RESERVATIONS_MAX);
    for (size_t i = 0; i < s->reservation_count; i++) {
        const struct xlp_reservation *r = &s->reservations[i];

        if (r->id == 0 || r->id == XLP_UNKNOWN || (i && r->id <= s->reservations[i - 1].id))
            wrong(c, "reservation %u has no id that rises from 1", r->id);
        if (r->min_kib <= 0 || r->max_kib < r->min_kib || r->max_kib > MEMORY_MAX_KIB)
            wrong(c, "reservation %u is of no valid size", r->id);
        if (r->granted_kib < 0 || r->granted_kib > r->max_kib)
            wrong(c, "reservation %u was granted more than it asked for", r->id);
    }
}

int xlp_snapshot_check(const struct xlp_snapshot *s, char *error, size_t error_size)
{
    struct check c = {.error = error, .error_size = error_size};
    const struct xlp_host_memory *m = &s->memory;
    const int64_t host[] = {m->total_kib, m->free_kib, m->scrub_kib, m->claims_kib};

    for (size_t i = 0; i < sizeof(host) / sizeof(host[0]); i++)
        if (host[i] < 0 || host[i] > MEMORY_MAX_KIB)
            wrong(&c, "the host has a memory size of %lld KiB, out of range", (long long)host[i]);
    check_pcpus(&c, s);
    check_pools(&c, s);
    check_domains(&c, s);
    check_reservations(&c, s);
    return c.failed ? -1 : 0;
}
