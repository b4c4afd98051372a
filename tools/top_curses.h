/* SPDX-License-Identifier: LGPL-2.1-only */
/* The terminal top runs in: the only part that knows ncurses. There is one of it. */
#ifndef TOP_CURSES_H
#define TOP_CURSES_H

#include <poll.h>

#include "top_screen.h"

/* Keys that are no letters. */
enum {
    TERMINAL_NONE = -1,
    TERMINAL_RESIZED = 1000,
    TERMINAL_UP,
    TERMINAL_DOWN,
    TERMINAL_PAGE_UP,
    TERMINAL_PAGE_DOWN,
    TERMINAL_FIRST,
    TERMINAL_LAST,
};

/* Takes the terminal over. What is written to stderr is held back until terminal_close. 0, or -1
 * with errno, or with errno 0 where the terminal is not known. */
int terminal_open(void);
void terminal_close(void);

void terminal_size(unsigned int *rows_out, unsigned int *columns_out);
void terminal_show(const struct top_screen *s);

/* What to poll for keys and for another size. */
#define TERMINAL_FDS 2
void terminal_fds(struct pollfd fds[TERMINAL_FDS]);

/* The next key pressed, or TERMINAL_NONE. */
int terminal_key(void);

#endif
