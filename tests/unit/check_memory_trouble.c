/* SPDX-License-Identifier: LGPL-2.1-only */
/* Balloons that do not do as they are told, and guests that lie. */
#include "memory_fixture.h"

/* A guest that wants to grow from 320 MiB, and the host has plenty. */
static struct model_guest *guest_that_grows(enum model_balloon balloon)
{
    struct model_guest *g;

    free_above_reserve(2000);
    g = model_add(&m, 320, 2048, 200);
    set_domain("vm1: floor=100m");
    model_tick(&m, true);
    g->balloon = balloon;
    g->trace.point[0].mib = 600;
    return g;
}

/* Runs until its target changes, at most so many seconds; returns how many it took. */
static unsigned int until_retarget(const struct model_guest *g, unsigned int most_s)
{
    const unsigned int before = g->changes;
    unsigned int seconds = 0;

    while (g->changes == before && seconds < most_s) {
        model_tick(&m, false);
        seconds++;
    }
    return seconds;
}

START_TEST(a_promise_that_is_not_taken_is_taken_back)
{
    struct model_guest *g = guest_that_grows(MODEL_STUCK_UP);

    ck_assert_uint_le(until_retarget(g, 10), 10);
    ck_assert_int_ge(g->target_kib, 664 * MIB);
    model_run(&m, 10);
    assert_code(0, XLP_REASON_MEM_STUCK);
    ck_assert_uint_le(until_retarget(g, 30), 30);
    ck_assert_int_eq(m.plan.actions[0].reason.code, XLP_REASON_MEM_GIVE_UP);
    ck_assert_int_eq(g->target_kib, g->actual_kib);
}
END_TEST

START_TEST(a_balloon_that_fails_is_tried_again_more_and_more_seldom)
{
    struct model_guest *g = guest_that_grows(MODEL_STUCK_UP);
    unsigned int pauses[5];

    model_run(&m, 45); /* it has failed once, and the promise is taken back */
    for (int i = 0; i < 5; i++) {
        pauses[i] = until_retarget(g, 2000);
        ck_assert_int_gt(g->target_kib, g->actual_kib);
        ck_assert_msg(i == 0 || pauses[i] > pauses[i - 1], "try %d came after %u s", i, pauses[i]);
        ck_assert_uint_le(until_retarget(g, 2000), 45); /* and taken back again */
        ck_assert_int_eq(g->target_kib, g->actual_kib);
    }
    ck_assert_uint_ge(pauses[0], 15);
    ck_assert_uint_le(pauses[4], 600);
}
END_TEST

START_TEST(a_balloon_that_works_again_is_forgiven)
{
    struct model_guest *g = guest_that_grows(MODEL_STUCK_UP);

    model_run(&m, 60);
    assert_code(0, XLP_REASON_MEM_STUCK);
    g->balloon = MODEL_WORKS;
    model_run(&m, 120);
    assert_code(0, XLP_REASON_MEM_DEAD_ZONE);
    ck_assert_int_ge(g->actual_kib, 664 * MIB);
    g->trace.point[0].mib = 900;
    model_run(&m, 10);
    ck_assert_int_ge(g->actual_kib, 964 * MIB);
    g->balloon = MODEL_STUCK_UP;
    g->trace.point[0].mib = 1500;
    while (m.plan.action_count == 0 || m.plan.actions[0].reason.code != XLP_REASON_MEM_GIVE_UP)
        model_tick(&m, false);
    model_tick(&m, false);
    assert_code(0, XLP_REASON_MEM_STUCK);
    ck_assert_int_le(m.plan.verdicts[0].memory.number[2], 30); /* as for the first time */
}
END_TEST

static const int64_t distances_mib[] = {5, 6, 16, 19, 25, 60};

START_TEST(a_driver_that_rests_below_its_target_is_not_led_downwards)
{
    struct model_guest *g;

    m.free_kib = 4096 * MIB;
    g = model_add(&m, 1024, 2048, 900);
    g->distance_kib = distances_mib[_i] * MIB;
    run_from_start(3600);
    ck_assert_int_ge(g->actual_kib, (1024 - 2 * distances_mib[_i]) * MIB);
    g->trace.point[0].mib = 1300; /* and it may grow still */
    model_run(&m, 700);
    ck_assert_int_ge(g->actual_kib, (1300 - distances_mib[_i]) * MIB);
}
END_TEST

