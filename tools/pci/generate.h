/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A guest's configuration from a template, devices and sizes. A template is two files in xl's
 * syntax: what all guests with a PCI device have in common, and what is special about one kind of
 * guest (xen-configs/). Values in them stand as examples; the ones below are put in their place.
 */
#ifndef PCI_GENERATE_H
#define PCI_GENERATE_H

#include <stdio.h>

#include "guest_config.h"
#include "pci.h"

struct guest_template {
    const char *name; /* of the file, without ".cfg" */
    const char *purpose;
    uint32_t class_code, class_mask; /* what a device's class has to be, as far as the mask goes */
    uint16_t vendor_id;              /* 0: any */
};

extern const struct guest_template guest_templates[];
extern const size_t guest_template_count;

/* NULL when there is none of that name. */
const struct guest_template *guest_template_by_name(const char *name);

bool guest_template_suits(const struct guest_template *t, const struct pci_device *d);

struct guest_request {
    const char *name;
    const char *disk, *bridge; /* NULL: as in the template */
    uint64_t memory_mib;
    uint32_t vcpus;
    uint64_t mmio_hole_mib;        /* 0: none has to be set */
    size_t devices[GUEST_PCI_MAX]; /* of the host, in the order in which they are to be listed */
    size_t device_count;
};

/* Adds a device and all that goes with it, in the order of addresses. 0, or -1 when there are more
 * than GUEST_PCI_MAX. */
int guest_request_add(struct guest_request *request, const struct pci_host *host, size_t device);

/* Sets the hole that the request needs. Returns how many BARs are without a place even so, the
 * first of which is *tag_out / PCI_REGIONS, region *tag_out % PCI_REGIONS. */
size_t guest_request_make_room(struct guest_request *request, const struct pci_host *host,
                               unsigned int physbits, uint32_t *tag_out);

/* The node of the devices that have one, or PCI_NO_NODE when they have none or are on several. */
uint32_t guest_request_node(const struct guest_request *request, const struct pci_host *host);

/* Writes the configuration. common and special are the template's texts, NUL-terminated. */
void guest_generate(const struct guest_request *request, const struct pci_host *host,
                    const char *common, const char *special, FILE *to);

#endif
