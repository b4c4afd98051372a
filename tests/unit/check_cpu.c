/* SPDX-License-Identifier: LGPL-2.1-only */
/* The CPU half of the engine, part by part and as a whole. */
#include <math.h>
#include <stdlib.h>

#include "check_main.h"
#include "cpu/cpu.h"
#include "cpu/demand.h"
#include "cpu/parts.h"
#include "made_host.h"

/* ---- demand ---- */

static const struct xlp_cpumap no_pcpu, every_pcpu = {{1}}; /* all that these tests have: 0 */

static double measured(const struct xlp_vcpu *v, const struct demand_input *in,
                       struct vcpu_past *past)
{
    struct xlp_vcpu_view view;

    xlp_measure_demand(v, 1, in, past, &view);
    return view.used;
}

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
        .now_ns = SECOND_NS, .elapsed_ns = SECOND_NS, .saturated = &every_pcpu, .cap = 1};

    measured(&v, &in, past);
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
    struct demand_input in = {
        .now_ns = 1, .elapsed_ns = SECOND_NS, .saturated = &no_pcpu, .cap = 1};

    ck_assert_double_eq(measured(&v, &in, &past), 0);
    ck_assert(!past.known);
    ck_assert_uint_eq(past.cpu_time_ns, 400);
}
END_TEST

START_TEST(a_capped_vcpu_wants_no_more_than_its_cap)
{
    struct vcpu_past past = {.cpu_time_ns = 0};
    struct xlp_vcpu v = {.cpu_time_ns = SECOND_NS / 2, .samples = 10, .samples_waiting = 5};
    struct demand_input in = {
        .now_ns = 1, .elapsed_ns = SECOND_NS, .saturated = &no_pcpu, .cap = 0.5};

    measured(&v, &in, &past);
    ck_assert_double_eq(past.demand, 0.5);
}
END_TEST

START_TEST(what_one_vcpu_used_of_its_domains_cap_it_wanted)
{
    struct vcpu_past past = {.cpu_time_ns = 0};
    struct xlp_vcpu v = {.cpu_time_ns = SECOND_NS};
    struct demand_input in = {
        .now_ns = 1, .elapsed_ns = SECOND_NS, .saturated = &no_pcpu, .cap = 0.25};

    measured(&v, &in, &past); /* the other three of the domain idle */
    ck_assert_double_eq(past.demand, 1);
}
END_TEST

START_TEST(what_it_wanted_when_served_is_believed_for_as_long_again)
{
    struct vcpu_past past = {.cpu_time_ns = 0};
    struct xlp_vcpu v = {.cpu_time_ns = SECOND_NS * 6 / 10};
    struct demand_input in = {
        .now_ns = 10 * SECOND_NS, .elapsed_ns = SECOND_NS, .saturated = &no_pcpu, .cap = 1};

    for (int i = 0; i < 8; i++) { /* served: 60 % */
        in.now_ns += SECOND_NS;
        measured(&v, &in, &past);
        v.cpu_time_ns += SECOND_NS * 6 / 10;
    }
    v.cpu_time_ns -= SECOND_NS * 6 / 10;
    in.saturated = &every_pcpu;
    for (int i = 0; i < 10; i++) {
        in.now_ns += SECOND_NS;
        v.cpu_time_ns += SECOND_NS / 4; /* now it gets 25 % */
        measured(&v, &in, &past);
    }
    ck_assert_double_eq_tol(past.demand, 0.6, 0.01);
    for (int i = 0; i < 30; i++) {
        in.now_ns += SECOND_NS;
        v.cpu_time_ns += SECOND_NS / 4;
        measured(&v, &in, &past);
    }
    ck_assert_double_gt(past.demand, 0.9); /* long ago: it is probed upwards */
}
END_TEST

