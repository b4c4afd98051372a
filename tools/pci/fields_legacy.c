/* SPDX-License-Identifier: LGPL-2.1-only */
/* Power management, MSI, MSI-X and Advanced Features, by the PCI Local Bus Specification 3.0, the
 * PCI Bus Power Management Interface Specification 1.2, and the ECN for Advanced Capabilities. */
#include "fields.h"

#define HEADER_TYPE   0x0e
#define HEADER_BRIDGE 1

/* ---- power management ---- */

static const char *const aux_currents[] = {
    "0 mA (self powered)", "55 mA", "100 mA", "160 mA", "220 mA", "270 mA", "320 mA", "375 mA"};
static const char *const power_states[] = {"D0", "D1", "D2", "D3hot"};

static const struct field_layout pm_capabilities[] = {
    NUMBER(0, 3, "Version"),
    FLAG(3, "PME Clock"),
    FLAG(5, "Device Specific Initialization"),
    NAMED(6, 3, "Aux_Current", aux_currents),
    FLAG(9, "D1_Support"),
    FLAG(10, "D2_Support"),
    HEX(11, 5, "PME_Support"),
};

static const struct field_layout pm_control[] = {
    NAMED(0, 2, "PowerState", power_states),
    FLAG(3, "No_Soft_Reset"),
    FLAG(8, "PME_En"),
    NUMBER(9, 4, "Data_Select"),
    NUMBER(13, 2, "Data_Scale"),
    FLAG(15, "PME_Status"),
};

static const struct field_layout pm_bridge[] = {
    FLAG(6, "B2_B3#"),
    FLAG(7, "BPCC_En"),
};

static const struct field_layout pm_data[] = {
    NUMBER(0, 8, "Data"),
};

static const struct register_layout pm_registers[] = {
    REGISTER("Power Management Capabilities (PMC)", 2, 2, pm_capabilities),
    REGISTER("Power Management Control/Status (PMCSR)", 4, 2, pm_control),
    REGISTER("Data", 7, 1, pm_data),
};

static const struct register_layout pm_bridge_registers[] = {
    REGISTER("PMCSR PCI-to-PCI Bridge Support Extensions (PMCSR_BSE)", 6, 1, pm_bridge),
};

void fields_pm(struct field_walk *walk)
{
    uint64_t header_type;

    fields_walk(walk, pm_registers, FIELDS_COUNT(pm_registers), 0);
    pci_config_read(walk->config, HEADER_TYPE, 1, &header_type);
    if ((header_type & 0x7f) == HEADER_BRIDGE)
        fields_walk(walk, pm_bridge_registers, FIELDS_COUNT(pm_bridge_registers), 0);
}

/* ---- MSI ---- */

/* The address and the data are the processor's: Intel's Software Developer's Manual, volume 3,
 * "Message Signalled Interrupts", and for the remappable format Intel's VT-d specification. */
#define MSI_REMAPPABLE (1u << 4)

static const char *const destination_modes[] = {"physical", "logical"};
static const char *const redirection_hints[] = {"to the destination given",
                                                "to the lowest priority of those given"};
static const char *const delivery_modes[] = {"fixed", "lowest priority", "SMI", NULL, "NMI", "INIT",
                                             NULL,    "ExtINT"};
static const char *const levels[] = {"deassert", "assert"};
static const char *const triggers[] = {"edge", "level"};
static const char *const formats[] = {"compatibility", "remappable"};

static const struct field_layout msi_control[] = {
    FLAG(0, "MSI Enable"),
    SCALED(1, 3, "Multiple Message Capable", SCALE_POWER),
    SCALED(4, 3, "Multiple Message Enable", SCALE_POWER),
    FLAG(7, "64 bit address capable"),
    FLAG(8, "Per-vector masking capable"),
    FLAG(9, "Extended Message Data Capable"),
    FLAG(10, "Extended Message Data Enable"),
};

static const struct field_layout msi_address[] = {
    HEX(20, 12, "Interrupt Message Address (0FEEH)"),
    NUMBER(12, 8, "Destination ID"),
    NAMED(4, 1, "Interrupt Format", formats),
    NAMED(3, 1, "Redirection Hint Indication (RH)", redirection_hints),
    NAMED(2, 1, "Destination Mode (DM)", destination_modes),
};

static const struct field_layout msi_address_remappable[] = {
    HEX(20, 12, "Interrupt Message Address (0FEEH)"),
    NUMBER(5, 15, "Handle[14:0]"),
    NAMED(4, 1, "Interrupt Format", formats),
    FLAG(3, "Subhandle Valid (SHV)"),
    NUMBER(2, 1, "Handle[15]"),
};

