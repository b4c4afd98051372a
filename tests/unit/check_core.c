/* SPDX-License-Identifier: LGPL-2.1-only */
/* Sets of pCPUs, snapshots, reasons and policy parameters. */
#include <stdio.h>

#include "check_main.h"
#include "made_host.h"
#include "plan.h"
#include "policy.h"
#include "reason.h"

/* ---- cpumap ---- */

static const char *round_trip(const char *text)
{
    static char again[XLP_CPUMAP_TEXT_MAX];
    struct xlp_cpumap map;

    if (xlp_cpumap_parse(text, &map) < 0)
        return "refused";
    return xlp_cpumap_format(&map, again, sizeof(again));
}

START_TEST(sets_are_read_and_written_in_xls_notation)
{
    ck_assert_str_eq(round_trip("0-3,6"), "0-3,6");
    ck_assert_str_eq(round_trip("6,0,1,2,3"), "0-3,6");
    ck_assert_str_eq(round_trip("0-7,^2"), "0-1,3-7");
    ck_assert_str_eq(round_trip("all"), "all");
    ck_assert_str_eq(round_trip("none"), "none");
    ck_assert_str_eq(round_trip("1023"), "1023");
    ck_assert_str_eq(round_trip("63-64"), "63-64");
}
END_TEST

