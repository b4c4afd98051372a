/* SPDX-License-Identifier: LGPL-2.1-only */
#include "move.h"

#include <stdio.h>

#include "card.h"

enum cli_exit move_choose(const struct command_line *line, const struct pci_host *host,
                          struct move *move_out)
{
    size_t device;
    enum cli_exit exit_code = pci_command_find(host, line, line->operands[0], &device);

    if (exit_code != CLI_DONE)
        return exit_code;
    if (pci_is_bridge(&host->devices[device])) {
        cli_error("%s: %s is a bridge, and what is behind it would go with it: name a device",
                  line->command->name, line->operands[0]);
        return CLI_REFUSED;
    }
    move_out->name = line->operands[0];
    move_out->count = 0;
    for (size_t i = 0; i < host->device_count && move_out->count < MOVE_MAX; i++) {
        if (!pci_goes_with(host, device, i))
            continue;
        move_out->devices[move_out->count] = i;
        move_out->functions[move_out->count++] = host->devices[i].address;
    }
    return CLI_DONE;
}

enum cli_exit move_check_losses(const struct command_line *line, const struct pci_host *host,
                                const size_t *devices, size_t count)
{
    char address[PCI_ADDRESS_SIZE];

    for (size_t i = 0; i < count && !pci_command_has(line, 'f'); i++) {
        const struct pci_device *d = &host->devices[devices[i]];

        if (d->loss_count == 0)
            continue;
        cli_error("%s: refused: dom0 would lose %s with %s (%s); --force does it all the same",
                  line->command->name, d->losses[0].what, pci_address_format(&d->address, address),
                  d->losses[0].evidence);
        return CLI_REFUSED;
    }
    return CLI_DONE;
}

enum cli_exit move_check_owner(const struct command_line *line, const struct pci_host *host,
                               const struct move *move)
{
    char address[PCI_ADDRESS_SIZE];

    for (size_t i = 0; i < move->count; i++) {
        const struct pci_device *d = &host->devices[move->devices[i]];

        if (d->owner_domid == PCI_NO_DOMAIN)
            continue;
        cli_error("%s: refused: %s belongs to the guest %s (ID %u); shut it down first",
                  line->command->name, pci_address_format(&d->address, address),
                  d->owner_name[0] ? d->owner_name : "with another name", d->owner_domid);
        return CLI_REFUSED;
    }
    return CLI_DONE;
}

void move_tell(void *arg, const char *step)
{
    (void)arg;
    printf("%s\n", step);
}
