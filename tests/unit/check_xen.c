/* SPDX-License-Identifier: LGPL-2.1-only */
/* The Xen adapter where calls fail. What it does on real Xen is in tests/lab/check_adapter.py. */
#include "check_main.h"
#include "fake_xen.h"

/* ---- looking ---- */

START_TEST(after_a_failed_look_no_vcpu_of_a_domain_that_went_is_looked_at)
{
    struct xen_host *h = fake_open();
    struct xlp_snapshot s;

    xlp_snapshot_init(&s);
    fake_add(1, 1)->info.max_vcpu_id = 0;
    fake_add(2, 2)->info.max_vcpu_id = 1; /* so that each of its vCPUs is asked for */
    h->pcpus[0].saturated = true;
    ck_assert_int_eq(fake_look(h, &s), 0);

    fake_remove(2);
    fake.fail_path = "/"; /* xenstored is gone */
    fake.fail_error = EBADF;
    ck_assert_int_eq(fake_look(h, &s), -1);
    fake.fail_path = NULL;
    fake.looks = 0;
    ck_assert_int_ge(xlp_xen_wait(&h->base, xlp_xen_now_ns() + 150 * XEN_NS_PER_MS, NULL, 0), 0);
    ck_assert_uint_eq(fake.looks, 0);
    xlp_snapshot_dispose(&s);
    fake_close(h);
}
END_TEST

CHECK_CASE(looking, after_a_failed_look_no_vcpu_of_a_domain_that_went_is_looked_at)
CHECK_MAIN("xen", looking)
