/* SPDX-License-Identifier: LGPL-2.1-only */
/* pci-prepare --early: what the files for early boot are to say, beside what is there already. */
#ifndef PCI_PREPARE_EARLY_H
#define PCI_PREPARE_EARLY_H

#include "early.h"
#include "files.h"
#include "move.h"

struct prepare_early {
    const struct pci_host *host;
    const struct move *move;
    struct files host_files;       /* the host's */
    struct files written;          /* those below the directory to write into; root NULL: none */
    struct early_kept kept;        /* of EARLY_MODPROBE in either */
    char modprobe[EARLY_TEXT_MAX]; /* what EARLY_MODPROBE is to be */
    char modules[EARLY_TEXT_MAX];  /* what EARLY_MODULES is to begin with, if it is to be written */
    bool module_listed;            /* EARLY_MODULES has the line already */
    bool modprobe_there, grub_there;
};

/* Reads what is there, below root and below directory (NULL: nothing is to be written): nothing
 * that one of them hides is lost. CLI_DONE, or the error has been printed. */
enum cli_exit prepare_early_plan(struct prepare_early *plan, const struct pci_host *host,
                                 const struct move *move, const char *root, const char *directory);

/* The files, and the undo. */
void prepare_early_print(const struct prepare_early *plan);

/* Writes them below the directory. CLI_DONE, or the error has been printed. */
enum cli_exit prepare_early_write(const struct prepare_early *plan);

#endif
