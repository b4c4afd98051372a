/* SPDX-License-Identifier: LGPL-2.1-only */
#include "control.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "json/json.h"
#include "log.h"
#include "options.h"
#include "pidfile.h"

#define ACCEPTS_A_PASS  16
#define ACCEPT_PAUSE_NS UINT64_C(1000000000)

static int listen_at(struct control *c, char *error, size_t error_size);
static void accept_clients(struct control *c, uint64_t now_ns);
static void receive(struct control_client *client);
static void answer_next(struct control *c, uint64_t now_ns);
static void serve_client(const struct control *c, struct control_client *client, uint64_t now_ns);
static void drop_gone_clients(struct control *c);

void control_init(struct control *c)
{
    memset(c, 0, sizeof(*c));
    c->listener = -1;
}

int control_open(struct control *c, const char *path, gid_t group, control_answer *answer,
                 void *context, char *error, size_t error_size)
{
    control_init(c);
    c->answer = answer;
    c->context = context;
    c->group = CONTROL_NO_GROUP;
    if (strlen(path) >= sizeof(c->path)) {
        snprintf(error, error_size, "the path of the control socket is too long: %s", path);
        return -1;
    }
    memcpy(c->path, path, strlen(path) + 1);
    if (pidfile_make_directory(path, error, error_size) < 0)
        return -1;
    c->reply = xlp_json_writer_new(false);
    if (!c->reply) {
        snprintf(error, error_size, "out of memory");
        return -1;
    }
    if (listen_at(c, error, error_size) < 0 || control_set_group(c, group, error, error_size) < 0) {
        control_close(c);
        return -1;
    }
    return 0;
}

void control_close(struct control *c)
{
    for (size_t i = 0; i < c->client_count; i++)
        c->clients[i].gone = true;
    drop_gone_clients(c);
    if (c->listener >= 0) {
        unlink(c->path);
        close(c->listener);
    }
    xlp_json_writer_free(c->reply);
    control_init(c);
}

int control_set_group(struct control *c, gid_t group, char *error, size_t error_size)
{
    gid_t owner = group == CONTROL_NO_GROUP ? getegid() : group;

    if (chmod(c->path, 0660) < 0 || chown(c->path, (uid_t)-1, owner) < 0) {
        snprintf(error, error_size, "cannot give the group access to %s: %s", c->path,
                 strerror(errno));
        return -1;
    }
    c->group = group;
    return 0;
}

/* A socket file that a killed daemon left behind answers nobody, and may be replaced. */
static bool is_answered(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool answered = false;

    if (fd >= 0) {
        answered =
            connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN;
        close(fd);
    }
    return answered;
}

static int listen_at(struct control *c, char *error, size_t error_size)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct stat st;
    mode_t mask;
    int rc;

    if (fd < 0)
        goto fail;
    memcpy(address.sun_path, c->path, sizeof(c->path));
    if (lstat(c->path, &st) == 0 && S_ISSOCK(st.st_mode)) {
        if (is_answered(&address)) {
            snprintf(error, error_size, "another process serves the control socket %s", c->path);
            close(fd);
            return -1;
        }
        unlink(c->path);
    }
    mask = umask(0177); /* nobody else's until the group is set */
    rc = bind(fd, (struct sockaddr *)&address, sizeof(address));
    umask(mask);
    if (rc < 0 || listen(fd, CONTROL_CLIENTS_MAX) < 0)
        goto fail;
    c->listener = fd;
    return 0;
