/* SPDX-License-Identifier: LGPL-2.1-only */
/* The CPU half of the engine, part by part and as a whole. */
#include <math.h>
#include <stdlib.h>

#include "check_main.h"
#include "cpu/cpu.h"
#include "cpu/parts.h"
#include "made_host.h"

/* ---- demand ---- */

/* Feeds one second in which the vCPU ran, waited and blocked that many hundredths. */
static void one_second(struct vcpu_past *past, int ran, int waited, int blocked)
{
    struct xlp_vcpu v = {
        .online = true,
        .cpu_time_ns = past->cpu_time_ns + (uint64_t)ran * 10000000,
        .samples = 100,
        .samples_waiting = (uint32_t)waited,
        .samples_blocked = (uint32_t)blocked,
    };
    struct demand_input in = {
        .now_ns = SECOND_NS, .elapsed_ns = SECOND_NS, .pcpu_saturated = true, .cap = 1};

    xlp_measure_demand(&v, &in, past);
}

START_TEST(a_vcpu_that_never_blocks_wants_what_it_waited_for)
{
    struct vcpu_past past = {.cpu_time_ns = 0};

    one_second(&past, 25, 75, 0);
    ck_assert_double_eq_tol(past.demand, 1.0, 0.001);
}
END_TEST

START_TEST(a_vcpu_that_blocks_has_what_it_wants)
{
    struct vcpu_past past = {.cpu_time_ns = 0};

    one_second(&past, 37, 23, 40);
    ck_assert_double_eq_tol(past.demand, 0.37, 0.001);
}
END_TEST

START_TEST(a_clock_that_runs_backwards_starts_the_measurement_anew)
{
    struct vcpu_past past = {.cpu_time_ns = 500, .known = true, .demand = 0.5};
    struct xlp_vcpu v = {.cpu_time_ns = 400};
    struct demand_input in = {.now_ns = 1, .elapsed_ns = SECOND_NS, .cap = 1};

    ck_assert_double_eq(xlp_measure_demand(&v, &in, &past), -1);
    ck_assert(!past.known);
    ck_assert_uint_eq(past.cpu_time_ns, 400);
}
END_TEST

START_TEST(a_capped_vcpu_wants_no_more_than_its_cap)
{
    struct vcpu_past past = {.cpu_time_ns = 0};
    struct xlp_vcpu v = {.cpu_time_ns = SECOND_NS / 2, .samples = 10, .samples_waiting = 5};
    struct demand_input in = {.now_ns = 1, .elapsed_ns = SECOND_NS, .cap = 0.5};

    xlp_measure_demand(&v, &in, &past);
    ck_assert_double_eq(past.demand, 0.5);
}
END_TEST

START_TEST(without_samples_the_last_served_demand_is_believed_for_a_while)
{
    struct vcpu_past past = {.cpu_time_ns = 0};
    struct xlp_vcpu v = {.cpu_time_ns = SECOND_NS * 6 / 10};
    struct demand_input in = {.now_ns = 10 * SECOND_NS, .elapsed_ns = SECOND_NS, .cap = 1};

    xlp_measure_demand(&v, &in, &past); /* served: 60 % */
    in.pcpu_saturated = true;
    for (int i = 0; i < 8; i++) {
        in.now_ns += SECOND_NS;
        v.cpu_time_ns += SECOND_NS / 4; /* now it gets 25 % */
        xlp_measure_demand(&v, &in, &past);
    }
    ck_assert_double_eq_tol(past.demand, 0.6, 0.01);
    for (int i = 0; i < 30; i++) {
        in.now_ns += SECOND_NS;
        v.cpu_time_ns += SECOND_NS / 4;
        xlp_measure_demand(&v, &in, &past);
    }
    ck_assert_double_gt(past.demand, 0.9); /* long ago: it is probed upwards */
}
END_TEST

/* ---- entitlement ---- */

START_TEST(who_fits_gets_all_it_wants)
{
    struct claim c[] = {{.demand = 0.5, .weight = 256}, {.demand = 1, .weight = 1}};
    uint32_t scratch[2];

    xlp_entitle(c, 2, 1.5, scratch);
    ck_assert_double_eq(c[0].entitlement, 0.5);
    ck_assert_double_eq(c[1].entitlement, 1);
}
END_TEST

