/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Just enough of xl's configuration syntax to find what is assigned: outside comments and strings,
 * "=" stands in assignments alone, and so a word before it is a name.
 */
#include "config_scan.h"

#include <stdio.h>
#include <string.h>

struct scanner {
    const char *text;
    size_t length, at;
    unsigned int line;
};

static size_t end_of_string(const struct scanner *s);
static size_t end_of_comment(const struct scanner *s);
static size_t end_of_run(const struct scanner *s, const char *members);
static bool take_assignment(struct scanner *s, struct config_name *name_out);

size_t config_scan(const char *text, size_t length, struct config_name *names, size_t room)
{
    struct scanner s = {.text = text, .length = length, .line = 1};
    struct config_name found;
    size_t count = 0;

    while (s.at < length) {
        char c = text[s.at];

        if (c == '#') {
            s.at = end_of_comment(&s);
        } else if (c == '"' || c == '\'') {
            s.at = end_of_string(&s);
        } else if (c >= 'a' && c <= 'z') {
            if (take_assignment(&s, &found)) {
                if (count < room)
                    names[count] = found;
                count++;
            }
        } else {
            s.line += c == '\n';
            s.at++;
        }
    }
    return count;
}

size_t config_scan_list(const char *text, size_t length, const struct config_name *found,
                        unsigned int *lines, size_t room)
{
    struct scanner s = {.text = text, .length = length, .at = found->value_at, .line = found->line};
    size_t count = 0, depth = 0;

    while (s.at < length) {
        char c = text[s.at];

        if (c == '#') {
            s.at = end_of_comment(&s);
        } else if (c == '"' || c == '\'') {
            if (depth == 1 && count < room)
                lines[count] = s.line;
            count += depth == 1;
            s.at = end_of_string(&s);
        } else if (depth > 0 && c >= '0' && c <= '9') {
            if (depth == 1 && count < room)
                lines[count] = s.line;
            count += depth == 1;
            s.at = end_of_run(&s, "0123456789abcdefABCDEFx");
        } else if (depth == 0 && !strchr(" \t\n[", c)) {
            break; /* no list after all */
        } else {
            depth += c == '[';
            depth -= c == ']';
            if (c == ']' && depth == 0)
                break;
            s.line += c == '\n';
            s.at++;
        }
    }
    return count;
}

/* The newline itself is left, to be counted. */
static size_t end_of_comment(const struct scanner *s)
{
    const char *newline = memchr(s->text + s->at, '\n', s->length - s->at);

    return newline ? (size_t)(newline - s->text) : s->length;
}

/* Past the closing quote; a string does not go on after the end of its line. */
static size_t end_of_string(const struct scanner *s)
{
    char quote = s->text[s->at];

    for (size_t i = s->at + 1; i < s->length; i++) {
        if (s->text[i] == '\n')
            return i;
        if (s->text[i] == quote)
            return i + 1;
        if (s->text[i] == '\\' && i + 1 < s->length && s->text[i + 1] != '\n')
            i++;
    }
    return s->length;
}

static size_t end_of_run(const struct scanner *s, const char *members)
{
    size_t i = s->at;

    while (i < s->length && s->text[i] && strchr(members, s->text[i]))
        i++;
    return i;
}

/* Moves past a word, and past the "=" or "+=" after it. True when there was one. */
static bool take_assignment(struct scanner *s, struct config_name *name_out)
{
    size_t start = s->at;

    s->at = end_of_run(s, "abcdefghijklmnopqrstuvwxyz0123456789_");
    snprintf(name_out->name, sizeof(name_out->name), "%.*s", (int)(s->at - start), s->text + start);
    name_out->line = s->line;
    s->at = end_of_run(s, " \t");
    name_out->adds = s->at < s->length && s->text[s->at] == '+';
    if (name_out->adds)
        s->at++;
    if (s->at >= s->length || s->text[s->at] != '=')
        return false;
    s->at++;
    name_out->value_at = s->at;
    return true;
}
