/* SPDX-License-Identifier: LGPL-2.1-only */
/* A snapshot as JSON: what is written is read back, all of it, and nothing else is. */
#include <string.h>

#include "check_main.h"
#include "json/json.h"

#define ROUNDS 200

static char error[256];

/* ---- chance ---- */

static uint64_t random_state;

static uint64_t any_u64(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static uint64_t below(uint64_t limit)
{
    return (any_u64() >> 16) % limit;
}

static bool chance(unsigned int percent)
{
    return below(100) < percent;
}

static uint32_t any_u32(uint32_t limit)
{
    return chance(20) ? 0 : (uint32_t)below(limit);
}

static int64_t any_kib(void)
{
    return chance(20) ? 0 : (int64_t)below(XLP_REPORT_MAX_MEMORY_KIB + 1);
}

static void any_name(char name[XLP_NAME_SIZE])
{
    size_t length = 1 + below(XLP_NAME_SIZE - 1);

    for (size_t i = 0; i < length; i++)
        name[i] = (char)(0x20 + below(0x5f));
}

static struct xlp_cpumap any_map(void)
{
    struct xlp_cpumap map = xlp_cpumap_none();

    if (chance(20))
        return xlp_cpumap_all();
    for (uint64_t left = below(20); left > 0; left--) {
        uint32_t first = (uint32_t)below(XLP_PCPUS_MAX);
        for (uint64_t run = below(70); run > 0; run--)
            xlp_cpumap_set(&map, first++);
    }
    return map;
}

/* ---- snapshots made at random ---- */

static uint32_t any_interned(struct xlp_snapshot *s)
{
    struct xlp_cpumap map = any_map();

    return xlp_snapshot_intern(s, &map);
}

static void make_report(struct xlp_mem_report *r)
{
    r->source = (enum xlp_report_source)(1 + below(3));
    r->seq = any_u64();
    r->total_kib = 1 + (int64_t)below(XLP_REPORT_MAX_MEMORY_KIB);
    r->avail_kib = (int64_t)below((uint64_t)r->total_kib + 1);
    r->free_kib = (int64_t)below((uint64_t)r->total_kib + 1);
    r->swap_total_kib = any_kib();
    r->swap_used_kib = (int64_t)below((uint64_t)r->swap_total_kib + 1);
    r->pswpin = any_u64();
    r->pswpout = any_u64();
    r->refault_anon = any_u64();
    r->refault_file = any_u64();
    r->psi_some_avg10_centipct = any_u32(XLP_REPORT_MAX_PSI_CENTIPCT + 1);
    r->psi_full_avg10_centipct = any_u32(XLP_REPORT_MAX_PSI_CENTIPCT + 1);
    r->psi_some_us = any_u64();
    r->psi_full_us = any_u64();
    r->oom_kill = any_u64();
}

static void make_memory(struct xlp_domain_memory *m)
{
    m->actual_kib = any_kib();
    m->target_kib = any_kib();
    m->max_kib = any_kib();
    m->static_max_kib = any_kib();
    m->video_kib = any_kib();
    m->dynamic_min_kib = any_kib();
    m->dynamic_max_kib = any_kib();
    m->balloon = chance(50);
    m->report_bad = chance(20);
    m->refusals = chance(50) ? (uint32_t)any_u64() : 0;
    m->by_hand_ns = chance(50) ? any_u64() : 0;
    m->report_age_ns = any_u64();
    if (chance(60))
        make_report(&m->report);
    if (chance(50)) {
        m->ledger.recorded = true;
        m->ledger.original_target_kib = any_kib();
        m->ledger.original_max_kib = any_kib();
        m->ledger.our_target_kib = any_kib();
        m->ledger.releasing = chance(50);
    }
}

static void make_vcpu(struct xlp_snapshot *s, uint32_t id)
{
    uint32_t hard = any_interned(s), soft = any_interned(s);
    struct xlp_vcpu *v = xlp_snapshot_add_vcpu(s);

    v->id = id;
    v->online = chance(80);
    v->blocked = chance(30);
    v->running = chance(30);
    v->pcpu = chance(20) ? XLP_UNKNOWN : (uint32_t)below(XLP_PCPUS_MAX);
    v->cpu_time_ns = any_u64();
    v->samples = any_u32(1000);
    v->samples_waiting = (uint32_t)below(v->samples + 1);
    v->samples_blocked = (uint32_t)below(v->samples - v->samples_waiting + 1);
    v->hard = hard;
    v->soft = soft;
    if (chance(40)) {
        v->ledger.recorded = true;
        v->ledger.original_hard = any_interned(s);
        v->ledger.original_soft = any_interned(s);
        v->ledger.our_hard = any_interned(s);
        v->ledger.our_soft = any_interned(s);
    }
}

static void make_domain(struct xlp_snapshot *s, uint32_t domid)
{
    struct xlp_domain *d = xlp_snapshot_add_domain(s);
    uint32_t id = 0;

    d->domid = domid;
    for (size_t i = 0; i < sizeof(d->uuid); i++)
        d->uuid[i] = (uint8_t)any_u64();
    any_name(d->name);
    d->type = (enum xlp_guest_type)below(XLP_GUEST_HVM + 1);
    d->flags = chance(50) ? 0 : (unsigned int)below(2 * XLP_DOMAIN_DYING);
    d->pool_id = any_u32(10);
    d->weight = any_u32(65536);
    d->cap_pct = any_u32(1000);
    d->passthrough_devices = any_u32(5);
    d->device_node = chance(50) ? XLP_UNKNOWN : any_u32(8);
    d->memory_node = chance(50) ? XLP_UNKNOWN : any_u32(8);
    d->age_ns = any_u64();
    d->released = chance(20);
    if (chance(40))
        d->ledger = (struct xlp_weight_ledger){true, 1 + any_u32(65535), 1 + any_u32(65535)};
    make_memory(&d->memory);
    for (uint64_t left = below(6); left > 0; left--, id += 1 + (uint32_t)below(3))
        make_vcpu(s, id);
}

static void make_host(struct xlp_snapshot *s)
{
    uint32_t id = 0;

    s->time_ns = any_u64();
    s->memory.total_kib = any_kib();
    s->memory.free_kib = any_kib();
    s->memory.scrub_kib = any_kib();
    s->memory.claims_kib = any_kib();
    if (chance(30))
        any_name(s->other_controller);
    for (uint64_t left = below(10); left > 0; left--, id += 1 + (uint32_t)below(100)) {
        struct xlp_pcpu *p = xlp_snapshot_add_pcpu(s);

        p->id = id;
        p->online = chance(80);
        p->core = chance(30) ? XLP_UNKNOWN : any_u32(128);
        p->socket = chance(30) ? XLP_UNKNOWN : any_u32(8);
        p->node = chance(30) ? XLP_UNKNOWN : any_u32(8);
        p->idle_ns = any_u64();
    }
    for (uint32_t i = 0; i < 3; i++) { /* pools must not overlap */
        struct xlp_cpumap map = xlp_cpumap_of(i * 64);
        struct xlp_pool *p = xlp_snapshot_add_pool(s);

        p->id = i * (1 + (uint32_t)below(4));
        any_name(p->name);
        p->sched = (enum xlp_sched)below(XLP_SCHED_NULL + 1);
        p->sched_gran = (enum xlp_sched_gran)below(XLP_GRAN_SOCKET + 1);
        for (uint32_t k = 1; k < 64; k++)
            if (chance(50))
                xlp_cpumap_set(&map, i * 64 + k);
        p->map = xlp_snapshot_intern(s, &map);
    }
    s->pools[1].id = s->pools[0].id + 1;
    s->pools[2].id = s->pools[1].id + 1;
}

static void make_reservation(struct xlp_snapshot *s, uint32_t id)
{
    struct xlp_reservation *r = xlp_snapshot_add_reservation(s);

    r->id = id;
    if (chance(50))
        any_name(r->name);
    r->min_kib = 1 + (int64_t)below(1000);
    r->max_kib = r->min_kib + (chance(50) ? 0 : any_kib() / 2);
    r->granted_kib = chance(50) ? 0 : r->min_kib;
    r->ttl_left_ns = any_u64();
    r->taken = chance(50);
    r->domid = r->taken ? any_u32(32751) : 0;
    r->uuid[7] = r->taken ? 7 : 0;
}

static void make_snapshot(struct xlp_snapshot *s)
{
    uint32_t domid = 0, id = 1;

    xlp_snapshot_init(s);
    make_host(s);
    for (uint64_t left = below(4); left > 0; left--, id += 1 + (uint32_t)below(100))
        make_reservation(s, id);
    s->next_reservation = chance(50) ? 0 : id;
    for (uint64_t left = below(6); left > 0; left--, domid += 1 + (uint32_t)below(100))
        make_domain(s, domid);
    ck_assert_msg(xlp_snapshot_check(s, error, sizeof(error)) == 0, "%s", error);
}

/* ---- are two the same? ---- */

/* Replaces the index of a set, which depends on the order they came in, by a hash of the set. */
static void by_content(const struct xlp_snapshot *s, uint32_t *map)
{
    uint64_t hash = 1;

    for (size_t i = 0; i < XLP_CPUMAP_WORDS; i++)
        hash = (hash ^ s->maps[*map].word[i]) * UINT64_C(0x100000001b3);
    *map = (uint32_t)(hash ^ hash >> 32);
}

static void all_by_content(struct xlp_snapshot *s)
{
    for (size_t i = 0; i < s->pool_count; i++)
        by_content(s, &s->pools[i].map);
    for (size_t i = 0; i < s->vcpu_count; i++) {
        struct xlp_vcpu *v = &s->vcpus[i];

        by_content(s, &v->hard);
        by_content(s, &v->soft);
        if (v->ledger.recorded) {
            by_content(s, &v->ledger.original_hard);
            by_content(s, &v->ledger.original_soft);
            by_content(s, &v->ledger.our_hard);
            by_content(s, &v->ledger.our_soft);
        }
    }
}

static bool same_bytes(const void *a, size_t a_count, const void *b, size_t b_count, size_t size)
{
    return a_count == b_count && (a_count == 0 || memcmp(a, b, a_count * size) == 0);
}

#define SAME_ARRAY(a, b, array, count)                                                             \
    same_bytes((a)->array, (a)->count, (b)->array, (b)->count, sizeof(*(a)->array))

/* Byte by byte, so that a member that is added to a struct but not to JSON shows. */
static bool same_snapshot(struct xlp_snapshot *a, struct xlp_snapshot *b)
{
    all_by_content(a);
    all_by_content(b);
    return a->time_ns == b->time_ns && memcmp(&a->memory, &b->memory, sizeof(a->memory)) == 0 &&
           strcmp(a->other_controller, b->other_controller) == 0 &&
           SAME_ARRAY(a, b, pcpus, pcpu_count) && SAME_ARRAY(a, b, pools, pool_count) &&
           a->next_reservation == b->next_reservation &&
           SAME_ARRAY(a, b, reservations, reservation_count) &&
           SAME_ARRAY(a, b, domains, domain_count) && SAME_ARRAY(a, b, vcpus, vcpu_count);
}

static struct xlp_json *parse(const char *text)
{
    struct xlp_json *v = xlp_json_parse(text, strlen(text), 1000000, error, sizeof(error));

    ck_assert_msg(v, "%s: %s", error, text);
    return v;
}

START_TEST(a_snapshot_reads_back_as_it_was)
{
    struct xlp_json_writer *first = xlp_json_writer_new(false),
                           *second = xlp_json_writer_new(false);
    struct xlp_snapshot before, after;

    random_state = UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)_i;
    xlp_snapshot_init(&after);
    for (int round = 0; round < ROUNDS; round++) {
        make_snapshot(&before);
        xlp_json_writer_reset(first);
        xlp_snapshot_write(first, &before);
        struct xlp_json *v = parse(xlp_json_text(first, NULL));
        ck_assert_msg(xlp_snapshot_read(v, &after, error, sizeof(error)) == 0, "%s", error);
        xlp_json_writer_reset(second);
        xlp_snapshot_write(second, &after);
        ck_assert_str_eq(xlp_json_text(first, NULL), xlp_json_text(second, NULL));
        ck_assert(same_snapshot(&before, &after));
        xlp_json_free(v);
        xlp_snapshot_dispose(&before);
    }
    xlp_snapshot_dispose(&after);
    xlp_json_writer_free(first);
    xlp_json_writer_free(second);
}
END_TEST

