/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The Xen host, private to host/xen*.c: what is kept between two looks at it, and what its parts do
 * for each other. One tree serves Xen 4.14 to 4.20: only calls that all of them have are used.
 *
 * What is asked of the hypervisor every tick: one list of domains, one read of the idle times, one
 * a cpupool, one of the host's memory, and one for each vCPU of a domain that has several. Nothing
 * tells when `xl vcpu-pin` or `xl sched-credit2` change something behind our back: affinities,
 * weights, and where a vCPU that may run anywhere does run, are read again in turn, AGAIN_VCPUS of
 * them a tick, and besides where we have reason to: all of them for a command of the operator's,
 * and what we write to, before we do. xenstore is read when a watch says that something changed;
 * the rest of what it holds changes rarely and is read again every SLOW_TICKS looks. dom0's
 * processes are looked through for those that save a domain.
 */
#ifndef XLP_HOST_XEN_H
#define XLP_HOST_XEN_H

/* Xen's headers are written in GNU C, and say so if the compiler is asked for strict C17. */
#pragma push_macro("__STRICT_ANSI__")
#undef __STRICT_ANSI__
#include <libxl.h>
#include <xenctrl.h>
#include <xenstore.h>
#include <xentoollog.h>
#pragma pop_macro("__STRICT_ANSI__")

#include "host.h"

#define XEN_PAGE_KIB INT64_C(4)
/* libxl lets a domain have this much more than its target and video RAM (LIBXL_MAXMEM_CONSTANT).
 * It is not part of the limits we show, so that limit and target can be compared. */
#define XEN_LIMIT_SLACK_KIB INT64_C(1024)
#define XEN_SIZE_MAX_KIB    (INT64_C(1) << 44) /* what a snapshot may hold */
#define XEN_SLOW_TICKS      10
#define XEN_AGAIN_VCPUS     16
#define XEN_RECHECK_TICKS   60 /* so often what watches tell of is read all the same */

#define XEN_NS_PER_MS UINT64_C(1000000)
#define XEN_NS_PER_S  UINT64_C(1000000000)

struct xen_masks {
    struct xlp_cpumap hard, soft;
};

/* The ledger of one vCPU. A write is recorded before it is made: next is then what it will set. */
struct xen_vcpu_record {
    struct xen_masks original, ours, next;
    bool pending; /* next is valid: whether the write was made shows in the masks themselves */
};

/* What dom0's kernel counted for one of its own vCPUs, in hundredths of a second. */
struct xen_dom0_time {
    uint64_t all, idle, waited;
};

struct xen_vcpu {
    bool exists;   /* vCPU ids may have holes */
    bool doubtful; /* masks and pcpu: they are read again at the next look */
    bool online, blocked, running;
    uint32_t pcpu;
    uint64_t cpu_time_ns;
    struct xen_masks masks; /* as last read or written by us */
    uint32_t samples, samples_waiting, samples_blocked;
    struct xen_dom0_time dom0_time; /* at the last look, of dom0's only */
    struct xen_vcpu_record *record; /* NULL: none */
};

/* The ledger of a domain's weight. */
struct xen_weight_record {
    bool recorded;
    bool inherited; /* of the same domain before it rebooted: to be confirmed */
    bool pending;   /* next is valid */
    uint32_t original, ours, next;
};

/* The ledger of a domain's memory, in KiB. */
struct xen_memory_record {
    bool recorded;
    bool inherited; /* of the same domain before it rebooted: to be confirmed */
    bool pending;   /* next_target is valid */
    bool releasing; /* on its way back to original_target */
    int64_t original_target, original_max, our_target, next_target;
};

/* A target that somebody else set while a daemon looked on. */
struct xen_hand {
    bool known;                  /* of this domain: when, and which */
    int64_t target_kib, since_s; /* of the monotonic clock */
    int64_t seen_kib;            /* its target at the last look, or as we set it; 0: not yet */
};

/* What a guest wrote of its memory, unparsed. */
struct xen_report {
    enum xlp_report_source source;
    char *untrusted_text, *untrusted_total; /* total: XenServer's second key */
    unsigned int length, total_length;
    uint64_t changed_ns; /* when we first saw this text */
    bool found;          /* it was there when we first looked: it may be older than that */
};

