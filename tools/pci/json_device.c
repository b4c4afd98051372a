/* SPDX-License-Identifier: LGPL-2.1-only */
#include "json_device.h"

#include <inttypes.h>
#include <stdio.h>

#include "describe.h"

static void put_regions(struct xlp_json_writer *w, const struct pci_device *d);
static void put_interrupts(struct xlp_json_writer *w, const struct pci_device *d);
static void put_reset(struct xlp_json_writer *w, const struct pci_host *host, size_t device);
static void put_relations(struct xlp_json_writer *w, const struct pci_host *host, size_t device);
static void put_losses(struct xlp_json_writer *w, const struct pci_device *d);

/* ---- values that may be unknown ---- */

static void put_null(struct xlp_json_writer *w, const char *key)
{
    xlp_json_write_key(w, key);
    xlp_json_write_null(w);
}

static void put_text(struct xlp_json_writer *w, const char *key, const char *text)
{
    if (text[0])
        xlp_json_put_string(w, key, text);
    else
        put_null(w, key);
}

static void put_u32(struct xlp_json_writer *w, const char *key, uint32_t value)
{
    if (value != UINT32_MAX)
        xlp_json_put_int(w, key, value);
    else
        put_null(w, key);
}

static void put_hex(struct xlp_json_writer *w, const char *key, uint64_t value, int digits)
{
    char text[24];

    snprintf(text, sizeof(text), "%0*" PRIx64, digits, value);
    xlp_json_put_string(w, key, text);
}

static void put_address(struct xlp_json_writer *w, const char *key, const struct pci_host *host,
                        size_t device)
{
    char text[PCI_ADDRESS_SIZE];

    if (device == PCI_NO_DEVICE)
        put_null(w, key);
    else
        xlp_json_put_string(w, key, pci_address_format(&host->devices[device].address, text));
}

/* ---- a device ---- */

void json_put_device(struct xlp_json_writer *w, const struct pci_host *host, size_t device)
{
    const struct pci_device *d = &host->devices[device];

    put_address(w, "address", host, device);
    put_hex(w, "vendor", d->vendor_id, 4);
    put_hex(w, "device", d->device_id, 4);
    put_hex(w, "subsystem_vendor", d->subsystem_vendor_id, 4);
    put_hex(w, "subsystem_device", d->subsystem_id, 4);
    put_hex(w, "class", d->class_code, 6);
    put_hex(w, "revision", d->revision, 2);
    put_text(w, "class_name", d->class_name);
    put_text(w, "vendor_name", d->vendor_name);
    put_text(w, "device_name", d->device_name);
    put_text(w, "slot", d->slot_name);
    put_text(w, "driver", d->driver);
    xlp_json_put_bool(w, "assignable", d->assignable);
    put_u32(w, "owner_domid", d->owner_domid);
    put_text(w, "owner_name", d->owner_name);
    put_u32(w, "node", d->node);
    xlp_json_put_bool(w, "boot_vga", d->boot_vga);
    put_text(w, "framebuffer", d->framebuffer);
    put_regions(w, d);
    put_interrupts(w, d);
    put_reset(w, host, device);
    put_relations(w, host, device);
    put_losses(w, d);
}

static void put_regions(struct xlp_json_writer *w, const struct pci_device *d)
{
    xlp_json_write_key(w, "regions");
    xlp_json_open_array(w);
    for (size_t i = 0; i < PCI_REGIONS; i++) {
        const struct pci_region *r = &d->regions[i];

        if (r->kind == PCI_REGION_NONE)
            continue;
        xlp_json_open_object(w);
        xlp_json_put_string(w, "name", describe_region_name(i));
        xlp_json_put_string(w, "kind", r->kind == PCI_REGION_IO ? "io" : "memory");
        put_hex(w, "base", r->base, 1);
        if (r->size)
            xlp_json_put_u64(w, "size", r->size);
        else
            put_null(w, "size");
        xlp_json_put_bool(w, "64bit", r->is_64bit);
        xlp_json_put_bool(w, "prefetchable", r->prefetchable);
        xlp_json_close_object(w);
    }
    xlp_json_close_array(w);
}

static void put_interrupts(struct xlp_json_writer *w, const struct pci_device *d)
{
    xlp_json_write_key(w, "interrupts");
    xlp_json_open_object(w);
    xlp_json_put_int(w, "pin", d->interrupt_pin);
    put_u32(w, "irq", d->irq);
    xlp_json_put_int(w, "msi_vectors", d->summary.msi.capable);
    xlp_json_put_bool(w, "msi_enabled", d->summary.msi.enabled);
    xlp_json_put_int(w, "msix_vectors", d->summary.msix.vectors);
    xlp_json_put_bool(w, "msix_enabled", d->summary.msix.enabled);
    xlp_json_close_object(w);
}

static void put_methods(struct xlp_json_writer *w, const char *key, unsigned int methods)
{
    xlp_json_write_key(w, key);
    xlp_json_open_array(w);
    for (int m = 0; m < PCI_RESET_METHODS; m++)
        if (methods & 1u << m)
            xlp_json_write_string(w, pci_reset_method_name((enum pci_reset_method)m));
    xlp_json_close_array(w);
}

static void put_reset(struct xlp_json_writer *w, const struct pci_host *host, size_t device)
{
    const struct pci_reset *reset = &host->devices[device].reset;

    xlp_json_write_key(w, "reset");
    xlp_json_open_object(w);
    if (reset->works != PCI_RESET_METHODS)
        xlp_json_put_string(w, "works", pci_reset_method_name(reset->works));
    else
        put_null(w, "works");
    put_methods(w, "possible", reset->possible);
    if (reset->kernel_told)
        put_methods(w, "kernel", reset->kernel);
    else
        put_null(w, "kernel");
    put_address(w, "subordinate", host, reset->subordinate);
    xlp_json_close_object(w);
}

