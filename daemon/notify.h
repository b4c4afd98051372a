/* SPDX-License-Identifier: LGPL-2.1-only */
/* Telling systemd how we are: sd_notify's protocol is one datagram, so no library is needed. */
#ifndef NOTIFY_H
#define NOTIFY_H

#include <stdint.h>

/* Sends e.g. "READY=1". Does nothing when no manager asked for it; failures are ignored. */
void notify_send(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* How often the manager wants to hear WATCHDOG=1, halved as it recommends; 0: it does not. */
uint64_t notify_watchdog_ns(void);

#endif
