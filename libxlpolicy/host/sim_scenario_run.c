/* SPDX-License-Identifier: LGPL-2.1-only */
/* What happens in a scenario, and what is expected of it. */
#include <math.h>
#include <string.h>

#include "grow.h"
#include "host/sim_read.h"

#define KEYS_MAX 8

/* ---- events ---- */

/* For each kind which keys an event must and may have, besides at_s and event. */
static const struct event_form {
    const char *name;
    const char *must[KEYS_MAX], *may[KEYS_MAX];
} event_forms[XLP_SIM_EVENT_KINDS] = {
    [XLP_SIM_START] = {NULL, {NULL}, {NULL}},
    [XLP_SIM_DESTROY] = {"destroy", {"guest"}, {NULL}},
    [XLP_SIM_REBOOT] = {"reboot", {"guest"}, {NULL}},
    [XLP_SIM_PAUSE] = {"pause", {"guest"}, {NULL}},
    [XLP_SIM_UNPAUSE] = {"unpause", {"guest"}, {NULL}},
    [XLP_SIM_MIGRATE] = {"migrate", {"guest"}, {NULL}},
    [XLP_SIM_SHUTDOWN] = {"shutdown", {"guest"}, {NULL}},
    [XLP_SIM_VCPU_PIN] = {"vcpu-pin", {"guest"}, {"vcpu", "hard", "soft"}},
    [XLP_SIM_VCPU_SET] = {"vcpu-set", {"guest", "vcpus"}, {NULL}},
    [XLP_SIM_SCHED] = {"sched", {"guest"}, {"weight", "cap_pct"}},
    [XLP_SIM_MEM_SET] = {"mem-set", {"guest", "memory_mib"}, {NULL}},
    [XLP_SIM_SET_LOAD] = {"load", {"guest", "load_pct"}, {NULL}},
    [XLP_SIM_SET_USED] = {"used", {"guest", "used_mib"}, {NULL}},
    [XLP_SIM_SET_BALLOON] = {"balloon", {"guest", "balloon"}, {NULL}},
    [XLP_SIM_SET_AGENT] = {"agent", {"guest", "agent"}, {NULL}},
    [XLP_SIM_POOL_MIGRATE] = {"cpupool-migrate", {"guest", "pool"}, {NULL}},
    [XLP_SIM_PCPU_OFFLINE] = {"pcpu-offline", {"pcpu"}, {NULL}},
    [XLP_SIM_PCPU_ONLINE] = {"pcpu-online", {"pcpu"}, {NULL}},
    [XLP_SIM_CLAIM] = {"claim", {"memory_mib"}, {NULL}},
    [XLP_SIM_CONTROLLER] = {"other-controller", {NULL}, {"name"}},
    [XLP_SIM_FAULT_BUSY] = {"fault-busy", {"guest", "times"}, {NULL}},
    [XLP_SIM_FAULT_VANISH] = {"fault-vanish", {"guest"}, {NULL}},
    [XLP_SIM_FAULT_ZERO] = {"fault-zero", {"guest", "times"}, {NULL}},
    [XLP_SIM_CLOCK_STEP] = {"clock-step", {"by_s"}, {NULL}},
    [XLP_SIM_KILL_DAEMON] = {"kill-daemon", {NULL}, {"down_s"}},
    [XLP_SIM_STALL_DAEMON] = {"stall-daemon", {NULL}, {"down_s"}},
    [XLP_SIM_ADOPT] = {"adopt", {NULL}, {"guest"}},
    [XLP_SIM_RELEASE] = {"release", {NULL}, {"guest"}},
    [XLP_SIM_ACT] = {"act", {NULL}, {NULL}},
    [XLP_SIM_SETTING] = {"setting", {"name", "value"}, {NULL}},
    [XLP_SIM_RESERVE] = {"reserve", {"memory_mib"}, {"min_mib", "ttl_s", "name"}},
    [XLP_SIM_TRANSFER] = {"transfer", {"reservation", "guest"}, {NULL}},
    [XLP_SIM_UNRESERVE] = {"unreserve", {"reservation"}, {NULL}},
};

