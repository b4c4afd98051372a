/* SPDX-License-Identifier: LGPL-2.1-only */
/* Which other guest has a device already, or is to have it by its configuration. */
#ifndef PCI_OTHER_GUESTS_H
#define PCI_OTHER_GUESTS_H

#include "pci.h"

/* Where xl's configurations are usually. */
#define OTHER_GUESTS_DIR "/etc/xen"

/* Warns, one line each on stderr, of those of these devices that another guest than name has now,
 * or that a configuration below root lists for another. */
void other_guests_warn(const struct pci_host *host, const size_t *devices, size_t count,
                       const char *name, const char *root);

#endif
