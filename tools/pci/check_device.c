/* SPDX-License-Identifier: LGPL-2.1-only */
/* Can a device be given to a guest, and what should be known before? */
#include "findings.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "describe.h"
#include "tell.h"

#define PAGE_SIZE         UINT64_C(4096)
#define IRQ_TRAP          255
#define IRQ_TRAP_RELEASE  0x0415 /* Xen 4.21 leaves such an interrupt alone */
#define MSIX_PAGE_RELEASE 0x0413 /* Xen 4.19 lets registers beside the table through */

typedef void device_check(const struct pci_host *host, size_t device, const struct teller *t);

static device_check check_bridge, check_losses, check_answers, check_capabilities, check_group,
    check_isolation, check_reset, check_pages, check_line, check_irq_255, check_msix,
    check_reserved, check_permissive, check_virtual, check_framebuffer;

void pci_check_device(const struct pci_host *host, size_t device, pci_finding_listener *tell,
                      void *context)
{
    static device_check *const checks[] = {
        check_losses,   check_answers,    check_capabilities, check_group,       check_isolation,
        check_reset,    check_pages,      check_line,         check_irq_255,     check_msix,
        check_reserved, check_permissive, check_virtual,      check_framebuffer,
    };
    struct teller t = {tell, context, device};

    if (pci_is_bridge(&host->devices[device])) {
        check_bridge(host, device, &t);
        return;
    }
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
        checks[i](host, device, &t);
}

void pci_check_availability(const struct pci_host *host, size_t device, bool bad,
                            pci_finding_listener *tell, void *context)
{
    struct teller t = {tell, context, device};
    const struct pci_device *d = &host->devices[device];
    char evidence[DESCRIBE_SIZE * 2], text[DESCRIBE_SIZE];

    if (d->owner_domid != PCI_NO_DOMAIN) {
        tell_bad(&t, PCI_WARNING, "in-use", "xenstore: /libxl/pci/.../domid",
                 "shut that guest down before another one gets it",
                 "it belongs to the guest %s (ID %u)",
                 d->owner_name[0] ? d->owner_name : "with another name", d->owner_domid);
        return;
    }
    if (bad)
        return;
    snprintf(evidence, sizeof(evidence), "driver %s; reset: %s",
             !host->has_sysfs ? "not known"
             : d->driver[0]   ? d->driver
                              : "none",
             describe_reset(host, device, text));
    tell_good(&t, "device", evidence,
              host->has_sysfs ? "nothing is known against giving it to a guest"
                              : "nothing in its config space is against giving it to a guest");
}

static void check_bridge(const struct pci_host *host, size_t device, const struct teller *t)
{
    char evidence[DESCRIBE_SIZE], name[DESCRIBE_SIZE];

    snprintf(evidence, sizeof(evidence), "class %06x", host->devices[device].class_code);
    tell_bad(t, PCI_FAILURE, "bridge", evidence, "choose what is behind it",
             "a bridge is not given to guests: %s", describe_class(&host->devices[device], name));
}

static void check_losses(const struct pci_host *host, size_t device, const struct teller *t)
{
    static const char *const mends[] = {
        [PCI_USE_FILESYSTEM] = "unmount it, or choose another device",
        [PCI_USE_SWAP] = "swapoff it, or choose another device",
        [PCI_USE_NETWORK] = "give dom0 another way to its network, or choose another device",
        [PCI_USE_CONSOLE] = ("make another card the primary one in the firmware, or be sure to "
                             "reach dom0 by network or serial line"),
        [PCI_USE_KEYBOARD] = "plug the keyboard into another controller's port",
    };
    const struct pci_device *d = &host->devices[device];

    for (size_t i = 0; i < d->loss_count; i++)
        tell_bad(t, PCI_FAILURE, "needed-by-dom0", d->losses[i].evidence, mends[d->losses[i].use],
                 "dom0 would lose %s", d->losses[i].what);
}

static void check_answers(const struct pci_host *host, size_t device, const struct teller *t)
{
    const struct pci_device *d = &host->devices[device];

    if (d->capabilities.legacy_flaw == PCI_LIST_DEAD ||
        d->capabilities.extended_flaw == PCI_LIST_DEAD)
        tell_bad(t, PCI_FAILURE, "no-answer", "its config space reads as all ones",
                 "start the host again, with the power off for a moment",
                 "the device does not answer");
}

