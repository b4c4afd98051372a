/* SPDX-License-Identifier: LGPL-2.1-only */
/* links: tools/pci/validate.c tools/pci/validate_entries.c tools/pci/validate_host.c */
/* links: tools/pci/validate_placement.c tools/pci/surroundings.c tools/pci/rules.c */
/* links: tools/pci/guest_config.c tools/pci/bar_placement.c */
/* links: daemon/config_scan.c daemon/config_text.c */
/* links: tools/pci/device.c tools/pci/topology.c tools/pci/config_space.c tools/pci/summary.c */
/* links: tools/pci/address.c tools/pci/files.c */
/*
 * What holds of whatever pci-validate finds in a configuration that is thrown together from good
 * settings and bad ones: each finding is one of the catalogue, on a line of the file, with its
 * mend; and what is found depends neither on the order of the settings nor on what is beside them.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "../../tools/pci/validate.h"
#include "property.h"

#include "../unit/check_main.h"
#include "../unit/made_pci_host.h"

#define LINES_MAX 24
#define TEXT_MAX  8192

/* Each at most once, so that their order means nothing. */
static const struct {
    const char *name, *values[6];
} settings[] = {
    {"name", {"\"g\"", "\"other\"", "[ \"g\" ]"}},
    {"type", {"\"hvm\"", "\"hvm\"", "\"hvm\"", "\"pvh\"", "\"pv\"", "\"hmv\""}},
    {"builder", {"\"hvm\""}},
    {"memory", {"4096", "512", "65536", "\"4g\"", "0"}},
    {"maxmem", {"4096", "8192", "\"512\""}},
    {"mmio_hole", {"256", "1024", "128", "4096", "\"x\""}},
    {"videoram", {"16", "512"}},
    {"cpus", {"\"0-3\"", "\"nodes:1\"", "\"node:0\""}},
    {"cpus_soft", {"\"node:0\"", "\"nodes:0-1\"", "\"node:1\"", "7"}},
    {"rdm", {"\"strategy=host\"", "\"strategy=host,policy=strict\""}},
    {"gfx_passthru", {"1", "0", "\"igd\""}},
    {"passthrough", {"\"enabled\"", "\"disabled\""}},
    {"device_model_version", {"\"qemu-xen\"", "\"qemu-xen-traditional\""}},
    {"kernel", {"\"/boot/vmlinuz\"", "\"/usr/lib/xen/boot/hvmloader\""}},
    {"bios", {"\"seabios\"", "\"ovmf\""}},
    {"pci_permissive", {"1", "0", "\"yes\""}},
    {"pci_seize", {"1", "0"}},
    {"pci_power_mgmt", {"1", "0"}},
    {"vif", {"[ \"bridge=br9\" ]", "[ \"\" ]", "\"bridge=br9\""}},
    {"on_crash", {"\"destroy\""}},
};

#define SETTINGS (sizeof(settings) / sizeof(settings[0]))

static const char *const entries[] = {
    "01:00.0",
    "01:00.1",
    "01:00.*",
    "03:00.0",
    "04:00.0,permissive=1",
    "05:00.0,permissive=yes",
    "06:00.0,msitranslate=1",
    "07:00.0,rdm_policy=strict",
    "00:1c.0",
    "00:02.0,seize=1",
    "7f:00.0",
    "name=gpu",
    "01:00",
    "nonsense",
};

#define ENTRIES (sizeof(entries) / sizeof(entries[0]))

struct lines {
    char text[LINES_MAX][512];
    size_t count;
};

static void make_lines(const struct shape *shape, struct lines *lines)
{
    size_t wanted = shape->guests, used;

    lines->count = 0;
    for (size_t i = 0; i < SETTINGS; i++) {
        size_t values = 0;

        if (draw(shape->seed, 20, i) % SETTINGS > wanted)
            continue;
        while (values < 6 && settings[i].values[values])
            values++;
        snprintf(lines->text[lines->count++], sizeof(lines->text[0]), "%s = %s", settings[i].name,
                 settings[i].values[draw(shape->seed, 21, i) % values]);
    }
    used = (size_t)snprintf(lines->text[lines->count], sizeof(lines->text[0]), "pci = [");
    for (size_t i = 0; i < draw(shape->seed, 22, 0) % 5; i++)
        used += (size_t)snprintf(lines->text[lines->count] + used, sizeof(lines->text[0]) - used,
                                 " \"%s\",", entries[draw(shape->seed, 23, i) % ENTRIES]);
    snprintf(lines->text[lines->count] + used, sizeof(lines->text[0]) - used, " ]");
    lines->count++;
}

/* The findings of the lines, from line `first` round to the one before it, behind so many of
 * comment. The caller disposes of them. */
