/* SPDX-License-Identifier: LGPL-2.1-only */
#include "roster.h"

#include <stdlib.h>
#include <string.h>

#include "grow.h"

void xlp_roster_init(struct xlp_roster *r)
{
    memset(r, 0, sizeof(*r));
}

void xlp_roster_dispose(struct xlp_roster *r)
{
    free(r->entries);
    free(r->rules);
    free(r->terms);
    free(r->kinds);
    xlp_roster_init(r);
}

static bool is_same(const struct xlp_roster_entry *e, const struct xlp_domain *d)
{
    return e->domid == d->domid && memcmp(e->uuid, d->uuid, sizeof(e->uuid)) == 0 &&
           e->first_vcpu == d->first_vcpu && e->vcpu_count == d->vcpu_count;
}

/* What dom0 uses is always known. */
static bool is_quiet(const struct xlp_domain *d)
{
    const struct xlp_domain_memory *m = &d->memory;
    bool says_nothing = !m->report_bad && m->report.source == XLP_REPORT_NONE;

    return !m->ledger.recorded && (says_nothing || d->domid == 0);
}

static void look(struct xlp_roster *r, const struct xlp_snapshot *s)
{
    bool same = r->count == s->domain_count, quiet = true;

    for (size_t i = 0; same && i < s->domain_count; i++)
        same = is_same(&r->entries[i], &s->domains[i]);
    for (size_t i = 0; quiet && i < s->domain_count; i++)
        quiet = is_quiet(&s->domains[i]);
    r->same = same;
    r->memory_quiet = quiet;
}

static int enrol(struct xlp_roster *r, const struct xlp_snapshot *s)
{
    r->count = 0;
    if (xlp_grow(&r->entries, &r->room, s->domain_count, sizeof(*r->entries)) < 0)
        return -1;
    for (size_t i = 0; i < s->domain_count; i++) {
        const struct xlp_domain *d = &s->domains[i];
        struct xlp_roster_entry *e = &r->entries[i];

        e->domid = d->domid;
        memcpy(e->uuid, d->uuid, sizeof(e->uuid));
        e->first_vcpu = d->first_vcpu;
        e->vcpu_count = d->vcpu_count;
    }
    r->count = s->domain_count;
    return 0;
}

/* ---- terms ---- */

/* Takes over the policy's rules. 1 when they are others than before, -1 when memory is out. */
static int learn_rules(struct xlp_roster *r, const struct xlp_policy *policy)
{
    size_t count = policy->domain_count, size = count * sizeof(*r->rules);

    if (r->rule_count == count && (count == 0 || memcmp(r->rules, policy->domains, size) == 0))
        return 0;
    r->rule_count = r->term_count = 0;
    if (xlp_grow(&r->rules, &r->rule_room, count, sizeof(*r->rules)) < 0)
        return -1;
    if (count)
        memcpy(r->rules, policy->domains, size);
    r->rule_count = count;
    return 1;
}

static bool are_same(const struct xlp_domain_policy *a, const struct xlp_domain_policy *b)
{
    return strcmp(a->pattern, b->pattern) == 0 && a->cpu == b->cpu && a->memory == b->memory &&
           a->shares == b->shares && a->shares_given == b->shares_given &&
           strcmp(a->serves, b->serves) == 0 && a->floor_kib == b->floor_kib &&
           a->given == b->given;
}

/* 0, or -1 when memory is out. */
static int learn_kind(struct xlp_roster *r, const struct xlp_domain_policy *terms,
                      uint32_t *kind_out)
{
    size_t kind = 0;

    while (kind < r->kind_count && !are_same(&r->kinds[kind], terms))
        kind++;
    if (kind == r->kind_count) {
        if (xlp_grow(&r->kinds, &r->kind_room, kind + 1, sizeof(*r->kinds)) < 0)
            return -1;
        r->kinds[r->kind_count++] = *terms;
    }
    *kind_out = (uint32_t)kind;
    return 0;
}

/* A name decides, and a guest may be renamed. */
static int learn_terms(struct xlp_roster *r, const struct xlp_snapshot *s,
                       const struct xlp_policy *policy)
{
    int news = learn_rules(r, policy);
    size_t known = news ? 0 : r->term_count;

    if (news < 0)
        return -1;
    r->term_count = 0;
    if (news)
        r->kind_count = 0;
    if (r->rule_count == 0) {
        r->usual = xlp_policy_for(policy, "");
        return 0;
    }
    if (xlp_grow(&r->terms, &r->term_room, s->domain_count, sizeof(*r->terms)) < 0)
        return -1;
    for (size_t i = 0; i < s->domain_count; i++) {
        const char *name = s->domains[i].name;
        struct xlp_roster_terms *t = &r->terms[i];
        struct xlp_domain_policy own;

        if (i < known && memcmp(t->name, name, sizeof(t->name)) == 0)
            continue;
        memcpy(t->name, name, sizeof(t->name));
        own = xlp_policy_for(policy, name);
        if (learn_kind(r, &own, &t->kind) < 0)
            return -1;
    }
    r->term_count = s->domain_count;
    return 0;
}

int xlp_roster_call(struct xlp_roster *r, const struct xlp_snapshot *s,
                    const struct xlp_policy *policy)
{
    look(r, s);
    if ((!r->same && enrol(r, s) < 0) || learn_terms(r, s, policy) < 0) {
        r->count = 0;
        return -1;
    }
    return 0;
}
