/* SPDX-License-Identifier: LGPL-2.1-only */
/* Reading the configuration file, through libxlutil. */
#include "config.h"

#include <errno.h>
#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxlutil.h>

#include "config_scan.h"
#include "config_text.h"
#include "words.h"

#define CONFIG_NAMES_MAX 256
#define DOMAINS_KEY      "domains"
#define CONFIG_TEXT_SIZE 256

const struct config_key config_keys[] = {
    {"mode", CONFIG_CHOICE, offsetof(struct config, mode), "advise act pause", "advise",
     "advise: say what would be done; act: do it; pause: only look"},
    {"control_group", CONFIG_GROUP, offsetof(struct config, control_group), NULL, "",
     "members of this group may ask over the control socket; only root may change anything"},
    {"log", CONFIG_CHOICE, offsetof(struct config, log), "auto syslog stderr", "auto",
     "where the log goes; auto: stderr in the foreground, else syslog"},
    {"metrics_file", CONFIG_PATH, offsetof(struct config, metrics_file), NULL, "",
     "where metrics are written for node_exporter's textfile collector"},
};

const size_t config_key_count = sizeof(config_keys) / sizeof(config_keys[0]);

/* One text on its way into a configuration. */
struct reading {
    const char *path;
    XLU_Config *parsed;
    struct config_name *names;
    size_t name_count;
    struct config result;
    char *error;
    size_t error_size;
};

static int list_names(struct reading *r, const char *text, size_t length);
static int take_name(struct reading *r, size_t i);
static int take_domains(struct reading *r, unsigned int line);
static int check_together(struct reading *r);
static int take_key(struct reading *r, const struct config_key *key, unsigned int line,
                    const char *value);
