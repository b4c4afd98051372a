/* SPDX-License-Identifier: LGPL-2.1-only */
/* The rule that BARs find room, and the gathering of those that need it. */
#include <inttypes.h>
#include <string.h>

#include "validate_parts.h"

#define MIB            UINT64_C(0x100000)
#define PHYSBITS_LEAST 39 /* of any processor with an IOMMU that is worth a passthrough */

void guest_bars_init(struct guest_bars *b, uint64_t memory_mib, uint64_t video_mib,
                     unsigned int physbits)
{
    memset(b, 0, sizeof(*b));
    b->guest.memory_mib = memory_mib;
    b->guest.physbits = physbits ? physbits : PHYSBITS_LEAST;
    b->count = pci_emulated_bars(video_mib ? video_mib : 16, b->bars, GUEST_BAR_EMULATED);
}

void guest_bars_add(struct guest_bars *b, const struct pci_host *host, size_t device)
{
    for (unsigned int i = 0; i < PCI_REGIONS && b->count < GUEST_BARS_MAX; i++) {
        const struct pci_region *region = &host->devices[device].regions[i];

        if (region->kind != PCI_REGION_MEMORY)
            continue;
        if (region->size == 0) {
            b->sizes_missing = true;
            continue;
        }
        b->bars[b->count++] =
            (struct pci_placed_bar){.size = region->size,
                                    .is_64bit = region->is_64bit && i != PCI_REGION_ROM,
                                    .tag = (uint32_t)(device * PCI_REGIONS + i)};
    }
}

static const char *region_name(unsigned int region)
{
    static const char *const names[PCI_REGIONS] = {"BAR 0", "BAR 1", "BAR 2",        "BAR 3",
                                                   "BAR 4", "BAR 5", "Expansion ROM"};

    return names[region];
}

static void tell(struct validation *v, struct guest_bars *b, const struct pci_placed_bar *bar)
{
    size_t device = bar->tag / PCI_REGIONS, left;
    unsigned int region = bar->tag % PCI_REGIONS, line = v->config->pci_line;
    char address[PCI_ADDRESS_SIZE];
    uint64_t hole;

    pci_address_format(&v->host->devices[device].address, address);
    for (size_t i = 0; i < v->config->pci_count; i++)
        if (v->devices[i] == device)
            line = v->config->pci[i].line;
    guest_finding_add(v->findings, GUEST_RULE_PLACEMENT, line,
                      "%s: %s (%" PRIu64 " %s, %s) finds no room", address, region_name(region),
                      bar->size >= MIB ? bar->size / MIB : bar->size / 1024,
                      bar->size >= MIB ? "MiB" : "KiB", bar->is_64bit ? "64-bit" : "32-bit");
    hole = pci_mmio_hole_for(&b->guest, b->bars, b->count, &left);
    if (left == 0 && hole > 0)
        guest_finding_mend(v->findings, "mmio_hole = %" PRIu64, hole);
    else if (left == 0)
        guest_finding_mend(v->findings, "leave mmio_hole out");
    else
        guest_finding_mend(v->findings,
                           "no mmio_hole is enough: %u address bits%s; fewer devices, or "
                           "smaller BARs (Resizable BAR)",
                           b->guest.physbits, v->around->physbits ? "" : " assumed");
}

/* All that have no room are told at once, before the search for a hole moves them about. */
void validate_placement(struct validation *v)
{
    const struct guest_config *c = v->config;
    struct guest_bars b;
    struct pci_placed_bar found[GUEST_BARS_MAX];
    size_t count = 0;

    if (!v->host || c->kind != GUEST_HVM || c->memory_mib.value <= 0)
        return;
    guest_bars_init(&b, (uint64_t)c->memory_mib.value,
                    c->videoram_mib.value > 0 ? (uint64_t)c->videoram_mib.value : 0,
                    v->around->physbits);
    if (c->mmio_hole_mib.value > 0)
        b.guest.mmio_hole_mib = (uint64_t)c->mmio_hole_mib.value;
    for (size_t i = 0; i < c->pci_count; i++)
        if (v->devices[i] != PCI_NO_DEVICE && c->pci[i].form == GUEST_PCI_ONE)
            guest_bars_add(&b, v->host, v->devices[i]);
    pci_place(&b.guest, b.bars, b.count);
    for (size_t i = 0; i < b.count; i++)
        if (b.bars[i].where == PCI_PLACED_NOWHERE && b.bars[i].tag != GUEST_BAR_EMULATED)
            found[count++] = b.bars[i];
    for (size_t i = 0; i < count; i++)
        tell(v, &b, &found[i]);
}
