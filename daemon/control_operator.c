/* SPDX-License-Identifier: LGPL-2.1-only */
/* Commands of the control socket by which the operator steps in: now, for a time, for one guest. */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "cycle.h"
#include "options.h"
#include "overrides.h"
#include "request.h"
#include "trial.h"

#define NS_PER_MS      UINT64_C(1000000)
#define LONGEST_GAP_NS (500 * NS_PER_MS)

/* ---- rebalance ---- */

/* Use cannot be measured over too short a time. Nor may it be as long as events keep ticks apart,
 * or a guest that goes on making them would keep us waiting. */
static uint64_t too_early_ns(const struct daemon *d)
{
    uint64_t gap_ns = (uint64_t)d->config.policy.tick_ms * NS_PER_MS / 2;
    uint64_t since_ns = d->host->ops->now_ns(d->host) - d->last_tick_ns;

    if (gap_ns > LONGEST_GAP_NS)
        gap_ns = LONGEST_GAP_NS;
    return since_ns < gap_ns ? gap_ns - since_ns : 0;
}

int request_rebalance(struct daemon *d, struct request *r)
{
    uint64_t wait_ns = too_early_ns(d);

    if (d->counters.ticks == 0 || wait_ns > 0) {
        xlp_json_put_u64(r->w, "wait_ms", wait_ns / NS_PER_MS + 1);
        return 0;
    }
    if (cycle_rebalance(d, r->dry_run) < 0)
        return request_refuse(r, EXIT_CODE_FAILED, "%s", d->last_error);
    request_put_actions(r, &d->plan, &d->outcomes);
    xlp_json_put_string(r->w, "mode", config_mode_name(d->mode));
    request_look_again(d);
    return 0;
}

/* ---- a trial ---- */

int request_trial(struct daemon *d, struct request *r)
{
    char who[REQUEST_PEER_SIZE], error[256];

    if (r->for_s < 1 || r->for_s > TRIAL_MAX_S)
        return request_refuse(r, EXIT_CODE_USAGE, "trial: for_s should be 1 to %d", TRIAL_MAX_S);
    if (d->mode == CONFIG_ACT && !d->trial.on)
        return request_refuse(r, EXIT_CODE_REFUSED,
                              "refused: the daemon is in mode act already, and at the end all it "
                              "ever did would be undone; `xlpolicy advise` first");
    if (d->mode != CONFIG_ACT && cycle_resume(d) < 0)
        return request_refuse(r, EXIT_CODE_FAILED, "%s", d->last_error);
    if (trial_start(d, r->for_s, request_peer(r, who), error, sizeof(error)) < 0)
        return request_refuse(r, EXIT_CODE_FAILED, "%s", error);
    xlp_json_put_string(r->w, "mode", config_mode_name(d->mode));
    xlp_json_put_double(r->w, "for_s", r->for_s);
    xlp_json_put_double(r->w, "ends_time_s", (double)daemon_wall_ns() / 1e9 + r->for_s);
    xlp_json_put_bool(r->w, "dry_run", d->options->dry_run);
    request_look_again(d);
    return 0;
}

/* ---- a guest's settings ---- */

/* What is well-formed, but could not be honoured for this domain: refuses it and returns -1. */
static int check_fits(const struct daemon *d, struct request *r, const struct xlp_domain *domain,
                      const struct xlp_domain_policy *entry)
{
    int64_t most_kib = domain->memory.static_max_kib;

    if (domain->domid == 0 && xlp_domain_policy_wants_cpu(entry))
        return request_refuse(r, EXIT_CODE_REFUSED,
                              "set: refused: dom0's vCPUs are always left alone");
    if (domain->domid == 0 && xlp_domain_policy_wants_memory(entry) && !d->config.policy.mem_dom0)
        return request_refuse(r, EXIT_CODE_REFUSED,
                              "set: refused: dom0's memory is left alone; mem_dom0 = 1 in the "
                              "configuration changes that");
    if (most_kib > 0 && entry->floor_kib > most_kib)
        return request_refuse(r, EXIT_CODE_REFUSED,
                              "set: refused: %s never has more than %lld MiB (its maxmem), "
                              "a floor is at most that",
                              domain->name, (long long)most_kib / 1024);
    return 0;
}

/* A driver domain may be set up before those that it serves: that is told, not refused. */
static void warn_of_nobody_served(const struct daemon *d, struct request *r,
                                  const struct xlp_domain_policy *entry)
{
    char text[XLP_NAME_SIZE + 80];

    if (!entry->serves[0])
        return;
    for (size_t i = 0; i < d->snapshot.domain_count; i++)
        if (fnmatch(entry->serves, d->snapshot.domains[i].name, 0) == 0)
            return;
    snprintf(text, sizeof(text), "serves=%s: no domain of that name is here yet", entry->serves);
    xlp_json_put_string(r->w, "warning", text);
}

/* Reads the settings as an entry for that domain, where there are any. */
static int read_entry(struct request *r, const char *pattern, struct xlp_policy *entry_out)
{
    char text[OVERRIDE_SIZE], error[400];

    if (!r->settings)
        return 0;
    if (snprintf(text, sizeof(text), "%s: %s", pattern, r->settings) >= (int)sizeof(text))
        return request_refuse(r, EXIT_CODE_USAGE, "set: the settings are too long");
    if (xlp_policy_add_domain(entry_out, text, error, sizeof(error)) < 0)
        return request_refuse(r, EXIT_CODE_USAGE, "%s", error);
    return 0;
}

/* No settings: forget what was set. */
int request_set(struct daemon *d, struct request *r)
{
    char pattern[XLP_NAME_SIZE], who[REQUEST_PEER_SIZE], error[400] = "";
    struct xlp_policy entry;
    int rc;
    const struct xlp_domain *domain = NULL;

    if (!r->domain)
        return request_refuse(r, EXIT_CODE_USAGE, "set: needs \"domain\"");
    domain = xlp_snapshot_find_domain(&d->snapshot, r->domain);
    if (!domain)
        return request_refuse(r, EXIT_CODE_FAILED,
                              "no domain \"%.64s\" here; `xlpolicy list` shows them", r->domain);
    if (xlp_pattern_of_name(domain->name, pattern) < 0)
        return request_refuse(r, EXIT_CODE_REFUSED,
                              "set: refused: no entry can be written for a domain of that name");
    xlp_policy_init(&entry);
    rc = read_entry(r, pattern, &entry);
    if (rc == 0 && entry.domain_count)
        rc = check_fits(d, r, domain, &entry.domains[0]);
    if (rc == 0 &&
        overrides_set(d, pattern, r->settings, request_peer(r, who), error, sizeof(error)) < 0)
        rc = request_refuse(r, EXIT_CODE_USAGE, "%s", error);
    if (rc == 0) {
        xlp_json_put_string(r->w, "name", domain->name);
        xlp_json_write_key(r->w, "override");
        overrides_write(d, pattern, r->w);
        if (entry.domain_count)
            warn_of_nobody_served(d, r, &entry.domains[0]);
        request_look_again(d);
    }
    xlp_policy_dispose(&entry);
    return rc;
}
