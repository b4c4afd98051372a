/* SPDX-License-Identifier: LGPL-2.1-only */
/* links: tools/pci/topology.c tools/pci/device.c tools/pci/address.c tools/pci/summary.c */
/* links: tools/pci/config_space.c tools/pci/reset.c tools/pci/sharing.c */
/*
 * What holds of which PCI devices belong together, tried on random hosts: root ports, switches and
 * conventional bridges with whatever bus numbers, functions with and without ACS, virtual
 * functions, and what Xen says besides.
 */
#include "../unit/check_main.h"

#include "../unit/pci_fixture.h"
#include "property.h"

#define CASES   2000
#define ACS_ALL 0x1d

static struct pci_fixture f;

/* ---- a random host ---- */

static uint16_t any_acs(uint64_t random)
{
    return random % 3 == 0 ? 0 : random % 3 == 1 ? ACS_ALL : 0x19;
}

static void add_device(const struct shape *shape, unsigned int i, unsigned int place)
{
    uint64_t random = draw(shape->seed, 1, i);
    char address[PCI_ADDRESS_SIZE];
    const struct pci_address a = {0, (uint8_t)(place >> 4), place >> 2 & 3, place & 3};
    struct pci_device *d;
    static const uint8_t ports[] = {PCI_PORT_ROOT_PORT, PCI_PORT_SWITCH_UPSTREAM,
                                    PCI_PORT_SWITCH_DOWNSTREAM, PCI_PORT_EXPRESS_TO_PCI, UINT8_MAX};

    pci_address_format(&a, address);
    if (random % 5 < 2)
        d = fixture_add_port(&f, address, ports[random / 5 % 5], random >> 8 & 7, random >> 16 & 7);
    else
        d = fixture_add(&f, address);
    if (random >> 24 & 1)
        fixture_acs(d, any_acs(random >> 25), any_acs(random >> 28));
    if ((random >> 32 & 7) == 0)
        d->xen_group = 1 + (random >> 36 & 1);
    if ((random >> 40 & 7) == 0)
        d->physical = 0;
    if ((random >> 44 & 15) == 0)
        d->capabilities.extended_flaw = PCI_LIST_UNREADABLE;
}

/* Places rise, as addresses do in a host that was read. */
static void make_host(const struct shape *shape)
{
    unsigned int place = 0;

    fixture_init(&f);
    for (unsigned int i = 0; i < shape->guests && i < FIXTURE_DEVICES; i++) {
        place += 1 + (unsigned int)(draw(shape->seed, 2, i) % 6);
        add_device(shape, i, place);
    }
    pci_find_topology(&f.host);
    pci_find_resets(&f.host);
}

/* ---- claims ---- */

static const char *the_way_up_ends(const struct shape *shape)
{
    make_host(shape);
    for (size_t i = 0; i < f.host.device_count; i++) {
        size_t steps = 0;

        for (size_t up = f.devices[i].parent; up != PCI_NO_DEVICE; up = f.devices[up].parent)
            if (steps++ > f.host.device_count)
                return "a device is above itself";
    }
    return NULL;
}

static const char *groups_divide_the_devices(const struct shape *shape)
{
    make_host(shape);
    for (size_t i = 0; i < f.host.device_count; i++) {
        size_t group = f.devices[i].group;

        if (group > i || f.devices[group].group != group)
            return "a group is not known by its first device";
        if (!pci_move_together(&f.host, i, i))
            return "a device does not belong to itself";
    }
    return NULL;
}

static const char *a_bond_is_there_just_where_others_are(const struct shape *shape)
{
    make_host(shape);
    for (size_t i = 0; i < f.host.device_count; i++) {
        size_t others = 0;

        for (size_t j = 0; j < f.host.device_count; j++)
            others += j != i && pci_move_together(&f.host, i, j);
        if ((others > 0) != (f.devices[i].bond != PCI_BOND_NONE))
            return "bond and group contradict each other";
        if (others > 0 && pci_is_bridge(&f.devices[i]))
            return "a bridge would move";
    }
    return NULL;
}

