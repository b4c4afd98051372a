/* SPDX-License-Identifier: LGPL-2.1-only */
/* The file that --svg FILE asks for. */
#ifndef PICTURE_H
#define PICTURE_H

#include "cli.h"
#include "series.h"

/* Draws the series into that file, replacing it. CLI_DONE, or the error has been printed. */
enum cli_exit picture_write(const char *path, const struct series *series, const char *title);

/* Whether that file could be written, before the work that it is to show: CLI_DONE, also where
 * there is no path, or the error has been printed. */
enum cli_exit picture_check(const char *path);

#endif
