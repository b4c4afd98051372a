/* SPDX-License-Identifier: LGPL-2.1-only */
/* Memory that the operator released: back to what it was, but never at a guest's expense. */
#include "memory_fixture.h"

/* A guest that had original_mib before us, has target_mib by now, and uses used_mib. */
static struct model_guest *released(int64_t original_mib, int64_t target_mib, int64_t used_mib)
{
    struct model_guest *g = model_add(&m, target_mib, 2048, used_mib);

    g->ledger = (struct xlp_memory_ledger){.recorded = true,
                                           .original_target_kib = original_mib * MIB,
                                           .original_max_kib = original_mib * MIB,
                                           .our_target_kib = target_mib * MIB,
                                           .releasing = true};
    return g;
}

/* Until the last record is gone, at most so many seconds: from then on they are managed again. */
static void run_until_released(unsigned int most_s)
{
    bool recorded = true;

    for (unsigned int t = 0; t < most_s && recorded; t++) {
        model_tick(&m, m.plan.time_ns == 0);
        recorded = false;
        for (size_t i = 0; i < m.count; i++)
            recorded = recorded || m.guest[i].ledger.recorded;
    }
    ck_assert(!recorded);
}

START_TEST(a_guest_is_not_taken_below_what_it_uses)
{
    struct model_guest *g;

    free_above_reserve(100);
    g = released(512, 960, 800);
    set_domain("*: floor=100m");
    run_from_start(60);
    ck_assert_int_ge(g->target_kib, (800 + 64) * MIB);
    ck_assert_int_lt(g->target_kib, (800 + 64 + 8) * MIB);
    ck_assert(g->ledger.recorded);
    assert_code(0, XLP_REASON_MEM_RELEASE_HELD);
    ck_assert_int_eq(m.plan.verdicts[0].memory.number[2], (800 + 64) * MIB);
    g->trace.point[0].mib = 300; /* once it uses less, the rest follows */
    run_until_released(60);
    ck_assert_int_eq(g->target_kib, 512 * MIB);
    ck_assert_int_eq(g->actual_kib, 512 * MIB);
    ck_assert_int_eq(g->max_kib, 512 * MIB);
}
END_TEST

/* It was never given its margin before us, nor the floor that we would give it. */
START_TEST(it_goes_back_to_a_size_that_we_would_not_have_chosen)
{
    free_above_reserve(100);
    released(140, 200, 100);
    run_until_released(30);
    ck_assert_int_eq(m.guest[0].actual_kib, 140 * MIB);
}
END_TEST

START_TEST(it_goes_back_by_a_quarter_at_a_time_each_step_watched)
{
    free_above_reserve(100);
    released(300, 2048, 100);
    set_domain("*: floor=100m");
    m.balloon_kib_s = 50 * MIB;
    for (int t = 0; t < 120 && m.guest[0].ledger.recorded; t++) {
        const struct xlp_action *a;

        model_tick(&m, t == 0);
        a = action_on(0);
        if (!a || a->to_kib == a->from_kib)
            continue;
        ck_assert_int_le(a->from_kib - a->to_kib, a->from_kib / 4);
        ck_assert_int_le(m.snapshot.domains[0].memory.actual_kib, a->from_kib + 4 * MIB);
    }
    ck_assert_int_eq(m.guest[0].actual_kib, 300 * MIB);
}
END_TEST

START_TEST(the_floor_holds_on_the_way_back)
{
    struct model_guest *g;

    free_above_reserve(100);
    g = released(300, 1024, 100);
    set_domain("*: floor=500m");
    run_from_start(60);
    ck_assert_int_eq(g->target_kib, 500 * MIB);
}
END_TEST

START_TEST(a_guest_that_says_nothing_is_not_made_smaller)
{
    struct model_guest *g;

    free_above_reserve(100);
    g = released(512, 960, 300);
    for (int t = 0; t < 30; t++) {
        model_observe(&m);
        if (_i == 0)
            m.snapshot.domains[0].memory.report.source = XLP_REPORT_NONE;
        else if (_i == 1)
            m.snapshot.domains[0].memory.report_bad = true;
        else
            m.snapshot.domains[0].memory.report_age_ns = 100 * MODEL_SECOND_NS;
        ck_assert_int_eq(model_decide(&m, t == 0), 0);
        ck_assert_uint_eq(m.plan.action_count, 0);
        assert_code(0, XLP_REASON_MEM_RELEASE_HELD);
        model_let_time_pass(&m, MODEL_SECOND_NS);
    }
    ck_assert_int_eq(g->target_kib, 960 * MIB);
}
END_TEST

