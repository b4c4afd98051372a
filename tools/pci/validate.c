/* SPDX-License-Identifier: LGPL-2.1-only */
/* The rules about the guest as a whole; the others are in validate_*.c. */
#include "validate.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "validate_parts.h"

static void find_devices(struct validation *v);
static void check_type(struct validation *v);
static void check_forms(struct validation *v);
static void check_old_settings(struct validation *v);
static void check_memory(struct validation *v);

void guest_validate(const struct guest_config *config, const struct pci_host *host,
                    const struct guest_surroundings *around, struct guest_findings *findings)
{
    struct validation v = {config, host, around, findings, {0}};

    find_devices(&v);
    validate_guest(&v);
    validate_entries(&v);
    validate_host(&v);
    validate_placement(&v);
    guest_findings_sort(findings);
}

void validate_guest(struct validation *v)
{
    check_type(v);
    check_forms(v);
    check_old_settings(v);
    check_memory(v);
}

bool validate_names(const struct guest_pci *entry, const struct pci_address *address)
{
    if (entry->form == GUEST_PCI_ALL_FUNCTIONS)
        return pci_address_same_device(&entry->address, address);
    return entry->form == GUEST_PCI_ONE && pci_address_compare(&entry->address, address) == 0;
}

bool validate_lists(const struct validation *v, size_t device)
{
    for (size_t i = 0; i < v->config->pci_count; i++)
        if (validate_names(&v->config->pci[i], &v->host->devices[device].address))
            return true;
    return false;
}

static void find_devices(struct validation *v)
{
    for (size_t i = 0; i < v->config->pci_count; i++) {
        const struct guest_pci *entry = &v->config->pci[i];
        bool known =
            v->host && (entry->form == GUEST_PCI_ONE || entry->form == GUEST_PCI_ALL_FUNCTIONS);

        v->devices[i] = known ? pci_host_find(v->host, &entry->address) : PCI_NO_DEVICE;
    }
}

static void check_type(struct validation *v)
{
    const struct guest_config *c = v->config;
    const char *type = c->type.line ? c->type.value : c->builder.value;
    unsigned int line = c->type.line ? c->type.line : c->builder.line;

    if (line && strcmp(type, "hvm") && strcmp(type, "pv") && strcmp(type, "pvh") &&
        strcmp(type, "generic")) {
        guest_finding_add(v->findings, GUEST_RULE_TYPE, line, "type \"%s\" is none of hvm, pv, pvh",
                          type);
        guest_finding_mend(v->findings, "type = \"hvm\"");
    }
    if (c->pci_count == 0)
        return;
    if (c->kind == GUEST_PVH) {
        guest_finding_add(v->findings, GUEST_RULE_PVH, c->type.line,
                          "a PVH guest with %zu PCI device%s", c->pci_count,
                          c->pci_count == 1 ? "" : "s");
        guest_finding_mend(v->findings, "type = \"hvm\"");
    }
    if (strcmp(c->passthrough.value, "disabled") == 0) {
        guest_finding_add(v->findings, GUEST_RULE_PASSTHROUGH_OFF, c->passthrough.line,
                          "passthrough is \"disabled\"");
        guest_finding_mend(v->findings, "leave passthrough out: xl sees the devices");
    }
    if (c->pci_too_many) {
        guest_finding_add(v->findings, GUEST_RULE_TOO_MANY, c->pci_line, "more than %d PCI devices",
                          GUEST_PCI_MAX);
        guest_finding_mend(v->findings, "give the guest fewer");
    }
}

static void check_number(struct validation *v, const char *name, const struct guest_number *n)
{
    if (!n->line || n->misread == GUEST_READ)
        return;
    guest_finding_add(v->findings, GUEST_RULE_MISREAD, n->line, "%s is %s", name,
                      n->misread == GUEST_NOT_A_NUMBER ? "not a number" : "a list");
    guest_finding_mend(v->findings, "write a number without a unit: %s = 4096", name);
}

static void check_forms(struct validation *v)
{
    const struct guest_config *c = v->config;

    check_number(v, "memory", &c->memory_mib);
    check_number(v, "maxmem", &c->maxmem_mib);
    check_number(v, "vcpus", &c->vcpus);
    check_number(v, "mmio_hole", &c->mmio_hole_mib);
    check_number(v, "videoram", &c->videoram_mib);
    check_number(v, "pci_permissive", &c->pci_permissive);
    check_number(v, "pci_seize", &c->pci_seize);
    check_number(v, "pci_msitranslate", &c->pci_msitranslate);
    check_number(v, "pci_power_mgmt", &c->pci_power_mgmt);
    if (c->pci_misread == GUEST_NOT_A_LIST) {
        guest_finding_add(v->findings, GUEST_RULE_MISREAD, c->pci_line,
                          "pci is no list: the guest gets no device");
        guest_finding_mend(v->findings, "pci = [ \"0000:01:00.0\" ]");
    }
}

