/* SPDX-License-Identifier: LGPL-2.1-only */
/* Shares as scheduler weights: how much, whose, and when. */
#include "check_main.h"

#include <math.h>

#include "cpu/cpu.h"
#include "cpu/weights.h"
#include "made_host.h"

#define VCPUS_MAX 64

static struct xlp_snapshot s;
static struct xlp_policy policy;
static struct xlp_roster roster;
static struct xlp_weights *weights;
static struct xlp_plan plan;
static struct xlp_vcpu_view views[VCPUS_MAX];
static unsigned int writes; /* since the last count */

static void setup(void)
{
    made_host(&s, 4, XLP_SCHED_CREDIT2);
    xlp_policy_init(&policy);
    policy.cpu_weights = XLP_WEIGHTS_SHARES;
    weights = xlp_weights_new();
    xlp_plan_init(&plan);
    memset(views, 0, sizeof(views));
    writes = 0;
}

static void teardown(void)
{
    xlp_plan_dispose(&plan);
    xlp_weights_free(weights);
    xlp_policy_dispose(&policy);
    xlp_roster_dispose(&roster);
    xlp_snapshot_dispose(&s);
}

static void say(const char *entry)
{
    char error[200];

    ck_assert_msg(xlp_policy_add_domain(&policy, entry, error, sizeof(error)) == 0, "%s", error);
}

static size_t index_of(uint32_t domid)
{
    return (size_t)(xlp_snapshot_domain(&s, domid) - s.domains);
}

static struct xlp_domain *domain(uint32_t domid)
{
    return &s.domains[index_of(domid)];
}

/* From now on each of its first `vcpus` vCPUs wants this much, and gets it; the others nothing. */
static void want(uint32_t domid, uint32_t vcpus, double demand)
{
    const struct xlp_domain *d = domain(domid);

    for (uint32_t i = 0; i < d->vcpu_count; i++)
        views[d->first_vcpu + i] = (struct xlp_vcpu_view){
            .used = i < vcpus ? demand : 0, .demand = i < vcpus ? demand : 0, .known = true};
}

static void write_it(const struct xlp_action *a)
{
    struct xlp_domain *d = domain(a->domid);

    ck_assert_int_eq(a->kind, XLP_SET_WEIGHT);
    ck_assert_uint_eq(a->from_weight, d->weight);
    ck_assert_uint_ge(a->to_weight, 1);
    ck_assert_uint_le(a->to_weight, XLP_WEIGHT_MAX);
    if (!d->ledger.recorded)
        d->ledger.original_weight = d->weight;
    d->ledger.recorded = true;
    d->ledger.our_weight = d->weight = a->to_weight;
    writes++;
}

/* One second passes, a decision is made, and carried out. */
static void tick(void)
{
    s.time_ns += SECOND_NS;
    xlp_plan_reset(&plan);
    ck_assert_int_eq(xlp_plan_start(&plan, &s), 0);
    ck_assert_int_eq(xlp_roster_call(&roster, &s, &policy), 0);
    ck_assert_int_eq(xlp_weights_decide(weights, &s, &policy, &roster, SECOND_NS, views, &plan), 0);
    for (size_t i = 0; i < plan.action_count; i++)
        write_it(&plan.actions[i]);
}

static void ticks(int count)
{
    for (; count > 0; count--)
        tick();
}

static unsigned int count_writes(void)
{
    unsigned int count = writes;

    writes = 0;
    return count;
}

static enum xlp_reason_code verdict(uint32_t domid)
{
    return plan.verdicts[index_of(domid)].weight.code;
}

/* ---- how much ---- */

START_TEST(off_means_that_nothing_is_written_and_nothing_said)
{
    made_guest(&s, 1, 2);
    say("vm1: shares=5000");
    policy.cpu_weights = XLP_WEIGHTS_OFF;
    want(1, 2, 1);
    ticks(60);
    ck_assert_uint_eq(count_writes(), 0);
    ck_assert_int_eq(verdict(1), XLP_REASON_NONE);
    ck_assert_double_eq(xlp_weight_of(weights, &s, 0), 256);
}
END_TEST

