/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A plan: what the engine wants done, in order, each with its reason; and for every domain one
 * verdict on its CPU, one on its weight and one on its memory, so that doing nothing can be
 * explained too.
 */
#ifndef XLP_PLAN_H
#define XLP_PLAN_H

#include "cpumap.h"
#include "reason.h"
#include "snapshot.h"

enum xlp_action_kind {
    XLP_PLACE_VCPU,     /* write hard and soft affinity; the host records what was there before */
    XLP_ADOPT_VCPU,     /* record the present affinity as ours to change; writes nothing else */
    XLP_RELEASE_VCPU,   /* write the original affinity back and forget the record */
    XLP_SET_WEIGHT,     /* write the scheduler weight; the host records what was there before */
    XLP_ADOPT_WEIGHT,   /* record the present weight as ours to change; writes nothing else */
    XLP_RELEASE_WEIGHT, /* write the original weight back and forget the record */
    XLP_SET_TARGET,     /* tell the balloon; the host records what was there before */
    XLP_RELEASE_TARGET, /* a step back to the original target, which the host's record then says; it
                           forgets the record once there is no step left: when the target is the
                           original one already, or is no longer ours */
    XLP_RELEASE_DOMAIN, /* remember: hands off this domain */
    XLP_ADOPT_DOMAIN,   /* forget that again, and that its memory was on its way back */
    XLP_RESERVE,        /* remember: memory is kept for a guest that is to start */
    XLP_GRANT,          /* remember that a reservation is there, and how large it is from now on */
    XLP_TRANSFER,       /* remember which domain takes its memory out of a reservation */
    XLP_UNRESERVE,      /* forget the reservation */
    XLP_ACTION_KINDS
};

struct xlp_action {
    enum xlp_action_kind kind;
    uint32_t domid;
    uint8_t uuid[16]; /* the host refuses when this domid is no longer this domain */
    char name[XLP_NAME_SIZE];
    struct xlp_reason reason;

    /* of a vCPU */
    uint32_t vcpu;
    uint32_t from_pcpu, to_pcpu; /* XLP_UNKNOWN when it had, or gets, no single place */
    struct xlp_cpumap hard, soft;

    /* of a weight; 1 ... XLP_WEIGHT_MAX */
    uint32_t from_weight, to_weight;

    /* of memory */
    int64_t from_kib, to_kib; /* balloon target */
    int64_t limit_kib;        /* hypervisor's limit to go with it, 0: leave it. The host raises it
                                 before the target and lowers it after; never below what the
                                 guest has at that moment. */

    /* The reservation as it is to be. Its action has no domain: domid is XLP_UNKNOWN. */
    struct xlp_reservation reservation;
};

struct xlp_verdict {
    uint32_t domid;
    char name[XLP_NAME_SIZE];
    struct xlp_reason cpu, memory;
    struct xlp_reason weight; /* NONE where cpu_weights is "off" */
};

struct xlp_reservation_verdict {
    uint32_t id;
    struct xlp_reason reason;
};

struct xlp_plan {
    uint64_t time_ns;         /* of the snapshot it was made from */
    struct xlp_reason memory; /* what the host's memory will not do for long; NONE: all is well */
    struct xlp_action *actions;
    size_t action_count, action_room;
    struct xlp_verdict *verdicts; /* one a domain, in the snapshot's order; xlp_engine_explain */
    size_t verdict_count, verdict_room;
    struct xlp_reservation_verdict *reservations; /* one each, in the snapshot's order */
    size_t reservation_count, reservation_room;
};

void xlp_plan_init(struct xlp_plan *p);
void xlp_plan_dispose(struct xlp_plan *p);
void xlp_plan_reset(struct xlp_plan *p); /* empties it, keeping its buffers */

/* Appends a zeroed action for this domain, pCPUs XLP_UNKNOWN; NULL when memory is out. */
struct xlp_action *xlp_plan_add(struct xlp_plan *p, enum xlp_action_kind kind,
                                const struct xlp_domain *domain);

/* The same for a reservation, which the action holds a copy of. 0, or -1 when memory is out. */
int xlp_plan_add_reservation(struct xlp_plan *p, enum xlp_action_kind kind,
                             const struct xlp_reservation *reservation, struct xlp_reason reason);

/* What it is called where it is spoken of: "reservation 1", or "reservation 1 for web9"; the name
 * cut to what is left. Returns text. */
char *xlp_reservation_title(const struct xlp_reservation *reservation, char text[XLP_NAME_SIZE]);

/* Makes room for a verdict on each domain of the snapshot, and starts those on reservations. 0, or
 * -1 when memory is out. */
int xlp_plan_make_room(struct xlp_plan *p, const struct xlp_snapshot *s);

/* Starts a verdict for each domain and each reservation of the snapshot (code NONE). 0, or -1 when
 * memory is out. */
int xlp_plan_start(struct xlp_plan *p, const struct xlp_snapshot *s);

/* What the operator's commands come down to, for one domain (domid) or all (XLP_UNKNOWN):
 * adopt hands over pinned vCPUs and weights set by hand, and ends a release; release puts affinity
 * and weights back as they were, where they still are what we wrote, and (for one domain) keeps
 * hands off from then on. Of memory it only says that it is to go back: the engine then plans steps
 * that are safe, one after the other.
 * 0; -1 when memory is out; XLP_PLAN_REFUSED when dom0 is to be adopted, which is left alone. */
#define XLP_PLAN_REFUSED 1
int xlp_plan_adopt(const struct xlp_snapshot *s, uint32_t domid, struct xlp_plan *plan_out);
int xlp_plan_release(const struct xlp_snapshot *s, uint32_t domid, struct xlp_plan *plan_out);

/* When acting begins again after a release of all: ends it where it is not finished. domid as
 * above. */
int xlp_plan_resume(const struct xlp_snapshot *s, uint32_t domid, struct xlp_plan *plan_out);

/* Where a release of this memory, of which there is a record, has got to: MEM_RELEASING while there
 * are steps to take, MEM_RELEASE when the target is the original one, MEM_RELEASE_KEPT when it is
 * no longer ours. With the latter two only the record has to go. */
struct xlp_reason xlp_release_reason(const struct xlp_domain_memory *memory);

/* Whether an action of the engine's goes on with what the operator commanded, and so is carried out
 * in mode advise as well. */
bool xlp_action_is_commanded(const struct xlp_action *a);

bool xlp_action_is_of_reservation(enum xlp_action_kind kind);

/* Why the state that a domain is in forbids touching it at all; NONE: it does not. */
enum xlp_reason_code xlp_untouchable_because(const struct xlp_domain *d);

const char *xlp_action_name(enum xlp_action_kind kind);

/* Whether it takes a pin away that the vCPU has in this snapshot, and gives it a preference
 * instead; then that, said in text. */
bool xlp_action_lifts_pin(const struct xlp_snapshot *s, const struct xlp_action *a, char *text,
                          size_t size);

/* One line: "web1: 2048 -> 1536 MiB: host reserve short by ..." ; cut to fit. Returns text. */
char *xlp_action_format(const struct xlp_action *a, char *text, size_t size);

#endif
