/* SPDX-License-Identifier: LGPL-2.1-only */
/* links: tools/pci/generate.c tools/pci/card.c tools/pci/validate.c tools/pci/validate_entries.c */
/* links: tools/pci/validate_host.c tools/pci/validate_placement.c tools/pci/rules.c */
/* links: tools/pci/guest_config.c tools/pci/bar_placement.c tools/pci/address.c */
/* links: tools/pci/device.c tools/pci/topology.c tools/pci/config_space.c tools/pci/summary.c */
/* links: daemon/config_scan.c daemon/config_text.c */
/* What is generated from the templates that we ship. Run from the top of the source tree. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../tools/pci/generate.h"
#include "../../tools/pci/validate.h"
#include "check_main.h"
#include "made_pci_host.h"

#define TEXT_MAX (64 * 1024)

static struct pci_device devices[MADE_DEVICES];
static struct pci_loss loss;
static struct pci_host host;
static struct guest_request request;
static struct guest_config config;
static struct guest_findings findings;
static char text[TEXT_MAX], common[TEXT_MAX], special[TEXT_MAX];

static void set_up(void)
{
    made_pci_host(&host, devices, &loss);
    request = (struct guest_request){.name = "g1", .memory_mib = 4096, .vcpus = 3};
}

static void tear_down(void)
{
    guest_findings_dispose(&findings);
}

static void read_template(const char *name, char *to)
{
    char path[256];
    FILE *file;
    size_t got;

    snprintf(path, sizeof(path), "xen-configs/%s.cfg", name);
    file = fopen(path, "r");
    ck_assert_msg(file, "no %s", path);
    got = fread(to, 1, TEXT_MAX - 1, file);
    fclose(file);
    to[got] = '\0';
}

static void generate(const char *name)
{
    FILE *to = fmemopen(text, sizeof(text), "w");

    ck_assert_ptr_nonnull(to);
    read_template("common", common);
    read_template(name, special);
    guest_generate(&request, &host, common, special, to);
    fclose(to);
}

static void parse(void)
{
    char error[512];
    unsigned int line;

    ck_assert_msg(guest_config_parse(text, strlen(text), "g.cfg", &config, &line, error,
                                     sizeof(error)) == GUEST_CONFIG_OK,
                  "%s in:\n%s", error, text);
}

static const struct {
    const char *name;
    enum made_device device;
} suited[] = {
    {"windows10-nvidia", MADE_GPU},
    {"windows10-amd", MADE_AMD_GPU},
    {"windows11", MADE_GPU},
    {"linux-compute", MADE_GPU},
    {"network-vf", MADE_NIC},
    {"usb-controller", MADE_USB},
    {"nvme", MADE_NVME},
    {"windows7", MADE_GPU},
};

START_TEST(each_template_for_its_device_is_read_by_xl_and_has_nothing_wrong)
{
    struct guest_surroundings around = {.physbits = 39};

    ck_assert_uint_eq(guest_template_count, sizeof(suited) / sizeof(suited[0]));
    devices[MADE_NIC].assignable = true;
    for (size_t i = 0; i < guest_template_count; i++) {
        const struct guest_template *t = guest_template_by_name(suited[i].name);

        ck_assert_msg(t, "no template %s", suited[i].name);
        ck_assert(guest_template_suits(t, &devices[suited[i].device]));
        request.device_count = 0;
        ck_assert_int_eq(guest_request_add(&request, &host, suited[i].device), 0);
        generate(t->name);
        parse();
        ck_assert_uint_gt(config.pci_count, 0);
        guest_validate(&config, &host, &around, &findings);
        ck_assert_msg(findings.count == 0, "%s: %u: %s", t->name,
                      guest_rules[findings.list[0].rule].number, findings.list[0].what);
    }
}
END_TEST

START_TEST(each_template_is_a_file_and_each_file_a_template)
{
    DIR *directory = opendir("xen-configs");
    const struct dirent *entry;
    size_t found = 0;

    ck_assert_ptr_nonnull(directory);
    while ((entry = readdir(directory))) {
        char name[256];
        size_t length = strlen(entry->d_name);

        if (length < 5 || strcmp(entry->d_name + length - 4, ".cfg") != 0 ||
            strcmp(entry->d_name, "common.cfg") == 0)
            continue;
        snprintf(name, sizeof(name), "%.*s", (int)(length - 4), entry->d_name);
        ck_assert_msg(guest_template_by_name(name), "%s is not known", entry->d_name);
        found++;
    }
    closedir(directory);
    ck_assert_uint_eq(found, guest_template_count);
}
END_TEST

/* By hand: cat common.cfg NAME.cfg. */
START_TEST(the_two_files_one_after_the_other_are_a_configuration)
{
    for (size_t i = 0; i < guest_template_count; i++) {
        size_t used;

        read_template("common", text);
        used = strlen(text);
        read_template(guest_templates[i].name, special);
        snprintf(text + used, sizeof(text) - used, "%s", special);
        parse();
        ck_assert_uint_eq(config.pci_count, 2);
        guest_validate(&config, NULL, &(struct guest_surroundings){.physbits = 39}, &findings);
        ck_assert_uint_eq(findings.count, 0);
    }
}
END_TEST

