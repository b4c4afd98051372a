/* SPDX-License-Identifier: LGPL-2.1-only */
/* A host with PCI devices, made by hand: what the rules and the generator decide on. */
#ifndef XLPOLICY_TESTS_MADE_PCI_HOST_H
#define XLPOLICY_TESTS_MADE_PCI_HOST_H

#include <stdio.h>
#include <string.h>

#include "../../tools/pci/pci.h"

#define MADE_MIB UINT64_C(0x100000)

/* In the order of their addresses. */
enum made_device {
    MADE_IGD,       /* 00:02.0 Intel's integrated graphics, dom0's console */
    MADE_BRIDGE,    /* 00:1c.0 */
    MADE_GPU,       /* 01:00.0 a card with 16 MiB, 256 MiB and 32 MiB; on node 1 */
    MADE_GPU_AUDIO, /* 01:00.1 moves with it */
    MADE_ROOT_DISK, /* 02:00.0 an NVMe drive that dom0 boots from */
    MADE_TAKEN,     /* 03:00.0 a network card that belongs to the guest "other" */
    MADE_NIC,       /* 04:00.0 a network card with dom0's driver */
    MADE_OLD_GPU,   /* 05:00.0 a card without a reset, with a 32-bit BAR of 256 MiB */
    MADE_BIG_GPU,   /* 06:00.0 a card for computing, with 1 TiB */
    MADE_USB,       /* 07:00.0 */
    MADE_NVME,      /* 08:00.0 */
    MADE_AMD_GPU,   /* 09:00.0 */
    MADE_DEVICES,
};

static inline struct pci_device *made_device(struct pci_device *d, uint8_t bus, uint8_t device,
                                             uint8_t function, uint32_t class_code,
                                             const char *class_name)
{
    *d = (struct pci_device){.address = {0, bus, device, function},
                             .class_code = class_code << 8,
                             .vendor_id = 0x8086,
                             .device_id = 0x1234,
                             .owner_domid = PCI_NO_DOMAIN,
                             .node = PCI_NO_NODE,
                             .parent = PCI_NO_DEVICE,
                             .physical = PCI_NO_DEVICE,
                             .irq = PCI_NO_IRQ,
                             .assignable = true,
                             .reset = {.works = PCI_RESET_FLR, .subordinate = PCI_NO_DEVICE}};
    snprintf(d->class_name, sizeof(d->class_name), "%s", class_name);
    snprintf(d->driver, sizeof(d->driver), "pciback");
    return d;
}

static inline void made_bar(struct pci_device *d, unsigned int i, uint64_t mib, bool is_64bit)
{
    d->regions[i] = (struct pci_region){
        .kind = PCI_REGION_MEMORY, .size = mib * MADE_MIB, .is_64bit = is_64bit};
}

/* Everything is kept for guests, except where it is said that it is not. */
static inline void made_pci_host(struct pci_host *host, struct pci_device devices[MADE_DEVICES],
                                 struct pci_loss *loss)
{
    struct pci_device *d;

    made_device(&devices[MADE_IGD], 0, 2, 0, 0x0300, "VGA compatible controller");
    d = made_device(&devices[MADE_BRIDGE], 0, 0x1c, 0, 0x0604, "PCI bridge");
    d->header_type = 1;
    d = made_device(&devices[MADE_GPU], 1, 0, 0, 0x0300, "VGA compatible controller");
    d->vendor_id = 0x10de;
    d->node = 1;
    made_bar(d, 0, 16, false);
    made_bar(d, 1, 256, true);
    made_bar(d, 3, 32, true);
    d = made_device(&devices[MADE_GPU_AUDIO], 1, 0, 1, 0x0403, "Audio device");
    d->vendor_id = 0x10de;
    d->node = 1;
    d = made_device(&devices[MADE_ROOT_DISK], 2, 0, 0, 0x0108, "Non-Volatile memory controller");
    d->assignable = false;
    snprintf(d->driver, sizeof(d->driver), "nvme");
    *loss = (struct pci_loss){PCI_USE_FILESYSTEM, "the filesystem /", "mountinfo: / on 259:2"};
    d->losses = loss;
    d->loss_count = 1;
    d = made_device(&devices[MADE_TAKEN], 3, 0, 0, 0x0200, "Ethernet controller");
    d->owner_domid = 5;
    snprintf(d->owner_name, sizeof(d->owner_name), "other");
    d = made_device(&devices[MADE_NIC], 4, 0, 0, 0x0200, "Ethernet controller");
    d->assignable = false;
    snprintf(d->driver, sizeof(d->driver), "e1000e");
    d = made_device(&devices[MADE_OLD_GPU], 5, 0, 0, 0x0300, "VGA compatible controller");
    d->vendor_id = 0x10de;
    d->reset.works = PCI_RESET_METHODS;
    made_bar(d, 1, 256, false);
    d = made_device(&devices[MADE_BIG_GPU], 6, 0, 0, 0x0302, "3D controller");
    d->vendor_id = 0x10de;
    made_bar(d, 0, 1024 * 1024, true);
    made_device(&devices[MADE_USB], 7, 0, 0, 0x0c03, "USB controller");
    made_device(&devices[MADE_NVME], 8, 0, 0, 0x0108, "Non-Volatile memory controller");
    d = made_device(&devices[MADE_AMD_GPU], 9, 0, 0, 0x0300, "VGA compatible controller");
    d->vendor_id = 0x1002;
    for (size_t i = 0; i < MADE_DEVICES; i++)
        devices[i].group = i;
    devices[MADE_GPU_AUDIO].group = MADE_GPU;
    devices[MADE_GPU].bond = devices[MADE_GPU_AUDIO].bond = PCI_BOND_FUNCTIONS;
    *host = (struct pci_host){.has_sysfs = true,
                              .machine = {.dom0 = PCI_YES, .hvm_directio = PCI_YES},
                              .devices = devices,
                              .device_count = MADE_DEVICES};
}

#endif
