/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the Check programs of the memory half share: one model, and short words for looking at it.
 */
#ifndef XLPOLICY_TESTS_MEMORY_FIXTURE_H
#define XLPOLICY_TESTS_MEMORY_FIXTURE_H

#include "check_main.h"

#include "memory_model.h"

static struct model m;

static inline void start(void)
{
    model_init(&m);
    ck_assert_ptr_nonnull(m.memory);
    m.policy.mem_reserve_kib = 50 * MIB;
}

static inline void stop(void)
{
    model_dispose(&m);
}

static inline void set(const char *name, const char *value)
{
    char error[256];

    ck_assert_msg(xlp_policy_set(&m.policy, name, value, error, sizeof(error)) == 0, "%s", error);
}

static inline void set_domain(const char *text)
{
    char error[256];

    ck_assert_msg(xlp_policy_add_domain(&m.policy, text, error, sizeof(error)) == 0, "%s", error);
}

static inline void free_above_reserve(int64_t mib)
{
    m.free_kib = m.lowest_free_kib = (50 + mib) * MIB;
}

/* Four guests of 512 MiB, floor 200, at most 2048, and 256 MiB free above the reserve. */
static inline void four_guests(void)
{
    set_domain("*: floor=200m");
    free_above_reserve(256);
    for (int i = 0; i < 4; i++)
        model_add(&m, 512, 2048, 150);
}

static inline double deficit(void)
{
    double sum = 0;

    for (size_t i = 0; i < m.count; i++)
        sum += m.guest[i].deficit_mib_s;
    return sum;
}

static inline unsigned int changes(void)
{
    unsigned int sum = 0;

    for (size_t i = 0; i < m.count; i++)
        sum += m.guest[i].changes;
    return sum;
}

static inline void run_from_start(unsigned int seconds)
{
    model_tick(&m, true);
    model_run(&m, seconds - 1);
}

static inline enum xlp_reason_code code_of(size_t guest)
{
    return m.plan.verdicts[guest].memory.code;
}

/* The action on this guest in the last plan, NULL for none. */
static inline const struct xlp_action *action_on(size_t guest)
{
    for (size_t i = 0; i < m.plan.action_count; i++)
        if (m.plan.actions[i].domid == m.guest[guest].domid)
            return &m.plan.actions[i];
    return NULL;
}

static inline void assert_code(size_t guest, enum xlp_reason_code code)
{
    ck_assert_str_eq(xlp_reason_name(code_of(guest)), xlp_reason_name(code));
}

static inline TCase *with_fixture(const char *name)
{
    TCase *tcase = tcase_create(name);

    tcase_add_checked_fixture(tcase, start, stop);
    tcase_set_timeout(tcase, 30);
    return tcase;
}

#endif
