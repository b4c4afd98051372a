/* SPDX-License-Identifier: LGPL-2.1-only */
#include "config_text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* As much as there is, but no more than max + 1 bytes. -1: errno is set. */
static ssize_t read_all(int fd, char *text, size_t max)
{
    size_t used = 0;
    ssize_t got;

    do {
        got = read(fd, text + used, max + 1 - used);
        if (got > 0)
            used += (size_t)got;
    } while (got > 0 && used <= max);
    return got < 0 ? -1 : (ssize_t)used;
}

char *config_text_read(const char *path, size_t max, size_t *length_out, char *error,
                       size_t error_size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), failure;
    char *text = fd < 0 ? NULL : malloc(max + 1);
    ssize_t used = text ? read_all(fd, text, max) : -1;

    failure = used < 0 ? errno : (size_t)used > max ? EFBIG : 0;
    if (fd >= 0)
        close(fd);
    if (!failure) {
        *length_out = (size_t)used;
        return text;
    }
    free(text);
    if (failure == EFBIG)
        snprintf(error, error_size, "%s: longer than %zu KiB: not a configuration file", path,
                 max / 1024);
    else
        snprintf(error, error_size, "cannot read %s: %s", path, strerror(failure));
    errno = failure;
    return NULL;
}

static void complain(const char *path, unsigned int line, char *error, size_t error_size,
                     const char *format, ...) __attribute__((format(printf, 5, 6)));

/* A string that is wrong for another reason than that it does not end. */
static bool is_closed(const char *token, const char *end)
{
    return end - token > 1 && end[-1] == token[0];
}

/* In our words. libxlutil's are "PATH:LINE: config parsing error near `TOKEN': ..."; where the
 * token is the end of a line, it names the line before; at the end, one too many, which is ours. */
static void word_complaint(const char *path, const char *complaint, char *error, size_t error_size)
{
    static const char form[] = "a setting is NAME = VALUE, text in quotes, a list in [ ]";
    const char *at = complaint + strlen(path) + 1, *token = strchr(complaint, '`');
    const char *end = token ? strstr(token, "\': ") : NULL;
    unsigned int line = (unsigned int)strtoul(at, NULL, 10);

    if (strstr(complaint, "unexpected NEWLINE"))
        complain(path, line + 1, error, error_size, "the line ends too early; %s", form);
    else if (strstr(complaint, "unexpected $end"))
        complain(path, line - 1, error, error_size, "the file ends too early; %s", form);
    else if (!end)
        complain(path, line, error, error_size, "not understood; %s", form);
    else if ((token[1] == '"' || token[1] == '\'') && !is_closed(token + 1, end))
        complain(path, line, error, error_size,
                 "the quote that opens at %.*s is not closed on its line", (int)(end - token - 1),
                 token + 1);
    else
        complain(path, line, error, error_size, "not understood at %.*s; %s",
                 (int)(end - token - 1), token + 1, form);
}

static void complain(const char *path, unsigned int line, char *error, size_t error_size,
                     const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    config_text_error(path, line, error, error_size, format, arguments);
    va_end(arguments);
}

void config_text_error(const char *path, unsigned int line, char *error, size_t error_size,
                       const char *format, va_list arguments)
{
    int used = snprintf(error, error_size, "%s:%u: ", path, line);

    if (used >= 0 && (size_t)used < error_size)
        vsnprintf(error + used, error_size - (size_t)used, format, arguments);
}

/* At a byte of 0 in a string libxlutil would end the program. */
static bool is_text(const char *text, size_t length, const char *path, char *error,
                    size_t error_size)
{
    const char *zero = memchr(text, '\0', length);
    unsigned int line = 1;

    if (!zero)
        return true;
    for (const char *c = text; c < zero; c++)
        line += *c == '\n';
    complain(path, line, error, error_size, "a byte of 0: this is not a text file");
    return false;
}

/* libxlutil writes its complaints to a stream: the first is the one that counts. It takes no
 * comment that ends the text without a newline. */
XLU_Config *config_text_parse(const char *text, size_t length, const char *path, char *error,
                              size_t error_size)
{
    char *complaint = NULL, *ended;
    size_t complaint_size;
    FILE *report;
    XLU_Config *parsed = NULL;
    int rc = ENOMEM;

    if (!is_text(text, length, path, error, error_size))
        return NULL;
    ended = malloc(length + 1);
    report = open_memstream(&complaint, &complaint_size);
    if (!ended || !report)
        goto out;
    memcpy(ended, text, length);
    ended[length] = '\n';
    parsed = xlu_cfg_init(report, path);
    if (parsed)
        rc = xlu_cfg_readdata(parsed, ended, (int)length + 1);
out:
    if (report)
        fclose(report);
    if (rc == ENOMEM || (rc && !complaint))
        snprintf(error, error_size, "%s: %s", path, strerror(rc));
    else if (rc)
        word_complaint(path, strtok(complaint, "\n"), error, error_size);
    if (rc && parsed)
        xlu_cfg_destroy(parsed);
    free(complaint);
    free(ended);
    return rc ? NULL : parsed;
}
