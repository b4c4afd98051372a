/* SPDX-License-Identifier: LGPL-2.1-only */
#include "control_client.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "json/json.h"

struct exchange {
    const char *path;
    int fd;
    uint64_t deadline_ms;
    char *reply;
    size_t used, room, max;
    char *error;
    size_t error_size;
};

static int connect_to(struct exchange *x);
static int send_request(struct exchange *x, const char *line);
static int receive_reply(struct exchange *x);
static int check_reply(struct exchange *x, const struct xlp_json *root);
static int limit_wait(struct exchange *x);
static int fail_errno(struct exchange *x);
static int fail(struct exchange *x, const char *what);
static uint64_t now_ms(void);

int control_request(const char *socket_path, const char *request_line, size_t max_reply,
                    struct xlp_json **reply_out, char *error, size_t error_size)
{
    struct exchange x = {
        .path = socket_path,
        .fd = -1,
        .deadline_ms = now_ms() + CONTROL_TIMEOUT_MS,
        .max = max_reply,
        .error = error,
        .error_size = error_size,
    };
    struct xlp_json *root = NULL;
    char parse_error[256];
    int result = connect_to(&x);

    if (result == CONTROL_REPLIED)
        result = send_request(&x, request_line);
    if (result == CONTROL_REPLIED)
        result = receive_reply(&x);
    if (result != CONTROL_REPLIED)
        goto out;
    /* Each value takes at least two bytes, itself and a separator. */
    root = xlp_json_parse(x.reply, x.used, x.used / 2 + 1, parse_error, sizeof(parse_error));
    result = root ? check_reply(&x, root) : fail(&x, parse_error);
    if (result == CONTROL_REPLIED) {
        *reply_out = root;
        root = NULL;
    }
out:
    xlp_json_free(root);
    free(x.reply);
    if (x.fd >= 0)
        close(x.fd);
    return result;
}

static int connect_to(struct exchange *x)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(x->path) >= sizeof(address.sun_path))
        return fail(x, "the path is too long for a socket");
    memcpy(address.sun_path, x->path, strlen(x->path) + 1);
    x->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (x->fd < 0 || limit_wait(x) < 0)
        return fail_errno(x);
    if (connect(x->fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return CONTROL_REPLIED;
    switch (errno) {
    case ENOENT:
    case ECONNREFUSED:
        snprintf(x->error, x->error_size, "no xlpolicyd listens on %s; start it", x->path);
        return CONTROL_NO_DAEMON;
    case EACCES:
        snprintf(x->error, x->error_size,
                 "%s: permission denied; be root, or a member of xlpolicyd's control_group",
                 x->path);
        return CONTROL_DENIED;
    default: return fail_errno(x);
    }
}

static int send_request(struct exchange *x, const char *line)
{
    size_t length = strlen(line), sent = 0;

    while (sent <= length) {
        const char *from = sent < length ? line + sent : "\n";
        ssize_t got;

        if (limit_wait(x) < 0)
            return fail_errno(x);
        got = send(x->fd, from, sent < length ? length - sent : 1, MSG_NOSIGNAL);
        /* Who is turned away finds the connection closed, and the reason waiting in it. */
        if (got < 0 && (errno == EPIPE || errno == ECONNRESET))
            break;
        if (got < 0 && errno != EINTR)
            return fail_errno(x);
        if (got > 0)
            sent += (size_t)got;
    }
    return CONTROL_REPLIED;
}

static int make_room(struct exchange *x)
{
    size_t room = x->room ? x->room * 2 : 64 * 1024;
    char *grown;

    if (x->used < x->room)
        return 0;
    if (room > x->max)
        room = x->max;
    if (room == x->room)
        return fail(x, "the reply is too long");
    grown = realloc(x->reply, room);
    if (!grown)
        return fail(x, "out of memory");
    x->reply = grown;
    x->room = room;
    return 0;
}

/* Up to the newline, which is not kept. */
static int receive_reply(struct exchange *x)
{
    while (true) {
        ssize_t got;
        char *newline;

        if (make_room(x) < 0)
            return CONTROL_FAILED;
        if (limit_wait(x) < 0)
            return fail_errno(x);
        got = recv(x->fd, x->reply + x->used, x->room - x->used, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail_errno(x);
        if (got == 0)
            return fail(x, "the connection ended before the reply did");
        newline = memchr(x->reply + x->used, '\n', (size_t)got);
        x->used += (size_t)got;
        if (newline) {
            x->used = (size_t)(newline - x->reply);
            return CONTROL_REPLIED;
        }
    }
}

static int check_reply(struct exchange *x, const struct xlp_json *root)
{
    struct xlp_json_reader r;
    int64_t version, exit_code;
    const char *text;
    bool ok = false;
    char error[256];

    xlp_json_reader_init(&r, error, sizeof(error));
    if (xlp_json_kind(root) != XLP_JSON_OBJECT)
        xlp_json_fail(&r, root, "not an object");
    xlp_json_read_int(&r, root, "xlpolicy", XLP_JSON_REQUIRED, XLP_FORMAT_VERSION,
                      XLP_FORMAT_VERSION, &version);
    xlp_json_read_bool(&r, root, "ok", XLP_JSON_REQUIRED, &ok);
    if (ok) {
        xlp_json_read_object(&r, root, "result", XLP_JSON_REQUIRED);
    } else {
        xlp_json_read_string(&r, root, "error", XLP_JSON_REQUIRED, &text);
        xlp_json_read_int(&r, root, "exit_code", XLP_JSON_REQUIRED, 1, 4, &exit_code);
    }
    return xlp_json_done(&r) < 0 ? fail(x, error) : CONTROL_REPLIED;
}

/* Lets the next call block until the deadline at most. 0, or -1 with errno, EAGAIN once it passed.
 */
static int limit_wait(struct exchange *x)
{
    uint64_t now = now_ms(), left;
    struct timeval limit;

    if (now >= x->deadline_ms) {
        errno = EAGAIN;
        return -1;
    }
    left = x->deadline_ms - now;
    limit.tv_sec = (time_t)(left / 1000);
    limit.tv_usec = (suseconds_t)(left % 1000 * 1000);
    if (setsockopt(x->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
        return -1;
    return setsockopt(x->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

static int fail_errno(struct exchange *x)
{
    return fail(x, errno == EAGAIN ? "no answer in time" : strerror(errno));
}

static int fail(struct exchange *x, const char *what)
{
    snprintf(x->error, x->error_size, "%s: %s", x->path, what);
    return CONTROL_FAILED;
}

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}
