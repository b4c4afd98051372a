/* SPDX-License-Identifier: LGPL-2.1-only */
/* A set of pCPUs, by pCPU id. Ids may be sparse; an id that does not fit is never in a set. */
#ifndef XLP_CPUMAP_H
#define XLP_CPUMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XLP_PCPUS_MAX       1024
#define XLP_CPUMAP_WORDS    (XLP_PCPUS_MAX / 64)
#define XLP_CPUMAP_TEXT_MAX (XLP_PCPUS_MAX * 5)

struct xlp_cpumap {
    uint64_t word[XLP_CPUMAP_WORDS];
};

static inline bool xlp_cpumap_test(const struct xlp_cpumap *map, uint32_t pcpu)
{
    return pcpu < XLP_PCPUS_MAX && (map->word[pcpu / 64] >> (pcpu % 64) & 1);
}

static inline void xlp_cpumap_set(struct xlp_cpumap *map, uint32_t pcpu)
{
    if (pcpu < XLP_PCPUS_MAX)
        map->word[pcpu / 64] |= UINT64_C(1) << (pcpu % 64);
}

static inline void xlp_cpumap_clear(struct xlp_cpumap *map, uint32_t pcpu)
{
    if (pcpu < XLP_PCPUS_MAX)
        map->word[pcpu / 64] &= ~(UINT64_C(1) << (pcpu % 64));
}

struct xlp_cpumap xlp_cpumap_none(void);
struct xlp_cpumap xlp_cpumap_all(void);
struct xlp_cpumap xlp_cpumap_of(uint32_t pcpu);
struct xlp_cpumap xlp_cpumap_and(const struct xlp_cpumap *a, const struct xlp_cpumap *b);
bool xlp_cpumap_equal(const struct xlp_cpumap *a, const struct xlp_cpumap *b);
bool xlp_cpumap_is_subset(const struct xlp_cpumap *inner, const struct xlp_cpumap *outer);
bool xlp_cpumap_is_empty(const struct xlp_cpumap *map);
uint32_t xlp_cpumap_count(const struct xlp_cpumap *map);

/* The lowest member >= from, or XLP_PCPUS_MAX: for (p = next(m, 0); p < MAX; p = next(m, p + 1)) */
uint32_t xlp_cpumap_next(const struct xlp_cpumap *map, uint32_t from);

/* Its only member, or UINT32_MAX when it has none or several. */
uint32_t xlp_cpumap_only(const struct xlp_cpumap *map);

/* xl's notation: "all", "none", "0-3,6". Always terminates text; text holds up to size - 1
 * characters, cut at a comma when it does not fit. Returns text. */
char *xlp_cpumap_format(const struct xlp_cpumap *map, char *text, size_t size);

/* Reads xl's notation ("all", "none", "2", "0-3,^1"). 0, or -1 when it is not of that form or names
 * a pCPU >= XLP_PCPUS_MAX; map_out is written only on success. */
int xlp_cpumap_parse(const char *text, struct xlp_cpumap *map_out);

#endif
