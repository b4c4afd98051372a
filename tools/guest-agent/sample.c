/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Reading /proc: see sample.h. The three files are lists of lines that start with a name, so one
 * search serves all of them.
 */
#include "sample.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* /proc/vmstat, the longest, has 4 to 5 KiB. */
#define FILE_ROOM 16384

#define CENTIPCT_MAX 10000

static int read_file(const char *dir, const char *name, char text_out[FILE_ROOM]);
static uint64_t value_of(const char *text, const char *name, uint64_t otherwise);
static void read_pressure_line(const char *text, const char *kind, uint64_t *avg10_centipct,
                               uint64_t *total_us);
static const char *find_line(const char *text, const char *name);
static const char *find_in_line(const char *line, const char *key);
static uint64_t parse_number(const char *digits, const char **end_out);
static uint64_t parse_centipct(const char *text);
static uint64_t at_most(uint64_t value, uint64_t limit);

int sample_memory(const char *proc_dir, struct memory_sample *sample_out)
{
    char text[FILE_ROOM];
    int rc = read_file(proc_dir, "meminfo", text);

    if (rc)
        return rc;

    struct memory_sample sample = {
        .total_kib = value_of(text, "MemTotal:", 0),
        .free_kib = value_of(text, "MemFree:", 0),
        .swap_total_kib = value_of(text, "SwapTotal:", 0),
    };
    if (sample.total_kib == 0)
        return -ENODATA;

    /*
     * The kernel does not take these numbers at one moment, so while a balloon moves a part can
     * exceed the whole. Before Linux 3.14 there is no MemAvailable: free is then all we can vouch
     * for.
     */
    sample.free_kib = at_most(sample.free_kib, sample.total_kib);
    sample.avail_kib = at_most(value_of(text, "MemAvailable:", sample.free_kib), sample.total_kib);
    sample.swap_used_kib =
        sample.swap_total_kib - at_most(value_of(text, "SwapFree:", 0), sample.swap_total_kib);
    *sample_out = sample;
    return 0;
}

void sample_stress(const char *proc_dir, struct stress_sample *sample_out)
{
    struct stress_sample sample = {0};
    char text[FILE_ROOM];

    if (read_file(proc_dir, "vmstat", text) == 0) {
        sample.pswpin = value_of(text, "pswpin", 0);
        sample.pswpout = value_of(text, "pswpout", 0);
        sample.refault_anon = value_of(text, "workingset_refault_anon", 0);
        /* Before Linux 5.9 there was one counter, and only file pages were in it. */
        sample.refault_file =
            value_of(text, "workingset_refault_file", value_of(text, "workingset_refault", 0));
        sample.oom_kill = value_of(text, "oom_kill", 0);
    }
    if (read_file(proc_dir, "pressure/memory", text) == 0) {
        read_pressure_line(text, "some", &sample.psi_some_avg10_centipct, &sample.psi_some_us);
        read_pressure_line(text, "full", &sample.psi_full_avg10_centipct, &sample.psi_full_us);
    }
    *sample_out = sample;
}

/* The whole file as a string. A file longer than the room is cut: what we want comes early. */
static int read_file(const char *dir, const char *name, char text_out[FILE_ROOM])
{
    char path[PATH_MAX];
    int path_len = snprintf(path, sizeof(path), "%s/%s", dir, name);
    size_t len = 0;
    ssize_t n;

    if (path_len < 0 || (size_t)path_len >= sizeof(path))
        return -ENAMETOOLONG;

    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    do {
        n = read(fd, text_out + len, FILE_ROOM - 1 - len);
        if (n > 0)
            len += (size_t)n;
    } while (n > 0 || (n < 0 && errno == EINTR));

    /* Reading pressure from a kernel that was booted with psi=0 fails here, not at open. */
    int rc = n < 0 ? -errno : 0;
    text_out[len] = '\0';
    close(fd);
    return rc;
}

/* The number after a line's name, or otherwise if there is no such line. */
static uint64_t value_of(const char *text, const char *name, uint64_t otherwise)
{
    const char *rest = find_line(text, name);

    return rest ? parse_number(rest, NULL) : otherwise;
}

/* A line such as "some avg10=1.25 avg60=0.40 avg300=0.08 total=123456". */
static void read_pressure_line(const char *text, const char *kind, uint64_t *avg10_centipct,
                               uint64_t *total_us)
{
    const char *line = find_line(text, kind);
    const char *value;

    if (line == NULL)
        return;
    value = find_in_line(line, "avg10=");
    if (value)
        *avg10_centipct = at_most(parse_centipct(value), CENTIPCT_MAX);
    value = find_in_line(line, "total=");
    if (value)
        *total_us = parse_number(value, NULL);
}

/* What follows the name and its blanks on the line that starts with exactly this name, or NULL. */
static const char *find_line(const char *text, const char *name)
{
    size_t len = strlen(name);

    while (text) {
        if (strncmp(text, name, len) == 0 && text[len] == ' ')
            return text + len + strspn(text + len, " ");
        text = strchr(text, '\n');
        if (text)
            text++;
    }
    return NULL;
}

static const char *find_in_line(const char *line, const char *key)
{
    const char *found = strstr(line, key);
    const char *line_end = strchrnul(line, '\n');

    return found && found < line_end ? found + strlen(key) : NULL;
}

static uint64_t parse_number(const char *digits, const char **end_out)
{
    uint64_t value = 0;

    while (*digits >= '0' && *digits <= '9')
        value = value * 10 + (uint64_t)(*digits++ - '0');
    if (end_out)
        *end_out = digits;
    return value;
}

/* "12.34" is 1234; the kernel prints two decimals. */
static uint64_t parse_centipct(const char *text)
{
    const char *end;
    uint64_t centipct = parse_number(text, &end) * 100;

    if (end[0] == '.' && end[1] >= '0' && end[1] <= '9') {
        centipct += (uint64_t)(end[1] - '0') * 10;
        if (end[2] >= '0' && end[2] <= '9')
            centipct += (uint64_t)(end[2] - '0');
    }
    return centipct;
}

static uint64_t at_most(uint64_t value, uint64_t limit)
{
    return value < limit ? value : limit;
}
