/* SPDX-License-Identifier: LGPL-2.1-only */
/* The vCPUs of a guest, or those placed on a pCPU, all together. */
#ifndef DOMAIN_CPU_H
#define DOMAIN_CPU_H

#include "source.h"

struct domain_cpu {
    bool known;                       /* each online one is measured */
    double used, demand, entitlement; /* in pCPUs */
    double seconds;                   /* run time since it was created */
    bool running, blocked;            /* one of them runs; all are blocked */
};

struct domain_cpu domain_cpu(const struct source *source, const struct xlp_domain *d);

/* What those placed on it want; false while one of them is not measured. */
bool pcpu_demand(const struct source *source, uint32_t pcpu, double *demand_out);

#endif
