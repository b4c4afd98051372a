/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Config space: its bytes, and the capabilities found in them. Pure, and bounded whatever the bytes
 * are: a guest that has the device may have written some of them, and a broken device returns
 * anything.
 */
#ifndef PCI_CONFIG_SPACE_H
#define PCI_CONFIG_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PCI_CONFIG_SIZE        4096 /* of PCI Express */
#define PCI_CONFIG_LEGACY_SIZE 256
#define PCI_CONFIG_HEADER_SIZE 64

struct pci_config {
    uint16_t size; /* how much could be read: 64 without root's rights */
    uint8_t untrusted_bytes[PCI_CONFIG_SIZE];
};

/* A little-endian number of 1, 2, 4 or 8 bytes. False, and *value_out 0, if it is not wholly within
 * what could be read. */
bool pci_config_read(const struct pci_config *config, size_t offset, unsigned int bytes,
                     uint64_t *value_out);

/* Capability IDs that we decode. */
enum pci_capability_id {
    PCI_CAPABILITY_POWER_MANAGEMENT = 0x01,
    PCI_CAPABILITY_MSI = 0x05,
    PCI_CAPABILITY_EXPRESS = 0x10,
    PCI_CAPABILITY_MSIX = 0x11,
    PCI_CAPABILITY_ADVANCED_FEATURES = 0x13,
};

enum pci_extended_id {
    PCI_EXTENDED_SERIAL_NUMBER = 0x03,
    PCI_EXTENDED_ACS = 0x0d,
    PCI_EXTENDED_ARI = 0x0e,
    PCI_EXTENDED_SRIOV = 0x10,
    PCI_EXTENDED_RESIZABLE_BAR = 0x15,
};

struct pci_capability {
    bool extended;   /* of PCI Express, at 0x100 or above */
    uint16_t id;     /* enum pci_capability_id or pci_extended_id, or one that we do not decode */
    uint8_t version; /* of an extended one, else 0 */
    uint16_t offset; /* multiple of 4 */
};

/* As many as there is room for: each takes 4 bytes at least. */
#define PCI_CAPABILITIES_MAX                                                                       \
    ((PCI_CONFIG_LEGACY_SIZE - PCI_CONFIG_HEADER_SIZE) / 4 +                                       \
     (PCI_CONFIG_SIZE - PCI_CONFIG_LEGACY_SIZE) / 4)

/* What is wrong with a list: it is followed up to there. */
enum pci_list_flaw {
    PCI_LIST_GOOD,
    PCI_LIST_UNREADABLE, /* it leads to bytes that could not be read */
    PCI_LIST_LOOPS,
    PCI_LIST_POINTS_INTO_HEADER, /* to an offset where no capability can be */
    PCI_LIST_DEAD,               /* a capability reads as all ones: the device does not answer */
};

struct pci_capabilities {
    size_t count;
    struct pci_capability list[PCI_CAPABILITIES_MAX]; /* in the order of the lists */
    enum pci_list_flaw legacy_flaw, extended_flaw;
    uint16_t legacy_flaw_at, extended_flaw_at; /* the offset that is wrong */
};

void pci_capabilities_find(const struct pci_config *config, struct pci_capabilities *found_out);

/* The first of that kind, or NULL. */
const struct pci_capability *pci_capability_get(const struct pci_capabilities *capabilities,
                                                bool extended, uint16_t id);

/* The specification's name of a capability, or NULL. */
const char *pci_capability_name(bool extended, uint16_t id);
const char *pci_list_flaw_text(enum pci_list_flaw flaw);

/* ---- what the capabilities say, as far as decisions need it ---- */

enum pci_port_type { /* Device/Port Type of the PCI Express Capabilities Register */
                     PCI_PORT_ENDPOINT = 0x0,
                     PCI_PORT_LEGACY_ENDPOINT = 0x1,
                     PCI_PORT_ROOT_PORT = 0x4,
                     PCI_PORT_SWITCH_UPSTREAM = 0x5,
                     PCI_PORT_SWITCH_DOWNSTREAM = 0x6,
                     PCI_PORT_EXPRESS_TO_PCI = 0x7,
                     PCI_PORT_PCI_TO_EXPRESS = 0x8,
                     PCI_PORT_INTEGRATED_ENDPOINT = 0x9,
                     PCI_PORT_EVENT_COLLECTOR = 0xa,
};

#define PCI_RESIZABLE_MAX 6

struct pci_resizable {
    uint8_t bar;
    uint8_t current; /* the BAR is 2^(current + 20) bytes */
    uint64_t sizes;  /* bit n: it can be 2^(n + 20) bytes */
};

struct pci_summary {
    struct {
        bool present, no_soft_reset; /* a way through D3hot resets nothing */
        uint8_t state;               /* 0 ... 3: D0 ... D3hot */
    } pm;
    struct {
        bool present, enabled, is_64bit, maskable;
        uint8_t capable, granted; /* vectors */
        uint64_t address;
        uint16_t data;
    } msi;
    struct {
        bool present, enabled, masked;
        uint16_t vectors;
        uint8_t table_bar, pba_bar; /* 6 and 7 are reserved */
        uint32_t table_offset, pba_offset;
    } msix;
    struct {
        bool present, flr, slot;
        uint8_t version, port_type;
    } express;
    struct {
        bool present, flr, transactions_pending;
    } af;
    struct {
        bool present;
        uint16_t capabilities, control;
    } acs;
    struct {
        bool present;
        uint8_t next_function;
    } ari;
    struct {
        bool present, enabled;
        uint16_t total, count, first_offset, stride, device_id;
    } sriov;
    struct {
        size_t count;
        struct pci_resizable bars[PCI_RESIZABLE_MAX];
    } resizable;
    struct {
        bool present;
        uint64_t number;
    } serial;
};

void pci_summarize(const struct pci_config *config, const struct pci_capabilities *capabilities,
                   struct pci_summary *summary_out);

/* Whether Access Control Services keep what is behind or within this function from reaching its
 * neighbours without passing the IOMMU. False, too, when there is no ACS. */
bool pci_summary_isolates(const struct pci_summary *summary);

/* ---- every field, by the specification's names ---- */

#define PCI_MEANING_SIZE 64

enum pci_field_kind { PCI_FIELD_NUMBER, PCI_FIELD_FLAG, PCI_FIELD_HEX };

struct pci_field {
    const char *register_name;      /* "Device Capabilities Register" */
    const char *name;               /* "Function Level Reset Capability" */
    uint16_t offset;                /* of the register, in config space */
    uint8_t low, width;             /* the field's bits in it */
    enum pci_field_kind kind;       /* how people write its value */
    uint64_t value;                 /* an address or offset with its low bits in place, as 0 */
    char meaning[PCI_MEANING_SIZE]; /* what that value stands for, or "" */
};

typedef void pci_field_visitor(void *context, const struct pci_field *field);

/* Calls visit for each field of a capability, register by register; what could not be read and
 * what its version or its size does not have is left out. Returns how many there were: 0 for a
 * capability that we do not decode. */
size_t pci_fields_visit(const struct pci_config *config, const struct pci_capability *capability,
                        pci_field_visitor *visit, void *context);

#endif
