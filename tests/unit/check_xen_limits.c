/* SPDX-License-Identifier: LGPL-2.1-only */
/* Limits and targets where calls fail, and guests that are not to be touched now. */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check_main.h"
#include "fake_xen_steps.h"

/* Run with the arguments of libxl's helper, this program stands in for it: it only waits. */
static void __attribute__((constructor)) stand_in(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--save-domain") == 0)
        for (;;)
            pause();
}

/* Domain 1 has what it was given: 400 MiB, of 1 GiB that it may have. */
static struct xen_host *with_memory(void)
{
    struct xen_host *h = fake_open();
    struct fake_domain *d = fake_add(1, 1);

    d->info.tot_pages = 400 << 8;
    d->info.max_pages = 401 << 8; /* with libxl's slack */
    fake_put(TARGET_1, "409600");
    fake_put("/local/domain/1/memory/static-max", "1048576");
    look(h);
    return h;
}

static int64_t limit_mib(void)
{
    return (int64_t)(fake_domain(1)->info.max_pages >> 8) - 1;
}

static enum xlp_outcome_code size(struct xen_host *h, enum xlp_action_kind kind, int64_t target_mib,
                                  int64_t limit_mib)
{
    struct xlp_action action = {.kind = kind,
                                .domid = 1,
                                .to_kib = target_mib * FAKE_MIB_KIB,
                                .limit_kib = limit_mib * FAKE_MIB_KIB};
    struct xlp_outcome outcome;

    memcpy(action.uuid, fake_domain(1)->info.handle, sizeof(action.uuid));
    xlp_xen_apply(&h->base, &action, &outcome);
    return outcome.code;
}

START_TEST(a_growth_that_fails_leaves_neither_a_limit_nor_a_record)
{
    struct xen_host *h = with_memory();

    fake.target_fails = true;
    ck_assert_int_eq(size(h, XLP_SET_TARGET, 500, 500), XLP_NOT_DONE_FAILED);
    ck_assert_int_eq(limit_mib(), 400);
    ck_assert_str_eq(fake_text(MEMORY_1), "");
    fake_close(h);
}
END_TEST

START_TEST(a_limit_that_cannot_be_taken_back_stays_on_record)
{
    struct xen_host *h = with_memory();

    fake.target_fails = true;
    fake.limits = 2;
    ck_assert_int_eq(size(h, XLP_SET_TARGET, 500, 500), XLP_NOT_DONE_FAILED);
    ck_assert_int_eq(limit_mib(), 500);
    look(h);
    ck_assert_str_eq(fake_text(MEMORY_1), "409600 409600 409600");
    fake.limits = 0;
    ck_assert_int_eq(size(h, XLP_RELEASE_TARGET, 400, 400), XLP_DONE);
    ck_assert_int_eq(limit_mib(), 400);
    ck_assert_str_eq(fake_text(MEMORY_1), "");
    fake_close(h);
}
END_TEST

START_TEST(a_target_that_was_set_is_done_though_the_limit_does_not_follow)
{
    struct xen_host *h = with_memory();

    fake_domain(1)->info.tot_pages = 300 << 8;
    fake.limits = 1;
    ck_assert_int_eq(size(h, XLP_SET_TARGET, 300, 300), XLP_DONE);
    ck_assert_str_eq(fake_text(TARGET_1), "307200");
    ck_assert_int_eq(limit_mib(), 400);
    look(h);
    ck_assert_int_eq(size(h, XLP_SET_TARGET, 300, 300), XLP_NOT_DONE_FAILED); /* the limit alone */
    fake.limits = 0;
    fake_close(h);
}
END_TEST

START_TEST(a_target_that_xenstore_did_not_take_was_not_set)
{
    struct xen_host *h = with_memory();

    fake.target_lost = true;
    ck_assert_int_eq(size(h, XLP_SET_TARGET, 500, 500), XLP_NOT_DONE_FAILED);
    ck_assert_int_eq(limit_mib(), 400);
    ck_assert_str_eq(fake_text(MEMORY_1), "");
    fake_close(h);
}
END_TEST

START_TEST(a_release_is_not_done_before_the_limit_is_the_original)
{
    struct xen_host *h = with_memory();

    ck_assert_int_eq(size(h, XLP_SET_TARGET, 500, 500), XLP_DONE);
    fake_domain(1)->info.tot_pages = 500 << 8;
    look(h);
    ck_assert_int_eq(size(h, XLP_RELEASE_TARGET, 400, 400), XLP_DONE); /* the target, that is */
    ck_assert_str_eq(fake_text(TARGET_1), "409600");
    ck_assert_str_eq(fake_text(MEMORY_1), "409600 409600 409600 releasing");
    look(h);
    ck_assert_int_eq(size(h, XLP_RELEASE_TARGET, 400, 400), XLP_NOT_DONE_BUSY);
    fake_domain(1)->info.tot_pages = 450 << 8;
    look(h);
    ck_assert_int_eq(size(h, XLP_RELEASE_TARGET, 400, 400), XLP_DONE);
    ck_assert_int_eq(limit_mib(), 450);
    look(h);
    ck_assert_int_eq(size(h, XLP_RELEASE_TARGET, 400, 400), XLP_NOT_DONE_BUSY);
    /* A guest may hold a few pages more than its target for ever. */
    fake_domain(1)->info.tot_pages = (400 << 8) + 16;
    look(h);
    ck_assert_int_eq(size(h, XLP_RELEASE_TARGET, 400, 400), XLP_DONE);
    ck_assert_int_eq(limit_mib(), 400);
    ck_assert_str_eq(fake_text(MEMORY_1), "");
    fake_close(h);
}
END_TEST