enum xen_watch { XEN_WATCH_MEMORY, XEN_WATCH_AGENT, XEN_WATCH_XENSERVER, XEN_WATCHES };

/* What must be read again from xenstore. */
enum xen_stale {
    XEN_STALE_MEMORY = 1 << 0, /* sizes */
    XEN_STALE_REPORT = 1 << 1,
    XEN_STALE_SLOW = 1 << 2,   /* name, type, devices */
    XEN_STALE_LEDGER = 1 << 3, /* ours: only when another process may write it, or at first */
    XEN_STALE_STORE = XEN_STALE_MEMORY | XEN_STALE_REPORT | XEN_STALE_SLOW,
    XEN_STALE_ALL = XEN_STALE_STORE | XEN_STALE_LEDGER,
};

/* Was a domain set up so that it can have PCI devices, now or later? */
enum xen_iommu { XEN_IOMMU_UNKNOWN, XEN_IOMMU_NO, XEN_IOMMU_YES };

struct xen_domain {
    uint32_t domid;
    uint8_t uuid[16];
    uint64_t first_tick, seen_tick; /* the looks that first and last found it */
    uint64_t first_ran_ns; /* the look that first found that it has run; 0: it has not yet */
    uint64_t age_then_ns;  /* how long it had run by then, at least */
    xc_domaininfo_t info;  /* as of the last look */
    uint32_t read_in_pool; /* the cpupool in which its vCPUs were last read */
    bool weight_due;       /* to be read, at this look or the next that can */

    bool being_saved;   /* or sent, while it may still run */
    unsigned int stale; /* enum xen_stale */
    bool watched;
    bool told_once[XEN_WATCHES]; /* each watch fires once for being set */
    unsigned int own_writes;     /* of its target, whose event is still to come */
    uint64_t agent_event_ns;     /* when its agent last reported */

    char name[XLP_NAME_SIZE];
    enum xlp_guest_type type;
    uint32_t weight, cap_pct;
    uint32_t passthrough_devices;
    uint32_t device_node; /* as in struct xlp_domain */
    uint32_t memory_node; /* or XLP_UNKNOWN */
    enum xen_iommu iommu; /* once known, it does not change */

    int64_t target_kib, static_max_kib; /* -1: not in xenstore. static_max without video RAM */
    int64_t video_kib, dynamic_min_kib, dynamic_max_kib;
    bool balloon;
    struct xen_report report;

    bool ledger_has_domid;
    bool ledger_is_anothers; /* at the last reading: another live domain's with this UUID */
    bool released;
    struct xen_weight_record weight_record;
    struct xen_memory_record memory;
    struct xen_hand hand;
    uint32_t target_refusals;

    struct xen_vcpu *vcpus; /* by id */
    size_t vcpu_count, vcpu_room;
};

/* A domain that went, and may come back: it reboots, or was saved, or sent to another host. */
struct xen_gone {
    uint8_t uuid[16];
    int64_t since_s; /* of the monotonic clock */
    bool retired;    /* what cannot outlive it is removed, and since_s is in xenstore */
};

struct xen_reservation {
    struct xlp_reservation what; /* but for the time it has left */
    int64_t end_s;               /* of the monotonic clock */
};

struct xen_pcpu {
    bool present;
    uint32_t core, socket, node;
    uint64_t idle_ns;
    uint64_t compared_idle_ns; /* when saturation was last judged */
};

struct xen_pool {
    uint32_t id;
    uint32_t sched_id;
    char name[XLP_NAME_SIZE];
    struct xlp_cpumap map;
    uint64_t seen_tick;
};

/* A vCPU to look at between two ticks. */
struct xen_sample_target {
    struct xen_domain *domain;
    uint32_t vcpu;
};

/* Keeps the last complaint of libxenctrl and libxl, for our own one-line errors. */
struct xen_logger {
    xentoollog_logger vtable;
    char last[160];
};

struct xen_host {
    struct xlp_host base;
    bool read_only;
    int lock_fd; /* held by the one process that may change the host; -1 when read-only */
    struct xen_logger logger;
    xc_interface *xc;
    struct xs_handle *xs;
    libxl_ctx *libxl;

