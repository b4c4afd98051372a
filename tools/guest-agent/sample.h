/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the kernel says about memory: one reading of /proc/meminfo, /proc/vmstat and
 * /proc/pressure/memory.
 *
 * proc_dir is where to find them, "/proc" but for tests. What an older kernel, or one without swap
 * or pressure stall information, does not tell is 0.
 */
#ifndef GUEST_AGENT_SAMPLE_H
#define GUEST_AGENT_SAMPLE_H

#include <stdint.h>

/* From /proc/meminfo. avail <= total, free <= total, swap_used <= swap_total. */
struct memory_sample {
    uint64_t total_kib;
    uint64_t avail_kib;
    uint64_t free_kib;
    uint64_t swap_total_kib;
    uint64_t swap_used_kib;
};

/* From /proc/vmstat and /proc/pressure/memory. Counters and times are since boot. */
struct stress_sample {
    uint64_t pswpin;
    uint64_t pswpout;
    uint64_t refault_anon;
    uint64_t refault_file;
    uint64_t oom_kill;
    uint64_t psi_some_avg10_centipct; /* hundredths of a percent, at most 10000 */
    uint64_t psi_full_avg10_centipct;
    uint64_t psi_some_us;
    uint64_t psi_full_us;
};

/*
 * Cheap enough to look several times a second. Returns 0 or a negative errno: -ENODATA if the file
 * is there but has no MemTotal.
 */
int sample_memory(const char *proc_dir, struct memory_sample *sample_out);

/* Never fails: a file that cannot be read has nothing to tell. */
void sample_stress(const char *proc_dir, struct stress_sample *sample_out);

#endif
