/* SPDX-License-Identifier: LGPL-2.1-only */
/* The host, dom0 and the guests of a scenario file. */
#include <stdlib.h>
#include <string.h>

#include "grow.h"
#include "host/sim_read.h"

#define GUESTS_MAX   10000
#define VCPUS_MAX    512
#define LOAD_PCT_MAX 100.0
#define USED_MIB_MAX 1e9

/* Of one pCPU: what dom0 costs when the file does not say. */
#define DOM0_LOAD_PCT 2.0

const char *const xlp_sim_balloon_names[] = {"linux", "eager",    "intermittent", "trickle",
                                             "stuck", "stuck-up", "stuck-down",   "refuses",
                                             "none",  NULL};
const char *const xlp_sim_agent_names[] = {"ours", "qubes",  "xenserver", "none",    "dead",
                                           "lies", "floods", "resets",    "garbage", NULL};

/* ---- host ---- */

uint32_t xlp_sim_span(const struct xlp_sim_host_spec *host, enum xlp_sched_gran gran)
{
    switch (gran) {
    case XLP_GRAN_CORE: return host->threads;
    case XLP_GRAN_SOCKET: return host->pcpus / host->sockets;
    case XLP_GRAN_CPU: break;
    }
    return 1;
}

/* Finds the places; false when the pool has but a part of one. */
static bool find_places(const struct xlp_sim_host_spec *host, struct xlp_sim_pool_spec *pool)
{
    uint32_t span = xlp_sim_span(host, pool->sched_gran);

    for (uint32_t p = 0; p < host->pcpus; p++) {
        bool in_pool = xlp_cpumap_test(&pool->pcpus, p);

        if (in_pool && p % span == 0)
            xlp_cpumap_set(&pool->places, p);
        if (in_pool != xlp_cpumap_test(&pool->pcpus, p - p % span))
            return false;
    }
    return true;
}

static void read_pool(struct xlp_json_reader *r, const struct xlp_json *v,
                      const struct xlp_cpumap *free_pcpus, const struct xlp_sim_host_spec *host,
                      struct xlp_sim_pool_spec *pool)
{
    static const char *const known[] = {"name", "pcpus", "sched", "sched_gran", NULL};
    static const char *const words[] = {"credit2", "credit", "rtds", "arinc653", "null", NULL};
    static const enum xlp_sched scheds[] = {XLP_SCHED_CREDIT2, XLP_SCHED_CREDIT, XLP_SCHED_RTDS,
                                            XLP_SCHED_ARINC653, XLP_SCHED_NULL};
    static const char *const grans[] = {"cpu", "core", "socket", NULL};
    int sched = 0, gran = XLP_GRAN_CPU;

    xlp_json_check_keys(r, v, known);
    xlp_sim_read_name(r, v, "name", XLP_JSON_REQUIRED, pool->name);
    xlp_sim_read_map(r, v, "pcpus", XLP_JSON_REQUIRED, &pool->pcpus);
    xlp_sim_read_word(r, v, "sched", XLP_JSON_OPTIONAL, words, &sched);
    pool->sched = scheds[sched];
    xlp_sim_read_word(r, v, "sched_gran", XLP_JSON_OPTIONAL, grans, &gran);
    pool->sched_gran = (enum xlp_sched_gran)gran;
    if (!r->failed && !xlp_cpumap_is_subset(&pool->pcpus, free_pcpus))
        xlp_json_fail(r, xlp_json_get(v, "pcpus"),
                      "\"pcpus\" names pCPUs that the host does not have or another pool holds");
    if (!r->failed && !find_places(host, pool))
        xlp_json_fail(r, xlp_json_get(v, "pcpus"),
                      "\"pcpus\" splits what \"sched_gran\" keeps whole");
}

static void read_pools(struct xlp_json_reader *r, const struct xlp_json *list,
                       struct xlp_sim_scenario *scenario)
{
    struct xlp_sim_host_spec *host = &scenario->host;
    size_t count = list ? xlp_json_count(list) : 1;
    struct xlp_cpumap free_pcpus = xlp_cpumap_none();

