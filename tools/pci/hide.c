/* SPDX-License-Identifier: LGPL-2.1-only */
#include "hide.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define FORM "the form is (0000:01:00.0)(0000:01:00.1)"

struct reading {
    const char *text, *at;
    char *error;
    size_t error_size;
};

static int read_entry(struct reading *r, struct pci_hidden *hidden_out);
static int read_functions(struct reading *r, struct pci_hidden *hidden);
static int read_hex(struct reading *r, const char *what, unsigned int max, unsigned int *value_out);
static int take(struct reading *r, char c);
static bool starts(const struct reading *r, const char *prefix);
static int fail(struct reading *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

int pci_hide_parse(const char *text, struct pci_hidden *hidden, size_t room, char *error,
                   size_t error_size)
{
    struct reading r = {text, text, error, error_size};
    struct pci_hidden found;
    size_t count = 0;

    if (!*text)
        return fail(&r, "nothing is named: " FORM);
    while (*r.at) {
        if (read_entry(&r, &found) < 0)
            return -1;
        if (count < room)
            hidden[count] = found;
        count++;
    }
    return (int)count;
}

/* "(" [DOMAIN ":"] BUS ":" (SLOT "." (FUNCTION | "*") | "*.*") ")" */
static int read_entry(struct reading *r, struct pci_hidden *hidden_out)
{
    struct pci_hidden hidden = {.slot = PCI_HIDE_ALL, .function = PCI_HIDE_ALL};
    const char *start = r->at;
    size_t colons = 0;
    unsigned int value;

    if (*r->at == ',')
        return fail(r, "a comma, but entries follow one another without: " FORM);
    if (*r->at == ' ' || *r->at == '\t')
        return fail(r, "a blank, which would end the option: " FORM);
    if (take(r, '(') < 0)
        return -1;
    for (const char *c = r->at; *c && *c != ')'; c++)
        colons += *c == ':';
    if (colons > 1) {
        if (read_hex(r, "domain", 0xffff, &value) < 0 || take(r, ':') < 0)
            return -1;
        hidden.domain = (uint16_t)value;
    }
    if (read_hex(r, "bus", 0xff, &value) < 0 || take(r, ':') < 0)
        return -1;
    hidden.bus = (uint8_t)value;
    if (read_functions(r, &hidden) < 0)
        return -1;
    if (!*r->at) {
        r->at = start;
        return fail(r, "this parenthesis is never closed: " FORM);
    }
    if (take(r, ')') < 0)
        return -1;
    *hidden_out = hidden;
    return 0;
}

static int read_functions(struct reading *r, struct pci_hidden *hidden)
{
    unsigned int value;

    if (starts(r, "*.*")) {
        r->at += 3;
        return 0;
    }
    if (read_hex(r, "slot", 0x1f, &value) < 0 || take(r, '.') < 0)
        return -1;
    hidden->slot = (int)value;
    if (*r->at == '*') {
        r->at++;
        return 0;
    }
    if (read_hex(r, "function", 7, &value) < 0)
        return -1;
    hidden->function = (int)value;
    return 0;
}

static int read_hex(struct reading *r, const char *what, unsigned int max, unsigned int *value_out)
{
    const char *start = r->at;
    unsigned int value = 0;

    for (; *r->at; r->at++) {
        const char *digits = "0123456789abcdef";
        const char *digit = strchr(digits, *r->at >= 'A' && *r->at <= 'F' ? *r->at | 0x20 : *r->at);

        if (!digit)
            break;
        value = value << 4 | (unsigned int)(digit - digits);
        if (value > max) {
            r->at = start;
            return fail(r, "the %s is more than %x", what, max);
        }
    }
    if (r->at == start)
        return fail(r, "no hexadecimal %s here: " FORM, what);
    *value_out = value;
    return 0;
}

static int take(struct reading *r, char c)
{
    if (*r->at != c)
        return fail(r, "\"%c\" is missing: " FORM, c);
    r->at++;
    return 0;
}

static bool starts(const struct reading *r, const char *prefix)
{
    return strncmp(r->at, prefix, strlen(prefix)) == 0;
}

static int fail(struct reading *r, const char *format, ...)
{
    va_list arguments;
    int used = snprintf(r->error, r->error_size,
                        "hide= at character %zu: ", (size_t)(r->at - r->text) + 1);

    va_start(arguments, format);
    if (used >= 0 && (size_t)used < r->error_size)
        vsnprintf(r->error + used, r->error_size - (size_t)used, format, arguments);
    va_end(arguments);
    return -1;
}
