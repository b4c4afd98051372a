/* SPDX-License-Identifier: LGPL-2.1-only */
/* links: daemon/metrics.c */
/* Metrics as text: names that nobody chose well, counters in both formats, what is left out. */
#include "check_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../daemon/metrics.h"
#include "made_host.h"

static struct xlp_snapshot snapshot;
static struct xlp_plan plan;
static struct xlp_pcpu_view pcpus[2];
static struct xlp_vcpu_view vcpus[8];
static struct xlp_domain_view domains[4];
static uint64_t done[XLP_REASON_COUNT], not_done[XLP_REASON_COUNT];
static struct metrics_daemon daemon_metrics;
static struct metrics metrics;
static char *text;

static void set_up(void)
{
    made_host(&snapshot, 2, XLP_SCHED_CREDIT2);
    memset(pcpus, 0, sizeof(pcpus));
    memset(vcpus, 0, sizeof(vcpus));
    memset(domains, 0, sizeof(domains));
    memset(done, 0, sizeof(done));
    memset(not_done, 0, sizeof(not_done));
    xlp_plan_init(&plan);
    daemon_metrics = (struct metrics_daemon){.version = "1.2.3",
                                             .mode = "act",
                                             .observed = true,
                                             .tick_interval_s = 1,
                                             .tick_duration_s = 0.25,
                                             .ticks = 7,
                                             .done = done,
                                             .not_done = not_done};
    metrics = (struct metrics){.daemon = &daemon_metrics,
                               .snapshot = &snapshot,
                               .plan = &plan,
                               .pcpus = pcpus,
                               .vcpus = vcpus,
                               .domains = domains,
                               .reserve_kib = 2048};
    text = NULL;
}

static void tear_down(void)
{
    free(text);
    xlp_plan_dispose(&plan);
    xlp_snapshot_dispose(&snapshot);
}

static void write_as(enum metrics_format format)
{
    size_t size;
    FILE *stream;

    free(text);
    text = NULL;
    stream = open_memstream(&text, &size);
    ck_assert_ptr_nonnull(stream);
    metrics_write(stream, format, &metrics);
    ck_assert_int_eq(fclose(stream), 0);
}

/* A whole line. */
static bool has_line(const char *line)
{
    size_t length = strlen(line);

    for (const char *at = text; (at = strstr(at, line)); at++)
        if ((at == text || at[-1] == '\n') && at[length] == '\n')
            return true;
    return false;
}

static void assert_line(const char *line)
{
    ck_assert_msg(has_line(line), "no line %s in\n%s", line, text);
}

START_TEST(a_hostile_name_stays_inside_its_label)
{
    struct xlp_domain *d = made_guest(&snapshot, 1, 1);

    snprintf(d->name, sizeof(d->name), "a\"} 1\nevil{b=\"\\");
    ck_assert_int_eq(xlp_plan_start(&plan, &snapshot), 0);
    write_as(METRICS_PROMETHEUS);
    assert_line("xlpolicy_domain_vcpus{domain=\"a\\\"} 1\\nevil{b=\\\"\\\\\",domid=\"1\"} 1");
    ck_assert_ptr_null(strstr(text, "\nevil"));
}
END_TEST

START_TEST(two_guests_of_one_name_are_two_series)
{
    snprintf(made_guest(&snapshot, 1, 1)->name, XLP_NAME_SIZE, "same");
    snprintf(made_guest(&snapshot, 2, 3)->name, XLP_NAME_SIZE, "same");
    ck_assert_int_eq(xlp_plan_start(&plan, &snapshot), 0);
    write_as(METRICS_PROMETHEUS);
    assert_line("xlpolicy_domain_vcpus{domain=\"same\",domid=\"1\"} 1");
    assert_line("xlpolicy_domain_vcpus{domain=\"same\",domid=\"2\"} 3");
}
END_TEST

