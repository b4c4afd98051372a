/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the engine itself makes of two snapshots: how busy each pCPU was between them; and that why
 * is said when asked. */
#include "check_main.h"
#include "engine.h"
#include "made_host.h"

static struct xlp_engine *engine;
static struct xlp_policy policy;
static struct xlp_plan plan;
static struct xlp_snapshot s;

static void set_up(void)
{
    engine = xlp_engine_new();
    ck_assert_ptr_nonnull(engine);
    xlp_policy_init(&policy);
    xlp_plan_init(&plan);
    made_host(&s, 3, XLP_SCHED_CREDIT2);
}

static void tear_down(void)
{
    xlp_snapshot_dispose(&s);
    xlp_plan_dispose(&plan);
    xlp_policy_dispose(&policy);
    xlp_engine_free(engine);
}

static const struct xlp_pcpu_view *decide(void)
{
    const struct xlp_pcpu_view *views;
    size_t count;

    ck_assert_int_eq(xlp_engine_decide(engine, &s, &policy, &plan), 0);
    views = xlp_engine_pcpu_views(engine, &count);
    ck_assert_uint_eq(count, s.pcpu_count);
    return views;
}

/* Two seconds later; pCPU i was idle for idle_ms[i] of them. */
static const struct xlp_pcpu_view *decide_later(const uint64_t idle_ms[3])
{
    s.time_ns += 2 * SECOND_NS;
    for (size_t i = 0; i < s.pcpu_count; i++)
        s.pcpus[i].idle_ns += idle_ms[s.pcpus[i].id] * 1000000;
    return decide();
}

START_TEST(a_pcpu_was_busy_when_it_was_not_idle)
{
    const struct xlp_pcpu_view *views = decide();

    for (int i = 0; i < 3; i++)
        ck_assert(!views[i].known); /* one look tells nothing */
    for (int tick = 0; tick < 3; tick++) {
        views = decide_later((const uint64_t[]){0, 500, 2000});
        ck_assert(views[0].known && views[0].used == 1);
        ck_assert(views[1].known && views[1].used == 0.75);
        ck_assert(views[2].known && views[2].used == 0);
    }
    /* Clocks are read one after the other. */
    ck_assert(decide_later((const uint64_t[]){0, 0, 2001})[2].used == 0);
}
END_TEST

START_TEST(a_pcpu_that_was_offline_is_not_known_for_a_tick)
{
    const struct xlp_pcpu_view *views;

    decide();
    s.pcpus[1].online = false;
    views = decide_later((const uint64_t[]){1000, 1000, 1000});
    ck_assert(views[0].known && !views[1].known && views[2].known);
    s.pcpus[1].online = true;
    ck_assert(!decide_later((const uint64_t[]){1000, 1000, 1000})[1].known);
    ck_assert(decide_later((const uint64_t[]){1000, 1000, 1000})[1].known);
}
END_TEST

START_TEST(pcpus_are_compared_by_id_when_one_goes_or_comes)
{
    const struct xlp_pcpu_view *views;

    decide();
    s.pcpus[1] = s.pcpus[2];
    s.pcpu_count = 2;
    views = decide_later((const uint64_t[]){1000, 0, 500});
    ck_assert(views[0].known && views[0].used == 0.5);
    ck_assert(views[1].known && views[1].used == 0.75);
    *xlp_snapshot_add_pcpu(&s) = s.pcpus[1];
    s.pcpus[1] = (struct xlp_pcpu){.id = 1, .online = true};
    views = decide_later((const uint64_t[]){1000, 500, 0});
    ck_assert(!views[1].known);
    ck_assert(views[2].known && views[2].used == 1);
}
END_TEST

START_TEST(what_cannot_be_compared_is_not_known)
{
    decide();
    s.pcpus[1].idle_ns = SECOND_NS;
    decide_later((const uint64_t[]){0, 0, 0});
    s.pcpus[1].idle_ns = 0; /* back to zero: another boot of the pCPU */
    ck_assert(!decide_later((const uint64_t[]){0, 0, 0})[1].known);
    s.time_ns -= SECOND_NS; /* the clock went back */
    ck_assert(!decide()[0].known);
    s.time_ns += 11 * (uint64_t)policy.tick_ms * 1000000; /* too long ago */
    ck_assert(!decide()[0].known);
}
END_TEST

