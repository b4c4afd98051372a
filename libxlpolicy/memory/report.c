/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Parsing of what guests say about their memory: see report.h for the contract.
 *
 * Everything works on a bounded slice of bytes. No C string function that looks for a NUL, and no
 * strtol(), which would take signs, blanks and "0x".
 */
#include "memory/report.h"

#include <stdbool.h>
#include <string.h>

struct slice {
    const char *at;
    size_t len;
};

enum field {
    FIELD_SEQ,
    FIELD_TOTAL,
    FIELD_AVAIL,
    FIELD_FREE,
    FIELD_SWAP_TOTAL,
    FIELD_SWAP_USED,
    FIELD_PSWPIN,
    FIELD_PSWPOUT,
    FIELD_REFAULT_ANON,
    FIELD_REFAULT_FILE,
    FIELD_PSI_SOME_AVG10,
    FIELD_PSI_FULL_AVG10,
    FIELD_PSI_SOME_US,
    FIELD_PSI_FULL_US,
    FIELD_OOM_KILL,
    FIELD_COUNT,
};

struct field_spec {
    const char *key;
    uint64_t max;
    bool required;
};

static const struct field_spec field_specs[FIELD_COUNT] = {
    [FIELD_SEQ] = {"seq", UINT64_MAX, true},
    [FIELD_TOTAL] = {"total", XLP_REPORT_MAX_MEMORY_KIB, true},
    [FIELD_AVAIL] = {"avail", XLP_REPORT_MAX_MEMORY_KIB, true},
    [FIELD_FREE] = {"free", XLP_REPORT_MAX_MEMORY_KIB, false},
    [FIELD_SWAP_TOTAL] = {"swap_total", XLP_REPORT_MAX_MEMORY_KIB, false},
    [FIELD_SWAP_USED] = {"swap_used", XLP_REPORT_MAX_MEMORY_KIB, false},
    [FIELD_PSWPIN] = {"pswpin", UINT64_MAX, false},
    [FIELD_PSWPOUT] = {"pswpout", UINT64_MAX, false},
    [FIELD_REFAULT_ANON] = {"refault_anon", UINT64_MAX, false},
    [FIELD_REFAULT_FILE] = {"refault_file", UINT64_MAX, false},
    [FIELD_PSI_SOME_AVG10] = {"psi_some_avg10", XLP_REPORT_MAX_PSI_CENTIPCT, false},
    [FIELD_PSI_FULL_AVG10] = {"psi_full_avg10", XLP_REPORT_MAX_PSI_CENTIPCT, false},
    [FIELD_PSI_SOME_US] = {"psi_some_us", UINT64_MAX, false},
    [FIELD_PSI_FULL_US] = {"psi_full_us", UINT64_MAX, false},
    [FIELD_OOM_KILL] = {"oom_kill", UINT64_MAX, false},
};

struct fields {
    uint64_t value[FIELD_COUNT];
    bool seen[FIELD_COUNT];
};

static int check_bytes(struct slice untrusted);
static int parse_token(struct slice untrusted_token, struct fields *fields);
static int find_field(struct slice untrusted_key);
static int parse_number(struct slice untrusted_digits, uint64_t max, uint64_t *value_out);
static int check_required(const struct fields *fields);
static int check_invariants(const struct xlp_mem_report *report);
static bool next_part(struct slice *rest, char separator, struct slice *part_out);
static bool slice_is(struct slice slice, const char *text);

