/* SPDX-License-Identifier: LGPL-2.1-only */
/* What Xen says of another host, written down: docs/passthrough.md describes the file. */
#include "host_parts.h"

#include "grow.h"
#include "json/json.h"

#define FILE_NAME       "/xen-facts.json"
#define FILE_BYTES_MAX  (1u << 20)
#define FILE_VALUES_MAX 65536
#define FILE_VERSION    1
#define NODE_MAX        65535
#define DOMID_MAX       0x7fef
#define GROUP_MAX       0x7fffffff

static void read_facts(struct xlp_json_reader *r, const struct xlp_json *root,
                       struct pci_host *host);
static void read_device(struct xlp_json_reader *r, const struct xlp_json *v, struct pci_host *host);
static void read_reserved(struct xlp_json_reader *r, const struct xlp_json *device,
                          struct pci_host *host, size_t index);

bool pci_has_xen_facts(const struct files *files)
{
    return files_exist(files, FILE_NAME);
}

int pci_read_xen_facts(const struct files *files, struct pci_host *host, char *error,
                       size_t error_size)
{
    struct xlp_json_reader r;
    struct xlp_json *root;
    char path[FILES_PATH_SIZE];

    snprintf(path, sizeof(path), "%s" FILE_NAME, files->root);
    root = xlp_json_parse_file(path, FILE_BYTES_MAX, error, error_size);
    if (!root)
        return -1;
    xlp_json_reader_init(&r, error, error_size);
    read_facts(&r, root, host);
    xlp_json_free(root);
    if (xlp_json_done(&r) < 0) {
        char why[256];

        snprintf(why, sizeof(why), "%s", error);
        snprintf(error, error_size, "%s: %s", path, why);
        return -1;
    }
    host->machine.xen_asked = PCI_YES;
    return 0;
}

static void read_truth(struct xlp_json_reader *r, const struct xlp_json *object, const char *key,
                       enum pci_truth *truth)
{
    bool value = false;

    if (!xlp_json_get(object, key))
        return;
    xlp_json_read_bool(r, object, key, XLP_JSON_OPTIONAL, &value);
    *truth = value ? PCI_YES : PCI_NO;
}

static void read_facts(struct xlp_json_reader *r, const struct xlp_json *root,
                       struct pci_host *host)
{
    static const char *const known[] = {"xlpolicy", "hvm_directio", "interrupt_remapping",
                                        "devices", NULL};
    const struct xlp_json *devices;
    int64_t version = FILE_VERSION;

    xlp_json_check_keys(r, root, known);
    xlp_json_read_int(r, root, "xlpolicy", XLP_JSON_REQUIRED, FILE_VERSION, FILE_VERSION, &version);
    read_truth(r, root, "hvm_directio", &host->machine.hvm_directio);
    read_truth(r, root, "interrupt_remapping", &host->machine.interrupt_remapping);
    devices = xlp_json_read_array(r, root, "devices", XLP_JSON_OPTIONAL);
    for (size_t i = 0; devices && i < xlp_json_count(devices) && !r->failed; i++)
        read_device(r, xlp_json_at(devices, i), host);
}

/* The device that an entry is about, or PCI_NO_DEVICE after a failure. */
static size_t read_address(struct xlp_json_reader *r, const struct xlp_json *v,
                           const struct pci_host *host)
{
    struct pci_address address;
    const char *text = "";
    size_t index;

    xlp_json_read_string(r, v, "address", XLP_JSON_REQUIRED, &text);
    if (r->failed)
        return PCI_NO_DEVICE;
    if (!pci_address_parse(text, &address)) {
        xlp_json_fail(r, xlp_json_get(v, "address"), "\"%s\" is no address as 0000:01:00.0", text);
        return PCI_NO_DEVICE;
    }
    index = pci_host_find(host, &address);
    if (index == PCI_NO_DEVICE)
        xlp_json_fail(r, xlp_json_get(v, "address"), "there is no device %s", text);
    return index;
}

static void read_device(struct xlp_json_reader *r, const struct xlp_json *v, struct pci_host *host)
{
    static const char *const known[] = {"address", "node",     "owner", "owner_name",
                                        "group",   "reserved", NULL};
    const char *name = "";
    struct pci_device *d;
    size_t index;

    xlp_json_check_keys(r, v, known);
    index = read_address(r, v, host);
    if (index == PCI_NO_DEVICE)
        return;
    d = &host->devices[index];
    xlp_json_read_u32(r, v, "node", XLP_JSON_OPTIONAL, NODE_MAX, &d->node);
    xlp_json_read_u32(r, v, "owner", XLP_JSON_OPTIONAL, DOMID_MAX, &d->owner_domid);
    xlp_json_read_u32(r, v, "group", XLP_JSON_OPTIONAL, GROUP_MAX, &d->xen_group);
    xlp_json_read_string(r, v, "owner_name", XLP_JSON_OPTIONAL, &name);
    snprintf(d->owner_name, sizeof(d->owner_name), "%s", name);
    files_clean(d->owner_name);
    read_reserved(r, v, host, index);
}

static void read_reserved(struct xlp_json_reader *r, const struct xlp_json *device,
                          struct pci_host *host, size_t index)
{
    static const char *const known[] = {"start", "size", NULL};
    const struct xlp_json *list = xlp_json_read_array(r, device, "reserved", XLP_JSON_OPTIONAL);

    for (size_t i = 0; list && i < xlp_json_count(list) && !r->failed; i++) {
        const struct xlp_json *v = xlp_json_at(list, i);
        uint64_t start = 0, size = 0;

        xlp_json_check_keys(r, v, known);
        xlp_json_read_u64(r, v, "start", XLP_JSON_REQUIRED, &start);
        xlp_json_read_u64(r, v, "size", XLP_JSON_REQUIRED, &size);
        if (pci_add_reserved(host, index, start, size) < 0)
            xlp_json_fail(r, NULL, "out of memory");
    }
}

int pci_add_reserved(struct pci_host *host, size_t device, uint64_t start, uint64_t size)
{
    if (xlp_grow(&host->reserved, &host->reserved_room, host->reserved_count + 1,
                 sizeof(*host->reserved)) < 0)
        return -1;
    host->reserved[host->reserved_count++] = (struct pci_reserved){device, start, size};
    return 0;
}
