/* SPDX-License-Identifier: LGPL-2.1-only */
/* Writing and reading recordings, line by line. */
#include "json/record.h"

#include <errno.h>
#include <string.h>

#include "grow.h"
#include "json/fields.h"

#define LINE_MAX_BYTES  ((size_t)64 << 20)
#define LINE_MAX_VALUES ((size_t)1 << 20)

/* ---- writing ---- */

struct xlp_recorder {
    FILE *file;
    struct xlp_json_writer *line;
    struct xlp_policy policy; /* as last written */
};

static bool same_policy(const struct xlp_policy *a, const struct xlp_policy *b)
{
    for (size_t i = 0; i < xlp_setting_count; i++) {
        size_t offset = xlp_settings[i].offset;
        if (memcmp((const char *)a + offset, (const char *)b + offset, sizeof(int64_t)) != 0)
            return false;
    }
    if (a->domain_count != b->domain_count)
        return false;
    for (size_t i = 0; i < a->domain_count; i++) {
        char left[256], right[256];

        xlp_domain_policy_format(&a->domains[i], left, sizeof(left));
        xlp_domain_policy_format(&b->domains[i], right, sizeof(right));
        if (strcmp(left, right) != 0)
            return false;
    }
    return true;
}

static void put_policy(struct xlp_recorder *recorder)
{
    xlp_json_write_key(recorder->line, "policy");
    xlp_policy_write(recorder->line, &recorder->policy);
}

static int write_line(struct xlp_recorder *recorder)
{
    size_t length;
    const char *text = xlp_json_text(recorder->line, &length);

    if (!text) {
        errno = ENOMEM;
        return -1;
    }
    if (fwrite(text, 1, length, recorder->file) != length || putc('\n', recorder->file) == EOF ||
        fflush(recorder->file) != 0)
        return -1;
    return 0;
}

static int write_header(struct xlp_recorder *recorder)
{
    xlp_json_open_object(recorder->line);
    xlp_json_put_int(recorder->line, "xlpolicy_recording", XLP_FORMAT_VERSION);
    xlp_json_put_string(recorder->line, "written_by", "xlpolicy " XLP_VERSION);
    put_policy(recorder);
    xlp_json_close_object(recorder->line);
    return write_line(recorder);
}

struct xlp_recorder *xlp_recorder_new(FILE *file, const struct xlp_policy *policy)
{
    struct xlp_recorder *recorder = calloc(1, sizeof(*recorder));

    if (!recorder)
        return NULL;
    recorder->file = file;
    xlp_policy_init(&recorder->policy);
    recorder->line = xlp_json_writer_new(false);
    if (recorder->line && xlp_policy_copy(&recorder->policy, policy) == 0) {
        if (write_header(recorder) == 0)
            return recorder;
    } else {
        errno = ENOMEM;
    }

    int saved = errno;
    xlp_recorder_free(recorder);
    errno = saved;
    return NULL;
}

void xlp_recorder_free(struct xlp_recorder *recorder)
{
    if (!recorder)
        return;
    xlp_json_writer_free(recorder->line);
    xlp_policy_dispose(&recorder->policy);
    free(recorder);
}

int xlp_recorder_add(struct xlp_recorder *recorder, const struct xlp_policy *policy,
                     const struct xlp_snapshot *s, const struct xlp_plan *plan)
{
    bool policy_changed = !same_policy(&recorder->policy, policy);

    if (policy_changed && xlp_policy_copy(&recorder->policy, policy) < 0) {
        errno = ENOMEM;
        return -1;
    }
    xlp_json_writer_reset(recorder->line);
    xlp_json_open_object(recorder->line);
    if (policy_changed)
        put_policy(recorder);
    xlp_json_write_key(recorder->line, "snapshot");
    xlp_snapshot_write(recorder->line, s);
    if (plan) {
        xlp_json_write_key(recorder->line, "plan");
        xlp_plan_write(recorder->line, plan);
    }
    xlp_json_close_object(recorder->line);
    return write_line(recorder);
}

/* ---- reading ---- */

struct xlp_recording {
    FILE *file;
    char *path;
    unsigned int line_number; /* of the line read last */
    char *line;               /* without its newline, not terminated */
    size_t length, room;
    bool whole; /* it had a newline */
    bool ended;
    struct xlp_policy policy;
    char note[512];
    char failure[512];
};

static int read_header(struct xlp_recording *recording);
static int read_tick(struct xlp_recording *recording, struct xlp_snapshot *s,
                     struct xlp_plan *plan);
static int read_line(struct xlp_recording *recording);

struct xlp_recording *xlp_recording_open(const char *path, char *error, size_t error_size)
{
    struct xlp_recording *recording = calloc(1, sizeof(*recording));

    if (!recording) {
        snprintf(error, error_size, "%s: memory is out", path);
        return NULL;
    }
    xlp_policy_init(&recording->policy);
    recording->path = strdup(path);
    recording->file = fopen(path, "re");
    if (!recording->path || !recording->file)
        snprintf(error, error_size, "%s: cannot be opened: %s", path, strerror(errno));
    else if (read_header(recording) < 0)
        snprintf(error, error_size, "%s", recording->failure);
    else
        return recording;
    xlp_recording_close(recording);
    return NULL;
}

