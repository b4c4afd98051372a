/* SPDX-License-Identifier: LGPL-2.1-only */
/* Targets and sizes on a Xen that owes a guest pages, and a xenstore that refuses or overflows. */
#include "check_main.h"
#include "fake_proc.h"
#include "fake_xen.h"

#define TARGET_1 "/local/domain/1/memory/target"

static struct xen_host *h;
static struct xlp_snapshot s;

/* Domain 1 has 400 MiB of 1 GiB that it may have. */
static void start(void)
{
    struct fake_domain *d;

    h = fake_open();
    xlp_snapshot_init(&s);
    d = fake_add(1, 1);
    d->info.tot_pages = 400 << 8;
    d->info.max_pages = 401 << 8; /* with libxl's slack */
    fake_put(TARGET_1, "409600");
    fake_put("/local/domain/1/memory/static-max", "1048576");
    fake.config = "plain";
}

static void stop(void)
{
    xlp_snapshot_dispose(&s);
    fake_close(h);
}

static int64_t seen_target_kib(void)
{
    ck_assert_int_eq(xlp_xen_observe(&h->base, &s), 0);
    return s.domains[0].memory.target_kib;
}

static enum xlp_outcome_code size(int64_t target_mib)
{
    struct xlp_action action = {
        .kind = XLP_SET_TARGET, .domid = 1, .to_kib = target_mib * FAKE_MIB_KIB};
    struct xlp_outcome outcome;

    memcpy(action.uuid, fake_domain(1)->info.handle, sizeof(action.uuid));
    xlp_xen_apply(&h->base, &action, &outcome);
    return outcome.code;
}

START_TEST(a_guest_that_owes_pages_may_grow_and_is_not_shrunk)
{
    fake_domain(1)->info.flags |= XEN_DOMINF_hvm_guest;
    fake.pod_demanded = 1000;
    fake.pod_set_aside = 999;
    seen_target_kib();
    ck_assert_int_eq(size(300), XLP_NOT_DONE_BUSY);
    ck_assert_str_eq(fake_text(TARGET_1), "409600");
    ck_assert_int_eq(size(500), XLP_DONE);
    fake.pod_set_aside = 1000;
    seen_target_kib();
    ck_assert_int_eq(size(300), XLP_DONE);
    ck_assert_str_eq(fake_text(TARGET_1), "307200");
}
END_TEST

START_TEST(video_ram_is_in_neither_actual_nor_target_nor_limit)
{
    fake_put("/local/domain/1/memory/videoram", "16384");
    fake_put("/local/domain/1/memory/static-max", "1064960"); /* libxl's includes it */
    fake_domain(1)->info.tot_pages = 416 << 8;
    fake_domain(1)->info.max_pages = 417 << 8;
    ck_assert_int_eq(seen_target_kib(), 409600);
    ck_assert_int_eq(s.domains[0].memory.actual_kib, 409600);
    ck_assert_int_eq(s.domains[0].memory.max_kib, 409600);
    ck_assert_int_eq(s.domains[0].memory.static_max_kib, 1048576);
    ck_assert_int_eq(s.domains[0].memory.video_kib, 16384);
}
END_TEST

START_TEST(the_node_that_memory_is_taken_from_is_known_where_it_is_a_single_one)
{
    static const struct {
        uint8_t nodes;
        uint32_t known;
    } cases[] = {{2, 1}, {1, 0}, {3, XLP_UNKNOWN}, {0, XLP_UNKNOWN}};

    fake.has_nodes = true;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fake_domain(1)->nodes = cases[i].nodes;
        ck_assert_int_eq(xlp_xen_observe(&h->base, &s), 0);
        ck_assert_uint_eq(s.domains[0].memory_node, cases[i].known);
    }
}
END_TEST

START_TEST(a_host_of_one_node_has_none_to_tell_apart)
{
    fake_domain(1)->nodes = 1;
    ck_assert_int_eq(xlp_xen_observe(&h->base, &s), 0);
    ck_assert_uint_eq(s.domains[0].memory_node, XLP_UNKNOWN);
}
END_TEST

START_TEST(what_dom0_uses_its_own_kernel_tells)
{
    static const char *const nonsense[] = {
        "",
        "MemTotal: 1000 kB\n",
        "MemTotal: 1000 kB\nMemAvailable: 1001 kB\n",
        "MemTotal: -5 kB\nMemAvailable: -6 kB\n",
        "MemTotal: 99999999999999999999 kB\nMemAvailable: 1 kB\n",
        "MemTotal: 1000 kB\nMemAvailable: 500 kB\nSwapTotal: 5 kB\nSwapFree: 6 kB\n"};
    struct xlp_mem_report r = {.source = XLP_REPORT_NONE};

    fake_proc_make();
    ck_assert_int_eq(xlp_xen_read_dom0_report(fake_proc_dir, &r), 0);
    ck_assert_int_eq(r.source, XLP_REPORT_AGENT);
    ck_assert_int_eq(r.total_kib, 204924);
    ck_assert_int_eq(r.avail_kib, 150000);
    ck_assert_int_eq(r.free_kib, 120000);
    ck_assert_int_eq(r.swap_used_kib, 5536);
    ck_assert_uint_eq(r.psi_some_avg10_centipct, 125);
    fake_proc_remove("pressure/memory");
    ck_assert_int_eq(xlp_xen_read_dom0_report(fake_proc_dir, &r), 0);
    ck_assert_uint_eq(r.psi_some_avg10_centipct, 0);
    r.seq = 77; /* untouched by what follows */
    for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
        fake_proc_put("meminfo", nonsense[i]);
        ck_assert_int_eq(xlp_xen_read_dom0_report(fake_proc_dir, &r), -1);
    }
    fake_proc_remove("meminfo");
    ck_assert_int_eq(xlp_xen_read_dom0_report(fake_proc_dir, &r), -1);
    ck_assert_uint_eq(r.seq, 77);
    fake_proc_dispose();
}
END_TEST

