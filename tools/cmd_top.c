/* SPDX-License-Identifier: LGPL-2.1-only */
/* top: the host at a glance, again and again. */
#include "commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "host/host.h"
#include "top.h"
#include "top_curses.h"
#include "watch.h"

#define DELAY_MIN_S   0.1
#define DELAY_MAX_S   3600
#define PAGES_MAX     1000000000
#define BATCH_COLUMNS 132

struct run {
    struct watch *watch;
    struct source source;
    struct top top;
    struct top_screen screen;
    uint64_t delay_ns;
    long pages_max; /* 0: without end */
    bool batch;
};

static enum cli_exit read_options(struct run *r, const struct command_line *line);
static enum cli_exit run_in_batch(struct run *r);
static enum cli_exit run_in_terminal(struct run *r);

enum cli_exit cmd_top(const struct cli *cli, const struct command_line *line)
{
    struct run r = {.delay_ns = 1000000000};
    enum cli_exit exit_code = read_options(&r, line);

    if (exit_code != CLI_DONE)
        return exit_code;
    if (!r.batch && (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)))
        return cli_usage_error("top", "top: this is no terminal; use -b");
    r.watch = watch_open(cli, r.batch ? 0 : XLP_HOST_REALTIME, &exit_code);
    if (!r.watch)
        return exit_code;
    source_init(&r.source);
    exit_code = r.batch ? run_in_batch(&r) : run_in_terminal(&r);
    source_dispose(&r.source);
    top_screen_dispose(&r.screen);
    top_dispose(&r.top);
    watch_close(r.watch);
    return exit_code;
}

/* ---- the command line ---- */

static enum cli_exit read_option(struct run *r, int letter, const char *value)
{
    int sort;
    char *end;

    switch (letter) {
    case 'b': r->batch = r->top.batch = true; return CLI_DONE;
    case 'd': {
        double seconds = strtod(value, &end);

        if (end == value || *end || !(seconds >= DELAY_MIN_S && seconds <= DELAY_MAX_S))
            return cli_usage_error("top", "top: --delay %s: allowed is %.1f to %d seconds", value,
                                   DELAY_MIN_S, DELAY_MAX_S);
        r->delay_ns = (uint64_t)(seconds * 1e9);
        return CLI_DONE;
    }
    case 'n':
        errno = 0;
        r->pages_max = strtol(value, &end, 10);
        if (errno || end == value || *end || r->pages_max < 1 || r->pages_max > PAGES_MAX)
            return cli_usage_error("top", "top: --iterations %s: allowed is 1 to %d", value,
                                   PAGES_MAX);
        return CLI_DONE;
    default:
        sort = top_sort_by_name(value);
        if (sort < 0)
            return cli_usage_error("top", "top: --sort %s: allowed are " TOP_SORT_NAMES, value);
        r->top.sort = (enum top_sort)sort;
        return CLI_DONE;
    }
}

static enum cli_exit read_options(struct run *r, const struct command_line *line)
{
    enum cli_exit exit_code = CLI_DONE;

    top_init(&r->top);
    for (int i = 0; i < line->option_count && exit_code == CLI_DONE; i++)
        exit_code = read_option(r, line->options[i].letter, line->options[i].value);
    return exit_code;
}

/* ---- a page ---- */

static const char *clock_text(char text[16])
{
    time_t now = time(NULL);
    struct tm local;

    if (!localtime_r(&now, &local) || !strftime(text, 16, "%H:%M:%S", &local))
        text[0] = '\0';
    return text;
}

static enum cli_exit look(struct run *r)
{
    enum cli_exit exit_code = watch_read(r->watch, &r->source);

    if (exit_code != CLI_DONE)
        return exit_code;
    return top_note(&r->top, &r->source) < 0 ? cli_out_of_memory() : CLI_DONE;
}

static enum cli_exit draw(struct run *r, unsigned int rows, unsigned int columns)
{
    char clock[16];

    if (top_screen_start(&r->screen, rows, columns) < 0 ||
        top_draw(&r->top, &r->source, clock_text(clock), &r->screen) < 0)
        return cli_out_of_memory();
    return CLI_DONE;
}

/* ---- batch ---- */