    for (uint32_t p = 0; p < host->pcpus; p++)
        xlp_cpumap_set(&free_pcpus, p);
    if (list && count == 0)
        xlp_json_fail(r, list, "\"pools\" must have at least one pool");
    host->pools = xlp_sim_keep(r, scenario, count, sizeof(*host->pools));
    if (!host->pools)
        return;
    host->pool_count = count;
    if (!list) {
        host->pools[0] = (struct xlp_sim_pool_spec){.name = "Pool-0",
                                                    .pcpus = free_pcpus,
                                                    .sched = XLP_SCHED_CREDIT2,
                                                    .places = free_pcpus};
        return;
    }
    for (size_t i = 0; i < count && !r->failed; i++) {
        read_pool(r, xlp_json_at(list, i), &free_pcpus, host, &host->pools[i]);
        for (size_t w = 0; w < XLP_CPUMAP_WORDS; w++)
            free_pcpus.word[w] &= ~host->pools[i].pcpus.word[w];
    }
}

static void check_topology(struct xlp_json_reader *r, const struct xlp_json *v,
                           const struct xlp_sim_host_spec *host)
{
    if (r->failed)
        return;
    if (host->pcpus == 0 || host->sockets == 0 || host->threads == 0 || host->nodes == 0)
        xlp_json_fail(r, v, "\"pcpus\", \"sockets\", \"threads\" and \"nodes\" must be above 0");
    else if (host->pcpus % (host->sockets * host->threads) || host->pcpus % host->nodes)
        xlp_json_fail(
            r, v, "\"pcpus\" must be a multiple of \"sockets\" x \"threads\", and of \"nodes\"");
}

void xlp_sim_read_host(struct xlp_json_reader *r, const struct xlp_json *v,
                       struct xlp_sim_scenario *scenario)
{
    static const char *const known[] = {
        "pcpus",         "sockets",      "threads",          "nodes",
        "core_capacity", "remote_speed", "migration_ms",     "offline_pcpus",
        "pools",         "free_mib",     "scrub_mib_s",      "samples_per_s",
        "speed",         "seed",         "other_controller", NULL};
    struct xlp_sim_host_spec *host = &scenario->host;

    host->sockets = host->threads = host->nodes = 1;
    host->free_kib = 1024 * 1024;
    host->scrub_mib_s = 4096;
    host->samples_per_s = 15;
    host->speed = 1;
    xlp_json_check_keys(r, v, known);
    xlp_json_read_u32(r, v, "pcpus", XLP_JSON_REQUIRED, XLP_PCPUS_MAX, &host->pcpus);
    xlp_json_read_u32(r, v, "sockets", XLP_JSON_OPTIONAL, XLP_PCPUS_MAX, &host->sockets);
    xlp_json_read_u32(r, v, "threads", XLP_JSON_OPTIONAL, 8, &host->threads);
    xlp_json_read_u32(r, v, "nodes", XLP_JSON_OPTIONAL, XLP_PCPUS_MAX, &host->nodes);
    host->core_capacity = host->threads;
    host->remote_speed = 1;
    xlp_json_read_double(r, v, "core_capacity", XLP_JSON_OPTIONAL, 1, host->threads,
                         &host->core_capacity);
    xlp_json_read_double(r, v, "remote_speed", XLP_JSON_OPTIONAL, 0.1, 1, &host->remote_speed);
    xlp_json_read_double(r, v, "migration_ms", XLP_JSON_OPTIONAL, 0, 10000, &host->migration_ms);
    xlp_sim_read_map(r, v, "offline_pcpus", XLP_JSON_OPTIONAL, &host->offline);
    xlp_sim_read_mib(r, v, "free_mib", XLP_JSON_OPTIONAL, &host->free_kib);
    xlp_json_read_double(r, v, "scrub_mib_s", XLP_JSON_OPTIONAL, 1, 1e6, &host->scrub_mib_s);
    xlp_json_read_double(r, v, "samples_per_s", XLP_JSON_OPTIONAL, 0, 100, &host->samples_per_s);
    xlp_json_read_double(r, v, "speed", XLP_JSON_OPTIONAL, 0.001, 1e6, &host->speed);
    xlp_json_read_u64(r, v, "seed", XLP_JSON_OPTIONAL, &host->seed);
    xlp_sim_read_name(r, v, "other_controller", XLP_JSON_OPTIONAL, host->other_controller);
    check_topology(r, v, host);
    if (r->failed)
        return;
    read_pools(r, xlp_json_read_array(r, v, "pools", XLP_JSON_OPTIONAL), scenario);
}

