/* SPDX-License-Identifier: LGPL-2.1-only */
/* The Xen adapter where calls fail. What it does on real Xen is in tests/lab/check_adapter.py. */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check_main.h"
#include "fake_xen.h"

/* Run with the arguments of libxl's helper, this program stands in for it: it only waits. */
static void __attribute__((constructor)) stand_in(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--save-domain") == 0)
        for (;;)
            pause();
}

/* ---- what tests do ---- */

static void look(struct xen_host *h)
{
    struct xlp_snapshot s;

    xlp_snapshot_init(&s);
    ck_assert_int_eq(xlp_xen_observe(&h->base, &s), 0);
    xlp_snapshot_dispose(&s);
}

static enum xlp_outcome_code place(struct xen_host *h, uint32_t domid, const char *hard)
{
    struct xlp_action action = {.kind = XLP_PLACE_VCPU, .domid = domid, .soft = xlp_cpumap_all()};
    struct xlp_outcome outcome;

    memcpy(action.uuid, fake_domain(domid)->info.handle, sizeof(action.uuid));
    ck_assert_int_eq(xlp_cpumap_parse(hard, &action.hard), 0);
    xlp_xen_apply(&h->base, &action, &outcome);
    return outcome.code;
}

/* ---- looking ---- */

START_TEST(after_a_failed_look_no_vcpu_of_a_domain_that_went_is_looked_at)
{
    struct xen_host *h = fake_open();
    struct xlp_snapshot s;

    xlp_snapshot_init(&s);
    fake_add(1, 1)->info.max_vcpu_id = 0;
    fake_add(2, 2)->info.max_vcpu_id = 1; /* so that each of its vCPUs is asked for */
    ck_assert_int_eq(xlp_xen_observe(&h->base, &s), 0);

    fake_remove(2);
    fake.store_lost = true;
    ck_assert_int_eq(xlp_xen_observe(&h->base, &s), -1);
    fake.looks = 0;
    ck_assert_int_ge(xlp_xen_wait(&h->base, xlp_xen_now_ns() + 150 * XEN_NS_PER_MS, NULL, 0), 0);
    ck_assert_uint_eq(fake.looks, 0);
    xlp_snapshot_dispose(&s);
    fake_close(h);
}
END_TEST

START_TEST(an_event_is_told_once)
{
    struct xen_host *h = fake_open();

    h->event = true;
    ck_assert_int_eq(xlp_xen_wait(&h->base, xlp_xen_now_ns() + XEN_NS_PER_MS, NULL, 0),
                     XLP_WAKE_TIME | XLP_WAKE_EVENT);
    ck_assert_int_eq(xlp_xen_wait(&h->base, xlp_xen_now_ns() + XEN_NS_PER_MS, NULL, 0),
                     XLP_WAKE_TIME);
    fake_close(h);
}
END_TEST

/* ---- what is read again in turn ---- */

#define MANY 40

/* Many domains that have been known for a while. */
static struct xen_host *with_many(void)
{
    struct xen_host *h = fake_open();

    for (uint32_t domid = 1; domid <= MANY; domid++)
        fake_add(domid, (uint8_t)domid);
    for (unsigned int i = 0; i < XEN_SLOW_TICKS + 3; i++)
        look(h);
    return h;
}

static unsigned int looks_until(struct xen_host *h, uint32_t domid, uint32_t weight)
{
    unsigned int looks = 0;

    while (looks < 100 && xlp_xen_domain(h, domid)->weight != weight) {
        look(h);
        looks++;
    }
    return looks;
}

START_TEST(a_look_reads_only_so_many_vcpus_again)
{
    struct xen_host *h = with_many();

    for (unsigned int i = 0; i < 10; i++) {
        fake.masks = fake.looks = fake.weights = 0;
        look(h);
        ck_assert_uint_le(fake.masks, XEN_AGAIN_VCPUS);
        ck_assert_uint_le(fake.looks, XEN_AGAIN_VCPUS);
        ck_assert_uint_le(fake.weights, XEN_AGAIN_VCPUS);
    }
    fake_close(h);
}
END_TEST

