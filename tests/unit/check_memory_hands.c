/* SPDX-License-Identifier: LGPL-2.1-only */
/* Guests whose memory is not ours, the operator's word, and what is kept of the past. */
#include "memory_fixture.h"

/* ---- hands off ---- */

static void paused(struct xlp_domain *d)
{
    d->flags = XLP_DOMAIN_PAUSED;
}

static void building(struct xlp_domain *d)
{
    d->flags = XLP_DOMAIN_BUILDING | XLP_DOMAIN_PAUSED;
}

static void migrating(struct xlp_domain *d)
{
    d->flags = XLP_DOMAIN_MIGRATING;
}

static void shut_down(struct xlp_domain *d)
{
    d->flags = XLP_DOMAIN_SHUTDOWN;
}

static void dying(struct xlp_domain *d)
{
    d->flags = XLP_DOMAIN_DYING | XLP_DOMAIN_SHUTDOWN;
}

static void passthrough(struct xlp_domain *d)
{
    d->passthrough_devices = 1;
}

static void no_balloon(struct xlp_domain *d)
{
    d->memory.balloon = false;
}

static void no_report(struct xlp_domain *d)
{
    d->memory.report = (struct xlp_mem_report){.source = XLP_REPORT_NONE};
}

static void nothing_yet(struct xlp_domain *d)
{
    no_balloon(d);
    no_report(d);
}

static void bad_report(struct xlp_domain *d)
{
    d->memory.report_bad = true;
}

static void only_garbage(struct xlp_domain *d)
{
    no_report(d);
    bad_report(d);
}

static void released(struct xlp_domain *d)
{
    d->released = true;
}

static void dom0(struct xlp_domain *d)
{
    d->domid = 0;
}

static void excluded(struct xlp_domain *d)
{
    strcpy(d->name, "private");
}

static void other_controller(struct xlp_domain *d)
{
    (void)d;
    strcpy(m.snapshot.other_controller, "squeezed");
}

static void by_hand(struct xlp_domain *d)
{
    d->memory.ledger =
        (struct xlp_memory_ledger){.recorded = true, .our_target_kib = d->memory.target_kib - 4};
}

static const struct {
    void (*mark)(struct xlp_domain *d);
    enum xlp_reason_code code;
} hands_off[] = {
    {paused, XLP_REASON_PAUSED},
    {building, XLP_REASON_BUILDING},
    {migrating, XLP_REASON_MIGRATING},
    {shut_down, XLP_REASON_SHUTDOWN},
    {dying, XLP_REASON_DYING},
    {passthrough, XLP_REASON_MEM_PASSTHROUGH},
    {no_balloon, XLP_REASON_MEM_NO_BALLOON},
    {no_report, XLP_REASON_MEM_NO_AGENT},
    {nothing_yet, XLP_REASON_MEM_NO_AGENT},
    {bad_report, XLP_REASON_MEM_BAD_REPORT},
    {only_garbage, XLP_REASON_MEM_BAD_REPORT},
    {released, XLP_REASON_RELEASED},
    {dom0, XLP_REASON_MEM_DOM0},
    {excluded, XLP_REASON_MEM_EXCLUDED},
    {other_controller, XLP_REASON_MEM_OTHER_CONTROLLER},
    {by_hand, XLP_REASON_MEM_OPERATOR},
};

START_TEST(a_guest_that_is_not_ours_is_not_touched)
{
    free_above_reserve(-20);
    set_domain("private: memory=0");
    model_add(&m, 1024, 2048, _i % 2 ? 100 : 1000);
    for (int t = 0; t < 40; t++) {
        model_observe(&m);
        hands_off[_i].mark(&m.snapshot.domains[0]);
        ck_assert_int_eq(model_decide(&m, t == 0), 0);
        ck_assert_uint_eq(m.plan.action_count, 0);
        assert_code(0, hands_off[_i].code);
        model_let_time_pass(&m, MODEL_SECOND_NS);
    }
}
END_TEST

START_TEST(a_policy_of_off_touches_nobody)
{
    four_guests();
    set("mem_policy", "off");
    model_tick(&m, true);
    ck_assert_uint_eq(m.plan.action_count, 0);
    for (size_t i = 0; i < 4; i++)
        assert_code(i, XLP_REASON_MEM_OFF);
}
END_TEST

START_TEST(a_target_set_by_hand_holds_for_its_time)
{
    four_guests();
    run_from_start(120);
    ck_assert(m.guest[0].ledger.recorded);
    model_mem_set(&m.guest[0], 700);
    for (int t = 0; t < 300; t++) {
        model_tick(&m, false);
        assert_code(0, XLP_REASON_MEM_OPERATOR);
        ck_assert_int_eq(m.plan.verdicts[0].memory.number[0], 700 * MIB);
        ck_assert_int_eq(m.plan.verdicts[0].memory.number[1], 300 - t);
    }
    ck_assert_int_eq(m.guest[0].actual_kib, 700 * MIB);
    model_run(&m, 60);
    ck_assert_int_le(m.guest[0].actual_kib, 240 * MIB);
}
END_TEST

