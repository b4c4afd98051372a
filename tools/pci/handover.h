/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Handing devices from dom0's drivers to pciback and back, and resetting them: through sysfs, step
 * by step, each step verified, and undone when a later one fails. The switches are reached through
 * struct handover, so that a test can stand in for the kernel.
 */
#ifndef PCI_HANDOVER_H
#define PCI_HANDOVER_H

#include "files.h"
#include "pci.h"

/* Where the driver that a device had before is written down, one file a device. */
#define HANDOVER_RECORDS "/run/xlpolicy/pci"

struct handover {
    struct files files; /* what is read */
    void *arg;
    /* Writes into an attribute of sysfs, or a record, below files.root. 0, or -errno. */
    int (*write)(void *arg, const char *path, const char *text);
    /* Between two looks at what has not come true yet. */
    void (*pause)(void *arg);
    /* Tells Xen to keep the device from everybody, or to give it back to dom0. NULL: there is no
     * Xen. 0, or -errno. */
    int (*quarantine)(void *arg, const struct pci_address *address, bool on);
    /* Of each step that was taken, a sentence. NULL: nobody listens. */
    void (*tell)(void *arg, const char *step);
    char error[512]; /* why the last call failed, one line with the mend */
};

/* The driver that a device has now, "" for none. */
void handover_driver(const struct handover *h, const struct pci_address *address,
                     char driver[PCI_NAME_SIZE]);

/* Binds the functions to pciback, all or, when one fails, none. 0, or -1 with h->error. */
int handover_bind(struct handover *h, const struct pci_address *functions, size_t count);

/* Gives the functions back to dom0: from pciback to the driver that each had, as far as that was
 * written down, else to the one that wants it. 0, or -1 with h->error: what could be given back
 * was. drivers_out are the drivers then, "" for none. */
int handover_release(struct handover *h, const struct pci_address *functions, size_t count,
                     char drivers_out[][PCI_NAME_SIZE]);

/* Writes to an attribute ("reset", or of a bridge "reset_subordinate") of each of those, then
 * verifies that the functions, which these reset, answer. 0, or -1 with h->error. */
int handover_reset(struct handover *h, const char *attribute, const struct pci_address *switches,
                   size_t switch_count, const struct pci_address *functions, size_t count);

#endif
