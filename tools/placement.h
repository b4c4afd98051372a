/* SPDX-License-Identifier: LGPL-2.1-only */
/* Which pCPU a vCPU belongs to, as a snapshot shows it. */
#ifndef PLACEMENT_H
#define PLACEMENT_H

#include "snapshot.h"

struct placement {
    uint32_t pcpu; /* XLP_UNKNOWN while the vCPU is offline */
    bool bound; /* pinned or preferring it alone; else it ran there last, and may run elsewhere */
};

struct placement placement_of(const struct xlp_snapshot *s, const struct xlp_vcpu *v);

/* "vm1 vm2/1 (vm3)": the vCPUs of a pCPU, by domain; a vCPU of a domain that has several is written
 * NAME/VCPU, one that is not bound in parentheses. NULL when memory is out; the caller frees it. */
char *placement_list(const struct xlp_snapshot *s, uint32_t pcpu);

#endif
