/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What an xl configuration file says of a guest, as far as PCI passthrough is concerned: read with
 * xl's own parser and understood as xl understands it, each with its line. Bounded: a file of at
 * most GUEST_CONFIG_FILE_MAX bytes, and so many entries of a list.
 */
#ifndef PCI_GUEST_CONFIG_H
#define PCI_GUEST_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"

#define GUEST_CONFIG_FILE_MAX (256 * 1024)
#define GUEST_TEXT_SIZE       256
#define GUEST_PCI_MAX         64
#define GUEST_OPTIONS_MAX     8
#define GUEST_VIFS_MAX        32

/* Why xl makes nothing of a setting. */
enum guest_misread {
    GUEST_READ,
    GUEST_NOT_A_NUMBER,
    GUEST_NOT_A_LIST, /* one value where a list belongs: xl takes no notice of it */
    GUEST_NOT_A_VALUE,
};

struct guest_number {
    unsigned int line; /* 0: not set */
    enum guest_misread misread;
    int64_t value;
};

struct guest_text {
    unsigned int line;           /* 0: not set */
    char value[GUEST_TEXT_SIZE]; /* cut to fit */
};

struct guest_option {
    char key[32], value[64]; /* cut to fit */
};

enum guest_pci_form {
    GUEST_PCI_ONE,           /* an address */
    GUEST_PCI_ALL_FUNCTIONS, /* DDDD:BB:DD.* */
    GUEST_PCI_BY_NAME,       /* name=... */
    GUEST_PCI_REFUSED,       /* xl refuses the entry */
};

struct guest_pci {
    unsigned int line;
    char text[GUEST_TEXT_SIZE]; /* as it is written */
    enum guest_pci_form form;
    struct pci_address address; /* of the first two forms; function 0 of the second */
    struct guest_option options[GUEST_OPTIONS_MAX]; /* key=value, in the order written */
    size_t option_count;
};

struct guest_vif {
    unsigned int line;
    char bridge[GUEST_TEXT_SIZE]; /* "": xl's default */
};

enum guest_type { GUEST_PV, GUEST_PVH, GUEST_HVM };

struct guest_config {
    struct guest_text name, type, builder, cpus, cpus_soft, rdm, gfx_passthru, passthrough;
    struct guest_text bios, bios_path, kernel, device_model, device_model_version;
    struct guest_number memory_mib, maxmem_mib, vcpus, mmio_hole_mib, videoram_mib;
    struct guest_number pci_permissive, pci_seize, pci_msitranslate, pci_power_mgmt;
    enum guest_type kind;  /* what type and builder come to */
    unsigned int pci_line; /* of the last pci = ..., 0: there is none */
    enum guest_misread pci_misread;
    struct guest_pci pci[GUEST_PCI_MAX];
    size_t pci_count; /* as many as there is room for */
    bool pci_too_many;
    struct guest_vif vifs[GUEST_VIFS_MAX];
    size_t vif_count;
};

enum guest_config_result {
    GUEST_CONFIG_OK = 0,
    GUEST_CONFIG_WRONG = -1, /* xl would not read it: error is its complaint, *line_out where */
    GUEST_CONFIG_UNREADABLE = -2, /* there is no such file, or it is too long, or memory is out */
};

/* Reads a file. Returns enum guest_config_result; *config_out is set only
 * when that is GUEST_CONFIG_OK. */
int guest_config_read(const char *path, struct guest_config *config_out, unsigned int *line_out,
                      char *error, size_t error_size);

/* The same from a text; path is for messages. */
int guest_config_parse(const char *text, size_t length, const char *path,
                       struct guest_config *config_out, unsigned int *line_out, char *error,
                       size_t error_size);

/* Reads one entry of pci = [ ... ]: whether xl takes it, and which device it then means, is asked
 * of xl's own parser. Its line is 0. */
void guest_pci_parse(const char *text, struct guest_pci *entry);

/* The value of an option of an entry, or NULL. Where it is given twice, the last counts. */
const char *guest_pci_option(const struct guest_pci *entry, const char *key);

/* What atoi makes of an option's value, as xl does. */
bool guest_option_is_number(const char *value);

#endif
