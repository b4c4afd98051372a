/* SPDX-License-Identifier: LGPL-2.1-only */
/* What is handed over with a device. */
#ifndef PCI_CARD_H
#define PCI_CARD_H

#include "pci.h"

/* Whether other is handed over with device: a device and itself; what must move together, bridges
 * left out; and all functions of a graphics card, whose drivers and resets know no single ones.
 * Pure. */
bool pci_goes_with(const struct pci_host *host, size_t device, size_t other);

#endif