static void validate(const struct shape *shape, const struct lines *lines, size_t first,
                     size_t comments, struct guest_findings *findings)
{
    static struct guest_config config;
    static struct pci_device devices[MADE_DEVICES];
    struct guest_surroundings around = {.physbits = 39};
    struct pci_loss loss;
    struct pci_host host;
    char text[TEXT_MAX], error[512];
    unsigned int line;
    size_t used = 0;

    for (size_t i = 0; i < comments; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "# memory = %zu\n", i);
    for (size_t i = 0; i < lines->count; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s\n",
                                 lines->text[(first + i) % lines->count]);
    made_pci_host(&host, devices, &loss);
    host.machine.hvm_directio = draw(shape->seed, 24, 0) % 4 ? PCI_YES : PCI_NO;
    around.bridges[0] = draw(shape->seed, 24, 1) % 2 ? PCI_YES : PCI_NO;
    around.bios = draw(shape->seed, 24, 2) % 2 ? GUEST_IMAGE_OVMF_XEN : GUEST_IMAGE_OTHER;
    memset(findings, 0, sizeof(*findings));
    ck_assert_msg(guest_config_parse(text, used, "g.cfg", &config, &line, error, sizeof(error)) ==
                      GUEST_CONFIG_OK,
                  "%s in:\n%s", error, text);
    guest_validate(&config, &host, &around, findings);
}

static const char *wrong_with_text(const char *text)
{
    size_t length = strnlen(text, GUEST_FINDING_SIZE);

    if (length == GUEST_FINDING_SIZE || length == 0)
        return "a finding says nothing, or without end";
    for (size_t i = 0; i < length; i++)
        if (!isprint((unsigned char)text[i]))
            return "a finding is not printable";
    return NULL;
}

static const char *wrong_with(const struct guest_findings *findings, size_t line_count)
{
    for (size_t i = 0; i < findings->count; i++) {
        const struct guest_finding *f = &findings->list[i];
        const char *wrong = wrong_with_text(f->what);

        if (!wrong)
            wrong = wrong_with_text(f->mend);
        if (wrong)
            return wrong;
        if (f->rule >= GUEST_RULES || !guest_rules[f->rule].reason[0])
            return "a finding is none of the catalogue";
        if (f->line > line_count)
            return "a finding is on a line that is not there";
        if (i > 0 && f->line < f[-1].line)
            return "findings are not by line";
    }
    return findings->out_of_memory ? "out of memory" : NULL;
}

static const char *each_finding_is_of_the_catalogue_and_on_a_line(const struct shape *shape)
{
    struct guest_findings findings;
    struct lines lines;
    const char *wrong;

    make_lines(shape, &lines);
    validate(shape, &lines, 0, 0, &findings);
    wrong = wrong_with(&findings, lines.count);
    guest_findings_dispose(&findings);
    return wrong;
}

static const char *compare_rules(const struct guest_findings *a, const struct guest_findings *b)
{
    int balance[GUEST_RULES] = {0};

    if (a->count != b->count)
        return "there are more or fewer findings";
    for (size_t i = 0; i < a->count; i++) {
        balance[a->list[i].rule]++;
        balance[b->list[i].rule]--;
    }
    for (int i = 0; i < GUEST_RULES; i++)
        if (balance[i])
            return "another rule is broken";
    return NULL;
}

static const char *the_order_of_settings_does_not_matter(const struct shape *shape)
{
    struct guest_findings one, other;
    struct lines lines;
    const char *wrong;

    make_lines(shape, &lines);
    validate(shape, &lines, 0, 0, &one);
    validate(shape, &lines, shape->ticks % lines.count, 0, &other);
    wrong = compare_rules(&one, &other);
    guest_findings_dispose(&one);
    guest_findings_dispose(&other);
    return wrong;
}

static const char *lines_before_it_move_a_finding_and_do_nothing_else(const struct shape *shape)
{
    struct guest_findings one, other;
    struct lines lines;
    const char *wrong;
    unsigned int comments = shape->ticks % 50;

    make_lines(shape, &lines);
    validate(shape, &lines, 0, 0, &one);
    validate(shape, &lines, 0, comments, &other);
    wrong = compare_rules(&one, &other);
    for (size_t i = 0; i < one.count && !wrong; i++)
        if (one.list[i].rule != other.list[i].rule ||
            (one.list[i].line && one.list[i].line + comments != other.list[i].line))
            wrong = "a finding has not moved along with its line";
    guest_findings_dispose(&one);
    guest_findings_dispose(&other);
    return wrong;
}

START_TEST(catalogue)
{
    holds_always(each_finding_is_of_the_catalogue_and_on_a_line, 3000);
    holds_always(the_order_of_settings_does_not_matter, 3000);
    holds_always(lines_before_it_move_a_finding_and_do_nothing_else, 3000);
}
END_TEST

CHECK_CASE(properties, catalogue)
CHECK_MAIN("pci validate properties", properties)
