/* SPDX-License-Identifier: LGPL-2.1-only */
/* The PCI Express capability, by the PCI Express Base Specification 5.0, 7.5.3. */
#include "fields.h"

static const char *const port_types[] = {
    "PCI Express Endpoint",
    "Legacy PCI Express Endpoint",
    NULL,
    NULL,
    "Root Port of PCI Express Root Complex",
    "Upstream Port of PCI Express Switch",
    "Downstream Port of PCI Express Switch",
    "PCI Express to PCI/PCI-X Bridge",
    "PCI/PCI-X to PCI Express Bridge",
    "Root Complex Integrated Endpoint",
    "Root Complex Event Collector",
};
static const char *const l0s_latencies[] = {"at most 64 ns",  "at most 128 ns", "at most 256 ns",
                                            "at most 512 ns", "at most 1 us",   "at most 2 us",
                                            "at most 4 us",   "no limit"};
static const char *const l1_latencies[] = {"at most 1 us",  "at most 2 us",  "at most 4 us",
                                           "at most 8 us",  "at most 16 us", "at most 32 us",
                                           "at most 64 us", "no limit"};
static const char *const l0s_exits[] = {"below 64 ns",  "below 128 ns", "below 256 ns",
                                        "below 512 ns", "below 1 us",   "below 2 us",
                                        "2 us to 4 us", "above 4 us"};
static const char *const l1_exits[] = {"below 1 us",     "below 2 us",  "below 4 us",
                                       "below 8 us",     "below 16 us", "below 32 us",
                                       "32 us to 64 us", "above 64 us"};
static const char *const link_speeds[] = {NULL,      "2.5 GT/s", "5 GT/s", "8 GT/s",
                                          "16 GT/s", "32 GT/s",  "64 GT/s"};
static const char *const aspm[] = {"none", "L0s", "L1", "L0s and L1"};
static const char *const power_scales[] = {"1.0 W", "0.1 W", "0.01 W", "0.001 W"};
static const char *const boundaries[] = {"64 bytes", "128 bytes"};
static const char *const phantoms[] = {"none", "the most significant bit of the function number",
                                       "the two most significant bits of it", "all bits of it"};

static const struct field_layout express_capabilities[] = {
    NUMBER(0, 4, "Capability Version"),
    NAMED(4, 4, "Device/Port Type", port_types),
    FLAG(8, "Slot Implemented"),
    NUMBER(9, 5, "Interrupt Message Number"),
};

static const struct field_layout device_capabilities[] = {
    SCALED(0, 3, "Max_Payload_Size Supported", SCALE_PAYLOAD),
    NAMED(3, 2, "Phantom Functions Supported", phantoms),
    FLAG(5, "Extended Tag Field Supported"),
    NAMED(6, 3, "Endpoint L0s Acceptable Latency", l0s_latencies),
    NAMED(9, 3, "Endpoint L1 Acceptable Latency", l1_latencies),
    FLAG(15, "Role-Based Error Reporting"),
    NUMBER(18, 8, "Captured Slot Power Limit Value"),
    NAMED(26, 2, "Captured Slot Power Limit Scale", power_scales),
    FLAG(28, "Function Level Reset Capability"),
};

static const struct field_layout device_control[] = {
    FLAG(0, "Correctable Error Reporting Enable"),
    FLAG(1, "Non-Fatal Error Reporting Enable"),
    FLAG(2, "Fatal Error Reporting Enable"),
    FLAG(3, "Unsupported Request Reporting Enable"),
    FLAG(4, "Enable Relaxed Ordering"),
    SCALED(5, 3, "Max_Payload_Size", SCALE_PAYLOAD),
    FLAG(8, "Extended Tag Field Enable"),
    FLAG(9, "Phantom Functions Enable"),
    FLAG(10, "Aux Power PM Enable"),
    FLAG(11, "Enable No Snoop"),
    SCALED(12, 3, "Max_Read_Request_Size", SCALE_PAYLOAD),
    FLAG(15, "Bridge Configuration Retry Enable / Initiate Function Level Reset"),
};