START_TEST(a_target_changed_before_we_ever_wrote_one_holds_too)
{
    four_guests();
    m.advise = true;
    run_from_start(5);
    model_mem_set(&m.guest[0], 700);
    model_run(&m, 10);
    assert_code(0, XLP_REASON_MEM_OPERATOR);
    ck_assert_int_ne(code_of(1), XLP_REASON_MEM_OPERATOR);
    model_mem_set(&m.guest[0], 720); /* a new word, a new hold */
    model_run(&m, 295);
    assert_code(0, XLP_REASON_MEM_OPERATOR);
    model_run(&m, 10);
    ck_assert_int_ne(code_of(0), XLP_REASON_MEM_OPERATOR);
}
END_TEST

START_TEST(a_target_that_was_set_by_hand_before_a_restart_holds_for_the_rest_of_its_time)
{
    four_guests();
    for (size_t i = 0; i < 2; i++)
        model_mem_set(&m.guest[i], 700);
    m.guest[0].by_hand_ns = 100 * MODEL_SECOND_NS;
    model_run(&m, 190);
    assert_code(0, XLP_REASON_MEM_OPERATOR);
    ck_assert_int_eq(m.guest[0].target_kib, 700 * MIB);
    ck_assert_int_lt(m.guest[1].target_kib, 700 * MIB); /* nobody knows that of this one */
    model_run(&m, 70);
    ck_assert_int_lt(m.guest[0].target_kib, 700 * MIB);
}
END_TEST

START_TEST(what_the_toolstack_does_while_it_builds_is_no_word_of_the_operator)
{
    four_guests();
    for (int t = 0; t < 5; t++) {
        m.guest[0].target_kib += 16 * MIB;
        model_observe(&m);
        building(&m.snapshot.domains[0]);
        ck_assert_int_eq(model_decide(&m, t == 0), 0);
        assert_code(0, XLP_REASON_BUILDING);
        model_let_time_pass(&m, MODEL_SECOND_NS);
    }
    m.guest[0].target_kib += 16 * MIB; /* the last of it, between two looks */
    model_tick(&m, false);
    ck_assert_int_ne(code_of(0), XLP_REASON_MEM_OPERATOR);
}
END_TEST

START_TEST(another_domain_of_the_same_id_has_no_past)
{
    four_guests();
    run_from_start(5);
    model_mem_set(&m.guest[0], 700);
    model_run(&m, 5);
    assert_code(0, XLP_REASON_MEM_OPERATOR);
    model_observe(&m);
    m.snapshot.domains[0].uuid[5] = 77;
    ck_assert_int_eq(model_decide(&m, false), 0);
    assert_code(0, XLP_REASON_MEM_LEARNING);
}
END_TEST

START_TEST(a_past_follows_its_domain_when_others_come_and_go)
{
    four_guests();
    run_from_start(5);
    model_mem_set(&m.guest[2], 700);
    model_run(&m, 5);
    model_observe(&m);
    m.snapshot.domains[0] = m.snapshot.domains[2]; /* the first two are gone */
    m.snapshot.domains[1] = m.snapshot.domains[3];
    m.snapshot.domain_count = 2;
    ck_assert_int_eq(model_decide(&m, false), 0);
    assert_code(0, XLP_REASON_MEM_OPERATOR);
    ck_assert_int_ne(code_of(1), XLP_REASON_MEM_OPERATOR);
}
END_TEST

/* ---- advice, and gaps ---- */

START_TEST(advice_that_is_not_taken_stays_the_same)
{
    struct xlp_action first;

    four_guests();
    m.advise = true;
    run_from_start(60);
    ck_assert_uint_eq(m.plan.action_count, 4);
    first = m.plan.actions[0];
    for (int t = 0; t < 60; t++) {
        model_tick(&m, false);
        ck_assert_uint_eq(m.plan.action_count, 4);
        ck_assert_int_eq(m.plan.actions[0].to_kib, first.to_kib);
    }
}
END_TEST

START_TEST(a_gap_makes_no_rise)
{
    int64_t need_kib;

    four_guests();
    run_from_start(60);
    m.guest[0].trace.point[0].mib = 170;
    model_let_time_pass(&m, 20 * MODEL_SECOND_NS);
    model_tick(&m, true);
    need_kib = m.views[0].need_kib;
    ck_assert_int_eq(need_kib, (170 + 64) * MIB);
}
END_TEST

static TCase *ownership(void)
{
    TCase *tcase = with_fixture("ownership");

    tcase_add_loop_test(tcase, a_guest_that_is_not_ours_is_not_touched, 0,
                        sizeof(hands_off) / sizeof(hands_off[0]));
    tcase_add_test(tcase, a_policy_of_off_touches_nobody);
    tcase_add_test(tcase, a_target_set_by_hand_holds_for_its_time);
    tcase_add_test(tcase, a_target_changed_before_we_ever_wrote_one_holds_too);
    tcase_add_test(tcase,
                   a_target_that_was_set_by_hand_before_a_restart_holds_for_the_rest_of_its_time);
    tcase_add_test(tcase, what_the_toolstack_does_while_it_builds_is_no_word_of_the_operator);
    tcase_add_test(tcase, another_domain_of_the_same_id_has_no_past);
    tcase_add_test(tcase, a_past_follows_its_domain_when_others_come_and_go);
    tcase_add_test(tcase, advice_that_is_not_taken_stays_the_same);
    tcase_add_test(tcase, a_gap_makes_no_rise);
    return tcase;
}

CHECK_MAIN("memory hands", ownership)
