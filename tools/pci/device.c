/* SPDX-License-Identifier: LGPL-2.1-only */
/* What a device is, and where it stands among the others. */
#include "pci.h"

size_t pci_host_find(const struct pci_host *host, const struct pci_address *address)
{
    size_t low = 0, high = host->device_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = pci_address_compare(&host->devices[middle].address, address);

        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return PCI_NO_DEVICE;
}

/* ---- what a device is ---- */

#define VENDOR_INTEL 0x8086

bool pci_is_display(const struct pci_device *d)
{
    return d->class_code >> 16 == 0x03;
}

bool pci_is_bridge(const struct pci_device *d)
{
    return d->class_code >> 16 == 0x06;
}

bool pci_is_pci_bridge(const struct pci_device *d)
{
    return d->header_type == 1;
}

bool pci_is_virtual_function(const struct pci_device *d)
{
    return d->physical != PCI_NO_DEVICE;
}

/* The one that libxl's gfx_passthru is for: always 00:02.0 of Intel. */
bool pci_is_integrated_graphics(const struct pci_device *d)
{
    return d->vendor_id == VENDOR_INTEL && pci_is_display(d) && d->address.domain == 0 &&
           d->address.bus == 0 && d->address.device == 2 && d->address.function == 0;
}

const char *pci_reset_method_name(enum pci_reset_method method)
{
    static const char *const names[] = {"device_specific", "acpi", "flr", "af_flr", "pm", "bus"};

    return method < PCI_RESET_METHODS ? names[method] : "none";
}

const char *pci_use_name(enum pci_use use)
{
    static const char *const names[] = {"filesystem", "swap", "network", "console", "keyboard"};

    return names[use];
}
