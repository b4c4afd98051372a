/* SPDX-License-Identifier: LGPL-2.1-only */
/* What guests claim of the memory there is: a share is everybody's own, what is beyond is lent. */
#include "memory_fixture.h"

/* Two guests that could each have all. The first takes what is free, long before the second needs
 * any of it. A share is then (900 + 900) / 2 = 900 MiB. */
static struct model_guest *early, *late;

static void one_takes_all(int64_t used_mib)
{
    free_above_reserve(800);
    early = model_add(&m, 500, 2048, 200);
    late = model_add(&m, 500, 2048, 200);
    set_domain("*: floor=100m");
    model_point(early, 0, 200);
    model_point(early, 20, 200);
    model_point(early, 60, (double)used_mib);
    run_from_start(120);
}

static void late_needs(int64_t used_mib)
{
    late->trace.count = 1;
    late->trace.point[0].mib = (double)used_mib;
}

static void stalls(struct xlp_domain *d)
{
    d->memory.report.psi_some_avg10_centipct = 5000;
}

static void reports_no_more(struct xlp_domain *d)
{
    d->memory.report_age_ns = 1000 * MODEL_SECOND_NS;
}

static void writes_garbage(struct xlp_domain *d)
{
    d->memory.report_bad = true;
}

static void says_nothing(struct xlp_domain *d)
{
    d->memory.report.source = XLP_REPORT_NONE;
}

static void claims_all(struct xlp_domain *d)
{
    d->memory.report.avail_kib = 0;
    d->memory.report.swap_total_kib = d->memory.report.swap_used_kib = XLP_REPORT_MAX_MEMORY_KIB;
}

static void (*const excuses[])(struct xlp_domain *d) = {claims_all, stalls, reports_no_more,
                                                        writes_garbage, says_nothing};

/* As model_tick, with the first guest's excuse in the snapshot. */
static void tick_with(void (*excuse)(struct xlp_domain *d))
{
    model_observe(&m);
    excuse(&m.snapshot.domains[0]);
    ck_assert_int_eq(model_decide(&m, false), 0);
    for (size_t i = 0; i < m.plan.action_count; i++)
        model_apply(&m, &m.plan.actions[i]);
    model_let_time_pass(&m, MODEL_SECOND_NS);
}

START_TEST(who_comes_late_gets_his_share_whatever_the_first_claims)
{
    one_takes_all(1300);
    ck_assert_int_ge(early->actual_kib, 1350 * MIB);
    for (int t = 0; t < 20; t++)
        tick_with(excuses[_i]);
    late_needs(700);
    for (int t = 0; t < 120; t++) {
        tick_with(excuses[_i]);
        ck_assert_int_ge(early->target_kib, 900 * MIB);
        if (t == 40)
            ck_assert_int_ge(late->actual_kib, (700 + 16) * MIB);
    }
    ck_assert_int_ge(late->actual_kib, (700 + 64) * MIB);
    ck_assert_int_ge(m.lowest_free_kib, 50 * MIB);
}
END_TEST

static void assert_no_recall(void)
{
    for (size_t i = 0; i < m.plan.action_count; i++)
        ck_assert_int_ne(m.plan.actions[i].reason.code, XLP_REASON_MEM_RECALL);
}

/* It has what it uses: only its margin is missing. */
START_TEST(what_is_used_is_not_taken_for_a_margin_that_is_not_missing_for_long)
{
    one_takes_all(1300);
    model_run(&m, 30);
    late_needs(late->actual_kib / MIB - 30);
    for (int t = 0; t < 50; t++) {
        model_tick(&m, false);
        assert_no_recall();
    }
    model_run(&m, 40);
    ck_assert_int_ge(late->actual_kib, late->used_kib + 60 * MIB);
}
END_TEST