START_TEST(a_guest_grows_back_only_into_memory_that_is_free)
{
    struct model_guest *giver, *taker;

    free_above_reserve(40);
    taker = released(512, 900, 200);
    giver = released(512, 300, 200);
    set_domain("*: floor=100m");
    m.balloon_kib_s = 20 * MIB;
    for (int t = 0; t < 90 && (giver->ledger.recorded || taker->ledger.recorded); t++) {
        int64_t free_kib = m.free_kib - 50 * MIB;
        const struct xlp_action *a;

        model_tick(&m, t == 0);
        a = action_on(1);
        if (a && a->to_kib > a->from_kib)
            ck_assert_int_le(a->to_kib - m.snapshot.domains[1].memory.actual_kib, free_kib);
        ck_assert(!giver->parked);
    }
    ck_assert_int_eq(taker->actual_kib, 512 * MIB);
    ck_assert_int_eq(giver->actual_kib, 512 * MIB);
    ck_assert(!taker->ledger.recorded && !giver->ledger.recorded);
    ck_assert_int_ge(m.lowest_free_kib, 50 * MIB);
}
END_TEST

START_TEST(while_there_is_no_memory_it_waits_and_says_so)
{
    free_above_reserve(0);
    released(512, 300, 200);
    run_from_start(10);
    ck_assert_uint_eq(m.plan.action_count, 0);
    assert_code(0, XLP_REASON_MEM_RELEASE_WAITS);
}
END_TEST

START_TEST(those_that_shrink_come_before_those_that_grow)
{
    free_above_reserve(0);
    released(512, 300, 200);
    released(512, 900, 200);
    set_domain("*: floor=100m");
    m.advise = true; /* until both balloons are known to rest */
    run_from_start(20);
    m.free_kib += 200 * MIB;
    model_tick(&m, false);
    ck_assert_uint_eq(m.plan.action_count, 2);
    ck_assert_uint_eq(m.plan.actions[0].domid, 2);
    ck_assert_uint_eq(m.plan.actions[1].domid, 1);
}
END_TEST

/* What is only advised to others takes nothing from it: in mode advise it is never done. */
START_TEST(advice_to_others_does_not_hold_it_up)
{
    struct model_guest *g;

    free_above_reserve(100);
    model_add(&m, 256, 2048, 900); /* short, and nothing is done about it */
    g = released(400, 300, 200);
    set_domain("*: floor=100m");
    for (int t = 0; t < 30 && g->ledger.recorded; t++) {
        const struct xlp_action *a;

        model_observe(&m);
        ck_assert_int_eq(model_decide(&m, t == 0), 0);
        a = action_on(1);
        if (a)
            model_apply(&m, a);
        model_let_time_pass(&m, MODEL_SECOND_NS);
    }
    ck_assert_int_eq(g->actual_kib, 400 * MIB);
    ck_assert(!g->ledger.recorded);
}
END_TEST

START_TEST(what_goes_back_is_not_given_to_others_as_well)
{
    int64_t promised_kib = 0;

    free_above_reserve(100);
    model_add(&m, 256, 2048, 250); /* short */
    released(360, 300, 200);
    model_tick(&m, true);
    for (size_t i = 0; i < m.plan.action_count; i++)
        promised_kib += m.plan.actions[i].to_kib - m.plan.actions[i].from_kib;
    ck_assert_int_gt(promised_kib, 60 * MIB);
    ck_assert_int_le(promised_kib, 100 * MIB);
}
END_TEST

START_TEST(others_make_room_for_it_from_what_they_do_not_need)
{
    struct model_guest *g;

    set("mem_surplus", "guests");
    free_above_reserve(0);
    model_add(&m, 1024, 2048, 200);
    g = released(600, 300, 200);
    set_domain("*: floor=100m");
    set_domain("vm1: shares=1000000"); /* all surplus is its own */
    model_tick(&m, true);
    for (int t = 0; t < 60 && g->ledger.recorded; t++)
        model_tick(&m, false);
    ck_assert_int_eq(g->actual_kib, 600 * MIB);
    ck_assert_int_ge(m.guest[0].actual_kib, (200 + 64) * MIB);
}
END_TEST

START_TEST(a_target_that_was_set_by_hand_meanwhile_stays)
{
    struct model_guest *g;

    free_above_reserve(100);
    g = released(512, 960, 800);
    run_from_start(5);
    model_mem_set(g, 900);
    model_tick(&m, false);
    ck_assert_int_eq(m.plan.actions[0].reason.code, XLP_REASON_MEM_RELEASE_KEPT);
    ck_assert_int_eq(g->target_kib, 900 * MIB);
    ck_assert(!g->ledger.recorded);
}
END_TEST

