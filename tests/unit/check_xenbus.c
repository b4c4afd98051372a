/* SPDX-License-Identifier: LGPL-2.1-only */
/* links: tools/guest-agent/xenbus.c */
/*
 * The guest's xenstore client, against a store at the other end of a socket pair: what it sends,
 * and what it makes of answers that come late, in pieces, or wrong.
 */
#include "check_main.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xen/io/xs_wire.h>

#include "../../tools/guest-agent/xenbus.h"

#define PATH "data/key"

/* One request as the store got it. */
struct request {
    struct xsd_sockmsg header;
    char payload[XENSTORE_PAYLOAD_MAX];
};

/* What the store does with the connection; true if it met what it expected. */
typedef bool store_fn(int fd);

static int client_fd;
static pid_t store_pid;

static void start_store(store_fn *serve)
{
    int fds[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    store_pid = fork();
    ck_assert_int_ge(store_pid, 0);
    if (store_pid == 0) {
        close(fds[0]);
        _exit(serve(fds[1]) ? 0 : 1);
    }
    close(fds[1]);
    client_fd = fds[0];
}

static void expect_store_was_content(void)
{
    int status;

    close(client_fd);
    ck_assert_int_eq(waitpid(store_pid, &status, 0), store_pid);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the store saw a wrong request");
}

static bool receive(int fd, struct request *request)
{
    return recv(fd, &request->header, sizeof(request->header), MSG_WAITALL) ==
               sizeof(request->header) &&
           request->header.len <= sizeof(request->payload) &&
           recv(fd, request->payload, request->header.len, MSG_WAITALL) == request->header.len;
}

static bool receive_exactly(int fd, struct request *request, uint32_t type, const char *payload,
                            size_t size)
{
    return receive(fd, request) && request->header.type == type && request->header.tx_id == 0 &&
           request->header.len == size && memcmp(request->payload, payload, size) == 0;
}

static bool send_message(int fd, uint32_t type, uint32_t req_id, const void *payload, size_t size)
{
    struct xsd_sockmsg header = {.type = type, .req_id = req_id, .len = (uint32_t)size};

    return send(fd, &header, sizeof(header), MSG_NOSIGNAL) == sizeof(header) &&
           send(fd, payload, size, MSG_NOSIGNAL) == (ssize_t)size;
}

static bool reply(int fd, const struct request *to, const void *payload, size_t size)
{
    return send_message(fd, to->header.type, to->header.req_id, payload, size);
}

static bool reply_error(int fd, const struct request *to, const char *text)
{
    return send_message(fd, XS_ERROR, to->header.req_id, text, strlen(text) + 1);
}

static bool store_answers_hello(int fd)
{
    struct request request;

    return receive_exactly(fd, &request, XS_READ, PATH "\0", sizeof(PATH)) &&
           reply(fd, &request, "hello", 5);
}

static bool store_takes_a_write(int fd)
{
    static const char expected[] = PATH "\0v\0w";
    struct request request;

    return receive_exactly(fd, &request, XS_WRITE, expected, sizeof(expected) - 1) &&
           reply(fd, &request, "OK", 3);
}

static bool store_removes(int fd)
{
    struct request request;

    return receive_exactly(fd, &request, XS_RM, PATH "\0", sizeof(PATH)) &&
           reply(fd, &request, "OK", 3);
}

static bool store_sends_events_first(int fd)
{
    static const char event[] = "@releaseDomain\0token";
    struct request request;

    return receive(fd, &request) && send_message(fd, XS_WATCH_EVENT, 0, event, sizeof(event)) &&
           send_message(fd, XS_WATCH_EVENT, 0, event, sizeof(event)) &&
           reply(fd, &request, "hello", 5);
}

static bool store_dribbles(int fd)
{
    struct {
        struct xsd_sockmsg header;
        char payload[5];
    } message = {.header = {.type = XS_READ, .len = 5}, .payload = "hello"};
    const char *bytes = (const char *)&message;
    struct request request;

    if (!receive(fd, &request))
        return false;
    message.header.req_id = request.header.req_id;
    for (size_t i = 0; i < sizeof(message.header) + sizeof(message.payload); i++) {
        if (send(fd, bytes + i, 1, MSG_NOSIGNAL) != 1)
            return false;
        usleep(200);
    }
    return true;
}

static bool store_is_busy_twice(int fd)
{
    struct request request;

    return receive(fd, &request) && reply_error(fd, &request, "EAGAIN") && receive(fd, &request) &&
           reply_error(fd, &request, "EAGAIN") &&
           receive_exactly(fd, &request, XS_WRITE, PATH "\0v", sizeof(PATH) + 1) &&
           reply(fd, &request, "OK", 3);
}

static bool store_is_always_busy(int fd)
{
    struct request request;
    int times = 0;

    while (receive(fd, &request)) {
        times++;
        reply_error(fd, &request, "EAGAIN");
    }
    return times > 1 && times < 20;
}

/* One error each for three requests, the last of a kind that does not exist, then an answer. */
static bool store_refuses_thrice(int fd)
{
    struct request request;

    return receive(fd, &request) && reply_error(fd, &request, "ENOENT") && receive(fd, &request) &&
           reply_error(fd, &request, "EACCES") && receive(fd, &request) &&
           reply_error(fd, &request, "EWHATEVER") && store_answers_hello(fd);
}

static bool store_sends_the_largest_value(int fd)
{
    char value[XENSTORE_PAYLOAD_MAX];
    struct request request;

    memset(value, 'x', sizeof(value));
    return receive(fd, &request) && reply(fd, &request, value, sizeof(value)) &&
           receive(fd, &request) && reply(fd, &request, value, sizeof(value)) &&
           store_answers_hello(fd);
}

static bool store_sends_too_long_a_payload(int fd)
{
    char payload[XENSTORE_PAYLOAD_MAX + 1] = {0};
    struct request request;

    if (!receive(fd, &request))
        return false;
    reply(fd, &request, payload, sizeof(payload)); /* it may hang up before the end of this */
    return true;
}

static bool store_answers_another_request(int fd)
{
    struct request request;

    return receive(fd, &request) &&
           send_message(fd, XS_READ, request.header.req_id + 1, "hello", 5);
}

static bool store_answers_with_another_type(int fd)
{
    struct request request;

    return receive(fd, &request) && send_message(fd, XS_RM, request.header.req_id, "OK", 3);
}

static bool store_hangs_up(int fd)
{
    struct request request;

    return receive(fd, &request);
}

static bool store_expects_silence(int fd)
{
    char byte;

    return recv(fd, &byte, 1, 0) == 0;
}

START_TEST(a_value_is_read_and_ended_with_a_nul)
{
    char buf[6];

    memset(buf, 'z', sizeof(buf));
    start_store(store_answers_hello);
    ck_assert_int_eq(xenbus_read(client_fd, PATH, buf, sizeof(buf)), 5);
    ck_assert_mem_eq(buf, "hello", 6);
    expect_store_was_content();
}
END_TEST

START_TEST(a_write_sends_the_path_and_the_bytes)
{
    start_store(store_takes_a_write);
    ck_assert_int_eq(xenbus_write(client_fd, PATH, "v\0w", 3), 0);
    expect_store_was_content();
}
END_TEST

START_TEST(a_removal_sends_the_path)
{
    start_store(store_removes);
    ck_assert_int_eq(xenbus_rm(client_fd, PATH), 0);
    expect_store_was_content();
}
END_TEST

START_TEST(watch_events_in_between_are_skipped)
{
    char buf[16];

    start_store(store_sends_events_first);
    ck_assert_int_eq(xenbus_read(client_fd, PATH, buf, sizeof(buf)), 5);
    ck_assert_str_eq(buf, "hello");
    expect_store_was_content();
}
END_TEST

START_TEST(an_answer_in_pieces_is_put_together)
{
    char buf[16];

    start_store(store_dribbles);
    ck_assert_int_eq(xenbus_read(client_fd, PATH, buf, sizeof(buf)), 5);
    ck_assert_str_eq(buf, "hello");
    expect_store_was_content();
}
END_TEST

START_TEST(a_busy_store_is_asked_again)
{
    start_store(store_is_busy_twice);
    ck_assert_int_eq(xenbus_write(client_fd, PATH, "v", 1), 0);
    expect_store_was_content();
}
END_TEST

START_TEST(a_store_that_stays_busy_is_given_up)
{
    start_store(store_is_always_busy);
    ck_assert_int_eq(xenbus_write(client_fd, PATH, "v", 1), -EAGAIN);
    expect_store_was_content();
}
END_TEST

START_TEST(a_refusal_is_an_errno_and_the_connection_goes_on)
{
    char buf[16];

    start_store(store_refuses_thrice);
    ck_assert_int_eq(xenbus_read(client_fd, PATH, buf, sizeof(buf)), -ENOENT);
    ck_assert_int_eq(xenbus_write(client_fd, PATH, "v", 1), -EACCES);
    ck_assert_int_eq(xenbus_rm(client_fd, PATH), -EIO);
    ck_assert_int_eq(xenbus_read(client_fd, PATH, buf, sizeof(buf)), 5);
    expect_store_was_content();
}
END_TEST

START_TEST(a_value_that_does_not_fit_is_an_error_and_the_connection_goes_on)
{
    char buf[XENBUS_PAYLOAD_MAX + 1] = "as before";

    start_store(store_sends_the_largest_value);
    ck_assert_int_eq(xenbus_read(client_fd, PATH, buf, XENBUS_PAYLOAD_MAX), -ENOBUFS);
    ck_assert_str_eq(buf, "as before");
    ck_assert_int_eq(xenbus_read(client_fd, PATH, buf, sizeof(buf)), XENBUS_PAYLOAD_MAX);
    ck_assert_uint_eq(strlen(buf), XENBUS_PAYLOAD_MAX);
    ck_assert_int_eq(xenbus_read(client_fd, PATH, buf, sizeof(buf)), 5);
    expect_store_was_content();
}
END_TEST

START_TEST(an_answer_that_makes_no_sense_ends_the_conversation)
{
    static store_fn *const stores[] = {
        store_sends_too_long_a_payload,
        store_answers_another_request,
        store_answers_with_another_type,
        store_hangs_up,
    };
    char buf[16] = "as before";

    start_store(stores[_i]);
    ck_assert_int_eq(xenbus_read(client_fd, PATH, buf, sizeof(buf)), -EPROTO);
    ck_assert_str_eq(buf, "as before");
    expect_store_was_content();
}
END_TEST

START_TEST(what_cannot_be_sent_is_refused_unsent)
{
    char data[XENBUS_PAYLOAD_MAX] = {0};

    start_store(store_expects_silence);
    ck_assert_int_eq(xenbus_write(client_fd, PATH, data, sizeof(data)), -E2BIG);
    ck_assert_int_eq(xenbus_write(client_fd, PATH, data, SIZE_MAX), -E2BIG);
    ck_assert_int_eq(xenbus_write(client_fd, "", data, 1), -EINVAL);
    expect_store_was_content();
}
END_TEST

static TCase *broken(void)
{
    TCase *tcase = tcase_create("broken");

    tcase_add_loop_test(tcase, an_answer_that_makes_no_sense_ends_the_conversation, 0, 4);
    return tcase;
}

CHECK_CASE(requests, a_value_is_read_and_ended_with_a_nul, a_write_sends_the_path_and_the_bytes,
           a_removal_sends_the_path, what_cannot_be_sent_is_refused_unsent)
CHECK_CASE(answers, watch_events_in_between_are_skipped, an_answer_in_pieces_is_put_together,
           a_busy_store_is_asked_again, a_store_that_stays_busy_is_given_up,
           a_refusal_is_an_errno_and_the_connection_goes_on,
           a_value_that_does_not_fit_is_an_error_and_the_connection_goes_on)
CHECK_MAIN("xenbus", requests, answers, broken)
