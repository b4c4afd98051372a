/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Whatever a guest writes as its memory report: the parsers neither crash nor let a number out of
 * its limits, refuse without a trace, and read back what a report says as the same report.
 */
#include "fuzz.h"

#include <inttypes.h>
#include <string.h>

#include "memory/report.h"

#define CANARY 0x5a

static void check_agent(const char *text, size_t size);
static void check_qubes(const char *text, size_t size, int64_t total_kib);
static void check_xenserver(const char *text, size_t size);
static void check_refusal(int rc, const struct xlp_mem_report *report);
static void check_limits(const struct xlp_mem_report *report);
static void check_only_memory(const struct xlp_mem_report *report);
static size_t print(const struct xlp_mem_report *report, char *text, size_t room);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;

    check_agent(text, size);
    check_qubes(text, size, 1);
    check_qubes(text, size, 262144);
    check_qubes(text, size, XLP_REPORT_MAX_MEMORY_KIB);
    check_xenserver(text, size);
    return 0;
}

static void check_agent(const char *text, size_t size)
{
    char first[XLP_REPORT_MAX_LEN];
    char second[XLP_REPORT_MAX_LEN];
    struct xlp_mem_report report;

    memset(&report, CANARY, sizeof(report));
    int rc = xlp_report_parse_agent(text, size, &report);
    if (rc) {
        check_refusal(rc, &report);
        return;
    }
    FUZZ_CHECK(report.source == XLP_REPORT_AGENT);
    FUZZ_CHECK(report.psi_some_avg10_centipct <= XLP_REPORT_MAX_PSI_CENTIPCT);
    FUZZ_CHECK(report.psi_full_avg10_centipct <= XLP_REPORT_MAX_PSI_CENTIPCT);
    check_limits(&report);

    size_t len = print(&report, first, sizeof(first));
    FUZZ_CHECK(xlp_report_parse_agent(first, len, &report) == 0);
    print(&report, second, sizeof(second));
    FUZZ_CHECK(strcmp(first, second) == 0);
}

static void check_qubes(const char *text, size_t size, int64_t total_kib)
{
    struct xlp_mem_report report;

    memset(&report, CANARY, sizeof(report));
    int rc = xlp_report_parse_qubes(text, size, total_kib, &report);
    if (rc) {
        check_refusal(rc, &report);
        return;
    }
    FUZZ_CHECK(report.source == XLP_REPORT_QUBES);
    FUZZ_CHECK(report.total_kib == total_kib);
    check_limits(&report);
    check_only_memory(&report);
}

/* The first line is the total, the rest what is free. */
static void check_xenserver(const char *text, size_t size)
{
    const char *line_end = size ? memchr(text, '\n', size) : NULL;
    size_t total_len = line_end ? (size_t)(line_end - text) : size;
    size_t rest = line_end ? total_len + 1 : 0;
    struct xlp_mem_report report;

    memset(&report, CANARY, sizeof(report));
    int rc = xlp_report_parse_xenserver(text, total_len, text + rest, size - rest, &report);
    if (rc) {
        check_refusal(rc, &report);
        return;
    }
    FUZZ_CHECK(report.source == XLP_REPORT_XENSERVER);
    check_limits(&report);
    check_only_memory(&report);
}

static void check_refusal(int rc, const struct xlp_mem_report *report)
{
    struct xlp_mem_report untouched;

    memset(&untouched, CANARY, sizeof(untouched));
    FUZZ_CHECK(rc <= XLP_REPORT_E_EMPTY && rc >= XLP_REPORT_E_INCONSISTENT);
    FUZZ_CHECK(memcmp(report, &untouched, sizeof(untouched)) == 0);
}

static void check_limits(const struct xlp_mem_report *report)
{
    FUZZ_CHECK(report->total_kib > 0 && report->total_kib <= XLP_REPORT_MAX_MEMORY_KIB);
    FUZZ_CHECK(report->avail_kib >= 0 && report->avail_kib <= report->total_kib);
    FUZZ_CHECK(report->free_kib >= 0 && report->free_kib <= report->total_kib);
    FUZZ_CHECK(report->swap_total_kib >= 0 && report->swap_total_kib <= XLP_REPORT_MAX_MEMORY_KIB);
    FUZZ_CHECK(report->swap_used_kib >= 0 && report->swap_used_kib <= report->swap_total_kib);
}

/* A source that has nothing else to tell tells nothing else. */
static void check_only_memory(const struct xlp_mem_report *report)
{
    FUZZ_CHECK((report->seq | report->pswpin | report->pswpout | report->refault_anon |
                report->refault_file | report->psi_some_avg10_centipct |
                report->psi_full_avg10_centipct | report->psi_some_us | report->psi_full_us |
                report->oom_kill) == 0);
}

static size_t print(const struct xlp_mem_report *report, char *text, size_t room)
{
    int len = snprintf(
        text, room,
        "1 seq=%" PRIu64 " total=%" PRId64 " avail=%" PRId64 " free=%" PRId64 " swap_total=%" PRId64
        " swap_used=%" PRId64 " pswpin=%" PRIu64 " pswpout=%" PRIu64 " refault_anon=%" PRIu64
        " refault_file=%" PRIu64 " psi_some_avg10=%" PRIu32 " psi_full_avg10=%" PRIu32
        " psi_some_us=%" PRIu64 " psi_full_us=%" PRIu64 " oom_kill=%" PRIu64,
        report->seq, report->total_kib, report->avail_kib, report->free_kib, report->swap_total_kib,
        report->swap_used_kib, report->pswpin, report->pswpout, report->refault_anon,
        report->refault_file, report->psi_some_avg10_centipct, report->psi_full_avg10_centipct,
        report->psi_some_us, report->psi_full_us, report->oom_kill);

    FUZZ_CHECK(len > 0 && (size_t)len < room);
    return (size_t)len;
}
