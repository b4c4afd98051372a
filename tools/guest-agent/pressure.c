/* SPDX-License-Identifier: LGPL-2.1-only */
/* The kernel's pressure trigger: see pressure.h, and Documentation/accounting/psi.rst in Linux. */
#include "pressure.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

/*
 * Some task stalled for 100 ms in all within 1 s. Without CAP_SYS_RESOURCE the kernel takes only
 * windows of a multiple of 2 s, since Linux 6.5, and none at all before.
 */
static const char *const triggers[] = {"some 100000 1000000", "some 200000 2000000"};

static int check_is_procfs(int fd);
static int arm(int fd);

int pressure_trigger_open(const char *proc_dir)
{
    char path[PATH_MAX];
    int path_len = snprintf(path, sizeof(path), "%s/pressure/memory", proc_dir);

    if (path_len < 0 || (size_t)path_len >= sizeof(path))
        return -ENAMETOOLONG;

    int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return -errno;

    int rc = check_is_procfs(fd);
    if (rc == 0)
        rc = arm(fd);
    if (rc) {
        close(fd);
        return rc;
    }
    return fd;
}

/* Elsewhere it would be a plain file, which we were asked to read and not to overwrite. */
static int check_is_procfs(int fd)
{
    struct statfs fs;

    if (fstatfs(fd, &fs) < 0)
        return -errno;
    return fs.f_type == PROC_SUPER_MAGIC ? 0 : -ENOTTY;
}

static int arm(int fd)
{
    int rc = 0;

    for (size_t i = 0; i < sizeof(triggers) / sizeof(triggers[0]); i++) {
        if (write(fd, triggers[i], strlen(triggers[i]) + 1) >= 0)
            return 0;
        rc = -errno;
    }
    return rc;
}
