/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Structs as JSON objects by table: the key is the member's name, and one table serves writing and
 * reading, so that the two cannot drift apart. An optional member that has its standard value is
 * left out.
 */
#ifndef XLP_JSON_FIELDS_H
#define XLP_JSON_FIELDS_H

#include "json/json.h"

enum xlp_field_kind {
    XLP_FIELD_END, /* ends a table */
    XLP_FIELD_U32, /* up to UINT32_MAX - 1; XLP_UNKNOWN only as the standard value */
    XLP_FIELD_U64,
    XLP_FIELD_I64,
    XLP_FIELD_KIB, /* an int64_t from 0 to XLP_REPORT_MAX_MEMORY_KIB */
    XLP_FIELD_DOUBLE,
    XLP_FIELD_BOOL,
    XLP_FIELD_NAME,  /* char[XLP_NAME_SIZE], printable ASCII */
    XLP_FIELD_UUID,  /* uint8_t[16] */
    XLP_FIELD_OTHER, /* a key that the caller writes and reads */
};

#define XLP_FIELDS_MAX 32 /* a table */

struct xlp_field {
    const char *key;
    enum xlp_field_kind kind;
    enum xlp_json_need need;
    size_t offset;
    uint64_t standard; /* of an optional U32, U64 or BOOL; that of the others is zero, or empty */
};

#define XLP_NEED(type, member, kind)                                                               \
    {                                                                                              \
#member, kind, XLP_JSON_REQUIRED, offsetof(struct type, member), 0                         \
    }
#define XLP_MAY(type, member, kind)                                                                \
    {                                                                                              \
#member, kind, XLP_JSON_OPTIONAL, offsetof(struct type, member), 0                         \
    }
#define XLP_MAY_ELSE(type, member, kind, standard)                                                 \
    {                                                                                              \
#member, kind, XLP_JSON_OPTIONAL, offsetof(struct type, member), standard                  \
    }
#define XLP_OTHER(key)                                                                             \
    {                                                                                              \
        key, XLP_FIELD_OTHER, XLP_JSON_OPTIONAL, 0, 0                                              \
    }
#define XLP_END                                                                                    \
    {                                                                                              \
        NULL, XLP_FIELD_END, XLP_JSON_OPTIONAL, 0, 0                                               \
    }

/* Within an object that the caller opens and closes. */
void xlp_fields_write(struct xlp_json_writer *w, const struct xlp_field *fields, const void *from);

/* Sets every member of the table, and fails on a key that is not in it. */
void xlp_fields_read(struct xlp_json_reader *r, const struct xlp_json *object,
                     const struct xlp_field *fields, void *to);

/* A set of pCPUs, in xl's notation. Absent: *out stays. */
void xlp_json_put_map(struct xlp_json_writer *w, const char *key, const struct xlp_cpumap *map);
void xlp_json_read_map(struct xlp_json_reader *r, const struct xlp_json *object, const char *key,
                       enum xlp_json_need need, struct xlp_cpumap *out);

/* One word of names[count]; *out is its index. Absent: *out stays. */
void xlp_json_read_choice(struct xlp_json_reader *r, const struct xlp_json *object, const char *key,
                          enum xlp_json_need need, const char *const *names, unsigned int count,
                          unsigned int *out);

/* Fails unless object has key with XLP_FORMAT_VERSION under it. */
void xlp_json_read_version(struct xlp_json_reader *r, const struct xlp_json *object,
                           const char *key);

#endif
