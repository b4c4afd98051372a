/* SPDX-License-Identifier: LGPL-2.1-only */
/* Config space: bounded reading, and the two lists of capabilities. */
#include "config_space.h"

#include <string.h>

#define STATUS         0x06
#define STATUS_LIST    0x10 /* there is a list of capabilities */
#define HEADER_TYPE    0x0e
#define LIST           0x34
#define LIST_CARDBUS   0x14
#define HEADER_CARDBUS 2
#define EXTENDED_LIST  0x100
#define DWORDS         (PCI_CONFIG_SIZE / 4)

/* A walk along one of the lists. */
struct walk {
    const struct pci_config *config;
    struct pci_capabilities *found;
    bool seen[DWORDS];
    bool extended;
    enum pci_list_flaw flaw;
};

static void walk_legacy(struct walk *walk);
static void walk_extended(struct walk *walk);
static bool may_visit(struct walk *walk, uint64_t offset);

bool pci_config_read(const struct pci_config *config, size_t offset, unsigned int bytes,
                     uint64_t *value_out)
{
    uint64_t value = 0;

    *value_out = 0;
    if (offset > config->size || bytes > config->size - offset)
        return false;
    while (bytes-- > 0)
        value = value << 8 | config->untrusted_bytes[offset + bytes];
    *value_out = value;
    return true;
}

void pci_capabilities_find(const struct pci_config *config, struct pci_capabilities *found_out)
{
    struct walk walk = {.config = config, .found = found_out};

    found_out->count = 0;
    found_out->legacy_flaw = found_out->extended_flaw = PCI_LIST_GOOD;
    found_out->legacy_flaw_at = found_out->extended_flaw_at = 0;
    walk_legacy(&walk);
    if (!pci_capability_get(found_out, false, PCI_CAPABILITY_EXPRESS))
        return;
    walk.extended = true;
    walk_extended(&walk);
}

static void add(struct walk *walk, uint64_t offset, uint16_t id, uint8_t version)
{
    walk->found->list[walk->found->count++] = (struct pci_capability){
        .extended = walk->extended, .id = id, .version = version, .offset = (uint16_t)offset};
}

static void walk_legacy(struct walk *walk)
{
    uint64_t status, header, at, head;

    pci_config_read(walk->config, STATUS, 2, &status);
    pci_config_read(walk->config, HEADER_TYPE, 1, &header);
    if (status == 0xffff) {
        walk->found->legacy_flaw = PCI_LIST_DEAD;
        walk->found->legacy_flaw_at = STATUS;
    }
    if (!(status & STATUS_LIST) || status == 0xffff)
        return;
    pci_config_read(walk->config, (header & 0x7f) == HEADER_CARDBUS ? LIST_CARDBUS : LIST, 1, &at);
    for (at &= ~UINT64_C(3); at && may_visit(walk, at); at = head >> 8 & 0xfc) {
        pci_config_read(walk->config, at, 2, &head);
        if ((head & 0xff) == 0xff) {
            walk->flaw = PCI_LIST_DEAD;
            break;
        }
        add(walk, at, head & 0xff, 0);
    }
    walk->found->legacy_flaw = walk->flaw;
    walk->found->legacy_flaw_at = walk->flaw ? (uint16_t)at : 0;
}

static void walk_extended(struct walk *walk)
{
    uint64_t at = EXTENDED_LIST, head = 0;

    walk->flaw = PCI_LIST_GOOD;
    for (; at && may_visit(walk, at); at = head >> 20 & 0xffc) {
        pci_config_read(walk->config, at, 4, &head);
        if (head == 0) /* as the first: there are none */
            break;
        if (head == 0xffffffff) { /* at first: nothing but the first 256 bytes can be reached */
            walk->flaw = at == EXTENDED_LIST ? PCI_LIST_UNREADABLE : PCI_LIST_DEAD;
            break;
        }
        add(walk, at, head & 0xffff, head >> 16 & 0xf);
    }
    walk->found->extended_flaw = walk->flaw;
    walk->found->extended_flaw_at = walk->flaw ? (uint16_t)at : 0;
}

static bool may_visit(struct walk *walk, uint64_t offset)
{
    uint64_t first = walk->extended ? PCI_CONFIG_LEGACY_SIZE : PCI_CONFIG_HEADER_SIZE;
    uint64_t head;

    if (offset < first)
        walk->flaw = PCI_LIST_POINTS_INTO_HEADER;
    else if (!pci_config_read(walk->config, offset, 4, &head))
        walk->flaw = PCI_LIST_UNREADABLE;
    else if (walk->seen[offset / 4])
        walk->flaw = PCI_LIST_LOOPS;
    else
        return walk->seen[offset / 4] = true;
    return false;
}

