/* SPDX-License-Identifier: LGPL-2.1-only */
/* The PCI devices of a domain: how many, and near which pCPUs. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "xen.h"

#define PATH_SIZE   128
#define DEVICES_MAX 64 /* of a domain, whose node is asked for */

static int count_devices(struct xen_host *h, int64_t domid, int64_t *count_out);
static int read_node(struct xen_host *h, struct xen_domain *d, int64_t domid, int64_t count);
static int read_address(struct xen_host *h, int64_t domid, int64_t number,
                        libxl_pcitopology *address_out);
static uint32_t common_node(struct xen_host *h, const libxl_pcitopology *devices, size_t count);
static uint32_t node_of(const libxl_pcitopology *topology, int count,
                        const libxl_pcitopology *device);

/* libxl keeps the devices of PV and HVM guests alike under the backend of pciback; those of a guest
 * whose device model has a domain of its own are that domain's there. */
int xlp_xen_read_devices(struct xen_host *h, struct xen_domain *d)
{
    char path[PATH_SIZE];
    int64_t model, count, of_model = 0;

    snprintf(path, sizeof(path), "/local/domain/%u/image/device-model-domid", d->domid);
    if (count_devices(h, d->domid, &count) < 0 || xlp_xen_store_number(h, path, 0, &model) < 0 ||
        (model && count_devices(h, model, &of_model) < 0))
        return -1;
    if (of_model > count)
        count = of_model;
    else
        model = d->domid;
    d->passthrough_devices = (uint32_t)(count < 0xffff ? count : 0xffff);
    return read_node(h, d, model, count);
}

static int count_devices(struct xen_host *h, int64_t domid, int64_t *count_out)
{
    char path[PATH_SIZE];

    snprintf(path, sizeof(path), "/local/domain/0/backend/pci/%" PRId64 "/0/num_devs", domid);
    return xlp_xen_store_number(h, path, 0, count_out);
}

static int read_node(struct xen_host *h, struct xen_domain *d, int64_t domid, int64_t count)
{
    libxl_pcitopology devices[DEVICES_MAX];
    size_t found = 0;

    for (int64_t i = 0; i < count && found < DEVICES_MAX; i++) {
        int rc = read_address(h, domid, i, &devices[found]);

        if (rc < 0)
            return -1;
        found += (size_t)rc;
    }
    d->device_node = found ? common_node(h, devices, found) : XLP_UNKNOWN;
    return 0;
}

/* 1 and the address, 0 when that is not there (it is being taken away), or -1. */
static int read_address(struct xen_host *h, int64_t domid, int64_t number,
                        libxl_pcitopology *address_out)
{
    char path[PATH_SIZE], *text = NULL;
    unsigned int segment, bus, slot, function;
    int rc;

    snprintf(path, sizeof(path), "/local/domain/0/backend/pci/%" PRId64 "/0/dev-%" PRId64, domid,
             number);
    if (xlp_xen_store_read(h, path, &text, NULL) < 0)
        return -1;
    rc = text && sscanf(text, "%x:%x:%x.%x", &segment, &bus, &slot, &function) == 4;
    free(text);
    if (rc)
        *address_out = (libxl_pcitopology){.seg = (uint16_t)segment,
                                           .bus = (uint8_t)bus,
                                           .devfn = (uint8_t)(slot << 3 | (function & 7))};
    return rc;
}

/* Xen knows none on a host without NUMA, or where the firmware does not say. */
static uint32_t common_node(struct xen_host *h, const libxl_pcitopology *devices, size_t count)
{
    int known = 0;
    libxl_pcitopology *topology = libxl_get_pci_topology(h->libxl, &known);
    uint32_t node = XLP_UNKNOWN;

    if (!topology)
        return XLP_UNKNOWN;
    for (size_t i = 0; i < count; i++) {
        uint32_t one = node_of(topology, known, &devices[i]);

        if (i > 0 && one != node) {
            node = XLP_UNKNOWN;
            break;
        }
        node = one;
    }
    libxl_pcitopology_list_free(topology, known);
    return node;
}

static uint32_t node_of(const libxl_pcitopology *topology, int count,
                        const libxl_pcitopology *device)
{
    for (int i = 0; i < count; i++)
        if (topology[i].seg == device->seg && topology[i].bus == device->bus &&
            topology[i].devfn == device->devfn &&
            topology[i].node != LIBXL_PCITOPOLOGY_INVALID_ENTRY)
            return topology[i].node;
    return XLP_UNKNOWN;
}