fail:
    snprintf(error, error_size, "cannot listen on %s: %s", c->path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

/* ---- the event loop's side ---- */

/* A complete request, or the end of input, which completes what there is of one. */
static bool has_request(const struct control_client *client)
{
    return client->input_used > 0 && (client->at_end || client->input_used > CONTROL_REQUEST_MAX ||
                                      memchr(client->input, '\n', client->input_used));
}

static bool wants_input(const struct control_client *client)
{
    return !client->output && !client->at_end && !client->closing && !has_request(client);
}

size_t control_fds(const struct control *c, struct pollfd *fds, uint64_t now_ns)
{
    short accepting = now_ns >= c->accept_again_ns ? POLLIN : 0;

    fds[0] = (struct pollfd){.fd = c->listener, .events = accepting};
    for (size_t i = 0; i < c->client_count; i++) {
        const struct control_client *client = &c->clients[i];

        fds[1 + i] = (struct pollfd){.fd = client->fd};
        if (client->output)
            fds[1 + i].events = POLLOUT;
        else if (wants_input(client))
            fds[1 + i].events = POLLIN;
    }
    return 1 + c->client_count;
}

static uint64_t client_deadline_ns(const struct control *c, const struct control_client *client)
{
    uint64_t stalled_ns = client->progress_ns + CONTROL_STALL_NS;
    uint64_t late_ns = client->queued_ns + CONTROL_REPLY_NS;

    if (client->output)
        return stalled_ns < late_ns ? stalled_ns : late_ns;
    if (has_request(client))
        return c->on_hold ? UINT64_MAX : 0;
    return client->progress_ns + CONTROL_IDLE_NS;
}

uint64_t control_deadline_ns(const struct control *c)
{
    uint64_t deadline = UINT64_MAX;

    if (c->accept_again_ns)
        deadline = c->accept_again_ns;
    for (size_t i = 0; i < c->client_count; i++)
        if (client_deadline_ns(c, &c->clients[i]) < deadline)
            deadline = client_deadline_ns(c, &c->clients[i]);
    return deadline;
}

void control_serve(struct control *c, const struct pollfd *fds, size_t fd_count, uint64_t now_ns)
{
    for (size_t i = 0; i < c->client_count && i + 1 < fd_count; i++)
        if (fds[1 + i].revents && wants_input(&c->clients[i]))
            receive(&c->clients[i]);
    answer_next(c, now_ns);
    for (size_t i = 0; i < c->client_count; i++)
        serve_client(c, &c->clients[i], now_ns);
    drop_gone_clients(c);
    if (now_ns >= c->accept_again_ns)
        c->accept_again_ns = 0;
    if (fd_count && fds[0].revents)
        accept_clients(c, now_ns);
}

static void drop_gone_clients(struct control *c)
{
    size_t kept = 0;

    for (size_t i = 0; i < c->client_count; i++) {
        struct control_client *client = &c->clients[i];

        if (client->gone) {
            close(client->fd);
            free(client->input);
            free(client->output);
        } else {
            c->clients[kept++] = *client;
        }
    }
    c->client_count = kept;
}

/* ---- who comes in ---- */

/* One reply to a client that gets no place: it fits into a socket that is still empty. */
static void turn_away(struct control *c, int fd, int exit_code, const char *why)
{
    const char *text;
    size_t length;

    control_reply_error(c->reply, exit_code, "%s", why);
    text = xlp_json_text(c->reply, &length);
    if (text) {
        (void)!send(fd, text, length, MSG_NOSIGNAL);
        (void)!send(fd, "\n", 1, MSG_NOSIGNAL);
    }
    close(fd);
}

static size_t count_readers(const struct control *c)
{
    size_t count = 0;

    for (size_t i = 0; i < c->client_count; i++)
        count += !c->clients[i].peer.may_act;
    return count;
}

static void admit(struct control *c, int fd, uint64_t now_ns)
{
    struct control_client client = {.fd = fd, .turn = c->answers, .progress_ns = now_ns};

    if (control_identify(fd, c->group, &client.peer) < 0) {
        turn_away(c, fd, EXIT_CODE_REFUSED,
                  "refused: only root and members of control_group may talk to xlpolicyd");
        return;
    }
    if (c->client_count == CONTROL_CLIENTS_MAX ||
        (!client.peer.may_act && count_readers(c) >= CONTROL_READERS_MAX)) {
        turn_away(c, fd, EXIT_CODE_FAILED, "busy: too many clients; try again in a moment");
        return;
    }
    client.input = malloc(CONTROL_REQUEST_MAX + 1);
    if (!client.input) {
        turn_away(c, fd, EXIT_CODE_FAILED, "out of memory");
        return;
    }
    c->clients[c->client_count++] = client;
}

static void accept_clients(struct control *c, uint64_t now_ns)
{
    for (int i = 0; i < ACCEPTS_A_PASS; i++) {
        int fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd >= 0) {
            admit(c, fd, now_ns);
            continue;
        }
        /* Out of descriptors the listener stays readable: look again later, not at once. */
        if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR) {
            log_line(LOG_ERR, "cannot accept a client: %s", strerror(errno));
            c->accept_again_ns = now_ns + ACCEPT_PAUSE_NS;
        }
        return;
    }
}

/* ---- one client ---- */

static void answer_request(struct control *c, struct control_client *client, uint64_t now_ns);
static void send_output(struct control_client *client, uint64_t now_ns);

/* What the others ask waits: a state may take long to put together, and the next tick may be due.
 */
