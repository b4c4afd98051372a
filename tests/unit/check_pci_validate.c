/* SPDX-License-Identifier: LGPL-2.1-only */
/* links: tools/pci/validate.c tools/pci/validate_entries.c tools/pci/validate_host.c */
/* links: tools/pci/validate_placement.c tools/pci/surroundings.c tools/pci/rules.c */
/* links: tools/pci/guest_config.c tools/pci/bar_placement.c */
/* links: daemon/config_scan.c daemon/config_text.c */
/* links: tools/pci/device.c tools/pci/topology.c tools/pci/config_space.c tools/pci/summary.c */
/* links: tools/pci/address.c tools/pci/files.c */
/* The rules of pci-validate: each with a configuration that breaks it, and it alone, and one that
 * does not; and that each is documented. Run from the top of the source tree. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../tools/pci/validate.h"
#include "check_main.h"
#include "made_pci_host.h"

static struct pci_device devices[MADE_DEVICES];
static struct pci_loss loss;
static struct pci_host host;
static struct guest_surroundings around;
static struct guest_config config;
static struct guest_findings findings;
static char error[512];

static void set_up(void)
{
    made_pci_host(&host, devices, &loss);
    memset(&around, 0, sizeof(around));
    around.physbits = 39;
}

static void tear_down(void)
{
    guest_findings_dispose(&findings);
}

/* As cmd_validate.c does it. */
static void validate(const char *text)
{
    unsigned int line = 0;

    guest_findings_dispose(&findings);
    if (guest_config_parse(text, strlen(text), "g.cfg", &config, &line, error, sizeof(error)) ==
        GUEST_CONFIG_OK)
        guest_validate(&config, &host, &around, &findings);
    else
        guest_finding_add(&findings, GUEST_RULE_SYNTAX, line, "%s", error);
}

#define GUEST  "name = \"g\"\ntype = \"hvm\"\nmemory = 4096\n"
#define GPU    "pci = [ \"01:00.0\", \"01:00.1\" ]\n"
#define LINE_4 "pci = [ \"01:00.0\", \"01:00.1\",\n"

static void no_iommu(void)
{
    host.machine.hvm_directio = PCI_NO;
}

static void no_bridge(void)
{
    around.bridges[0] = PCI_NO;
}

static void with_bridge(void)
{
    around.bridges[0] = PCI_YES;
}

static void plain_ovmf(void)
{
    around.bios = GUEST_IMAGE_OTHER;
    snprintf(around.bios_path, sizeof(around.bios_path), "/usr/share/ovmf/OVMF.fd");
}

static void xen_ovmf(void)
{
    around.bios = GUEST_IMAGE_OVMF_XEN;
}

static char many[2][4096];

/* A list of count devices that are there, in `many`. */
static const char *list_of(unsigned int count)
{
    char *text = many[count > GUEST_PCI_MAX];
    size_t used = (size_t)snprintf(text, sizeof(many[0]), "%s", GUEST "pci = [");

    for (unsigned int i = 0; i < count; i++)
        used += (size_t)snprintf(text + used, sizeof(many[0]) - used, " \"name=d%u\",", i);
    snprintf(text + used, sizeof(many[0]) - used, " ]\n");
    return text;
}

