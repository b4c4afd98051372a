/* SPDX-License-Identifier: LGPL-2.1-only */
#include "policy.h"

#include <math.h>

const struct mem_policy *const mem_policies[MEM_POLICY_COUNT] = {
    [MEM_POLICY_OURS] = &mem_policy_ours,       [MEM_POLICY_GUESTS] = &mem_policy_guests,
    [MEM_POLICY_STATIC] = &mem_policy_static,   [MEM_POLICY_SQUEEZED] = &mem_policy_squeezed,
    [MEM_POLICY_MOM] = &mem_policy_mom,         [MEM_POLICY_PROXMOX] = &mem_policy_proxmox,
    [MEM_POLICY_QMEMMAN] = &mem_policy_qmemman,
};

enum mem_policy_id mem_policy_by_name(const char *name)
{
    for (enum mem_policy_id id = 0; id < MEM_POLICY_COUNT; id++)
        if (strcmp(mem_policies[id]->name, name) == 0)
            return id;
    return MEM_POLICY_COUNT;
}

void *mem_policy_start_nothing(struct mem_host *h)
{
    (void)h;
    return NULL;
}

void mem_policy_stop_nothing(void *self)
{
    (void)self;
}

bool mem_policy_is_due(const struct mem_host *h, unsigned int period_s)
{
    return lround(h->now_s / STEP_S) % lround(period_s / STEP_S) == 0;
}

/* ---- nothing at all ---- */

static bool step_nothing(void *self, struct mem_host *h)
{
    (void)self;
    (void)h;
    return false;
}

const struct mem_policy mem_policy_static = {.name = "static",
                                             .start = mem_policy_start_nothing,
                                             .step = step_nothing,
                                             .stop = mem_policy_stop_nothing};
