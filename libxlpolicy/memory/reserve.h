/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the operator's commands on reservations come down to. A reservation keeps memory free for a
 * guest that is about to be created: decisions leave it out of what running guests share, and make
 * room for it as far as that is safe. It ends when the guest has taken it, or is gone, or when its
 * time is over; so nothing is lost with a client that dies.
 */
#ifndef XLP_MEMORY_RESERVE_H
#define XLP_MEMORY_RESERVE_H

#include "plan.h"
#include "policy.h"

/* Each resets plan_out and fills it with one action. 0; -1 when memory is out; XLP_PLAN_REFUSED
 * with the reason in why_not_out. */

/* wanted: name, min_kib, max_kib and ttl_left_ns. Refused is what running guests could not make
 * room for even if all of them were at their floors. */
int xlp_plan_reserve(const struct xlp_snapshot *s, const struct xlp_policy *policy,
                     const struct xlp_reservation *wanted, struct xlp_plan *plan_out,
                     struct xlp_reason *why_not_out);
int xlp_plan_transfer(const struct xlp_snapshot *s, uint32_t id, const struct xlp_domain *to,
                      struct xlp_plan *plan_out, struct xlp_reason *why_not_out);
int xlp_plan_unreserve(const struct xlp_snapshot *s, uint32_t id, struct xlp_plan *plan_out,
                       struct xlp_reason *why_not_out);

/* The domain that takes its memory out of r: the one it was given to, or that came under the name
 * it is for since r was made. NULL: none, or none any more. */
const struct xlp_domain *xlp_reservation_taker(const struct xlp_snapshot *s,
                                               const struct xlp_reservation *r);

/* What of r has to be kept free yet; what its taker holds comes out of it. */
int64_t xlp_reservation_left_kib(const struct xlp_reservation *r, const struct xlp_domain *taker);

#endif
