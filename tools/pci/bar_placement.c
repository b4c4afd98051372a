/* SPDX-License-Identifier: LGPL-2.1-only */
#include "bar_placement.h"

#define MIB     UINT64_C(0x100000)
#define GIB     UINT64_C(0x40000000)
#define FOUR_GB (4 * GIB)

/* Larger 64-bit BARs are not even tried below 4 GiB. */
#define HUGE_BAR GIB

/* Where the next BAR of a window goes at the earliest, and where the window ends. */
struct window {
    uint64_t next, end;
};

static void order_by_size(struct pci_placed_bar *bars, size_t count);
static uint64_t hole_start(const struct pci_placement_guest *guest, uint64_t wanted);
static bool put(struct window *window, struct pci_placed_bar *bar);

static bool is_huge(const struct pci_placed_bar *bar)
{
    return bar->is_64bit && bar->size > HUGE_BAR;
}

/* From the largest down, those that may go high do so as long as not all the rest fits low. */
size_t pci_place(const struct pci_placement_guest *guest, struct pci_placed_bar *bars, size_t count)
{
    uint64_t wanted = 0, low_start, memory = guest->memory_mib * MIB;
    struct window low, high;
    size_t unplaced = 0;

    order_by_size(bars, count);
    for (size_t i = 0; i < count; i++)
        wanted += is_huge(&bars[i]) ? 0 : bars[i].size;
    low_start = hole_start(guest, wanted);
    low = (struct window){low_start, PCI_LOW_WINDOW_END};
    high = (struct window){FOUR_GB, UINT64_C(1) << guest->physbits};
    if (memory > low_start)
        high.next += memory - low_start;
    for (size_t i = 0; i < count; i++) {
        struct pci_placed_bar *bar = &bars[i];
        bool goes_high = is_huge(bar) || (bar->is_64bit && wanted > low.end - low.next);

        wanted -= is_huge(bar) ? 0 : bar->size;
        bar->where = goes_high ? PCI_PLACED_HIGH : PCI_PLACED_LOW;
        if (!put(goes_high ? &high : &low, bar)) {
            bar->where = PCI_PLACED_NOWHERE;
            unplaced++;
        }
    }
    return unplaced;
}

uint64_t pci_mmio_hole_for(const struct pci_placement_guest *guest, struct pci_placed_bar *bars,
                           size_t count, size_t *unplaced_out)
{
    /* Starts at which even a BAR as large as the hole's largest part is aligned. */
    static const uint64_t holes_mib[] = {512, 1024, 2048, 3072};
    struct pci_placement_guest with = *guest;
    size_t least;
    uint64_t best = 0;

    with.mmio_hole_mib = 0;
    least = pci_place(&with, bars, count);
    for (size_t i = 0; i < sizeof(holes_mib) / sizeof(holes_mib[0]) && least > 0; i++) {
        size_t unplaced;

        with.mmio_hole_mib = holes_mib[i];
        unplaced = pci_place(&with, bars, count);
        if (unplaced < least) {
            least = unplaced;
            best = holes_mib[i];
        }
    }
    with.mmio_hole_mib = best;
    *unplaced_out = pci_place(&with, bars, count);
    return best;
}

size_t pci_emulated_bars(uint64_t video_mib, struct pci_placed_bar bars[PCI_EMULATED_BARS],
                         uint32_t tag)
{
    uint64_t video = 8 * MIB;
    size_t count = 0;

    while (video < video_mib * MIB && video < GIB)
        video *= 2;
    bars[count++].size = video;
    bars[count++].size = 16 * MIB; /* Xen's platform device */
    bars[count++].size = 0x40000;  /* a network card's ROM, */
    bars[count++].size = 0x20000;  /* and its registers */
    bars[count++].size = 0x10000;  /* the graphics card's ROM, */
    bars[count++].size = 0x1000;   /* and its registers */
    for (size_t i = 0; i < count; i++) {
        bars[i].is_64bit = false;
        bars[i].tag = tag;
    }
    return count;
}

static void order_by_size(struct pci_placed_bar *bars, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct pci_placed_bar bar = bars[i];
        size_t at = i;

        for (; at > 0 && bars[at - 1].size < bar.size; at--)
            bars[at] = bars[at - 1];
        bars[at] = bar;
    }
}

/* Unless it is told where, the hole grows to 512 MiB, 1 GiB and 2 GiB while that holds no memory
 * and there is need. */
static uint64_t hole_start(const struct pci_placement_guest *guest, uint64_t wanted)
{
    uint64_t start = FOUR_GB - PCI_MMIO_HOLE_MIN_MIB * MIB;
    uint64_t memory = guest->memory_mib * MIB;

    if (guest->mmio_hole_mib >= PCI_MMIO_HOLE_MIN_MIB &&
        guest->mmio_hole_mib <= PCI_MMIO_HOLE_MAX_MIB)
        return FOUR_GB - guest->mmio_hole_mib * MIB;
    for (uint64_t hole = 512 * MIB;
         hole <= 2 * GIB && wanted > PCI_LOW_WINDOW_END - start && memory <= FOUR_GB - hole;
         hole *= 2)
        start = FOUR_GB - hole;
    return start;
}

static bool put(struct window *window, struct pci_placed_bar *bar)
{
    uint64_t base = (window->next + bar->size - 1) & ~(bar->size - 1);

    if (base < window->next || base >= window->end || bar->size > window->end - base)
        return false;
    bar->base = base;
    window->next = base + bar->size;
    return true;
}
