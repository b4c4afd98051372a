/* SPDX-License-Identifier: LGPL-2.1-only */
/* What `export` can write, each in a file of its own. */
#ifndef EXPORT_H
#define EXPORT_H

#include "commands.h"

/* The host as OpenMetrics. */
enum cli_exit export_openmetrics(const struct cli *cli);

/* What the guests want, as Ganeti's hbal reads it: their mean over for_s seconds, or now when that
 * is 0. instances_path: a file with the names that Ganeti knows, or NULL to believe all. */
enum cli_exit export_hbal(const struct cli *cli, double for_s, const char *instances_path);

#endif
