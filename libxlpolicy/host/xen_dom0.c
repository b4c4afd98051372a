/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * How dom0's own vCPUs fared since the last look. We run on one of them whenever we look, so
 * looking would always find it running; but Linux keeps count of the time Xen made it wait
 * ("steal") and of its idle time in /proc/stat, which is better than looking. cpuN is vCPU N.
 *
 * The counts are in hundredths of a second: they are handed on as that many looks.
 */
#include <inttypes.h>
#include <stdio.h>

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
