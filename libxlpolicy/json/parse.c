/* SPDX-License-Identifier: LGPL-2.1-only */
/* JSON text to a tree of values, on libyajl's callbacks. */
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_parse.h>

#include "json/json.h"
#include "json/tree.h"
#include "json/utf8.h"

#define TEXT_MAX         ((size_t)256 << 20)
#define NUMBER_CHARS_MAX 512

struct position {
    size_t offset;
    unsigned int line, column; /* of the character at offset */
};

/*
 * Values whose parent is not closed yet lie on a stack, each container below its children; closing
 * a container moves the children into an array of their own.
 */
struct parser {
    yajl_handle yajl;
    locale_t c_locale; /* a number has a point, whatever the user's language */
    const char *text;
    size_t length;
    bool at_end;      /* libyajl has seen the last byte */
    size_t token_end; /* of the token before */
    struct position position;

    struct xlp_json *stack;
    size_t top, room;
    size_t first_child[XLP_JSON_DEPTH_MAX];
    size_t depth;
    size_t values_left;

    char *key; /* read, its value not yet */
    struct position key_position;

    char *error;
    size_t error_size;
};

static bool parse_text(struct parser *p);
static int on_null(void *context);
static int on_bool(void *context, int value);
static int on_number(void *context, const char *token, size_t length);
static int on_string(void *context, const unsigned char *text, size_t length);
static int on_open_object(void *context);
static int on_key(void *context, const unsigned char *text, size_t length);
static int on_close_object(void *context);
static int on_open_array(void *context);
static int on_close_array(void *context);

struct xlp_json *xlp_json_parse(const char *text, size_t length, size_t max_values, char *error,
                                size_t error_size)
{
    return xlp_json_parse_line(text, length, 1, max_values, error, error_size);
}

struct xlp_json *xlp_json_parse_line(const char *text, size_t length, unsigned int line,
                                     size_t max_values, char *error, size_t error_size)
{
    static const yajl_callbacks callbacks = {
        .yajl_null = on_null,
        .yajl_boolean = on_bool,
        .yajl_number = on_number,
        .yajl_string = on_string,
        .yajl_start_map = on_open_object,
        .yajl_map_key = on_key,
        .yajl_end_map = on_close_object,
        .yajl_start_array = on_open_array,
        .yajl_end_array = on_close_array,
    };
    struct parser p = {
        .text = text,
        .length = length,
        .position = {.line = line, .column = 1},
        .values_left = max_values,
        .error = error,
        .error_size = error_size,
    };
    struct xlp_json *root = NULL;

    snprintf(error, error_size, "memory is out");
    p.c_locale = newlocale(LC_ALL_MASK, "C", NULL);
    p.yajl = yajl_alloc(&callbacks, NULL, &p);
    if (!p.c_locale || !p.yajl || !parse_text(&p))
        goto out;

    root = malloc(sizeof(*root));
    if (!root) {
        snprintf(error, error_size, "memory is out");
        goto out;
    }
    *root = p.stack[--p.top];
    if (error_size > 0)
        error[0] = '\0';

out:
    while (p.top > 0)
        xlp_json_dispose(&p.stack[--p.top]);
    free(p.stack);
    free(p.key);
    if (p.yajl)
        yajl_free(p.yajl);
    if (p.c_locale)
        freelocale(p.c_locale);
    return root;
}

/* ---- where things stand ---- */

