/* SPDX-License-Identifier: LGPL-2.1-only */
/* The memory half as a whole: hosts whose guests' use changes, and what it makes of them. */
#include "memory_fixture.h"

/* ---- the scenarios ---- */

static void one_consumes_and_frees(void)
{
    four_guests();
    model_point(&m.guest[0], 0, 150);
    model_point(&m.guest[0], 10, 150);
    model_point(&m.guest[0], 125, 1300);
    model_point(&m.guest[0], 185, 1300);
    model_point(&m.guest[0], 300, 150);
}

static void all_consume_and_free(void)
{
    four_guests();
    for (int i = 0; i < 4; i++) {
        model_point(&m.guest[i], 0, 150);
        model_point(&m.guest[i], 10, 150);
        model_point(&m.guest[i], 100, 600);
        model_point(&m.guest[i], 160, 600);
        model_point(&m.guest[i], 250, 150);
    }
}

static void two_take_over_from_two(void)
{
    four_guests();
    for (int i = 0; i < 4; i++) {
        model_point(&m.guest[i], 0, 150);
        model_point(&m.guest[i], 10, 150);
        model_point(&m.guest[i], 80, 500);
        model_point(&m.guest[i], 100, 500);
        if (i < 2) {
            model_point(&m.guest[i], 135, 150);
        } else {
            model_point(&m.guest[i], 180, 900);
            model_point(&m.guest[i], 260, 900);
            model_point(&m.guest[i], 335, 150);
        }
    }
}

/* At the end of each scenario nobody uses much, and the host has the rest. */
static void assert_all_returned(void)
{
    for (size_t i = 0; i < m.count; i++)
        ck_assert_int_le(m.guest[i].actual_kib, 240 * MIB);
    ck_assert_int_ge(m.free_kib, (306 + 4 * (512 - 240)) * MIB);
}

START_TEST(a_guest_that_consumes_alone_is_never_short)
{
    one_consumes_and_frees();
    run_from_start(130);
    ck_assert_int_ge(m.guest[0].actual_kib, (1300 + 64) * MIB);
    model_run(&m, 230);
    ck_assert(deficit() == 0);
    ck_assert_uint_lt(changes(), 109 / 2);
    ck_assert_int_ge(m.lowest_free_kib, 50 * MIB);
    assert_all_returned();
}
END_TEST

START_TEST(guests_that_consume_together_end_alike_and_share_the_shortage)
{
    all_consume_and_free();
    run_from_start(150);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(m.guest[i].actual_kib, 576 * MIB);
    model_run(&m, 160);
    /* 2304 MiB for needs that sum to 2464: less than 10880 MiB s cannot be had. */
    ck_assert(deficit() < 10880 * 1.01);
    ck_assert_uint_le(changes(), 24);
    ck_assert_int_ge(m.lowest_free_kib, 50 * MIB);
    assert_all_returned();
}
END_TEST

START_TEST(memory_moves_from_guests_that_free_to_guests_that_go_on)
{
    two_take_over_from_two();
    run_from_start(200);
    ck_assert_int_le(m.guest[0].actual_kib, 240 * MIB);
    ck_assert_int_ge(m.guest[2].actual_kib, 916 * MIB);
    model_run(&m, 200);
    ck_assert(deficit() == 0);
    ck_assert_uint_lt(changes(), 62);
    ck_assert_int_ge(m.lowest_free_kib, 50 * MIB);
    assert_all_returned();
}
END_TEST

/* Deficits may not be worse, nor changes more, when guests keep the surplus. */
static void (*const scenarios[])(void) = {one_consumes_and_frees, all_consume_and_free,
                                          two_take_over_from_two};

START_TEST(surplus_that_guests_hold_serves_as_well)
{
    static const double most_deficit[] = {0, 10880 * 1.01, 0};
    static const unsigned int most_changes[] = {108, 4, 61};

    set("mem_surplus", "guests");
    scenarios[_i]();
    run_from_start(420);
    ck_assert(deficit() <= most_deficit[_i]);
    ck_assert_uint_le(changes(), most_changes[_i]);
    ck_assert_int_ge(m.lowest_free_kib, 50 * MIB);
    ck_assert_int_le(m.free_kib, 250 * MIB); /* not even a dead zone each */
}
END_TEST