START_TEST(a_usual_host_is_left_as_it_is)
{
    for (uint32_t i = 0; i < 8; i++) {
        made_guest(&s, i, 1);
        want(i, 1, 0.5);
    }
    ticks(60);
    ck_assert_uint_eq(count_writes(), 0);
    ck_assert_int_eq(verdict(3), XLP_REASON_WEIGHT_FITS);
}
END_TEST

START_TEST(weights_go_by_shares)
{
    made_guest(&s, 1, 1);
    made_guest(&s, 2, 1);
    made_guest(&s, 3, 1);
    say("vm2: shares=2000");
    say("vm3: shares=500");
    ticks(60);
    ck_assert_uint_eq(domain(1)->weight, 256);
    ck_assert_uint_eq(domain(2)->weight, 512);
    ck_assert_uint_eq(domain(3)->weight, 128);
    ck_assert_uint_eq(count_writes(), 2);
}
END_TEST

START_TEST(equal_shares_are_equal_parts_whatever_the_number_of_vcpus)
{
    made_guest(&s, 1, 1);
    made_guest(&s, 2, 4);
    want(1, 1, 1);
    want(2, 4, 1);
    ticks(30);
    ck_assert_uint_eq(domain(1)->weight, 4 * domain(2)->weight);
    ck_assert_uint_eq(domain(2)->weight, 128); /* 64, and twice that to be round */
}
END_TEST

START_TEST(only_active_vcpus_divide_the_tickets)
{
    made_guest(&s, 1, 1);
    made_guest(&s, 2, 4);
    want(2, 1, 1);
    ticks(30);
    ck_assert_uint_eq(domain(2)->weight, domain(1)->weight);
    want(2, 3, 1);
    ticks(20);
    ck_assert_uint_eq(domain(2)->weight * 3 / 2, domain(1)->weight / 2);
    made_vcpu(&s, 2, 1)->online = false;
    ticks(20);
    ck_assert_uint_eq(domain(2)->weight * 2, domain(1)->weight);
}
END_TEST

START_TEST(a_spike_does_not_make_a_vcpu_active_nor_a_pause_idle)
{
    made_guest(&s, 1, 1);
    made_guest(&s, 2, 2);
    want(2, 1, 1);
    ticks(60);
    count_writes();
    for (int i = 0; i < 20; i++) {
        want(2, 2, 1);
        ticks(2);
        want(2, 1, 1);
        ticks(28);
    }
    ck_assert_uint_eq(count_writes(), 0);
    want(2, 2, 1);
    ticks(60);
    ck_assert_uint_gt(count_writes(), 0);
    for (int i = 0; i < 20; i++) {
        want(2, 1, 1);
        ticks(28);
        want(2, 2, 0.3);
        ticks(2);
    }
    ck_assert_uint_eq(count_writes(), 0);
}
END_TEST

START_TEST(a_domain_that_falls_asleep_keeps_its_weight)
{
    made_guest(&s, 1, 1);
    made_guest(&s, 2, 4);
    want(2, 3, 1);
    ticks(60);
    count_writes();
    want(2, 0, 0);
    ticks(600);
    ck_assert_uint_eq(count_writes(), 0);
}
END_TEST

START_TEST(the_heaviest_and_the_lightest_stay_within_what_xen_takes)
{
    made_guest(&s, 1, 1);
    made_guest(&s, 2, 8);
    say("vm1: shares=1000000");
    say("vm2: shares=1");
    want(2, 8, 1);
    ticks(60);
    ck_assert_uint_eq(domain(1)->weight, 64000); /* 256000, and a quarter of that to fit */
    ck_assert_uint_eq(domain(2)->weight, 1);
}
END_TEST

/* ---- the scale ---- */

START_TEST(a_finer_scale_comes_at_once_and_a_coarser_one_has_to_last)
{
    made_guest(&s, 1, 1);
    made_guest(&s, 2, 8);
    want(1, 1, 1);
    want(2, 1, 1);
    ticks(340); /* what was taken for eight vCPUs at first is forgotten */
    ck_assert_uint_eq(domain(1)->weight, 256);
    want(2, 8, 1);
    ticks(15);
    ck_assert_uint_eq(domain(1)->weight, 1024);
    ck_assert_uint_eq(domain(2)->weight, 128);
    want(2, 1, 1);
    ticks(60);
    ck_assert_uint_eq(domain(1)->weight, 1024);
    ck_assert_uint_eq(domain(2)->weight, 1024);
    ticks(300);
    ck_assert_uint_eq(domain(1)->weight, 256);
}
END_TEST

