/* SPDX-License-Identifier: LGPL-2.1-only */
/* The file that --svg FILE asks for. */
#include "picture.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "svg.h"

static enum cli_exit cannot_write(const char *path)
{
    cli_error("cannot write %s: %s", path, strerror(errno));
    return CLI_FAILED;
}

enum cli_exit picture_check(const char *path)
{
    char directory[PATH_MAX];

    if (!path || access(path, W_OK) == 0)
        return CLI_DONE;
    snprintf(directory, sizeof(directory), "%s", path);
    if (errno == ENOENT && access(dirname(directory), W_OK | X_OK) == 0)
        return CLI_DONE;
    return cannot_write(path);
}

/* In memory first, so that a picture that cannot be drawn leaves no file behind. */
static char *draw(const struct series *series, const char *title, size_t *size_out)
{
    char *text = NULL;
    FILE *to = open_memstream(&text, size_out);
    int drawn;

    if (!to)
        return NULL;
    drawn = svg_write(to, series, title);
    if (fclose(to) == 0 && drawn == 0)
        return text;
    free(text);
    return NULL;
}

enum cli_exit picture_write(const char *path, const struct series *series, const char *title)
{
    enum cli_exit exit_code = CLI_DONE;
    size_t size;
    char *text;
    FILE *file;

    if (series->tick_count < 2) {
        cli_error("cannot draw %s: there are not even two ticks to draw", path);
        return CLI_FAILED;
    }
    text = draw(series, title, &size);
    if (!text)
        return cli_out_of_memory();
    file = fopen(path, "we");
    if (!file || fwrite(text, 1, size, file) != size)
        exit_code = cannot_write(path);
    if (file && fclose(file) != 0 && exit_code == CLI_DONE)
        exit_code = cannot_write(path);
    free(text);
    return exit_code;
}
