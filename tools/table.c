/* SPDX-License-Identifier: LGPL-2.1-only */
/* Text in columns. */
#include "table.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "snapshot.h"

#define COLUMN_GAP 1

void table_init(struct table *t, const struct table_column *columns, size_t column_count)
{
    memset(t, 0, sizeof(*t));
    t->columns = columns;
    t->column_count = column_count;
}

void table_dispose(struct table *t)
{
    for (size_t i = 0; i < t->cell_count; i++)
        free(t->cells[i]);
    free(t->cells);
    table_init(t, t->columns, t->column_count);
}

static char **next_cell(struct table *t)
{
    if (t->cell_count == t->cell_room) {
        size_t room = t->cell_room ? 2 * t->cell_room : 64;
        char **grown = reallocarray(t->cells, room, sizeof(*grown));

        if (!grown)
            return NULL;
        t->cells = grown;
        t->cell_room = room;
    }
    return &t->cells[t->cell_count];
}

void table_text(struct table *t, const char *format, ...)
{
    char **cell = next_cell(t);
    va_list arguments;
    int length;

    if (!cell) {
        t->failed = true;
        return;
    }
    va_start(arguments, format);
    length = vasprintf(cell, format, arguments);
    va_end(arguments);
    if (length < 0)
        t->failed = true;
    else
        t->cell_count++;
}

void table_u32(struct table *t, uint32_t number)
{
    if (number == XLP_UNKNOWN)
        table_text(t, "-");
    else
        table_text(t, "%" PRIu32, number);
}

void table_pct(struct table *t, bool known, double fraction)
{
    if (known)
        table_text(t, "%.1f", fraction * 100);
    else
        table_text(t, "-");
}

void table_mib(struct table *t, bool known, int64_t kib)
{
    if (known)
        table_text(t, "%" PRId64, kib / 1024);
    else
        table_text(t, "-");
}

/* ---- printing ---- */

static size_t column_width(const struct table *t, size_t column)
{
    size_t width = strlen(t->columns[column].title);

    for (size_t i = column; i < t->cell_count; i += t->column_count)
        if (strlen(t->cells[i]) > width)
            width = strlen(t->cells[i]);
    return width;
}

/* Blanks are held back until text follows, so that no line ends in blanks. */
static void put(FILE *to, size_t *blanks, const char *text)
{
    if (!*text)
        return;
    fprintf(to, "%*s%s", (int)*blanks, "", text);
    *blanks = 0;
}

static void print_row(const struct table *t, const size_t *widths, char *const *cells, FILE *to,
                      size_t indent)
{
    size_t blanks = indent;

    for (size_t i = 0; i < t->column_count; i++) {
        const char *text = cells ? cells[i] : t->columns[i].title;
        size_t padding = widths[i] - strlen(text);
        bool right = t->columns[i].align == TABLE_RIGHT;

        blanks += right ? padding : 0;
        put(to, &blanks, text);
        blanks += COLUMN_GAP + (right ? 0 : padding);
    }
    fputc('\n', to);
}

static bool has_titles(const struct table *t)
{
    for (size_t i = 0; i < t->column_count; i++)
        if (t->columns[i].title[0])
            return true;
    return false;
}

int table_print(const struct table *t, FILE *to, int indent)
{
    size_t *widths;

    if (t->failed)
        return -1;
    widths = calloc(t->column_count, sizeof(*widths));
    if (!widths)
        return -1;
    for (size_t i = 0; i < t->column_count; i++)
        widths[i] = column_width(t, i);
    if (has_titles(t))
        print_row(t, widths, NULL, to, (size_t)indent);
    for (size_t i = 0; i + t->column_count <= t->cell_count; i += t->column_count)
        print_row(t, widths, &t->cells[i], to, (size_t)indent);
    free(widths);
    return 0;
}