static int find_kind(struct xlp_json_reader *r, const struct xlp_json *v)
{
    const char *name = NULL;

    xlp_json_read_string(r, v, "event", XLP_JSON_REQUIRED, &name);
    if (r->failed)
        return -1;
    for (int kind = 0; kind < XLP_SIM_EVENT_KINDS; kind++)
        if (event_forms[kind].name && strcmp(event_forms[kind].name, name) == 0)
            return kind;
    xlp_json_fail(r, xlp_json_get(v, "event"), "there is no event \"%.64s\"", name);
    return -1;
}

/* Exactly these keys: all of must, any of may, and the two (or more) of always. */
static void check_form(struct xlp_json_reader *r, const struct xlp_json *v, const char *const *must,
                       const char *const *may, const char *const *always)
{
    const char *known[3 * KEYS_MAX + 1];
    size_t count = 0;

    for (size_t i = 0; i < KEYS_MAX && always[i]; i++)
        known[count++] = always[i];
    for (size_t i = 0; i < KEYS_MAX && must[i]; i++)
        known[count++] = must[i];
    for (size_t i = 0; i < KEYS_MAX && may[i]; i++)
        known[count++] = may[i];
    known[count] = NULL;
    xlp_json_check_keys(r, v, known);
    for (size_t i = 0; i < KEYS_MAX && must[i] && !r->failed; i++)
        if (!xlp_json_get(v, must[i]))
            xlp_json_fail(r, v, "the key \"%s\" is missing", must[i]);
}

/* Whether the key stands there; keys that do not belong to the kind were refused before. */
static bool has(const struct xlp_json_reader *r, const struct xlp_json *v, const char *key)
{
    return !r->failed && xlp_json_get(v, key);
}

static void read_placing(struct xlp_json_reader *r, const struct xlp_json *v,
                         const struct xlp_sim_scenario *scenario, struct xlp_sim_event *event)
{
    event->has_vcpu = has(r, v, "vcpu");
    event->has_hard = has(r, v, "hard");
    event->has_soft = has(r, v, "soft");
    event->has_weight = has(r, v, "weight");
    event->has_cap = has(r, v, "cap_pct");
    xlp_json_read_u32(r, v, "vcpu", XLP_JSON_OPTIONAL, UINT32_MAX - 1, &event->vcpu);
    xlp_sim_read_map(r, v, "hard", XLP_JSON_OPTIONAL, &event->hard);
    xlp_sim_read_map(r, v, "soft", XLP_JSON_OPTIONAL, &event->soft);
    xlp_json_read_u32(r, v, "weight", XLP_JSON_OPTIONAL, 65535, &event->weight);
    xlp_json_read_u32(r, v, "cap_pct", XLP_JSON_OPTIONAL, 100000, &event->cap_pct);
    xlp_json_read_u32(r, v, "pcpu", XLP_JSON_OPTIONAL, scenario->host.pcpus - 1, &event->pcpu);
    if (has(r, v, "pool"))
        event->pool = xlp_sim_read_pool(r, v, scenario);
    if (event->has_vcpu && !r->failed && event->vcpu >= scenario->guests[event->guest].vcpu_count)
        xlp_json_fail(r, xlp_json_get(v, "vcpu"), "the guest has no vCPU %u", event->vcpu);
    if (has(r, v, "vcpus"))
        xlp_json_read_u32(r, v, "vcpus", XLP_JSON_REQUIRED,
                          scenario->guests[event->guest].vcpu_count, &event->vcpus);
    if (event->has_weight && !r->failed && event->weight == 0)
        xlp_json_fail(r, xlp_json_get(v, "weight"), "\"weight\" must be above 0");
}

static void read_setting(struct xlp_json_reader *r, const struct xlp_json *v,
                         struct xlp_sim_event *event)
{
    struct xlp_policy scratch;
    char error[200];

    xlp_policy_init(&scratch);
    xlp_sim_read_name(r, v, "value", XLP_JSON_REQUIRED, event->value);
    if (!r->failed && xlp_policy_set(&scratch, event->name, event->value, error, sizeof(error)) < 0)
        xlp_json_fail(r, v, "%s", error);
    xlp_policy_dispose(&scratch);
}