/* What breaks each rule, where, and what does not. */
static const struct trial {
    enum guest_rule_id rule;
    unsigned int line;
    const char *breaks, *keeps;
    void (*breaking)(void), (*keeping)(void); /* what the host is like for it, or NULL */
} trials[] = {
    {GUEST_RULE_SYNTAX, 3, "name = \"g\"\n\nmemory = 4g\n", GUEST, NULL, NULL},
    {GUEST_RULE_MISREAD, 4, GUEST "pci = \"01:00.0\"\n", GUEST GPU, NULL, NULL},
    {GUEST_RULE_MISREAD, 1, "memory = \"4g\"\ntype = \"hvm\"\n", "memory = \"4096\"\n", NULL, NULL},
    {GUEST_RULE_TYPE, 1, "type = \"hmv\"\nmemory = 1\n", "type = \"pv\"\nmemory = 1\n", NULL, NULL},
    {GUEST_RULE_PVH, 1, "type = \"pvh\"\nmemory = 512\n" GPU, "type = \"pvh\"\nmemory = 512\n",
     NULL, NULL},
    {GUEST_RULE_OLD_SETTING, 1, "builder = \"hvm\"\nmemory = 512\n", GUEST, NULL, NULL},
    {GUEST_RULE_OLD_SETTING, 4, GUEST "device_model = \"/usr/lib/xen/bin/qemu-dm\"\n", GUEST, NULL,
     NULL},
    {GUEST_RULE_OLD_SETTING, 4, GUEST "kernel = \"/usr/lib/xen/boot/hvmloader\"\n",
     GUEST "kernel = \"/boot/vmlinuz\"\n", NULL, NULL},
    {GUEST_RULE_DEVICE_MODEL, 4, GUEST "device_model_version = \"qemu-xen-traditional\"\n",
     GUEST "device_model_version = \"qemu-xen\"\n", NULL, NULL},
    {GUEST_RULE_PASSTHROUGH_OFF, 4, GUEST "passthrough = \"disabled\"\n" GPU,
     GUEST "passthrough = \"enabled\"\n" GPU, NULL, NULL},
    {GUEST_RULE_MAXMEM, 3, GUEST "maxmem = 8192\n" GPU, GUEST "maxmem = 4096\n" GPU, NULL, NULL},
    {GUEST_RULE_MMIO_HOLE, 4, GUEST "mmio_hole = 128\n", GUEST "mmio_hole = 256\n", NULL, NULL},
    {GUEST_RULE_MMIO_HOLE, 4, GUEST "mmio_hole = 4096\n", GUEST "mmio_hole = 3840\n", NULL, NULL},
    {GUEST_RULE_PLACEMENT, 4, GUEST "pci = [ \"06:00.0\" ]\n", GUEST GPU, NULL, NULL},
    {GUEST_RULE_ENTRY, 5, GUEST LINE_4 " \"07:00.0, permissive=0\" ]\n",
     GUEST LINE_4 " \"07:00.0,permissive=0\" ]\n", NULL, NULL},
    {GUEST_RULE_ALL_FUNCTIONS, 4, GUEST "pci = [ \"01:00.*\" ]\n", GUEST GPU, NULL, NULL},
    {GUEST_RULE_BY_NAME, 4, GUEST "pci = [ \"name=gpu\" ]\n", GUEST GPU, NULL, NULL},
    {GUEST_RULE_TWICE, 5, GUEST "pci = [ \"0000:07:00.0\",\n\"7:0.0\" ]\n",
     GUEST "pci = [ \"07:00.0\",\n\"08:00.0\" ]\n", NULL, NULL},
    {GUEST_RULE_NOT_A_NUMBER, 4, GUEST "pci = [ \"07:00.0,permissive=true\" ]\n",
     GUEST "pci = [ \"07:00.0,permissive=0\" ]\n", NULL, NULL},
    {GUEST_RULE_PERMISSIVE, 4, GUEST "pci = [ \"07:00.0,permissive=1\" ]\n",
     GUEST "pci = [ \"07:00.0,permissive=1,permissive=0\" ]\n", NULL, NULL},
    {GUEST_RULE_PERMISSIVE, 4, GUEST "pci_permissive = 1\n" GPU, GUEST "pci_permissive = 0\n" GPU,
     NULL, NULL},
    {GUEST_RULE_SEIZE, 4, GUEST "pci = [ \"07:00.0,seize=1\" ]\n",
     GUEST "pci = [ \"07:00.0,seize=0\" ]\n", NULL, NULL},
    {GUEST_RULE_SEIZE, 4, GUEST "pci_seize = 1\n" GPU, GUEST "pci_seize = 0\n" GPU, NULL, NULL},
    {GUEST_RULE_NO_EFFECT, 4, GUEST "pci = [ \"07:00.0,msitranslate=1\" ]\n",
     GUEST "pci = [ \"07:00.0,rdm_policy=strict\" ]\n", NULL, NULL},
    {GUEST_RULE_NO_EFFECT, 4, GUEST "pci_power_mgmt = 1\n" GPU, GUEST "pci_power_mgmt = 0\n" GPU,
     NULL, NULL},
    {GUEST_RULE_RDM, 4, GUEST "rdm = \"strategy=host,policy=relaxed\"\n" GPU,
     GUEST "rdm = \"strategy=host\"\n" GPU, NULL, NULL},
    {GUEST_RULE_GFX_PASSTHRU, 4, GUEST "gfx_passthru = 1\n" GPU,
     GUEST "gfx_passthru = 1\npci = [ \"00:02.0\" ]\n", NULL, NULL},
    {GUEST_RULE_NO_DEVICE, 5, GUEST LINE_4 " \"7f:00.0\" ]\n", GUEST GPU, NULL, NULL},
    {GUEST_RULE_BRIDGE_DEVICE, 4, GUEST "pci = [ \"00:1c.0\" ]\n", GUEST GPU, NULL, NULL},
    {GUEST_RULE_SIBLINGS, 4, GUEST "pci = [ \"01:00.1\" ]\n", GUEST GPU, NULL, NULL},
    {GUEST_RULE_OWNED, 4, GUEST "pci = [ \"03:00.0\" ]\n",
     "name = \"other\"\ntype = \"hvm\"\nmemory = 512\npci = [ \"03:00.0\" ]\n", NULL, NULL},
    {GUEST_RULE_NOT_ASSIGNABLE, 4, GUEST "pci = [ \"04:00.0\" ]\n", GUEST GPU, NULL, NULL},
    {GUEST_RULE_NO_IOMMU, 4, GUEST GPU, GUEST GPU, no_iommu, NULL},
    {GUEST_RULE_NODE, 4, GUEST "cpus_soft = \"node:0\"\n" GPU,
     GUEST "cpus_soft = \"nodes:0-1\"\n" GPU, NULL, NULL},
    {GUEST_RULE_NODE, 4, GUEST "cpus = \"nodes:0,2-7\"\n" GPU, GUEST "cpus = \"4-7\"\n" GPU, NULL,
     NULL},
    {GUEST_RULE_NO_RESET, 4, "type = \"hvm\"\nmemory = 3072\n\npci = [ \"05:00.0\" ]\n", GUEST GPU,
     NULL, NULL},
    {GUEST_RULE_NETWORK, 4, GUEST "vif = [ \"bridge=br9\" ]\n", GUEST "vif = [ \"bridge=br9\" ]\n",
     no_bridge, with_bridge},
    {GUEST_RULE_OVMF, 4, GUEST "bios = \"ovmf\"\n", GUEST "bios = \"ovmf\"\n", plain_ovmf,
     xen_ovmf},
};

