/* SPDX-License-Identifier: LGPL-2.1-only */
/* pci-release: a device back to dom0; pci-reset: a device into the state it has after power-on. */
#include "command.h"

#include <stdio.h>
#include <string.h>

#include "kernel.h"
#include "move.h"

static enum cli_exit release(const struct cli *cli, const struct command_line *line,
                             const struct pci_host *host);
static enum cli_exit reset(const struct cli *cli, const struct command_line *line,
                           const struct pci_host *host);
static enum cli_exit check_unused(const struct pci_host *host, const struct move *move);
static enum cli_exit check_below(const struct pci_host *host, size_t bridge);
static bool is_below(const struct pci_host *host, size_t device, size_t bridge);

typedef enum cli_exit on_host(const struct cli *cli, const struct command_line *line,
                              const struct pci_host *host);

static enum cli_exit with_host(const struct cli *cli, const struct command_line *line,
                               on_host *do_it)
{
    struct pci_host host;
    enum cli_exit exit_code = pci_command_read(line, &host);

    if (exit_code != CLI_DONE)
        return exit_code;
    exit_code = do_it(cli, line, &host);
    pci_host_dispose(&host);
    return exit_code;
}

enum cli_exit cmd_pci_release(const struct cli *cli, const struct command_line *line)
{
    return with_host(cli, line, release);
}

enum cli_exit cmd_pci_reset(const struct cli *cli, const struct command_line *line)
{
    return with_host(cli, line, reset);
}

static void say_would(const struct move *move, const char *what)
{
    char address[PCI_ADDRESS_SIZE];

    for (size_t i = 0; i < move->count; i++)
        printf("would %s %s\n", what, pci_address_format(&move->functions[i], address));
}

/* ---- release ---- */

static enum cli_exit release(const struct cli *cli, const struct command_line *line,
                             const struct pci_host *host)
{
    char drivers[MOVE_MAX][PCI_NAME_SIZE] = {{0}};
    struct handover h;
    struct move move;
    enum cli_exit exit_code = move_choose(line, host, &move);

    if (exit_code == CLI_DONE)
        exit_code = move_check_owner(line, host, &move);
    if (exit_code != CLI_DONE)
        return exit_code;
    if (cli->dry_run) {
        say_would(&move, "give back to dom0");
        return CLI_DONE;
    }
    kernel_open(&h, pci_command_option(line, 'r'), move_tell);
    if (handover_release(&h, move.functions, move.count, drivers) == 0)
        return CLI_DONE;
    cli_error("pci-release: %s", h.error);
    return CLI_FAILED;
}

/* ---- reset ---- */

/* What to write to, and where. */
struct switches {
    const char *attribute;
    struct pci_address list[MOVE_MAX];
    size_t count;
};

/* Each function's own reset; where one has none, their bridge's, if nothing that is in use is below
 * it. */
static enum cli_exit choose_reset(const struct pci_host *host, const struct move *move,
                                  struct switches *switches_out)
{
    size_t bridge = host->devices[move->devices[0]].reset.subordinate;

    switches_out->attribute = "reset";
    switches_out->count = 0;
    for (size_t i = 0; i < move->count; i++)
        if (host->devices[move->devices[i]].reset.can_reset)
            switches_out->list[switches_out->count++] = move->functions[i];
    if (switches_out->count == move->count)
        return CLI_DONE;
    if (bridge != PCI_NO_DEVICE) {
        switches_out->attribute = "reset_subordinate";
        switches_out->list[0] = host->devices[bridge].address;
        switches_out->count = 1;
        return check_below(host, bridge);
    }
    if (switches_out->count > 0)
        return CLI_DONE;
    cli_error("pci-reset: nothing resets %s; `xlpolicy pci-info %s` says why", move->name,
              move->name);
    return CLI_FAILED;
}

static enum cli_exit reset(const struct cli *cli, const struct command_line *line,
                           const struct pci_host *host)
{
    struct switches switches;
    struct handover h;
    struct move move;
    enum cli_exit exit_code = move_choose(line, host, &move);

    if (exit_code == CLI_DONE)
        exit_code = move_check_owner(line, host, &move);
    if (exit_code == CLI_DONE)
        exit_code = check_unused(host, &move);
    if (exit_code == CLI_DONE)
        exit_code = choose_reset(host, &move, &switches);
    if (exit_code != CLI_DONE)
        return exit_code;
    if (cli->dry_run) {
        say_would(&move, switches.attribute);
        return CLI_DONE;
    }
    kernel_open(&h, pci_command_option(line, 'r'), move_tell);
    if (handover_reset(&h, switches.attribute, switches.list, switches.count, move.functions,
                       move.count) == 0)
        return CLI_DONE;
    cli_error("pci-reset: %s", h.error);
    return CLI_FAILED;
}

/* A driver of dom0's would be left with a device that has forgotten all it was told. */
static enum cli_exit check_unused(const struct pci_host *host, const struct move *move)
{
    char address[PCI_ADDRESS_SIZE];

    for (size_t i = 0; i < move->count; i++) {
        const struct pci_device *d = &host->devices[move->devices[i]];

        if (!d->driver[0] || d->assignable)
            continue;
        cli_error("pci-reset: refused: %s is used by dom0's driver %s; `xlpolicy pci-prepare --now "
                  "%s` first",
                  pci_address_format(&d->address, address), d->driver, move->name);
        return CLI_REFUSED;
    }
    return CLI_DONE;
}

static enum cli_exit check_below(const struct pci_host *host, size_t bridge)
{
    char address[PCI_ADDRESS_SIZE];

    for (size_t i = 0; i < host->device_count; i++) {
        const struct pci_device *d = &host->devices[i];
        bool used = d->owner_domid != PCI_NO_DOMAIN || (d->driver[0] && !d->assignable);

        if (!is_below(host, i, bridge) || pci_is_bridge(d) || !used)
            continue;
        cli_error("pci-reset: refused: only the reset of its bridge would do, and that resets %s, "
                  "which is in use, too",
                  pci_address_format(&d->address, address));
        return CLI_REFUSED;
    }
    return CLI_DONE;
}

static bool is_below(const struct pci_host *host, size_t device, size_t bridge)
{
    size_t at = host->devices[device].parent;

    for (size_t steps = 0; at != PCI_NO_DEVICE && steps < host->device_count; steps++) {
        if (at == bridge)
            return true;
        at = host->devices[at].parent;
    }
    return false;
}
