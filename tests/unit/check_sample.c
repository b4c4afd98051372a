/* SPDX-License-Identifier: LGPL-2.1-only */
/* links: tools/guest-agent/sample.c tools/guest-agent/format.c */
/*
 * What the guest's agent reads from a kernel's /proc, and that the host's parser reads back what
 * the agent writes about it.
 */
#include "check_main.h"

#include <errno.h>
#include <string.h>

#include "../../tools/guest-agent/format.h"
#include "../../tools/guest-agent/sample.h"
#include "fake_proc.h"
#include "memory/report.h"

START_TEST(proc_gives_every_field)
{
    struct memory_sample memory;
    struct stress_sample stress;
    char report[REPORT_ROOM];

    ck_assert_int_eq(sample_memory(fake_proc_dir, &memory), 0);
    sample_stress(fake_proc_dir, &stress);
    ck_assert_uint_eq(format_report(1, &memory, &stress, report), strlen(FAKE_PROC_REPORT));
    ck_assert_str_eq(report, FAKE_PROC_REPORT);
}
END_TEST

START_TEST(what_the_kernel_does_not_have_is_zero)
{
    struct memory_sample memory;
    struct stress_sample stress;

    memset(&stress, 0xff, sizeof(stress));
    fake_proc_put("meminfo", "MemTotal: 1000 kB\nMemFree: 600 kB\nMemAvailable: 700 kB\n");
    fake_proc_put("vmstat", "nr_free_pages 1\npswpin_other 5\n");
    fake_proc_remove("pressure/memory");
    ck_assert_int_eq(sample_memory(fake_proc_dir, &memory), 0);
    sample_stress(fake_proc_dir, &stress);
    ck_assert_uint_eq(memory.swap_total_kib, 0);
    ck_assert_uint_eq(memory.swap_used_kib, 0);
    ck_assert_uint_eq(stress.pswpin | stress.pswpout | stress.refault_anon | stress.refault_file |
                          stress.oom_kill,
                      0);
    ck_assert_uint_eq(stress.psi_some_avg10_centipct | stress.psi_full_avg10_centipct |
                          stress.psi_some_us | stress.psi_full_us,
                      0);
    fake_proc_remove("vmstat");
    sample_stress(fake_proc_dir, &stress);
    ck_assert_uint_eq(stress.pswpin, 0);
}
END_TEST

START_TEST(older_kernels_names_are_known)
{
    struct memory_sample memory;
    struct stress_sample stress;

    fake_proc_put("meminfo", "MemTotal: 1000 kB\nMemFree: 600 kB\n");
    fake_proc_put("vmstat", "workingset_refaults_other 5\nworkingset_refault 44\n");
    ck_assert_int_eq(sample_memory(fake_proc_dir, &memory), 0);
    sample_stress(fake_proc_dir, &stress);
    ck_assert_uint_eq(memory.avail_kib, 600);
    ck_assert_uint_eq(stress.refault_file, 44);
}
END_TEST

START_TEST(numbers_caught_in_motion_do_not_contradict_each_other)
{
    struct memory_sample memory;
    struct stress_sample stress;

    fake_proc_put("meminfo", "MemTotal: 1000 kB\nMemFree: 1001 kB\nMemAvailable: 1002 kB\n"
                             "SwapTotal: 10 kB\nSwapFree: 11 kB\n");
    fake_proc_put("pressure/memory", "some avg10=100.01 total=1\nfull avg10=100.00 total=1\n");
    ck_assert_int_eq(sample_memory(fake_proc_dir, &memory), 0);
    sample_stress(fake_proc_dir, &stress);
    ck_assert_uint_eq(memory.free_kib, 1000);
    ck_assert_uint_eq(memory.avail_kib, 1000);
    ck_assert_uint_eq(memory.swap_used_kib, 0);
    ck_assert_uint_eq(stress.psi_some_avg10_centipct, 10000);
    ck_assert_uint_eq(stress.psi_full_avg10_centipct, 10000);
}
END_TEST

START_TEST(without_a_total_there_is_no_sample)
{
    struct memory_sample memory;

    fake_proc_put("meminfo", "MemFree: 600 kB\n");
    ck_assert_int_eq(sample_memory(fake_proc_dir, &memory), -ENODATA);
    fake_proc_remove("meminfo");
    ck_assert_int_eq(sample_memory(fake_proc_dir, &memory), -ENOENT);
}
END_TEST

START_TEST(the_host_reads_what_the_agent_wrote)
{
    const uint64_t kib = XLP_REPORT_MAX_MEMORY_KIB;
    const uint64_t count = UINT64_MAX;
    const struct memory_sample memories[] = {
        {1, 0, 0, 0, 0}, {204924, 150000, 120000, 5, 4}, {kib, kib, kib, kib, kib}};
    const struct stress_sample stresses[] = {
        {0},
        {1, 2, 3, 4, 5, 6, 7, 8, 9},
        {count, count, count, count, count, 10000, 10000, count, count}};
    const uint64_t seqs[] = {0, 17, count};

    for (int i = 0; i < 3; i++) {
        const struct memory_sample *m = &memories[i];
        const struct stress_sample *s = &stresses[i];
        char text[REPORT_ROOM];
        struct xlp_mem_report r;
        size_t len = format_report(seqs[i], m, s, text);

        ck_assert_uint_lt(len, REPORT_ROOM - 1);
        ck_assert_int_eq(xlp_report_parse_agent(text, len, &r), 0);
        ck_assert_uint_eq(r.seq, seqs[i]);
        ck_assert_uint_eq((uint64_t)r.total_kib, m->total_kib);
        ck_assert_uint_eq((uint64_t)r.avail_kib, m->avail_kib);
        ck_assert_uint_eq((uint64_t)r.free_kib, m->free_kib);
        ck_assert_uint_eq((uint64_t)r.swap_total_kib, m->swap_total_kib);
        ck_assert_uint_eq((uint64_t)r.swap_used_kib, m->swap_used_kib);
        ck_assert_uint_eq(r.pswpin, s->pswpin);
        ck_assert_uint_eq(r.pswpout, s->pswpout);
        ck_assert_uint_eq(r.refault_anon, s->refault_anon);
        ck_assert_uint_eq(r.refault_file, s->refault_file);
        ck_assert_uint_eq(r.psi_some_avg10_centipct, s->psi_some_avg10_centipct);
        ck_assert_uint_eq(r.psi_full_avg10_centipct, s->psi_full_avg10_centipct);
        ck_assert_uint_eq(r.psi_some_us, s->psi_some_us);
        ck_assert_uint_eq(r.psi_full_us, s->psi_full_us);
        ck_assert_uint_eq(r.oom_kill, s->oom_kill);
    }
    ck_assert_str_eq(REPORT_KEY, XLP_REPORT_AGENT_KEY);
}
END_TEST

static TCase *sampling(void)
{
    TCase *tcase = tcase_create("sampling");

    tcase_add_checked_fixture(tcase, fake_proc_make, fake_proc_dispose);
    tcase_add_test(tcase, proc_gives_every_field);
    tcase_add_test(tcase, what_the_kernel_does_not_have_is_zero);
    tcase_add_test(tcase, older_kernels_names_are_known);
    tcase_add_test(tcase, numbers_caught_in_motion_do_not_contradict_each_other);
    tcase_add_test(tcase, without_a_total_there_is_no_sample);
    return tcase;
}

CHECK_CASE(agreement, the_host_reads_what_the_agent_wrote)
CHECK_MAIN("sample", sampling, agreement)