static const char *isolation_is_the_same_from_both_sides(const struct shape *shape)
{
    make_host(shape);
    for (size_t i = 0; i < f.host.device_count; i++)
        for (size_t j = 0; j < f.host.device_count; j++) {
            size_t port = pci_port_between(&f.host, i, j);

            if ((port != PCI_NO_DEVICE) != (pci_port_between(&f.host, j, i) != PCI_NO_DEVICE))
                return "one reaches the other, and not the other way";
            if (port != PCI_NO_DEVICE && !pci_is_pci_bridge(&f.devices[port]))
                return "what is blamed is no port";
        }
    return NULL;
}

static const char *with_acs_everywhere_no_port_is_blamed(const struct shape *shape)
{
    make_host(shape);
    for (size_t i = 0; i < f.host.device_count; i++)
        fixture_acs(&f.devices[i], ACS_ALL, ACS_ALL);
    pci_find_topology(&f.host);
    for (size_t i = 0; i < f.host.device_count; i++)
        for (size_t j = 0; j < f.host.device_count; j++)
            if (pci_port_between(&f.host, i, j) != PCI_NO_DEVICE)
                return "a port with all of ACS is blamed";
    return NULL;
}

static const char *more_acs_never_ties_more(const struct shape *shape)
{
    static bool before[FIXTURE_DEVICES][FIXTURE_DEVICES];
    size_t changed;

    make_host(shape);
    for (size_t i = 0; i < f.host.device_count; i++)
        for (size_t j = 0; j < f.host.device_count; j++)
            before[i][j] = pci_not_isolated(&f.host, i, j);
    changed = draw(shape->seed, 3, 0) % f.host.device_count;
    fixture_acs(&f.devices[changed], ACS_ALL, ACS_ALL);
    pci_find_topology(&f.host);
    for (size_t i = 0; i < f.host.device_count; i++)
        for (size_t j = 0; j < f.host.device_count; j++)
            if (pci_not_isolated(&f.host, i, j) && !before[i][j])
                return "ACS made two devices reach each other";
    return NULL;
}

static const char *a_reset_that_works_is_one_that_is_there(const struct shape *shape)
{
    make_host(shape);
    for (size_t i = 0; i < f.host.device_count; i++) {
        struct pci_device *d = &f.devices[i];

        d->reset.kernel_told = d->reset.can_reset = true;
        d->reset.kernel = (unsigned int)draw(shape->seed, 4, i) & ((1u << PCI_RESET_METHODS) - 1);
    }
    pci_find_resets(&f.host);
    for (size_t i = 0; i < f.host.device_count; i++) {
        const struct pci_reset *r = &f.devices[i].reset;

        if (r->works == PCI_RESET_METHODS)
            continue;
        if (!(r->kernel & 1u << r->works))
            return "a method works that the kernel does not list";
        if (r->works == PCI_RESET_BUS && !(r->possible & 1u << PCI_RESET_BUS))
            return "a bus is reset that cannot be";
        if (r->kernel & ((1u << r->works) - 1))
            return "a method that comes before is left out";
    }
    return NULL;
}

#define HOLDS(claim)                                                                               \
    START_TEST(claim##_always)                                                                     \
    {                                                                                              \
        holds_always(claim, CASES);                                                                \
    }                                                                                              \
    END_TEST

HOLDS(the_way_up_ends)
HOLDS(groups_divide_the_devices)
HOLDS(a_bond_is_there_just_where_others_are)
HOLDS(isolation_is_the_same_from_both_sides)
HOLDS(with_acs_everywhere_no_port_is_blamed)
HOLDS(more_acs_never_ties_more)
HOLDS(a_reset_that_works_is_one_that_is_there)

CHECK_CASE(sets, the_way_up_ends_always, groups_divide_the_devices_always,
           a_bond_is_there_just_where_others_are_always,
           isolation_is_the_same_from_both_sides_always,
           with_acs_everywhere_no_port_is_blamed_always, more_acs_never_ties_more_always,
           a_reset_that_works_is_one_that_is_there_always)
CHECK_MAIN("pci_properties", sets)
