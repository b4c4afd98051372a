/* SPDX-License-Identifier: LGPL-2.1-only */
#include "overrides.h"

#include <stdio.h>
#include <string.h>

#include "log.h"
#include "state.h"

static int change(struct xlp_policy *overrides, const char *pattern, const char *settings,
                  char *error, size_t error_size);

/* All is prepared on copies, so that nothing has changed when memory runs out. */
int overrides_set(struct daemon *d, const char *pattern, const char *settings, const char *who,
                  char *error, size_t error_size)
{
    struct xlp_policy overrides, policy;
    int rc = -1;

    xlp_policy_init(&overrides);
    xlp_policy_init(&policy);
    snprintf(error, error_size, "out of memory");
    if (xlp_policy_copy(&overrides, &d->overrides) < 0 ||
        xlp_policy_copy(&policy, &d->config.policy) < 0 ||
        change(&overrides, pattern, settings, error, error_size) < 0)
        goto out;
    policy.domain_count -= d->overrides.domain_count; /* they stand at the end */
    if (xlp_policy_append_domains(&policy, &overrides) < 0)
        goto out;
    xlp_policy_dispose(&d->overrides);
    d->overrides = overrides;
    xlp_policy_dispose(&d->config.policy);
    d->config.policy = policy;
    log_line(LOG_NOTICE, "set %s: %s (%s)", pattern, settings ? settings : "as configured", who);
    return 0;
out:
    xlp_policy_dispose(&overrides);
    xlp_policy_dispose(&policy);
    return rc;
}

int overrides_apply(const struct daemon *d, struct config *c)
{
    return xlp_policy_append_domains(&c->policy, &d->overrides);
}

void overrides_write(const struct daemon *d, const char *pattern, struct xlp_json_writer *w)
{
    char text[OVERRIDE_SIZE];

    for (size_t i = 0; i < d->overrides.domain_count; i++) {
        const struct xlp_domain_policy *entry = &d->overrides.domains[i];

        if (strcmp(entry->pattern, pattern) == 0) {
            xlp_json_write_string(w, xlp_domain_policy_format(entry, text, sizeof(text)));
            return;
        }
    }
    xlp_json_write_null(w);
}

void overrides_write_all(const struct daemon *d, struct xlp_json_writer *w)
{
    char text[OVERRIDE_SIZE];

    xlp_json_open_array(w);
    for (size_t i = 0; i < d->overrides.domain_count; i++)
        xlp_json_write_string(
            w, xlp_domain_policy_format(&d->overrides.domains[i], text, sizeof(text)));
    xlp_json_close_array(w);
}

static int change(struct xlp_policy *overrides, const char *pattern, const char *settings,
                  char *error, size_t error_size)
{
    char entry[OVERRIDE_SIZE];

    if (!settings) {
        xlp_policy_remove_domain(overrides, pattern);
        return 0;
    }
    if (snprintf(entry, sizeof(entry), "%s: %s", pattern, settings) >= (int)sizeof(entry)) {
        snprintf(error, error_size, "set: the settings are too long");
        return -1;
    }
    return xlp_policy_merge_domain(overrides, entry, error, error_size);
}
