/* SPDX-License-Identifier: LGPL-2.1-only */
/* Plans with their reasons, policies and views as JSON: what is written is read back. */
#include <math.h>
#include <string.h>

#include "check_main.h"
#include "json/json.h"

static char error[256];

static struct xlp_json *parse(const char *text)
{
    struct xlp_json *v = xlp_json_parse(text, strlen(text), 1000000, error, sizeof(error));

    ck_assert_msg(v, "%s: %s", error, text);
    return v;
}

/* ---- plans ---- */

static struct xlp_reason reason_of(enum xlp_reason_code code, int64_t first)
{
    struct xlp_reason reason = {.code = code};

    for (size_t i = 0; i < xlp_reason_field_count(code); i++)
        reason.number[i] = first + (int64_t)i * 1037;
    return reason;
}

/* Its action is of no domain. */
static void fill_reservation(struct xlp_action *a, uint32_t i)
{
    struct xlp_reservation *r = &a->reservation;

    a->domid = XLP_UNKNOWN;
    memset(a->uuid, 0, sizeof(a->uuid));
    r->id = i + 1;
    r->min_kib = i;
    r->max_kib = XLP_REPORT_MAX_MEMORY_KIB - i;
    r->granted_kib = i % 2 ? 0 : i;
    r->ttl_left_ns = UINT64_MAX - i;
    r->name[0] = '\0';
    if (i % 2)
        snprintf(r->name, sizeof(r->name), "guest %u", i);
    r->taken = i % 3 == 0;
    r->domid = r->taken ? i : 0;
    r->uuid[0] = r->taken ? (uint8_t)i : 0;
}

static void fill_action(struct xlp_action *a, uint32_t i)
{
    switch (a->kind) {
    case XLP_PLACE_VCPU:
    case XLP_ADOPT_VCPU:
    case XLP_RELEASE_VCPU:
        a->vcpu = i;
        a->from_pcpu = i % 2 ? XLP_UNKNOWN : i;
        a->to_pcpu = i % 3 ? XLP_UNKNOWN : 0;
        a->hard = i % 2 ? xlp_cpumap_all() : xlp_cpumap_of(i);
        a->soft = i % 3 ? xlp_cpumap_none() : xlp_cpumap_of(1023);
        break;
    case XLP_SET_WEIGHT:
    case XLP_ADOPT_WEIGHT:
    case XLP_RELEASE_WEIGHT:
        a->from_weight = i;
        a->to_weight = 65535 - i;
        break;
    case XLP_SET_TARGET:
    case XLP_RELEASE_TARGET:
        a->from_kib = i;
        a->to_kib = XLP_REPORT_MAX_MEMORY_KIB - i;
        a->limit_kib = i % 2 ? 0 : INT64_C(1) << 40;
        break;
    case XLP_RESERVE:
    case XLP_GRANT:
    case XLP_TRANSFER:
    case XLP_UNRESERVE: fill_reservation(a, i); break;
    case XLP_RELEASE_DOMAIN:
    case XLP_ADOPT_DOMAIN:
    case XLP_ACTION_KINDS: break;
    }
}

/* Every kind of action and every reason there is. */
static void make_plan(struct xlp_plan *p)
{
    struct xlp_snapshot s;

    xlp_snapshot_init(&s);
    xlp_plan_init(p);
    for (uint32_t code = 0; code < XLP_REASON_COUNT; code++) {
        struct xlp_domain *d = xlp_snapshot_add_domain(&s);

        d->domid = code * 7;
        d->uuid[15] = (uint8_t)code;
        snprintf(d->name, sizeof(d->name), "guest %u", code);
        xlp_snapshot_add_reservation(&s)->id = code + 1;
    }
    s.time_ns = UINT64_MAX;
    ck_assert_int_eq(xlp_plan_start(p, &s), 0);
    p->memory = reason_of(XLP_REASON_MEM_FLOORS_EXCEED, 5);
    for (uint32_t code = 0; code < XLP_REASON_COUNT; code++) {
        p->verdicts[code].cpu = reason_of((enum xlp_reason_code)code, 29);
        p->verdicts[code].weight = reason_of((enum xlp_reason_code)code, 7);
        p->verdicts[code].memory = reason_of((enum xlp_reason_code)code, -4999);
        p->reservations[code].reason = reason_of((enum xlp_reason_code)code, 3);
    }
    for (uint32_t i = 0; i < 6 * XLP_ACTION_KINDS; i++) {
        struct xlp_action *a =
            xlp_plan_add(p, (enum xlp_action_kind)(i % XLP_ACTION_KINDS), &s.domains[i]);

        a->reason = reason_of((enum xlp_reason_code)i, i);
        fill_action(a, i);
    }
    xlp_snapshot_dispose(&s);
}

