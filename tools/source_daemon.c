/* SPDX-License-Identifier: LGPL-2.1-only */
/* Facts from the daemon: its reply to "state", checked before any of it is used. */
#include "source.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon_request.h"

static int read_state(const struct xlp_json *state, struct source *source_out, char *error,
                      size_t error_size);

enum cli_exit source_read_daemon(const struct cli *cli, bool quiet, struct source *source_out)
{
    char error[256];
    const struct xlp_json *state;
    enum cli_exit exit_code = daemon_request(cli, "{\"xlpolicy\":1,\"command\":\"state\"}", quiet,
                                             &source_out->daemon_root, &state);

    if (exit_code != CLI_DONE)
        return exit_code;
    if (read_state(state, source_out, error, sizeof(error)) < 0) {
        cli_error("cannot understand the daemon on %s: %s; is it of another version?", cli->socket,
                  error);
        return CLI_FAILED;
    }
    snprintf(source_out->name, sizeof(source_out->name), "xlpolicyd on %s", cli->socket);
    return CLI_DONE;
}

const char *source_mode(const struct source *source)
{
    return source->status ? daemon_string(source->status, "mode") : NULL;
}

bool source_is_dry_run(const struct source *source)
{
    return source->status && daemon_number(source->status, "dry_run") != 0;
}

/* ---- checking the reply ---- */

/* Elements of an array that has to have one for each of count things. */
static const struct xlp_json *read_views(const struct xlp_json *state, const char *key,
                                         size_t count, char *error, size_t error_size)
{
    const struct xlp_json *array = xlp_json_get(state, key);

    if (!array || xlp_json_kind(array) != XLP_JSON_ARRAY || xlp_json_count(array) != count) {
        snprintf(error, error_size, "\"%s\" should be an array of %zu", key, count);
        return NULL;
    }
    return array;
}

static int read_pcpus(const struct xlp_json *state, struct source *source_out, char *error,
                      size_t error_size)
{
    size_t count = source_out->snapshot.pcpu_count;
    const struct xlp_json *views = read_views(state, "pcpu_views", count, error, error_size);

    if (!views)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (xlp_pcpu_view_read(xlp_json_at(views, i), &source_out->pcpus[i], error, error_size) < 0)
            return -1;
    return 0;
}

static int read_vcpus(const struct xlp_json *state, struct source *source_out, char *error,
                      size_t error_size)
{
    size_t count = source_out->snapshot.vcpu_count;
    const struct xlp_json *views = read_views(state, "vcpu_views", count, error, error_size);

    if (!views)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (xlp_vcpu_view_read(xlp_json_at(views, i), &source_out->vcpus[i], error, error_size) < 0)
            return -1;
    return 0;
}

static int read_domains(const struct xlp_json *state, struct source *source_out, char *error,
                        size_t error_size)
{
    size_t count = source_out->snapshot.domain_count;
    const struct xlp_json *views = read_views(state, "domain_views", count, error, error_size);

    if (!views)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (xlp_domain_view_read(xlp_json_at(views, i), &source_out->domains[i], error,
                                 error_size) < 0)
            return -1;
    return 0;
}

static int allocate_views(struct source *source, char *error, size_t error_size)
{
    source->vcpus = calloc(source->snapshot.vcpu_count + 1, sizeof(*source->vcpus));
    source->domains = calloc(source->snapshot.domain_count + 1, sizeof(*source->domains));
    source->pcpus = calloc(source->snapshot.pcpu_count + 1, sizeof(*source->pcpus));
    if (source->vcpus && source->domains && source->pcpus)
        return 0;
    snprintf(error, error_size, "out of memory");
    return -1;
}

static int check_verdicts(const struct source *source, char *error, size_t error_size)
{
    if (source->plan.verdict_count == source->snapshot.domain_count &&
        source->plan.reservation_count == source->snapshot.reservation_count)
        return 0;
    snprintf(error, error_size,
             "\"plan\" has %zu verdicts for %zu domains, and %zu for %zu reservations",
             source->plan.verdict_count, source->snapshot.domain_count,
             source->plan.reservation_count, source->snapshot.reservation_count);
    return -1;
}

static int read_state(const struct xlp_json *state, struct source *source_out, char *error,
                      size_t error_size)
{
    const struct xlp_json *snapshot = xlp_json_get(state, "snapshot");
    const struct xlp_json *plan = xlp_json_get(state, "plan");
    const struct xlp_json *policy = xlp_json_get(state, "policy");

    source_out->status = xlp_json_get(state, "status");
    source_out->overrides = xlp_json_get(state, "overrides");
    if (!snapshot || !plan || !policy || !source_out->status || !source_mode(source_out)) {
        snprintf(error, error_size,
                 "\"state\" lacks \"snapshot\", \"plan\", \"policy\" or the mode");
        return -1;
    }
    if (xlp_policy_read(policy, &source_out->policy, error, error_size) < 0 ||
        xlp_snapshot_read(snapshot, &source_out->snapshot, error, error_size) < 0 ||
        xlp_plan_read(plan, &source_out->plan, error, error_size) < 0 ||
        check_verdicts(source_out, error, error_size) < 0 ||
        allocate_views(source_out, error, error_size) < 0 ||
        read_pcpus(state, source_out, error, error_size) < 0 ||
        read_vcpus(state, source_out, error, error_size) < 0)
        return -1;
    return read_domains(state, source_out, error, error_size);
}