START_TEST(what_is_not_known_is_left_out)
{
    made_guest(&snapshot, 1, 2);
    ck_assert_int_eq(xlp_plan_start(&plan, &snapshot), 0);
    vcpus[0] = (struct xlp_vcpu_view){.known = true, .used = 0.5, .demand = 0.75};
    write_as(METRICS_PROMETHEUS);
    ck_assert_ptr_null(strstr(text, "\nxlpolicy_domain_cpu_used_pcpus{"));
    ck_assert_ptr_null(strstr(text, "\nxlpolicy_domain_memory_used_bytes{"));
    ck_assert_ptr_null(strstr(text, "\nxlpolicy_pcpu_used_ratio{"));
    ck_assert_ptr_null(strstr(text, "\nxlpolicy_domain_managed{"));

    vcpus[1] = (struct xlp_vcpu_view){.known = true, .used = 0.25, .demand = 1};
    domains[0] = (struct xlp_domain_view){.known = true, .used_kib = 3};
    pcpus[1] = (struct xlp_pcpu_view){.known = true, .used = 0.125};
    write_as(METRICS_PROMETHEUS);
    assert_line("xlpolicy_domain_cpu_used_pcpus{domain=\"vm1\",domid=\"1\"} 0.75");
    assert_line("xlpolicy_domain_cpu_demand_pcpus{domain=\"vm1\",domid=\"1\"} 1.75");
    assert_line("xlpolicy_domain_memory_used_bytes{domain=\"vm1\",domid=\"1\"} 3072");
    assert_line("xlpolicy_pcpu_used_ratio{pcpu=\"1\",pool=\"Pool-0\"} 0.125");
    ck_assert_ptr_null(strstr(text, "pcpu=\"0\""));
}
END_TEST

START_TEST(decisions_are_counted_by_reason)
{
    made_guest(&snapshot, 0, 1);
    made_guest(&snapshot, 1, 1);
    made_guest(&snapshot, 2, 1);
    ck_assert_int_eq(xlp_plan_start(&plan, &snapshot), 0);
    plan.verdicts[0].cpu.code = XLP_REASON_CPU_DOM0;
    plan.verdicts[1].cpu.code = plan.verdicts[2].cpu.code = XLP_REASON_CPU_BALANCED;
    plan.verdicts[2].memory.code = XLP_REASON_MEM_NO_AGENT;
    xlp_plan_add(&plan, XLP_PLACE_VCPU, &snapshot.domains[1])->reason.code = XLP_REASON_CPU_EVEN;
    done[XLP_REASON_CPU_EVEN] = 12;
    not_done[XLP_REASON_MEM_GROW] = 3;
    write_as(METRICS_PROMETHEUS);
    assert_line("xlpolicy_verdicts{reason=\"cpu-balanced\",resource=\"cpu\"} 2");
    assert_line("xlpolicy_verdicts{reason=\"cpu-dom0\",resource=\"cpu\"} 1");
    assert_line("xlpolicy_verdicts{reason=\"mem-no-agent\",resource=\"memory\"} 1");
    assert_line("xlpolicy_planned_actions{reason=\"cpu-even\"} 1");
    assert_line("xlpolicy_actions_total{reason=\"cpu-even\",outcome=\"done\"} 12");
    assert_line("xlpolicy_actions_total{reason=\"mem-grow\",outcome=\"not-done\"} 3");
    assert_line("xlpolicy_domain_managed{domain=\"vm1\",domid=\"1\",resource=\"cpu\"} 1");
    assert_line("xlpolicy_domain_managed{domain=\"vm2\",domid=\"2\",resource=\"memory\"} 0");
    assert_line("xlpolicy_problems 1");
    assert_line("xlpolicy_host_memory_reserve_bytes 2097152");
}
END_TEST

static void reserve(uint32_t id, int64_t min_mib, int64_t granted_mib)
{
    struct xlp_reservation *r = xlp_snapshot_add_reservation(&snapshot);

    ck_assert_ptr_nonnull(r);
    r->id = id;
    r->min_kib = min_mib * 1024;
    r->max_kib = 2 * r->min_kib;
    r->granted_kib = granted_mib * 1024;
    r->ttl_left_ns = 1;
}

