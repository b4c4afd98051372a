/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What a guest says about its own memory: three formats, one bounded parser.
 *
 * A report is hostile input. Each function below reads at most the len bytes it is given (no NUL
 * is needed), accepts exactly one spelling of a number (decimal digits, no sign, no leading zero),
 * and either returns 0 with a report whose every field is within the limits stated here, or a
 * negative enum xlp_report_error with *report_out untouched.
 *
 * A well-formed report may still be a lie. Only the caller knows what Xen gave the guest, so it is
 * the caller who compares total_kib with that and decides how far to believe the rest.
 */
#ifndef XLP_MEMORY_REPORT_H
#define XLP_MEMORY_REPORT_H

#include <stddef.h>
#include <stdint.h>

/* Keys relative to a guest's /local/domain/DOMID. */
#define XLP_REPORT_AGENT_KEY           "data/xlpolicy/memory"
#define XLP_REPORT_QUBES_KEY           "memory/meminfo"
#define XLP_REPORT_XENSERVER_TOTAL_KEY "data/meminfo_total"
#define XLP_REPORT_XENSERVER_FREE_KEY  "data/meminfo_free"

/* Longer reports are refused unread. */
#define XLP_REPORT_MAX_LEN 1024
/* 16 PiB: more than a guest can have, little enough that sums stay far from INT64_MAX. */
#define XLP_REPORT_MAX_MEMORY_KIB   (INT64_C(1) << 44)
#define XLP_REPORT_MAX_PSI_CENTIPCT 10000

enum xlp_report_source {
    XLP_REPORT_NONE,
    XLP_REPORT_AGENT,     /* xlpolicy-guest-agent */
    XLP_REPORT_QUBES,     /* Qubes' meminfo-writer */
    XLP_REPORT_XENSERVER, /* xe-guest-utilities */
};

/*
 * Invariants of a parsed report: 0 < total <= XLP_REPORT_MAX_MEMORY_KIB; 0 <= avail <= total;
 * 0 <= free <= total; 0 <= swap_used <= swap_total <= XLP_REPORT_MAX_MEMORY_KIB. What a source does
 * not tell is 0: only the agent has more than total, avail and free.
 */
struct xlp_mem_report {
    enum xlp_report_source source;
    uint64_t seq; /* differs from report to report; starts again when the agent does */
    int64_t total_kib;
    int64_t avail_kib; /* what the guest could use without swapping: Linux's MemAvailable */
    int64_t free_kib;
    int64_t swap_total_kib;
    int64_t swap_used_kib;
    /* Counters since the guest booted: pages swapped in and out, evicted pages faulted back. */
    uint64_t pswpin;
    uint64_t pswpout;
    uint64_t refault_anon;
    uint64_t refault_file;
    /* Pressure stall information of memory: hundredths of a percent, and total stall time. */
    uint32_t psi_some_avg10_centipct;
    uint32_t psi_full_avg10_centipct;
    uint64_t psi_some_us;
    uint64_t psi_full_us;
    uint64_t oom_kill; /* processes killed for want of memory since the guest booted */
};

enum xlp_report_error {
    XLP_REPORT_E_EMPTY = -1,
    XLP_REPORT_E_TOO_LONG = -2,
    XLP_REPORT_E_NOT_PRINTABLE = -3,
    XLP_REPORT_E_VERSION = -4,
    XLP_REPORT_E_SYNTAX = -5,
    XLP_REPORT_E_NUMBER = -6,
    XLP_REPORT_E_RANGE = -7,
    XLP_REPORT_E_DUPLICATE = -8,
    XLP_REPORT_E_MISSING = -9,
    XLP_REPORT_E_INCONSISTENT = -10,
};

/* A fixed English phrase for what a parser returned, never NULL: "no error" for 0. */
const char *xlp_report_error_text(int error);

/*
 * The agent's line (docs/formats.md): the format version "1", then key=value tokens, separated by
 * single spaces. seq, total and avail are required. A key that we do not know is ignored, so that
 * an agent may say more than this parser understands; a known key may appear once.
 */
int xlp_report_parse_agent(const char *untrusted, size_t len, struct xlp_mem_report *report_out);

/*
 * Qubes' one number: KiB in use, swap included. The total is not in it and comes from the caller,
 * who knows what Xen gave the guest. What is used beyond total_kib is reported as used swap, so
 * that total - avail + swap_used is the guest's own number. XLP_REPORT_E_RANGE if total_kib is not
 * within 1 .. XLP_REPORT_MAX_MEMORY_KIB.
 */
int xlp_report_parse_qubes(const char *untrusted_used, size_t len, int64_t total_kib,
                           struct xlp_mem_report *report_out);

/*
 * XenServer's two numbers: KiB in total, KiB free. It does not tell what could be reclaimed, so
 * avail is taken to be free: too small, which errs to the guest's side.
 */
int xlp_report_parse_xenserver(const char *untrusted_total, size_t total_len,
                               const char *untrusted_free, size_t free_len,
                               struct xlp_mem_report *report_out);

#endif
