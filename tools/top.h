/* SPDX-License-Identifier: LGPL-2.1-only */
/* top: what is shown, and how it is laid out. Without any terminal; see top_curses.h for that. */
#ifndef TOP_H
#define TOP_H

#include "source.h"
#include "top_screen.h"

/* What guests are sorted by; all but the last two with the largest first. */
enum top_sort {
    TOP_BY_CPU,
    TOP_BY_DEMAND,
    TOP_BY_ENTITLED,
    TOP_BY_MEM,
    TOP_BY_TARGET,
    TOP_BY_NEED,
    TOP_BY_FLOOR,
    TOP_BY_NAME,
    TOP_BY_ID,
    TOP_SORTS
};

/* The sort of that name ("cpu", "demand" ...) or key (the letter under it); or -1. */
#define TOP_SORT_NAMES "cpu|demand|entitled|mem|target|need|floor|name|id"
int top_sort_by_name(const char *name);
int top_sort_by_key(int key);

/* The last action seen for a guest: a plan shows it for one tick only. */
struct top_last {
    uint32_t domid;
    uint8_t uuid[16];
    struct xlp_reason reason;
    uint64_t time_ns; /* host's clock */
};

/* An action is shown as the last reason for so long. */
#define TOP_LAST_NS (60 * UINT64_C(1000000000))

struct top {
    enum top_sort sort;
    bool reverse;
    bool batch;            /* all guests, no cursor, no keys */
    uint32_t selected;     /* domid of the guest under the cursor; XLP_UNKNOWN: the first */
    size_t first;          /* the first guest on the screen, in their order */
    uint32_t *order;       /* the guests as sorted: indices into the snapshot's domains */
    struct top_last *last; /* the oldest first */
    size_t last_count, last_room;
};

void top_init(struct top *t);
void top_dispose(struct top *t);

/* Takes note of what a look at the host showed. 0, or -1 when memory is out. */
int top_note(struct top *t, const struct source *source);

/* Whether the i-th domain gets clearly less CPU than it wants, or has less memory than it needs. */
bool top_lacks_cpu(const struct source *source, size_t i);
bool top_lacks_memory(const struct source *source, size_t i);

/* The reason to show for the i-th domain: of its last action, or what is decided now, of its memory
 * where its CPU is not ours to manage, unless it is CPU alone that it lacks. */
const struct xlp_reason *top_reason(const struct top *t, const struct source *source, size_t i);

/* Draws everything on a screen that was started; clock is the time to show ("12:34:56"). 0, or -1
 * when memory is out. */
int top_draw(struct top *t, const struct source *source, const char *clock, struct top_screen *s);

/* The rows that a page of batch mode has: all guests and all pCPUs, one a row. */
unsigned int top_batch_rows(const struct source *source);

/* Moves the cursor by so many guests. */
void top_move(struct top *t, const struct source *source, int by);

/* ---- between top's own files ---- */

const char *top_sort_name(enum top_sort sort);

/* Fills t->order. 0, or -1 when memory is out. */
int top_sort(struct top *t, const struct source *source);

/* Where in t->order the guest under the cursor is; the first if it is gone. */
size_t top_selected(const struct top *t, const struct source *source);

/* The titles and the guests, from that row on, in so many rows. */
void top_draw_guests(struct top *t, const struct source *source, struct top_screen *s,
                     unsigned int row, unsigned int rows);

/* All about the guest under the cursor: where its vCPUs are, and both verdicts. Returns how many
 * rows of those it took. */
unsigned int top_draw_detail(const struct top *t, const struct source *source, struct top_screen *s,
                             unsigned int row, unsigned int rows);

#endif
