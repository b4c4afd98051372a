/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The control socket: who is connected, and their bytes. A client sends one JSON object a line and
 * gets one line back for each (docs/control-protocol.md); what they mean is control_commands.c.
 *
 * Nothing here blocks, and nothing grows without bound. One request is answered a pass, so that the
 * loop can see to its tick in between; a client has one request and one reply at a time. It is
 * dropped when it takes no byte of its reply for CONTROL_STALL_NS, or not the whole of it within
 * CONTROL_REPLY_NS, and when it has not asked anything for CONTROL_IDLE_NS.
 */
#ifndef CONTROL_H
#define CONTROL_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CONTROL_CLIENTS_MAX 64
/* Those who may only read leave the rest of the places to those who may act. */
#define CONTROL_READERS_MAX 56
#define CONTROL_REQUEST_MAX (64 * 1024) /* without the newline */
#define CONTROL_OUTPUT_MAX  (16 * 1024 * 1024)
/* While more than this is on its way to all clients together, no further request is carried out.
 * Those who may only read stop earlier, and leave room for those who may act. */
#define CONTROL_QUEUED_MAX         (3 * CONTROL_OUTPUT_MAX)
#define CONTROL_QUEUED_READERS_MAX (2 * CONTROL_OUTPUT_MAX)
#define CONTROL_STALL_NS           (10 * UINT64_C(1000000000))
#define CONTROL_REPLY_NS           (60 * UINT64_C(1000000000))
#define CONTROL_IDLE_NS            (60 * UINT64_C(1000000000))

struct xlp_json_writer;

/* Who is at the other end, as the kernel says. */
struct control_peer {
    pid_t pid;
    uid_t uid;
    bool may_act; /* false: may only ask */
};

#define CONTROL_NO_GROUP ((gid_t)-1)

/* Root and the user the daemon runs as may act; members of group, if there is one, may ask. 0 with
 * peer_out; or -1 for anyone else. */
int control_identify(int fd, gid_t group, struct control_peer *peer_out);

/* Writes the reply, a whole JSON object, to the request in line (no newline, not terminated).
 * Returns the writer that has it: reply, or one of its own. */
typedef struct xlp_json_writer *control_answer(void *context, const struct control_peer *peer,
                                               const char *line, size_t length,
                                               struct xlp_json_writer *reply);

/* Starts the reply over, as one that says what went wrong. */
void control_reply_error(struct xlp_json_writer *reply, int exit_code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

struct control_client {
    int fd;
    struct control_peer peer;
    char *input; /* CONTROL_REQUEST_MAX + 1 bytes */
    size_t input_used;
    char *output; /* the reply being sent, or NULL */
    size_t output_size, output_sent;
    uint64_t turn;        /* how many answers there had been when it came, or got its last */
    uint64_t queued_ns;   /* when output was */
    uint64_t progress_ns; /* when it was last served, or took a byte */
    bool at_end;          /* it will send no more */
    bool closing;         /* once the output is sent */
    bool gone;
};

struct control {
    int listener; /* -1: not open */
    char path[108];
    gid_t group;
    control_answer *answer;
    void *context;
    struct xlp_json_writer *reply;
    struct control_client clients[CONTROL_CLIENTS_MAX];
    size_t client_count;
    uint64_t answers;         /* so far */
    uint64_t accept_again_ns; /* after running out of descriptors */
    bool on_hold;             /* no request is answered: the next tick is to come before */
};

/* A struct control that is not open; may be closed. */
void control_init(struct control *c);

/* Creates the socket at path, and its directory, in place of one that nobody listens on any more.
 * 0, or -1 with error. */
int control_open(struct control *c, const char *path, gid_t group, control_answer *answer,
                 void *context, char *error, size_t error_size);
void control_close(struct control *c);

/* Lets another group ask from now on. 0, or -1 with error, and the group stays. */
int control_set_group(struct control *c, gid_t group, char *error, size_t error_size);

/* What to poll: fills at most CONTROL_FDS_MAX entries and returns how many. */
#define CONTROL_FDS_MAX (1 + CONTROL_CLIENTS_MAX)
size_t control_fds(const struct control *c, struct pollfd *fds, uint64_t now_ns);

/* When to call control_serve even if nothing happens on the descriptors. */
uint64_t control_deadline_ns(const struct control *c);

/* Serves what poll reported in the entries of control_fds, and answers at most one request: that of
 * the client who has waited longest. */
void control_serve(struct control *c, const struct pollfd *fds, size_t fd_count, uint64_t now_ns);

#endif
