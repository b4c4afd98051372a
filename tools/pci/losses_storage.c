/* SPDX-License-Identifier: LGPL-2.1-only */
/* Filesystems and swap, down to the devices they are on. */
#include "losses.h"

#include <string.h>

#define BTRFS     "/sys/fs/btrfs"
#define DEPTH_MAX 8 /* encryption on LVM on RAID on partitions is four */
#define LINE_SIZE 4096

struct volume {
    enum pci_use use;
    char what[PCI_TEXT_SIZE], evidence[PCI_TEXT_SIZE];
};

static void find_mounts(struct losses *l);
static void find_swap(struct losses *l);
static void find_btrfs(struct losses *l);
static void follow(struct losses *l, const char *path, const struct volume *volume, int depth);

void losses_find_storage(struct losses *l)
{
    find_mounts(l);
    find_btrfs(l);
    find_swap(l);
}

/* The kernel writes blanks of names as \040. */
static void unescape(char *text)
{
    char *to = text;

    for (const char *from = text; *from;) {
        unsigned int code;

        if (from[0] == '\\' && sscanf(from + 1, "%3o", &code) == 1 && code > 0 && code < 256) {
            *to++ = (char)code;
            from += 4;
        } else {
            *to++ = *from++;
        }
    }
    *to = '\0';
}

static void find_mounts(struct losses *l)
{
    FILE *file = files_open(l->files, "/proc/self/mountinfo");
    char line[LINE_SIZE], where[LINE_SIZE], path[64];
    unsigned int major, minor;

    while (file && fgets(line, sizeof(line), file)) {
        struct volume v = {.use = PCI_USE_FILESYSTEM};

        if (sscanf(line, "%*u %*u %u:%u %*s %4095s", &major, &minor, where) != 3 || major == 0)
            continue;
        unescape(where);
        snprintf(v.what, sizeof(v.what), "the filesystem %.100s", where);
        snprintf(v.evidence, sizeof(v.evidence), "/proc/self/mountinfo: block device %u:%u", major,
                 minor);
        snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major, minor);
        follow(l, path, &v, 0);
    }
    if (file)
        fclose(file);
}

/* Its mounts have device numbers of their own, which lead nowhere; all that sysfs lists here are
 * mounted. */
static void find_btrfs(struct losses *l)
{
    char **systems, **devices;
    size_t system_count = files_list(l->files, BTRFS, &systems);

    for (size_t i = 0; i < system_count; i++) {
        char path[FILES_PATH_SIZE];
        size_t device_count;
        struct volume v = {.use = PCI_USE_FILESYSTEM};

        snprintf(path, sizeof(path), BTRFS "/%s/devices", systems[i]);
        device_count = files_list(l->files, path, &devices);
        snprintf(v.what, sizeof(v.what), "the btrfs %.100s", systems[i]);
        for (size_t j = 0; j < device_count; j++) {
            snprintf(path, sizeof(path), BTRFS "/%s/devices/%s", systems[i], devices[j]);
            snprintf(v.evidence, sizeof(v.evidence), "/sys/fs/btrfs: %.100s", devices[j]);
            follow(l, path, &v, 0);
        }
        files_list_free(devices, device_count);
    }
    files_list_free(systems, system_count);
}

/* A swap file is on a filesystem, which is found as such. */
static void find_swap(struct losses *l)
{
    FILE *file = files_open(l->files, "/proc/swaps");
    char line[LINE_SIZE], name[LINE_SIZE], type[32], device[FILES_PATH_SIZE];

    while (file && fgets(line, sizeof(line), file)) {
        struct volume v = {.use = PCI_USE_SWAP};
        char path[FILES_PATH_SIZE + 32];
        const char *base;

        if (sscanf(line, "%4095s %31s", name, type) != 2 || strcmp(type, "partition") != 0)
            continue;
        unescape(name);
        /* /dev/mapper/... is a link to the name that sysfs, too, knows. */
        if (!files_resolve(l->files, name, device, sizeof(device)))
            snprintf(device, sizeof(device), "%s", name);
        base = strrchr(device, '/');
        snprintf(path, sizeof(path), "/sys/class/block/%s", base ? base + 1 : device);
        snprintf(v.what, sizeof(v.what), "swap on %.100s", name);
        snprintf(v.evidence, sizeof(v.evidence), "/proc/swaps: %.100s", name);
        follow(l, path, &v, 0);
    }
    if (file)
        fclose(file);
}

/* A volume made of others has them as slaves; of a partition, the whole disk may have. */
static bool follow_slaves(struct losses *l, const char *device, const struct volume *volume,
                          int depth)
{
    char path[FILES_PATH_SIZE], **slaves;
    size_t count;

    if (snprintf(path, sizeof(path), "%s/slaves", device) >= (int)sizeof(path))
        return false;
    count = files_list(l->files, path, &slaves);
    for (size_t i = 0; i < count; i++) {
        if (snprintf(path, sizeof(path), "%s/slaves/%s", device, slaves[i]) < (int)sizeof(path))
            follow(l, path, volume, depth + 1);
    }
    files_list_free(slaves, count);
    return count > 0;
}

static void follow(struct losses *l, const char *path, const struct volume *volume, int depth)
{
    char device[FILES_PATH_SIZE], disk[FILES_PATH_SIZE];

    if (depth > DEPTH_MAX || !files_resolve(l->files, path, device, sizeof(device)))
        return;
    losses_add_path(l, device, volume->use, volume->what, volume->evidence);
    snprintf(disk, sizeof(disk), "%s", device);
    if (!follow_slaves(l, device, volume, depth) && strrchr(disk, '/')) {
        *strrchr(disk, '/') = '\0'; /* a partition's directory is in that of its disk */
        follow_slaves(l, disk, volume, depth);
    }
}