static int fail(struct reading *r, unsigned int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void config_init(struct config *c)
{
    memset(c, 0, sizeof(*c));
    xlp_policy_init(&c->policy);
}

void config_dispose(struct config *c)
{
    xlp_policy_dispose(&c->policy);
}

int config_mode_by_name(const char *name, int *mode_out)
{
    int mode = words_index(config_keys[0].choices, name);

    if (mode < 0)
        return -1;
    *mode_out = mode;
    return 0;
}

const char *config_mode_name(int mode)
{
    static const char *const names[] = {"advise", "act", "pause"};

    return names[mode];
}

gid_t config_group_id(const struct config *c)
{
    const struct group *group = c->control_group[0] ? getgrnam(c->control_group) : NULL;

    return group ? group->gr_gid : (gid_t)-1;
}

int config_read(struct config *c, const char *path, char *error, size_t error_size)
{
    size_t length;
    int result;
    char *text = config_text_read(path, CONFIG_FILE_MAX, &length, error, error_size);

    if (!text)
        return errno == ENOENT ? CONFIG_MISSING : CONFIG_WRONG;
    result = config_parse(c, text, length, path, error, error_size);
    free(text);
    return result;
}

int config_parse(struct config *c, const char *text, size_t length, const char *path, char *error,
                 size_t error_size)
{
    struct reading r = {.path = path, .error = error, .error_size = error_size};
    int result = CONFIG_WRONG;

    config_init(&r.result);
    r.parsed = config_text_parse(text, length, path, error, error_size);
    if (!r.parsed || list_names(&r, text, length) < 0)
        goto out;
    for (size_t i = 0; i < r.name_count; i++)
        if (take_name(&r, i) < 0)
            goto out;
    if (check_together(&r) < 0)
        goto out;
    config_dispose(c);
    *c = r.result;
    config_init(&r.result);
    result = CONFIG_OK;
out:
    free(r.names);
    if (r.parsed)
        xlu_cfg_destroy(r.parsed);
    config_dispose(&r.result);
    return result;
}

/* ---- from text to settings ---- */

static int list_names(struct reading *r, const char *text, size_t length)
{
    r->names = calloc(CONFIG_NAMES_MAX, sizeof(*r->names));
    if (!r->names) {
        snprintf(r->error, r->error_size, "%s: out of memory", r->path);
        return -1;
    }
    r->name_count = config_scan(text, length, r->names, CONFIG_NAMES_MAX);
    if (r->name_count > CONFIG_NAMES_MAX) {
        snprintf(r->error, r->error_size, "%s: more than %d settings", r->path, CONFIG_NAMES_MAX);
        return -1;
    }
    return 0;
}

static const struct config_key *key_by_name(const char *name)
{
    for (size_t i = 0; i < config_key_count; i++)
        if (strcmp(config_keys[i].name, name) == 0)
            return &config_keys[i];
    return NULL;
}

static int take_name(struct reading *r, size_t i)
{
    const struct config_name *n = &r->names[i];
    const struct config_key *key = key_by_name(n->name);
    bool is_domains = strcmp(n->name, DOMAINS_KEY) == 0;
    char text[CONFIG_TEXT_SIZE];
    const char *value;

    if (!is_domains && !key && !xlp_setting_by_name(n->name)) {
        value = config_name_nearest(n->name);
        return fail(r, n->line, "%s: there is no such setting%s%s%s", n->name,
                    value ? "; did you mean " : "", value ? value : "", value ? "?" : "");
    }
    if (n->adds && !is_domains)
        return fail(r, n->line, "%s: += is for lists; use =", n->name);
    for (size_t j = 0; j < i; j++)
        if (strcmp(r->names[j].name, n->name) == 0)
            return n->adds ? 0
                           : fail(r, n->line, "%s: set a second time (first on line %u)", n->name,
                                  r->names[j].line);
    if (is_domains)
        return take_domains(r, n->line);
    if (xlu_cfg_get_string(r->parsed, n->name, &value, 1) != 0)
        return fail(r, n->line, "%s: is a list, but should be one value", n->name);
    if (key)
        return take_key(r, key, n->line, value);
    if (xlp_policy_set(&r->result.policy, n->name, value, text, sizeof(text)) < 0)
        return fail(r, n->line, "%s", text);
    return 0;
}

/* Names the last line that has to do with it. */
static int check_together(struct reading *r)
{
    char text[CONFIG_TEXT_SIZE];
    unsigned int line = 0;

    if (xlp_policy_check(&r->result.policy, text, sizeof(text)) == 0)
        return 0;
    for (size_t i = 0; i < r->name_count; i++)
        if (strstr(text, r->names[i].name))
            line = r->names[i].line;
    return fail(r, line, "%s", text);
}

static int take_domains(struct reading *r, unsigned int line)
{
    XLU_ConfigList *list;
    int count;
    char text[CONFIG_TEXT_SIZE];

    if (xlu_cfg_get_list(r->parsed, DOMAINS_KEY, &list, &count, 1) != 0)
        return fail(r, line, "domains: should be a list: [ \"NAME: key=value, ...\" ]");
    for (int i = 0; i < count; i++) {
        const char *item = xlu_cfg_get_listitem(list, i);

        if (!item)
            return fail(r, line, "domains: entry %d is a list, but should be text", i + 1);
        if (xlp_policy_add_domain(&r->result.policy, item, text, sizeof(text)) < 0)
            return fail(r, line, "%s", text);
    }
    return 0;
}

static int take_key(struct reading *r, const struct config_key *key, unsigned int line,
                    const char *value)
{
    void *field = (char *)&r->result + key->offset;
    int chosen;

    switch (key->kind) {
    case CONFIG_CHOICE:
        chosen = words_index(key->choices, value);
        if (chosen < 0)
            return fail(r, line, "%s: \"%s\" is not one of: %s", key->name, value, key->choices);
        *(int *)field = chosen;
        break;
    case CONFIG_GROUP:
        if (strlen(value) >= CONFIG_GROUP_SIZE || (value[0] && !getgrnam(value)))
            return fail(r, line, "%s: there is no group \"%s\"", key->name, value);
        snprintf(field, CONFIG_GROUP_SIZE, "%s", value);
        break;
    case CONFIG_PATH:
        if (strlen(value) >= CONFIG_PATH_SIZE || (value[0] && value[0] != '/'))
            return fail(r, line, "%s: should be a path that begins with / and is not too long",
                        key->name);
        snprintf(field, CONFIG_PATH_SIZE, "%s", value);
        break;
    }
    return 0;
}

/* ---- messages ---- */

/* With more than half of its letters off, it is another word. */
static void consider(const char *name, const char *candidate, size_t *least, const char **nearest)
{
    size_t distance = words_distance(name, candidate);

    if (distance < *least && distance <= strlen(candidate) / 2) {
        *least = distance;
        *nearest = candidate;
    }
}

const char *config_name_nearest(const char *name)
{
    const char *nearest = NULL;
    size_t least = 3;

    consider(name, DOMAINS_KEY, &least, &nearest);
    for (size_t i = 0; i < config_key_count; i++)
        consider(name, config_keys[i].name, &least, &nearest);
    for (size_t i = 0; i < xlp_setting_count; i++)
        consider(name, xlp_settings[i].name, &least, &nearest);
    return nearest;
}

static int fail(struct reading *r, unsigned int line, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    config_text_error(r->path, line, r->error, r->error_size, format, arguments);
    va_end(arguments);
    return -1;
}
