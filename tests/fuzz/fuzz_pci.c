/* SPDX-License-Identifier: LGPL-2.1-only */
/* links: tools/pci/config_space.c tools/pci/summary.c tools/pci/fields.c */
/* links: tools/pci/fields_legacy.c tools/pci/fields_express.c tools/pci/fields_extended.c */
/* links: tools/pci/topology.c tools/pci/reset.c tools/pci/device.c tools/pci/sharing.c */
/* links: tools/pci/describe.c tools/pci/check_device.c tools/pci/check_host.c tools/pci/tell.c */
/* links: tools/pci/address.c */
/*
 * Whatever a guest leaves in the config space of its device: the lists of capabilities end, nothing
 * is read that could not be read from the device, every field is within its bits, and what is said
 * of the device and of those beside it comes to an end, too.
 */
#include "fuzz.h"

#include <string.h>

#include "../../tools/pci/describe.h"
#include "../../tools/pci/findings.h"
#include "../../tools/pci/host_parts.h"

/* All that is found in one config space. */
struct decoded {
    struct pci_capabilities capabilities;
    struct pci_summary summary;
    uint64_t fields; /* a hash of all */
};

struct field_check {
    const struct pci_config *config;
    const struct pci_capability *capability;
    uint64_t hash;
    size_t count;
};

static void load(struct pci_config *config, const uint8_t *data, size_t size, uint8_t beyond);
static void decode(const struct pci_config *config, struct decoded *decoded);
static void check_list(const struct pci_config *config, const struct pci_capabilities *found);
static void check_field(void *context, const struct pci_field *field);
static void check_summary(const struct pci_summary *s);
static void check_host(const struct pci_config *config);
static void check_finding(void *context, const struct pci_finding *finding);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pci_config config;
    static struct decoded first, second;

    /* What lies beyond must not matter. */
    load(&config, data, size, 0x00);
    decode(&config, &first);
    load(&config, data, size, 0xff);
    decode(&config, &second);
    FUZZ_CHECK(memcmp(&first, &second, sizeof(first)) == 0);
    check_host(&config);
    return 0;
}

static void load(struct pci_config *config, const uint8_t *data, size_t size, uint8_t beyond)
{
    config->size = (uint16_t)(size < PCI_CONFIG_SIZE ? size : PCI_CONFIG_SIZE);
    memcpy(config->untrusted_bytes, data, config->size);
    memset(config->untrusted_bytes + config->size, beyond, PCI_CONFIG_SIZE - config->size);
}

static void decode(const struct pci_config *config, struct decoded *decoded)
{
    struct field_check check = {.config = config};

    memset(decoded, 0, sizeof(*decoded));
    pci_capabilities_find(config, &decoded->capabilities);
    check_list(config, &decoded->capabilities);
    pci_summarize(config, &decoded->capabilities, &decoded->summary);
    check_summary(&decoded->summary);
    for (size_t i = 0; i < decoded->capabilities.count; i++) {
        check.capability = &decoded->capabilities.list[i];
        check.count = 0;
        FUZZ_CHECK(pci_fields_visit(config, check.capability, check_field, &check) == check.count);
    }
    decoded->fields = check.hash;
}

static void check_list(const struct pci_config *config, const struct pci_capabilities *found)
{
    bool seen[PCI_CONFIG_SIZE / 4] = {false};

    FUZZ_CHECK(found->count <= PCI_CAPABILITIES_MAX);
    for (size_t i = 0; i < found->count; i++) {
        const struct pci_capability *c = &found->list[i];

        FUZZ_CHECK(c->offset % 4 == 0 && c->offset + 4 <= config->size);
        FUZZ_CHECK(c->extended ? c->offset >= 0x100 : c->offset >= 0x40 && c->offset < 0x100);
        FUZZ_CHECK(!seen[c->offset / 4]);
        seen[c->offset / 4] = true;
        FUZZ_CHECK(!pci_capability_name(c->extended, c->id) ||
                   pci_capability_name(c->extended, c->id)[0]);
    }
    FUZZ_CHECK(pci_list_flaw_text(found->legacy_flaw)[0]);
    FUZZ_CHECK(pci_list_flaw_text(found->extended_flaw)[0]);
}