START_TEST(a_plan_reads_back_as_it_was)
{
    struct xlp_json_writer *first = xlp_json_writer_new(false),
                           *second = xlp_json_writer_new(false);
    struct xlp_plan before, after;

    make_plan(&before);
    xlp_plan_init(&after);
    xlp_plan_write(first, &before);
    struct xlp_json *v = parse(xlp_json_text(first, NULL));
    ck_assert_msg(xlp_plan_read(v, &after, error, sizeof(error)) == 0, "%s", error);
    memset(after.verdicts, 0xff, after.verdict_count * sizeof(*after.verdicts)); /* used before */
    memset(after.reservations, 0xff, after.reservation_count * sizeof(*after.reservations));
    ck_assert_int_eq(xlp_plan_read(v, &after, error, sizeof(error)), 0);
    xlp_plan_write(second, &after);
    ck_assert_str_eq(xlp_json_text(first, NULL), xlp_json_text(second, NULL));

    /* Byte by byte, so that a member that is added to a struct but not to JSON shows. */
    ck_assert_uint_eq(after.time_ns, before.time_ns);
    ck_assert_mem_eq(&after.memory, &before.memory, sizeof(after.memory));
    ck_assert_uint_eq(after.action_count, before.action_count);
    for (size_t i = 0; i < before.action_count; i++)
        ck_assert_mem_eq(&after.actions[i], &before.actions[i], sizeof(*after.actions));
    ck_assert_uint_eq(after.verdict_count, before.verdict_count);
    for (size_t i = 0; i < before.verdict_count; i++)
        ck_assert_mem_eq(&after.verdicts[i], &before.verdicts[i], sizeof(*after.verdicts));
    ck_assert_uint_eq(after.reservation_count, before.reservation_count);
    for (size_t i = 0; i < before.reservation_count; i++)
        ck_assert_mem_eq(&after.reservations[i], &before.reservations[i],
                         sizeof(*after.reservations));

    xlp_json_free(v);
    xlp_plan_dispose(&before);
    xlp_plan_dispose(&after);
    xlp_json_writer_free(first);
    xlp_json_writer_free(second);
}
END_TEST

START_TEST(a_percentage_is_written_in_percent)
{
    struct xlp_json_writer *w = xlp_json_writer_new(false);
    struct xlp_reason reason = {XLP_REASON_CPU_FIRST_PLACE, {1250, 3, 29}};
    char expected[512], sentence[256];

    xlp_reason_write(w, &reason);
    snprintf(expected, sizeof(expected),
             "{\"code\":\"cpu-first-place\",\"numbers\":{\"demand_pct\":12.5,\"to_pcpu\":3,"
             "\"to_load_pct\":0.29},\"text\":\"%s\"}",
             xlp_reason_format(&reason, sentence, sizeof(sentence)));
    ck_assert_str_eq(xlp_json_text(w, NULL), expected);
    xlp_json_writer_free(w);
}
END_TEST

static const char *plan_refusal(const char *text)
{
    struct xlp_json *v = parse(text);
    struct xlp_plan p;

    xlp_plan_init(&p);
    int rc = xlp_plan_read(v, &p, error, sizeof(error));
    ck_assert(rc == 0 || (p.action_count == 0 && p.verdict_count == 0 && p.reservation_count == 0));
    xlp_plan_dispose(&p);
    xlp_json_free(v);
    return rc == 0 ? "accepted" : error;
}