static void tell_flaw(const struct teller *t, const char *list, enum pci_list_flaw flaw,
                      uint16_t at)
{
    char evidence[DESCRIBE_SIZE];

    if (flaw != PCI_LIST_LOOPS && flaw != PCI_LIST_POINTS_INTO_HEADER)
        return;
    snprintf(evidence, sizeof(evidence), "config space, offset %02x", at);
    tell_bad(t, PCI_WARNING, "broken-list", evidence,
             "trust neither the device nor the guest that had it; reset it", "the list of %s %s",
             list, pci_list_flaw_text(flaw));
}

static void check_capabilities(const struct pci_host *host, size_t device, const struct teller *t)
{
    const struct pci_capabilities *c = &host->devices[device].capabilities;

    tell_flaw(t, "capabilities", c->legacy_flaw, c->legacy_flaw_at);
    tell_flaw(t, "extended capabilities", c->extended_flaw, c->extended_flaw_at);
}

/* ---- the others ---- */

/* Those that must go along and are neither kept for guests nor anybody's. */
static void check_group(const struct pci_host *host, size_t device, const struct teller *t)
{
    const struct pci_device *d = &host->devices[device];

    for (size_t i = 0; i < host->device_count && host->has_sysfs; i++) {
        const struct pci_device *other = &host->devices[i];
        char evidence[DESCRIBE_SIZE], owner[DESCRIBE_SIZE], address[PCI_ADDRESS_SIZE];

        if (i == device || !pci_move_together(host, device, i) || pci_is_bridge(other) ||
            (other->assignable && other->owner_domid == d->owner_domid))
            continue;
        pci_address_format(&other->address, address);
        snprintf(evidence, sizeof(evidence), "%s; %s has it, driver %s", describe_bond(d->bond),
                 describe_owner(other, owner), other->driver[0] ? other->driver : "none");
        if (other->owner_domid != PCI_NO_DOMAIN && other->owner_domid != d->owner_domid &&
            d->owner_domid != PCI_NO_DOMAIN)
            tell_bad(t, PCI_FAILURE, "group-divided", evidence, "give both to one guest",
                     "%s must move with it and is another guest's", address);
        else
            tell_bad(t, PCI_WARNING, "group", evidence,
                     "`xlpolicy pci-prepare` keeps all of them for guests; write each into the "
                     "guest's pci = [...]",
                     "%s must move with it", address);
    }
}

static void check_isolation(const struct pci_host *host, size_t device, const struct teller *t)
{
    for (size_t i = 0; i < host->device_count; i++) {
        size_t port = pci_port_between(host, device, i);
        char evidence[DESCRIBE_SIZE], address[PCI_ADDRESS_SIZE];

        if (port == PCI_NO_DEVICE || pci_is_bridge(&host->devices[i]) ||
            pci_move_together(host, device, i))
            continue;
        snprintf(evidence, sizeof(evidence), "%s has %s",
                 pci_address_format(&host->devices[port].address, address),
                 host->devices[port].summary.acs.present ? "its ACS switched off" : "no ACS");
        tell_bad(t, PCI_WARNING, "not-isolated", evidence,
                 "give both to one guest, or to guests that trust each other, or use another slot",
                 "it and %s can reach each other's memory past the IOMMU",
                 pci_address_format(&host->devices[i].address, address));
    }
}

/* ---- reset ---- */

static const char *reset_mend(const struct pci_device *d)
{
    if (d->reset.subordinate != PCI_NO_DEVICE)
        return "`xlpolicy pci-reset` resets all below the bridge, between two guests";
    if (d->parent != PCI_NO_DEVICE)
        return "Linux 6.13, or 6.1.120, can reset all below the bridge; else a guest may find the "
               "device as the last one left it, until the host starts anew";
    return "start the host anew between two guests, or try whether the next one's driver can do "
           "with the device as it is";
}