START_TEST(malformed_sets_are_refused)
{
    const char *const bad[] = {"",     ",",      "1,", "1-", "-1", "3-1",
                               "1024", "0-1024", "x",  "1 ", "^",  "99999999999"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(strcmp(round_trip(bad[i]), "refused") == 0, "\"%s\" was accepted", bad[i]);
}
END_TEST

START_TEST(a_set_that_does_not_fit_is_cut_at_a_comma)
{
    struct xlp_cpumap map;
    char text[8];

    ck_assert_int_eq(xlp_cpumap_parse("10,12,14", &map), 0);
    ck_assert_str_eq(xlp_cpumap_format(&map, text, sizeof(text)), "10,12");
}
END_TEST

START_TEST(members_are_walked_across_words)
{
    struct xlp_cpumap map;
    uint32_t seen[3], count = 0;

    ck_assert_int_eq(xlp_cpumap_parse("5,64,1023", &map), 0);
    for (uint32_t p = xlp_cpumap_next(&map, 0); p < XLP_PCPUS_MAX; p = xlp_cpumap_next(&map, p + 1))
        seen[count++] = p;
    ck_assert_uint_eq(count, 3);
    ck_assert_uint_eq(seen[0], 5);
    ck_assert_uint_eq(seen[1], 64);
    ck_assert_uint_eq(seen[2], 1023);
    ck_assert_uint_eq(xlp_cpumap_count(&map), 3);
}
END_TEST

/* ---- snapshot ---- */

START_TEST(equal_sets_are_kept_once)
{
    struct xlp_snapshot s;
    size_t before;

    made_host(&s, 4, XLP_SCHED_CREDIT2);
    ck_assert_uint_eq(made_map(&s, "all"), 0);
    before = s.map_count;
    for (uint32_t i = 0; i < 1000; i++)
        ck_assert_uint_ne(xlp_snapshot_intern(&s, &(struct xlp_cpumap){{i % 200 + 1000}}),
                          XLP_UNKNOWN);
    ck_assert_uint_eq(s.map_count, before + 200);
    xlp_snapshot_dispose(&s);
}
END_TEST

START_TEST(a_reset_snapshot_forgets_but_keeps_its_room)
{
    struct xlp_snapshot s;
    const struct xlp_domain *room;

    made_host(&s, 4, XLP_SCHED_CREDIT2);
    made_guest(&s, 1, 2);
    room = s.domains;
    xlp_snapshot_reset(&s);
    ck_assert_uint_eq(s.domain_count + s.vcpu_count + s.map_count + s.pcpu_count, 0);
    made_guest(&s, 7, 1);
    ck_assert_ptr_eq(s.domains, room);
    ck_assert_uint_eq(made_map(&s, "all"), 0);
    ck_assert_ptr_nonnull(xlp_snapshot_domain(&s, 7));
    ck_assert_ptr_null(xlp_snapshot_domain(&s, 1));
    xlp_snapshot_dispose(&s);
    xlp_snapshot_dispose(&s);
}
END_TEST

START_TEST(domains_and_vcpus_are_found)
{
    struct xlp_snapshot s;

    made_host(&s, 4, XLP_SCHED_CREDIT2);
    for (uint32_t domid = 0; domid < 50; domid += 5)
        made_guest(&s, domid, 2);
    ck_assert_uint_eq(xlp_snapshot_domain(&s, 45)->domid, 45);
    ck_assert_ptr_null(xlp_snapshot_domain(&s, 46));
    memcpy(s.domains[4].name, "45", 3); /* an id comes before a name */
    ck_assert_uint_eq(xlp_snapshot_find_domain(&s, "vm10")->domid, 10);
    ck_assert_uint_eq(xlp_snapshot_find_domain(&s, "45")->domid, 45);
    ck_assert_ptr_null(xlp_snapshot_find_domain(&s, "46"));
    ck_assert_ptr_null(xlp_snapshot_find_domain(&s, "4294967341")); /* 45 and 2^32 */
    ck_assert_ptr_null(xlp_snapshot_find_domain(&s, "vm1"));
    ck_assert_ptr_null(xlp_snapshot_find_domain(&s, ""));
    ck_assert_uint_eq(xlp_snapshot_vcpu(&s, 20, 1)->id, 1);
    ck_assert_ptr_null(xlp_snapshot_vcpu(&s, 20, 2));
    xlp_snapshot_dispose(&s);
}
END_TEST

static const char *check_of(struct xlp_snapshot *s)
{
    static char error[256];

    return xlp_snapshot_check(s, error, sizeof(error)) == 0 ? "good" : error;
}

START_TEST(a_wrong_snapshot_is_named_for_what_is_wrong)
{
    struct xlp_snapshot s;

    made_host(&s, 4, XLP_SCHED_CREDIT2);
    made_guest(&s, 1, 1);
    made_guest(&s, 2, 1);
    ck_assert_str_eq(check_of(&s), "good");

    s.domains[1].domid = 1;
    ck_assert_str_eq(check_of(&s), "domain 1 stands after domain 1: they must rise");
    s.domains[1].domid = 2;

    s.vcpus[1].hard = 99;
    ck_assert_str_eq(check_of(&s), "domain 2 vCPU 0 has no valid affinity");
    s.vcpus[1].hard = 0;

    s.pcpus[3].id = XLP_PCPUS_MAX;
    ck_assert_str_eq(check_of(&s), "pCPU 1024 is beyond the last that is supported, 1023");
    s.pcpus[3].id = 3;

    s.domains[0].memory.actual_kib = -1;
    ck_assert_str_eq(check_of(&s), "domain 1 has a memory size of -1 KiB, out of range");
    s.domains[0].memory.actual_kib = 0;

    s.domains[0].vcpu_count = 3;
    ck_assert_str_eq(check_of(&s), "domain 1 does not own the vCPUs it should");
    xlp_snapshot_dispose(&s);
}
END_TEST

START_TEST(names_of_guests_cannot_carry_control_characters)
{
    char name[XLP_NAME_SIZE], longer[200];

    xlp_name_copy(name, "web\x1b[31m\n1");
    ck_assert_str_eq(name, "web?[31m?1");
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    xlp_name_copy(name, longer);
    ck_assert_uint_eq(strlen(name), XLP_NAME_SIZE - 1);
}
END_TEST

START_TEST(uuids_are_read_and_written)
{
    const char *text = "00112233-4455-6677-8899-aabbccddeeff";
    uint8_t uuid[16];
    char again[XLP_UUID_TEXT_SIZE];

    ck_assert_int_eq(xlp_uuid_parse(text, uuid), 0);
    ck_assert_str_eq(xlp_uuid_format(uuid, again), text);
    ck_assert_int_eq(xlp_uuid_parse("00112233-4455-6677-8899-aabbccddeef", uuid), -1);
    ck_assert_int_eq(xlp_uuid_parse("00112233-4455-6677-8899-aabbccddeeff0", uuid), -1);
    ck_assert_int_eq(xlp_uuid_parse("0011223344556677-8899-aabbccddeeff--", uuid), -1);
}
END_TEST

/* ---- reasons ---- */

START_TEST(a_reason_is_a_sentence_with_its_numbers)
{
    struct xlp_reason r = {XLP_REASON_MEM_HOST_RESERVE, {400 * 1024, 1210 * 1024, 1024 * 1024}};
    char text[256];

    ck_assert_str_eq(xlp_reason_format(&r, text, sizeof(text)),
                     "host reserve short by 400 MiB; it uses 1210 MiB, floor 1024 MiB");
    r = (struct xlp_reason){XLP_REASON_CPU_EVEN, {1250, 0, 10000, 3, 550}};
    ck_assert_str_eq(xlp_reason_format(&r, text, sizeof(text)),
                     "needs 12.5 %: pCPU 0 carries 100.0 %, pCPU 3 only 5.5 %");
    ck_assert_int_eq(strlen(xlp_reason_format(&r, text, 10)), 9);
}
END_TEST

/* Numbers come from files, and from whoever answers on the control socket. */
START_TEST(the_largest_numbers_are_rounded_like_all_others)
{
    struct xlp_reason r = {XLP_REASON_MEM_MOVING, {INT64_MAX, INT64_MIN}};
    char text[256];

    ck_assert_str_eq(xlp_reason_format(&r, text, sizeof(text)),
                     "on its way: has 9007199254740992 MiB, target -9007199254740992 MiB");
    r = (struct xlp_reason){XLP_REASON_MEM_MOVING, {511, 512}};
    ck_assert_str_eq(xlp_reason_format(&r, text, sizeof(text)),
                     "on its way: has 0 MiB, target 1 MiB");
    r = (struct xlp_reason){XLP_REASON_MEM_MOVING, {-511, -512}};
    ck_assert_str_eq(xlp_reason_format(&r, text, sizeof(text)),
                     "on its way: has 0 MiB, target -1 MiB");
}
END_TEST

/* Every "{field}" of every sentence is a field of that reason, and every name is there once. */
START_TEST(the_table_of_reasons_is_consistent)
{
    for (int code = 0; code < XLP_REASON_COUNT; code++) {
        struct xlp_reason r = {.code = code};
        char text[512], field[32];

        ck_assert_int_eq(xlp_reason_by_name(xlp_reason_name(code)), code);
        ck_assert_uint_le(xlp_reason_field_count(code), XLP_REASON_NUMBERS_MAX);
        for (size_t i = 0; i < xlp_reason_field_count(code); i++)
            r.number[i] = 7777777;
        xlp_reason_format(&r, text, sizeof(text));
        ck_assert_msg(!strpbrk(text, "{}"), "%s", text);
        ck_assert_msg(!strstr(text, "  ") && !strstr(text, " ,") && !strstr(text, " ;"),
                      "a field of %s has no number: %s", xlp_reason_name(code), text);
        for (size_t i = 0; i < xlp_reason_field_count(code); i++)
            ck_assert_uint_gt(strlen(xlp_reason_field(code, i, field)), 0);
    }
    ck_assert_int_eq(xlp_reason_by_name("no-such-reason"), -1);
}
END_TEST

/* ---- policy ---- */

START_TEST(every_setting_takes_its_default_back)
{
    struct xlp_policy p, again;
    char text[64], error[256];

    xlp_policy_init(&p);
    xlp_policy_init(&again);
    for (size_t i = 0; i < xlp_setting_count; i++) {
        const struct xlp_setting *setting = &xlp_settings[i];

        ck_assert_int_ge(setting->standard, setting->min);
        ck_assert_int_le(setting->standard, setting->max);
        xlp_policy_get(&p, setting, text, sizeof(text));
        ck_assert_msg(xlp_policy_set(&again, setting->name, text, error, sizeof(error)) == 0, "%s",
                      error);
    }
    ck_assert_mem_eq(&p, &again, sizeof(p));
}
END_TEST

START_TEST(a_wrong_value_is_answered_with_what_is_allowed)
{
    struct xlp_policy p;
    char error[256];

    xlp_policy_init(&p);
    ck_assert_int_eq(xlp_policy_set(&p, "cpu_policy", "fair", error, sizeof(error)), -1);
    ck_assert_str_eq(error, "cpu_policy: \"fair\" is not one of: off round-robin balance");
    ck_assert_int_eq(xlp_policy_set(&p, "tick_ms", "5", error, sizeof(error)), -1);
    ck_assert_str_eq(error, "tick_ms: \"5\" is not a number from 100 to 60000");
    ck_assert_int_eq(xlp_policy_set(&p, "tick_ms", "-1000", error, sizeof(error)), -1);
    ck_assert_int_eq(xlp_policy_set(&p, "adopt", "yes", error, sizeof(error)), -1);
    ck_assert_str_eq(error, "adopt: \"yes\" is neither 0 nor 1");
    ck_assert_int_eq(xlp_policy_set(&p, "mem_margin", "64q", error, sizeof(error)), -1);
    ck_assert_str_eq(error, "mem_margin: \"64q\" is not a size from 0k to 1024g");
    ck_assert_int_eq(xlp_policy_set(&p, "mem_margin", "64", error, sizeof(error)), -1);
    ck_assert_str_eq(error, "mem_margin: \"64\" has no unit: for MiB write \"64m\"");
    ck_assert_int_eq(xlp_policy_set(&p, "mem_reserve", "0", error, sizeof(error)), 0);
    ck_assert_int_eq(xlp_policy_set(&p, "cpu_polcy", "off", error, sizeof(error)), -1);
    ck_assert_str_eq(error, "cpu_polcy: there is no such setting");
    ck_assert_int_eq(p.tick_ms, 1000);
}
END_TEST

START_TEST(a_size_says_its_unit)
{
    int64_t kib;

    ck_assert_int_eq(xlp_size_parse("512k", &kib), 0);
    ck_assert_int_eq(kib, 512);
    ck_assert_int_eq(xlp_size_parse("512", &kib), -1);
    ck_assert(xlp_size_lacks_unit("512"));
    ck_assert(!xlp_size_lacks_unit("512k"));
    ck_assert(!xlp_size_lacks_unit("12q"));
    ck_assert_int_eq(xlp_size_parse("0", &kib), 0);
    ck_assert_int_eq(kib, 0);
    ck_assert_int_eq(xlp_size_parse("2g", &kib), 0);
    ck_assert_int_eq(kib, 2 << 20);
    ck_assert_int_eq(xlp_size_parse("4096b", &kib), 0);
    ck_assert_int_eq(kib, 4);
    ck_assert_int_eq(xlp_size_parse("1m1", &kib), -1);
    ck_assert_int_eq(xlp_size_parse("", &kib), -1);
    ck_assert_int_eq(xlp_size_parse("m", &kib), -1);
    ck_assert_int_eq(xlp_size_parse("999999999999999t", &kib), -1);
}
END_TEST

START_TEST(later_entries_for_a_guest_win_key_by_key)
{
    struct xlp_policy p;
    struct xlp_domain_policy d;
    char error[256], text[128];

    xlp_policy_init(&p);
    ck_assert_int_eq(xlp_policy_add_domain(&p, "*: shares=500", error, sizeof(error)), 0);
    ck_assert_int_eq(
        xlp_policy_add_domain(&p, "web*: floor = 512m, shares=2000", error, sizeof(error)), 0);
    ck_assert_int_eq(
        xlp_policy_add_domain(&p, "web2: memory=0, serves=db[1-4]", error, sizeof(error)), 0);
    d = xlp_policy_for(&p, "web2");
    ck_assert(d.cpu && !d.memory);
    ck_assert_uint_eq(d.shares, 2000);
    ck_assert_int_eq(d.floor_kib, 512 << 10);
    ck_assert_str_eq(d.serves, "db[1-4]");
    ck_assert(d.shares_given);
    ck_assert_uint_eq(xlp_policy_for(&p, "db").shares, 500);
    ck_assert_str_eq(xlp_policy_for(&p, "web1").serves, "");
    ck_assert_str_eq(xlp_domain_policy_format(&p.domains[1], text, sizeof(text)),
                     "web*: shares=2000, floor=512m");
    ck_assert_str_eq(xlp_domain_policy_format(&p.domains[2], text, sizeof(text)),
                     "web2: memory=0, serves=db[1-4]");
    xlp_policy_dispose(&p);
}
END_TEST

START_TEST(an_entry_of_the_same_pattern_is_laid_over_and_not_added)
{
    struct xlp_policy p, more;
    char error[256], text[128];

    xlp_policy_init(&p);
    xlp_policy_init(&more);
    ck_assert_int_eq(xlp_policy_merge_domain(&p, "web: shares=500", error, sizeof(error)), 0);
    ck_assert_int_eq(xlp_policy_merge_domain(&p, "db: cpu=0", error, sizeof(error)), 0);
    ck_assert_int_eq(xlp_policy_merge_domain(&p, "web: floor=1g", error, sizeof(error)), 0);
    ck_assert_int_eq(xlp_policy_merge_domain(&p, "web: shares=0", error, sizeof(error)), -1);
    ck_assert_uint_eq(p.domain_count, 2);
    ck_assert_str_eq(xlp_domain_policy_format(&p.domains[0], text, sizeof(text)),
                     "web: shares=500, floor=1g");
    ck_assert_int_eq(xlp_policy_add_domain(&more, "*: managed=0", error, sizeof(error)), 0);
    ck_assert_int_eq(xlp_policy_append_domains(&more, &p), 0);
    ck_assert_uint_eq(more.domain_count, 3);
    ck_assert(!xlp_policy_for(&more, "web").cpu && !xlp_policy_for(&more, "web").memory);
    ck_assert_int_eq(xlp_policy_for(&more, "web").floor_kib, 1 << 20);
    ck_assert(xlp_policy_remove_domain(&p, "web"));
    ck_assert(!xlp_policy_remove_domain(&p, "web"));
    ck_assert_str_eq(xlp_domain_policy_format(&p.domains[0], text, sizeof(text)), "db: cpu=0");
    xlp_policy_dispose(&p);
    xlp_policy_dispose(&more);
}
END_TEST

START_TEST(the_pattern_of_a_name_matches_that_name_only)
{
    struct xlp_policy p;
    char pattern[XLP_NAME_SIZE], text[XLP_NAME_SIZE + 16], error[256];

    ck_assert_int_eq(xlp_pattern_of_name("a*[b]?\\", pattern), 0);
    snprintf(text, sizeof(text), "%s: shares=7", pattern);
    xlp_policy_init(&p);
    ck_assert_int_eq(xlp_policy_add_domain(&p, text, error, sizeof(error)), 0);
    ck_assert_uint_eq(xlp_policy_for(&p, "a*[b]?\\").shares, 7);
    ck_assert_uint_eq(xlp_policy_for(&p, "axb?\\").shares, 1000);
    ck_assert_int_eq(xlp_pattern_of_name("", pattern), -1);
    ck_assert_int_eq(xlp_pattern_of_name("a:b", pattern), -1);
    ck_assert_int_eq(xlp_pattern_of_name("a,b", pattern), -1);
    ck_assert_int_eq(xlp_pattern_of_name(" a", pattern), -1);
    ck_assert_int_eq(xlp_pattern_of_name("a ", pattern), -1);
    memset(text, '*', 40);
    text[40] = '\0';
    ck_assert_int_eq(xlp_pattern_of_name(text, pattern), -1);
    xlp_policy_dispose(&p);
}
END_TEST

START_TEST(a_wrong_entry_for_a_guest_is_refused)
{
    const char *const bad[] = {
        "web1",
        "web1:",
        ": cpu=1",
        "web1: cpu",
        "web1: cpu=2",
        "web1: share=1",
        "web1: shares=0",
        "web1: cpu=1,",
        "web1: floor=x",
        "web1: serves=",
        "web1: serves=0123456789012345678901234567890123456789012345678901234567890123",
        "web1: floor=1025t",
        "0123456789012345678901234567890123456789012345678901234567890123: cpu=0"};
    struct xlp_policy p;
    char error[256];

    xlp_policy_init(&p);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(xlp_policy_add_domain(&p, bad[i], error, sizeof(error)) == -1,
                      "\"%s\" was accepted", bad[i]);
    ck_assert_uint_eq(p.domain_count, 0);
}
END_TEST

/* ---- plans of the operator's commands ---- */

START_TEST(release_restores_what_is_still_ours_and_forgets_the_rest)
{
    struct xlp_snapshot s;
    struct xlp_plan plan;
    struct xlp_vcpu *v;
    uint32_t all, zero, two;
    char text[200];

    made_host(&s, 4, XLP_SCHED_CREDIT2);
    made_guest(&s, 1, 3);
    all = made_map(&s, "all");
    zero = made_map(&s, "0");
    two = made_map(&s, "2");
    for (uint32_t i = 0; i < 3; i++) {
        v = made_vcpu(&s, 1, i);
        v->hard = two;
        v->ledger =
            (struct xlp_vcpu_ledger){true, i == 2 ? two : all, all, i == 1 ? zero : two, all};
    }
    xlp_plan_init(&plan);
    ck_assert_int_eq(xlp_plan_release(&s, XLP_UNKNOWN, &plan), 0);
    ck_assert_uint_eq(plan.action_count, 3);
    ck_assert_int_eq(plan.actions[0].kind, XLP_RELEASE_VCPU);
    ck_assert(xlp_cpumap_equal(&plan.actions[0].hard, &s.maps[all]));
    /* vCPU 1 was pinned to 2 by hand after we wrote 0: that stays */
    ck_assert(xlp_cpumap_equal(&plan.actions[1].hard, &s.maps[two]));
    ck_assert(xlp_cpumap_equal(&plan.actions[2].hard, &s.maps[two]));
    ck_assert_str_eq(xlp_action_format(&plan.actions[0], text, sizeof(text)),
                     "vm1 vCPU 0: pCPU 2 -> any pCPU: released: the affinity it had before is "
                     "restored");
    ck_assert_str_eq(xlp_action_format(&plan.actions[1], text, sizeof(text)),
                     "vm1 vCPU 1: released: its affinity stays as it is: nothing of ours to undo");
    /* vCPU 2 was only adopted */
    ck_assert_int_eq(plan.actions[2].reason.code, XLP_REASON_CPU_RELEASE_KEPT);
    xlp_plan_dispose(&plan);
    xlp_snapshot_dispose(&s);
}
END_TEST

START_TEST(releasing_one_domain_also_keeps_hands_off_it)
{
    struct xlp_snapshot s;
    struct xlp_plan plan;

    made_host(&s, 4, XLP_SCHED_CREDIT2);
    made_guest(&s, 1, 1);
    made_guest(&s, 2, 1)->memory.ledger =
        (struct xlp_memory_ledger){true, 256 << 10, 256 << 10, 200 << 10, false};
    s.domains[1].memory.target_kib = 200 << 10;
    xlp_plan_init(&plan);
    ck_assert_int_eq(xlp_plan_release(&s, 2, &plan), 0);
    ck_assert_uint_eq(plan.action_count, 2);
    ck_assert_int_eq(plan.actions[0].kind, XLP_RELEASE_DOMAIN);
    ck_assert_int_eq(plan.actions[1].kind, XLP_RELEASE_TARGET);
    xlp_plan_dispose(&plan);
    xlp_snapshot_dispose(&s);
}
END_TEST

/* A guest of 200 MiB that had 256 before us and which has this target now. */
static struct xlp_action release_of_memory(int64_t target_mib)
{
    struct xlp_snapshot s;
    struct xlp_plan plan;
    struct xlp_action action;

    made_host(&s, 4, XLP_SCHED_CREDIT2);
    made_guest(&s, 1, 1)->memory.ledger =
        (struct xlp_memory_ledger){true, 256 << 10, 300 << 10, 200 << 10, false};
    s.domains[0].memory.target_kib = target_mib << 10;
    if (target_mib == 256)
        s.domains[0].memory.ledger.our_target_kib = 256 << 10;
    xlp_plan_init(&plan);
    ck_assert_int_eq(xlp_plan_release(&s, XLP_UNKNOWN, &plan), 0);
    ck_assert_uint_eq(plan.action_count, 1);
    action = plan.actions[0];
    xlp_plan_dispose(&plan);
    xlp_snapshot_dispose(&s);
    return action;
}

START_TEST(a_release_of_memory_leaves_its_steps_to_the_engine)
{
    struct xlp_action ours = release_of_memory(200), by_hand = release_of_memory(222);
    struct xlp_action back = release_of_memory(256);

    ck_assert_int_eq(ours.to_kib, ours.from_kib);
    ck_assert_int_eq(ours.reason.code, XLP_REASON_MEM_RELEASING);
    ck_assert_int_eq(ours.reason.number[0], 256 << 10);
    ck_assert_int_eq(by_hand.to_kib, 222 << 10);
    ck_assert_int_eq(by_hand.limit_kib, 0);
    ck_assert_int_eq(by_hand.reason.code, XLP_REASON_MEM_RELEASE_KEPT);
    ck_assert_int_eq(back.to_kib, 256 << 10);
    ck_assert_int_eq(back.limit_kib, 300 << 10);
    ck_assert_int_eq(back.reason.code, XLP_REASON_MEM_RELEASE);
}
END_TEST

START_TEST(adopting_and_acting_again_end_a_release_of_memory)
{
    struct xlp_snapshot s;
    struct xlp_plan plan;

    made_host(&s, 4, XLP_SCHED_CREDIT2);
    for (uint32_t domid = 1; domid <= 3; domid++)
        made_guest(&s, domid, 1)->memory.ledger =
            (struct xlp_memory_ledger){true, 256 << 10, 256 << 10, 200 << 10, domid < 3};
    s.domains[1].released = true;
    xlp_plan_init(&plan);
    ck_assert_int_eq(xlp_plan_resume(&s, XLP_UNKNOWN, &plan), 0);
    ck_assert_uint_eq(plan.action_count, 1); /* the second was released by name, and stays so */
    ck_assert_int_eq(plan.actions[0].kind, XLP_ADOPT_DOMAIN);
    ck_assert_uint_eq(plan.actions[0].domid, 1);
    ck_assert_int_eq(xlp_plan_adopt(&s, 1, &plan), 0);
    ck_assert_int_eq(plan.actions[0].kind, XLP_ADOPT_DOMAIN);
    xlp_plan_dispose(&plan);
    xlp_snapshot_dispose(&s);
}
END_TEST

/* A guest whose weight we wrote as 512 where it was 300, and which has this weight now. */
static void made_weight(struct xlp_snapshot *s, uint32_t weight_now)
{
    struct xlp_domain *d;

    made_host(s, 4, XLP_SCHED_CREDIT2);
    d = made_guest(s, 1, 1);
    d->weight = weight_now;
    d->ledger = (struct xlp_weight_ledger){true, 300, 512};
}

START_TEST(release_restores_a_weight_unless_it_was_set_by_hand_since)
{
    const struct {
        uint32_t now, restored;
        const char *told;
    } cases[] = {
        {512, 300, "vm1: weight 512 -> 300: released: the weight it had before, 300, is restored"},
        {400, 400, "vm1: released: its weight 400 stays: nothing of ours to undo"},
        {300, 300, "vm1: released: its weight 300 stays: nothing of ours to undo"},
    };
    struct xlp_snapshot s;
    struct xlp_plan plan;
    char text[200];

    xlp_plan_init(&plan);
    for (size_t i = 0; i < 3; i++) {
        made_weight(&s, cases[i].now);
        ck_assert_int_eq(xlp_plan_release(&s, XLP_UNKNOWN, &plan), 0);
        ck_assert_uint_eq(plan.action_count, 1);
        ck_assert_int_eq(plan.actions[0].kind, XLP_RELEASE_WEIGHT);
        ck_assert_uint_eq(plan.actions[0].from_weight, cases[i].now);
        ck_assert_uint_eq(plan.actions[0].to_weight, cases[i].restored);
        ck_assert_str_eq(xlp_action_format(&plan.actions[0], text, sizeof(text)), cases[i].told);
        xlp_snapshot_dispose(&s);
    }
    xlp_plan_dispose(&plan);
}
END_TEST

START_TEST(adopt_hands_over_a_weight_that_was_set_by_hand)
{
    const struct {
        bool recorded;
        uint32_t now;
        size_t actions; /* the vCPU's is always there */
    } cases[] = {{true, 512, 1},  {true, 400, 2},  {true, 256, 2},
                 {false, 256, 1}, {false, 300, 2}, {false, 0, 1}};
    struct xlp_snapshot s;
    struct xlp_plan plan;

    xlp_plan_init(&plan);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        made_weight(&s, cases[i].now);
        s.domains[0].ledger.recorded = cases[i].recorded;
        ck_assert_int_eq(xlp_plan_adopt(&s, 1, &plan), 0);
        ck_assert_uint_eq(plan.action_count, cases[i].actions);
        if (cases[i].actions == 2) {
            ck_assert_int_eq(plan.actions[1].kind, XLP_ADOPT_WEIGHT);
            ck_assert_uint_eq(plan.actions[1].to_weight, cases[i].now);
        }
        xlp_snapshot_dispose(&s);
    }
    xlp_plan_dispose(&plan);
}
END_TEST

