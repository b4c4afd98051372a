/* SPDX-License-Identifier: LGPL-2.1-only */
/* Putting memory back without a daemon, which would take the steps tick by tick. */
#ifndef RELEASE_MEMORY_H
#define RELEASE_MEMORY_H

#include "host/host.h"
#include "xlpolicy.h"

struct release_memory_listener {
    void *arg;
    /* of each step, and what became of it */
    void (*step)(void *arg, const struct xlp_action *action, const struct xlp_outcome *outcome);
    /* of each guest that is still on its way when it ends, and why */
    void (*left)(void *arg, const struct xlp_verdict *verdict);
};

/* Watches the host, to which a release has been said already, and takes step after step until no
 * memory is on its way back any more, or none has been taken for a while: what a guest uses is
 * known only after some time, and others may have to give first. 0, or -1 with the host's error. */
int release_memory(struct xlp_host *host, const struct xlp_policy *policy,
                   const struct release_memory_listener *listener);

/* What the daemon would go by: the configuration file, or the defaults where there is none. An
 * initialised policy is replaced; -1 with one line in error, and the policy untouched, where the
 * file cannot be read. */
int release_memory_policy(const char *config_path, struct xlp_policy *policy, char *error,
                          size_t error_size);

#endif
