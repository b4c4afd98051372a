/* SPDX-License-Identifier: LGPL-2.1-only */
/* links: daemon/control.c daemon/control_peer.c daemon/log.c daemon/pidfile.c */
/* The control socket: lines in, lines out, and what no client can do to the daemon. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../../daemon/control.h"
#include "check_main.h"
#include "json/json.h"

#define SECOND UINT64_C(1000000000)

static char directory[64], path[96], error[256];
static struct control control;
static uint64_t now_ns; /* the tests' own clock */
static size_t answers;
static char answered[1024]; /* what was asked, in the order of the answers: "one two " */

/* Answers with the number of the request and what was asked; "long N" is answered with N bytes. */
static struct xlp_json_writer *answer(void *context, const struct control_peer *peer,
                                      const char *line, size_t length,
                                      struct xlp_json_writer *reply)
{
    char text[64];
    int bytes;

    ck_assert_ptr_eq(context, &answers);
    ck_assert(peer->may_act);
    ck_assert_int_eq(peer->pid, getpid());
    snprintf(text, sizeof(text), "%.*s", (int)length, line);
    snprintf(answered + strlen(answered), sizeof(answered) - strlen(answered), "%s ", text);
    xlp_json_open_object(reply);
    if (sscanf(text, "long %d", &bytes) == 1) {
        char *filler = malloc((size_t)bytes + 1);

        ck_assert_ptr_nonnull(filler);
        memset(filler, 'x', (size_t)bytes);
        filler[bytes] = '\0';
        xlp_json_put_string(reply, "text", filler);
        free(filler);
    } else {
        xlp_json_put_u64(reply, "number", ++answers);
        xlp_json_put_u64(reply, "length", length);
        xlp_json_put_string(reply, "text", text);
    }
    xlp_json_close_object(reply);
    return reply;
}

static void set_up(void)
{
    now_ns = SECOND;
    answers = 0;
    answered[0] = '\0';
    strcpy(directory, "/tmp/check_control.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/run/control.sock", directory);
    ck_assert_msg(
        control_open(&control, path, CONTROL_NO_GROUP, answer, &answers, error, sizeof(error)) == 0,
        "%s", error);
}

static void tear_down(void)
{
    control_close(&control);
    ck_assert_int_eq(access(path, F_OK), -1);
    snprintf(path, sizeof(path), "%s/run", directory);
    rmdir(path);
    rmdir(directory);
}

