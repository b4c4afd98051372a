/* SPDX-License-Identifier: LGPL-2.1-only */
/* The ledger: what a domain had before us, over reboots, lost pCPUs, and a lost xenstore. */
#include "check_main.h"
#include "fake_xen_steps.h"

/* Domain 1 as a former run left it: the masks an operator gave it, and those it has of us. */
static struct xen_host *with_record(const char *original, uint8_t ours)
{
    struct xen_host *h = fake_open();
    char text[64], hard[XLP_CPUMAP_TEXT_MAX];
    struct xlp_cpumap map = {.word = {ours}};

    snprintf(text, sizeof(text), "%s all %s all", original,
             xlp_cpumap_format(&map, hard, sizeof(hard)));
    fake_add(1, 1)->hard = ours;
    fake_put(DOMID_1, "1");
    fake_put(VCPU_1, text);
    look(h);
    return h;
}

/* As Xen does when the last pCPU of a mask leaves the pool. */
static void lose_pcpu(struct xen_host *h, int pcpu)
{
    fake.pool &= (uint8_t) ~(1 << pcpu);
    fake_domain(1)->hard = 0xff;
    look(h);
}

START_TEST(the_records_of_a_guest_are_not_those_of_its_dying_predecessor)
{
    struct xen_host *h = fake_open();

    fake_add(1, 1)->info.flags = XEN_DOMINF_dying;
    fake_add(9, 1)->hard = 1 << 2;
    fake_put("/local/domain/1/memory/target", "1000");
    fake_put(DOMID_1, "9");
    fake_put(VCPU_1, "1 all 2 all");
    fake_put(MEMORY_1, "2000 2000 1000");
    for (int i = 0; i < 2; i++)
        look(h);
    ck_assert_str_eq(fake_text(DOMID_1), "9");
    ck_assert_str_eq(fake_text(VCPU_1), "1 all 2 all");
    ck_assert_ptr_nonnull(xlp_xen_domain(h, 9)->vcpus[0].record);
    fake_close(h);
}
END_TEST

START_TEST(a_successor_takes_over_the_record_of_memory_and_not_that_of_vcpus)
{
    struct xen_host *h = fake_open();

    fake_add(1, 1)->hard = 1 << 2;
    fake_domain(1)->info.flags = XEN_DOMINF_dying;
    fake_add(9, 1);
    fake_put("/local/domain/9/memory/target", "1000");
    fake_put(DOMID_1, "1");
    fake_put(VCPU_1, "1-2 all 2 all");
    fake_put(MEMORY_1, "2000 2000 1000");
    look(h);
    lose_pcpu(h, 2); /* which changes the former's mask, and nothing of the latter */
    ck_assert_str_eq(fake_text(DOMID_1), "9");
    ck_assert_str_eq(fake_text(VCPU_1), "");
    ck_assert_str_eq(fake_text(MEMORY_1), "2000 2000 1000");
    ck_assert(xlp_xen_domain(h, 9)->memory.recorded);
    fake_close(h);
}
END_TEST

/* A guest that runs with this weight, in the place of one whose weight was 300 before us. */
static struct xen_host *rebooted_with_weight(uint16_t weight)
{
    struct xen_host *h = fake_open();

    fake_add(9, 1)->weight = weight;
    fake_domain(9)->info.cpu_time = 0;
    fake_put(DOMID_1, "1");
    fake_put(WEIGHT_1, "300 400 512");
    look(h);
    ck_assert_str_eq(fake_text(WEIGHT_1), "300 400 512"); /* not before it runs */
    fake_domain(9)->info.cpu_time = 1;
    look(h);
    return h;
}

START_TEST(a_guest_that_rebooted_with_the_weight_it_had_from_us_keeps_the_record)
{
    struct xen_host *h = rebooted_with_weight(512);

    ck_assert_str_eq(fake_text(WEIGHT_1), "300 512");
    ck_assert_str_eq(fake_text(DOMID_1), "9");
    fake_close(h);
    h = rebooted_with_weight(400);
    ck_assert_str_eq(fake_text(WEIGHT_1), "300 400");
    fake_close(h);
}
END_TEST