START_TEST(where_weights_of_others_stand_ours_keep_their_meaning)
{
    made_guest(&s, 1, 1);
    made_guest(&s, 2, 8);
    made_guest(&s, 3, 1)->weight = 700;
    want(2, 8, 1);
    ticks(60);
    ck_assert_int_eq(verdict(3), XLP_REASON_WEIGHT_OPERATOR);
    ck_assert_uint_eq(domain(1)->weight, 256);
    ck_assert_uint_eq(domain(2)->weight, 32);
    ck_assert_uint_eq(domain(3)->weight, 700);
    say("vm3: cpu=0");
    ticks(1);
    ck_assert_int_eq(verdict(3), XLP_REASON_CPU_EXCLUDED);
}
END_TEST

START_TEST(a_weight_set_by_hand_sets_the_scale_back_at_once)
{
    made_guest(&s, 1, 1);
    made_guest(&s, 2, 8);
    made_guest(&s, 3, 1);
    want(2, 8, 1);
    ticks(60);
    ck_assert_uint_eq(domain(1)->weight, 1024);
    domain(3)->weight = 300;
    ticks(1);
    ck_assert_uint_eq(domain(1)->weight, 256);
    ck_assert_uint_eq(domain(2)->weight, 32);
}
END_TEST

START_TEST(dom0_keeps_its_part_unless_it_is_given_shares)
{
    made_guest(&s, 0, 4)->weight = 512;
    made_guest(&s, 1, 1);
    made_guest(&s, 2, 4);
    want(0, 4, 0.5);
    want(2, 4, 1);
    ticks(30);
    ck_assert_uint_eq(domain(1)->weight, 512); /* twice the usual, for vm2's sake */
    ck_assert_uint_eq(domain(0)->weight, 1024);
    ck_assert_int_eq(verdict(0), XLP_REASON_WEIGHT_IN_PROPORTION);
    ck_assert_uint_eq(domain(0)->ledger.original_weight, 512);
    say("Domain-0: shares=4000");
    ticks(30);
    ck_assert_uint_eq(domain(0)->weight, 512);
    ck_assert_int_eq(verdict(0), XLP_REASON_WEIGHT_FITS);
}
END_TEST

START_TEST(pools_are_scaled_each_by_itself)
{
    struct xlp_pool *second = xlp_snapshot_add_pool(&s);

    second->id = 1;
    second->sched = XLP_SCHED_CREDIT;
    second->map = made_map(&s, "8-9");
    made_guest(&s, 1, 1);
    made_guest(&s, 2, 8)->pool_id = 1;
    made_guest(&s, 3, 1)->pool_id = 1;
    want(2, 8, 1);
    ticks(30);
    ck_assert_uint_eq(domain(1)->weight, 256);
    ck_assert_uint_eq(domain(2)->weight, 128);
    ck_assert_uint_eq(domain(3)->weight, 1024);
}
END_TEST

/* ---- whose ---- */

START_TEST(a_weight_set_by_hand_is_its_setters)
{
    made_guest(&s, 1, 1);
    say("vm1: shares=2000");
    ticks(30);
    ck_assert_uint_eq(domain(1)->weight, 512);
    domain(1)->weight = 300;
    count_writes();
    ticks(60);
    ck_assert_uint_eq(count_writes(), 0);
    ck_assert_int_eq(verdict(1), XLP_REASON_WEIGHT_TAKEN_BACK);
    ck_assert_int_eq(plan.verdicts[0].weight.number[0], 300);
    ck_assert_int_eq(plan.verdicts[0].weight.number[1], 512);
    ck_assert_double_eq(xlp_weight_of(weights, &s, 0), 300);
    domain(1)->ledger.our_weight = 300; /* adopted */
    ticks(1);
    ck_assert_uint_eq(domain(1)->weight, 512);
    domain(1)->weight = 256; /* as it was before us: nobody's word, and ours again */
    ticks(11);
    ck_assert_uint_eq(domain(1)->weight, 512);
}
END_TEST

