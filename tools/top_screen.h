/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A screen of text, each character with a style, drawn without any terminal: top lays itself out on
 * it, curses shows it, tests read it. What goes beyond an edge is cut.
 */
#ifndef TOP_SCREEN_H
#define TOP_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

enum top_style {
    TOP_PLAIN,
    TOP_TITLE,    /* of columns */
    TOP_SELECTED, /* the guest under the cursor */
    TOP_GOOD,
    TOP_WARN,
    TOP_BAD,
    TOP_DIM,
    TOP_STYLES
};

struct top_screen {
    unsigned int rows, columns;
    char *text;           /* rows * columns printable ASCII characters */
    unsigned char *style; /* enum top_style of each */
};

/* Sets its size and blanks it; buffers grow. 0, or -1 when memory is out. A zeroed one is empty. */
int top_screen_start(struct top_screen *s, unsigned int rows, unsigned int columns);
void top_screen_dispose(struct top_screen *s);

/* Writes from that place on. Returns the column after it, which may lie beyond the edge. */
unsigned int top_put(struct top_screen *s, unsigned int row, unsigned int column,
                     enum top_style style, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* "[||||||||      ]", width characters in all, so much of it full (0 ... 1). */
unsigned int top_put_bar(struct top_screen *s, unsigned int row, unsigned int column,
                         unsigned int width, double full, enum top_style style);

/* Gives a whole row this style. */
void top_paint_row(struct top_screen *s, unsigned int row, enum top_style style);

/* Writes words over at most rows rows from row on, each indented but the first, broken at blanks;
 * the last ends in "..." where it does not fit. Returns how many rows it took. */
unsigned int top_put_wrapped(struct top_screen *s, unsigned int row, unsigned int rows,
                             unsigned int indent, const char *text);

/* One row without the blanks at its end, as a string that is good until the next call. */
const char *top_row(struct top_screen *s, unsigned int row);

#endif
