/* SPDX-License-Identifier: LGPL-2.1-only */
/* A policy as JSON, by the table of settings: what the configuration file could say, as JSON. */
#include <stdlib.h>
#include <string.h>

#include "json/json.h"

static void read_setting(struct xlp_json_reader *r, const struct xlp_json *object, size_t i,
                         struct xlp_policy *p);
static void read_domains(struct xlp_json_reader *r, const struct xlp_json *array,
                         struct xlp_policy *p);

void xlp_policy_write(struct xlp_json_writer *w, const struct xlp_policy *p)
{
    char text[256];

    xlp_json_open_object(w);
    for (size_t i = 0; i < xlp_setting_count; i++) {
        const struct xlp_setting *setting = &xlp_settings[i];

        xlp_policy_get(p, setting, text, sizeof(text));
        if (setting->kind == XLP_SETTING_NUMBER)
            xlp_json_put_int(w, setting->name, strtoll(text, NULL, 10));
        else if (setting->kind == XLP_SETTING_BOOL)
            xlp_json_put_bool(w, setting->name, strcmp(text, "0") != 0);
        else
            xlp_json_put_string(w, setting->name, text);
    }
    if (p->domain_count > 0) {
        xlp_json_write_key(w, "domains");
        xlp_json_open_array(w);
        for (size_t i = 0; i < p->domain_count; i++)
            xlp_json_write_string(w, xlp_domain_policy_format(&p->domains[i], text, sizeof(text)));
        xlp_json_close_array(w);
    }
    xlp_json_close_object(w);
}

int xlp_policy_read(const struct xlp_json *v, struct xlp_policy *p, char *error, size_t error_size)
{
    struct xlp_json_reader r;

    xlp_policy_dispose(p);
    xlp_json_reader_init(&r, error, error_size);
    if (xlp_json_kind(v) != XLP_JSON_OBJECT)
        xlp_json_fail(&r, v, "a policy must be an object");
    for (size_t i = 0; i < xlp_json_count(v) && !r.failed; i++) {
        const char *name = xlp_json_key(v, i);

        if (strcmp(name, "domains") == 0)
            read_domains(&r, xlp_json_read_array(&r, v, "domains", XLP_JSON_REQUIRED), p);
        else
            read_setting(&r, v, i, p);
    }
    if (r.failed)
        xlp_policy_dispose(p);
    return xlp_json_done(&r);
}

/* The words of the configuration file for this value; NULL when it has none. */
static const char *as_text(const struct xlp_json *v, char *text, size_t size)
{
    int64_t number;

    if (xlp_json_kind(v) == XLP_JSON_BOOL)
        snprintf(text, size, "%d", xlp_json_double(v) != 0);
    else if (xlp_json_int(v, &number))
        snprintf(text, size, "%lld", (long long)number);
    else
        return xlp_json_string(v);
    return text;
}

static void read_setting(struct xlp_json_reader *r, const struct xlp_json *object, size_t i,
                         struct xlp_policy *p)
{
    char number[32], what[256];
    const char *name = xlp_json_key(object, i);
    const struct xlp_json *v = xlp_json_at(object, i);
    const struct xlp_setting *setting = xlp_setting_by_name(name);
    const char *text = as_text(v, number, sizeof(number));

    if (!setting)
        xlp_json_fail_at_key(r, object, i, "there is no setting \"%.64s\"", name);
    else if (!text || (xlp_json_kind(v) == XLP_JSON_BOOL && setting->kind != XLP_SETTING_BOOL))
        xlp_json_fail(r, v, "\"%s\" must be a number, a string or (where it is one) a truth value",
                      name);
    else if (xlp_policy_set(p, name, text, what, sizeof(what)) < 0)
        xlp_json_fail(r, v, "%s", what);
}

static void read_domains(struct xlp_json_reader *r, const struct xlp_json *array,
                         struct xlp_policy *p)
{
    char what[256];

    for (size_t i = 0; array && i < xlp_json_count(array) && !r->failed; i++) {
        const struct xlp_json *v = xlp_json_at(array, i);
        const char *text = xlp_json_string(v);

        if (!text)
            xlp_json_fail(r, v, "must be a string such as \"web*: shares=2000\"");
        else if (xlp_policy_add_domain(p, text, what, sizeof(what)) < 0)
            xlp_json_fail(r, v, "%s", what);
    }
}