START_TEST(created_with_another_weight_it_has_none)
{
    struct xen_host *h = rebooted_with_weight(256);

    ck_assert_str_eq(fake_text(WEIGHT_1), "");
    ck_assert(!xlp_xen_domain(h, 9)->weight_record.recorded);
    fake_close(h);
}
END_TEST

START_TEST(a_guest_that_arrives_from_this_very_host_leaves_the_records_until_the_other_end_went)
{
    struct xen_host *h = with_record("1", 1 << 2);

    fake_put(MEMORY_1, "2000 2000 1000");
    fake_add(9, 1);
    fake_put("/local/domain/9/memory/target", "1000");
    look(h);
    ck_assert_int_eq(place(h, 9, "3"), XLP_NOT_DONE_BUSY);
    ck_assert_str_eq(fake_text(DOMID_1), "1");
    ck_assert_str_eq(fake_text(VCPU_1), "1 all 2 all");
    ck_assert_int_eq(place(h, 1, "3"), XLP_DONE);
    ck_assert_str_eq(fake_text(VCPU_1), "1 all 3 all");

    fake_remove(1);
    look(h);
    ck_assert(xlp_xen_domain(h, 9)->memory.recorded);
    ck_assert_int_eq(place(h, 9, "2"), XLP_DONE);
    ck_assert_str_eq(fake_text(DOMID_1), "9");
    ck_assert_str_eq(fake_text(VCPU_1), "all all 2 all");
    fake_close(h);
}
END_TEST

START_TEST(of_two_guests_with_one_uuid_and_no_record_the_first_to_be_changed_gets_it)
{
    struct xen_host *h = fake_open();

    fake_add(1, 1);
    fake_add(9, 1);
    look(h);
    ck_assert_int_eq(place(h, 9, "3"), XLP_DONE);
    ck_assert_int_eq(place(h, 1, "3"), XLP_NOT_DONE_BUSY);
    ck_assert_str_eq(fake_text(DOMID_1), "9");
    fake_close(h);
}
END_TEST

#define DAY_NS (24 * 3600 * XEN_NS_PER_S)

/* Domain 1, with a record of its memory ("" none), went some time ago. */
static struct xen_host *with_gone(const char *memory, uint64_t ago_ns)
{
    struct xen_host *h = with_record("1", 1 << 2);

    if (*memory)
        fake_put(MEMORY_1, memory);
    fake_add(2, 2);
    look(h);
    fake_remove(1);
    look(h);
    xlp_xen_ledger_sweep(h, xlp_xen_now_ns() + ago_ns);
    return h;
}

START_TEST(a_guest_that_comes_back_after_days_is_known_again)
{
    struct xen_host *h = with_gone("2000 2000 1000", 29 * DAY_NS);

    ck_assert_str_eq(fake_text(VCPU_1), "");
    fake_add(9, 1);
    fake_put("/local/domain/9/memory/target", "1000");
    look(h);
    ck_assert_int_eq(xlp_xen_domain(h, 9)->memory.original_target, 2000);
    h->swept_ns = 0;
    look(h);
    ck_assert_str_eq(fake_text(UUID_1 "gone"), "");
    ck_assert_str_eq(fake_text(MEMORY_1), "2000 2000 1000");
    fake_close(h);
}
END_TEST

START_TEST(a_guest_that_does_not_come_back_is_forgotten_after_thirty_days)
{
    struct xen_host *h = with_gone("2000 2000 1000", 31 * DAY_NS);

    ck_assert_uint_eq(h->gone_count, 0);
    ck_assert_str_eq(fake_text(MEMORY_1), "");
    fake_close(h);
}
END_TEST

START_TEST(of_a_guest_with_nothing_to_come_back_to_nothing_is_kept)
{
    struct xen_host *h = with_gone("", 200 * XEN_NS_PER_S);

    ck_assert_uint_eq(h->gone_count, 0);
    ck_assert_str_eq(fake_text(VCPU_1), "");
    ck_assert_str_eq(fake_text(DOMID_1), "");
    fake_close(h);
}
END_TEST

