/* SPDX-License-Identifier: LGPL-2.1-only */
/* What Xen says of this machine's devices. Only calls that Xen 4.14 to 4.20 all have. */
#include "host_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Xen's headers are written in GNU C, and say so if the compiler is asked for strict C17. */
#pragma push_macro("__STRICT_ANSI__")
#undef __STRICT_ANSI__
#include <libxl.h>
#include <xenctrl.h>
#include <xenstore.h>
#include <xentoollog.h>
#pragma pop_macro("__STRICT_ANSI__")

#define PAGE_SHIFT   12
#define RESERVED_MAX 64 /* ranges for one device */
#define GROUP_MAX    256

/* Complaints go nowhere: a fact that could not be had is unknown, and shown so. */
static void __attribute__((format(printf, 5, 0)))
ignore_message(struct xentoollog_logger *logger, xentoollog_level level, int error,
               const char *context, const char *format, va_list arguments)
{
    (void)logger, (void)level, (void)error, (void)context, (void)format, (void)arguments;
}

static void ignore_destroy(struct xentoollog_logger *logger)
{
    (void)logger;
}

static int ask(struct pci_host *host, xentoollog_logger *logger);
static void ask_libxl(struct pci_host *host, libxl_ctx *libxl);
static void ask_nodes(struct pci_host *host, libxl_ctx *libxl);
static void ask_console(struct pci_host *host, libxl_ctx *libxl);
static void ask_owners(struct pci_host *host);
static int ask_reserved(struct pci_host *host, xc_interface *xc, size_t device);
static void ask_group(struct pci_host *host, xc_interface *xc, size_t device);

int pci_ask_xen(struct pci_host *host, char *error, size_t error_size)
{
    xentoollog_logger logger = {.vmessage = ignore_message, .destroy = ignore_destroy};

    host->machine.xen_asked = PCI_NO;
    if (ask(host, &logger) < 0) {
        snprintf(error, error_size, "out of memory");
        return -1;
    }
    return 0;
}

static int ask(struct pci_host *host, xentoollog_logger *logger)
{
    xc_interface *xc = xc_interface_open(logger, logger, 0);
    libxl_ctx *libxl = NULL;
    int result = 0;

    if (!xc) {
        snprintf(host->machine.xen_problem, sizeof(host->machine.xen_problem),
                 "cannot open /dev/xen/privcmd: %s", strerror(errno));
        return 0;
    }
    host->machine.xen_asked = PCI_YES;
    if (libxl_ctx_alloc(&libxl, LIBXL_VERSION, 0, logger) == 0) {
        ask_libxl(host, libxl);
        libxl_ctx_free(libxl);
    }
    ask_owners(host);
    for (size_t i = 0; i < host->device_count && result == 0; i++) {
        result = ask_reserved(host, xc, i);
        ask_group(host, xc, i);
    }
    xc_interface_close(xc);
    return result;
}

static void ask_libxl(struct pci_host *host, libxl_ctx *libxl)
{
    libxl_physinfo info;

    libxl_physinfo_init(&info);
    if (libxl_get_physinfo(libxl, &info) == 0)
        host->machine.hvm_directio = info.cap_hvm_directio ? PCI_YES : PCI_NO;
    libxl_physinfo_dispose(&info);
    ask_nodes(host, libxl);
    ask_console(host, libxl);
}

static void ask_nodes(struct pci_host *host, libxl_ctx *libxl)
{
    int count = 0;
    libxl_pcitopology *topology = libxl_get_pci_topology(libxl, &count);

    for (int i = 0; topology && i < count; i++) {
        const struct pci_address address = {topology[i].seg, topology[i].bus,
                                            topology[i].devfn >> 3, topology[i].devfn & 7};
        size_t device = pci_host_find(host, &address);

        if (device != PCI_NO_DEVICE && topology[i].node != LIBXL_PCITOPOLOGY_INVALID_ENTRY)
            host->devices[device].node = topology[i].node;
    }
    if (topology)
        libxl_pcitopology_list_free(topology, count);
}