static void answer_next(struct control *c, uint64_t now_ns)
{
    struct control_client *next = NULL;

    if (c->on_hold)
        return;
    for (size_t i = 0; i < c->client_count; i++) {
        struct control_client *client = &c->clients[i];

        if (!client->output && !client->gone && has_request(client) &&
            (!next || client->turn < next->turn))
            next = client;
    }
    if (!next)
        return;
    answer_request(c, next, now_ns);
    next->turn = ++c->answers;
}

static void serve_client(const struct control *c, struct control_client *client, uint64_t now_ns)
{
    if (client->output && !client->gone)
        send_output(client, now_ns);
    if (!client->output && (client->closing || (client->at_end && client->input_used == 0)))
        client->gone = true;
    if ((client->output || !has_request(client)) && now_ns >= client_deadline_ns(c, client))
        client->gone = true;
}

static void receive(struct control_client *client)
{
    ssize_t got = recv(client->fd, client->input + client->input_used,
                       CONTROL_REQUEST_MAX + 1 - client->input_used, 0);

    if (got > 0)
        client->input_used += (size_t)got;
    else if (got == 0)
        client->at_end = true;
    else if (errno != EAGAIN && errno != EINTR)
        client->gone = true;
}

static void queue_reply(struct control *c, struct control_client *client,
                        struct xlp_json_writer *reply, uint64_t now_ns)
{
    size_t length;
    const char *text = xlp_json_text(reply, &length);

    if (text && length >= CONTROL_OUTPUT_MAX) {
        control_reply_error(c->reply, EXIT_CODE_FAILED, "the reply is longer than %d MiB",
                            CONTROL_OUTPUT_MAX / (1024 * 1024));
        text = xlp_json_text(c->reply, &length);
    }
    client->output = text ? malloc(length + 1) : NULL;
    if (!client->output) {
        client->gone = true;
        return;
    }
    memcpy(client->output, text, length);
    client->output[length] = '\n';
    client->output_size = length + 1;
    client->output_sent = 0;
    client->queued_ns = client->progress_ns = now_ns;
}

static bool has_room_for_reply(const struct control *c, const struct control_client *client)
{
    size_t queued = 0;

    for (size_t i = 0; i < c->client_count; i++)
        if (c->clients[i].output)
            queued += c->clients[i].output_size;
    return queued <= (client->peer.may_act ? CONTROL_QUEUED_MAX : CONTROL_QUEUED_READERS_MAX);
}

static void answer_request(struct control *c, struct control_client *client, uint64_t now_ns)
{
    const char *newline = memchr(client->input, '\n', client->input_used);
    size_t length = newline ? (size_t)(newline - client->input) : client->input_used;
    size_t taken = newline ? length + 1 : length;
    struct xlp_json_writer *reply = c->reply;

    if (length > CONTROL_REQUEST_MAX) {
        control_reply_error(reply, EXIT_CODE_USAGE, "the request is longer than %d bytes",
                            CONTROL_REQUEST_MAX);
        client->closing = true;
    } else if (!has_room_for_reply(c, client)) {
        control_reply_error(reply, EXIT_CODE_FAILED,
                            "busy: too many replies are on their way; try again in a moment");
    } else {
        xlp_json_writer_reset(reply);
        reply = c->answer(c->context, &client->peer, client->input, length, reply);
    }
    client->input_used = client->closing ? 0 : client->input_used - taken;
    memmove(client->input, client->input + taken, client->input_used);
    queue_reply(c, client, reply, now_ns);
}

static void send_output(struct control_client *client, uint64_t now_ns)
{
    ssize_t sent = send(client->fd, client->output + client->output_sent,
                        client->output_size - client->output_sent, MSG_NOSIGNAL);

    if (sent < 0) {
        client->gone = errno != EAGAIN && errno != EINTR;
        return;
    }
    client->output_sent += (size_t)sent;
    client->progress_ns = now_ns;
    if (client->output_sent == client->output_size) {
        free(client->output);
        client->output = NULL;
    }
}

void control_reply_error(struct xlp_json_writer *reply, int exit_code, const char *format, ...)
{
    char text[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    xlp_json_writer_reset(reply);
    xlp_json_open_object(reply);
    xlp_json_put_int(reply, "xlpolicy", XLP_FORMAT_VERSION);
    xlp_json_put_bool(reply, "ok", false);
    xlp_json_put_string(reply, "error", text);
    xlp_json_put_int(reply, "exit_code", exit_code);
    xlp_json_close_object(reply);
}
