/* SPDX-License-Identifier: LGPL-2.1-only */
/* A cursor over one object: reads what must be there, in range, and keeps the first failure. */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "json/json.h"
#include "json/utf8.h"

void xlp_json_reader_init(struct xlp_json_reader *r, char *error, size_t error_size)
{
    *r = (struct xlp_json_reader){.error = error, .error_size = error_size};
}

int xlp_json_done(const struct xlp_json_reader *r)
{
    return r->failed ? -1 : 0;
}

static void fail_at(struct xlp_json_reader *r, unsigned int line, unsigned int column,
                    const char *format, va_list args)
{
    char what[256];

    if (r->failed)
        return;
    r->failed = true;
    vsnprintf(what, sizeof(what), format, args);
    xlp_utf8_make_printable(what);
    if (line > 0)
        snprintf(r->error, r->error_size, "line %u, column %u: %s", line, column, what);
    else
        snprintf(r->error, r->error_size, "%s", what);
}

void xlp_json_fail(struct xlp_json_reader *r, const struct xlp_json *at, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fail_at(r, at ? xlp_json_line(at) : 0, at ? xlp_json_column(at) : 0, format, args);
    va_end(args);
}

void xlp_json_fail_at_key(struct xlp_json_reader *r, const struct xlp_json *object, size_t i,
                          const char *format, ...)
{
    unsigned int line, column;
    va_list args;

    xlp_json_key_position(object, i, &line, &column);
    va_start(args, format);
    fail_at(r, line, column, format, args);
    va_end(args);
}

/* The value under key; NULL when there is nothing to read, which is a failure if it is needed. */
static const struct xlp_json *find(struct xlp_json_reader *r, const struct xlp_json *object,
                                   const char *key, enum xlp_json_need need)
{
    if (r->failed || !object)
        return NULL;
    if (xlp_json_kind(object) != XLP_JSON_OBJECT) {
        xlp_json_fail(r, object, "must be an object with the key \"%s\"", key);
        return NULL;
    }

    const struct xlp_json *v = xlp_json_get(object, key);
    if (!v && need == XLP_JSON_REQUIRED)
        xlp_json_fail(r, object, "the key \"%s\" is missing", key);
    return v;
}

static const struct xlp_json *find_kind(struct xlp_json_reader *r, const struct xlp_json *object,
                                        const char *key, enum xlp_json_need need,
                                        enum xlp_json_kind kind, const char *kind_name)
{
    const struct xlp_json *v = find(r, object, key, need);

    if (v && xlp_json_kind(v) != kind) {
        xlp_json_fail(r, v, "\"%s\" must be %s", key, kind_name);
        return NULL;
    }
    return v;
}

void xlp_json_read_int(struct xlp_json_reader *r, const struct xlp_json *object, const char *key,
                       enum xlp_json_need need, int64_t min, int64_t max, int64_t *out)
{
    const struct xlp_json *v = find(r, object, key, need);
    int64_t value;

    if (!v)
        return;
    if (xlp_json_int(v, &value) && value >= min && value <= max)
        *out = value;
    else
        xlp_json_fail(r, v, "\"%s\" must be a whole number from %" PRId64 " to %" PRId64, key, min,
                      max);
}

void xlp_json_read_u32(struct xlp_json_reader *r, const struct xlp_json *object, const char *key,
                       enum xlp_json_need need, uint32_t max, uint32_t *out)
{
    int64_t value = *out;

    xlp_json_read_int(r, object, key, need, 0, max, &value);
    *out = (uint32_t)value;
}

void xlp_json_read_u64(struct xlp_json_reader *r, const struct xlp_json *object, const char *key,
                       enum xlp_json_need need, uint64_t *out)
{
    const struct xlp_json *v = find(r, object, key, need);

    if (v && !xlp_json_u64(v, out))
        xlp_json_fail(r, v, "\"%s\" must be a whole number from 0 to %" PRIu64, key, UINT64_MAX);
}

void xlp_json_read_double(struct xlp_json_reader *r, const struct xlp_json *object, const char *key,
                          enum xlp_json_need need, double min, double max, double *out)
{
    const struct xlp_json *v = find_kind(r, object, key, need, XLP_JSON_NUMBER, "a number");

    if (!v)
        return;
    double value = xlp_json_double(v);
    if (value >= min && value <= max)
        *out = value;
    else
        xlp_json_fail(r, v, "\"%s\" must be a number from %g to %g", key, min, max);
}

void xlp_json_read_bool(struct xlp_json_reader *r, const struct xlp_json *object, const char *key,
                        enum xlp_json_need need, bool *out)
{
    const struct xlp_json *v = find_kind(r, object, key, need, XLP_JSON_BOOL, "true or false");

    if (v)
        *out = xlp_json_double(v) != 0;
}

void xlp_json_read_string(struct xlp_json_reader *r, const struct xlp_json *object, const char *key,
                          enum xlp_json_need need, const char **out)
{
    const struct xlp_json *v = find_kind(r, object, key, need, XLP_JSON_STRING, "a string");

    if (v)
        *out = xlp_json_string(v);
}

const struct xlp_json *xlp_json_read_array(struct xlp_json_reader *r, const struct xlp_json *object,
                                           const char *key, enum xlp_json_need need)
{
    return find_kind(r, object, key, need, XLP_JSON_ARRAY, "an array");
}

const struct xlp_json *xlp_json_read_object(struct xlp_json_reader *r,
                                            const struct xlp_json *object, const char *key,
                                            enum xlp_json_need need)
{
    return find_kind(r, object, key, need, XLP_JSON_OBJECT, "an object");
}

static bool is_known(const char *key, const char *const *known)
{
    for (; *known; known++)
        if (strcmp(*known, key) == 0)
            return true;
    return false;
}

void xlp_json_check_keys(struct xlp_json_reader *r, const struct xlp_json *object,
                         const char *const *known)
{
    if (r->failed || !object)
        return;
    if (xlp_json_kind(object) != XLP_JSON_OBJECT) {
        xlp_json_fail(r, object, "must be an object");
        return;
    }
    for (size_t i = 0; i < xlp_json_count(object); i++) {
        if (!is_known(xlp_json_key(object, i), known)) {
            xlp_json_fail_at_key(r, object, i, "unknown key \"%.64s\"", xlp_json_key(object, i));
            return;
        }
    }
}
