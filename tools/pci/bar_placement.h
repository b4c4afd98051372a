/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Where hvmloader, which sets up the devices of an HVM guest before its firmware starts, puts their
 * memory BARs; and so whether they fit at all. Pure. Source: tools/firmware/hvmloader/pci.c of Xen,
 * with qemu-xen as the device model: guest memory is never moved to make room.
 */
#ifndef PCI_BAR_PLACEMENT_H
#define PCI_BAR_PLACEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PCI_MMIO_HOLE_MIN_MIB 256  /* what a guest has unless its configuration says more */
#define PCI_MMIO_HOLE_MAX_MIB 3840 /* xl takes no larger one */
#define PCI_LOW_WINDOW_END    UINT64_C(0xfc000000)

enum pci_placed { PCI_PLACED_LOW, PCI_PLACED_HIGH, PCI_PLACED_NOWHERE };

struct pci_placed_bar {
    uint64_t size; /* bytes, a power of two of at least 16 */
    bool is_64bit; /* only such a one may lie above 4 GiB; expansion ROMs never do */
    uint32_t tag;  /* the caller's, to know it again */
    enum pci_placed where;
    uint64_t base; /* of one that has a place */
};

struct pci_placement_guest {
    uint64_t memory_mib;
    uint64_t mmio_hole_mib; /* 0: not set; hvmloader then grows the hole into what is no memory */
    unsigned int physbits;  /* of a guest's physical address, as its CPU tells: 36 ... 52 */
};

/* Sets where and base of each BAR, and orders them as hvmloader does: largest first, equal ones as
 * they were given. Returns how many have no place. */
size_t pci_place(const struct pci_placement_guest *guest, struct pci_placed_bar *bars,
                 size_t count);

/* The least mmio_hole, in MiB, with which as few as possible of these BARs (which it orders and
 * places) are without one; 0 when none needs to be set. *unplaced_out is how many are left over. */
uint64_t pci_mmio_hole_for(const struct pci_placement_guest *guest, struct pci_placed_bar *bars,
                           size_t count, size_t *unplaced_out);

/* Up to PCI_EMULATED_BARS BARs of the devices that every HVM guest has besides: the graphics card
 * with so much memory and its ROM, Xen's platform device, and room for an emulated network card.
 * Returns how many. */
#define PCI_EMULATED_BARS 6
size_t pci_emulated_bars(uint64_t video_mib, struct pci_placed_bar bars[PCI_EMULATED_BARS],
                         uint32_t tag);

#endif
