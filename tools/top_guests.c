/* SPDX-License-Identifier: LGPL-2.1-only */
/* top's table of guests, and all about the one under the cursor. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "domain_cpu.h"
#include "placement.h"
#include "top.h"

#define NAME_MIN      12
#define NAME_MAX      24
#define ID_WIDTH      5
#define PCT_WIDTH     6
#define MIB_WIDTH     7
#define NUMBERS_WIDTH (ID_WIDTH + 3 * PCT_WIDTH + 4 * MIB_WIDTH)

/* The longest name of a reason: the floor, which changes least, makes room for it. */
#define REASON_WIDTH 23
/* Where there is less room than this, a reason is named and not told. */
#define SENTENCE_MIN 36
#define LINE_SIZE    1024

static unsigned int name_width(const struct top_screen *s)
{
    unsigned int width = s->columns > 100 ? NAME_MIN + (s->columns - 100) / 4 : NAME_MIN;

    return width < NAME_MAX ? width : NAME_MAX;
}

static bool has_floor(const struct top_screen *s)
{
    return s->columns > name_width(s) + NUMBERS_WIDTH + REASON_WIDTH;
}

static unsigned int put_pct(struct top_screen *s, unsigned int row, unsigned int column,
                            enum top_style style, bool known, double fraction)
{
    if (!known)
        return top_put(s, row, column, style, "%*s", PCT_WIDTH, "-");
    return top_put(s, row, column, style, "%*.1f", PCT_WIDTH, fraction * 100);
}

static unsigned int put_mib(struct top_screen *s, unsigned int row, unsigned int column,
                            enum top_style style, bool known, int64_t kib)
{
    if (!known)
        return top_put(s, row, column, style, "%*s", MIB_WIDTH, "-");
    return top_put(s, row, column, style, "%*" PRId64, MIB_WIDTH, kib / 1024);
}

static void put_title(struct top_screen *s, unsigned int row)
{
    unsigned int column;

    top_paint_row(s, row, TOP_TITLE);
    column = top_put(s, row, 0, TOP_TITLE, "%-*s", (int)name_width(s), "Name");
    column = top_put(s, row, column, TOP_TITLE, "%*s%*s%*s%*s", ID_WIDTH, "ID", PCT_WIDTH, "CPU%",
                     PCT_WIDTH, "Dem%", PCT_WIDTH, "Ent%");
    column = top_put(s, row, column, TOP_TITLE, "%*s%*s%*s", MIB_WIDTH, "Mem", MIB_WIDTH, "Target",
                     MIB_WIDTH, "Need");
    if (has_floor(s))
        column = top_put(s, row, column, TOP_TITLE, "%*s", MIB_WIDTH, "Floor");
    top_put(s, row, column + 1, TOP_TITLE, "Last reason");
}

/* The sentence, or as many of its parts as have room: cut anywhere it would say something else.
 * Where that is none, its name. */
static void format_reason(const struct xlp_reason *reason, size_t room, char text[LINE_SIZE])
{
    size_t end = 0;

    xlp_reason_format(reason, text, LINE_SIZE);
    if (room >= SENTENCE_MIN && strlen(text) > room)
        for (size_t i = 0; i <= room; i++)
            if (text[i] == ',' || text[i] == ';' || (text[i] == ' ' && text[i + 1] == '('))
                end = i;
    if (end)
        text[end] = '\0';
    if (room < SENTENCE_MIN || strlen(text) > room)
        snprintf(text, LINE_SIZE, "%s", xlp_reason_name(reason->code));
}