START_TEST(reservations_are_told_by_how_far_they_got)
{
    struct xlp_domain *d = made_guest(&snapshot, 3, 1);
    struct xlp_reservation *taken;

    d->flags = XLP_DOMAIN_BUILDING;
    d->memory.actual_kib = 192 * 1024;
    reserve(1, 256, 0);
    reserve(2, 512, 0);
    reserve(3, 100, 128);
    reserve(4, 256, 256);
    taken = &snapshot.reservations[3];
    taken->taken = true;
    taken->domid = d->domid;
    memcpy(taken->uuid, d->uuid, sizeof(taken->uuid));
    ck_assert_int_eq(xlp_plan_start(&plan, &snapshot), 0);
    write_as(METRICS_PROMETHEUS);
    assert_line("xlpolicy_reservations{state=\"waiting\"} 2");
    assert_line("xlpolicy_reservations{state=\"granted\"} 1");
    assert_line("xlpolicy_reservations{state=\"taken\"} 1");
    assert_line("xlpolicy_reservations_memory_bytes{state=\"waiting\"} 805306368");
    assert_line("xlpolicy_reservations_memory_bytes{state=\"granted\"} 134217728");
    assert_line("xlpolicy_reservations_memory_bytes{state=\"taken\"} 67108864");
}
END_TEST

START_TEST(without_reservations_their_figures_are_nought)
{
    write_as(METRICS_PROMETHEUS);
    assert_line("xlpolicy_reservations{state=\"waiting\"} 0");
    assert_line("xlpolicy_reservations_memory_bytes{state=\"granted\"} 0");
}
END_TEST

START_TEST(a_host_that_cannot_be_looked_at_has_no_figures)
{
    daemon_metrics.observed = false;
    metrics.snapshot = NULL;
    write_as(METRICS_PROMETHEUS);
    assert_line("xlpolicy_host_observed 0");
    assert_line("xlpolicy_mode{mode=\"act\"} 1");
    assert_line("xlpolicy_mode{mode=\"advise\"} 0");
    ck_assert_ptr_null(strstr(text, "xlpolicy_host_memory"));
    ck_assert_ptr_null(strstr(text, "xlpolicy_domain"));
}
END_TEST

START_TEST(the_two_formats_name_counters_each_in_its_way)
{
    metrics.snapshot = NULL;
    write_as(METRICS_PROMETHEUS);
    assert_line("# TYPE xlpolicy_ticks_total counter");
    assert_line("xlpolicy_ticks_total 7");
    ck_assert_ptr_null(strstr(text, "# EOF"));
    write_as(METRICS_OPENMETRICS);
    assert_line("# TYPE xlpolicy_ticks counter");
    assert_line("xlpolicy_ticks_total 7");
    assert_line("# UNIT xlpolicy_tick_duration_seconds seconds");
    ck_assert_str_eq(text + strlen(text) - strlen("\n# EOF\n"), "\n# EOF\n");
}
END_TEST

START_TEST(the_manual_has_every_metric)
{
    char manual[64 << 10], name[80];
    FILE *file = fopen("docs/metrics.md", "r");
    size_t length, families = 0;

    ck_assert_ptr_nonnull(file);
    length = fread(manual, 1, sizeof(manual) - 1, file);
    manual[length] = '\0';
    fclose(file);
    write_as(METRICS_PROMETHEUS);
    for (const char *at = text; (at = strstr(at, "# TYPE ")); at++, families++) {
        ck_assert_int_eq(sscanf(at, "# TYPE %63s", name + 1), 1);
        name[0] = '`';
        strcat(name, "`");
        ck_assert_msg(strstr(manual, name) != NULL, "docs/metrics.md does not tell of %s", name);
    }
    ck_assert_uint_gt(families, 25);
}
END_TEST

static TCase *writing(void)
{
    TCase *tcase = tcase_create("writing");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_hostile_name_stays_inside_its_label);
    tcase_add_test(tcase, two_guests_of_one_name_are_two_series);
    tcase_add_test(tcase, what_is_not_known_is_left_out);
    tcase_add_test(tcase, decisions_are_counted_by_reason);
    tcase_add_test(tcase, reservations_are_told_by_how_far_they_got);
    tcase_add_test(tcase, without_reservations_their_figures_are_nought);
    tcase_add_test(tcase, a_host_that_cannot_be_looked_at_has_no_figures);
    tcase_add_test(tcase, the_two_formats_name_counters_each_in_its_way);
    tcase_add_test(tcase, the_manual_has_every_metric);
    return tcase;
}

CHECK_MAIN("metrics", writing)
