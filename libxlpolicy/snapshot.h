/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A snapshot: everything the engine may know of a host at one moment. A host adapter fills it, the
 * engine only reads it. Memory is in KiB (int64_t), time in ns of the host's monotonic clock.
 *
 * The ledger parts (struct xlp_vcpu_ledger, xlp_weight_ledger and xlp_memory_ledger) say what we
 * found on the host before our first change and what we wrote last. The host keeps them (on Xen: in
 * xenstore under /tool/xlpolicyd), so a restarted daemon knows them again and the engine need not
 * remember.
 */
#ifndef XLP_SNAPSHOT_H
#define XLP_SNAPSHOT_H

#include "cpumap.h"
#include "memory/report.h"

#define XLP_NAME_SIZE 64
#define XLP_UNKNOWN   UINT32_MAX

/* Scheduler weights, of credit and credit2: what a domain has that nobody gave another, and the
 * most there is. */
#define XLP_WEIGHT_USUAL 256
#define XLP_WEIGHT_MAX   65535

enum xlp_sched {
    XLP_SCHED_UNKNOWN,
    XLP_SCHED_CREDIT,
    XLP_SCHED_CREDIT2,
    XLP_SCHED_RTDS,
    XLP_SCHED_ARINC653,
    XLP_SCHED_NULL,
};

/* What the scheduler of a pool places as one: with core (or socket) granularity the vCPUs of a
 * domain go by groups of as many as a core has threads, vCPU 0 and 1, 2 and 3 and so on. A group
 * runs on one core at a time, alone, and has one affinity: a write to one of its vCPUs is a write
 * to all, and Xen takes no mask without the first thread of some core. */
enum xlp_sched_gran { XLP_GRAN_CPU, XLP_GRAN_CORE, XLP_GRAN_SOCKET };

enum xlp_guest_type { XLP_GUEST_UNKNOWN, XLP_GUEST_PV, XLP_GUEST_PVH, XLP_GUEST_HVM };

/* Why a domain may not be touched at all; 0 is an ordinary live guest. */
enum xlp_domain_flags {
    XLP_DOMAIN_PAUSED = 1 << 0,    /* by the operator or toolstack */
    XLP_DOMAIN_BUILDING = 1 << 1,  /* created, never yet unpaused */
    XLP_DOMAIN_MIGRATING = 1 << 2, /* being saved or sent */
    XLP_DOMAIN_SHUTDOWN = 1 << 3,  /* has shut down, not yet gone */
    XLP_DOMAIN_DYING = 1 << 4,     /* being destroyed */
};

struct xlp_pcpu {
    uint32_t id;
    bool online;
    uint32_t core, socket, node; /* XLP_UNKNOWN when the host does not tell */
    uint64_t idle_ns;            /* idle time since boot; meaningless while offline */
};

struct xlp_pool {
    uint32_t id;
    char name[XLP_NAME_SIZE];
    enum xlp_sched sched;
    enum xlp_sched_gran sched_gran;
    uint32_t map; /* its pCPUs: index into snapshot.maps */
};

/* Masks before our first write and after our last. All are indices into snapshot.maps. */
struct xlp_vcpu_ledger {
    bool recorded; /* false: we never wrote, nor were told to adopt; the rest is meaningless */
    uint32_t original_hard, original_soft;
    uint32_t our_hard, our_soft;
};

struct xlp_vcpu {
    uint32_t domain; /* index into snapshot.domains */
    uint32_t id;
    bool online;
    bool blocked, running;
    uint32_t pcpu;        /* where it runs, or ran last */
    uint64_t cpu_time_ns; /* run time since its domain was created */
    /* Looks taken between the previous snapshot and this: how many, in how many of them the vCPU
     * was runnable but not running, and in how many it was blocked. 0 looks: not sampled. */
    uint32_t samples, samples_waiting, samples_blocked;
    uint32_t hard, soft; /* configured affinity: indices into snapshot.maps */
    struct xlp_vcpu_ledger ledger;
};

