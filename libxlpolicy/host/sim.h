/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A simulated Xen host: pCPUs shared as Xen's schedulers share them, guests whose demand follows a
 * trace, balloons as they behave in the field, and everything that can go wrong with them, driven
 * by a scenario file. Time passes only in wait(), so an hour takes as long as computing it does.
 *
 * The port (host.h) is its only door for whoever manages it. What is declared here besides is the
 * truth behind it, for those who judge the manager: the trial runner and the tests.
 */
#ifndef XLP_SIM_H
#define XLP_SIM_H

#include "host/host.h"
#include "host/sim_scenario.h"
#include "host/sim_share.h"

#define XLP_SIM_STEP_NS         UINT64_C(100000000)
#define XLP_SIM_SECOND_NS       UINT64_C(1000000000)
#define XLP_SIM_LIMIT_SLACK_KIB 1024 /* libxl: maxmem is the target plus 1 MiB */
#define XLP_SIM_TINY            1e-6 /* of a pCPU: nothing is made of less */

struct xlp_sim_masks {
    struct xlp_cpumap hard, soft;
};

struct xlp_sim_vcpu {
    const struct xlp_sim_trace *load;
    bool online;
    struct xlp_sim_masks masks;
    bool recorded; /* the ledger: what was there before us, what we wrote last */
    struct xlp_sim_masks original, ours;
    struct xlp_sim_masks undone; /* what the manager's last change replaced; hard none: nothing */

    double demand;                 /* the work it wants to do now, in pCPUs */
    double due;                    /* what it may do of that, with the domain's cap */
    double wants, limit;           /* the time it wants for that, and the time it may have */
    double rate, waiting, blocked; /* the parts of its time; their sum is 1 while it is runnable */
    size_t queue, class;           /* where the scheduler keeps it; queue SIZE_MAX: nowhere */
    uint32_t thread;               /* its number among those that are placed as one */
    uint32_t pcpu;                 /* where it was seen last */
    bool moved;                    /* it was told, or queued, to go elsewhere */
    double speed;                  /* the work it does in its run time, 0 ... 1 */
    double work;                   /* that it did in the last step, in pCPUs */
    double cold_ns;                /* of work that the last move still costs */
    double run_ns, work_ns;        /* since its domain was created */
    uint32_t samples, samples_waiting, samples_blocked; /* since the last observe */
};

enum xlp_sim_driver_state { XLP_SIM_DRIVER_IDLE, XLP_SIM_DRIVER_RETRY, XLP_SIM_DRIVER_PARKED };

struct xlp_sim_memory {
    int64_t actual_kib, target_kib, max_kib;
    bool recorded, releasing;
    int64_t original_target_kib, original_max_kib, our_target_kib;
    int64_t unbuilt_kib;     /* claimed, while it is being built */
    int64_t last_change_kib; /* of the target, by the manager */
    uint32_t refusals;
    uint64_t by_hand_at_ns; /* when the target was set, not by the manager; 0: it was not */

    /* the balloon driver */
    enum xlp_sim_balloon balloon;
    enum xlp_sim_driver_state driver;
    unsigned int failures;
    uint64_t retry_ns;    /* sleeps until then */
    int64_t slept_at_kib; /* unless its target is no longer this */
    double carry_kib;     /* of the rate, not yet moved */
    int64_t moved_kib;    /* in the last step; below 0: gave up */

    /* the guest's own memory; wanted: its working set by the trace */
    const struct xlp_sim_trace *used;
    int64_t wanted_kib, deficit_kib, swap_used_kib;
    bool killing; /* swap is full as well */
    uint64_t pswpin, pswpout, refault_anon, oom_kill;
    double psi_some_pct, psi_full_pct, psi_some_us, psi_full_us;

    /* the agent, and what the toolstack reads of it */
    enum xlp_sim_agent agent;
    bool told;
    uint64_t look_ns, told_ns, reset_ns, seq;
    int64_t told_avail_kib, told_total_kib, told_swap_kib;
    struct xlp_mem_report report;
    bool report_bad;
    uint64_t report_ns; /* when its text changed last */
};

