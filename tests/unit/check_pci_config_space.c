/* SPDX-License-Identifier: LGPL-2.1-only */
/* links: tools/pci/config_space.c tools/pci/summary.c tools/pci/fields.c */
/* links: tools/pci/fields_legacy.c tools/pci/fields_express.c tools/pci/fields_extended.c */
/* Config space, decoded by hand-made bytes: what lspci, the other reference, does not show. */
#include "check_main.h"

#include <string.h>

#include "../../tools/pci/config_space.h"

static struct pci_config config;
static struct pci_capabilities found;
static struct pci_summary summary;

static void put(size_t offset, unsigned int bytes, uint64_t value)
{
    for (; bytes > 0; bytes--, value >>= 8)
        config.untrusted_bytes[offset++] = value & 0xff;
}

static void set_up(void)
{
    memset(&config, 0, sizeof(config));
    config.size = PCI_CONFIG_SIZE;
    put(0x06, 2, 0x0010);
}

static void tear_down(void)
{
}

static void decode(void)
{
    pci_capabilities_find(&config, &found);
    pci_summarize(&config, &found, &summary);
}

/* One capability of that id at 0x40. */
static void one(uint8_t id)
{
    put(0x34, 1, 0x40);
    put(0x40, 1, id);
}

/* And an extended one at 0x100; the only other is PCI Express. */
static void one_extended(uint16_t id)
{
    one(PCI_CAPABILITY_EXPRESS);
    put(0x42, 2, 0x0002);
    put(0x100, 4, id | 1u << 16);
}

/* ---- lists ---- */

START_TEST(a_number_is_read_only_if_all_of_it_is_there)
{
    uint64_t value = 7;

    put(0xfc, 8, 0x1122334455667788);
    ck_assert(pci_config_read(&config, 0xfc, 8, &value));
    ck_assert_uint_eq(value, 0x1122334455667788);
    config.size = 0x100;
    ck_assert(pci_config_read(&config, 0xfc, 4, &value));
    ck_assert_uint_eq(value, 0x55667788);
    ck_assert(!pci_config_read(&config, 0xfd, 4, &value));
    ck_assert_uint_eq(value, 0);
    ck_assert(!pci_config_read(&config, SIZE_MAX, 2, &value));
}
END_TEST

START_TEST(without_the_bit_in_the_status_there_is_no_list)
{
    one(PCI_CAPABILITY_MSI);
    put(0x06, 2, 0);
    decode();
    ck_assert_uint_eq(found.count, 0);
    ck_assert_int_eq(found.legacy_flaw, PCI_LIST_GOOD);
}
END_TEST

START_TEST(the_low_bits_of_a_pointer_do_not_count)
{
    one(PCI_CAPABILITY_MSI);
    put(0x34, 1, 0x43);
    put(0x41, 1, 0x52);
    put(0x50, 1, PCI_CAPABILITY_MSIX);
    decode();
    ck_assert_uint_eq(found.count, 2);
    ck_assert_uint_eq(found.list[1].offset, 0x50);
}
END_TEST

START_TEST(a_cardbus_bridge_has_its_list_elsewhere)
{
    put(0x0e, 1, 2);
    put(0x14, 1, 0x80);
    put(0x80, 1, PCI_CAPABILITY_POWER_MANAGEMENT);
    decode();
    ck_assert_uint_eq(found.count, 1);
    ck_assert_uint_eq(found.list[0].offset, 0x80);
}
END_TEST

START_TEST(a_list_that_loops_ends)
{
    one(PCI_CAPABILITY_MSI);
    put(0x41, 1, 0x48);
    put(0x48, 1, PCI_CAPABILITY_MSIX);
    put(0x49, 1, 0x40);
    decode();
    ck_assert_uint_eq(found.count, 2);
    ck_assert_int_eq(found.legacy_flaw, PCI_LIST_LOOPS);
    ck_assert_uint_eq(found.legacy_flaw_at, 0x40);
}
END_TEST

START_TEST(the_longest_lists_have_room)
{
    put(0x34, 1, 0x40);
    for (size_t at = 0x40; at < 0x100; at += 4) {
        put(at, 1, PCI_CAPABILITY_EXPRESS);
        put(at + 1, 1, at + 4 < 0x100 ? at + 4 : 0);
    }
    for (size_t at = 0x100; at < 0x1000; at += 4)
        put(at, 4, 1 | 1u << 16 | (at + 4 < 0x1000 ? at + 4 : 0) << 20);
    decode();
    ck_assert_uint_eq(found.count, PCI_CAPABILITIES_MAX);
    ck_assert_int_eq(found.legacy_flaw, PCI_LIST_GOOD);
    ck_assert_int_eq(found.extended_flaw, PCI_LIST_GOOD);
}
END_TEST

