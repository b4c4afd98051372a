/* SPDX-License-Identifier: LGPL-2.1-only */
/* The only part of the tools that asks libxlutil about a guest. */
#include "guest_config.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxlutil.h>

#include "../../daemon/config_scan.h"
#include "../../daemon/config_text.h"

#define NAMES_MAX 512

/* One text on its way into a guest_config. */
struct reading {
    const char *text;
    size_t length;
    XLU_Config *parsed;
    struct config_name *names;
    size_t name_count;
    struct guest_config *result;
};

/* What takes one string of a list. */
typedef void take_item(struct guest_config *result, const char *item, unsigned int line);

static void take_settings(struct reading *r);
static void take_kind(struct guest_config *result);
static void take_number(struct reading *r, const char *name, struct guest_number *number_out);
static void take_text(struct reading *r, const char *name, struct guest_text *text_out);
static enum guest_misread take_list(struct reading *r, const char *name, take_item *take);
static void take_pci(struct guest_config *result, const char *item, unsigned int line);
static void take_vif(struct guest_config *result, const char *item, unsigned int line);
static void take_options(struct guest_pci *entry, const char *options);
static size_t list_lines(const struct reading *r, const char *name, unsigned int *lines,
                         size_t room);
static unsigned int line_of(const struct reading *r, const char *name);
static unsigned int complaint_line(const char *path, const char *error);
static void copy_printable(char *to, size_t size, const char *from, size_t length);

int guest_config_read(const char *path, struct guest_config *config_out, unsigned int *line_out,
                      char *error, size_t error_size)
{
    size_t length;
    char *text = config_text_read(path, GUEST_CONFIG_FILE_MAX, &length, error, error_size);
    int result;

    if (!text)
        return GUEST_CONFIG_UNREADABLE;
    result = guest_config_parse(text, length, path, config_out, line_out, error, error_size);
    free(text);
    return result;
}

int guest_config_parse(const char *text, size_t length, const char *path,
                       struct guest_config *config_out, unsigned int *line_out, char *error,
                       size_t error_size)
{
    struct reading r = {.text = text, .length = length, .result = config_out};
    int result = GUEST_CONFIG_UNREADABLE;

    r.parsed = config_text_parse(text, length, path, error, error_size);
    if (!r.parsed) {
        *line_out = complaint_line(path, error);
        return *line_out ? GUEST_CONFIG_WRONG : GUEST_CONFIG_UNREADABLE;
    }
    r.names = calloc(NAMES_MAX, sizeof(*r.names));
    if (!r.names) {
        snprintf(error, error_size, "%s: out of memory", path);
        goto out;
    }
    r.name_count = config_scan(text, length, r.names, NAMES_MAX);
    if (r.name_count > NAMES_MAX) {
        snprintf(error, error_size, "%s: more than %d settings", path, NAMES_MAX);
        goto out;
    }
    memset(config_out, 0, sizeof(*config_out));
    take_settings(&r);
    result = GUEST_CONFIG_OK;
out:
    free(r.names);
    xlu_cfg_destroy(r.parsed);
    return result;
}

const char *guest_pci_option(const struct guest_pci *entry, const char *key)
{
    for (size_t i = entry->option_count; i > 0; i--)
        if (strcmp(entry->options[i - 1].key, key) == 0)
            return entry->options[i - 1].value;
    return NULL;
}

bool guest_option_is_number(const char *value)
{
    while (isspace((unsigned char)*value))
        value++;
    value += *value == '-' || *value == '+';
    return isdigit((unsigned char)*value);
}

/* ---- settings ---- */

