/* SPDX-License-Identifier: LGPL-2.1-only */
/* The parts of finding what dom0 would lose (losses.c). */
#ifndef PCI_LOSSES_H
#define PCI_LOSSES_H

#include "files.h"
#include "pci.h"

struct losses {
    const struct files *files;
    struct pci_host *host;
    bool out_of_memory;
};

/* Blames every device on a path of sysfs. */
void losses_add_path(struct losses *l, const char *path, enum pci_use use, const char *what,
                     const char *evidence);

/* Mounted filesystems and swap, through partitions, LVM, RAID and encryption. */
void losses_find_storage(struct losses *l);

/* The interfaces of the default routes, through bridges, bonds and VLANs. */
void losses_find_network(struct losses *l);

/* Keyboards, on USB or otherwise. */
void losses_find_keyboards(struct losses *l);

#endif
