/* SPDX-License-Identifier: LGPL-2.1-only */
/* links: tools/pci/bar_placement.c tools/pci/hide.c */
/*
 * What holds of every placement of BARs and of every hide= parameter, tried on random ones. The
 * judge of hide= is what xen-pciback itself does: its scanf formats.
 */
#include <stdio.h>
#include <string.h>

#include "../../tools/pci/bar_placement.h"
#include "../../tools/pci/hide.h"
#include "property.h"

#include "../unit/check_main.h"

#define BARS_MAX 24
#define GIB      UINT64_C(0x40000000)
#define FOUR_GB  (4 * GIB)

/* ---- placement ---- */

struct placed {
    struct pci_placement_guest guest;
    struct pci_placed_bar bars[BARS_MAX];
    size_t count, unplaced;
};

/* Sizes from a page to 64 GiB, small ones most often. */
static void make_bars(const struct shape *shape, struct placed *p)
{
    static const uint64_t holes[] = {0, 0, 0, 512, 1024, 2048, 3072};
    uint64_t seed = shape->seed;

    p->guest.memory_mib = 128 << draw(seed, 1, 0) % 11;
    p->guest.memory_mib += draw(seed, 1, 1) % p->guest.memory_mib;
    p->guest.physbits = 38 + (unsigned int)(draw(seed, 1, 2) % 9);
    p->guest.mmio_hole_mib = holes[draw(seed, 1, 3) % 7];
    p->count = shape->guests < BARS_MAX ? shape->guests : BARS_MAX;
    for (size_t i = 0; i < p->count; i++) {
        unsigned int order = 12 + (unsigned int)(draw(seed, 2, i) % (draw(seed, 3, i) % 24 + 1));

        p->bars[i] = (struct pci_placed_bar){.size = UINT64_C(1) << order, .tag = (uint32_t)i};
        p->bars[i].is_64bit = draw(seed, 4, i) % 2 || p->bars[i].size > GIB;
    }
    p->unplaced = pci_place(&p->guest, p->bars, p->count);
}

static uint64_t ram_end(const struct placed *p, bool high)
{
    uint64_t memory = p->guest.memory_mib << 20;
    uint64_t hole = (p->guest.mmio_hole_mib ? p->guest.mmio_hole_mib : 256) << 20;
    uint64_t low = memory < FOUR_GB - hole ? memory : FOUR_GB - hole;

    return high ? FOUR_GB + memory - low : low;
}

static const char *stays_in_its_window(const struct placed *p, const struct pci_placed_bar *bar)
{
    if (bar->where == PCI_PLACED_HIGH && !bar->is_64bit)
        return "a 32-bit BAR lies above 4 GiB";
    if (bar->where == PCI_PLACED_HIGH &&
        (bar->base < ram_end(p, true) || bar->base + bar->size > UINT64_C(1) << p->guest.physbits))
        return "a high BAR lies over memory, or where the CPU cannot reach it";
    if (bar->where == PCI_PLACED_LOW &&
        (bar->base < ram_end(p, false) || bar->base + bar->size > PCI_LOW_WINDOW_END))
        return "a low BAR lies over memory or Xen's own pages";
    return bar->base % bar->size ? "a BAR is not aligned to its size" : NULL;
}

static const char *bars_lie_apart_and_in_their_windows(const struct shape *shape)
{
    struct placed p;

    make_bars(shape, &p);
    for (size_t i = 0; i < p.count; i++) {
        const char *wrong;

        if (p.bars[i].where == PCI_PLACED_NOWHERE)
            continue;
        wrong = stays_in_its_window(&p, &p.bars[i]);
        if (wrong)
            return wrong;
        for (size_t j = 0; j < i; j++)
            if (p.bars[j].where != PCI_PLACED_NOWHERE &&
                p.bars[i].base < p.bars[j].base + p.bars[j].size &&
                p.bars[j].base < p.bars[i].base + p.bars[i].size)
                return "two BARs overlap";
    }
    return NULL;
}

static const char *every_bar_is_accounted_for(const struct shape *shape)
{
    struct placed p;
    size_t nowhere = 0;
    uint64_t tags = 0;

    make_bars(shape, &p);
    for (size_t i = 0; i < p.count; i++) {
        nowhere += p.bars[i].where == PCI_PLACED_NOWHERE;
        tags |= UINT64_C(1) << p.bars[i].tag;
        if (i > 0 && p.bars[i].size > p.bars[i - 1].size)
            return "not ordered by size";
    }
    if (tags != (UINT64_C(1) << p.count) - 1)
        return "a BAR was lost or doubled";
    return nowhere == p.unplaced ? NULL : "the count of those without a place is wrong";
}

static const char *the_hole_that_is_found_is_the_least_that_serves(const struct shape *shape)
{
    static const uint64_t holes[] = {0, 512, 1024, 2048, 3072};
    struct placed p;
    size_t unplaced, left;
    uint64_t hole;

    make_bars(shape, &p);
    hole = pci_mmio_hole_for(&p.guest, p.bars, p.count, &unplaced);
    for (size_t i = 0; i < 5; i++) {
        p.guest.mmio_hole_mib = holes[i];
        left = pci_place(&p.guest, p.bars, p.count);
        if (left < unplaced)
            return "another hole leaves fewer without a place";
        if (holes[i] == hole && left != unplaced)
            return "the hole does not do what was said";
        if (holes[i] < hole && left == unplaced)
            return "a smaller hole would do";
    }
    return NULL;
}

