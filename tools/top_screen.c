/* SPDX-License-Identifier: LGPL-2.1-only */
#include "top_screen.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIECE_SIZE 2048

int top_screen_start(struct top_screen *s, unsigned int rows, unsigned int columns)
{
    size_t size = (size_t)rows * columns;
    char *text = realloc(s->text, size + columns + 2); /* and one row more, for top_row */
    unsigned char *style;

    if (!text)
        return -1;
    s->text = text;
    style = realloc(s->style, size + 1);
    if (!style)
        return -1;
    s->style = style;
    s->rows = rows;
    s->columns = columns;
    memset(s->text, ' ', size);
    memset(s->style, TOP_PLAIN, size);
    return 0;
}

void top_screen_dispose(struct top_screen *s)
{
    free(s->text);
    free(s->style);
    *s = (struct top_screen){0};
}

static void put_char(struct top_screen *s, unsigned int row, unsigned int column,
                     enum top_style style, char c)
{
    size_t at = (size_t)row * s->columns + column;

    if (row >= s->rows || column >= s->columns)
        return;
    s->text[at] = c;
    s->style[at] = (unsigned char)style;
}

unsigned int top_put(struct top_screen *s, unsigned int row, unsigned int column,
                     enum top_style style, const char *format, ...)
{
    char piece[PIECE_SIZE];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(piece, sizeof(piece), format, arguments);
    va_end(arguments);
    for (const char *c = piece; *c; c++)
        put_char(s, row, column++, style, *c);
    return column;
}

unsigned int top_put_bar(struct top_screen *s, unsigned int row, unsigned int column,
                         unsigned int width, double full, enum top_style style)
{
    unsigned int inner = width > 2 ? width - 2 : 0;
    double marks = full * inner + 0.5;

    put_char(s, row, column++, TOP_PLAIN, '[');
    for (unsigned int i = 0; i < inner; i++)
        put_char(s, row, column++, style, i + 1 <= marks ? '|' : ' ');
    put_char(s, row, column++, TOP_PLAIN, ']');
    return column;
}

void top_paint_row(struct top_screen *s, unsigned int row, enum top_style style)
{
    if (row < s->rows)
        memset(s->style + (size_t)row * s->columns, style, s->columns);
}

/* How much of text fits into width, up to a blank if it has one. */
static size_t line_length(const char *text, size_t width)
{
    size_t length = strlen(text);

    if (length <= width)
        return length;
    for (size_t i = width; i > 0; i--)
        if (text[i] == ' ')
            return i;
    return width;
}

unsigned int top_put_wrapped(struct top_screen *s, unsigned int row, unsigned int rows,
                             unsigned int indent, const char *text)
{
    unsigned int used = 0;

    while (*text && used < rows) {
        unsigned int column = used ? indent : 0;
        size_t width = s->columns > column ? s->columns - column : 1;
        size_t length = line_length(text, width);
        bool last = used + 1 == rows && strlen(text) > width;

        top_put(s, row + used, column, TOP_PLAIN, "%.*s", (int)(last ? width : length), text);
        if (last && s->columns > 3)
            top_put(s, row + used, s->columns - 3, TOP_PLAIN, "...");
        text += length;
        text += strspn(text, " ");
        used++;
    }
    return used;
}

const char *top_row(struct top_screen *s, unsigned int row)
{
    char *line = s->text + (size_t)s->rows * s->columns;
    size_t length = s->columns;

    memcpy(line, s->text + (size_t)row * s->columns, length);
    while (length && line[length - 1] == ' ')
        length--;
    line[length] = '\0';
    return line;
}
