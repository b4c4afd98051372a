/* SPDX-License-Identifier: LGPL-2.1-only */
/* Five thousand guests that boot at once: nobody is touched while it boots, nothing is promised
 * that is not there, and once all is quiet a decision allocates nothing and changes nothing. */
#include <malloc.h>

#define MODEL_GUESTS_MAX 5000
#define MODEL_POINTS_MAX 2
#include "memory_fixture.h"

#define GUESTS 5000

/* As of tick t: a hundred a tick come, are built for two ticks, and report ten later. */
static void let_it_storm(unsigned int t)
{
    m.count = t * 100 < GUESTS ? t * 100 : GUESTS;
    for (size_t i = 0; i < m.count; i++) {
        struct model_guest *g = &m.guest[i];
        unsigned int age = t - (unsigned int)i / 100 - 1;

        if (age > 14)
            continue;
        if (age == 0) {
            memset(g, 0, sizeof(*g));
            g->domid = (uint32_t)i + 1;
            g->target_kib = g->max_kib = g->static_max_kib = 256 * MIB;
            g->trace.count = 1;
            g->trace.point[0].mib = 100;
        }
        g->balloon = age < 2 ? MODEL_STUCK : MODEL_WORKS; /* its toolstack moves its memory */
        g->flags = age < 2 ? XLP_DOMAIN_BUILDING | XLP_DOMAIN_PAUSED : 0;
        if (age == 1) {
            g->actual_kib = 256 * MIB;
            m.free_kib -= 256 * MIB;
        }
        if (age < 12)
            g->report = (struct xlp_mem_report){.source = XLP_REPORT_NONE};
    }
}

static size_t heap_in_use(void)
{
    return mallinfo2().uordblks;
}

START_TEST(a_storm_of_boots_is_weathered)
{
    m.free_kib = m.lowest_free_kib = (int64_t)GUESTS * 256 * MIB + 1000 * MIB;
    for (unsigned int t = 1; t <= 80; t++) {
        let_it_storm(t);
        model_tick(&m, t == 1);
        for (size_t i = 0; i < m.plan.action_count; i++) {
            const struct model_guest *g = &m.guest[m.plan.actions[i].domid - 1];

            ck_assert_uint_eq(g->flags, 0);
            ck_assert_int_eq(g->report.source, XLP_REPORT_AGENT);
        }
        ck_assert_int_ge(m.free_kib, 0);
    }
    model_run(&m, 120);
    ck_assert_uint_eq(m.plan.action_count, 0);
    for (size_t i = 0; i < m.count; i++)
        ck_assert_int_ge(m.guest[i].actual_kib, 100 * MIB + m.policy.mem_margin_kib);
    size_t before = heap_in_use();
    model_tick(&m, false);
    ck_assert_uint_eq(heap_in_use(), before);
    ck_assert_uint_eq(m.plan.action_count, 0);
}
END_TEST

static TCase *storm(void)
{
    TCase *tcase = with_fixture("storm");

    tcase_add_test(tcase, a_storm_of_boots_is_weathered);
    return tcase;
}

CHECK_MAIN("storm", storm)
