/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Which names a configuration text sets, and where. libxlutil answers questions about names one
 * knows, but cannot list what is there; without a list a misspelt name would pass unnoticed.
 */
#ifndef CONFIG_SCAN_H
#define CONFIG_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#define CONFIG_NAME_SIZE 48

struct config_name {
    char name[CONFIG_NAME_SIZE]; /* cut to fit: longer than any name we know */
    unsigned int line;           /* from 1 */
    bool adds;                   /* name += value */
    size_t value_at;             /* where in the text the value begins */
};

/*
 * Lists the names set in text, in order. Text should be what libxlutil accepts: of
 * other text it lists what it makes of it, but stays within bounds. Returns how many there are;
 * when that is more than room, only the first room are in names.
 */
size_t config_scan(const char *text, size_t length, struct config_name *names, size_t room);

/*
 * The lines on which the strings and numbers begin that stand in the list which found is set to;
 * not those of lists within it. Returns how many there are, 0 for no list; when that is more than
 * room, only the first room are in lines.
 */
size_t config_scan_list(const char *text, size_t length, const struct config_name *found,
                        unsigned int *lines, size_t room);

#endif