static const struct field_layout device_status[] = {
    FLAG(0, "Correctable Error Detected"),
    FLAG(1, "Non-Fatal Error Detected"),
    FLAG(2, "Fatal Error Detected"),
    FLAG(3, "Unsupported Request Detected"),
    FLAG(4, "AUX Power Detected"),
    FLAG(5, "Transactions Pending"),
    FLAG(6, "Emergency Power Reduction Detected"),
};

static const struct field_layout link_capabilities[] = {
    NAMED(0, 4, "Max Link Speed", link_speeds),
    NUMBER(4, 6, "Maximum Link Width"),
    NAMED(10, 2, "ASPM Support", aspm),
    NAMED(12, 3, "L0s Exit Latency", l0s_exits),
    NAMED(15, 3, "L1 Exit Latency", l1_exits),
    FLAG(18, "Clock Power Management"),
    FLAG(19, "Surprise Down Error Reporting Capable"),
    FLAG(20, "Data Link Layer Link Active Reporting Capable"),
    FLAG(21, "Link Bandwidth Notification Capability"),
    FLAG(22, "ASPM Optionality Compliance"),
    NUMBER(24, 8, "Port Number"),
};

static const struct field_layout link_control[] = {
    NAMED(0, 2, "ASPM Control", aspm),
    NAMED(3, 1, "Read Completion Boundary (RCB)", boundaries),
    FLAG(4, "Link Disable"),
    FLAG(5, "Retrain Link"),
    FLAG(6, "Common Clock Configuration"),
    FLAG(7, "Extended Synch"),
    FLAG(8, "Enable Clock Power Management"),
    FLAG(9, "Hardware Autonomous Width Disable"),
    FLAG(10, "Link Bandwidth Management Interrupt Enable"),
    FLAG(11, "Link Autonomous Bandwidth Interrupt Enable"),
};

static const struct field_layout link_status[] = {
    NAMED(0, 4, "Current Link Speed", link_speeds),
    NUMBER(4, 6, "Negotiated Link Width"),
    FLAG(11, "Link Training"),
    FLAG(12, "Slot Clock Configuration"),
    FLAG(13, "Data Link Layer Link Active"),
    FLAG(14, "Link Bandwidth Management Status"),
    FLAG(15, "Link Autonomous Bandwidth Status"),
};

static const struct field_layout slot_capabilities[] = {
    FLAG(0, "Attention Button Present"),
    FLAG(1, "Power Controller Present"),
    FLAG(2, "MRL Sensor Present"),
    FLAG(3, "Attention Indicator Present"),
    FLAG(4, "Power Indicator Present"),
    FLAG(5, "Hot-Plug Surprise"),
    FLAG(6, "Hot-Plug Capable"),
    NUMBER(7, 8, "Slot Power Limit Value"),
    NAMED(15, 2, "Slot Power Limit Scale", power_scales),
    FLAG(17, "Electromechanical Interlock Present"),
    FLAG(18, "No Command Completed Support"),
    NUMBER(19, 13, "Physical Slot Number"),
};

static const char *const indicators[] = {NULL, "on", "blink", "off"};

static const struct field_layout slot_control[] = {
    FLAG(0, "Attention Button Pressed Enable"),
    FLAG(1, "Power Fault Detected Enable"),
    FLAG(2, "MRL Sensor Changed Enable"),
    FLAG(3, "Presence Detect Changed Enable"),
    FLAG(4, "Command Completed Interrupt Enable"),
    FLAG(5, "Hot-Plug Interrupt Enable"),
    NAMED(6, 2, "Attention Indicator Control", indicators),
    NAMED(8, 2, "Power Indicator Control", indicators),
    FLAG(10, "Power Controller Control"),
    FLAG(11, "Electromechanical Interlock Control"),
    FLAG(12, "Data Link Layer State Changed Enable"),
};

static const struct field_layout slot_status[] = {
    FLAG(0, "Attention Button Pressed"),
    FLAG(1, "Power Fault Detected"),
    FLAG(2, "MRL Sensor Changed"),
    FLAG(3, "Presence Detect Changed"),
    FLAG(4, "Command Completed"),
    FLAG(5, "MRL Sensor State"),
    FLAG(6, "Presence Detect State"),
    FLAG(7, "Electromechanical Interlock Status"),
    FLAG(8, "Data Link Layer State Changed"),
};

