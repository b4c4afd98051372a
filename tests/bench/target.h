/* SPDX-License-Identifier: LGPL-2.1-only */
/* What xlpolicy is to show, and whether it did: a report, not a test. */
#ifndef XLPOLICY_BENCH_TARGET_H
#define XLPOLICY_BENCH_TARGET_H

#include <stdbool.h>
#include <stddef.h>

/* One thing that is to be shown, and whether it was. */
struct target {
    char what[120];
    double figure, limit;
    bool met;
};

#define TARGETS_MAX 80

struct targets {
    struct target target[TARGETS_MAX];
    size_t count;
};

/* Met when the figure is at most the limit. */
void target_at_most(struct targets *targets, double figure, double limit, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

bool targets_all_met(const struct targets *targets);
void targets_print(const struct targets *targets);
/* "targets": [...] */
void targets_print_json(const struct targets *targets);

/* "key": value, or null when it is not finite. */
void json_number(const char *key, double value);

#endif
