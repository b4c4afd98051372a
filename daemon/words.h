/* SPDX-License-Identifier: LGPL-2.1-only */
/* Words: choosing one of a few, and how far apart two are. */
#ifndef WORDS_H
#define WORDS_H

#include <stddef.h>

/* The index of word among choices, which are separated by single spaces; or -1. */
int words_index(const char *choices, const char *word);

/* How many letters must be put in, taken out or replaced to make b from a; words longer than 47
 * letters are infinitely far (SIZE_MAX). */
size_t words_distance(const char *a, const char *b);

#endif
