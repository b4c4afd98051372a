/* SPDX-License-Identifier: LGPL-2.1-only */
/* pci-info: all about one device. */
#include "command.h"

#include <inttypes.h>
#include <stdio.h>

#include "describe.h"
#include "json_device.h"

static void print_text(const struct pci_host *host, size_t device, bool with_fields);
static enum cli_exit print_json(const struct pci_host *host, size_t device);

enum cli_exit cmd_pci_info(const struct cli *cli, const struct command_line *line)
{
    struct pci_host host;
    size_t device;
    enum cli_exit exit_code = pci_command_read(line, &host);

    if (exit_code != CLI_DONE)
        return exit_code;
    exit_code = pci_command_find(&host, line, line->operands[0], &device);
    if (exit_code == CLI_DONE && cli->json)
        exit_code = print_json(&host, device);
    else if (exit_code == CLI_DONE)
        print_text(&host, device, pci_command_has(line, 'f'));
    pci_host_dispose(&host);
    return exit_code;
}

/* ---- text ---- */

#define LINE "  %-13s "

static void print_identity(const struct pci_device *d)
{
    char text[DESCRIBE_SIZE], address[PCI_ADDRESS_SIZE];

    printf("%s %s\n", pci_address_format(&d->address, address), describe_name(d, text));
    printf(LINE "%s (%06x), revision %02x\n", "class", describe_class(d, text), d->class_code,
           d->revision);
    printf(LINE "%04x:%04x", "ID", d->vendor_id, d->device_id);
    if (d->subsystem_vendor_id || d->subsystem_id)
        printf(", subsystem %04x:%04x", d->subsystem_vendor_id, d->subsystem_id);
    putchar('\n');
    if (d->slot_name[0])
        printf(LINE "%s\n", "slot", d->slot_name);
}

static void print_use(const struct pci_host *host, const struct pci_device *d)
{
    char text[DESCRIBE_SIZE];

    if (host->has_sysfs) {
        printf(LINE "%s\n", "driver", d->driver[0] ? d->driver : "none");
        printf(LINE "%s%s\n", "owner", describe_owner(d, text),
               d->permissive ? ", permissive" : "");
    }
    if (d->node != PCI_NO_NODE)
        printf(LINE "%u\n", "NUMA node", d->node);
    else
        printf(LINE "unknown\n", "NUMA node");
}

static void print_place(const struct pci_host *host, size_t device)
{
    const struct pci_device *d = &host->devices[device];
    char text[DESCRIBE_SIZE], address[PCI_ADDRESS_SIZE];

    if (d->parent != PCI_NO_DEVICE)
        printf(LINE "%s, %s\n", "below",
               pci_address_format(&host->devices[d->parent].address, address),
               describe_name(&host->devices[d->parent], text));
    if (d->physical != PCI_NO_DEVICE)
        printf(LINE "virtual function of %s\n", "SR-IOV",
               pci_address_format(&host->devices[d->physical].address, address));
    else if (d->summary.sriov.present)
        printf(LINE "%u of %u virtual functions\n", "SR-IOV", d->summary.sriov.count,
               d->summary.sriov.total);
    if (describe_group(host, device, text)[0])
        printf(LINE "%s (%s)\n", "moves with", text, describe_bond(d->bond));
    if (describe_not_isolated(host, device, text)[0])
        printf(LINE "from %s\n", "not isolated", text);
}

static void print_regions(const struct pci_host *host, size_t device)
{
    const struct pci_device *d = &host->devices[device];
    char text[DESCRIBE_SIZE];

    for (size_t i = 0; i < PCI_REGIONS; i++)
        if (d->regions[i].kind != PCI_REGION_NONE)
            printf(LINE "%s\n", describe_region_name(i), describe_region(&d->regions[i], text));
    for (size_t i = 0; i < host->reserved_count; i++)
        if (host->reserved[i].device == device)
            printf(LINE "%" PRIx64 ", %s\n", "reserved", host->reserved[i].start,
                   describe_size(host->reserved[i].size, text));
}

static void print_field(void *context, const struct pci_field *field)
{
    const char **shown = context;

    if (*shown != field->register_name)
        printf("      %s, at %02x\n", field->register_name, field->offset);
    *shown = field->register_name;
    printf("        %-45s ", field->name);
    if (field->kind == PCI_FIELD_HEX)
        printf("%0*" PRIx64, (field->width + 3) / 4, field->value);
    else if (field->kind == PCI_FIELD_FLAG)
        printf("%s", field->value ? "yes" : "no");
    else
        printf("%" PRIu64, field->value);
    if (field->meaning[0])
        printf(" (%s)", field->meaning);
    putchar('\n');
}

static void print_flaw(const char *list, enum pci_list_flaw flaw, uint16_t at)
{
    if (flaw != PCI_LIST_GOOD)
        printf("    the list of %s %s, at offset %02x\n", list, pci_list_flaw_text(flaw), at);
}

static void print_capabilities(const struct pci_device *d, bool with_fields)
{
    printf("  capabilities (%u bytes of config space could be read)\n", d->config.size);
    for (size_t i = 0; i < d->capabilities.count; i++) {
        const struct pci_capability *c = &d->capabilities.list[i];
        const char *name = pci_capability_name(c->extended, c->id);
        const char *shown = NULL;

        printf("    %03x  %s (%0*x)", c->offset, name ? name : "unknown", c->extended ? 4 : 2,
               c->id);
        if (c->extended)
            printf(", version %u", c->version);
        putchar('\n');
        if (with_fields)
            pci_fields_visit(&d->config, c, print_field, &shown);
    }
    print_flaw("capabilities", d->capabilities.legacy_flaw, d->capabilities.legacy_flaw_at);
    print_flaw("extended capabilities", d->capabilities.extended_flaw,
               d->capabilities.extended_flaw_at);
}

static void print_finding(void *context, const struct pci_finding *finding)
{
    (void)context;
    pci_command_print_finding(finding, "");
}

static void print_text(const struct pci_host *host, size_t device, bool with_fields)
{
    const struct pci_device *d = &host->devices[device];
    char text[DESCRIBE_SIZE];

    print_identity(d);
    print_use(host, d);
    print_place(host, device);
    if (!pci_is_bridge(d))
        printf(LINE "%s\n", "reset", describe_reset(host, device, text));
    printf(LINE "%s\n", "interrupts", describe_interrupts(d, text));
    print_regions(host, device);
    for (size_t i = 0; i < d->loss_count; i++)
        printf(LINE "%s\n", "dom0 loses", d->losses[i].what);
    print_capabilities(d, with_fields);
    pci_check_device(host, device, print_finding, NULL);
}

/* ---- JSON ---- */

struct finding_writer {
    struct xlp_json_writer *w;
    const struct pci_host *host;
};

static void write_finding(void *context, const struct pci_finding *finding)
{
    const struct finding_writer *writer = context;

    json_write_finding(writer->w, writer->host, finding);
}

static enum cli_exit print_json(const struct pci_host *host, size_t device)
{
    struct finding_writer writer = {cli_json_start(), host};
    struct xlp_json_writer *w = writer.w;

    if (!w)
        return cli_out_of_memory();
    json_put_device(w, host, device);
    json_put_capabilities(w, &host->devices[device]);
    xlp_json_write_key(w, "findings");
    xlp_json_open_array(w);
    pci_check_device(host, device, write_finding, &writer);
    xlp_json_close_array(w);
    return cli_json_print(w);
}
