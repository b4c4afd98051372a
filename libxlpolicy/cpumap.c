/* SPDX-License-Identifier: LGPL-2.1-only */
/* Sets of pCPUs, and xl's notation for them. */
#include "cpumap.h"

#include <stdio.h>
#include <string.h>

struct xlp_cpumap xlp_cpumap_none(void)
{
    return (struct xlp_cpumap){0};
}

struct xlp_cpumap xlp_cpumap_all(void)
{
    struct xlp_cpumap map;

    memset(&map, 0xff, sizeof(map));
    return map;
}

struct xlp_cpumap xlp_cpumap_of(uint32_t pcpu)
{
    struct xlp_cpumap map = {0};

    xlp_cpumap_set(&map, pcpu);
    return map;
}

struct xlp_cpumap xlp_cpumap_and(const struct xlp_cpumap *a, const struct xlp_cpumap *b)
{
    struct xlp_cpumap both;

    for (size_t i = 0; i < XLP_CPUMAP_WORDS; i++)
        both.word[i] = a->word[i] & b->word[i];
    return both;
}

bool xlp_cpumap_equal(const struct xlp_cpumap *a, const struct xlp_cpumap *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

bool xlp_cpumap_is_subset(const struct xlp_cpumap *inner, const struct xlp_cpumap *outer)
{
    for (size_t i = 0; i < XLP_CPUMAP_WORDS; i++)
        if (inner->word[i] & ~outer->word[i])
            return false;
    return true;
}

bool xlp_cpumap_is_empty(const struct xlp_cpumap *map)
{
    return xlp_cpumap_next(map, 0) == XLP_PCPUS_MAX;
}

uint32_t xlp_cpumap_count(const struct xlp_cpumap *map)
{
    uint32_t count = 0;

    for (size_t i = 0; i < XLP_CPUMAP_WORDS; i++)
        count += (uint32_t)__builtin_popcountll(map->word[i]);
    return count;
}

uint32_t xlp_cpumap_next(const struct xlp_cpumap *map, uint32_t from)
{
    uint64_t word;

    if (from >= XLP_PCPUS_MAX)
        return XLP_PCPUS_MAX;
    word = map->word[from / 64] & (UINT64_MAX << (from % 64));
    for (uint32_t i = from / 64;;) {
        if (word)
            return i * 64 + (uint32_t)__builtin_ctzll(word);
        if (++i == XLP_CPUMAP_WORDS)
            return XLP_PCPUS_MAX;
        word = map->word[i];
    }
}

uint32_t xlp_cpumap_only(const struct xlp_cpumap *map)
{
    uint32_t only = UINT32_MAX;

    for (uint32_t i = 0; i < XLP_CPUMAP_WORDS; i++) {
        uint64_t word = map->word[i];

        if (word == 0)
            continue;
        if (only != UINT32_MAX || (word & (word - 1)) != 0)
            return UINT32_MAX;
        only = i * 64 + (uint32_t)__builtin_ctzll(word);
    }
    return only;
}

/* ---- xl's notation ---- */

/* The last pCPU of the run of members that starts at first. */
static uint32_t run_end(const struct xlp_cpumap *map, uint32_t first)
{
    while (xlp_cpumap_test(map, first + 1))
        first++;
    return first;
}

char *xlp_cpumap_format(const struct xlp_cpumap *map, char *text, size_t size)
{
    const struct xlp_cpumap all = xlp_cpumap_all();
    size_t used = 0;

    if (xlp_cpumap_is_empty(map) || xlp_cpumap_equal(map, &all)) {
        snprintf(text, size, "%s", xlp_cpumap_is_empty(map) ? "none" : "all");
        return text;
    }
    text[0] = '\0';
    for (uint32_t first = xlp_cpumap_next(map, 0); first < XLP_PCPUS_MAX;) {
        uint32_t last = run_end(map, first);
        char run[24];
        int length;

        if (first == last)
            length = snprintf(run, sizeof(run), "%s%u", used ? "," : "", first);
        else
            length = snprintf(run, sizeof(run), "%s%u-%u", used ? "," : "", first, last);
        if (used + (size_t)length >= size)
            break;
        memcpy(text + used, run, (size_t)length + 1);
        used += (size_t)length;
        first = xlp_cpumap_next(map, last + 1);
    }
    return text;
}

/* A pCPU number at *at, which is moved past it; XLP_PCPUS_MAX when there is none that fits. */
static uint32_t parse_pcpu(const char **at)
{
    uint32_t pcpu = 0;

    if (**at < '0' || **at > '9')
        return XLP_PCPUS_MAX;
    for (; **at >= '0' && **at <= '9'; (*at)++) {
        pcpu = pcpu * 10 + (uint32_t)(**at - '0');
        if (pcpu >= XLP_PCPUS_MAX)
            return XLP_PCPUS_MAX;
    }
    return pcpu;
}

/* One of "all", "3", "0-3", each with an optional "^" that takes away instead. */
static int parse_item(const char **at, struct xlp_cpumap *map)
{
    bool take_away = **at == '^';
    uint32_t first = 0, last = XLP_PCPUS_MAX - 1;

    if (take_away)
        (*at)++;
    if (strncmp(*at, "all", 3) == 0) {
        *at += 3;
    } else {
        first = last = parse_pcpu(at);
        if (first < XLP_PCPUS_MAX && **at == '-') {
            (*at)++;
            last = parse_pcpu(at);
        }
    }
    if (last >= XLP_PCPUS_MAX || first > last)
        return -1;
    for (uint32_t pcpu = first; pcpu <= last; pcpu++) {
        if (take_away)
            xlp_cpumap_clear(map, pcpu);
        else
            xlp_cpumap_set(map, pcpu);
    }
    return 0;
}

int xlp_cpumap_parse(const char *text, struct xlp_cpumap *map_out)
{
    struct xlp_cpumap map = {0};
    const char *at = text;

    if (strcmp(text, "none") == 0) {
        *map_out = map;
        return 0;
    }
    for (;;) {
        if (parse_item(&at, &map) < 0)
            return -1;
        if (*at == '\0')
            break;
        if (*at++ != ',')
            return -1;
    }
    *map_out = map;
    return 0;
}
