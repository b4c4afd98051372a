/* SPDX-License-Identifier: LGPL-2.1-only */
/* What all vCPUs of a cpupool share: its pCPUs, and what each affinity mask means there. */
#include "parts.h"

/* ---- numbering ---- */

#define NUMBERS (2 * XLP_PCPUS_MAX) /* a power of two, so that half of it stays free */

/* Gives each different key a number, 0 ... in order of appearance. Ids of cores and nodes may be
 * sparse. */
struct numbering {
    uint64_t key[NUMBERS];
    uint32_t number[NUMBERS]; /* XLP_UNKNOWN: this place is free */
    uint32_t count;
};

static void start_numbering(struct numbering *n)
{
    for (size_t i = 0; i < NUMBERS; i++)
        n->number[i] = XLP_UNKNOWN;
    n->count = 0;
}

static uint32_t number_of(struct numbering *n, uint64_t key)
{
    size_t at = (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 32) % NUMBERS;

    while (n->number[at] != XLP_UNKNOWN && n->key[at] != key)
        at = (at + 1) % NUMBERS;
    if (n->number[at] == XLP_UNKNOWN) {
        n->key[at] = key;
        n->number[at] = n->count++;
    }
    return n->number[at];
}

/* ---- slots ---- */

/* Which core, or with threads left out which socket, a pCPU belongs to; one that the host does not
 * tell is nobody else's. */
static uint64_t core_of(const struct xlp_pcpu *p)
{
    if (p->core == XLP_UNKNOWN || p->socket == XLP_UNKNOWN)
        return UINT64_MAX - p->id;
    return (uint64_t)p->socket << 32 | p->core;
}

static uint64_t socket_of(const struct xlp_pcpu *p)
{
    return p->socket == XLP_UNKNOWN ? UINT64_MAX - p->id : p->socket;
}

/* What the scheduler hands out as one: pCPUs of the same key are one slot. */
static uint64_t slot_key(const struct xlp_pcpu *p, enum xlp_sched_gran gran)
{
    switch (gran) {
    case XLP_GRAN_CORE: return core_of(p);
    case XLP_GRAN_SOCKET: return socket_of(p);
    case XLP_GRAN_CPU: break;
    }
    return p->id;
}

/* Slots of one core form a ring. */
static void join_twins(uint32_t slot, uint32_t core, bool is_first, struct slot *slots,
                       uint32_t first_of_core[XLP_PCPUS_MAX])
{
    slots[slot].twin = slot;
    if (is_first) {
        first_of_core[core] = slot;
        return;
    }
    slots[slot].twin = slots[first_of_core[core]].twin;
    slots[first_of_core[core]].twin = slot;
}

static void number_slots(const struct xlp_snapshot *s, const struct xlp_cpumap *pool_map,
                         struct slot *slots, struct pool_facts *facts)
{
    struct numbering keys, cores, nodes;
    uint32_t first_of_core[XLP_PCPUS_MAX], pcpus[XLP_PCPUS_MAX]; /* of each slot: how many */

    start_numbering(&keys);
    start_numbering(&cores);
    start_numbering(&nodes);
    for (size_t i = 0; i < s->pcpu_count; i++) {
        const struct xlp_pcpu *p = &s->pcpus[i];
        uint32_t slot, core, cores_before = cores.count;

        if (!p->online || !xlp_cpumap_test(pool_map, p->id))
            continue;
        slot = number_of(&keys, slot_key(p, facts->pool->sched_gran));
        xlp_cpumap_set(&facts->online, p->id);
        facts->slot_of[p->id] = slot;
        if (slot == facts->slot_count) {
            facts->slot_count++;
            facts->pcpu_of[slot] = p->id;
            pcpus[slot] = 0;
            slots[slot] = (struct slot){.node = number_of(&nodes, p->node)};
            core = number_of(&cores, core_of(p));
            join_twins(slot, core, core == cores_before, slots, first_of_core);
        }
        if (++pcpus[slot] > facts->unit)
            facts->unit = pcpus[slot];
    }
}

struct xlp_cpumap xlp_slot_pcpus(const struct pool_facts *facts, uint32_t slot)
{
    struct xlp_cpumap pcpus = xlp_cpumap_of(facts->pcpu_of[slot]);

    if (facts->unit > 1)
        for (uint32_t p = xlp_cpumap_next(&facts->online, 0); p < XLP_PCPUS_MAX;
             p = xlp_cpumap_next(&facts->online, p + 1))
            if (facts->slot_of[p] == slot)
                xlp_cpumap_set(&pcpus, p);
    return pcpus;
}

/* ---- masks ---- */

/* Within one run queue Xen's scheduler keeps no pCPU idle while a vCPU waits. credit2 has a run
 * queue a socket, of at most 16 pCPUs; credit steals work across the whole pool. */
