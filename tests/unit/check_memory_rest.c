/* SPDX-License-Identifier: LGPL-2.1-only */
/* Use that goes up and down for ever, and targets that come to rest all the same. */
#include "memory_fixture.h"

#define PERIOD_S  120
#define SETTLED_S 600

static const int64_t swings_mib[] = {14, 20, 25};

/* Guests from 100 to 300 MiB: the dead zone of most is no more than the quantum. */
static void small_guests(void)
{
    set_domain("*: floor=60m");
    free_above_reserve(2000);
    for (int i = 0; i < 50; i++)
        model_add(&m, 512, 2048, 100 + 4 * i);
}

/* From what it uses at least to the most and back, over half of the period each or within edge_s.
 */
static void swing(int t, int64_t swing_mib, int edge_s)
{
    for (size_t i = 0; i < m.count; i++) {
        int at = (t + 7 * (int)i) % PERIOD_S;
        double part = (double)(at < PERIOD_S / 2 ? at : PERIOD_S - at) / edge_s;

        part = part < 1 ? part : 1;
        m.guest[i].trace.point[0].mib = 100 + 4.0 * (double)i + part * (double)swing_mib;
    }
}

START_TEST(targets_rest_while_use_swings_slowly)
{
    unsigned int settled = 0;

    small_guests();
    for (int t = 0; t < 1800; t++) {
        swing(t, swings_mib[_i / 2], _i % 2 ? PERIOD_S / 2 : 20);
        model_tick(&m, t == 0);
        if (t == SETTLED_S)
            settled = changes();
    }
    ck_assert_uint_eq(changes() - settled, 0);
    ck_assert_double_eq(deficit(), 0);
}
END_TEST

/* What a guest has to spare is explained by what keeps it there. */
START_TEST(why_names_what_keeps_a_surplus)
{
    bool paced = false, little = false;

    set_domain("*: floor=60m");
    free_above_reserve(2000);
    model_add(&m, 512, 2048, 150);
    for (int t = 0; t < 300; t++) {
        enum xlp_reason_code code;
        const struct xlp_reason *why;

        model_tick(&m, t == 0);
        why = &m.plan.verdicts[0].memory;
        code = why->code;
        paced = paced || code == XLP_REASON_MEM_RETURN_RATE;
        if (code == XLP_REASON_MEM_RETURN_RATE || code == XLP_REASON_MEM_DEAD_ZONE)
            ck_assert_int_ge(why->number[3], MIB);
        if (code == XLP_REASON_MEM_DEAD_ZONE)
            ck_assert_int_le(why->number[3], (32 + 16) * MIB);
        little = code == XLP_REASON_MEM_DEAD_ZONE;
    }
    ck_assert(paced);
    ck_assert(little); /* and that is where it comes to rest */
}
END_TEST

/* Memory comes free that is a guest's part: it gets it when it was promised, and is told so. */
START_TEST(why_names_when_a_guest_gets_more)
{
    int64_t left_s = 20;

    set("mem_surplus", "guests");
    four_guests();
    run_from_start(100);
    m.free_kib += 400 * MIB;
    for (int t = 0; left_s > 1; t++) {
        const struct xlp_reason *why;

        ck_assert_int_lt(t, 25);
        model_tick(&m, false);
        why = &m.plan.verdicts[0].memory;
        ck_assert_int_eq(why->code, XLP_REASON_MEM_MORE_LATER);
        ck_assert_int_ge(why->number[3], 80 * MIB);
        ck_assert_int_eq(why->number[4], left_s - 1);
        left_s = why->number[4];
    }
    model_tick(&m, false);
    assert_code(0, XLP_REASON_MEM_GROW);
}
END_TEST

/* Its part is with others who have little to spare each: nobody is asked for that. */
START_TEST(nothing_is_promised_to_a_guest_where_nothing_is_free)
{
    set_domain("*: floor=100m");
    free_above_reserve(0);
    model_add(&m, 1080, 2048, 1000);
    for (int i = 0; i < 20; i++)
        model_add(&m, 256, 512, 150);
    model_tick(&m, true);
    for (int t = 0; t < 60; t++) {
        model_tick(&m, false);
        ck_assert_int_ne(code_of(0), XLP_REASON_MEM_MORE_LATER);
    }
    ck_assert_int_eq(m.guest[0].actual_kib, 1080 * MIB);
}
END_TEST

/* What is kept for the sake of rest is a dead zone and a quantum, and no more of it than that. */
START_TEST(what_is_freed_for_good_is_returned_all_the_same)
{
    small_guests();
    run_from_start(300);
    for (size_t i = 0; i < m.count; i++) {
        const struct model_guest *g = &m.guest[i];
        int64_t comfort_kib = g->used_kib + 64 * MIB;

        if (comfort_kib < 80 * MIB + g->used_kib / 5)
            comfort_kib = 80 * MIB + g->used_kib / 5;
        ck_assert_int_le(g->actual_kib, comfort_kib + (32 + 16 + 16) * MIB);
    }
}
END_TEST

static TCase *rest(void)
{
    TCase *tcase = with_fixture("rest");

    tcase_add_loop_test(tcase, targets_rest_while_use_swings_slowly, 0,
                        2 * sizeof(swings_mib) / sizeof(swings_mib[0]));
    tcase_add_test(tcase, why_names_what_keeps_a_surplus);
    tcase_add_test(tcase, why_names_when_a_guest_gets_more);
    tcase_add_test(tcase, nothing_is_promised_to_a_guest_where_nothing_is_free);
    tcase_add_test(tcase, what_is_freed_for_good_is_returned_all_the_same);
    return tcase;
}

CHECK_MAIN("memory at rest", rest)