START_TEST(each_has_its_turn)
{
    struct xen_host *h = with_many();

    for (uint32_t domid = 1; domid <= MANY; domid++) {
        fake_domain(domid)->weight = (uint16_t)(300 + domid);
        fake_domain(domid)->hard = 1 << 2;
        ck_assert_uint_le(looks_until(h, domid, 300 + domid), MANY / XEN_AGAIN_VCPUS + 2);
        ck_assert(xlp_cpumap_test(&xlp_xen_domain(h, domid)->vcpus[0].masks.hard, 2) &&
                  !xlp_cpumap_test(&xlp_xen_domain(h, domid)->vcpus[0].masks.hard, 1));
    }
    fake_close(h);
}
END_TEST

START_TEST(where_a_pool_changed_all_are_read_at_once)
{
    struct xen_host *h = with_many();

    fake.pool &= (uint8_t)~1;
    fake.masks = 0;
    look(h);
    ck_assert_uint_eq(fake.masks, MANY);
    fake_close(h);
}
END_TEST

/* Looks, and finds that every affinity and weight was read. */
static void expect_all_read(struct xen_host *h,
                            int (*observe)(struct xlp_host *, struct xlp_snapshot *))
{
    struct xlp_snapshot s;

    fake.masks = fake.weights = 0;
    xlp_snapshot_init(&s);
    ck_assert_int_eq(observe(&h->base, &s), 0);
    xlp_snapshot_dispose(&s);
    ck_assert_uint_eq(fake.masks, MANY);
    ck_assert_uint_eq(fake.weights, MANY);
}

static int observe_afresh(struct xlp_host *host, struct xlp_snapshot *s)
{
    static const struct xlp_host_ops ops = {.observe = xlp_xen_observe};

    host->ops = &ops;
    return xlp_host_observe_afresh(host, s);
}

START_TEST(a_command_is_about_all_as_it_is_now)
{
    struct xen_host *h = with_many();

    expect_all_read(h, observe_afresh);
    fake.masks = 0;
    look(h);
    ck_assert_uint_le(fake.masks, XEN_AGAIN_VCPUS);
    fake_close(h);
}
END_TEST

START_TEST(who_only_reads_holds_no_record_against_masks_from_before)
{
    struct xen_host *h = with_many();

    h->read_only = true;
    expect_all_read(h, xlp_xen_observe);
    expect_all_read(h, xlp_xen_observe);
    fake_close(h);
}
END_TEST

START_TEST(a_pool_that_changed_is_not_forgotten_when_the_look_fails)
{
    struct xen_host *h = with_many();
    struct xlp_snapshot s;

    xlp_snapshot_init(&s);
    fake.pool &= (uint8_t)~1;
    fake.store_lost = true;
    ck_assert_int_eq(xlp_xen_observe(&h->base, &s), -1);
    xlp_snapshot_dispose(&s);
    expect_all_read(h, xlp_xen_observe);
    fake_close(h);
}
END_TEST

START_TEST(what_a_look_did_not_come_to_is_read_at_the_next)
{
    struct xen_host *h = with_many();
    struct fake_domain *last = fake_domain(MANY);

    last->info.max_vcpu_id = 1;
    look(h);
    fake.pool &= (uint8_t)~1;
    last->hard = 1 << 2;
    last->error = EIO; /* at vCPU 0 */
    look(h);
    last->error = 0;
    look(h);
    ck_assert(!xlp_cpumap_test(&xlp_xen_domain(h, MANY)->vcpus[1].masks.hard, 1));
    fake_close(h);
}
END_TEST

START_TEST(a_weight_that_could_not_be_read_is_read_at_the_next_look)
{
    struct xen_host *h = with_many();

    for (int i = 0; i < 3; i++) {
        fake.weight_error = EIO;
        look(h);
        fake.weight_error = 0;
        look(h);
        for (uint32_t domid = 1; domid <= MANY; domid++)
            ck_assert_uint_eq(xlp_xen_domain(h, domid)->weight, 256);
    }
    fake_close(h);
}
END_TEST

START_TEST(an_affinity_that_someone_else_changed_is_read_at_the_next_look)
{
    struct xen_host *h = with_many();

    for (uint32_t domid = 1; domid <= MANY; domid += 13) {
        fake_domain(domid)->hard = 1 << 3;
        ck_assert_int_eq(place(h, domid, "1"), XLP_NOT_DONE_BUSY);
        look(h);
        ck_assert_int_eq(place(h, domid, "1"), XLP_DONE);
    }
    fake_close(h);
}
END_TEST

/* ---- passthrough ---- */

