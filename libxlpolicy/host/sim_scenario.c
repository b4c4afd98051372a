/* SPDX-License-Identifier: LGPL-2.1-only */
/* A scenario file as a whole: its top level, its policy, and who owns what was read. */
#include "host/sim_scenario.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "grow.h"
#include "host/sim_read.h"

#define FILE_BYTES_MAX (16u << 20)

static void read_scenario(struct xlp_json_reader *r, const struct xlp_json *root,
                          struct xlp_sim_scenario *scenario);
static void read_policy(struct xlp_json_reader *r, const struct xlp_json *policy,
                        struct xlp_policy *out);
static void sort_events(struct xlp_sim_scenario *scenario);

struct xlp_sim_scenario *xlp_sim_scenario_read_file(const char *path, char *error,
                                                    size_t error_size)
{
    char what[XLP_HOST_ERROR_SIZE];
    struct xlp_json *root = xlp_json_parse_file(path, FILE_BYTES_MAX, error, error_size);

    if (!root)
        return NULL;
    struct xlp_sim_scenario *scenario = xlp_sim_scenario_read(root, what, sizeof(what));
    if (!scenario)
        snprintf(error, error_size, "%s: %s", path, what);
    xlp_json_free(root);
    return scenario;
}

struct xlp_sim_scenario *xlp_sim_scenario_read(const struct xlp_json *root, char *error,
                                               size_t error_size)
{
    struct xlp_sim_scenario *scenario = calloc(1, sizeof(*scenario));
    struct xlp_json_reader r;

    xlp_json_reader_init(&r, error, error_size);
    if (!scenario) {
        xlp_json_fail(&r, NULL, "out of memory");
        return NULL;
    }
    xlp_policy_init(&scenario->policy);
    read_scenario(&r, root, scenario);
    if (xlp_json_done(&r) < 0) {
        xlp_sim_scenario_free(scenario);
        return NULL;
    }
    sort_events(scenario);
    return scenario;
}

void xlp_sim_scenario_free(struct xlp_sim_scenario *scenario)
{
    if (!scenario)
        return;
    for (size_t i = 0; i < scenario->block_count; i++)
        free(scenario->blocks[i]);
    free(scenario->blocks);
    free(scenario->guests);
    free(scenario->events);
    free(scenario->expects);
    xlp_policy_dispose(&scenario->policy);
    free(scenario);
}

static void read_scenario(struct xlp_json_reader *r, const struct xlp_json *root,
                          struct xlp_sim_scenario *scenario)
{
    static const char *const known[] = {"xlpolicy_scenario",
                                        "title",
                                        "host",
                                        "policy",
                                        "dom0",
                                        "guests",
                                        "events",
                                        "expect",
                                        "run_s",
                                        NULL};
    int64_t version = 0;
    const char *title = "";

    xlp_json_check_keys(r, root, known);
    xlp_json_read_int(r, root, "xlpolicy_scenario", XLP_JSON_REQUIRED, 1, 1, &version);
    xlp_json_read_string(r, root, "title", XLP_JSON_OPTIONAL, &title);
    snprintf(scenario->title, sizeof(scenario->title), "%s", title);
    xlp_sim_read_seconds(r, root, "run_s", XLP_JSON_REQUIRED, &scenario->run_ns);

    read_policy(r, xlp_json_read_object(r, root, "policy", XLP_JSON_OPTIONAL), &scenario->policy);
    xlp_sim_read_host(r, xlp_json_read_object(r, root, "host", XLP_JSON_REQUIRED), scenario);
    xlp_sim_read_dom0(r, xlp_json_read_object(r, root, "dom0", XLP_JSON_OPTIONAL), scenario);
    xlp_sim_read_guests(r, xlp_json_read_array(r, root, "guests", XLP_JSON_REQUIRED), scenario);
    xlp_sim_read_events(r, xlp_json_read_array(r, root, "events", XLP_JSON_OPTIONAL), scenario);
    xlp_sim_read_expects(r, xlp_json_read_array(r, root, "expect", XLP_JSON_OPTIONAL), scenario);
}

/* ---- policy ---- */

/* Numbers and words, as they would stand in the configuration file. */
static void read_setting(struct xlp_json_reader *r, const char *name, const struct xlp_json *v,
                         struct xlp_policy *out)
{
    char error[200], number[32];
    const char *text = xlp_json_string(v);
    int64_t value;

    if (!text && (xlp_json_kind(v) == XLP_JSON_BOOL || xlp_json_int(v, &value))) {
        value = xlp_json_kind(v) == XLP_JSON_BOOL ? xlp_json_double(v) != 0 : value;
        snprintf(number, sizeof(number), "%" PRId64, value);
        text = number;
    }
    if (!text)
        xlp_json_fail(r, v, "\"%.64s\" must be a whole number or a string", name);
    else if (xlp_policy_set(out, name, text, error, sizeof(error)) < 0)
        xlp_json_fail(r, v, "%s", error);
}

static void read_domains(struct xlp_json_reader *r, const struct xlp_json *list,
                         struct xlp_policy *out)
{
    char error[200];

    for (size_t i = 0; list && i < xlp_json_count(list) && !r->failed; i++) {
        const struct xlp_json *v = xlp_json_at(list, i);
        const char *text = xlp_json_string(v);

        if (!text)
            xlp_json_fail(r, v, "\"domains\" must be strings as in \"web*: shares=2000\"");
        else if (xlp_policy_add_domain(out, text, error, sizeof(error)) < 0)
            xlp_json_fail(r, v, "%s", error);
    }
}

static void read_policy(struct xlp_json_reader *r, const struct xlp_json *policy,
                        struct xlp_policy *out)
{
    char error[200];

    for (size_t i = 0; policy && i < xlp_json_count(policy) && !r->failed; i++) {
        const char *name = xlp_json_key(policy, i);

        if (strcmp(name, "domains") == 0)
            read_domains(r, xlp_json_read_array(r, policy, name, XLP_JSON_REQUIRED), out);
        else
            read_setting(r, name, xlp_json_at(policy, i), out);
    }
    if (!r->failed && xlp_policy_check(out, error, sizeof(error)) < 0)
        xlp_json_fail(r, policy, "%s", error);
}

/* ---- events ---- */

struct xlp_sim_event *xlp_sim_add_event(struct xlp_json_reader *r,
                                        struct xlp_sim_scenario *scenario)
{
    struct xlp_sim_event *event;

    if (r->failed)
        return NULL;
    if (xlp_grow(&scenario->events, &scenario->event_room, scenario->event_count + 1,
                 sizeof(*event)) < 0) {
        xlp_json_fail(r, NULL, "out of memory");
        return NULL;
    }
    event = &scenario->events[scenario->event_count++];
    memset(event, 0, sizeof(*event));
    event->guest = SIZE_MAX;
    return event;
}

/* By time; at the same time in the order of the file. */
static void sort_events(struct xlp_sim_scenario *scenario)
{
    for (size_t i = 1; i < scenario->event_count; i++) {
        struct xlp_sim_event event = scenario->events[i];
        size_t at = i;

        for (; at > 0 && scenario->events[at - 1].at_ns > event.at_ns; at--)
            scenario->events[at] = scenario->events[at - 1];
        scenario->events[at] = event;
    }
}
