/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What dom0 would lose with a device: what it has mounted, its swap, the way to its network, its
 * console and its keyboard, each followed down to the PCI devices that carry it.
 */
#include "losses.h"

#include <string.h>

#include "grow.h"
#include "host_parts.h"

static int find_console(struct pci_host *host);

int pci_find_losses(const struct files *files, struct pci_host *host)
{
    struct losses l = {.files = files, .host = host};

    losses_find_storage(&l);
    losses_find_network(&l);
    losses_find_keyboards(&l);
    if (find_console(host) < 0)
        l.out_of_memory = true;
    return l.out_of_memory ? -1 : 0;
}

/* The display that the firmware shows on, if dom0 still has it. */
static int find_console(struct pci_host *host)
{
    for (size_t i = 0; i < host->device_count; i++) {
        struct pci_device *d = &host->devices[i];

        if (!d->assignable && (d->boot_vga || d->framebuffer[0]) &&
            pci_add_loss(d, PCI_USE_CONSOLE, "the console's screen",
                         d->boot_vga ? "boot_vga is 1" : "/proc/iomem has its framebuffer") < 0)
            return -1;
    }
    return 0;
}

int pci_add_loss(struct pci_device *d, enum pci_use use, const char *what, const char *evidence)
{
    struct pci_loss loss = {.use = use};

    snprintf(loss.what, sizeof(loss.what), "%s", what);
    snprintf(loss.evidence, sizeof(loss.evidence), "%s", evidence);
    files_clean(loss.what);
    files_clean(loss.evidence);
    for (size_t i = 0; i < d->loss_count; i++)
        if (d->losses[i].use == use && strcmp(d->losses[i].what, loss.what) == 0)
            return 0;
    if (xlp_grow(&d->losses, &d->loss_room, d->loss_count + 1, sizeof(loss)) < 0)
        return -1;
    d->losses[d->loss_count++] = loss;
    return 0;
}

/* Each directory of such a path that is named by an address is a device in the way: the bridges,
 * too, but those are never given away. */
void losses_add_path(struct losses *l, const char *path, enum pci_use use, const char *what,
                     const char *evidence)
{
    char name[PCI_ADDRESS_SIZE];
    struct pci_address address;
    size_t length;

    for (; *path; path += length) {
        size_t device;

        path += strspn(path, "/");
        length = strcspn(path, "/");
        if (length >= sizeof(name))
            continue;
        snprintf(name, sizeof(name), "%.*s", (int)length, path);
        if (!pci_address_parse(name, &address))
            continue;
        device = pci_host_find(l->host, &address);
        if (device != PCI_NO_DEVICE && !pci_is_bridge(&l->host->devices[device]) &&
            pci_add_loss(&l->host->devices[device], use, what, evidence) < 0)
            l->out_of_memory = true;
    }
}
