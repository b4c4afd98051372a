/* SPDX-License-Identifier: LGPL-2.1-only */
/* links: tools/pci/guest_config.c daemon/config_scan.c daemon/config_text.c */
/* What is read of a guest's configuration: as xl reads it, and on which line it stands. */
#include <stdio.h>
#include <string.h>

#include "../../tools/pci/guest_config.h"
#include "check_main.h"

static struct guest_config config;
static char error[512];
static unsigned int line;

static int parse(const char *text)
{
    return guest_config_parse(text, strlen(text), "g.cfg", &config, &line, error, sizeof(error));
}

START_TEST(settings_are_read_with_their_lines)
{
    ck_assert_int_eq(parse("name = \"win10\"\n"
                           "type = \"hvm\"; memory = 4096\n"
                           "# maxmem = 1\n"
                           "maxmem = '8192'\n"
                           "cpus_soft = \"node:1\"\n"),
                     GUEST_CONFIG_OK);
    ck_assert_str_eq(config.name.value, "win10");
    ck_assert_int_eq(config.kind, GUEST_HVM);
    ck_assert_int_eq(config.memory_mib.value, 4096);
    ck_assert_uint_eq(config.memory_mib.line, 2);
    ck_assert_int_eq(config.maxmem_mib.value, 8192);
    ck_assert_uint_eq(config.maxmem_mib.line, 4);
    ck_assert_str_eq(config.cpus_soft.value, "node:1");
    ck_assert_uint_eq(config.mmio_hole_mib.line, 0);
    ck_assert_uint_eq(config.pci_line, 0);
    ck_assert_uint_eq(config.pci_count, 0);
}
END_TEST

START_TEST(the_last_of_two_assignments_counts)
{
    ck_assert_int_eq(parse("memory = 1\npci = [ \"01:00.0\" ]\nmemory = 2\npci = [ \"02:00.0\",\n"
                           "\"03:00.0\" ]\npci += [ \"04:00.0\" ]\n"),
                     GUEST_CONFIG_OK);
    ck_assert_int_eq(config.memory_mib.value, 2);
    ck_assert_uint_eq(config.memory_mib.line, 3);
    ck_assert_uint_eq(config.pci_count, 3);
    ck_assert_uint_eq(config.pci[0].address.bus, 2);
    ck_assert_uint_eq(config.pci[0].line, 4);
    ck_assert_uint_eq(config.pci[1].line, 5);
    ck_assert_uint_eq(config.pci[2].address.bus, 4);
    ck_assert_uint_eq(config.pci[2].line, 6);
    ck_assert_uint_eq(config.pci_line, 6);
}
END_TEST

START_TEST(entries_are_understood_as_xl_does)
{
    ck_assert_int_eq(parse("pci = [ \"0001:ab:1f.7@5,permissive=1,rdm_policy=strict\",\n"
                           "        \"01:00.*\", \"name=gpu\", \"01:00.0, permissive=1\",\n"
                           "        \"bdf=02:00.1,seize=1\", \"12:34\" ]\n"),
                     GUEST_CONFIG_OK);
    ck_assert_uint_eq(config.pci_count, 6);
    ck_assert_int_eq(config.pci[0].form, GUEST_PCI_ONE);
    ck_assert_uint_eq(config.pci[0].address.domain, 1);
    ck_assert_uint_eq(config.pci[0].address.function, 7);
    ck_assert_str_eq(guest_pci_option(&config.pci[0], "permissive"), "1");
    ck_assert_str_eq(guest_pci_option(&config.pci[0], "rdm_policy"), "strict");
    ck_assert_ptr_null(guest_pci_option(&config.pci[0], "seize"));
    ck_assert_int_eq(config.pci[1].form, GUEST_PCI_ALL_FUNCTIONS);
    ck_assert_int_eq(config.pci[2].form, GUEST_PCI_BY_NAME);
    ck_assert_int_eq(config.pci[3].form, GUEST_PCI_REFUSED);
    ck_assert_int_eq(config.pci[4].form, GUEST_PCI_ONE);
    ck_assert_uint_eq(config.pci[4].address.bus, 2);
    ck_assert_int_eq(config.pci[5].form, GUEST_PCI_REFUSED);
    ck_assert_uint_eq(config.pci[5].line, 3);
}
END_TEST

START_TEST(of_an_option_given_twice_the_last_counts)
{
    ck_assert_int_eq(parse("pci = [ \"01:00.0,permissive=0,permissive=1\" ]"), GUEST_CONFIG_OK);
    ck_assert_str_eq(guest_pci_option(&config.pci[0], "permissive"), "1");
}
END_TEST

START_TEST(bridges_of_vifs_are_found)
{
    ck_assert_int_eq(parse("vif = [ 'model=e1000,bridge=br7',\n 'mac=00:16:3e:00:00:01', "
                           "'bridge=br8 , model=e1000' ]"),
                     GUEST_CONFIG_OK);
    ck_assert_uint_eq(config.vif_count, 3);
    ck_assert_str_eq(config.vifs[0].bridge, "br7");
    ck_assert_str_eq(config.vifs[1].bridge, "");
    ck_assert_uint_eq(config.vifs[1].line, 2);
    ck_assert_str_eq(config.vifs[2].bridge, "br8");
}
END_TEST

