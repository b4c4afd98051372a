/* SPDX-License-Identifier: LGPL-2.1-only */
/* What two devices have in common: pages and interrupts. */
#include "pci.h"

#define PAGE_MASK UINT64_C(0xfff)

/* First and last page that a region has a part of. False: it is nowhere, or not memory. */
static bool pages_of(const struct pci_region *r, uint64_t *first_out, uint64_t *last_out)
{
    if (r->kind != PCI_REGION_MEMORY || !r->base || !r->size)
        return false;
    *first_out = r->base & ~PAGE_MASK;
    *last_out = (r->base + r->size - 1) & ~PAGE_MASK;
    return *last_out >= *first_out;
}

bool pci_share_page(const struct pci_host *host, size_t a, size_t b, size_t *region_out,
                    size_t *other_out)
{
    for (size_t i = 0; i < PCI_REGIONS; i++) {
        uint64_t first, last, other_first, other_last;

        if (!pages_of(&host->devices[a].regions[i], &first, &last))
            continue;
        for (size_t j = 0; j < PCI_REGIONS; j++) {
            if (!pages_of(&host->devices[b].regions[j], &other_first, &other_last) ||
                (a == b && i == j) || last < other_first || other_last < first)
                continue;
            *region_out = i;
            *other_out = j;
            return true;
        }
    }
    return false;
}

static bool uses_line(const struct pci_device *d)
{
    return d->interrupt_pin && d->irq != PCI_NO_IRQ && !d->summary.msi.enabled &&
           !d->summary.msix.enabled;
}

bool pci_share_interrupt(const struct pci_host *host, size_t a, size_t b)
{
    return a != b && uses_line(&host->devices[a]) && uses_line(&host->devices[b]) &&
           host->devices[a].irq == host->devices[b].irq;
}