static const struct field_layout root_control[] = {
    FLAG(0, "System Error on Correctable Error Enable"),
    FLAG(1, "System Error on Non-Fatal Error Enable"),
    FLAG(2, "System Error on Fatal Error Enable"),
    FLAG(3, "PME Interrupt Enable"),
    FLAG(4, "CRS Software Visibility Enable"),
};

static const struct field_layout root_capabilities[] = {
    FLAG(0, "CRS Software Visibility"),
};

static const struct field_layout root_status[] = {
    HEX(0, 16, "PME Requester ID"),
    FLAG(16, "PME Status"),
    FLAG(17, "PME Pending"),
};

static const char *const tph[] = {"none", "TPH", NULL, "TPH and Extended TPH"};
static const char *const obff[] = {"none", "message", "WAKE#", "WAKE# and message"};
static const char *const obff_controls[] = {"disabled", "message, variation A",
                                            "message, variation B", "WAKE#"};

static const struct field_layout device_capabilities_2[] = {
    HEX(0, 4, "Completion Timeout Ranges Supported"),
    FLAG(4, "Completion Timeout Disable Supported"),
    FLAG(5, "ARI Forwarding Supported"),
    FLAG(6, "AtomicOp Routing Supported"),
    FLAG(7, "32-bit AtomicOp Completer Supported"),
    FLAG(8, "64-bit AtomicOp Completer Supported"),
    FLAG(9, "128-bit CAS Completer Supported"),
    FLAG(10, "No RO-enabled PR-PR Passing"),
    FLAG(11, "LTR Mechanism Supported"),
    NAMED(12, 2, "TPH Completer Supported", tph),
    FLAG(16, "10-Bit Tag Completer Supported"),
    FLAG(17, "10-Bit Tag Requester Supported"),
    NAMED(18, 2, "OBFF Supported", obff),
    FLAG(20, "Extended Fmt Field Supported"),
    FLAG(21, "End-End TLP Prefix Supported"),
    NUMBER(22, 2, "Max End-End TLP Prefixes"),
    NUMBER(24, 2, "Emergency Power Reduction Supported"),
    FLAG(26, "Emergency Power Reduction Initialization Required"),
    FLAG(31, "FRS Supported"),
};

static const struct field_layout device_control_2[] = {
    HEX(0, 4, "Completion Timeout Value"),
    FLAG(4, "Completion Timeout Disable"),
    FLAG(5, "ARI Forwarding Enable"),
    FLAG(6, "AtomicOp Requester Enable"),
    FLAG(7, "AtomicOp Egress Blocking"),
    FLAG(8, "IDO Request Enable"),
    FLAG(9, "IDO Completion Enable"),
    FLAG(10, "LTR Mechanism Enable"),
    FLAG(11, "Emergency Power Reduction Request"),
    FLAG(12, "10-Bit Tag Requester Enable"),
    NAMED(13, 2, "OBFF Enable", obff_controls),
    FLAG(15, "End-End TLP Prefix Blocking"),
};

static const struct field_layout link_capabilities_2[] = {
    HEX(1, 7, "Supported Link Speeds Vector"),
    FLAG(8, "Crosslink Supported"),
    HEX(9, 7, "Lower SKP OS Generation Supported Speeds Vector"),
    HEX(16, 7, "Lower SKP OS Reception Supported Speeds Vector"),
    FLAG(23, "Retimer Presence Detect Supported"),
    FLAG(24, "Two Retimers Presence Detect Supported"),
    FLAG(31, "DRS Supported"),
};

static const struct field_layout link_control_2[] = {
    NAMED(0, 4, "Target Link Speed", link_speeds),
    FLAG(4, "Enter Compliance"),
    FLAG(5, "Hardware Autonomous Speed Disable"),
    FLAG(6, "Selectable De-emphasis"),
    NUMBER(7, 3, "Transmit Margin"),
    FLAG(10, "Enter Modified Compliance"),
    FLAG(11, "Compliance SOS"),
    NUMBER(12, 4, "Compliance Preset/De-emphasis"),
};