static void read_reservation(struct xlp_json_reader *r, const struct xlp_json *v,
                             struct xlp_sim_event *event)
{
    event->min_kib = event->memory_kib;
    xlp_sim_read_mib(r, v, "min_mib", XLP_JSON_OPTIONAL, &event->min_kib);
    xlp_sim_read_seconds(r, v, "ttl_s", XLP_JSON_OPTIONAL, &event->ttl_ns);
    xlp_json_read_u32(r, v, "reservation", XLP_JSON_OPTIONAL, UINT32_MAX - 1, &event->reservation);
    if (!r->failed && event->kind == XLP_SIM_RESERVE &&
        (event->min_kib == 0 || event->min_kib > event->memory_kib))
        xlp_json_fail(r, v, "a reservation is of at least \"min_mib\", at best \"memory_mib\"");
}

static void read_event(struct xlp_json_reader *r, const struct xlp_json *v,
                       struct xlp_sim_scenario *scenario)
{
    static const char *const always[KEYS_MAX] = {"at_s", "event"};
    struct xlp_sim_event event = {
        .guest = SIZE_MAX, .down_ns = UINT64_C(2000000000), .ttl_ns = UINT64_C(300000000000)};
    int kind = find_kind(r, v), word = 0;
    double step_s = 0;

    if (kind < 0)
        return;
    event.kind = (enum xlp_sim_event_kind)kind;
    check_form(r, v, event_forms[kind].must, event_forms[kind].may, always);
    xlp_sim_read_seconds(r, v, "at_s", XLP_JSON_REQUIRED, &event.at_ns);
    if (has(r, v, "guest"))
        event.guest = xlp_sim_read_guest(r, v, scenario);
    read_placing(r, v, scenario, &event);
    xlp_sim_read_mib(r, v, "memory_mib", XLP_JSON_OPTIONAL, &event.memory_kib);
    xlp_json_read_u32(r, v, "times", XLP_JSON_OPTIONAL, 1000000, &event.times);
    xlp_sim_read_seconds(r, v, "down_s", XLP_JSON_OPTIONAL, &event.down_ns);
    xlp_json_read_double(r, v, "by_s", XLP_JSON_OPTIONAL, -1e7, 1e7, &step_s);
    event.step_ns = llround(step_s * 1e9);
    xlp_sim_read_name(r, v, "name", XLP_JSON_OPTIONAL, event.name);
    if (has(r, v, "balloon")) {
        xlp_sim_read_word(r, v, "balloon", XLP_JSON_REQUIRED, xlp_sim_balloon_names, &word);
        event.balloon = (enum xlp_sim_balloon)word;
    }
    if (has(r, v, "agent")) {
        xlp_sim_read_word(r, v, "agent", XLP_JSON_REQUIRED, xlp_sim_agent_names, &word);
        event.agent = (enum xlp_sim_agent)word;
    }
    if (has(r, v, "load_pct"))
        xlp_sim_trace_value(r, scenario, xlp_json_get(v, "load_pct"), "load_pct", 100,
                            &event.trace);
    if (has(r, v, "used_mib"))
        xlp_sim_trace_value(r, scenario, xlp_json_get(v, "used_mib"), "used_mib", 1e9,
                            &event.trace);
    if (kind == XLP_SIM_SETTING)
        read_setting(r, v, &event);
    read_reservation(r, v, &event);

    struct xlp_sim_event *added = xlp_sim_add_event(r, scenario);
    if (added)
        *added = event;
}

void xlp_sim_read_events(struct xlp_json_reader *r, const struct xlp_json *events,
                         struct xlp_sim_scenario *scenario)
{
    for (size_t i = 0; events && i < xlp_json_count(events) && !r->failed; i++)
        read_event(r, xlp_json_at(events, i), scenario);
}

/* ---- expectations ---- */