static void add_hash(uint64_t *hash, uint64_t value)
{
    *hash = (*hash ^ value) * UINT64_C(0x100000001b3);
}

static void check_field(void *context, const struct pci_field *field)
{
    struct field_check *check = context;
    unsigned int bits = field->low + field->width;
    unsigned int bytes = (bits + 7) / 8;

    FUZZ_CHECK(field->offset > check->capability->offset);
    FUZZ_CHECK(field->offset + bytes <= check->config->size);
    FUZZ_CHECK(field->width > 0 && bits <= 64 && (bits == 64 || field->value >> bits == 0));
    FUZZ_CHECK(field->register_name[0] && field->name[0]);
    FUZZ_CHECK(memchr(field->meaning, '\0', sizeof(field->meaning)) != NULL);
    add_hash(&check->hash, field->offset);
    add_hash(&check->hash, field->low);
    add_hash(&check->hash, field->value);
    for (const char *c = field->meaning; *c; c++)
        add_hash(&check->hash, (uint8_t)*c);
    check->count++;
}

static void check_summary(const struct pci_summary *s)
{
    FUZZ_CHECK(s->resizable.count <= PCI_RESIZABLE_MAX);
    for (size_t i = 0; i < s->resizable.count; i++)
        FUZZ_CHECK(s->resizable.bars[i].bar < 8 && s->resizable.bars[i].current < 64);
    FUZZ_CHECK(s->msix.vectors <= 2048 && s->msix.table_bar < 8 && s->msix.pba_bar < 8);
    FUZZ_CHECK(s->msix.table_offset % 8 == 0 && s->msix.pba_offset % 8 == 0);
}

/* ---- a host of it ---- */

static void make_device(struct pci_device *d, const struct pci_config *config, uint8_t bus,
                        uint8_t function)
{
    d->address = (struct pci_address){0, bus, 0, function};
    d->class_code = 0x030000;
    d->owner_domid = PCI_NO_DOMAIN;
    d->node = PCI_NO_NODE;
    d->irq = 16;
    d->parent = d->physical = PCI_NO_DEVICE;
    d->regions[0] = (struct pci_region){PCI_REGION_MEMORY, 0x1000, 0x2000, false, false};
    d->config = *config;
    pci_capabilities_find(config, &d->capabilities);
    pci_summarize(config, &d->capabilities, &d->summary);
    d->header_type = config->size > 0xe ? config->untrusted_bytes[0xe] & 0x7f : 0;
}

/* Twice beside each other, and once where a bridge to them might be. */
static void check_host(const struct pci_config *config)
{
    static struct pci_device devices[3];
    struct pci_host host = {.has_sysfs = true, .devices = devices, .device_count = 3};
    char text[DESCRIBE_SIZE];

    memset(devices, 0, sizeof(devices));
    make_device(&devices[0], config, 0, 0);
    make_device(&devices[1], config, 1, 0);
    make_device(&devices[2], config, 1, 1);
    pci_find_topology(&host);
    pci_find_resets(&host);
    for (size_t i = 0; i < host.device_count; i++) {
        FUZZ_CHECK(devices[i].parent != i && devices[i].group <= i);
        pci_check_device(&host, i, check_finding, NULL);
        FUZZ_CHECK(describe_reset(&host, i, text)[0]);
        FUZZ_CHECK(describe_interrupts(&devices[i], text)[0]);
        FUZZ_CHECK(describe_interrupts_short(&devices[i], text)[0]);
        for (size_t j = 0; j < host.device_count; j++) {
            FUZZ_CHECK(pci_move_together(&host, i, j) == pci_move_together(&host, j, i));
            FUZZ_CHECK(pci_not_isolated(&host, i, j) == pci_not_isolated(&host, j, i));
        }
    }
}

static void check_finding(void *context, const struct pci_finding *finding)
{
    (void)context;
    FUZZ_CHECK(finding->what[0] && finding->evidence[0] && finding->mend[0] && finding->code[0]);
    FUZZ_CHECK(finding->grade != PCI_GOOD);
}