/* What a look says of domain 1. */
static uint32_t devices(struct xen_host *h)
{
    struct xlp_snapshot s;
    uint32_t count;

    xlp_snapshot_init(&s);
    ck_assert_int_eq(xlp_xen_observe(&h->base, &s), 0);
    count = xlp_snapshot_domain(&s, 1)->passthrough_devices;
    xlp_snapshot_dispose(&s);
    return count;
}

START_TEST(a_guest_whose_configuration_cannot_be_read_may_have_a_device)
{
    struct xen_host *h = fake_open();

    fake_add(1, 1);
    fake.config_error = ERROR_FAIL;
    for (int i = 0; i < 2 * XEN_SLOW_TICKS; i++)
        ck_assert_uint_eq(devices(h), 1);
    fake.config_error = 0;
    fake.config = "rubbish";
    ck_assert_uint_eq(devices(h), 1);
    fake.config = "plain";
    ck_assert_uint_eq(devices(h), 0);
    fake_close(h);
}
END_TEST

START_TEST(a_guest_that_took_long_to_build_is_known_when_it_first_runs)
{
    struct xen_host *h = fake_open();

    fake_add(1, 1)->info.cpu_time = 0;
    for (int i = 0; i < 3 * XEN_SLOW_TICKS; i++)
        devices(h);
    fake.config = "plain";
    fake_domain(1)->info.cpu_time = 1;
    ck_assert_uint_eq(devices(h), 0);
    fake_close(h);
}
END_TEST

START_TEST(a_list_of_devices_is_passthrough_without_a_word_about_it)
{
    struct xen_host *h = fake_open();

    fake_add(1, 1);
    fake.config = "device";
    ck_assert_uint_eq(devices(h), 1);
    fake_close(h);
}
END_TEST

START_TEST(the_devices_of_a_device_models_domain_are_its_guests)
{
    struct xen_host *h = fake_open();

    fake_add(1, 1);
    fake_put("/local/domain/1/image/device-model-domid", "2");
    fake_put("/local/domain/0/backend/pci/2/0/num_devs", "3");
    ck_assert_uint_eq(devices(h), 3);
    fake_close(h);
}
END_TEST

/* ---- the ledger ---- */

#define UUID_1   FAKE_LEDGER "00000000-0000-0000-0000-000000000001/"
#define DOMID_1  UUID_1 "domid"
#define VCPU_1   UUID_1 "vcpu/0"
#define MEMORY_1 UUID_1 "memory"
#define WEIGHT_1 UUID_1 "weight"

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

/* ---- memory ---- */

#define TARGET_1 "/local/domain/1/memory/target"

/* Domain 1 has what it was given: 400 MiB, of 1 GiB that it may have. */
static struct xen_host *with_memory(void)
{
    struct xen_host *h = fake_open();
    struct fake_domain *d = fake_add(1, 1);

    d->info.tot_pages = 400 << 8;
    d->info.max_pages = 401 << 8; /* with libxl's slack */
    fake_put(TARGET_1, "409600");
    fake_put("/local/domain/1/memory/static-max", "1048576");
    look(h);
    return h;
}

static int64_t limit_mib(void)
{
    return (int64_t)(fake_domain(1)->info.max_pages >> 8) - 1;
}

static enum xlp_outcome_code size(struct xen_host *h, enum xlp_action_kind kind, int64_t target_mib,
                                  int64_t limit_mib)
{
    struct xlp_action action = {.kind = kind,
                                .domid = 1,
                                .to_kib = target_mib * FAKE_MIB_KIB,
                                .limit_kib = limit_mib * FAKE_MIB_KIB};
    struct xlp_outcome outcome;

    memcpy(action.uuid, fake_domain(1)->info.handle, sizeof(action.uuid));
    xlp_xen_apply(&h->base, &action, &outcome);
    return outcome.code;
}

START_TEST(a_growth_that_fails_leaves_neither_a_limit_nor_a_record)
{
    struct xen_host *h = with_memory();

    fake.target_fails = true;
    ck_assert_int_eq(size(h, XLP_SET_TARGET, 500, 500), XLP_NOT_DONE_FAILED);
    ck_assert_int_eq(limit_mib(), 400);
    ck_assert_str_eq(fake_text(MEMORY_1), "");
    fake_close(h);
}
END_TEST

