/* SPDX-License-Identifier: LGPL-2.1-only */
/* links: tools/pci/bar_placement.c */
/* Where hvmloader puts the BARs of a guest's devices, on cases worked out by hand. */
#include "../../tools/pci/bar_placement.h"
#include "check_main.h"

#define MIB      UINT64_C(0x100000)
#define GIB      UINT64_C(0x40000000)
#define BARS_MAX 16
#define EMULATED 99

static struct pci_placed_bar bars[BARS_MAX];
static size_t count;

static void set_up(void)
{
    count = 0;
}

static void none(void)
{
}

static void add(uint64_t size, bool is_64bit)
{
    bars[count] = (struct pci_placed_bar){.size = size, .is_64bit = is_64bit};
    bars[count].tag = (uint32_t)count;
    count++;
}

static size_t place(uint64_t memory_mib, uint64_t hole_mib, unsigned int physbits)
{
    struct pci_placement_guest guest = {memory_mib, hole_mib, physbits};

    return pci_place(&guest, bars, count);
}

static const struct pci_placed_bar *tagged(uint32_t tag)
{
    for (size_t i = 0; i < count; i++)
        if (bars[i].tag == tag)
            return &bars[i];
    ck_abort_msg("no BAR %u", tag);
}

static void add_emulated(void)
{
    count += pci_emulated_bars(16, &bars[count], EMULATED);
}

START_TEST(a_graphics_card_with_a_256_mib_bar_fits_beside_8_gib)
{
    add(16 * MIB, false);
    add(256 * MIB, true);
    add(32 * MIB, true);
    add_emulated();
    ck_assert_uint_eq(place(8192, 0, 39), 0);
    ck_assert_int_eq(tagged(1)->where, PCI_PLACED_HIGH);
    ck_assert_uint_eq(tagged(1)->base, 8 * GIB + 256 * MIB);
    ck_assert_int_eq(tagged(0)->where, PCI_PLACED_LOW);
    ck_assert_int_eq(tagged(2)->where, PCI_PLACED_LOW);
    ck_assert_uint_eq(tagged(2)->base, UINT64_C(0xf0000000));
}
END_TEST

START_TEST(what_all_fits_low_stays_low_though_it_could_go_high)
{
    add(64 * MIB, true);
    add_emulated();
    ck_assert_uint_eq(place(8192, 0, 39), 0);
    ck_assert_int_eq(tagged(0)->where, PCI_PLACED_LOW);
}
END_TEST

START_TEST(a_32_bit_bar_of_256_mib_needs_a_hole)
{
    struct pci_placement_guest guest = {.memory_mib = 8192, .physbits = 39};
    size_t unplaced;

    add(16 * MIB, false);
    add(256 * MIB, false);
    add(32 * MIB, true);
    add_emulated();
    ck_assert_uint_eq(place(8192, 0, 39), 1);
    ck_assert_int_eq(tagged(1)->where, PCI_PLACED_NOWHERE);
    ck_assert_uint_eq(place(8192, 1024, 39), 0);
    ck_assert_uint_eq(tagged(1)->base, UINT64_C(0xc0000000));
    ck_assert_uint_eq(pci_mmio_hole_for(&guest, bars, count, &unplaced), 512);
    ck_assert_uint_eq(unplaced, 0);
}
END_TEST

START_TEST(a_small_guest_needs_no_hole_because_it_has_one)
{
    add(256 * MIB, false);
    add_emulated();
    ck_assert_uint_eq(place(3584, 0, 39), 0);
    ck_assert_uint_eq(tagged(0)->base, UINT64_C(0xe0000000));
    ck_assert_uint_eq(place(3585, 0, 39), 1);
}
END_TEST

START_TEST(above_64_gib_three_bars_of_128_gib_fit_in_39_bits_and_a_fourth_does_not)
{
    for (int i = 0; i < 4; i++) {
        add(128 * GIB, true);
        ck_assert_uint_eq(place(65536, 0, 39), i == 3 ? 1 : 0);
    }
    ck_assert_uint_eq(tagged(0)->base, 128 * GIB);
    ck_assert_int_eq(tagged(3)->where, PCI_PLACED_NOWHERE);
    ck_assert_uint_eq(place(65536, 0, 40), 0);
}
END_TEST

START_TEST(a_hole_does_not_help_a_bar_that_the_cpu_cannot_address)
{
    struct pci_placement_guest guest = {.memory_mib = 8192, .physbits = 36};
    size_t unplaced;

    add(64 * GIB, true);
    ck_assert_uint_eq(pci_mmio_hole_for(&guest, bars, count, &unplaced), 0);
    ck_assert_uint_eq(unplaced, 1);
}
END_TEST

START_TEST(a_bar_above_1_gib_goes_high_even_where_the_hole_could_hold_it)
{
    add(2 * GIB, true);
    ck_assert_uint_eq(place(512, 3072, 39), 0);
    ck_assert_int_eq(tagged(0)->where, PCI_PLACED_HIGH);
}
END_TEST

START_TEST(memory_that_the_hole_displaces_lies_below_the_high_bars)
{
    add(4 * GIB, true);
    ck_assert_uint_eq(place(8192 - 256, 0, 39), 0);
    ck_assert_uint_eq(tagged(0)->base, 8 * GIB);
    ck_assert_uint_eq(place(8192 - 255, 0, 39), 0);
    ck_assert_uint_eq(tagged(0)->base, 12 * GIB);
}
END_TEST

START_TEST(a_hole_out_of_range_is_as_good_as_none)
{
    add(256 * MIB, false);
    ck_assert_uint_eq(place(8192, 128, 39), 1);
    ck_assert_uint_eq(place(8192, 3841, 39), 1);
}
END_TEST

START_TEST(the_emulated_graphics_card_has_room_for_its_memory)
{
    add_emulated();
    ck_assert_uint_eq(count, PCI_EMULATED_BARS);
    place(1024, 0, 39);
    ck_assert_uint_eq(bars[0].size, 16 * MIB);
    pci_emulated_bars(17, bars, EMULATED);
    ck_assert_uint_eq(bars[0].size, 32 * MIB);
}
END_TEST

CHECK_FIXTURE_CASE(low_and_high, set_up, none, a_graphics_card_with_a_256_mib_bar_fits_beside_8_gib,
                   what_all_fits_low_stays_low_though_it_could_go_high,
                   above_64_gib_three_bars_of_128_gib_fit_in_39_bits_and_a_fourth_does_not,
                   a_bar_above_1_gib_goes_high_even_where_the_hole_could_hold_it,
                   memory_that_the_hole_displaces_lies_below_the_high_bars,
                   the_emulated_graphics_card_has_room_for_its_memory)
CHECK_FIXTURE_CASE(hole, set_up, none, a_32_bit_bar_of_256_mib_needs_a_hole,
                   a_small_guest_needs_no_hole_because_it_has_one,
                   a_hole_does_not_help_a_bar_that_the_cpu_cannot_address,
                   a_hole_out_of_range_is_as_good_as_none)
CHECK_MAIN("pci placement", low_and_high, hole)
