/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A directory that stands in for /proc, for tests of the guest's agent. A test may overwrite or
 * remove its files; fake_proc_dispose() takes away what is left.
 */
#ifndef XLPOLICY_TESTS_FAKE_PROC_H
#define XLPOLICY_TESTS_FAKE_PROC_H

#include <check.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FAKE_PROC_MEMINFO                                                                          \
    "MemTotal:         204924 kB\n"                                                                \
    "MemFree:          120000 kB\n"                                                                \
    "MemAvailable:     150000 kB\n"                                                                \
    "SwapCached:            8 kB\n"                                                                \
    "SwapTotal:         65536 kB\n"                                                                \
    "SwapFree:          60000 kB\n"
#define FAKE_PROC_VMSTAT                                                                           \
    "nr_free_pages 30000\nworkingset_refault_anon 3\nworkingset_refault_file 12\n"                 \
    "pswpin 1\npswpout 2\noom_kill 7\n"
#define FAKE_PROC_PRESSURE                                                                         \
    "some avg10=1.25 avg60=0.40 avg300=0.08 total=99\n"                                            \
    "full avg10=0.50 avg60=0.00 avg300=0.00 total=98\n"
/* What the agent has to say of these files. */
#define FAKE_PROC_REPORT                                                                           \
    "1 seq=1 total=204924 avail=150000 free=120000 swap_total=65536 swap_used=5536 pswpin=1 "      \
    "pswpout=2 refault_anon=3 refault_file=12 psi_some_avg10=125 psi_full_avg10=50 "               \
    "psi_some_us=99 psi_full_us=98 oom_kill=7"

static char fake_proc_dir[] = "/tmp/fake_proc.XXXXXX";

static inline void fake_proc_put(const char *name, const char *text)
{
    char path[PATH_MAX];
    char scratch[PATH_MAX];

    snprintf(path, sizeof(path), "%s/%s", fake_proc_dir, name);
    snprintf(scratch, sizeof(scratch), "%s/scratch", fake_proc_dir);
    FILE *file = fopen(scratch, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(rename(scratch, path), 0);
}

static inline void fake_proc_remove(const char *name)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/%s", fake_proc_dir, name);
    remove(path);
}

static inline void fake_proc_make(void)
{
    char path[PATH_MAX];

    ck_assert_ptr_nonnull(mkdtemp(fake_proc_dir));
    snprintf(path, sizeof(path), "%s/pressure", fake_proc_dir);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    fake_proc_put("meminfo", FAKE_PROC_MEMINFO);
    fake_proc_put("vmstat", FAKE_PROC_VMSTAT);
    fake_proc_put("pressure/memory", FAKE_PROC_PRESSURE);
}

static inline void fake_proc_dispose(void)
{
    fake_proc_remove("meminfo");
    fake_proc_remove("vmstat");
    fake_proc_remove("pressure/memory");
    fake_proc_remove("pressure");
    ck_assert_int_eq(rmdir(fake_proc_dir), 0);
    memcpy(fake_proc_dir + sizeof(fake_proc_dir) - sizeof("XXXXXX"), "XXXXXX", 6);
}

#endif
