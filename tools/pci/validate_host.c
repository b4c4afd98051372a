/* SPDX-License-Identifier: LGPL-2.1-only */
/* The rules that compare a configuration with the host. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "validate_parts.h"

#define BRIDGE_DEFAULT "xenbr0" /* xl's */

static void check_device(struct validation *v, size_t i);
static void check_users(struct validation *v, const struct guest_pci *entry,
                        const struct pci_device *d);
static void check_siblings(struct validation *v, size_t i);
static void check_iommu(struct validation *v);
static void check_node(struct validation *v, size_t i);
static void check_networks(struct validation *v);
static void check_bios(struct validation *v);

void validate_host(struct validation *v)
{
    if (v->host) {
        for (size_t i = 0; i < v->config->pci_count; i++)
            check_device(v, i);
        check_iommu(v);
    }
    check_networks(v);
    check_bios(v);
}

/* ---- each device ---- */

/* What is so of a whole group is told at the first of its entries. */
static bool is_first_of_group(const struct validation *v, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (v->devices[j] != PCI_NO_DEVICE &&
            pci_move_together(v->host, v->devices[j], v->devices[i]))
            return false;
    return true;
}

static void check_device(struct validation *v, size_t i)
{
    const struct guest_pci *entry = &v->config->pci[i];
    const struct pci_device *d;
    char address[PCI_ADDRESS_SIZE];

    if (entry->form != GUEST_PCI_ONE && entry->form != GUEST_PCI_ALL_FUNCTIONS)
        return;
    pci_address_format(&entry->address, address);
    if (v->devices[i] == PCI_NO_DEVICE) {
        guest_finding_add(v->findings, GUEST_RULE_NO_DEVICE, entry->line, "there is no device %s",
                          address);
        guest_finding_mend(v->findings, "`xlpolicy pci-list` shows which there are");
        return;
    }
    d = &v->host->devices[v->devices[i]];
    if (pci_is_bridge(d)) {
        guest_finding_add(v->findings, GUEST_RULE_BRIDGE_DEVICE, entry->line, "%s is a bridge: %s",
                          address, d->class_name);
        guest_finding_mend(v->findings, "the devices behind it instead");
        return;
    }
    check_users(v, entry, d);
    if (!is_first_of_group(v, i))
        return;
    check_siblings(v, i);
    check_node(v, i);
    if (v->host->has_sysfs && d->reset.works == PCI_RESET_METHODS) {
        guest_finding_add(v->findings, GUEST_RULE_NO_RESET, entry->line,
                          "%s has no reset that works", address);
        guest_finding_mend(v->findings,
                           "`xlpolicy pci-info %s` says why; restart the host between two "
                           "guests if the second one finds the device in a bad state",
                           address);
    }
}

/* Who has it now. Only what dom0 still holds can be lost. */
static void check_users(struct validation *v, const struct guest_pci *entry,
                        const struct pci_device *d)
{
    char address[PCI_ADDRESS_SIZE];
    bool by_another =
        d->owner_domid != PCI_NO_DOMAIN && strcmp(d->owner_name, v->config->name.value) != 0;

    pci_address_format(&d->address, address);
    for (size_t i = 0; i < d->loss_count; i++) {
        guest_finding_add(v->findings, GUEST_RULE_DOM0_NEEDS, entry->line,
                          "dom0 would lose %s with %s", d->losses[i].what, address);
        guest_finding_mend(v->findings, "another device, or free this one first (%s)",
                           d->losses[i].evidence);
    }
    if (by_another) {
        guest_finding_add(v->findings, GUEST_RULE_OWNED, entry->line,
                          "%s belongs to the guest %s (ID %u)", address,
                          d->owner_name[0] ? d->owner_name : "with another name", d->owner_domid);
        guest_finding_mend(v->findings, "end that guest, or `xl pci-detach %u %s`", d->owner_domid,
                           address);
    }
    if (v->host->has_sysfs && !d->assignable && d->owner_domid == PCI_NO_DOMAIN) {
        guest_finding_add(v->findings, GUEST_RULE_NOT_ASSIGNABLE, entry->line, "%s is %s%s",
                          address, d->driver[0] ? "bound to " : "not bound to pciback", d->driver);
        guest_finding_mend(v->findings, "`xlpolicy pci-prepare %s` shows how to bind it", address);
    }
}

