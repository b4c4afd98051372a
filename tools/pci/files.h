/* SPDX-License-Identifier: LGPL-2.1-only */
/* Files below a root, which is "" for this machine. Paths are absolute, as they are there. */
#ifndef PCI_FILES_H
#define PCI_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define FILES_PATH_SIZE 4096

struct files {
    const char *root;
};

/* The file's first bytes, NUL-terminated, without the newline at their end. False: there is no such
 * file, or it cannot be read; text is "" then. */
bool files_read(const struct files *files, const char *path, char *text, size_t size);

/* The number that a file begins with, decimal or 0x.... False: there is none. */
bool files_read_number(const struct files *files, const char *path, uint64_t *number_out);

bool files_exist(const struct files *files, const char *path);
FILE *files_open(const struct files *files, const char *path);

/* The names of a directory in order, without those that begin with a dot; the caller frees each and
 * the array. 0 when there is no such directory. */
size_t files_list(const struct files *files, const char *path, char ***names_out);
void files_list_free(char **names, size_t count);

/* Where a path leads when all symbolic links are followed, as seen from the root. False: nowhere,
 * or out of the root. */
bool files_resolve(const struct files *files, const char *path, char *resolved,
                   size_t resolved_size);

/* Puts '?' for what is not printable ASCII: some names come from devices, or from users. */
void files_clean(char *text);

#endif