/* Of two with 500 MiB each and nothing free one needs more; shares are 500. */
START_TEST(idle_memory_within_a_share_is_taken_as_far_as_it_is_taxed)
{
    static const struct {
        const char *tax_pct;
        int64_t kept_mib;
    } cases[] = {{"100", 144}, {"50", 298}, {"0", 500}};

    set("mem_surplus", "guests");
    set("mem_idle_tax_pct", cases[_i].tax_pct);
    free_above_reserve(0);
    early = model_add(&m, 500, 2048, 80);
    late = model_add(&m, 500, 2048, 80);
    set_domain("*: floor=100m");
    run_from_start(30);
    late_needs(900);
    model_run(&m, 200);
    ck_assert_int_ge(early->actual_kib, cases[_i].kept_mib * MIB);
    ck_assert_int_le(early->actual_kib, (cases[_i].kept_mib + 32) * MIB);
    ck_assert_int_ge(late->actual_kib, (1000 - cases[_i].kept_mib - 32) * MIB);
}
END_TEST

START_TEST(beyond_his_own_share_he_gets_nothing_of_what_another_uses)
{
    one_takes_all(1300);
    late_needs(1200);
    model_run(&m, 100);
    ck_assert_int_ge(late->actual_kib, 890 * MIB);
    ck_assert_int_ge(early->actual_kib, 900 * MIB);
    ck_assert_int_le(late->actual_kib, 910 * MIB);
}
END_TEST

/* Of 1800 MiB each of three has 600 for its share; the third leaves much of that. */
START_TEST(what_is_lent_stays_with_who_has_it)
{
    free_above_reserve(300);
    early = model_add(&m, 500, 2048, 200);
    late = model_add(&m, 500, 2048, 200);
    model_add(&m, 500, 2048, 200);
    set_domain("*: floor=100m");
    early->trace.point[0].mib = 1300;
    run_from_start(60);
    late_needs(1500);
    model_run(&m, 120);
    ck_assert_int_ge(early->actual_kib, 900 * MIB);
    ck_assert_int_ge(late->actual_kib, 590 * MIB);
}
END_TEST

START_TEST(what_nobody_uses_is_taken_before_what_is_lent)
{
    model_add(&m, 1000, 1000, 100)->balloon = MODEL_WORKS;
    one_takes_all(1300);
    early = &m.guest[1];
    late = &m.guest[2];
    late_needs(700);
    for (int t = 0; t < 60; t++) {
        model_tick(&m, false);
        assert_no_recall();
    }
    ck_assert_int_ge(late->actual_kib, (700 + 64) * MIB);
}
END_TEST

/* A third has nearly all that is needed, but gives it a quarter at a time. */
START_TEST(what_can_be_had_in_several_steps_is_not_recalled_meanwhile)
{
    set("mem_surplus", "guests");
    free_above_reserve(0);
    early = model_add(&m, 3064, 4096, 3000);
    late = model_add(&m, 300, 2048, 200);
    model_add(&m, 1000, 1000, 100);
    set_domain("*: floor=100m");
    run_from_start(30);
    late_needs(1100);
    for (int t = 0; t < 60; t++) {
        model_tick(&m, false);
        ck_assert_int_ge(early->target_kib, (3064 - 100) * MIB);
    }
    ck_assert_int_ge(late->actual_kib, (1100 + 60) * MIB);
}
END_TEST

/* Advice that is not taken leaves who is short as short as it was. */
START_TEST(nothing_is_recalled_while_there_is_enough_free)
{
    free_above_reserve(1000);
    model_add(&m, 128, 256, 100);
    model_add(&m, 140, 256, 70); /* has a few MiB more than it may claim */
    m.advise = true;
    model_tick(&m, true);
    for (int t = 0; t < 120; t++) {
        model_tick(&m, false);
        assert_no_recall();
    }
    assert_code(0, XLP_REASON_MEM_GROW);
}
END_TEST

START_TEST(a_need_that_does_not_last_recalls_nothing)
{
    one_takes_all(1300);
    for (int t = 0; t < 60; t++) {
        late_needs(t % 20 < 8 ? 700 : 200);
        model_tick(&m, false);
        assert_no_recall();
    }
}
END_TEST

