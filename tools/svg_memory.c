/* SPDX-License-Identifier: LGPL-2.1-only */
/* The picture's other sections: a small plot for each guest's memory, and one for the host's. */
#include <math.h>

#include "svg_page.h"

static size_t cell_rows(const struct svg_page *page)
{
    return (page->cell_count + CELLS_A_ROW - 1) / CELLS_A_ROW;
}

double svg_memory_height(const struct svg_page *page)
{
    return (double)cell_rows(page) * (CELL_HEADING + CELL_HEIGHT + AXIS);
}

enum line_kind { LINE_USED, LINE_ACTUAL, LINE_TARGET };

static double sample_value(const struct series_sample *sample, enum line_kind kind)
{
    if (!sample || (kind == LINE_USED && !sample->reports))
        return NAN;
    if (kind == LINE_USED)
        return sample->used_mib;
    return kind == LINE_ACTUAL ? sample->actual_mib : sample->target_mib;
}

/* Points joined; of many ticks only the last of each column. */
static void draw_points(const struct svg_page *page, const struct svg_plot *plot, size_t guest,
                        enum line_kind kind, const char *style)
{
    bool pen_down = false;

    fputs("<path d=\"", page->to);
    for (size_t i = 0; i <= page->columns.count; i++) {
        size_t tick = i ? page->columns.first[i] - 1 : 0;
        double value = sample_value(svg_sample_at(page->series, tick, guest), kind);

        if (!isnan(value))
            fprintf(page->to, pen_down ? "L%.1f %.1f" : "M%.1f %.1f",
                    svg_x(plot, page->series->ticks[tick].time_s), svg_y(plot, value));
        pen_down = !isnan(value);
    }
    fprintf(page->to, "\" fill=\"none\" stroke-linejoin=\"round\" %s/>\n", style);
}

static void fill_used(const struct svg_page *page, const struct svg_plot *plot, size_t guest)
{
    double base = plot->y + plot->height, x = plot->x;
    bool pen_down = false;

    fputs("<path d=\"", page->to);
    for (size_t i = 0; i <= page->columns.count; i++) {
        size_t tick = i ? page->columns.first[i] - 1 : 0;
        double value = sample_value(svg_sample_at(page->series, tick, guest), LINE_USED);

        if (pen_down && isnan(value))
            fprintf(page->to, "L%.1f %.1fZ", x, base);
        x = svg_x(plot, page->series->ticks[tick].time_s);
        if (!pen_down && !isnan(value))
            fprintf(page->to, "M%.1f %.1f", x, base);
        if (!isnan(value))
            fprintf(page->to, "L%.1f %.1f", x, svg_y(plot, value));
        pen_down = !isnan(value);
    }
    if (pen_down)
        fprintf(page->to, "L%.1f %.1fZ", x, base);
    fprintf(page->to, "\" fill=\"%s\" fill-opacity=\"0.45\"/>\n",
            svg_guest_colour(page->series, guest));
}

/* A dot for each change of the target, with its reason. */
static void draw_resizes(const struct svg_page *page, const struct svg_plot *plot, size_t guest)
{
    const struct series *s = page->series;

    for (size_t i = 0; i < s->resize_count; i++) {
        const struct series_resize *r = &s->resizes[i];

        if (r->guest != guest || r->tick >= page->ticks)
            continue;
        fprintf(page->to,
                "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"2.4\" fill=\"#fff\" stroke=\"%s\"/>"
                "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"6\" fill-opacity=\"0\"><title>",
                svg_x(plot, s->ticks[r->tick].time_s), svg_y(plot, r->to_mib), SVG_INK,
                svg_x(plot, s->ticks[r->tick].time_s), svg_y(plot, r->to_mib));
        svg_escaped(page->to, s->guests[guest].name);
        fprintf(page->to, " to %.0f MiB at %g s: ", r->to_mib, s->ticks[r->tick].time_s);
        svg_reason(page->to, &r->reason);
        fputs("</title></circle>\n", page->to);
    }
}

