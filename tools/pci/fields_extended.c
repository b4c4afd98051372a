/* SPDX-License-Identifier: LGPL-2.1-only */
/* Extended capabilities, by the PCI Express Base Specification 5.0, 7.7 to 7.9 and 9.3. */
#include "fields.h"

/* ---- serial number ---- */

static const struct field_layout serial_lower[] = {
    HEX(0, 32, "PCI Express Device Serial Number (1st DW)"),
};

static const struct field_layout serial_upper[] = {
    HEX(0, 32, "PCI Express Device Serial Number (2nd DW)"),
};

static const struct register_layout serial_registers[] = {
    REGISTER("Serial Number Register (Lower DW)", 4, 4, serial_lower),
    REGISTER("Serial Number Register (Upper DW)", 8, 4, serial_upper),
};

void fields_serial(struct field_walk *walk)
{
    fields_walk(walk, serial_registers, FIELDS_COUNT(serial_registers), 0);
}

/* ---- Access Control Services ---- */

static const struct field_layout acs_capability[] = {
    FLAG(0, "ACS Source Validation (V)"),     FLAG(1, "ACS Translation Blocking (B)"),
    FLAG(2, "ACS P2P Request Redirect (R)"),  FLAG(3, "ACS P2P Completion Redirect (C)"),
    FLAG(4, "ACS Upstream Forwarding (U)"),   FLAG(5, "ACS P2P Egress Control (E)"),
    FLAG(6, "ACS Direct Translated P2P (T)"), NUMBER(8, 8, "Egress Control Vector Size"),
};

static const struct field_layout acs_control[] = {
    FLAG(0, "ACS Source Validation Enable (V)"),
    FLAG(1, "ACS Translation Blocking Enable (B)"),
    FLAG(2, "ACS P2P Request Redirect Enable (R)"),
    FLAG(3, "ACS P2P Completion Redirect Enable (C)"),
    FLAG(4, "ACS Upstream Forwarding Enable (U)"),
    FLAG(5, "ACS P2P Egress Control Enable (E)"),
    FLAG(6, "ACS Direct Translated P2P Enable (T)"),
};

static const struct field_layout acs_vector[] = {
    HEX(0, 32, "Egress Control Vector"),
};

static const struct register_layout acs_registers[] = {
    REGISTER("ACS Capability Register", 4, 2, acs_capability),
    REGISTER("ACS Control Register", 6, 2, acs_control),
};

static const struct register_layout acs_vectors[] = {
    REGISTER("Egress Control Vector Register", 8, 4, acs_vector),
};

/* A size of 0 stands for 256 bits. */
void fields_acs(struct field_walk *walk)
{
    uint64_t capability = fields_get(walk, 4, 2);
    size_t bits = capability >> 8 ? capability >> 8 : 256;

    fields_walk(walk, acs_registers, FIELDS_COUNT(acs_registers), 0);
    for (size_t at = 0; capability >> 5 & 1 && at * 32 < bits; at++)
        fields_walk(walk, acs_vectors, FIELDS_COUNT(acs_vectors), at * 4);
}

/* ---- Alternative Routing-ID Interpretation ---- */

static const struct field_layout ari_capability[] = {
    FLAG(0, "MFVC Function Groups Capability (M)"),
    FLAG(1, "ACS Function Groups Capability (A)"),
    NUMBER(8, 8, "Next Function Number"),
};

static const struct field_layout ari_control[] = {
    FLAG(0, "MFVC Function Groups Enable (M)"),
    FLAG(1, "ACS Function Groups Enable (A)"),
    NUMBER(4, 3, "Function Group"),
};

static const struct register_layout ari_registers[] = {
    REGISTER("ARI Capability Register", 4, 2, ari_capability),
    REGISTER("ARI Control Register", 6, 2, ari_control),
};

void fields_ari(struct field_walk *walk)
{
    fields_walk(walk, ari_registers, FIELDS_COUNT(ari_registers), 0);
}

/* ---- Single Root I/O Virtualization ---- */

static const struct field_layout sriov_capabilities[] = {
    FLAG(0, "VF Migration Capable"),
    FLAG(1, "ARI Capable Hierarchy Preserved"),
    FLAG(2, "VF 10-Bit Tag Requester Supported"),
    NUMBER(21, 11, "VF Migration Interrupt Message Number"),
};

static const struct field_layout sriov_control[] = {
    FLAG(0, "VF Enable"),
    FLAG(1, "VF Migration Enable"),
    FLAG(2, "VF Migration Interrupt Enable"),
    FLAG(3, "VF MSE"),
    FLAG(4, "ARI Capable Hierarchy"),
    FLAG(5, "VF 10-Bit Tag Requester Enable"),
};

