/* SPDX-License-Identifier: LGPL-2.1-only */
/* One request over the control socket while it is answered, and what its commands have in common.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include "control.h"
#include "json/json.h"
#include "state.h"

/* What a peer sent has been checked when it is here. */
struct request {
    const struct control_peer *peer;
    const char *mode, *domain, *settings; /* NULL when not given */
    double since_s, for_s;                /* 0 when not given */
    int64_t last;                         /* HISTORY_ENTRIES when not given */
    uint32_t reservation;                 /* 0 when not given */
    struct xlp_reservation wanted;        /* max_kib 0 when not given */
    bool dry_run;                         /* false when not given */
    struct xlp_json_writer *w;            /* inside the object "result" */
    char error[512];
    int exit_code; /* that goes with error */
};

/* Writes the members of "result". 0, or -1 with r->error and r->exit_code. */
typedef int request_run(struct daemon *d, struct request *r);

/* Says what is wrong, instead of any result. Returns -1. */
int request_refuse(struct request *r, int exit_code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "uid 0, pid 1234", for the log. Returns text. */
#define REQUEST_PEER_SIZE 64
const char *request_peer(const struct request *r, char text[REQUEST_PEER_SIZE]);

/* Writes "actions", each with its outcome and its sentence. */
void request_put_actions(struct request *r, const struct xlp_plan *plan,
                         const struct outcomes *outcomes);

/* After a command that changed what is to be told: the next tick comes as soon as use can be
 * measured again, and who asks meanwhile waits for it. */
void request_look_again(struct daemon *d);

/* The domain that r->domain names, or NULL with the error. */
const struct xlp_domain *request_find_domain(const struct xlp_snapshot *s, struct request *r);

/* The keys of the commands in control_reserve.c, and these. */
void request_read_reservation(struct xlp_json_reader *reader, const struct xlp_json *root,
                              struct request *r);
request_run request_reserve, request_transfer, request_unreserve, request_reservations;

/* The commands in control_operator.c. */
request_run request_rebalance, request_set, request_trial;

#endif
