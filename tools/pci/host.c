/* SPDX-License-Identifier: LGPL-2.1-only */
/* A host's PCI devices, from whatever source. */
#include "pci.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "host_parts.h"

static int read_host(const struct pci_source *source, struct pci_host *host, char *error,
                     size_t error_size);
static int ask_xen(const struct pci_source *source, const struct files *files,
                   struct pci_host *host, char *error, size_t error_size);

int pci_host_read(const struct pci_source *source, struct pci_host *host_out, char *error,
                  size_t error_size)
{
    struct pci_host host = {0};

    if (read_host(source, &host, error, error_size) < 0) {
        pci_host_dispose(&host);
        return -1;
    }
    *host_out = host;
    return 0;
}

void pci_host_dispose(struct pci_host *host)
{
    for (size_t i = 0; i < host->device_count; i++)
        free(host->devices[i].losses);
    free(host->devices);
    free(host->reserved);
    memset(host, 0, sizeof(*host));
}

static int read_host(const struct pci_source *source, struct pci_host *host, char *error,
                     size_t error_size)
{
    struct files files = {source->root ? source->root : ""};

    if (strcmp(files.root, "/") == 0)
        files.root = "";
    if (pci_access_read(files.root, source->dump, host, error, error_size) < 0)
        return -1;
    if (host->has_sysfs)
        pci_read_attributes(&files, host);
    if (!source->dump && ask_xen(source, &files, host, error, error_size) < 0)
        return -1;
    pci_find_topology(host);
    pci_find_resets(host);
    if (host->has_sysfs && pci_find_losses(&files, host) < 0) {
        snprintf(error, error_size, "out of memory");
        return -1;
    }
    return 0;
}

static int ask_xen(const struct pci_source *source, const struct files *files,
                   struct pci_host *host, char *error, size_t error_size)
{
    if (!source->root)
        return pci_ask_xen(host, error, error_size);
    return pci_has_xen_facts(files) ? pci_read_xen_facts(files, host, error, error_size) : 0;
}
