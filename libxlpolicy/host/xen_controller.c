/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Who else moves memory on this host. Only what can be known is claimed:
 *
 * - Qubes' qmemman listens on a socket of its own, and the kernel lists who listens.
 * - XenServer's squeezed keeps its state in xenstore under /squeezed, which outlives it; so its
 *   process is looked for too, on hosts that have that state.
 *
 * xl's autoballoon moves dom0 alone, and only while a guest is created; xl.conf says whether it
 * does, and the daemon reads that where dom0 takes part (mem_dom0).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xen.h"

#define LOOK_EVERY_NS    (30 * XEN_NS_PER_S)
#define SOCKETS_PATH     "/proc/net/unix"
#define SOCKET_LISTENS   0x10000 /* the kernel's __SO_ACCEPTCON */
#define QMEMMAN_SOCKET   "/run/qubes/qmemman.sock"
#define SQUEEZED_STATE   "/squeezed"
#define SQUEEZED_PROCESS "squeezed"

static bool listens(const char *socket_end);
static bool squeezed_has_state(struct xen_host *h);

void xlp_xen_find_controller(struct xen_host *h, uint64_t now_ns)
{
    const char *name = "";

    if (h->controller_looked_ns && now_ns - h->controller_looked_ns < LOOK_EVERY_NS)
        return;
    h->controller_looked_ns = now_ns;
    if (listens(QMEMMAN_SOCKET))
        name = "qmemman";
    else if (squeezed_has_state(h) && xlp_xen_process_runs(SQUEEZED_PROCESS))
        name = "squeezed";
    xlp_name_copy(h->other_controller, name);
}

/* Lines of "ADDRESS: REFERENCES PROTOCOL FLAGS TYPE STATE INODE PATH". */
static bool listens(const char *socket_end)
{
    FILE *file = fopen(SOCKETS_PATH, "re");
    char line[512], path[256];
    bool found = false;

    while (file && !found && fgets(line, sizeof(line), file)) {
        unsigned int flags;
        size_t length, end_length = strlen(socket_end);

        if (sscanf(line, "%*s %*s %*s %x %*s %*s %*s %255s", &flags, path) != 2)
            continue;
        length = strlen(path);
        found = flags & SOCKET_LISTENS && length >= end_length &&
                strcmp(path + length - end_length, socket_end) == 0;
    }
    if (file)
        fclose(file);
    return found;
}

static bool squeezed_has_state(struct xen_host *h)
{
    char *text = NULL;
    bool there = xlp_xen_store_read(h, SQUEEZED_STATE, &text, NULL) == 0;

    free(text);
    return there;
}