START_TEST(a_limit_that_cannot_be_taken_back_stays_on_record)
{
    struct xen_host *h = with_memory();

    fake.target_fails = true;
    fake.limits = 2;
    ck_assert_int_eq(size(h, XLP_SET_TARGET, 500, 500), XLP_NOT_DONE_FAILED);
    ck_assert_int_eq(limit_mib(), 500);
    look(h);
    ck_assert_str_eq(fake_text(MEMORY_1), "409600 409600 409600");
    fake.limits = 0;
    ck_assert_int_eq(size(h, XLP_RELEASE_TARGET, 400, 400), XLP_DONE);
    ck_assert_int_eq(limit_mib(), 400);
    ck_assert_str_eq(fake_text(MEMORY_1), "");
    fake_close(h);
}
END_TEST

START_TEST(a_target_that_xenstore_did_not_take_was_not_set)
{
    struct xen_host *h = with_memory();

    fake.target_lost = true;
    ck_assert_int_eq(size(h, XLP_SET_TARGET, 500, 500), XLP_NOT_DONE_FAILED);
    ck_assert_int_eq(limit_mib(), 400);
    ck_assert_str_eq(fake_text(MEMORY_1), "");
    fake_close(h);
}
END_TEST

START_TEST(a_release_is_not_done_before_the_limit_is_the_original)
{
    struct xen_host *h = with_memory();

    ck_assert_int_eq(size(h, XLP_SET_TARGET, 500, 500), XLP_DONE);
    fake_domain(1)->info.tot_pages = 500 << 8;
    look(h);
    ck_assert_int_eq(size(h, XLP_RELEASE_TARGET, 400, 400), XLP_NOT_DONE_BUSY);
    ck_assert_str_eq(fake_text(TARGET_1), "409600");
    ck_assert_str_eq(fake_text(MEMORY_1), "409600 409600 409600 releasing");
    fake_domain(1)->info.tot_pages = 450 << 8;
    look(h);
    ck_assert_int_eq(size(h, XLP_RELEASE_TARGET, 400, 400), XLP_NOT_DONE_BUSY);
    ck_assert_int_eq(limit_mib(), 450);
    /* A guest may hold a few pages more than its target for ever. */
    fake_domain(1)->info.tot_pages = (400 << 8) + 16;
    look(h);
    ck_assert_int_eq(size(h, XLP_RELEASE_TARGET, 400, 400), XLP_DONE);
    ck_assert_int_eq(limit_mib(), 400);
    ck_assert_str_eq(fake_text(MEMORY_1), "");
    fake_close(h);
}
END_TEST

START_TEST(a_release_in_steps_keeps_the_record_until_the_last)
{
    struct xen_host *h = with_memory();

    ck_assert_int_eq(size(h, XLP_SET_TARGET, 300, 300), XLP_DONE);
    look(h);
    ck_assert_int_eq(size(h, XLP_RELEASE_TARGET, 350, 400), XLP_DONE);
    ck_assert_str_eq(fake_text(MEMORY_1), "409600 409600 358400 releasing");
    look(h);
    ck_assert_int_eq(size(h, XLP_RELEASE_TARGET, 400, 400), XLP_DONE);
    ck_assert_str_eq(fake_text(MEMORY_1), "");
    fake_close(h);
}
END_TEST

static uint64_t age_s(struct xen_host *h)
{
    struct xlp_snapshot s;
    uint64_t age_ns;

    xlp_snapshot_init(&s);
    ck_assert_int_eq(xlp_xen_observe(&h->base, &s), 0);
    age_ns = xlp_snapshot_domain(&s, 1)->age_ns;
    xlp_snapshot_dispose(&s);
    return age_ns / XEN_NS_PER_S;
}

/* When domain 1 was created, on the wall. */
static void put_created(long long seconds_ago)
{
    char text[32];

    snprintf(text, sizeof(text), "%lld", (long long)time(NULL) - seconds_ago);
    fake_put("/vm/00000000-0000-0000-0000-000000000001/start_time", text);
}

START_TEST(the_time_a_guest_was_built_or_paused_does_not_count_as_its_age)
{
    struct xen_host *h = fake_open();

    put_created(20);
    fake_add(1, 1)->info.cpu_time = 0;
    ck_assert_uint_eq(age_s(h), 0);
    fake_domain(1)->info.cpu_time = 1;
    ck_assert_uint_lt(age_s(h), 15);
    fake_close(h);
}
END_TEST