    uint64_t tick;   /* counts observations */
    uint64_t now_ns; /* the time of the present one */
    bool watching;   /* for domains that come and go: from the first wait on */
    bool store_lost; /* the connection to xenstore is of no more use */
    bool introduce_told, release_told;
    bool event; /* a watch fired that matters */

    unsigned int pcpu_limit; /* pCPU ids are below this */
    size_t mask_size;        /* bytes of Xen's own masks */
    uint8_t *hard_bytes, *soft_bytes;
    size_t node_size; /* bytes of Xen's masks of NUMA nodes */
    uint8_t *node_bytes;
    bool has_nodes;          /* more than one */
    struct xlp_cpumap every; /* all pCPU ids below pcpu_limit */

    struct xen_pcpu *pcpus; /* pcpu_limit of them */
    xc_cputopo_t *topology; /* scratch of the same length */
    xc_cpuinfo_t *idle;
    struct xlp_cpumap online;
    uint64_t compared_ns; /* when saturation was last judged; 0: not yet */

    struct xlp_cpumap saturated; /* hardly idle in the time before compared_ns */

    struct xen_pool *pools;
    size_t pool_count, pool_room;
    bool pools_changed; /* since all domains were last looked at: one came, or has other pCPUs */

    xc_domaininfo_t *infos;
    size_t info_count, info_room;
    struct xen_domain **domains; /* by domid */
    size_t domain_count, domain_room;
    uint32_t again_domid,
        again_vcpu;          /* whose turn it is to be read again, or of the next there is */
    unsigned int again_left; /* of a look's */
    bool all_due;            /* at this look, whose turn it is or not */
    struct xen_gone *gone;
    size_t gone_count, gone_room;
    uint64_t swept_ns; /* when they were last looked through; 0: not yet */

    struct xen_reservation reservations[XLP_RESERVATIONS_MAX]; /* by id */
    size_t reservation_count;
    uint32_t next_reservation;
    bool reservations_loaded;

    char other_controller[XLP_NAME_SIZE];
    uint64_t controller_looked_ns, saved_looked_ns;

    struct xen_sample_target *single, *multiple; /* of domains with one vCPU, and with several */
    size_t single_count, single_room, multiple_count, multiple_room;
    uint64_t next_sample_ns;
    uint64_t jitter;

    struct pollfd *poll_fds;
    size_t poll_room;

    uint64_t needless_writes; /* asked for and not made, because nothing would have changed */
};

static inline struct xen_host *xen_host_of(struct xlp_host *host)
{
    return (struct xen_host *)host;
}

uint64_t xlp_xen_now_ns(void);

/* The port's observe. */
int xlp_xen_observe(struct xlp_host *host, struct xlp_snapshot *s);

/* Sets base.error to "doing: why", with the mend for the usual causes. Returns -1. */
int xlp_xen_fail(struct xen_host *h, const char *doing);
int xlp_xen_out_of_memory(struct xen_host *h);

/* ---- xen_machine.c: pCPUs, pools, the host's memory ---- */

int xlp_xen_machine_open(struct xen_host *h);
void xlp_xen_machine_close(struct xen_host *h);
int xlp_xen_observe_machine(struct xen_host *h, struct xlp_snapshot *s);
const struct xen_pool *xlp_xen_pool(const struct xen_host *h, uint32_t id);

/* The one NUMA node that Xen takes this domain's memory from; XLP_UNKNOWN: several, there is only
 * one, or Xen does not tell. */
uint32_t xlp_xen_memory_node(struct xen_host *h, uint32_t domid);

/* ---- xen_dom0.c: what dom0's own kernel tells ---- */

/* Fills the samples of dom0's vCPUs from its kernel's counters. */
void xlp_xen_count_dom0(struct xen_domain *dom0);

/* What memory dom0 uses, as an agent would report it; proc: where its /proc is. 0, or -1 when its
 * kernel does not tell, or nothing sensible. */
int xlp_xen_read_dom0_report(const char *proc, struct xlp_mem_report *report_out);

/* ---- xen_domains.c: which there are, and what they are ---- */

