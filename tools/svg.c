/* SPDX-License-Identifier: LGPL-2.1-only */
/* A picture of a host over time: the page, from top to bottom. */
#include "svg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "svg_page.h"

static void plan_page(struct svg_page *page);
static double page_height(const struct svg_page *page);
static void draw_header(const struct svg_page *page, const char *title);

int svg_write(FILE *to, const struct series *series, const char *title)
{
    struct svg_page page = {.to = to, .series = series};
    double y = HEADER;

    if (series->tick_count < 2)
        return -1;
    plan_page(&page);
    fprintf(to,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%g\" height=\"%g\" "
            "viewBox=\"0 0 %g %g\" font-family=\"sans-serif\">\n",
            PAGE_WIDTH, page_height(&page), PAGE_WIDTH, page_height(&page));
    svg_box(to, 0, 0, PAGE_WIDTH, page_height(&page), "#ffffff", 1);
    draw_header(&page, title);
    y = svg_draw_cpu(&page, y);
    if (page.cell_count)
        y = svg_draw_memory(&page, y);
    if (page.cell_count)
        svg_draw_free(&page, y);
    fputs("</svg>\n", to);
    return 0;
}

/* ---- laying out ---- */

/* Whether a guest came or went, or its size or target is another than at the tick before. */
static bool memory_changed(const struct series *s, size_t tick)
{
    const double visible_mib = 1;

    for (size_t g = 0; g < s->guest_count; g++) {
        const struct series_sample *now = svg_sample_at(s, tick, g),
                                   *then = svg_sample_at(s, tick - 1, g);

        if (!now != !then || (now && (fabs(now->actual_mib - then->actual_mib) > visible_mib ||
                                      fabs(now->target_mib - then->target_mib) > visible_mib)))
            return true;
    }
    return false;
}

/* A host that is set right in seconds and watched for an hour should not be drawn as an hour. */
static void plan_ticks(struct svg_page *page)
{
    const struct series *s = page->series;
    const double shown_min_s = 60, shown_part = 0.5;
    size_t last = s->move_count ? s->moves[s->move_count - 1].tick : 0;
    double shown_s;

    for (size_t t = last + 1; t < s->tick_count; t++)
        if (memory_changed(s, t))
            last = t;
    page->ticks = s->tick_count;
    shown_s = fmax(shown_min_s, 2 * s->ticks[last].time_s);
    if (shown_s > shown_part * s->ticks[s->tick_count - 1].time_s)
        return;
    while (page->ticks > 2 && s->ticks[page->ticks - 1].time_s > shown_s)
        page->ticks--;
}

/* Tick 0 has no time before it, so columns begin with tick 1. */
static void plan_columns(struct svg_page *page)
{
    size_t ticks = page->ticks - 1;
    struct svg_columns *c = &page->columns;

    c->count = ticks < COLUMNS_MAX ? ticks : COLUMNS_MAX;
    for (size_t i = 0; i <= c->count; i++)
        c->first[i] = 1 + i * ticks / c->count;
}

/* All guests whose memory is known, if there is something to see of any of them. */
static void plan_memory(struct svg_page *page)
{
    const struct series *s = page->series;
    bool eventful = false;

    for (size_t g = 0; g < s->guest_count; g++)
        eventful |= s->guests[g].resized ||
                    s->guests[g].used_max_mib - s->guests[g].used_min_mib > EVENTFUL_MIB;
    for (size_t g = 0; g < s->guest_count && eventful; g++) {
        if (s->guests[g].domid == 0 && !s->guests[g].resized)
            continue;
        if (page->cell_count < CELLS_MAX)
            page->cells[page->cell_count++] = g;
        else
            page->cells_left_out++;
    }
    for (size_t t = 0; t < page->ticks; t++) {
        for (size_t i = 0; i < page->cell_count; i++) {
            const struct series_sample *sample = svg_sample_at(s, t, page->cells[i]);

            if (sample && sample->reports)
                page->memory_max = fmax(page->memory_max, sample->used_mib);
            if (sample)
                page->memory_max =
                    fmax(page->memory_max, fmax(sample->actual_mib, sample->target_mib));
        }
    }
}

