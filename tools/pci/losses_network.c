/* SPDX-License-Identifier: LGPL-2.1-only */
/* The way to the network, and the keyboards. */
#include "losses.h"

#include <string.h>

#define INTERFACES "/sys/class/net/"
#define DEPTH_MAX  8
#define NAME_SIZE  64
#define LINE_SIZE  1024

static void find_routes_4(struct losses *l);
static void find_routes_6(struct losses *l);
static void add_interface(struct losses *l, const char *name, const char *route, const char *file);

void losses_find_network(struct losses *l)
{
    find_routes_4(l);
    find_routes_6(l);
}

static void find_routes_4(struct losses *l)
{
    FILE *file = files_open(l->files, "/proc/net/route");
    char line[LINE_SIZE], name[NAME_SIZE], destination[16], mask[16];

    while (file && fgets(line, sizeof(line), file))
        if (sscanf(line, "%63s %15s %*s %*s %*s %*s %*s %15s", name, destination, mask) == 3 &&
            strcmp(destination, "00000000") == 0 && strcmp(mask, "00000000") == 0)
            add_interface(l, name, name, "/proc/net/route");
    if (file)
        fclose(file);
}

static void find_routes_6(struct losses *l)
{
    FILE *file = files_open(l->files, "/proc/net/ipv6_route");
    char line[LINE_SIZE], name[NAME_SIZE], destination[40], prefix[4];

    while (file && fgets(line, sizeof(line), file))
        if (sscanf(line, "%39s %3s %*s %*s %*s %*s %*s %*s %*s %63s", destination, prefix, name) ==
                3 &&
            strspn(destination, "0") == 32 && strcmp(prefix, "00") == 0 && strcmp(name, "lo") != 0)
            add_interface(l, name, name, "/proc/net/ipv6_route");
    if (file)
        fclose(file);
}

/* A bridge, a bond or a VLAN has what it is made of as lower_NAME. */
static void follow(struct losses *l, const char *name, const char *what, const char *evidence,
                   int depth)
{
    static const char lower[] = "lower_";
    char path[FILES_PATH_SIZE], target[FILES_PATH_SIZE], **entries;
    size_t count;

    snprintf(path, sizeof(path), INTERFACES "%s/device", name);
    if (files_resolve(l->files, path, target, sizeof(target)))
        losses_add_path(l, target, PCI_USE_NETWORK, what, evidence);
    if (depth == DEPTH_MAX)
        return;
    snprintf(path, sizeof(path), INTERFACES "%s", name);
    count = files_list(l->files, path, &entries);
    for (size_t i = 0; i < count; i++)
        if (strncmp(entries[i], lower, strlen(lower)) == 0)
            follow(l, entries[i] + strlen(lower), what, evidence, depth + 1);
    files_list_free(entries, count);
}

static void add_interface(struct losses *l, const char *name, const char *route, const char *file)
{
    char what[PCI_TEXT_SIZE], evidence[PCI_TEXT_SIZE];

    if (strchr(name, '/'))
        return;
    snprintf(what, sizeof(what), "the network: the default route goes by %s", route);
    snprintf(evidence, sizeof(evidence), "%s: %s", file, route);
    follow(l, name, what, evidence, 0);
}

/* ---- keyboards ---- */

/* The kernel's list has a block of lines for each input device. One with a handler for SysRq has
 * the keys of a keyboard; power buttons and the like have not. */
void losses_find_keyboards(struct losses *l)
{
    FILE *file = files_open(l->files, "/proc/bus/input/devices");
    char line[LINE_SIZE], path[LINE_SIZE] = "", name[PCI_NAME_SIZE] = "";
    char what[PCI_TEXT_SIZE];

    while (file && fgets(line, sizeof(line), file)) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "N: Name=", 8) == 0) {
            snprintf(name, sizeof(name), "%.90s", line + 8);
        } else if (strncmp(line, "S: Sysfs=", 9) == 0) {
            snprintf(path, sizeof(path), "%s", line + 9);
        } else if (strncmp(line, "H: Handlers=", 12) == 0 && strstr(line, "sysrq")) {
            snprintf(what, sizeof(what), "the keyboard %s", name);
            losses_add_path(l, path, PCI_USE_KEYBOARD, what, "/proc/bus/input/devices");
        }
    }
    if (file)
        fclose(file);
}
