/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Policy: the parameters of the decisions. Every parameter stands once, in the table of policy.c:
 * the configuration file, scenario files, `config show` and the manual all go by that table.
 */
#ifndef XLP_POLICY_H
#define XLP_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapshot.h"

enum xlp_cpu_policy_kind { XLP_CPU_OFF, XLP_CPU_ROUND_ROBIN, XLP_CPU_BALANCE };
enum xlp_affinity_mode { XLP_AFFINITY_SOFT, XLP_AFFINITY_HARD };
enum xlp_weights_kind { XLP_WEIGHTS_OFF, XLP_WEIGHTS_SHARES };
enum xlp_mem_policy_kind { XLP_MEM_OFF, XLP_MEM_NEED };
enum xlp_surplus { XLP_SURPLUS_HOST, XLP_SURPLUS_GUESTS };

/* What the operator says of the guests whose name matches. */
struct xlp_domain_policy {
    char pattern[XLP_NAME_SIZE]; /* a shell pattern: "web*" */
    bool cpu, memory;            /* false: leave it alone */
    uint32_t shares;             /* relative right to what is scarce; 1000 is usual */
    bool shares_given;           /* shares are the operator's word, not just the usual */
    char serves[XLP_NAME_SIZE];  /* a shell pattern: guests it is a driver domain for; "": none */
    int64_t floor_kib;           /* 0: by the guest's size */
    unsigned int given;          /* which of these the entry names, private to policy.c */
};

struct xlp_policy {
    int64_t tick_ms; /* from one snapshot to the next */

    int64_t cpu_policy;   /* enum xlp_cpu_policy_kind */
    int64_t cpu_affinity; /* enum xlp_affinity_mode */
    int64_t cpu_weights;  /* enum xlp_weights_kind */
    int64_t adopt;        /* bool: take over guests that were pinned when first seen */
    int64_t cpu_overload_pct;
    int64_t cpu_uneven_pct, cpu_even_pct;
    int64_t cpu_uneven_ticks, cpu_cooldown_ticks;
    int64_t cpu_moves_max; /* a tick; 0: 5 % of the vCPUs, at least 16 */

    int64_t mem_policy;       /* enum xlp_mem_policy_kind */
    int64_t mem_surplus;      /* enum xlp_surplus */
    int64_t mem_idle_tax_pct; /* of idle memory within a guest's share, given up for others' need */
    int64_t mem_dom0;         /* bool: dom0 takes part, with no less than the next */
    int64_t mem_dom0_floor_kib;
    int64_t mem_reserve_kib; /* kept free on the host; 0: 1 %, at least 72 MiB */
    int64_t mem_margin_kib;  /* every guest keeps this much over what it uses */
    int64_t mem_quantum_kib; /* targets are multiples of it */
    int64_t mem_dead_zone_pct;
    int64_t mem_shrink_pct;    /* of what a guest has, at most, in one step */
    int64_t mem_return_pct;    /* of surplus, a second, given back to the host */
    int64_t mem_boot_hold_s;   /* a young guest is not shrunk */
    int64_t mem_stale_s;       /* a guest with an older report is not shrunk */
    int64_t mem_manual_hold_s; /* a target set by hand is left alone */

    struct xlp_domain_policy *domains; /* later entries win over earlier ones */
    size_t domain_count;
};

enum xlp_setting_kind {
    XLP_SETTING_NUMBER,
    XLP_SETTING_SIZE_KIB,
    XLP_SETTING_BOOL,
    XLP_SETTING_CHOICE
};

struct xlp_setting {
    const char *name;
    enum xlp_setting_kind kind;
    size_t offset; /* of an int64_t in struct xlp_policy */
    int64_t min, max;
    int64_t standard;    /* the default */
    const char *choices; /* "off round-robin balance": the i-th word stands for value i */
    const char *help;    /* one line: what it does */
};

extern const struct xlp_setting xlp_settings[];
extern const size_t xlp_setting_count;

void xlp_policy_init(struct xlp_policy *p); /* all defaults, no domains */
void xlp_policy_dispose(struct xlp_policy *p);

/* Copies src over dst (an initialised policy). 0, or -1 when memory is out; dst is then unchanged.
 */
int xlp_policy_copy(struct xlp_policy *dst, const struct xlp_policy *src);

/* NULL when there is no such parameter. */
const struct xlp_setting *xlp_setting_by_name(const char *name);

/* Sets one parameter from text ("balance", "1", "256m"). 0, or -1 with a sentence in error that
 * says what is allowed. Sizes have a unit: b k m g t. */
int xlp_policy_set(struct xlp_policy *p, const char *name, const char *value, char *error,
                   size_t error_size);

/* Whether settings, each within its range, contradict one another: to be asked once all are set. 0,
 * or -1 with a sentence in error that names them. */
int xlp_policy_check(const struct xlp_policy *p, char *error, size_t error_size);

/* The value as text that xlp_policy_set would read. Returns text. */
char *xlp_policy_get(const struct xlp_policy *p, const struct xlp_setting *setting, char *text,
                     size_t size);

/* The keys of an entry "PATTERN: key=value, ..."; managed is cpu and memory in one. */
#define XLP_DOMAIN_KEYS "cpu memory managed shares serves floor"

/* Appends an entry. 0, or -1 with error. */
int xlp_policy_add_domain(struct xlp_policy *p, const char *text, char *error, size_t error_size);

/* Lays what the entry says over the one of the very same pattern, or appends it where there is
 * none. 0, or -1 with error. */
int xlp_policy_merge_domain(struct xlp_policy *p, const char *text, char *error, size_t error_size);

/* Takes the entry of that very pattern away. Whether there was one. */
bool xlp_policy_remove_domain(struct xlp_policy *p, const char *pattern);

/* Appends src's entries, in their order. 0, or -1 when memory is out; dst is then unchanged. */
int xlp_policy_append_domains(struct xlp_policy *dst, const struct xlp_policy *src);

/* The pattern that the name itself, and no other, matches. 0, or -1 when there is none that an
 * entry could have (the name has a ":" or "," in it, or is too long). */
int xlp_pattern_of_name(const char *name, char pattern_out[XLP_NAME_SIZE]);

/* The entry as text that xlp_policy_add_domain would read. Returns text. */
char *xlp_domain_policy_format(const struct xlp_domain_policy *d, char *text, size_t size);

/* Whether the entry itself says that CPU, that memory is to be managed. */
bool xlp_domain_policy_wants_cpu(const struct xlp_domain_policy *d);
bool xlp_domain_policy_wants_memory(const struct xlp_domain_policy *d);

/* What holds for the guest of this name: the defaults, overlaid by each matching entry. */
struct xlp_domain_policy xlp_policy_for(const struct xlp_policy *p, const char *name);

/* What is kept free of a host with so much memory. */
int64_t xlp_policy_reserve_kib(const struct xlp_policy *p, int64_t total_kib);

/* Reads a size with a unit, b k m g t, as KiB; 0 needs none. 0, or -1. */
int xlp_size_parse(const char *text, int64_t *kib_out);

/* Whether all that text lacks to be a size is a unit: xl would take it for MiB, others for KiB. */
bool xlp_size_lacks_unit(const char *text);

#endif
