/* SPDX-License-Identifier: LGPL-2.1-only */
/* pci-list: one line a device, with what matters before it is given to a guest. */
#include "command.h"

#include <stdio.h>
#include <string.h>

#include "../table.h"
#include "describe.h"
#include "json_device.h"

static enum cli_exit print_text(const struct pci_host *host, bool all);
static enum cli_exit print_json(const struct pci_host *host, bool all);
static bool is_listed(const struct pci_device *d, bool all);

enum cli_exit cmd_pci_list(const struct cli *cli, const struct command_line *line)
{
    bool all = pci_command_has(line, 'a');
    struct pci_host host;
    enum cli_exit exit_code = pci_command_read(line, &host);

    if (exit_code != CLI_DONE)
        return exit_code;
    exit_code = cli->json ? print_json(&host, all) : print_text(&host, all);
    pci_host_dispose(&host);
    return exit_code;
}

static bool is_listed(const struct pci_device *d, bool all)
{
    return all || !pci_is_bridge(d);
}

/* ---- text ---- */

static const char *dash(const char *text)
{
    return text[0] ? text : "-";
}

/* "filesystem,swap": each once. */
static char *losses_text(const struct pci_device *d, char text[DESCRIBE_SIZE])
{
    unsigned int seen = 0;

    text[0] = '\0';
    for (size_t i = 0; i < d->loss_count; i++) {
        size_t used = strlen(text);

        if (seen & 1u << d->losses[i].use)
            continue;
        seen |= 1u << d->losses[i].use;
        snprintf(text + used, DESCRIBE_SIZE - used, "%s%s", used ? "," : "",
                 pci_use_name(d->losses[i].use));
    }
    return text;
}

static char *group_text(const struct pci_host *host, size_t device, char text[DESCRIBE_SIZE])
{
    size_t count = 0;

    for (size_t i = 0; i < host->device_count; i++)
        count += pci_move_together(host, device, i);
    if (count > 1)
        pci_address_format(&host->devices[host->devices[device].group].address, text);
    else
        snprintf(text, DESCRIBE_SIZE, "-");
    return text;
}

static const char *reset_text(const struct pci_device *d)
{
    if (pci_is_bridge(d))
        return "-";
    if (!pci_reset_known(d))
        return "?";
    if (d->reset.works == PCI_RESET_METHODS && d->reset.subordinate != PCI_NO_DEVICE)
        return "bridge";
    return pci_reset_method_name(d->reset.works);
}

static void add_row(struct table *t, const struct pci_host *host, size_t device)
{
    const struct pci_device *d = &host->devices[device];
    char text[DESCRIBE_SIZE], name[DESCRIBE_SIZE];

    table_text(t, "%s", pci_address_format(&d->address, text));
    table_text(t, "%04x:%04x", d->vendor_id, d->device_id);
    table_text(t, "%s", host->has_sysfs ? dash(d->driver) : "?");
    table_text(t, "%s", host->has_sysfs ? describe_owner(d, text) : "?");
    table_u32(t, d->node);
    table_text(t, "%s", reset_text(d));
    table_text(t, "%s", describe_interrupts_short(d, text));
    table_text(t, "%s", group_text(host, device, text));
    table_text(t, "%s", host->has_sysfs ? dash(losses_text(d, text)) : "?");
    table_text(t, "%s: %s", describe_class(d, text), describe_name(d, name));
}

static enum cli_exit print_text(const struct pci_host *host, bool all)
{
    static const struct table_column columns[] = {
        {"Address", TABLE_LEFT}, {"ID", TABLE_LEFT},    {"Driver", TABLE_LEFT},
        {"Owner", TABLE_LEFT},   {"Node", TABLE_RIGHT}, {"Reset", TABLE_LEFT},
        {"Irqs", TABLE_LEFT},    {"Group", TABLE_LEFT}, {"Dom0 needs it for", TABLE_LEFT},
        {"Name", TABLE_LEFT},
    };
    struct table t;
    int result;

    table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < host->device_count; i++)
        if (is_listed(&host->devices[i], all))
            add_row(&t, host, i);
    result = table_print(&t, stdout, 0);
    table_dispose(&t);
    return result < 0 ? cli_out_of_memory() : CLI_DONE;
}

/* ---- JSON ---- */

static enum cli_exit print_json(const struct pci_host *host, bool all)
{
    struct xlp_json_writer *w = cli_json_start();

    if (!w)
        return cli_out_of_memory();
    xlp_json_write_key(w, "devices");
    xlp_json_open_array(w);
    for (size_t i = 0; i < host->device_count; i++) {
        if (!is_listed(&host->devices[i], all))
            continue;
        xlp_json_open_object(w);
        json_put_device(w, host, i);
        xlp_json_close_object(w);
    }
    xlp_json_close_array(w);
    return cli_json_print(w);
}
