/* SPDX-License-Identifier: LGPL-2.1-only */
#include "generate.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "card.h"
#include "validate.h"

#define ANY           0
#define VENDOR_NVIDIA 0x10de
#define VENDOR_AMD    0x1002

const struct guest_template guest_templates[] = {
    {"windows10-nvidia", "Windows 10 with an NVIDIA card", 0x030000, 0xff0000, VENDOR_NVIDIA},
    {"windows10-amd", "Windows 10 with an AMD card", 0x030000, 0xff0000, VENDOR_AMD},
    {"windows11", "Windows 11, installed elsewhere, with a graphics card", 0x030000, 0xff0000, ANY},
    {"linux-compute", "Linux with a card for computing", 0x030000, 0xff0000, ANY},
    {"network-vf", "a network card, or a virtual function of one", 0x020000, 0xff0000, ANY},
    {"usb-controller", "a USB controller with what is plugged in", 0x0c0300, 0xffff00, ANY},
    {"nvme", "an NVMe drive", 0x010800, 0xffff00, ANY},
    {"windows7", "Windows 7 with a graphics card, as in the walk-through", 0x030000, 0xff0000, ANY},
};

const size_t guest_template_count = sizeof(guest_templates) / sizeof(guest_templates[0]);

/* One text being copied with values put in. */
struct filling {
    const struct guest_request *request;
    const struct pci_host *host;
    FILE *to;
};

static const char *copy_line(const struct filling *f, const char *line);
static const char *skip_list(const char *line);
static void write_devices(const struct filling *f);
static void write_node(const struct filling *f);
static void write_replaced(const struct filling *f, const char *line, size_t length,
                           const char *key, const char *value);

/* ---- choosing ---- */

const struct guest_template *guest_template_by_name(const char *name)
{
    for (size_t i = 0; i < guest_template_count; i++)
        if (strcmp(guest_templates[i].name, name) == 0)
            return &guest_templates[i];
    return NULL;
}

bool guest_template_suits(const struct guest_template *t, const struct pci_device *d)
{
    return (d->class_code & t->class_mask) == t->class_code &&
           (!t->vendor_id || t->vendor_id == d->vendor_id);
}

int guest_request_add(struct guest_request *request, const struct pci_host *host, size_t device)
{
    for (size_t other = 0; other < host->device_count; other++) {
        bool listed = false;

        if (!pci_goes_with(host, device, other))
            continue;
        for (size_t i = 0; i < request->device_count; i++)
            listed = listed || request->devices[i] == other;
        if (listed)
            continue;
        if (request->device_count == GUEST_PCI_MAX)
            return -1;
        request->devices[request->device_count++] = other;
    }
    return 0;
}

size_t guest_request_make_room(struct guest_request *request, const struct pci_host *host,
                               unsigned int physbits, uint32_t *tag_out)
{
    struct guest_bars b;
    size_t left;

    guest_bars_init(&b, request->memory_mib, 0, physbits);
    for (size_t i = 0; i < request->device_count; i++)
        guest_bars_add(&b, host, request->devices[i]);
    request->mmio_hole_mib = pci_mmio_hole_for(&b.guest, b.bars, b.count, &left);
    for (size_t i = b.count; i > 0; i--)
        if (b.bars[i - 1].where == PCI_PLACED_NOWHERE)
            *tag_out = b.bars[i - 1].tag;
    return left;
}

uint32_t guest_request_node(const struct guest_request *request, const struct pci_host *host)
{
    uint32_t node = PCI_NO_NODE;

    for (size_t i = 0; i < request->device_count; i++) {
        uint32_t of_device = host->devices[request->devices[i]].node;

        if (of_device == PCI_NO_NODE)
            continue;
        if (node != PCI_NO_NODE && node != of_device)
            return PCI_NO_NODE;
        node = of_device;
    }
    return node;
}

/* ---- writing ---- */