START_TEST(what_could_not_be_read_is_no_empty_list)
{
    one(PCI_CAPABILITY_MSI);
    config.size = PCI_CONFIG_HEADER_SIZE;
    decode();
    ck_assert_int_eq(found.legacy_flaw, PCI_LIST_UNREADABLE);
    one_extended(PCI_EXTENDED_ACS);
    config.size = PCI_CONFIG_LEGACY_SIZE;
    decode();
    ck_assert_int_eq(found.legacy_flaw, PCI_LIST_GOOD);
    ck_assert_int_eq(found.extended_flaw, PCI_LIST_UNREADABLE);
    config.size = PCI_CONFIG_SIZE;
    put(0x100, 4, 0xffffffff); /* what cannot be reached reads so */
    decode();
    ck_assert_int_eq(found.extended_flaw, PCI_LIST_UNREADABLE);
}
END_TEST

START_TEST(a_device_that_reads_as_ones_is_dead)
{
    memset(config.untrusted_bytes, 0xff, sizeof(config.untrusted_bytes));
    decode();
    ck_assert_uint_eq(found.count, 0);
    ck_assert_int_eq(found.legacy_flaw, PCI_LIST_DEAD);
}
END_TEST

/* ---- fields ---- */

struct wanted {
    const char *name;
    uint64_t value;
    char meaning[PCI_MEANING_SIZE];
    size_t times;
};

static void look(void *context, const struct pci_field *field)
{
    struct wanted *wanted = context;

    if (strcmp(field->name, wanted->name) != 0)
        return;
    wanted->value = field->value;
    strcpy(wanted->meaning, field->meaning);
    wanted->times++;
}

/* The field of that name of the last capability; fails if there is not just one. */
static struct wanted field(const char *name)
{
    struct wanted wanted = {.name = name};

    pci_fields_visit(&config, &found.list[found.count - 1], look, &wanted);
    ck_assert_msg(wanted.times == 1, "%s: there %zu times", name, wanted.times);
    return wanted;
}

static bool has_field(const char *name)
{
    struct wanted wanted = {.name = name};

    pci_fields_visit(&config, &found.list[found.count - 1], look, &wanted);
    return wanted.times > 0;
}

START_TEST(msi_address_and_data_are_decoded_as_the_processor_does)
{
    one(PCI_CAPABILITY_MSI);
    put(0x42, 2, 0x0001 | 3 << 1 | 2 << 4);
    put(0x44, 4, 0xfee5a00c);
    put(0x48, 2, 0xc1a3);
    decode();
    ck_assert_uint_eq(field("Destination ID").value, 0x5a);
    ck_assert_uint_eq(field("Redirection Hint Indication (RH)").value, 1);
    ck_assert_str_eq(field("Destination Mode (DM)").meaning, "logical");
    ck_assert_uint_eq(field("Vector").value, 0xa3);
    ck_assert_str_eq(field("Delivery Mode").meaning, "lowest priority");
    ck_assert_str_eq(field("Level for Trigger Mode").meaning, "assert");
    ck_assert_str_eq(field("Trigger Mode").meaning, "level");
    ck_assert_str_eq(field("Multiple Message Capable").meaning, "8");
    ck_assert_uint_eq(summary.msi.capable, 8);
    ck_assert_uint_eq(summary.msi.granted, 4);
    ck_assert(!has_field("Message Upper Address"));
}
END_TEST

START_TEST(an_msi_that_the_iommu_remaps_has_a_handle)
{
    one(PCI_CAPABILITY_MSI);
    put(0x42, 2, 0x0181);
    put(0x44, 4, 0xfee00000 | 0x1234 << 5 | 1 << 4 | 1 << 3 | 1 << 2);
    put(0x48, 4, 0x5);
    put(0x4c, 2, 0x42);
    put(0x50, 4, 0xa);
    put(0x54, 4, 0xb);
    decode();
    ck_assert_uint_eq(field("Handle[14:0]").value, 0x1234);
    ck_assert_uint_eq(field("Handle[15]").value, 1);
    ck_assert_uint_eq(field("Subhandle").value, 0x42);
    ck_assert_uint_eq(field("Message Upper Address").value, 5);
    ck_assert_uint_eq(field("Mask Bits").value, 0xa);
    ck_assert_uint_eq(field("Pending Bits").value, 0xb);
    ck_assert(!has_field("Vector"));
    ck_assert_uint_eq(summary.msi.address, 0x5fee2469c);
}
END_TEST