START_TEST(what_a_guest_frees_is_with_the_host_within_60_s)
{
    static const int64_t sizes_mib[] = {400, 1300, 6000};
    int64_t free_kib;

    m.balloon_kib_s = sizes_mib[_i] / 10 * MIB; /* so that it is not the balloon that takes long */
    free_above_reserve(1000);
    model_add(&m, sizes_mib[_i] * 6 / 5 + 16, sizes_mib[_i] * 2, sizes_mib[_i]);
    set_domain("*: floor=100m");
    model_point(&m.guest[0], 0, (double)sizes_mib[_i]);
    model_point(&m.guest[0], 100, (double)sizes_mib[_i]);
    model_point(&m.guest[0], 100.1, 150);
    run_from_start(100);
    free_kib = m.free_kib;
    model_run(&m, 60);
    ck_assert_int_le(m.views[0].comfort_kib, 256 * MIB);
    ck_assert_int_le(m.guest[0].actual_kib, m.views[0].comfort_kib * 11 / 10 + 16 * MIB);
    ck_assert_int_ge(m.free_kib - free_kib, (sizes_mib[_i] - 280) * MIB);
    ck_assert(deficit() == 0);
}
END_TEST

START_TEST(a_host_at_rest_is_left_alone_for_an_hour)
{
    four_guests();
    run_from_start(120);
    for (int second = 0; second < 3600; second++) {
        model_tick(&m, false);
        ck_assert_uint_eq(m.plan.action_count, 0);
    }
    for (size_t i = 0; i < 4; i++)
        assert_code(i, XLP_REASON_MEM_DEAD_ZONE);
}
END_TEST

START_TEST(use_that_wavers_moves_nothing)
{
    unsigned int settled;

    four_guests();
    run_from_start(120);
    settled = changes();
    for (int i = 0; i < 100; i++) {
        m.guest[i % 4].trace.point[0].mib = 150 + 8 * (i % 3 - 1);
        model_run(&m, 3);
    }
    ck_assert_uint_le(changes() - settled, 8);
}
END_TEST

/* ---- order and safety ---- */

START_TEST(donors_shrink_before_acceptors_grow)
{
    bool grew = false;

    set("mem_surplus", "guests");
    one_consumes_and_frees();
    for (size_t i = 0; i < 4; i++) {
        m.guest[i].actual_kib = m.guest[i].target_kib = 576 * MIB;
        model_report(&m, &m.guest[i]);
    }
    free_above_reserve(0);
    for (int t = 0; t < 130; t++) {
        model_tick(&m, t == 0);
        for (size_t i = 0, growing = 0; i < m.plan.action_count; i++) {
            const struct xlp_action *a = &m.plan.actions[i];

            growing += a->to_kib > a->from_kib;
            ck_assert_msg(growing == 0 || a->to_kib > a->from_kib, "a shrink after a growth");
            grew = grew || growing > 0;
        }
        ck_assert_int_ge(m.lowest_free_kib, 50 * MIB);
    }
    ck_assert(grew);
    ck_assert(deficit() == 0);
}
END_TEST

START_TEST(what_the_guests_kernel_keeps_counts_as_used)
{
    struct model_guest *g;

    free_above_reserve(100);
    g = model_add(&m, 512, 512, 200);
    set_domain("*: floor=64m");
    g->overhead_kib = 52 * MIB;
    model_report(&m, g);
    run_from_start(120);
    ck_assert_int_eq(m.views[0].used_kib, 200 * MIB);
    ck_assert_int_ge(g->actual_kib, (200 + 64) * MIB);
    ck_assert_int_le(g->actual_kib, (200 + 64 + 32) * MIB);
}
END_TEST

START_TEST(a_step_down_is_at_most_a_quarter)
{
    struct model_guest *g;

    free_above_reserve(0);
    g = model_add(&m, 4096, 4096, 100);
    for (int t = 0; t < 120; t++) {
        const struct xlp_action *a;

        model_tick(&m, t == 0);
        a = action_on(0);
        if (a && a->to_kib < a->from_kib)
            ck_assert_int_le(a->from_kib - a->to_kib, a->from_kib / 4);
    }
    ck_assert_int_le(g->actual_kib, 512 * MIB);
}
END_TEST

START_TEST(a_step_down_is_done_before_the_next_is_asked_for)
{
    m.balloon_kib_s = 10 * MIB;
    free_above_reserve(-40);
    model_add(&m, 2048, 2048, 100);
    for (int t = 0; t < 240; t++) {
        const struct xlp_action *a;

        model_tick(&m, t == 0);
        a = action_on(0);
        if (a && a->to_kib < a->from_kib)
            ck_assert_int_le(m.snapshot.domains[0].memory.actual_kib, a->from_kib + 4 * MIB);
    }
    ck_assert_uint_ge(m.guest[0].changes, 3);
}
END_TEST

