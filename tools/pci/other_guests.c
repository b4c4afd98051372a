/* SPDX-License-Identifier: LGPL-2.1-only */
#include "other_guests.h"

#include <stdio.h>
#include <string.h>

#include "../cli.h"
#include "files.h"
#include "validate_parts.h"

struct wanted {
    const struct pci_host *host;
    const size_t *devices;
    size_t count;
    const char *name; /* of the guest that they are for */
};

static void warn_of_owners(const struct wanted *w);
static void warn_of_config(const struct wanted *w, const char *path);

void other_guests_warn(const struct pci_host *host, const size_t *devices, size_t count,
                       const char *name, const char *root)
{
    const struct wanted w = {host, devices, count, name};
    const struct files files = {.root = root ? root : ""};
    char path[FILES_PATH_SIZE];
    char **names;
    size_t files_there = files_list(&files, OTHER_GUESTS_DIR, &names);

    warn_of_owners(&w);
    for (size_t i = 0; i < files_there; i++) {
        size_t length = strlen(names[i]);

        if (length <= 4 || strcmp(names[i] + length - 4, ".cfg") != 0)
            continue;
        snprintf(path, sizeof(path), "%s" OTHER_GUESTS_DIR "/%s", files.root, names[i]);
        warn_of_config(&w, path);
    }
    files_list_free(names, files_there);
}

static void warn_of_owners(const struct wanted *w)
{
    char address[PCI_ADDRESS_SIZE];

    for (size_t i = 0; i < w->count; i++) {
        const struct pci_device *d = &w->host->devices[w->devices[i]];

        if (d->owner_domid == PCI_NO_DOMAIN || strcmp(d->owner_name, w->name) == 0)
            continue;
        cli_error("pci-config: warning: %s belongs to the guest %s (ID %u): the new one does not "
                  "start before that has ended",
                  pci_address_format(&d->address, address),
                  d->owner_name[0] ? d->owner_name : "with another name", d->owner_domid);
    }
}

/* A file that cannot be read is no guest's configuration. */
static void warn_of_config(const struct wanted *w, const char *path)
{
    static struct guest_config other; /* large */
    char address[PCI_ADDRESS_SIZE], error[256];
    unsigned int line;

    if (guest_config_read(path, &other, &line, error, sizeof(error)) != GUEST_CONFIG_OK ||
        strcmp(other.name.value, w->name) == 0)
        return;
    for (size_t i = 0; i < w->count; i++)
        for (size_t j = 0; j < other.pci_count; j++) {
            const struct pci_device *d = &w->host->devices[w->devices[i]];

            if (!validate_names(&other.pci[j], &d->address))
                continue;
            cli_error("pci-config: warning: %s is listed in %s:%u, too: only one of the two "
                      "guests can run at a time",
                      pci_address_format(&d->address, address), path, other.pci[j].line);
            break;
        }
}
