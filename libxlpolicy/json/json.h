/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * JSON in and out. The only part that knows the JSON library. Reading is bounded and strict: what
 * is read may come from an untrusted file or peer.
 */
#ifndef XLP_JSON_H
#define XLP_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "engine.h"
#include "plan.h"
#include "policy.h"
#include "snapshot.h"

/* ---- reading: a tree of values ---- */

enum xlp_json_kind {
    XLP_JSON_NULL,
    XLP_JSON_BOOL,
    XLP_JSON_NUMBER,
    XLP_JSON_STRING,
    XLP_JSON_ARRAY,
    XLP_JSON_OBJECT,
};

struct xlp_json; /* one value; owned by the root it hangs under */

#define XLP_JSON_DEPTH_MAX 32

/* Parses one whole value, at most depth XLP_JSON_DEPTH_MAX and max_values values in all; duplicate
 * keys, invalid UTF-8 and text after the value are errors. Returns the root, freed with
 * xlp_json_free, or NULL with "line L, column C: what" in error. */
struct xlp_json *xlp_json_parse(const char *text, size_t length, size_t max_values, char *error,
                                size_t error_size);

/* The same for line number `line` of a file that has one value a line: that is where positions are
 * counted from. */
struct xlp_json *xlp_json_parse_line(const char *text, size_t length, unsigned int line,
                                     size_t max_values, char *error, size_t error_size);

/* Reads a whole file of at most max_bytes; errors begin with the path. */
struct xlp_json *xlp_json_parse_file(const char *path, size_t max_bytes, char *error,
                                     size_t error_size);
void xlp_json_free(struct xlp_json *root);

enum xlp_json_kind xlp_json_kind(const struct xlp_json *v);
size_t xlp_json_count(const struct xlp_json *v);                            /* of array, object */
const struct xlp_json *xlp_json_at(const struct xlp_json *array, size_t i); /* or object's value */
const char *xlp_json_key(const struct xlp_json *object, size_t i);
const struct xlp_json *xlp_json_get(const struct xlp_json *object, const char *key); /* or NULL */
const char *
xlp_json_string(const struct xlp_json *v);        /* NUL-terminated, no NUL inside; else NULL */
double xlp_json_double(const struct xlp_json *v); /* of a number or bool, else 0 */
/* Exactly, when v is a number written in digits alone (1, -1, not 1.0 or 1e0) that fits; false and
 * nothing written otherwise. */
bool xlp_json_int(const struct xlp_json *v, int64_t *value_out);
bool xlp_json_u64(const struct xlp_json *v, uint64_t *value_out);
unsigned int xlp_json_line(const struct xlp_json *v);   /* where it stands in the text, from 1 */
unsigned int xlp_json_column(const struct xlp_json *v); /* in characters, from 1 */
void xlp_json_key_position(const struct xlp_json *object, size_t i, unsigned int *line_out,
                           unsigned int *column_out);

/*
 * A cursor over one object for readers that want every key known and every value in range. The
 * first failure is kept (with line and column) and makes all later calls do nothing, so a reader
 * checks once, at xlp_json_done. Missing optional keys leave *out as it was; so does an object that
 * is NULL, as an optional object that is absent is.
 */
struct xlp_json_reader {
    char *error;
    size_t error_size;
    bool failed;
};

void xlp_json_reader_init(struct xlp_json_reader *r, char *error, size_t error_size);
/* at: the value that is wrong; NULL leaves the position out. The sentence may quote the file: what
 * is not printable ASCII becomes '?'. */
