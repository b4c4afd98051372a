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

/* What stays of a file of modprobe.d when it is written anew. */
struct early_kept {
    char hide[EARLY_TEXT_MAX / 2];  /* the value of hide=, which has been checked */
    char lines[EARLY_TEXT_MAX / 2]; /* all other lines, but for our first one */
};

/* The whole of EARLY_MODPROBE for these functions: hide=, with what is kept (NULL: nothing) before
 * them, and which drivers have to wait for pciback. 0, or -1 when it would be longer than size. */
int early_modprobe(const struct pci_host *host, const size_t *devices, size_t count,
                   const struct early_kept *kept, char *text, size_t size);

/* The whole of EARLY_GRUB. */
extern const char early_grub[];

/* The value of hide= in a file of modprobe.d, or in a kernel's command line when module is
 * "xen-pciback." and not "options xen-pciback". "" when there is none; false: it does not fit. */
bool early_find_hide(const char *text, const char *module, char *hide, size_t size);

/* Adds the entries of a value of hide=, which has been checked, as far as they are not there.
 * False: they do not fit. */
bool early_keep_hide(struct early_kept *kept, const char *hide);

/* Adds the lines of EARLY_MODPROBE as it is, as far as they are not there: of `options xen-pciback`
 * what it has beside hide=. False: they do not fit. */
bool early_keep_lines(struct early_kept *kept, const char *text);

/* Whether a line of such a file is this word alone. */
bool early_has_line(const char *text, const char *word);

#endif