START_TEST(a_release_in_steps_keeps_the_record_until_the_last)
{
    struct xen_host *h = with_memory();

    ck_assert_int_eq(size(h, XLP_SET_TARGET, 300, 300), XLP_DONE);
    look(h);
    ck_assert_int_eq(size(h, XLP_RELEASE_TARGET, 350, 400), XLP_DONE);
    ck_assert_str_eq(fake_text(MEMORY_1), "409600 409600 358400 releasing");
    look(h);
    ck_assert_int_eq(size(h, XLP_RELEASE_TARGET, 400, 400), XLP_DONE);
    ck_assert_str_eq(fake_text(MEMORY_1), "");
    fake_close(h);
}
END_TEST

/* Its process is there, and named so, when this returns. */
static pid_t start_saving(const char *domid)
{
    char path[64], line[64] = "";
    pid_t pid = fork();

    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execl("/proc/self/exe", "libxl-save-helper", "--save-domain", "5", "-1", domid, "1", "0",
              "0", (char *)NULL);
        _exit(127);
    }
    snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
    while (!strstr(line, "save-helper")) {
        FILE *file = fopen(path, "r");

        ck_assert_ptr_nonnull(file);
        ck_assert_uint_le(fread(line, 1, sizeof(line) - 1, file), sizeof(line));
        fclose(file);
    }
    return pid;
}

START_TEST(a_guest_that_is_saved_or_sent_is_migrating_and_keeps_its_size)
{
    struct xen_host *h = with_memory();
    struct xlp_snapshot s;
    pid_t pid;

    xlp_snapshot_init(&s);
    fake_add(5, 5); /* the number of the helper's stream, and not what it saves */
    pid = start_saving("1");
    h->saved_looked_ns = 0; /* for it started in the same moment */
    ck_assert_int_eq(size(h, XLP_SET_TARGET, 500, 500), XLP_NOT_DONE_BUSY);
    ck_assert_int_eq(limit_mib(), 400);
    ck_assert_int_eq(xlp_xen_observe(&h->base, &s), 0);
    ck_assert_uint_eq(s.domains[0].flags, XLP_DOMAIN_MIGRATING);
    ck_assert_uint_eq(s.domains[1].flags, 0);

    kill(pid, SIGKILL);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    h->saved_looked_ns = 0;
    ck_assert_int_eq(xlp_xen_observe(&h->base, &s), 0);
    ck_assert_uint_eq(s.domains[0].flags, 0);
    ck_assert_int_eq(size(h, XLP_SET_TARGET, 500, 500), XLP_DONE);
    xlp_snapshot_dispose(&s);
    fake_close(h);
}
END_TEST

START_TEST(a_guest_that_was_paused_since_the_look_is_left_alone_but_released)
{
    struct xen_host *h = with_memory();

    ck_assert_int_eq(place(h, 1, "1"), XLP_DONE);
    ck_assert_int_eq(size(h, XLP_SET_TARGET, 300, 300), XLP_DONE);
    look(h);
    fake_domain(1)->info.flags = XEN_DOMINF_paused;
    ck_assert_int_eq(place(h, 1, "2"), XLP_NOT_DONE_BUSY);
    ck_assert_int_eq(size(h, XLP_SET_WEIGHT, 0, 0), XLP_NOT_DONE_BUSY);
    ck_assert_int_eq(size(h, XLP_SET_TARGET, 350, 350), XLP_NOT_DONE_BUSY);
    fake_domain(1)->info.flags = XEN_DOMINF_shutdown;
    ck_assert_int_eq(place(h, 1, "2"), XLP_NOT_DONE_BUSY);
    fake_domain(1)->info.flags = XEN_DOMINF_paused;
    ck_assert_int_eq(size(h, XLP_RELEASE_TARGET, 400, 400), XLP_DONE);
    ck_assert_int_eq(fake_domain(1)->hard, 1 << 1);
    fake_close(h);
}
END_TEST

CHECK_CASE(memory, a_growth_that_fails_leaves_neither_a_limit_nor_a_record,
           a_limit_that_cannot_be_taken_back_stays_on_record,
           a_target_that_was_set_is_done_though_the_limit_does_not_follow,
           a_target_that_xenstore_did_not_take_was_not_set,
           a_release_is_not_done_before_the_limit_is_the_original,
           a_release_in_steps_keeps_the_record_until_the_last,
           a_guest_that_is_saved_or_sent_is_migrating_and_keeps_its_size,
           a_guest_that_was_paused_since_the_look_is_left_alone_but_released)
CHECK_MAIN("xen limits", memory)