static void draw_cell(const struct svg_page *page, double x, double y, double width, size_t cell)
{
    size_t guest = page->cells[cell];
    double step = svg_step(page->memory_max);
    struct svg_plot plot = {
        x,           y + CELL_HEADING, width,
        CELL_HEIGHT, page->time_max,   ceil(page->memory_max / step) * step,
    };
    char style[96], name[24];

    svg_value_axis(page->to, &plot, step, cell % CELLS_A_ROW == 0);
    fill_used(page, &plot, guest);
    draw_points(page, &plot, guest, LINE_TARGET,
                "stroke=\"" SVG_INK "\" stroke-width=\"1.2\" stroke-dasharray=\"4 3\"");
    snprintf(style, sizeof(style), "stroke=\"%s\" stroke-width=\"2.4\"",
             svg_guest_colour(page->series, guest));
    draw_points(page, &plot, guest, LINE_ACTUAL, style);
    draw_resizes(page, &plot, guest);
    svg_time_axis(page->to, &plot, 3);
    svg_bold_text(page->to, x, y + 12, 12,
                  svg_short_name(page->series->guests[guest].name, name, sizeof(name)));
}

/* The strokes of the cells, explained in one line. */
static void draw_key(const struct svg_page *page, double y)
{
    double x = LEFT + 250;

    svg_box(page->to, x, y - 10, 18, 10, SVG_SOFT, 0.45);
    svg_text(page->to, x + 24, y, SVG_START, 12, SVG_INK, "the guest uses");
    fprintf(page->to, "<path d=\"M%.1f %.1fh18\" stroke=\"%s\" stroke-width=\"2.4\"/>\n", x + 130,
            y - 4, SVG_SOFT);
    svg_text(page->to, x + 154, y, SVG_START, 12, SVG_INK, "it has");
    fprintf(page->to,
            "<path d=\"M%.1f %.1fh18\" stroke=\"%s\" stroke-width=\"1.2\" "
            "stroke-dasharray=\"4 3\"/>\n",
            x + 214, y - 4, SVG_INK);
    svg_text(page->to, x + 238, y, SVG_START, 12, SVG_INK, "its balloon's target");
    fprintf(page->to, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"2.4\" fill=\"#fff\" stroke=\"%s\"/>\n",
            x + 379, y - 4, SVG_INK);
    svg_text(page->to, x + 388, y, SVG_START, 12, SVG_INK, "is changed");
}

double svg_draw_memory(const struct svg_page *page, double y)
{
    double width = (PAGE_WIDTH - LEFT - 30 - (CELLS_A_ROW - 1) * CELL_GAP) / CELLS_A_ROW;
    double top = y + HEADING;
    char text[96];

    svg_bold_text(page->to, 20, y + HEADING - 16, 14, "Memory of the guests, in MiB");
    draw_key(page, y + HEADING - 16);
    if (page->cells_left_out) {
        snprintf(text, sizeof(text), "%zu more guests not shown", page->cells_left_out);
        svg_text(page->to, PAGE_WIDTH - 30, y + HEADING - 16, SVG_END, 12, SVG_SOFT, text);
    }
    for (size_t i = 0; i < page->cell_count; i++)
        draw_cell(page, LEFT + (double)(i % CELLS_A_ROW) * (width + CELL_GAP),
                  top + (double)(i / CELLS_A_ROW) * (CELL_HEADING + CELL_HEIGHT + AXIS), width, i);
    return top + svg_memory_height(page);
}

void svg_draw_free(const struct svg_page *page, double y)
{
    const struct series *s = page->series;
    struct svg_plot plot = {LEFT,        y + HEADING,    PAGE_WIDTH - LEFT - 30,
                            FREE_HEIGHT, page->time_max, 0};
    double base = plot.y + plot.height, step;

    for (size_t t = 0; t < page->ticks; t++)
        plot.value_max = fmax(plot.value_max, s->ticks[t].free_mib);
    step = svg_step(plot.value_max);
    plot.value_max = fmax(step, ceil(plot.value_max / step) * step);
    svg_bold_text(page->to, 20, y + HEADING - 16, 14, "Free memory of the host, in MiB");
    svg_value_axis(page->to, &plot, step, 1);
    fprintf(page->to, "<path d=\"M%.1f %.1f", plot.x, base);
    for (size_t i = 0; i <= page->columns.count; i++) {
        size_t tick = i ? page->columns.first[i] - 1 : 0;

        fprintf(page->to, "L%.1f %.1f", svg_x(&plot, s->ticks[tick].time_s),
                svg_y(&plot, s->ticks[tick].free_mib));
    }
    fprintf(page->to, "L%.1f %.1fZ\" fill=\"#bab0ac\" stroke=\"%s\"/>\n", plot.x + plot.width, base,
            SVG_SOFT);
    svg_time_axis(page->to, &plot, 12);
}