START_TEST(others_are_served_while_one_is_stuck)
{
    struct model_guest *stuck, *other;

    free_above_reserve(100);
    stuck = model_add(&m, 1024, 2048, 100);
    stuck->balloon = MODEL_STUCK_DOWN;
    other = model_add(&m, 512, 2048, 400);
    model_add(&m, 1024, 2048, 100);
    set_domain("*: floor=100m");
    run_from_start(60);
    other->trace.point[0].mib = 1000;
    model_run(&m, 60);
    ck_assert_int_ge(other->actual_kib, 1064 * MIB);
    ck_assert_int_eq(stuck->actual_kib, 1024 * MIB);
    assert_code(0, XLP_REASON_MEM_STUCK);
}
END_TEST

START_TEST(a_balloon_that_does_not_shrink_is_poked_with_another_target)
{
    struct model_guest *g;
    int64_t target_kib;
    bool poked = false;

    free_above_reserve(0);
    g = model_add(&m, 1024, 2048, 100);
    g->balloon = MODEL_STUCK_DOWN;
    run_from_start(20);
    target_kib = g->target_kib;
    ck_assert_int_lt(target_kib, 1024 * MIB);
    for (int t = 0; t < 120; t++) {
        model_tick(&m, false);
        for (size_t i = 0; i < m.plan.action_count; i++)
            poked = poked || m.plan.actions[i].reason.code == XLP_REASON_MEM_POKE;
    }
    ck_assert(poked);
    ck_assert_int_ne(g->target_kib, target_kib);
    ck_assert_uint_le(g->changes, 4);
    /* And what it kept, it cannot grow from. */
    ck_assert_int_le(g->max_kib, 1024 * MIB);
    g->balloon = MODEL_WORKS;
    model_run(&m, 200);
    ck_assert_int_le(g->actual_kib, 400 * MIB);
}
END_TEST

START_TEST(a_trickle_does_not_pass_for_a_balloon_that_works)
{
    struct model_guest *g = guest_that_grows(MODEL_STUCK_UP);
    bool stuck = false;

    for (int t = 0; t < 60; t++) {
        model_tick(&m, false);
        g->actual_kib += 256; /* 1 MiB in 4 s */
        m.free_kib -= 256;
        stuck = stuck || code_of(0) == XLP_REASON_MEM_STUCK;
    }
    ck_assert(stuck);
    ck_assert_int_lt(g->target_kib, 700 * MIB);
}
END_TEST

START_TEST(a_guest_without_memory_to_grow_into_is_not_to_blame)
{
    struct model_guest *g = guest_that_grows(MODEL_STUCK_UP);

    model_run(&m, 3);
    ck_assert_int_gt(g->target_kib, g->actual_kib + 300 * MIB);
    g->trace.point[0].mib = 200;
    m.free_kib = 60 * MIB; /* told to grow: and now the memory is gone */
    model_run(&m, 35);
    ck_assert_int_eq(g->target_kib, g->actual_kib);
    g->balloon = MODEL_WORKS;
    g->trace.point[0].mib = 600;
    m.free_kib = 3000 * MIB;
    model_run(&m, 15); /* less than the shortest penalty */
    ck_assert_int_ge(g->actual_kib, 664 * MIB);
}
END_TEST

/* ---- hosts that do not take targets ---- */

/* Seconds until it is next asked for a target, at most so many. */
static unsigned int until_asked(const struct model_guest *g, unsigned int most_s)
{
    const uint32_t before = g->refusals;
    unsigned int seconds = 0;

    while (g->refusals == before && seconds < most_s) {
        model_tick(&m, false);
        seconds++;
    }
    return seconds;
}

