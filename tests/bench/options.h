/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the command lines of the benchmarks have in common. */
#ifndef XLPOLICY_BENCH_OPTIONS_H
#define XLPOLICY_BENCH_OPTIONS_H

#include "policy.h"

/* False when text is no number of this range. */
bool option_number(const char *text, double least, double most, double *number_out);

/* Sets "NAME=VALUE", as in xlpolicy's configuration file; takes text apart. False, with a sentence
 * on stderr, when it is none. */
bool option_setting(struct xlp_policy *settings, char *text);

#endif
