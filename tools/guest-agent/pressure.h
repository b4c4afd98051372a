/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The kernel's pressure trigger: to be woken when tasks stall for want of memory.
 */
#ifndef GUEST_AGENT_PRESSURE_H
#define GUEST_AGENT_PRESSURE_H

/*
 * Arms a trigger on proc_dir/pressure/memory. Returns a descriptor that polls POLLPRI, at most
 * once a second, while tasks stall a tenth of the time, for the caller to close; or a negative
 * errno where there is no pressure information, or no right to be told of it.
 */
int pressure_trigger_open(const char *proc_dir);

#endif
