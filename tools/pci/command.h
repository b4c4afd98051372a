/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the commands about passthrough have in common. */
#ifndef PCI_COMMAND_H
#define PCI_COMMAND_H

#include "../commands.h"
#include "findings.h"
#include "pci.h"

/* Entries of a command's table of options, and their letters. */
#define PCI_OPTION_SYSROOT                                                                         \
    {                                                                                              \
        "sysroot", 'r', "DIR", "look at the files of another host below DIR"                       \
    }
#define PCI_OPTION_DUMP                                                                            \
    {                                                                                              \
        "dump", 'd', "FILE", "look at what `lspci -xxxx` wrote into FILE"                          \
    }

/* Whether an option was given; its value, the last one, or NULL. */
bool pci_command_has(const struct command_line *line, int letter);
const char *pci_command_option(const struct command_line *line, int letter);

/* Reads the host that --sysroot and --dump name, or this one. CLI_DONE, and *host_out is to be
 * disposed of; else the error has been printed. */
enum cli_exit pci_command_read(const struct command_line *line, struct pci_host *host_out);

/* The device that an operand names. CLI_DONE, or the error has been printed. */
enum cli_exit pci_command_find(const struct pci_host *host, const struct command_line *line,
                               const char *operand, size_t *device_out);

/* Prints a finding in lines of at most 78 characters, subject ("0000:01:00.0: ") and code
 * first. */
void pci_command_print_finding(const struct pci_finding *finding, const char *subject);

#endif
