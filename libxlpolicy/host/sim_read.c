/* SPDX-License-Identifier: LGPL-2.1-only */
/* The kinds of values that a scenario file is made of: see sim_read.h. */
#include "host/sim_read.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "grow.h"

#define SECONDS_MAX 1e7 /* four months */
#define MIB_MAX     1e9

void *xlp_sim_keep(struct xlp_json_reader *r, struct xlp_sim_scenario *scenario, size_t count,
                   size_t size)
{
    void *block = NULL;

    if (r->failed)
        return NULL;
    if (xlp_grow(&scenario->blocks, &scenario->block_room, scenario->block_count + 1,
                 sizeof(void *)) == 0)
        block = calloc(count + 1, size);
    if (!block) {
        xlp_json_fail(r, NULL, "out of memory");
        return NULL;
    }
    scenario->blocks[scenario->block_count++] = block;
    return block;
}

void xlp_sim_read_seconds(struct xlp_json_reader *r, const struct xlp_json *object, const char *key,
                          enum xlp_json_need need, uint64_t *ns_out)
{
    double seconds = -1;

    xlp_json_read_double(r, object, key, need, 0, SECONDS_MAX, &seconds);
    if (!r->failed && seconds >= 0)
        *ns_out = (uint64_t)llround(seconds * 1e9);
}

void xlp_sim_read_mib(struct xlp_json_reader *r, const struct xlp_json *object, const char *key,
                      enum xlp_json_need need, int64_t *kib_out)
{
    double mib = -1;

    xlp_json_read_double(r, object, key, need, 0, MIB_MAX, &mib);
    if (!r->failed && mib >= 0)
        *kib_out = llround(mib * 1024);
}

void xlp_sim_read_name(struct xlp_json_reader *r, const struct xlp_json *object, const char *key,
                       enum xlp_json_need need, char name_out[XLP_NAME_SIZE])
{
    const char *text = NULL;

    xlp_json_read_string(r, object, key, need, &text);
    if (r->failed || !text)
        return;
    if (!text[0] || strlen(text) >= XLP_NAME_SIZE) {
        xlp_json_fail(r, xlp_json_get(object, key), "\"%s\" must have 1 to %d characters", key,
                      XLP_NAME_SIZE - 1);
        return;
    }
    xlp_name_copy(name_out, text);
}

void xlp_sim_read_word(struct xlp_json_reader *r, const struct xlp_json *object, const char *key,
                       enum xlp_json_need need, const char *const *words, int *out)
{
    const char *text = NULL;
    char all[512] = "";
    size_t used = 0;

    xlp_json_read_string(r, object, key, need, &text);
    if (r->failed || !text)
        return;
    for (int i = 0; words[i]; i++) {
        if (strcmp(words[i], text) == 0) {
            *out = i;
            return;
        }
        if (used < sizeof(all))
            used += (size_t)snprintf(all + used, sizeof(all) - used, " %s", words[i]);
    }
    xlp_json_fail(r, xlp_json_get(object, key), "\"%s\" must be one of:%s", key, all);
}

void xlp_sim_map_value(struct xlp_json_reader *r, const struct xlp_json *v, const char *key,
                       struct xlp_cpumap *out)
{
    const char *text = xlp_json_string(v);

    if (!text || xlp_cpumap_parse(text, out) < 0)
        xlp_json_fail(r, v, "\"%s\" must be pCPUs as in \"0-3,5\", or \"all\"", key);
}

void xlp_sim_read_map(struct xlp_json_reader *r, const struct xlp_json *object, const char *key,
                      enum xlp_json_need need, struct xlp_cpumap *out)
{
    const char *text = NULL;

    xlp_json_read_string(r, object, key, need, &text);
    if (!r->failed && text)
        xlp_sim_map_value(r, xlp_json_get(object, key), key, out);
}

/* ---- traces ---- */

static bool read_point(const struct xlp_json *v, double max, struct xlp_sim_point *out)
{
    if (xlp_json_kind(v) != XLP_JSON_ARRAY || xlp_json_count(v) != 2 ||
        xlp_json_kind(xlp_json_at(v, 0)) != XLP_JSON_NUMBER ||
        xlp_json_kind(xlp_json_at(v, 1)) != XLP_JSON_NUMBER)
        return false;
    out->at_s = xlp_json_double(xlp_json_at(v, 0));
    out->value = xlp_json_double(xlp_json_at(v, 1));
    return out->at_s >= 0 && out->at_s <= SECONDS_MAX && out->value >= 0 && out->value <= max;
}

