/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Which resets would work, as far as config space and the topology tell. Linux says so itself in
 * reset_method, and knows of quirks that we do not; but the list shows what a method was when the
 * device was found, and whether siblings on the bus forbid a bus reset is asked only when it comes
 * to it.
 */
#include "host_parts.h"

#include <string.h>

static unsigned int find_possible(const struct pci_host *host, size_t device);
static void choose(const struct pci_host *host, size_t device, struct pci_reset *reset);

void pci_find_resets(struct pci_host *host)
{
    for (size_t i = 0; i < host->device_count; i++) {
        struct pci_reset *reset = &host->devices[i].reset;

        reset->possible = find_possible(host, i);
        choose(host, i, reset);
    }
}

/* Linux resets the bus only for a function that is alone on it. */
static bool is_alone_on_bus(const struct pci_host *host, size_t device)
{
    const struct pci_address *mine = &host->devices[device].address;

    for (size_t i = 0; i < host->device_count; i++) {
        const struct pci_address *other = &host->devices[i].address;

        if (i != device && other->domain == mine->domain && other->bus == mine->bus)
            return false;
    }
    return true;
}

static bool can_reset_bus(const struct pci_host *host, size_t device)
{
    const struct pci_device *d = &host->devices[device];

    return d->parent != PCI_NO_DEVICE && !pci_is_pci_bridge(d) && is_alone_on_bus(host, device);
}

static unsigned int find_possible(const struct pci_host *host, size_t device)
{
    const struct pci_summary *s = &host->devices[device].summary;
    unsigned int possible = 0;

    if (s->express.present && s->express.flr)
        possible |= 1u << PCI_RESET_FLR;
    if (s->af.present && s->af.flr && s->af.transactions_pending)
        possible |= 1u << PCI_RESET_AF_FLR;
    if (s->pm.present && !s->pm.no_soft_reset)
        possible |= 1u << PCI_RESET_PM;
    if (can_reset_bus(host, device))
        possible |= 1u << PCI_RESET_BUS;
    return possible;
}

/* The bridge above, if its kernel can reset all that is below it. */
static size_t find_subordinate(const struct pci_host *host, size_t device)
{
    size_t parent = host->devices[device].parent;

    return parent != PCI_NO_DEVICE && host->devices[parent].reset_subordinate ? parent
                                                                              : PCI_NO_DEVICE;
}

static void choose(const struct pci_host *host, size_t device, struct pci_reset *reset)
{
    unsigned int usable = reset->kernel_told ? reset->kernel : reset->possible;
    bool told_nothing = host->has_sysfs && !reset->kernel_told && !reset->can_reset;

    /* A bus with others on it is not reset for one of them, whatever the list says. */
    if (!can_reset_bus(host, device))
        usable &= ~(1u << PCI_RESET_BUS);
    if (told_nothing)
        usable = 0;
    reset->works = PCI_RESET_METHODS;
    for (int m = PCI_RESET_METHODS - 1; m >= 0; m--)
        if (usable & 1u << m)
            reset->works = (enum pci_reset_method)m;
    reset->subordinate = find_subordinate(host, device);
}

bool pci_reset_known(const struct pci_device *d)
{
    return d->reset.works != PCI_RESET_METHODS || d->reset.kernel_told || pci_capabilities_known(d);
}
