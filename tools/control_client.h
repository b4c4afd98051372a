/* SPDX-License-Identifier: LGPL-2.1-only */
/* The client side of xlpolicyd's control socket: one request, one reply (docs/control-protocol.md).
 */
#ifndef CONTROL_CLIENT_H
#define CONTROL_CLIENT_H

#include <stddef.h>

struct xlp_json;

/* The daemon sends no reply longer than this. */
#define CONTROL_REPLY_MAX (16u << 20)

/* From connecting to the last byte of the reply. */
#define CONTROL_TIMEOUT_MS 15000

enum control_request_result {
    CONTROL_REPLIED = 0,
    CONTROL_NO_DAEMON = -1, /* nothing listens there: ENOENT or ECONNREFUSED */
    CONTROL_FAILED = -2,    /* anything else: timeout, broken reply, reply too long */
    CONTROL_DENIED = -3,    /* the socket's permissions keep us out (exit code 4) */
};

/*
 * Sends request_line, one JSON object without a newline, e.g. {"xlpolicy":1,"command":"state"}, and
 * reads the reply of at most max_reply bytes. Returns enum control_request_result. When it is 0,
 * *reply_out is the whole reply, of which this much is sure: it is an object, "xlpolicy" is 1, and
 * either "ok" is true and there is "result", or "ok" is false and there are the string "error" and
 * the number "exit_code", 1 to 4 as the programs' exit codes. The caller frees it with
 * xlp_json_free. Otherwise error is one line.
 */
int control_request(const char *socket_path, const char *request_line, size_t max_reply,
                    struct xlp_json **reply_out, char *error, size_t error_size);

#endif
