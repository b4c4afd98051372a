/* SPDX-License-Identifier: LGPL-2.1-only */
/* Reservations: what is kept for guests that are to start, who makes room, and when it is over. */
#include "memory_fixture.h"

static struct xlp_plan plan;
static struct xlp_reason why_not;

static int ask(int64_t min_mib, int64_t max_mib, unsigned int ttl_s, const char *name)
{
    struct xlp_reservation wanted = {
        .min_kib = min_mib * MIB, .max_kib = max_mib * MIB, .ttl_left_ns = ttl_s * MODEL_SECOND_NS};
    int rc;

    snprintf(wanted.name, sizeof(wanted.name), "%s", name);
    model_observe(&m);
    xlp_plan_init(&plan);
    rc = xlp_plan_reserve(&m.snapshot, &m.policy, &wanted, &plan, &why_not);
    if (rc == 0)
        model_apply(&m, &plan.actions[0]);
    xlp_plan_dispose(&plan);
    return rc;
}

static void reserve(int64_t mib)
{
    ck_assert_int_eq(ask(mib, mib, 300, ""), 0);
}

static int transfer(uint32_t id, size_t guest)
{
    int rc;

    model_observe(&m);
    xlp_plan_init(&plan);
    rc = xlp_plan_transfer(&m.snapshot, id, xlp_snapshot_domain(&m.snapshot, m.guest[guest].domid),
                           &plan, &why_not);
    if (rc == 0)
        model_apply(&m, &plan.actions[0]);
    xlp_plan_dispose(&plan);
    return rc;
}

/* A domain of that size is being built; it has nothing yet. */
static struct model_guest *start_building(int64_t mib)
{
    struct model_guest *g = model_add(&m, 0, mib, 0);

    g->flags = XLP_DOMAIN_BUILDING | XLP_DOMAIN_PAUSED;
    g->target_kib = mib * MIB;
    g->balloon = MODEL_STUCK; /* its toolstack moves its memory */
    g->report = (struct xlp_mem_report){.source = XLP_REPORT_NONE};
    return g;
}

static void build(struct model_guest *g, int64_t mib)
{
    g->actual_kib += mib * MIB;
    m.free_kib -= mib * MIB;
}

static const char *verdict(size_t i)
{
    return xlp_reason_name(m.plan.reservations[i].reason.code);
}

static void assert_refused(int rc, enum xlp_reason_code code)
{
    ck_assert_int_eq(rc, XLP_PLAN_REFUSED);
    ck_assert_str_eq(xlp_reason_name(why_not.code), xlp_reason_name(code));
}

/* ---- making room ---- */

START_TEST(what_is_free_is_granted_at_once_and_nobody_gives)
{
    four_guests();
    set("mem_surplus", "guests");
    model_tick(&m, true);
    reserve(256);
    model_run(&m, 2);
    ck_assert_str_eq(verdict(0), "reserve-ready");
    ck_assert_int_eq(m.reservation[0].granted_kib, 256 * MIB);
    ck_assert_uint_eq(changes(), 0);
}
END_TEST

START_TEST(idle_guests_make_room_and_keep_what_they_use_and_a_margin)
{
    four_guests();
    model_tick(&m, true);
    reserve(1200);
    model_run(&m, 20);
    ck_assert_str_eq(verdict(0), "reserve-ready");
    ck_assert_int_ge(m.free_kib, (50 + 1200) * MIB);
    for (size_t i = 0; i < 4; i++)
        ck_assert_int_ge(m.guest[i].target_kib, (150 + 64) * MIB);
}
END_TEST

START_TEST(what_guests_use_is_not_taken_for_it)
{
    four_guests();
    for (size_t i = 0; i < 4; i++)
        model_point(&m.guest[i], 0, 440);
    run_from_start(20);
    ck_assert_int_eq(ask(800, 800, 60, ""), 0); /* floors would allow it */
    model_run(&m, 50);
    ck_assert_str_eq(verdict(0), "reserve-waits");
    ck_assert_int_eq(m.reservation[0].granted_kib, 0);
    for (size_t i = 0; i < 4; i++)
        ck_assert_int_ge(m.guest[i].actual_kib, (440 + 60) * MIB);
    ck_assert(deficit() == 0);
    model_run(&m, 15);
    ck_assert_uint_eq(m.reservation_count, 0);
}
END_TEST

