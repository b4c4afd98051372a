/* SPDX-License-Identifier: LGPL-2.1-only */
/* Reservations in xenstore: what a daemon that is started again, or that fails to write, knows. */
#include "check_main.h"
#include "fake_xen.h"

#define ENTRY(id) "/tool/xlpolicyd/reservations/" id
#define NEXT      "/tool/xlpolicyd/next-reservation"

static struct xen_host *h;
static struct xlp_snapshot s;

static void start(void)
{
    h = fake_open();
    xlp_snapshot_init(&s);
}

static void stop(void)
{
    xlp_snapshot_dispose(&s);
    fake_close(h);
}

static void look(void)
{
    ck_assert_int_eq(xlp_xen_observe(&h->base, &s), 0);
}

/* Another process on the same xenstore. */
static void start_again(void)
{
    struct xen_host *fresh = calloc(1, sizeof(*fresh));

    fresh->lock_fd = -1;
    fresh->xs = h->xs;
    ck_assert_int_eq(xlp_xen_machine_open(fresh), 0);
    fake_close(h);
    h = fresh;
}

static enum xlp_outcome_code apply(enum xlp_action_kind kind, const struct xlp_reservation *r)
{
    struct xlp_action a = {.kind = kind, .domid = XLP_UNKNOWN, .reservation = *r};
    struct xlp_outcome outcome;

    xlp_xen_apply(&h->base, &a, &outcome);
    return outcome.code;
}

static struct xlp_reservation made(uint32_t id)
{
    struct xlp_reservation r = {
        .id = id, .min_kib = 1024, .max_kib = 4096, .ttl_left_ns = 100 * XEN_NS_PER_S};

    snprintf(r.name, sizeof(r.name), "a guest");
    r.former_domid = 5;
    ck_assert_int_eq(apply(XLP_RESERVE, &r), XLP_DONE);
    return r;
}

START_TEST(what_was_reserved_is_known_after_a_restart)
{
    struct xlp_reservation r = made(1), read;

    made(2);
    r.granted_kib = 2048;
    ck_assert_int_eq(apply(XLP_GRANT, &r), XLP_DONE);
    r.taken = true;
    r.domid = 7;
    r.uuid[3] = 0xab;
    ck_assert_int_eq(apply(XLP_TRANSFER, &r), XLP_DONE);
    start_again();
    look();
    ck_assert_uint_eq(s.reservation_count, 2);
    ck_assert_uint_eq(s.next_reservation, 3);
    read = s.reservations[0];
    ck_assert_int_eq(read.min_kib, 1024);
    ck_assert_int_eq(read.max_kib, 4096);
    ck_assert_int_eq(read.granted_kib, 2048);
    ck_assert(read.taken);
    ck_assert_uint_eq(read.domid, 7);
    ck_assert_mem_eq(read.uuid, r.uuid, sizeof(r.uuid));
    ck_assert_str_eq(read.name, "a guest");
    ck_assert_uint_eq(read.former_domid, 5);
    ck_assert_uint_le(read.ttl_left_ns, 100 * XEN_NS_PER_S);
    ck_assert_uint_ge(read.ttl_left_ns, 90 * XEN_NS_PER_S);
    ck_assert(!s.reservations[1].taken);
}
END_TEST

START_TEST(an_id_is_not_given_twice_by_the_next_daemon_either)
{
    struct xlp_reservation r = made(1);

    ck_assert_int_eq(apply(XLP_UNRESERVE, &r), XLP_DONE);
    start_again();
    look();
    ck_assert_uint_eq(s.reservation_count, 0);
    ck_assert_uint_eq(s.next_reservation, 2);
}
END_TEST

START_TEST(what_is_there_is_found_before_the_first_look_too)
{
    struct xlp_reservation r = made(1);

    start_again();
    ck_assert_int_eq(apply(XLP_RESERVE, &r), XLP_NOT_DONE_GONE);
    start_again();
    ck_assert_int_eq(apply(XLP_UNRESERVE, &r), XLP_DONE);
}
END_TEST

START_TEST(what_cannot_be_written_is_not_so)
{
    struct xlp_reservation r = made(1);

    fake.fail_path = "/tool/xlpolicyd/reservations";
    fake.fail_error = ENOSPC;
    r.granted_kib = 4096;
    ck_assert_int_eq(apply(XLP_GRANT, &r), XLP_NOT_DONE_FAILED);
    ck_assert_int_eq(apply(XLP_UNRESERVE, &r), XLP_NOT_DONE_FAILED);
    r.id = 2;
    ck_assert_int_eq(apply(XLP_RESERVE, &r), XLP_NOT_DONE_FAILED);
    look();
    ck_assert_uint_eq(s.reservation_count, 1);
    ck_assert_int_eq(s.reservations[0].granted_kib, 0);
    fake.fail_path = NULL;
    look();
    ck_assert_uint_eq(s.reservation_count, 1);
}
END_TEST

START_TEST(an_entry_that_is_none_is_passed_over)
{
    fake_put(ENTRY("1"), "1024 512 0 99999999 0 - - x");
    fake_put(ENTRY("2"), "nonsense");
    fake_put(ENTRY("3"), "1024 2048 0 99999999 0 7 no-uuid x");
    fake_put(ENTRY("4"), "1024 2048 0 99999999 0 - -");
    fake_put(ENTRY("0"), "1024 2048 0 99999999 0 - -");
    look();
    ck_assert_uint_eq(s.reservation_count, 1);
    ck_assert_uint_eq(s.reservations[0].id, 4);
    ck_assert_str_eq(s.reservations[0].name, "");
    ck_assert_int_eq(xlp_snapshot_check(&s, (char[200]){0}, 200), 0);
}
END_TEST

START_TEST(one_whose_time_is_over_has_none_left_and_goes_when_told)
{
    struct xlp_reservation r = {.id = 9};

    fake_put(ENTRY("9"), "1024 2048 1024 1 0 - - x");
    look();
    ck_assert_uint_eq(s.reservations[0].ttl_left_ns, 0);
    ck_assert_int_eq(apply(XLP_UNRESERVE, &r), XLP_DONE);
    ck_assert_int_eq(apply(XLP_UNRESERVE, &r), XLP_NOT_DONE_GONE);
    ck_assert_str_eq(fake_text(ENTRY("9")), "");
}
END_TEST

START_TEST(a_xenstore_that_lost_everything_is_told_again)
{
    made(1);
    fake.store_lost = true;
    ck_assert_int_eq(xlp_xen_observe(&h->base, &s), -1);
    fake.key_count = 0;
    look();
    ck_assert_str_eq(fake_text(NEXT), "2");
    ck_assert_str_ne(fake_text(ENTRY("1")), "");
}
END_TEST

START_TEST(who_only_reads_sees_what_the_daemon_writes)
{
    h->read_only = true;
    look();
    fake_put(ENTRY("4"), "1024 2048 0 99999999 0 - - x");
    look();
    ck_assert_uint_eq(s.reservation_count, 1);
}
END_TEST

CHECK_FIXTURE_CASE(reservations, start, stop, what_was_reserved_is_known_after_a_restart,
                   an_id_is_not_given_twice_by_the_next_daemon_either,
                   what_is_there_is_found_before_the_first_look_too,
                   what_cannot_be_written_is_not_so, an_entry_that_is_none_is_passed_over,
                   one_whose_time_is_over_has_none_left_and_goes_when_told,
                   a_xenstore_that_lost_everything_is_told_again,
                   who_only_reads_sees_what_the_daemon_writes)

CHECK_MAIN("xen reserve", reservations)
