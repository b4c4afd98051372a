/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Where reports go: to xenstore, or to stdout for a dry run.
 */
#ifndef GUEST_AGENT_PUBLISH_H
#define GUEST_AGENT_PUBLISH_H

#include <stddef.h>

struct publisher {
    /* Hands one report on. Returns 0 or a negative errno, with failed set to what did not work. */
    int (*publish)(struct publisher *publisher, const char *report, size_t len);
    /* The agent stops: takes the last report back, so that nobody waits for a next one. */
    void (*withdraw)(struct publisher *publisher);
    const char *failed;
    const char *device; /* private, as fd: the xenbus device, NULL for the usual one */
    int fd;
};

/* The device is opened when it is first needed, and again after the connection broke. */
void publisher_init_xenstore(struct publisher *publisher, const char *device);
void publisher_init_stdout(struct publisher *publisher);
void publisher_dispose(struct publisher *publisher);

#endif
