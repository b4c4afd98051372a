/* SPDX-License-Identifier: LGPL-2.1-only */
#include "rules.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "grow.h"

const struct guest_rule guest_rules[GUEST_RULES] = {
    [GUEST_RULE_SYNTAX] = {101, GUEST_ERROR, "xl can read the file",
                           "xl create stops at the first line that it cannot read"},
    [GUEST_RULE_MISREAD] =
        {102, GUEST_ERROR, "each setting has the form that xl expects",
         "xl takes no notice of a setting that has another form: it warns at most, "
         "and goes on without it"},
    [GUEST_RULE_TYPE] = {103, GUEST_ERROR, "the guest's type is one that xl knows",
                         "xl create stops here"},
    [GUEST_RULE_PVH] = {104, GUEST_ERROR, "a guest with a PCI device is no PVH guest",
                        "Xen cannot give a PCI device to a PVH guest"},
    [GUEST_RULE_OLD_SETTING] = {105, GUEST_WARNING, "no setting is one that xl has given up",
                                "it does nothing any more, or is only kept for old files"},
    [GUEST_RULE_DEVICE_MODEL] = {106, GUEST_WARNING, "the device model is qemu-xen, the usual one",
                                 "the other one is old, and Debian does not have it"},
    [GUEST_RULE_PASSTHROUGH_OFF] = {107, GUEST_ERROR,
                                    "passthrough is not switched off for a guest with a PCI device",
                                    "xl refuses PCI devices for a guest without passthrough"},
    [GUEST_RULE_TOO_MANY] = {108, GUEST_WARNING, "there are no more PCI devices than are checked",
                             "those after the 64th were not looked at"},

    [GUEST_RULE_MAXMEM] = {201, GUEST_ERROR, "memory is all of maxmem in a guest with a PCI device",
                           "Xen refuses a passed-through device together with memory that is "
                           "populated on demand, so that the guest is not created"},
    [GUEST_RULE_MMIO_HOLE] = {202, GUEST_ERROR, "mmio_hole is between 256 and 3840",
                              "xl create stops at any other value"},
    [GUEST_RULE_PLACEMENT] =
        {203, GUEST_ERROR, "the BARs of all devices find room in the guest",
         "a BAR without room is left out, and its device does not work, though "
         "the guest starts"},

    [GUEST_RULE_ENTRY] = {301, GUEST_ERROR, "xl can read each entry of pci",
                          "xl create stops at an entry that it cannot read"},
    [GUEST_RULE_ALL_FUNCTIONS] = {302, GUEST_ERROR, "functions are listed one by one",
                                  "since Xen 4.13 \".*\" attaches the highest function only"},
    [GUEST_RULE_BY_NAME] =
        {303, GUEST_WARNING, "devices are given by address",
         "for an entry with a name, reserved memory (RDM) is not set aside and an "
         "integrated graphics card is not recognised"},
    [GUEST_RULE_TWICE] = {304, GUEST_ERROR, "no device is listed twice",
                          "a device can be attached only once: creation fails"},
    [GUEST_RULE_NOT_A_NUMBER] = {305, GUEST_ERROR, "what is switched on or off is written 1 or 0",
                                 "xl reads it as a number, and any word as 0"},
    [GUEST_RULE_PERMISSIVE] =
        {306, GUEST_WARNING, "permissive is not set without need",
         "it lets the guest write to all of the device's configuration space, "
         "and is not security supported"},
    [GUEST_RULE_SEIZE] = {307, GUEST_WARNING, "devices are not seized",
                          "it takes the device from dom0 whoever uses it there, without asking"},
    [GUEST_RULE_NO_EFFECT] = {308, GUEST_WARNING, "each option of an entry has an effect",
                              "qemu-xen takes no notice of it"},
    [GUEST_RULE_RDM] = {309, GUEST_ERROR, "the policy for reserved memory is set for each device",
                        "since Xen 4.15 xl refuses any policy in rdm, and goes on without rdm"},
    [GUEST_RULE_GFX_PASSTHRU] = {310, GUEST_ERROR,
                                 "gfx_passthru goes with Intel's integrated graphics",
                                 "with any other card xl stops: \"unable to detect required "
                                 "gfx_passthru_kind\""},

    [GUEST_RULE_NO_DEVICE] = {401, GUEST_ERROR, "each device is there",
                              "creation fails without it"},
    [GUEST_RULE_BRIDGE_DEVICE] = {402, GUEST_ERROR, "no device is a bridge",
                                  "a bridge cannot be passed through: give away what is behind it"},
    [GUEST_RULE_SIBLINGS] = {403, GUEST_ERROR, "functions that belong together are given together",
                             "the IOMMU cannot keep them apart, and a reset of one resets all"},
    [GUEST_RULE_DOM0_NEEDS] = {404, GUEST_ERROR, "dom0 can do without the device",
                               "dom0 loses what it has there as soon as the device is taken"},
    [GUEST_RULE_OWNED] = {405, GUEST_ERROR, "no other guest has the device",
                          "a device belongs to one guest at a time"},
    [GUEST_RULE_NOT_ASSIGNABLE] = {406, GUEST_WARNING, "the device is bound to pciback",
                                   "xl gives away what is bound to pciback, and nothing else"},
    [GUEST_RULE_NO_IOMMU] = {407, GUEST_ERROR, "Xen uses an IOMMU",
                             "without one an HVM guest cannot have a device"},
    [GUEST_RULE_NODE] = {408, GUEST_WARNING,
                         "the guest's vCPUs and memory are on the device's node",
                         "all that the device reads and writes passes from one node to the other"},
    [GUEST_RULE_NO_RESET] =
        {409, GUEST_WARNING, "the device can be reset",
         "after the guest's first run the device may be in any state, and what the "
         "guest left in it is still there"},
    [GUEST_RULE_NETWORK] = {410, GUEST_ERROR, "the network bridge is there",
                            "creation fails: \"Could not find bridge device\""},
    [GUEST_RULE_OVMF] =
        {411, GUEST_ERROR, "the UEFI image is made for Xen",
         "hvmloader starts an OvmfXen image, which is an ELF file, and no other: the "
         "guest stays dark"},
};

