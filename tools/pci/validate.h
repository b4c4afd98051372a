/* SPDX-License-Identifier: LGPL-2.1-only */
/* A guest's configuration against what is known to go wrong. Pure; the rules are in rules.h. */
#ifndef PCI_VALIDATE_H
#define PCI_VALIDATE_H

#include "bar_placement.h"
#include "guest_config.h"
#include "pci.h"
#include "rules.h"

enum guest_image {
    GUEST_IMAGE_UNKNOWN, /* nobody looked, or there is nothing to look at */
    GUEST_IMAGE_MISSING,
    GUEST_IMAGE_OVMF_XEN,
    GUEST_IMAGE_OTHER, /* of another kind: QEMU's OVMF, for one */
};

/* What of the host's files a configuration refers to. */
struct guest_surroundings {
    enum pci_truth bridges[GUEST_VIFS_MAX]; /* of each vif: its bridge is there */
    enum guest_image bios;                  /* what bios = "ovmf" or bios_path_override is */
    char bios_path[GUEST_TEXT_SIZE];
    unsigned int physbits; /* address bits of the host's CPUs; 0: unknown */
};

/* Looks for them below root, NULL or "" being this machine. */
void guest_surroundings_read(const char *root, const struct guest_config *config,
                             struct guest_surroundings *out);

/* Adds what is wrong to findings, sorted by line. host is NULL when it is not to be asked. */
void guest_validate(const struct guest_config *config, const struct pci_host *host,
                    const struct guest_surroundings *around, struct guest_findings *findings);

/* What guest_validate could not judge for want of facts, as a list for people, "" when nothing. */
void guest_not_checked(const struct guest_config *config, const struct pci_host *host,
                       const struct guest_surroundings *around, char *text, size_t size);

/* The placement of the BARs of some devices of the host, and of those that every HVM guest has. */
#define GUEST_BARS_MAX (GUEST_PCI_MAX * PCI_REGIONS + PCI_EMULATED_BARS)
struct guest_bars {
    struct pci_placement_guest guest;
    struct pci_placed_bar bars[GUEST_BARS_MAX]; /* tag: device * PCI_REGIONS + region, or
                                                   GUEST_BAR_EMULATED */
    size_t count;
    bool sizes_missing; /* a device has regions of unknown size */
};
#define GUEST_BAR_EMULATED UINT32_MAX

/* Without a device yet. video_mib and physbits: 0 where they are not known. */
void guest_bars_init(struct guest_bars *b, uint64_t memory_mib, uint64_t video_mib,
                     unsigned int physbits);
void guest_bars_add(struct guest_bars *b, const struct pci_host *host, size_t device);

#endif
