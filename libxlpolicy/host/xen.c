/* SPDX-License-Identifier: LGPL-2.1-only */
/* The Xen host as a port: opening it, one observation, closing it, and its errors in words. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "xen.h"

#define CAPABILITIES_PATH "/proc/xen/capabilities"
#define GUEST_TYPE_PATH   "/sys/hypervisor/type"
#define LOCK_DIRECTORY    "/run/xlpolicy"
#define LOCK_PATH         LOCK_DIRECTORY "/lock"

static int is_dom0(char *error, size_t error_size);
static int open_parts(struct xen_host *h);
static int open_hypervisor(struct xen_host *h);
static int take_lock(struct xen_host *h);
static uint64_t xen_now_ns(struct xlp_host *host);
static void xen_close(struct xlp_host *host);

static const struct xlp_host_ops xen_ops = {
    .name = "xen",
    .observe = xlp_xen_observe,
    .apply = xlp_xen_apply,
    .now_ns = xen_now_ns,
    .wait = xlp_xen_wait,
    .close = xen_close,
};

struct xlp_host *xlp_host_xen_open(unsigned int flags, bool *no_host_out, char *error,
                                   size_t error_size)
{
    struct xen_host *h = NULL;

    if (no_host_out)
        *no_host_out = false;
    if (is_dom0(error, error_size) < 0) {
        if (no_host_out)
            *no_host_out = true;
        return NULL;
    }

    h = calloc(1, sizeof(*h));
    if (!h) {
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    h->base.ops = &xen_ops;
    h->read_only = flags & XLP_HOST_READ_ONLY;
    h->lock_fd = -1;
    xlp_xen_logger_init(&h->logger);
    if (open_parts(h) < 0) {
        snprintf(error, error_size, "%s", h->base.error);
        xen_close(&h->base);
        return NULL;
    }
    return &h->base;
}

/* ---- is there a Xen to talk to? ---- */

static bool read_line(const char *path, char *line, size_t size)
{
    FILE *file = fopen(path, "re");
    bool read = file && fgets(line, (int)size, file);

    if (file)
        fclose(file);
    return read;
}

/* 0, or -1 with what is missing. xenfs shows "control_d" to dom0 alone. */
static int is_dom0(char *error, size_t error_size)
{
    char line[64];

    if (access(CAPABILITIES_PATH, F_OK) < 0) {
        if (read_line(GUEST_TYPE_PATH, line, sizeof(line)) && strncmp(line, "xen", 3) == 0)
            snprintf(error, error_size,
                     "no Xen here: %s is missing (in dom0, mount it: mount -t xenfs xenfs "
                     "/proc/xen)",
                     CAPABILITIES_PATH);
        else
            snprintf(error, error_size,
                     "no Xen here: %s is missing (is this dom0, and is xenfs mounted?)",
                     CAPABILITIES_PATH);
        return -1;
    }
    /* The file is empty in a guest, which is not an error of reading. */
    if (!read_line(CAPABILITIES_PATH, line, sizeof(line)) || !strstr(line, "control_d")) {
        snprintf(error, error_size,
                 "no Xen host here: this is a guest (%s does not say control_d); run it in dom0",
                 CAPABILITIES_PATH);
        return -1;
    }
    return 0;
}

/* ---- opening ---- */

static int open_parts(struct xen_host *h)
{
    if (geteuid() != 0) {
        snprintf(h->base.error, sizeof(h->base.error),
                 "talking to Xen needs root: run it as root, or with sudo");
        return -1;
    }
    if (!h->read_only && take_lock(h) < 0)
        return -1;
    if (open_hypervisor(h) < 0)
        return -1;
    h->xs = xs_open(0);
    if (!h->xs) {
        snprintf(h->base.error, sizeof(h->base.error),
                 "cannot connect to xenstore: %s (is xenstored running?)", strerror(errno));
        return -1;
    }
    if (xlp_xen_libxl_open(h) < 0)
        return -1;
    if (xlp_xen_machine_open(h) < 0)
        return -1;
    return h->read_only ? 0 : xlp_xen_ledger_open(h);
}

/* The two interfaces are versioned one by one, and each call fails with EACCES if Xen has another
 * version than the library: ask both now, so as not to learn it later. */
