/* SPDX-License-Identifier: LGPL-2.1-only */
/* When to write a report: see pace.h. */
#include "pace.h"

/* At most five reports a second, whatever happens. */
#define MIN_GAP_MS 200

/* While xenstore is not there, or refuses, asking again more often would not help. */
#define RETRY_MS 1000

/* A move worth telling: 2 % of memory, but no less than what a host would bother to move. */
#define MOVE_MIN_KIB     8192
#define MOVE_TOTAL_PARTS 50

static bool has_moved(const struct memory_sample *then, const struct memory_sample *now);
static uint64_t distance(uint64_t a, uint64_t b);
static void hold(struct pace *pace, int64_t until_ms);

void pace_init(struct pace *pace, int64_t interval_ms)
{
    *pace = (struct pace){.interval_ms = interval_ms};
}

void pace_press(struct pace *pace)
{
    pace->pressed = true;
}

bool pace_is_due(const struct pace *pace, const struct memory_sample *memory, int64_t now_ms)
{
    if (pace->held && now_ms < pace->held_until_ms)
        return false;
    return !pace->told || pace->pressed || now_ms - pace->told_ms >= pace->interval_ms ||
           has_moved(&pace->told_memory, memory);
}

void pace_told(struct pace *pace, const struct memory_sample *memory, int64_t now_ms)
{
    pace->told = true;
    pace->told_ms = now_ms;
    pace->told_memory = *memory;
    pace->pressed = false;
    hold(pace, now_ms + MIN_GAP_MS);
}

void pace_failed(struct pace *pace, int64_t now_ms)
{
    pace->told = false;
    hold(pace, now_ms + RETRY_MS);
}

static bool has_moved(const struct memory_sample *then, const struct memory_sample *now)
{
    uint64_t enough_kib = now->total_kib / MOVE_TOTAL_PARTS;

    if (enough_kib < MOVE_MIN_KIB)
        enough_kib = MOVE_MIN_KIB;
    return distance(then->avail_kib, now->avail_kib) >= enough_kib ||
           distance(then->total_kib, now->total_kib) >= enough_kib ||
           distance(then->swap_used_kib, now->swap_used_kib) >= enough_kib;
}

static uint64_t distance(uint64_t a, uint64_t b)
{
    return a > b ? a - b : b - a;
}

static void hold(struct pace *pace, int64_t until_ms)
{
    pace->held = true;
    pace->held_until_ms = until_ms;
}
