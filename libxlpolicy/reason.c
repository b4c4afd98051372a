/* SPDX-License-Identifier: LGPL-2.1-only */
/* The one table of reasons, and sentences made from it. */
#include "reason.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *fields, *sentence;
} reasons[] = {
#define X(code, name, fields, sentence) {name, fields, sentence},
    XLP_REASONS(X)
#undef X
};

int64_t xlp_reason_pct(double fraction)
{
    return llround(fraction * 10000);
}

const char *xlp_reason_name(enum xlp_reason_code code)
{
    return reasons[(unsigned int)code < XLP_REASON_COUNT ? code : XLP_REASON_NONE].name;
}

int xlp_reason_by_name(const char *name)
{
    for (int code = 0; code < XLP_REASON_COUNT; code++)
        if (strcmp(reasons[code].name, name) == 0)
            return code;
    return -1;
}

bool xlp_reason_is_hands_off(enum xlp_reason_code code)
{
    switch (code) {
    case XLP_REASON_CPU_SCHED_BALANCES:
    case XLP_REASON_CPU_SCHED_FIXED:
    case XLP_REASON_CPU_SOFT_IGNORED:
    case XLP_REASON_CPU_OPERATOR_PIN:
    case XLP_REASON_CPU_OPERATOR_PREFERENCE:
    case XLP_REASON_CPU_TAKEN_BACK:
    case XLP_REASON_CPU_NOWHERE:
    case XLP_REASON_CPU_DOM0:
    case XLP_REASON_CPU_OFF:
    case XLP_REASON_CPU_EXCLUDED:
    case XLP_REASON_WEIGHT_NO_WEIGHTS:
    case XLP_REASON_WEIGHT_OPERATOR:
    case XLP_REASON_WEIGHT_TAKEN_BACK:
    case XLP_REASON_MEM_NO_AGENT:
    case XLP_REASON_MEM_BAD_REPORT:
    case XLP_REASON_MEM_NO_BALLOON:
    case XLP_REASON_MEM_PASSTHROUGH:
    case XLP_REASON_MEM_OPERATOR:
    case XLP_REASON_MEM_OTHER_CONTROLLER:
    case XLP_REASON_MEM_DOM0:
    case XLP_REASON_MEM_OFF:
    case XLP_REASON_MEM_EXCLUDED:
    case XLP_REASON_RELEASED:
    case XLP_REASON_PAUSED:
    case XLP_REASON_BUILDING:
    case XLP_REASON_MIGRATING:
    case XLP_REASON_SHUTDOWN:
    case XLP_REASON_DYING: return true;
    default: return false;
    }
}

size_t xlp_reason_field_count(enum xlp_reason_code code)
{
    const char *fields = reasons[code].fields;
    size_t count = fields[0] ? 1 : 0;

    for (; *fields; fields++)
        count += *fields == ' ';
    return count;
}

const char *xlp_reason_field(enum xlp_reason_code code, size_t i, char field[32])
{
    const char *at = reasons[code].fields;

    for (; i; i--)
        at += strcspn(at, " ") + 1;
    snprintf(field, 32, "%.*s", (int)strcspn(at, " "), at);
    return field;
}

static int has_suffix(const char *name, const char *suffix)
{
    size_t length = strlen(name), suffix_length = strlen(suffix);

    return length >= suffix_length && strcmp(name + length - suffix_length, suffix) == 0;
}

/* To the nearest, of any number: adding half a MiB first would overflow. */
static int64_t round_to_mib(int64_t kib)
{
    return kib / 1024 + (kib % 1024 >= 512) - (kib % 1024 <= -512);
}

/* A number in the unit that its name ends in. */
static void format_number(const char *field, int64_t number, char *text, size_t size)
{
    if (has_suffix(field, "_kib"))
        snprintf(text, size, "%lld MiB", (long long)round_to_mib(number));
    else if (has_suffix(field, "_pct"))
        snprintf(text, size, "%.1f %%", (double)number / 100);
    else if (has_suffix(field, "_s"))
        snprintf(text, size, "%lld s", (long long)number);
    else
        snprintf(text, size, "%lld", (long long)number);
}

/* The number for "{field}", whose name starts at name. */
static void format_field(const struct xlp_reason *reason, const char *name, size_t length,
                         char *text, size_t size)
{
    char field[32];

    for (size_t i = 0; i < xlp_reason_field_count(reason->code); i++) {
        xlp_reason_field(reason->code, i, field);
        if (strlen(field) == length && memcmp(field, name, length) == 0) {
            format_number(field, reason->number[i], text, size);
            return;
        }
    }
    text[0] = '\0';
}

char *xlp_reason_format(const struct xlp_reason *reason, char *text, size_t size)
{
    const char *at = reasons[reason->code].sentence;
    size_t used = 0;

    text[0] = '\0';
    while (*at && used + 1 < size) {
        size_t plain = strcspn(at, "{"), length;
        char number[32];

        used += (size_t)snprintf(text + used, size - used, "%.*s", (int)plain, at);
        at += plain;
        if (*at != '{' || used + 1 >= size)
            continue;
        length = strcspn(at + 1, "}");
        format_field(reason, at + 1, length, number, sizeof(number));
        used += (size_t)snprintf(text + used, size - used, "%s", number);
        at += length + 2;
    }
    return text;
}
