/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the operator set for single guests while the daemon runs: entries like those of "domains" in
 * the configuration, which go before them. They outlive a reload, and end with the daemon.
 */
#ifndef OVERRIDES_H
#define OVERRIDES_H

#include <stddef.h>

#include "json/json.h"

struct config;
struct daemon;

#define OVERRIDE_SIZE 512 /* of an entry as text */

/* Lays settings, "key=value, ...", over those set for that pattern before; NULL forgets these. Logs
 * who said so. 0, or -1 with error, and nothing has changed. */
int overrides_set(struct daemon *d, const char *pattern, const char *settings, const char *who,
                  char *error, size_t error_size);

/* Appends all to a configuration that was just read. 0, or -1 when memory is out. */
int overrides_apply(const struct daemon *d, struct config *c);

/* Writes the entry of that pattern as text, or null; and all, as an array. */
void overrides_write(const struct daemon *d, const char *pattern, struct xlp_json_writer *w);
void overrides_write_all(const struct daemon *d, struct xlp_json_writer *w);

#endif
