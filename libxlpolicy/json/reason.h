/* SPDX-License-Identifier: LGPL-2.1-only */
/* Reading a reason, for the readers of what has one. */
#ifndef XLP_JSON_REASON_H
#define XLP_JSON_REASON_H

#include "json/json.h"

/* Absent (object NULL): the code NONE. */
void xlp_json_read_reason(struct xlp_json_reader *r, const struct xlp_json *object,
                          struct xlp_reason *reason);

#endif