START_TEST(a_host_that_refuses_is_asked_more_and_more_seldom)
{
    static const unsigned int pauses_s[] = {30, 60, 120, 240, 480, 600, 600};
    struct model_guest *g;

    free_above_reserve(100);
    g = model_add(&m, 1024, 2048, 100);
    g->refuses = true;
    model_tick(&m, true);
    ck_assert_uint_le(until_asked(g, 60), 60);
    for (size_t i = 0; i < sizeof(pauses_s) / sizeof(pauses_s[0]); i++) {
        unsigned int asked_s;

        model_tick(&m, false);
        assert_code(0, XLP_REASON_MEM_REFUSED);
        ck_assert_int_eq(m.plan.verdicts[0].memory.number[1], pauses_s[i]);
        asked_s = until_asked(g, 2000); /* surplus that may go again first earns its credit */
        ck_assert_uint_ge(asked_s, pauses_s[i]);
        ck_assert_uint_le(asked_s, pauses_s[i] + 15);
    }
}
END_TEST

START_TEST(a_host_that_takes_a_target_again_is_asked_as_before)
{
    struct model_guest *g;

    free_above_reserve(100);
    g = model_add(&m, 1024, 2048, 100);
    g->refuses = true;
    run_from_start(200);
    ck_assert_uint_ge(g->refusals, 2);
    g->refuses = false;
    model_run(&m, 200);
    ck_assert_int_le(g->actual_kib, 400 * MIB);
    g->refuses = true;
    g->trace.point[0].mib = 900;
    until_asked(g, 60);
    model_tick(&m, false);
    ck_assert_int_eq(m.plan.verdicts[0].memory.number[1], 30);
}
END_TEST

/* Whatever is asked of it: to shrink, to give back, to follow its balloon or to be told again. */
static void shrinks(struct model_guest *g)
{
    g->refuses = true;
}

static void lends(struct model_guest *g)
{
    g->lies = g->refuses = true;
    m.guest[1].trace.point[0].mib = 600;
}

static void is_to_follow(struct model_guest *g)
{
    while (g->changes == 0 || g->actual_kib > g->target_kib)
        model_tick(&m, false);
    ck_assert_int_lt(g->actual_kib, g->max_kib - MIB);
    g->trace.point[0].mib = (double)(g->actual_kib / MIB - 70); /* it has no more to give */
    g->refuses = true;
}

static void is_stuck(struct model_guest *g)
{
    g->balloon = MODEL_STUCK_DOWN;
    model_run(&m, 20);
    ck_assert_int_lt(g->target_kib, g->actual_kib);
    g->refuses = true;
}

static void is_released(struct model_guest *g)
{
    g->refuses = g->ledger.recorded = g->ledger.releasing = true;
    g->ledger.original_target_kib = 900 * MIB;
    g->ledger.our_target_kib = g->target_kib;
}

static void (*const asked_for[])(struct model_guest *g) = {shrinks, lends, is_to_follow, is_stuck,
                                                           is_released};

START_TEST(nothing_that_is_refused_is_asked_for_each_tick)
{
    struct model_guest *g;

    free_above_reserve(0);
    g = model_add(&m, 1024, 2048, 100);
    model_add(&m, 300, 1024, 200);
    set_domain("*: floor=100m");
    model_tick(&m, true);
    asked_for[_i](g);
    model_run(&m, 200);
    ck_assert_uint_ge(g->refusals, 1);
    ck_assert_uint_le(g->refusals, 4);
}
END_TEST

START_TEST(what_is_refused_is_neither_counted_on_nor_promised)
{
    struct model_guest *giver, *taker;

    free_above_reserve(0);
    giver = model_add(&m, 1024, 2048, 100);
    giver->refuses = true;
    taker = model_add(&m, 300, 2048, 200);
    model_add(&m, 1024, 1024, 100);
    set_domain("*: floor=100m");
    run_from_start(60);
    taker->trace.point[0].mib = 700;
    model_run(&m, 40);
    ck_assert_int_ge(taker->actual_kib, (700 + 64) * MIB);
    ck_assert_int_eq(giver->actual_kib, 1024 * MIB);
}
END_TEST