static void read_points(struct xlp_json_reader *r, struct xlp_sim_scenario *scenario,
                        const struct xlp_json *v, const char *key, double max,
                        struct xlp_sim_trace *out)
{
    struct xlp_sim_point *points = xlp_sim_keep(r, scenario, xlp_json_count(v), sizeof(*points));

    if (!points)
        return;
    for (size_t i = 0; i < xlp_json_count(v); i++) {
        const struct xlp_json *point = xlp_json_at(v, i);

        if (!read_point(point, max, &points[i])) {
            xlp_json_fail(r, point, "\"%s\": a point is [seconds, value], the value 0 to %g", key,
                          max);
            return;
        }
        if (i > 0 && points[i].at_s < points[i - 1].at_s) {
            xlp_json_fail(r, point, "\"%s\": a point is earlier than the one before it", key);
            return;
        }
    }
    out->points = points;
    out->count = xlp_json_count(v);
}

static void read_number(struct xlp_json_reader *r, struct xlp_sim_scenario *scenario,
                        const struct xlp_json *v, const char *key, double max,
                        struct xlp_sim_trace *out)
{
    struct xlp_sim_point *point;

    if (xlp_json_double(v) < 0 || xlp_json_double(v) > max) {
        xlp_json_fail(r, v, "\"%s\" must be a number from 0 to %g", key, max);
        return;
    }
    point = xlp_sim_keep(r, scenario, 1, sizeof(*point));
    if (!point)
        return;
    point->value = xlp_json_double(v);
    out->points = point;
    out->count = 1;
}

void xlp_sim_trace_value(struct xlp_json_reader *r, struct xlp_sim_scenario *scenario,
                         const struct xlp_json *v, const char *key, double max,
                         struct xlp_sim_trace *out)
{
    static const char *const known[] = {"points", "every_s", NULL};
    const struct xlp_json *points;

    if (r->failed)
        return;
    switch (xlp_json_kind(v)) {
    case XLP_JSON_NUMBER: read_number(r, scenario, v, key, max, out); break;
    case XLP_JSON_ARRAY: read_points(r, scenario, v, key, max, out); break;
    case XLP_JSON_OBJECT:
        xlp_json_check_keys(r, v, known);
        points = xlp_json_read_array(r, v, "points", XLP_JSON_REQUIRED);
        xlp_json_read_double(r, v, "every_s", XLP_JSON_REQUIRED, 0.1, SECONDS_MAX, &out->every_s);
        if (points)
            read_points(r, scenario, points, key, max, out);
        break;
    default:
        xlp_json_fail(r, v, "\"%s\" must be a number, [[seconds, value], ...] or {\"points\": ...}",
                      key);
    }
}

/* ---- names of things in the file ---- */

size_t xlp_sim_read_guest(struct xlp_json_reader *r, const struct xlp_json *object,
                          const struct xlp_sim_scenario *scenario)
{
    const char *name = NULL;

    xlp_json_read_string(r, object, "guest", XLP_JSON_REQUIRED, &name);
    if (r->failed || !name)
        return SIZE_MAX;
    for (size_t i = 0; i < scenario->guest_count; i++)
        if (strcmp(scenario->guests[i].name, name) == 0)
            return i;
    xlp_json_fail(r, xlp_json_get(object, "guest"), "there is no guest \"%.64s\"", name);
    return SIZE_MAX;
}

size_t xlp_sim_read_pool(struct xlp_json_reader *r, const struct xlp_json *object,
                         const struct xlp_sim_scenario *scenario)
{
    const char *name = NULL;

    xlp_json_read_string(r, object, "pool", XLP_JSON_REQUIRED, &name);
    if (r->failed || !name)
        return SIZE_MAX;
    for (size_t i = 0; i < scenario->host.pool_count; i++)
        if (strcmp(scenario->host.pools[i].name, name) == 0)
            return i;
    xlp_json_fail(r, xlp_json_get(object, "pool"), "there is no pool \"%.64s\"", name);
    return SIZE_MAX;
}
