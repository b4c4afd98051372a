/* SPDX-License-Identifier: LGPL-2.1-only */
/* Where a PCI function is: DDDD:BB:DD.F, in xl's words a BDF. */
#ifndef PCI_ADDRESS_H
#define PCI_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

struct pci_address {
    uint32_t domain; /* of PCI, its segment; has nothing to do with Xen's domains */
    uint8_t bus;
    uint8_t device;   /* 0 ... 31 */
    uint8_t function; /* 0 ... 7 */
};

#define PCI_ADDRESS_SIZE 20

/* "0000:01:00.0" or "01:00.0", hexadecimal, and nothing after it. False: it is neither. */
bool pci_address_parse(const char *text, struct pci_address *address_out);

/* "0000:01:00.0". Returns text. */
char *pci_address_format(const struct pci_address *address, char text[PCI_ADDRESS_SIZE]);

/* Below 0, 0 or above, as strcmp. */
int pci_address_compare(const struct pci_address *a, const struct pci_address *b);

/* Whether both are functions of one device: the same domain, bus and device number. */
bool pci_address_same_device(const struct pci_address *a, const struct pci_address *b);

#endif