/* The scheduler weight before our first write and after our last. */
struct xlp_weight_ledger {
    bool recorded;
    uint32_t original_weight, our_weight;
};

struct xlp_memory_ledger {
    bool recorded;
    int64_t original_target_kib, original_max_kib;
    int64_t our_target_kib;
    bool releasing; /* the operator said `release`: on its way back to original_target_kib */
};

/* Without video RAM, so that actual and target of an HVM guest can be compared. */
struct xlp_domain_memory {
    bool balloon;      /* false: the guest says it has no balloon driver */
    bool report_bad;   /* the last text the guest wrote could not be read */
    uint32_t refusals; /* how often a target could not be set since it was first seen */
    struct xlp_memory_ledger ledger;
    struct xlp_mem_report report;             /* source XLP_REPORT_NONE: none yet */
    uint64_t report_age_ns;                   /* since the report last changed */
    int64_t actual_kib;                       /* what the guest holds now */
    int64_t target_kib;                       /* what its balloon was last told */
    int64_t max_kib;                          /* the hypervisor's limit (xl: maxmem) */
    int64_t static_max_kib;                   /* the most it can ever use */
    int64_t video_kib;                        /* video RAM, not in any of the above */
    int64_t dynamic_min_kib, dynamic_max_kib; /* squeezed's bounds, 0 where not set */
    uint64_t by_hand_ns; /* how long ago its target was set, not by us; 0: nobody saw that */
};

/* What every tick has to look at stands first, close together: most ticks wait for it to come from
 * memory. */
struct xlp_domain {
    uint32_t domid;
    uint8_t uuid[16];
    unsigned int flags; /* enum xlp_domain_flags */
    uint32_t pool_id;
    uint32_t weight;                 /* scheduler weight, 0 where the scheduler has none */
    uint32_t cap_pct;                /* in % of one pCPU, for the whole domain; 0: no cap */
    uint32_t first_vcpu, vcpu_count; /* its vCPUs are snapshot.vcpus[first_vcpu ...] */
    uint32_t passthrough_devices;    /* PCI devices assigned */
    bool released;                   /* the operator said `release`: hands off until `adopt` */
    struct xlp_domain_memory memory;
    uint32_t device_node; /* NUMA node of its PCI devices; XLP_UNKNOWN: none, or unknown */
    uint32_t memory_node; /* NUMA node that the host takes its memory from; XLP_UNKNOWN: several, or
                             unknown */
    enum xlp_guest_type type;
    struct xlp_weight_ledger ledger;
    uint64_t age_ns;          /* since it first ran; at least this long */
    char name[XLP_NAME_SIZE]; /* printable ASCII, cut to fit */
};

#define XLP_RESERVATIONS_MAX 64 /* at a time */

/* Memory that is kept free for a guest about to be created. The operator asked for it; the host
 * keeps it, with the ledger. */
struct xlp_reservation {
    uint32_t id;              /* from 1, never given twice */
    char name[XLP_NAME_SIZE]; /* of the guest that takes it as soon as it is there, or has taken it;
                                 "": whoever it is given to */
    uint32_t former_domid;    /* had that name when it was made, and is not meant; 0: nobody had */
    int64_t min_kib, max_kib; /* what was asked for: at least, and at best */
    int64_t granted_kib;      /* 0: not there yet. From then on it is this much */
    uint64_t ttl_left_ns;     /* 0: nobody wants it any more */
    bool taken;               /* by the domain below: what that holds comes out of it */
    uint32_t domid;
    uint8_t uuid[16];
};

/* The host's memory. total = free + scrub + everything domains and Xen hold. */
struct xlp_host_memory {
    int64_t total_kib;
    int64_t free_kib;   /* ready to be handed out */
    int64_t scrub_kib;  /* free, but not scrubbed yet */
    int64_t claims_kib; /* of free: promised to domains being built */
};

