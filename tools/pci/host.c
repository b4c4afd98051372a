/* SPDX-License-Identifier: LGPL-2.1-only */
/* A host's PCI devices, from whatever source. */
#include "pci.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "host_parts.h"

static int read_host(const struct pci_source *source, struct pci_host *host, char *error,
                     size_t error_size);
static int ask_xen(const struct pci_source *source, const struct files *files,
                   struct pci_host *host, char *error, size_t error_size);

int pci_host_read(const struct pci_source *source, struct pci_host *host_out, char *error,
                  size_t error_size)
{
    struct pci_host host = {0};

    if (read_host(source, &host, error, error_size) < 0) {
        pci_host_dispose(&host);
        return -1;
    }
    *host_out = host;
    return 0;
}

void pci_host_dispose(struct pci_host *host)
{
    for (size_t i = 0; i < host->device_count; i++)
        free(host->devices[i].losses);
    free(host->devices);
    free(host->reserved);
    memset(host, 0, sizeof(*host));
}

static int read_host(const struct pci_source *source, struct pci_host *host, char *error,
                     size_t error_size)
{
    struct files files = {source->root ? source->root : ""};

    if (strcmp(files.root, "/") == 0)
        files.root = "";
    if (pci_access_read(files.root, source->dump, host, error, error_size) < 0)
        return -1;
    if (host->has_sysfs)
        pci_read_attributes(&files, host);
    if (!source->dump && ask_xen(source, &files, host, error, error_size) < 0)
        return -1;
    pci_find_topology(host);
    pci_find_resets(host);
    if (host->has_sysfs && pci_find_losses(&files, host) < 0) {
        snprintf(error, error_size, "out of memory");
        return -1;
    }
    return 0;
}

static int ask_xen(const struct pci_source *source, const struct files *files,
                   struct pci_host *host, char *error, size_t error_size)
{
    if (!source->root)
        return pci_ask_xen(host, error, error_size);
    return pci_has_xen_facts(files) ? pci_read_xen_facts(files, host, error, error_size) : 0;
}

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