START_TEST(dom0_is_seen_with_its_report_and_takes_a_target)
{
    struct xlp_action action = {.kind = XLP_SET_TARGET, .domid = 0, .to_kib = 1536 << 10};
    struct xlp_outcome outcome;
    struct fake_domain *d;

    fake_remove(1);
    d = fake_add(0, 1);
    d->info.tot_pages = 2048 << 8;
    d->info.max_pages = 4096 << 8;
    ck_assert_int_eq(xlp_xen_observe(&h->base, &s), 0);
    ck_assert_uint_eq(s.domains[0].domid, 0);
    ck_assert_int_eq(s.domains[0].memory.report.source, XLP_REPORT_AGENT);
    ck_assert_uint_eq(s.domains[0].memory.report_age_ns, 0);
    memcpy(action.uuid, d->info.handle, sizeof(action.uuid));
    xlp_xen_apply(&h->base, &action, &outcome);
    ck_assert_msg(outcome.code == XLP_DONE, "%s", outcome.detail);
    ck_assert_str_eq(fake_text("/local/domain/0/memory/target"), "1572864");
    ck_assert_uint_eq(d->info.max_pages, 4096 << 8);
}
END_TEST

/* What a xenstore that is busy, or full, says. */
START_TEST(a_xenstore_that_will_not_take_the_record_leaves_the_target_alone)
{
    static const int errors[] = {EAGAIN, ENOSPC, E2BIG};

    seen_target_kib();
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        fake.fail_path = "/tool/xlpolicyd";
        fake.fail_error = errors[i];
        ck_assert_int_eq(size(300), XLP_NOT_DONE_FAILED);
        ck_assert_str_eq(fake_text(TARGET_1), "409600");
        fake.fail_path = NULL;
        ck_assert_int_eq(seen_target_kib(), 409600);
        ck_assert(!s.domains[0].memory.ledger.recorded);
    }
    ck_assert_int_eq(size(300), XLP_DONE);
}
END_TEST

START_TEST(a_xenstore_that_cannot_be_read_for_a_moment_leaves_the_guest_out_for_as_long)
{
    fake_add(2, 2);
    seen_target_kib();
    xlp_xen_domain(h, 1)->stale |= XEN_STALE_MEMORY;
    fake.fail_path = "/local/domain/1/memory";
    fake.fail_error = EAGAIN;
    ck_assert_int_eq(xlp_xen_observe(&h->base, &s), 0);
    ck_assert_uint_eq(s.domain_count, 1);
    ck_assert_str_ne(xlp_host_note(&h->base), "");
    fake.fail_path = NULL;
    ck_assert_int_eq(xlp_xen_observe(&h->base, &s), 0);
    ck_assert_uint_eq(s.domain_count, 2);
    ck_assert_int_eq(s.domains[0].memory.target_kib, 409600);
}
END_TEST

START_TEST(a_guest_that_writes_without_end_does_not_keep_us_from_our_work)
{
    seen_target_kib();
    fake.events_left = 100000;
    fake_put(TARGET_1, "307200");
    ck_assert_int_eq(seen_target_kib(), 307200);
    ck_assert_uint_gt(fake.events_left, 90000);
}
END_TEST

START_TEST(an_event_that_was_lost_is_made_up_for_within_a_minute_of_ticks)
{
    seen_target_kib();
    for (int i = 0; i < 3 * XEN_SLOW_TICKS; i++)
        seen_target_kib();
    fake_put(TARGET_1, "307200");
    for (int i = 0; i < XEN_RECHECK_TICKS; i++)
        seen_target_kib();
    ck_assert_int_eq(seen_target_kib(), 307200);
}
END_TEST

CHECK_FIXTURE_CASE(memory, start, stop, a_guest_that_owes_pages_may_grow_and_is_not_shrunk,
                   video_ram_is_in_neither_actual_nor_target_nor_limit,
                   a_xenstore_that_will_not_take_the_record_leaves_the_target_alone,
                   a_xenstore_that_cannot_be_read_for_a_moment_leaves_the_guest_out_for_as_long,
                   a_guest_that_writes_without_end_does_not_keep_us_from_our_work,
                   an_event_that_was_lost_is_made_up_for_within_a_minute_of_ticks,
                   the_node_that_memory_is_taken_from_is_known_where_it_is_a_single_one,
                   a_host_of_one_node_has_none_to_tell_apart, what_dom0_uses_its_own_kernel_tells,
                   dom0_is_seen_with_its_report_and_takes_a_target)

CHECK_MAIN("xen memory", memory)
