/* SPDX-License-Identifier: LGPL-2.1-only */
/* The Xen adapter's looks where calls fail. What it does on real Xen is in
 * tests/lab/check_adapter.py. */
#include <time.h>

#include "check_main.h"
#include "fake_xen_steps.h"

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

static uint32_t device_node(struct xen_host *h)
{
    struct xlp_snapshot s;
    uint32_t node;

    xlp_snapshot_init(&s);
    ck_assert_int_eq(xlp_xen_observe(&h->base, &s), 0);
    node = xlp_snapshot_domain(&s, 1)->device_node;
    xlp_snapshot_dispose(&s);
    return node;
}

/* Of a guest with two devices, one on each of these nodes. */
static uint32_t node_of_two(uint32_t first, uint32_t second)
{
    struct xen_host *h = fake_open();
    uint32_t node;

    fake_add(1, 1);
    fake.nodes[0] = first;
    fake.nodes[1] = second;
    fake_put("/local/domain/0/backend/pci/1/0/num_devs", "2");
    fake_put("/local/domain/0/backend/pci/1/0/dev-0", "0000:01:00.0");
    fake_put("/local/domain/0/backend/pci/1/0/dev-1", "0000:02:00.1");
    node = device_node(h);
    fake_close(h);
    return node;
}

START_TEST(a_guest_is_on_the_node_that_xen_knows_for_all_its_devices)
{
    ck_assert_uint_eq(node_of_two(1, 1), 1);
    ck_assert_uint_eq(node_of_two(0, 0), 0);
    ck_assert_uint_eq(node_of_two(0, 1), XLP_UNKNOWN);
    ck_assert_uint_eq(node_of_two(1, LIBXL_PCITOPOLOGY_INVALID_ENTRY), XLP_UNKNOWN);
    ck_assert_uint_eq(node_of_two(LIBXL_PCITOPOLOGY_INVALID_ENTRY, 1), XLP_UNKNOWN);
}
END_TEST

START_TEST(where_xen_knows_no_node_there_is_none)
{
    struct xen_host *h = fake_open();

    fake_add(1, 1);
    ck_assert_uint_eq(device_node(h), XLP_UNKNOWN);
    fake_put("/local/domain/0/backend/pci/1/0/num_devs", "1");
    fake_put("/local/domain/0/backend/pci/1/0/dev-0", "0000:99:00.0"); /* Xen has not heard of it */
    ck_assert_uint_eq(device_node(h), XLP_UNKNOWN);
    fake_put("/local/domain/0/backend/pci/1/0/dev-0", "0000:01:00.0");
    fake.nodes[0] = 1;
    ck_assert_uint_eq(device_node(h), 1);
    fake.no_topology = true;
    ck_assert_uint_eq(device_node(h), XLP_UNKNOWN);
    fake_close(h);
}
END_TEST

/* ---- a guest's age ---- */

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
           the_devices_of_a_device_models_domain_are_its_guests,
           a_guest_is_on_the_node_that_xen_knows_for_all_its_devices,
           where_xen_knows_no_node_there_is_none)
CHECK_CASE(failing, a_domain_that_cannot_be_looked_at_is_left_out_with_a_note,
           a_host_none_of_whose_domains_can_be_looked_at_is_not_observed,
           a_watch_that_fails_once_is_set_again_with_those_that_did_not,
           waiting_goes_on_where_nothing_can_be_watched)
CHECK_MAIN("xen", looking, again, passthrough, failing)
