/* SPDX-License-Identifier: LGPL-2.1-only */
/* pci-prepare: how a device is bound to pciback, now and at every boot; with --now, doing it. */
#include "command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel.h"
#include "move.h"
#include "prepare_early.h"

static enum cli_exit prepare(const struct cli *cli, const struct command_line *line,
                             const struct pci_host *host, const struct move *move);
static enum cli_exit bind_now(const struct cli *cli, const struct command_line *line,
                              const struct pci_host *host, const struct move *move);
static void print_now(const struct pci_host *host, const struct move *move);

/* Before anything is done, for a device that is bound stays bound. */
static enum cli_exit check_directory(const char *directory)
{
    struct stat status;

    if (!directory)
        return CLI_DONE;
    if (stat(directory, &status) == 0 && !S_ISDIR(status.st_mode))
        errno = ENOTDIR;
    else if (access(directory, W_OK | X_OK) == 0)
        return CLI_DONE;
    cli_error("pci-prepare: --write %s: %s; give a directory that is there", directory,
              strerror(errno));
    return CLI_FAILED;
}

enum cli_exit cmd_pci_prepare(const struct cli *cli, const struct command_line *line)
{
    struct pci_host host;
    struct move move;
    enum cli_exit exit_code = check_directory(pci_command_option(line, 'w'));

    if (exit_code == CLI_DONE)
        exit_code = pci_command_read(line, &host);
    if (exit_code != CLI_DONE)
        return exit_code;
    exit_code = move_choose(line, &host, &move);
    if (exit_code == CLI_DONE)
        exit_code = move_check_losses(line, &host, move.devices, move.count);
    if (exit_code == CLI_DONE)
        exit_code = move_check_owner(line, &host, &move);
    if (exit_code == CLI_DONE)
        exit_code = prepare(cli, line, &host, &move);
    pci_host_dispose(&host);
    return exit_code;
}

static enum cli_exit prepare(const struct cli *cli, const struct command_line *line,
                             const struct pci_host *host, const struct move *move)
{
    static struct prepare_early plan; /* large */
    const char *root = pci_command_option(line, 'r'), *directory = pci_command_option(line, 'w');
    bool early = directory || pci_command_has(line, 'e');
    enum cli_exit exit_code = CLI_DONE;

    if (early)
        exit_code = prepare_early_plan(&plan, host, move, root ? root : "", directory);
    if (exit_code == CLI_DONE && pci_command_has(line, 'o'))
        exit_code = bind_now(cli, line, host, move);
    else if (exit_code == CLI_DONE)
        print_now(host, move);
    if (exit_code == CLI_DONE && early)
        prepare_early_print(&plan);
    if (exit_code == CLI_DONE && directory && !cli->dry_run)
        exit_code = prepare_early_write(&plan);
    return exit_code;
}

static enum cli_exit bind_now(const struct cli *cli, const struct command_line *line,
                              const struct pci_host *host, const struct move *move)
{
    struct handover h;

    if (cli->dry_run) {
        print_now(host, move);
        return CLI_DONE;
    }
    kernel_open(&h, pci_command_option(line, 'r'), move_tell);
    if (handover_bind(&h, move->functions, move->count) < 0) {
        cli_error("pci-prepare: %s", h.error);
        return CLI_FAILED;
    }
    printf("Undo: xlpolicy pci-release %s\n", move->name);
    return CLI_DONE;
}

static void print_now(const struct pci_host *host, const struct move *move)
{
    char address[PCI_ADDRESS_SIZE];

    printf("Until the next boot: xlpolicy pci-prepare --now %s, which binds\n", move->name);
    for (size_t i = 0; i < move->count; i++) {
        const struct pci_device *d = &host->devices[move->devices[i]];

        pci_address_format(&d->address, address);
        if (d->assignable)
            printf("    %s: pciback has it already\n", address);
        else
            printf("    %s to pciback, %s%s\n", address,
                   d->driver[0] ? "from " : "without a driver now", d->driver);
    }
    printf("Undo: xlpolicy pci-release %s\n", move->name);
}
