/* SPDX-License-Identifier: LGPL-2.1-only */
/* Writing and reading structs by a table of their members. */
#include <float.h>
#include <string.h>

#include "json/fields.h"

static void write_field(struct xlp_json_writer *w, const struct xlp_field *f, const void *member);
static void read_field(struct xlp_json_reader *r, const struct xlp_json *object,
                       const struct xlp_field *f, void *member);

void xlp_fields_write(struct xlp_json_writer *w, const struct xlp_field *fields, const void *from)
{
    for (const struct xlp_field *f = fields; f->kind != XLP_FIELD_END; f++)
        write_field(w, f, (const char *)from + f->offset);
}

void xlp_fields_read(struct xlp_json_reader *r, const struct xlp_json *object,
                     const struct xlp_field *fields, void *to)
{
    const char *known[XLP_FIELDS_MAX + 1] = {NULL};

    for (size_t i = 0; i < XLP_FIELDS_MAX && fields[i].kind != XLP_FIELD_END; i++)
        known[i] = fields[i].key;
    xlp_json_check_keys(r, object, known);
    for (const struct xlp_field *f = fields; f->kind != XLP_FIELD_END; f++)
        read_field(r, object, f, (char *)to + f->offset);
}

/* ---- writing ---- */

static void put_uuid(struct xlp_json_writer *w, const char *key, const uint8_t *uuid)
{
    char text[XLP_UUID_TEXT_SIZE];

    xlp_json_put_string(w, key, xlp_uuid_format(uuid, text));
}

static void write_field(struct xlp_json_writer *w, const struct xlp_field *f, const void *member)
{
    bool always = f->need == XLP_JSON_REQUIRED;

    switch (f->kind) {
    case XLP_FIELD_U32:
        if (always || *(const uint32_t *)member != f->standard)
            xlp_json_put_u64(w, f->key, *(const uint32_t *)member);
        break;
    case XLP_FIELD_U64:
        if (always || *(const uint64_t *)member != f->standard)
            xlp_json_put_u64(w, f->key, *(const uint64_t *)member);
        break;
    case XLP_FIELD_I64:
    case XLP_FIELD_KIB:
        if (always || *(const int64_t *)member != 0)
            xlp_json_put_int(w, f->key, *(const int64_t *)member);
        break;
    case XLP_FIELD_DOUBLE:
        if (always || *(const double *)member != 0)
            xlp_json_put_double(w, f->key, *(const double *)member);
        break;
    case XLP_FIELD_BOOL:
        if (always || *(const bool *)member != f->standard)
            xlp_json_put_bool(w, f->key, *(const bool *)member);
        break;
    case XLP_FIELD_NAME:
        if (always || *(const char *)member != '\0')
            xlp_json_put_string(w, f->key, member);
        break;
    case XLP_FIELD_UUID: put_uuid(w, f->key, member); break;
    case XLP_FIELD_OTHER:
    case XLP_FIELD_END: break;
    }
}

void xlp_json_put_map(struct xlp_json_writer *w, const char *key, const struct xlp_cpumap *map)
{
    char text[XLP_CPUMAP_TEXT_MAX];

    xlp_json_put_string(w, key, xlp_cpumap_format(map, text, sizeof(text)));
}

/* ---- reading ---- */

static void read_name(struct xlp_json_reader *r, const struct xlp_json *object,
                      const struct xlp_field *f, char name[XLP_NAME_SIZE])
{
    const char *text = "";

    xlp_json_read_string(r, object, f->key, f->need, &text);
    if (r->failed)
        return;
    xlp_name_copy(name, text);
    if (strcmp(name, text) != 0)
        xlp_json_fail(r, xlp_json_get(object, f->key),
                      "\"%s\" must be printable ASCII, at most %d characters", f->key,
                      XLP_NAME_SIZE - 1);
}

static void read_uuid(struct xlp_json_reader *r, const struct xlp_json *object,
                      const struct xlp_field *f, uint8_t uuid[16])
{
    const char *text = NULL;

    memset(uuid, 0, 16);
    xlp_json_read_string(r, object, f->key, f->need, &text);
    if (text && xlp_uuid_parse(text, uuid) < 0)
        xlp_json_fail(r, xlp_json_get(object, f->key),
                      "\"%s\" must be 8-4-4-4-12 hexadecimal digits", f->key);
}

static void read_field(struct xlp_json_reader *r, const struct xlp_json *object,
                       const struct xlp_field *f, void *member)
{
    switch (f->kind) {
    case XLP_FIELD_U32:
        *(uint32_t *)member = (uint32_t)f->standard;
        xlp_json_read_u32(r, object, f->key, f->need, UINT32_MAX - 1, member);
        break;
    case XLP_FIELD_U64:
        *(uint64_t *)member = f->standard;
        xlp_json_read_u64(r, object, f->key, f->need, member);
        break;
    case XLP_FIELD_I64:
        *(int64_t *)member = 0;
        xlp_json_read_int(r, object, f->key, f->need, INT64_MIN, INT64_MAX, member);
        break;
    case XLP_FIELD_KIB:
        *(int64_t *)member = 0;
        xlp_json_read_int(r, object, f->key, f->need, 0, XLP_REPORT_MAX_MEMORY_KIB, member);
        break;
    case XLP_FIELD_DOUBLE:
        *(double *)member = 0;
        xlp_json_read_double(r, object, f->key, f->need, -DBL_MAX, DBL_MAX, member);
        break;
    case XLP_FIELD_BOOL:
        *(bool *)member = f->standard != 0;
        xlp_json_read_bool(r, object, f->key, f->need, member);
        break;
    case XLP_FIELD_NAME: read_name(r, object, f, member); break;
    case XLP_FIELD_UUID: read_uuid(r, object, f, member); break;
    case XLP_FIELD_OTHER:
    case XLP_FIELD_END: break;
    }
}

void xlp_json_read_map(struct xlp_json_reader *r, const struct xlp_json *object, const char *key,
                       enum xlp_json_need need, struct xlp_cpumap *out)
{
    const char *text = NULL;

    xlp_json_read_string(r, object, key, need, &text);
    if (text && xlp_cpumap_parse(text, out) < 0)
        xlp_json_fail(r, xlp_json_get(object, key),
                      "\"%s\" must be a set of pCPUs such as \"0-3,6\", up to %d", key,
                      XLP_PCPUS_MAX - 1);
}

void xlp_json_read_choice(struct xlp_json_reader *r, const struct xlp_json *object, const char *key,
                          enum xlp_json_need need, const char *const *names, unsigned int count,
                          unsigned int *out)
{
    const char *text = NULL;

    xlp_json_read_string(r, object, key, need, &text);
    if (!text)
        return;
    for (unsigned int i = 0; i < count; i++) {
        if (strcmp(names[i], text) == 0) {
            *out = i;
            return;
        }
    }
    xlp_json_fail(r, xlp_json_get(object, key), "\"%.64s\" is no known \"%s\"", text, key);
}

void xlp_json_read_version(struct xlp_json_reader *r, const struct xlp_json *object,
                           const char *key)
{
    uint64_t version = XLP_FORMAT_VERSION;

    xlp_json_read_u64(r, object, key, XLP_JSON_REQUIRED, &version);
    if (version != XLP_FORMAT_VERSION)
        xlp_json_fail(r, xlp_json_get(object, key),
                      "\"%s\" is of format %llu; this program reads format %d", key,
                      (unsigned long long)version, XLP_FORMAT_VERSION);
}