START_TEST(the_floor_holds_and_so_do_the_toolstacks_bounds)
{
    free_above_reserve(0);
    for (int i = 0; i < 3; i++)
        model_add(&m, 1024, 1024, 100);
    set_domain("vm1: floor=600m");
    run_from_start(2);
    for (int t = 0; t < 120; t++) {
        model_observe(&m);
        m.snapshot.domains[1].memory.dynamic_min_kib = 700 * MIB;
        ck_assert_int_eq(model_decide(&m, false), 0);
        for (size_t i = 0; i < m.plan.action_count; i++)
            model_apply(&m, &m.plan.actions[i]);
        model_let_time_pass(&m, MODEL_SECOND_NS);
    }
    ck_assert_int_ge(m.guest[0].actual_kib, 600 * MIB);
    ck_assert_int_le(m.guest[0].actual_kib, 670 * MIB);
    ck_assert_int_ge(m.guest[1].actual_kib, 700 * MIB);
    ck_assert_int_le(m.guest[1].actual_kib, 780 * MIB);
    ck_assert_int_ge(m.guest[2].actual_kib, 232 * MIB);
    ck_assert_int_le(m.guest[2].actual_kib, 270 * MIB);
}
END_TEST

START_TEST(growth_stops_at_the_maximum_and_says_so)
{
    struct model_guest *g;

    free_above_reserve(4000);
    g = model_add(&m, 512, 1024, 500);
    model_point(g, 0, 500);
    model_point(g, 50, 1000);
    run_from_start(80);
    ck_assert_int_eq(g->actual_kib, 1024 * MIB);
    assert_code(0, XLP_REASON_MEM_AT_MAX);
}
END_TEST

START_TEST(a_short_reserve_is_filled_from_surplus)
{
    four_guests();
    set("mem_surplus", "guests");
    free_above_reserve(0);
    run_from_start(30);
    m.free_kib -= 40 * MIB; /* somebody built a domain */
    model_tick(&m, false);
    assert_code(0, XLP_REASON_MEM_HOST_RESERVE);
    model_run(&m, 5);
    ck_assert_int_ge(m.free_kib, 50 * MIB);
}
END_TEST

START_TEST(memory_promised_to_others_is_not_given_away)
{
    struct model_guest *other;
    int64_t before_kib;

    free_above_reserve(300);
    model_add(&m, 256, 2048, 250);
    other = model_add(&m, 256, 2048, 100);
    m.balloon_kib_s = 5 * MIB; /* takes a minute to take it */
    model_tick(&m, true);
    model_mem_set(other, 556);
    before_kib = m.guest[0].target_kib;
    m.guest[0].trace.point[0].mib = 400;
    for (int t = 0; t < 40; t++) {
        model_tick(&m, false);
        assert_code(1, XLP_REASON_MEM_OPERATOR);
    }
    ck_assert_int_eq(m.guest[0].target_kib, before_kib);
    assert_code(0, XLP_REASON_MEM_WAITS);
}
END_TEST

static void without_driver(struct xlp_domain *d)
{
    d->memory.balloon = false;
}

static void paused(struct xlp_domain *d)
{
    d->flags = XLP_DOMAIN_PAUSED;
}

static void silent(struct xlp_domain *d)
{
    d->memory.report.source = XLP_REPORT_NONE;
}

/* `xl mem-set` on a guest that cannot, or does not, follow. */
START_TEST(a_promise_that_nobody_takes_is_no_reason_to_keep_others_short)
{
    static void (*const marks[])(struct xlp_domain * d) = {without_driver, paused, silent};
    struct model_guest *hungry;

    free_above_reserve(600);
    hungry = model_add(&m, 512, 2048, 200);
    model_add(&m, 4096, 16384, 100)->balloon = MODEL_STUCK;
    set_domain("*: floor=100m");
    for (int t = 0; t < 60; t++) {
        if (t == 20) {
            model_mem_set(&m.guest[1], 16384);
            hungry->trace.point[0].mib = 700;
        }
        model_observe(&m);
        marks[_i](&m.snapshot.domains[1]);
        ck_assert_int_eq(model_decide(&m, t == 0), 0);
        ck_assert_ptr_null(action_on(1));
        for (size_t i = 0; i < m.plan.action_count; i++) {
            /* Of a silent guest it has to be found out that it does not move. */
            ck_assert(_i == 2 || m.plan.actions[i].reason.code != XLP_REASON_MEM_HOST_RESERVE);
            model_apply(&m, &m.plan.actions[i]);
        }
        model_let_time_pass(&m, MODEL_SECOND_NS);
    }
    ck_assert_int_ge(hungry->actual_kib, (700 + 64) * MIB);
    assert_code(0, XLP_REASON_MEM_DEAD_ZONE);
}
END_TEST

