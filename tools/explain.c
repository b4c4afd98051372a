/* SPDX-License-Identifier: LGPL-2.1-only */
#include "explain.h"

#include <stdio.h>
#include <string.h>

#include "excluded_by.h"

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
    char entry[EXPLAIN_SIZE / 2];

    if (key && override && strstr(override, key))
        snprintf(text, EXPLAIN_SIZE,
                 "not managed: %s was set by hand; `xlpolicy set %s --clear` ends that", key, name);
    else if (key && excluded_by(source, name, verdict->code, entry, sizeof(entry)))
        snprintf(text, EXPLAIN_SIZE, "not managed: %s", entry);
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

/* ---- what becomes of a plan ---- */

static bool is_commanded(const struct xlp_plan *plan)
{
    for (size_t i = 0; i < plan->action_count; i++)
        if (xlp_action_is_commanded(&plan->actions[i]))
            return true;
    return false;
}

void explain_fate(const struct source *source)
{
    const char *mode = source_mode(source);

    if (!mode)
        printf("\nNone of this is done: no daemon acts on it.\n");
    else if (source_is_dry_run(source))
        printf("\nNone of this is done: the daemon is a dry run; start it without -N to change "
               "that.\n");
    else if (strcmp(mode, "act") == 0)
        printf("\nThe daemon acts on this.\n");
    else if (is_commanded(&source->plan))
        printf(
            "\nThe daemon is in mode %s: of this, only what `release` and `reserve` asked for is "
            "done.\n",
            mode);
    else
        printf("\nNone of this is done: the daemon is in mode %s; `xlpolicy act` changes that.\n",
               mode);
}

/* The load that a verdict tells of is the one with the plan carried out. */
static bool is_told_of_the_plan(const struct xlp_plan *plan, const struct xlp_reason *verdict)
{
    int64_t pcpu = verdict->number[1];

    if (verdict->code != XLP_REASON_CPU_BALANCED && verdict->code != XLP_REASON_CPU_NEAR_DEVICE &&
        verdict->code != XLP_REASON_CPU_NO_GAIN && verdict->code != XLP_REASON_CPU_BUDGET)
        return false;
    for (size_t i = 0; i < plan->action_count; i++) {
        const struct xlp_action *a = &plan->actions[i];

        if (a->kind == XLP_PLACE_VCPU && (a->from_pcpu == pcpu || a->to_pcpu == pcpu))
            return true;
    }
    return false;
}

const char *explain_when(const struct source *source, const struct xlp_reason *verdict)
{
    const char *mode = source_mode(source);
    bool acts = mode && strcmp(mode, "act") == 0 && !source_is_dry_run(source);

    return !acts && is_told_of_the_plan(&source->plan, verdict) ? "; that is with the plan done, "
                                                                  "`xlpolicy pcpu-list` shows how "
                                                                  "it is now"
                                                                : "";
}