void guest_findings_dispose(struct guest_findings *findings)
{
    free(findings->list);
    *findings = (struct guest_findings){.list = NULL};
}

void guest_finding_add(struct guest_findings *findings, enum guest_rule_id rule, unsigned int line,
                       const char *format, ...)
{
    struct guest_finding *f;
    va_list arguments;

    if (xlp_grow(&findings->list, &findings->room, findings->count + 1, sizeof(*f)) < 0) {
        findings->out_of_memory = true;
        return;
    }
    f = &findings->list[findings->count++];
    *f = (struct guest_finding){.rule = rule, .line = line};
    va_start(arguments, format);
    vsnprintf(f->what, sizeof(f->what), format, arguments);
    va_end(arguments);
}

void guest_finding_mend(struct guest_findings *findings, const char *format, ...)
{
    struct guest_finding *f = &findings->list[findings->count - 1];
    va_list arguments;

    if (findings->out_of_memory)
        return;
    va_start(arguments, format);
    vsnprintf(f->mend, sizeof(f->mend), format, arguments);
    va_end(arguments);
}

void guest_findings_sort(struct guest_findings *findings)
{
    for (size_t i = 1; i < findings->count; i++) {
        struct guest_finding f = findings->list[i];
        size_t at = i;

        for (; at > 0 && findings->list[at - 1].line > f.line; at--)
            findings->list[at] = findings->list[at - 1];
        findings->list[at] = f;
    }
}

size_t guest_findings_count(const struct guest_findings *findings, enum guest_severity severity)
{
    size_t count = 0;

    for (size_t i = 0; i < findings->count; i++)
        count += guest_rules[findings->list[i].rule].severity == severity;
    return count;
}
