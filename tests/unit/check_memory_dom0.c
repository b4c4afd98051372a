/* SPDX-License-Identifier: LGPL-2.1-only */
/* dom0 takes part where it is told to, and on better terms than a guest. */
#include "memory_fixture.h"

/* The first guest of the model stands for dom0. */
static struct model_guest *dom0;
static bool limit_moved;

static void host_with_dom0(int64_t has_mib, int64_t most_mib, int64_t used_mib)
{
    dom0 = model_add(&m, has_mib, most_mib, used_mib);
    free_above_reserve(64);
    limit_moved = false;
}

static void tick(bool first)
{
    model_observe(&m);
    m.snapshot.domains[0].domid = 0;
    ck_assert_int_eq(model_decide(&m, first), 0);
    for (size_t i = 0; i < m.plan.action_count; i++) {
        struct xlp_action *a = &m.plan.actions[i];

        if (a->domid == 0) {
            limit_moved |= a->limit_kib != 0;
            a->domid = 1;
        }
        model_apply(&m, a);
    }
    model_let_time_pass(&m, MODEL_SECOND_NS);
}

static void run(int seconds)
{
    for (int t = 0; t < seconds; t++)
        tick(t == 0);
}

START_TEST(it_is_left_alone_unless_it_is_told_to_take_part)
{
    host_with_dom0(4096, 8192, 500);
    model_add(&m, 512, 4096, 500);
    run(120);
    assert_code(0, XLP_REASON_MEM_DOM0);
    ck_assert_uint_eq(dom0->changes, 0);
}
END_TEST

START_TEST(it_gives_down_to_its_floor)
{
    set("mem_dom0", "1");
    host_with_dom0(4096, 8192, 300);
    model_add(&m, 512, 4096, 500);
    run(240);
    ck_assert_int_ge(dom0->actual_kib, 1024 * MIB);
    ck_assert_int_le(dom0->actual_kib, (1024 + 112) * MIB);
    set("mem_dom0_floor", "2g");
    run(120);
    ck_assert_int_ge(dom0->actual_kib, 2048 * MIB);
}
END_TEST

START_TEST(its_floor_is_a_gib_at_least)
{
    char error[256];

    ck_assert_int_eq(xlp_policy_set(&m.policy, "mem_dom0_floor", "1023m", error, sizeof(error)),
                     -1);
    set("mem_dom0", "1");
    set_domain("*: floor=100m");
    host_with_dom0(2048, 8192, 300);
    run(240);
    ck_assert_int_ge(dom0->actual_kib, 1024 * MIB);
}
END_TEST

/* Its share is half of 4096 MiB. A guest would be called upon for what is beyond that. */
START_TEST(what_it_uses_is_held_for_it_beyond_its_share)
{
    set("mem_dom0", "1");
    host_with_dom0(3000, 8192, 2700);
    model_add(&m, 1032, 4096, 4000);
    run(300);
    ck_assert_int_ge(dom0->target_kib, (2700 + 64) * MIB);
    ck_assert_int_le(dom0->target_kib, (2700 + 64 + 16) * MIB);
    ck_assert_int_ge(m.guest[1].actual_kib, (4096 - 2700 - 64 - 16 - 16) * MIB);
}
END_TEST

START_TEST(it_gets_back_what_it_needs)
{
    set("mem_dom0", "1");
    host_with_dom0(3000, 3000, 300);
    model_add(&m, 512, 4096, 500);
    run(200);
    ck_assert_int_lt(dom0->actual_kib, 1200 * MIB);
    dom0->trace.point[0].mib = 2000;
    run(60);
    ck_assert_int_ge(dom0->actual_kib, 2064 * MIB);
}
END_TEST

START_TEST(its_limit_stays_as_it_is)
{
    set("mem_dom0", "1");
    host_with_dom0(3000, 4096, 300);
    run(200);
    dom0->trace.point[0].mib = 2000;
    run(60);
    dom0->trace.point[0].mib = 300;
    run(200);
    ck_assert_uint_gt(dom0->changes, 3);
    ck_assert(!limit_moved);
}
END_TEST

/* xl's autoballoon, when it creates a guest. */
START_TEST(a_target_that_another_set_is_respected)
{
    set("mem_dom0", "1");
    host_with_dom0(3000, 4096, 300);
    run(200);
    model_mem_set(dom0, 1500);
    for (int t = 0; t < 100; t++)
        tick(false);
    assert_code(0, XLP_REASON_MEM_OPERATOR);
    ck_assert_int_eq(dom0->target_kib, 1500 * MIB);
}
END_TEST

START_TEST(without_a_word_from_its_kernel_it_is_left_alone)
{
    set("mem_dom0", "1");
    host_with_dom0(3000, 4096, 300);
    dom0->report.source = XLP_REPORT_NONE;
    dom0->reported_ns = m.now_ns + 1000 * MODEL_SECOND_NS;
    run(1);
    dom0->changes = 0;
    for (int t = 0; t < 100; t++) {
        dom0->report.source = XLP_REPORT_NONE;
        model_observe(&m);
        m.snapshot.domains[0].domid = 0;
        m.snapshot.domains[0].memory.report = (struct xlp_mem_report){.source = XLP_REPORT_NONE};
        ck_assert_int_eq(model_decide(&m, t == 0), 0);
        ck_assert_uint_eq(m.plan.action_count, 0);
        model_let_time_pass(&m, MODEL_SECOND_NS);
    }
    assert_code(0, XLP_REASON_MEM_NO_AGENT);
}
END_TEST

static TCase *parts(void)
{
    TCase *tcase = with_fixture("dom0");

    tcase_add_test(tcase, it_is_left_alone_unless_it_is_told_to_take_part);
    tcase_add_test(tcase, it_gives_down_to_its_floor);
    tcase_add_test(tcase, its_floor_is_a_gib_at_least);
    tcase_add_test(tcase, what_it_uses_is_held_for_it_beyond_its_share);
    tcase_add_test(tcase, it_gets_back_what_it_needs);
    tcase_add_test(tcase, its_limit_stays_as_it_is);
    tcase_add_test(tcase, a_target_that_another_set_is_respected);
    tcase_add_test(tcase, without_a_word_from_its_kernel_it_is_left_alone);
    return tcase;
}

CHECK_MAIN("memory of dom0", parts)