static void advance(struct position *at, const char *text, size_t offset)
{
    for (; at->offset < offset; at->offset++) {
        if (text[at->offset] == '\n') {
            at->line++;
            at->column = 1;
        } else if (((unsigned char)text[at->offset] & 0xc0) != 0x80) {
            at->column++; /* characters, not bytes */
        }
    }
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/*
 * libyajl tells how much it has consumed when a token is complete, or wrong, but not where that
 * token began: it began after the token before and the blanks, commas and colons that follow that
 * one. The last byte consumed is not skipped: if it is a comma or a colon, that is the token, one
 * too many.
 */
static void find_token(struct parser *p, size_t consumed)
{
    size_t start = p->token_end;

    while (start + 1 < consumed &&
           (is_blank(p->text[start]) || p->text[start] == ',' || p->text[start] == ':'))
        start++;
    while (start < p->length && is_blank(p->text[start]))
        start++;
    advance(&p->position, p->text, start);
}

/* Called once by every callback: finds the token it is about and passes it. */
static void take_token(struct parser *p)
{
    size_t consumed = p->at_end ? p->length : yajl_get_bytes_consumed(p->yajl);

    find_token(p, consumed);
    p->token_end = consumed;
}

__attribute__((format(printf, 3, 4))) static int fail(struct parser *p, const struct position *at,
                                                      const char *format, ...)
{
    char what[256];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    xlp_utf8_make_printable(what);
    snprintf(p->error, p->error_size, "line %u, column %u: %s", at->line, at->column, what);
    return 0;
}

static int out_of_memory(struct parser *p)
{
    snprintf(p->error, p->error_size, "memory is out");
    return 0;
}

/* ---- the text as a whole ---- */

static void explain_syntax_error(struct parser *p, size_t consumed)
{
    unsigned char *text = yajl_get_error(p->yajl, 0, NULL, 0);
    const char *what = text ? (const char *)text : "parse error: not JSON";
    const char *colon = strstr(what, ": ");

    find_token(p, consumed);
    if (colon)
        what = colon + 2;
    if (strncmp(what, "premature EOF", 13) == 0)
        what = "the text ends before the value does";
    int length = (int)strcspn(what, "\n");
    if (length > 0 && what[length - 1] == '.')
        length--;
    fail(p, &p->position, "%.*s", length, what);
    if (text)
        yajl_free_error(p->yajl, text);
}

static bool parse_text(struct parser *p)
{
    if (p->length > TEXT_MAX)
        return fail(p, &p->position, "the text is longer than %zu MiB", TEXT_MAX >> 20);

    size_t valid = xlp_utf8_valid_prefix(p->text, p->length);
    if (valid < p->length) {
        advance(&p->position, p->text, valid);
        return fail(p, &p->position, "this byte is not UTF-8");
    }
    yajl_config(p->yajl, yajl_dont_validate_strings, 1);

    yajl_status status = yajl_parse(p->yajl, (const unsigned char *)p->text, p->length);
    size_t consumed = yajl_get_bytes_consumed(p->yajl);
    if (status == yajl_status_ok) {
        p->at_end = true;
        status = yajl_complete_parse(p->yajl);
        consumed = p->length;
    }
    if (status == yajl_status_error)
        explain_syntax_error(p, consumed);
    return status == yajl_status_ok;
}

/* ---- values ---- */

/* Puts a value on the stack, at the position of the token, under the key that waits for it. */
static struct xlp_json *push(struct parser *p, enum xlp_json_kind kind)
{
    if (p->values_left == 0) {
        fail(p, &p->position, "too many values");
        return NULL;
    }
    if (p->top == p->room) {
        size_t room = p->room > 0 ? p->room * 2 : 64;
        struct xlp_json *stack = realloc(p->stack, room * sizeof(*stack));
        if (!stack) {
            out_of_memory(p);
            return NULL;
        }
        p->stack = stack;
        p->room = room;
    }
    p->values_left--;

    struct xlp_json *v = &p->stack[p->top++];
    *v = (struct xlp_json){
        .kind = kind,
        .line = p->position.line,
        .column = p->position.column,
        .key = p->key,
        .key_line = p->key_position.line,
        .key_column = p->key_position.column,
    };
    p->key = NULL;
    return v;
}

static int on_null(void *context)
{
    struct parser *p = context;

    take_token(p);
    return push(p, XLP_JSON_NULL) != NULL;
}

static int on_bool(void *context, int value)
{
    struct parser *p = context;

    take_token(p);
    struct xlp_json *v = push(p, XLP_JSON_BOOL);
    if (!v)
        return 0;
    v->boolean = value != 0;
    return 1;
}

/* Reads digits alone, which libyajl has checked to be a number. */
static bool read_whole(const char *digits, uint64_t *magnitude_out)
{
    uint64_t magnitude = 0;

    for (; *digits; digits++) {
        if (*digits < '0' || *digits > '9' || __builtin_mul_overflow(magnitude, 10, &magnitude) ||
            __builtin_add_overflow(magnitude, (uint64_t)(*digits - '0'), &magnitude))
            return false;
    }
    *magnitude_out = magnitude;
    return true;
}

static int on_number(void *context, const char *token, size_t length)
{
    struct parser *p = context;
    char text[NUMBER_CHARS_MAX + 1];

    take_token(p);
    if (length > NUMBER_CHARS_MAX)
        return fail(p, &p->position, "a number of more than %d characters", NUMBER_CHARS_MAX);
    memcpy(text, token, length);
    text[length] = '\0';

    struct xlp_json *v = push(p, XLP_JSON_NUMBER);
    if (!v)
        return 0;
    v->number.value = strtod_l(text, NULL, p->c_locale);
    if (!isfinite(v->number.value))
        return fail(p, &p->position, "the number %.40s is out of range", text);
    v->number.negative = text[0] == '-';
    v->number.whole = read_whole(text + v->number.negative, &v->number.magnitude);
    return 1;
}

/* ---- strings ---- */

static unsigned int read_hex4(const char *digits)
{
    char text[5] = {digits[0], digits[1], digits[2], digits[3], '\0'};

    return (unsigned int)strtoul(text, NULL, 16);
}

/*
 * libyajl decodes a lone surrogate into '?' or into bytes that are not UTF-8, and \u0000 into a
 * NUL. So the escapes are looked at as they stand in the text, where it has checked their form.
 */
static int check_escapes(struct parser *p, const char *raw, size_t length)
{
    for (size_t i = 0; i + 1 < length; i++) {
        if (raw[i] != '\\')
            continue;
        i++;
        if (raw[i] != 'u')
            continue;

        unsigned int unit = read_hex4(raw + i + 1);
        i += 4;
        if (unit == 0)
            return fail(p, &p->position, "a string with \\u0000 in it");
        if (unit < 0xd800 || unit > 0xdfff)
            continue;
        bool paired = unit < 0xdc00 && raw[i + 1] == '\\' && raw[i + 2] == 'u';
        unsigned int second = paired ? read_hex4(raw + i + 3) : 0;
        if (second < 0xdc00 || second > 0xdfff)
            return fail(p, &p->position, "a string with half a surrogate pair in it");
        i += 6;
    }
    return 1;
}

/* The string of this token, decoded by libyajl into text: a copy, NULL when it is refused. */
static char *take_string(struct parser *p, const unsigned char *text, size_t length)
{
    take_token(p);
    if (!check_escapes(p, p->text + p->position.offset, p->token_end - p->position.offset))
        return NULL;

    char *copy = malloc(length + 1);
    if (!copy) {
        out_of_memory(p);
        return NULL;
    }
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

static int on_string(void *context, const unsigned char *text, size_t length)
{
    struct parser *p = context;
    char *string = take_string(p, text, length);

    if (!string)
        return 0;
    struct xlp_json *v = push(p, XLP_JSON_STRING);
    if (!v) {
        free(string);
        return 0;
    }
    v->string = string;
    return 1;
}

static int on_key(void *context, const unsigned char *text, size_t length)
{
    struct parser *p = context;

    p->key = take_string(p, text, length);
    p->key_position = p->position;
    return p->key != NULL;
}

/* ---- containers ---- */

static int open_container(struct parser *p, enum xlp_json_kind kind)
{
    take_token(p);
    if (p->depth == XLP_JSON_DEPTH_MAX)
        return fail(p, &p->position, "nested more than %d deep", XLP_JSON_DEPTH_MAX);
    if (!push(p, kind))
        return 0;
    p->first_child[p->depth++] = p->top;
    return 1;
}

static int close_container(struct parser *p)
{
    size_t first = p->first_child[p->depth - 1];
    size_t count = p->top - first;
    struct xlp_json *container = &p->stack[first - 1];

    take_token(p);
    if (count > 0) {
        struct xlp_json *items = malloc(count * sizeof(*items));
        if (!items)
            return out_of_memory(p);
        memcpy(items, &p->stack[first], count * sizeof(*items));
        container->children.items = items;
        container->children.count = count;
    }
    p->top = first;
    p->depth--;
    return 1;
}

static int by_key_then_place(const void *a, const void *b)
{
    const struct xlp_json *const *left = a, *const *right = b;
    int order = strcmp((*left)->key, (*right)->key);

    return order != 0 ? order : (*left > *right) - (*left < *right);
}

/* Sorts, since the keys of a hostile object are many. */
static int check_duplicates(struct parser *p, const struct xlp_json *object)
{
    size_t count = object->children.count;
    const struct xlp_json **sorted = malloc((count + 1) * sizeof(*sorted));
    const struct xlp_json *twice = NULL;

    if (!sorted)
        return out_of_memory(p);
    for (size_t i = 0; i < count; i++)
        sorted[i] = &object->children.items[i];
    qsort(sorted, count, sizeof(*sorted), by_key_then_place);
    for (size_t i = 1; i < count; i++)
        if (strcmp(sorted[i - 1]->key, sorted[i]->key) == 0 && (!twice || sorted[i] < twice))
            twice = sorted[i];
    free(sorted);
    if (!twice)
        return 1;

    struct position at = {.line = twice->key_line, .column = twice->key_column};
    return fail(p, &at, "the key \"%.64s\" stands here a second time", twice->key);
}

static int on_open_object(void *context)
{
    return open_container(context, XLP_JSON_OBJECT);
}

static int on_close_object(void *context)
{
    struct parser *p = context;

    return close_container(p) && check_duplicates(p, &p->stack[p->top - 1]);
}

static int on_open_array(void *context)
{
    return open_container(context, XLP_JSON_ARRAY);
}

static int on_close_array(void *context)
{
    return close_container(context);
}