static void put_guest(const struct top *t, const struct source *source, struct top_screen *s,
                      unsigned int row, size_t i)
{
    const struct xlp_domain *d = &source->snapshot.domains[i];
    const struct xlp_domain_view *view = &source->domains[i];
    struct domain_cpu cpu = domain_cpu(source, d);
    const struct xlp_reason *reason = top_reason(t, source, i);
    bool cpu_short = top_lacks_cpu(source, i), memory_short = top_lacks_memory(source, i);
    int name = (int)name_width(s);
    unsigned int column;
    char text[LINE_SIZE];

    column =
        top_put(s, row, 0, TOP_PLAIN, "%-*.*s%*" PRIu32, name, name, d->name, ID_WIDTH, d->domid);
    column = put_pct(s, row, column, TOP_PLAIN, cpu.known, cpu.used);
    column = put_pct(s, row, column, cpu_short ? TOP_BAD : TOP_PLAIN, cpu.known, cpu.demand);
    column = put_pct(s, row, column, TOP_PLAIN, cpu.known, cpu.entitlement);
    column = put_mib(s, row, column, TOP_PLAIN, true, d->memory.actual_kib);
    column =
        put_mib(s, row, column, d->memory.target_kib == d->memory.actual_kib ? TOP_PLAIN : TOP_WARN,
                true, d->memory.target_kib);
    column =
        put_mib(s, row, column, memory_short ? TOP_BAD : TOP_PLAIN, view->known, view->need_kib);
    if (has_floor(s))
        column = put_mib(s, row, column, TOP_DIM, view->known, view->floor_kib);
    format_reason(reason, s->columns > column ? s->columns - column - 1 : 0, text);
    top_put(s, row, column + 1, xlp_reason_is_hands_off(reason->code) ? TOP_DIM : TOP_PLAIN, "%s",
            text);
}

/* Moves the window so that the cursor is in it. */
static void scroll(struct top *t, size_t cursor, size_t room, size_t count)
{
    if (t->first > cursor)
        t->first = cursor;
    if (cursor >= t->first + room)
        t->first = cursor - room + 1;
    if (t->first + room > count)
        t->first = count > room ? count - room : 0;
}

void top_draw_guests(struct top *t, const struct source *source, struct top_screen *s,
                     unsigned int row, unsigned int rows)
{
    size_t count = source->snapshot.domain_count, cursor = top_selected(t, source);
    size_t room = rows > 1 ? rows - 1 : 0;

    put_title(s, row);
    scroll(t, cursor, room, count);
    for (size_t i = 0; i < room && t->first + i < count; i++) {
        unsigned int at = row + 1 + (unsigned int)i;

        put_guest(t, source, s, at, t->order[t->first + i]);
        if (!t->batch && t->first + i == cursor)
            top_paint_row(s, at, TOP_SELECTED);
    }
}

/* ---- the one under the cursor ---- */

static void format_places(const struct source *source, const struct xlp_domain *d, char *text,
                          size_t size)
{
    size_t used = (size_t)snprintf(text, size, "%s: ", d->name);

    for (uint32_t i = 0; i < d->vcpu_count && used < size; i++) {
        const struct xlp_vcpu *v = &source->snapshot.vcpus[d->first_vcpu + i];
        struct placement place = placement_of(&source->snapshot, v);
        const char *comma = i ? ", " : "";

        if (place.pcpu == XLP_UNKNOWN)
            used += (size_t)snprintf(text + used, size - used, "%svCPU %u offline", comma, v->id);
        else
            used += (size_t)snprintf(text + used, size - used, "%svCPU %u %s pCPU %u", comma, v->id,
                                     place.bound ? "on" : "floats, now on", place.pcpu);
    }
}

unsigned int top_draw_detail(const struct top *t, const struct source *source, struct top_screen *s,
                             unsigned int row, unsigned int rows)
{
    char text[LINE_SIZE], sentence[LINE_SIZE - 16];
    const struct xlp_verdict *v;
    unsigned int at = row;
    size_t i;

    if (source->snapshot.domain_count == 0 || rows == 0)
        return 0;
    i = t->order[top_selected(t, source)];
    v = &source->plan.verdicts[i];
    format_places(source, &source->snapshot.domains[i], text, sizeof(text));
    at += top_put_wrapped(s, at, 1, 2, text);
    snprintf(text, sizeof(text), "  CPU     %s",
             xlp_reason_format(&v->cpu, sentence, sizeof(sentence)));
    at += top_put_wrapped(s, at, rows / 2, 10, text);
    snprintf(text, sizeof(text), "  memory  %s",
             xlp_reason_format(&v->memory, sentence, sizeof(sentence)));
    at += top_put_wrapped(s, at, row + rows > at ? row + rows - at : 0, 10, text);
    return at - row;
}