static const struct expect_form {
    const char *name;
    const char *must[KEYS_MAX], *may[KEYS_MAX];
} expect_forms[XLP_CHECK_KINDS] = {
    [XLP_CHECK_PCPU_SPREAD] = {"pcpu-spread", {"max_pct"}, {NULL}},
    [XLP_CHECK_VCPUS_PER_PCPU] = {"vcpus-per-pcpu", {"equal"}, {"guests", "pinned"}},
    [XLP_CHECK_MOVES] = {"moves", {NULL}, {"min", "max", "guests"}},
    [XLP_CHECK_REVERSALS] = {"reversals", {"max"}, {"guests"}},
    [XLP_CHECK_NEEDLESS_WRITES] = {"needless-writes", {"max"}, {"guests"}},
    [XLP_CHECK_GUEST_CPU] = {"guest-cpu", {NULL}, {"min_pct", "max_pct", "guests"}},
    [XLP_CHECK_GUEST_CPU_SPREAD] = {"guest-cpu-spread", {"max_pct"}, {"guests"}},
    [XLP_CHECK_GUEST_WORK] = {"guest-work", {NULL}, {"min_pct", "max_pct", "guests"}},
    [XLP_CHECK_GUEST_SHARE] = {"guest-share", {NULL}, {"min_pct", "max_pct", "guests"}},
    [XLP_CHECK_UNFAIRNESS] = {"unfairness", {"max_pct"}, {"guests"}},
    [XLP_CHECK_LOST_WORK] = {"lost-work", {"max_pct"}, {"guests"}},
    [XLP_CHECK_ELSEWHERE] = {"elsewhere", {"pcpus", "max_pct"}, {"guests"}},
    [XLP_CHECK_AFFINITY] = {"affinity", {"hard"}, {"guests"}},
    [XLP_CHECK_AFFINITY_UNCHANGED] = {"affinity-unchanged", {NULL}, {"guests"}},
    [XLP_CHECK_WEIGHT] = {"weight", {NULL}, {"min", "max", "guests"}},
    [XLP_CHECK_WEIGHT_WRITES] = {"weight-writes", {NULL}, {"min", "max", "guests"}},
    [XLP_CHECK_SHORT] = {"short", {"max_s"}, {"guests"}},
    [XLP_CHECK_DEFICIT] = {"deficit", {"max_mib_s"}, {"guests"}},
    [XLP_CHECK_GIVERS_SAFE] = {"givers-safe", {NULL}, {"margin_mib", "guests"}},
    [XLP_CHECK_SIZES_WITHIN] = {"sizes-within", {"within_pct"}, {"guests"}},
    [XLP_CHECK_GUEST_MEMORY] = {"guest-memory", {NULL}, {"min_mib", "max_mib", "guests"}},
    [XLP_CHECK_HOST_FREE] = {"host-free", {NULL}, {"min_mib", "max_mib"}},
    [XLP_CHECK_TARGET_WRITES] = {"target-writes", {NULL}, {"min", "max", "guests"}},
    [XLP_CHECK_TARGET_FLIPS] = {"target-flips", {"max"}, {"guests"}},
    [XLP_CHECK_GROWTH_FAILURES] = {"growth-failures", {"max"}, {"guests"}},
    [XLP_CHECK_RESERVED] = {"reserved", {NULL}, {"min_mib", "max_mib", "reservation"}},
    [XLP_CHECK_RESERVATIONS] = {"reservations", {NULL}, {"min", "max"}},
    [XLP_CHECK_OUTCOMES] = {"outcomes", {"outcome"}, {"min", "max"}},
};

static int find_check(struct xlp_json_reader *r, const struct xlp_json *v)
{
    const char *name = NULL;

    xlp_json_read_string(r, v, "check", XLP_JSON_REQUIRED, &name);
    if (r->failed)
        return -1;
    for (int check = 0; check < XLP_CHECK_KINDS; check++)
        if (strcmp(expect_forms[check].name, name) == 0)
            return check;
    xlp_json_fail(r, xlp_json_get(v, "check"), "there is no check \"%.64s\"", name);
    return -1;
}

static void read_bounds(struct xlp_json_reader *r, const struct xlp_json *v,
                        struct xlp_sim_expect *expect)
{
    static const char *const lower[] = {"min", "min_pct", "min_mib", "equal", NULL};
    static const char *const upper[] = {"max",   "max_pct",   "max_mib",    "max_s",
                                        "equal", "max_mib_s", "within_pct", NULL};

