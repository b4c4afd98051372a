/* SPDX-License-Identifier: LGPL-2.1-only */
/* What every command is given, and how it ends. */
#ifndef CLI_H
#define CLI_H

#include <stdbool.h>
#include <stdint.h>

#include "json/json.h"

enum cli_exit {
    CLI_DONE = 0,
    CLI_FAILED = 1,
    CLI_USAGE = 2,
    CLI_NOTHING_THERE = 3, /* no daemon and no Xen */
    CLI_REFUSED = 4,       /* it would not be safe, or is not allowed */
};

#define CLI_SETTINGS_MAX 64

/* The options that have no meaning for some commands, as bits. */
enum cli_given {
    CLI_GIVEN_HOST = 1 << 0,
    CLI_GIVEN_TICKS = 1 << 1,
    CLI_GIVEN_SET = 1 << 2,
    CLI_GIVEN_JSON = 1 << 3,
};

struct cli {
    bool json;
    bool dry_run; /* meant for every command: those that only look keep to it anyway */
    bool verbose;
    const char *host;   /* "daemon", "xen", "sim:FILE", "replay:FILE"; NULL: whatever is there */
    const char *socket; /* the daemon's control socket */
    uint32_t ticks;     /* how many ticks to watch a host that is read directly */
    const char *settings[CLI_SETTINGS_MAX + 1]; /* --set KEY=VALUE, NULL-terminated, checked */
    size_t setting_count;
    unsigned int given; /* which of enum cli_given were */
};

/* Takes one more --set, after checking it. CLI_DONE, or the error has been printed. */
enum cli_exit cli_add_setting(struct cli *cli, const char *text);

/* Lays the settings over a policy. CLI_DONE, or the error has been printed: they contradict it. */
enum cli_exit cli_apply_settings(const struct cli *cli, struct xlp_policy *policy);

/* One line "xlpolicy: ..." on stderr. */
void cli_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same, followed by where to read on; returns CLI_USAGE. */
enum cli_exit cli_usage_error(const char *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* "out of memory"; returns CLI_FAILED. */
enum cli_exit cli_out_of_memory(void);

/* JSON output is one object with "xlpolicy": the format's version, and what the command adds to it.
 * Start gives NULL when memory is out. Print ends the object, prints it and frees the writer. */
struct xlp_json_writer *cli_json_start(void);
enum cli_exit cli_json_print(struct xlp_json_writer *w);

#endif
