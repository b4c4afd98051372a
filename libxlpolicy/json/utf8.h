/* SPDX-License-Identifier: LGPL-2.1-only */
/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef XLP_JSON_UTF8_H
#define XLP_JSON_UTF8_H

#include <stddef.h>

/* How many bytes (1 ... 4) the character at text has; 0 when the first of the length bytes there do
 * not begin with a whole valid one. */
size_t xlp_utf8_char(const char *text, size_t length);

/* The offset of the first byte that is not part of a valid character, or length. */
size_t xlp_utf8_valid_prefix(const char *text, size_t length);

/* Replaces all but printable ASCII by '?', in place. What an error quotes comes from the file that
 * is wrong, and goes to logs and terminals. */
void xlp_utf8_make_printable(char *text);

#endif