/* ---- guests ---- */

/* NULL when the key, or the whole entry, is not there. */
static const struct xlp_json *value_of(const struct xlp_json_reader *r,
                                       const struct xlp_json *entry, const char *key)
{
    return r->failed || !entry ? NULL : xlp_json_get(entry, key);
}

/* The vCPUs of all guests of one entry get the list's members in turn: of "deal" 0, 1, 2 the third
 * guest with one vCPU gets 2, the fourth 0 again. */
static const struct xlp_json *dealt(const struct xlp_json *list, size_t turn)
{
    return xlp_json_at(list, turn % xlp_json_count(list));
}

static void read_masks(struct xlp_json_reader *r, const struct xlp_json *entry, const char *key,
                       size_t first_turn, struct xlp_cpumap *masks, uint32_t count)
{
    const struct xlp_json *v = value_of(r, entry, key);

    for (uint32_t i = 0; i < count; i++) {
        masks[i] = xlp_cpumap_all();
        if (!v || r->failed)
            continue;
        if (xlp_json_kind(v) == XLP_JSON_ARRAY && xlp_json_count(v) > 0)
            xlp_sim_map_value(r, dealt(v, first_turn + i), key, &masks[i]);
        else
            xlp_sim_map_value(r, v, key, &masks[i]);
    }
}

static bool is_list_of_loads(const struct xlp_json *v)
{
    return xlp_json_kind(v) == XLP_JSON_ARRAY && xlp_json_count(v) > 0 &&
           xlp_json_kind(xlp_json_at(v, 0)) == XLP_JSON_NUMBER;
}

static void read_loads(struct xlp_json_reader *r, const struct xlp_json *entry, size_t first_turn,
                       struct xlp_sim_scenario *scenario, struct xlp_sim_guest_spec *g)
{
    const struct xlp_json *v = value_of(r, entry, "load_pct");
    struct xlp_sim_trace *load = xlp_sim_keep(r, scenario, g->vcpu_count, sizeof(*load));

    g->load = load;
    for (uint32_t i = 0; load && v && i < g->vcpu_count; i++) {
        const struct xlp_json *one = is_list_of_loads(v) ? dealt(v, first_turn + i) : v;

        if (i > 0 && !is_list_of_loads(v))
            load[i] = load[0];
        else
            xlp_sim_trace_value(r, scenario, one, "load_pct", LOAD_PCT_MAX, &load[i]);
    }
}

static void read_cpu(struct xlp_json_reader *r, const struct xlp_json *entry, size_t which,
                     struct xlp_sim_scenario *scenario, struct xlp_sim_guest_spec *g)
{
    size_t first_turn;

