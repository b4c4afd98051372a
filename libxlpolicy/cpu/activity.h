/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Who is active: by how many vCPUs a domain's tickets are divided, whether it runs at all, and
 * whether it is held up. Private to libxlpolicy/cpu.
 */
#ifndef XLP_CPU_ACTIVITY_H
#define XLP_CPU_ACTIVITY_H

#include "engine.h"
#include "snapshot.h"

/* One vCPU. A spike does not make it active, nor a pause idle. */
struct vcpu_activity {
    bool active;
    uint64_t otherwise_ns; /* for how long it has looked otherwise */
};

/* All zero for a domain that was not seen before. */
struct domain_activity {
    uint32_t sharers; /* active vCPUs; while there is none as many as there were before, at first
                         all that are online. At least 1. */
    bool measured;    /* the rest is known */
    double used;      /* by all of them, in pCPUs, smoothed */
    bool awake;       /* it uses at least a little */
    double runnable, waiting; /* of the looks at vCPUs that block, the parts that found one not
                                 blocked, and waiting; smoothed; 0 where no looks were taken */
    bool held_up;             /* it waits for much of the time that it would run */
};

/* Takes in one snapshot. vcpus and views are parallel to s->vcpus. A domain that may not be touched
 * (d->flags) is taken to sleep, and otherwise stays as it was. */
void xlp_watch_activity(const struct xlp_snapshot *s, const struct xlp_domain *d,
                        const struct xlp_vcpu_view *views, uint64_t elapsed_ns,
                        struct vcpu_activity *vcpus, struct domain_activity *domain);

#endif
