/* SPDX-License-Identifier: LGPL-2.1-only */
/* links: tools/pci/topology.c tools/pci/device.c tools/pci/address.c tools/pci/summary.c */
/* links: tools/pci/config_space.c tools/pci/reset.c tools/pci/sharing.c */
/* Who is below whom, what must move together, what is not isolated, and what can be reset. */
#include "check_main.h"

#include <stdlib.h>

#include "pci_fixture.h"

#define ACS_ALL 0x1d /* source validation, request and completion redirect, upstream forwarding */

static struct pci_fixture f;

static void set_up(void)
{
    fixture_init(&f);
}

static void tear_down(void)
{
}

static void find(void)
{
    pci_find_topology(&f.host);
    pci_find_resets(&f.host);
}

static bool together(const char *a, const char *b)
{
    return pci_move_together(&f.host, fixture_index(&f, a), fixture_index(&f, b));
}

static bool reachable(const char *a, const char *b)
{
    bool there = pci_not_isolated(&f.host, fixture_index(&f, a), fixture_index(&f, b));

    ck_assert_int_eq(there, pci_not_isolated(&f.host, fixture_index(&f, b), fixture_index(&f, a)));
    return there;
}

static const struct pci_device *at(const char *address)
{
    return &f.devices[fixture_index(&f, address)];
}

/* ---- the tree ---- */

START_TEST(the_parent_is_the_nearest_bridge_above)
{
    fixture_add_port(&f, "00:01.0", PCI_PORT_ROOT_PORT, 1, 9);
    fixture_add_port(&f, "01:00.0", PCI_PORT_SWITCH_UPSTREAM, 2, 9);
    fixture_add_port(&f, "02:01.0", PCI_PORT_SWITCH_DOWNSTREAM, 3, 4);
    fixture_add(&f, "03:00.0");
    fixture_add(&f, "04:00.0"); /* nobody has this bus as its own: virtual functions are there */
    fixture_add(&f, "0a:00.0");
    find();
    ck_assert_uint_eq(at("00:01.0")->parent, PCI_NO_DEVICE);
    ck_assert_uint_eq(at("01:00.0")->parent, fixture_index(&f, "00:01.0"));
    ck_assert_uint_eq(at("03:00.0")->parent, fixture_index(&f, "02:01.0"));
    ck_assert_uint_eq(at("04:00.0")->parent, fixture_index(&f, "02:01.0"));
    ck_assert_uint_eq(at("0a:00.0")->parent, PCI_NO_DEVICE);
}
END_TEST

START_TEST(bridges_that_contradict_each_other_make_no_loop)
{
    fixture_add_port(&f, "01:00.0", PCI_PORT_ROOT_PORT, 2, 255);
    fixture_add_port(&f, "02:00.0", PCI_PORT_ROOT_PORT, 1, 255); /* above its own bus */
    fixture_add_port(&f, "03:00.0", PCI_PORT_ROOT_PORT, 3, 3);   /* its own bus */
    find();
    for (size_t i = 0; i < f.host.device_count; i++) {
        size_t steps = 0;

        for (size_t up = i; up != PCI_NO_DEVICE; up = f.devices[up].parent)
            ck_assert_uint_lt(steps++, f.host.device_count);
    }
}
END_TEST

/* ---- what must move together ---- */

START_TEST(functions_of_a_device_move_together)
{
    fixture_add_port(&f, "00:01.0", PCI_PORT_ROOT_PORT, 1, 1);
    fixture_add(&f, "01:00.0");
    fixture_add(&f, "01:00.1");
    fixture_add(&f, "01:01.0");
    find();
    ck_assert(together("01:00.0", "01:00.1"));
    ck_assert_int_eq(at("01:00.0")->bond, PCI_BOND_FUNCTIONS);
    ck_assert_int_eq(at("01:00.1")->bond, PCI_BOND_FUNCTIONS);
    ck_assert(!together("01:00.0", "01:01.0"));
    ck_assert(!together("01:00.0", "00:01.0"));
    ck_assert_int_eq(at("01:01.0")->bond, PCI_BOND_NONE);
}
END_TEST

