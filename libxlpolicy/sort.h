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

#define XLP_SORT_FEW 32

/* A few are put where those before each of them leave off: counting them needs no branch that
 * nobody can foretell. room: count elements. */
static inline void xlp_sort_few(uint32_t *a, size_t count, xlp_before *before, const void *context,
                                uint32_t *room)
{
    for (size_t i = 0; i < count; i++) {
        size_t place = 0;

        for (size_t j = 0; j < i; j++)
            place += !before(context, a[i], a[j]);
        for (size_t j = i + 1; j < count; j++)
            place += before(context, a[j], a[i]);
        room[place] = a[i];
    }
    memcpy(a, room, count * sizeof(*a));
}

/* Merges the sorted halves a[0 ... middle) and a[middle ... count). room: middle elements. */
static inline void xlp_merge(uint32_t *a, size_t middle, size_t count, xlp_before *before,
                             const void *context, uint32_t *room)
{
    size_t left = 0, right = middle, to = 0;

    if (middle >= count || !before(context, a[middle], a[middle - 1]))
        return; /* in order already, as is usual from tick to tick */
    memcpy(room, a, middle * sizeof(*a));
    while (left < middle && right < count) { /* nor here */
        bool is_right = before(context, a[right], room[left]);

        a[to++] = is_right ? a[right] : room[left];
        right += is_right;
        left += !is_right;
    }
    memcpy(a + to, room + left, (middle - left) * sizeof(*a));
}

static inline bool xlp_is_sorted(const uint32_t *a, size_t count, xlp_before *before,
                                 const void *context)
{
    for (size_t i = 1; i < count; i++)
        if (before(context, a[i], a[i - 1]))
            return false;
    return true;
}

/* Sorts numbers; those that are equal keep their order. room: count elements. O(n log n). */
static inline void xlp_sort(uint32_t *a, size_t count, xlp_before *before, const void *context,
                            uint32_t *room)
{
    for (size_t at = 0; at < count; at += XLP_SORT_FEW) {
        size_t few = count - at < XLP_SORT_FEW ? count - at : XLP_SORT_FEW;

        if (!xlp_is_sorted(a + at, few, before, context))
            xlp_sort_few(a + at, few, before, context, room);
    }
    for (size_t width = XLP_SORT_FEW; width < count; width *= 2)
        for (size_t at = 0; at + width < count; at += 2 * width)
            xlp_merge(a + at, width, count - at < 2 * width ? count - at : 2 * width, before,
                      context, room);
}

#endif
