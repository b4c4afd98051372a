/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A host's PCI devices as they were read: the data that the commands about passthrough decide on.
 *
 * It is read once, from this machine, from the files of another one (a sysroot), or from the text
 * that `lspci -xxxx` printed, and is plain data from then on: what works on it does no I/O. A fact
 * that the source does not tell is unknown, and never taken for "no".
 */
#ifndef PCI_H
#define PCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "config_space.h"

enum pci_truth { PCI_UNKNOWN = 0, PCI_NO, PCI_YES };

#define PCI_NO_DOMAIN UINT32_MAX /* no guest, or not known to be a guest's */
#define PCI_NO_NODE   UINT32_MAX
#define PCI_NO_DEVICE SIZE_MAX /* an index of a device that is not there */
#define PCI_NO_IRQ    UINT32_MAX

#define PCI_NAME_SIZE 96
#define PCI_TEXT_SIZE 160

/* Base Address registers 0 ... 5, then the Expansion ROM. */
#define PCI_REGIONS    7
#define PCI_REGION_ROM 6

enum pci_region_kind { PCI_REGION_NONE, PCI_REGION_IO, PCI_REGION_MEMORY };

struct pci_region {
    enum pci_region_kind kind; /* NONE: there is none, or none is told */
    uint64_t base;             /* bytes; 0: no address has been given to it */
    uint64_t size;             /* bytes; 0: not known (a dump has no sizes) */
    bool is_64bit, prefetchable;
};

/* Ways to reset a function, in the order in which Linux tries them. */
enum pci_reset_method {
    PCI_RESET_DEVICE_SPECIFIC,
    PCI_RESET_ACPI,
    PCI_RESET_FLR,
    PCI_RESET_AF_FLR,
    PCI_RESET_PM,
    PCI_RESET_BUS,
    PCI_RESET_METHODS, /* how many there are; as a value: none */
};

struct pci_reset {
    bool kernel_told;            /* the device has the kernel's attribute reset_method */
    bool can_reset;              /* it has the attribute reset, which libxl writes to */
    unsigned int kernel;         /* what reset_method lists, 1 << enum pci_reset_method */
    unsigned int possible;       /* what config space and the topology allow, so written */
    enum pci_reset_method works; /* the first that would work, or PCI_RESET_METHODS */
    size_t subordinate;          /* the bridge whose reset_subordinate would reset it and all
                                    beside it, or PCI_NO_DEVICE */
};

/* Why functions have to be given to one guest together. */
enum pci_bond {
    PCI_BOND_NONE,
    PCI_BOND_FUNCTIONS, /* functions of one device that nothing keeps apart */
    PCI_BOND_BRIDGE,    /* behind one conventional bridge: the IOMMU cannot tell them apart */
    PCI_BOND_XEN,       /* Xen says so */
};

/* What dom0 would lose with a device. */
enum pci_use {
    PCI_USE_FILESYSTEM,
    PCI_USE_SWAP,
    PCI_USE_NETWORK, /* the default route */
    PCI_USE_CONSOLE,
    PCI_USE_KEYBOARD,
};

struct pci_loss {
    enum pci_use use;
    char what[PCI_TEXT_SIZE];     /* "the filesystem /" */
    char evidence[PCI_TEXT_SIZE]; /* where that was seen: "/proc/self/mountinfo: / on 259:2" */
};

/* Memory that the firmware reserved for a device (RMRR on Intel, IVMD on AMD), in bytes. */
struct pci_reserved {
    size_t device;
    uint64_t start, size;
};

struct pci_device {
    struct pci_address address;
    uint16_t vendor_id, device_id, subsystem_vendor_id, subsystem_id;
    uint32_t class_code;           /* base class, sub-class, programming interface: 24 bits */
    uint8_t revision, header_type; /* header type without the multi-function bit */
    bool multifunction;
    char class_name[PCI_NAME_SIZE], vendor_name[PCI_NAME_SIZE], device_name[PCI_NAME_SIZE];
    char slot_name[PCI_NAME_SIZE]; /* the physical slot, as the firmware calls it; "": unknown */

    struct pci_region regions[PCI_REGIONS];
    uint8_t interrupt_pin; /* 1 ... 4: INTA# ... INTD#; 0: none */
    uint32_t irq;          /* dom0's number for it (255 from a BIOS that knew none), PCI_NO_IRQ */

    struct pci_config config; /* untrusted: a guest may have written it */
    struct pci_capabilities capabilities;
    struct pci_summary summary; /* of the capabilities */