START_TEST(what_is_scarce_is_shared_by_weight_and_nobody_gets_more_than_it_wants)
{
    struct claim c[] = {{.demand = 1, .weight = 512},
                        {.demand = 1, .weight = 256},
                        {.demand = 0.1, .weight = 256},
                        {.demand = 1, .weight = 256}};
    uint32_t scratch[4];

    xlp_entitle(c, 4, 1.7, scratch);
    ck_assert_double_eq_tol(c[2].entitlement, 0.1, 1e-12);
    ck_assert_double_eq_tol(c[0].entitlement, 0.8, 1e-12);
    ck_assert_double_eq_tol(c[1].entitlement, 0.4, 1e-12);
    ck_assert_double_eq_tol(c[3].entitlement, 0.4, 1e-12);
}
END_TEST

/* ---- balance ---- */

#define ITEMS_MAX 64
#define SLOTS_MAX 16

static struct item items[ITEMS_MAX];
static struct slot slots[SLOTS_MAX];
static struct lane lane;
static size_t item_count;

static const struct balance_limits limits = {
    .overload = 0.97, .uneven = 0.06, .even = 0.04, .uneven_ticks = 3, .moves_max = 16};

static void clear_board(void)
{
    memset(items, 0, sizeof(items));
    memset(slots, 0, sizeof(slots));
    lane = (struct lane){0};
    item_count = 0;
}

static struct item *add(double load, uint32_t slot)
{
    struct item *item = &items[item_count];

    *item = (struct item){.load = load,
                          .demand = load,
                          .owner = (uint32_t)item_count,
                          .slot = slot,
                          .prefer = XLP_NOWHERE,
                          .may_move = true};
    item_count++;
    return item;
}

static uint32_t balance(size_t slot_count)
{
    uint32_t scratch[ITEMS_MAX], changed = 0;

    for (size_t i = 0; i < item_count; i++) {
        items[i].why = XLP_REASON_NONE;
        items[i].may_move = true;
    }
    xlp_balance(items, item_count, slots, slot_count, &limits, &lane, scratch);
    for (size_t i = 0; i < item_count; i++)
        changed += items[i].why != XLP_REASON_NONE;
    return changed;
}

START_TEST(eight_on_one_pcpu_are_spread_two_each_at_once)
{
    clear_board();
    for (int i = 0; i < 8; i++)
        add(0.5, 0)->demand = 1;
    ck_assert_uint_eq(balance(4), 6);
    for (int i = 0; i < 4; i++)
        ck_assert_double_eq_tol(slots[i].load, 1.0, 1e-9);
    ck_assert_uint_eq(balance(4), 0);
}
END_TEST

START_TEST(a_balanced_host_is_left_alone_forever)
{
    clear_board();
    for (uint32_t i = 0; i < 8; i++)
        add(0.30 + 0.01 * (i % 3), i % 4);
    for (int tick = 0; tick < 100; tick++)
        ck_assert_uint_eq(balance(4), 0);
}
END_TEST

START_TEST(a_mild_unevenness_must_last_before_anything_moves)
{
    clear_board();
    add(0.3, 0);
    add(0.3, 0);
    add(0.3, 1);
    add(0.0, 2);
    ck_assert_uint_eq(balance(3), 0);
    ck_assert_uint_eq(balance(3), 0);
    ck_assert_uint_eq(balance(3), 1);
    ck_assert_uint_eq(balance(3), 0);
}
END_TEST

START_TEST(heavy_and_light_are_paired)
{
    clear_board();
    add(0.7, 0);
    add(0.7, 0);
    add(0.3, 1);
    add(0.3, 1);
    ck_assert_uint_eq(balance(2), 2); /* pCPU 0 at 1.4 is overloaded: no waiting */
    ck_assert_double_eq_tol(slots[0].load, 1.0, 1e-9);
    ck_assert_double_eq_tol(slots[1].load, 1.0, 1e-9);
}
END_TEST

START_TEST(items_trade_places_where_no_single_move_helps)
{
    clear_board();
    add(0.9, 0);
    add(0.9, 0);
    add(0.5, 1);
    add(0.5, 1);
    ck_assert_uint_eq(balance(2), 2);
    ck_assert_double_eq_tol(slots[0].load, slots[1].load, 1e-9);
    ck_assert_int_eq(items[0].why + items[1].why, XLP_REASON_CPU_SWAP);
    ck_assert_int_eq(items[2].why + items[3].why, XLP_REASON_CPU_SWAP);
}
END_TEST

