/* SPDX-License-Identifier: LGPL-2.1-only */
/* The kernel and Xen of this machine, or the files below a root, behind struct handover. */
#ifndef PCI_KERNEL_H
#define PCI_KERNEL_H

#include "handover.h"

/* root: NULL for this machine. tell gets each step. */
void kernel_open(struct handover *h, const char *root, void (*tell)(void *arg, const char *step));

/* Tells Xen to set a device apart, or to give it back to dom0. 0, also where there is no Xen or no
 * IOMMU; or -errno. */
int xen_quarantine(const struct pci_address *address, bool on);

#endif
