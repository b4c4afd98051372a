/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The port: one host, real, simulated, replayed, or a dry run of another. The daemon and the tools
 * know a host only through this.
 */
#ifndef XLP_HOST_H
#define XLP_HOST_H

#include <poll.h>
#include <signal.h>

#include "plan.h"
#include "snapshot.h"

enum xlp_outcome_code {
    XLP_DONE,
    XLP_NOT_DONE_DRY_RUN, /* would have been done */
    XLP_NOT_DONE_GONE,    /* the domain or vCPU is no longer there, or is another */
    XLP_NOT_DONE_BUSY,    /* a temporary obstacle: the next tick may try again */
    XLP_NOT_DONE_REFUSED, /* the hypervisor or the host adapter refused: detail says why */
    XLP_NOT_DONE_FAILED,  /* a call failed: detail says which and how */
    XLP_OUTCOME_CODES
};

struct xlp_outcome {
    enum xlp_outcome_code code;
    char detail[160]; /* why it is not done; or, done, what of it is still to come, or "" */
};

/* Why wait() came back; several may hold. */
enum xlp_wake {
    XLP_WAKE_TIME = 1 << 0,  /* until_ns is reached */
    XLP_WAKE_EVENT = 1 << 1, /* a domain came or went, or a guest had news; told once */
    XLP_WAKE_FD = 1 << 2,    /* one of fds has revents */
    XLP_WAKE_END = 1 << 3,   /* the host has no more to show (end of a scenario or recording) */
};

struct xlp_host;

struct xlp_host_ops {
    const char *name; /* "xen", "sim", "replay", "dry-run" */

    /* Fills s, which the caller has initialised; s is reset first. 0, or -1 with xlp_host_error().
     * A domain that vanishes meanwhile is left out; so is one that cannot be looked at while others
     * can, and xlp_host_note() then says why. */
    int (*observe)(struct xlp_host *host, struct xlp_snapshot *s);

    /* Carries out one action. Never called for a host that is only read. Checks first that domid
     * still is the domain of the action. The result is in outcome_out, always set. */
    void (*apply)(struct xlp_host *host, const struct xlp_action *action,
                  struct xlp_outcome *outcome_out);

    /* The host's monotonic clock. */
    uint64_t (*now_ns)(struct xlp_host *host);

    /* Waits until that time, an event of the host, or one of the caller's fds (revents are set).
     * Returns enum xlp_wake bits, or -1 with xlp_host_error(). A simulated host lets the time pass
     * at once unless it was opened to run in real time. */
    int (*wait)(struct xlp_host *host, uint64_t until_ns, struct pollfd *fds, nfds_t fd_count);

    void (*close)(struct xlp_host *host); /* frees host */
};

#define XLP_HOST_ERROR_SIZE 256

/* Every adapter's struct begins with this. */
struct xlp_host {
    const struct xlp_host_ops *ops;
    char error[XLP_HOST_ERROR_SIZE]; /* the last failure, one line with the mend */
    char note[XLP_HOST_ERROR_SIZE];  /* what the last observation left out, and why; "" nothing */
    bool afresh; /* the caller's: while it is set, observe reads all there is, also what rarely
                    changes and is else read now and then */
};

/* Observes all of it as it is at this moment: for a command, which means what its operator sees
 * there, or has just set by hand. */
static inline int xlp_host_observe_afresh(struct xlp_host *host, struct xlp_snapshot *s)
{
    int rc;

    host->afresh = true;
    rc = host->ops->observe(host, s);
    host->afresh = false;
    return rc;
}

static inline const char *xlp_host_error(const struct xlp_host *host)
{
    return host->error;
}

static inline const char *xlp_host_note(const struct xlp_host *host)
{
    return host->note;
}

enum xlp_host_open_flags {
    XLP_HOST_READ_ONLY = 1 << 0, /* apply will not be called; ask for no more rights than reading */
    XLP_HOST_REALTIME = 1 << 1,  /* a simulated or replayed host keeps to the wall clock */
};

/* Whether it is one of these: "xen", "sim:FILE", "replay:FILE". */
bool xlp_host_is_spec(const char *text);

/* Opens "xen", "sim:FILE" or "replay:FILE". NULL with one line in error; *no_host_out (may be NULL)
 * is set when the reason is that there is no such host here at all (exit code 3), rather than a
 * fault. */
struct xlp_host *xlp_host_open(const char *spec, unsigned int flags, bool *no_host_out, char *error,
                               size_t error_size);

/* Waits until that time, whatever else happens meanwhile. 1; 0 when the host has no more to show,
 * or when stop (may be NULL), which a signal's handler may set, is; -1 with xlp_host_error(). */
int xlp_host_wait_until(struct xlp_host *host, uint64_t until_ns,
                        const volatile sig_atomic_t *stop);

/* Wraps a host so that apply only says what would be done. Takes ownership of inner. NULL when
 * memory is out (inner is then closed). */
struct xlp_host *xlp_host_dry_run(struct xlp_host *inner);

/* The adapters' own doors, used by xlp_host_open. */
struct xlp_host *xlp_host_xen_open(unsigned int flags, bool *no_host_out, char *error,
                                   size_t error_size);
struct xlp_host *xlp_host_sim_open(const char *path, unsigned int flags, char *error,
                                   size_t error_size);
struct xlp_host *xlp_host_replay_open(const char *path, unsigned int flags, char *error,
                                      size_t error_size);

const char *xlp_outcome_name(enum xlp_outcome_code code);

/* One line: "done: ...", "would: ..." (also when outcome is NULL), "not done (refused: ...): ...";
 * cut to fit. Returns text. */
char *xlp_outcome_format(const struct xlp_action *action, const struct xlp_outcome *outcome,
                         char *text, size_t size);

#endif
