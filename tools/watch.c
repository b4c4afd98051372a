/* SPDX-License-Identifier: LGPL-2.1-only */
#include "watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/host.h"
#include "source_host.h"

#define NS_PER_MS UINT64_C(1000000)

struct watch {
    const struct cli *cli;
    struct host_reader *reader; /* NULL: the daemon is asked */
    uint64_t next_tick_ns;      /* host's clock */
    unsigned long looks;        /* taken here */
    bool fresh;                 /* there is a look that was not read yet */
};

static enum watch_end take_tick(struct watch *w);

struct watch *watch_open(const struct cli *cli, unsigned int flags, enum cli_exit *exit_code_out)
{
    struct watch *w = calloc(1, sizeof(*w));
    const char *spec = NULL;
    struct source first;

    if (!w) {
        *exit_code_out = cli_out_of_memory();
        return NULL;
    }
    w->cli = cli;
    source_init(&first);
    *exit_code_out = source_choose(cli, &spec, &first);
    source_dispose(&first);
    if (*exit_code_out == CLI_DONE && spec)
        w->reader = host_reader_open(cli, spec, flags, exit_code_out);
    if (*exit_code_out != CLI_DONE || (w->reader && take_tick(w) == WATCH_FAILED)) {
        if (*exit_code_out == CLI_DONE)
            *exit_code_out = CLI_FAILED;
        watch_close(w);
        return NULL;
    }
    return w;
}

void watch_close(struct watch *w)
{
    if (!w)
        return;
    host_reader_close(w->reader);
    free(w);
}

enum cli_exit watch_read(struct watch *w, struct source *source)
{
    if (w->reader && !w->fresh)
        return CLI_DONE;
    source_dispose(source);
    if (!w->reader)
        return source_read_daemon(w->cli, false, source);
    w->fresh = false;
    return host_reader_copy(w->reader, source);
}

static enum watch_end wait_for_daemon(uint64_t wait_ns, struct pollfd *fds, nfds_t fd_count)
{
    int ready = poll(fds, fd_count, (int)(wait_ns / NS_PER_MS));

    if (ready < 0 && errno != EINTR) {
        cli_error("cannot wait: %s", strerror(errno));
        return WATCH_FAILED;
    }
    return ready > 0 ? WATCH_FDS : WATCH_TIME;
}

static enum watch_end fail(const struct watch *w)
{
    cli_error("%s", host_reader_error(w->reader));
    return WATCH_FAILED;
}

static enum watch_end take_tick(struct watch *w)
{
    if (host_reader_look(w->reader) < 0)
        return fail(w);
    w->looks++;
    w->fresh = true;
    w->next_tick_ns = host_reader_now_ns(w->reader) + host_reader_tick_ns(w->reader);
    return WATCH_TIME;
}

enum watch_end watch_wait(struct watch *w, uint64_t wait_ns, struct pollfd *fds, nfds_t fd_count)
{
    uint64_t until_ns;

    if (!w->reader)
        return wait_for_daemon(wait_ns, fds, fd_count);
    until_ns = host_reader_now_ns(w->reader) + wait_ns;
    while (true) {
        bool tick_first = w->next_tick_ns <= until_ns;
        int wake =
            host_reader_wait(w->reader, tick_first ? w->next_tick_ns : until_ns, fds, fd_count);

        if (wake < 0)
            return fail(w);
        if (wake & XLP_WAKE_FD)
            return WATCH_FDS;
        if (wake & XLP_WAKE_END)
            return WATCH_ENDED;
        if (tick_first && host_reader_now_ns(w->reader) >= w->next_tick_ns) {
            if (take_tick(w) == WATCH_FAILED)
                return WATCH_FAILED;
        } else if (host_reader_now_ns(w->reader) >= until_ns) {
            return WATCH_TIME;
        }
    }
}

bool watch_has_measured(const struct watch *w)
{
    return !w->reader || w->looks > 1;
}