#define TRIALS (sizeof(trials) / sizeof(trials[0]))

static void ck_clean(const char *text)
{
    ck_assert_msg(findings.count == 0, "%u: %s: not clean is:\n%s",
                  guest_rules[findings.list[0].rule].number, findings.list[0].what, text);
}

START_TEST(each_rule_is_broken_by_one_configuration_and_kept_by_another)
{
    for (size_t i = 0; i < TRIALS; i++) {
        const struct trial *t = &trials[i];
        unsigned int number = guest_rules[t->rule].number;

        set_up();
        if (t->keeping)
            t->keeping();
        validate(t->keeps);
        ck_clean(t->keeps);
        if (t->breaking)
            t->breaking();
        validate(t->breaks);
        ck_assert_msg(findings.count == 1, "%u: %zu findings in:\n%s", number, findings.count,
                      t->breaks);
        ck_assert_uint_eq(guest_rules[findings.list[0].rule].number, number);
        ck_assert_msg(findings.list[0].line == t->line, "%u: on line %u", number,
                      findings.list[0].line);
        ck_assert(findings.list[0].what[0]);
        ck_assert_msg(findings.list[0].mend[0] || t->rule == GUEST_RULE_SYNTAX, "%u: no mend",
                      number);
    }
}
END_TEST

START_TEST(a_device_that_dom0_needs_breaks_its_rule)
{
    validate(GUEST "pci = [ \"02:00.0\" ]\n");
    ck_assert_uint_eq(findings.count, 2); /* it is not kept for guests either */
    ck_assert_int_eq(findings.list[0].rule, GUEST_RULE_DOM0_NEEDS);
    ck_assert_str_eq(findings.list[0].what, "dom0 would lose the filesystem / with 0000:02:00.0");
    ck_assert_int_eq(findings.list[1].rule, GUEST_RULE_NOT_ASSIGNABLE);
    validate(GUEST "pci = [ \"08:00.0\" ]\n");
    ck_assert_uint_eq(findings.count, 0);
}
END_TEST

START_TEST(more_devices_than_are_checked_break_their_rule)
{
    validate(list_of(GUEST_PCI_MAX));
    ck_assert_uint_eq(findings.count, GUEST_PCI_MAX); /* by name, each of them */
    validate(list_of(GUEST_PCI_MAX + 1));
    ck_assert_uint_eq(findings.count, GUEST_PCI_MAX + 1);
    ck_assert_int_eq(findings.list[0].rule, GUEST_RULE_TOO_MANY);
}
END_TEST

START_TEST(every_rule_is_tried)
{
    for (int rule = 0; rule < GUEST_RULES; rule++) {
        bool tried = rule == GUEST_RULE_DOM0_NEEDS || rule == GUEST_RULE_TOO_MANY;

        for (size_t i = 0; i < TRIALS; i++)
            tried = tried || trials[i].rule == (enum guest_rule_id)rule;
        ck_assert_msg(tried, "rule %u has no trial", guest_rules[rule].number);
    }
}
END_TEST

START_TEST(numbers_are_given_once_and_in_order)
{
    for (int rule = 1; rule < GUEST_RULES; rule++)
        ck_assert_uint_gt(guest_rules[rule].number, guest_rules[rule - 1].number);
}
END_TEST

static char document[256 * 1024];

