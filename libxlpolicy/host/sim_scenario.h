/* SPDX-License-Identifier: LGPL-2.1-only */
/* What a scenario file says (xlpolicy-scenario(5)), as data. Times in ns, memory in KiB. */
#ifndef XLP_SIM_SCENARIO_H
#define XLP_SIM_SCENARIO_H

#include "host/host.h"
#include "host/sim_trace.h"
#include "json/json.h"
#include "policy.h"

#define XLP_SIM_TITLE_SIZE 128

enum xlp_sim_balloon {
    XLP_SIM_BALLOON_LINUX,        /* parks when growth fails, as drivers/xen/balloon.c does */
    XLP_SIM_BALLOON_EAGER,        /* tries again each second until it has what it was told */
    XLP_SIM_BALLOON_INTERMITTENT, /* moves for one second in twenty */
    XLP_SIM_BALLOON_TRICKLE,      /* one page in five seconds */
    XLP_SIM_BALLOON_STUCK,
    XLP_SIM_BALLOON_STUCK_UP,   /* never grows */
    XLP_SIM_BALLOON_STUCK_DOWN, /* never shrinks */
    XLP_SIM_BALLOON_REFUSES,    /* the toolstack refuses each new target */
    XLP_SIM_BALLOON_NONE,       /* no driver in the guest */
};

enum xlp_sim_agent {
    XLP_SIM_AGENT_OURS,
    XLP_SIM_AGENT_QUBES,
    XLP_SIM_AGENT_XENSERVER,
    XLP_SIM_AGENT_NONE,    /* never wrote anything */
    XLP_SIM_AGENT_DEAD,    /* what it wrote last stays */
    XLP_SIM_AGENT_LIES,    /* claims that all memory is in use */
    XLP_SIM_AGENT_FLOODS,  /* writes all the time, whether there is news or not */
    XLP_SIM_AGENT_RESETS,  /* is started anew every ten seconds, its counters from 0 */
    XLP_SIM_AGENT_GARBAGE, /* writes what no parser accepts */
};

extern const char *const xlp_sim_balloon_names[]; /* NULL-terminated, by the enums above */
extern const char *const xlp_sim_agent_names[];

struct xlp_sim_pool_spec {
    char name[XLP_NAME_SIZE];
    struct xlp_cpumap pcpus;
    enum xlp_sched sched;
    enum xlp_sched_gran sched_gran;
    struct xlp_cpumap places; /* of what is placed on as one, the first pCPU */
};

/* One guest; an entry with "count" makes several. */
struct xlp_sim_guest_spec {
    char name[XLP_NAME_SIZE];
    uint64_t start_ns; /* when it is created */
    uint64_t age_ns;   /* how long it had been up by then */
    uint64_t build_ns; /* how long its toolstack takes before it runs */
    uint64_t boot_ns;  /* from then until its balloon and its agent work */
    enum xlp_guest_type type;
    size_t pool; /* index into pools */
    uint32_t weight, cap_pct, pci_devices;
    uint32_t device_node; /* NUMA node of these devices, or XLP_UNKNOWN */
    uint32_t memory_node; /* of its memory; XLP_UNKNOWN: it is all the same to it */

    uint32_t vcpu_count, online_vcpus; /* the first ones are online */
    struct xlp_cpumap *hard, *soft;    /* [vcpu_count] */
    const struct xlp_sim_trace *load;  /* [vcpu_count] in percent of a pCPU */
    double noise_pct;

    int64_t memory_kib, max_memory_kib, video_kib;
    int64_t dynamic_min_kib, dynamic_max_kib;
    int64_t overhead_kib; /* of what it holds, never seen by its own MemTotal */
    int64_t cache_kib, swap_kib;
    struct xlp_sim_trace used; /* in MiB */
    enum xlp_sim_balloon balloon;
    double balloon_mib_s;
    enum xlp_sim_agent agent;
};

struct xlp_sim_host_spec {
    uint32_t pcpus, sockets, threads, nodes;
    double core_capacity; /* what all threads of a core do together, in lone threads */
    double remote_speed;  /* of a vCPU away from its memory's node, 1 at home */
    double migration_ms;  /* of work that a move costs */
    struct xlp_cpumap offline;
    struct xlp_sim_pool_spec *pools;
    size_t pool_count;
    int64_t free_kib, claims_kib; /* free: once every guest of time 0 has its memory */
    double scrub_mib_s;
    double samples_per_s;
    double speed; /* simulated seconds in one real second */
    uint64_t seed;
    char other_controller[XLP_NAME_SIZE];
};

