/* SPDX-License-Identifier: LGPL-2.1-only */
/* JSON out, on libyajl's generator. */
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_gen.h>

#include "json/json.h"
#include "json/utf8.h"

/*
 * The generator prints into a buffer of ours, since its own does not survive a failed realloc. The
 * first failure is kept and makes xlp_json_text return NULL.
 */
struct xlp_json_writer {
    yajl_gen gen;
    locale_t c_locale; /* a number has a point, whatever the user's language */
    char *text;
    size_t length, room;
    bool failed;
};

static void print(void *context, const char *text, size_t length);
static void check(struct xlp_json_writer *w, yajl_gen_status status);
static char *without_invalid(const char *text, size_t length);

struct xlp_json_writer *xlp_json_writer_new(bool beautify)
{
    struct xlp_json_writer *w = calloc(1, sizeof(*w));

    if (!w)
        return NULL;
    w->c_locale = newlocale(LC_ALL_MASK, "C", NULL);
    w->gen = yajl_gen_alloc(NULL);
    if (!w->c_locale || !w->gen) {
        xlp_json_writer_free(w);
        return NULL;
    }
    yajl_gen_config(w->gen, yajl_gen_beautify, beautify);
    yajl_gen_config(w->gen, yajl_gen_indent_string, "  ");
    yajl_gen_config(w->gen, yajl_gen_print_callback, print, w);
    return w;
}

void xlp_json_writer_free(struct xlp_json_writer *w)
{
    if (!w)
        return;
    if (w->gen)
        yajl_gen_free(w->gen);
    if (w->c_locale)
        freelocale(w->c_locale);
    free(w->text);
    free(w);
}

void xlp_json_writer_reset(struct xlp_json_writer *w)
{
    yajl_gen_reset(w->gen, NULL);
    w->length = 0;
    w->failed = false;
}

const char *xlp_json_text(struct xlp_json_writer *w, size_t *length_out)
{
    if (w->length == 0)
        print(w, "", 0); /* so that there is a text to terminate */
    if (w->failed)
        return NULL;
    w->text[w->length] = '\0';
    if (length_out)
        *length_out = w->length;
    return w->text;
}

/* ---- values ---- */

void xlp_json_open_object(struct xlp_json_writer *w)
{
    check(w, yajl_gen_map_open(w->gen));
}

void xlp_json_close_object(struct xlp_json_writer *w)
{
    check(w, yajl_gen_map_close(w->gen));
}

void xlp_json_open_array(struct xlp_json_writer *w)
{
    check(w, yajl_gen_array_open(w->gen));
}

void xlp_json_close_array(struct xlp_json_writer *w)
{
    check(w, yajl_gen_array_close(w->gen));
}

void xlp_json_write_key(struct xlp_json_writer *w, const char *key)
{
    xlp_json_write_string(w, key);
}

void xlp_json_write_string(struct xlp_json_writer *w, const char *text)
{
    size_t length = strlen(text);
    char *clean = NULL;

    if (xlp_utf8_valid_prefix(text, length) < length) {
        clean = without_invalid(text, length);
        if (!clean) {
            w->failed = true;
            return;
        }
        text = clean;
    }
    check(w, yajl_gen_string(w->gen, (const unsigned char *)text, length));
    free(clean);
}

void xlp_json_write_int(struct xlp_json_writer *w, int64_t value)
{
    check(w, yajl_gen_integer(w->gen, value));
}

void xlp_json_write_u64(struct xlp_json_writer *w, uint64_t value)
{
    char text[24];
    int length = snprintf(text, sizeof(text), "%" PRIu64, value);

    check(w, yajl_gen_number(w->gen, text, (size_t)length));
}

void xlp_json_write_double(struct xlp_json_writer *w, double value)
{
    char text[32];
    int length = 0;

    if (!isfinite(value)) {
        w->failed = true; /* JSON has no word for it */
        return;
    }
    locale_t before = uselocale(w->c_locale);
    for (int digits = 15; digits <= 17; digits++) {
        length = snprintf(text, sizeof(text), "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    uselocale(before);
    check(w, yajl_gen_number(w->gen, text, (size_t)length));
}

void xlp_json_write_bool(struct xlp_json_writer *w, bool value)
{
    check(w, yajl_gen_bool(w->gen, value));
}

void xlp_json_write_null(struct xlp_json_writer *w)
{
    check(w, yajl_gen_null(w->gen));
}

/* ---- key and value in one ---- */

void xlp_json_put_string(struct xlp_json_writer *w, const char *key, const char *text)
{
    xlp_json_write_key(w, key);
    xlp_json_write_string(w, text);
}

void xlp_json_put_int(struct xlp_json_writer *w, const char *key, int64_t value)
{
    xlp_json_write_key(w, key);
    xlp_json_write_int(w, value);
}

void xlp_json_put_u64(struct xlp_json_writer *w, const char *key, uint64_t value)
{
    xlp_json_write_key(w, key);
    xlp_json_write_u64(w, value);
}

void xlp_json_put_double(struct xlp_json_writer *w, const char *key, double value)
{
    xlp_json_write_key(w, key);
    xlp_json_write_double(w, value);
}

void xlp_json_put_bool(struct xlp_json_writer *w, const char *key, bool value)
{
    xlp_json_write_key(w, key);
    xlp_json_write_bool(w, value);
}

/* ---- the buffer ---- */

static void print(void *context, const char *text, size_t length)
{
    struct xlp_json_writer *w = context;

    if (w->failed)
        return;
    if (w->room - w->length <= length) { /* one more for the NUL at the end */
        size_t room = w->room > 0 ? w->room : 4096;
        while (room - w->length <= length)
            room *= 2;
        char *larger = realloc(w->text, room);
        if (!larger) {
            w->failed = true;
            return;
        }
        w->text = larger;
        w->room = room;
    }
    memcpy(w->text + w->length, text, length);
    w->length += length;
}

static void check(struct xlp_json_writer *w, yajl_gen_status status)
{
    if (status != yajl_gen_status_ok)
        w->failed = true;
}

/* A copy with '?' for each byte that is not part of a UTF-8 character: a stray byte in the text of
 * some error must not cost the whole answer. */
static char *without_invalid(const char *text, size_t length)
{
    char *clean = malloc(length + 1);

    if (!clean)
        return NULL;
    memcpy(clean, text, length + 1);
    for (size_t at = 0; at < length;) {
        size_t size = xlp_utf8_char(clean + at, length - at);
        if (size == 0)
            clean[at] = '?';
        at += size > 0 ? size : 1;
    }
    return clean;
}