static void check_reset(const struct pci_host *host, size_t device, const struct teller *t)
{
    const struct pci_device *d = &host->devices[device];
    const char *evidence = d->reset.kernel_told
                               ? "reset_method, config space, and what is beside it"
                               : "config space, and what is beside it";
    char text[DESCRIBE_SIZE];

    if (!host->has_sysfs && d->reset.works == PCI_RESET_METHODS)
        evidence = "config space; a kernel may know more";
    if (!pci_reset_known(d))
        return; /* of the host that has been said */
    if (d->reset.works == PCI_RESET_METHODS)
        tell_bad(t, PCI_WARNING, "no-reset", evidence, reset_mend(d), "reset: %s",
                 describe_reset(host, device, text));
    else if (d->reset.works == PCI_RESET_PM && pci_is_display(d))
        tell_bad(t, PCI_WARNING, "weak-reset", evidence,
                 d->reset.possible & 1u << PCI_RESET_BUS
                     ? "write bus into its reset_method"
                     : "try whether the guest starts a second time; if not, start the host anew "
                       "between two guests",
                 "it is reset only by a way through D3hot, which many graphics cards survive "
                 "unchanged");
}

/* ---- memory and interrupts ---- */

static void check_unaligned(const struct pci_device *d, const struct teller *t)
{
    for (size_t i = 0; i < PCI_REGION_ROM; i++) {
        const struct pci_region *r = &d->regions[i];
        char evidence[DESCRIBE_SIZE], text[DESCRIBE_SIZE];

        if (r->kind != PCI_REGION_MEMORY || !(r->base % PAGE_SIZE))
            continue;
        snprintf(evidence, sizeof(evidence), "resource: %s", describe_region(r, text));
        tell_bad(t, PCI_WARNING, "unaligned-region", evidence,
                 "pci=resource_alignment=ADDRESS on dom0's command line moves it",
                 "%s does not begin on a page of its own", describe_region_name(i));
    }
}

static void check_pages(const struct pci_host *host, size_t device, const struct teller *t)
{
    check_unaligned(&host->devices[device], t);
    for (size_t i = 0; i < host->device_count; i++) {
        size_t region, other;
        char evidence[DESCRIBE_SIZE], address[PCI_ADDRESS_SIZE];

        if (i == device || !pci_share_page(host, device, i, &region, &other))
            continue;
        snprintf(evidence, sizeof(evidence), "resource: %" PRIx64 " and %" PRIx64,
                 host->devices[device].regions[region].base, host->devices[i].regions[other].base);
        tell_bad(t, PCI_WARNING, "shared-page", evidence,
                 "give both to one guest, or put pci=resource_alignment=ADDRESS on dom0's command "
                 "line",
                 "%s lies on one page with %s of %s: a guest that has one reaches both",
                 describe_region_name(region), describe_region_name(other),
                 pci_address_format(&host->devices[i].address, address));
    }
}

static void check_line(const struct pci_host *host, size_t device, const struct teller *t)
{
    const struct pci_device *d = &host->devices[device];

    for (size_t i = 0; i < host->device_count; i++) {
        char evidence[DESCRIBE_SIZE], address[PCI_ADDRESS_SIZE], owner[DESCRIBE_SIZE];

        if (!pci_share_interrupt(host, device, i) || d->irq == IRQ_TRAP ||
            (host->devices[i].owner_domid == d->owner_domid &&
             host->devices[i].assignable == d->assignable && d->assignable))
            continue;
        snprintf(evidence, sizeof(evidence), "both on IRQ %u; owner of the other: %s", d->irq,
                 describe_owner(&host->devices[i], owner));
        tell_bad(t, PCI_WARNING, "shared-interrupt", evidence,
                 d->summary.msi.present || d->summary.msix.present
                     ? "harmless once the guest's driver uses MSI; until then, and for guests that "
                       "you do not trust, use another slot"
                     : "use another slot: it has no MSI",
                 "it shares its interrupt line with %s, which Xen does not support for security",
                 pci_address_format(&host->devices[i].address, address));
    }
}

static void check_irq_255(const struct pci_host *host, size_t device, const struct teller *t)
{
    const struct pci_device *d = &host->devices[device];
    unsigned int release = pci_xen_release(&host->machine);

    if (!host->has_sysfs || d->irq != IRQ_TRAP || release >= IRQ_TRAP_RELEASE)
        return;
    tell_bad(t, PCI_WARNING, "irq-255", "irq: 255",
             "let the firmware give it an interrupt line, or use Xen 4.21",
             "it has no interrupt line, and before Xen 4.21 libxl takes 255 for one and fails");
}

