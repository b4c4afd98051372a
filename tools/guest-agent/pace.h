/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * When to write a report. Every write costs xenstored and the host's daemon a wake-up, so: at once
 * when memory moved by a noticeable amount or the kernel signals pressure, every interval as a sign
 * of life, and never faster than five times a second.
 *
 * No clock in here: now_ms is a time that does not go back, from any origin.
 */
#ifndef GUEST_AGENT_PACE_H
#define GUEST_AGENT_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "sample.h"

/* How often the caller should look at memory and ask pace_is_due(). */
#define PACE_LOOK_MS 250

/* All private. */
struct pace {
    int64_t interval_ms;
    bool told;
    int64_t told_ms;
    struct memory_sample told_memory;
    bool pressed;
    bool held;
    int64_t held_until_ms;
};

void pace_init(struct pace *pace, int64_t interval_ms);

/* The kernel's pressure trigger fired: the next report is due as soon as the pace permits. */
void pace_press(struct pace *pace);

bool pace_is_due(const struct pace *pace, const struct memory_sample *memory, int64_t now_ms);

/* A report with this memory was written. */
void pace_told(struct pace *pace, const struct memory_sample *memory, int64_t now_ms);

/* A report was due but could not be written. It stays due, after a pause. */
void pace_failed(struct pace *pace, int64_t now_ms);

#endif