START_TEST(guests_do_not_grow_into_what_is_kept)
{
    four_guests();
    model_tick(&m, true);
    reserve(256);
    model_run(&m, 5);
    for (size_t i = 0; i < 4; i++)
        model_point(&m.guest[i], 20, 900);
    m.lowest_free_kib = m.free_kib;
    model_run(&m, 100);
    ck_assert_int_ge(m.lowest_free_kib, (50 + 256) * MIB);
    ck_assert_str_eq(verdict(0), "reserve-ready");
}
END_TEST

START_TEST(a_range_settles_for_what_needs_leave)
{
    four_guests();
    for (size_t i = 0; i < 4; i++)
        model_point(&m.guest[i], 0, 300);
    run_from_start(10);
    ck_assert_int_eq(ask(300, 4096, 300, ""), 0);
    model_run(&m, 40);
    ck_assert_str_eq(verdict(0), "reserve-ready");
    /* 2048 + 256 in all, of which four times 300 + 64 are needed. */
    ck_assert_int_ge(m.reservation[0].granted_kib, 700 * MIB);
    ck_assert_int_le(m.reservation[0].granted_kib, (2304 - 4 * 364) * MIB);
    ck_assert_int_ge(m.free_kib, 50 * MIB + m.reservation[0].granted_kib);
    ck_assert(deficit() == 0);
}
END_TEST

START_TEST(of_two_the_older_has_what_there_is_first)
{
    four_guests();
    set("mem_policy", "off");
    model_tick(&m, true);
    ck_assert_int_eq(ask(200, 200, 300, ""), 0);
    ck_assert_int_eq(ask(56, 56, 300, ""), 0);
    assert_refused(ask(1, 1, 300, ""), XLP_REASON_RESERVE_TOO_LARGE);
    model_run(&m, 2);
    ck_assert_str_eq(verdict(0), "reserve-ready");
    ck_assert_str_eq(verdict(1), "reserve-ready");
    m.free_kib -= 100 * MIB; /* somebody takes it all the same */
    model_run(&m, 1);
    ck_assert_str_eq(verdict(0), "reserve-short");
    ck_assert_str_eq(verdict(1), "reserve-short");
    ck_assert_int_eq(m.plan.reservations[0].reason.number[0], 156 * MIB);
    ck_assert_int_eq(m.plan.reservations[1].reason.number[0], 0);
}
END_TEST

/* ---- refused ---- */

START_TEST(what_floors_do_not_leave_is_refused_with_the_sum)
{
    four_guests();
    model_observe(&m);
    /* 256 free above the reserve, and four times 512 above a floor of 200. */
    ck_assert_int_eq(ask(256 + 4 * 312, 2000, 300, ""), 0);
    m.reservation_count = 0;
    assert_refused(ask(256 + 4 * 312 + 1, 2000, 300, ""), XLP_REASON_RESERVE_TOO_LARGE);
    ck_assert_int_eq(why_not.number[0], (256 + 4 * 312 + 1) * MIB);
    ck_assert_int_eq(why_not.number[1], (256 + 4 * 312) * MIB);
    ck_assert_int_eq(why_not.number[2], 256 * MIB);
    ck_assert_int_eq(why_not.number[3], 4 * 312 * MIB);
}
END_TEST

START_TEST(nobody_else_may_move_memory_and_a_name_is_reserved_for_once)
{
    four_guests();
    ck_assert_int_eq(ask(10, 10, 300, "web9"), 0);
    assert_refused(ask(10, 10, 300, "web9"), XLP_REASON_RESERVE_NAMED);
    ck_assert_int_eq(ask(10, 10, 300, ""), 0);
    ck_assert_int_eq(ask(10, 10, 300, ""), 0);
    model_observe(&m);
    snprintf(m.snapshot.other_controller, sizeof(m.snapshot.other_controller), "squeezed");
    xlp_plan_init(&plan);
    assert_refused(xlp_plan_reserve(&m.snapshot, &m.policy, &m.reservation[1], &plan, &why_not),
                   XLP_REASON_RESERVE_CONTROLLER);
    xlp_plan_dispose(&plan);
}
END_TEST