START_TEST(a_weight_found_is_the_operators_unless_he_gives_shares_or_adopts)
{
    made_guest(&s, 1, 1)->weight = 700;
    ticks(30);
    ck_assert_int_eq(verdict(1), XLP_REASON_WEIGHT_OPERATOR);
    ck_assert_uint_eq(count_writes(), 0);
    say("vm*: shares=1000");
    ticks(1);
    ck_assert_uint_eq(domain(1)->weight, 256);
    ck_assert_uint_eq(domain(1)->ledger.original_weight, 700);
    xlp_policy_dispose(&policy);
    policy.cpu_weights = XLP_WEIGHTS_SHARES;
    policy.adopt = 1;
    made_guest(&s, 2, 1)->weight = 700;
    ticks(11);
    ck_assert_uint_eq(domain(2)->weight, 256);
}
END_TEST

START_TEST(nothing_is_done_to_a_domain_in_transit_or_released)
{
    made_guest(&s, 1, 1);
    say("vm1: shares=2000");
    domain(1)->flags = XLP_DOMAIN_PAUSED;
    ticks(30);
    ck_assert_int_eq(verdict(1), XLP_REASON_PAUSED);
    domain(1)->flags = 0;
    domain(1)->released = true;
    ticks(30);
    ck_assert_int_eq(verdict(1), XLP_REASON_RELEASED);
    ck_assert_uint_eq(count_writes(), 0);
}
END_TEST

START_TEST(schedulers_without_weights_are_named)
{
    s.pools[0].sched = XLP_SCHED_RTDS;
    made_guest(&s, 1, 1);
    say("vm1: shares=2000");
    ticks(30);
    ck_assert_int_eq(verdict(1), XLP_REASON_WEIGHT_NO_WEIGHTS);
    ck_assert_uint_eq(count_writes(), 0);
}
END_TEST

/* ---- when ---- */

START_TEST(a_domain_is_written_at_most_every_ten_seconds)
{
    uint64_t last_ns = s.time_ns; /* when it was first seen */

    made_guest(&s, 1, 1);
    for (int i = 0; i < 200; i++) {
        policy.domain_count = 0;
        say(i % 2 ? "vm1: shares=3000" : "vm1: shares=500");
        tick();
        if (count_writes() == 0)
            continue;
        ck_assert_uint_ge(s.time_ns - last_ns, 10 * SECOND_NS);
        last_ns = s.time_ns;
    }
    ck_assert_uint_ge(last_ns, 100 * SECOND_NS);
}
END_TEST

START_TEST(a_change_of_one_percent_is_not_worth_a_write)
{
    made_guest(&s, 1, 1);
    say("vm1: shares=1009"); /* 258 */
    ticks(30);
    ck_assert_uint_eq(count_writes(), 0);
    ck_assert_int_eq(verdict(1), XLP_REASON_WEIGHT_FITS);
    say("vm1: shares=1012"); /* 259 */
    ticks(30);
    ck_assert_uint_eq(count_writes(), 1);
}
END_TEST

START_TEST(another_domain_of_the_same_id_is_watched_anew)
{
    made_guest(&s, 1, 1);
    say("vm1: shares=2000");
    ticks(9);
    ck_assert_int_eq(verdict(1), XLP_REASON_WEIGHT_SETTLING);
    ck_assert_int_eq(plan.verdicts[0].weight.number[4], 2);
    domain(1)->uuid[7] = 1;
    ticks(10);
    ck_assert_uint_eq(count_writes(), 0);
    ticks(1);
    ck_assert_uint_eq(count_writes(), 1);
}
END_TEST

/* ---- compensation and driver domains ---- */

/* Of a hundred looks at each of its vCPUs so many found it waiting, and so many blocked. */
static void looks(uint32_t domid, uint32_t waiting, uint32_t blocked)
{
    const struct xlp_domain *d = domain(domid);

    for (uint32_t i = d->first_vcpu; i < d->first_vcpu + d->vcpu_count; i++) {
        s.vcpus[i].samples = 100;
        s.vcpus[i].samples_waiting = waiting;
        s.vcpus[i].samples_blocked = blocked;
    }
}