int xlp_xen_observe_domains(struct xen_host *h, struct xlp_snapshot *s);
void xlp_xen_domains_close(struct xen_host *h);
struct xen_domain *xlp_xen_domain(const struct xen_host *h, uint32_t domid);
/* Its weight and cap; 0 and 0 where the scheduler of its pool has none. 0, 1 when the domain has
 * gone, or -1. */
int xlp_xen_read_scheduling(struct xen_host *h, struct xen_domain *d);

/* ---- xen_memory.c: sizes and reports of a domain, in the snapshot's terms ---- */

int64_t xlp_xen_actual_kib(const struct xen_domain *d);
int64_t xlp_xen_max_kib(const struct xen_domain *d);
void xlp_xen_fill_memory(const struct xen_domain *d, uint64_t age_ns, uint64_t now_ns,
                         struct xlp_domain_memory *m);

/* ---- xen_vcpus.c ---- */

/* Reads all vCPUs of d, whose info is fresh. 0, 1 when the domain has gone, or -1. */
int xlp_xen_read_vcpus(struct xen_host *h, struct xen_domain *d);
/* Called once a look, before the first domain's. */
void xlp_xen_begin_vcpus(struct xen_host *h);

/* One vCPU's configured affinity. 0, or -1 with errno. */
int xlp_xen_read_masks(struct xen_host *h, uint32_t domid, uint32_t vcpu,
                       struct xen_masks *masks_out);

/* Writes the masks of `to` that differ from `from`, in one call. 0, or -1 with errno. */
int xlp_xen_write_masks(struct xen_host *h, uint32_t domid, uint32_t vcpu,
                        const struct xen_masks *from, const struct xen_masks *to);
bool xlp_xen_masks_equal(const struct xen_masks *a, const struct xen_masks *b);
/* A set without the pCPUs that this machine cannot have; "all" if those are all it can. */
struct xlp_cpumap xlp_xen_map_here(const struct xen_host *h, const struct xlp_cpumap *map);
bool xlp_xen_vcpu_is_missing(int error);

/* ---- xen_store.c: xenstore ---- */

/* 0 with a text the caller frees, 1 when there is no such key, or -1 when xenstore fails. */
int xlp_xen_store_read(struct xen_host *h, const char *path, char **text_out,
                       unsigned int *length_out);
/* A whole decimal number 0 ... XEN_SIZE_MAX_KIB; anything else counts as absent. */
int xlp_xen_store_number(struct xen_host *h, const char *path, int64_t absent, int64_t *out);

/* Connects again, and writes down again what the ledger has to say, which may have been lost. 0, or
 * -1 if xenstore is not there. */
int xlp_xen_store_reconnect(struct xen_host *h);
/* From now on, watch. What cannot be watched is read at each look, and tried again. */
void xlp_xen_store_watch(struct xen_host *h);
void xlp_xen_store_take_events(struct xen_host *h); /* marks what is stale, sets event */
void xlp_xen_store_unwatch(struct xen_host *h, struct xen_domain *d);
/* Reads what is stale of d. 0, or -1. */
int xlp_xen_store_refresh(struct xen_host *h, struct xen_domain *d);
/* Only the sizes and devices, now: before a target is changed. */
int xlp_xen_store_refresh_sizes(struct xen_host *h, struct xen_domain *d);
uint64_t xlp_xen_store_age_ns(struct xen_host *h, const struct xen_domain *d);

/* ---- xen_ledger.c: what was there before us, under /tool/xlpolicyd ---- */

int xlp_xen_ledger_open(struct xen_host *h);
/* Writes all of it that is in memory to a xenstore that may have lost it. 0, or -1. */
int xlp_xen_ledger_restore(struct xen_host *h);
/* Reads the records of d. 0, or -1. */
int xlp_xen_ledger_load(struct xen_host *h, struct xen_domain *d);
/* Whether there is no place for records of d now: those of its UUID are another live domain's. */
bool xlp_xen_ledger_is_anothers(const struct xen_host *h, const struct xen_domain *d);
/* Called once its masks and target have been read: was a pending write made, did Xen change what we
 * wrote, does an inherited record hold? */
