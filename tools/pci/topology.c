/* SPDX-License-Identifier: LGPL-2.1-only */
/* Who is below whom, and what cannot be given away by itself. */
#include "host_parts.h"

#define PRIMARY_BUS     0x18
#define SECONDARY_BUS   0x19
#define SUBORDINATE_BUS 0x1a

static size_t find_parent(const struct pci_host *host, size_t device);
static void find_group(struct pci_host *host, size_t device);

void pci_find_topology(struct pci_host *host)
{
    for (size_t i = 0; i < host->device_count; i++)
        host->devices[i].parent = find_parent(host, i);
    for (size_t i = 0; i < host->device_count; i++)
        find_group(host, i);
}

/* ---- the tree ---- */

static bool is_bus_behind(const struct pci_device *bridge, uint32_t domain, uint8_t bus)
{
    uint64_t secondary, subordinate;

    pci_config_read(&bridge->config, SECONDARY_BUS, 1, &secondary);
    pci_config_read(&bridge->config, SUBORDINATE_BUS, 1, &subordinate);
    return pci_is_pci_bridge(bridge) && bridge->address.domain == domain &&
           bridge->address.bus < secondary && secondary <= bus && bus <= subordinate;
}

/* The bridge nearest to it: with the highest secondary bus of those that its bus is behind. That of
 * a bridge is above its own bus, so that the way up ends, whatever the registers say. */
static size_t find_parent(const struct pci_host *host, size_t device)
{
    const struct pci_address *address = &host->devices[device].address;
    size_t nearest = PCI_NO_DEVICE;
    uint64_t highest = 0, secondary;

    for (size_t i = 0; i < host->device_count; i++) {
        const struct pci_device *bridge = &host->devices[i];

        if (!is_bus_behind(bridge, address->domain, address->bus))
            continue;
        pci_config_read(&bridge->config, SECONDARY_BUS, 1, &secondary);
        if (secondary > highest) {
            highest = secondary;
            nearest = i;
        }
    }
    return nearest;
}

/* ---- what must move together ---- */

/* Above it, the highest bridge that hides from the IOMMU who asks: all behind a conventional bus
 * ask in the bridge's name. */
static size_t conventional_bridge(const struct pci_host *host, size_t device)
{
    size_t found = PCI_NO_DEVICE;

    for (size_t i = host->devices[device].parent; i != PCI_NO_DEVICE; i = host->devices[i].parent) {
        const struct pci_device *bridge = &host->devices[i];

        if (bridge->capabilities.legacy_flaw == PCI_LIST_UNREADABLE)
            continue;
        if (!bridge->summary.express.present ||
            bridge->summary.express.port_type == PCI_PORT_EXPRESS_TO_PCI)
            found = i;
    }
    return found;
}

/* Functions that cannot be kept apart: neither virtual ones, nor those that redirect what they send
 * to each other. */
static bool are_one_device(const struct pci_device *a, const struct pci_device *b)
{
    return pci_address_same_device(&a->address, &b->address) && !pci_is_virtual_function(a) &&
           !pci_is_virtual_function(b) &&
           !(pci_summary_isolates(&a->summary) && pci_summary_isolates(&b->summary));
}

static enum pci_bond bond_between(const struct pci_host *host, size_t a, size_t b)
{
    const struct pci_device *left = &host->devices[a], *right = &host->devices[b];
    size_t bridge = conventional_bridge(host, a);

    if (pci_is_bridge(left) || pci_is_bridge(right)) /* these stay with dom0 */
        return PCI_BOND_NONE;
    if (bridge != PCI_NO_DEVICE && bridge == conventional_bridge(host, b))
        return PCI_BOND_BRIDGE;
    if (are_one_device(left, right))
        return PCI_BOND_FUNCTIONS;
    if (left->xen_group && left->xen_group == right->xen_group)
        return PCI_BOND_XEN;
    return PCI_BOND_NONE;
}

static void merge_groups(struct pci_host *host, size_t into, size_t from)
{
    for (size_t i = 0; i < host->device_count; i++)
        if (host->devices[i].group == from)
            host->devices[i].group = into;
}

/* Joins it with the groups of all before it that it is tied to. */
static void find_group(struct pci_host *host, size_t device)
{
    struct pci_device *d = &host->devices[device];

    d->group = device;
    d->bond = PCI_BOND_NONE;
    for (size_t i = 0; i < device; i++) {
        enum pci_bond bond = bond_between(host, i, device);
        size_t other = host->devices[i].group;

        if (bond == PCI_BOND_NONE || other == d->group)
            continue;
        if (other < d->group)
            merge_groups(host, other, d->group);
        else
            merge_groups(host, d->group, other);
        d->bond = d->bond ? d->bond : bond;
        host->devices[i].bond = host->devices[i].bond ? host->devices[i].bond : bond;
    }
}

/* ---- what is not isolated ---- */

bool pci_capabilities_known(const struct pci_device *d)
{
    return d->capabilities.legacy_flaw != PCI_LIST_UNREADABLE &&
           d->capabilities.extended_flaw != PCI_LIST_UNREADABLE;
}

bool pci_move_together(const struct pci_host *host, size_t a, size_t b)
{
    return host->devices[a].group == host->devices[b].group;
}

/* Whether `above` is on the way up from a device; child_out: what is just below it on that way,
 * with PCI_NO_DEVICE for `above` the highest of all. */
static bool leads_to(const struct pci_host *host, size_t device, size_t above, size_t *child_out)
{
    for (size_t i = device; i != PCI_NO_DEVICE; i = host->devices[i].parent) {
        *child_out = i;
        if (host->devices[i].parent == above)
            return true;
    }
    return false;
}

/* Where the ways up from two devices meet, at the latest in the root complex: the ports, or the
 * devices themselves, that they come from. */
static void find_meeting(const struct pci_host *host, size_t a, size_t b, size_t *from_a,
                         size_t *from_b)
{
    size_t above = host->devices[a].parent;

    while (!leads_to(host, b, above, from_b))
        above = host->devices[above].parent;
    leads_to(host, a, above, from_a);
}

/* A port that passes requests on instead of sending them up, where that is known. */
static bool turns_around(const struct pci_device *port)
{
    return pci_is_pci_bridge(port) && pci_capabilities_known(port) &&
           !pci_summary_isolates(&port->summary);
}

/* Requests turn around in a switch, or in the root complex among the functions of one device: that
 * separate devices there do so is not known of any. */
size_t pci_port_between(const struct pci_host *host, size_t a, size_t b)
{
    const struct pci_device *left, *right;
    size_t from_a = a, from_b = b;

    if (a == b)
        return PCI_NO_DEVICE;
    find_meeting(host, a, b, &from_a, &from_b);
    left = &host->devices[from_a];
    right = &host->devices[from_b];
    if (from_a == from_b || (left->parent == PCI_NO_DEVICE &&
                             !pci_address_same_device(&left->address, &right->address)))
        return PCI_NO_DEVICE;
    if (turns_around(left))
        return from_a;
    return turns_around(right) ? from_b : PCI_NO_DEVICE;
}

bool pci_not_isolated(const struct pci_host *host, size_t a, size_t b)
{
    return pci_move_together(host, a, b) || pci_port_between(host, a, b) != PCI_NO_DEVICE;
}
