/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * xenstore's wire protocol over the xenbus device: see xenbus.h for the contract, and
 * docs/misc/xenstore.txt in Xen's sources for the protocol.
 */
#include "xenbus.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Message types and header as in Xen's public xen/io/xs_wire.h. */
enum wire_type {
    WIRE_READ = 2,
    WIRE_WRITE = 11,
    WIRE_RM = 13,
    WIRE_WATCH_EVENT = 15,
    WIRE_ERROR = 16,
};

struct wire_header {
    uint32_t type;
    uint32_t req_id; /* echoed in the reply */
    uint32_t tx_id;  /* 0: not part of a transaction */
    uint32_t len;    /* bytes of payload that follow */
};

struct wire_message {
    struct wire_header header;
    char payload[XENBUS_PAYLOAD_MAX];
};

/* Linux gathers a request, its header included, in a buffer of this size. */
#define REQUEST_MAX 4096

/* xenstored asks for a retry when it is momentarily short: 10 + 20 + 40 + 80 ms of patience. */
#define EAGAIN_TRIES          5
#define EAGAIN_FIRST_PAUSE_MS 10

static int call(int fd, enum wire_type type, const char *path, const void *data, size_t len,
                struct wire_message *reply_out);
static int call_once(int fd, const struct wire_message *request, struct wire_message *reply_out);
static int build_request(struct wire_message *request, enum wire_type type, const char *path,
                         const void *data, size_t len);
static int check_reply(const struct wire_message *request, const struct wire_message *reply);
static int receive(int fd, struct wire_message *message_out);
static int errno_of_text(const char *text, size_t len);
static int read_all(int fd, void *buf, size_t len);
static int write_all(int fd, const void *buf, size_t len);
static int wait_ready(int fd, short events);
static void pause_ms(long ms);

int xenbus_open(void)
{
    int fd = open("/dev/xen/xenbus", O_RDWR | O_CLOEXEC);

    if (fd >= 0)
        return fd;

    int dev_errno = errno;
    if (dev_errno == ENOENT || dev_errno == ENXIO || dev_errno == ENODEV)
        fd = open("/proc/xen/xenbus", O_RDWR | O_CLOEXEC);
    return fd >= 0 ? fd : -dev_errno;
}

int xenbus_read(int fd, const char *path, char *buf, size_t size)
{
    struct wire_message reply;
    int rc = call(fd, WIRE_READ, path, NULL, 0, &reply);

    if (rc)
        return rc;
    if (reply.header.len >= size)
        return -ENOBUFS;
    memcpy(buf, reply.payload, reply.header.len);
    buf[reply.header.len] = '\0';
    return (int)reply.header.len;
}

int xenbus_write(int fd, const char *path, const void *data, size_t len)
{
    struct wire_message reply;

    return call(fd, WIRE_WRITE, path, data, len, &reply);
}

int xenbus_rm(int fd, const char *path)
{
    struct wire_message reply;

    return call(fd, WIRE_RM, path, NULL, 0, &reply);
}

static int call(int fd, enum wire_type type, const char *path, const void *data, size_t len,
                struct wire_message *reply_out)
{
    struct wire_message request;
    int rc = build_request(&request, type, path, data, len);

    for (int try = 1; rc == 0; try++) {
        rc = call_once(fd, &request, reply_out);
        if (rc != -EAGAIN || try == EAGAIN_TRIES)
            break;
        pause_ms(EAGAIN_FIRST_PAUSE_MS << (try - 1));
        rc = 0;
    }
    return rc;
}

static int call_once(int fd, const struct wire_message *request, struct wire_message *reply_out)
{
    int rc = write_all(fd, request, sizeof(request->header) + request->header.len);

    if (rc)
        return rc;
    /* Watch events share the stream with replies; a descriptor handed to us may have some. */
    do {
        rc = receive(fd, reply_out);
        if (rc)
            return rc;
    } while (reply_out->header.type == WIRE_WATCH_EVENT);
    return check_reply(request, reply_out);
}

static int build_request(struct wire_message *request, enum wire_type type, const char *path,
                         const void *data, size_t len)
{
    size_t path_size = strlen(path) + 1;
    size_t room = REQUEST_MAX - sizeof(request->header);

    if (path_size == 1)
        return -EINVAL;
    if (path_size > room || len > room - path_size)
        return -E2BIG;

    request->header = (struct wire_header){
        .type = type,
        .req_id = type,
        .len = (uint32_t)(path_size + len),
    };
    memcpy(request->payload, path, path_size);
    if (len)
        memcpy(request->payload + path_size, data, len);
    return 0;
}

/*
 * One request is in flight at a time, so an answer to another one means that the two ends have
 * come apart.
 */
static int check_reply(const struct wire_message *request, const struct wire_message *reply)
{
    if (reply->header.req_id != request->header.req_id)
        return -EPROTO;
    if (reply->header.type == WIRE_ERROR)
        return errno_of_text(reply->payload, reply->header.len);
    return reply->header.type == request->header.type ? 0 : -EPROTO;
}

static int receive(int fd, struct wire_message *message_out)
{
    int rc = read_all(fd, &message_out->header, sizeof(message_out->header));

    if (rc)
        return rc;
    if (message_out->header.len > sizeof(message_out->payload))
        return -EPROTO;
    return read_all(fd, message_out->payload, message_out->header.len);
}

/* xenstored sends errors as names, because numbers differ between systems. */
static int errno_of_text(const char *text, size_t len)
{
    static const struct {
        const char *name;
        int value;
    } errors[] = {
        {"EINVAL", EINVAL}, {"EACCES", EACCES},       {"EEXIST", EEXIST}, {"EISDIR", EISDIR},
        {"ENOENT", ENOENT}, {"ENOMEM", ENOMEM},       {"ENOSPC", ENOSPC}, {"EIO", EIO},
        {"EROFS", EROFS},   {"ENOTEMPTY", ENOTEMPTY}, {"ENOSYS", ENOSYS}, {"EBUSY", EBUSY},
        {"EAGAIN", EAGAIN}, {"EISCONN", EISCONN},     {"E2BIG", E2BIG},   {"EPERM", EPERM},
    };

    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        size_t size = strlen(errors[i].name) + 1;

        if (len == size && memcmp(text, errors[i].name, size) == 0)
            return -errors[i].value;
    }
    return -EIO; /* an error with a name that we do not know */
}

static int read_all(int fd, void *buf, size_t len)
{
    char *at = buf;

    while (len > 0) {
        ssize_t n = read(fd, at, len);

        if (n > 0) {
            at += n;
            len -= (size_t)n;
        } else if (n == 0 || !wait_ready(fd, POLLIN)) {
            return -EPROTO;
        }
    }
    return 0;
}

static int write_all(int fd, const void *buf, size_t len)
{
    const char *at = buf;

    while (len > 0) {
        ssize_t n = write(fd, at, len);

        if (n >= 0) {
            at += n;
            len -= (size_t)n;
        } else if (!wait_ready(fd, POLLOUT)) {
            return -EPROTO;
        }
    }
    return 0;
}

/* After a failed read or write: can it be tried again? Waits where the descriptor would not. */
static int wait_ready(int fd, short events)
{
    struct pollfd pollfd = {.fd = fd, .events = events};

    if (errno == EINTR)
        return 1;
    if (errno != EAGAIN)
        return 0;
    while (poll(&pollfd, 1, -1) < 0) {
        if (errno != EINTR)
            return 0;
    }
    return 1;
}

static void pause_ms(long ms)
{
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        ;
}
