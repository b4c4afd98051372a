/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the parts of the memory half hand to each other. Private to libxlpolicy/memory. */
#ifndef XLP_MEMORY_PARTS_H
#define XLP_MEMORY_PARTS_H

#include "memory/alloc.h"
#include "memory/memory.h"
#include "plan.h"

#define XLP_MIB       INT64_C(1024) /* in KiB */
#define XLP_SECOND_NS UINT64_C(1000000000)

/* A balloon this near its target has arrived. */
#define XLP_ARRIVED_KIB (4 * XLP_MIB)

static inline int64_t xlp_min_kib(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t xlp_max_kib(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Quanta are powers of two as a rule, which saves a division for each guest. */
static inline int64_t xlp_round_down_kib(int64_t kib, int64_t quantum_kib)
{
    bool is_power = (quantum_kib & (quantum_kib - 1)) == 0;

    return is_power && kib >= 0 ? kib & -quantum_kib : kib - kib % quantum_kib;
}

static inline int64_t xlp_round_up_kib(int64_t kib, int64_t quantum_kib)
{
    return xlp_round_down_kib(kib + quantum_kib - 1, quantum_kib);
}

/* What is left of a time after another has passed. */
static inline uint64_t xlp_time_left(uint64_t left_ns, uint64_t passed_ns)
{
    return left_ns > passed_ns ? left_ns - passed_ns : 0;
}

/* What every look at every guest asks. */
static inline bool xlp_has_report(const struct xlp_domain *d)
{
    return d->memory.report.source != XLP_REPORT_NONE && !d->memory.report_bad;
}

/* Its target is as we wrote it. */
static inline bool xlp_memory_is_ours(const struct xlp_domain_memory *m)
{
    return m->ledger.recorded && m->ledger.our_target_kib == m->target_kib;
}

/* What has been promised to a domain that it has not taken yet. */
static inline int64_t xlp_promised_kib(const struct xlp_domain *d)
{
    const struct xlp_domain_memory *m = &d->memory;
    int64_t to_kib = m->max_kib > 0 ? xlp_min_kib(m->target_kib, m->max_kib) : m->target_kib;

    return xlp_max_kib(0, to_kib - m->actual_kib);
}

/* Whether its memory is on its way back to what it was before us. */
static inline bool xlp_memory_is_releasing(const struct xlp_domain *d)
{
    return d->memory.ledger.recorded && d->memory.ledger.releasing &&
           xlp_untouchable_because(d) == XLP_REASON_NONE;
}

/* As many NUMA nodes as Xen can have; of another nothing is known. */
#define NODES_MAX 64

/* Times below are durations that each snapshot adds to or takes from, never points in time: so they
 * survive a gap, or a clock that starts again. */

/* ---- need.c: what a guest needs ---- */

/* What is remembered of one guest's demand. */
struct demand {
    bool measured;       /* said_kib and peak_kib are of the snapshot before */
    bool overhead_known; /* measured, not guessed */
    bool counters_known;
    int64_t overhead_kib; /* what it has but its own MemTotal does not count */
    int64_t said_kib;     /* in use, by its own account */
    int64_t used_kib;     /* of what it has, by that and what Xen knows; and swapped out */
    int64_t soon_kib;     /* used, and soon to be used */
    int64_t peak_kib;     /* the same; decays slowly from its highest */
    double rise_kib_s;    /* how fast use rises, smoothed; below 0 when it falls */
    uint64_t refault_anon, oom_kill;
    uint64_t pressure_left_ns; /* for so long it is not shrunk */
};

struct levels {
    int64_t need_kib;    /* floor <= need <= cap */
    int64_t bare_kib;    /* below this it will be hurting within seconds */
    int64_t safe_kib;    /* no target below this: max(floor, used + margin) */
    int64_t used_kib;    /* including what its balloon cannot give back, and swap */
    int64_t cap_kib;     /* the most it may have */
    int64_t floor_kib;   /* by policy or size */
    int64_t comfort_kib; /* need <= comfort <= cap */
    int64_t wanted_kib;  /* its need if it could grow without bound */
};

/* What the time since the last look means for every guest alike. */
struct lapse {
    uint64_t passed_ns;
    double per_s;                /* how often it goes into a second */
    double rise_kept, peak_kept; /* of what was known of a rise, and of a peak; 0 ... 1 */
};

struct lapse xlp_lapse(uint64_t passed_ns);

/* Takes in one guest's report. rest_ns: for how long its balloon has been seen at rest. */
void xlp_demand_observe(struct demand *demand, const struct xlp_domain_memory *memory,
                        uint64_t rest_ns, const struct lapse *lapse);

/* From the report just observed. */
void xlp_demand_levels(const struct demand *demand, const struct xlp_domain *d,
                       const struct xlp_policy *policy, const struct xlp_domain_policy *own,
                       struct levels *levels_out);

/* The floor of a guest of which the configuration says nothing: what Linux's own balloon driver
 * takes for the least that such a guest can live with. */
int64_t xlp_default_floor_kib(int64_t static_max_kib);

/* floor_kib and cap_kib, which need no report. */
int64_t xlp_floor_kib(const struct xlp_domain *d, const struct xlp_policy *policy,
                      const struct xlp_domain_policy *own);
int64_t xlp_cap_kib(const struct xlp_domain_memory *memory);

/* ---- balloon.c: how a guest's balloon behaves ---- */

struct balloon {
    bool seen;
    int64_t actual_kib, target_kib; /* in the snapshot before */
    int direction;    /* where it should be going: 1 growing, -1 shrinking, 0 arrived */
    uint64_t rest_ns; /* since actual last changed */
    int64_t brief_from_kib, long_from_kib; /* actual when the two windows were opened */
    uint64_t brief_ns, long_ns;            /* how long ago that was */
    bool slow;                             /* made no progress in the last brief window */
    bool failed;                           /* nor in a long one; stays until it proves itself */
    int64_t failed_actual_kib, failed_target_kib;
    bool retold;           /* it has been told another target since */
    unsigned int failures; /* in a row */
    uint64_t retry_left_ns;
    int64_t distance_kib; /* so far below its target it rests, and always will */
};

/* host_free_kib: a balloon that cannot grow because there is no memory is not to blame. fresh:
 * nothing can be said of the time since the last look (a gap; or the guest is not running). */
void xlp_balloon_observe(struct balloon *balloon, const struct xlp_domain_memory *memory,
                         int64_t host_free_kib, uint64_t passed_ns, bool fresh);

/* Seconds until a slow or failed balloon is tried again. */
int64_t xlp_balloon_retry_s(const struct balloon *balloon);

/* ---- refusal.c: whether the host takes our targets ---- */

struct refusal {
    bool seen;
    uint32_t count; /* in the snapshot before, and so was the target */
    int64_t target_kib;
    uint64_t pause_s; /* after the last refusal; 0: none since a target was taken */
    uint64_t left_ns; /* of that */
};

void xlp_refusal_observe(struct refusal *refusal, const struct xlp_domain_memory *memory,
                         uint64_t passed_ns);

/* ---- eligible.c: whom we may touch ---- */

/* The operator's hand on a target. */
struct hold {
    bool seen;
    int64_t target_kib; /* in the snapshot before */
    bool honoured;      /* a target set by hand has been held: honoured_kib */
    int64_t honoured_kib;
    uint64_t left_ns;
};

void xlp_hold_observe(struct hold *hold, const struct xlp_domain *d,
                      const struct xlp_policy *policy, uint64_t passed_ns);

/* Why this guest's memory is not ours to manage; NONE: it is. */
enum xlp_reason_code xlp_memory_off_limits(const struct xlp_snapshot *s, const struct xlp_domain *d,
                                           const struct xlp_policy *policy,
                                           const struct xlp_domain_policy *own,
                                           const struct hold *hold);

/* ---- pace.c: how fast it gets there ---- */

/* For so long it has to last that a guest could do with clearly more, though it is not short,
 * before that is acted on. */
#define XLP_MORE_PATIENCE_NS (20 * XLP_SECOND_NS)
/* And that it is without all of its margin, before others are taken what they use for that. */
#define XLP_MARGIN_PATIENCE_NS (60 * XLP_SECOND_NS)

/* What is remembered of one guest's surplus or want. */
struct pace {
    int64_t target_kib;     /* in the snapshot before */
    int64_t base_kib;       /* the most it held since its surplus appeared; 0: no surplus */
    int64_t credit_kib;     /* may be returned by now */
    bool returning;         /* and some was, since it appeared */
    uint64_t short_ns;      /* since it is short, though not in danger */
    uint64_t wants_more_ns; /* since it could do with clearly more, though not short */
    uint64_t fell_left_ns;  /* its target fell: so long it asks for nothing beyond its share */
};

struct past {
    uint32_t domid;
    uint8_t uuid[16];
    bool managed;                    /* in this decision */
    enum xlp_reason_code off_limits; /* why it is not, if nothing else is known of it */
    struct pace pace;
    struct demand demand;
    struct balloon balloon;
    struct refusal refusal;
    struct hold hold;
};

/* A guest that is managed, or on its way out of that, in one decision. There are thousands, and
 * several walks over them: so what these look at stands first, and verdict.c works out the rest. */
struct party {
    const struct xlp_domain *domain;
    struct past *past;
    uint32_t index; /* of its domain in the snapshot */
    uint32_t shares;
    uint32_t node;  /* NUMA node that its memory is taken from, or XLP_UNKNOWN */
    bool decided;   /* something was, for the reason below */
    bool releasing; /* moved by release.c, and counted by the others */
    bool silent;    /* it no longer reports: what it needs now is not known */
    bool refused;   /* no target for it for now: the host would not take one */
    bool may_shrink, may_grow;
    bool may_recall;              /* its balloon could give back what it has beyond its share */
    bool in_danger;               /* it asks because it will be hurting soon */
    bool rests;                   /* its balloon is where it was told to be */
    enum xlp_reason_code held_by; /* when it may not shrink: why */
    int64_t actual_kib, told_kib; /* of its domain: what it has, and the target as it is */
    int64_t target_kib;           /* decided; as it is when nothing is to be done */
    int64_t goal_kib;             /* the target it asks for now; 0: none */
    int64_t fair_kib;             /* what the allocation gives it */
    int64_t entitled_kib;         /* what of that nobody can claim away */
    int64_t fitting_kib;          /* a limit to which the present one is to come down, or 0 */
    int64_t dead_zone_kib;        /* the least change that is worth a step */
    struct levels levels;
    int64_t limit_kib; /* to go with the target, 0: leave it */
    struct xlp_reason why;
};

/* The host's memory, from the managed guests' side. */
struct room {
    int64_t pool_kib;     /* theirs to share: what they have, and what is free for them */
    int64_t free_kib;     /* may be handed out now; negative: the reserve is short */
    int64_t coming_kib;   /* on its way back from balloons that move */
    int64_t idle_kib;     /* promised to balloons that do not take it: soon taken back */
    int64_t promised_kib; /* to theirs, and not taken yet */
    int64_t promised_others_kib, built_kib; /* to others, and to those being built */
    int64_t floors_kib, need_kib;           /* of all */
    int64_t claimed_kib;                    /* of the pool, for needs */
    int64_t quantum_kib;                    /* of targets */
    int64_t boot_hold_s;                    /* mem_boot_hold_s */
    int64_t free_for_reservations_kib;
    int64_t reserved_kib; /* of that: kept for guests that are to be created. None of the above */
    bool needs_met;       /* the pool can pay every need */
    bool anybody_releases, anybody_failed; /* so that there is something to do for them */
    int64_t short_kib;  /* out of xlp_pace_wants: to be taken from those with surplus */
    int64_t wants_kib;  /* and what of it is for guests */
    int64_t owed_kib;   /* and of that, what guests have lacked of their own share for a while */
    bool wants_by_node; /* some of what guests want is for those whose NUMA node is known: */
    int64_t node_wants_kib[NODES_MAX];
};

/* When not every need can be met, a part of a quantum is worth a step too, but not each MiB. */
#define XLP_LEAST_KIB (4 * XLP_MIB)

static inline int64_t xlp_least_kib(const struct room *room)
{
    return xlp_min_kib(room->quantum_kib, XLP_LEAST_KIB);
}

static inline bool xlp_is_idle(const struct party *p)
{
    return !p->decided;
}

/* What the host has set aside for it. */
static inline int64_t xlp_granted_kib(const struct party *p)
{
    return xlp_max_kib(p->actual_kib, p->target_kib);
}

/* What of its need it may have of what others use, if its share allows. What one uses is taken from
 * it for what another uses; for another's margin only when that goes without for long. */
static inline int64_t xlp_claimed_kib(const struct party *p)
{
    return p->past->pace.short_ns < XLP_MARGIN_PATIENCE_NS ? p->levels.bare_kib
                                                           : p->levels.need_kib;
}

static inline void xlp_decide(struct party *p, int64_t target_kib, struct xlp_reason why)
{
    p->decided = true;
    p->target_kib = target_kib;
    p->why = why;
}

/* ---- party.c: who takes part, and with what ---- */

/* What the others are to know of a guest that is managed, or on its way out of that; what of the
 * pool it holds, keeps, needs and could do with. Adds to room. */
void xlp_party_join(struct party *p, const struct xlp_domain *d, struct past *past,
                    const struct xlp_policy *policy, const struct xlp_domain_policy *own,
                    struct room *room, struct xlp_claim *claim_out);

/* It fell silent with what we gave it. */
bool xlp_party_fell_silent(const struct xlp_domain *d, enum xlp_reason_code off_limits);

/* ---- verdict.c: why, when somebody asks ---- */

/* Of a decision that is made, on a party in it, and on a domain that is none. */
struct xlp_reason xlp_verdict(const struct party *p, const struct room *room);
struct xlp_reason xlp_verdict_off_limits(const struct xlp_domain *d, const struct past *past);

/* ---- reservations.c: memory kept for guests that are to be created ---- */

/* One reservation in this decision, and what is remembered of it. */
struct kept {
    uint32_t id;
    const struct xlp_domain *taker; /* of this snapshot, or NULL */
    unsigned int missed;            /* looks in a row that did not show the domain that took it */
    int64_t taken_kib;              /* what that has */
    int64_t keeps_kib;              /* left alone by everybody else; what the taker lacks yet */
    int64_t asks_kib;               /* with what it could be larger */
    int64_t has_kib, had_kib;       /* of that: free for it now, and in the snapshot before */
    uint64_t rest_ns;               /* since that last grew */
};

struct reservations {
    struct kept at[XLP_RESERVATIONS_MAX]; /* in the snapshot's order */
    size_t count;
};

void xlp_reservations_observe(struct reservations *rs, const struct xlp_snapshot *s);
/* What those keep that this domain takes its memory out of; NULL: that nobody does yet. */
int64_t xlp_reservations_kept_kib(const struct reservations *rs, const struct xlp_domain *taker);
/* Lets those that may be larger have some of what no guest needs. Returns how much they ask for. */
int64_t xlp_reservations_stretch(struct reservations *rs, const struct xlp_snapshot *s,
                                 int64_t spare_kib);
/* Verdicts, and the actions that bring reservations forward. 0, or -1 when memory is out. */
int xlp_reservations_decide(struct reservations *rs, const struct xlp_snapshot *s,
                            const struct room *room, uint64_t passed_ns, struct xlp_plan *plan);

/* To work in: room for one claim, two ranges and one index a party. */
struct pot {
    struct xlp_claim *claims;
    struct xlp_range *ranges;
    uint32_t *picked; /* parties that are looked at more closely */
};

/* Each decides for parties for which nothing is decided yet, in this order. */
/* release.c */
void xlp_pace_release(struct party *parties, size_t count, const struct xlp_policy *policy,
                      struct room *room, const struct pot *pot);
/* trouble.c */
void xlp_pace_trouble(struct party *parties, size_t count, struct room *room);
/* pace.c */
void xlp_pace_wants(struct party *parties, size_t count, uint64_t passed_ns, struct room *room);
void xlp_pace_shrink(struct party *parties, size_t count, const struct xlp_policy *policy,
                     uint64_t passed_ns, const struct room *room, const struct pot *pot);
/* growth.c: hands out what is free to those that ask: to those on their way back, or to the others.
 * Takes that from room->free_kib. */
void xlp_pace_grow(struct party *parties, size_t count, bool releasing, struct room *room,
                   const struct pot *pot);
/* The most that is taken in one step. */
int64_t xlp_largest_step_kib(const struct party *p, const struct xlp_policy *policy);
/* trouble.c: lets the hypervisor's limit follow balloons that have arrived. fitting: to what, 0
 * where there is nothing to do. limits: finds those for which something is decided by then, whose
 * indices go into decided_out; returns how many. */
int64_t xlp_fitting_limit_kib(const struct party *p);
size_t xlp_pace_limits(struct party *parties, size_t count, uint32_t *decided_out);

#endif