START_TEST(functions_that_isolate_themselves_move_alone)
{
    fixture_acs(fixture_add(&f, "01:00.0"), 0, 0); /* has ACS, and nothing to redirect */
    fixture_acs(fixture_add(&f, "01:00.1"), ACS_ALL, ACS_ALL);
    fixture_acs(fixture_add(&f, "02:00.0"), ACS_ALL, ACS_ALL);
    fixture_acs(fixture_add(&f, "02:00.1"), ACS_ALL, 0); /* could, but is off */
    find();
    ck_assert(!together("01:00.0", "01:00.1"));
    ck_assert(together("02:00.0", "02:00.1"));
}
END_TEST

START_TEST(virtual_functions_move_alone)
{
    fixture_add(&f, "01:00.0");
    fixture_add(&f, "01:00.1")->physical = 0;
    fixture_add(&f, "01:00.2")->physical = 0;
    find();
    ck_assert(!together("01:00.0", "01:00.1"));
    ck_assert(!together("01:00.1", "01:00.2"));
}
END_TEST

START_TEST(what_is_behind_a_conventional_bridge_moves_together)
{
    fixture_add_port(&f, "00:01.0", PCI_PORT_ROOT_PORT, 1, 3);
    fixture_add_port(&f, "01:00.0", PCI_PORT_EXPRESS_TO_PCI, 2, 3);
    fixture_add(&f, "02:00.0");
    fixture_add(&f, "02:05.0");
    fixture_add_port(&f, "02:06.0", UINT8_MAX, 3, 3);
    fixture_add(&f, "03:00.0");
    find();
    ck_assert(together("02:00.0", "02:05.0"));
    ck_assert(together("02:00.0", "03:00.0"));
    ck_assert_int_eq(at("03:00.0")->bond, PCI_BOND_BRIDGE);
    ck_assert(!together("02:00.0", "01:00.0"));
}
END_TEST

START_TEST(a_bridge_that_could_not_be_read_is_not_taken_for_a_conventional_one)
{
    struct pci_device *bridge = fixture_add_port(&f, "00:01.0", UINT8_MAX, 1, 1);

    bridge->capabilities.legacy_flaw = PCI_LIST_UNREADABLE;
    fixture_add(&f, "01:00.0");
    fixture_add(&f, "01:01.0");
    find();
    ck_assert(!together("01:00.0", "01:01.0"));
}
END_TEST

START_TEST(groups_of_xen_join_what_else_is_together)
{
    fixture_add(&f, "01:00.0");
    fixture_add(&f, "01:00.1")->xen_group = 7;
    fixture_add(&f, "02:00.0");
    fixture_add(&f, "03:00.0")->xen_group = 7;
    fixture_add(&f, "03:00.1");
    find();
    ck_assert(together("01:00.0", "03:00.1"));
    ck_assert(!together("01:00.0", "02:00.0"));
    ck_assert_uint_eq(at("03:00.1")->group, 0);
    ck_assert_int_eq(at("03:00.0")->bond, PCI_BOND_XEN);
}
END_TEST

/* ---- isolation ---- */

/* A switch with two cards behind it; the ports' ACS is up to the test. */
static void add_switch(void)
{
    fixture_acs(fixture_add_port(&f, "00:01.0", PCI_PORT_ROOT_PORT, 1, 4), ACS_ALL, ACS_ALL);
    fixture_add_port(&f, "01:00.0", PCI_PORT_SWITCH_UPSTREAM, 2, 4);
    fixture_add_port(&f, "02:01.0", PCI_PORT_SWITCH_DOWNSTREAM, 3, 3);
    fixture_add_port(&f, "02:02.0", PCI_PORT_SWITCH_DOWNSTREAM, 4, 4);
    fixture_add(&f, "03:00.0");
    fixture_add(&f, "04:00.0");
}

START_TEST(a_switch_without_acs_lets_cards_reach_each_other)
{
    add_switch();
    find();
    ck_assert(reachable("03:00.0", "04:00.0"));
    ck_assert(!together("03:00.0", "04:00.0"));
    ck_assert_uint_eq(
        pci_port_between(&f.host, fixture_index(&f, "03:00.0"), fixture_index(&f, "04:00.0")),
        fixture_index(&f, "02:01.0"));
}
END_TEST

