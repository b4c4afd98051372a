/* SPDX-License-Identifier: LGPL-2.1-only */
#include "early.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char early_grub[] =
    "# By xlpolicy pci-prepare. Xen says on its log (xl dmesg) which IOMMU it found.\n"
    "GRUB_CMDLINE_XEN_DEFAULT=\"$GRUB_CMDLINE_XEN_DEFAULT iommu=verbose\"\n";

/* A text on its way; what does not fit makes it fail. */
struct writing {
    char *text;
    size_t size, used;
    bool failed;
};

static void add(struct writing *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add_hide(struct writing *w, const struct pci_host *host, const size_t *devices,
                     size_t count, const char *already);
static bool keep_line(struct early_kept *kept, const char *line, size_t length);
static void add_drivers(struct writing *w, const struct pci_host *host, const size_t *devices,
                        size_t count);

static const char title[] =
    "# By xlpolicy pci-prepare: pciback takes these before dom0's drivers see them.";
static const char options[] = "options " EARLY_MODULE;

int early_modprobe(const struct pci_host *host, const size_t *devices, size_t count,
                   const struct early_kept *kept, char *text, size_t size)
{
    struct writing w = {.text = text, .size = size};

    add(&w, "%s\n", title);
    add_hide(&w, host, devices, count, kept ? kept->hide : "");
    add(&w, "%s", kept ? kept->lines : "");
    add_drivers(&w, host, devices, count);
    return w.failed ? -1 : 0;
}

bool early_find_hide(const char *text, const char *module, char *hide, size_t size)
{
    size_t length = strlen(module);
    const char *at = text, *found = NULL;

    for (; (at = strstr(at, module)); at += length) {
        const char *end = at + strcspn(at, "\n");
        const char *value = strstr(at, "hide=");
        bool commented = false;

        for (const char *c = at; c > text && c[-1] != '\n'; c--)
            commented = commented || c[-1] == '#';
        if (value && value < end && !commented)
            found = value + strlen("hide=");
    }
    hide[0] = '\0';
    if (!found)
        return true;
    length = strcspn(found, " \t\n\"");
    snprintf(hide, size, "%.*s", (int)length, found);
    return length < size;
}

bool early_keep_hide(struct early_kept *kept, const char *hide)
{
    while (*hide) {
        char entry[PCI_ADDRESS_SIZE + 2];
        size_t length = strcspn(hide, ")") + 1, used = strlen(kept->hide);

        if (length >= sizeof(entry) || used + length >= sizeof(kept->hide))
            return false;
        snprintf(entry, sizeof(entry), "%.*s", (int)length, hide);
        if (!strstr(kept->hide, entry))
            strcpy(kept->hide + used, entry);
        hide += length;
    }
    return true;
}

bool early_keep_lines(struct early_kept *kept, const char *text)
{
    while (*text) {
        size_t length = strcspn(text, "\n");

        if (!keep_line(kept, text, length))
            return false;
        text += length + (text[length] == '\n');
    }
    return true;
}

/* The value of hide= is kept apart. */
static bool keep_line(struct early_kept *kept, const char *line, size_t length)
{
    char text[EARLY_TEXT_MAX / 2], *hide;
    size_t used = strlen(kept->lines);

    if (length >= sizeof(text))
        return false;
    snprintf(text, sizeof(text), "%.*s", (int)length, line);
    hide = strncmp(text, options, strlen(options)) == 0 ? strstr(text, " hide=") : NULL;
    if (hide) {
        const char *behind = hide + 1 + strcspn(hide + 1, " \t");

        memmove(hide, behind, strlen(behind) + 1);
    }
    if (!text[0] || strcmp(text, title) == 0 || strcmp(text, options) == 0 ||
        early_has_line(kept->lines, text))
        return true;
    if (used + strlen(text) + sizeof("\n") > sizeof(kept->lines))
        return false;
    snprintf(kept->lines + used, sizeof(kept->lines) - used, "%s\n", text);
    return true;
}

bool early_has_line(const char *text, const char *word)
{
    size_t length = strlen(word);

    while (*text) {
        size_t line = strcspn(text, "\n");

        if (line == length && memcmp(text, word, length) == 0)
            return true;
        text += line + (text[line] == '\n');
    }
    return false;
}

static void add_hide(struct writing *w, const struct pci_host *host, const size_t *devices,
                     size_t count, const char *already)
{
    char address[PCI_ADDRESS_SIZE], entry[PCI_ADDRESS_SIZE + 2];

    add(w, "options " EARLY_MODULE " hide=%s", already);
    for (size_t i = 0; i < count; i++) {
        snprintf(entry, sizeof(entry), "(%s)",
                 pci_address_format(&host->devices[devices[i]].address, address));
        if (!strstr(already, entry))
            add(w, "%s", entry);
    }
    add(w, "\n");
}

/* Drivers that may want a device before it is known which one is installed, by what it is. */
static const struct {
    uint32_t class_code, class_mask;
    uint16_t vendor_id; /* 0: any */
    const char *drivers[3];
} usual[] = {
    {0x030000, 0xff0000, 0x10de, {"nouveau", "nvidia", "nvidia_drm"}},
    {0x030000, 0xff0000, 0x1002, {"amdgpu", "radeon", NULL}},
    {0x030000, 0xff0000, 0x8086, {"i915", NULL, NULL}},
    {0x040300, 0xffff00, 0, {"snd_hda_intel", NULL, NULL}},
    {0x0c0330, 0xffffff, 0, {"xhci_pci", NULL, NULL}},
    {0x010802, 0xffffff, 0, {"nvme", NULL, NULL}},
};

static bool is_usual(size_t i, const struct pci_device *d)
{
    return (d->class_code & usual[i].class_mask) == usual[i].class_code &&
           (!usual[i].vendor_id || usual[i].vendor_id == d->vendor_id);
}

static void add_driver(struct writing *w, const char *driver)
{
    char line[PCI_NAME_SIZE + 32];

    if (!driver[0] || strcmp(driver, "pciback") == 0)
        return;
    snprintf(line, sizeof(line), "softdep %s pre: " EARLY_MODULE "\n", driver);
    if (!w->failed && !strstr(w->text, line))
        add(w, "%s", line);
}

static void add_drivers(struct writing *w, const struct pci_host *host, const size_t *devices,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct pci_device *d = &host->devices[devices[i]];

        add_driver(w, d->driver);
        for (size_t j = 0; j < sizeof(usual) / sizeof(usual[0]); j++)
            for (size_t k = 0; is_usual(j, d) && k < 3 && usual[j].drivers[k]; k++)
                add_driver(w, usual[j].drivers[k]);
    }
}

static void add(struct writing *w, const char *format, ...)
{
    va_list arguments;
    int length;

    if (w->failed)
        return;
    va_start(arguments, format);
    length = vsnprintf(w->text + w->used, w->size - w->used, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= w->size - w->used)
        w->failed = true;
    else
        w->used += (size_t)length;
}
