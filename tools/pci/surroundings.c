/* SPDX-License-Identifier: LGPL-2.1-only */
/* The files of the host that a guest's configuration refers to. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "validate.h"

static void look_for_bridges(const struct files *files, const struct guest_config *config,
                             struct guest_surroundings *out);
static void look_at_bios(const struct files *files, const struct guest_config *config,
                         struct guest_surroundings *out);
static unsigned int read_physbits(const struct files *files);

void guest_surroundings_read(const char *root, const struct guest_config *config,
                             struct guest_surroundings *out)
{
    struct files files = {root ? root : ""};

    memset(out, 0, sizeof(*out));
    look_for_bridges(&files, config, out);
    look_at_bios(&files, config, out);
    out->physbits = read_physbits(&files);
}

/* Of files that are not a host's, nothing can be said. */
static void look_for_bridges(const struct files *files, const struct guest_config *config,
                             struct guest_surroundings *out)
{
    char path[FILES_PATH_SIZE];

    if (!files_exist(files, "/sys/class/net"))
        return;
    for (size_t i = 0; i < config->vif_count; i++) {
        const char *bridge = config->vifs[i].bridge[0] ? config->vifs[i].bridge : "xenbr0";

        if (strchr(bridge, '/'))
            continue;
        snprintf(path, sizeof(path), "/sys/class/net/%s/bridge", bridge);
        out->bridges[i] = files_exist(files, path) ? PCI_YES : PCI_NO;
    }
}

static enum guest_image image_kind(const struct files *files, const char *path)
{
    FILE *file = files_open(files, path);
    char start[4] = "";
    size_t got;

    if (!file)
        return GUEST_IMAGE_MISSING;
    got = fread(start, 1, sizeof(start), file);
    fclose(file);
    return got == 4 && memcmp(start, "\177ELF", 4) == 0 ? GUEST_IMAGE_OVMF_XEN : GUEST_IMAGE_OTHER;
}

/* Where xl looks is compiled into it; these are Debian's path and Xen's own. */
static void look_at_bios(const struct files *files, const struct guest_config *config,
                         struct guest_surroundings *out)
{
    static const char *const usual[] = {"/usr/share/ovmf/OVMF.fd", "/usr/lib/xen/boot/ovmf.bin",
                                        "/usr/local/lib/xen/boot/ovmf.bin"};

    if (strcmp(config->bios.value, "ovmf") != 0)
        return;
    if (config->bios_path.line) {
        snprintf(out->bios_path, sizeof(out->bios_path), "%s", config->bios_path.value);
        out->bios = image_kind(files, out->bios_path);
        return;
    }
    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
        enum guest_image kind = image_kind(files, usual[i]);

        if (kind == GUEST_IMAGE_MISSING)
            continue;
        snprintf(out->bios_path, sizeof(out->bios_path), "%s", usual[i]);
        out->bios = kind;
        return;
    }
}

/* "address sizes	: 39 bits physical, 48 bits virtual" */
static unsigned int read_physbits(const struct files *files)
{
    FILE *file = files_open(files, "/proc/cpuinfo");
    char line[4096];
    unsigned int bits = 0;

    while (file && !bits && fgets(line, sizeof(line), file))
        if (strncmp(line, "address sizes", 13) == 0 && strchr(line, ':'))
            bits = (unsigned int)strtoul(strchr(line, ':') + 1, NULL, 10);
    if (file)
        fclose(file);
    return bits >= 32 && bits <= 52 ? bits : 0;
}
