/* SPDX-License-Identifier: LGPL-2.1-only */
/* The commands on reservations: memory that is kept for a guest about to be created. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cycle.h"
#include "memory/reserve.h"
#include "request.h"

#define NS_PER_S      UINT64_C(1000000000)
#define TTL_USUAL_S   300
#define TTL_LONGEST_S (7 * 24 * 3600)

void request_read_reservation(struct xlp_json_reader *reader, const struct xlp_json *root,
                              struct request *r)
{
    const int64_t most_kib = XLP_REPORT_MAX_MEMORY_KIB;
    int64_t ttl_s = TTL_USUAL_S;
    const char *name = "";

    xlp_json_read_u32(reader, root, "reservation", XLP_JSON_OPTIONAL, XLP_UNKNOWN - 1,
                      &r->reservation);
    xlp_json_read_int(reader, root, "max_kib", XLP_JSON_OPTIONAL, 1, most_kib, &r->wanted.max_kib);
    r->wanted.min_kib = r->wanted.max_kib;
    xlp_json_read_int(reader, root, "min_kib", XLP_JSON_OPTIONAL, 1, most_kib, &r->wanted.min_kib);
    xlp_json_read_int(reader, root, "ttl_s", XLP_JSON_OPTIONAL, 1, TTL_LONGEST_S, &ttl_s);
    r->wanted.ttl_left_ns = (uint64_t)ttl_s * NS_PER_S;
    xlp_json_read_string(reader, root, "name", XLP_JSON_OPTIONAL, &name);
    if (name)
        xlp_name_copy(r->wanted.name, name);
}

/* ---- acting ---- */

static int make_plan(const struct daemon *d, struct request *r, enum xlp_action_kind kind,
                     struct xlp_plan *plan, struct xlp_reason *why_not)
{
    const struct xlp_snapshot *s = &d->fresh;
    const struct xlp_domain *to;

    switch (kind) {
    case XLP_RESERVE: return xlp_plan_reserve(s, &d->config.policy, &r->wanted, plan, why_not);
    case XLP_TRANSFER:
        to = request_find_domain(s, r);
        return to ? xlp_plan_transfer(s, r->reservation, to, plan, why_not) : -1;
    default: return xlp_plan_unreserve(s, r->reservation, plan, why_not);
    }
}

/* Carries out the plan's one action. */
static int carry_out(struct daemon *d, struct request *r, const struct xlp_plan *plan)
{
    const struct xlp_action *action = &plan->actions[0];
    struct outcomes outcomes = {0};
    char text[1000];
    int rc = cycle_apply(d, plan, &outcomes);

    if (rc < 0)
        request_refuse(r, EXIT_CODE_FAILED, "out of memory");
    else if (outcomes.at[0].code != XLP_DONE)
        rc = request_refuse(r, EXIT_CODE_FAILED, "%s",
                            xlp_outcome_format(action, &outcomes.at[0], text, sizeof(text)));
    free(outcomes.at);
    if (rc < 0)
        return -1;
    xlp_json_put_u64(r->w, "reservation", action->reservation.id);
    xlp_json_put_string(r->w, "text", xlp_action_format(action, text, sizeof(text)));
    xlp_json_put_string(r->w, "mode", config_mode_name(d->mode));
    return 0;
}

static int refuse_because(struct request *r, enum xlp_action_kind kind,
                          const struct xlp_reason *why_not)
{
    bool unknown = why_not->code == XLP_REASON_RESERVE_UNKNOWN;
    char text[512];

    return request_refuse(
        r, unknown ? EXIT_CODE_FAILED : EXIT_CODE_REFUSED, "%s: %s%s", xlp_action_name(kind),
        unknown ? "" : "refused: ", xlp_reason_format(why_not, text, sizeof(text)));
}

static int run(struct daemon *d, struct request *r, enum xlp_action_kind kind)
{
    struct xlp_reason why_not = {.code = XLP_REASON_NONE};
    struct xlp_plan plan;
    int rc;

    if (d->host->ops->observe(d->host, &d->fresh) < 0)
        return request_refuse(r, EXIT_CODE_FAILED, "%s", xlp_host_error(d->host));
    xlp_plan_init(&plan);
    rc = make_plan(d, r, kind, &plan, &why_not);
    if (rc == XLP_PLAN_REFUSED)
        rc = refuse_because(r, kind, &why_not);
    else if (rc < 0 && !r->exit_code)
        request_refuse(r, EXIT_CODE_FAILED, "out of memory");
    else if (rc == 0)
        rc = carry_out(d, r, &plan);
    xlp_plan_dispose(&plan);
    if (rc == 0)
        request_look_again(d);
    return rc;
}

int request_reserve(struct daemon *d, struct request *r)
{
    if (r->wanted.max_kib == 0 || r->wanted.min_kib > r->wanted.max_kib)
        return request_refuse(r, EXIT_CODE_USAGE,
                              "reserve: needs \"max_kib\", and a \"min_kib\" that is not above it");
    if (d->mode == CONFIG_PAUSE)
        return request_refuse(
            r, EXIT_CODE_REFUSED,
            "reserve: refused: xlpolicyd only watches (mode pause), and would not "
            "look after it; `xlpolicy act` ends that");
    return run(d, r, XLP_RESERVE);
}

/* What a guest that is built has is all it takes: nothing of the reservation would be left. */
static const struct xlp_domain *running_taker(const struct daemon *d, const struct request *r)
{
    const struct xlp_domain *to = xlp_snapshot_find_domain(&d->snapshot, r->domain);

    return to && !to->flags && xlp_snapshot_reservation(&d->snapshot, r->reservation) ? to : NULL;
}

int request_transfer(struct daemon *d, struct request *r)
{
    const struct xlp_domain *running;

    if (!r->domain || r->reservation == 0)
        return request_refuse(r, EXIT_CODE_USAGE, "transfer: needs \"reservation\" and \"domain\"");
    running = running_taker(d, r);
    if (running)
        return request_refuse(r, EXIT_CODE_REFUSED,
                              "transfer: refused: %s runs already, so that nothing of the "
                              "reservation would be left; `xlpolicy unreserve %u` ends it",
                              running->name, r->reservation);
    return run(d, r, XLP_TRANSFER);
}

int request_unreserve(struct daemon *d, struct request *r)
{
    if (r->reservation == 0)
        return request_refuse(r, EXIT_CODE_USAGE, "unreserve: needs \"reservation\"");
    return run(d, r, XLP_UNRESERVE);
}

/* ---- asking ---- */

int request_reservations(struct daemon *d, struct request *r)
{
    xlp_reservations_write(r->w, &d->snapshot, &d->plan);
    xlp_json_put_string(r->w, "mode", config_mode_name(d->mode));
    return 0;
}
