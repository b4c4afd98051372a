/* SPDX-License-Identifier: LGPL-2.1-only */
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* How long something may take in silence, and between two lines. */
#define FIRST_NS 1000000000
#define NEXT_NS  200000000

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void progress_start(struct progress *p, const char *what, uint64_t total)
{
    *p = (struct progress){
        .what = what, .total = total, .told_ns = now_ns(), .quiet = !isatty(STDERR_FILENO)};
}

void progress_tell(struct progress *p, uint64_t done)
{
    uint64_t now = p->quiet ? 0 : now_ns();

    if (p->quiet || now - p->told_ns < (p->shown ? NEXT_NS : FIRST_NS))
        return;
    p->told_ns = now;
    p->shown = true;
    fprintf(stderr, "\rxlpolicy: %s", p->what);
    if (p->total)
        fprintf(stderr, ": %" PRIu64 " of %" PRIu64, done, p->total);
    else if (done)
        fprintf(stderr, ": %" PRIu64, done);
    fputs("\033[K", stderr);
}

void progress_end(struct progress *p)
{
    if (p->shown)
        fputs("\r\033[K", stderr);
    p->shown = false;
}
