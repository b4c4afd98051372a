/* SPDX-License-Identifier: LGPL-2.1-only */
/* The layout of capabilities as tables: fields.c goes through them, fields_*.c hold them. */
#ifndef PCI_FIELDS_H
#define PCI_FIELDS_H

#include "config_space.h"

/* How a value is explained. */
enum field_scale {
    SCALE_NONE,
    SCALE_PLUS_ONE, /* the field is one less than what it counts */
    SCALE_POWER,    /* two to the power of it */
    SCALE_PAYLOAD,  /* 128 bytes << value */
    SCALE_REBAR,    /* 1 MiB << value */
    SCALE_SIZES,    /* a set: bit n stands for 1 MiB << n */
    SCALE_PAGES,    /* a set: bit n stands for 4 KiB << n */
    SCALE_IN_PLACE, /* its low bits are left at 0: an address or offset */
};

struct field_layout {
    uint8_t low, width;
    const char *name;
    enum pci_field_kind kind;
    enum field_scale scale;
    const char *const *meanings; /* one a value, NULL for a reserved one, or no array */
    uint8_t meaning_count;
};

struct register_layout {
    const char *name;
    uint8_t offset; /* in the capability */
    uint8_t bytes;
    const struct field_layout *fields;
    uint8_t field_count;
};

/* One pass over a capability. */
struct field_walk {
    const struct pci_config *config;
    const struct pci_capability *capability;
    pci_field_visitor *visit;
    void *context;
    size_t count;
};

/* Visits the fields of registers, those that cannot be read left out. move: added to offsets. */
void fields_walk(struct field_walk *walk, const struct register_layout *registers, size_t count,
                 size_t move);

/* A register of the capability, 0 if it cannot be read. */
uint64_t fields_get(const struct field_walk *walk, size_t offset, unsigned int bytes);

#define FIELDS_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Entries of a table of fields. */
#define FLAG(bit, name)                                                                            \
    {                                                                                              \
        bit, 1, name, PCI_FIELD_FLAG, SCALE_NONE, NULL, 0                                          \
    }
#define NUMBER(low, width, name)                                                                   \
    {                                                                                              \
        low, width, name, PCI_FIELD_NUMBER, SCALE_NONE, NULL, 0                                    \
    }
#define HEX(low, width, name)                                                                      \
    {                                                                                              \
        low, width, name, PCI_FIELD_HEX, SCALE_NONE, NULL, 0                                       \
    }
#define SCALED(low, width, name, scale)                                                            \
    {                                                                                              \
        low, width, name, PCI_FIELD_NUMBER, scale, NULL, 0                                         \
    }
#define PLACED(low, width, name)                                                                   \
    {                                                                                              \
        low, width, name, PCI_FIELD_HEX, SCALE_IN_PLACE, NULL, 0                                   \
    }
#define SET(low, width, name, scale)                                                               \
    {                                                                                              \
        low, width, name, PCI_FIELD_HEX, scale, NULL, 0                                            \
    }
#define NAMED(low, width, name, meanings)                                                          \
    {                                                                                              \
        low, width, name, PCI_FIELD_NUMBER, SCALE_NONE, meanings, FIELDS_COUNT(meanings)           \
    }
#define REGISTER(name, offset, bytes, fields)                                                      \
    {                                                                                              \
        name, offset, bytes, fields, FIELDS_COUNT(fields)                                          \
    }

typedef void fields_capability(struct field_walk *walk);

fields_capability fields_pm, fields_msi, fields_msix, fields_af;
fields_capability fields_express;
fields_capability fields_serial, fields_acs, fields_ari, fields_sriov, fields_resizable;

#endif