static void take_settings(struct reading *r)
{
    struct guest_config *c = r->result;

    take_text(r, "name", &c->name);
    take_text(r, "type", &c->type);
    take_text(r, "builder", &c->builder);
    take_kind(c);
    take_number(r, "memory", &c->memory_mib);
    take_number(r, "maxmem", &c->maxmem_mib);
    take_number(r, "vcpus", &c->vcpus);
    take_text(r, "cpus", &c->cpus);
    take_text(r, "cpus_soft", &c->cpus_soft);
    take_number(r, "mmio_hole", &c->mmio_hole_mib);
    take_number(r, "videoram", &c->videoram_mib);
    take_text(r, "rdm", &c->rdm);
    take_text(r, "gfx_passthru", &c->gfx_passthru);
    take_text(r, "passthrough", &c->passthrough);
    take_number(r, "pci_permissive", &c->pci_permissive);
    take_number(r, "pci_seize", &c->pci_seize);
    take_number(r, "pci_msitranslate", &c->pci_msitranslate);
    take_number(r, "pci_power_mgmt", &c->pci_power_mgmt);
    take_text(r, "bios", &c->bios);
    take_text(r, "bios_path_override", &c->bios_path);
    take_text(r, "kernel", &c->kernel);
    take_text(r, "device_model", &c->device_model);
    take_text(r, "device_model_version", &c->device_model_version);
    c->pci_line = line_of(r, "pci");
    c->pci_misread = take_list(r, "pci", take_pci);
    take_list(r, "vif", take_vif);
}

/* xl asks builder only when there is no type, and takes PV when there is neither. */
static void take_kind(struct guest_config *result)
{
    const char *type = result->type.value;

    if (!result->type.line)
        type = result->builder.value;
    result->kind = GUEST_PV;
    if (strcmp(type, "hvm") == 0)
        result->kind = GUEST_HVM;
    if (strcmp(type, "pvh") == 0 && result->type.line)
        result->kind = GUEST_PVH;
}

static void take_number(struct reading *r, const char *name, struct guest_number *number_out)
{
    long value;
    const char *text;

    number_out->line = line_of(r, name);
    if (!number_out->line)
        return;
    if (xlu_cfg_get_long(r->parsed, name, &value, 1) == 0)
        number_out->value = value;
    else if (xlu_cfg_get_string(r->parsed, name, &text, 1) == 0)
        number_out->misread = GUEST_NOT_A_NUMBER;
    else
        number_out->misread = GUEST_NOT_A_VALUE;
}

static void take_text(struct reading *r, const char *name, struct guest_text *text_out)
{
    const char *text;

    if (xlu_cfg_get_string(r->parsed, name, &text, 1) != 0)
        return;
    text_out->line = line_of(r, name);
    copy_printable(text_out->value, sizeof(text_out->value), text, strlen(text));
}

static enum guest_misread take_list(struct reading *r, const char *name, take_item *take)
{
    unsigned int lines[GUEST_PCI_MAX + 1];
    XLU_ConfigList *list;
    int count;
    size_t strings = 0, room;

    if (!line_of(r, name))
        return GUEST_READ;
    if (xlu_cfg_get_list(r->parsed, name, &list, &count, 1) != 0)
        return GUEST_NOT_A_LIST;
    room = list_lines(r, name, lines, GUEST_PCI_MAX + 1);
    for (int i = 0; i < count; i++) {
        const char *item = xlu_cfg_get_listitem(list, i);

        if (!item)
            continue; /* a list within the list */
        take(r->result, item, strings < room ? lines[strings] : line_of(r, name));
        strings++;
    }
    return GUEST_READ;
}

/* ---- the entries of pci = [ ... ] ---- */

static void take_pci(struct guest_config *result, const char *item, unsigned int line)
{
    if (result->pci_count == GUEST_PCI_MAX) {
        result->pci_too_many = true;
        return;
    }
    guest_pci_parse(item, &result->pci[result->pci_count]);
    result->pci[result->pci_count++].line = line;
}

/* Whether libxlutil (4.17) would read on at an undefined place: no dot follows what must be the
 * device's number. It counts colons before it decides on a form. */
static bool misleads(const char *bdf)
{
    size_t length = strspn(bdf, "0123456789abcdefABCDEF:"), colons = 0;
    unsigned int a, b, c;
    int end = 0;

    for (size_t i = 0; i < length; i++)
        colons += bdf[i] == ':';
    if (colons == 1)
        return sscanf(bdf, "%x:%x.%n", &a, &b, &end) == 2 && end == 0;
    return colons == 2 && sscanf(bdf, "%x:%x:%x.%n", &a, &b, &c, &end) == 3 && end == 0;
}

