/* SPDX-License-Identifier: LGPL-2.1-only */
/* The strokes an SVG picture is made of. Coordinates are pixels, from the upper left corner. */
#ifndef SVG_DRAW_H
#define SVG_DRAW_H

#include <stddef.h>
#include <stdio.h>

#include "reason.h"

#define SVG_INK   "#222222"
#define SVG_FAINT "#d9d9d9"
#define SVG_SOFT  "#666666"

/* A plot: where it is, and what its axes span. Both axes begin at 0. */
struct svg_plot {
    double x, y, width, height;
    double time_max, value_max;
};

double svg_x(const struct svg_plot *plot, double time);
double svg_y(const struct svg_plot *plot, double value); /* cut to the plot */

/* The i-th of a row of colours that are told apart easily; it begins again after twelve. */
const char *svg_colour(size_t i);
#define SVG_COLOURS 12

enum svg_anchor { SVG_START, SVG_MIDDLE, SVG_END };

/* Text with its base line at y, escaped. */
void svg_text(FILE *to, double x, double y, enum svg_anchor anchor, double size, const char *colour,
              const char *text);
void svg_bold_text(FILE *to, double x, double y, double size, const char *text);
void svg_escaped(FILE *to, const char *text);

/* The sentence of a reason, escaped; "not by xlpolicy" where there is none. */
void svg_reason(FILE *to, const struct xlp_reason *reason);
void svg_line(FILE *to, double x1, double y1, double x2, double y2, const char *colour);
void svg_box(FILE *to, double x, double y, double width, double height, const char *colour,
             double opacity);

/* A frame with lines across at each value step; labels at the left when there is room for them. */
void svg_value_axis(FILE *to, const struct svg_plot *plot, double step, int with_labels);

/* Marks and labels below, in s, min or h, whichever fits; at most labels of them. */
void svg_time_axis(FILE *to, const struct svg_plot *plot, size_t labels);

/* A step that divides an axis up to max in at most four: a power of two. */
double svg_step(double max);

#endif