START_TEST(what_we_promised_a_guest_is_kept_for_it_while_it_is_paused)
{
    free_above_reserve(300);
    model_add(&m, 256, 2048, 250);
    model_add(&m, 256, 2048, 400);
    m.guest[1].balloon = MODEL_STUCK;
    model_tick(&m, true);
    ck_assert_int_gt(m.guest[1].target_kib, 400 * MIB);
    m.guest[0].trace.point[0].mib = 500;
    for (int t = 0; t < 20; t++) {
        model_observe(&m);
        paused(&m.snapshot.domains[1]);
        ck_assert_int_eq(model_decide(&m, false), 0);
        for (size_t i = 0; i < m.plan.action_count; i++)
            model_apply(&m, &m.plan.actions[i]);
        model_let_time_pass(&m, MODEL_SECOND_NS);
        ck_assert_int_ge(m.free_kib, 50 * MIB + m.guest[1].target_kib - m.guest[1].actual_kib);
    }
    ck_assert_int_gt(m.guest[0].actual_kib, 256 * MIB);
}
END_TEST

START_TEST(a_claim_of_the_toolstack_is_left_to_it)
{
    free_above_reserve(300);
    model_add(&m, 256, 2048, 400);
    model_observe(&m);
    m.snapshot.memory.claims_kib = 300 * MIB;
    ck_assert_int_eq(model_decide(&m, true), 0);
    ck_assert_uint_eq(m.plan.action_count, 0);
    assert_code(0, XLP_REASON_MEM_WAITS);
}
END_TEST

START_TEST(the_limit_rises_with_growth_and_follows_a_shrink_that_arrived)
{
    bool followed = false;

    one_consumes_and_frees();
    for (int t = 0; t < 400; t++) {
        model_observe(&m);
        ck_assert_int_eq(model_decide(&m, t == 0), 0);
        for (size_t i = 0; i < m.plan.action_count; i++) {
            const struct xlp_action *a = &m.plan.actions[i];
            const struct model_guest *g = model_by_domid(&m, a->domid);

            if (a->to_kib > a->from_kib)
                ck_assert_int_eq(a->limit_kib, a->to_kib);
            else if (a->to_kib < a->from_kib)
                ck_assert_int_eq(a->limit_kib, 0);
            else
                ck_assert_int_le(g->actual_kib, a->limit_kib + MIB);
            followed = followed || a->reason.code == XLP_REASON_MEM_LIMIT;
            model_apply(&m, a);
        }
        model_let_time_pass(&m, MODEL_SECOND_NS);
    }
    ck_assert(followed);
    for (size_t i = 0; i < 4; i++)
        ck_assert_int_le(m.guest[i].max_kib, m.guest[i].target_kib + MIB);
}
END_TEST

/* ---- guests that are not shrunk ---- */

static void pressure(struct xlp_domain *d)
{
    d->memory.report.psi_some_avg10_centipct = 500;
}

static void old_report(struct xlp_domain *d)
{
    d->memory.report_age_ns = 16 * MODEL_SECOND_NS;
}

static void young(struct xlp_domain *d)
{
    d->age_ns = 59 * MODEL_SECOND_NS;
}

static void refaults(struct xlp_domain *d)
{
    d->memory.report.refault_anon = m.now_ns / MODEL_SECOND_NS * 2000;
}

static void kills(struct xlp_domain *d)
{
    d->memory.report.oom_kill = m.now_ns / MODEL_SECOND_NS / 5;
}

static const struct {
    void (*mark)(struct xlp_domain *d);
    enum xlp_reason_code code;
} not_shrunk[] = {
    {pressure, XLP_REASON_MEM_PRESSURE}, {refaults, XLP_REASON_MEM_PRESSURE},
    {kills, XLP_REASON_MEM_PRESSURE},    {old_report, XLP_REASON_MEM_STALE},
    {young, XLP_REASON_MEM_BOOTING},
};