START_TEST(both_ports_of_a_switch_have_to_redirect)
{
    add_switch();
    fixture_acs(&f.devices[2], ACS_ALL, ACS_ALL);
    find();
    ck_assert(reachable("03:00.0", "04:00.0"));
    fixture_acs(&f.devices[3], ACS_ALL, ACS_ALL);
    find();
    ck_assert(!reachable("03:00.0", "04:00.0"));
}
END_TEST

START_TEST(root_ports_of_one_device_need_acs_and_separate_ones_do_not)
{
    fixture_add_port(&f, "00:01.0", PCI_PORT_ROOT_PORT, 1, 1);
    fixture_add_port(&f, "00:01.1", PCI_PORT_ROOT_PORT, 2, 2);
    fixture_add_port(&f, "00:1c.0", PCI_PORT_ROOT_PORT, 3, 3);
    fixture_add(&f, "01:00.0");
    fixture_add(&f, "02:00.0");
    fixture_add(&f, "03:00.0");
    find();
    ck_assert(reachable("01:00.0", "02:00.0"));
    ck_assert(!reachable("01:00.0", "03:00.0"));
}
END_TEST

START_TEST(a_port_that_could_not_be_read_is_not_blamed)
{
    add_switch();
    f.devices[2].capabilities.extended_flaw = PCI_LIST_UNREADABLE;
    f.devices[3].capabilities.extended_flaw = PCI_LIST_UNREADABLE;
    find();
    ck_assert(!reachable("03:00.0", "04:00.0"));
}
END_TEST

/* ---- reset ---- */

/* Below a root port. */
static struct pci_device *add_card(const char *address)
{
    if (f.host.device_count == 0)
        fixture_add_port(&f, "00:01.0", PCI_PORT_ROOT_PORT, 1, 1);
    return fixture_add(&f, address);
}

START_TEST(methods_are_tried_in_the_order_of_linux)
{
    struct pci_device *d = add_card("01:00.0");

    d->reset.can_reset = true;
    d->summary.pm.present = true;
    d->summary.express.flr = true;
    find();
    ck_assert_int_eq(d->reset.works, PCI_RESET_FLR);
    d->summary.express.flr = false;
    find();
    ck_assert_int_eq(d->reset.works, PCI_RESET_PM);
    d->summary.pm.no_soft_reset = true;
    find();
    ck_assert_int_eq(d->reset.works, PCI_RESET_BUS);
}
END_TEST

START_TEST(a_bus_with_others_on_it_is_not_reset_whatever_the_kernel_lists)
{
    struct pci_device *d = add_card("01:00.0");

    add_card("01:00.1");
    d->reset.can_reset = d->reset.kernel_told = true;
    d->reset.kernel = 1u << PCI_RESET_BUS;
    find();
    ck_assert_int_eq(d->reset.works, PCI_RESET_METHODS);
}
END_TEST

START_TEST(the_kernel_knows_of_quirks_and_of_methods_that_config_space_does_not_show)
{
    struct pci_device *d = add_card("01:00.0");

    d->summary.pm.present = true; /* and yet: */
    d->reset.can_reset = d->reset.kernel_told = true;
    d->reset.kernel = 1u << PCI_RESET_DEVICE_SPECIFIC;
    find();
    ck_assert_uint_ne(d->reset.possible & 1u << PCI_RESET_PM, 0);
    ck_assert_int_eq(d->reset.works, PCI_RESET_DEVICE_SPECIFIC);
    d->reset.kernel = 0;
    find();
    ck_assert_int_eq(d->reset.works, PCI_RESET_METHODS);
}
END_TEST

START_TEST(without_the_kernels_attribute_nothing_is_reset)
{
    struct pci_device *d = add_card("01:00.0");

    d->summary.express.flr = true;
    find();
    ck_assert_int_eq(d->reset.works, PCI_RESET_METHODS);
    ck_assert(pci_reset_known(d));
    f.host.has_sysfs = false; /* a dump has no such attributes */
    find();
    ck_assert_int_eq(d->reset.works, PCI_RESET_FLR);
}
END_TEST

