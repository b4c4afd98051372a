/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What moves memory: ours, and what it is compared with. The others are written anew from what
 * their sources and papers say they do; each is shown what it would know at home, without delay or
 * noise.
 */
#ifndef XLPOLICY_BENCH_MEMORY_POLICY_H
#define XLPOLICY_BENCH_MEMORY_POLICY_H

#include "host.h"

enum mem_policy_id {
    MEM_POLICY_OURS,   /* as its settings say */
    MEM_POLICY_GUESTS, /* the same with mem_surplus = "guests", as those below but static */
    MEM_POLICY_STATIC,
    MEM_POLICY_SQUEEZED,
    MEM_POLICY_MOM,
    MEM_POLICY_PROXMOX,
    MEM_POLICY_QMEMMAN,
    MEM_POLICY_COUNT
};

struct mem_policy {
    const char *name;
    void *(*start)(struct mem_host *h);
    /* Each tenth of a second: looks, and sets targets. True when it decided something anew, be it
     * to leave all as it is. */
    bool (*step)(void *self, struct mem_host *h);
    void (*stop)(void *self);
};

extern const struct mem_policy *const mem_policies[MEM_POLICY_COUNT];

extern const struct mem_policy mem_policy_ours, mem_policy_guests, mem_policy_static,
    mem_policy_squeezed, mem_policy_mom, mem_policy_proxmox, mem_policy_qmemman;

/* MEM_POLICY_COUNT when there is none of this name. */
enum mem_policy_id mem_policy_by_name(const char *name);

/* For those that have nothing to remember. */
void *mem_policy_start_nothing(struct mem_host *h);
void mem_policy_stop_nothing(void *self);

/* Whether this step ends a period of so many seconds. */
bool mem_policy_is_due(const struct mem_host *h, unsigned int period_s);

#endif