static int connect_client(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    strcpy(address.sun_path, path);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

/* One pass of the loop, without waiting. False when nothing was left to do at this moment. */
static bool pass(void)
{
    struct pollfd fds[CONTROL_FDS_MAX];
    size_t count = control_fds(&control, fds, now_ns);
    int ready = poll(fds, count, 0);

    ck_assert_int_ge(ready, 0);
    if (ready == 0 && control_deadline_ns(&control) > now_ns)
        return false;
    control_serve(&control, fds, count, now_ns);
    return true;
}

static void serve(void)
{
    for (int i = 0; i < 200; i++)
        if (!pass())
            return;
    ck_abort_msg("the control socket is never done");
}

static void say(int fd, const char *text)
{
    ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* What has arrived by now. */
static const char *hear(int fd)
{
    static char text[1024];
    ssize_t got = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);

    text[got > 0 ? got : 0] = '\0';
    return text;
}

static bool is_closed(int fd)
{
    char byte;
    ssize_t got = recv(fd, &byte, 1, MSG_DONTWAIT);

    return got == 0 || (got < 0 && errno == ECONNRESET);
}

#define HELLO "{\"number\":1,\"length\":5,\"text\":\"hello\"}\n"

/* ---- lines ---- */

START_TEST(a_request_gets_one_line_back)
{
    int fd = connect_client();

    say(fd, "hello\n");
    serve();
    ck_assert_str_eq(hear(fd), HELLO);
    ck_assert(!is_closed(fd));
    close(fd);
}
END_TEST

START_TEST(requests_sent_together_are_answered_in_order)
{
    int fd = connect_client();

    say(fd, "one\ntwo\nthree\n");
    serve();
    ck_assert_str_eq(hear(fd), "{\"number\":1,\"length\":3,\"text\":\"one\"}\n"
                               "{\"number\":2,\"length\":3,\"text\":\"two\"}\n"
                               "{\"number\":3,\"length\":5,\"text\":\"three\"}\n");
    close(fd);
}
END_TEST

START_TEST(a_request_in_pieces_waits_for_its_newline)
{
    int fd = connect_client();

    say(fd, "hel");
    serve();
    ck_assert_str_eq(hear(fd), "");
    say(fd, "lo\n");
    serve();
    ck_assert_str_eq(hear(fd), HELLO);
    close(fd);
}
END_TEST

START_TEST(the_last_request_needs_no_newline)
{
    int fd = connect_client();

    say(fd, "hello");
    shutdown(fd, SHUT_WR);
    serve();
    ck_assert_str_eq(hear(fd), HELLO);
    ck_assert(is_closed(fd));
    close(fd);
}
END_TEST

static char *longest_request(size_t extra)
{
    char *text = malloc(CONTROL_REQUEST_MAX + extra + 2);

    ck_assert_ptr_nonnull(text);
    memset(text, 'r', CONTROL_REQUEST_MAX + extra);
    strcpy(text + CONTROL_REQUEST_MAX + extra, "\n");
    return text;
}

START_TEST(the_longest_request_is_answered)
{
    int fd = connect_client();
    char *text = longest_request(0);

    say(fd, text);
    serve();
    ck_assert_ptr_nonnull(strstr(hear(fd), "\"length\":65536,"));
    ck_assert(!is_closed(fd));
    close(fd);
    free(text);
}
END_TEST

START_TEST(a_request_one_byte_longer_is_refused_and_ends_the_connection)
{
    int fd = connect_client();
    char *text = longest_request(1);

    say(fd, text);
    serve();
    ck_assert_str_eq(hear(fd),
                     "{\"xlpolicy\":1,\"ok\":false,\"error\":\"the request is longer than "
                     "65536 bytes\",\"exit_code\":2}\n");
    ck_assert(is_closed(fd));
    ck_assert_uint_eq(answers, 0);
    close(fd);
    free(text);
}
END_TEST

/* ---- many at a time ---- */

START_TEST(one_request_is_answered_a_pass)
{
    int fds[3];

    for (int i = 0; i < 3; i++) {
        fds[i] = connect_client();
        serve();
    }
    for (int i = 0; i < 3; i++)
        say(fds[i], "hello\n");
    for (size_t i = 1; i <= 3; i++) {
        ck_assert(pass());
        ck_assert_uint_eq(answers, i);
    }
    for (int i = 0; i < 3; i++) {
        ck_assert_ptr_nonnull(strstr(hear(fds[i]), "\"text\":\"hello\""));
        close(fds[i]);
    }
}
END_TEST

START_TEST(who_asks_much_does_not_keep_the_others_waiting)
{
    int greedy = connect_client(), modest, late;

    serve();
    modest = connect_client();
    serve();
    say(greedy, "a\nb\nc\nd\n");
    say(modest, "M\n");
    ck_assert(pass());
    late = connect_client();
    say(late, "L\n");
    serve();
    ck_assert_str_eq(answered, "a M b L c d ");
    close(greedy);
    close(modest);
    close(late);
}
END_TEST

#define BUSY                                                                                       \
    "{\"xlpolicy\":1,\"ok\":false,\"error\":\"busy: too many replies are on their way; try again " \
    "in a "                                                                                        \
    "moment\",\"exit_code\":1}\n"

START_TEST(who_may_only_ask_does_so_when_fewer_replies_are_on_their_way)
{
    int slow[3], reader, root;

    for (int i = 0; i < 3; i++) {
        slow[i] = connect_client();
        say(slow[i], "long 16000000\n");
        serve();
    }
    reader = connect_client();
    serve();
    control.clients[3].peer.may_act = false;
    say(reader, "hello\n");
    root = connect_client();
    say(root, "hello\n");
    serve();
    ck_assert_str_eq(hear(reader), BUSY);
    ck_assert_str_eq(hear(root), HELLO);
    for (int i = 0; i < 3; i++)
        close(slow[i]);
    close(reader);
    close(root);
}
END_TEST

START_TEST(nothing_is_carried_out_whose_reply_might_not_fit)
{
    int slow[4], root = connect_client();

    for (int i = 0; i < 4; i++) {
        slow[i] = connect_client();
        say(slow[i], "long 16000000\n");
        serve();
    }
    say(root, "hello\n");
    serve();
    ck_assert_str_eq(hear(root), BUSY);
    ck_assert_uint_eq(answers, 0);
    close(slow[2]);
    serve();
    say(root, "hello\n");
    serve();
    ck_assert_str_eq(hear(root), HELLO);
    for (int i = 0; i < 4; i++)
        if (i != 2)
            close(slow[i]);
    close(root);
}
END_TEST

/* ---- clients that do not behave ---- */

START_TEST(a_client_too_many_is_told_so)
{
    int fds[CONTROL_CLIENTS_MAX], late;

    for (int i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        fds[i] = connect_client();
        serve();
    }
    ck_assert_uint_eq(control.client_count, CONTROL_CLIENTS_MAX);
    late = connect_client();
    serve();
    ck_assert_str_eq(hear(late), "{\"xlpolicy\":1,\"ok\":false,\"error\":\"busy: too many clients; "
                                 "try again in a moment\",\"exit_code\":1}\n");
    ck_assert(is_closed(late));
    close(late);

    close(fds[7]);
    serve();
    late = connect_client();
    say(late, "hello\n");
    serve();
    ck_assert_str_eq(hear(late), HELLO);
    close(late);
    for (int i = 0; i < CONTROL_CLIENTS_MAX; i++)
        if (i != 7)
            close(fds[i]);
}
END_TEST

START_TEST(a_client_that_takes_nothing_is_dropped_and_disturbs_nobody)
{
    int slow = connect_client(), other = connect_client();

    say(slow, "long 4000000\n");
    serve();
    say(other, "hello\n");
    serve();
    ck_assert_str_eq(hear(other), HELLO);
    now_ns += CONTROL_STALL_NS - 1;
    serve();
    ck_assert_uint_eq(control.client_count, 2);
    now_ns += 1;
    serve();
    ck_assert_uint_eq(control.client_count, 1);
    close(slow);
    close(other);
}
END_TEST

START_TEST(a_client_that_takes_a_little_is_waited_for)
{
    int slow = connect_client();
    size_t taken = 0;
    char *buffer = malloc(300000);

    ck_assert_ptr_nonnull(buffer);
    say(slow, "long 600000\n");
    serve();
    for (ssize_t got = 1; got > 0;) {
        now_ns += CONTROL_STALL_NS - 1;
        got = recv(slow, buffer, 300000, MSG_DONTWAIT);
        if (got > 0)
            taken += (size_t)got;
        serve();
    }
    ck_assert_uint_eq(taken, strlen("{\"text\":\"\"}\n") + 600000);
    free(buffer);
    close(slow);
}
END_TEST

START_TEST(a_reply_that_is_not_taken_within_a_minute_is_given_up)
{
    int slow = connect_client();
    uint64_t start_ns = now_ns;
    char *buffer = malloc(300000);

    ck_assert_ptr_nonnull(buffer);
    say(slow, "long 16000000\n");
    serve();
    for (int i = 1; i < 10; i++) {
        now_ns = start_ns + CONTROL_REPLY_NS / 10 * (uint64_t)i;
        ck_assert_int_gt(recv(slow, buffer, 300000, MSG_DONTWAIT), 0);
        serve();
        ck_assert_uint_eq(control.client_count, 1);
    }
    now_ns = start_ns + CONTROL_REPLY_NS - 1;
    serve();
    ck_assert_uint_eq(control.client_count, 1);
    ck_assert_uint_eq(control_deadline_ns(&control), start_ns + CONTROL_REPLY_NS);
    now_ns += 1;
    serve();
    ck_assert_uint_eq(control.client_count, 0);
    free(buffer);
    close(slow);
}
END_TEST

START_TEST(no_second_request_is_read_while_a_reply_is_on_its_way)
{
    int slow = connect_client();

    say(slow, "long 4000000\n");
    serve();
    say(slow, "hello\n");
    for (int i = 0; i < 500; i++) /* makes room, so that the socket takes some more */
        hear(slow);
    serve();
    ck_assert_uint_eq(control.clients[0].input_used, 0);
    ck_assert_uint_eq(answers, 0);
    close(slow);
}
END_TEST

START_TEST(a_client_that_asks_nothing_is_dropped_after_a_minute)
{
    int fd = connect_client();

    serve();
    ck_assert_uint_eq(control_deadline_ns(&control), now_ns + CONTROL_IDLE_NS);
    now_ns += CONTROL_IDLE_NS / 2;
    say(fd, "hel"); /* half a request does not count */
    serve();
    now_ns += CONTROL_IDLE_NS / 2;
    serve();
    ck_assert(is_closed(fd));
    close(fd);
}
END_TEST

START_TEST(a_client_that_asks_in_time_stays)
{
    int fd = connect_client();

    for (int i = 0; i < 3; i++) {
        say(fd, "hello\n");
        serve();
        ck_assert_str_ne(hear(fd), "");
        now_ns += CONTROL_IDLE_NS - 1;
        serve();
        ck_assert(!is_closed(fd));
    }
    close(fd);
}
END_TEST

START_TEST(a_client_that_leaves_before_its_reply_is_forgotten)
{
    int fd = connect_client();

    say(fd, "long 1000000\n");
    close(fd);
    serve();
    ck_assert_uint_eq(control.client_count, 0);
    ck_assert_uint_eq(control_deadline_ns(&control), UINT64_MAX);
}
END_TEST

START_TEST(a_reply_too_long_becomes_an_error)
{
    int fd = connect_client();

    say(fd, "long 16777216\n");
    serve();
    ck_assert_str_eq(hear(fd),
                     "{\"xlpolicy\":1,\"ok\":false,\"error\":\"the reply is longer than 16 "
                     "MiB\",\"exit_code\":1}\n");
    close(fd);
}
END_TEST

/* ---- the socket file ---- */

START_TEST(the_socket_is_for_its_owner_and_group_alone)
{
    struct stat st;

    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0660);
    ck_assert_uint_eq(st.st_uid, geteuid());
    ck_assert_uint_eq(st.st_gid, getegid());
}
END_TEST