void guest_generate(const struct guest_request *request, const struct pci_host *host,
                    const char *common, const char *special, FILE *to)
{
    struct filling f = {request, host, to};

    while (*common == '#') /* what it says of itself */
        common += strcspn(common, "\n") + 1;
    while (*common)
        common = copy_line(&f, common);
    fputc('\n', to);
    while (*special)
        special = copy_line(&f, special);
}

/* The name that a line assigns to, or the empty one. */
static size_t assigned(const char *line)
{
    size_t name = 0, blanks;

    while (islower((unsigned char)line[name]) || line[name] == '_' ||
           (name > 0 && isdigit((unsigned char)line[name])))
        name++;
    blanks = strspn(line + name, " \t");
    return line[name + blanks] == '=' ? name : 0;
}

static bool is(const char *line, const char *name)
{
    size_t length = assigned(line);

    return length == strlen(name) && strncmp(line, name, length) == 0;
}

/* Returns where the next line begins. */
static const char *copy_line(const struct filling *f, const char *line)
{
    const struct guest_request *r = f->request;
    size_t length = strcspn(line, "\n");
    const char *next = line + length + (line[length] == '\n');

    if (is(line, "pci")) {
        write_devices(f);
        return skip_list(line);
    }
    if (is(line, "name"))
        fprintf(f->to, "name = \"%s\"\n", r->name);
    else if (is(line, "memory") || is(line, "maxmem"))
        fprintf(f->to, "%.6s = %" PRIu64 "\n", line, r->memory_mib);
    else if (is(line, "vcpus"))
        fprintf(f->to, "vcpus = %" PRIu32 "\n", r->vcpus);
    else if (is(line, "cpus_soft"))
        write_node(f);
    else if (is(line, "disk") && r->disk)
        write_replaced(f, line, length, "target=", r->disk);
    else if (is(line, "vif") && r->bridge)
        write_replaced(f, line, length, "bridge=", r->bridge);
    else
        fprintf(f->to, "%.*s\n", (int)length, line);
    return next;
}

/* Past the line with the list's closing bracket. */
static const char *skip_list(const char *line)
{
    const char *end = strchr(line, ']');

    end = end ? end : line;
    end += strcspn(end, "\n");
    return end + (*end == '\n');
}

static void write_name_of(const struct filling *f, const struct pci_device *d)
{
    fprintf(f->to, "  # %04x:%04x ", d->vendor_id, d->device_id);
    for (const char *c = d->class_name; *c; c++)
        fputc(isprint((unsigned char)*c) ? *c : '?', f->to);
    fputc('\n', f->to);
}

static void write_devices(const struct filling *f)
{
    char address[PCI_ADDRESS_SIZE];

    fprintf(f->to, "pci = [\n");
    for (size_t i = 0; i < f->request->device_count; i++) {
        const struct pci_device *d = &f->host->devices[f->request->devices[i]];

        fprintf(f->to, "    \"%s,rdm_policy=strict\",", pci_address_format(&d->address, address));
        write_name_of(f, d);
    }
    fprintf(f->to, "]\n");
    if (f->request->mmio_hole_mib)
        fprintf(f->to,
                "\n# Without it, not all BARs of these devices find room below 4 GiB.\n"
                "mmio_hole = %" PRIu64 "\n",
                f->request->mmio_hole_mib);
}

static void write_node(const struct filling *f)
{
    uint32_t node = guest_request_node(f->request, f->host);

    if (node != PCI_NO_NODE)
        fprintf(f->to, "cpus_soft = \"node:%" PRIu32 "\" # the device's node\n", node);
    else
        fprintf(f->to, "# cpus_soft: Xen does not tell one node for this device\n");
}

/* The first value after key becomes another. A line without the key is copied. */
static void write_replaced(const struct filling *f, const char *line, size_t length,
                           const char *key, const char *value)
{
    const char *at = strstr(line, key), *rest;

    if (!at || at >= line + length) {
        fprintf(f->to, "%.*s\n", (int)length, line);
        return;
    }
    at += strlen(key);
    rest = at + strcspn(at, ",\"'\n");
    fprintf(f->to, "%.*s%s%.*s\n", (int)(at - line), line, value, (int)(line + length - rest),
            rest);
}