int xlp_report_parse_agent(const char *untrusted, size_t len, struct xlp_mem_report *report_out)
{
    struct slice untrusted_rest = {untrusted, len};
    struct slice untrusted_token = {0};
    struct fields fields = {0};
    int rc = check_bytes(untrusted_rest);

    if (rc)
        return rc;

    next_part(&untrusted_rest, ' ', &untrusted_token);
    if (!slice_is(untrusted_token, "1"))
        return XLP_REPORT_E_VERSION;
    while (next_part(&untrusted_rest, ' ', &untrusted_token)) {
        rc = parse_token(untrusted_token, &fields);
        if (rc)
            return rc;
    }
    rc = check_required(&fields);
    if (rc)
        return rc;

    const uint64_t *value = fields.value;
    struct xlp_mem_report report = {
        .source = XLP_REPORT_AGENT,
        .seq = value[FIELD_SEQ],
        .total_kib = (int64_t)value[FIELD_TOTAL],
        .avail_kib = (int64_t)value[FIELD_AVAIL],
        .free_kib = (int64_t)value[FIELD_FREE],
        .swap_total_kib = (int64_t)value[FIELD_SWAP_TOTAL],
        .swap_used_kib = (int64_t)value[FIELD_SWAP_USED],
        .pswpin = value[FIELD_PSWPIN],
        .pswpout = value[FIELD_PSWPOUT],
        .refault_anon = value[FIELD_REFAULT_ANON],
        .refault_file = value[FIELD_REFAULT_FILE],
        .psi_some_avg10_centipct = (uint32_t)value[FIELD_PSI_SOME_AVG10],
        .psi_full_avg10_centipct = (uint32_t)value[FIELD_PSI_FULL_AVG10],
        .psi_some_us = value[FIELD_PSI_SOME_US],
        .psi_full_us = value[FIELD_PSI_FULL_US],
        .oom_kill = value[FIELD_OOM_KILL],
    };

    rc = check_invariants(&report);
    if (rc)
        return rc;
    *report_out = report;
    return 0;
}

int xlp_report_parse_qubes(const char *untrusted_used, size_t len, int64_t total_kib,
                           struct xlp_mem_report *report_out)
{
    struct slice untrusted = {untrusted_used, len};
    uint64_t used_kib;
    int rc = check_bytes(untrusted);

    if (rc)
        return rc;
    if (total_kib <= 0 || total_kib > XLP_REPORT_MAX_MEMORY_KIB)
        return XLP_REPORT_E_RANGE;
    rc = parse_number(untrusted, XLP_REPORT_MAX_MEMORY_KIB, &used_kib);
    if (rc)
        return rc;

    int64_t avail_kib = total_kib - (int64_t)used_kib;
    int64_t swap_kib = 0;
    if (avail_kib < 0) {
        swap_kib = -avail_kib;
        avail_kib = 0;
    }
    *report_out = (struct xlp_mem_report){
        .source = XLP_REPORT_QUBES,
        .total_kib = total_kib,
        .avail_kib = avail_kib,
        .free_kib = avail_kib,
        .swap_total_kib = swap_kib,
        .swap_used_kib = swap_kib,
    };
    return 0;
}

int xlp_report_parse_xenserver(const char *untrusted_total, size_t total_len,
                               const char *untrusted_free, size_t free_len,
                               struct xlp_mem_report *report_out)
{
    const struct slice untrusted[2] = {{untrusted_total, total_len}, {untrusted_free, free_len}};
    uint64_t kib[2];

    for (int i = 0; i < 2; i++) {
        int rc = check_bytes(untrusted[i]);

        if (rc == 0)
            rc = parse_number(untrusted[i], XLP_REPORT_MAX_MEMORY_KIB, &kib[i]);
        if (rc)
            return rc;
    }

    struct xlp_mem_report report = {
        .source = XLP_REPORT_XENSERVER,
        .total_kib = (int64_t)kib[0],
        .avail_kib = (int64_t)kib[1],
        .free_kib = (int64_t)kib[1],
    };
    int rc = check_invariants(&report);

    if (rc)
        return rc;
    *report_out = report;
    return 0;
}

const char *xlp_report_error_text(int error)
{
    switch (error) {
    case 0: return "no error";
    case XLP_REPORT_E_EMPTY: return "the report is empty";
    case XLP_REPORT_E_TOO_LONG: return "the report is too long";
    case XLP_REPORT_E_NOT_PRINTABLE: return "the report is not printable ASCII";
    case XLP_REPORT_E_VERSION: return "the report is not of format version 1";
    case XLP_REPORT_E_SYNTAX: return "the report is not a list of key=value";
    case XLP_REPORT_E_NUMBER: return "a value is not a plain decimal number";
    case XLP_REPORT_E_RANGE: return "a value is out of range";
    case XLP_REPORT_E_DUPLICATE: return "a key appears twice";
    case XLP_REPORT_E_MISSING: return "a required key is missing";
    case XLP_REPORT_E_INCONSISTENT: return "the values contradict each other";
    }
    return "unknown error";
}

