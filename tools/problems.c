/* SPDX-License-Identifier: LGPL-2.1-only */
/* What an operator should look at: guests that go short, and what keeps the manager from helping.
 */
#include "problems.h"

#include <stdio.h>

#define SENTENCE_SIZE 768

/* A guest that gets so much less of a pCPU than it wants is worth a line. */
#define CPU_SHORT_MIN 0.1

struct finding {
    const struct source *source;
    void (*tell)(void *context, const char *sentence);
    void *context;
    size_t count;
};

static void found(struct finding *f, const char *sentence)
{
    f->tell(f->context, sentence);
    f->count++;
}

/* Verdicts that stand for something to put right; the others are all in a day's work. */
static bool is_problem(enum xlp_reason_code code)
{
    switch (code) {
    case XLP_REASON_CPU_SOFT_IGNORED:
    case XLP_REASON_CPU_NOWHERE:
    case XLP_REASON_MEM_WAITS:
    case XLP_REASON_MEM_AT_MAX:
    case XLP_REASON_MEM_STUCK:
    case XLP_REASON_MEM_GIVE_UP:
    case XLP_REASON_MEM_BAD_REPORT:
    case XLP_REASON_MEM_STALE:
    case XLP_REASON_MEM_PRESSURE:
    case XLP_REASON_MEM_NO_AGENT:
    case XLP_REASON_MEM_NO_BALLOON: return true;
    default: return false;
    }
}

static void check_verdict(struct finding *f, const struct xlp_verdict *verdict, const char *about,
                          const struct xlp_reason *reason)
{
    char sentence[SENTENCE_SIZE], text[SENTENCE_SIZE - XLP_NAME_SIZE - 16];

    if (!is_problem(reason->code))
        return;
    snprintf(sentence, sizeof(sentence), "%s: %s: %s", verdict->name, about,
             xlp_reason_format(reason, text, sizeof(text)));
    found(f, sentence);
}

/* Where it is not ours to help, the reason says how it could be; it need not be said again then.
 * True if it was said. */
static bool check_cpu(struct finding *f, const struct xlp_domain *d,
                      const struct xlp_reason *verdict)
{
    char sentence[SENTENCE_SIZE], why[SENTENCE_SIZE - XLP_NAME_SIZE - 96];
    double used = 0, demand = 0;
    bool hands_off = source_is_hands_off(verdict->code);

    for (uint32_t i = d->first_vcpu; i < d->first_vcpu + d->vcpu_count; i++) {
        if (!f->source->vcpus[i].known)
            continue;
        used += f->source->vcpus[i].used;
        demand += f->source->vcpus[i].demand;
    }
    if (demand - used < CPU_SHORT_MIN)
        return false;
    xlp_reason_format(verdict, why, sizeof(why));
    snprintf(sentence, sizeof(sentence), "%s: CPU: gets %.0f %% of a pCPU, wants %.0f %%%s%s",
             d->name, used * 100, demand * 100, hands_off ? "; " : "", hands_off ? why : "");
    found(f, sentence);
    return hands_off;
}

static void check_reservations(struct finding *f)
{
    const struct xlp_plan *plan = &f->source->plan;
    char sentence[SENTENCE_SIZE], text[SENTENCE_SIZE - 32];

    for (size_t i = 0; i < plan->reservation_count; i++) {
        const struct xlp_reason *reason = &plan->reservations[i].reason;

        if (reason->code != XLP_REASON_RESERVE_SHORT)
            continue;
        snprintf(sentence, sizeof(sentence), "reservation %u: %s", plan->reservations[i].id,
                 xlp_reason_format(reason, text, sizeof(text)));
        found(f, sentence);
    }
}

size_t problems_find(const struct source *source, void (*tell)(void *context, const char *sentence),
                     void *context)
{
    struct finding f = {.source = source, .tell = tell, .context = context};
    const struct xlp_snapshot *s = &source->snapshot;
    char sentence[SENTENCE_SIZE];

    if (s->other_controller[0]) {
        snprintf(sentence, sizeof(sentence),
                 "%s moves memory on this host too: stop one of the two", s->other_controller);
        found(&f, sentence);
    }
    if (source->plan.memory.code != XLP_REASON_NONE)
        found(&f, xlp_reason_format(&source->plan.memory, sentence, sizeof(sentence)));
    check_reservations(&f);
    for (size_t i = 0; i < s->domain_count; i++) {
        const struct xlp_verdict *verdict = &source->plan.verdicts[i];

        if (!check_cpu(&f, &s->domains[i], &verdict->cpu))
            check_verdict(&f, verdict, "CPU", &verdict->cpu);
        check_verdict(&f, verdict, "memory", &verdict->memory);
    }
    return f.count;
}