START_TEST(who_wanted_little_and_never_blocks_with_a_little_more_wants_much)
{
    struct vcpu_past past = {.cpu_time_ns = 0};

    for (int i = 0; i < 10; i++)
        one_second(&past, 8, 0, 92);
    for (int i = 0; i < 20; i++) /* one of many on its pCPU, and all but this one want little */
        one_second(&past, 12, 88, 0);
    ck_assert_double_gt(past.demand, 0.9);
}
END_TEST

/* ---- entitlement ---- */

START_TEST(who_fits_gets_all_it_wants)
{
    struct claim c[] = {{.demand = 0.5, .weight = 256}, {.demand = 1, .weight = 1}};
    uint32_t scratch[8];

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
    uint32_t scratch[8];

    xlp_entitle(c, 4, 1.7, scratch);
    ck_assert_double_eq_tol(c[2].entitlement, 0.1, 1e-12);
    ck_assert_double_eq_tol(c[0].entitlement, 0.8, 1e-12);
    ck_assert_double_eq_tol(c[1].entitlement, 0.4, 1e-12);
    ck_assert_double_eq_tol(c[3].entitlement, 0.4, 1e-12);
}
END_TEST

/* ---- as a whole ---- */

static struct xlp_snapshot s;
static struct xlp_policy policy;
static struct xlp_roster roster;

static void made_four(void)
{
    made_host(&s, 4, XLP_SCHED_CREDIT2);
    made_guest(&s, 1, 1);
    xlp_policy_init(&policy);
    policy.cpu_affinity = XLP_AFFINITY_HARD;
}

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

static void decide(struct xlp_cpu *cpu, uint64_t elapsed_ns, struct xlp_plan *plan,
                   struct xlp_vcpu_view *views)
{
    xlp_plan_reset(plan);
    ck_assert_int_eq(xlp_plan_start(plan, &s), 0);
    ck_assert_int_eq(xlp_roster_call(&roster, &s, &policy), 0);
    ck_assert_int_eq(xlp_cpu_decide(cpu, &s, &policy, &roster, elapsed_ns, plan, views), 0);
    xlp_cpu_explain(cpu, &s, views, plan);
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
    decide(cpu, 0, &plan, views);
    ck_assert_uint_eq(plan.action_count, 0);
    ck_assert_int_eq(plan.verdicts[0].cpu.code, XLP_REASON_CPU_SETTLING);

