/* SPDX-License-Identifier: LGPL-2.1-only */
/* A reason as JSON: its code and its numbers by name. The sentence is written for people, and
 * ignored when read: it follows from the numbers. */
#include <math.h>
#include <string.h>

#include "json/reason.h"

/* A reason holds hundredths of a percent, JSON what the name says: percent. */
static bool is_percent(const char *field)
{
    size_t length = strlen(field);

    return length > 4 && strcmp(field + length - 4, "_pct") == 0;
}

/* ---- writing ---- */

static void write_numbers(struct xlp_json_writer *w, const struct xlp_reason *reason)
{
    char field[32];

    xlp_json_write_key(w, "numbers");
    xlp_json_open_object(w);
    for (size_t i = 0; i < xlp_reason_field_count(reason->code); i++) {
        xlp_reason_field(reason->code, i, field);
        if (is_percent(field))
            xlp_json_put_double(w, field, (double)reason->number[i] / 100);
        else
            xlp_json_put_int(w, field, reason->number[i]);
    }
    xlp_json_close_object(w);
}

void xlp_reason_write(struct xlp_json_writer *w, const struct xlp_reason *reason)
{
    char sentence[512];

    xlp_json_open_object(w);
    xlp_json_put_string(w, "code", xlp_reason_name(reason->code));
    if (xlp_reason_field_count(reason->code) > 0)
        write_numbers(w, reason);
    xlp_json_put_string(w, "text", xlp_reason_format(reason, sentence, sizeof(sentence)));
    xlp_json_close_object(w);
}

/* ---- reading ---- */

static int64_t read_percent(struct xlp_json_reader *r, const struct xlp_json *object,
                            const char *field)
{
    const double max_pct = 1e12; /* where hundredths are still exact */
    double pct = 0;

    xlp_json_read_double(r, object, field, XLP_JSON_REQUIRED, -max_pct, max_pct, &pct);
    return llround(pct * 100);
}

static void read_numbers(struct xlp_json_reader *r, const struct xlp_json *object,
                         struct xlp_reason *reason)
{
    char field[XLP_REASON_NUMBERS_MAX][32];
    const char *known[XLP_REASON_NUMBERS_MAX + 1] = {NULL};

    for (size_t i = 0; i < xlp_reason_field_count(reason->code); i++) {
        known[i] = xlp_reason_field(reason->code, i, field[i]);
        if (is_percent(field[i]))
            reason->number[i] = read_percent(r, object, field[i]);
        else
            xlp_json_read_int(r, object, field[i], XLP_JSON_REQUIRED, INT64_MIN, INT64_MAX,
                              &reason->number[i]);
    }
    xlp_json_check_keys(r, object, known);
}

void xlp_json_read_reason(struct xlp_json_reader *r, const struct xlp_json *object,
                          struct xlp_reason *reason)
{
    static const char *const known[] = {"code", "numbers", "text", NULL};
    const char *name = NULL;

    *reason = (struct xlp_reason){.code = XLP_REASON_NONE};
    xlp_json_check_keys(r, object, known);
    xlp_json_read_string(r, object, "code", XLP_JSON_REQUIRED, &name);
    if (!name)
        return;

    int code = xlp_reason_by_name(name);
    if (code < 0) {
        xlp_json_fail(r, xlp_json_get(object, "code"), "\"%.64s\" is no known reason", name);
        return;
    }
    reason->code = (enum xlp_reason_code)code;
    read_numbers(r,
                 xlp_json_read_object(r, object, "numbers",
                                      xlp_reason_field_count(reason->code) > 0 ? XLP_JSON_REQUIRED
                                                                               : XLP_JSON_OPTIONAL),
                 reason);
}
