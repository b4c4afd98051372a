/* SPDX-License-Identifier: LGPL-2.1-only */
#include "card.h"

static bool is_on_graphics_card(const struct pci_host *host, size_t device)
{
    const struct pci_device *d = &host->devices[device];

    for (size_t i = 0; i < host->device_count; i++)
        if (pci_address_same_device(&host->devices[i].address, &d->address) &&
            pci_is_display(&host->devices[i]))
            return true;
    return false;
}

bool pci_goes_with(const struct pci_host *host, size_t device, size_t other)
{
    if (other == device)
        return true;
    if (pci_is_bridge(&host->devices[other]))
        return false;
    return pci_move_together(host, device, other) ||
           (pci_address_same_device(&host->devices[device].address,
                                    &host->devices[other].address) &&
            is_on_graphics_card(host, device));
}