START_TEST(a_socket_left_behind_is_replaced)
{
    int fd;

    close(control.listener); /* as the kernel does when a daemon is killed */
    control.listener = -1;
    control_close(&control);
    ck_assert_int_eq(access(path, F_OK), 0);
    ck_assert_int_eq(
        control_open(&control, path, CONTROL_NO_GROUP, answer, &answers, error, sizeof(error)), 0);
    fd = connect_client();
    say(fd, "hello\n");
    serve();
    ck_assert_str_eq(hear(fd), HELLO);
    close(fd);
}
END_TEST

START_TEST(a_socket_that_is_served_is_left_alone)
{
    struct control second;
    char expected[160];
    int fd;

    snprintf(expected, sizeof(expected), "another process serves the control socket %s", path);
    ck_assert_int_eq(
        control_open(&second, path, CONTROL_NO_GROUP, answer, &answers, error, sizeof(error)), -1);
    ck_assert_str_eq(error, expected);
    fd = connect_client();
    say(fd, "hello\n");
    serve();
    ck_assert_str_eq(hear(fd), HELLO);
    close(fd);
}
END_TEST

START_TEST(a_file_that_is_no_socket_is_left_alone)
{
    struct control second;
    char other[96], expected[160];
    int fd;

    snprintf(other, sizeof(other), "%s/precious", directory);
    fd = open(other, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    close(fd);
    snprintf(expected, sizeof(expected), "cannot listen on %s: Address already in use", other);
    ck_assert_int_eq(
        control_open(&second, other, CONTROL_NO_GROUP, answer, &answers, error, sizeof(error)), -1);
    ck_assert_str_eq(error, expected);
    ck_assert_int_eq(unlink(other), 0);
}
END_TEST

START_TEST(a_path_too_long_for_a_socket_is_refused)
{
    struct control second;
    char other[200];

    memset(other, 'p', sizeof(other) - 1);
    other[0] = '/';
    other[sizeof(other) - 1] = '\0';
    ck_assert_int_eq(
        control_open(&second, other, CONTROL_NO_GROUP, answer, &answers, error, sizeof(error)), -1);
    ck_assert_ptr_nonnull(strstr(error, "the path of the control socket is too long: /pppp"));
}
END_TEST

#define FIXTURE_CASE(name, ...) CHECK_FIXTURE_CASE(name, set_up, tear_down, __VA_ARGS__)

FIXTURE_CASE(lines, a_request_gets_one_line_back, requests_sent_together_are_answered_in_order,
             a_request_in_pieces_waits_for_its_newline, the_last_request_needs_no_newline,
             the_longest_request_is_answered,
             a_request_one_byte_longer_is_refused_and_ends_the_connection)
FIXTURE_CASE(crowds, one_request_is_answered_a_pass, who_asks_much_does_not_keep_the_others_waiting,
             who_may_only_ask_does_so_when_fewer_replies_are_on_their_way,
             nothing_is_carried_out_whose_reply_might_not_fit)
FIXTURE_CASE(misbehaviour, a_client_too_many_is_told_so,
             a_client_that_takes_nothing_is_dropped_and_disturbs_nobody,
             a_client_that_takes_a_little_is_waited_for,
             a_reply_that_is_not_taken_within_a_minute_is_given_up,
             no_second_request_is_read_while_a_reply_is_on_its_way,
             a_client_that_asks_nothing_is_dropped_after_a_minute, a_client_that_asks_in_time_stays,
             a_client_that_leaves_before_its_reply_is_forgotten, a_reply_too_long_becomes_an_error)
FIXTURE_CASE(socket_file, the_socket_is_for_its_owner_and_group_alone,
             a_socket_left_behind_is_replaced, a_socket_that_is_served_is_left_alone,
             a_file_that_is_no_socket_is_left_alone, a_path_too_long_for_a_socket_is_refused)
CHECK_MAIN("control", lines, crowds, misbehaviour, socket_file)
