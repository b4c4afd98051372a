/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The agent's life: look at memory, report when it is due, sleep.
 */
#ifndef GUEST_AGENT_LOOP_H
#define GUEST_AGENT_LOOP_H

#include <stddef.h>
#include <stdint.h>

#include "publish.h"

/*
 * One report, due or not, to each publisher in turn. Returns 0, or a negative errno, having printed
 * why, at the first that fails.
 */
int loop_once(const char *proc_dir, struct publisher *const publishers[], size_t count);

/*
 * Reports until SIGTERM or SIGINT, then withdraws the report and returns 0. What fails is tried
 * again for ever, and complained of once; a negative errno, with the reason printed, is returned
 * only when the first look already finds that the kernel does not tell how much memory there is.
 */
int loop_run(const char *proc_dir, int64_t interval_ms, struct publisher *publisher);

#endif