START_TEST(an_id_is_not_given_twice)
{
    four_guests();
    model_tick(&m, true);
    ck_assert_int_eq(ask(10, 10, 2, ""), 0);
    model_run(&m, 4);
    ck_assert_uint_eq(m.reservation_count, 0);
    reserve(10);
    ck_assert_uint_eq(m.reservation[0].id, 2);
    ck_assert_int_eq(transfer(1, 0), XLP_PLAN_REFUSED);
    ck_assert_str_eq(xlp_reason_name(why_not.code), "reserve-unknown");
}
END_TEST

/* ---- taken ---- */

START_TEST(what_the_new_guest_takes_comes_out_of_it)
{
    struct model_guest *g;

    four_guests();
    set("mem_surplus", "guests");
    model_tick(&m, true);
    ck_assert_int_eq(ask(256, 256, 300, "vm5"), 0);
    model_run(&m, 2);
    g = start_building(256);
    model_tick(&m, false);
    ck_assert(m.reservation[0].taken);
    ck_assert_uint_eq(m.reservation[0].domid, g->domid);
    for (int i = 0; i < 4; i++) {
        build(g, 60);
        model_tick(&m, false);
        ck_assert_str_eq(verdict(0), "reserve-taken");
        ck_assert_uint_eq(changes(), 0); /* nobody makes room for it twice */
    }
    build(g, 16);
    model_run(&m, 2);
    ck_assert_uint_eq(m.reservation_count, 0);
    ck_assert_uint_eq(changes(), 0);
}
END_TEST

START_TEST(a_guest_built_between_two_looks_has_taken_it)
{
    four_guests();
    model_tick(&m, true);
    ck_assert_int_eq(ask(64, 64, 300, "vm5"), 0);
    model_run(&m, 2);
    build(model_add(&m, 0, 64, 0), 64);
    model_tick(&m, false);
    ck_assert_str_eq(verdict(0), "reserve-taken");
    model_tick(&m, false);
    ck_assert_uint_eq(m.reservation_count, 0);
}
END_TEST

START_TEST(who_had_the_name_before_is_not_meant)
{
    struct model_guest *g;

    four_guests();
    model_tick(&m, true);
    ck_assert_int_eq(ask(64, 64, 300, "vm4"), 0);
    ck_assert_uint_eq(m.reservation[0].former_domid, m.guest[3].domid);
    model_run(&m, 3);
    ck_assert(!m.reservation[0].taken);
    m.guest[3].gone = true;
    g = start_building(64);
    g->name_of = m.guest[3].domid;
    model_tick(&m, false);
    ck_assert_uint_eq(m.reservation[0].domid, g->domid);
}
END_TEST

START_TEST(it_may_be_given_to_a_guest_by_hand)
{
    struct model_guest *g;

    four_guests();
    set("mem_surplus", "guests");
    model_tick(&m, true);
    reserve(256);
    model_run(&m, 2);
    g = start_building(200);
    ck_assert_int_eq(transfer(1, 4), 0);
    build(g, 100);
    model_tick(&m, false);
    ck_assert_str_eq(verdict(0), "reserve-taken");
    ck_assert_uint_eq(changes(), 0);
    g->flags = 0; /* smaller than it was reserved for, and it runs */
    build(g, 100);
    model_run(&m, 2);
    ck_assert_uint_eq(m.reservation_count, 0);
}
END_TEST

START_TEST(a_guest_takes_from_one_and_one_is_taken_by_one_guest)
{
    four_guests();
    model_tick(&m, true);
    reserve(20);
    reserve(20);
    start_building(10);
    start_building(10);
    ck_assert_int_eq(transfer(1, 4), 0);
    assert_refused(transfer(1, 5), XLP_REASON_RESERVE_OTHERS);
    assert_refused(transfer(2, 4), XLP_REASON_RESERVE_OTHERS);
    ck_assert_int_eq(transfer(2, 5), 0);
}
END_TEST