START_TEST(so_it_is_if_the_daemon_was_started_meanwhile)
{
    struct xen_host *h = fake_open();

    fake_put(UUID_1 "released", "1");
    fake_put(UUID_1 "gone", "1"); /* a second after xenstore began */
    ck_assert_int_eq(xlp_xen_ledger_open(h), 0);
    xlp_xen_ledger_sweep(h, 29 * DAY_NS);
    ck_assert_str_eq(fake_text(UUID_1 "released"), "1");
    xlp_xen_ledger_sweep(h, 30 * DAY_NS + XEN_NS_PER_S);
    ck_assert_str_eq(fake_text(UUID_1 "released"), "");
    fake_close(h);
}
END_TEST

START_TEST(of_guests_that_went_a_thousand_are_remembered_the_last)
{
    struct xen_host *h = fake_open();
    char path[FAKE_TEXT], since[16];

    for (int i = 0; i < 1002; i++) {
        snprintf(path, sizeof(path), FAKE_LEDGER "00000000-0000-0000-0000-%012d/released", i);
        fake_put(path, "1");
        snprintf(strrchr(path, '/'), 8, "/gone");
        snprintf(since, sizeof(since), "%d", i == 500 ? 0 : i == 501 ? 1 : 2);
        fake_put(path, since);
    }
    ck_assert_int_eq(xlp_xen_ledger_open(h), 0);
    xlp_xen_ledger_sweep(h, DAY_NS);
    ck_assert_uint_eq(h->gone_count, 1000);
    ck_assert_str_eq(fake_text(FAKE_LEDGER "00000000-0000-0000-0000-000000000499/released"), "1");
    ck_assert_str_eq(fake_text(FAKE_LEDGER "00000000-0000-0000-0000-000000000500/released"), "");
    ck_assert_str_eq(fake_text(FAKE_LEDGER "00000000-0000-0000-0000-000000000501/released"), "");
    fake_close(h);
}
END_TEST

START_TEST(an_entry_that_cannot_be_removed_is_tried_again)
{
    struct xen_host *h = with_gone("2000 2000 1000", 0);

    fake.fail_path = UUID_1 "vcpu";
    fake.fail_error = ENOMEM;
    xlp_xen_ledger_sweep(h, xlp_xen_now_ns() + DAY_NS);
    ck_assert_str_eq(fake_text(VCPU_1), "1 all 2 all");
    fake.fail_path = NULL;
    xlp_xen_ledger_sweep(h, xlp_xen_now_ns() + 2 * DAY_NS);
    ck_assert_str_eq(fake_text(VCPU_1), "");
    ck_assert_str_eq(fake_text(MEMORY_1), "2000 2000 1000");
    fake_close(h);
}
END_TEST

START_TEST(nothing_is_recorded_beside_masks_of_a_former_guest_that_cannot_be_removed)
{
    struct xen_host *h = fake_open();

    fake_add(9, 1);
    fake_put(DOMID_1, "1");
    fake_put(VCPU_1, "1 all 2 all");
    look(h);
    fake.fail_path = UUID_1 "vcpu";
    fake.fail_error = ENOMEM;
    ck_assert_int_eq(place(h, 9, "3"), XLP_NOT_DONE_FAILED);
    ck_assert_str_eq(fake_text(DOMID_1), "1");
    ck_assert_int_eq(fake_domain(9)->hard, 0xff);
    fake_close(h);
}
END_TEST

START_TEST(a_mask_that_xen_widened_is_still_ours_and_its_original_kept)
{
    struct xen_host *h = with_record("1-2", 1 << 2);

    lose_pcpu(h, 2);
    ck_assert_str_eq(fake_text(VCPU_1), "1-2 all all all");
    /* Also once the pCPU is back. */
    fake.pool = 0xf;
    look(h);
    ck_assert_str_eq(fake_text(VCPU_1), "1-2 all all all");
    fake_close(h);
}
END_TEST

START_TEST(so_is_one_that_was_widened_before_its_write_was_confirmed)
{
    struct xen_host *h = fake_open();

    fake_add(1, 1);
    fake_put(DOMID_1, "1");
    fake_put(VCPU_1, "1-2 all 1 all 2 all");
    lose_pcpu(h, 2);
    ck_assert_str_eq(fake_text(VCPU_1), "1-2 all all all");
    fake_close(h);
}
END_TEST

