/* SPDX-License-Identifier: LGPL-2.1-only */
/* Which entry of "domains" keeps a guest from being managed, and where it stands. */
#ifndef EXCLUDED_BY_H
#define EXCLUDED_BY_H

#include "source.h"

/* "excluded by domains "web*: cpu=0" (/etc/xlpolicy/xlpolicyd.conf:12)" in text, for a part that
 * is XLP_REASON_CPU_EXCLUDED or XLP_REASON_MEM_EXCLUDED; the place is left out where it is not
 * known. False: no entry says so. */
bool excluded_by(const struct source *source, const char *name, enum xlp_reason_code part,
                 char *text, size_t size);

#endif
