/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * dom0's processes: which run, and which domains they save or send. Xen does not tell that a
 * domain's pages are being copied while it still runs, but libxl has a helper process for that,
 * which names the domain on its command line.
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xen.h"

/* One look serves all that asks within this time: it costs some microseconds a process. */
#define LOOK_EVERY_NS (100 * XEN_NS_PER_MS)

/* libxl-save-helper --save-domain STREAM_FD BACK_CHANNEL_FD DOMID ..., of all versions we know. */
#define SAVE_ARGUMENT 1
#define SAVE_OPTION   "--save-domain"
#define SAVE_DOMID    4

/* The next process in /proc, or NULL. */
static const char *next_process(DIR *proc)
{
    const struct dirent *entry;

    while (proc && (entry = readdir(proc)))
        if (isdigit((unsigned char)entry->d_name[0]))
            return entry->d_name;
    return NULL;
}

/* Fills text, of that size, with a file of a process; always terminates it. Its length, 0 when
 * there is nothing (any more). */
static size_t read_file(const char *pid, const char *name, char *text, size_t size)
{
    char path[64];
    ssize_t got;
    int fd;

    snprintf(path, sizeof(path), "/proc/%.16s/%s", pid, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    got = read(fd, text, size - 1);
    close(fd);
    text[got > 0 ? got : 0] = '\0';
    return got > 0 ? (size_t)got : 0;
}

bool xlp_xen_process_runs(const char *name)
{
    DIR *proc = opendir("/proc");
    const char *pid;
    char comm[32];
    bool found = false;

    while (!found && (pid = next_process(proc))) {
        if (!read_file(pid, "comm", comm, sizeof(comm)))
            continue;
        comm[strcspn(comm, "\n")] = '\0';
        found = strcmp(comm, name) == 0;
    }
    if (proc)
        closedir(proc);
    return found;
}

/* Argument number `index` of a command line whose arguments each end with a NUL, or "". */
static const char *argument(const char *line, size_t length, int index)
{
    size_t at = 0;

    for (; index > 0 && at < length; index--)
        at += strlen(line + at) + 1;
    return at < length ? line + at : "";
}

void xlp_xen_find_saved(struct xen_host *h, uint64_t now_ns)
{
    char line[512];
    const char *pid;
    DIR *proc;

    if (h->saved_looked_ns && now_ns - h->saved_looked_ns < LOOK_EVERY_NS)
        return;
    proc = opendir("/proc");
    if (!proc)
        return; /* what the last look found stands */
    h->saved_looked_ns = now_ns;
    for (size_t i = 0; i < h->domain_count; i++)
        h->domains[i]->being_saved = false;
    while ((pid = next_process(proc))) {
        size_t length = read_file(pid, "cmdline", line, sizeof(line));
        const char *domid = argument(line, length, SAVE_DOMID);
        struct xen_domain *d = NULL;

        if (strcmp(argument(line, length, SAVE_ARGUMENT), SAVE_OPTION) == 0 &&
            isdigit((unsigned char)*domid))
            d = xlp_xen_domain(h, (uint32_t)strtoul(domid, NULL, 10));
        if (d)
            d->being_saved = true;
    }
    closedir(proc);
}