START_TEST(a_mask_that_the_operator_widened_is_his)
{
    struct xen_host *h = with_record("1-2", 1 << 2);

    fake_domain(1)->hard = 0xff;
    look(h);
    ck_assert_str_eq(fake_text(VCPU_1), "1-2 all 2 all");
    fake_close(h);
}
END_TEST

START_TEST(a_vcpu_whose_soft_mask_was_reset_too_was_not_widened_by_xen)
{
    struct xen_host *h = fake_open();

    fake_add(1, 1);
    fake_put(DOMID_1, "1");
    fake_put(VCPU_1, "1-2 all 2 1");
    lose_pcpu(h, 2);
    ck_assert_str_eq(fake_text(VCPU_1), "1-2 all 2 1");
    fake_close(h);
}
END_TEST

START_TEST(an_original_that_xen_would_have_widened_is_not_kept)
{
    struct xen_host *h = with_record("2", 1 << 2);

    lose_pcpu(h, 2);
    ck_assert_str_eq(fake_text(VCPU_1), "2 all 2 all");
    fake_close(h);
}
END_TEST

/* ---- a target set by hand ---- */

static uint64_t by_hand_s(struct xen_host *h)
{
    struct xlp_snapshot s;
    uint64_t ns;

    xlp_snapshot_init(&s);
    ck_assert_int_eq(xlp_xen_observe(&h->base, &s), 0);
    ns = xlp_snapshot_domain(&s, 1)->memory.by_hand_ns;
    xlp_snapshot_dispose(&s);
    return ns / XEN_NS_PER_S;
}

static void set_by_hand(struct xen_host *h, const char *target_kib)
{
    fake_put(TARGET_1, target_kib);
    xlp_xen_domain(h, 1)->stale |= XEN_STALE_MEMORY;
}

START_TEST(a_target_that_another_sets_is_known_after_a_restart)
{
    struct xen_host *h = fake_open();
    long long target_kib, since_s;
    char text[64];

    fake_add(1, 1);
    fake_put(TARGET_1, "409600");
    fake_put("/local/domain/1/memory/static-max", "1048576");
    look(h);
    look(h);
    ck_assert_str_eq(fake_text(BY_HAND_1), ""); /* what its toolstack gave it */
    set_by_hand(h, "512000");
    look(h);
    ck_assert_int_eq(sscanf(fake_text(BY_HAND_1), "%lld %lld", &target_kib, &since_s), 2);
    ck_assert_int_eq(target_kib, 512000);

    snprintf(text, sizeof(text), "512000 %lld", since_s - 100);
    fake_put(BY_HAND_1, text);
    xlp_xen_domain(h, 1)->stale |= XEN_STALE_LEDGER; /* as at a start */
    ck_assert_uint_ge(by_hand_s(h), 100);
    ck_assert_uint_le(by_hand_s(h), 160);
    fake_put(BY_HAND_1, "400000 1"); /* set again since, and nobody saw it */
    xlp_xen_domain(h, 1)->stale |= XEN_STALE_LEDGER;
    ck_assert_uint_eq(by_hand_s(h), 0);
    fake_close(h);
}
END_TEST

START_TEST(our_own_target_is_none_set_by_hand)
{
    struct xen_host *h = fake_open();
    struct xlp_action action = {.domid = 1};
    struct xlp_outcome outcome;

    fake_add(1, 1)->info.tot_pages = 400 << 8;
    fake_domain(1)->info.max_pages = 401 << 8;
    fake.config = "plain";
    fake_put(TARGET_1, "409600");
    fake_put("/local/domain/1/memory/static-max", "1048576");
    look(h);
    memcpy(action.uuid, fake_domain(1)->info.handle, sizeof(action.uuid));
    action.kind = XLP_SET_TARGET;
    action.to_kib = action.limit_kib = 500 * FAKE_MIB_KIB;
    xlp_xen_apply(&h->base, &action, &outcome);
    ck_assert_int_eq(outcome.code, XLP_DONE);
    look(h);
    action.kind = XLP_RELEASE_TARGET; /* and the record of it goes */
    action.to_kib = action.limit_kib = 400 * FAKE_MIB_KIB;
    xlp_xen_apply(&h->base, &action, &outcome);
    ck_assert_int_eq(outcome.code, XLP_DONE);
    look(h);
    ck_assert_str_eq(fake_text(MEMORY_1), "");
    ck_assert_str_eq(fake_text(BY_HAND_1), "");
    fake_close(h);
}
END_TEST

