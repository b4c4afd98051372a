/* SPDX-License-Identifier: LGPL-2.1-only */
/* links: tools/pci/address.c */
/* How people write where a PCI function is. */
#include "check_main.h"

#include <stdio.h>
#include <string.h>

#include "../../tools/pci/address.h"

START_TEST(both_forms_are_read)
{
    struct pci_address a;
    char text[PCI_ADDRESS_SIZE];

    ck_assert(pci_address_parse("0000:01:1f.7", &a));
    ck_assert_str_eq(pci_address_format(&a, text), "0000:01:1f.7");
    ck_assert(pci_address_parse("C1:00.1", &a));
    ck_assert_str_eq(pci_address_format(&a, text), "0000:c1:00.1");
    ck_assert(pci_address_parse("10000:e1:00.0", &a)); /* VMD has domains above 16 bits */
    ck_assert_str_eq(pci_address_format(&a, text), "10000:e1:00.0");
}
END_TEST

START_TEST(what_is_no_address_is_refused)
{
    static const char *const wrong[] = {
        "",
        "01",
        "01:00",
        "01:00.",
        "01:00.8",
        "01:20.0",
        "001:00.0",
        "01:00.0 ",
        " 01:00.0",
        "01:00.00",
        "01:00.*",
        "0000:01:00",
        "0000:01:00.g",
        "0000:0000:01:0.0",
        "-1:00.0",
        "0x01:00.0",
        "01:00.0,x=1",
        "01.00.0",
        "0000:100:00.0",
        "0000:01:00:0",
        "123456789:01:00.0",
    };
    struct pci_address a = {.domain = 7};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        ck_assert_msg(!pci_address_parse(wrong[i], &a), "taken: \"%s\"", wrong[i]);
    ck_assert_uint_eq(a.domain, 7);
}
END_TEST

START_TEST(every_address_reads_back)
{
    for (unsigned int i = 0; i < 65536; i++) {
        struct pci_address a = {i % 3, (uint8_t)(i >> 8), i >> 3 & 31, i & 7}, back;
        char text[PCI_ADDRESS_SIZE];

        ck_assert(pci_address_parse(pci_address_format(&a, text), &back));
        ck_assert_int_eq(pci_address_compare(&a, &back), 0);
    }
}
END_TEST

START_TEST(addresses_are_in_the_order_of_their_text)
{
    static const char *const rising[] = {"0000:00:00.0", "0000:00:00.1", "0000:00:01.0",
                                         "0000:01:00.0", "0001:00:00.0"};
    struct pci_address a, b;

    for (size_t i = 0; i < 5; i++)
        for (size_t j = 0; j < 5; j++) {
            int order;

            pci_address_parse(rising[i], &a);
            pci_address_parse(rising[j], &b);
            order = pci_address_compare(&a, &b);
            ck_assert_int_eq((order > 0) - (order < 0), (i > j) - (i < j));
            ck_assert(pci_address_same_device(&a, &b) == (i == j || i + j == 1));
        }
}
END_TEST

CHECK_CASE(address, both_forms_are_read, what_is_no_address_is_refused, every_address_reads_back,
           addresses_are_in_the_order_of_their_text)
CHECK_MAIN("pci_address", address)
