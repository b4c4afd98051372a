/* SPDX-License-Identifier: LGPL-2.1-only */
/* Every field of a capability, from the tables of its layout. */
#include "fields.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct {
    bool extended;
    uint16_t id;
    fields_capability *walk;
} capabilities[] = {
    {false, PCI_CAPABILITY_POWER_MANAGEMENT, fields_pm},
    {false, PCI_CAPABILITY_MSI, fields_msi},
    {false, PCI_CAPABILITY_EXPRESS, fields_express},
    {false, PCI_CAPABILITY_MSIX, fields_msix},
    {false, PCI_CAPABILITY_ADVANCED_FEATURES, fields_af},
    {true, PCI_EXTENDED_SERIAL_NUMBER, fields_serial},
    {true, PCI_EXTENDED_ACS, fields_acs},
    {true, PCI_EXTENDED_ARI, fields_ari},
    {true, PCI_EXTENDED_SRIOV, fields_sriov},
    {true, PCI_EXTENDED_RESIZABLE_BAR, fields_resizable},
};

static void visit_field(struct field_walk *walk, const struct register_layout *r, size_t offset,
                        uint64_t value, const struct field_layout *layout);
static void explain(const struct field_layout *layout, uint64_t value,
                    char meaning[PCI_MEANING_SIZE]);
static void explain_set(uint64_t set, unsigned int first_kib_log2, char meaning[PCI_MEANING_SIZE]);

size_t pci_fields_visit(const struct pci_config *config, const struct pci_capability *capability,
                        pci_field_visitor *visit, void *context)
{
    struct field_walk walk = {config, capability, visit, context, 0};

    for (size_t i = 0; i < FIELDS_COUNT(capabilities); i++)
        if (capabilities[i].extended == capability->extended &&
            capabilities[i].id == capability->id)
            capabilities[i].walk(&walk);
    return walk.count;
}

void fields_walk(struct field_walk *walk, const struct register_layout *registers, size_t count,
                 size_t move)
{
    for (size_t i = 0; i < count; i++) {
        const struct register_layout *r = &registers[i];
        size_t offset = walk->capability->offset + r->offset + move;
        uint64_t value;

        if (!pci_config_read(walk->config, offset, r->bytes, &value))
            continue;
        for (size_t j = 0; j < r->field_count; j++)
            visit_field(walk, r, offset, value, &r->fields[j]);
    }
}

uint64_t fields_get(const struct field_walk *walk, size_t offset, unsigned int bytes)
{
    uint64_t value;

    pci_config_read(walk->config, walk->capability->offset + offset, bytes, &value);
    return value;
}

static void visit_field(struct field_walk *walk, const struct register_layout *r, size_t offset,
                        uint64_t value, const struct field_layout *layout)
{
    uint64_t mask = layout->width < 64 ? (UINT64_C(1) << layout->width) - 1 : UINT64_MAX;
    struct pci_field field = {
        .register_name = r->name,
        .name = layout->name,
        .offset = (uint16_t)offset,
        .low = layout->low,
        .width = layout->width,
        .kind = layout->kind,
        .value = value >> layout->low & mask,
    };

    explain(layout, field.value, field.meaning);
    if (layout->scale == SCALE_IN_PLACE)
        field.value <<= layout->low;
    walk->visit(walk->context, &field);
    walk->count++;
}

/* ---- what a value stands for ---- */

/* "256 MiB"; kib_log2 may be anything. */
static void format_size(unsigned int kib_log2, char *text, size_t size)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    unsigned int unit = kib_log2 / 10;

    if (unit < sizeof(units) / sizeof(units[0]))
        snprintf(text, size, "%u %s", 1u << kib_log2 % 10, units[unit]);
    else
        snprintf(text, size, "2^%u bytes", kib_log2 + 10);
}

static void explain(const struct field_layout *layout, uint64_t value,
                    char meaning[PCI_MEANING_SIZE])
{
    meaning[0] = '\0';
    switch (layout->scale) {
    case SCALE_PLUS_ONE: snprintf(meaning, PCI_MEANING_SIZE, "%" PRIu64, value + 1); break;
    case SCALE_POWER: snprintf(meaning, PCI_MEANING_SIZE, "%u", 1u << (value & 31)); break;
    case SCALE_PAYLOAD:
        snprintf(meaning, PCI_MEANING_SIZE, value < 6 ? "%u bytes" : "reserved",
                 128u << (value & 7));
        break;
    case SCALE_REBAR: format_size((unsigned int)value + 10, meaning, PCI_MEANING_SIZE); break;
    case SCALE_SIZES: explain_set(value, 10, meaning); break;
    case SCALE_PAGES: explain_set(value, 2, meaning); break;
    case SCALE_IN_PLACE:
    case SCALE_NONE: break;
    }
    if (!layout->meanings)
        return;
    if (value < layout->meaning_count && layout->meanings[value])
        snprintf(meaning, PCI_MEANING_SIZE, "%s", layout->meanings[value]);
    else
        snprintf(meaning, PCI_MEANING_SIZE, "reserved");
}

/* "256 MiB, 512 MiB": as many as there is room for. */
static void explain_set(uint64_t set, unsigned int first_kib_log2, char meaning[PCI_MEANING_SIZE])
{
    size_t used = 0;

    for (unsigned int bit = 0; bit < 64; bit++) {
        char size[24];

        if (!(set >> bit & 1))
            continue;
        format_size(first_kib_log2 + bit, size, sizeof(size));
        if (used + strlen(size) + 2 + sizeof("...") > PCI_MEANING_SIZE) {
            snprintf(meaning + used, PCI_MEANING_SIZE - used, ", ...");
            return;
        }
        used += (size_t)snprintf(meaning + used, PCI_MEANING_SIZE - used, "%s%s", used ? ", " : "",
                                 size);
    }
}
