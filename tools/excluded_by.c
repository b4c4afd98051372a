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

static char *read_configuration(const char *path, size_t *length_out);
static void find_lines(const char *text, size_t length, const struct xlp_policy *policy,
                       unsigned int *entry_lines);

static const char *path_of(const struct source *source)
{
    return source->status ? daemon_string(source->status, "config") : NULL;
}

static bool is_anyone_excluded(const struct xlp_plan *plan)
{
    for (size_t i = 0; i < plan->verdict_count; i++)
        if (plan->verdicts[i].cpu.code == XLP_REASON_CPU_EXCLUDED ||
            plan->verdicts[i].weight.code == XLP_REASON_CPU_EXCLUDED ||
            plan->verdicts[i].memory.code == XLP_REASON_MEM_EXCLUDED)
            return true;
    return false;
}

void excluded_by_look_up(struct source *source)
{
    const char *path = path_of(source);
    size_t length;
    char *text;

    if (!path || source->policy.domain_count == 0 || !is_anyone_excluded(&source->plan))
        return;
    text = read_configuration(path, &length);
    source->entry_lines = calloc(source->policy.domain_count, sizeof(*source->entry_lines));
    if (text && source->entry_lines)
        find_lines(text, length, &source->policy, source->entry_lines);
    free(text);
}

bool excluded_by(const struct source *source, const char *name, enum xlp_reason_code part,
                 char *text, size_t size)
{
    const struct xlp_policy *policy = &source->policy;
    char entry[ENTRY_SIZE];
    size_t used;

    for (size_t i = policy->domain_count; i > 0; i--) { /* later entries win */
        const struct xlp_domain_policy *d = &policy->domains[i - 1];
        unsigned int line = source->entry_lines ? source->entry_lines[i - 1] : 0;

        if (fnmatch(d->pattern, name, 0) != 0 ||
            (part == XLP_REASON_CPU_EXCLUDED ? d->cpu : d->memory))
            continue;
        used = (size_t)snprintf(text, size, "excluded by domains \"%s\"",
                                xlp_domain_policy_format(d, entry, sizeof(entry)));
        if (line && used < size)
            snprintf(text + used, size - used, " (%s:%u)", path_of(source), line);
        return true;
    }
    return false;
}

/* Terminated; NULL when it cannot be read. */
static char *read_configuration(const char *path, size_t *length_out)
{
    char error[256];
    char *text = config_text_read(path, CONFIG_FILE_MAX, length_out, error, sizeof(error));
    char *ended = text ? realloc(text, *length_out + 1) : NULL;

    if (ended)
        ended[*length_out] = '\0';
    else
        free(text);
    return ended;
}

static const char *next_line(const char *at)
{
    at += strcspn(at, "\n");
    return at + (*at == '\n');
}

/* Of entries on these lines, which rise: 0 where the pattern is not there. */
static void note_lines(const char *text, const unsigned int *lines, size_t count,
                       const struct xlp_domain_policy *entries, unsigned int *entry_lines)
{
    unsigned int line = 1;

    for (size_t i = 0; i < count; i++) {
        const char *found;

        for (; line < lines[i]; line++)
            text = next_line(text);
        found = strstr(text, entries[i].pattern);
        entry_lines[i] = found && found < text + strcspn(text, "\n") ? line : 0;
    }
}

/* All lists of that name, one after the other, are one. */
static void find_lines(const char *text, size_t length, const struct xlp_policy *policy,
                       unsigned int *entry_lines)
{
    static struct config_name names[NAMES_MAX];
    static unsigned int lines[LINES_MAX];
    size_t count = config_scan(text, length, names, NAMES_MAX), first = 0;

    for (size_t i = 0; i < count && i < NAMES_MAX && first < policy->domain_count; i++) {
        size_t left = policy->domain_count - first, entries, known;

        if (strcmp(names[i].name, "domains") != 0)
            continue;
        entries = config_scan_list(text, length, &names[i], lines, LINES_MAX);
        known = entries < LINES_MAX ? entries : LINES_MAX;
        note_lines(text, lines, known < left ? known : left, &policy->domains[first],
                   &entry_lines[first]);
        first += entries;
    }
}