    g->vcpu_count = 1;
    g->weight = 256;
    xlp_json_read_u32(r, entry, "vcpus", XLP_JSON_OPTIONAL, VCPUS_MAX, &g->vcpu_count);
    xlp_json_read_u32(r, entry, "weight", XLP_JSON_OPTIONAL, 65535, &g->weight);
    xlp_json_read_u32(r, entry, "cap_pct", XLP_JSON_OPTIONAL, 100 * VCPUS_MAX, &g->cap_pct);
    xlp_json_read_double(r, entry, "noise_pct", XLP_JSON_OPTIONAL, 0, 100, &g->noise_pct);
    if (!r->failed && (g->vcpu_count == 0 || g->weight == 0))
        xlp_json_fail(r, entry, "\"vcpus\" and \"weight\" must be above 0");
    g->online_vcpus = g->vcpu_count;
    xlp_json_read_u32(r, entry, "online_vcpus", XLP_JSON_OPTIONAL, g->vcpu_count, &g->online_vcpus);
    if (value_of(r, entry, "pool"))
        g->pool = xlp_sim_read_pool(r, entry, scenario);

    first_turn = which * g->vcpu_count;
    g->hard = xlp_sim_keep(r, scenario, g->vcpu_count, sizeof(*g->hard));
    g->soft = xlp_sim_keep(r, scenario, g->vcpu_count, sizeof(*g->soft));
    if (!g->hard || !g->soft)
        return;
    read_masks(r, entry, "hard", first_turn, g->hard, g->vcpu_count);
    read_masks(r, entry, "soft", first_turn, g->soft, g->vcpu_count);
    read_loads(r, entry, first_turn, scenario, g);
    for (uint32_t i = 0; i < g->vcpu_count && !r->failed; i++) {
        struct xlp_cpumap can = xlp_cpumap_and(&g->hard[i], &scenario->host.pools[g->pool].places);

        if (xlp_cpumap_is_empty(&can))
            xlp_json_fail(r, entry, "\"hard\" has no pCPU of pool \"%s\"",
                          scenario->host.pools[g->pool].name);
    }
}

static void read_memory(struct xlp_json_reader *r, const struct xlp_json *entry,
                        struct xlp_sim_scenario *scenario, struct xlp_sim_guest_spec *g)
{
    const struct xlp_json *used;
    int word = g->balloon;

    xlp_sim_read_mib(r, entry, "memory_mib", XLP_JSON_OPTIONAL, &g->memory_kib);
    g->max_memory_kib = g->memory_kib;
    xlp_sim_read_mib(r, entry, "max_memory_mib", XLP_JSON_OPTIONAL, &g->max_memory_kib);
    xlp_sim_read_mib(r, entry, "video_mib", XLP_JSON_OPTIONAL, &g->video_kib);
    xlp_sim_read_mib(r, entry, "dynamic_min_mib", XLP_JSON_OPTIONAL, &g->dynamic_min_kib);
    xlp_sim_read_mib(r, entry, "dynamic_max_mib", XLP_JSON_OPTIONAL, &g->dynamic_max_kib);
    xlp_sim_read_mib(r, entry, "overhead_mib", XLP_JSON_OPTIONAL, &g->overhead_kib);
    xlp_sim_read_mib(r, entry, "cache_mib", XLP_JSON_OPTIONAL, &g->cache_kib);
    xlp_sim_read_mib(r, entry, "swap_mib", XLP_JSON_OPTIONAL, &g->swap_kib);
    xlp_json_read_double(r, entry, "balloon_mib_s", XLP_JSON_OPTIONAL, 0.001, 1e6,
                         &g->balloon_mib_s);
    xlp_sim_read_word(r, entry, "balloon", XLP_JSON_OPTIONAL, xlp_sim_balloon_names, &word);
    g->balloon = (enum xlp_sim_balloon)word;
    word = g->agent;
    xlp_sim_read_word(r, entry, "agent", XLP_JSON_OPTIONAL, xlp_sim_agent_names, &word);
    g->agent = (enum xlp_sim_agent)word;
    used = value_of(r, entry, "used_mib");
    if (used)
        xlp_sim_trace_value(r, scenario, used, "used_mib", USED_MIB_MAX, &g->used);
    if (!r->failed && g->memory_kib > g->max_memory_kib)
        xlp_json_fail(r, entry, "\"memory_mib\" is above \"max_memory_mib\"");
    if (!r->failed && g->memory_kib <= g->overhead_kib)
        xlp_json_fail(r, entry, "\"memory_mib\" must be above \"overhead_mib\"");
}

