/* SPDX-License-Identifier: LGPL-2.1-only */
/* The picture's first section: a strip for each pCPU. */
#include <math.h>

#include "svg_page.h"

double svg_cpu_height(const struct svg_page *page)
{
    double strips = (double)page->pcpus * (page->strip_height + page->strip_gap);
    size_t legend =
        page->series->guest_count < SVG_COLOURS ? page->series->guest_count : SVG_COLOURS + 1;

    return fmax(strips, (double)(legend + 2) * 18);
}

/* Mean over a column of what guest used on that pCPU; for all guests below, too: the layers of a
 * stack. */
static double stacked_share(const struct svg_page *page, size_t column, size_t pcpu, size_t guest)
{
    const struct svg_columns *c = &page->columns;
    double sum = 0;

    for (size_t t = c->first[column]; t < c->first[column + 1]; t++) {
        const struct series_tick *tick = &page->series->ticks[t];

        for (size_t g = 0; g <= guest && g < tick->guest_count; g++)
            sum += tick->shares[pcpu * tick->guest_count + g];
    }
    return sum / (double)(c->first[column + 1] - c->first[column]);
}

/* NAN when it is not known for any tick of the column. */
static double busy(const struct svg_page *page, size_t column, size_t pcpu)
{
    const struct svg_columns *c = &page->columns;
    double sum = 0;
    size_t known = 0;

    for (size_t t = c->first[column]; t < c->first[column + 1]; t++) {
        double value = page->series->ticks[t].busy[pcpu];

        if (isnan(value))
            continue;
        sum += value;
        known++;
    }
    return known ? sum / (double)known : NAN;
}

/* One guest's layer, with all the layers below it, which are drawn over it later. Columns in which
 * the guest used nothing are left out. */
static void draw_layer(const struct svg_page *page, const struct svg_plot *plot, size_t pcpu,
                       size_t guest)
{
    const double visible = 0.005;
    double base = plot->y + plot->height;
    bool pen_down = false;

    fputs("<path d=\"", page->to);
    for (size_t i = 0; i < page->columns.count; i++) {
        double top = stacked_share(page, i, pcpu, guest);
        bool used = top - (guest ? stacked_share(page, i, pcpu, guest - 1) : 0) >= visible;

        if (pen_down && !used)
            fprintf(page->to, "V%.1fZ", base);
        if (!pen_down && used)
            fprintf(page->to, "M%.1f %.1f", svg_x(plot, svg_column_start(page, i)), base);
        if (used)
            fprintf(page->to, "V%.1fH%.1f", svg_y(plot, top), svg_x(plot, svg_column_end(page, i)));
        pen_down = used;
    }
    if (pen_down)
        fprintf(page->to, "V%.1fZ", base);
    fprintf(page->to, "\" fill=\"%s\"/>\n", svg_guest_colour(page->series, guest));
}

static void draw_busy(const struct svg_page *page, const struct svg_plot *plot, size_t pcpu)
{
    bool pen_down = false;

    fputs("<path d=\"", page->to);
    for (size_t i = 0; i < page->columns.count; i++) {
        double value = busy(page, i, pcpu);

        if (isnan(value)) {
            pen_down = false;
            continue;
        }
        fprintf(page->to, pen_down ? "L%.1f %.1f" : "M%.1f %.1f",
                svg_x(plot, svg_column_start(page, i)), svg_y(plot, value));
        fprintf(page->to, "H%.1f", svg_x(plot, svg_column_end(page, i)));
        pen_down = true;
    }
    fprintf(page->to, "\" fill=\"none\" stroke=\"%s\"/>\n", SVG_INK);
}