/* So that a report can go into a log as it is, and so that no later step meets a control byte. */
static int check_bytes(struct slice untrusted)
{
    if (untrusted.len == 0)
        return XLP_REPORT_E_EMPTY;
    if (untrusted.len > XLP_REPORT_MAX_LEN)
        return XLP_REPORT_E_TOO_LONG;
    for (size_t i = 0; i < untrusted.len; i++) {
        if (untrusted.at[i] < ' ' || untrusted.at[i] > '~')
            return XLP_REPORT_E_NOT_PRINTABLE;
    }
    return 0;
}

static int parse_token(struct slice untrusted_token, struct fields *fields)
{
    struct slice untrusted_value = untrusted_token;
    struct slice untrusted_key = {0};

    next_part(&untrusted_value, '=', &untrusted_key);
    if (untrusted_key.len == 0 || untrusted_value.at == NULL)
        return XLP_REPORT_E_SYNTAX;

    int field = find_field(untrusted_key);
    if (field < 0)
        return 0;
    if (fields->seen[field])
        return XLP_REPORT_E_DUPLICATE;
    fields->seen[field] = true;
    return parse_number(untrusted_value, field_specs[field].max, &fields->value[field]);
}

/* The index of a known key, or -1. */
static int find_field(struct slice untrusted_key)
{
    for (int field = 0; field < FIELD_COUNT; field++) {
        if (slice_is(untrusted_key, field_specs[field].key))
            return field;
    }
    return -1;
}

static int parse_number(struct slice untrusted_digits, uint64_t max, uint64_t *value_out)
{
    uint64_t value = 0;

    if (untrusted_digits.len == 0)
        return XLP_REPORT_E_NUMBER;
    if (untrusted_digits.len > 1 && untrusted_digits.at[0] == '0')
        return XLP_REPORT_E_NUMBER;
    for (size_t i = 0; i < untrusted_digits.len; i++) {
        char c = untrusted_digits.at[i];

        if (c < '0' || c > '9')
            return XLP_REPORT_E_NUMBER;
        uint64_t digit = (uint64_t)(c - '0');
        if (value > max / 10 || value * 10 > max - digit)
            return XLP_REPORT_E_RANGE;
        value = value * 10 + digit;
    }
    *value_out = value;
    return 0;
}

static int check_required(const struct fields *fields)
{
    for (int field = 0; field < FIELD_COUNT; field++) {
        if (field_specs[field].required && !fields->seen[field])
            return XLP_REPORT_E_MISSING;
    }
    return 0;
}

static int check_invariants(const struct xlp_mem_report *report)
{
    if (report->total_kib == 0)
        return XLP_REPORT_E_RANGE;
    if (report->avail_kib > report->total_kib || report->free_kib > report->total_kib)
        return XLP_REPORT_E_INCONSISTENT;
    if (report->swap_used_kib > report->swap_total_kib)
        return XLP_REPORT_E_INCONSISTENT;
    return 0;
}

/*
 * Cuts what stands before the first separator off rest. After the last part rest->at is NULL,
 * which is not the same as an empty part that still follows a separator.
 */
static bool next_part(struct slice *rest, char separator, struct slice *part_out)
{
    if (rest->at == NULL)
        return false;

    const char *end = memchr(rest->at, separator, rest->len);
    if (end == NULL) {
        *part_out = *rest;
        *rest = (struct slice){0};
        return true;
    }
    size_t part_len = (size_t)(end - rest->at);
    *part_out = (struct slice){rest->at, part_len};
    rest->at = end + 1;
    rest->len -= part_len + 1;
    return true;
}

static bool slice_is(struct slice slice, const char *text)
{
    return slice.len == strlen(text) && memcmp(slice.at, text, slice.len) == 0;
}
