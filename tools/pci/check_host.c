/* SPDX-License-Identifier: LGPL-2.1-only */
/* Is the host ready for passthrough? */
#include "findings.h"

#include <stdio.h>

#include "tell.h"

#define HOT_UNPLUG_RELEASE 0x0412 /* takes an HVM guest's permissions away, too */

static void check_dom0(const struct pci_host *host, struct teller *t);
static void check_xen(const struct pci_host *host, struct teller *t);
static void check_iommu(const struct pci_host *host, struct teller *t);
static void check_remapping(const struct pci_host *host, struct teller *t);
static void check_pciback(const struct pci_host *host, struct teller *t);
static void check_config_space(const struct pci_host *host, struct teller *t);
static void tell_not_checked(struct teller *t);

void pci_check_host(const struct pci_host *host, pci_finding_listener *tell, void *context)
{
    struct teller t = {tell, context, PCI_NO_DEVICE};

    if (host->has_sysfs)
        check_dom0(host, &t);
    else
        tell_not_checked(&t);
    if (host->machine.dom0 == PCI_YES) { /* else there is nothing to ask */
        check_xen(host, &t);
        check_iommu(host, &t);
        check_remapping(host, &t);
        check_pciback(host, &t);
    }
    check_config_space(host, &t);
}

const char *pci_grade_name(enum pci_grade grade)
{
    static const char *const names[] = {"ok", "warn", "fail"};

    return names[grade];
}

unsigned int pci_xen_release(const struct pci_machine *machine)
{
    unsigned int major, minor;

    if (sscanf(machine->xen_version, "%u.%u", &major, &minor) != 2 || major > 255 || minor > 255)
        return 0;
    return major << 8 | minor;
}

static void check_dom0(const struct pci_host *host, struct teller *t)
{
    if (host->machine.dom0 == PCI_YES)
        tell_good(t, "dom0", "/proc/xen/capabilities has control_d", "this is dom0");
    else
        tell_bad(t, PCI_FAILURE, "dom0", "/proc/xen/capabilities has no control_d",
                 "boot the host with Xen; in dom0, mount xenfs on /proc/xen",
                 "this is no dom0 of Xen");
}

static void check_xen(const struct pci_host *host, struct teller *t)
{
    unsigned int release = pci_xen_release(&host->machine);
    char evidence[PCI_SENTENCE_SIZE];

    snprintf(evidence, sizeof(evidence), "/sys/hypervisor/version: %s",
             release ? host->machine.xen_version : "not there");
    if (!release)
        tell_bad(t, PCI_WARNING, "xen-version", evidence, "load the kernel's module xen-sysfs",
                 "the version of Xen is not known");
    else if (release < HOT_UNPLUG_RELEASE)
        tell_good(t, "xen-version", evidence,
                  "Xen %u.%u: shut a guest down rather than use xl pci-detach, after which an HVM "
                  "guest still has the I/O permissions",
                  release >> 8, release & 0xff);
    else
        tell_good(t, "xen-version", evidence, "Xen %u.%u", release >> 8, release & 0xff);
}

static void check_iommu(const struct pci_host *host, struct teller *t)
{
    static const char mend[] =
        "switch on VT-d or AMD-Vi in the firmware, and put iommu=required on Xen's command line";

    switch (host->machine.hvm_directio) {
    case PCI_YES:
        tell_good(t, "iommu", "libxl_physinfo: cap_hvm_directio", "Xen uses the IOMMU");
        break;
    case PCI_NO:
        tell_bad(t, PCI_FAILURE, "iommu", "libxl_physinfo: no cap_hvm_directio", mend,
                 "Xen does not use an IOMMU: no HVM guest can have a device");
        break;
    case PCI_UNKNOWN:
        tell_bad(t, PCI_WARNING, "iommu",
                 host->machine.xen_problem[0] ? host->machine.xen_problem
                                              : "xen-facts.json does not say",
                 "run this as root in dom0: only Xen knows (/sys/kernel/iommu_groups is empty)",
                 "whether Xen uses an IOMMU is not known");
        break;
    }
}

static void check_remapping(const struct pci_host *host, struct teller *t)
{
    switch (host->machine.interrupt_remapping) {
    case PCI_YES:
        tell_good(t, "interrupt-remapping", "Xen's log: Interrupt remapping enabled",
                  "Xen checks the interrupts of guests' devices");
        break;
    case PCI_NO:
        tell_bad(t, PCI_WARNING, "interrupt-remapping", "Xen's log: Interrupt remapping disabled",
                 "switch on interrupt remapping or x2APIC in the firmware; until then trust the "
                 "guests that have devices",
                 "a guest can send the host any interrupt with its device");
        break;
    case PCI_UNKNOWN:
        tell_bad(t, PCI_WARNING, "interrupt-remapping", "Xen's log does not say (any more)",
                 "look at `xl dmesg` right after the host has started",
                 "whether interrupts are remapped is not known");
        break;
    }
}

static void check_pciback(const struct pci_host *host, struct teller *t)
{
    size_t count = 0;

    for (size_t i = 0; i < host->device_count; i++)
        count += host->devices[i].assignable;
    if (host->machine.pciback == PCI_YES)
        tell_good(t, "pciback", "/sys/bus/pci/drivers/pciback is there",
                  "pciback is loaded and keeps %zu device%s for guests", count,
                  count == 1 ? "" : "s");
    else
        tell_bad(t, PCI_FAILURE, "pciback", "/sys/bus/pci/drivers/pciback is missing",
                 "modprobe xen-pciback (`xlpolicy pci-prepare` shows how to do so at each start)",
                 "pciback, which keeps devices for guests, is not loaded");
}

static void check_config_space(const struct pci_host *host, struct teller *t)
{
    size_t unreadable = 0;
    char evidence[PCI_SENTENCE_SIZE];

    for (size_t i = 0; i < host->device_count; i++) {
        const struct pci_capabilities *c = &host->devices[i].capabilities;

        unreadable +=
            c->legacy_flaw == PCI_LIST_UNREADABLE || c->extended_flaw == PCI_LIST_UNREADABLE;
    }
    snprintf(evidence, sizeof(evidence), "%zu of %zu devices", host->device_count - unreadable,
             host->device_count);
    if (unreadable == 0)
        tell_good(t, "config-space", evidence, "config space could be read");
    else
        tell_bad(t, PCI_WARNING, "config-space", evidence,
                 host->has_sysfs ? "run this as root" : "make the dump as root, with lspci -xxxx",
                 "not all of config space could be read: resets and isolation are not known");
}

static void tell_not_checked(struct teller *t)
{
    tell_bad(t, PCI_WARNING, "not-checked", "a dump tells config space, and nothing else",
             "run `xlpolicy pci-check` in that host's dom0, or give --sysroot a copy of its files",
             "whether the host is ready is not known: neither dom0, IOMMU, interrupt remapping and "
             "pciback, nor who uses a device");
}