START_TEST(a_guest_that_has_run_at_first_sight_is_as_old_as_its_creation)
{
    struct xen_host *h = fake_open();

    put_created(20); /* not earlier: the machine itself must be older than that */
    fake_add(1, 1);
    ck_assert_uint_ge(age_s(h), 20);
    fake_close(h);
}
END_TEST

/* Its process is there, and named so, when this returns. */
static pid_t start_saving(const char *domid)
{
    char path[64], line[64] = "";
    pid_t pid = fork();

    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execl("/proc/self/exe", "libxl-save-helper", "--save-domain", "5", "-1", domid, "1", "0",
              "0", (char *)NULL);
        _exit(127);
    }
    snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
    while (!strstr(line, "save-helper")) {
        FILE *file = fopen(path, "r");

        ck_assert_ptr_nonnull(file);
        ck_assert_uint_le(fread(line, 1, sizeof(line) - 1, file), sizeof(line));
        fclose(file);
    }
    return pid;
}

START_TEST(a_guest_that_is_saved_or_sent_is_migrating_and_keeps_its_size)
{
    struct xen_host *h = with_memory();
    struct xlp_snapshot s;
    pid_t pid;

    xlp_snapshot_init(&s);
    fake_add(5, 5); /* the number of the helper's stream, and not what it saves */
    pid = start_saving("1");
    h->saved_looked_ns = 0; /* for it started in the same moment */
    ck_assert_int_eq(size(h, XLP_SET_TARGET, 500, 500), XLP_NOT_DONE_BUSY);
    ck_assert_int_eq(limit_mib(), 400);
    ck_assert_int_eq(xlp_xen_observe(&h->base, &s), 0);
    ck_assert_uint_eq(s.domains[0].flags, XLP_DOMAIN_MIGRATING);
    ck_assert_uint_eq(s.domains[1].flags, 0);

    kill(pid, SIGKILL);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    h->saved_looked_ns = 0;
    ck_assert_int_eq(xlp_xen_observe(&h->base, &s), 0);
    ck_assert_uint_eq(s.domains[0].flags, 0);
    ck_assert_int_eq(size(h, XLP_SET_TARGET, 500, 500), XLP_DONE);
    xlp_snapshot_dispose(&s);
    fake_close(h);
}
END_TEST

START_TEST(a_guest_that_was_paused_since_the_look_is_left_alone_but_released)
{
    struct xen_host *h = with_memory();

    ck_assert_int_eq(place(h, 1, "1"), XLP_DONE);
    ck_assert_int_eq(size(h, XLP_SET_TARGET, 300, 300), XLP_DONE);
    look(h);
    fake_domain(1)->info.flags = XEN_DOMINF_paused;
    ck_assert_int_eq(place(h, 1, "2"), XLP_NOT_DONE_BUSY);
    ck_assert_int_eq(size(h, XLP_SET_WEIGHT, 0, 0), XLP_NOT_DONE_BUSY);
    ck_assert_int_eq(size(h, XLP_SET_TARGET, 350, 350), XLP_NOT_DONE_BUSY);
    fake_domain(1)->info.flags = XEN_DOMINF_shutdown;
    ck_assert_int_eq(place(h, 1, "2"), XLP_NOT_DONE_BUSY);
    fake_domain(1)->info.flags = XEN_DOMINF_paused;
    ck_assert_int_eq(size(h, XLP_RELEASE_TARGET, 400, 400), XLP_DONE);
    ck_assert_int_eq(fake_domain(1)->hard, 1 << 1);
    fake_close(h);
}
END_TEST

/* ---- what fails ---- */

START_TEST(a_domain_that_cannot_be_looked_at_is_left_out_with_a_note)
{
    struct xen_host *h = fake_open();
    struct xlp_snapshot s;

    xlp_snapshot_init(&s);
    fake_add(1, 1);
    fake_add(2, 2)->error = EACCES;
    ck_assert_int_eq(xlp_xen_observe(&h->base, &s), 0);
    ck_assert_ptr_nonnull(xlp_snapshot_domain(&s, 1));
    ck_assert_ptr_null(xlp_snapshot_domain(&s, 2));
    ck_assert_ptr_nonnull(strstr(xlp_host_note(&h->base), "domain 2 is left out: "));
    fake_domain(2)->error = 0;
    ck_assert_int_eq(xlp_xen_observe(&h->base, &s), 0);
    ck_assert_ptr_nonnull(xlp_snapshot_domain(&s, 2));
    ck_assert_str_eq(xlp_host_note(&h->base), "");
    xlp_snapshot_dispose(&s);
    fake_close(h);
}
END_TEST

