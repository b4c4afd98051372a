/* SPDX-License-Identifier: LGPL-2.1-only */
#include "describe.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Appends, as much as there is room for. */
static void __attribute__((format(printf, 2, 3)))
append(char text[DESCRIBE_SIZE], const char *format, ...)
{
    size_t used = strlen(text);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text + used, DESCRIBE_SIZE - used, format, arguments);
    va_end(arguments);
}

/* The same as one more of a list. */
static void __attribute__((format(printf, 3, 4)))
append_item(char text[DESCRIBE_SIZE], const char *separator, const char *format, ...)
{
    size_t used;
    va_list arguments;

    if (text[0])
        append(text, "%s", separator);
    used = strlen(text);
    va_start(arguments, format);
    vsnprintf(text + used, DESCRIBE_SIZE - used, format, arguments);
    va_end(arguments);
}

/* ---- what it is ---- */

char *describe_name(const struct pci_device *d, char text[DESCRIBE_SIZE])
{
    if (!d->vendor_name[0] && !d->device_name[0])
        snprintf(text, DESCRIBE_SIZE, "%04x:%04x", d->vendor_id, d->device_id);
    else if (!d->device_name[0])
        snprintf(text, DESCRIBE_SIZE, "%s %04x", d->vendor_name, d->device_id);
    else
        snprintf(text, DESCRIBE_SIZE, "%s %s", d->vendor_name, d->device_name);
    return text;
}

char *describe_class(const struct pci_device *d, char text[DESCRIBE_SIZE])
{
    if (d->class_name[0])
        snprintf(text, DESCRIBE_SIZE, "%s", d->class_name);
    else
        snprintf(text, DESCRIBE_SIZE, "class %06x", d->class_code);
    return text;
}

char *describe_owner(const struct pci_device *d, char text[DESCRIBE_SIZE])
{
    if (d->owner_domid == PCI_NO_DOMAIN)
        snprintf(text, DESCRIBE_SIZE, "%s", d->assignable ? "assignable" : "dom0");
    else if (d->owner_name[0])
        snprintf(text, DESCRIBE_SIZE, "%s (%u)", d->owner_name, d->owner_domid);
    else
        snprintf(text, DESCRIBE_SIZE, "domain %u", d->owner_domid);
    return text;
}

/* ---- regions ---- */

const char *describe_region_name(size_t region)
{
    static const char *const names[] = {"BAR0", "BAR1", "BAR2", "BAR3", "BAR4", "BAR5", "ROM"};

    return names[region];
}

char *describe_size(uint64_t bytes, char text[DESCRIBE_SIZE])
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    size_t unit = 0;

    while (bytes && bytes % 1024 == 0 && unit + 1 < sizeof(units) / sizeof(units[0])) {
        bytes /= 1024;
        unit++;
    }
    snprintf(text, DESCRIBE_SIZE, "%" PRIu64 " %s", bytes, units[unit]);
    return text;
}

char *describe_region(const struct pci_region *r, char text[DESCRIBE_SIZE])
{
    char size[DESCRIBE_SIZE];

    text[0] = '\0';
    if (r->base)
        append(text, "%s%" PRIx64, r->kind == PCI_REGION_IO ? "I/O ports at " : "", r->base);
    else
        append(text, "%s without an address", r->kind == PCI_REGION_IO ? "I/O ports" : "memory");
    if (r->size)
        append(text, ", %s", describe_size(r->size, size));
    if (r->kind == PCI_REGION_MEMORY)
        append(text, ", %s%s", r->is_64bit ? "64-bit" : "32-bit",
               r->prefetchable ? ", prefetchable" : "");
    return text;
}

/* ---- interrupts ---- */

static char pin_letter(const struct pci_device *d)
{
    return d->interrupt_pin <= 4 ? (char)('A' + d->interrupt_pin - 1) : '?';
}

char *describe_interrupts_short(const struct pci_device *d, char text[DESCRIBE_SIZE])
{
    if (d->capabilities.legacy_flaw == PCI_LIST_UNREADABLE)
        snprintf(text, DESCRIBE_SIZE, "?");
    else if (d->summary.msix.present)
        snprintf(text, DESCRIBE_SIZE, "MSI-X %u", d->summary.msix.vectors);
    else if (d->summary.msi.present)
        snprintf(text, DESCRIBE_SIZE, "MSI %u", d->summary.msi.capable);
    else if (d->interrupt_pin)
        snprintf(text, DESCRIBE_SIZE, "INT%c#", pin_letter(d));
    else
        snprintf(text, DESCRIBE_SIZE, "none");
    return text;
}

