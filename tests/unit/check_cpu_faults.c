/* SPDX-License-Identifier: LGPL-2.1-only */
/* Snapshots that tell too little, or nonsense: what the engine makes of them for CPU. */
#include "check_main.h"

#include <math.h>

#include "engine.h"
#include "made_host.h"

static struct xlp_snapshot s;
static struct xlp_policy policy;
static struct xlp_engine *engine;
static struct xlp_plan plan;

static void set_up(void)
{
    made_host(&s, 4, XLP_SCHED_CREDIT2);
    xlp_policy_init(&policy);
    policy.cpu_affinity = XLP_AFFINITY_HARD;
    policy.mem_policy = XLP_MEM_OFF;
    policy.adopt = 1;
    engine = xlp_engine_new();
    xlp_plan_init(&plan);
    ck_assert_ptr_nonnull(engine);
}

static void tear_down(void)
{
    xlp_engine_free(engine);
    xlp_plan_dispose(&plan);
    xlp_policy_dispose(&policy);
    xlp_snapshot_dispose(&s);
}

static void decide(void)
{
    ck_assert_int_eq(xlp_engine_decide(engine, &s, &policy, &plan), 0);
    xlp_engine_explain(engine, &s, &plan);
    ck_assert_uint_eq(plan.verdict_count, s.domain_count);
}

static const struct xlp_vcpu_view *view_of(uint32_t domid)
{
    size_t count;

    return &xlp_engine_vcpu_views(engine, &count)[xlp_snapshot_domain(&s, domid)->first_vcpu];
}

/* Lets a vCPU run for so many ms, and block for the rest of a second with ten looks. */
static void run(struct xlp_vcpu *v, uint64_t ms)
{
    v->cpu_time_ns += ms * 1000000;
    v->samples = 10;
    v->samples_waiting = 0;
    v->samples_blocked = 10 - (uint32_t)(ms / 100);
}

static void run_all(uint64_t ms)
{
    s.time_ns += SECOND_NS;
    for (size_t i = 0; i < s.vcpu_count; i++)
        run(&s.vcpus[i], ms);
}

/* ---- domains ---- */

/* It was listed, and gone when its vCPUs were asked for. */
START_TEST(a_guest_without_vcpus_is_in_nobodys_way)
{
    made_guest(&s, 1, 1);
    made_guest(&s, 2, 0);
    made_guest(&s, 3, 1);
    made_pin(&s, 1, 0, "0");
    made_pin(&s, 3, 0, "0");
    s.domains[1].cap_pct = 50;
    decide();
    run_all(600);
    decide();
    ck_assert_uint_eq(plan.action_count, 1); /* one of the two that share pCPU 0 */
    ck_assert_uint_ne(plan.actions[0].domid, 2);
    ck_assert_int_ne(plan.verdicts[1].cpu.code, XLP_REASON_NONE);
}
END_TEST

static void assert_afresh(uint64_t cpu_time_ns, bool other_uuid)
{
    made_guest(&s, 7, 1);
    made_vcpu(&s, 7, 0)->cpu_time_ns = 500 * SECOND_NS;
    decide();
    run_all(900);
    decide();
    ck_assert_double_eq_tol(view_of(7)->used, 0.9, 1e-6);

    run_all(0);
    made_vcpu(&s, 7, 0)->cpu_time_ns = cpu_time_ns;
    s.domains[0].uuid[5] = other_uuid;
    decide();
    ck_assert(!view_of(7)->known);
    ck_assert_uint_eq(plan.action_count, 0);
    run_all(100);
    decide();
    ck_assert(view_of(7)->known);
    ck_assert_double_eq_tol(view_of(7)->used, 0.1, 1e-6);
    ck_assert_double_eq_tol(view_of(7)->demand, 0.1, 1e-6); /* nothing of the one before */
}

/* A reboot, or another guest under the same domid: never the run time of the one before. */
START_TEST(a_reused_domid_starts_afresh_with_less_run_time)
{
    assert_afresh(20 * SECOND_NS, true);
}
END_TEST

START_TEST(a_reused_domid_starts_afresh_with_more_run_time)
{
    assert_afresh(501 * SECOND_NS, true);
}
END_TEST

START_TEST(less_run_time_of_the_same_guest_starts_afresh)
{
    assert_afresh(20 * SECOND_NS, false);
}
END_TEST

/* ---- time ---- */

/* Four on pCPU 0, which would be spread at once if the time between were known. */
static void overloaded(void)
{
    for (uint32_t domid = 1; domid <= 4; domid++) {
        made_guest(&s, domid, 1);
        made_pin(&s, domid, 0, "0");
    }
    decide();
    run_all(250);
    s.time_ns -= SECOND_NS;
}

