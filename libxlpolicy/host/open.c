/* SPDX-License-Identifier: LGPL-2.1-only */
/* Which host a specification names, and what all hosts have in common. */
#include <stdio.h>
#include <string.h>

#include "host.h"

/* What follows prefix in text, or NULL if that is nothing or text does not begin with it. */
static const char *after(const char *text, const char *prefix)
{
    size_t length = strlen(prefix);

    return strncmp(text, prefix, length) == 0 && text[length] ? text + length : NULL;
}

bool xlp_host_is_spec(const char *text)
{
    return strcmp(text, "xen") == 0 || after(text, "sim:") || after(text, "replay:");
}

struct xlp_host *xlp_host_open(const char *spec, unsigned int flags, bool *no_host_out, char *error,
                               size_t error_size)
{
    const char *path;

    if (no_host_out)
        *no_host_out = false;
    if (strcmp(spec, "xen") == 0)
        return xlp_host_xen_open(flags, no_host_out, error, error_size);
    if ((path = after(spec, "sim:")))
        return xlp_host_sim_open(path, flags, error, error_size);
    if ((path = after(spec, "replay:")))
        return xlp_host_replay_open(path, flags, error, error_size);
    snprintf(error, error_size, "unknown host \"%s\": give xen, sim:FILE or replay:FILE", spec);
    return NULL;
}

int xlp_host_wait_until(struct xlp_host *host, uint64_t until_ns, const volatile sig_atomic_t *stop)
{
    int wake = 0;

    while (!(wake & XLP_WAKE_TIME)) {
        if (stop && *stop)
            return 0;
        wake = host->ops->wait(host, until_ns, NULL, 0);
        if (wake < 0)
            return -1;
        if (wake & XLP_WAKE_END)
            return 0;
    }
    return stop && *stop ? 0 : 1;
}

const char *xlp_outcome_name(enum xlp_outcome_code code)
{
    switch (code) {
    case XLP_DONE: return "done";
    case XLP_NOT_DONE_DRY_RUN: return "dry-run";
    case XLP_NOT_DONE_GONE: return "gone";
    case XLP_NOT_DONE_BUSY: return "busy";
    case XLP_NOT_DONE_REFUSED: return "refused";
    case XLP_NOT_DONE_FAILED: return "failed";
    case XLP_OUTCOME_CODES: break;
    }
    return "unknown";
}

char *xlp_outcome_format(const struct xlp_action *action, const struct xlp_outcome *outcome,
                         char *text, size_t size)
{
    char line[768];

    xlp_action_format(action, line, sizeof(line));
    if (!outcome || outcome->code == XLP_NOT_DONE_DRY_RUN)
        snprintf(text, size, "would: %s", line);
    else if (outcome->code == XLP_DONE)
        snprintf(text, size, "done: %s%s%s%s", line, outcome->detail[0] ? " (" : "",
                 outcome->detail, outcome->detail[0] ? ")" : "");
    else
        snprintf(text, size, "not done (%s%s%s): %s", xlp_outcome_name(outcome->code),
                 outcome->detail[0] ? ": " : "", outcome->detail, line);
    return text;
}