static unsigned int batch_columns(void)
{
    const char *text = getenv("COLUMNS");
    long columns = text ? strtol(text, NULL, 10) : 0;
    struct winsize size;

    if (columns <= 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        columns = size.ws_col;
    if (columns <= 0)
        columns = BATCH_COLUMNS;
    if (columns < 40)
        columns = 40;
    return columns < 1000 ? (unsigned int)columns : 1000;
}

static enum cli_exit print_page(struct run *r, bool first)
{
    enum cli_exit exit_code = look(r);

    if (exit_code == CLI_DONE)
        exit_code = draw(r, top_batch_rows(&r->source), batch_columns());
    if (exit_code != CLI_DONE)
        return exit_code;
    if (!first)
        putchar('\n');
    for (unsigned int row = 0; row < r->screen.rows; row++)
        puts(top_row(&r->screen, row));
    fflush(stdout);
    return CLI_DONE;
}

/* A host of which nothing is measured yet is not worth a page. */
static enum cli_exit run_in_batch(struct run *r)
{
    enum watch_end end = WATCH_TIME;
    enum cli_exit exit_code = CLI_DONE;

    if (!watch_has_measured(r->watch))
        end = watch_wait(r->watch, r->delay_ns, NULL, 0);
    for (long page = 0; end == WATCH_TIME && exit_code == CLI_DONE && !ferror(stdout);) {
        exit_code = print_page(r, page == 0);
        if (++page == r->pages_max || exit_code != CLI_DONE)
            break;
        end = watch_wait(r->watch, r->delay_ns, NULL, 0);
    }
    return end == WATCH_FAILED ? CLI_FAILED : exit_code;
}

/* ---- in a terminal ---- */

static enum cli_exit show(struct run *r)
{
    unsigned int rows, columns;
    enum cli_exit exit_code;

    terminal_size(&rows, &columns);
    exit_code = draw(r, rows, columns);
    if (exit_code == CLI_DONE)
        terminal_show(&r->screen);
    return exit_code;
}

/* Whether to go on. */
static bool take_key(struct run *r, int key)
{
    int page = (int)r->screen.rows / 2, sort = top_sort_by_key(key);

    switch (key) {
    case 'q': return false;
    case 'r': r->top.reverse = !r->top.reverse; break;
    case 'k':
    case TERMINAL_UP: top_move(&r->top, &r->source, -1); break;
    case 'j':
    case TERMINAL_DOWN: top_move(&r->top, &r->source, 1); break;
    case TERMINAL_PAGE_UP: top_move(&r->top, &r->source, -page); break;
    case TERMINAL_PAGE_DOWN: top_move(&r->top, &r->source, page); break;
    case TERMINAL_FIRST: top_move(&r->top, &r->source, -PAGES_MAX); break;
    case TERMINAL_LAST: top_move(&r->top, &r->source, PAGES_MAX); break;
    default:
        if (sort >= 0)
            r->top.sort = (enum top_sort)sort;
    }
    return true;
}

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Until the next page is due. WATCH_FDS: the user wants to leave. */
static enum watch_end wait_for_page(struct run *r)
{
    uint64_t due_ns = now_ns() + r->delay_ns;
    struct pollfd fds[TERMINAL_FDS];
    enum watch_end end;

    do {
        uint64_t now = now_ns();
        int key;

        terminal_fds(fds);
        end = watch_wait(r->watch, due_ns > now ? due_ns - now : 0, fds, TERMINAL_FDS);
        if (end != WATCH_FDS)
            return end;
        while ((key = terminal_key()) != TERMINAL_NONE)
            if (!take_key(r, key))
                return WATCH_FDS;
        if (fds[0].revents & (POLLHUP | POLLERR) || show(r) != CLI_DONE)
            return WATCH_FAILED;
    } while (now_ns() < due_ns);
    return WATCH_TIME;
}

static enum cli_exit run_in_terminal(struct run *r)
{
    enum watch_end end = WATCH_TIME;
    enum cli_exit exit_code = CLI_DONE;

    if (terminal_open() < 0) {
        const char *name = getenv("TERM");

        cli_error("top: cannot use the terminal \"%s\": %s; use -b", name ? name : "",
                  errno ? strerror(errno) : "it is not known");
        return CLI_FAILED;
    }
    for (long page = 0; end == WATCH_TIME && exit_code == CLI_DONE; page++) {
        if (r->pages_max && page == r->pages_max)
            break;
        exit_code = look(r);
        if (exit_code == CLI_DONE)
            exit_code = show(r);
        if (exit_code == CLI_DONE)
            end = wait_for_page(r);
    }
    terminal_close();
    if (end == WATCH_ENDED)
        puts("The host has no more to show.");
    return end == WATCH_FAILED ? CLI_FAILED : exit_code;
}