START_TEST(it_is_recalled_in_small_steps_with_the_reason)
{
    const struct xlp_action *a;
    unsigned int recalls = 0;

    one_takes_all(1300);
    late_needs(700);
    for (int t = 0; t < 60; t++) {
        model_tick(&m, false);
        a = action_on(0);
        if (!a || a->reason.code != XLP_REASON_MEM_RECALL)
            continue;
        recalls++;
        ck_assert_int_le(a->from_kib - a->to_kib, a->from_kib / 10);
        ck_assert_int_le(llabs(a->reason.number[1] - 900 * MIB), MIB);
        ck_assert_int_gt(a->reason.number[2], 0);
    }
    ck_assert_uint_ge(recalls, 2);
}
END_TEST

START_TEST(what_was_lent_is_lent_again_once_the_other_has_no_need)
{
    one_takes_all(1300);
    late_needs(700);
    model_run(&m, 60);
    ck_assert_int_lt(early->actual_kib, 1200 * MIB);
    late_needs(200);
    model_run(&m, 60);
    ck_assert_int_ge(early->actual_kib, (1300 + 64) * MIB);
}
END_TEST

START_TEST(a_floor_is_not_recalled)
{
    set_domain("vm1: floor=1200m");
    one_takes_all(1300);
    set_domain("vm1: floor=1200m"); /* the last word counts */
    late_needs(900);
    model_run(&m, 100);
    ck_assert_int_ge(early->target_kib, 1200 * MIB);
}
END_TEST

START_TEST(a_guest_that_boots_is_not_recalled_from)
{
    one_takes_all(1300);
    late_needs(700);
    for (int t = 0; t < 60; t++) {
        model_observe(&m);
        m.snapshot.domains[0].age_ns = 30 * MODEL_SECOND_NS;
        ck_assert_int_eq(model_decide(&m, false), 0);
        ck_assert(!action_on(0) || action_on(0)->to_kib >= action_on(0)->from_kib);
        for (size_t i = 0; i < m.plan.action_count; i++)
            model_apply(&m, &m.plan.actions[i]);
        model_let_time_pass(&m, MODEL_SECOND_NS);
    }
}
END_TEST

START_TEST(nobody_is_recalled_from_for_memory_that_only_waits_for_a_stuck_balloon)
{
    struct model_guest *stuck;

    one_takes_all(1300);
    stuck = model_add(&m, 300, 2048, 200);
    model_run(&m, 30);
    m.free_kib += 500 * MIB;
    stuck->balloon = MODEL_STUCK_UP;
    stuck->trace.point[0].mib = 600; /* is promised what is free, and does not take it */
    model_run(&m, 5);
    late_needs(700);
    for (int t = 0; t < 60; t++) {
        model_tick(&m, false);
        assert_no_recall();
    }
    ck_assert_int_ge(late->actual_kib, (700 + 64) * MIB);
}
END_TEST

START_TEST(a_guest_that_falls_silent_keeps_what_it_has_while_nobody_lacks_a_share)
{
    one_takes_all(1300);
    for (int t = 0; t < 60; t++) {
        tick_with(excuses[3 + _i]);
        ck_assert_ptr_null(action_on(0));
        assert_code(0, _i ? XLP_REASON_MEM_NO_AGENT : XLP_REASON_MEM_BAD_REPORT);
    }
}
END_TEST

/* Shrunk while it used little; what it uses afterwards, nobody is told. */
static struct model_guest *shrunk_and_silent(void (*excuse)(struct xlp_domain *d), int seconds)
{
    struct model_guest *g;
    bool told = false;

