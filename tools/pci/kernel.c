/* SPDX-License-Identifier: LGPL-2.1-only */
#include "kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOOK_NS 100000000L

/* handover.arg is the struct handover itself. */
static int write_attribute(void *arg, const char *path, const char *text);
static void pause_a_moment(void *arg);
static int quarantine(void *arg, const struct pci_address *address, bool on);

void kernel_open(struct handover *h, const char *root, void (*tell)(void *arg, const char *step))
{
    *h = (struct handover){.files = {root ? root : ""},
                           .arg = h,
                           .write = write_attribute,
                           .pause = pause_a_moment,
                           .quarantine = root ? NULL : quarantine,
                           .tell = tell};
}

/* The directories above a record, if it is one. */
static void make_directories(const char *root)
{
    static const char *const directories[] = {"/run", "/run/xlpolicy", HANDOVER_RECORDS};
    char path[FILES_PATH_SIZE];

    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s%s", root, directories[i]);
        mkdir(path, 0755);
    }
}

static int write_attribute(void *arg, const char *path, const char *text)
{
    const struct handover *h = arg;
    bool is_record = strncmp(path, HANDOVER_RECORDS, strlen(HANDOVER_RECORDS)) == 0;
    char full[FILES_PATH_SIZE * 2];
    size_t length = strlen(text);
    ssize_t put;
    int fd, rc = 0;

    if (is_record)
        make_directories(h->files.root);
    snprintf(full, sizeof(full), "%s%s", h->files.root, path);
    fd = open(full, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | (is_record ? O_CREAT | O_TRUNC : 0), 0644);
    if (fd < 0)
        return -errno;
    put = write(fd, text, length);
    if (put < 0)
        rc = -errno;
    else if ((size_t)put != length)
        rc = -EIO;
    close(fd);
    return rc;
}

static void pause_a_moment(void *arg)
{
    struct timespec moment = {.tv_nsec = LOOK_NS};

    (void)arg;
    nanosleep(&moment, NULL);
}

static int quarantine(void *arg, const struct pci_address *address, bool on)
{
    (void)arg;
    return xen_quarantine(address, on);
}