typedef bool relation(const struct pci_host *host, size_t a, size_t b);

static void put_related(struct xlp_json_writer *w, const char *key, const struct pci_host *host,
                        size_t device, relation *related)
{
    char text[PCI_ADDRESS_SIZE];

    xlp_json_write_key(w, key);
    xlp_json_open_array(w);
    for (size_t i = 0; i < host->device_count; i++)
        if (i != device && !pci_is_bridge(&host->devices[i]) && related(host, device, i))
            xlp_json_write_string(w, pci_address_format(&host->devices[i].address, text));
    xlp_json_close_array(w);
}

static bool share_page(const struct pci_host *host, size_t a, size_t b)
{
    size_t region, other;

    return pci_share_page(host, a, b, &region, &other);
}

static void put_reserved(struct xlp_json_writer *w, const struct pci_host *host, size_t device)
{
    xlp_json_write_key(w, "reserved");
    xlp_json_open_array(w);
    for (size_t i = 0; i < host->reserved_count; i++) {
        if (host->reserved[i].device != device)
            continue;
        xlp_json_open_object(w);
        put_hex(w, "start", host->reserved[i].start, 1);
        xlp_json_put_u64(w, "size", host->reserved[i].size);
        xlp_json_close_object(w);
    }
    xlp_json_close_array(w);
}

static void put_relations(struct xlp_json_writer *w, const struct pci_host *host, size_t device)
{
    const struct pci_device *d = &host->devices[device];

    put_address(w, "parent", host, d->parent);
    put_address(w, "physical_function", host, d->physical);
    put_related(w, "moves_with", host, device, pci_move_together);
    put_related(w, "not_isolated_from", host, device, pci_not_isolated);
    put_related(w, "shares_page_with", host, device, share_page);
    put_related(w, "shares_interrupt_with", host, device, pci_share_interrupt);
    put_reserved(w, host, device);
}

static void put_losses(struct xlp_json_writer *w, const struct pci_device *d)
{
    xlp_json_write_key(w, "dom0_loses");
    xlp_json_open_array(w);
    for (size_t i = 0; i < d->loss_count; i++) {
        xlp_json_open_object(w);
        xlp_json_put_string(w, "use", pci_use_name(d->losses[i].use));
        xlp_json_put_string(w, "what", d->losses[i].what);
        xlp_json_put_string(w, "evidence", d->losses[i].evidence);
        xlp_json_close_object(w);
    }
    xlp_json_close_array(w);
}

/* ---- capabilities ---- */

static void write_field(void *context, const struct pci_field *field)
{
    struct xlp_json_writer *w = context;

    xlp_json_open_object(w);
    xlp_json_put_string(w, "register", field->register_name);
    put_hex(w, "offset", field->offset, 2);
    xlp_json_put_string(w, "name", field->name);
    xlp_json_put_int(w, "bit", field->low);
    xlp_json_put_int(w, "width", field->width);
    if (field->kind == PCI_FIELD_HEX)
        put_hex(w, "value", field->value, (field->width + 3) / 4);
    else
        xlp_json_put_u64(w, "value", field->value);
    if (field->meaning[0])
        xlp_json_put_string(w, "meaning", field->meaning);
    xlp_json_close_object(w);
}

static void put_flaw(struct xlp_json_writer *w, const char *key, enum pci_list_flaw flaw,
                     uint16_t at)
{
    char text[96];

    if (flaw == PCI_LIST_GOOD) {
        put_null(w, key);
        return;
    }
    snprintf(text, sizeof(text), "%s (offset %02x)", pci_list_flaw_text(flaw), at);
    xlp_json_put_string(w, key, text);
}

void json_put_capabilities(struct xlp_json_writer *w, const struct pci_device *d)
{
    xlp_json_put_int(w, "config_bytes", d->config.size);
    put_flaw(w, "list_flaw", d->capabilities.legacy_flaw, d->capabilities.legacy_flaw_at);
    put_flaw(w, "extended_list_flaw", d->capabilities.extended_flaw,
             d->capabilities.extended_flaw_at);
    xlp_json_write_key(w, "capabilities");
    xlp_json_open_array(w);
    for (size_t i = 0; i < d->capabilities.count; i++) {
        const struct pci_capability *c = &d->capabilities.list[i];
        const char *name = pci_capability_name(c->extended, c->id);

        xlp_json_open_object(w);
        put_hex(w, "offset", c->offset, 2);
        xlp_json_put_bool(w, "extended", c->extended);
        put_hex(w, "id", c->id, c->extended ? 4 : 2);
        xlp_json_put_int(w, "version", c->version);
        put_text(w, "name", name ? name : "");
        xlp_json_write_key(w, "fields");
        xlp_json_open_array(w);
        pci_fields_visit(&d->config, c, write_field, w);
        xlp_json_close_array(w);
        xlp_json_close_object(w);
    }
    xlp_json_close_array(w);
}

void json_write_finding(struct xlp_json_writer *w, const struct pci_host *host,
                        const struct pci_finding *finding)
{
    xlp_json_open_object(w);
    xlp_json_put_string(w, "grade", pci_grade_name(finding->grade));
    xlp_json_put_string(w, "code", finding->code);
    put_address(w, "address", host, finding->device);
    xlp_json_put_string(w, "what", finding->what);
    xlp_json_put_string(w, "evidence", finding->evidence);
    put_text(w, "mend", finding->mend);
    xlp_json_close_object(w);
}
