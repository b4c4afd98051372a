/* SPDX-License-Identifier: LGPL-2.1-only */
/* Whose a vCPU's affinity is, and where we may place it. */
#include "check_main.h"
#include "cpu/ownership.h"
#include "made_host.h"

static struct xlp_snapshot s;
static struct xlp_policy policy;

static void made_four(void)
{
    made_host(&s, 4, XLP_SCHED_CREDIT2);
    made_guest(&s, 1, 1);
    xlp_policy_init(&policy);
    policy.cpu_affinity = XLP_AFFINITY_HARD;
}

static struct pool_facts facts_of_pool(void)
{
    static struct map_facts maps[64];
    static struct xlp_cpumap map_slots[64];
    static struct slot slots[16];
    struct pool_facts facts;

    ck_assert_uint_le(s.map_count, 64);
    xlp_pool_facts(&s, &s.pools[0], slots, maps, map_slots, &facts);
    return facts;
}

static struct tenure tenure_of(uint32_t domid)
{
    const struct xlp_vcpu *v = xlp_snapshot_vcpu(&s, domid, 0);
    struct pool_facts facts = facts_of_pool();
    const struct xlp_domain *d = &s.domains[v->domain];
    struct xlp_domain_policy terms = xlp_policy_for(&policy, d->name);
    struct tenure t;

    xlp_tenure(v, &facts, &policy, xlp_domain_tenure(d, &policy, &terms), &t);
    return t;
}

static void wrote(uint32_t domid, const char *original, const char *ours, const char *now)
{
    uint32_t all = made_map(&s, "all"), was = made_map(&s, original), our = made_map(&s, ours);

    made_pin(&s, domid, 0, now);
    made_vcpu(&s, domid, 0)->ledger = (struct xlp_vcpu_ledger){true, was, all, our, all};
}

START_TEST(a_pin_by_the_operator_is_left_alone_until_adopted)
{
    made_four();
    made_pin(&s, 1, 0, "2");
    ck_assert(!tenure_of(1).movable);
    ck_assert_int_eq(tenure_of(1).verdict, XLP_REASON_CPU_OPERATOR_PIN);
    ck_assert_int_eq(tenure_of(1).number, 2);
    policy.adopt = 1;
    ck_assert(tenure_of(1).movable);
    ck_assert_uint_eq(tenure_of(1).home, 2);
    xlp_snapshot_dispose(&s);
}
END_TEST

START_TEST(what_we_wrote_is_ours_and_what_was_edited_since_is_not)
{
    made_four();
    wrote(1, "all", "3", "3");
    ck_assert(tenure_of(1).movable);
    wrote(1, "all", "3", "1");
    ck_assert_int_eq(tenure_of(1).verdict, XLP_REASON_CPU_TAKEN_BACK);
    policy.adopt = 1; /* adopting what is found does not reach what was taken back */
    ck_assert_int_eq(tenure_of(1).verdict, XLP_REASON_CPU_TAKEN_BACK);
    wrote(1, "all", "3", "all"); /* reset to all: free again */
    ck_assert(tenure_of(1).movable);
    xlp_snapshot_dispose(&s);
}
END_TEST

/* The slots it may have, as text; pCPUs and slots of the made host have the same numbers. */
static const char *allowed_to(uint32_t domid)
{
    static char text[32];
    const struct xlp_cpumap *slots = tenure_of(domid).allowed;

    return slots ? xlp_cpumap_format(slots, text, sizeof(text)) : "any";
}

START_TEST(a_hard_mask_of_several_pcpus_is_a_limit_to_stay_within)
{
    made_four();
    made_pin(&s, 1, 0, "1-3");
    ck_assert(tenure_of(1).movable);
    ck_assert_str_eq(allowed_to(1), "1-3");

    wrote(1, "1-3", "2", "2"); /* narrowed by us since: the limit still holds */
    ck_assert_str_eq(allowed_to(1), "1-3");
    xlp_snapshot_dispose(&s);
}
END_TEST

START_TEST(a_limit_of_which_one_pcpu_is_left_is_no_pin)
{
    made_four();
    wrote(1, "2-3", "2", "2");
    s.pcpus[3].online = false;
    ck_assert_str_eq(allowed_to(1), "2");
    made_pin(&s, 1, 0, "2-3");
    made_vcpu(&s, 1, 0)->ledger.recorded = false;
    ck_assert(tenure_of(1).movable);
    ck_assert_str_eq(allowed_to(1), "2");
    xlp_snapshot_dispose(&s);
}
END_TEST

START_TEST(a_vcpu_that_may_run_anywhere_is_not_pinned_in_a_pool_of_one)
{
    made_host(&s, 1, XLP_SCHED_CREDIT2);
    made_guest(&s, 1, 1);
    xlp_policy_init(&policy);
    policy.cpu_affinity = XLP_AFFINITY_HARD;
    ck_assert(tenure_of(1).movable);
    xlp_snapshot_dispose(&s);
}
END_TEST

START_TEST(who_resets_an_affinity_to_all_means_all)
{
    made_four();
    wrote(1, "2-3", "2", "all");
    ck_assert_str_eq(allowed_to(1), "any");
    xlp_snapshot_dispose(&s);
}
END_TEST