/* One slot for each guest of the scenario, and slot 0 for dom0. A reboot keeps the slot. */
struct xlp_sim_domain {
    const struct xlp_sim_guest_spec *spec;
    bool alive;
    uint32_t domid;
    uint8_t uuid[16];
    unsigned int flags; /* enum xlp_domain_flags */
    size_t pool;
    uint32_t weight, cap_pct;
    struct xlp_weight_ledger ledger;
    bool released;
    uint64_t age_ns;   /* when it was created */
    uint64_t seen_ns;  /* when the manager first saw it; UINT64_MAX: not yet */
    uint64_t built_ns; /* when it is built, and may run */
    uint64_t up_ns;    /* when its balloon and its agent start to work */
    uint32_t busy_left;
    uint32_t zero_left; /* so many snapshots will show nothing but zeros of its vCPUs */
    bool vanishes;      /* at the next action on it */
    struct xlp_sim_vcpu *vcpus;
    uint32_t vcpu_count;
    struct xlp_sim_memory memory;
    /* What the manager did to it, over all its lives: affinities changed, of those the ones that
     * undid the change before, affinities written that were so already, weights written, targets
     * changed, and changes that went the other way than the last one. */
    uint32_t moves, reversals, needless_writes, weight_writes, target_writes, target_flips;
    uint32_t growth_failures; /* its balloon asked Xen for more than it could have */
};

struct xlp_sim_pcpu {
    bool online;
    uint32_t core, socket, node;
    size_t pool;     /* SIZE_MAX: in none */
    size_t queue;    /* SIZE_MAX while offline */
    size_t place;    /* its number within the queue */
    uint32_t thread; /* its number within the place, where that is a core or a socket */
    double load;     /* how busy it is now, 0 ... 1 */
    double idle_ns;
};

/* What the scheduler places as one: a vCPU, or several of a domain, where it deals in cores. They
 * run at the same time, each on a thread of its own. */
struct xlp_sim_unit {
    struct xlp_sim_domain *domain;
    struct xlp_sim_vcpu *vcpus;
    uint32_t vcpu_count;
    double limit, rate; /* of any of them */
};

/* The pCPUs that one run queue of the scheduler serves, and how it shares them now. */
struct xlp_sim_queue {
    size_t pool;
    struct xlp_cpumap places; /* the first pCPU of each */
    uint32_t *pcpu_of;        /* [place]: the first */
    size_t place_count, place_room;
    uint32_t span; /* pCPUs a place */
    struct xlp_sim_unit *units;
    size_t unit_count, unit_room;
    struct xlp_cpumap *class_hard, *class_soft;
    size_t class_count, hard_room, soft_room;
    struct xlp_share share;
};

struct xlp_sim_reservation {
    struct xlp_reservation what;
    uint64_t end_ns; /* its time */
};

struct xlp_sim {
    struct xlp_host host; /* first: the port */
    struct xlp_sim_scenario *scenario;
    unsigned int open_flags;
    uint64_t now_ns;
    int64_t clock_step_ns;  /* what snapshots show differs by this */
    uint64_t real_start_ns; /* of the machine's clock, with XLP_HOST_REALTIME */

    struct xlp_sim_pcpu *pcpus;
    uint32_t pcpu_count;
    struct xlp_sim_domain *domains;
    size_t domain_count;
    struct xlp_sim_domain **live; /* by domid, which rises with each creation */
    size_t live_count;
    uint32_t next_domid;
    struct xlp_sim_queue *queues;
    size_t queue_count, queue_room;
    bool rates_stale; /* a demand, a mask or the topology changed */
    uint64_t look_count;

    int64_t free_kib, scrub_kib, claims_kib, total_kib;
    double scrub_carry_kib;
    char other_controller[XLP_NAME_SIZE];

    struct xlp_sim_reservation reservations[XLP_RESERVATIONS_MAX]; /* by id */
    size_t reservation_count;
    uint32_t next_reservation;

    size_t event_next, command_next;
    bool woken; /* something happened that wait() returns for */

    /* After each step: what the last step did is in the state above. */
    void (*probe)(void *arg, struct xlp_sim *sim, uint64_t from_ns, uint64_t to_ns);
    void *probe_arg;
};

/* Takes ownership of the scenario. NULL with one line in error. */
struct xlp_sim *xlp_sim_new(struct xlp_sim_scenario *scenario, unsigned int flags, char *error,
                            size_t error_size);

/* The next event that is the daemon's or its operator's business (XLP_SIM_KILL_DAEMON and after)
 * and whose time has come; NULL: none. */
const struct xlp_sim_event *xlp_sim_next_command(struct xlp_sim *sim);

/* A new daemon: it has not seen any domain yet. */
void xlp_sim_forget_seen(struct xlp_sim *sim);