void xlp_json_fail(struct xlp_json_reader *r, const struct xlp_json *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for the i-th key of an object. */
void xlp_json_fail_at_key(struct xlp_json_reader *r, const struct xlp_json *object, size_t i,
                          const char *format, ...) __attribute__((format(printf, 4, 5)));

enum xlp_json_need { XLP_JSON_OPTIONAL, XLP_JSON_REQUIRED };

void xlp_json_read_int(struct xlp_json_reader *r, const struct xlp_json *object, const char *key,
                       enum xlp_json_need need, int64_t min, int64_t max, int64_t *out);
void xlp_json_read_u32(struct xlp_json_reader *r, const struct xlp_json *object, const char *key,
                       enum xlp_json_need need, uint32_t max, uint32_t *out);
void xlp_json_read_u64(struct xlp_json_reader *r, const struct xlp_json *object, const char *key,
                       enum xlp_json_need need, uint64_t *out);
void xlp_json_read_double(struct xlp_json_reader *r, const struct xlp_json *object, const char *key,
                          enum xlp_json_need need, double min, double max, double *out);
void xlp_json_read_bool(struct xlp_json_reader *r, const struct xlp_json *object, const char *key,
                        enum xlp_json_need need, bool *out);
/* The string is the tree's: copy it. */
void xlp_json_read_string(struct xlp_json_reader *r, const struct xlp_json *object, const char *key,
                          enum xlp_json_need need, const char **out);
/* NULL when absent. */
const struct xlp_json *xlp_json_read_array(struct xlp_json_reader *r, const struct xlp_json *object,
                                           const char *key, enum xlp_json_need need);
const struct xlp_json *xlp_json_read_object(struct xlp_json_reader *r,
                                            const struct xlp_json *object, const char *key,
                                            enum xlp_json_need need);
/* Fails on any key of object that is not in known (NULL-terminated), naming it. */
void xlp_json_check_keys(struct xlp_json_reader *r, const struct xlp_json *object,
                         const char *const *known);
/* 0, or -1 when something failed (error is set). */
int xlp_json_done(const struct xlp_json_reader *r);

/* ---- writing ---- */

struct xlp_json_writer;

/* beautify: indented, for people; otherwise one line. NULL when memory is out. */
struct xlp_json_writer *xlp_json_writer_new(bool beautify);
void xlp_json_writer_free(struct xlp_json_writer *w);

void xlp_json_open_object(struct xlp_json_writer *w);
void xlp_json_close_object(struct xlp_json_writer *w);
void xlp_json_open_array(struct xlp_json_writer *w);
void xlp_json_close_array(struct xlp_json_writer *w);
void xlp_json_write_key(struct xlp_json_writer *w, const char *key);
void xlp_json_write_string(struct xlp_json_writer *w, const char *text);
void xlp_json_write_int(struct xlp_json_writer *w, int64_t value);
void xlp_json_write_u64(struct xlp_json_writer *w, uint64_t value);
void xlp_json_write_double(struct xlp_json_writer *w, double value); /* shortest that reads back */
void xlp_json_write_bool(struct xlp_json_writer *w, bool value);
void xlp_json_write_null(struct xlp_json_writer *w);

/* key and value in one */
void xlp_json_put_string(struct xlp_json_writer *w, const char *key, const char *text);
void xlp_json_put_int(struct xlp_json_writer *w, const char *key, int64_t value);
void xlp_json_put_u64(struct xlp_json_writer *w, const char *key, uint64_t value);
void xlp_json_put_double(struct xlp_json_writer *w, const char *key, double value);
void xlp_json_put_bool(struct xlp_json_writer *w, const char *key, bool value);

/* The text so far, NUL-terminated, the writer's until its next call. NULL when anything failed. */
const char *xlp_json_text(struct xlp_json_writer *w, size_t *length_out);
/* Starts over, keeping the buffer. */
void xlp_json_writer_reset(struct xlp_json_writer *w);

/* ---- our own shapes, as docs/formats.md describes them ---- */

#define XLP_FORMAT_VERSION 1

/* s must be one that xlp_snapshot_check would pass. */
void xlp_snapshot_write(struct xlp_json_writer *w, const struct xlp_snapshot *s);
void xlp_plan_write(struct xlp_json_writer *w, const struct xlp_plan *p);
void xlp_reservation_write(struct xlp_json_writer *w, const struct xlp_reservation *reservation);
/* Key and array: of each reservation what it is, and the plan's reason why it stands as it does. */
void xlp_reservations_write(struct xlp_json_writer *w, const struct xlp_snapshot *s,
                            const struct xlp_plan *p);
void xlp_action_write(struct xlp_json_writer *w, const struct xlp_action *a);
void xlp_reason_write(struct xlp_json_writer *w, const struct xlp_reason *reason);
void xlp_policy_write(struct xlp_json_writer *w, const struct xlp_policy *p);
void xlp_pcpu_view_write(struct xlp_json_writer *w, const struct xlp_pcpu_view *view);
void xlp_vcpu_view_write(struct xlp_json_writer *w, const struct xlp_vcpu_view *view);
void xlp_domain_view_write(struct xlp_json_writer *w, const struct xlp_domain_view *view);

/* Each fills an initialised struct (reset first). 0, or -1 with "line L, column C: ..." in error.
 * A snapshot read here has passed xlp_snapshot_check. */
int xlp_snapshot_read(const struct xlp_json *v, struct xlp_snapshot *s, char *error,
                      size_t error_size);
int xlp_plan_read(const struct xlp_json *v, struct xlp_plan *p, char *error, size_t error_size);
int xlp_policy_read(const struct xlp_json *v, struct xlp_policy *p, char *error, size_t error_size);
int xlp_pcpu_view_read(const struct xlp_json *v, struct xlp_pcpu_view *view_out, char *error,
                       size_t error_size);
int xlp_vcpu_view_read(const struct xlp_json *v, struct xlp_vcpu_view *view_out, char *error,
                       size_t error_size);
int xlp_domain_view_read(const struct xlp_json *v, struct xlp_domain_view *view_out, char *error,
                         size_t error_size);

#endif
