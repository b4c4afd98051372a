/* SPDX-License-Identifier: LGPL-2.1-only */
/* A reservation within a snapshot or an action. Private to json/. */
#ifndef XLP_JSON_RESERVATION_H
#define XLP_JSON_RESERVATION_H

#include "json/json.h"

void xlp_json_read_reservation(struct xlp_json_reader *r, const struct xlp_json *object,
                               struct xlp_reservation *out);

#endif
