/* SPDX-License-Identifier: LGPL-2.1-only */
/* Devices in words, the same for every command. Each returns text. */
#ifndef PCI_DESCRIBE_H
#define PCI_DESCRIBE_H

#include "pci.h"

#define DESCRIBE_SIZE 512

/* "NVIDIA Corporation GP104 [GeForce GTX 1080]", or as much of it as is known: "10de:1b80". */
char *describe_name(const struct pci_device *d, char text[DESCRIBE_SIZE]);

/* "VGA compatible controller", or its number. */
char *describe_class(const struct pci_device *d, char text[DESCRIBE_SIZE]);

/* "dom0", "win10 (3)", or "assignable". */
char *describe_owner(const struct pci_device *d, char text[DESCRIBE_SIZE]);

/* "BAR0", ..., "ROM". */
const char *describe_region_name(size_t region);

/* "f6000000, 16 MiB, 64-bit, prefetchable". */
char *describe_region(const struct pci_region *r, char text[DESCRIBE_SIZE]);

/* "16 MiB", "256 bytes", "3 KiB": exactly. */
char *describe_size(uint64_t bytes, char text[DESCRIBE_SIZE]);

/* "MSI-X 9", "MSI 1", "INTA": the best that it has, or "none"; "?": unknown. */
char *describe_interrupts_short(const struct pci_device *d, char text[DESCRIBE_SIZE]);

/* "MSI-X, 9 vectors, on; MSI, 1 vector, off; INTA# on IRQ 16". */
char *describe_interrupts(const struct pci_device *d, char text[DESCRIBE_SIZE]);

/* Which reset works, or why none does. */
char *describe_reset(const struct pci_host *host, size_t device, char text[DESCRIBE_SIZE]);

/* "functions of one device". */
const char *describe_bond(enum pci_bond bond);

/* Addresses of the others of its group, or of those it is not isolated from, "0000:01:00.1, ...".
 * "" for none. */
char *describe_group(const struct pci_host *host, size_t device, char text[DESCRIBE_SIZE]);
char *describe_not_isolated(const struct pci_host *host, size_t device, char text[DESCRIBE_SIZE]);

#endif
