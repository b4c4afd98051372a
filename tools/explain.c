/* SPDX-License-Identifier: LGPL-2.1-only */
#include "explain.h"

#include <stdio.h>
#include <string.h>

/* So many are named. */
#define SKIPPED_NAMED 3

char *explain_action(const struct source *source, const struct xlp_action *action,
                     char text[EXPLAIN_SIZE])
{
    size_t used = strlen(xlp_action_format(action, text, EXPLAIN_SIZE));
    char lifted[EXPLAIN_SIZE / 4];

    if (xlp_action_lifts_pin(&source->snapshot, action, lifted, sizeof(lifted)))
        snprintf(text + used, EXPLAIN_SIZE - used, "; %s", lifted);
    return text;
}

char *explain_verdict(const struct source *source, const char *name,
                      const struct xlp_reason *verdict, char text[EXPLAIN_SIZE])
{
    const char *override = source_override(source, name);
    const char *key = verdict->code == XLP_REASON_CPU_EXCLUDED   ? "cpu=0"
                      : verdict->code == XLP_REASON_MEM_EXCLUDED ? "memory=0"
                                                                 : NULL;

    if (key && override && strstr(override, key))
        snprintf(text, EXPLAIN_SIZE,
                 "not managed: %s was set by hand; `xlpolicy set %s --clear` ends that", key, name);
    else
        xlp_reason_format(verdict, text, EXPLAIN_SIZE);
    return text;
}

/* Whether what becomes of this guest depends on what others can give. */
static bool depends_on_others(enum xlp_reason_code code)
{
    return code == XLP_REASON_MEM_SHRINK || code == XLP_REASON_MEM_RECALL ||
           code == XLP_REASON_MEM_HOST_RESERVE || code == XLP_REASON_MEM_RESERVATION ||
           code == XLP_REASON_MEM_WAITS;
}

/* NULL: it is not skipped, or nobody would have thought of it. */
static const char *skipped_because(enum xlp_reason_code code)
{
    switch (code) {
    case XLP_REASON_MEM_PASSTHROUGH: return "PCI passthrough";
    case XLP_REASON_MEM_NO_AGENT: return "no memory report";
    case XLP_REASON_MEM_BAD_REPORT: return "unreadable memory report";
    case XLP_REASON_MEM_STALE: return "old memory report";
    case XLP_REASON_MEM_NO_BALLOON: return "no balloon driver";
    case XLP_REASON_MEM_OPERATOR: return "target set by hand";
    case XLP_REASON_MEM_EXCLUDED: return "excluded by hand";
    case XLP_REASON_MEM_PRESSURE: return "stalls on memory";
    case XLP_REASON_MEM_STUCK: return "balloon stuck";
    case XLP_REASON_MEM_BOOTING: return "first seen a moment ago";
    case XLP_REASON_RELEASED: return "released";
    case XLP_REASON_PAUSED: return "paused";
    case XLP_REASON_MIGRATING: return "being saved or migrated";
    default: return NULL;
    }
}

char *explain_skipped(const struct xlp_plan *plan, const struct xlp_reason *reason, uint32_t domid,
                      char text[EXPLAIN_SIZE])
{
    size_t used = 0, skipped = 0;

    text[0] = '\0';
    for (size_t i = 0; i < plan->verdict_count && depends_on_others(reason->code); i++) {
        const struct xlp_verdict *v = &plan->verdicts[i];
        const char *because = v->domid == domid ? NULL : skipped_because(v->memory.code);

        if (because && skipped++ < SKIPPED_NAMED)
            used += (size_t)snprintf(text + used, EXPLAIN_SIZE - used, "%s%s%s (%s)",
                                     skipped == 1 ? "; " : ", ", v->name,
                                     skipped == 1 ? " skipped" : "", because);
    }
    if (skipped > SKIPPED_NAMED)
        snprintf(text + used, EXPLAIN_SIZE - used, " and %zu more", skipped - SKIPPED_NAMED);
    return text;
}