/* Guests that leave no pCPU idle, with ids from `domid` on. */
static void made_hogs(uint32_t domid, int count)
{
    for (; count > 0; count--, domid++) {
        made_guest(&s, domid, 1);
        want(domid, 1, 1);
    }
}

START_TEST(who_blocks_and_waits_weighs_more_for_a_while)
{
    made_hogs(1, 8);
    want(8, 1, 0.1);
    looks(8, 20, 70);
    ticks(30);
    ck_assert_int_eq(verdict(8), XLP_REASON_WEIGHT_FITS);
    ck_assert_uint_eq(domain(8)->weight, 512);
    ck_assert_uint_eq(domain(1)->weight, 256);
    looks(8, 0, 90);
    ticks(60);
    ck_assert_uint_eq(domain(8)->weight, 256);
    looks(8, 90, 0); /* it waits, but for want of blocking not because of its weight */
    ticks(30);
    ck_assert_uint_eq(domain(8)->weight, 256);
}
END_TEST

START_TEST(where_there_is_plenty_tickets_are_just_shares)
{
    made_hogs(1, 3);
    made_guest(&s, 4, 1);
    want(4, 1, 0.4);
    views[domain(4)->first_vcpu].demand = 0.1;
    looks(4, 20, 70);
    say("vm1: serves=vm4");
    ticks(60);
    ck_assert_uint_eq(count_writes(), 0);
    views[domain(4)->first_vcpu].demand = 0.9; /* 3.9 pCPUs of 4 are wanted */
    ticks(60);
    ck_assert_uint_gt(domain(4)->weight, 256);
    ck_assert_uint_gt(domain(1)->weight, 256);
    views[domain(4)->first_vcpu].demand = 0.6; /* 3.6: not yet plenty */
    ticks(60);
    ck_assert_uint_gt(domain(4)->weight, 256);
    views[domain(4)->first_vcpu].demand = 0.1;
    ticks(60);
    ck_assert_uint_eq(domain(4)->weight, 256);
    ck_assert_uint_eq(domain(1)->weight, 256);
}
END_TEST

START_TEST(waiting_that_wavers_makes_no_writes)
{
    made_hogs(1, 8);
    want(8, 1, 0.1);
    looks(8, 7, 70); /* 7 of the 30 in which it would run: less than is made up for */
    ticks(60);
    ck_assert_uint_eq(domain(8)->weight, 256);
    looks(8, 12, 70);
    ticks(60);
    ck_assert_uint_eq(domain(8)->weight, 512);
    looks(8, 7, 70);
    ticks(60);
    ck_assert_uint_eq(domain(8)->weight, 512);
}
END_TEST

START_TEST(a_driver_domain_borrows_what_its_clients_leave)
{
    made_guest(&s, 1, 1);
    made_guest(&s, 2, 1);
    made_guest(&s, 3, 1);
    made_guest(&s, 4, 1);
    say("vm4: serves=vm[12]");
    want(1, 1, 0.05);
    want(2, 1, 1);
    want(3, 1, 0.05); /* not a client */
    want(4, 1, 0.1);
    made_hogs(5, 4);
    looks(4, 20, 70); /* it would be compensated, but does not get both */
    ticks(30);
    ck_assert_uint_eq(domain(4)->weight, 256 + 192); /* 0.9 of vm1's, by whole quarters */
    ck_assert_uint_eq(domain(1)->weight, 256);
    want(1, 1, 1);
    ticks(30);
    ck_assert_uint_eq(domain(4)->weight, 256);
}
END_TEST

START_TEST(only_what_a_client_could_use_can_be_lent)
{
    made_hogs(1, 6);
    say("vm1: serves=vm2");
    want(2, 1, 0.05);
    ticks(30);
    ck_assert_uint_gt(domain(1)->weight, 256);
    domain(2)->cap_pct = 5;
    ticks(30);
    ck_assert_uint_eq(domain(1)->weight, 256);
    domain(2)->cap_pct = 0;
    want(2, 1, 0.005); /* it sleeps */
    ticks(60);
    ck_assert_uint_eq(domain(1)->weight, 256);
}
END_TEST