static bool may_be_asked_about(const char *text)
{
    bool may = !misleads(text);

    for (const char *at = text; may && (at = strstr(at, "bdf=")); at++)
        may = !misleads(at + strlen("bdf="));
    return may;
}

void guest_pci_parse(const char *text, struct guest_pci *entry)
{
    libxl_device_pci pci;
    int rc = -1;

    memset(entry, 0, sizeof(*entry));
    copy_printable(entry->text, sizeof(entry->text), text, strlen(text));
    libxl_device_pci_init(&pci);
#ifdef LIBXL_HAVE_DEVICE_PCI_NAME
    if (may_be_asked_about(text))
        rc = xlu_pci_parse_spec_string(NULL, &pci, text);
    entry->form = pci.name ? GUEST_PCI_BY_NAME : GUEST_PCI_ONE;
#else
    if (may_be_asked_about(text))
        rc = xlu_pci_parse_bdf(NULL, &pci, text);
    entry->form = GUEST_PCI_ONE;
#endif
    if (rc)
        entry->form = GUEST_PCI_REFUSED;
    else if (pci.vfunc_mask == LIBXL_PCI_FUNC_ALL)
        entry->form = GUEST_PCI_ALL_FUNCTIONS;
    entry->address = (struct pci_address){(uint32_t)pci.domain, pci.bus, pci.dev, pci.func};
    libxl_device_pci_dispose(&pci);
    take_options(entry, text);
}

/* Everything that has the form key=value, between commas. */
static void take_options(struct guest_pci *entry, const char *options)
{
    while (*options && entry->option_count < GUEST_OPTIONS_MAX) {
        size_t length = strcspn(options, ",");
        size_t key = strcspn(options, ",=");

        if (key < length) {
            struct guest_option *o = &entry->options[entry->option_count++];

            copy_printable(o->key, sizeof(o->key), options, key);
            copy_printable(o->value, sizeof(o->value), options + key + 1, length - key - 1);
        }
        options += length + (options[length] == ',');
    }
}

/* ---- the entries of vif = [ ... ] ---- */

static void take_vif(struct guest_config *result, const char *item, unsigned int line)
{
    struct guest_vif *vif = &result->vifs[result->vif_count];

    if (result->vif_count == GUEST_VIFS_MAX)
        return;
    result->vif_count++;
    vif->line = line;
    while (*item) {
        size_t length = strcspn(item, ",");

        item += strspn(item, " \t");
        if (strncmp(item, "bridge=", 7) == 0)
            copy_printable(vif->bridge, sizeof(vif->bridge), item + 7, strcspn(item + 7, ", \t"));
        length = strcspn(item, ",");
        item += length + (item[length] == ',');
    }
}

/* ---- lines ---- */

/* A later assignment replaces the ones before, += adds to them. */
static size_t list_lines(const struct reading *r, const char *name, unsigned int *lines,
                         size_t room)
{
    size_t count = 0;

    for (size_t i = 0; i < r->name_count; i++) {
        if (strcmp(r->names[i].name, name) != 0)
            continue;
        if (!r->names[i].adds)
            count = 0;
        count += config_scan_list(r->text, r->length, &r->names[i], lines + count, room - count);
        if (count > room)
            count = room;
    }
    return count;
}

/* Of the assignment that counts, the last. 0: there is none. */
static unsigned int line_of(const struct reading *r, const char *name)
{
    for (size_t i = r->name_count; i > 0; i--)
        if (strcmp(r->names[i - 1].name, name) == 0)
            return r->names[i - 1].line;
    return 0;
}

/* The number in "PATH:LINE: ...", or 0. */
static unsigned int complaint_line(const char *path, const char *error)
{
    size_t length = strlen(path);

    if (strncmp(error, path, length) != 0 || error[length] != ':')
        return 0;
    return (unsigned int)strtoul(error + length + 1, NULL, 10);
}

static void copy_printable(char *to, size_t size, const char *from, size_t length)
{
    size_t used = 0;

    for (; used < length && used + 1 < size; used++)
        to[used] = isprint((unsigned char)from[used]) ? from[used] : '?';
    to[used] = '\0';
}
