/* SPDX-License-Identifier: LGPL-2.1-only */
/* The devices and their config space, by libpci. The only part that knows it. */
#ifndef PCI_ACCESS_H
#define PCI_ACCESS_H

#include "pci.h"

/* Fills host->devices: addresses, identities, names, regions, interrupts, drivers, config space.
 * dump, or else what is below root ("": this machine). 0, or -1 with a sentence in error. */
int pci_access_read(const char *root, const char *dump, struct pci_host *host, char *error,
                    size_t error_size);

#endif