/* A wedge at the upper edge, in the guest's colour; those of one moment side by side. */
static void draw_moves(const struct svg_page *page, const struct svg_plot *plot, size_t pcpu)
{
    const struct series *s = page->series;
    size_t last_tick = 0, at_once = 0;

    for (size_t i = 0; i < s->move_count; i++) {
        const struct series_move *move = &s->moves[i];
        double x = svg_x(plot, s->ticks[move->tick].time_s);

        if (move->to != pcpu || move->tick >= page->ticks)
            continue;
        at_once = move->tick == last_tick ? at_once + 1 : 0;
        last_tick = move->tick;
        x += (double)at_once * 9;
        fprintf(page->to,
                "<path d=\"M%.1f %.1fl-4 -7h8Z\" fill=\"%s\" stroke=\"%s\" stroke-width=\"0.7\">"
                "<title>",
                x, plot->y + 4, svg_guest_colour(page->series, move->guest), SVG_INK);
        svg_escaped(page->to, s->guests[move->guest].name);
        fprintf(page->to, " vCPU %u to pCPU %u at %g s: ", move->vcpu, s->pcpus[pcpu],
                s->ticks[move->tick].time_s);
        svg_reason(page->to, &move->reason);
        fputs("</title></path>\n", page->to);
    }
}

static void draw_strip(const struct svg_page *page, double y, size_t pcpu)
{
    const struct series *s = page->series;
    struct svg_plot plot = {LEFT, y, PLOT_WIDTH, page->strip_height, page->time_max, 1};
    char label[32];

    svg_box(page->to, plot.x, plot.y, plot.width, plot.height, "#f4f4f4", 1);
    for (size_t g = s->guest_count; g-- > 0;)
        draw_layer(page, &plot, pcpu, g);
    draw_busy(page, &plot, pcpu);
    draw_moves(page, &plot, pcpu);
    svg_line(page->to, plot.x, plot.y, plot.x, plot.y + plot.height, SVG_SOFT);
    svg_line(page->to, plot.x, plot.y + plot.height, plot.x + plot.width, plot.y + plot.height,
             SVG_SOFT);
    snprintf(label, sizeof(label), "pCPU %u", s->pcpus[pcpu]);
    svg_text(page->to, plot.x - 8, plot.y + plot.height / 2 + 4, SVG_END, 12, SVG_INK, label);
}

static void draw_legend(const struct svg_page *page, double y)
{
    const struct series *s = page->series;
    size_t shown = s->guest_count < SVG_COLOURS ? s->guest_count : SVG_COLOURS;
    double x = PAGE_WIDTH - RIGHT + 20;
    char text[64];

    for (size_t g = 0; g < shown; g++, y += 18) {
        svg_box(page->to, x, y, 12, 12, svg_guest_colour(page->series, g), 1);
        svg_text(page->to, x + 18, y + 10, SVG_START, 12, SVG_INK,
                 svg_short_name(s->guests[g].name, text, 20));
    }
    if (shown < s->guest_count) {
        snprintf(text, sizeof(text), "%zu more; colours repeat", s->guest_count - shown);
        svg_text(page->to, x, y + 10, SVG_START, 11, SVG_SOFT, text);
        y += 18;
    }
    fprintf(page->to, "<path d=\"M%.1f %.1fl-4 -7h8Z\" fill=\"#ffffff\" stroke=\"%s\"/>\n", x + 6,
            y + 10, SVG_INK);
    svg_text(page->to, x + 18, y + 10, SVG_START, 12, SVG_INK, "a vCPU is placed here");
}

double svg_draw_cpu(const struct svg_page *page, double y)
{
    double top = y + HEADING, end;
    char text[128];

    snprintf(text, sizeof(text),
             "CPU: how busy each pCPU is, and with whom (full height: 100 %%%s)",
             page->pcpus < page->series->pcpu_count ? "; the first 64 pCPUs" : "");
    svg_bold_text(page->to, 20, y + HEADING - 16, 14, text);
    end = top;
    for (size_t p = 0; p < page->pcpus; p++, end += page->strip_height + page->strip_gap)
        draw_strip(page, end, p);
    svg_time_axis(
        page->to,
        &(struct svg_plot){LEFT, top, PLOT_WIDTH, end - top - page->strip_gap, page->time_max, 1},
        12);
    draw_legend(page, top);
    return top + svg_cpu_height(page) + AXIS;
}
