/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What pci-validate finds fault with: one table, by number, which docs/passthrough.md lists as it
 * is here. A number is never given to another rule.
 */
#ifndef PCI_RULES_H
#define PCI_RULES_H

#include <stdbool.h>
#include <stddef.h>

enum guest_severity {
    GUEST_ERROR,   /* the guest does not start, or not with what its configuration asks for */
    GUEST_WARNING, /* it may well start, but something should be known or done */
};

enum guest_rule_id {
    /* the file, and the guest as a whole */
    GUEST_RULE_SYNTAX,
    GUEST_RULE_MISREAD,
    GUEST_RULE_TYPE,
    GUEST_RULE_PVH,
    GUEST_RULE_OLD_SETTING,
    GUEST_RULE_DEVICE_MODEL,
    GUEST_RULE_PASSTHROUGH_OFF,
    GUEST_RULE_TOO_MANY,
    /* memory and where BARs go */
    GUEST_RULE_MAXMEM,
    GUEST_RULE_MMIO_HOLE,
    GUEST_RULE_PLACEMENT,
    /* the entries of pci = [ ... ], by themselves */
    GUEST_RULE_ENTRY,
    GUEST_RULE_ALL_FUNCTIONS,
    GUEST_RULE_BY_NAME,
    GUEST_RULE_TWICE,
    GUEST_RULE_NOT_A_NUMBER,
    GUEST_RULE_PERMISSIVE,
    GUEST_RULE_SEIZE,
    GUEST_RULE_NO_EFFECT,
    GUEST_RULE_RDM,
    GUEST_RULE_GFX_PASSTHRU,
    /* on this host */
    GUEST_RULE_NO_DEVICE,
    GUEST_RULE_BRIDGE_DEVICE,
    GUEST_RULE_SIBLINGS,
    GUEST_RULE_DOM0_NEEDS,
    GUEST_RULE_OWNED,
    GUEST_RULE_NOT_ASSIGNABLE,
    GUEST_RULE_NO_IOMMU,
    GUEST_RULE_NODE,
    GUEST_RULE_NO_RESET,
    GUEST_RULE_NETWORK,
    GUEST_RULE_OVMF,
    GUEST_RULES, /* how many there are */
};

struct guest_rule {
    unsigned int number; /* as it is shown; documented */
    enum guest_severity severity;
    const char *claim;  /* what should be so, a sentence without its full stop */
    const char *reason; /* why it matters, one sentence without its full stop */
};

extern const struct guest_rule guest_rules[GUEST_RULES];

#define GUEST_FINDING_SIZE 320

/* One fault: by which rule, where, what is so, and the mend. */
struct guest_finding {
    enum guest_rule_id rule;
    unsigned int line; /* 0: none in particular */
    char what[GUEST_FINDING_SIZE], mend[GUEST_FINDING_SIZE];
};

struct guest_findings {
    struct guest_finding *list;
    size_t count, room;
    bool out_of_memory; /* some are missing */
};

void guest_findings_dispose(struct guest_findings *findings);

/* Adds one, with what is so. The mend, with guest_finding_mend, belongs to the last one added. */
void guest_finding_add(struct guest_findings *findings, enum guest_rule_id rule, unsigned int line,
                       const char *format, ...) __attribute__((format(printf, 4, 5)));
void guest_finding_mend(struct guest_findings *findings, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* By line, then in the order found. */
void guest_findings_sort(struct guest_findings *findings);

size_t guest_findings_count(const struct guest_findings *findings, enum guest_severity severity);

#endif