#define PLAN       "{\"xlpolicy_plan\": 1, \"time_ns\": 1, "
#define VERDICT(x) PLAN "\"actions\": [], \"verdicts\":\n[{\"domid\": 1, \"name\": \"a\", " x "}]}"
#define ACTION(x)                                                                                  \
    PLAN "\"verdicts\": [], \"actions\":\n[{\"domid\": 1, \"name\": \"a\", \"uuid\": "             \
         "\"00000000-0000-0000-0000-000000000000\",\n" x "}]}"

START_TEST(what_is_no_plan_is_refused_with_its_place)
{
    static const struct {
        const char *text, *refusal;
    } cases[] = {
        {PLAN "\"actions\": [], \"verdicts\": []}", "accepted"},
        {VERDICT("\"cpu\": {\"code\": \"dying\"}"), "accepted"},
        {VERDICT("\"cpu\": {\"code\": \"dying\", \"numbers\": {}, \"text\": \"any\"}"), "accepted"},
        {ACTION("\"kind\": \"release-domain\""), "accepted"},
        {"{\"xlpolicy_plan\": 0}",
         "line 1, column 19: \"xlpolicy_plan\" is of format 0; this program reads format 1"},
        {VERDICT("\"cpu\": {\"code\": \"bored\"}"),
         "line 2, column 44: \"bored\" is no known reason"},
        {VERDICT("\"cpu\": {}"), "line 2, column 35: the key \"code\" is missing"},
        {VERDICT("\"cpu\": {\"code\": \"cpu-settling\"}"),
         "line 2, column 35: the key \"numbers\" is missing"},
        {VERDICT("\"cpu\": {\"code\": \"cpu-settling\", \"numbers\": {}}"),
         "line 2, column 71: the key \"ticks\" is missing"},
        {VERDICT("\"cpu\": {\"code\": \"cpu-settling\", \"numbers\": {\"ticks\": 1, \"x\": 2}}"),
         "line 2, column 84: unknown key \"x\""},
        {VERDICT("\"cpu\": {\"code\": \"cpu-settling\", \"numbers\": {\"ticks\": 1.5}}"),
         "line 2, column 81: \"ticks\" must be a whole number from -9223372036854775808 to "
         "9223372036854775807"},
        {ACTION("\"kind\": \"sing\""), "line 3, column 9: \"sing\" is no known \"kind\""},
        {ACTION("\"kind\": \"release-domain\", \"to_kib\": 1"),
         "line 3, column 27: unknown key \"to_kib\""},
        {ACTION("\"kind\": \"set-target\", \"from_kib\": 1"),
         "line 2, column 2: the key \"to_kib\" is missing"},
        {ACTION("\"kind\": \"set-weight\", \"from_weight\": 1"),
         "line 2, column 2: the key \"to_weight\" is missing"},
        {ACTION("\"kind\": \"adopt-weight\", \"from_weight\": 1, \"to_weight\": 1, \"vcpu\": 0"),
         "line 3, column 59: unknown key \"vcpu\""},
        {ACTION("\"kind\": \"place-vcpu\", \"vcpu\": 1, \"hard\": \"all\""),
         "line 2, column 2: the key \"soft\" is missing"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        ck_assert_str_eq(plan_refusal(cases[i].text), cases[i].refusal);
}
END_TEST

/* ---- policies ---- */

static const char *policy_refusal(const char *text, struct xlp_policy *p)
{
    struct xlp_json *v = parse(text);
    int rc = xlp_policy_read(v, p, error, sizeof(error));

    xlp_json_free(v);
    return rc == 0 ? "accepted" : error;
}

START_TEST(a_policy_reads_back_as_it_was)
{
    struct xlp_json_writer *first = xlp_json_writer_new(false),
                           *second = xlp_json_writer_new(false);
    struct xlp_policy p, again;

    xlp_policy_init(&p);
    xlp_policy_init(&again);
    for (size_t i = 0; i < xlp_setting_count; i++) { /* none at its default */
        int64_t value = xlp_settings[i].max - (xlp_settings[i].standard == xlp_settings[i].max);
        memcpy((char *)&p + xlp_settings[i].offset, &value, sizeof(value));
    }
    ck_assert_int_eq(xlp_policy_add_domain(&p, "web*: shares=2000", error, sizeof(error)), 0);
    ck_assert_int_eq(
        xlp_policy_add_domain(&p, "db \"1\": cpu=0, memory=1, floor=3m", error, sizeof(error)), 0);

    xlp_policy_write(first, &p);
    ck_assert_str_eq(policy_refusal(xlp_json_text(first, NULL), &again), "accepted");
    xlp_policy_write(second, &again);
    ck_assert_str_eq(xlp_json_text(first, NULL), xlp_json_text(second, NULL));
    ck_assert_mem_eq(&again, &p, offsetof(struct xlp_policy, domains));
    ck_assert_uint_eq(again.domain_count, 2);
    for (size_t i = 0; i < 2; i++)
        ck_assert_str_eq(again.domains[i].pattern, p.domains[i].pattern);
    ck_assert_int_eq(again.domains[1].floor_kib, 3072);

    xlp_policy_dispose(&p);
    xlp_policy_dispose(&again);
    xlp_json_writer_free(first);
    xlp_json_writer_free(second);
}
END_TEST

START_TEST(a_policy_says_only_what_differs_from_the_defaults)
{
    struct xlp_policy p, defaults;

    xlp_policy_init(&p);
    xlp_policy_init(&defaults);
    ck_assert_str_eq(policy_refusal("{\"cpu_policy\": \"round-robin\", \"tick_ms\": 2000, "
                                    "\"adopt\": true, \"mem_margin\": \"1g\"}",
                                    &p),
                     "accepted");
    ck_assert_int_eq(p.cpu_policy, XLP_CPU_ROUND_ROBIN);
    ck_assert_int_eq(p.tick_ms, 2000);
    ck_assert_int_eq(p.adopt, 1);
    ck_assert_int_eq(p.mem_margin_kib, 1 << 20);
    ck_assert_int_eq(p.mem_policy, defaults.mem_policy);

    /* What was there before does not shine through. */
    ck_assert_str_eq(policy_refusal("{\"mem_margin\": \"64k\", \"domains\": [\"a: cpu=0\"]}", &p),
                     "accepted");
    ck_assert_int_eq(p.mem_margin_kib, 64);
    ck_assert_int_eq(p.tick_ms, defaults.tick_ms);
    ck_assert_uint_eq(p.domain_count, 1);
    ck_assert_str_eq(policy_refusal("{}", &p), "accepted");
    ck_assert_uint_eq(p.domain_count, 0);
    xlp_policy_dispose(&p);
}
END_TEST

START_TEST(what_is_no_policy_is_refused_with_its_place)
{
    static const struct {
        const char *text, *refusal;
    } cases[] = {
        {"[]", "line 1, column 1: a policy must be an object"},
        {"{\n \"tick\": 1}", "line 2, column 2: there is no setting \"tick\""},
        {"{\"tick_ms\": 1}", "line 1, column 13: tick_ms: \"1\" is not a number from 100 to 60000"},
        {"{\"cpu_policy\": \"chaos\"}",
         "line 1, column 16: cpu_policy: \"chaos\" is not one of: off round-robin balance"},
        {"{\"domains\": \"a: cpu=0\"}", "line 1, column 13: \"domains\" must be an array"},
        {"{\"domains\": [1]}", "line 1, column 14: must be a string such as \"web*: shares=2000\""},
    };
    struct xlp_policy p;

    xlp_policy_init(&p);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        ck_assert_str_eq(policy_refusal(cases[i].text, &p), cases[i].refusal);

    static const char *const others[] = {"{\"cpu_moves_max\": true}",
                                         "{\"tick_ms\": 1000.5}",
                                         "{\"tick_ms\": null}",
                                         "{\"adopt\": \"yes\"}",
                                         "{\"adopt\": 2}",
                                         "{\"mem_margin\": \"-1\"}",
                                         "{\"cpu_policy\": 1}",
                                         "{\"domains\": [\"no colon\"]}",
                                         "{\"mem_margin\": -1}",
                                         "{\"mem_margin\": [\"1g\"]}"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        ck_assert_str_ne(policy_refusal(others[i], &p), "accepted");
        ck_assert_msg(strncmp(error, "line 1, column 1", 16) == 0, "%s", error);
    }
    xlp_policy_dispose(&p);
}
END_TEST

/* ---- views ---- */

START_TEST(views_read_back_as_they_were)
{
    const struct xlp_vcpu_view vcpu = {0.1 + 0.2, 1.0 / 3, 1, true, 0},
                               unknown = {.home = XLP_UNKNOWN};
    const struct xlp_domain_view domain = {INT64_MAX, -1, 0, 5, true};
    struct xlp_json_writer *w = xlp_json_writer_new(false);
    const struct xlp_pcpu_view pcpu = {1.0 / 3, true};
    struct xlp_pcpu_view pcpu_again;
    struct xlp_vcpu_view vcpu_again;
    struct xlp_domain_view domain_again;

    xlp_json_open_array(w);
    xlp_vcpu_view_write(w, &vcpu);
    xlp_vcpu_view_write(w, &unknown);
    xlp_domain_view_write(w, &domain);
    xlp_pcpu_view_write(w, &pcpu);
    xlp_json_close_array(w);
    struct xlp_json *v = parse(xlp_json_text(w, NULL));

    ck_assert_int_eq(xlp_vcpu_view_read(xlp_json_at(v, 0), &vcpu_again, error, sizeof(error)), 0);
    ck_assert(vcpu_again.used == vcpu.used && vcpu_again.demand == vcpu.demand &&
              vcpu_again.entitlement == 1 && vcpu_again.known && vcpu_again.home == 0);
    ck_assert_int_eq(xlp_vcpu_view_read(xlp_json_at(v, 2), &vcpu_again, error, sizeof(error)), -1);
    ck_assert(vcpu_again.known && vcpu_again.home == 0); /* set only on success */
    ck_assert_int_eq(xlp_vcpu_view_read(xlp_json_at(v, 1), &vcpu_again, error, sizeof(error)), 0);
    ck_assert(vcpu_again.used == 0 && !vcpu_again.known && vcpu_again.home == XLP_UNKNOWN);
    ck_assert_int_eq(xlp_domain_view_read(xlp_json_at(v, 2), &domain_again, error, sizeof(error)),
                     0);
    ck_assert(domain_again.used_kib == INT64_MAX && domain_again.need_kib == -1 &&
              domain_again.comfort_kib == 0 && domain_again.floor_kib == 5 && domain_again.known);

    ck_assert_int_eq(xlp_domain_view_read(xlp_json_at(v, 0), &domain_again, error, sizeof(error)),
                     -1);
    ck_assert_int_eq(domain_again.floor_kib, 5);

    ck_assert_int_eq(xlp_pcpu_view_read(xlp_json_at(v, 3), &pcpu_again, error, sizeof(error)), 0);
    ck_assert(pcpu_again.used == pcpu.used && pcpu_again.known);
    ck_assert_int_eq(xlp_pcpu_view_read(xlp_json_at(v, 2), &pcpu_again, error, sizeof(error)), -1);
    ck_assert(pcpu_again.known);
    xlp_json_free(v);
    xlp_json_writer_free(w);
}
END_TEST

CHECK_CASE(plans, a_plan_reads_back_as_it_was, a_percentage_is_written_in_percent,
           what_is_no_plan_is_refused_with_its_place)
CHECK_CASE(policies, a_policy_reads_back_as_it_was,
           a_policy_says_only_what_differs_from_the_defaults,
           what_is_no_policy_is_refused_with_its_place)
CHECK_CASE(views, views_read_back_as_they_were)
CHECK_MAIN("json_plan", plans, policies, views)