void xlp_recording_close(struct xlp_recording *recording)
{
    if (!recording)
        return;
    if (recording->file)
        fclose(recording->file);
    xlp_policy_dispose(&recording->policy);
    free(recording->path);
    free(recording->line);
    free(recording);
}

int xlp_recording_next(struct xlp_recording *recording, struct xlp_snapshot *s,
                       struct xlp_plan *plan, char *error, size_t error_size)
{
    int rc = recording->failure[0] ? -1 : read_tick(recording, s, plan);

    if (rc < 0)
        snprintf(error, error_size, "%s", recording->failure);
    return rc;
}

const struct xlp_policy *xlp_recording_policy(const struct xlp_recording *recording)
{
    return &recording->policy;
}

const char *xlp_recording_note(const struct xlp_recording *recording)
{
    return recording->note;
}

static int fail(struct xlp_recording *recording, const char *what)
{
    snprintf(recording->failure, sizeof(recording->failure), "%s: %s", recording->path, what);
    return -1;
}

static struct xlp_json *parse_line(const struct xlp_recording *recording, char *what, size_t size)
{
    return xlp_json_parse_line(recording->line, recording->length, recording->line_number,
                               LINE_MAX_VALUES, what, size);
}

static int read_header(struct xlp_recording *recording)
{
    static const char *const known[] = {"xlpolicy_recording", "written_by", "policy", NULL};
    char what[256], error[280];
    struct xlp_json *line;
    const struct xlp_json *policy;
    struct xlp_json_reader r;
    int rc = read_line(recording);

    if (rc < 0)
        return -1;
    if (rc == 0)
        return fail(recording, "is empty, not a recording");

    line = parse_line(recording, what, sizeof(what));
    rc = -1;
    if (!line) {
        snprintf(error, sizeof(error), "is no recording: %s", what);
        return fail(recording, error);
    }
    xlp_json_reader_init(&r, what, sizeof(what));
    xlp_json_read_version(&r, line, "xlpolicy_recording");
    xlp_json_check_keys(&r, line, known);
    policy = xlp_json_read_object(&r, line, "policy", XLP_JSON_REQUIRED);
    if (policy)
        rc = xlp_policy_read(policy, &recording->policy, what, sizeof(what));
    xlp_json_free(line);
    return rc < 0 ? fail(recording, what) : 0;
}

/* The members of one line; plan may be NULL. */
static int read_members(struct xlp_recording *recording, const struct xlp_json *line,
                        struct xlp_snapshot *s, struct xlp_plan *plan, char *what, size_t size)
{
    static const char *const known[] = {"policy", "snapshot", "plan", NULL};
    struct xlp_json_reader r;

    xlp_json_reader_init(&r, what, size);
    xlp_json_check_keys(&r, line, known);
    const struct xlp_json *policy = xlp_json_read_object(&r, line, "policy", XLP_JSON_OPTIONAL);
    const struct xlp_json *seen = xlp_json_read_object(&r, line, "snapshot", XLP_JSON_REQUIRED);
    const struct xlp_json *planned = xlp_json_read_object(&r, line, "plan", XLP_JSON_OPTIONAL);

    if (xlp_json_done(&r) < 0)
        return -1;
    if (policy && xlp_policy_read(policy, &recording->policy, what, size) < 0)
        return -1;
    if (plan)
        xlp_plan_reset(plan);
    if (plan && planned && xlp_plan_read(planned, plan, what, size) < 0)
        return -1;
    return xlp_snapshot_read(seen, s, what, size);
}

static int read_tick(struct xlp_recording *recording, struct xlp_snapshot *s, struct xlp_plan *plan)
{
    char what[256];
    int rc = recording->ended ? 0 : read_line(recording);

    if (rc <= 0)
        return rc;

    struct xlp_json *line = parse_line(recording, what, sizeof(what));
    if (!line && !recording->whole) {
        recording->ended = true;
        snprintf(recording->note, sizeof(recording->note),
                 "%s: line %u is cut short and was left out", recording->path,
                 recording->line_number);
        return 0;
    }
    if (!line)
        return fail(recording, what);
    rc = read_members(recording, line, s, plan, what, sizeof(what));
    xlp_json_free(line);
    return rc < 0 ? fail(recording, what) : 1;
}

/* 1 with the next line, 0 at the end, -1 when it cannot be read. */
static int read_line(struct xlp_recording *recording)
{
    int c;

    recording->length = 0;
    recording->line_number++;
    while ((c = getc_unlocked(recording->file)) != EOF && c != '\n') {
        if (recording->length == LINE_MAX_BYTES)
            return fail(recording, "has a line too long to be of a recording");
        if (xlp_grow(&recording->line, &recording->room, recording->length + 1, 1) < 0)
            return fail(recording, "memory is out");
        recording->line[recording->length++] = (char)c;
    }
    if (ferror(recording->file))
        return fail(recording, strerror(errno));
    recording->whole = c == '\n';
    recording->ended = c == EOF && recording->length == 0;
    return recording->ended ? 0 : 1;
}