    run_second(used);
    decide(cpu, SECOND_NS, &plan, views);
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
    decide(cpu, 0, &plan, &view);
    run_second(used);
    decide(cpu, SECOND_NS, &plan, &view);
    ck_assert(view.known);
    run_second(used);
    s.domains[0].uuid[5] = 1;
    decide(cpu, SECOND_NS, &plan, &view);
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
        decide(cpu, tick ? SECOND_NS : 0, &plan, views);
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

/* One second passes and the next plan is made; vCPUs run where their masks put them. */
static const struct xlp_plan *next_plan(struct xlp_cpu *cpu, const double *used)
{
    static struct xlp_vcpu_view views[64];
    static struct xlp_plan plan;

    xlp_plan_dispose(&plan);
    xlp_plan_init(&plan);
    decide(cpu, used ? SECOND_NS : 0, &plan, views);
    return &plan;
}

static void done_with(struct xlp_cpu *cpu)
{
    xlp_snapshot_dispose(&s);
    xlp_cpu_free(cpu);
}

/* An affinity that the operator narrowed without pinning still says where the load is. */
START_TEST(load_that_is_not_ours_lies_where_its_soft_affinity_puts_it)
{
    const double used[] = {1.0, 0.5};
    struct xlp_cpu *cpu = xlp_cpu_new();
    const struct xlp_plan *plan;

    made_four();
    made_vcpu(&s, 1, 0)->soft = made_map(&s, "1");
    made_guest(&s, 2, 1);
    made_vcpu(&s, 2, 0)->pcpu = 1;
    next_plan(cpu, NULL);
    run_second(used);
    plan = next_plan(cpu, used);
    ck_assert_int_eq(plan->verdicts[0].cpu.code, XLP_REASON_CPU_OPERATOR_PREFERENCE);
    ck_assert_uint_eq(plan->action_count, 1);
    ck_assert_uint_ne(plan->actions[0].to_pcpu, 1);
    done_with(cpu);
}
END_TEST

START_TEST(a_first_place_is_called_that_and_tells_the_load_with_it)
{
    const double used[] = {0.25};
    struct xlp_cpu *cpu = xlp_cpu_new();
    const struct xlp_reason *reason;

    made_four();
    next_plan(cpu, NULL);
    run_second(used);
    made_vcpu(&s, 1, 0)->samples_waiting = 0;
    made_vcpu(&s, 1, 0)->samples_blocked = 75;
    reason = &next_plan(cpu, used)->actions[0].reason;
    ck_assert_int_eq(reason->code, XLP_REASON_CPU_FIRST_PLACE);
    ck_assert_int_eq(reason->number[0], 2500);
    ck_assert_int_eq(reason->number[2], 2500);
    done_with(cpu);
}
END_TEST

START_TEST(pins_of_the_time_of_hard_affinity_are_softened)
{
    const double used[] = {0.25};
    struct xlp_cpu *cpu = xlp_cpu_new();
    const struct xlp_action *a;
    uint32_t all, two;
    char text[32];

    made_four();
    all = made_map(&s, "all");
    two = made_map(&s, "2");
    made_pin(&s, 1, 0, "2");
    made_vcpu(&s, 1, 0)->ledger = (struct xlp_vcpu_ledger){true, all, all, two, all};
    policy.cpu_affinity = XLP_AFFINITY_SOFT;
    next_plan(cpu, NULL);
    run_second(used);
    a = &next_plan(cpu, used)->actions[0];
    ck_assert_int_eq(a->reason.code, XLP_REASON_CPU_MODE);
    ck_assert_str_eq(xlp_cpumap_format(&a->hard, text, sizeof(text)), "all");
    ck_assert_str_eq(xlp_cpumap_format(&a->soft, text, sizeof(text)), "2");
    made_vcpu(&s, 1, 0)->hard = made_vcpu(&s, 1, 0)->ledger.our_hard = all;
    made_vcpu(&s, 1, 0)->soft = made_vcpu(&s, 1, 0)->ledger.our_soft = two;
    run_second(used);
    ck_assert_uint_eq(next_plan(cpu, used)->action_count, 0);
    done_with(cpu);
}
END_TEST

/* Two threads a core; what the scheduler hands out is a core, and every two vCPUs go together. */
START_TEST(where_the_scheduler_hands_out_cores_vcpus_go_in_pairs)
{
    const double used[] = {0.5, 0.5};
    struct xlp_cpu *cpu = xlp_cpu_new();
    const struct xlp_plan *plan;
    char text[32];

    made_host(&s, 4, XLP_SCHED_CREDIT2);
    for (uint32_t i = 0; i < 4; i++)
        s.pcpus[i].core = i / 2;
    s.pools[0].sched_gran = XLP_GRAN_CORE;
    xlp_policy_init(&policy);
    policy.cpu_affinity = XLP_AFFINITY_HARD;
    policy.adopt = 1;
    for (uint32_t domid = 1; domid <= 2; domid++) {
        made_guest(&s, domid, 2);
        made_pin(&s, domid, 0, "0-1");
        made_pin(&s, domid, 1, "0-1");
    }
    next_plan(cpu, NULL);
    run_second(used);
    plan = next_plan(cpu, used);
    ck_assert_uint_eq(plan->action_count, 1);
    ck_assert_uint_eq(plan->actions[0].vcpu, 0);
    ck_assert_str_eq(xlp_cpumap_format(&plan->actions[0].hard, text, sizeof(text)), "2-3");
    done_with(cpu);
}
END_TEST

/* Four pCPUs on two nodes, and guest 2 alone, whose device is on node 1. */
static void made_device_guest(const char *hard)
{
    struct xlp_domain *d;

    made_four();
    s.pcpus[2].node = s.pcpus[3].node = 1;
    d = made_guest(&s, 2, 1);
    d->passthrough_devices = 1;
    d->device_node = 1;
    d->pool_id = 0;
    s.domains[0].flags = XLP_DOMAIN_PAUSED; /* nobody else to place */
    if (hard)
        made_pin(&s, 2, 0, hard);
    policy.adopt = 1;
}

START_TEST(a_guest_with_a_device_stays_on_the_node_of_it)
{
    const double used[] = {0.2, 1.0};
    struct xlp_cpu *cpu = xlp_cpu_new();
    const struct xlp_action *a;

    made_device_guest("0");
    next_plan(cpu, NULL);
    run_second(used);
    a = &next_plan(cpu, used)->actions[0];
    ck_assert_int_eq(a->reason.code, XLP_REASON_CPU_DEVICE_NODE);
    ck_assert_uint_ge(a->to_pcpu, 2);
    done_with(cpu);
}
END_TEST

START_TEST(a_guest_with_a_device_is_first_placed_near_it_and_told_so)
{
    const double used[] = {0.2, 1.0};
    struct xlp_cpu *cpu = xlp_cpu_new();
    const struct xlp_action *a;

    made_device_guest(NULL);
    next_plan(cpu, NULL);
    run_second(used);
    a = &next_plan(cpu, used)->actions[0];
    ck_assert_int_eq(a->reason.code, XLP_REASON_CPU_DEVICE_FIRST);
    ck_assert_int_eq(a->reason.number[1], a->to_pcpu);
    ck_assert_int_eq(a->reason.number[3], 1);
    ck_assert_uint_ge(a->to_pcpu, 2);
    done_with(cpu);
}
END_TEST

START_TEST(a_guest_that_is_near_its_device_is_told_so)
{
    const double used[] = {0.2, 1.0};
    struct xlp_cpu *cpu = xlp_cpu_new();
    const struct xlp_plan *plan = NULL;

    made_device_guest("3");
    next_plan(cpu, NULL);
    for (int i = 0; i < 10; i++) {
        run_second(used);
        plan = next_plan(cpu, used);
    }
    ck_assert_uint_eq(plan->action_count, 0);
    ck_assert_int_eq(plan->verdicts[1].cpu.code, XLP_REASON_CPU_NEAR_DEVICE);
    ck_assert_int_eq(plan->verdicts[1].cpu.number[1], 3);
    ck_assert_int_eq(plan->verdicts[1].cpu.number[4], 1);
    done_with(cpu);
}
END_TEST

CHECK_CASE(demand, a_vcpu_that_never_blocks_wants_what_it_waited_for,
           a_vcpu_that_blocks_has_what_it_wants,
           a_clock_that_runs_backwards_starts_the_measurement_anew,
           a_capped_vcpu_wants_no_more_than_its_cap,
           what_one_vcpu_used_of_its_domains_cap_it_wanted,
           what_it_wanted_when_served_is_believed_for_as_long_again,
           who_wanted_little_and_never_blocks_with_a_little_more_wants_much)
CHECK_CASE(entitlement, who_fits_gets_all_it_wants,
           what_is_scarce_is_shared_by_weight_and_nobody_gets_more_than_it_wants)
CHECK_CASE(whole, the_first_look_measures_and_the_second_places, a_reused_domid_is_another_guest,
           every_guest_gets_a_verdict, load_that_is_not_ours_lies_where_its_soft_affinity_puts_it,
           a_first_place_is_called_that_and_tells_the_load_with_it,
           pins_of_the_time_of_hard_affinity_are_softened,
           where_the_scheduler_hands_out_cores_vcpus_go_in_pairs,
           a_guest_with_a_device_stays_on_the_node_of_it,
           a_guest_with_a_device_is_first_placed_near_it_and_told_so,
           a_guest_that_is_near_its_device_is_told_so)
CHECK_MAIN("cpu", demand, entitlement, whole)
