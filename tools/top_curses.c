/* SPDX-License-Identifier: LGPL-2.1-only */
#include "top_curses.h"

#include <curses.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <unistd.h>

static struct {
    SCREEN *screen;
    int resize_fd;    /* signals that the size changed */
    int stderr_fd;    /* the real one */
    int held_back_fd; /* what was written meanwhile */
    attr_t attributes[TOP_STYLES];
} terminal = {.resize_fd = -1, .stderr_fd = -1, .held_back_fd = -1};

static int watch_size(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGWINCH);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -1;
    terminal.resize_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return terminal.resize_fd < 0 ? -1 : 0;
}

/* Nothing else may write into the page. */
static int hold_back_stderr(void)
{
    terminal.stderr_fd = dup(STDERR_FILENO);
    terminal.held_back_fd = memfd_create("stderr", MFD_CLOEXEC);
    if (terminal.stderr_fd < 0 || terminal.held_back_fd < 0)
        return -1;
    return dup2(terminal.held_back_fd, STDERR_FILENO) < 0 ? -1 : 0;
}

static void choose_attributes(void)
{
    const char *no_color = getenv("NO_COLOR");
    bool color = has_colors() && !(no_color && no_color[0]);

    terminal.attributes[TOP_TITLE] = A_REVERSE;
    terminal.attributes[TOP_SELECTED] = A_REVERSE | A_BOLD;
    terminal.attributes[TOP_BAD] = A_BOLD;
    if (!color)
        return;
    start_color();
    use_default_colors();
    init_pair(TOP_GOOD, COLOR_GREEN, -1);
    init_pair(TOP_WARN, COLOR_YELLOW, -1);
    init_pair(TOP_BAD, COLOR_RED, -1);
    terminal.attributes[TOP_GOOD] = (attr_t)COLOR_PAIR(TOP_GOOD);
    terminal.attributes[TOP_WARN] = (attr_t)COLOR_PAIR(TOP_WARN);
    terminal.attributes[TOP_BAD] = (attr_t)COLOR_PAIR(TOP_BAD) | A_BOLD;
    terminal.attributes[TOP_DIM] = A_DIM;
}

int terminal_open(void)
{
    if (watch_size() < 0)
        return -1;
    terminal.screen = newterm(NULL, stdout, stdin);
    if (!terminal.screen) {
        errno = 0;
        return -1;
    }
    set_escdelay(25);
    cbreak();
    noecho();
    curs_set(0);
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    choose_attributes();
    if (hold_back_stderr() == 0)
        return 0;
    terminal_close();
    return -1;
}

static void release_stderr(void)
{
    char text[4096];
    ssize_t got;

    if (terminal.held_back_fd < 0 || terminal.stderr_fd < 0)
        return;
    dup2(terminal.stderr_fd, STDERR_FILENO);
    lseek(terminal.held_back_fd, 0, SEEK_SET);
    while ((got = read(terminal.held_back_fd, text, sizeof(text))) > 0)
        if (write(STDERR_FILENO, text, (size_t)got) < 0)
            break;
    close(terminal.held_back_fd);
    close(terminal.stderr_fd);
    terminal.held_back_fd = terminal.stderr_fd = -1;
}

void terminal_close(void)
{
    if (terminal.screen) {
        endwin();
        delscreen(terminal.screen);
    }
    terminal.screen = NULL;
    release_stderr();
    if (terminal.resize_fd >= 0)
        close(terminal.resize_fd);
    terminal.resize_fd = -1;
}

void terminal_size(unsigned int *rows_out, unsigned int *columns_out)
{
    *rows_out = (unsigned int)LINES;
    *columns_out = (unsigned int)COLS;
}

/* Runs of one style at a time. */
void terminal_show(const struct top_screen *s)
{
    erase();
    for (unsigned int row = 0; row < s->rows; row++) {
        const unsigned char *style = s->style + (size_t)row * s->columns;
        const char *text = s->text + (size_t)row * s->columns;

        for (unsigned int from = 0, end; from < s->columns; from = end) {
            for (end = from + 1; end < s->columns && style[end] == style[from];)
                end++;
            attrset((int)terminal.attributes[style[from]]);
            mvaddnstr((int)row, (int)from, text + from, (int)(end - from));
        }
    }
    refresh();
}

void terminal_fds(struct pollfd fds[TERMINAL_FDS])
{
    fds[0] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = terminal.resize_fd, .events = POLLIN};
}

static bool was_resized(void)
{
    struct signalfd_siginfo info;
    struct winsize size;
    bool resized = false;

    while (read(terminal.resize_fd, &info, sizeof(info)) == sizeof(info))
        resized = true;
    if (resized && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col)
        resizeterm(size.ws_row, size.ws_col);
    return resized;
}

int terminal_key(void)
{
    int key;

    if (was_resized())
        return TERMINAL_RESIZED;
    key = getch();
    switch (key) {
    case ERR: return TERMINAL_NONE;
    case KEY_RESIZE: return TERMINAL_RESIZED;
    case KEY_UP: return TERMINAL_UP;
    case KEY_DOWN: return TERMINAL_DOWN;
    case KEY_PPAGE: return TERMINAL_PAGE_UP;
    case KEY_NPAGE: return TERMINAL_PAGE_DOWN;
    case KEY_HOME: return TERMINAL_FIRST;
    case KEY_END: return TERMINAL_LAST;
    default: return key;
    }
}
