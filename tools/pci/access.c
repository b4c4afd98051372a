/* SPDX-License-Identifier: LGPL-2.1-only */
/* libpci's part of reading a host. */
#include "access.h"

#include <pci/pci.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "grow.h"

#define SYSFS_BUS "/sys/bus/pci"
#define NAMES     "/usr/share/misc/pci.ids"
#define PIN_MAX   4  /* INTD# */
#define CHUNK     64 /* config space is read by so many bytes, and by 4 where it ends */

/* What IORESOURCE_... flags of the kernel libpci hands on. */
#define RESOURCE_MEM_64 0x00100000

static int scan(struct pci_access *access, struct pci_host *host, char *error, size_t error_size);
static struct pci_device *add_device(struct pci_host *host);
static void read_device(struct pci_access *access, struct pci_dev *dev, struct pci_device *d,
                        bool has_sysfs);
static void read_names(struct pci_access *access, struct pci_device *d);
static void read_regions(struct pci_dev *dev, struct pci_device *d, bool has_sysfs);
static void read_config(struct pci_dev *dev, struct pci_config *config);
static int by_address(const void *a, const void *b);

/* libpci's way to fail is a function that does not return, without a context. */
static jmp_buf failed;
static char failure[256];

static void __attribute__((noreturn, format(printf, 1, 2))) on_error(char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(failure, sizeof(failure), format, arguments);
    va_end(arguments);
    longjmp(failed, 1);
}

static void __attribute__((format(printf, 1, 2))) on_warning(char *format, ...)
{
    (void)format; /* what could not be read shows as missing */
}

int pci_access_read(const char *root, const char *dump, struct pci_host *host, char *error,
                    size_t error_size)
{
    struct pci_access *access = pci_alloc();
    char path[FILES_PATH_SIZE];
    int result;

    access->error = on_error;
    access->warning = on_warning;
    access->id_lookup_mode = 0; /* no cache of an earlier run, no network */
    access->method = dump ? PCI_ACCESS_DUMP : PCI_ACCESS_SYS_BUS_PCI;
    if (dump) {
        pci_set_param(access, "dump.name", (char *)dump);
    } else {
        snprintf(path, sizeof(path), "%s" SYSFS_BUS, root);
        pci_set_param(access, "sysfs.path", path);
        snprintf(path, sizeof(path), "%s" NAMES, root);
        pci_set_name_list_path(access, strdup(path), 1);
    }
    host->has_sysfs = !dump;
    result = scan(access, host, error, error_size);
    pci_cleanup(access);
    return result;
}

static int scan(struct pci_access *access, struct pci_host *host, char *error, size_t error_size)
{
    if (setjmp(failed)) {
        snprintf(error, error_size, "cannot read the PCI devices: %s", failure);
        return -1;
    }
    pci_init(access);
    pci_scan_bus(access);
    for (struct pci_dev *dev = access->devices; dev; dev = dev->next) {
        struct pci_device *d = add_device(host);

        if (!d) {
            snprintf(error, error_size, "out of memory");
            return -1;
        }
        read_device(access, dev, d, host->has_sysfs);
    }
    if (host->device_count)
        qsort(host->devices, host->device_count, sizeof(*host->devices), by_address);
    return 0;
}

static int by_address(const void *a, const void *b)
{
    const struct pci_device *left = a, *right = b;

    return pci_address_compare(&left->address, &right->address);
}

static struct pci_device *add_device(struct pci_host *host)
{
    struct pci_device *d;

    if (xlp_grow(&host->devices, &host->device_room, host->device_count + 1, sizeof(*d)) < 0)
        return NULL;
    d = &host->devices[host->device_count++];
    memset(d, 0, sizeof(*d));
    d->irq = PCI_NO_IRQ;
    d->owner_domid = PCI_NO_DOMAIN;
    d->node = PCI_NO_NODE;
    d->parent = d->physical = d->reset.subordinate = PCI_NO_DEVICE;
    d->reset.works = PCI_RESET_METHODS;
    return d;
}

static void copy_text(char text[PCI_NAME_SIZE], const char *from)
{
    snprintf(text, PCI_NAME_SIZE, "%s", from ? from : "");
    files_clean(text);
}