START_TEST(once_taken_it_is_no_longer_for_the_name_it_was_made_for)
{
    four_guests();
    model_tick(&m, true);
    ck_assert_int_eq(ask(20, 20, 300, "vm1"), 0);
    ck_assert_uint_eq(m.reservation[0].former_domid, 1);
    start_building(10);
    ck_assert_int_eq(transfer(1, 4), 0);
    ck_assert_str_eq(m.reservation[0].name, "vm5");
    ck_assert_uint_eq(m.reservation[0].former_domid, 0);
    ck_assert_int_eq(ask(20, 20, 300, "vm5"), 0); /* for when that has been started again */
}
END_TEST

START_TEST(it_is_called_by_its_guest_once_that_is_known)
{
    char title[XLP_NAME_SIZE], other[XLP_NAME_SIZE];

    four_guests();
    model_tick(&m, true);
    ck_assert_int_eq(ask(20, 20, 300, "web9"), 0);
    reserve(20);
    start_building(10);
    ck_assert_str_eq(xlp_reservation_title(&m.reservation[0], title), "reservation 1 for web9");
    ck_assert_str_eq(xlp_reservation_title(&m.reservation[1], title), "reservation 2");
    ck_assert_int_eq(transfer(2, 4), 0);
    model_observe(&m);
    ck_assert_str_eq(xlp_reservation_title(&m.snapshot.reservations[1], title),
                     "reservation 2 for vm5");
    memset(m.reservation[0].name, 'x', XLP_NAME_SIZE - 1);
    xlp_reservation_title(&m.reservation[0], title);
    m.reservation[0].name[40] = 'y';
    ck_assert_str_ne(xlp_reservation_title(&m.reservation[0], other), title);
    m.reservation[0].id = XLP_UNKNOWN;
    ck_assert_uint_eq(strlen(xlp_reservation_title(&m.reservation[0], title)), XLP_NAME_SIZE - 1);
}
END_TEST

/* ---- over ---- */

/* The guest that has taken 100 MiB of the 256 that were reserved for it. */
static struct model_guest *half_built(void)
{
    struct model_guest *g;

    four_guests();
    model_tick(&m, true);
    ck_assert_int_eq(ask(256, 256, 300, "vm5"), 0);
    model_run(&m, 2);
    g = start_building(256);
    model_tick(&m, false);
    build(g, 100);
    model_tick(&m, false);
    return g;
}

START_TEST(a_guest_destroyed_while_it_is_built_ends_it)
{
    struct model_guest *g = half_built();

    build(g, -100);
    g->gone = true;
    model_run(&m, 2);
    ck_assert_str_eq(verdict(0), "reserve-gone");
    ck_assert_uint_eq(m.reservation_count, 0);
}
END_TEST

/* A domain that could not be read for once is left out of a snapshot. */
START_TEST(one_look_without_its_guest_does_not_end_it)
{
    struct model_guest *g = half_built();

    for (size_t i = 0; i < 4; i++)
        m.guest[i].trace.point[0].mib = 500; /* they could do with the rest of it */
    for (int looks = 0; looks < 2; looks++) {
        g->gone = true;
        model_tick(&m, false);
        ck_assert_str_eq(verdict(0), "reserve-taken");
        ck_assert_int_eq(m.plan.reservations[0].reason.number[1], 100 * MIB);
        g->gone = false;
        model_tick(&m, false);
        ck_assert_uint_eq(m.reservation_count, 1);
        ck_assert_int_ge(m.free_kib, (50 + 156) * MIB);
    }
    build(g, 156);
    model_tick(&m, false);
    ck_assert_str_eq(verdict(0), "reserve-done");
}
END_TEST

START_TEST(another_domain_of_the_same_id_is_not_the_one_it_was_for)
{
    four_guests();
    model_tick(&m, true);
    reserve(100);
    start_building(100);
    ck_assert_int_eq(transfer(1, 4), 0);
    m.reservation[0].uuid[0] ^= 1;
    model_tick(&m, false);
    ck_assert_str_eq(verdict(0), "reserve-gone");
    ck_assert_uint_eq(m.reservation_count, 0);
}
END_TEST

START_TEST(after_its_time_guests_have_it_back)
{
    four_guests();
    set("mem_surplus", "guests");
    run_from_start(60);
    ck_assert_int_eq(ask(1000, 1000, 20, ""), 0);
    model_run(&m, 15);
    ck_assert_str_eq(verdict(0), "reserve-ready");
    ck_assert_int_ge(m.free_kib, 1050 * MIB);
    model_run(&m, 60);
    ck_assert_uint_eq(m.reservation_count, 0);
    ck_assert_int_le(m.free_kib, 200 * MIB);
}
END_TEST

