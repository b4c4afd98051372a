/* SPDX-License-Identifier: LGPL-2.1-only */
/* Sorting without allocating: qsort_r of the C library takes memory for all but small arrays, and a
 * steady state allocates nothing. Private to libxlpolicy. */
#ifndef XLP_SORT_H
#define XLP_SORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Whether x comes before y; context as it was given. */
typedef bool xlp_before(const void *context, uint32_t x, uint32_t y);

/* Merges the sorted halves a[0 ... middle) and a[middle ... count). room: middle elements. */
static inline void xlp_merge(uint32_t *a, size_t middle, size_t count, xlp_before *before,
                             const void *context, uint32_t *room)
{
    size_t left = 0, right = middle, to = 0;

    if (middle >= count || !before(context, a[middle], a[middle - 1]))
        return; /* in order already, as is usual from tick to tick */
    memcpy(room, a, middle * sizeof(*a));
    while (left < middle)
        a[to++] =
            right < count && before(context, a[right], room[left]) ? a[right++] : room[left++];
}

/* Sorts numbers; those that are equal keep their order. room: count elements. O(n log n). */
static inline void xlp_sort(uint32_t *a, size_t count, xlp_before *before, const void *context,
                            uint32_t *room)
{
    for (size_t width = 1; width < count; width *= 2)
        for (size_t at = 0; at + width < count; at += 2 * width)
            xlp_merge(a + at, width, count - at < 2 * width ? count - at : 2 * width, before,
                      context, room);
}

#endif
