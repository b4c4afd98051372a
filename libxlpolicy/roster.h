/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Who is there. On most ticks the same domains as on the one before, in the same order, under the
 * same names and the same configuration; what follows from that is worked out once and kept.
 * Private to libxlpolicy.
 */
#ifndef XLP_ROSTER_H
#define XLP_ROSTER_H

#include "policy.h"
#include "snapshot.h"

/* One domain of the snapshot. */
struct xlp_roster_entry {
    uint32_t domid;
    uint8_t uuid[16];
    uint32_t first_vcpu, vcpu_count;
};

/* What the configuration says of it; only kept where that names any guests. */
struct xlp_roster_terms {
    char name[XLP_NAME_SIZE];
    uint32_t kind; /* index into kinds */
};

struct xlp_roster {
    bool same;         /* nobody came, went or changed its number of vCPUs since the call before */
    bool memory_quiet; /* no guest reports on its memory, and nothing of it was ever written */

    /* private */
    struct xlp_roster_entry *entries; /* in the snapshot's order */
    size_t count, room;
    struct xlp_domain_policy *rules; /* policy.domains at the last call */
    size_t rule_count, rule_room;
    struct xlp_roster_terms *terms; /* of each entry; none where there are no rules */
    size_t term_count, term_room;
    struct xlp_domain_policy *kinds; /* each different terms once: most guests have the same */
    size_t kind_count, kind_room;
    struct xlp_domain_policy usual; /* what holds without rules */
};

void xlp_roster_init(struct xlp_roster *r);
void xlp_roster_dispose(struct xlp_roster *r);

/* Once for each snapshot. 0, or -1 when memory is out: the next call then takes nobody for the
 * same. */
int xlp_roster_call(struct xlp_roster *r, const struct xlp_snapshot *s,
                    const struct xlp_policy *policy);

/* xlp_policy_for of s->domains[domain] of the last call, and valid until the next. */
static inline const struct xlp_domain_policy *xlp_roster_terms(const struct xlp_roster *r,
                                                               size_t domain)
{
    return r->term_count ? &r->kinds[r->terms[domain].kind] : &r->usual;
}

#endif