static void check_old_settings(struct validation *v)
{
    const struct guest_config *c = v->config;

    if (c->builder.line) {
        guest_finding_add(v->findings, GUEST_RULE_OLD_SETTING, c->builder.line,
                          "builder has been replaced by type");
        guest_finding_mend(v->findings, "type = \"%s\"", c->kind == GUEST_HVM ? "hvm" : "pv");
    }
    if (c->device_model.line) {
        guest_finding_add(v->findings, GUEST_RULE_OLD_SETTING, c->device_model.line,
                          "device_model has no effect");
        guest_finding_mend(v->findings, "leave it out: xl knows where its device model is");
    }
    if (c->kernel.line && c->kind == GUEST_HVM && strstr(c->kernel.value, "hvmloader")) {
        guest_finding_add(v->findings, GUEST_RULE_OLD_SETTING, c->kernel.line,
                          "kernel names hvmloader, which every HVM guest starts anyway");
        guest_finding_mend(v->findings, "leave it out");
    }
    if (c->device_model_version.line && strcmp(c->device_model_version.value, "qemu-xen") != 0) {
        guest_finding_add(v->findings, GUEST_RULE_DEVICE_MODEL, c->device_model_version.line,
                          "device_model_version is \"%s\"", c->device_model_version.value);
        guest_finding_mend(v->findings, "leave it out: qemu-xen is what xl takes then");
    }
}

static void check_memory(struct validation *v)
{
    const struct guest_config *c = v->config;
    int64_t memory = c->memory_mib.value, maxmem = c->maxmem_mib.value,
            hole = c->mmio_hole_mib.value;

    if (c->pci_count > 0 && memory > 0 && maxmem > memory) {
        guest_finding_add(v->findings, GUEST_RULE_MAXMEM, c->memory_mib.line,
                          "memory is %" PRId64 " MiB, maxmem %" PRId64 " MiB (line %u)", memory,
                          maxmem, c->maxmem_mib.line);
        guest_finding_mend(v->findings,
                           "maxmem = %" PRId64 ", or leave maxmem out; a guest with a PCI device "
                           "keeps the memory it starts with",
                           memory);
    }
    if (c->mmio_hole_mib.line && c->mmio_hole_mib.misread == GUEST_READ &&
        (hole < PCI_MMIO_HOLE_MIN_MIB || hole > PCI_MMIO_HOLE_MAX_MIB)) {
        guest_finding_add(v->findings, GUEST_RULE_MMIO_HOLE, c->mmio_hole_mib.line,
                          "mmio_hole is %" PRId64 " MiB", hole);
        guest_finding_mend(v->findings, "mmio_hole = 1024, or leave it out");
    }
}

/* ---- what was left out ---- */

static void add_gap(char *text, size_t size, const char *gap)
{
    size_t used = strlen(text);

    snprintf(text + used, size - used, "%s%s", used ? "; " : "", gap);
}

void guest_not_checked(const struct guest_config *config, const struct pci_host *host,
                       const struct guest_surroundings *around, char *text, size_t size)
{
    bool bridges_unknown = false;

    text[0] = '\0';
    for (size_t i = 0; i < config->vif_count; i++)
        bridges_unknown = bridges_unknown || around->bridges[i] == PCI_UNKNOWN;
    if (!host)
        add_gap(text, size, "whatever depends on the host");
    if (host && !host->has_sysfs)
        add_gap(text, size, "where BARs go, drivers, resets: a dump does not tell");
    if (host && config->pci_count > 0 && host->machine.hvm_directio == PCI_UNKNOWN)
        add_gap(text, size, "whether Xen uses an IOMMU");
    if (host && config->pci_count > 0 && !around->physbits)
        add_gap(text, size, "how far the CPUs can address: 39 bits are assumed");
    if (bridges_unknown)
        add_gap(text, size, "network bridges");
    if (strcmp(config->bios.value, "ovmf") == 0 && around->bios == GUEST_IMAGE_UNKNOWN)
        add_gap(text, size, "the UEFI image: it is not where it is usually");
}