START_TEST(a_host_none_of_whose_domains_can_be_looked_at_is_not_observed)
{
    struct xen_host *h = fake_open();
    struct xlp_snapshot s;

    xlp_snapshot_init(&s);
    fake_add(1, 1)->error = EACCES;
    fake_add(2, 2)->error = EACCES;
    ck_assert_int_eq(xlp_xen_observe(&h->base, &s), -1);
    xlp_snapshot_dispose(&s);
    fake_close(h);
}
END_TEST

START_TEST(a_watch_that_fails_once_is_set_again_with_those_that_did_not)
{
    struct xen_host *h = fake_open();

    fake_add(1, 1);
    fake_add(2, 2);
    fake.fail_watch = XLP_REPORT_AGENT_KEY;
    look(h);
    ck_assert(!xlp_xen_domain(h, 1)->watched);
    fake.fail_watch = NULL;
    look(h);
    ck_assert(xlp_xen_domain(h, 1)->watched && xlp_xen_domain(h, 2)->watched);
    ck_assert_uint_eq(fake.watch_count, 2 + 2 * XEN_WATCHES);
    fake_close(h);
}
END_TEST

START_TEST(waiting_goes_on_where_nothing_can_be_watched)
{
    struct xen_host *h = fake_open();

    h->watching = false; /* as before the first wait */
    fake.watch_count = 0;
    fake.fail_watch = "@releaseDomain";
    ck_assert_int_eq(xlp_xen_wait(&h->base, xlp_xen_now_ns(), NULL, 0), XLP_WAKE_TIME);
    ck_assert(!h->watching);
    fake.fail_watch = NULL;
    ck_assert_int_eq(xlp_xen_wait(&h->base, xlp_xen_now_ns(), NULL, 0), XLP_WAKE_TIME);
    ck_assert(h->watching);
    fake_close(h);
}
END_TEST

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

CHECK_CASE(looking, an_event_is_told_once,
           after_a_failed_look_no_vcpu_of_a_domain_that_went_is_looked_at,
           the_time_a_guest_was_built_or_paused_does_not_count_as_its_age,
           a_guest_that_has_run_at_first_sight_is_as_old_as_its_creation)
CHECK_CASE(again, a_look_reads_only_so_many_vcpus_again, each_has_its_turn,
           where_a_pool_changed_all_are_read_at_once, a_command_is_about_all_as_it_is_now,
           who_only_reads_holds_no_record_against_masks_from_before,
           a_pool_that_changed_is_not_forgotten_when_the_look_fails,
           what_a_look_did_not_come_to_is_read_at_the_next,
           a_weight_that_could_not_be_read_is_read_at_the_next_look,
           an_affinity_that_someone_else_changed_is_read_at_the_next_look)
CHECK_CASE(passthrough, a_guest_whose_configuration_cannot_be_read_may_have_a_device,
           a_guest_that_took_long_to_build_is_known_when_it_first_runs,
           a_list_of_devices_is_passthrough_without_a_word_about_it,
           the_devices_of_a_device_models_domain_are_its_guests)
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
CHECK_CASE(memory, a_growth_that_fails_leaves_neither_a_limit_nor_a_record,
           a_limit_that_cannot_be_taken_back_stays_on_record,
           a_target_that_xenstore_did_not_take_was_not_set,
           a_release_is_not_done_before_the_limit_is_the_original,
           a_release_in_steps_keeps_the_record_until_the_last,
           a_guest_that_is_saved_or_sent_is_migrating_and_keeps_its_size,
           a_guest_that_was_paused_since_the_look_is_left_alone_but_released)
CHECK_CASE(failing, a_domain_that_cannot_be_looked_at_is_left_out_with_a_note,
           a_host_none_of_whose_domains_can_be_looked_at_is_not_observed,
           a_watch_that_fails_once_is_set_again_with_those_that_did_not,
           waiting_goes_on_where_nothing_can_be_watched,
           a_lost_connection_is_made_again_and_the_ledger_with_it)
CHECK_MAIN("xen", looking, again, passthrough, ledger, gone, twins, memory, failing)
