/* SPDX-License-Identifier: LGPL-2.1-only */
#include "words.h"

#include <stdint.h>
#include <string.h>

#define WORD_MAX 47

int words_index(const char *choices, const char *word)
{
    size_t length = strlen(word);

    if (length == 0)
        return -1;
    for (int i = 0; *choices; i++) {
        size_t candidate = strcspn(choices, " ");

        if (candidate == length && memcmp(choices, word, length) == 0)
            return i;
        choices += candidate + (choices[candidate] == ' ');
    }
    return -1;
}

/* Levenshtein's distance, one row of the table at a time. */
size_t words_distance(const char *a, const char *b)
{
    size_t a_length = strlen(a), b_length = strlen(b);
    size_t row[WORD_MAX + 1];

    if (a_length > WORD_MAX || b_length > WORD_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= b_length; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t least = diagonal + (a[i - 1] != b[j - 1]);

            diagonal = row[j];
            if (row[j] + 1 < least)
                least = row[j] + 1;
            if (row[j - 1] + 1 < least)
                least = row[j - 1] + 1;
            row[j] = least;
        }
    }
    return row[b_length];
}