    free_above_reserve(100);
    g = model_add(&m, 1024, 2048, 100);
    model_add(&m, 300, 2048, 200);
    set_domain("*: floor=100m");
    run_from_start(120);
    ck_assert_int_le(g->actual_kib, 300 * MIB);
    for (int t = 0; t < seconds; t++) {
        tick_with(excuse);
        told = told || (action_on(0) && action_on(0)->reason.code == XLP_REASON_MEM_GIVE_BACK);
    }
    ck_assert(told);
    return g;
}

START_TEST(a_guest_that_falls_silent_gets_back_what_it_had_before)
{
    const struct model_guest *g = shrunk_and_silent(excuses[2 + _i], 60);

    ck_assert_int_eq(g->target_kib, 1024 * MIB);
}
END_TEST

static void says_little(struct xlp_domain *d)
{
    d->memory.report.source = XLP_REPORT_QUBES;
    d->memory.report_age_ns = 1000 * MODEL_SECOND_NS;
}

START_TEST(an_agent_that_only_tells_changes_has_not_fallen_silent)
{
    free_above_reserve(100);
    model_add(&m, 1024, 2048, 100);
    set_domain("*: floor=100m");
    run_from_start(120);
    for (int t = 0; t < 60; t++) {
        tick_with(says_little);
        ck_assert(!action_on(0) || action_on(0)->reason.code != XLP_REASON_MEM_GIVE_BACK);
    }
    ck_assert_int_le(m.guest[0].target_kib, 400 * MIB);
}
END_TEST

START_TEST(but_only_what_nobody_else_needs)
{
    const struct model_guest *g = shrunk_and_silent(excuses[2 + _i], 60);

    m.guest[1].trace.point[0].mib = 1000;
    for (int t = 0; t < 100; t++)
        tick_with(excuses[2 + _i]);
    ck_assert_int_ge(m.guest[1].actual_kib, 700 * MIB); /* its share */
    ck_assert_int_ge(g->target_kib, 700 * MIB);
}
END_TEST

static TCase *claims(void)
{
    TCase *tcase = with_fixture("claims");

    tcase_add_loop_test(tcase, who_comes_late_gets_his_share_whatever_the_first_claims, 0,
                        sizeof(excuses) / sizeof(excuses[0]));
    tcase_add_test(tcase, what_is_used_is_not_taken_for_a_margin_that_is_not_missing_for_long);
    tcase_add_loop_test(tcase, idle_memory_within_a_share_is_taken_as_far_as_it_is_taxed, 0, 3);
    tcase_add_test(tcase, beyond_his_own_share_he_gets_nothing_of_what_another_uses);
    tcase_add_test(tcase, what_is_lent_stays_with_who_has_it);
    tcase_add_test(tcase, what_nobody_uses_is_taken_before_what_is_lent);
    tcase_add_test(tcase, what_can_be_had_in_several_steps_is_not_recalled_meanwhile);
    tcase_add_test(tcase, nothing_is_recalled_while_there_is_enough_free);
    tcase_add_test(tcase, a_need_that_does_not_last_recalls_nothing);
    tcase_add_test(tcase, it_is_recalled_in_small_steps_with_the_reason);
    tcase_add_test(tcase, what_was_lent_is_lent_again_once_the_other_has_no_need);
    tcase_add_test(tcase, a_floor_is_not_recalled);
    tcase_add_test(tcase, a_guest_that_boots_is_not_recalled_from);
    tcase_add_test(tcase, nobody_is_recalled_from_for_memory_that_only_waits_for_a_stuck_balloon);
    tcase_add_loop_test(
        tcase, a_guest_that_falls_silent_keeps_what_it_has_while_nobody_lacks_a_share, 0, 2);
    tcase_add_loop_test(tcase, a_guest_that_falls_silent_gets_back_what_it_had_before, 0, 3);
    tcase_add_test(tcase, an_agent_that_only_tells_changes_has_not_fallen_silent);
    tcase_add_loop_test(tcase, but_only_what_nobody_else_needs, 0, 3);
    return tcase;
}

CHECK_MAIN("memory claims", claims)