static int open_hypervisor(struct xen_host *h)
{
    xc_physinfo_t physinfo;
    xc_domaininfo_t dom0;

    h->xc = xc_interface_open(&h->logger.vtable, &h->logger.vtable, 0);
    if (!h->xc) {
        snprintf(h->base.error, sizeof(h->base.error),
                 "cannot open /dev/xen/privcmd: %s (load the module: modprobe xen-privcmd)",
                 strerror(errno));
        return -1;
    }
    if (xc_physinfo(h->xc, &physinfo) < 0 || xc_domain_getinfolist(h->xc, 0, 1, &dom0) < 0)
        return xlp_xen_fail(h, "asking the hypervisor about this machine");
    return 0;
}

/* The ledger has one writer. flock is inherited across the fork of a daemon, and ends with it. */
static int take_lock(struct xen_host *h)
{
    (void)!mkdir(LOCK_DIRECTORY, 0755); /* it is there, or open says what is wrong */
    h->lock_fd = open(LOCK_PATH, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (h->lock_fd < 0) {
        snprintf(h->base.error, sizeof(h->base.error), "cannot open %s: %s", LOCK_PATH,
                 strerror(errno));
        return -1;
    }
    if (flock(h->lock_fd, LOCK_EX | LOCK_NB) < 0) {
        snprintf(h->base.error, sizeof(h->base.error),
                 "another process is managing this host (it holds %s): stop xlpolicyd first, or "
                 "ask it with --host daemon",
                 LOCK_PATH);
        return -1;
    }
    return 0;
}

/* ---- the port ---- */

int xlp_xen_observe(struct xlp_host *host, struct xlp_snapshot *s)
{
    struct xen_host *h = xen_host_of(host);

    xlp_snapshot_reset(s);
    h->tick++;
    h->logger.last[0] = h->base.note[0] = '\0';
    if (h->store_lost && xlp_xen_store_reconnect(h) < 0)
        return -1;
    if (h->watching)
        xlp_xen_store_take_events(h);
    h->event = false; /* what had come so far is in this snapshot */

    s->time_ns = h->now_ns = xlp_xen_now_ns();
    if (xlp_xen_observe_machine(h, s) < 0 || xlp_xen_observe_domains(h, s) < 0)
        return -1;
    if (xlp_xen_show_reservations(h, s) < 0)
        return -1;
    xlp_xen_find_controller(h, s->time_ns);
    memcpy(s->other_controller, h->other_controller, sizeof(s->other_controller));
    xlp_xen_ledger_sweep(h, s->time_ns);
    return xlp_xen_choose_samples(h);
}

static uint64_t xen_now_ns(struct xlp_host *host)
{
    (void)host;
    return xlp_xen_now_ns();
}

static void xen_close(struct xlp_host *host)
{
    struct xen_host *h = xen_host_of(host);

    xlp_xen_domains_close(h);
    xlp_xen_machine_close(h);
    xlp_xen_libxl_close(h);
    if (h->xs)
        xs_close(h->xs);
    if (h->xc)
        xc_interface_close(h->xc);
    if (h->lock_fd >= 0)
        close(h->lock_fd);
    free(h->poll_fds);
    free(h->single);
    free(h->multiple);
    free(h->gone);
    free(h);
}

uint64_t xlp_xen_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * XEN_NS_PER_S + (uint64_t)now.tv_nsec;
}

/* ---- errors ---- */

static const char *mend(int error)
{
    switch (error) {
    case EACCES:
        return ": the running hypervisor and the Xen libraries are of different versions; install "
               "the libraries of the running one, or reboot into the other";
    case EPERM: return ": run it as root in dom0";
    case ENOSYS: return ": the hypervisor was built without this";
    default: return "";
    }
}

int xlp_xen_fail(struct xen_host *h, const char *doing)
{
    int error = errno;

    snprintf(h->base.error, sizeof(h->base.error), "%s failed: %s%s", doing, strerror(error),
             mend(error));
    return -1;
}

int xlp_xen_out_of_memory(struct xen_host *h)
{
    snprintf(h->base.error, sizeof(h->base.error), "out of memory");
    return -1;
}
