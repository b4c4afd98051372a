/* SPDX-License-Identifier: LGPL-2.1-only */
/* Hosts of a few PCI devices, built by hand for tests of what judges them. */
#ifndef XLPOLICY_TESTS_PCI_FIXTURE_H
#define XLPOLICY_TESTS_PCI_FIXTURE_H

#include <string.h>

#include "../../tools/pci/host_parts.h"

#define FIXTURE_DEVICES 16

struct pci_fixture {
    struct pci_device devices[FIXTURE_DEVICES];
    struct pci_host host;
};

static inline void fixture_init(struct pci_fixture *f)
{
    memset(f, 0, sizeof(*f));
    f->host.has_sysfs = true;
    f->host.devices = f->devices;
}

/* Devices have to be added in the order of their addresses. */
static inline struct pci_device *fixture_add(struct pci_fixture *f, const char *address)
{
    struct pci_device *d = &f->devices[f->host.device_count++];

    pci_address_parse(address, &d->address);
    d->class_code = 0x020000;
    d->irq = PCI_NO_IRQ;
    d->owner_domid = PCI_NO_DOMAIN;
    d->node = PCI_NO_NODE;
    d->parent = d->physical = d->reset.subordinate = PCI_NO_DEVICE;
    d->reset.works = PCI_RESET_METHODS;
    d->config.size = PCI_CONFIG_SIZE;
    d->summary.express.present = true;
    return d;
}

/* A port of PCI Express, or with port_type UINT8_MAX a conventional bridge. */
static inline struct pci_device *fixture_add_port(struct pci_fixture *f, const char *address,
                                                  uint8_t port_type, uint8_t secondary,
                                                  uint8_t subordinate)
{
    struct pci_device *d = fixture_add(f, address);

    d->class_code = 0x060400;
    d->header_type = 1;
    d->summary.express.present = port_type != UINT8_MAX;
    d->summary.express.port_type = d->summary.express.present ? port_type : 0;
    d->config.untrusted_bytes[0x18] = d->address.bus;
    d->config.untrusted_bytes[0x19] = secondary;
    d->config.untrusted_bytes[0x1a] = subordinate;
    return d;
}

static inline void fixture_acs(struct pci_device *d, uint16_t capabilities, uint16_t control)
{
    d->summary.acs.present = true;
    d->summary.acs.capabilities = capabilities;
    d->summary.acs.control = control;
}

static inline size_t fixture_index(const struct pci_fixture *f, const char *address)
{
    struct pci_address a;

    pci_address_parse(address, &a);
    return pci_host_find(&f->host, &a);
}

#endif