/* libxl gives each guest it places on a NUMA host the pCPUs of its nodes as soft affinity. */
START_TEST(a_soft_affinity_of_whole_nodes_is_a_home_and_no_preference_of_the_operators)
{
    made_four();
    s.pcpus[2].node = s.pcpus[3].node = 1;
    made_vcpu(&s, 1, 0)->soft = made_map(&s, "2-3");
    ck_assert(tenure_of(1).movable);
    ck_assert_uint_eq(tenure_of(1).home_node, 1);
    made_vcpu(&s, 1, 0)->soft = made_map(&s, "1-3");
    ck_assert_int_eq(tenure_of(1).verdict, XLP_REASON_CPU_OPERATOR_PREFERENCE);
    xlp_snapshot_dispose(&s);
}
END_TEST

START_TEST(soft_mode_leaves_one_run_queue_to_the_scheduler)
{
    made_four();
    policy.cpu_affinity = XLP_AFFINITY_SOFT;
    ck_assert_int_eq(tenure_of(1).verdict, XLP_REASON_CPU_SCHED_BALANCES);
    s.pcpus[2].socket = s.pcpus[3].socket = 1;
    ck_assert(tenure_of(1).movable);
    s.pools[0].sched = XLP_SCHED_RTDS;
    ck_assert_int_eq(tenure_of(1).verdict, XLP_REASON_CPU_SOFT_IGNORED);
    xlp_snapshot_dispose(&s);
}
END_TEST

START_TEST(soft_mode_writes_a_preference_and_lifts_an_adopted_pin)
{
    const struct xlp_vcpu *v;
    struct xlp_cpumap two = xlp_cpumap_of(2), hard, soft;
    struct tenure t;
    char text[32];

    made_four();
    made_pin(&s, 1, 0, "0");
    policy.adopt = 1;
    policy.cpu_affinity = XLP_AFFINITY_SOFT;
    v = xlp_snapshot_vcpu(&s, 1, 0);
    t = tenure_of(1);
    ck_assert(t.movable);
    xlp_tenure_masks(&s, v, &t, &policy, &two, &hard, &soft);
    ck_assert_str_eq(xlp_cpumap_format(&hard, text, sizeof(text)), "all");
    ck_assert_str_eq(xlp_cpumap_format(&soft, text, sizeof(text)), "2");
    xlp_snapshot_dispose(&s);
}
END_TEST

START_TEST(an_affinity_outside_the_pool_cannot_be_served)
{
    made_four();
    made_pin(&s, 1, 0, "6-7");
    ck_assert_int_eq(tenure_of(1).verdict, XLP_REASON_CPU_NOWHERE);
    xlp_snapshot_dispose(&s);
}
END_TEST

START_TEST(nothing_is_done_to_a_guest_in_transit_or_excluded)
{
    const struct {
        unsigned int flag;
        enum xlp_reason_code code;
    } states[] = {{XLP_DOMAIN_PAUSED, XLP_REASON_PAUSED},
                  {XLP_DOMAIN_BUILDING, XLP_REASON_BUILDING},
                  {XLP_DOMAIN_MIGRATING, XLP_REASON_MIGRATING},
                  {XLP_DOMAIN_SHUTDOWN, XLP_REASON_SHUTDOWN},
                  {XLP_DOMAIN_DYING, XLP_REASON_DYING}};
    char error[128];

    made_four();
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        s.domains[0].flags = states[i].flag;
        ck_assert_int_eq(tenure_of(1).verdict, states[i].code);
    }
    s.domains[0].flags = 0;
    s.domains[0].released = true;
    ck_assert_int_eq(tenure_of(1).verdict, XLP_REASON_RELEASED);
    s.domains[0].released = false;
    ck_assert_int_eq(xlp_policy_add_domain(&policy, "vm*: cpu=0", error, sizeof(error)), 0);
    ck_assert_int_eq(tenure_of(1).verdict, XLP_REASON_CPU_EXCLUDED);
    xlp_policy_dispose(&policy);
    policy.cpu_policy = XLP_CPU_OFF;
    ck_assert_int_eq(tenure_of(1).verdict, XLP_REASON_CPU_OFF);
    xlp_snapshot_dispose(&s);
}
END_TEST

CHECK_CASE(pins, a_pin_by_the_operator_is_left_alone_until_adopted,
           what_we_wrote_is_ours_and_what_was_edited_since_is_not,
           a_vcpu_that_may_run_anywhere_is_not_pinned_in_a_pool_of_one)
CHECK_CASE(limits, a_hard_mask_of_several_pcpus_is_a_limit_to_stay_within,
           a_limit_of_which_one_pcpu_is_left_is_no_pin, who_resets_an_affinity_to_all_means_all,
           an_affinity_outside_the_pool_cannot_be_served,
           a_soft_affinity_of_whole_nodes_is_a_home_and_no_preference_of_the_operators)
CHECK_CASE(modes, soft_mode_leaves_one_run_queue_to_the_scheduler,
           soft_mode_writes_a_preference_and_lifts_an_adopted_pin)
CHECK_CASE(states, nothing_is_done_to_a_guest_in_transit_or_excluded)
CHECK_MAIN("ownership", pins, limits, modes, states)
