/* SPDX-License-Identifier: LGPL-2.1-only */
/* What sysfs and /proc tell beyond what libpci reads. */
#include "host_parts.h"

#include <inttypes.h>
#include <string.h>

#define DEVICES "/sys/bus/pci/devices/"
#define PCIBACK "/sys/bus/pci/drivers/pciback"

static void read_device(const struct files *files, struct pci_host *host, size_t device);
static void read_permissive(const struct files *files, struct pci_host *host);
static void read_framebuffers(const struct files *files, struct pci_host *host);
static void read_machine(const struct files *files, struct pci_machine *machine);

void pci_read_attributes(const struct files *files, struct pci_host *host)
{
    for (size_t i = 0; i < host->device_count; i++)
        read_device(files, host, i);
    for (size_t i = 0; i < host->device_count; i++)
        if (pci_is_virtual_function(&host->devices[i]))
            host->devices[host->devices[i].physical].virtual_count++;
    read_permissive(files, host);
    read_framebuffers(files, host);
    read_machine(files, &host->machine);
}

static void attribute_path(const struct pci_device *d, const char *name, char path[128])
{
    char address[PCI_ADDRESS_SIZE];

    snprintf(path, 128, DEVICES "%s/%s", pci_address_format(&d->address, address), name);
}

static bool has_attribute(const struct files *files, const struct pci_device *d, const char *name)
{
    char path[128];

    attribute_path(d, name, path);
    return files_exist(files, path);
}

/* ---- one device ---- */

static size_t find_physical(const struct files *files, const struct pci_host *host, size_t device)
{
    struct pci_address address;
    char path[128], target[FILES_PATH_SIZE];
    const char *name;

    attribute_path(&host->devices[device], "physfn", path);
    if (!files_resolve(files, path, target, sizeof(target)))
        return PCI_NO_DEVICE;
    name = strrchr(target, '/');
    return name && pci_address_parse(name + 1, &address) ? pci_host_find(host, &address)
                                                         : PCI_NO_DEVICE;
}

/* Words of the kernel's list that we do not know, as cxl_bus, are none of ours to try. */
static unsigned int parse_methods(char *text)
{
    unsigned int methods = 0;
    char *rest;

    for (char *word = strtok_r(text, " \n", &rest); word; word = strtok_r(NULL, " \n", &rest))
        for (int m = 0; m < PCI_RESET_METHODS; m++)
            if (strcmp(word, pci_reset_method_name((enum pci_reset_method)m)) == 0)
                methods |= 1u << m;
    return methods;
}

static void read_device(const struct files *files, struct pci_host *host, size_t device)
{
    struct pci_device *d = &host->devices[device];
    char path[128], text[256];
    uint64_t number;

    attribute_path(d, "boot_vga", path);
    d->boot_vga = files_read_number(files, path, &number) && number == 1;
    attribute_path(d, "reset_method", path);
    d->reset.kernel_told = files_read(files, path, text, sizeof(text));
    d->reset.kernel = parse_methods(text);
    d->reset.can_reset = has_attribute(files, d, "reset");
    d->reset_subordinate = has_attribute(files, d, "reset_subordinate");
    d->assignable = strcmp(d->driver, "pciback") == 0;
    d->physical = find_physical(files, host, device);
}

/* ---- pciback ---- */

static void read_permissive(const struct files *files, struct pci_host *host)
{
    struct pci_address address;
    char line[64];
    FILE *file;

    host->machine.pciback = files_exist(files, PCIBACK) ? PCI_YES : PCI_NO;
    file = files_open(files, PCIBACK "/permissive");
    while (file && fgets(line, sizeof(line), file)) {
        size_t found = PCI_NO_DEVICE;

        line[strcspn(line, "\n ")] = '\0';
        if (pci_address_parse(line, &address))
            found = pci_host_find(host, &address);
        if (found != PCI_NO_DEVICE)
            host->devices[found].permissive = true;
    }
    if (file)
        fclose(file);
}

/* ---- the firmware's framebuffer ---- */

static bool lies_in(uint64_t address, const struct pci_region *r)
{
    return r->kind == PCI_REGION_MEMORY && r->base && address >= r->base &&
           address - r->base < r->size;
}

/* What the kernel's drivers for it call its memory in the list of what memory is used for. */
static void read_framebuffers(const struct files *files, struct pci_host *host)
{
    FILE *file = files_open(files, "/proc/iomem");
    char line[256], name[32];
    uint64_t start;

    while (file && fgets(line, sizeof(line), file)) {
        if (sscanf(line, " %" SCNx64 "-%*x : %31s", &start, name) != 2 ||
            (strcmp(name, "efifb") != 0 && strcmp(name, "vesafb") != 0 &&
             strcmp(name, "simplefb") != 0 && strcmp(name, "BOOTFB") != 0))
            continue;
        for (size_t i = 0; i < host->device_count; i++)
            for (size_t j = 0; j < PCI_REGION_ROM; j++)
                if (pci_is_display(&host->devices[i]) &&
                    lies_in(start, &host->devices[i].regions[j]))
                    snprintf(host->devices[i].framebuffer, sizeof(host->devices[i].framebuffer),
                             "%s", name);
    }
    if (file)
        fclose(file);
}

/* ---- the machine ---- */

static void read_machine(const struct files *files, struct pci_machine *machine)
{
    char text[256], major[32], minor[32], extra[32];

    machine->dom0 = PCI_NO;
    if (files_read(files, "/proc/xen/capabilities", text, sizeof(text)) &&
        strstr(text, "control_d"))
        machine->dom0 = PCI_YES;
    files_read(files, "/sys/hypervisor/type", text, sizeof(text));
    if (strcmp(text, "xen") == 0 &&
        files_read(files, "/sys/hypervisor/version/major", major, sizeof(major)) &&
        files_read(files, "/sys/hypervisor/version/minor", minor, sizeof(minor))) {
        files_read(files, "/sys/hypervisor/version/extra", extra, sizeof(extra));
        snprintf(machine->xen_version, sizeof(machine->xen_version), "%s.%s%s", major, minor,
                 extra);
    }
    files_read(files, "/proc/sys/kernel/osrelease", machine->kernel_version,
               sizeof(machine->kernel_version));
    files_read(files, "/proc/cmdline", machine->kernel_command_line,
               sizeof(machine->kernel_command_line));
}
