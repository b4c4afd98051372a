/* SPDX-License-Identifier: LGPL-2.1-only */
/* The functions that a command moves together: the one that was named, and all that go with it. */
#ifndef PCI_MOVE_H
#define PCI_MOVE_H

#include "command.h"

#define MOVE_MAX 64

struct move {
    const char *name; /* as it was given */
    size_t devices[MOVE_MAX];
    struct pci_address functions[MOVE_MAX]; /* of these */
    size_t count;
};

/* Of the first operand. CLI_DONE, or the error has been printed. */
enum cli_exit move_choose(const struct command_line *line, const struct pci_host *host,
                          struct move *move_out);

/* CLI_REFUSED, and the reason has been printed, when dom0 would lose something that it uses, unless
 * --force was given. */
enum cli_exit move_check_losses(const struct command_line *line, const struct pci_host *host,
                                const size_t *devices, size_t count);

/* The same when a guest has one of them, in any case. */
enum cli_exit move_check_owner(const struct command_line *line, const struct pci_host *host,
                               const struct move *move);

/* Prints a step; for struct handover. */
void move_tell(void *arg, const char *step);

#endif
