/* SPDX-License-Identifier: LGPL-2.1-only */
/* Verdicts: what was measured, held against what was allowed, in one sentence. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "host/trial_parts.h"

/* A vCPU that runs elsewhere for less than this part of the window still counts as being there. */
#define PLACE_TOLERANCE 0.25

struct words {
    char *at;
    size_t left;
};

static void say(struct words *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool judge_one(const struct xlp_judge *judge, const struct xlp_measure *m, struct words *w);

void xlp_judge_verdict(const struct xlp_judge *judge, size_t i,
                       struct xlp_trial_verdict *verdict_out)
{
    const struct xlp_measure *m = &judge->measures[i];
    const struct xlp_sim_expect *e = m->expect;
    struct words w = {verdict_out->text, sizeof(verdict_out->text)};

    verdict_out->line = e->line;
    verdict_out->text[0] = '\0';
    say(&w, "%s", xlp_sim_check_name(e->check));
    if (strcmp(e->guests, "*") != 0)
        say(&w, " of %s", e->guests);
    say(&w, ", %g s to %g s: ", (double)m->from_ns / 1e9, (double)e->to_ns / 1e9);
    verdict_out->passed = judge_one(judge, m, &w);
}

static void say(struct words *w, const char *format, ...)
{
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(w->at, w->left, format, args);
    va_end(args);
    if (length < 0)
        return;
    if ((size_t)length >= w->left)
        length = (int)w->left - 1;
    w->at += length;
    w->left -= (size_t)length;
}

/* "; allowed: at most 5 points" and so on; true if both values are within the bounds. */
static bool hold(const struct xlp_sim_expect *e, struct words *w, double low, double high,
                 const char *unit)
{
    const double rounding = 1e-9;

    if (e->min == e->max)
        say(w, "; expected: %g%s", e->min, unit);
    else if (!isinf(e->min) && !isinf(e->max))
        say(w, "; expected: %g to %g%s", e->min, e->max, unit);
    else if (!isinf(e->min))
        say(w, "; expected: at least %g%s", e->min, unit);
    else
        say(w, "; expected: at most %g%s", e->max, unit);
    return low >= e->min - rounding && high <= e->max + rounding;
}

static const char *guest_name(const struct xlp_judge *judge, size_t slot)
{
    return judge->sim->domains[slot].spec->name;
}

/* ---- CPU ---- */

static bool judge_spread(const struct xlp_judge *judge, const struct xlp_measure *m,
                         struct words *w)
{
    double low = INFINITY, high = -INFINITY;
    uint32_t low_at = 0, high_at = 0;

    for (uint32_t p = 0; p < judge->sim->pcpu_count; p++) {
        double used = m->pcpu_s[p] > 0 ? 100 * m->pcpu_sum[p] / m->pcpu_s[p] : -1;

        if (used < 0)
            continue;
        if (used < low) {
            low = used;
            low_at = p;
        }
        if (used > high) {
            high = used;
            high_at = p;
        }
    }
    say(w, "pCPU %u was used %.1f %%, pCPU %u %.1f %%: %.1f points apart", high_at, high, low_at,
        low, high - low);
    return hold(m->expect, w, high - low, high - low, " points");
}

static bool judge_places(const struct xlp_judge *judge, const struct xlp_measure *m,
                         struct words *w)
{
    double wanted = m->expect->max;
    bool passed = true;

    say(w, "vCPUs %s each pCPU:", m->expect->pinned ? "pinned to" : "on");
    for (uint32_t p = 0; p < judge->sim->pcpu_count; p++) {
        double here = m->pcpu_sum[p] / m->judged_s;

        say(w, " %.2f", here);
        passed = passed && fabs(here - wanted) <= PLACE_TOLERANCE;
    }
    say(w, "; expected: %g", wanted);
    return passed;
}

/* Guests by guest_a, of guest_b. */
static bool judge_parts(const struct xlp_judge *judge, const struct xlp_measure *m, struct words *w,
                        const char *did, const char *of_what, bool apart)
{
    double low = INFINITY, high = -INFINITY;
    size_t low_at = 0, high_at = 0;

    for (size_t slot = 0; slot < judge->sim->domain_count; slot++) {
        double part = m->guest_b[slot] > 0 ? 100 * m->guest_a[slot] / m->guest_b[slot] : -1;

        if (part < 0)
            continue;
        if (part < low) {
            low = part;
            low_at = slot;
        }
        if (part > high) {
            high = part;
            high_at = slot;
        }
    }
    if (isinf(low)) {
        say(w, "nobody was entitled to anything");
        return false;
    }
    say(w, "%s %s %.1f %%%s, %s %.1f %%", guest_name(judge, low_at), did, low, of_what,
        guest_name(judge, high_at), high);
    if (apart)
        return hold(m->expect, w, high - low, high - low, " points apart");
    return hold(m->expect, w, low, high, " %");
}

static bool judge_lost(const struct xlp_judge *judge, const struct xlp_measure *m, struct words *w)
{
    double work = 0, entitled = 0, lost_pct;

    for (size_t slot = 0; slot < judge->sim->domain_count; slot++) {
        work += m->guest_a[slot];
        entitled += m->guest_b[slot];
    }
    lost_pct = entitled > 0 ? 100 * fmax(0, 1 - work / entitled) : 0;
    say(w, "%.1f of %.1f pCPU seconds of work were done, %.2f %% lost", work, entitled, lost_pct);
    return hold(m->expect, w, lost_pct, lost_pct, " %");
}

static bool judge_elsewhere(const struct xlp_judge *judge, const struct xlp_measure *m,
                            struct words *w)
{
    double there = 0, elsewhere = 0, part_pct;

    for (uint32_t p = 0; p < judge->sim->pcpu_count; p++)
        *(xlp_cpumap_test(&m->expect->map, p) ? &there : &elsewhere) += m->pcpu_sum[p];
    if (there + elsewhere <= 0) {
        say(w, "nothing ran");
        return false;
    }
    part_pct = 100 * elsewhere / (there + elsewhere);
    say(w, "%.2f %% of the run time was on other pCPUs", part_pct);
    return hold(m->expect, w, part_pct, part_pct, " %");
}

/* ---- memory ---- */

static bool judge_short(const struct xlp_judge *judge, const struct xlp_measure *m, struct words *w)
{
    size_t worst = 1;

    for (size_t slot = 1; slot < judge->sim->domain_count; slot++)
        if (m->matches[slot] && (!m->matches[worst] || m->guest_b[slot] > m->guest_b[worst]))
            worst = slot;
    say(w, "%s was short for %.1f s on end", guest_name(judge, worst), m->guest_b[worst]);
    return hold(m->expect, w, m->guest_b[worst], m->guest_b[worst], " s");
}

static bool judge_givers(const struct xlp_judge *judge, const struct xlp_measure *m,
                         struct words *w)
{
    if (isinf(m->low)) {
        say(w, "nothing to judge: nobody gave memory up");
        return false;
    }
    say(w, "%s was left %.1f MiB above what it used when it gave memory up; expected: at least %g",
        guest_name(judge, m->worst_guest), m->low, m->expect->margin_mib);
    return m->low >= m->expect->margin_mib;
}

static bool judge_sizes(const struct xlp_judge *judge, const struct xlp_measure *m, struct words *w)
{
    double sum = 0, apart_pct;
    size_t count = 0;

    for (size_t slot = 0; slot < judge->sim->domain_count; slot++) {
        if (m->matches[slot] && judge->sim->domains[slot].alive) {
            sum += m->guest_a[slot];
            count++;
        }
    }
    apart_pct = count ? 100 * (m->high - m->low) / (sum / (double)count) : INFINITY;
    say(w, "from %.0f to %.0f MiB at the end: %.1f %% apart", m->low, m->high, apart_pct);
    return hold(m->expect, w, apart_pct, apart_pct, " %");
}

/* ---- all ---- */

static bool judge_count(const struct xlp_measure *m, struct words *w)
{
    say(w, "%llu", (unsigned long long)m->count);
    return hold(m->expect, w, (double)m->count, (double)m->count, "");
}

static bool is_about_guests(enum xlp_sim_check check)
{
    return check != XLP_CHECK_PCPU_SPREAD && check != XLP_CHECK_HOST_FREE &&
           check != XLP_CHECK_RESERVED && check != XLP_CHECK_RESERVATIONS &&
           check != XLP_CHECK_OUTCOMES;
}

static bool judge_one(const struct xlp_judge *judge, const struct xlp_measure *m, struct words *w)
{
    const struct xlp_sim_expect *e = m->expect;
    double count = (double)m->count;

    if (m->judged_s <= 0 || (is_about_guests(e->check) && !m->met_guest)) {
        say(w, "nothing to judge: no such time, or no such guest then");
        return false;
    }
    switch (e->check) {
    case XLP_CHECK_PCPU_SPREAD: return judge_spread(judge, m, w);
    case XLP_CHECK_VCPUS_PER_PCPU: return judge_places(judge, m, w);
    case XLP_CHECK_GUEST_CPU: return judge_parts(judge, m, w, "got", " a vCPU", false);
    case XLP_CHECK_GUEST_CPU_SPREAD: return judge_parts(judge, m, w, "got", " a vCPU", true);
    case XLP_CHECK_GUEST_WORK: return judge_parts(judge, m, w, "did work of", " a vCPU", false);
    case XLP_CHECK_GUEST_SHARE: return judge_parts(judge, m, w, "did", " of its share", false);
    case XLP_CHECK_UNFAIRNESS: return judge_parts(judge, m, w, "did", " of its share", true);
    case XLP_CHECK_LOST_WORK: return judge_lost(judge, m, w);
    case XLP_CHECK_ELSEWHERE: return judge_elsewhere(judge, m, w);
    case XLP_CHECK_MOVES:
    case XLP_CHECK_REVERSALS:
    case XLP_CHECK_NEEDLESS_WRITES:
    case XLP_CHECK_WEIGHT_WRITES:
    case XLP_CHECK_TARGET_WRITES:
    case XLP_CHECK_TARGET_FLIPS:
    case XLP_CHECK_GROWTH_FAILURES: return judge_count(m, w);
    case XLP_CHECK_OUTCOMES:
        say(w, "%.0f actions \"%s\"", count, xlp_outcome_name(e->outcome));
        return hold(e, w, count, count, "");
    case XLP_CHECK_AFFINITY:
        say(w, "%.0f vCPUs with another hard affinity at the end; expected: 0", count);
        return m->count == 0;
    case XLP_CHECK_AFFINITY_UNCHANGED:
        say(w, "changed %.0f times; expected: 0", count);
        return m->count == 0;
    case XLP_CHECK_WEIGHT:
        say(w, "weighed %.0f to %.0f", m->low, m->high);
        return hold(e, w, m->low, m->high, "");
    case XLP_CHECK_SHORT: return judge_short(judge, m, w);
    case XLP_CHECK_DEFICIT:
        say(w, "%.0f MiB s wanted and not there", m->sum);
        return hold(e, w, m->sum, m->sum, " MiB s");
    case XLP_CHECK_GIVERS_SAFE: return judge_givers(judge, m, w);
    case XLP_CHECK_SIZES_WITHIN: return judge_sizes(judge, m, w);
    case XLP_CHECK_GUEST_MEMORY:
        say(w, "had %.0f to %.0f MiB", m->low, m->high);
        return hold(e, w, m->low, m->high, " MiB");
    case XLP_CHECK_HOST_FREE:
        say(w, "%.0f to %.0f MiB were free", m->low, m->high);
        return hold(e, w, m->low, m->high, " MiB");
    case XLP_CHECK_RESERVED:
        say(w, "%.0f to %.0f MiB were reserved, and free", m->low, m->high);
        return hold(e, w, m->low, m->high, " MiB");
    case XLP_CHECK_RESERVATIONS:
        say(w, "there were %.0f to %.0f", m->low, m->high);
        return hold(e, w, m->low, m->high, "");
    case XLP_CHECK_KINDS: break;
    }
    return false;
}
