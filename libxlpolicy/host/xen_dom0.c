/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What dom0's own kernel tells us, which runs it and needs no agent.
 *
 * How its vCPUs fared since the last look. We run on one of them whenever we look, so
 * looking would always find it running; but Linux keeps count of the time Xen made it wait
 * ("steal") and of its idle time in /proc/stat, which is better than looking. cpuN is vCPU N.
 *
 * The counts are in hundredths of a second: they are handed on as that many looks.
 *
 * And what memory it uses, as the agent would report it from a guest: /proc/meminfo, and how long
 * tasks waited for memory in /proc/pressure.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "xen.h"

/* The columns of a cpu line: user nice system idle iowait irq softirq steal. */
enum { IDLE = 3, IOWAIT = 4, STEAL = 7, COLUMNS = 8 };

static bool read_line(const char *line, uint32_t *vcpu_out, uint64_t column[COLUMNS])
{
    return sscanf(line,
                  "cpu%" SCNu32 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
                  " %" SCNu64 " %" SCNu64 " %" SCNu64,
                  vcpu_out, &column[0], &column[1], &column[2], &column[3], &column[4], &column[5],
                  &column[6], &column[7]) == 1 + COLUMNS;
}

static void count(struct xen_vcpu *v, const uint64_t column[COLUMNS])
{
    struct xen_dom0_time now = {.idle = column[IDLE] + column[IOWAIT], .waited = column[STEAL]};
    struct xen_dom0_time before = v->dom0_time;

    for (int i = 0; i < COLUMNS; i++)
        now.all += column[i];
    v->dom0_time = now;
    /* Linux may correct its idle time downwards: then nothing is known of this interval. */
    if (before.all == 0 || now.idle < before.idle || now.waited < before.waited ||
        now.all - before.all < now.idle - before.idle + (now.waited - before.waited))
        return;
    v->samples = (uint32_t)(now.all - before.all);
    v->samples_waiting = (uint32_t)(now.waited - before.waited);
    v->samples_blocked = (uint32_t)(now.idle - before.idle);
}

void xlp_xen_count_dom0(struct xen_domain *dom0)
{
    FILE *stat = fopen("/proc/stat", "re");
    char line[512];

    if (!stat)
        return; /* as if no looks had been taken */
    while (fgets(line, sizeof(line), stat)) {
        uint64_t column[COLUMNS];
        uint32_t vcpu;

        if (read_line(line, &vcpu, column) && vcpu < dom0->vcpu_count)
            count(&dom0->vcpus[vcpu], column);
    }
    fclose(stat);
}

/* ---- its memory ---- */

/* Lines of "NAME:   NUMBER kB". */
static void take_size(const char *line, struct xlp_mem_report *r, int64_t *swap_free_kib)
{
    const struct {
        const char *name;
        int64_t *kib;
    } sizes[] = {
        {"MemTotal", &r->total_kib},     {"MemFree", &r->free_kib},
        {"MemAvailable", &r->avail_kib}, {"SwapTotal", &r->swap_total_kib},
        {"SwapFree", swap_free_kib},
    };
    char name[32];
    int64_t kib;

    if (sscanf(line, "%31[^:]: %" SCNd64, name, &kib) != 2)
        return;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        if (strcmp(name, sizes[i].name) == 0)
            *sizes[i].kib = kib;
}

static bool is_within(int64_t kib, int64_t most_kib)
{
    return kib >= 0 && kib <= most_kib;
}

/* What a parsed report is promised to be. */
static bool is_sound(const struct xlp_mem_report *r, int64_t swap_free_kib)
{
    return r->total_kib > 0 && is_within(r->total_kib, XLP_REPORT_MAX_MEMORY_KIB) &&
           is_within(r->avail_kib, r->total_kib) && is_within(r->free_kib, r->total_kib) &&
           is_within(r->swap_total_kib, XLP_REPORT_MAX_MEMORY_KIB) &&
           is_within(swap_free_kib, r->swap_total_kib);
}

static FILE *open_in(const char *proc, const char *name)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/%s", proc, name);
    return fopen(path, "re");
}

/* "some avg10=1.25 ...": a kernel may be built without. */
static uint32_t pressure_centipct(const char *proc)
{
    FILE *file = open_in(proc, "pressure/memory");
    double pct = 0;

    if (!file)
        return 0;
    if (fscanf(file, "some avg10=%lf", &pct) != 1 || !(pct >= 0 && pct <= 100))
        pct = 0;
    fclose(file);
    return (uint32_t)(pct * 100 + 0.5);
}

int xlp_xen_read_dom0_report(const char *proc, struct xlp_mem_report *report_out)
{
    struct xlp_mem_report r = {.source = XLP_REPORT_AGENT, .avail_kib = -1};
    int64_t swap_free_kib = 0;
    FILE *meminfo = open_in(proc, "meminfo");
    char line[256];

    if (!meminfo)
        return -1;
    while (fgets(line, sizeof(line), meminfo))
        take_size(line, &r, &swap_free_kib);
    fclose(meminfo);
    if (!is_sound(&r, swap_free_kib))
        return -1;
    r.swap_used_kib = r.swap_total_kib - swap_free_kib;
    r.psi_some_avg10_centipct = pressure_centipct(proc);
    *report_out = r;
    return 0;
}
