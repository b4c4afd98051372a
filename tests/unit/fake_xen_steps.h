/* SPDX-License-Identifier: LGPL-2.1-only */
/* What tests of the Xen adapter do again and again. */
#ifndef FAKE_XEN_STEPS_H
#define FAKE_XEN_STEPS_H

#include "fake_xen.h"

/* Of domain 1: its record, and its target. */
#define UUID_1    FAKE_LEDGER "00000000-0000-0000-0000-000000000001/"
#define DOMID_1   UUID_1 "domid"
#define VCPU_1    UUID_1 "vcpu/0"
#define MEMORY_1  UUID_1 "memory"
#define WEIGHT_1  UUID_1 "weight"
#define BY_HAND_1 UUID_1 "by-hand"
#define TARGET_1  "/local/domain/1/memory/target"

static inline void look(struct xen_host *h)
{
    struct xlp_snapshot s;

    xlp_snapshot_init(&s);
    ck_assert_int_eq(xlp_xen_observe(&h->base, &s), 0);
    xlp_snapshot_dispose(&s);
}

static inline enum xlp_outcome_code place(struct xen_host *h, uint32_t domid, const char *hard)
{
    struct xlp_action action = {.kind = XLP_PLACE_VCPU, .domid = domid, .soft = xlp_cpumap_all()};
    struct xlp_outcome outcome;

    memcpy(action.uuid, fake_domain(domid)->info.handle, sizeof(action.uuid));
    ck_assert_int_eq(xlp_cpumap_parse(hard, &action.hard), 0);
    xlp_xen_apply(&h->base, &action, &outcome);
    return outcome.code;
}

#endif