/* ---- what is not a snapshot ---- */

#define HOST                                                                                       \
    "{\"xlpolicy_snapshot\": 1, \"time_ns\": 5, \"memory\": {\"total_kib\": 9, \"free_kib\": 1}"
#define UUID  "\"uuid\": \"00000000-0000-0000-0000-000000000000\""
#define EMPTY HOST ", \"pcpus\": [], \"pools\": [], \"domains\": []}"
#define DOMAIN                                                                                     \
    HOST ", \"pcpus\": [], \"pools\": [],\n\"domains\": [{\"domid\": 1, " UUID ", \"name\": \"a\""
#define GUEST(x) DOMAIN ", \"type\": \"pv\",\n" x "}]}"

static const char *refusal_of(const char *text)
{
    struct xlp_json *v = parse(text);
    struct xlp_snapshot s;

    error[0] = '\0';
    xlp_snapshot_init(&s);
    int rc = xlp_snapshot_read(v, &s, error, sizeof(error));
    ck_assert(rc == 0 || (s.domain_count == 0 && s.pcpu_count == 0 && s.pool_count == 0));
    xlp_snapshot_dispose(&s);
    xlp_json_free(v);
    return rc == 0 ? "accepted" : error;
}

START_TEST(what_is_no_snapshot_is_refused_with_its_place)
{
    static const struct {
        const char *text, *refusal;
    } cases[] = {
        {EMPTY, "accepted"},
        {GUEST("\"memory\": {}, \"vcpus\": [{\"id\": 3}]"), "accepted"},
        {"[]", "line 1, column 1: must be an object with the key \"xlpolicy_snapshot\""},
        {"{}", "line 1, column 1: the key \"xlpolicy_snapshot\" is missing"},
        {"{\"xlpolicy_snapshot\": 2, \"new\": 1}",
         "line 1, column 23: \"xlpolicy_snapshot\" is of format 2; this program reads format 1"},
        {"{\"xlpolicy_snapshot\": 1,\n\"new\": 1}", "line 2, column 1: unknown key \"new\""},
        {GUEST("\"memory\": {}, \"vcpus\": [{\"id\": 3, \"hard\": \"0-\"}]"),
         "line 3, column 43: \"hard\" must be a set of pCPUs such as \"0-3,6\", up to 1023"},
        {GUEST("\"memory\": {}, \"vcpus\": [{\"id\": 3}, {\"id\": 3}]"),
         "line 1, column 1: domain 1 vCPU 3 stands after vCPU 3: they must rise"},
        {GUEST("\"memory\": {}, \"vcpus\": [{\"id\": 4294967295}]"),
         "line 3, column 32: \"id\" must be a whole number from 0 to 4294967294"},
        {GUEST("\"memory\": {\"actual_kib\": -1}, \"vcpus\": []"),
         "line 3, column 26: \"actual_kib\" must be a whole number from 0 to 17592186044416"},
        {GUEST("\"memory\": {\"report\": {\"source\": \"agent\", \"total_kib\": 5, \"avail_kib\": "
               "6}}, "
               "\"vcpus\": []"),
         "line 3, column 22: a memory report that contradicts itself"},
        {GUEST("\"memory\": {\"report\": {\"source\": \"none\", \"total_kib\": 5, \"avail_kib\": "
               "5}}, "
               "\"vcpus\": []"),
         "line 3, column 22: a memory report that contradicts itself"},
        {GUEST("\"memory\": {\"ledger\": {\"our_target_kib\": 5}}, \"vcpus\": []"),
         "line 3, column 22: the key \"original_target_kib\" is missing"},
        {GUEST("\"ledger\": {\"our_weight\": 5}, \"memory\": {}, \"vcpus\": []"),
         "line 3, column 11: the key \"original_weight\" is missing"},
        {GUEST("\"weight\": 65536, \"memory\": {}, \"vcpus\": []"),
         "line 1, column 1: domain 1 has a weight above the most there is, 65535"},
        {GUEST("\"ledger\": {\"original_weight\": 1, \"our_weight\": 65536}, \"memory\": {}, "
               "\"vcpus\": []"),
         "line 1, column 1: domain 1 has a record of a weight that is none from 1 to 65535"},
        {GUEST("\"ledger\": {\"original_weight\": 0, \"our_weight\": 1}, \"memory\": {}, "
               "\"vcpus\": []"),
         "line 1, column 1: domain 1 has a record of a weight that is none from 1 to 65535"},
        {GUEST("\"flags\": [\"dying\", \"dead\"], \"memory\": {}, \"vcpus\": []"),
         "line 3, column 20: this is no known flag of a domain"},
        {GUEST("\"flags\": [1], \"memory\": {}, \"vcpus\": []"),
         "line 3, column 11: this is no known flag of a domain"},
        {GUEST("\"vcpus\": []"), "line 2, column 13: the key \"memory\" is missing"},
        {GUEST("\"memory\": {}"), "line 2, column 13: the key \"vcpus\" is missing"},
        {DOMAIN ", \"type\": \"vax\", \"memory\": {}, \"vcpus\": []}]}",
         "line 2, column 95: \"vax\" is no known \"type\""},
        {HOST ", \"pcpus\": [], \"domains\": [],\n\"pools\": [{\"id\": 0, \"name\": \"a\", "
              "\"sched\": \"credit2\", \"sched_gran\": \"node\", \"pcpus\": \"0\"}]}",
         "line 2, column 68: \"node\" is no known \"sched_gran\""},
        {HOST ", \"pcpus\": [], \"pools\": [], \"domains\": [{\"domid\": 1,\n\"uuid\": \"0\", "
              "\"name\": \"a\"}]}",
         "line 2, column 9: \"uuid\" must be 8-4-4-4-12 hexadecimal digits"},
        {HOST ", \"pcpus\": [], \"pools\": [], \"domains\": [{\"domid\": 1, " UUID
              ",\n\"name\": \"a\\n\"}]}",
         "line 2, column 9: \"name\" must be printable ASCII, at most 63 characters"},
        {HOST ",\n\"pcpus\": [7], \"pools\": [], \"domains\": []}",
         "line 2, column 11: must be an object"},
        {HOST ", \"pcpus\": [], \"pools\": [], \"domains\": [],\n\"reservations\": "
              "[{\"id\": 1, \"min_kib\": 2, \"max_kib\": 1}]}",
         "line 1, column 1: reservation 1 is of no valid size"},
        {HOST ", \"pcpus\": [], \"pools\": [], \"domains\": [],\n\"reservations\": "
              "[{\"id\": 1, \"min_kib\": 2, \"max_kib\": 3, \"granted_kib\": 4}]}",
         "line 1, column 1: reservation 1 was granted more than it asked for"},
        {HOST ", \"pcpus\": [], \"pools\": [], \"domains\": [],\n\"reservations\": "
              "[{\"id\": 0, \"min_kib\": 2, \"max_kib\": 3}]}",
         "line 1, column 1: reservation 0 has no id that rises from 1"},
        {HOST ", \"pcpus\": [], \"pools\": [], \"domains\": [],\n\"reservations\": [7]}",
         "line 2, column 18: must be an object"},
        {HOST ",\n\"pcpus\": [{\"id\": 1024}], \"pools\": [], \"domains\": []}",
         "line 1, column 1: pCPU 1024 is beyond the last that is supported, 1023"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        ck_assert_str_eq(refusal_of(cases[i].text), cases[i].refusal);
}
END_TEST

START_TEST(what_is_usual_is_left_out)
{
    struct xlp_json_writer *w = xlp_json_writer_new(false);
    struct xlp_json *v = parse(GUEST("\"memory\": {}, \"vcpus\": [{\"id\": 3}]"));
    struct xlp_snapshot s;

    xlp_snapshot_init(&s);
    ck_assert_int_eq(xlp_snapshot_read(v, &s, error, sizeof(error)), 0);
    ck_assert(s.vcpus[0].online && s.vcpus[0].pcpu == XLP_UNKNOWN);
    ck_assert(s.vcpus[0].hard == 0 && xlp_cpumap_count(&s.maps[0]) == XLP_PCPUS_MAX);
    ck_assert_uint_eq(s.domains[0].device_node, XLP_UNKNOWN);
    ck_assert_uint_eq(s.domains[0].memory_node, XLP_UNKNOWN);
    xlp_snapshot_write(w, &s);
    ck_assert_str_eq(xlp_json_text(w, NULL),
                     "{\"xlpolicy_snapshot\":1,\"time_ns\":5,"
                     "\"memory\":{\"total_kib\":9,\"free_kib\":1},\"pcpus\":[],\"pools\":[],"
                     "\"domains\":[{\"domid\":1,\"uuid\":\"00000000-0000-0000-0000-000000000000\","
                     "\"name\":\"a\",\"type\":\"pv\",\"memory\":{},\"vcpus\":[{\"id\":3}]}]}");
    xlp_snapshot_dispose(&s);
    xlp_json_free(v);
    xlp_json_writer_free(w);
}
END_TEST

static TCase *snapshots(void)
{
    TCase *tcase = tcase_create("snapshots");

    tcase_add_loop_test(tcase, a_snapshot_reads_back_as_it_was, 0, 4);
    tcase_add_test(tcase, what_is_no_snapshot_is_refused_with_its_place);
    tcase_add_test(tcase, what_is_usual_is_left_out);
    return tcase;
}

CHECK_MAIN("json_snapshot", snapshots)
