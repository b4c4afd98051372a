/* SPDX-License-Identifier: LGPL-2.1-only */
/* top's page: the host, its pCPUs, the guests, the one under the cursor, the keys. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "domain_cpu.h"
#include "placement.h"
#include "top.h"

/* pCPUs take at most this part of the screen, and are shown shorter where they would take more. */
#define PCPU_PART   3
#define BAR_WIDTH   22
#define CELL_WIDTH  26 /* " 12 [||||||||||||] 100.0 " */
#define SHORT_WIDTH 10 /* "1012 100%" */
#define DETAIL_ROWS 5
#define DETAIL_FROM 20 /* rows of a screen that has room for it */
#define HEADER_ROWS 2
#define ROWS_MIN    8
#define COLUMNS_MIN 40

/* The capital is the key. */
static const char keys[] =
    "q quit  r reverse  sort by: Cpu Demand Entitled Mem Target Need Floor nAme Id";

static enum top_style style_of(double used)
{
    if (used < 0.7)
        return TOP_GOOD;
    return used < 0.95 ? TOP_WARN : TOP_BAD;
}

static void draw_header(const struct top *t, const struct source *source, const char *clock,
                        struct top_screen *s)
{
    const struct xlp_snapshot *snapshot = &source->snapshot;
    const struct xlp_host_memory *memory = &snapshot->memory;
    const char *mode = source_mode(source);
    int64_t used_kib = memory->total_kib - memory->free_kib - memory->scrub_kib;
    double full = memory->total_kib > 0 ? (double)used_kib / (double)memory->total_kib : 0;
    unsigned int column;

    top_put(s, 0, 0, TOP_PLAIN, "xlpolicy top: %s%s  %zu domains, %zu vCPUs, %zu pCPUs  by %s%s",
            mode ? "mode " : "no daemon", mode ? mode : "", snapshot->domain_count,
            snapshot->vcpu_count, snapshot->pcpu_count, top_sort_name(t->sort),
            t->reverse ? ", reversed" : "");
    column = (unsigned int)strlen(clock);
    if (s->columns > column)
        top_put(s, 0, s->columns - column, TOP_PLAIN, "%s", clock);
    column = top_put(s, 1, 0, TOP_PLAIN, "Memory ");
    column = top_put_bar(s, 1, column, BAR_WIDTH, full, full < 0.99 ? TOP_GOOD : TOP_WARN);
    top_put(s, 1, column, TOP_PLAIN, " %" PRId64 " of %" PRId64 " MiB used, %" PRId64 " free%s%s",
            used_kib / 1024, memory->total_kib / 1024, memory->free_kib / 1024,
            snapshot->other_controller[0] ? "; also moved by " : "", snapshot->other_controller);
}

/* ---- pCPUs ---- */

/* One a line, with whom; if there are too many, several a line without; or just numbers. */
enum pcpu_form { PCPU_LINE, PCPU_CELL, PCPU_SHORT };

struct pcpu_block {
    enum pcpu_form form;
    unsigned int per_line, lines; /* without the title */
};

static struct pcpu_block choose_block(size_t count, unsigned int columns, unsigned int lines_max)
{
    struct pcpu_block b = {PCPU_LINE, 1, (unsigned int)count};

    if (b.lines > lines_max) {
        b.form = PCPU_CELL;
        b.per_line = columns / CELL_WIDTH > 0 ? columns / CELL_WIDTH : 1;
        b.lines = ((unsigned int)count + b.per_line - 1) / b.per_line;
    }
    if (b.lines > lines_max) {
        b.form = PCPU_SHORT;
        b.per_line = columns / SHORT_WIDTH > 0 ? columns / SHORT_WIDTH : 1;
        b.lines = ((unsigned int)count + b.per_line - 1) / b.per_line;
    }
    if (b.lines > lines_max)
        b.lines = lines_max;
    return b;
}

static int put_placed(const struct source *source, struct top_screen *s, unsigned int row,
                      unsigned int column, uint32_t pcpu)
{
    char *vcpus = placement_list(&source->snapshot, pcpu);
    double demand;

    if (!vcpus)
        return -1;
    if (pcpu_demand(source, pcpu, &demand))
        top_put(s, row, column, demand > 1 ? TOP_BAD : TOP_PLAIN, " %6.1f", demand * 100);
    else
        top_put(s, row, column, TOP_PLAIN, " %6s", "-");
    top_put(s, row, column + 9, TOP_PLAIN, "%s", vcpus);
    free(vcpus);
    return 0;
}