static bool name_is_taken(const struct xlp_sim_scenario *scenario, const char *name)
{
    if (strcmp(name, scenario->dom0.name) == 0)
        return true;
    for (size_t i = 0; i < scenario->guest_count; i++)
        if (strcmp(scenario->guests[i].name, name) == 0)
            return true;
    return false;
}

/* "vm%d" and 3 make "vm3"; the pattern was checked to have exactly that one directive. */
static void number_name(const char *pattern, uint32_t number, char name[XLP_NAME_SIZE])
{
    const char *directive = strstr(pattern, "%d");

    snprintf(name, XLP_NAME_SIZE, "%.*s%u%s", (int)(directive - pattern), pattern, number,
             directive + 2);
}

static void add_guest(struct xlp_json_reader *r, const struct xlp_json *entry, size_t which,
                      const char *name, struct xlp_sim_scenario *scenario)
{
    static const char *const types[] = {"pv", "pvh", "hvm", NULL};
    struct xlp_sim_guest_spec g = {.device_node = XLP_UNKNOWN,
                                   .memory_node = XLP_UNKNOWN,
                                   .memory_kib = 512 * 1024,
                                   .overhead_kib = 16 * 1024,
                                   .balloon_mib_s = 100};
    int type = 1;

    xlp_name_copy(g.name, name);
    xlp_sim_read_seconds(r, entry, "start_s", XLP_JSON_OPTIONAL, &g.start_ns);
    g.boot_ns = g.start_ns ? UINT64_C(10000000000) : 0;
    xlp_sim_read_seconds(r, entry, "boot_s", XLP_JSON_OPTIONAL, &g.boot_ns);
    xlp_sim_read_seconds(r, entry, "build_s", XLP_JSON_OPTIONAL, &g.build_ns);
    xlp_sim_read_seconds(r, entry, "age_s", XLP_JSON_OPTIONAL, &g.age_ns);
    xlp_sim_read_word(r, entry, "type", XLP_JSON_OPTIONAL, types, &type);
    g.type = (enum xlp_guest_type)(XLP_GUEST_PV + type);
    xlp_json_read_u32(r, entry, "pci_devices", XLP_JSON_OPTIONAL, 64, &g.pci_devices);
    xlp_json_read_u32(r, entry, "device_node", XLP_JSON_OPTIONAL, scenario->host.nodes - 1,
                      &g.device_node);
    xlp_json_read_u32(r, entry, "memory_node", XLP_JSON_OPTIONAL, scenario->host.nodes - 1,
                      &g.memory_node);
    read_cpu(r, entry, which, scenario, &g);
    read_memory(r, entry, scenario, &g);
    if (!r->failed && name_is_taken(scenario, g.name))
        xlp_json_fail(r, entry, "there are two guests \"%s\"", g.name);
    if (!r->failed && scenario->guest_count >= GUESTS_MAX)
        xlp_json_fail(r, entry, "there are more than %d guests", GUESTS_MAX);
    if (r->failed)
        return;
    if (xlp_grow(&scenario->guests, &scenario->guest_room, scenario->guest_count + 1, sizeof(g)) <
        0) {
        xlp_json_fail(r, NULL, "out of memory");
        return;
    }
    scenario->guests[scenario->guest_count++] = g;
}

static void read_entry(struct xlp_json_reader *r, const struct xlp_json *entry,
                       struct xlp_sim_scenario *scenario)
{
    static const char *const known[] = {"name",           "count",        "first",
                                        "type",           "start_s",      "age_s",
                                        "boot_s",         "build_s",      "pci_devices",
                                        "device_node",    "memory_node",  "pool",
                                        "vcpus",          "online_vcpus", "weight",
                                        "cap_pct",        "hard",         "soft",
                                        "load_pct",       "noise_pct",    "memory_mib",
                                        "max_memory_mib", "video_mib",    "dynamic_min_mib",
                                        "overhead_mib",   "cache_mib",    "dynamic_max_mib",
                                        "swap_mib",       "used_mib",     "balloon",
                                        "balloon_mib_s",  "agent",        NULL};
    char pattern[XLP_NAME_SIZE] = "", name[XLP_NAME_SIZE];
    uint32_t count = 0, first = 1;

