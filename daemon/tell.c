/* SPDX-License-Identifier: LGPL-2.1-only */
#include "tell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

static bool is_news(struct tell *t, const struct tell_key *key, uint64_t now_ns);
static bool same(const struct tell_key *a, const struct tell_key *b);

void tell_dispose(struct tell *t)
{
    free(t->entries);
    *t = (struct tell){0};
}

bool tell_action(struct tell *t, const struct xlp_action *action, const struct xlp_outcome *outcome,
                 uint64_t now_ns)
{
    struct tell_key key = {
        .kind = action->kind,
        .reason = action->reason.code,
        .outcome = outcome ? (int)outcome->code : TELL_WOULD,
        .domid = action->domid,
        .vcpu = action->vcpu,
        .to_pcpu = action->to_pcpu,
        .to_weight = action->to_weight,
        .to_kib = action->to_kib,
        .reservation = action->reservation.id,
    };
    bool done = outcome && outcome->code == XLP_DONE;
    bool fault = outcome && outcome->code == XLP_NOT_DONE_FAILED;
    char text[1000];

    if (!done && !is_news(t, &key, now_ns))
        return false;
    log_line(fault ? LOG_ERR : LOG_INFO, "%s",
             xlp_outcome_format(action, outcome, text, sizeof(text)));
    return true;
}

void tell_forget(struct tell *t, uint64_t now_ns)
{
    size_t kept = 0;

    for (size_t i = 0; i < t->count; i++)
        if (now_ns - t->entries[i].seen_ns < TELL_FORGET_NS)
            t->entries[kept++] = t->entries[i];
    t->count = kept;
}

/* Notes that it came up now. */
static bool is_news(struct tell *t, const struct tell_key *key, uint64_t now_ns)
{
    for (size_t i = 0; i < t->count; i++) {
        if (same(&t->entries[i].key, key)) {
            t->entries[i].seen_ns = now_ns;
            return false;
        }
    }
    if (t->count == t->room && t->room < TELL_ENTRIES_MAX) {
        size_t room = t->room ? t->room * 2 : 64;
        struct tell_entry *grown = reallocarray(t->entries, room, sizeof(*grown));

        if (!grown)
            return true;
        t->entries = grown;
        t->room = room;
    }
    if (t->count < t->room)
        t->entries[t->count++] = (struct tell_entry){*key, now_ns};
    return true;
}

static bool same(const struct tell_key *a, const struct tell_key *b)
{
    return a->kind == b->kind && a->reason == b->reason && a->outcome == b->outcome &&
           a->domid == b->domid && a->vcpu == b->vcpu && a->to_pcpu == b->to_pcpu &&
           a->to_weight == b->to_weight && a->to_kib == b->to_kib &&
           a->reservation == b->reservation;
}