static const struct field_layout msi_upper[] = {
    HEX(0, 32, "Message Upper Address"),
};

static const struct field_layout msi_data[] = {
    HEX(0, 8, "Vector"),
    NAMED(8, 3, "Delivery Mode", delivery_modes),
    NAMED(14, 1, "Level for Trigger Mode", levels),
    NAMED(15, 1, "Trigger Mode", triggers),
};

static const struct field_layout msi_data_remappable[] = {
    NUMBER(0, 16, "Subhandle"),
};

static const struct field_layout msi_mask[] = {
    HEX(0, 32, "Mask Bits"),
};

static const struct field_layout msi_pending[] = {
    HEX(0, 32, "Pending Bits"),
};

static const struct register_layout msi_head[] = {
    REGISTER("Message Control", 2, 2, msi_control),
};

static const struct register_layout msi_addresses[] = {
    REGISTER("Message Address", 4, 4, msi_address),
    REGISTER("Message Address", 4, 4, msi_address_remappable),
};

static const struct register_layout msi_upper_address[] = {
    REGISTER("Message Upper Address", 8, 4, msi_upper),
};

/* Where the rest is, when the address has 32 bits; one of 64 moves it by 4 bytes. */
static const struct register_layout msi_datas[] = {
    REGISTER("Message Data", 8, 2, msi_data),
    REGISTER("Message Data", 8, 2, msi_data_remappable),
};

static const struct register_layout msi_masks[] = {
    REGISTER("Mask Bits", 12, 4, msi_mask),
    REGISTER("Pending Bits", 16, 4, msi_pending),
};

void fields_msi(struct field_walk *walk)
{
    uint64_t control = fields_get(walk, 2, 2);
    size_t form = fields_get(walk, 4, 4) & MSI_REMAPPABLE ? 1 : 0;
    size_t move = control >> 7 & 1 ? 4 : 0;

    fields_walk(walk, msi_head, FIELDS_COUNT(msi_head), 0);
    fields_walk(walk, &msi_addresses[form], 1, 0);
    if (move)
        fields_walk(walk, msi_upper_address, FIELDS_COUNT(msi_upper_address), 0);
    fields_walk(walk, &msi_datas[form], 1, move);
    if (control >> 8 & 1)
        fields_walk(walk, msi_masks, FIELDS_COUNT(msi_masks), move);
}

/* ---- MSI-X ---- */

static const char *const bars[] = {"BAR0", "BAR1", "BAR2", "BAR3", "BAR4", "BAR5"};

static const struct field_layout msix_control[] = {
    SCALED(0, 11, "Table Size", SCALE_PLUS_ONE),
    FLAG(14, "Function Mask"),
    FLAG(15, "MSI-X Enable"),
};

static const struct field_layout msix_table[] = {
    NAMED(0, 3, "Table BIR", bars),
    PLACED(3, 29, "Table Offset"),
};

static const struct field_layout msix_pba[] = {
    NAMED(0, 3, "PBA BIR", bars),
    PLACED(3, 29, "PBA Offset"),
};

static const struct register_layout msix_registers[] = {
    REGISTER("Message Control", 2, 2, msix_control),
    REGISTER("Table Offset/Table BIR", 4, 4, msix_table),
    REGISTER("PBA Offset/PBA BIR", 8, 4, msix_pba),
};

void fields_msix(struct field_walk *walk)
{
    fields_walk(walk, msix_registers, FIELDS_COUNT(msix_registers), 0);
}

/* ---- Advanced Features ---- */

static const struct field_layout af_length[] = {
    NUMBER(0, 8, "Length"),
};

static const struct field_layout af_capabilities[] = {
    FLAG(0, "Transactions Pending Capability (TP_CAP)"),
    FLAG(1, "Function Level Reset Capability (FLR_CAP)"),
};

static const struct field_layout af_control[] = {
    FLAG(0, "Initiate FLR (INITIATE_FLR)"),
};

static const struct field_layout af_status[] = {
    FLAG(0, "Transactions Pending (TP)"),
};

static const struct register_layout af_registers[] = {
    REGISTER("AF Length", 2, 1, af_length),
    REGISTER("AF Capabilities", 3, 1, af_capabilities),
    REGISTER("AF Control", 4, 1, af_control),
    REGISTER("AF Status", 5, 1, af_status),
};

void fields_af(struct field_walk *walk)
{
    fields_walk(walk, af_registers, FIELDS_COUNT(af_registers), 0);
}