START_TEST(dom0_borrows_where_it_serves)
{
    made_guest(&s, 0, 1)->weight = 512;
    made_guest(&s, 1, 1);
    made_hogs(2, 4);
    say("Domain-0: serves=*");
    want(0, 1, 1);
    want(1, 1, 0.05);
    ticks(11);
    ck_assert_int_eq(verdict(0), XLP_REASON_WEIGHT_LENT);
    ck_assert_int_eq(plan.verdicts[0].weight.number[0], 2000);
    ck_assert_int_eq(plan.verdicts[0].weight.number[2], 500); /* of 912 by quarters of its own */
    ck_assert_uint_eq(domain(0)->weight, 640);
}
END_TEST

/* ---- as a part of the CPU half ---- */

START_TEST(entitlements_go_by_the_weights_that_are_due)
{
    struct xlp_cpu *cpu = xlp_cpu_new();

    made_guest(&s, 1, 1);
    made_guest(&s, 2, 1);
    say("vm1: shares=3000");
    for (uint32_t i = 0; i < 2; i++) {
        made_pin(&s, i + 1, 0, "0");
        s.vcpus[i].samples = 10;
        s.vcpus[i].samples_waiting = 5;
    }
    for (size_t i = 1; i < 4; i++)
        s.pcpus[i].online = false;
    for (int second = 0; second < 3; second++) {
        xlp_plan_reset(&plan);
        xlp_plan_start(&plan, &s);
        ck_assert_int_eq(xlp_roster_call(&roster, &s, &policy), 0);
        ck_assert_int_eq(
            xlp_cpu_decide(cpu, &s, &policy, &roster, second ? SECOND_NS : 0, &plan, views), 0);
        ck_assert_uint_eq(plan.action_count, 0);
        for (uint32_t i = 0; i < 2; i++)
            s.vcpus[i].cpu_time_ns += SECOND_NS / 2;
    }
    ck_assert_uint_eq(domain(1)->weight, 256);
    ck_assert_double_eq_tol(views[0].entitlement, 0.75, 1e-9);
    ck_assert_double_eq_tol(views[1].entitlement, 0.25, 1e-9);
    xlp_cpu_free(cpu);
}
END_TEST

#define FIXTURE_CASE(name, ...) CHECK_FIXTURE_CASE(name, setup, teardown, __VA_ARGS__)

FIXTURE_CASE(amount, off_means_that_nothing_is_written_and_nothing_said,
             a_usual_host_is_left_as_it_is, weights_go_by_shares,
             equal_shares_are_equal_parts_whatever_the_number_of_vcpus,
             only_active_vcpus_divide_the_tickets,
             a_spike_does_not_make_a_vcpu_active_nor_a_pause_idle,
             a_domain_that_falls_asleep_keeps_its_weight,
             the_heaviest_and_the_lightest_stay_within_what_xen_takes)
FIXTURE_CASE(scale, a_finer_scale_comes_at_once_and_a_coarser_one_has_to_last,
             where_weights_of_others_stand_ours_keep_their_meaning,
             a_weight_set_by_hand_sets_the_scale_back_at_once,
             dom0_keeps_its_part_unless_it_is_given_shares, pools_are_scaled_each_by_itself)
FIXTURE_CASE(ownership, a_weight_set_by_hand_is_its_setters,
             a_weight_found_is_the_operators_unless_he_gives_shares_or_adopts,
             nothing_is_done_to_a_domain_in_transit_or_released,
             schedulers_without_weights_are_named)
FIXTURE_CASE(pace, a_domain_is_written_at_most_every_ten_seconds,
             a_change_of_one_percent_is_not_worth_a_write,
             another_domain_of_the_same_id_is_watched_anew)
FIXTURE_CASE(tickets, who_blocks_and_waits_weighs_more_for_a_while,
             where_there_is_plenty_tickets_are_just_shares, waiting_that_wavers_makes_no_writes,
             only_what_a_client_could_use_can_be_lent,
             a_driver_domain_borrows_what_its_clients_leave, dom0_borrows_where_it_serves)
FIXTURE_CASE(whole, entitlements_go_by_the_weights_that_are_due)
CHECK_MAIN("weights", amount, scale, ownership, pace, tickets, whole)