static void read_device(struct pci_access *access, struct pci_dev *dev, struct pci_device *d,
                        bool has_sysfs)
{
    int wanted = PCI_FILL_IDENT | PCI_FILL_CLASS | PCI_FILL_CLASS_EXT | PCI_FILL_SUBSYS |
                 PCI_FILL_IRQ | PCI_FILL_BASES | PCI_FILL_ROM_BASE;
    uint64_t header, pin;

    if (has_sysfs)
        wanted |= PCI_FILL_SIZES | PCI_FILL_IO_FLAGS | PCI_FILL_PHYS_SLOT | PCI_FILL_DRIVER;
    pci_fill_info(dev, wanted);
    d->address = (struct pci_address){(uint32_t)dev->domain, dev->bus, dev->dev, dev->func};
    d->vendor_id = dev->vendor_id;
    d->device_id = dev->device_id;
    d->subsystem_vendor_id = dev->subsys_vendor_id;
    d->subsystem_id = dev->subsys_id;
    d->class_code = (uint32_t)dev->device_class << 8 | dev->prog_if;
    d->revision = dev->rev_id;
    read_config(dev, &d->config);
    pci_capabilities_find(&d->config, &d->capabilities);
    pci_summarize(&d->config, &d->capabilities, &d->summary);
    pci_config_read(&d->config, PCI_HEADER_TYPE, 1, &header);
    d->header_type = header & 0x7f;
    d->multifunction = header >> 7;
    read_regions(dev, d, has_sysfs);
    pci_config_read(&d->config, PCI_INTERRUPT_PIN, 1, &pin);
    d->interrupt_pin = pin <= PIN_MAX ? (uint8_t)pin : 0;
    if (dev->irq > 0)
        d->irq = (uint32_t)dev->irq;
    if (has_sysfs) {
        copy_text(d->driver, pci_get_string_property(dev, PCI_FILL_DRIVER));
        copy_text(d->slot_name, dev->phy_slot);
    }
    read_names(access, d);
}

/* Numbers that are in no list of names are left to the caller to show. */
static void read_names(struct pci_access *access, struct pci_device *d)
{
    int flags = PCI_LOOKUP_NO_NUMBERS | PCI_LOOKUP_NO_HWDB;
    char text[PCI_NAME_SIZE];

    copy_text(d->class_name, pci_lookup_name(access, text, sizeof(text), flags | PCI_LOOKUP_CLASS,
                                             d->class_code >> 8));
    copy_text(d->vendor_name,
              pci_lookup_name(access, text, sizeof(text), flags | PCI_LOOKUP_VENDOR, d->vendor_id));
    copy_text(d->device_name, pci_lookup_name(access, text, sizeof(text), flags | PCI_LOOKUP_DEVICE,
                                              d->vendor_id, d->device_id));
}

static void read_region(pciaddr_t address, pciaddr_t size, pciaddr_t flags, struct pci_region *r)
{
    bool io = address & PCI_BASE_ADDRESS_SPACE_IO;

    if (!address && !size)
        return;
    r->kind = io ? PCI_REGION_IO : PCI_REGION_MEMORY;
    r->base = address & (io ? PCI_ADDR_IO_MASK : PCI_ADDR_MEM_MASK);
    r->size = size;
    if (io)
        return;
    r->is_64bit = (address & PCI_BASE_ADDRESS_MEM_TYPE_MASK) == PCI_BASE_ADDRESS_MEM_TYPE_64 ||
                  flags & RESOURCE_MEM_64;
    r->prefetchable = address & PCI_BASE_ADDRESS_MEM_PREFETCH;
}

static void read_regions(struct pci_dev *dev, struct pci_device *d, bool has_sysfs)
{
    for (size_t i = 0; i < PCI_REGION_ROM; i++)
        read_region(dev->base_addr[i], has_sysfs ? dev->size[i] : 0, has_sysfs ? dev->flags[i] : 0,
                    &d->regions[i]);
    /* Bit 0 of a ROM's address enables it. */
    read_region(dev->rom_base_addr & PCI_ROM_ADDRESS_MASK, has_sysfs ? dev->rom_size : 0, 0,
                &d->regions[PCI_REGION_ROM]);
}

static void read_config(struct pci_dev *dev, struct pci_config *config)
{
    size_t size = 0, step = CHUNK;

    while (size < PCI_CONFIG_SIZE) {
        if (pci_read_block(dev, (int)size, config->untrusted_bytes + size, (int)step))
            size += step;
        else if (step > 4)
            step = 4;
        else
            break;
    }
    memset(config->untrusted_bytes + size, 0xff, PCI_CONFIG_SIZE - size);
    config->size = (uint16_t)size;
}