    char driver[PCI_NAME_SIZE]; /* dom0's; "": none */
    bool assignable;            /* bound to pciback: xl can give it to a guest */
    bool permissive;            /* pciback lets a guest write all of config space */
    bool boot_vga;              /* the firmware's primary display */
    char framebuffer[32]; /* the console driver that holds a part of it, as /proc/iomem has it */
    uint32_t owner_domid; /* the guest that has it, or PCI_NO_DOMAIN */
    char owner_name[PCI_NAME_SIZE];
    uint32_t node;      /* NUMA node as Xen says, or PCI_NO_NODE */
    uint32_t xen_group; /* an IOMMU group as Xen says: equal numbers belong
                           together; 0: unknown */

    bool reset_subordinate; /* a bridge: the kernel can reset all that is below it */
    size_t parent;          /* the bridge above, or PCI_NO_DEVICE */
    size_t physical;        /* of an SR-IOV virtual function: its physical one, else NO_DEVICE */
    uint32_t virtual_count; /* of a physical function: its virtual functions that exist */
    size_t group;           /* the lowest index of those that must move together */
    enum pci_bond bond;     /* what ties it to the others of its group */

    struct pci_reset reset;

    struct pci_loss *losses; /* what dom0 would lose */
    size_t loss_count, loss_room;
};

/* What Xen and the kernel say of the host as a whole. */
struct pci_machine {
    enum pci_truth dom0;      /* /proc/xen/capabilities has control_d */
    enum pci_truth pciback;   /* its driver is there */
    enum pci_truth xen_asked; /* YES: there are Xen's own facts, live or written down; NO: Xen is
                                 not to be reached; UNKNOWN: nobody asked */
    char xen_problem[PCI_TEXT_SIZE]; /* why it could not be reached */
    enum pci_truth hvm_directio;     /* the IOMMU is on (libxl_physinfo.cap_hvm_directio) */
    enum pci_truth interrupt_remapping;
    char xen_version[PCI_NAME_SIZE]; /* "4.17.4", "": unknown */
    char kernel_version[PCI_NAME_SIZE];
    char kernel_command_line[2048];
};

struct pci_host {
    bool has_sysfs; /* false: a dump, which has neither sizes nor drivers */
    struct pci_machine machine;
    struct pci_device *devices; /* by address */
    size_t device_count, device_room;
    struct pci_reserved *reserved;
    size_t reserved_count, reserved_room;
};

/* Where to read from. */
struct pci_source {
    const char *root; /* below which /sys, /proc and so on are; NULL: this machine */
    const char *dump; /* a file that `lspci -xxxx` wrote, instead; NULL: none */
};

/* Reads a host. A sysroot may hold what Xen would say, in the file xen-facts.json
 * (docs/passthrough.md); of this machine Xen itself is asked. 0, or -1 with a sentence in error;
 * *host_out is set only on success, and then to be disposed of. */
int pci_host_read(const struct pci_source *source, struct pci_host *host_out, char *error,
                  size_t error_size);
void pci_host_dispose(struct pci_host *host);

/* The index of the device at that address, or PCI_NO_DEVICE. */
size_t pci_host_find(const struct pci_host *host, const struct pci_address *address);

/* ---- what a device is ---- */

bool pci_is_display(const struct pci_device *d);    /* base class 03 */
bool pci_is_bridge(const struct pci_device *d);     /* base class 06: host, PCI, ISA bridges too */
bool pci_is_pci_bridge(const struct pci_device *d); /* a header of type 1: devices are behind it */
bool pci_is_virtual_function(const struct pci_device *d);
/* All of its capabilities could be read: not so without root's rights, nor from a short dump. */
bool pci_capabilities_known(const struct pci_device *d);
/* Whether reset.works is what would work, and not only what is known of. */
bool pci_reset_known(const struct pci_device *d);
bool pci_is_integrated_graphics(const struct pci_device *d); /* of Intel, as gfx_passthru wants */

const char *pci_reset_method_name(enum pci_reset_method method); /* as in reset_method */
const char *pci_use_name(enum pci_use use);                      /* "filesystem", "swap", ... */

/* ---- what devices have to do with each other ---- */

/* Whether the two must be given to one guest together. A device and itself: yes. */
bool pci_move_together(const struct pci_host *host, size_t a, size_t b);

/* Whether nothing keeps the two from reaching each other's memory past the IOMMU: they move
 * together, or there is a port between them that turns requests around. */
bool pci_not_isolated(const struct pci_host *host, size_t a, size_t b);

/* That port, without Access Control Services or with them off, or PCI_NO_DEVICE. */
size_t pci_port_between(const struct pci_host *host, size_t a, size_t b);

/* Whether regions of the two lie on one 4 KiB page: region_out of a, other_out of b. */
bool pci_share_page(const struct pci_host *host, size_t a, size_t b, size_t *region_out,
                    size_t *other_out);

/* Whether both raise the same line-based interrupt (neither uses MSI or MSI-X now). */
bool pci_share_interrupt(const struct pci_host *host, size_t a, size_t b);

#endif
