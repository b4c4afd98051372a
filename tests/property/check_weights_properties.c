/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What holds of every decision on weights, tried on random hosts on which the operator, guests that
 * come and go, and a daemon that is killed do what they like. A case is made from a seed; SEED in
 * the environment tries other cases.
 */
#include "../unit/check_main.h"

#include <math.h>

#include "../unit/made_host.h"
#include "cpu/weights.h"
#include "shares/random.h"

#define CASES      300
#define GUESTS_MAX 12
#define VCPUS_MAX  8
#define SECONDS    240

static struct xlp_random chance;
static struct xlp_snapshot s;
static struct xlp_policy policy;
static struct xlp_roster roster;
static struct xlp_weights *weights;
static struct xlp_plan plan;
static struct xlp_vcpu_view views[GUESTS_MAX * VCPUS_MAX];
static uint64_t written_ns[GUESTS_MAX]; /* when we last wrote its weight; 0: not yet */
static uint32_t shares[GUESTS_MAX];

static uint64_t below(uint64_t limit)
{
    return xlp_random_below(&chance, limit);
}

static bool one_in(uint64_t many)
{
    return below(many) == 0;
}

static double any_part(void)
{
    return (double)below(101) / 100;
}

/* ---- a random host ---- */

static void say(uint32_t i)
{
    char entry[80], error[200];
    int used = snprintf(entry, sizeof(entry), "vm%u: shares=%u", i + 1, shares[i]);

    if (one_in(5))
        snprintf(entry + used, sizeof(entry) - (size_t)used, ", serves=vm%s",
                 one_in(2) ? "*" : "[1-4]");
    ck_assert_msg(xlp_policy_add_domain(&policy, entry, error, sizeof(error)) == 0, "%s", error);
}

static void want(struct xlp_domain *d)
{
    for (uint32_t i = d->first_vcpu; i < d->first_vcpu + d->vcpu_count; i++) {
        double demand = one_in(3) ? 0 : any_part();

        views[i] =
            (struct xlp_vcpu_view){.used = demand * any_part(), .demand = demand, .known = true};
        s.vcpus[i].samples = one_in(3) ? 0 : 20;
        s.vcpus[i].samples_waiting = (uint32_t)below(s.vcpus[i].samples / 2 + 1);
        s.vcpus[i].samples_blocked = (uint32_t)below(s.vcpus[i].samples / 2 + 1);
    }
}

/* Shares differ by up to 100, so that the range of weights can hold them. */
static void make(uint64_t seed)
{
    uint32_t count;

    chance = (struct xlp_random){seed};
    count = 1 + (uint32_t)below(GUESTS_MAX);
    made_host(&s, 1 + (uint32_t)below(8), one_in(4) ? XLP_SCHED_CREDIT : XLP_SCHED_CREDIT2);
    xlp_policy_init(&policy);
    policy.cpu_weights = XLP_WEIGHTS_SHARES;
    weights = xlp_weights_new();
    xlp_plan_init(&plan);
    memset(views, 0, sizeof(views));
    memset(written_ns, 0, sizeof(written_ns));
    for (uint32_t i = 0; i < count; i++) {
        struct xlp_domain *d = made_guest(&s, i + 1, 1 + (uint32_t)below(VCPUS_MAX));

        shares[i] = 100 + (uint32_t)(below(2) ? below(900) : below(9900));
        say(i);
        want(d);
    }
}

static void dispose(void)
{
    xlp_plan_dispose(&plan);
    xlp_weights_free(weights);
    xlp_policy_dispose(&policy);
    xlp_roster_dispose(&roster);
    xlp_snapshot_dispose(&s);
}

static void decide(void)
{
    s.time_ns += SECOND_NS;
    xlp_plan_reset(&plan);
    if (xlp_plan_start(&plan, &s) < 0 || xlp_roster_call(&roster, &s, &policy) < 0 ||
        xlp_weights_decide(weights, &s, &policy, &roster, SECOND_NS, views, &plan) < 0)
        abort();
}

static void carry_out(void)
{
    for (size_t i = 0; i < plan.action_count; i++) {
        const struct xlp_action *a = &plan.actions[i];
        struct xlp_domain *d = &s.domains[a->domid - 1];

        if (one_in(20))
            continue; /* Xen was busy */
        if (!d->ledger.recorded)
            d->ledger.original_weight = d->weight;
        d->ledger.recorded = true;
        d->ledger.our_weight = d->weight = a->to_weight;
        written_ns[a->domid - 1] = s.time_ns;
    }
}

/* What others do between two decisions. */
static void meddle(void)
{
    for (size_t i = 0; i < s.domain_count; i++) {
        struct xlp_domain *d = &s.domains[i];

        if (one_in(20))
            want(d);
        if (one_in(200))
            d->weight = 1 + (uint32_t)below(XLP_WEIGHT_MAX);
        if (one_in(200))
            d->flags ^= XLP_DOMAIN_PAUSED;
        if (one_in(300))
            d->released = !d->released;
        if (one_in(300)) { /* it reboots */
            d->uuid[9]++;
            d->weight = XLP_WEIGHT_USUAL;
            d->ledger.recorded = false;
            written_ns[i] = 0;
        }
        if (d->ledger.recorded && one_in(300)) /* it is adopted */
            d->ledger.our_weight = d->ledger.original_weight = d->weight;
    }
    if (one_in(100)) { /* the daemon is killed, and another started */
        xlp_weights_free(weights);
        weights = xlp_weights_new();
    }
}