START_TEST(what_was_asked_for_is_in_it)
{
    request.disk = "/dev/vg9/disk";
    request.bridge = "br7";
    guest_request_add(&request, &host, MADE_GPU_AUDIO);
    generate("windows7");
    parse();
    ck_assert_str_eq(config.name.value, "g1");
    ck_assert_int_eq(config.kind, GUEST_HVM);
    ck_assert_int_eq(config.memory_mib.value, 4096);
    ck_assert_int_eq(config.maxmem_mib.value, 4096);
    ck_assert_int_eq(config.vcpus.value, 3);
    ck_assert_str_eq(config.cpus_soft.value, "node:1");
    ck_assert_str_eq(config.vifs[0].bridge, "br7");
    ck_assert_ptr_nonnull(strstr(text, "format=raw,vdev=hda,access=rw,target=/dev/vg9/disk\""));
    ck_assert_uint_eq(config.pci_count, 2);
    ck_assert_uint_eq(config.pci[0].address.function, 0);
    ck_assert_uint_eq(config.pci[1].address.function, 1);
    ck_assert_str_eq(guest_pci_option(&config.pci[1], "rdm_policy"), "strict");
    ck_assert_uint_eq(config.mmio_hole_mib.line, 0);
    ck_assert_ptr_null(strstr(text, "(1)"));
}
END_TEST

START_TEST(a_hole_is_made_where_it_is_needed)
{
    uint32_t tag;

    guest_request_add(&request, &host, MADE_OLD_GPU);
    ck_assert_uint_eq(guest_request_make_room(&request, &host, 39, &tag), 0);
    generate("windows7");
    parse();
    ck_assert_int_eq(config.mmio_hole_mib.value, 512);
}
END_TEST

START_TEST(what_finds_no_room_is_named)
{
    uint32_t tag;

    guest_request_add(&request, &host, MADE_BIG_GPU);
    ck_assert_uint_eq(guest_request_make_room(&request, &host, 39, &tag), 1);
    ck_assert_uint_eq(tag, MADE_BIG_GPU * PCI_REGIONS);
    ck_assert_uint_eq(guest_request_make_room(&request, &host, 46, &tag), 0);
}
END_TEST

START_TEST(devices_on_two_nodes_have_no_node)
{
    devices[MADE_USB].node = 0;
    guest_request_add(&request, &host, MADE_GPU);
    guest_request_add(&request, &host, MADE_NVME);
    ck_assert_uint_eq(guest_request_node(&request, &host), 1);
    guest_request_add(&request, &host, MADE_USB);
    ck_assert_uint_eq(guest_request_node(&request, &host), PCI_NO_NODE);
    generate("nvme");
    parse();
    ck_assert_uint_eq(config.cpus_soft.line, 0);
}
END_TEST

START_TEST(a_device_is_listed_once_however_often_it_is_asked_for)
{
    guest_request_add(&request, &host, MADE_GPU);
    guest_request_add(&request, &host, MADE_GPU_AUDIO);
    guest_request_add(&request, &host, MADE_GPU);
    ck_assert_uint_eq(request.device_count, 2);
}
END_TEST

START_TEST(all_functions_of_a_graphics_card_go_together_and_of_others_those_that_must)
{
    devices[MADE_GPU_AUDIO].group = MADE_GPU_AUDIO; /* kept apart by ACS */
    guest_request_add(&request, &host, MADE_GPU_AUDIO);
    ck_assert_uint_eq(request.device_count, 2);
    request.device_count = 0;
    devices[MADE_NVME].address = devices[MADE_USB].address;
    devices[MADE_NVME].address.function = 1;
    guest_request_add(&request, &host, MADE_USB);
    ck_assert_uint_eq(request.device_count, 1);
    devices[MADE_BRIDGE].group = MADE_USB;
    guest_request_add(&request, &host, MADE_USB);
    ck_assert_uint_eq(request.device_count, 1);
}
END_TEST

START_TEST(a_device_of_another_kind_does_not_suit)
{
    const struct guest_template *nvidia = guest_template_by_name("windows10-nvidia");

    ck_assert(!guest_template_suits(nvidia, &devices[MADE_AMD_GPU]));
    ck_assert(!guest_template_suits(nvidia, &devices[MADE_NVME]));
    ck_assert(
        guest_template_suits(guest_template_by_name("linux-compute"), &devices[MADE_BIG_GPU]));
    ck_assert_ptr_null(guest_template_by_name("common"));
}
END_TEST

CHECK_FIXTURE_CASE(templates, set_up, tear_down,
                   each_template_for_its_device_is_read_by_xl_and_has_nothing_wrong,
                   each_template_is_a_file_and_each_file_a_template,
                   the_two_files_one_after_the_other_are_a_configuration)
CHECK_FIXTURE_CASE(requests, set_up, tear_down, what_was_asked_for_is_in_it,
                   a_hole_is_made_where_it_is_needed, what_finds_no_room_is_named,
                   devices_on_two_nodes_have_no_node,
                   a_device_is_listed_once_however_often_it_is_asked_for,
                   all_functions_of_a_graphics_card_go_together_and_of_others_those_that_must,
                   a_device_of_another_kind_does_not_suit)
CHECK_MAIN("pci generate", templates, requests)
