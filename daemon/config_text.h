/* SPDX-License-Identifier: LGPL-2.1-only */
/* A file in xl's syntax: its text, and what libxlutil makes of that. */
#ifndef CONFIG_TEXT_H
#define CONFIG_TEXT_H

#include <stdarg.h>
#include <stddef.h>

#include <libxlutil.h>

/* Reads a file of at most max bytes. The caller frees them; they do not end in a NUL. NULL: error
 * is one line, and errno says why (EFBIG: it is longer). */
char *config_text_read(const char *path, size_t max, size_t *length_out, char *error,
                       size_t error_size);

/* Parses it; path is for messages. xlu_cfg_destroy frees the result. NULL: error is one line that
 * begins with "PATH:LINE: ", or, when memory is out, with "PATH: ". */
XLU_Config *config_text_parse(const char *text, size_t length, const char *path, char *error,
                              size_t error_size);

/* "PATH:LINE: what is wrong", as all that is wrong in such a file is told. */
void config_text_error(const char *path, unsigned int line, char *error, size_t error_size,
                       const char *format, va_list arguments) __attribute__((format(printf, 5, 0)));

#endif