START_TEST(crumbs_on_an_idle_pool_are_not_moved)
{
    clear_board();
    add(1.0, 0);
    add(0.004, 1);
    add(0.004, 1);
    add(0.002, 2);
    for (int tick = 0; tick < 20; tick++)
        ck_assert_uint_eq(balance(4), 0);
}
END_TEST

START_TEST(a_giant_is_no_reason_to_shuffle_the_rest)
{
    clear_board();
    add(1.0, 0);
    for (uint32_t i = 0; i < 6; i++)
        add(0.1, 1 + i % 3);
    for (int tick = 0; tick < 20; tick++)
        ck_assert_uint_eq(balance(4), 0);
}
END_TEST

START_TEST(siblings_are_not_stacked)
{
    clear_board();
    for (int i = 0; i < 4; i++)
        add(0.5, XLP_NOWHERE)->owner = 7;
    ck_assert_uint_eq(balance(4), 4);
    for (int i = 0; i < 4; i++)
        ck_assert_double_eq(slots[i].load, 0.5);
}
END_TEST

START_TEST(an_item_never_leaves_its_allowed_slots)
{
    struct xlp_cpumap two_and_three = {{0xc}};

    clear_board();
    for (int i = 0; i < 6; i++)
        add(0.4, i % 2 ? XLP_NOWHERE : 2)->allowed = &two_and_three;
    balance(8);
    for (size_t i = 0; i < item_count; i++)
        ck_assert(items[i].slot == 2 || items[i].slot == 3);
    ck_assert_double_eq_tol(slots[2].load, slots[3].load, 1e-9);
}
END_TEST

START_TEST(the_budget_of_moves_is_kept)
{
    clear_board();
    for (int i = 0; i < 60; i++)
        add(0.1, 0);
    ck_assert_uint_eq(balance(16), 16);
}
END_TEST

START_TEST(a_first_place_prefers_where_it_ran)
{
    clear_board();
    add(0.5, XLP_NOWHERE)->prefer = 3;
    add(0.4, XLP_NOWHERE)->prefer = 3;
    ck_assert_uint_eq(balance(4), 2);
    ck_assert_uint_eq(items[0].slot, 3);
    ck_assert_uint_ne(items[1].slot, 3);
}
END_TEST

START_TEST(round_robin_counts_and_ignores_load)
{
    clear_board();
    for (int i = 0; i < 8; i++)
        add(i % 4 < 2 ? 0.9 : 0.1, XLP_NOWHERE);
    xlp_round_robin(items, item_count, 4);
    for (uint32_t i = 0; i < 8; i++)
        ck_assert_uint_eq(items[i].slot, i % 4);
}
END_TEST

START_TEST(round_robin_deals_out_what_is_allowed)
{
    struct xlp_cpumap one_to_three = {{0xe}};

    clear_board();
    for (int i = 0; i < 6; i++)
        add(0.1, XLP_NOWHERE)->allowed = &one_to_three;
    xlp_round_robin(items, item_count, 4);
    for (uint32_t i = 0; i < 6; i++)
        ck_assert_uint_eq(items[i].slot, 1 + i % 3);
}
END_TEST

/* ---- ownership ---- */

static struct xlp_snapshot s;
static struct xlp_policy policy;

static void made_four(void)
{
    made_host(&s, 4, XLP_SCHED_CREDIT2);
    made_guest(&s, 1, 1);
    xlp_policy_init(&policy);
    policy.cpu_affinity = XLP_AFFINITY_HARD;
}

static struct pool_facts facts_of_pool(void)
{
    static struct map_facts maps[64];
    struct pool_facts facts;

    ck_assert_uint_le(s.map_count, 64);
    xlp_pool_facts(&s, &s.pools[0], maps, &facts);
    return facts;
}

static struct tenure tenure_of(uint32_t domid)
{
    const struct xlp_vcpu *v = xlp_snapshot_vcpu(&s, domid, 0);
    struct pool_facts facts = facts_of_pool();
    struct xlp_domain_policy dp = xlp_policy_for(&policy, s.domains[v->domain].name);
    struct tenure t;

    xlp_tenure(&s, v, &facts, &policy, &dp, &t);
    return t;
}