static const struct field_layout link_status_2[] = {
    FLAG(0, "Current De-emphasis Level"),
    FLAG(1, "Equalization 8.0 GT/s Complete"),
    FLAG(2, "Equalization 8.0 GT/s Phase 1 Successful"),
    FLAG(3, "Equalization 8.0 GT/s Phase 2 Successful"),
    FLAG(4, "Equalization 8.0 GT/s Phase 3 Successful"),
    FLAG(5, "Link Equalization Request 8.0 GT/s"),
    FLAG(6, "Retimer Presence Detected"),
    FLAG(7, "Two Retimers Presence Detected"),
    NUMBER(8, 2, "Crosslink Resolution"),
    NUMBER(12, 3, "Downstream Component Presence"),
    FLAG(15, "DRS Message Received"),
};

/* What a function must have for a register to mean something. */
enum need {
    NEEDS_LINK = 1 << 0,
    NEEDS_SLOT = 1 << 1,
    NEEDS_ROOT = 1 << 2,
    NEEDS_VERSION_2 = 1 << 3,
};

static const struct {
    unsigned int needs;
    struct register_layout layout;
} registers[] = {
    {0, REGISTER("PCI Express Capabilities Register", 0x02, 2, express_capabilities)},
    {0, REGISTER("Device Capabilities Register", 0x04, 4, device_capabilities)},
    {0, REGISTER("Device Control Register", 0x08, 2, device_control)},
    {0, REGISTER("Device Status Register", 0x0a, 2, device_status)},
    {NEEDS_LINK, REGISTER("Link Capabilities Register", 0x0c, 4, link_capabilities)},
    {NEEDS_LINK, REGISTER("Link Control Register", 0x10, 2, link_control)},
    {NEEDS_LINK, REGISTER("Link Status Register", 0x12, 2, link_status)},
    {NEEDS_SLOT, REGISTER("Slot Capabilities Register", 0x14, 4, slot_capabilities)},
    {NEEDS_SLOT, REGISTER("Slot Control Register", 0x18, 2, slot_control)},
    {NEEDS_SLOT, REGISTER("Slot Status Register", 0x1a, 2, slot_status)},
    {NEEDS_ROOT, REGISTER("Root Control Register", 0x1c, 2, root_control)},
    {NEEDS_ROOT, REGISTER("Root Capabilities Register", 0x1e, 2, root_capabilities)},
    {NEEDS_ROOT, REGISTER("Root Status Register", 0x20, 4, root_status)},
    {NEEDS_VERSION_2, REGISTER("Device Capabilities 2 Register", 0x24, 4, device_capabilities_2)},
    {NEEDS_VERSION_2, REGISTER("Device Control 2 Register", 0x28, 2, device_control_2)},
    {NEEDS_VERSION_2 | NEEDS_LINK,
     REGISTER("Link Capabilities 2 Register", 0x2c, 4, link_capabilities_2)},
    {NEEDS_VERSION_2 | NEEDS_LINK, REGISTER("Link Control 2 Register", 0x30, 2, link_control_2)},
    {NEEDS_VERSION_2 | NEEDS_LINK, REGISTER("Link Status 2 Register", 0x32, 2, link_status_2)},
};

void fields_express(struct field_walk *walk)
{
    uint64_t capabilities = fields_get(walk, 2, 2);
    unsigned int version = capabilities & 0xf, type = capabilities >> 4 & 0xf, has = 0;

    if (type != PCI_PORT_INTEGRATED_ENDPOINT && type != PCI_PORT_EVENT_COLLECTOR)
        has |= NEEDS_LINK;
    if (capabilities >> 8 & 1 && (type == PCI_PORT_ROOT_PORT || type == PCI_PORT_SWITCH_DOWNSTREAM))
        has |= NEEDS_SLOT;
    if (type == PCI_PORT_ROOT_PORT || type == PCI_PORT_EVENT_COLLECTOR)
        has |= NEEDS_ROOT;
    if (version >= 2)
        has |= NEEDS_VERSION_2;
    for (size_t i = 0; i < FIELDS_COUNT(registers); i++)
        if ((registers[i].needs & ~has) == 0)
            fields_walk(walk, &registers[i].layout, 1, 0);
}
