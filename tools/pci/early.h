/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What makes pciback take devices at early boot, before dom0's drivers see them: the files of
 * Debian's dom0, each with its undo. Pure.
 */
#ifndef PCI_EARLY_H
#define PCI_EARLY_H

#include "pci.h"

#define EARLY_MODPROBE "/etc/modprobe.d/xlpolicy-pciback.conf"
#define EARLY_MODULES  "/etc/initramfs-tools/modules"
#define EARLY_GRUB     "/etc/default/grub.d/xlpolicy-iommu.cfg"
#define EARLY_MODULE   "xen-pciback"
#define EARLY_TEXT_MAX 8192

/* The whole of EARLY_MODPROBE for these functions: hide=, with what it says already (NULL or "" for
 * nothing; it has been checked) before them, and which drivers have to wait for pciback. 0, or -1
 * when it would be longer than size. */
int early_modprobe(const struct pci_host *host, const size_t *devices, size_t count,
                   const char *already, char *text, size_t size);

/* The whole of EARLY_GRUB. */
extern const char early_grub[];

/* The value of hide= in a file of modprobe.d, or in a kernel's command line when module is
 * "xen-pciback." and not "options xen-pciback". "" when there is none; false: it does not fit. */
bool early_find_hide(const char *text, const char *module, char *hide, size_t size);

/* Whether a line of such a file is this word alone. */
bool early_has_line(const char *text, const char *word);

#endif