START_TEST(the_kind_is_what_xl_makes_of_type_and_builder)
{
    parse("builder = \"hvm\"\n");
    ck_assert_int_eq(config.kind, GUEST_HVM);
    parse("builder = \"hvm\"\ntype = \"pvh\"\n");
    ck_assert_int_eq(config.kind, GUEST_PVH);
    parse("memory = 1\n");
    ck_assert_int_eq(config.kind, GUEST_PV);
}
END_TEST

START_TEST(what_xl_would_pass_over_is_told_apart)
{
    ck_assert_int_eq(parse("pci = \"01:00.0\"\nmemory = \"4g\"\nmaxmem = [ 1 ]\n"),
                     GUEST_CONFIG_OK);
    ck_assert_int_eq(config.pci_misread, GUEST_NOT_A_LIST);
    ck_assert_uint_eq(config.pci_line, 1);
    ck_assert_int_eq(config.memory_mib.misread, GUEST_NOT_A_NUMBER);
    ck_assert_int_eq(config.maxmem_mib.misread, GUEST_NOT_A_VALUE);
}
END_TEST

START_TEST(what_xl_cannot_read_has_a_line)
{
    ck_assert_int_eq(parse("memory = 1\n\nmaxmem = 8g\n"), GUEST_CONFIG_WRONG);
    ck_assert_uint_eq(line, 3);
    ck_assert(strncmp(error, "g.cfg:3: ", 9) == 0);
}
END_TEST

START_TEST(more_entries_than_there_is_room_for_are_told)
{
    static char text[64 * 1024];
    size_t used = 0;

    used += (size_t)snprintf(text, sizeof(text), "pci = [\n");
    for (unsigned int i = 0; i <= GUEST_PCI_MAX; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "\"%02x:00.0\",\n", i);
    snprintf(text + used, sizeof(text) - used, "]\n");
    ck_assert_int_eq(parse(text), GUEST_CONFIG_OK);
    ck_assert_uint_eq(config.pci_count, GUEST_PCI_MAX);
    ck_assert(config.pci_too_many);
    ck_assert_uint_eq(config.pci[GUEST_PCI_MAX - 1].line, GUEST_PCI_MAX + 1);
}
END_TEST

START_TEST(bytes_that_are_not_printable_do_not_get_out)
{
    ck_assert_int_eq(parse("name = \"a\033[31mb\"\n"), GUEST_CONFIG_OK);
    ck_assert_str_eq(config.name.value, "a?[31mb");
}
END_TEST

/* libxlutil would end the program at these, or read where nothing is. */
START_TEST(what_libxlutil_cannot_stand_is_kept_from_it)
{
    static const char zero[] = "memory = 1\nname = \"a\0b\"\n";
    static const char *const addresses[] = {"01:00", "0000:01:00", "01:00;0", "bdf=01:00",
                                            "vslot=1,bdf=0000:01:00,permissive=1"};
    struct guest_pci entry;

    ck_assert_int_eq(
        guest_config_parse(zero, sizeof(zero) - 1, "g.cfg", &config, &line, error, sizeof(error)),
        GUEST_CONFIG_WRONG);
    ck_assert_uint_eq(line, 2);
    ck_assert_str_eq(error, "g.cfg:2: a byte of 0: this is not a text file");
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        guest_pci_parse(addresses[i], &entry);
        ck_assert_int_eq(entry.form, GUEST_PCI_REFUSED);
        ck_assert_str_eq(entry.text, addresses[i]);
    }
}
END_TEST

START_TEST(a_missing_file_is_unreadable)
{
    ck_assert_int_eq(guest_config_read("/nonexistent.cfg", &config, &line, error, sizeof(error)),
                     GUEST_CONFIG_UNREADABLE);
    ck_assert_str_eq(error, "cannot read /nonexistent.cfg: No such file or directory");
}
END_TEST

START_TEST(numbers_are_what_atoi_takes_for_one)
{
    ck_assert(guest_option_is_number("1"));
    ck_assert(guest_option_is_number(" -3x"));
    ck_assert(!guest_option_is_number("true"));
    ck_assert(!guest_option_is_number(""));
}
END_TEST

CHECK_CASE(reading, settings_are_read_with_their_lines, the_last_of_two_assignments_counts,
           entries_are_understood_as_xl_does, of_an_option_given_twice_the_last_counts,
           bridges_of_vifs_are_found, the_kind_is_what_xl_makes_of_type_and_builder,
           numbers_are_what_atoi_takes_for_one)
CHECK_CASE(strange, what_xl_would_pass_over_is_told_apart, what_xl_cannot_read_has_a_line,
           more_entries_than_there_is_room_for_are_told,
           bytes_that_are_not_printable_do_not_get_out, what_libxlutil_cannot_stand_is_kept_from_it,
           a_missing_file_is_unreadable)
CHECK_MAIN("pci guest config", reading, strange)