static void append_vectors(char text[DESCRIBE_SIZE], const char *kind, unsigned int vectors,
                           bool enabled)
{
    append_item(text, "; ", "%s, %u vector%s, %s", kind, vectors, vectors == 1 ? "" : "s",
                enabled ? "on" : "off");
}

char *describe_interrupts(const struct pci_device *d, char text[DESCRIBE_SIZE])
{
    text[0] = '\0';
    if (d->summary.msix.present)
        append_vectors(text, "MSI-X", d->summary.msix.vectors, d->summary.msix.enabled);
    if (d->summary.msi.present)
        append_vectors(text, "MSI", d->summary.msi.capable, d->summary.msi.enabled);
    if (d->interrupt_pin && d->irq != PCI_NO_IRQ)
        append_item(text, "; ", "INT%c#, IRQ %u", pin_letter(d), d->irq);
    else if (d->interrupt_pin)
        append_item(text, "; ", "INT%c#, no IRQ", pin_letter(d));
    if (!text[0])
        append(text, "none");
    return text;
}

/* ---- reset ---- */

static unsigned int count_beside(const struct pci_host *host, size_t device)
{
    const struct pci_address *mine = &host->devices[device].address;
    unsigned int count = 0;

    for (size_t i = 0; i < host->device_count; i++)
        count += i != device && host->devices[i].address.domain == mine->domain &&
                 host->devices[i].address.bus == mine->bus;
    return count;
}

static const char *why_not_d3hot(const struct pci_device *d)
{
    if (!d->summary.pm.present)
        return "no power management";
    return d->summary.pm.no_soft_reset ? "D3hot resets nothing" : "the kernel does not use D3hot";
}

static void append_why_none(const struct pci_host *host, size_t device, char text[DESCRIBE_SIZE])
{
    const struct pci_device *d = &host->devices[device];
    unsigned int beside = count_beside(host, device);

    append(text, "no FLR, %s, ", why_not_d3hot(d));
    if (d->parent == PCI_NO_DEVICE)
        append(text, "no bridge above it");
    else if (beside)
        append(text, "and its bus has %u other function%s", beside, beside == 1 ? "" : "s");
    else
        append(text, "and the kernel does not reset its bus");
}

char *describe_reset(const struct pci_host *host, size_t device, char text[DESCRIBE_SIZE])
{
    const struct pci_reset *reset = &host->devices[device].reset;
    char address[PCI_ADDRESS_SIZE];

    if (!pci_reset_known(&host->devices[device])) {
        snprintf(text, DESCRIBE_SIZE, "unknown: its capabilities could not be read");
        return text;
    }
    text[0] = '\0';
    append(text, "%s", pci_reset_method_name(reset->works));
    if (reset->works == PCI_RESET_METHODS) {
        append(text, ": ");
        append_why_none(host, device, text);
    }
    if (reset->works == PCI_RESET_PM)
        append(text, " (through D3hot)");
    if (reset->subordinate != PCI_NO_DEVICE)
        append(text, "; reset_subordinate of %s resets all of its bus",
               pci_address_format(&host->devices[reset->subordinate].address, address));
    return text;
}

/* ---- the others ---- */

const char *describe_bond(enum pci_bond bond)
{
    switch (bond) {
    case PCI_BOND_NONE: return "nothing";
    case PCI_BOND_FUNCTIONS: return "functions of one device";
    case PCI_BOND_BRIDGE: return "behind one conventional bridge";
    case PCI_BOND_XEN: return "one IOMMU group, says Xen";
    }
    return "?";
}

typedef bool relation(const struct pci_host *host, size_t a, size_t b);

static char *describe_related(const struct pci_host *host, size_t device, relation *related,
                              relation *but_not, char text[DESCRIBE_SIZE])
{
    text[0] = '\0';
    for (size_t i = 0; i < host->device_count; i++) {
        char address[PCI_ADDRESS_SIZE];

        if (i == device || pci_is_bridge(&host->devices[i]) || !related(host, device, i) ||
            (but_not && but_not(host, device, i)))
            continue;
        if (strlen(text) > DESCRIBE_SIZE - PCI_ADDRESS_SIZE - 8) {
            append(text, ", ...");
            break;
        }
        append_item(text, ", ", "%s", pci_address_format(&host->devices[i].address, address));
    }
    return text;
}

char *describe_group(const struct pci_host *host, size_t device, char text[DESCRIBE_SIZE])
{
    return describe_related(host, device, pci_move_together, NULL, text);
}

char *describe_not_isolated(const struct pci_host *host, size_t device, char text[DESCRIBE_SIZE])
{
    return describe_related(host, device, pci_not_isolated, pci_move_together, text);
}