START_TEST(the_bridge_resets_what_is_below_it_if_the_kernel_can)
{
    struct pci_device *d = add_card("01:00.0");

    find();
    ck_assert_uint_eq(d->reset.subordinate, PCI_NO_DEVICE);
    f.devices[0].reset_subordinate = true;
    find();
    ck_assert_uint_eq(d->reset.subordinate, 0);
}
END_TEST

/* ---- pages and interrupts ---- */

START_TEST(regions_share_a_page_only_if_they_meet_on_one)
{
    struct pci_device *a = fixture_add(&f, "01:00.0"), *b = fixture_add(&f, "02:00.0");
    size_t region = 9, other = 9;

    a->regions[2] = (struct pci_region){PCI_REGION_MEMORY, 0xf0000800, 0x400, false, false};
    b->regions[0] = (struct pci_region){PCI_REGION_MEMORY, 0xf0001000, 0x400, false, false};
    ck_assert(!pci_share_page(&f.host, 0, 1, &region, &other));
    b->regions[0].base = 0xf0000c00;
    ck_assert(pci_share_page(&f.host, 0, 1, &region, &other));
    ck_assert_uint_eq(region, 2);
    ck_assert_uint_eq(other, 0);
    b->regions[0].kind = PCI_REGION_IO;
    ck_assert(!pci_share_page(&f.host, 0, 1, &region, &other));
    b->regions[0] = (struct pci_region){PCI_REGION_MEMORY, 0, 0x400, false, false};
    a->regions[2].base = 0; /* neither has an address yet */
    ck_assert(!pci_share_page(&f.host, 0, 1, &region, &other));
}
END_TEST

START_TEST(an_interrupt_line_is_shared_only_while_neither_uses_messages)
{
    struct pci_device *a = fixture_add(&f, "01:00.0"), *b = fixture_add(&f, "02:00.0");

    a->irq = b->irq = 16;
    a->interrupt_pin = b->interrupt_pin = 1;
    ck_assert(pci_share_interrupt(&f.host, 0, 1));
    b->summary.msi.present = b->summary.msi.enabled = true;
    ck_assert(!pci_share_interrupt(&f.host, 0, 1));
    b->summary.msi.enabled = false;
    b->interrupt_pin = 0;
    ck_assert(!pci_share_interrupt(&f.host, 0, 1));
}
END_TEST

CHECK_FIXTURE_CASE(tree, set_up, tear_down, the_parent_is_the_nearest_bridge_above,
                   bridges_that_contradict_each_other_make_no_loop)
CHECK_FIXTURE_CASE(groups, set_up, tear_down, functions_of_a_device_move_together,
                   functions_that_isolate_themselves_move_alone, virtual_functions_move_alone,
                   what_is_behind_a_conventional_bridge_moves_together,
                   a_bridge_that_could_not_be_read_is_not_taken_for_a_conventional_one,
                   groups_of_xen_join_what_else_is_together)
CHECK_FIXTURE_CASE(isolation, set_up, tear_down, a_switch_without_acs_lets_cards_reach_each_other,
                   both_ports_of_a_switch_have_to_redirect,
                   root_ports_of_one_device_need_acs_and_separate_ones_do_not,
                   a_port_that_could_not_be_read_is_not_blamed)
CHECK_FIXTURE_CASE(resets, set_up, tear_down, methods_are_tried_in_the_order_of_linux,
                   a_bus_with_others_on_it_is_not_reset_whatever_the_kernel_lists,
                   the_kernel_knows_of_quirks_and_of_methods_that_config_space_does_not_show,
                   without_the_kernels_attribute_nothing_is_reset,
                   the_bridge_resets_what_is_below_it_if_the_kernel_can)
CHECK_FIXTURE_CASE(sharing, set_up, tear_down, regions_share_a_page_only_if_they_meet_on_one,
                   an_interrupt_line_is_shared_only_while_neither_uses_messages)
CHECK_MAIN("pci_topology", tree, groups, isolation, resets, sharing)