/* ---- the claims ---- */

static bool is_ours(const struct xlp_domain *d)
{
    const struct xlp_weight_ledger *l = &d->ledger;

    return !d->flags && !d->released &&
           (!l->recorded || d->weight == l->our_weight || d->weight == l->original_weight);
}

static void look_at_actions(void)
{
    for (size_t i = 0; i < plan.action_count; i++) {
        const struct xlp_action *a = &plan.actions[i];
        const struct xlp_domain *d = &s.domains[a->domid - 1];
        uint64_t last_ns = written_ns[a->domid - 1];
        int64_t change = llabs((int64_t)a->to_weight - a->from_weight);

        ck_assert_int_eq(a->kind, XLP_SET_WEIGHT);
        ck_assert(is_ours(d));
        ck_assert_uint_eq(a->from_weight, d->weight);
        ck_assert_uint_ge(a->to_weight, 1);
        ck_assert_uint_le(a->to_weight, XLP_WEIGHT_MAX);
        ck_assert_int_gt(change * 100, a->from_weight);
        ck_assert(last_ns == 0 || s.time_ns - last_ns >= 10 * SECOND_NS);
    }
}

START_TEST(every_write_is_ours_worth_it_and_not_too_soon)
{
    const char *seed = getenv("SEED");

    make(xlp_mix64((uint64_t)_i + (seed ? strtoull(seed, NULL, 10) << 20 : 0)));
    for (int second = 0; second < SECONDS; second++) {
        decide();
        look_at_actions();
        carry_out();
        meddle();
    }
    dispose();
}
END_TEST

/* What a domain would weigh at scale 1 by nothing but its shares, on so many vCPUs. */
static double plain(size_t i, int64_t vcpus)
{
    return shares[i] * (XLP_WEIGHT_USUAL / 1000.0) / (double)vcpus;
}

/* The tickets that its due weight stands for, at whatever scale the pool has. */
static double tickets(size_t i, int64_t vcpus)
{
    return xlp_weight_of(weights, &s, i) * (double)vcpus;
}

/* By how many vCPUs its tickets are divided. */
static int64_t sharers(size_t i)
{
    const struct xlp_reason *r = &plan.verdicts[i].weight;

    switch (r->code) {
    case XLP_REASON_WEIGHT_FITS: return r->number[2];
    case XLP_REASON_WEIGHT_SETTLING: return r->number[3];
    case XLP_REASON_WEIGHT_SHARES:
    case XLP_REASON_WEIGHT_COMPENSATED:
    case XLP_REASON_WEIGHT_LENT: return r->number[1];
    default: ck_abort_msg("a verdict that does not tell: %s", xlp_reason_name(r->code));
    }
}

/* Where all weights are ours: with tickets that are just shares, any two are in proportion to
 * within 1 %; with whatever is lent and made up for, nobody's part is less than half of what its
 * shares alone make it. */
static void look_at_proportions(bool plenty)
{
    double all_tickets = 0, all_shares = 0;

    for (size_t i = 0; i < s.domain_count; i++) {
        all_tickets += tickets(i, sharers(i));
        all_shares += shares[i];
    }
    for (size_t i = 0; i < s.domain_count; i++) {
        double part = tickets(i, sharers(i)) / all_tickets;

        ck_assert_double_ge(part, 0.5 * shares[i] / all_shares * 0.99);
        for (size_t k = 0; plenty && k < i; k++) {
            double ratio = xlp_weight_of(weights, &s, i) / xlp_weight_of(weights, &s, k);

            ck_assert_double_eq_tol(ratio / (plain(i, sharers(i)) / plain(k, sharers(k))), 1, 0.01);
        }
    }
}

START_TEST(weights_are_in_proportion_and_nobody_starves)
{
    bool plenty = _i % 2;

    make(xlp_mix64((uint64_t)_i));
    for (int second = 0; second < SECONDS; second++) {
        for (size_t i = 0; i < s.domain_count; i++)
            if (one_in(20))
                want(&s.domains[i]);
        for (size_t i = 0; plenty && i < s.vcpu_count; i++)
            views[i].demand = fmin(views[i].demand, 0.8 / (double)s.vcpu_count);
        decide();
        look_at_proportions(plenty);
        carry_out();
    }
    dispose();
}
END_TEST

START_TEST(a_host_that_does_not_change_comes_to_rest)
{
    make(xlp_mix64((uint64_t)_i));
    for (int second = 0; second < 400; second++) {
        decide();
        carry_out();
    }
    for (int second = 0; second < 100; second++) {
        decide();
        ck_assert_uint_eq(plan.action_count, 0);
    }
    dispose();
}
END_TEST

static TCase *writes(void)
{
    TCase *tcase = tcase_create("writes");

    tcase_add_loop_test(tcase, every_write_is_ours_worth_it_and_not_too_soon, 0, CASES);
    tcase_add_loop_test(tcase, weights_are_in_proportion_and_nobody_starves, 0, CASES);
    tcase_add_loop_test(tcase, a_host_that_does_not_change_comes_to_rest, 0, CASES);
    return tcase;
}

CHECK_MAIN("weights properties", writes)
