/* SPDX-License-Identifier: LGPL-2.1-only */
/* The parts of reading a host (host.c), in the order in which they run. */
#ifndef PCI_HOST_PARTS_H
#define PCI_HOST_PARTS_H

#include "files.h"
#include "pci.h"

/* Drivers' and devices' attributes in sysfs, and what /proc says of the machine. */
void pci_read_attributes(const struct files *files, struct pci_host *host);

/* Who is below whom, what must move together, what is not isolated. Pure. */
void pci_find_topology(struct pci_host *host);

/* What Xen says: of a sysroot, what its file says; of this machine, what Xen answers. 0, or -1 with
 * a sentence in error: the file is wrong. That Xen cannot be reached is no error. */
bool pci_has_xen_facts(const struct files *files);
int pci_read_xen_facts(const struct files *files, struct pci_host *host, char *error,
                       size_t error_size);
int pci_ask_xen(struct pci_host *host, char *error, size_t error_size);

/* Adds a range that is reserved for a device. 0, or -1 when memory is out. */
int pci_add_reserved(struct pci_host *host, size_t device, uint64_t start, uint64_t size);

/* Which methods of reset would work. Pure. */
void pci_find_resets(struct pci_host *host);

/* What dom0 would lose with each device. 0, or -1 when memory is out. */
int pci_find_losses(const struct files *files, struct pci_host *host);

/* Adds one, unless it is there. 0, or -1 when memory is out. */
int pci_add_loss(struct pci_device *d, enum pci_use use, const char *what, const char *evidence);

#endif
