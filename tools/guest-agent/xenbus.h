/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A small client of xenstore for programs that run inside a guest.
 *
 * It speaks the wire protocol over the kernel's xenbus device, one request at a time, and needs no
 * Xen header and no library. Paths may be relative: xenstored reads them below the guest's own
 * /local/domain/DOMID, so "data/x" is the same key before and after a migration.
 *
 * Every call blocks until xenstored has answered, which across a suspend or a migration may be
 * long. A signal whose handler was installed without SA_RESTART does not end a call either: the
 * request is on its way, and its answer has to be read.
 *
 * Errors are negative errno values of two kinds:
 *   -EPROTO         the transport failed or the answer made no sense. The conversation cannot be
 *                   picked up again: close the descriptor and open another.
 *   anything else   xenstored's answer (-ENOENT, -EACCES, -ENOSPC ...) or a request that was
 *                   refused before it was sent (-EINVAL, -E2BIG). The descriptor stays good.
 */
#ifndef GUEST_AGENT_XENBUS_H
#define GUEST_AGENT_XENBUS_H

#include <stddef.h>

/* The protocol's limit on what follows a header, and so on any value. */
#define XENBUS_PAYLOAD_MAX 4096

/*
 * Opens /dev/xen/xenbus, or /proc/xen/xenbus where the former does not exist. Returns a descriptor
 * that the caller closes, or the negative errno of the attempt: -ENOENT, -ENXIO or -ENODEV while
 * this is no Xen guest or its driver has not come up yet.
 */
int xenbus_open(void);

/*
 * Reads the key at path into buf and ends it with a NUL. Returns the value's length in bytes (it
 * may hold NULs of its own), or a negative errno; -ENOBUFS if the value and the NUL do not fit in
 * size bytes, in which case buf is untouched.
 */
int xenbus_read(int fd, const char *path, char *buf, size_t size);

/*
 * Sets the key at path, creating it and its parents if need be, to len bytes of data. One write is
 * atomic: a reader sees the old value or the new one. Returns 0 or a negative errno; -E2BIG if path
 * and data do not fit in one message.
 */
int xenbus_write(int fd, const char *path, const void *data, size_t len);

/* Removes the key at path and all below it. Returns 0, -ENOENT if there was none, or an errno. */
int xenbus_rm(int fd, const char *path);

#endif
