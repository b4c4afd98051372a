/* SPDX-License-Identifier: LGPL-2.1-only */
/* The command line. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <limits.h>
#include <stdbool.h>

/* What the programs exit with. */
enum exit_code {
    EXIT_CODE_DONE = 0,
    EXIT_CODE_FAILED = 1,
    EXIT_CODE_USAGE = 2,
    EXIT_CODE_NOBODY = 3,  /* no Xen here: nothing to talk to */
    EXIT_CODE_REFUSED = 4, /* only in replies, for xlpolicy to exit with */
};

struct options {
    char config_path[PATH_MAX];
    bool config_named; /* given with -f: it must exist */
    char socket_path[PATH_MAX];
    char pidfile_path[PATH_MAX];
    char record_path[PATH_MAX]; /* "": do not record */
    const char *host;
    int mode; /* enum config_mode, or -1: as configured */
    bool foreground, check, dry_run, once, verbose;
};

/* Returns -1 when the program should go on, else the code to exit with: help and the version are
 * printed here, and so is what is wrong. */
int options_parse(int argc, char **argv, struct options *options_out);

#endif
