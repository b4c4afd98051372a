/* SPDX-License-Identifier: LGPL-2.1-only */
/* pci-check: is this host ready, and are the devices that are to be given away? */
#include "command.h"

#include <stdio.h>
#include <string.h>

#include "findings.h"
#include "json_device.h"

#define EXIT_WARNINGS 2 /* this command's own: with exit code 1 for failures */

struct report {
    const struct pci_host *host;
    struct xlp_json_writer *w; /* NULL: text */
    unsigned int counts[3];    /* by enum pci_grade */
};

static enum cli_exit check(const struct pci_host *host, const struct command_line *line,
                           struct report *report);
static enum cli_exit check_devices(const struct pci_host *host, const struct command_line *line,
                                   struct report *report);

enum cli_exit cmd_pci_check(const struct cli *cli, const struct command_line *line)
{
    struct pci_host host;
    struct report report = {.host = &host};
    enum cli_exit exit_code = pci_command_read(line, &host);

    if (exit_code != CLI_DONE)
        return exit_code;
    report.w = cli->json ? cli_json_start() : NULL;
    if (cli->json && !report.w)
        exit_code = cli_out_of_memory();
    else
        exit_code = check(&host, line, &report);
    pci_host_dispose(&host);
    return exit_code;
}

static void tell(void *context, const struct pci_finding *finding)
{
    struct report *report = context;
    char subject[PCI_ADDRESS_SIZE + 4] = "";

    report->counts[finding->grade]++;
    if (report->w) {
        json_write_finding(report->w, report->host, finding);
        return;
    }
    if (finding->device != PCI_NO_DEVICE)
        strcat(pci_address_format(&report->host->devices[finding->device].address, subject), ": ");
    pci_command_print_finding(finding, subject);
}

static unsigned int count_bad(const struct report *report)
{
    return report->counts[PCI_WARNING] + report->counts[PCI_FAILURE];
}

static enum cli_exit end(const struct report *report, enum cli_exit exit_code)
{
    const unsigned int *counts = report->counts;

    if (exit_code == CLI_DONE && counts[PCI_FAILURE])
        exit_code = CLI_FAILED;
    else if (exit_code == CLI_DONE && counts[PCI_WARNING])
        exit_code = (enum cli_exit)EXIT_WARNINGS;
    return exit_code;
}

static enum cli_exit check(const struct pci_host *host, const struct command_line *line,
                           struct report *report)
{
    enum cli_exit exit_code;

    if (report->w) {
        xlp_json_write_key(report->w, "findings");
        xlp_json_open_array(report->w);
    }
    pci_check_host(host, tell, report);
    exit_code = check_devices(host, line, report);
    if (report->w) {
        enum cli_exit printed;

        xlp_json_close_array(report->w);
        printed = cli_json_print(report->w);
        exit_code = exit_code == CLI_DONE ? printed : exit_code;
    } else if (exit_code == CLI_DONE) {
        printf("%u ok, %u to warn of, %u failed\n", report->counts[PCI_GOOD],
               report->counts[PCI_WARNING], report->counts[PCI_FAILURE]);
    }
    return end(report, exit_code);
}

/* One that was named: a line at least. */
static void check_named(const struct pci_host *host, size_t device, struct report *report)
{
    unsigned int before = count_bad(report);

    pci_check_device(host, device, tell, report);
    pci_check_availability(host, device, count_bad(report) > before, tell, report);
}

/* Those that were named, or else all that are kept for guests or have one. */
static enum cli_exit check_devices(const struct pci_host *host, const struct command_line *line,
                                   struct report *report)
{
    for (int i = 0; i < line->operand_count; i++) {
        size_t device;
        enum cli_exit exit_code = pci_command_find(host, line, line->operands[i], &device);

        if (exit_code != CLI_DONE)
            return exit_code;
        check_named(host, device, report);
    }
    for (size_t i = 0; line->operand_count == 0 && i < host->device_count; i++)
        if (host->devices[i].assignable || host->devices[i].owner_domid != PCI_NO_DOMAIN)
            pci_check_device(host, i, tell, report);
    return CLI_DONE;
}
