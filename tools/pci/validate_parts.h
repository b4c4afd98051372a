/* SPDX-License-Identifier: LGPL-2.1-only */
/* The parts of guest_validate. */
#ifndef PCI_VALIDATE_PARTS_H
#define PCI_VALIDATE_PARTS_H

#include "validate.h"

struct validation {
    const struct guest_config *config;
    const struct pci_host *host; /* NULL: not to be asked */
    const struct guest_surroundings *around;
    struct guest_findings *findings;
    size_t
        devices[GUEST_PCI_MAX]; /* of the host, for each entry; PCI_NO_DEVICE: none, or by name */
};

void validate_guest(struct validation *v);     /* 101 ... 108, and memory: 201, 202 */
void validate_entries(struct validation *v);   /* 301 ... 310 */
void validate_host(struct validation *v);      /* 401 ... 411 */
void validate_placement(struct validation *v); /* 203 */

/* Whether the entry's address, or any function of it, is this one. */
bool validate_names(const struct guest_pci *entry, const struct pci_address *address);

/* Whether any entry is this device of the host. */
bool validate_lists(const struct validation *v, size_t device);

#endif