static bool one_run_queue(const struct xlp_snapshot *s, const struct pool_facts *facts)
{
    uint32_t socket = XLP_UNKNOWN, count = 0;

    if (facts->pool->sched == XLP_SCHED_CREDIT)
        return true;
    if (facts->pool->sched != XLP_SCHED_CREDIT2)
        return false;
    for (size_t i = 0; i < s->pcpu_count; i++) {
        const struct xlp_pcpu *p = &s->pcpus[i];

        if (!xlp_cpumap_test(&facts->online, p->id))
            continue;
        if (count++ && p->socket != socket)
            return false;
        socket = p->socket;
    }
    return count <= 16;
}

static bool takes_whole_nodes(const struct map_facts *m, const struct pool_facts *facts,
                              const struct slot *slots)
{
    uint32_t members[XLP_PCPUS_MAX], sizes[XLP_PCPUS_MAX]; /* of each node */

    for (uint32_t i = 0; i < facts->slot_count; i++)
        members[slots[i].node] = sizes[slots[i].node] = 0;
    for (uint32_t i = 0; i < facts->slot_count; i++) {
        sizes[slots[i].node]++;
        members[slots[i].node] += xlp_cpumap_test(m->slots, i);
    }
    for (uint32_t i = 0; i < facts->slot_count; i++)
        /* cppcheck-suppress uninitvar ; all nodes of slots are set above */
        if (members[slots[i].node] != 0 && members[slots[i].node] != sizes[slots[i].node])
            return false;
    return true;
}

/* A pin is a mask of one pCPU, or of what the scheduler hands out as one. */
static uint32_t pin_of(const struct xlp_cpumap *map, const struct map_facts *m,
                       const struct pool_facts *facts)
{
    if (facts->unit > 1 && m->only_online != XLP_UNKNOWN && xlp_cpumap_count(map) <= facts->unit)
        return m->only_online;
    return xlp_cpumap_only(map);
}

/* Puts what is online of the map into map_slots. Returns the only slot of it, or XLP_NOWHERE. */
static uint32_t find_slots(const struct xlp_cpumap *map, const struct pool_facts *facts,
                           struct xlp_cpumap *map_slots)
{
    uint32_t first = XLP_NOWHERE;
    bool several = false;

    *map_slots = xlp_cpumap_none();
    for (uint32_t i = 0; i < XLP_CPUMAP_WORDS; i++)
        for (uint64_t left = map->word[i] & facts->online.word[i]; left; left &= left - 1) {
            uint32_t slot = facts->slot_of[i * 64 + (uint32_t)__builtin_ctzll(left)];

            several |= first != XLP_NOWHERE && first != slot;
            first = slot;
            xlp_cpumap_set(map_slots, slot);
        }
    return several ? XLP_NOWHERE : first;
}

static void learn_map(const struct xlp_cpumap *map, const struct pool_facts *facts,
                      const struct slot *slots, struct xlp_cpumap *map_slots, struct map_facts *out)
{
    uint32_t only = find_slots(map, facts, map_slots);

    out->slots = map_slots;
    out->only_slot = only;
    out->only_online = only == XLP_NOWHERE ? XLP_UNKNOWN : facts->pcpu_of[only];
    out->pin = pin_of(map, out, facts);
    out->empty = only == XLP_NOWHERE && xlp_cpumap_is_empty(map_slots);
    out->covers = xlp_cpumap_is_subset(&facts->online, map);
    out->whole_nodes = out->covers;
    /* One pCPU is a pin before it is a node. */
    if (!out->covers && only == XLP_NOWHERE)
        out->whole_nodes = takes_whole_nodes(out, facts, slots);
    out->home_node = out->whole_nodes && !out->covers && !out->empty
                         ? slots[xlp_cpumap_next(map_slots, 0)].node
                         : XLP_NOWHERE;
    out->limit = out->pin == XLP_UNKNOWN && !out->covers ? out->slots : NULL;
}

void xlp_pool_facts(const struct xlp_snapshot *s, const struct xlp_pool *pool, struct slot *slots,
                    struct map_facts *maps, struct xlp_cpumap *map_slots,
                    struct pool_facts *facts_out)
{
    struct pool_facts *facts = facts_out;

    facts->pool = pool;
    facts->online = xlp_cpumap_none();
    facts->slot_count = 0;
    facts->unit = 1;
    facts->maps = maps;
    number_slots(s, &s->maps[pool->map], slots, facts);
    for (size_t i = 0; i < s->map_count; i++)
        learn_map(&s->maps[i], facts, slots, &map_slots[i], &maps[i]);
    facts->scheduler_balances = one_run_queue(s, facts);
    facts->fixed = pool->sched == XLP_SCHED_NULL || pool->sched == XLP_SCHED_ARINC653;
    facts->soft_ignored = pool->sched == XLP_SCHED_RTDS;
}