const struct pci_capability *pci_capability_get(const struct pci_capabilities *capabilities,
                                                bool extended, uint16_t id)
{
    for (size_t i = 0; i < capabilities->count; i++)
        if (capabilities->list[i].extended == extended && capabilities->list[i].id == id)
            return &capabilities->list[i];
    return NULL;
}

const char *pci_list_flaw_text(enum pci_list_flaw flaw)
{
    switch (flaw) {
    case PCI_LIST_GOOD: return "good";
    case PCI_LIST_UNREADABLE: return "leads to bytes that could not be read";
    case PCI_LIST_LOOPS: return "leads back to a capability before";
    case PCI_LIST_POINTS_INTO_HEADER: return "points to where no capability can be";
    case PCI_LIST_DEAD: return "reads as all ones: the device does not answer";
    }
    return "?";
}

/* ---- names ---- */

/* By ID; the Code and ID Assignment Specification's names. */
static const char *const legacy_names[] = {
    [0x01] = "PCI Power Management Interface",
    [0x02] = "AGP",
    [0x03] = "VPD",
    [0x04] = "Slot Identification",
    [0x05] = "Message Signaled Interrupts",
    [0x06] = "CompactPCI Hot Swap",
    [0x07] = "PCI-X",
    [0x08] = "HyperTransport",
    [0x09] = "Vendor Specific",
    [0x0a] = "Debug port",
    [0x0b] = "CompactPCI central resource control",
    [0x0c] = "PCI Hot-Plug",
    [0x0d] = "PCI Bridge Subsystem Vendor ID",
    [0x0e] = "AGP 8x",
    [0x0f] = "Secure Device",
    [0x10] = "PCI Express",
    [0x11] = "MSI-X",
    [0x12] = "Serial ATA Data/Index Configuration",
    [0x13] = "Advanced Features",
    [0x14] = "Enhanced Allocation",
    [0x15] = "Flattening Portal Bridge",
};

static const char *const extended_names[] = {
    [0x01] = "Advanced Error Reporting",
    [0x02] = "Virtual Channel",
    [0x03] = "Device Serial Number",
    [0x04] = "Power Budgeting",
    [0x05] = "Root Complex Link Declaration",
    [0x06] = "Root Complex Internal Link Control",
    [0x07] = "Root Complex Event Collector Endpoint Association",
    [0x08] = "Multi-Function Virtual Channel",
    [0x09] = "Virtual Channel (with MFVC)",
    [0x0a] = "Root Complex Register Block Header",
    [0x0b] = "Vendor-Specific Extended Capability",
    [0x0c] = "Configuration Access Correlation",
    [0x0d] = "Access Control Services",
    [0x0e] = "Alternative Routing-ID Interpretation",
    [0x0f] = "Address Translation Services",
    [0x10] = "Single Root I/O Virtualization",
    [0x11] = "Multi-Root I/O Virtualization",
    [0x12] = "Multicast",
    [0x13] = "Page Request Interface",
    [0x15] = "Resizable BAR",
    [0x16] = "Dynamic Power Allocation",
    [0x17] = "TPH Requester",
    [0x18] = "Latency Tolerance Reporting",
    [0x19] = "Secondary PCI Express",
    [0x1a] = "Protocol Multiplexing",
    [0x1b] = "Process Address Space ID",
    [0x1c] = "LN Requester",
    [0x1d] = "Downstream Port Containment",
    [0x1e] = "L1 PM Substates",
    [0x1f] = "Precision Time Measurement",
    [0x20] = "PCI Express over M-PHY",
    [0x21] = "FRS Queueing",
    [0x22] = "Readiness Time Reporting",
    [0x23] = "Designated Vendor-Specific Extended Capability",
    [0x24] = "VF Resizable BAR",
    [0x25] = "Data Link Feature",
    [0x26] = "Physical Layer 16.0 GT/s",
    [0x27] = "Lane Margining at the Receiver",
    [0x28] = "Hierarchy ID",
    [0x29] = "Native PCIe Enclosure Management",
    [0x2a] = "Physical Layer 32.0 GT/s",
    [0x2b] = "Alternate Protocol",
    [0x2c] = "System Firmware Intermediary",
    [0x2e] = "Data Object Exchange",
};

const char *pci_capability_name(bool extended, uint16_t id)
{
    if (extended)
        return id < sizeof(extended_names) / sizeof(*extended_names) ? extended_names[id] : NULL;
    return id < sizeof(legacy_names) / sizeof(*legacy_names) ? legacy_names[id] : NULL;
}