    xlp_json_check_keys(r, entry, known);
    xlp_sim_read_name(r, entry, "name", XLP_JSON_REQUIRED, pattern);
    xlp_json_read_u32(r, entry, "count", XLP_JSON_OPTIONAL, GUESTS_MAX, &count);
    xlp_json_read_u32(r, entry, "first", XLP_JSON_OPTIONAL, 1000000, &first);
    if (r->failed)
        return;
    if (count == 0) {
        add_guest(r, entry, 0, pattern, scenario);
        return;
    }
    if (!strstr(pattern, "%d")) {
        xlp_json_fail(r, entry, "\"name\" must have %%d in it where \"count\" is given");
        return;
    }
    for (uint32_t i = 0; i < count && !r->failed; i++) {
        number_name(pattern, first + i, name);
        add_guest(r, entry, i, name, scenario);
    }
}

void xlp_sim_read_guests(struct xlp_json_reader *r, const struct xlp_json *guests,
                         struct xlp_sim_scenario *scenario)
{
    for (size_t i = 0; guests && i < xlp_json_count(guests) && !r->failed; i++)
        read_entry(r, xlp_json_at(guests, i), scenario);
    for (size_t i = 0; i < scenario->guest_count; i++) {
        struct xlp_sim_event *start = xlp_sim_add_event(r, scenario);

        if (!start)
            return;
        start->kind = XLP_SIM_START;
        start->guest = i;
        start->at_ns = scenario->guests[i].start_ns;
    }
}

static void default_load(struct xlp_json_reader *r, struct xlp_sim_scenario *scenario,
                         struct xlp_sim_guest_spec *dom0)
{
    struct xlp_sim_point *point = xlp_sim_keep(r, scenario, 1, sizeof(*point));
    struct xlp_sim_trace *load = xlp_sim_keep(r, scenario, dom0->vcpu_count, sizeof(*load));

    if (!point || !load)
        return;
    point->value = DOM0_LOAD_PCT;
    load[0] = (struct xlp_sim_trace){.points = point, .count = 1};
    dom0->load = load;
}

void xlp_sim_read_dom0(struct xlp_json_reader *r, const struct xlp_json *v,
                       struct xlp_sim_scenario *scenario)
{
    static const char *const known[] = {
        "vcpus",    "weight",    "cap_pct",    "hard",           "soft",
        "load_pct", "noise_pct", "memory_mib", "max_memory_mib", "overhead_mib",
        "swap_mib", "used_mib",  NULL};
    struct xlp_sim_guest_spec *dom0 = &scenario->dom0;

    dom0->type = XLP_GUEST_PV;
    dom0->device_node = dom0->memory_node = XLP_UNKNOWN;
    dom0->memory_kib = 1024 * 1024;
    dom0->balloon = XLP_SIM_BALLOON_NONE;
    dom0->agent = XLP_SIM_AGENT_NONE;
    xlp_name_copy(dom0->name, "Domain-0");
    if (v)
        xlp_json_check_keys(r, v, known);
    read_cpu(r, v, 0, scenario, dom0);
    if (!value_of(r, v, "load_pct"))
        default_load(r, scenario, dom0);
    /* One whose use is told has a balloon driver, and can be asked at any time. */
    if (value_of(r, v, "used_mib")) {
        dom0->balloon = XLP_SIM_BALLOON_LINUX;
        dom0->agent = XLP_SIM_AGENT_OURS;
        dom0->balloon_mib_s = 100;
    }
    read_memory(r, v, scenario, dom0);
}
