/* SPDX-License-Identifier: LGPL-2.1-only */
/* JSON from a file of bounded size. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "json/json.h"

static char *read_file(const char *path, size_t max_bytes, size_t *length_out, char *error,
                       size_t error_size);
static char *read_stream(FILE *file, size_t max_bytes, size_t *length_out, const char **what_out);

struct xlp_json *xlp_json_parse_file(const char *path, size_t max_bytes, char *error,
                                     size_t error_size)
{
    char what[256];
    size_t length;
    char *text = read_file(path, max_bytes, &length, error, error_size);

    if (!text)
        return NULL;
    /* Each value takes at least one byte of text, so the size bounds their number too. */
    struct xlp_json *root = xlp_json_parse(text, length, max_bytes, what, sizeof(what));
    if (!root)
        snprintf(error, error_size, "%s: %s", path, what);
    free(text);
    return root;
}

static char *read_file(const char *path, size_t max_bytes, size_t *length_out, char *error,
                       size_t error_size)
{
    FILE *file = fopen(path, "re");
    if (!file) {
        snprintf(error, error_size, "%s: cannot be opened: %s", path, strerror(errno));
        return NULL;
    }

    const char *what = "memory is out";
    char *text = read_stream(file, max_bytes, length_out, &what);
    if (!text)
        snprintf(error, error_size, "%s: %s", path, what);
    fclose(file);
    return text;
}

/* All that is left in the file, or NULL: what_out says why, unless it is memory. */
static char *read_stream(FILE *file, size_t max_bytes, size_t *length_out, const char **what_out)
{
    char *text = NULL;
    size_t length = 0, room = 0, got;

    do {
        if (length == room) {
            room = room > 0 ? room * 2 : 64 << 10;
            char *larger = realloc(text, room);
            if (!larger)
                goto out;
            text = larger;
        }
        got = fread(text + length, 1, room - length, file);
        length += got;
        if (length > max_bytes) {
            *what_out = "is larger than this program reads";
            goto out;
        }
    } while (got > 0);
    if (ferror(file)) {
        *what_out = strerror(errno);
        goto out;
    }
    *length_out = length;
    return text;

out:
    free(text);
    return NULL;
}