static void wrote(uint32_t domid, const char *original, const char *ours, const char *now)
{
    uint32_t all = made_map(&s, "all"), was = made_map(&s, original), our = made_map(&s, ours);

    made_pin(&s, domid, 0, now);
    made_vcpu(&s, domid, 0)->ledger = (struct xlp_vcpu_ledger){true, was, all, our, all};
}

START_TEST(a_pin_by_the_operator_is_left_alone_until_adopted)
{
    made_four();
    made_pin(&s, 1, 0, "2");
    ck_assert(!tenure_of(1).movable);
    ck_assert_int_eq(tenure_of(1).verdict.code, XLP_REASON_CPU_OPERATOR_PIN);
    ck_assert_int_eq(tenure_of(1).verdict.number[0], 2);
    policy.adopt = 1;
    ck_assert(tenure_of(1).movable);
    ck_assert_uint_eq(tenure_of(1).home, 2);
    xlp_snapshot_dispose(&s);
}
END_TEST

START_TEST(what_we_wrote_is_ours_and_what_was_edited_since_is_not)
{
    made_four();
    wrote(1, "all", "3", "3");
    ck_assert(tenure_of(1).movable);
    wrote(1, "all", "3", "1");
    ck_assert_int_eq(tenure_of(1).verdict.code, XLP_REASON_CPU_TAKEN_BACK);
    policy.adopt = 1; /* adopting what is found does not reach what was taken back */
    ck_assert_int_eq(tenure_of(1).verdict.code, XLP_REASON_CPU_TAKEN_BACK);
    wrote(1, "all", "3", "all"); /* reset to all: free again */
    ck_assert(tenure_of(1).movable);
    xlp_snapshot_dispose(&s);
}
END_TEST

START_TEST(a_hard_mask_of_several_pcpus_is_a_limit_to_stay_within)
{
    struct pool_facts facts;
    struct xlp_cpumap allowed;
    struct tenure t;
    char text[32];

    made_four();
    made_pin(&s, 1, 0, "1-3");
    facts = facts_of_pool();
    t = tenure_of(1);
    ck_assert(t.movable);
    allowed = xlp_tenure_allowed(&s, &facts, &t);
    ck_assert_str_eq(xlp_cpumap_format(&allowed, text, sizeof(text)), "1-3");

    wrote(1, "1-3", "2", "2"); /* narrowed by us since: the limit still holds */
    t = tenure_of(1);
    allowed = xlp_tenure_allowed(&s, &facts, &t);
    ck_assert_str_eq(xlp_cpumap_format(&allowed, text, sizeof(text)), "1-3");
    xlp_snapshot_dispose(&s);
}
END_TEST

START_TEST(soft_mode_leaves_one_run_queue_to_the_scheduler)
{
    made_four();
    policy.cpu_affinity = XLP_AFFINITY_SOFT;
    ck_assert_int_eq(tenure_of(1).verdict.code, XLP_REASON_CPU_SCHED_BALANCES);
    s.pcpus[2].socket = s.pcpus[3].socket = 1;
    ck_assert(tenure_of(1).movable);
    s.pools[0].sched = XLP_SCHED_RTDS;
    ck_assert_int_eq(tenure_of(1).verdict.code, XLP_REASON_CPU_SOFT_IGNORED);
    xlp_snapshot_dispose(&s);
}
END_TEST

START_TEST(soft_mode_writes_a_preference_and_lifts_an_adopted_pin)
{
    const struct xlp_vcpu *v;
    struct xlp_cpumap hard, soft;
    struct tenure t;
    char text[32];

    made_four();
    made_pin(&s, 1, 0, "0");
    policy.adopt = 1;
    policy.cpu_affinity = XLP_AFFINITY_SOFT;
    v = xlp_snapshot_vcpu(&s, 1, 0);
    t = tenure_of(1);
    ck_assert(t.movable);
    xlp_tenure_masks(&s, v, &t, &policy, 2, &hard, &soft);
    ck_assert_str_eq(xlp_cpumap_format(&hard, text, sizeof(text)), "all");
    ck_assert_str_eq(xlp_cpumap_format(&soft, text, sizeof(text)), "2");
    xlp_snapshot_dispose(&s);
}
END_TEST

START_TEST(an_affinity_outside_the_pool_cannot_be_served)
{
    made_four();
    made_pin(&s, 1, 0, "6-7");
    ck_assert_int_eq(tenure_of(1).verdict.code, XLP_REASON_CPU_NOWHERE);
    xlp_snapshot_dispose(&s);
}
END_TEST