/* Its vCPUs are never placed, so nothing of it may be recorded as ours, nor hands kept off it. */
START_TEST(dom0_is_neither_adopted_nor_released_for_good)
{
    struct xlp_snapshot s;
    struct xlp_plan plan;

    made_host(&s, 4, XLP_SCHED_CREDIT2);
    made_guest(&s, 0, 1);
    xlp_plan_init(&plan);
    ck_assert_int_eq(xlp_plan_adopt(&s, 0, &plan), XLP_PLAN_REFUSED);
    ck_assert_uint_eq(plan.action_count, 0);
    ck_assert_int_eq(xlp_plan_release(&s, 0, &plan), 0);
    ck_assert_uint_eq(plan.action_count, 0);
    xlp_plan_dispose(&plan);
    xlp_snapshot_dispose(&s);
}
END_TEST

START_TEST(adopt_takes_over_every_guest_but_dom0)
{
    struct xlp_snapshot s;
    struct xlp_plan plan;

    made_host(&s, 4, XLP_SCHED_CREDIT2);
    made_guest(&s, 0, 1);
    made_guest(&s, 1, 1)->released = true;
    made_pin(&s, 1, 0, "3");
    xlp_plan_init(&plan);
    ck_assert_int_eq(xlp_plan_adopt(&s, XLP_UNKNOWN, &plan), 0);
    ck_assert_uint_eq(plan.action_count, 2);
    ck_assert_int_eq(plan.actions[0].kind, XLP_ADOPT_DOMAIN);
    ck_assert_int_eq(plan.actions[1].kind, XLP_ADOPT_VCPU);
    ck_assert_uint_eq(plan.actions[1].to_pcpu, 3);
    xlp_plan_dispose(&plan);
    xlp_snapshot_dispose(&s);
}
END_TEST

