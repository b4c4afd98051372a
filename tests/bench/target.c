/* SPDX-License-Identifier: LGPL-2.1-only */
#include "target.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

void target_at_most(struct targets *targets, double figure, double limit, const char *format, ...)
{
    struct target *t;
    va_list args;

    if (targets->count == TARGETS_MAX)
        return;
    t = &targets->target[targets->count++];
    *t = (struct target){.figure = figure, .limit = limit, .met = figure <= limit};
    va_start(args, format);
    vsnprintf(t->what, sizeof(t->what), format, args);
    va_end(args);
}

bool targets_all_met(const struct targets *targets)
{
    for (size_t i = 0; i < targets->count; i++)
        if (!targets->target[i].met)
            return false;
    return true;
}

void targets_print(const struct targets *targets)
{
    if (targets->count)
        printf("Targets\n");
    for (size_t i = 0; i < targets->count; i++) {
        const struct target *t = &targets->target[i];

        printf("  %-8s %10.3f  (%.3f)  %s\n", t->met ? "met" : "NOT MET", t->figure, t->limit,
               t->what);
    }
}

/* All names are our own, so nothing needs quoting. */
void targets_print_json(const struct targets *targets)
{
    printf("\"targets\": [");
    for (size_t i = 0; i < targets->count; i++) {
        const struct target *t = &targets->target[i];

        printf("%s\n  {\"what\": \"%s\", \"met\": %s, ", i ? "," : "", t->what,
               t->met ? "true" : "false");
        json_number("figure", t->figure), printf(", ");
        json_number("limit", t->limit), printf("}");
    }
    printf("]");
}

void json_number(const char *key, double value)
{
    if (isfinite(value))
        printf("\"%s\": %.6g", key, value);
    else
        printf("\"%s\": null", key);
}