/* The part of its run time that this vCPU spends on this pCPU now, 0 ... 1. */
double xlp_sim_vcpu_part(const struct xlp_sim *sim, const struct xlp_sim_vcpu *v, uint32_t pcpu);

/* The work that the online pCPUs of the pool can do, in pCPUs that have their core to themselves.
 */
double xlp_sim_capacity(const struct xlp_sim *sim, size_t pool);

/* What the guest sees as its MemTotal. */
static inline int64_t xlp_sim_guest_total_kib(const struct xlp_sim_domain *d)
{
    return d->memory.actual_kib - d->spec->overhead_kib;
}

/* What is granted to this reservation (0: to all together) and not yet taken by a domain. */
int64_t xlp_sim_reserved_kib(const struct xlp_sim *sim, uint32_t id);

/* What a domain that is being built will still take: Xen keeps that for it. */
int64_t xlp_sim_claimed_kib(const struct xlp_sim *sim);

/* ---- between the files of the simulator ---- */

/* sim.c: lets time pass; stops early when woken, if asked to. */
void xlp_sim_advance(struct xlp_sim *sim, uint64_t to_ns, bool stop_when_woken);

/* sim_queue.c, sim_rates.c, sim_cpu.c */
int xlp_sim_cpu_start(struct xlp_sim *sim);
void xlp_sim_cpu_dispose(struct xlp_sim *sim);
int xlp_sim_topology_changed(struct xlp_sim *sim); /* pools, pCPUs on- or offline */
void xlp_sim_balance_queues(struct xlp_sim *sim);
/* Xen takes no hard mask without a place that is online in the domain's pool. */
bool xlp_sim_has_place(const struct xlp_sim *sim, const struct xlp_sim_domain *d,
                       const struct xlp_cpumap *hard);
/* The vCPUs that are placed as one have one affinity: all of them get it, and are queued anew. */
void xlp_sim_set_masks(struct xlp_sim *sim, struct xlp_sim_domain *d, struct xlp_sim_vcpu *v,
                       const struct xlp_sim_masks *masks);
/* Finds queues for all vCPUs of the domain. */
void xlp_sim_enqueue(struct xlp_sim *sim, struct xlp_sim_domain *d);
struct xlp_sim_unit xlp_sim_unit_of(const struct xlp_sim *sim, struct xlp_sim_domain *d,
                                    uint32_t vcpu);
/* 0 where the scheduler knows no weights. */
uint32_t xlp_sim_weight(const struct xlp_sim *sim, const struct xlp_sim_domain *d);
/* Whether the scheduler of this pool knows no soft affinity. */
bool xlp_sim_ignores_soft(const struct xlp_sim *sim, size_t pool);
int xlp_sim_share(struct xlp_sim *sim); /* sets rates, speeds, loads and states from demands */
void xlp_sim_cpu_step(struct xlp_sim *sim, uint64_t to_ns); /* from now_ns */
void xlp_sim_see_vcpus(struct xlp_sim *sim);                /* picks where each was seen */

/* sim_speed.c */
bool xlp_sim_is_even(const struct xlp_sim *sim); /* a vCPU is as fast anywhere, beside anyone */
double xlp_sim_set_speeds(struct xlp_sim *sim);  /* for these rates; the largest change */
void xlp_sim_charge_moves(struct xlp_sim *sim);

/* sim_memory.c, sim_agent.c */
void xlp_sim_memory_step(struct xlp_sim *sim, uint64_t to_ns);
void xlp_sim_agent_step(struct xlp_sim *sim, struct xlp_sim_domain *d, uint64_t to_ns);

/* sim_event.c */
void xlp_sim_event_apply(struct xlp_sim *sim, const struct xlp_sim_event *event);
/* False when it lives already or there is not enough free memory. */
bool xlp_sim_create(struct xlp_sim *sim, struct xlp_sim_domain *d);
void xlp_sim_destroy(struct xlp_sim *sim, struct xlp_sim_domain *d);

/* sim_apply.c */
void xlp_sim_apply(struct xlp_host *host, const struct xlp_action *action,
                   struct xlp_outcome *outcome_out);

/* sim_reservation.c: false when there is no such reservation, or no room for another. */
bool xlp_sim_apply_reservation(struct xlp_sim *sim, const struct xlp_action *action);
int xlp_sim_show_reservations(const struct xlp_sim *sim, struct xlp_snapshot *s);

/* sim_observe.c */
int xlp_sim_observe(struct xlp_host *host, struct xlp_snapshot *s);

#endif