START_TEST(a_guest_that_may_not_be_touched_waits)
{
    free_above_reserve(500);
    released(512, 300, 200);
    model_observe(&m);
    m.snapshot.domains[0].flags = XLP_DOMAIN_MIGRATING;
    ck_assert_int_eq(model_decide(&m, true), 0);
    ck_assert_uint_eq(m.plan.action_count, 0);
    assert_code(0, XLP_REASON_MIGRATING);
}
END_TEST

START_TEST(a_balloon_that_does_not_follow_ends_the_release_all_the_same)
{
    struct model_guest *g;

    free_above_reserve(500);
    g = released(512, 300, 200);
    g->balloon = MODEL_STUCK;
    run_until_released(60);
    ck_assert_int_eq(g->target_kib, 512 * MIB);
}
END_TEST

START_TEST(a_balloon_that_does_not_shrink_is_not_told_so_in_each_look)
{
    struct model_guest *g;
    unsigned int changes = 0;
    int last_s = -1000;

    free_above_reserve(500);
    g = released(256, 1024, 50);
    set_domain("*: floor=100m");
    g->balloon = MODEL_STUCK;
    for (int t = 0; t < 600 && g->ledger.recorded; t++) {
        model_tick(&m, t == 0);
        if (g->changes == changes)
            continue;
        changes = g->changes;
        ck_assert_int_ge(t - last_s, 30);
        last_s = t;
    }
    ck_assert_uint_ge(changes, 3); /* and in the end it is over */
    ck_assert(!g->ledger.recorded);
}
END_TEST

START_TEST(what_goes_back_is_no_need)
{
    free_above_reserve(100);
    released(2048, 2048, 100)->ledger.original_target_kib = 1500 * MIB;
    m.guest[0].balloon = MODEL_STUCK; /* it takes its time */
    model_add(&m, 300, 2048, 100);
    model_tick(&m, true);
    model_run(&m, 3);
    ck_assert(m.guest[0].ledger.recorded);
    ck_assert_int_eq(m.plan.memory.code, XLP_REASON_NONE);
}
END_TEST

START_TEST(what_was_put_back_was_not_set_by_hand)
{
    free_above_reserve(300);
    released(_i ? 512 : 300, 400, 100);
    set_domain("*: floor=100m");
    for (int t = 0; t < 60; t++) {
        model_tick(&m, t == 0);
        ck_assert_int_ne(code_of(0), XLP_REASON_MEM_OPERATOR);
    }
    ck_assert_int_le(m.guest[0].actual_kib, 200 * MIB); /* it is managed again */
}
END_TEST

static TCase *releases(void)
{
    TCase *tcase = with_fixture("releases");

    tcase_add_test(tcase, a_guest_is_not_taken_below_what_it_uses);
    tcase_add_test(tcase, it_goes_back_to_a_size_that_we_would_not_have_chosen);
    tcase_add_test(tcase, it_goes_back_by_a_quarter_at_a_time_each_step_watched);
    tcase_add_test(tcase, the_floor_holds_on_the_way_back);
    tcase_add_loop_test(tcase, a_guest_that_says_nothing_is_not_made_smaller, 0, 3);
    tcase_add_test(tcase, a_guest_grows_back_only_into_memory_that_is_free);
    tcase_add_test(tcase, while_there_is_no_memory_it_waits_and_says_so);
    tcase_add_test(tcase, those_that_shrink_come_before_those_that_grow);
    tcase_add_test(tcase, advice_to_others_does_not_hold_it_up);
    tcase_add_test(tcase, what_goes_back_is_not_given_to_others_as_well);
    tcase_add_test(tcase, others_make_room_for_it_from_what_they_do_not_need);
    tcase_add_test(tcase, a_target_that_was_set_by_hand_meanwhile_stays);
    tcase_add_test(tcase, a_guest_that_may_not_be_touched_waits);
    tcase_add_test(tcase, a_balloon_that_does_not_follow_ends_the_release_all_the_same);
    tcase_add_test(tcase, a_balloon_that_does_not_shrink_is_not_told_so_in_each_look);
    tcase_add_test(tcase, what_goes_back_is_no_need);
    tcase_add_loop_test(tcase, what_was_put_back_was_not_set_by_hand, 0, 2);
    return tcase;
}

CHECK_MAIN("memory release", releases)
