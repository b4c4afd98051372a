/* SPDX-License-Identifier: LGPL-2.1-only */
/* A picture of a host over time: how busy each pCPU was and with whom, where vCPUs were moved, how
 * much memory each guest used, had and was to have, and how much the host had left. */
#ifndef SVG_H
#define SVG_H

#include <stdio.h>

#include "series.h"

/* Writes it. 0, or -1 when the series is of less than two moments. Whether the writing went well is
 * for the caller to ask the stream. */
int svg_write(FILE *to, const struct series *series, const char *title);

#endif
