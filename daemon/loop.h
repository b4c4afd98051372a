/* SPDX-License-Identifier: LGPL-2.1-only */
/* Waiting: for the next tick, which the host's events bring forward, for signals, and for clients.
 */
#ifndef LOOP_H
#define LOOP_H

#include "state.h"

/* Blocks the signals that loop_run takes from a descriptor. To be called before anything starts a
 * thread. Returns the descriptor, or -1 with errno. */
int loop_take_signals(void);

/* Runs until told to stop. 0; or -1 when waiting failed, and has logged why. */
int loop_run(struct daemon *d, int signal_fd);

/* When the tick after the one that was due at due_ns is due, seen from now_ns: ticks keep their
 * rhythm, and those that passed meanwhile are left out and counted in *missed. */
uint64_t loop_next_tick(uint64_t due_ns, uint64_t now_ns, uint64_t tick_ns, uint64_t *missed);

#endif
