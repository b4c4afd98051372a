/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What a fuzz harness tests/fuzz/fuzz_NAME.c defines, and how it states what must hold.
 *
 * One harness serves libFuzzer, AFL++ and fuzz_main.c, which is enough of a driver for `make
 * check`.
 */
#ifndef XLPOLICY_TESTS_FUZZ_H
#define XLPOLICY_TESTS_FUZZ_H

#include <ctype.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Feeds one input to the code under test. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Like assert(), but never compiled out. */
#define FUZZ_CHECK(condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);         \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* A text that may be shown on a terminal: it ends within its size, and is printable. */
static inline void fuzz_check_text(const char *text, size_t size)
{
    size_t length = strnlen(text, size);

    FUZZ_CHECK(length < size);
    for (size_t i = 0; i < length; i++)
        FUZZ_CHECK(isprint((unsigned char)text[i]));
}

#endif