static int put_pcpu(const struct source *source, struct top_screen *s, unsigned int row,
                    unsigned int column, size_t i, enum pcpu_form form)
{
    const struct xlp_pcpu *p = &source->snapshot.pcpus[i];
    const struct xlp_pcpu_view *view = &source->pcpus[i];
    double used = view->known ? view->used : 0;
    const char *instead = p->online ? "-" : "off";
    bool shown = view->known && p->online;
    unsigned int at =
        top_put(s, row, column, p->online ? TOP_PLAIN : TOP_DIM, "%4" PRIu32 " ", p->id);

    if (form == PCPU_SHORT && shown)
        top_put(s, row, at, style_of(used), "%3.0f%%", used * 100);
    else if (form == PCPU_SHORT)
        top_put(s, row, at, TOP_DIM, "%4s", instead);
    if (form == PCPU_SHORT)
        return 0;
    at = top_put_bar(s, row, at, form == PCPU_LINE ? BAR_WIDTH : 14, used, style_of(used));
    if (shown)
        at = top_put(s, row, at, TOP_PLAIN, " %5.1f", used * 100);
    else
        at = top_put(s, row, at, TOP_DIM, " %5s", instead);
    return form == PCPU_LINE ? put_placed(source, s, row, at, p->id) : 0;
}

/* The title and the block below it. */
static int draw_pcpus(const struct source *source, struct top_screen *s, unsigned int row,
                      const struct pcpu_block *b)
{
    size_t count = source->snapshot.pcpu_count, room = (size_t)b->lines * b->per_line;
    unsigned int width = b->form == PCPU_CELL ? CELL_WIDTH : SHORT_WIDTH;

    top_paint_row(s, row, TOP_TITLE);
    if (b->form == PCPU_LINE)
        top_put(s, row, 0, TOP_TITLE, "pCPU%*s Usage%% Demand%% vCPUs, (floating)", BAR_WIDTH, "");
    else if (room < count)
        top_put(s, row, 0, TOP_TITLE, "pCPU, usage in %%; %zu more have no room here",
                count - room);
    else
        top_put(s, row, 0, TOP_TITLE, "pCPU, usage in %%");
    for (size_t i = 0; i < count && i < room; i++) {
        unsigned int line = row + 1 + (unsigned int)(i / b->per_line);
        unsigned int column = (unsigned int)(i % b->per_line) * width;

        if (put_pcpu(source, s, line, column, i, b->form) < 0)
            return -1;
    }
    return 0;
}

/* ---- the page ---- */

static unsigned int pcpu_lines_max(const struct top *t, const struct top_screen *s)
{
    unsigned int max = s->rows / PCPU_PART;

    if (t->batch)
        return UINT32_MAX;
    return max > 2 ? max : 2;
}

int top_draw(struct top *t, const struct source *source, const char *clock, struct top_screen *s)
{
    struct pcpu_block b =
        choose_block(source->snapshot.pcpu_count, s->columns, pcpu_lines_max(t, s));
    unsigned int row = HEADER_ROWS, below = t->batch ? 0 : 1;

    if (s->rows < ROWS_MIN || s->columns < COLUMNS_MIN) {
        top_put(s, 0, 0, TOP_PLAIN, "too small: %ux%u at least", COLUMNS_MIN, ROWS_MIN);
        return 0;
    }
    if (top_sort(t, source) < 0)
        return -1;
    draw_header(t, source, clock, s);
    if (draw_pcpus(source, s, row, &b) < 0)
        return -1;
    row += 1 + b.lines;
    if (!t->batch && s->rows >= DETAIL_FROM) {
        below += DETAIL_ROWS;
        top_draw_detail(t, source, s, s->rows - below, DETAIL_ROWS);
    }
    top_draw_guests(t, source, s, row, s->rows - row - below);
    if (!t->batch)
        top_put(s, s->rows - 1, 0, TOP_DIM, "%s", keys);
    return 0;
}

unsigned int top_batch_rows(const struct source *source)
{
    unsigned int rows = HEADER_ROWS + 1 + (unsigned int)source->snapshot.pcpu_count + 1 +
                        (unsigned int)source->snapshot.domain_count;

    return rows > ROWS_MIN ? rows : ROWS_MIN;
}
