/* SPDX-License-Identifier: LGPL-2.1-only */
/* Who gives when memory is wanted on a NUMA node. */
#include "memory_fixture.h"

/* Two that have more than they are comfortable with, and one that will want it. Nothing is free. */
enum { NEAR, FAR, NEEDY };

static uint32_t nodes[3];

static void three_guests(uint32_t near, uint32_t far, uint32_t needy)
{
    nodes[NEAR] = near;
    nodes[FAR] = far;
    nodes[NEEDY] = needy;
    set_domain("*: floor=60m");
    set("mem_return_pct", "1");
    free_above_reserve(0);
    model_add(&m, 1024, 2048, 400);
    model_add(&m, 1024, 2048, 400);
    model_add(&m, 272, 2048, 200);
}

static void tick(bool first)
{
    model_observe(&m);
    for (size_t i = 0; i < m.count; i++)
        m.snapshot.domains[i].memory_node = nodes[i];
    ck_assert_int_eq(model_decide(&m, first), 0);
    for (size_t i = 0; i < m.plan.action_count; i++)
        model_apply(&m, &m.plan.actions[i]);
    model_let_time_pass(&m, MODEL_SECOND_NS);
}

/* Until it is seen what each uses; and then until what is wanted was given. */
static void needs(int64_t used_mib)
{
    for (int t = 0; t < 20; t++)
        tick(t == 0);
    m.guest[NEEDY].trace.point[0].mib = (double)used_mib;
    for (int t = 0; t < 6; t++)
        tick(false);
}

static int64_t gave_mib(int guest)
{
    return 1024 - m.guest[guest].target_kib / MIB;
}

START_TEST(those_on_its_node_give)
{
    three_guests(1, 0, 1);
    needs(250);
    ck_assert_int_gt(gave_mib(NEAR), 0);
    ck_assert_int_eq(gave_mib(FAR), 0);
    ck_assert_int_ge(m.guest[NEEDY].target_kib, (250 + 64) * MIB);
}
END_TEST

START_TEST(the_others_give_what_these_do_not_have)
{
    three_guests(1, 0, 1);
    m.guest[NEAR].trace.point[0].mib = 880;
    needs(360);
    ck_assert_int_gt(gave_mib(NEAR), 0);
    ck_assert_int_gt(gave_mib(FAR), 100);
    ck_assert_int_ge(m.guest[NEEDY].target_kib, (360 + 64) * MIB);
}
END_TEST

/* Nobody's node is known, or only not of the one that asks, or it is one that Xen cannot have. */
START_TEST(without_a_node_all_give_alike)
{
    static const uint32_t cases[][3] = {
        {XLP_UNKNOWN, XLP_UNKNOWN, XLP_UNKNOWN}, {1, 0, XLP_UNKNOWN}, {64, 0, 64}};

    three_guests(cases[_i][0], cases[_i][1], cases[_i][2]);
    needs(500);
    ck_assert_int_gt(gave_mib(NEAR), 100);
    ck_assert_int_eq(gave_mib(NEAR), gave_mib(FAR));
}
END_TEST

static TCase *givers(void)
{
    TCase *tcase = with_fixture("givers");

    tcase_add_test(tcase, those_on_its_node_give);
    tcase_add_test(tcase, the_others_give_what_these_do_not_have);
    tcase_add_loop_test(tcase, without_a_node_all_give_alike, 0, 3);
    return tcase;
}

CHECK_MAIN("memory and nodes", givers)
