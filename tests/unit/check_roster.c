/* SPDX-License-Identifier: LGPL-2.1-only */
/* Who is the same as on the tick before, and what is kept of what the configuration says of them.
 */
#include "check_main.h"
#include "made_host.h"
#include "roster.h"

static struct xlp_snapshot s;
static struct xlp_policy policy;
static struct xlp_roster roster;

static void set_up(void)
{
    made_host(&s, 4, XLP_SCHED_CREDIT2);
    made_guest(&s, 1, 1);
    made_guest(&s, 2, 2);
    xlp_policy_init(&policy);
    xlp_roster_init(&roster);
}

static void tear_down(void)
{
    xlp_snapshot_dispose(&s);
    xlp_policy_dispose(&policy);
    xlp_roster_dispose(&roster);
}

static void call(void)
{
    ck_assert_int_eq(xlp_roster_call(&roster, &s, &policy), 0);
}

static void say(const char *text)
{
    char error[256];

    ck_assert_int_eq(xlp_policy_add_domain(&policy, text, error, sizeof(error)), 0);
}

START_TEST(the_same_are_those_of_the_call_before)
{
    call();
    ck_assert(!roster.same); /* nobody was known */
    call();
    ck_assert(roster.same);
}
END_TEST

START_TEST(a_newcomer_is_not_the_same)
{
    call();
    made_guest(&s, 3, 1);
    call();
    ck_assert(!roster.same);
    call();
    ck_assert(roster.same);
}
END_TEST

START_TEST(another_of_that_domid_is_not_the_same)
{
    call();
    s.domains[1].uuid[15] ^= 1;
    call();
    ck_assert(!roster.same);
}
END_TEST

START_TEST(another_number_of_vcpus_is_not_the_same)
{
    call();
    s.domains[1].vcpu_count--;
    call();
    ck_assert(!roster.same);
}
END_TEST

START_TEST(without_rules_all_are_usual)
{
    call();
    ck_assert(xlp_roster_terms(&roster, 1)->cpu);
    ck_assert_uint_eq(xlp_roster_terms(&roster, 1)->shares, 1000);
    ck_assert_ptr_eq(xlp_roster_terms(&roster, 1), xlp_roster_terms(&roster, 0));
}
END_TEST

/* Everything that is kept has to be what would be found anew. */
static void assert_terms_hold(void)
{
    call();
    for (size_t i = 0; i < s.domain_count; i++) {
        const struct xlp_domain_policy *kept = xlp_roster_terms(&roster, i);
        struct xlp_domain_policy due = xlp_policy_for(&policy, s.domains[i].name);

        ck_assert_int_eq(kept->cpu, due.cpu);
        ck_assert_uint_eq(kept->shares, due.shares);
    }
}

START_TEST(terms_follow_rules_names_and_places)
{
    say("vm1: shares=300");
    assert_terms_hold();
    ck_assert_uint_eq(xlp_roster_terms(&roster, 0)->shares, 300);
    xlp_name_copy(s.domains[0].name, "vm7"); /* renamed */
    assert_terms_hold();
    ck_assert_uint_eq(xlp_roster_terms(&roster, 0)->shares, 1000);
    say("vm*: cpu=0");
    assert_terms_hold();
    policy.domains[1].cpu = true; /* as many rules as before, but another */
    assert_terms_hold();
    made_guest(&s, 3, 1);
    assert_terms_hold();
    s.domain_count = 1;
    assert_terms_hold();
    policy.domain_count = 0;
    assert_terms_hold();
}
END_TEST

START_TEST(memory_is_quiet_until_somebody_reports_or_something_was_written)
{
    call();
    ck_assert(roster.memory_quiet);
    s.domains[1].memory.report.source = XLP_REPORT_AGENT;
    call();
    ck_assert(!roster.memory_quiet);
    s.domains[1].memory.report.source = XLP_REPORT_NONE;
    s.domains[1].memory.report_bad = true;
    call();
    ck_assert(!roster.memory_quiet);
    s.domains[1].memory.report_bad = false;
    s.domains[0].memory.ledger.recorded = true;
    call();
    ck_assert(!roster.memory_quiet);
}
END_TEST

#define FIXTURE_CASE(name, ...) CHECK_FIXTURE_CASE(name, set_up, tear_down, __VA_ARGS__)

FIXTURE_CASE(same, the_same_are_those_of_the_call_before, a_newcomer_is_not_the_same,
             another_of_that_domid_is_not_the_same, another_number_of_vcpus_is_not_the_same)
FIXTURE_CASE(terms, without_rules_all_are_usual, terms_follow_rules_names_and_places)
FIXTURE_CASE(memory, memory_is_quiet_until_somebody_reports_or_something_was_written)

CHECK_MAIN("roster", same, terms, memory)