static const char *memory_added_never_makes_room(const struct shape *shape)
{
    struct placed p;
    size_t before;

    make_bars(shape, &p);
    before = p.unplaced;
    p.guest.memory_mib *= 2;
    return pci_place(&p.guest, p.bars, p.count) < before ? "more memory left more room" : NULL;
}

/* ---- hide= ---- */

#define ENTRIES_MAX 12

/* How many entries the module finds, or -1 when it would not load. */
static int module_reads(const char *text)
{
    int count = 0, at = 0;

    do {
        unsigned int domain = 0, bus = 0, slot = 0, function = 0;
        int parsed = 0;
        int found =
            sscanf(text + at, " (%x:%x:%x.%x) %n", &domain, &bus, &slot, &function, &parsed);

        if (found == 3)
            sscanf(text + at, " (%x:%x:%x.*) %n", &domain, &bus, &slot, &parsed);
        if (found == 2)
            sscanf(text + at, " (%x:%x:*.*) %n", &domain, &bus, &parsed);
        if (!parsed) {
            domain = 0;
            found = sscanf(text + at, " (%x:%x.%x) %n", &bus, &slot, &function, &parsed);
            if (found == 2)
                sscanf(text + at, " (%x:%x.*) %n", &bus, &slot, &parsed);
            if (found == 1)
                sscanf(text + at, " (%x:*.*) %n", &bus, &parsed);
        }
        if (parsed <= 0 || domain > 0xffff || bus > 0xff)
            return -1;
        at += parsed;
        count++;
    } while (text[at]);
    return count;
}

static void write_hide(const struct shape *shape, char *text, size_t size)
{
    size_t used = 0;

    text[0] = '\0';
    for (unsigned int i = 0; i < shape->guests && i < ENTRIES_MAX; i++) {
        unsigned int domain = (unsigned int)draw(shape->seed, 5, i) % 0x20;
        unsigned int bus = (unsigned int)draw(shape->seed, 6, i) % 0x100;
        unsigned int slot = (unsigned int)draw(shape->seed, 7, i) % 0x20;
        unsigned int function = (unsigned int)draw(shape->seed, 8, i) % 8;
        char *to = text + used;
        size_t room = size - used;

        switch (draw(shape->seed, 9, i) % 6) {
        case 0: used += (size_t)snprintf(to, room, "(%02x:%02x.%x)", bus, slot, function); break;
        case 1: used += (size_t)snprintf(to, room, "(%04x:%02x:%02x.*)", domain, bus, slot); break;
        case 2: used += (size_t)snprintf(to, room, "(%02x:%02x.*)", bus, slot); break;
        case 3: used += (size_t)snprintf(to, room, "(%04X:%02X:*.*)", domain, bus); break;
        default:
            used += (size_t)snprintf(to, room, "(%04x:%02x:%02x.%x)", domain, bus, slot, function);
        }
    }
}

static int lint(const char *text)
{
    struct pci_hidden hidden[ENTRIES_MAX];
    char error[200];

    return pci_hide_parse(text, hidden, ENTRIES_MAX, error, sizeof(error));
}

static const char *what_is_well_formed_is_taken(const struct shape *shape)
{
    char text[512];

    write_hide(shape, text, sizeof(text));
    if (lint(text) != (int)(shape->guests < ENTRIES_MAX ? shape->guests : ENTRIES_MAX))
        return "a good list is refused, or miscounted";
    return module_reads(text) == lint(text) ? NULL : "the module reads another number of entries";
}

/* One character or two are put in, left out or replaced. */
static const char *what_is_taken_the_module_takes(const struct shape *shape)
{
    static const char letters[] = "(:.),*0 9afx";
    char text[512];
    size_t length;
    int count;

    write_hide(shape, text, sizeof(text));
    for (unsigned int i = 0; i < 1 + shape->ticks % 2; i++) {
        size_t at;

        length = strlen(text);
        at = draw(shape->seed, 10, i) % (length + 1);
        if (draw(shape->seed, 11, i) % 3 == 0)
            memmove(&text[at], &text[at + (at < length)], length - at + (at == length));
        else if (draw(shape->seed, 11, i) % 3 == 1 && length + 2 < sizeof(text))
            memmove(&text[at + 1], &text[at], length - at + 1);
        if (text[at] && draw(shape->seed, 11, i) % 3 > 0)
            text[at] = letters[draw(shape->seed, 12, i) % (sizeof(letters) - 1)];
    }
    count = lint(text);
    return count < 0 || module_reads(text) == count ? NULL : "the module would not load with this";
}

START_TEST(placement)
{
    holds_always(bars_lie_apart_and_in_their_windows, 3000);
    holds_always(every_bar_is_accounted_for, 3000);
    holds_always(the_hole_that_is_found_is_the_least_that_serves, 3000);
    holds_always(memory_added_never_makes_room, 3000);
}
END_TEST

START_TEST(hide)
{
    holds_always(what_is_well_formed_is_taken, 3000);
    holds_always(what_is_taken_the_module_takes, 20000);
}
END_TEST

CHECK_CASE(properties, placement, hide)
CHECK_MAIN("pci properties", properties)