START_TEST(a_guest_in_doubt_is_not_shrunk)
{
    free_above_reserve(0);
    model_add(&m, 1024, 1024, 100);
    model_add(&m, 1024, 1024, 100);
    for (int t = 0; t < 60; t++) {
        model_observe(&m);
        not_shrunk[_i].mark(&m.snapshot.domains[0]);
        ck_assert_int_eq(model_decide(&m, t == 0), 0);
        if (t > 25)
            assert_code(0, not_shrunk[_i].code);
        for (size_t i = 0; i < m.plan.action_count; i++)
            model_apply(&m, &m.plan.actions[i]);
        model_let_time_pass(&m, MODEL_SECOND_NS);
    }
    ck_assert_int_eq(m.guest[0].actual_kib, 1024 * MIB);
    ck_assert_int_lt(m.guest[1].actual_kib, 1024 * MIB);
}
END_TEST

START_TEST(pressure_raises_need)
{
    int64_t calm_kib;

    free_above_reserve(0);
    model_add(&m, 1024, 2048, 800);
    model_tick(&m, true);
    calm_kib = m.views[0].need_kib;
    model_observe(&m);
    m.snapshot.domains[0].memory.report.psi_some_avg10_centipct = 1000;
    ck_assert_int_eq(model_decide(&m, false), 0);
    ck_assert_int_eq(m.views[0].need_kib, calm_kib + calm_kib / 4);
}
END_TEST

/* What the guest has in its page cache is there to be had; what lies in a tmpfs is in use, and no
 * less so for being counted as cached. The agent tells that by MemAvailable. */
START_TEST(page_cache_is_no_need_but_a_tmpfs_is)
{
    int64_t calm_kib;

    free_above_reserve(0);
    model_add(&m, 1024, 2048, 500);
    model_tick(&m, true);
    calm_kib = m.views[0].need_kib;
    m.guest[0].report.free_kib = 0;
    model_observe(&m);
    ck_assert_int_eq(model_decide(&m, false), 0);
    ck_assert_int_eq(m.views[0].need_kib, calm_kib);
    m.guest[0].report.avail_kib -= 300 * MIB;
    model_observe(&m);
    ck_assert_int_eq(model_decide(&m, false), 0);
    ck_assert_int_ge(m.views[0].need_kib, calm_kib + 300 * MIB);
}
END_TEST

static TCase *trials(void)
{
    TCase *tcase = with_fixture("trials");

    tcase_add_test(tcase, a_guest_that_consumes_alone_is_never_short);
    tcase_add_test(tcase, guests_that_consume_together_end_alike_and_share_the_shortage);
    tcase_add_test(tcase, memory_moves_from_guests_that_free_to_guests_that_go_on);
    tcase_add_loop_test(tcase, surplus_that_guests_hold_serves_as_well, 0, 3);
    tcase_add_loop_test(tcase, what_a_guest_frees_is_with_the_host_within_60_s, 0, 3);
    tcase_add_test(tcase, a_host_at_rest_is_left_alone_for_an_hour);
    tcase_add_test(tcase, use_that_wavers_moves_nothing);
    return tcase;
}

static TCase *safety(void)
{
    TCase *tcase = with_fixture("safety");

    tcase_add_test(tcase, donors_shrink_before_acceptors_grow);
    tcase_add_test(tcase, what_the_guests_kernel_keeps_counts_as_used);
    tcase_add_test(tcase, a_step_down_is_at_most_a_quarter);
    tcase_add_test(tcase, a_step_down_is_done_before_the_next_is_asked_for);
    tcase_add_test(tcase, the_floor_holds_and_so_do_the_toolstacks_bounds);
    tcase_add_test(tcase, growth_stops_at_the_maximum_and_says_so);
    tcase_add_test(tcase, a_short_reserve_is_filled_from_surplus);
    tcase_add_test(tcase, memory_promised_to_others_is_not_given_away);
    tcase_add_loop_test(tcase, a_promise_that_nobody_takes_is_no_reason_to_keep_others_short, 0, 3);
    tcase_add_test(tcase, what_we_promised_a_guest_is_kept_for_it_while_it_is_paused);
    tcase_add_test(tcase, a_claim_of_the_toolstack_is_left_to_it);
    tcase_add_test(tcase, the_limit_rises_with_growth_and_follows_a_shrink_that_arrived);
    tcase_add_loop_test(tcase, a_guest_in_doubt_is_not_shrunk, 0,
                        sizeof(not_shrunk) / sizeof(not_shrunk[0]));
    tcase_add_test(tcase, pressure_raises_need);
    tcase_add_test(tcase, page_cache_is_no_need_but_a_tmpfs_is);
    return tcase;
}

CHECK_MAIN("memory", trials, safety)