START_TEST(what_was_done_in_a_moment_is_no_measure)
{
    const struct xlp_vcpu_view *vcpus;
    size_t count;

    made_guest(&s, 1, 1);
    decide();
    decide_later((const uint64_t[]){1000, 1000, 1000});
    s.time_ns += 5 * 1000000; /* none of them was idle for one of those */
    s.vcpus[0].cpu_time_ns += 5 * 1000000;
    ck_assert(!decide()[0].known);
    vcpus = xlp_engine_vcpu_views(engine, &count);
    ck_assert(vcpus[0].known && vcpus[0].demand == 0);
    s.time_ns += 100 * 1000000;
    ck_assert(decide()[0].known);
    policy.tick_ms = 60000;
    s.time_ns += 100 * 1000000;
    ck_assert(decide()[0].known);
}
END_TEST

/* ---- why ---- */

/* A guest that was never asked about is explained as well as one that is asked about each tick, and
 * nothing is decided otherwise. */
START_TEST(asking_why_changes_nothing)
{
    struct xlp_engine *other = xlp_engine_new();
    struct xlp_plan asked;

    xlp_plan_init(&asked);
    policy.cpu_affinity = XLP_AFFINITY_HARD;
    for (uint32_t i = 1; i <= 6; i++)
        made_guest(&s, i, 1);
    for (int second = 0; second < 2; second++) {
        ck_assert_int_eq(xlp_engine_decide(engine, &s, &policy, &plan), 0);
        ck_assert_int_eq(xlp_engine_decide(other, &s, &policy, &asked), 0);
        ck_assert_uint_eq(asked.verdict_count, 0);
        xlp_engine_explain(other, &s, &asked);
        ck_assert_uint_eq(asked.verdict_count, 6);
        ck_assert_uint_eq(plan.action_count, asked.action_count);
        for (size_t i = 0; i < plan.action_count; i++)
            ck_assert_uint_eq(plan.actions[i].to_pcpu, asked.actions[i].to_pcpu);
        s.time_ns += SECOND_NS;
        for (size_t i = 0; i < s.vcpu_count; i++)
            s.vcpus[i].cpu_time_ns += SECOND_NS / 10 * (i + 1);
    }
    ck_assert_uint_gt(plan.action_count, 0);
    plan.action_count = 0; /* paused: what would have been done is still the word on it */
    xlp_engine_explain(engine, &s, &plan);
    for (size_t i = 0; i < 6; i++) {
        ck_assert_int_ne(plan.verdicts[i].cpu.code, XLP_REASON_NONE);
        ck_assert_int_eq(plan.verdicts[i].cpu.code, asked.verdicts[i].cpu.code);
        ck_assert_int_eq(plan.verdicts[i].memory.code, asked.verdicts[i].memory.code);
        ck_assert_mem_eq(plan.verdicts[i].cpu.number, asked.verdicts[i].cpu.number,
                         sizeof(plan.verdicts[i].cpu.number));
        ck_assert_str_eq(plan.verdicts[i].name, s.domains[i].name);
    }
    xlp_engine_free(other);
    xlp_plan_dispose(&asked);
}
END_TEST

START_TEST(memory_that_is_left_alone_is_explained)
{
    const struct xlp_domain_view *views;
    size_t count;

    made_guest(&s, 0, 1);
    made_guest(&s, 1, 1)->memory.static_max_kib = 4 << 20;
    policy.mem_policy = XLP_MEM_OFF;
    ck_assert_int_eq(xlp_engine_decide(engine, &s, &policy, &plan), 0);
    xlp_engine_explain(engine, &s, &plan);
    views = xlp_engine_domain_views(engine, &count);
    ck_assert_int_eq(plan.verdicts[0].memory.code, XLP_REASON_MEM_DOM0);
    ck_assert_int_eq(plan.verdicts[1].memory.code, XLP_REASON_MEM_OFF);
    ck_assert(count == 2 && !views[1].known && views[1].floor_kib > 0);
}
END_TEST

static TCase *why(void)
{
    TCase *tcase = tcase_create("why");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, asking_why_changes_nothing);
    tcase_add_test(tcase, memory_that_is_left_alone_is_explained);
    return tcase;
}

static TCase *pcpus(void)
{
    TCase *tcase = tcase_create("pcpus");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_pcpu_was_busy_when_it_was_not_idle);
    tcase_add_test(tcase, a_pcpu_that_was_offline_is_not_known_for_a_tick);
    tcase_add_test(tcase, pcpus_are_compared_by_id_when_one_goes_or_comes);
    tcase_add_test(tcase, what_cannot_be_compared_is_not_known);
    tcase_add_test(tcase, what_was_done_in_a_moment_is_no_measure);
    return tcase;
}

CHECK_MAIN("engine", pcpus, why)
