/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The value of xen-pciback's parameter hide=, checked as strictly as the module reads it: one slip,
 * and the module does not load, so that nothing is hidden. Pure.
 */
#ifndef PCI_HIDE_H
#define PCI_HIDE_H

#include <stddef.h>
#include <stdint.h>

#define PCI_HIDE_ALL (-1) /* "*": each of them */

struct pci_hidden {
    uint16_t domain;
    uint8_t bus;
    int slot;     /* 0 ... 31, or PCI_HIDE_ALL */
    int function; /* 0 ... 7, or PCI_HIDE_ALL */
};

/*
 * Reads "(0000:01:00.0)(01:00.1)". Returns how many entries there are, of which the first room are
 * in hidden; or -1 with what is wrong, where (from 1) and the mend in error.
 */
int pci_hide_parse(const char *text, struct pci_hidden *hidden, size_t room, char *error,
                   size_t error_size);

#endif
