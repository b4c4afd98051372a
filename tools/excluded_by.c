/* SPDX-License-Identifier: LGPL-2.1-only */
#include "excluded_by.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../daemon/config.h"
#include "../daemon/config_scan.h"
#include "../daemon/config_text.h"
#include "daemon_request.h"

#define ENTRY_SIZE 400
#define NAMES_MAX  256
#define LINES_MAX  1024

static unsigned int line_in_file(const char *path, size_t index, const char *pattern);
static unsigned int line_in_text(const char *text, size_t length, size_t index);
static bool stands_on(const char *text, unsigned int line, const char *pattern);

bool excluded_by(const struct source *source, const char *name, enum xlp_reason_code part,
                 char *text, size_t size)
{
    const struct xlp_policy *policy = &source->policy;
    const char *path = source->status ? daemon_string(source->status, "config") : NULL;
    char entry[ENTRY_SIZE];
    size_t used;

    for (size_t i = policy->domain_count; i > 0; i--) { /* later entries win */
        const struct xlp_domain_policy *d = &policy->domains[i - 1];
        unsigned int line;

        if (fnmatch(d->pattern, name, 0) != 0 ||
            (part == XLP_REASON_CPU_EXCLUDED ? d->cpu : d->memory))
            continue;
        used = (size_t)snprintf(text, size, "excluded by domains \"%s\"",
                                xlp_domain_policy_format(d, entry, sizeof(entry)));
        line = path ? line_in_file(path, i - 1, d->pattern) : 0;
        if (line && used < size)
            snprintf(text + used, size - used, " (%s:%u)", path, line);
        return true;
    }
    return false;
}

/* Of the index-th entry of "domains"; 0 where the file, as it is now, does not have it there. */
static unsigned int line_in_file(const char *path, size_t index, const char *pattern)
{
    char error[256];
    size_t length;
    char *text = config_text_read(path, CONFIG_FILE_MAX, &length, error, sizeof(error));
    char *ended = text ? realloc(text, length + 1) : NULL;
    unsigned int line;

    if (!ended) {
        free(text);
        return 0;
    }
    ended[length] = '\0';
    line = line_in_text(ended, length, index);
    if (line && !stands_on(ended, line, pattern))
        line = 0;
    free(ended);
    return line;
}

/* All lists of that name, one after the other, are one. */
static unsigned int line_in_text(const char *text, size_t length, size_t index)
{
    static struct config_name names[NAMES_MAX];
    static unsigned int lines[LINES_MAX];
    size_t count = config_scan(text, length, names, NAMES_MAX);

    for (size_t i = 0; i < count && i < NAMES_MAX; i++) {
        size_t entries;

        if (strcmp(names[i].name, "domains") != 0)
            continue;
        entries = config_scan_list(text, length, &names[i], lines, LINES_MAX);
        if (index < entries)
            return index < LINES_MAX ? lines[index] : 0;
        index -= entries;
    }
    return 0;
}

static bool stands_on(const char *text, unsigned int line, const char *pattern)
{
    const char *at = text, *found;

    for (; line > 1; line--) {
        at = strchr(at, '\n');
        if (!at)
            return false;
        at++;
    }
    found = strstr(at, pattern);
    return found && found < at + strcspn(at, "\n");
}