START_TEST(nothing_is_done_to_a_guest_in_transit_or_excluded)
{
    const struct {
        unsigned int flag;
        enum xlp_reason_code code;
    } states[] = {{XLP_DOMAIN_PAUSED, XLP_REASON_PAUSED},
                  {XLP_DOMAIN_BUILDING, XLP_REASON_BUILDING},
                  {XLP_DOMAIN_MIGRATING, XLP_REASON_MIGRATING},
                  {XLP_DOMAIN_SHUTDOWN, XLP_REASON_SHUTDOWN},
                  {XLP_DOMAIN_DYING, XLP_REASON_DYING}};
    char error[128];

    made_four();
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        s.domains[0].flags = states[i].flag;
        ck_assert_int_eq(tenure_of(1).verdict.code, states[i].code);
    }
    s.domains[0].flags = 0;
    s.domains[0].released = true;
    ck_assert_int_eq(tenure_of(1).verdict.code, XLP_REASON_RELEASED);
    s.domains[0].released = false;
    ck_assert_int_eq(xlp_policy_add_domain(&policy, "vm*: cpu=0", error, sizeof(error)), 0);
    ck_assert_int_eq(tenure_of(1).verdict.code, XLP_REASON_CPU_EXCLUDED);
    xlp_policy_dispose(&policy);
    policy.cpu_policy = XLP_CPU_OFF;
    ck_assert_int_eq(tenure_of(1).verdict.code, XLP_REASON_CPU_OFF);
    xlp_snapshot_dispose(&s);
}
END_TEST

/* ---- as a whole ---- */

/* Lets one second pass in which every vCPU of guest i ran used[i]; pinned ones wait for the rest.
 */
static void run_second(const double *used)
{
    s.time_ns += SECOND_NS;
    for (size_t i = 0; i < s.vcpu_count; i++) {
        double u = used[s.vcpus[i].domain];

        s.vcpus[i].cpu_time_ns += (uint64_t)(u * 1e9);
        s.vcpus[i].samples = 100;
        s.vcpus[i].samples_waiting = (uint32_t)(100 - u * 100);
    }
}

START_TEST(the_first_look_measures_and_the_second_places)
{
    const double used[] = {0.5, 0.5};
    struct xlp_vcpu_view views[2];
    struct xlp_cpu *cpu = xlp_cpu_new();
    struct xlp_plan plan;

    made_four();
    made_guest(&s, 2, 1);
    made_pin(&s, 1, 0, "0");
    made_pin(&s, 2, 0, "0");
    policy.adopt = 1;
    xlp_plan_init(&plan);
    xlp_plan_start(&plan, &s);
    ck_assert_int_eq(xlp_cpu_decide(cpu, &s, &policy, 0, &plan, views), 0);
    ck_assert_uint_eq(plan.action_count, 0);
    ck_assert_int_eq(plan.verdicts[0].cpu.code, XLP_REASON_CPU_SETTLING);

    run_second(used);
    xlp_plan_reset(&plan);
    xlp_plan_start(&plan, &s);
    ck_assert_int_eq(xlp_cpu_decide(cpu, &s, &policy, SECOND_NS, &plan, views), 0);
    ck_assert_uint_eq(plan.action_count, 1);
    ck_assert_int_eq(plan.actions[0].reason.code, XLP_REASON_CPU_OVERLOAD);
    ck_assert_uint_eq(plan.actions[0].from_pcpu, 0);
    ck_assert_double_eq_tol(views[0].used, 0.5, 1e-6);
    ck_assert_double_eq_tol(views[0].demand, 1.0, 1e-6);
    xlp_plan_dispose(&plan);
    xlp_snapshot_dispose(&s);
    xlp_cpu_free(cpu);
}
END_TEST