START_TEST(a_liar_gets_no_guest_below_its_need)
{
    set("mem_surplus", _i ? "guests" : "host");
    four_guests();
    for (size_t i = 0; i < 4; i++)
        m.guest[i].trace.point[0].mib = 400;
    m.guest[0].lies = true;
    for (int t = 0; t < 200; t++) {
        model_tick(&m, t == 0);
        for (size_t i = 1; i < 4 && t > 0; i++)
            ck_assert_int_ge(m.guest[i].target_kib, (400 + 64) * MIB);
    }
    for (size_t i = 1; i < 4; i++)
        ck_assert(m.guest[i].deficit_mib_s == 0);
    ck_assert_int_ge(m.lowest_free_kib, 50 * MIB);
}
END_TEST

START_TEST(a_claim_of_endless_swap_is_bounded_by_the_maximum)
{
    four_guests();
    run_from_start(60);
    model_observe(&m);
    m.snapshot.domains[0].memory.report.swap_total_kib = XLP_REPORT_MAX_MEMORY_KIB;
    m.snapshot.domains[0].memory.report.swap_used_kib = XLP_REPORT_MAX_MEMORY_KIB;
    ck_assert_int_eq(model_decide(&m, false), 0);
    ck_assert_int_eq(m.views[0].need_kib, 2048 * MIB);
    ck_assert_int_le(action_on(0)->to_kib, 2048 * MIB);
}
END_TEST

START_TEST(a_total_above_what_xen_gave_is_not_believed)
{
    four_guests();
    run_from_start(5);
    for (int t = 0; t < 5; t++) {
        model_observe(&m);
        m.snapshot.domains[0].memory.report.total_kib = XLP_REPORT_MAX_MEMORY_KIB;
        m.snapshot.domains[0].memory.report.avail_kib = 0;
        ck_assert_int_eq(model_decide(&m, false), 0);
        ck_assert_int_eq(m.views[0].used_kib, m.guest[0].actual_kib);
        model_let_time_pass(&m, MODEL_SECOND_NS);
    }
}
END_TEST

static TCase *balloons(void)
{
    TCase *tcase = with_fixture("balloons");

    tcase_add_test(tcase, a_promise_that_is_not_taken_is_taken_back);
    tcase_add_test(tcase, a_balloon_that_fails_is_tried_again_more_and_more_seldom);
    tcase_add_test(tcase, a_balloon_that_works_again_is_forgiven);
    tcase_add_loop_test(tcase, a_driver_that_rests_below_its_target_is_not_led_downwards, 0,
                        sizeof(distances_mib) / sizeof(distances_mib[0]));
    tcase_add_test(tcase, others_are_served_while_one_is_stuck);
    tcase_add_test(tcase, a_balloon_that_does_not_shrink_is_poked_with_another_target);
    tcase_add_test(tcase, a_trickle_does_not_pass_for_a_balloon_that_works);
    tcase_add_test(tcase, a_guest_without_memory_to_grow_into_is_not_to_blame);
    return tcase;
}

static TCase *refusals(void)
{
    TCase *tcase = with_fixture("refusals");

    tcase_add_test(tcase, a_host_that_refuses_is_asked_more_and_more_seldom);
    tcase_add_test(tcase, a_host_that_takes_a_target_again_is_asked_as_before);
    tcase_add_loop_test(tcase, nothing_that_is_refused_is_asked_for_each_tick, 0,
                        sizeof(asked_for) / sizeof(asked_for[0]));
    tcase_add_test(tcase, what_is_refused_is_neither_counted_on_nor_promised);
    return tcase;
}

static TCase *lies(void)
{
    TCase *tcase = with_fixture("lies");

    tcase_add_loop_test(tcase, a_liar_gets_no_guest_below_its_need, 0, 2);
    tcase_add_test(tcase, a_claim_of_endless_swap_is_bounded_by_the_maximum);
    tcase_add_test(tcase, a_total_above_what_xen_gave_is_not_believed);
    return tcase;
}

CHECK_MAIN("memory trouble", balloons, refusals, lies)
