/* SPDX-License-Identifier: LGPL-2.1-only */
#include "problems.h"

#include <stdio.h>

#define SENTENCE_SIZE 768

struct finding {
    const struct xlp_snapshot *snapshot;
    const struct xlp_plan *plan;
    const struct xlp_vcpu_view *vcpus;
    void (*tell)(void *context, const char *sentence);
    void *context;
    size_t count;
};

static void found(struct finding *f, const char *sentence)
{
    if (f->tell)
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
    struct xlp_domain_cpu cpu = xlp_domain_cpu_sum(f->snapshot, d, f->vcpus);
    bool hands_off = xlp_reason_is_hands_off(verdict->code);

    if (!xlp_domain_cpu_is_short(&cpu))
        return false;
    xlp_reason_format(verdict, why, sizeof(why));
    snprintf(sentence, sizeof(sentence), "%s: CPU: gets %.0f %% of a pCPU, wants %.0f %%%s%s%s",
             d->name, cpu.used * 100, cpu.demand * 100, hands_off ? "; " : "", hands_off ? why : "",
             verdict->code == XLP_REASON_CPU_EXCLUDED ? "; `xlpolicy why` names the entry" : "");
    found(f, sentence);
    return hands_off;
}

static void check_reservations(struct finding *f)
{
    const struct xlp_plan *plan = f->plan;
    char sentence[SENTENCE_SIZE], text[SENTENCE_SIZE - XLP_NAME_SIZE - 2], title[XLP_NAME_SIZE];

    for (size_t i = 0; i < plan->reservation_count; i++) {
        const struct xlp_reason *reason = &plan->reservations[i].reason;

        if (reason->code != XLP_REASON_RESERVE_SHORT)
            continue;
        snprintf(sentence, sizeof(sentence), "%s: %s",
                 xlp_reservation_title(&f->snapshot->reservations[i], title),
                 xlp_reason_format(reason, text, sizeof(text)));
        found(f, sentence);
    }
}

size_t xlp_problems_find(const struct xlp_snapshot *s, const struct xlp_plan *plan,
                         const struct xlp_vcpu_view *vcpus,
                         void (*tell)(void *context, const char *sentence), void *context)
{
    struct finding f = {
        .snapshot = s, .plan = plan, .vcpus = vcpus, .tell = tell, .context = context};
    char sentence[SENTENCE_SIZE];

    if (s->other_controller[0]) {
        snprintf(sentence, sizeof(sentence),
                 "%s moves memory on this host too: stop one of the two", s->other_controller);
        found(&f, sentence);
    }
    if (plan->memory.code != XLP_REASON_NONE)
        found(&f, xlp_reason_format(&plan->memory, sentence, sizeof(sentence)));
    check_reservations(&f);
    for (size_t i = 0; i < s->domain_count; i++) {
        const struct xlp_verdict *verdict = &plan->verdicts[i];

        if (!check_cpu(&f, &s->domains[i], &verdict->cpu))
            check_verdict(&f, verdict, "CPU", &verdict->cpu);
        check_verdict(&f, verdict, "memory", &verdict->memory);
    }
    return f.count;
}