static void plan_page(struct svg_page *page)
{
    const struct series *s = page->series;

    plan_ticks(page);
    page->time_max = s->ticks[page->ticks - 1].time_s;
    page->pcpus = s->pcpu_count < PCPUS_MAX ? s->pcpu_count : PCPUS_MAX;
    page->strip_height = page->pcpus <= 8 ? 52 : page->pcpus <= 16 ? 30 : 14;
    page->strip_gap = page->pcpus <= 16 ? 8 : 3;
    plan_columns(page);
    plan_memory(page);
}

static double page_height(const struct svg_page *page)
{
    double height = HEADER + HEADING + svg_cpu_height(page) + AXIS;

    if (page->cell_count)
        height += HEADING + svg_memory_height(page) + HEADING + FREE_HEIGHT + AXIS;
    return height + FOOTER;
}

/* "Moved: 6 cpu-overload. Resized: 5 mem-grow, 2 by others." */
static size_t add_reasons(char *text, size_t size, const char *what, const size_t *counts)
{
    const char *separator = what;
    size_t used = 0;

    for (int code = 0; code < XLP_REASON_COUNT && used < size; code++) {
        if (counts[code] == 0)
            continue;
        used += (size_t)snprintf(
            text + used, size - used, "%s%zu %s", separator, counts[code],
            code == XLP_REASON_NONE ? "by others" : xlp_reason_name((enum xlp_reason_code)code));
        separator = ", ";
    }
    if (used && used < size)
        used += (size_t)snprintf(text + used, size - used, ". ");
    return used < size ? used : size - 1;
}

static void draw_reasons(const struct svg_page *page)
{
    const struct series *s = page->series;
    size_t moved[XLP_REASON_COUNT] = {0}, resized[XLP_REASON_COUNT] = {0}, used;
    char text[512] = "";

    for (size_t i = 0; i < s->move_count; i++)
        moved[s->moves[i].reason.code]++;
    for (size_t i = 0; i < s->resize_count; i++)
        resized[s->resizes[i].reason.code]++;
    used = add_reasons(text, sizeof(text), "Moved: ", moved);
    add_reasons(text + used, sizeof(text) - used, "Resized: ", resized);
    svg_text(page->to, 20, 68, SVG_START, 13, SVG_SOFT, text);
}

static void draw_header(const struct svg_page *page, const char *title)
{
    const struct series *s = page->series;
    char text[256];
    double end_s;
    int used;

    svg_bold_text(page->to, 20, 30, 20, title);
    end_s = s->ticks[s->tick_count - 1].time_s;
    used = snprintf(text, sizeof(text), "%zu guests on %zu pCPUs over %g s; vCPUs moved: %zu",
                    s->guest_count - svg_has_dom0(s), s->pcpu_count, round(end_s), s->move_count);
    if (page->ticks < s->tick_count)
        snprintf(text + used, sizeof(text) - (size_t)used,
                 "; nothing was changed after the %g s shown here", round(page->time_max));
    svg_text(page->to, 20, 50, SVG_START, 13, SVG_SOFT, text);
    draw_reasons(page);
}

/* ---- for the sections ---- */

double svg_column_start(const struct svg_page *page, size_t column)
{
    return page->series->ticks[page->columns.first[column] - 1].time_s;
}

double svg_column_end(const struct svg_page *page, size_t column)
{
    return page->series->ticks[page->columns.first[column + 1] - 1].time_s;
}

const struct series_sample *svg_sample_at(const struct series *s, size_t tick, size_t guest)
{
    const struct series_tick *t = &s->ticks[tick];

    return guest < t->guest_count && t->samples[guest].present ? &t->samples[guest] : NULL;
}

bool svg_has_dom0(const struct series *s)
{
    return s->guest_count && s->guests[0].domid == 0;
}

const char *svg_guest_colour(const struct series *s, size_t guest)
{
    if (!svg_has_dom0(s))
        return svg_colour(guest);
    return guest == 0 ? "#999999" : svg_colour(guest - 1);
}

const char *svg_short_name(const char *name, char *text, size_t size)
{
    if (strlen(name) < size)
        snprintf(text, size, "%s", name);
    else
        snprintf(text, size, "%.*s...", (int)size - 4, name);
    return text;
}