enum xlp_sim_event_kind {
    XLP_SIM_START, /* not in the file: made from start_s */
    XLP_SIM_DESTROY,
    XLP_SIM_REBOOT,
    XLP_SIM_PAUSE,
    XLP_SIM_UNPAUSE,
    XLP_SIM_MIGRATE,
    XLP_SIM_SHUTDOWN,
    XLP_SIM_VCPU_PIN,
    XLP_SIM_VCPU_SET,
    XLP_SIM_SCHED,
    XLP_SIM_MEM_SET,
    XLP_SIM_SET_LOAD,
    XLP_SIM_SET_USED,
    XLP_SIM_SET_BALLOON,
    XLP_SIM_SET_AGENT,
    XLP_SIM_POOL_MIGRATE,
    XLP_SIM_PCPU_OFFLINE,
    XLP_SIM_PCPU_ONLINE,
    XLP_SIM_CLAIM,
    XLP_SIM_CONTROLLER,
    XLP_SIM_FAULT_BUSY,
    XLP_SIM_FAULT_VANISH,
    XLP_SIM_FAULT_ZERO,
    XLP_SIM_CLOCK_STEP,
    /* for the trial runner, which plays the daemon and its operator */
    XLP_SIM_KILL_DAEMON,
    XLP_SIM_STALL_DAEMON,
    XLP_SIM_ADOPT,
    XLP_SIM_RELEASE,
    XLP_SIM_ACT,
    XLP_SIM_SETTING,
    XLP_SIM_RESERVE,
    XLP_SIM_TRANSFER,
    XLP_SIM_UNRESERVE,
    XLP_SIM_EVENT_KINDS
};

struct xlp_sim_event {
    uint64_t at_ns;
    enum xlp_sim_event_kind kind;
    size_t guest; /* index into guests, or SIZE_MAX: none, or all */
    uint32_t vcpu;
    bool has_vcpu, has_hard, has_soft, has_weight, has_cap;
    struct xlp_cpumap hard, soft;
    uint32_t weight, cap_pct, pcpu, times, vcpus;
    size_t pool;
    int64_t memory_kib, min_kib; /* min: of a reservation, 0: as much as memory */
    uint64_t ttl_ns;
    uint32_t reservation;
    uint64_t down_ns; /* how long the daemon is away */
    int64_t step_ns;  /* of the clock that snapshots show */
    struct xlp_sim_trace trace;
    enum xlp_sim_balloon balloon;
    enum xlp_sim_agent agent;
    char name[XLP_NAME_SIZE], value[XLP_NAME_SIZE];
};

enum xlp_sim_check {
    XLP_CHECK_PCPU_SPREAD,
    XLP_CHECK_VCPUS_PER_PCPU,
    XLP_CHECK_MOVES,
    XLP_CHECK_REVERSALS,
    XLP_CHECK_NEEDLESS_WRITES,
    XLP_CHECK_GUEST_CPU,
    XLP_CHECK_GUEST_CPU_SPREAD,
    XLP_CHECK_GUEST_WORK,
    XLP_CHECK_GUEST_SHARE,
    XLP_CHECK_UNFAIRNESS,
    XLP_CHECK_LOST_WORK,
    XLP_CHECK_ELSEWHERE,
    XLP_CHECK_AFFINITY,
    XLP_CHECK_AFFINITY_UNCHANGED,
    XLP_CHECK_WEIGHT,
    XLP_CHECK_WEIGHT_WRITES,
    XLP_CHECK_SHORT,
    XLP_CHECK_DEFICIT,
    XLP_CHECK_GIVERS_SAFE,
    XLP_CHECK_SIZES_WITHIN,
    XLP_CHECK_GUEST_MEMORY,
    XLP_CHECK_HOST_FREE,
    XLP_CHECK_TARGET_WRITES,
    XLP_CHECK_TARGET_FLIPS,
    XLP_CHECK_GROWTH_FAILURES,
    XLP_CHECK_RESERVED,
    XLP_CHECK_RESERVATIONS,
    XLP_CHECK_OUTCOMES,
    XLP_CHECK_KINDS
};

/* What is to hold. Bounds not given are infinite. */
struct xlp_sim_expect {
    enum xlp_sim_check check;
    uint64_t from_ns, to_ns;
    uint32_t from_tick; /* > 0: from the start of this tick instead, whatever the tick's length */
    char guests[XLP_NAME_SIZE];
    bool pinned;     /* count vCPUs by where they are pinned rather than by where they run */
    double min, max; /* in the unit that the check's key names */
    double margin_mib;
    uint32_t reservation; /* 0: all */
    struct xlp_cpumap map;
    enum xlp_outcome_code outcome;
    unsigned int line; /* in the file */
};

struct xlp_sim_scenario {
    char title[XLP_SIM_TITLE_SIZE];
    uint64_t run_ns;
    struct xlp_policy policy;
    struct xlp_sim_host_spec host;
    struct xlp_sim_guest_spec dom0;
    struct xlp_sim_guest_spec *guests;
    size_t guest_count, guest_room;
    struct xlp_sim_event *events; /* by time */
    size_t event_count, event_room;
    struct xlp_sim_expect *expects;
    size_t expect_count, expect_room;

    void **blocks; /* what masks and traces lie in, freed with the scenario */
    size_t block_count, block_room;
};

/* Reads a file. NULL with "FILE: line L, column C: what" in error. */
struct xlp_sim_scenario *xlp_sim_scenario_read_file(const char *path, char *error,
                                                    size_t error_size);
/* The same from a parsed value; the errors have no file name. */
struct xlp_sim_scenario *xlp_sim_scenario_read(const struct xlp_json *root, char *error,
                                               size_t error_size);
const char *xlp_sim_check_name(enum xlp_sim_check check);
void xlp_sim_scenario_free(struct xlp_sim_scenario *scenario);

/* How many pCPUs a scheduler of this granularity places something on as one. */
uint32_t xlp_sim_span(const struct xlp_sim_host_spec *host, enum xlp_sched_gran gran);

#endif