static void check_msix_place(const struct pci_device *d, const struct teller *t, const char *what,
                             uint8_t bar, uint32_t offset, uint64_t bytes)
{
    const struct pci_region *r = bar < PCI_REGION_ROM ? &d->regions[bar] : NULL;
    char evidence[DESCRIBE_SIZE];

    snprintf(evidence, sizeof(evidence), "MSI-X capability: BIR %u, offset %" PRIx32, bar, offset);
    if (!r || r->kind != PCI_REGION_MEMORY || (r->size && offset + bytes > r->size))
        tell_bad(t, PCI_FAILURE, "msix-nowhere", evidence, "reset the device, or use another",
                 "its MSI-X %s is in no memory that it has", what);
}

static void check_msix(const struct pci_host *host, size_t device, const struct teller *t)
{
    const struct pci_device *d = &host->devices[device];
    char evidence[DESCRIBE_SIZE];

    if (!d->summary.msix.present)
        return;
    check_msix_place(d, t, "table", d->summary.msix.table_bar, d->summary.msix.table_offset,
                     UINT64_C(16) * d->summary.msix.vectors);
    check_msix_place(d, t, "pending bit array", d->summary.msix.pba_bar, d->summary.msix.pba_offset,
                     (d->summary.msix.vectors + UINT64_C(63)) / 64 * 8);
    if (!(d->summary.msix.table_offset % PAGE_SIZE) ||
        pci_xen_release(&host->machine) >= MSIX_PAGE_RELEASE)
        return;
    snprintf(evidence, sizeof(evidence), "MSI-X capability: BIR %u, offset %" PRIx32,
             d->summary.msix.table_bar, d->summary.msix.table_offset);
    tell_bad(t, PCI_WARNING, "msix-unaligned", evidence,
             "if the guest's driver fails, keep it from using MSI-X, or use Xen 4.19",
             "its MSI-X table begins within a page: before Xen 4.19, what else is on that page "
             "cannot be written by a guest");
}

/* ---- the rest ---- */

static void check_reserved(const struct pci_host *host, size_t device, const struct teller *t)
{
    for (size_t i = 0; i < host->reserved_count; i++) {
        const struct pci_reserved *r = &host->reserved[i];
        char evidence[DESCRIBE_SIZE], size[DESCRIBE_SIZE];

        if (r->device != device)
            continue;
        snprintf(evidence, sizeof(evidence), "Xen's map: %" PRIx64 ", %s", r->start,
                 describe_size(r->size, size));
        tell_bad(t, PCI_WARNING, "reserved-memory", evidence,
                 "write rdm_policy=strict behind its address in pci = [...]; =relaxed starts the "
                 "guest even if that memory is taken",
                 "the firmware keeps memory for it, which its guest must have at that address");
    }
}

static void check_permissive(const struct pci_host *host, size_t device, const struct teller *t)
{
    if (host->devices[device].permissive)
        tell_bad(t, PCI_WARNING, "permissive", "/sys/bus/pci/drivers/pciback/permissive",
                 "bind it to pciback anew, unless its driver is known to need that",
                 "its guest may write all of its config space");
}

static void check_virtual(const struct pci_host *host, size_t device, const struct teller *t)
{
    const struct pci_device *d = &host->devices[device];
    char evidence[DESCRIBE_SIZE];

    if (!d->virtual_count)
        return;
    snprintf(evidence, sizeof(evidence), "physfn of %u functions leads here", d->virtual_count);
    tell_bad(t, PCI_WARNING, "has-virtual-functions", evidence,
             "give virtual functions to guests, and leave this one to dom0",
             "its %u virtual function%s vanish when dom0's driver leaves it", d->virtual_count,
             d->virtual_count == 1 ? "" : "s");
}

static void check_framebuffer(const struct pci_host *host, size_t device, const struct teller *t)
{
    const struct pci_device *d = &host->devices[device];
    char evidence[DESCRIBE_SIZE];

    if (!d->framebuffer[0])
        return;
    snprintf(evidence, sizeof(evidence), "/proc/iomem: %s", d->framebuffer);
    tell_bad(t, PCI_WARNING, "framebuffer", evidence,
             "make another card the primary one in the firmware, or put video=efifb:off on dom0's "
             "command line",
             "dom0's console holds a part of its memory, for as long as it runs");
}