START_TEST(without_time_between_two_snapshots_nobody_moves)
{
    overloaded();
    decide();
    ck_assert_uint_eq(plan.action_count, 0);
    for (uint32_t domid = 1; domid <= 4; domid++)
        ck_assert(!view_of(domid)->known);
}
END_TEST

START_TEST(when_the_clock_turned_back_nobody_moves)
{
    overloaded();
    s.time_ns -= SECOND_NS / 2;
    decide();
    ck_assert_uint_eq(plan.action_count, 0);
}
END_TEST

/* The run time of a second is not that of the hour. */
START_TEST(a_jump_ahead_of_the_clock_is_not_taken_for_idleness)
{
    made_guest(&s, 1, 1);
    decide();
    run_all(500);
    decide();
    run_all(500);
    s.time_ns += 3600 * SECOND_NS;
    decide();
    ck_assert(!view_of(1)->known || view_of(1)->demand > 0.49);
    ck_assert_uint_eq(plan.action_count, 0);
    run_all(500);
    decide();
    ck_assert_double_eq_tol(view_of(1)->used, 0.5, 1e-6);
    ck_assert_double_eq_tol(view_of(1)->demand, 0.5, 1e-6);
}
END_TEST

/* A tick that was missed: the run time of both belongs to both. */
START_TEST(after_a_missed_tick_rates_are_right)
{
    overloaded();
    for (size_t i = 0; i < s.vcpu_count; i++)
        run(&s.vcpus[i], 250);
    s.time_ns += 2 * SECOND_NS;
    decide();
    ck_assert_double_eq_tol(view_of(1)->used, 0.25, 1e-6);
}
END_TEST

/* ---- garbage ---- */

static uint64_t random_state;

static uint64_t any_u64(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state >> (random_state >> 40) % 64; /* of all magnitudes */
}

static uint32_t any_map(void)
{
    static const char *const maps[] = {"all", "0", "1", "3", "0-1", "1-3", "2-3", "none", "40-50"};

    return made_map(&s, maps[any_u64() % (sizeof(maps) / sizeof(maps[0]))]);
}

/* What we wrote was one pCPU of the original mask, or all of that with a soft affinity. */
static void scramble_ledger(struct xlp_vcpu *v)
{
    uint32_t original = any_map(), one = original;
    struct xlp_cpumap first = xlp_cpumap_of(xlp_cpumap_next(&s.maps[original], 0));

    if (!xlp_cpumap_is_empty(&s.maps[original]))
        one = xlp_snapshot_intern(&s, &first);
    v->ledger = (struct xlp_vcpu_ledger){.recorded = any_u64() % 2,
                                         .original_hard = original,
                                         .original_soft = any_map(),
                                         .our_hard = any_u64() % 2 ? one : original,
                                         .our_soft = any_map()};
    if (any_u64() % 2) {
        v->hard = v->ledger.our_hard;
        v->soft = v->ledger.our_soft;
    }
}

static void scramble_vcpu(struct xlp_vcpu *v)
{
    v->cpu_time_ns = any_u64() % 2 ? any_u64() : v->cpu_time_ns + any_u64() % (2 * SECOND_NS);
    v->samples = (uint32_t)any_u64();
    v->samples_waiting = (uint32_t)any_u64();
    v->samples_blocked = (uint32_t)any_u64();
    v->online = any_u64() % 4 != 0;
    v->blocked = any_u64() % 2;
    v->running = any_u64() % 2;
    v->pcpu = any_u64() % 2 ? (uint32_t)any_u64() : XLP_UNKNOWN;
    v->hard = any_map();
    v->soft = any_map();
    scramble_ledger(v);
}

static void scramble(void)
{
    s.time_ns += any_u64() % (3 * SECOND_NS);
    for (size_t i = 0; i < s.pcpu_count; i++) {
        s.pcpus[i].idle_ns = any_u64();
        s.pcpus[i].online = any_u64() % 8 != 0;
        s.pcpus[i].core = any_u64() % 4 ? (uint32_t)any_u64() % 2 : XLP_UNKNOWN;
        s.pcpus[i].socket = any_u64() % 4 ? (uint32_t)any_u64() : XLP_UNKNOWN;
        s.pcpus[i].node = any_u64() % 4 ? (uint32_t)any_u64() : XLP_UNKNOWN;
    }
    for (size_t i = 0; i < s.domain_count; i++) {
        s.domains[i].weight = (uint32_t)any_u64();
        s.domains[i].cap_pct = (uint32_t)any_u64();
        s.domains[i].flags = any_u64() % 3 ? 0 : (unsigned int)any_u64() % 32;
        s.domains[i].pool_id = any_u64() % 16 == 0;
        s.domains[i].device_node = any_u64() % 2 ? (uint32_t)any_u64() : XLP_UNKNOWN;
        s.domains[i].passthrough_devices = any_u64() % 2;
    }
    for (size_t i = 0; i < s.vcpu_count; i++)
        scramble_vcpu(&s.vcpus[i]);
    policy.cpu_affinity = any_u64() % 2 ? XLP_AFFINITY_HARD : XLP_AFFINITY_SOFT;
    policy.adopt = any_u64() % 2;
}

