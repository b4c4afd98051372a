/* SPDX-License-Identifier: LGPL-2.1-only */
/* Where reports go: see publish.h. */
#include "publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "format.h"
#include "xenbus.h"

static int xenstore_publish(struct publisher *publisher, const char *report, size_t len);
static void xenstore_withdraw(struct publisher *publisher);
static int xenstore_connect(struct publisher *publisher);
static int stdout_publish(struct publisher *publisher, const char *report, size_t len);
static void stdout_withdraw(struct publisher *publisher);

void publisher_init_xenstore(struct publisher *publisher, const char *device)
{
    *publisher = (struct publisher){
        .publish = xenstore_publish,
        .withdraw = xenstore_withdraw,
        .device = device,
        .fd = -1,
    };
}

void publisher_init_stdout(struct publisher *publisher)
{
    *publisher = (struct publisher){
        .publish = stdout_publish,
        .withdraw = stdout_withdraw,
        .fd = -1,
    };
}

void publisher_dispose(struct publisher *publisher)
{
    if (publisher->fd >= 0)
        close(publisher->fd);
    publisher->fd = -1;
}

static int xenstore_publish(struct publisher *publisher, const char *report, size_t len)
{
    int rc = xenstore_connect(publisher);

    if (rc) {
        publisher->failed =
            "cannot open the xenbus device (is this a Xen guest, and are you root?)";
        return rc;
    }
    rc = xenbus_write(publisher->fd, REPORT_KEY, report, len);
    if (rc == -EPROTO) {
        publisher->failed = "lost the connection to xenstore";
        publisher_dispose(publisher);
    } else if (rc) {
        publisher->failed = "xenstore does not take " REPORT_KEY;
    }
    return rc;
}

static void xenstore_withdraw(struct publisher *publisher)
{
    if (publisher->fd >= 0)
        xenbus_rm(publisher->fd, REPORT_KEY);
}

static int xenstore_connect(struct publisher *publisher)
{
    if (publisher->fd >= 0)
        return 0;

    int fd;
    if (publisher->device) {
        fd = open(publisher->device, O_RDWR | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
            fd = -errno;
    } else {
        fd = xenbus_open();
    }
    if (fd < 0)
        return fd;
    publisher->fd = fd;
    return 0;
}

static int stdout_publish(struct publisher *publisher, const char *report, size_t len)
{
    if (printf("%.*s\n", (int)len, report) < 0 || fflush(stdout) == EOF) {
        publisher->failed = "cannot write to stdout";
        return -errno;
    }
    return 0;
}

/* What was printed stays printed. */
static void stdout_withdraw(struct publisher *publisher)
{
    (void)publisher;
}