void xlp_xen_ledger_settle(struct xen_host *h, struct xen_domain *d);
/* Each returns 0, or -1 with errno; nothing is recorded then. record NULL forgets it. */
int xlp_xen_ledger_write_vcpu(struct xen_host *h, struct xen_domain *d, uint32_t vcpu,
                              const struct xen_vcpu_record *record);
int xlp_xen_ledger_write_weight(struct xen_host *h, struct xen_domain *d,
                                const struct xen_weight_record *record);
int xlp_xen_ledger_write_memory(struct xen_host *h, struct xen_domain *d,
                                const struct xen_memory_record *record);
/* d->hand, where it is known. */
int xlp_xen_ledger_write_hand(struct xen_host *h, struct xen_domain *d);
int xlp_xen_ledger_write_released(struct xen_host *h, struct xen_domain *d, bool released);
/* A domain went: its records go too, those of its vCPUs soon, the others much later. */
void xlp_xen_ledger_gone(struct xen_host *h, const struct xen_domain *d);
void xlp_xen_ledger_sweep(struct xen_host *h, uint64_t now_ns);

/* ---- xen_reservation.c: memory kept for guests that are to start, beside the ledger ---- */

/* 0, or -1. */
int xlp_xen_show_reservations(struct xen_host *h, struct xlp_snapshot *s);
/* Writes them to a xenstore that may have lost them. 0, or -1. */
int xlp_xen_reservations_restore(struct xen_host *h);
void xlp_xen_apply_reservation(struct xen_host *h, const struct xlp_action *action,
                               struct xlp_outcome *outcome_out);

/* ---- xen_controller.c: who else moves memory ---- */

void xlp_xen_find_controller(struct xen_host *h, uint64_t now_ns);

/* ---- xen_process.c ---- */

bool xlp_xen_process_runs(const char *name);
/* Sets being_saved of each domain; what was found a moment ago still counts. */
void xlp_xen_find_saved(struct xen_host *h, uint64_t now_ns);

/* ---- xen_libxl.c ---- */

void xlp_xen_logger_init(struct xen_logger *logger);
int xlp_xen_libxl_open(struct xen_host *h);
void xlp_xen_libxl_close(struct xen_host *h);
/* Whether libxl would wait for another process that changes the domain's files. */
bool xlp_xen_libxl_is_locked(const struct xen_domain *d);
/* What libxl's configuration of the domain says; unknown if it cannot be read at this moment. */
enum xen_iommu xlp_xen_libxl_iommu(struct xen_host *h, const struct xen_domain *d);
/* 0, or -1 (the complaint is in logger.last). */
int xlp_xen_libxl_set_weight(struct xen_host *h, uint32_t domid, uint32_t weight);
/* Has dom0's sizes written to xenstore, where nobody has done so since the host was booted. */
void xlp_xen_libxl_make_dom0_target(struct xen_host *h);
/* Target in the guest's terms: without video RAM. 0, or -1 (the complaint is in logger.last). */
int xlp_xen_libxl_set_target(struct xen_host *h, const struct xen_domain *d, int64_t target_kib);

/* ---- xen_devices.c ---- */

/* How many PCI devices a domain has, and their node. 0 or -1. */
int xlp_xen_read_devices(struct xen_host *h, struct xen_domain *d);

/* ---- xen_apply.c, xen_weight.c and xen_balloon.c ---- */

void xlp_xen_apply(struct xlp_host *host, const struct xlp_action *action,
                   struct xlp_outcome *outcome_out);
void xlp_xen_apply_weight(struct xen_host *h, struct xen_domain *d, const struct xlp_action *action,
                          struct xlp_outcome *outcome_out);
void xlp_xen_apply_target(struct xen_host *h, struct xen_domain *d, const struct xlp_action *action,
                          struct xlp_outcome *outcome_out);
void xlp_xen_outcome(struct xlp_outcome *o, enum xlp_outcome_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The ledger could not be written, by errno: so nothing was changed. */
void xlp_xen_not_recorded(struct xlp_outcome *o);

/* ---- xen_wait.c ---- */

int xlp_xen_wait(struct xlp_host *host, uint64_t until_ns, struct pollfd *fds, nfds_t fd_count);
/* Which vCPUs to look at until the next observation. 0, or -1. */
int xlp_xen_choose_samples(struct xen_host *h);

#endif