START_TEST(a_restart_changes_nothing_of_it)
{
    four_guests();
    model_tick(&m, true);
    reserve(1200);
    model_run(&m, 2);
    xlp_memory_free(m.memory);
    m.memory = xlp_memory_new();
    model_tick(&m, true);
    ck_assert_str_eq(verdict(0), "reserve-waits");
    model_run(&m, 20);
    ck_assert_str_eq(verdict(0), "reserve-ready");
}
END_TEST

START_TEST(where_guests_are_only_advised_it_has_what_is_free)
{
    four_guests();
    m.advise = true;
    model_tick(&m, true);
    reserve(200);
    model_tick(&m, false);
    ck_assert_uint_eq(m.plan.action_count > 0, 1);
    ck_assert(xlp_action_is_commanded(&m.plan.actions[m.plan.action_count - 1]));
    ck_assert_int_eq(m.plan.actions[m.plan.action_count - 1].kind, XLP_GRANT);
}
END_TEST

/* ---- what the host's memory will not do ---- */

START_TEST(the_host_says_so_before_anybody_goes_short)
{
    four_guests();
    run_from_start(20);
    ck_assert_int_eq(m.plan.memory.code, XLP_REASON_NONE);
    for (size_t i = 0; i < 4; i++)
        model_point(&m.guest[i], 200, 490);
    model_run(&m, 240);
    ck_assert_str_eq(xlp_reason_name(m.plan.memory.code), "mem-needs-exceed");
    ck_assert_int_eq(m.plan.memory.number[0] / MIB, 4 * (490 + 64));
    ck_assert(deficit() == 0);
}
END_TEST

START_TEST(floors_beyond_what_there_is_are_named)
{
    four_guests();
    set_domain("*: floor=600m");
    model_tick(&m, true);
    ck_assert_str_eq(xlp_reason_name(m.plan.memory.code), "mem-floors-exceed");
    ck_assert_int_eq(m.plan.memory.number[0], 2400 * MIB);
    ck_assert_int_eq(m.plan.memory.number[1], (2048 + 256) * MIB);
}
END_TEST

#define RESERVE_CASE(function, ...)                                                                \
    static TCase *function(void)                                                                   \
    {                                                                                              \
        const TTest *const tests[] = {__VA_ARGS__};                                                \
        TCase *tcase = with_fixture(#function);                                                    \
                                                                                                   \
        for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)                              \
            tcase_add_test(tcase, tests[i]);                                                       \
        return tcase;                                                                              \
    }

RESERVE_CASE(making_room, what_is_free_is_granted_at_once_and_nobody_gives,
             idle_guests_make_room_and_keep_what_they_use_and_a_margin,
             what_guests_use_is_not_taken_for_it, guests_do_not_grow_into_what_is_kept,
             a_range_settles_for_what_needs_leave, of_two_the_older_has_what_there_is_first,
             where_guests_are_only_advised_it_has_what_is_free)
RESERVE_CASE(refused, what_floors_do_not_leave_is_refused_with_the_sum,
             nobody_else_may_move_memory_and_a_name_is_reserved_for_once, an_id_is_not_given_twice)
RESERVE_CASE(taken, what_the_new_guest_takes_comes_out_of_it,
             a_guest_built_between_two_looks_has_taken_it, who_had_the_name_before_is_not_meant,
             it_may_be_given_to_a_guest_by_hand,
             a_guest_takes_from_one_and_one_is_taken_by_one_guest,
             once_taken_it_is_no_longer_for_the_name_it_was_made_for,
             it_is_called_by_its_guest_once_that_is_known)
RESERVE_CASE(over, one_look_without_its_guest_does_not_end_it,
             a_guest_destroyed_while_it_is_built_ends_it,
             another_domain_of_the_same_id_is_not_the_one_it_was_for,
             after_its_time_guests_have_it_back, a_restart_changes_nothing_of_it)

RESERVE_CASE(advice, the_host_says_so_before_anybody_goes_short,
             floors_beyond_what_there_is_are_named)

CHECK_MAIN("reserve", making_room, refused, taken, over, advice)