START_TEST(every_rule_is_documented_as_it_is)
{
    FILE *file = fopen("docs/passthrough.md", "r");
    char row[1024];
    size_t got;

    ck_assert_ptr_nonnull(file);
    got = fread(document, 1, sizeof(document) - 1, file);
    fclose(file);
    document[got] = '\0';
    for (int i = 0; i < GUEST_RULES; i++) {
        const struct guest_rule *r = &guest_rules[i];

        snprintf(row, sizeof(row), "\n| %u | %s | %s | %s |\n", r->number,
                 r->severity == GUEST_ERROR ? "error" : "warning", r->claim, r->reason);
        ck_assert_msg(strstr(document, row), "docs/passthrough.md lacks: %s", row + 1);
    }
}
END_TEST

START_TEST(without_a_host_only_the_file_is_judged)
{
    guest_findings_dispose(&findings);
    ck_assert_int_eq(guest_config_parse(GUEST "pci = [ \"7f:00.0\" ]\n",
                                        strlen(GUEST "pci = [ \"7f:00.0\" ]\n"), "g.cfg", &config,
                                        NULL, error, sizeof(error)),
                     GUEST_CONFIG_OK);
    guest_validate(&config, NULL, &around, &findings);
    ck_assert_uint_eq(findings.count, 0);
}
END_TEST

START_TEST(what_cannot_be_judged_is_told)
{
    char text[512];

    validate(GUEST GPU "vif = [ \"\" ]\n");
    guest_not_checked(&config, &host, &around, text, sizeof(text));
    ck_assert_str_eq(text, "network bridges");
    around.bridges[0] = PCI_YES;
    guest_not_checked(&config, &host, &around, text, sizeof(text));
    ck_assert_str_eq(text, "");
    host.machine.hvm_directio = PCI_UNKNOWN;
    around.physbits = 0;
    guest_not_checked(&config, &host, &around, text, sizeof(text));
    ck_assert_str_eq(text, "whether Xen uses an IOMMU; how far the CPUs can address: 39 bits are "
                           "assumed");
    guest_not_checked(&config, NULL, &around, text, sizeof(text));
    ck_assert_str_eq(text, "whatever depends on the host");
}
END_TEST

START_TEST(the_hole_that_is_advised_is_enough)
{
    validate(GUEST "pci = [ \"05:00.0\" ]\n");
    ck_assert_uint_eq(findings.count, 2);
    ck_assert_int_eq(findings.list[1].rule, GUEST_RULE_PLACEMENT);
    ck_assert_str_eq(findings.list[1].what, "0000:05:00.0: BAR 1 (256 MiB, 32-bit) finds no room");
    ck_assert_str_eq(findings.list[1].mend, "mmio_hole = 512");
    validate(GUEST "mmio_hole = 512\npci = [ \"05:00.0\" ]\n");
    ck_assert_uint_eq(findings.count, 1);
    ck_assert_int_eq(findings.list[0].rule, GUEST_RULE_NO_RESET);
}
END_TEST

START_TEST(missing_siblings_are_told_once_with_all_that_is_missing)
{
    devices[MADE_USB].group = MADE_GPU;
    validate(GUEST "pci = [ \"01:00.1\" ]\n");
    ck_assert_uint_eq(findings.count, 1);
    ck_assert_str_eq(findings.list[0].what, "2 functions are missing that belong to 0000:01:00.1");
    ck_assert_str_eq(findings.list[0].mend, "add \"0000:01:00.0\", \"0000:07:00.0\"");
    validate(GUEST "pci = [ \"01:00.1\", \"07:00.0\" ]\n");
    ck_assert_uint_eq(findings.count, 1);
    ck_assert_str_eq(findings.list[0].mend, "add \"0000:01:00.0\"");
}
END_TEST

START_TEST(findings_come_by_line)
{
    validate("pci = [ \"7f:00.0\",\n\"01:00.0\" ]\nmemory = 512\nmaxmem = 1024\ntype = \"hvm\"\n");
    ck_assert_uint_eq(findings.count, 3);
    for (size_t i = 0; i < 3; i++)
        ck_assert_uint_eq(findings.list[i].line, i + 1);
}
END_TEST

CHECK_FIXTURE_CASE(rules, set_up, tear_down,
                   each_rule_is_broken_by_one_configuration_and_kept_by_another,
                   a_device_that_dom0_needs_breaks_its_rule,
                   more_devices_than_are_checked_break_their_rule,
                   without_a_host_only_the_file_is_judged, what_cannot_be_judged_is_told,
                   the_hole_that_is_advised_is_enough,
                   missing_siblings_are_told_once_with_all_that_is_missing, findings_come_by_line)
CHECK_CASE(catalogue, every_rule_is_tried, numbers_are_given_once_and_in_order,
           every_rule_is_documented_as_it_is)
CHECK_MAIN("pci validate", rules, catalogue)