CHECK_CASE(cpumap, sets_are_read_and_written_in_xls_notation, malformed_sets_are_refused,
           a_set_that_does_not_fit_is_cut_at_a_comma, members_are_walked_across_words)
CHECK_CASE(snapshot, equal_sets_are_kept_once, a_reset_snapshot_forgets_but_keeps_its_room,
           domains_and_vcpus_are_found, a_wrong_snapshot_is_named_for_what_is_wrong,
           names_of_guests_cannot_carry_control_characters, uuids_are_read_and_written)
CHECK_CASE(reason, a_reason_is_a_sentence_with_its_numbers,
           the_largest_numbers_are_rounded_like_all_others, the_table_of_reasons_is_consistent)
CHECK_CASE(policy, an_entry_of_the_same_pattern_is_laid_over_and_not_added,
           the_pattern_of_a_name_matches_that_name_only, every_setting_takes_its_default_back,
           a_wrong_value_is_answered_with_what_is_allowed, a_size_says_its_unit,
           later_entries_for_a_guest_win_key_by_key, a_wrong_entry_for_a_guest_is_refused)
CHECK_CASE(plan, release_restores_what_is_still_ours_and_forgets_the_rest,
           releasing_one_domain_also_keeps_hands_off_it,
           a_release_of_memory_leaves_its_steps_to_the_engine,
           adopting_and_acting_again_end_a_release_of_memory,
           release_restores_a_weight_unless_it_was_set_by_hand_since,
           adopt_hands_over_a_weight_that_was_set_by_hand, adopt_takes_over_every_guest_but_dom0,
           dom0_is_neither_adopted_nor_released_for_good)
CHECK_MAIN("core", cpumap, snapshot, reason, policy, plan)
