/* SPDX-License-Identifier: LGPL-2.1-only */
/* Qubes' memory manager, for the comparison of speed. */
#ifndef XLPOLICY_BENCH_MEMORY_QMEMMAN_H
#define XLPOLICY_BENCH_MEMORY_QMEMMAN_H

#include "policy.h"

/* What this guest uses now is known from here on. */
void qmemman_note(void *self, const struct mem_host *h, size_t guest);

/* One whole balance, as after a report of this guest. On a host with instant balloons it never
 * waits. */
void qmemman_balance(void *self, struct mem_host *h, size_t guest);

#endif
