/* SPDX-License-Identifier: LGPL-2.1-only */
/* The strokes an SVG picture is made of. */
#include "svg_draw.h"

#include <math.h>

double svg_x(const struct svg_plot *plot, double time)
{
    return plot->x + plot->width * (plot->time_max > 0 ? time / plot->time_max : 0);
}

double svg_y(const struct svg_plot *plot, double value)
{
    double part = plot->value_max > 0 ? value / plot->value_max : 0;

    return plot->y + plot->height * (1 - fmin(1, fmax(0, part)));
}

const char *svg_colour(size_t i)
{
    static const char *const colours[SVG_COLOURS] = {
        "#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#76b7b2", "#edc948",
        "#b07aa1", "#9c755f", "#ff9da7", "#1f4e79", "#a0cbe8", "#8cd17d",
    };

    return colours[i % SVG_COLOURS];
}

void svg_escaped(FILE *to, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&': fputs("&amp;", to); break;
        case '<': fputs("&lt;", to); break;
        case '>': fputs("&gt;", to); break;
        case '"': fputs("&quot;", to); break;
        default: fputc((unsigned char)*text < ' ' ? '?' : *text, to);
        }
    }
}

void svg_text(FILE *to, double x, double y, enum svg_anchor anchor, double size, const char *colour,
              const char *text)
{
    static const char *const anchors[] = {"start", "middle", "end"};

    fprintf(to, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" font-size=\"%g\" fill=\"%s\">", x,
            y, anchors[anchor], size, colour);
    svg_escaped(to, text);
    fputs("</text>\n", to);
}

void svg_bold_text(FILE *to, double x, double y, double size, const char *text)
{
    fprintf(to, "<text x=\"%.1f\" y=\"%.1f\" font-size=\"%g\" font-weight=\"bold\" fill=\"%s\">", x,
            y, size, SVG_INK);
    svg_escaped(to, text);
    fputs("</text>\n", to);
}

void svg_reason(FILE *to, const struct xlp_reason *reason)
{
    char text[512];

    if (reason->code == XLP_REASON_NONE)
        fputs("not by xlpolicy", to);
    else
        svg_escaped(to, xlp_reason_format(reason, text, sizeof(text)));
}

void svg_line(FILE *to, double x1, double y1, double x2, double y2, const char *colour)
{
    fprintf(to, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"/>\n", x1, y1,
            x2, y2, colour);
}

void svg_box(FILE *to, double x, double y, double width, double height, const char *colour,
             double opacity)
{
    fprintf(to,
            "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\" "
            "fill-opacity=\"%g\"/>\n",
            x, y, width, height, colour, opacity);
}

void svg_value_axis(FILE *to, const struct svg_plot *plot, double step, int with_labels)
{
    for (double value = 0; value <= plot->value_max * 1.001; value += step) {
        double y = svg_y(plot, value);
        char label[32];

        svg_line(to, plot->x, y, plot->x + plot->width, y, SVG_FAINT);
        snprintf(label, sizeof(label), "%g", value);
        if (with_labels)
            svg_text(to, plot->x - 6, y + 4, SVG_END, 11, SVG_SOFT, label);
    }
    svg_line(to, plot->x, plot->y, plot->x, plot->y + plot->height, SVG_SOFT);
}

/* Labels at the ends stay within the plot, where the next one may begin. */
static enum svg_anchor label_anchor(const struct svg_plot *plot, double x)
{
    const double half_label = 18;

    if (x < plot->x + half_label)
        return SVG_START;
    return x > plot->x + plot->width - half_label ? SVG_END : SVG_MIDDLE;
}

void svg_time_axis(FILE *to, const struct svg_plot *plot, size_t labels)
{
    static const double steps_s[] = {1,   2,    5,    10,   15,    30,    60,    120,   300,
                                     600, 1800, 3600, 7200, 14400, 43200, 86400, 604800};
    size_t count = sizeof(steps_s) / sizeof(steps_s[0]), i = 0;
    double y = plot->y + plot->height, unit = 1;
    const char *unit_name = "s";

    while (i + 1 < count && plot->time_max / steps_s[i] > (double)labels)
        i++;
    if (steps_s[i] >= 3600) {
        unit = 3600;
        unit_name = "h";
    } else if (steps_s[i] >= 60) {
        unit = 60;
        unit_name = "min";
    }
    svg_line(to, plot->x, y, plot->x + plot->width, y, SVG_SOFT);
    for (double time = 0; time <= plot->time_max * 1.001; time += steps_s[i]) {
        double x = svg_x(plot, time);
        char label[32];

        svg_line(to, x, y, x, y + 4, SVG_SOFT);
        snprintf(label, sizeof(label), "%g %s", time / unit, unit_name);
        svg_text(to, x, y + 16, label_anchor(plot, x), 11, SVG_SOFT, label);
    }
}

double svg_step(double max)
{
    double step = 1;

    while (max / step > 4)
        step *= 2;
    return step;
}
