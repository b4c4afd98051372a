/* SPDX-License-Identifier: LGPL-2.1-only */
#include "pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_still_at(const char *path, int fd);
static long read_pid(int fd);

int pidfile_take(const char *path, char *error, size_t error_size)
{
    int fd, held;

    if (pidfile_make_directory(path, error, error_size) < 0)
        return -1;
    do {
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (fd < 0) {
            snprintf(error, error_size, "cannot write %s: %s", path, strerror(errno));
            return -1;
        }
        if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
            held = errno;
            if (held == EWOULDBLOCK)
                snprintf(error, error_size, "already running (pid %ld, %s)", read_pid(fd), path);
            else
                snprintf(error, error_size, "cannot lock %s: %s", path, strerror(held));
            close(fd);
            errno = held;
            return -1;
        }
        /* A daemon that was just ending may have removed the file that we locked. */
        if (is_still_at(path, fd))
            break;
        close(fd);
    } while (true);

    if (ftruncate(fd, 0) < 0 || dprintf(fd, "%ld\n", (long)getpid()) < 0) {
        snprintf(error, error_size, "cannot write %s: %s", path, strerror(errno));
        pidfile_release(path, fd);
        return -1;
    }
    return fd;
}

void pidfile_release(const char *path, int fd)
{
    if (fd < 0)
        return;
    unlink(path); /* before the lock goes: afterwards it might be another's */
    close(fd);
}

int pidfile_make_directory(const char *path, char *error, size_t error_size)
{
    const char *slash = strrchr(path, '/');
    char directory[PATH_MAX];

    if (!slash || slash == path)
        return 0;
    snprintf(directory, sizeof(directory), "%.*s", (int)(slash - path), path);
    if (mkdir(directory, 0755) < 0 && errno != EEXIST) {
        snprintf(error, error_size, "cannot create %s: %s", directory, strerror(errno));
        return -1;
    }
    return 0;
}

static bool is_still_at(const char *path, int fd)
{
    struct stat here, there;

    return fstat(fd, &here) == 0 && stat(path, &there) == 0 && here.st_dev == there.st_dev &&
           here.st_ino == there.st_ino;
}

/* 0 when its owner has not written it yet. */
static long read_pid(int fd)
{
    char text[32];
    ssize_t got = pread(fd, text, sizeof(text) - 1, 0);

    text[got > 0 ? got : 0] = '\0';
    return strtol(text, NULL, 10);
}