struct xlp_snapshot {
    uint64_t time_ns;
    struct xlp_host_memory memory;
    char other_controller[XLP_NAME_SIZE]; /* who else moves memory here ("" none) */

    struct xlp_pcpu *pcpus; /* by rising id; ids may be sparse */
    size_t pcpu_count, pcpu_room;
    struct xlp_pool *pools; /* by rising id */
    size_t pool_count, pool_room;
    struct xlp_domain *domains; /* by rising domid; dom0 included */
    size_t domain_count, domain_room;
    struct xlp_vcpu *vcpus; /* by domain, then by vCPU id */
    size_t vcpu_count, vcpu_room;
    struct xlp_reservation *reservations; /* by rising id */
    size_t reservation_count, reservation_room;
    uint32_t next_reservation; /* the id that the next one gets; 0 stands for 1 */
    struct xlp_cpumap *maps;   /* each different set once; index 0 is "all" */
    size_t map_count, map_room;
    uint32_t *map_index; /* hash table over maps, private to snapshot.c */
    size_t map_index_size;
};

void xlp_snapshot_init(struct xlp_snapshot *s);
void xlp_snapshot_dispose(struct xlp_snapshot *s);

/* Empties it for the next use, keeping its buffers: filling one as large again allocates nothing.
 */
void xlp_snapshot_reset(struct xlp_snapshot *s);

/* Each appends one zeroed element and returns it, or NULL when memory is out (a domain's
 * device_node and memory_node are XLP_UNKNOWN). The pointer is good until the next call of the same
 * function. add_vcpu appends to the domain added last. */
struct xlp_pcpu *xlp_snapshot_add_pcpu(struct xlp_snapshot *s);
struct xlp_pool *xlp_snapshot_add_pool(struct xlp_snapshot *s);
struct xlp_domain *xlp_snapshot_add_domain(struct xlp_snapshot *s);
struct xlp_vcpu *xlp_snapshot_add_vcpu(struct xlp_snapshot *s);
struct xlp_reservation *xlp_snapshot_add_reservation(struct xlp_snapshot *s);

/* The index of this set in s->maps, adding it if it is new. XLP_UNKNOWN when memory is out. */
uint32_t xlp_snapshot_intern(struct xlp_snapshot *s, const struct xlp_cpumap *map);

/* NULL when there is none. */
const struct xlp_domain *xlp_snapshot_domain(const struct xlp_snapshot *s, uint32_t domid);
/* As an operator gives it: by id first, as xl does, else by name. */
const struct xlp_domain *xlp_snapshot_find_domain(const struct xlp_snapshot *s, const char *text);
const struct xlp_vcpu *xlp_snapshot_vcpu(const struct xlp_snapshot *s, uint32_t domid,
                                         uint32_t vcpu);
const struct xlp_reservation *xlp_snapshot_reservation(const struct xlp_snapshot *s, uint32_t id);

/* Copies untrusted text into a name: cut to fit, anything but printable ASCII becomes '?'. */
void xlp_name_copy(char name[XLP_NAME_SIZE], const char *untrusted);

#define XLP_UUID_TEXT_SIZE 37
char *xlp_uuid_format(const uint8_t uuid[16], char text[XLP_UUID_TEXT_SIZE]);

/* 0, or -1 when text is not 8-4-4-4-12 hexadecimal digits. */
int xlp_uuid_parse(const char *text, uint8_t uuid_out[16]);

/* 0, or -1 with a sentence in error (what is wrong and where): orders, indices and ranges above
 * hold. Every snapshot that came from a file is checked before the engine sees it. */
int xlp_snapshot_check(const struct xlp_snapshot *s, char *error, size_t error_size);

const char *xlp_sched_name(enum xlp_sched sched);
const char *xlp_sched_gran_name(enum xlp_sched_gran gran);
const char *xlp_guest_type_name(enum xlp_guest_type type);

#endif
