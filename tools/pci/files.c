/* SPDX-License-Identifier: LGPL-2.1-only */
#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool path_below(const struct files *files, const char *path, char *full)
{
    int length = snprintf(full, FILES_PATH_SIZE, "%s%s", files->root, path);

    return length > 0 && length < FILES_PATH_SIZE;
}

FILE *files_open(const struct files *files, const char *path)
{
    char full[FILES_PATH_SIZE];

    return path_below(files, path, full) ? fopen(full, "re") : NULL;
}

bool files_read(const struct files *files, const char *path, char *text, size_t size)
{
    FILE *file = files_open(files, path);
    size_t length = file ? fread(text, 1, size - 1, file) : 0;
    bool good = file && !ferror(file);

    if (file)
        fclose(file);
    text[good ? length : 0] = '\0';
    while (good && length > 0 && text[length - 1] == '\n')
        text[--length] = '\0';
    return good;
}

bool files_read_number(const struct files *files, const char *path, uint64_t *number_out)
{
    char text[32], *end;
    unsigned long long number;

    if (!files_read(files, path, text, sizeof(text)))
        return false;
    errno = 0;
    number = strtoull(text, &end, 0);
    if (errno || end == text || text[0] == '-')
        return false;
    *number_out = number;
    return true;
}

bool files_exist(const struct files *files, const char *path)
{
    char full[FILES_PATH_SIZE];

    return path_below(files, path, full) && access(full, F_OK) == 0;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* Not alphasort(), which follows the locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

size_t files_list(const struct files *files, const char *path, char ***names_out)
{
    char full[FILES_PATH_SIZE];
    struct dirent **entries;
    size_t kept = 0;
    char **names;
    int count = path_below(files, path, full) ? scandir(full, &entries, is_visible, by_name) : -1;

    *names_out = NULL;
    if (count < 0)
        return 0;
    names = calloc((size_t)count + 1, sizeof(*names));
    for (int i = 0; i < count; i++) {
        if (names && (names[kept] = strdup(entries[i]->d_name)))
            kept++;
        free(entries[i]);
    }
    free(entries);
    *names_out = names;
    return kept;
}

void files_list_free(char **names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
}

bool files_resolve(const struct files *files, const char *path, char *resolved,
                   size_t resolved_size)
{
    char full[FILES_PATH_SIZE];
    char *real = path_below(files, path, full) ? realpath(full, NULL) : NULL;
    char *root = realpath(files->root[0] ? files->root : "/", NULL);
    size_t root_length = root && strcmp(root, "/") != 0 ? strlen(root) : 0;
    bool inside = real && root && strncmp(real, root, root_length) == 0 &&
                  (real[root_length] == '/' || real[root_length] == '\0') &&
                  strlen(real + root_length) < resolved_size;

    if (inside)
        strcpy(resolved, real + root_length);
    free(real);
    free(root);
    return inside;
}

void files_clean(char *text)
{
    for (; *text; text++)
        if (*text < ' ' || *text > '~')
            *text = '?';
}
