/* SPDX-License-Identifier: LGPL-2.1-only */
/* Which entry of "domains" keeps a guest from being managed, and where it stands. */
#ifndef EXCLUDED_BY_H
#define EXCLUDED_BY_H

#include "source.h"

/* Finds out on which lines of the daemon's configuration, as it is now, the entries stand. To be
 * called once, before excluded_by; reads the file only if anyone is excluded. */
void excluded_by_look_up(struct source *source);

/* "excluded by domains "web*: cpu=0" (/etc/xlpolicy/xlpolicyd.conf:12)" in text, for a part that
 * is XLP_REASON_CPU_EXCLUDED or XLP_REASON_MEM_EXCLUDED; the place is left out where it is not
 * known. False: no entry says so. */
bool excluded_by(const struct source *source, const char *name, enum xlp_reason_code part,
                 char *text, size_t size);

#endif