/* A domid taken over by another guest must not inherit its run time or its demand. */
START_TEST(a_reused_domid_is_another_guest)
{
    const double used[] = {0.5};
    struct xlp_vcpu_view view = {0};
    struct xlp_cpu *cpu = xlp_cpu_new();
    struct xlp_plan plan;

    made_four();
    xlp_plan_init(&plan);
    xlp_plan_start(&plan, &s);
    xlp_cpu_decide(cpu, &s, &policy, 0, &plan, &view);
    run_second(used);
    xlp_plan_start(&plan, &s);
    xlp_cpu_decide(cpu, &s, &policy, SECOND_NS, &plan, &view);
    ck_assert(view.known);
    run_second(used);
    s.domains[0].uuid[5] = 1;
    xlp_plan_start(&plan, &s);
    xlp_cpu_decide(cpu, &s, &policy, SECOND_NS, &plan, &view);
    ck_assert(!view.known);
    xlp_plan_dispose(&plan);
    xlp_snapshot_dispose(&s);
    xlp_cpu_free(cpu);
}
END_TEST

START_TEST(every_guest_gets_a_verdict)
{
    const double used[] = {0.1, 0.2, 0.2, 0.2, 0.2};
    struct xlp_vcpu_view views[5];
    struct xlp_cpu *cpu = xlp_cpu_new();
    struct xlp_plan plan;

    made_host(&s, 4, XLP_SCHED_CREDIT2);
    made_guest(&s, 0, 1);
    made_guest(&s, 1, 1);
    made_pin(&s, 1, 0, "1");
    made_guest(&s, 2, 1);
    made_guest(&s, 3, 1)->pool_id = 9; /* no such pool */
    made_guest(&s, 4, 1)->flags = XLP_DOMAIN_PAUSED;
    xlp_policy_init(&policy);
    xlp_plan_init(&plan);
    for (int tick = 0; tick < 3; tick++) {
        xlp_plan_reset(&plan);
        xlp_plan_start(&plan, &s);
        xlp_cpu_decide(cpu, &s, &policy, tick ? SECOND_NS : 0, &plan, views);
        run_second(used);
    }
    ck_assert_int_eq(plan.verdicts[0].cpu.code, XLP_REASON_CPU_DOM0);
    ck_assert_int_eq(plan.verdicts[1].cpu.code, XLP_REASON_CPU_OPERATOR_PIN);
    ck_assert_int_eq(plan.verdicts[2].cpu.code, XLP_REASON_CPU_SCHED_BALANCES);
    ck_assert_int_eq(plan.verdicts[3].cpu.code, XLP_REASON_CPU_NOWHERE);
    ck_assert_int_eq(plan.verdicts[4].cpu.code, XLP_REASON_PAUSED);
    xlp_plan_dispose(&plan);
    xlp_snapshot_dispose(&s);
    xlp_cpu_free(cpu);
}
END_TEST

CHECK_CASE(demand, a_vcpu_that_never_blocks_wants_what_it_waited_for,
           a_vcpu_that_blocks_has_what_it_wants,
           a_clock_that_runs_backwards_starts_the_measurement_anew,
           a_capped_vcpu_wants_no_more_than_its_cap,
           without_samples_the_last_served_demand_is_believed_for_a_while)
CHECK_CASE(entitlement, who_fits_gets_all_it_wants,
           what_is_scarce_is_shared_by_weight_and_nobody_gets_more_than_it_wants)
CHECK_CASE(balancing, eight_on_one_pcpu_are_spread_two_each_at_once,
           a_balanced_host_is_left_alone_forever, a_mild_unevenness_must_last_before_anything_moves,
           heavy_and_light_are_paired, items_trade_places_where_no_single_move_helps,
           crumbs_on_an_idle_pool_are_not_moved, a_giant_is_no_reason_to_shuffle_the_rest,
           siblings_are_not_stacked, an_item_never_leaves_its_allowed_slots,
           the_budget_of_moves_is_kept, a_first_place_prefers_where_it_ran,
           round_robin_counts_and_ignores_load, round_robin_deals_out_what_is_allowed)
CHECK_CASE(ownership, a_pin_by_the_operator_is_left_alone_until_adopted,
           what_we_wrote_is_ours_and_what_was_edited_since_is_not,
           a_hard_mask_of_several_pcpus_is_a_limit_to_stay_within,
           soft_mode_leaves_one_run_queue_to_the_scheduler,
           soft_mode_writes_a_preference_and_lifts_an_adopted_pin,
           an_affinity_outside_the_pool_cannot_be_served,
           nothing_is_done_to_a_guest_in_transit_or_excluded)
CHECK_CASE(whole, the_first_look_measures_and_the_second_places, a_reused_domid_is_another_guest,
           every_guest_gets_a_verdict)
CHECK_MAIN("cpu", demand, entitlement, balancing, ownership, whole)