static const struct field_layout sriov_status[] = {
    FLAG(0, "VF Migration Status"),
};

static const struct field_layout sriov_initial[] = {NUMBER(0, 16, "InitialVFs")};
static const struct field_layout sriov_total[] = {NUMBER(0, 16, "TotalVFs")};
static const struct field_layout sriov_count[] = {NUMBER(0, 16, "NumVFs")};
static const struct field_layout sriov_link[] = {NUMBER(0, 8, "Function Dependency Link")};
static const struct field_layout sriov_offset[] = {NUMBER(0, 16, "First VF Offset")};
static const struct field_layout sriov_stride[] = {NUMBER(0, 16, "VF Stride")};
static const struct field_layout sriov_device[] = {HEX(0, 16, "VF Device ID")};
static const struct field_layout sriov_pages[] = {SET(0, 32, "Supported Page Sizes", SCALE_PAGES)};
static const struct field_layout sriov_page[] = {SET(0, 32, "System Page Size", SCALE_PAGES)};
static const struct field_layout sriov_bar[] = {HEX(0, 32, "VF Base Address")};

static const struct field_layout sriov_migration[] = {
    NUMBER(0, 3, "VF Migration State BIR"),
    PLACED(3, 29, "VF Migration State Offset"),
};

static const struct register_layout sriov_registers[] = {
    REGISTER("SR-IOV Capabilities", 0x04, 4, sriov_capabilities),
    REGISTER("SR-IOV Control", 0x08, 2, sriov_control),
    REGISTER("SR-IOV Status", 0x0a, 2, sriov_status),
    REGISTER("InitialVFs", 0x0c, 2, sriov_initial),
    REGISTER("TotalVFs", 0x0e, 2, sriov_total),
    REGISTER("NumVFs", 0x10, 2, sriov_count),
    REGISTER("Function Dependency Link", 0x12, 1, sriov_link),
    REGISTER("First VF Offset", 0x14, 2, sriov_offset),
    REGISTER("VF Stride", 0x16, 2, sriov_stride),
    REGISTER("VF Device ID", 0x1a, 2, sriov_device),
    REGISTER("Supported Page Sizes", 0x1c, 4, sriov_pages),
    REGISTER("System Page Size", 0x20, 4, sriov_page),
    REGISTER("VF BAR0", 0x24, 4, sriov_bar),
    REGISTER("VF BAR1", 0x28, 4, sriov_bar),
    REGISTER("VF BAR2", 0x2c, 4, sriov_bar),
    REGISTER("VF BAR3", 0x30, 4, sriov_bar),
    REGISTER("VF BAR4", 0x34, 4, sriov_bar),
    REGISTER("VF BAR5", 0x38, 4, sriov_bar),
    REGISTER("VF Migration State Array Offset", 0x3c, 4, sriov_migration),
};

void fields_sriov(struct field_walk *walk)
{
    fields_walk(walk, sriov_registers, FIELDS_COUNT(sriov_registers), 0);
}

/* ---- Resizable BAR ---- */

static const struct field_layout resizable_capability[] = {
    SET(4, 28, "BAR Sizes Supported", SCALE_SIZES),
};

/* The first also tells how many there are. */
static const struct field_layout resizable_first_control[] = {
    NUMBER(0, 3, "BAR Index"),
    NUMBER(5, 3, "Number of Resizable BARs"),
    SCALED(8, 6, "BAR Size", SCALE_REBAR),
    HEX(16, 16, "BAR Sizes Supported (above 128 TiB)"),
};

static const struct field_layout resizable_control[] = {
    NUMBER(0, 3, "BAR Index"),
    SCALED(8, 6, "BAR Size", SCALE_REBAR),
    HEX(16, 16, "BAR Sizes Supported (above 128 TiB)"),
};

static const struct register_layout resizable_first[] = {
    REGISTER("Resizable BAR Capability Register", 4, 4, resizable_capability),
    REGISTER("Resizable BAR Control Register", 8, 4, resizable_first_control),
};

static const struct register_layout resizable_more[] = {
    REGISTER("Resizable BAR Capability Register", 4, 4, resizable_capability),
    REGISTER("Resizable BAR Control Register", 8, 4, resizable_control),
};

void fields_resizable(struct field_walk *walk)
{
    size_t count = fields_get(walk, 8, 4) >> 5 & 7;

    fields_walk(walk, resizable_first, FIELDS_COUNT(resizable_first), 0);
    for (size_t i = 1; i < count && i < PCI_RESIZABLE_MAX; i++)
        fields_walk(walk, resizable_more, FIELDS_COUNT(resizable_more), 8 * i);
}