START_TEST(registers_depend_on_the_kind_of_port_and_the_version)
{
    one(PCI_CAPABILITY_EXPRESS);
    put(0x42, 2, 0x0001); /* version 1, an endpoint */
    decode();
    ck_assert(has_field("Max Link Speed"));
    ck_assert(!has_field("Physical Slot Number"));
    ck_assert(!has_field("PME Requester ID"));
    ck_assert(!has_field("ARI Forwarding Supported"));
    put(0x42, 2, 0x0142); /* version 2, a root port with a slot */
    put(0x44, 4, 1u << 28);
    decode();
    ck_assert(has_field("Physical Slot Number"));
    ck_assert(has_field("PME Requester ID"));
    ck_assert(has_field("ARI Forwarding Supported"));
    ck_assert(summary.express.flr && summary.express.slot);
    put(0x42, 2, 0x0092); /* integrated: it has no link */
    decode();
    ck_assert(!has_field("Max Link Speed"));
    ck_assert(!has_field("Target Link Speed"));
}
END_TEST

START_TEST(an_offset_is_shown_with_its_low_bits)
{
    one(PCI_CAPABILITY_MSIX);
    put(0x42, 2, 0xc0ff);
    put(0x44, 4, 0x00002803);
    put(0x48, 4, 0x00003005);
    decode();
    ck_assert_uint_eq(field("Table Offset").value, 0x2800);
    ck_assert_str_eq(field("Table BIR").meaning, "BAR3");
    ck_assert_str_eq(field("Table Size").meaning, "256");
    ck_assert_uint_eq(summary.msix.vectors, 256);
    ck_assert_uint_eq(summary.msix.pba_offset, 0x3000);
    ck_assert(summary.msix.enabled && summary.msix.masked);
}
END_TEST

START_TEST(sizes_of_a_resizable_bar_are_a_set)
{
    one_extended(PCI_EXTENDED_RESIZABLE_BAR);
    put(0x104, 4, 1u << (8 + 4) | 1u << (14 + 4)); /* 256 MiB and 16 GiB */
    put(0x108, 4, 1u << 16 | 8 << 8 | 1 << 5 | 2); /* and 256 TiB */
    decode();
    ck_assert_str_eq(field("BAR Sizes Supported").meaning, "256 MiB, 16 GiB");
    ck_assert_str_eq(field("BAR Size").meaning, "256 MiB");
    ck_assert_uint_eq(summary.resizable.count, 1);
    ck_assert_uint_eq(summary.resizable.bars[0].bar, 2);
    ck_assert_uint_eq(summary.resizable.bars[0].sizes, 1u << 8 | 1u << 14 | UINT64_C(1) << 28);
}
END_TEST

START_TEST(a_register_that_ends_beyond_what_was_read_is_left_out)
{
    one_extended(PCI_EXTENDED_SERIAL_NUMBER);
    put(0x104, 8, 0x0102030405060708);
    config.size = 0x108;
    decode();
    ck_assert_uint_eq(field("PCI Express Device Serial Number (1st DW)").value, 0x05060708);
    ck_assert(!has_field("PCI Express Device Serial Number (2nd DW)"));
}
END_TEST

START_TEST(acs_isolates_when_all_that_it_has_is_on)
{
    one_extended(PCI_EXTENDED_ACS);
    put(0x104, 2, 0x1f);
    put(0x106, 2, 0x1d);
    decode();
    ck_assert(pci_summary_isolates(&summary));
    put(0x106, 2, 0x19); /* no request redirect */
    decode();
    ck_assert(!pci_summary_isolates(&summary));
    memset(&summary, 0, sizeof(summary));
    ck_assert(!pci_summary_isolates(&summary));
}
END_TEST

CHECK_FIXTURE_CASE(lists, set_up, tear_down, a_number_is_read_only_if_all_of_it_is_there,
                   without_the_bit_in_the_status_there_is_no_list,
                   the_low_bits_of_a_pointer_do_not_count, a_cardbus_bridge_has_its_list_elsewhere,
                   a_list_that_loops_ends, the_longest_lists_have_room,
                   what_could_not_be_read_is_no_empty_list, a_device_that_reads_as_ones_is_dead)
CHECK_FIXTURE_CASE(fields, set_up, tear_down,
                   msi_address_and_data_are_decoded_as_the_processor_does,
                   an_msi_that_the_iommu_remaps_has_a_handle,
                   registers_depend_on_the_kind_of_port_and_the_version,
                   an_offset_is_shown_with_its_low_bits, sizes_of_a_resizable_bar_are_a_set,
                   a_register_that_ends_beyond_what_was_read_is_left_out,
                   acs_isolates_when_all_that_it_has_is_on)
CHECK_MAIN("pci_config_space", lists, fields)
