/* SPDX-License-Identifier: LGPL-2.1-only */
/* What an operator should look at. */
#ifndef PROBLEMS_H
#define PROBLEMS_H

#include "source.h"

/* Calls tell with one sentence for each problem: who, and what. Returns how many. */
size_t problems_find(const struct source *source, void (*tell)(void *context, const char *sentence),
                     void *context);

#endif
