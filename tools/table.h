/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Text in columns. Cells are collected first, so every column is as wide as its widest cell: long
 * names push the others along and never run into them.
 */
#ifndef TABLE_H
#define TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum table_align { TABLE_LEFT, TABLE_RIGHT };

struct table_column {
    const char *title; /* "" for none; when no column has one, no title line is printed */
    enum table_align align;
};

struct table {
    const struct table_column *columns; /* the caller's */
    size_t column_count;
    char **cells; /* row by row */
    size_t cell_count, cell_room;
    bool failed; /* memory was out: nothing will be printed */
};

void table_init(struct table *t, const struct table_column *columns, size_t column_count);
void table_dispose(struct table *t);

/* Each appends the next cell of the row, the first one after a full row begins a new row. */
void table_text(struct table *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void table_u32(struct table *t, uint32_t number);             /* XLP_UNKNOWN: "-" */
void table_pct(struct table *t, bool known, double fraction); /* "12.5", "100"; unknown: "-" */
void table_mib(struct table *t, bool known, int64_t kib);

/* Prints the titles and all rows, each line indented by that many blanks. 0, or -1 when memory ran
 * out (nothing is printed then). */
int table_print(const struct table *t, FILE *to, int indent);

#endif
