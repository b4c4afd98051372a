/* SPDX-License-Identifier: LGPL-2.1-only */
/* The tree of values that a JSON text was parsed into. */
#include <stdlib.h>
#include <string.h>

#include "json/tree.h"

/* Recurses no deeper than XLP_JSON_DEPTH_MAX: the parser refused anything deeper. */
void xlp_json_dispose(struct xlp_json *v)
{
    free(v->key);
    if (v->kind == XLP_JSON_STRING)
        free(v->string);
    if (v->kind == XLP_JSON_ARRAY || v->kind == XLP_JSON_OBJECT) {
        for (size_t i = 0; i < v->children.count; i++)
            xlp_json_dispose(&v->children.items[i]);
        free(v->children.items);
    }
}

void xlp_json_free(struct xlp_json *root)
{
    if (root)
        xlp_json_dispose(root);
    free(root);
}

enum xlp_json_kind xlp_json_kind(const struct xlp_json *v)
{
    return v->kind;
}

size_t xlp_json_count(const struct xlp_json *v)
{
    return v->kind == XLP_JSON_ARRAY || v->kind == XLP_JSON_OBJECT ? v->children.count : 0;
}

const struct xlp_json *xlp_json_at(const struct xlp_json *array, size_t i)
{
    return i < xlp_json_count(array) ? &array->children.items[i] : NULL;
}

const char *xlp_json_key(const struct xlp_json *object, size_t i)
{
    return i < xlp_json_count(object) ? object->children.items[i].key : NULL;
}

void xlp_json_key_position(const struct xlp_json *object, size_t i, unsigned int *line_out,
                           unsigned int *column_out)
{
    *line_out = object->children.items[i].key_line;
    *column_out = object->children.items[i].key_column;
}

const struct xlp_json *xlp_json_get(const struct xlp_json *object, const char *key)
{
    if (object->kind != XLP_JSON_OBJECT)
        return NULL;
    for (size_t i = 0; i < object->children.count; i++)
        if (strcmp(object->children.items[i].key, key) == 0)
            return &object->children.items[i];
    return NULL;
}

const char *xlp_json_string(const struct xlp_json *v)
{
    return v->kind == XLP_JSON_STRING ? v->string : NULL;
}

double xlp_json_double(const struct xlp_json *v)
{
    if (v->kind == XLP_JSON_BOOL)
        return v->boolean;
    return v->kind == XLP_JSON_NUMBER ? v->number.value : 0;
}

bool xlp_json_int(const struct xlp_json *v, int64_t *value_out)
{
    if (v->kind != XLP_JSON_NUMBER || !v->number.whole ||
        v->number.magnitude > (uint64_t)INT64_MAX + v->number.negative)
        return false;
    /* In this order INT64_MIN, which has no positive counterpart, does not overflow. */
    *value_out = v->number.negative && v->number.magnitude > 0
                     ? -(int64_t)(v->number.magnitude - 1) - 1
                     : (int64_t)v->number.magnitude;
    return true;
}

bool xlp_json_u64(const struct xlp_json *v, uint64_t *value_out)
{
    if (v->kind != XLP_JSON_NUMBER || !v->number.whole ||
        (v->number.negative && v->number.magnitude > 0))
        return false;
    *value_out = v->number.magnitude;
    return true;
}

unsigned int xlp_json_line(const struct xlp_json *v)
{
    return v->line;
}

unsigned int xlp_json_column(const struct xlp_json *v)
{
    return v->column;
}
