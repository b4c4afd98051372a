/* SPDX-License-Identifier: LGPL-2.1-only */
/* The page that svg.c lays out and svg_cpu.c and svg_memory.c fill. Sizes are in pixels. */
#ifndef SVG_PAGE_H
#define SVG_PAGE_H

#include "series.h"
#include "svg_draw.h"

#define PAGE_WIDTH   1000.0
#define LEFT         64.0
#define RIGHT        185.0 /* the legend's */
#define PLOT_WIDTH   (PAGE_WIDTH - LEFT - RIGHT)
#define HEADER       78.0
#define HEADING      40.0 /* of a section, with the room above it */
#define AXIS         26.0 /* below a plot */
#define FOOTER       14.0
#define COLUMNS_MAX  400 /* more moments than that are averaged */
#define PCPUS_MAX    64
#define CELLS_A_ROW  4
#define CELL_HEIGHT  110.0
#define CELL_HEADING 18.0
#define CELL_GAP     18.0
#define CELLS_MAX    16
#define FREE_HEIGHT  80.0
#define EVENTFUL_MIB 32.0 /* use that varies less says nothing */

/* Runs of ticks, each drawn as one step. */
struct svg_columns {
    size_t count;
    size_t first[COLUMNS_MAX + 1]; /* column i is ticks first[i] ... first[i + 1] - 1 */
};

struct svg_page {
    FILE *to;
    const struct series *series;
    struct svg_columns columns;
    size_t ticks; /* drawn: those after the last change, if they are most, are left out */
    double time_max;
    size_t pcpus; /* drawn */
    double strip_height, strip_gap;
    size_t cells[CELLS_MAX], cell_count, cells_left_out; /* guests whose memory is drawn */
    double memory_max;
};

/* First and last moment of a column. */
double svg_column_start(const struct svg_page *page, size_t column);
double svg_column_end(const struct svg_page *page, size_t column);

/* NULL while the guest was not there. */
const struct series_sample *svg_sample_at(const struct series *s, size_t tick, size_t guest);

bool svg_has_dom0(const struct series *s);

/* dom0 is grey, the others are told apart. */
const char *svg_guest_colour(const struct series *s, size_t guest);

/* A name that fits, cut with an ellipsis. Returns text. */
const char *svg_short_name(const char *name, char *text, size_t size);

/* The sections: how high they are without their heading, and drawing them from y down; the result
 * is where they end. */
double svg_cpu_height(const struct svg_page *page);
double svg_draw_cpu(const struct svg_page *page, double y);
double svg_memory_height(const struct svg_page *page);
double svg_draw_memory(const struct svg_page *page, double y);
void svg_draw_free(const struct svg_page *page, double y);

#endif