static void assert_views_make_sense(void)
{
    size_t count;
    const struct xlp_vcpu_view *views = xlp_engine_vcpu_views(engine, &count);

    ck_assert_uint_eq(count, s.vcpu_count);
    for (size_t i = 0; i < count; i++) {
        ck_assert(views[i].used >= 0 && views[i].used <= 1);
        ck_assert(views[i].demand >= 0 && views[i].demand <= 1);
        ck_assert(views[i].entitlement >= 0 && views[i].entitlement <= views[i].demand + 1e-9);
    }
}

/* The mask that the operator gave it: the one it has, unless that is ours. */
static const struct xlp_cpumap *operators_mask(const struct xlp_vcpu *v)
{
    const struct xlp_vcpu_ledger *l = &v->ledger;
    bool ours = l->recorded && v->hard == l->our_hard && v->soft == l->our_soft;

    return &s.maps[ours ? l->original_hard : v->hard];
}

/* Xen would take it, and it keeps to the operator's mask, unless that was a pin handed over. */
static void assert_allowed(const struct xlp_action *a)
{
    const struct xlp_vcpu *v = xlp_snapshot_vcpu(&s, a->domid, a->vcpu);
    const struct xlp_cpumap *pool = &s.maps[s.pools[0].map], *allowed;

    ck_assert_int_eq(a->kind, XLP_PLACE_VCPU);
    ck_assert_ptr_nonnull(v);
    allowed = operators_mask(v);
    ck_assert(v->online);
    ck_assert_uint_eq(s.domains[v->domain].flags, 0);
    ck_assert(xlp_cpumap_test(pool, a->to_pcpu) && s.pcpus[a->to_pcpu].online);
    ck_assert(xlp_cpumap_test(allowed, a->to_pcpu) || xlp_cpumap_count(allowed) == 1);
    ck_assert(xlp_cpumap_test(&a->hard, a->to_pcpu));
    ck_assert(policy.cpu_affinity == XLP_AFFINITY_SOFT ? xlp_cpumap_test(&a->soft, a->to_pcpu)
                                                       : xlp_cpumap_count(&a->hard) == 1);
    ck_assert(!xlp_cpumap_equal(&a->hard, &s.maps[v->hard]) ||
              !xlp_cpumap_equal(&a->soft, &s.maps[v->soft]));
}

START_TEST(garbage_leads_nowhere_that_is_not_allowed)
{
    size_t placed = 0;

    random_state = UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)_i;
    for (uint32_t domid = 0; domid < 12; domid++)
        made_guest(&s, domid, 1 + domid % 3);
    for (int round = 0; round < 500; round++) {
        scramble();
        decide();
        assert_views_make_sense();
        for (size_t i = 0; i < plan.action_count; i++)
            assert_allowed(&plan.actions[i]);
        placed += plan.action_count;
    }
    ck_assert_uint_gt(placed, 100); /* it was about something */
}
END_TEST

/* ---- */

static TCase *with_engine(const char *name)
{
    TCase *tcase = tcase_create(name);

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    return tcase;
}

static TCase *domains(void)
{
    TCase *tcase = with_engine("domains");

    tcase_add_test(tcase, a_guest_without_vcpus_is_in_nobodys_way);
    tcase_add_test(tcase, a_reused_domid_starts_afresh_with_less_run_time);
    tcase_add_test(tcase, a_reused_domid_starts_afresh_with_more_run_time);
    tcase_add_test(tcase, less_run_time_of_the_same_guest_starts_afresh);
    return tcase;
}

static TCase *time_between(void)
{
    TCase *tcase = with_engine("time");

    tcase_add_test(tcase, without_time_between_two_snapshots_nobody_moves);
    tcase_add_test(tcase, when_the_clock_turned_back_nobody_moves);
    tcase_add_test(tcase, a_jump_ahead_of_the_clock_is_not_taken_for_idleness);
    tcase_add_test(tcase, after_a_missed_tick_rates_are_right);
    return tcase;
}

static TCase *garbage(void)
{
    TCase *tcase = with_engine("garbage");

    tcase_add_loop_test(tcase, garbage_leads_nowhere_that_is_not_allowed, 0, 8);
    return tcase;
}

CHECK_MAIN("cpu_faults", domains, time_between, garbage)