/* ---- a xenstore that went ---- */

START_TEST(a_lost_connection_is_made_again_and_the_ledger_with_it)
{
    struct xen_host *h = with_record("1", 1 << 2);
    struct xlp_snapshot s;

    xlp_snapshot_init(&s);
    fake_put(UUID_1 "weight", "128 256");
    fake_put(MEMORY_1, "2000 2000 1000");
    xlp_xen_domain(h, 1)->stale |= XEN_STALE_LEDGER;
    fake_add(2, 2);
    for (int i = 0; i < 2 * XEN_SLOW_TICKS; i++)
        look(h); /* so that most looks need nothing of xenstore */
    fake.store_lost = fake.store_down = true;
    for (int i = 0; i < XEN_SLOW_TICKS; i++)
        ck_assert(xlp_xen_observe(&h->base, &s) < 0 || s.domain_count == 2);
    ck_assert_int_eq(xlp_xen_observe(&h->base, &s), -1);
    ck_assert_int_eq(place(h, 1, "3"), XLP_NOT_DONE_FAILED);

    fake.store_down = false;
    fake.key_count = fake.watch_count = 0; /* a xenstored that was started anew knows nothing */
    fake_put(TARGET_1, "5000");
    ck_assert_int_eq(xlp_xen_observe(&h->base, &s), 0);
    ck_assert_int_eq(s.domains[0].memory.target_kib, 5000);
    ck_assert_str_eq(fake_text(DOMID_1), "1");
    ck_assert_str_eq(fake_text(VCPU_1), "1 all 2 all");
    ck_assert_str_eq(fake_text(UUID_1 "weight"), "128 256");
    ck_assert_str_eq(fake_text(MEMORY_1), "2000 2000 1000");
    ck_assert_int_ge(xlp_xen_wait(&h->base, xlp_xen_now_ns(), NULL, 0), 0);
    ck_assert_uint_eq(fake.watch_count, 2 + 2 * XEN_WATCHES);
    xlp_snapshot_dispose(&s);
    fake_close(h);
}
END_TEST

CHECK_CASE(ledger, a_mask_that_xen_widened_is_still_ours_and_its_original_kept,
           so_is_one_that_was_widened_before_its_write_was_confirmed,
           a_mask_that_the_operator_widened_is_his,
           a_vcpu_whose_soft_mask_was_reset_too_was_not_widened_by_xen,
           an_original_that_xen_would_have_widened_is_not_kept)
CHECK_CASE(gone, a_guest_that_comes_back_after_days_is_known_again,
           a_guest_that_does_not_come_back_is_forgotten_after_thirty_days,
           of_a_guest_with_nothing_to_come_back_to_nothing_is_kept,
           so_it_is_if_the_daemon_was_started_meanwhile,
           of_guests_that_went_a_thousand_are_remembered_the_last,
           an_entry_that_cannot_be_removed_is_tried_again,
           nothing_is_recorded_beside_masks_of_a_former_guest_that_cannot_be_removed)
CHECK_CASE(twins, the_records_of_a_guest_are_not_those_of_its_dying_predecessor,
           a_successor_takes_over_the_record_of_memory_and_not_that_of_vcpus,
           a_guest_that_rebooted_with_the_weight_it_had_from_us_keeps_the_record,
           created_with_another_weight_it_has_none,
           a_guest_that_arrives_from_this_very_host_leaves_the_records_until_the_other_end_went,
           of_two_guests_with_one_uuid_and_no_record_the_first_to_be_changed_gets_it)
CHECK_CASE(lost, a_lost_connection_is_made_again_and_the_ledger_with_it)
CHECK_CASE(by_hand, a_target_that_another_sets_is_known_after_a_restart,
           our_own_target_is_none_set_by_hand)
CHECK_MAIN("xen ledger", by_hand, ledger, gone, twins, lost)