static void check_siblings(struct validation *v, size_t i)
{
    const struct pci_host *host = v->host;
    size_t device = v->devices[i], missing = 0, used = 0;
    char list[GUEST_FINDING_SIZE / 2] = "", address[PCI_ADDRESS_SIZE];

    for (size_t other = 0; other < host->device_count; other++) {
        if (pci_is_bridge(&host->devices[other]) || !pci_move_together(host, device, other) ||
            validate_lists(v, other))
            continue;
        missing++;
        if (used < sizeof(list))
            used += (size_t)snprintf(list + used, sizeof(list) - used, "%s\"%s\"", used ? ", " : "",
                                     pci_address_format(&host->devices[other].address, address));
    }
    if (missing == 0)
        return;
    guest_finding_add(v->findings, GUEST_RULE_SIBLINGS, v->config->pci[i].line,
                      "%zu function%s missing that belong%s to %s", missing,
                      missing == 1 ? " is" : "s are", missing == 1 ? "s" : "",
                      pci_address_format(&host->devices[device].address, address));
    guest_finding_mend(v->findings, "add %s", list);
}

static void check_iommu(struct validation *v)
{
    if (v->host->machine.hvm_directio != PCI_NO || v->config->pci_count == 0 ||
        v->config->kind != GUEST_HVM)
        return;
    guest_finding_add(v->findings, GUEST_RULE_NO_IOMMU, v->config->pci_line,
                      "Xen uses no IOMMU on this host");
    guest_finding_mend(v->findings,
                       "switch VT-d or AMD-Vi on in the firmware, and boot Xen without "
                       "iommu=off; `xlpolicy pci-check` tells more");
}

/* ---- NUMA ---- */

/* Whether "node:0", "nodes:0-1,3" holds the node. UNKNOWN: it is no list of nodes, or has more to
 * it than ranges. */
static enum pci_truth holds_node(const char *affinity, uint32_t node)
{
    enum pci_truth holds = PCI_NO;

    if (strncmp(affinity, "node", 4) != 0)
        return PCI_UNKNOWN;
    affinity += 4;
    affinity += *affinity == 's';
    if (*affinity++ != ':')
        return PCI_UNKNOWN;
    while (*affinity) {
        char *end;
        unsigned long first, last;

        if (!isdigit((unsigned char)*affinity))
            return PCI_UNKNOWN;
        first = last = strtoul(affinity, &end, 10);
        if (*end == '-' && isdigit((unsigned char)end[1]))
            last = strtoul(end + 1, &end, 10);
        if (*end != ',' && *end != '\0')
            return PCI_UNKNOWN;
        if (first <= node && node <= last)
            holds = PCI_YES;
        affinity = end + (*end == ',');
    }
    return holds;
}

static void check_node(struct validation *v, size_t i)
{
    const struct guest_config *c = v->config;
    const struct guest_text *affinity = c->cpus.line ? &c->cpus : &c->cpus_soft;
    const struct pci_device *d = &v->host->devices[v->devices[i]];
    char address[PCI_ADDRESS_SIZE];

    if (!affinity->line || d->node == PCI_NO_NODE || holds_node(affinity->value, d->node) != PCI_NO)
        return;
    guest_finding_add(v->findings, GUEST_RULE_NODE, affinity->line,
                      "%s is on node %u, the guest on %s", pci_address_format(&d->address, address),
                      d->node, affinity->value);
    guest_finding_mend(v->findings, "%s = \"node:%u\"", c->cpus.line ? "cpus" : "cpus_soft",
                       d->node);
}

/* ---- files ---- */

static void check_networks(struct validation *v)
{
    for (size_t i = 0; i < v->config->vif_count; i++) {
        const struct guest_vif *vif = &v->config->vifs[i];

        if (v->around->bridges[i] != PCI_NO)
            continue;
        guest_finding_add(v->findings, GUEST_RULE_NETWORK, vif->line,
                          "there is no network bridge %s",
                          vif->bridge[0] ? vif->bridge : BRIDGE_DEFAULT);
        guest_finding_mend(v->findings, "name one that is there with bridge=, or make it "
                                        "(/etc/network/interfaces: bridge_ports)");
    }
}

static void check_bios(struct validation *v)
{
    const struct guest_config *c = v->config;
    unsigned int line = c->bios_path.line ? c->bios_path.line : c->bios.line;

    if (v->around->bios == GUEST_IMAGE_MISSING)
        guest_finding_add(v->findings, GUEST_RULE_OVMF, line, "there is no file %s",
                          v->around->bios_path);
    else if (v->around->bios == GUEST_IMAGE_OTHER)
        guest_finding_add(v->findings, GUEST_RULE_OVMF, line,
                          "%s is no ELF file, so it is not an OvmfXen image", v->around->bios_path);
    else
        return;
    guest_finding_mend(v->findings,
                       "leave bios out, which means SeaBIOS; or bios_path_override = an "
                       "image built from OvmfPkg/OvmfXen.dsc");
}