    expect->min = -INFINITY;
    expect->max = INFINITY;
    for (size_t i = 0; lower[i]; i++)
        xlp_json_read_double(r, v, lower[i], XLP_JSON_OPTIONAL, 0, 1e12, &expect->min);
    for (size_t i = 0; upper[i]; i++)
        xlp_json_read_double(r, v, upper[i], XLP_JSON_OPTIONAL, 0, 1e12, &expect->max);
    xlp_json_read_double(r, v, "margin_mib", XLP_JSON_OPTIONAL, 0, 1e9, &expect->margin_mib);
}

/* A check with nothing to hold against would always pass. */
static void check_bounds(struct xlp_json_reader *r, const struct xlp_json *v,
                         const struct xlp_sim_expect *expect)
{
    bool bounded =
        !isinf(expect->min) || !isinf(expect->max) || expect->check == XLP_CHECK_AFFINITY ||
        expect->check == XLP_CHECK_AFFINITY_UNCHANGED || expect->check == XLP_CHECK_GIVERS_SAFE;

    if (r->failed)
        return;
    if (!bounded)
        xlp_json_fail(r, v, "\"%s\" needs a bound: a key that begins with \"min\" or \"max\"",
                      expect_forms[expect->check].name);
    else if (expect->from_ns >= expect->to_ns)
        xlp_json_fail(r, v, "\"from_s\" must be before \"to_s\" and the end of the run");
}

static void read_expect(struct xlp_json_reader *r, const struct xlp_json *v,
                        struct xlp_sim_scenario *scenario)
{
    static const char *const always[KEYS_MAX] = {"check", "from_s", "from_tick", "to_s"};
    const char *outcome_words[XLP_OUTCOME_CODES + 1] = {NULL};
    struct xlp_sim_expect expect = {.to_ns = scenario->run_ns, .guests = "*"};
    int check = find_check(r, v), word = 0;

    if (check < 0)
        return;
    expect.check = (enum xlp_sim_check)check;
    expect.line = xlp_json_line(v);
    check_form(r, v, expect_forms[check].must, expect_forms[check].may, always);
    xlp_sim_read_seconds(r, v, "from_s", XLP_JSON_OPTIONAL, &expect.from_ns);
    xlp_sim_read_seconds(r, v, "to_s", XLP_JSON_OPTIONAL, &expect.to_ns);
    xlp_json_read_u32(r, v, "from_tick", XLP_JSON_OPTIONAL, 1000000, &expect.from_tick);
    xlp_sim_read_name(r, v, "guests", XLP_JSON_OPTIONAL, expect.guests);
    xlp_sim_read_map(r, v, "hard", XLP_JSON_OPTIONAL, &expect.map);
    xlp_sim_read_map(r, v, "pcpus", XLP_JSON_OPTIONAL, &expect.map);
    xlp_json_read_bool(r, v, "pinned", XLP_JSON_OPTIONAL, &expect.pinned);
    xlp_json_read_u32(r, v, "reservation", XLP_JSON_OPTIONAL, UINT32_MAX - 1, &expect.reservation);
    for (int i = 0; i < XLP_OUTCOME_CODES; i++)
        outcome_words[i] = xlp_outcome_name((enum xlp_outcome_code)i);
    xlp_sim_read_word(r, v, "outcome", XLP_JSON_OPTIONAL, outcome_words, &word);
    expect.outcome = (enum xlp_outcome_code)word;
    read_bounds(r, v, &expect);
    if (has(r, v, "from_s") && has(r, v, "from_tick"))
        xlp_json_fail(r, v, "\"from_s\" and \"from_tick\" are two ways to say the same");
    check_bounds(r, v, &expect);
    if (r->failed)
        return;
    if (xlp_grow(&scenario->expects, &scenario->expect_room, scenario->expect_count + 1,
                 sizeof(expect)) < 0) {
        xlp_json_fail(r, NULL, "out of memory");
        return;
    }
    scenario->expects[scenario->expect_count++] = expect;
}

void xlp_sim_read_expects(struct xlp_json_reader *r, const struct xlp_json *expects,
                          struct xlp_sim_scenario *scenario)
{
    for (size_t i = 0; expects && i < xlp_json_count(expects) && !r->failed; i++)
        read_expect(r, xlp_json_at(expects, i), scenario);
}

const char *xlp_sim_check_name(enum xlp_sim_check check)
{
    return (unsigned int)check < XLP_CHECK_KINDS ? expect_forms[check].name : "unknown";
}