/* The log of the hypervisor's start, as long as its buffer still holds it. */
static void ask_console(struct pci_host *host, libxl_ctx *libxl)
{
    libxl_xen_console_reader *reader = libxl_xen_console_read_start(libxl, 0);
    char *line;

    while (reader && libxl_xen_console_read_line(libxl, reader, &line) > 0) {
        if (strstr(line, "Interrupt remapping enabled"))
            host->machine.interrupt_remapping = PCI_YES;
        else if (strstr(line, "Interrupt remapping disabled"))
            host->machine.interrupt_remapping = PCI_NO;
    }
    if (reader)
        libxl_xen_console_read_finish(libxl, reader);
}

/* ---- owners: libxl notes them in xenstore ---- */

static char *read_store(struct xs_handle *xs, const char *path)
{
    unsigned int length;

    return xs_read(xs, XBT_NULL, path, &length);
}

static void ask_owner(struct xs_handle *xs, struct pci_device *d)
{
    const struct pci_address *a = &d->address;
    char path[64], *text, *name;

    snprintf(path, sizeof(path), "/libxl/pci/%04x-%02x-%02x-%x/domid", a->domain, a->bus, a->device,
             a->function);
    text = read_store(xs, path);
    if (!text)
        return;
    d->owner_domid = (uint32_t)strtoul(text, NULL, 10);
    free(text);
    snprintf(path, sizeof(path), "/local/domain/%u/name", d->owner_domid);
    name = read_store(xs, path);
    snprintf(d->owner_name, sizeof(d->owner_name), "%s", name ? name : "");
    files_clean(d->owner_name);
    free(name);
}

static void ask_owners(struct pci_host *host)
{
    struct xs_handle *xs = xs_open(0);

    if (!xs)
        return;
    for (size_t i = 0; i < host->device_count; i++)
        ask_owner(xs, &host->devices[i]);
    xs_close(xs);
}

/* ---- what only the hypervisor knows ---- */

static uint8_t devfn_of(const struct pci_address *a)
{
    return (uint8_t)(a->device << 3 | a->function);
}

static int ask_reserved(struct pci_host *host, xc_interface *xc, size_t device)
{
    const struct pci_address *a = &host->devices[device].address;
    struct xen_reserved_device_memory entries[RESERVED_MAX];
    uint32_t count = RESERVED_MAX;

    if (xc_reserved_device_memory_map(xc, 0, (uint16_t)a->domain, a->bus, devfn_of(a), entries,
                                      &count) != 0)
        return 0;
    for (uint32_t i = 0; i < count && i < RESERVED_MAX; i++)
        if (pci_add_reserved(host, device, (uint64_t)entries[i].start_pfn << PAGE_SHIFT,
                             (uint64_t)entries[i].nr_pages << PAGE_SHIFT) < 0)
            return -1;
    return 0;
}

/* Xen lists, of the devices that the same domain has, those in its group. Of DOMID_IO, where some
 * wait for a guest, it cannot be asked. */
static int list_group(xc_interface *xc, const struct pci_device *d, uint32_t domid, uint32_t *count,
                      uint32_t *members)
{
    const struct pci_address *a = &d->address;
    uint32_t place = a->domain << 16 | (uint32_t)a->bus << 8 | devfn_of(a);

    *count = 0;
    return xc_get_device_group(xc, domid, place, GROUP_MAX, count, members);
}

static void ask_group(struct pci_host *host, xc_interface *xc, size_t device)
{
    struct pci_device *d = &host->devices[device];
    uint32_t domid = d->owner_domid != PCI_NO_DOMAIN ? d->owner_domid : 0;
    uint32_t members[GROUP_MAX], count;

    if (list_group(xc, d, domid, &count, members) < 0 || count == 0)
        return;
    if (!d->xen_group)
        d->xen_group = (uint32_t)device + 1;
    for (uint32_t i = 0; i < count && i < GROUP_MAX; i++) {
        /* Unlike what it is asked by, what it answers has no segment, and a byte of nothing. */
        const struct pci_address address = {d->address.domain, members[i] >> 16 & 0xff,
                                            members[i] >> 11 & 0x1f, members[i] >> 8 & 7};
        size_t other = pci_host_find(host, &address);

        if (other != PCI_NO_DEVICE)
            host->devices[other].xen_group = d->xen_group;
    }
}
