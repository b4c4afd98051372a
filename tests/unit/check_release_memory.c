/* SPDX-License-Identifier: LGPL-2.1-only */
/* links: tools/release_memory.c */
/* links: daemon/config.c daemon/config_scan.c daemon/config_text.c daemon/words.c */
/* Memory is put back by the command line itself when there is no daemon to take the steps. */
#include "check_main.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../tools/release_memory.h"
#include "sim_fixture.h"

struct heard {
    unsigned int steps, failed, left;
    enum xlp_reason_code why_left;
};

static void hear_step(void *arg, const struct xlp_action *action, const struct xlp_outcome *outcome)
{
    struct heard *heard = arg;

    (void)action;
    heard->steps++;
    heard->failed += outcome->code != XLP_DONE;
}

static void hear_left(void *arg, const struct xlp_verdict *verdict)
{
    struct heard *heard = arg;

    heard->left++;
    heard->why_left = verdict->memory.code;
}

static void change(struct xlp_sim *sim, enum xlp_action_kind kind, const char *name, int64_t mib)
{
    const struct xlp_sim_domain *d = guest(sim, name);
    struct xlp_action action = {
        .kind = kind, .domid = d->domid, .to_kib = mib << 10, .limit_kib = mib << 10};

    memcpy(action.uuid, d->uuid, sizeof(action.uuid));
    ck_assert_int_eq(apply(sim, &action), XLP_DONE);
}

/* A guest that gave 200 MiB, which another took of which this uses so much; and then a release. */
static struct heard release_with(const char *used_mib, struct xlp_sim **sim_out)
{
    struct heard heard = {0};
    const struct release_memory_listener listener = {&heard, hear_step, hear_left};
    struct xlp_policy policy;
    struct xlp_sim *sim;
    char text[1024];

    snprintf(text, sizeof(text),
             "'host':{'pcpus':2,'free_mib':100},'run_s':3600,'guests':["
             "{'name':'gave','memory_mib':512,'used_mib':100,'age_s':600},"
             "{'name':'took','memory_mib':512,'max_memory_mib':1024,'used_mib':%s,'age_s':600}]",
             used_mib);
    sim = sim_of(text);
    change(sim, XLP_SET_TARGET, "gave", 312);
    xlp_sim_advance(sim, 10 * S, false);
    change(sim, XLP_SET_TARGET, "took", 712);
    xlp_sim_advance(sim, 20 * S, false);
    change(sim, XLP_RELEASE_TARGET, "gave", 312);
    change(sim, XLP_RELEASE_TARGET, "took", 712);
    xlp_policy_init(&policy);
    policy.mem_reserve_kib = 100 << 10;
    ck_assert_int_eq(release_memory(&sim->host, &policy, &listener), 0);
    xlp_policy_dispose(&policy);
    *sim_out = sim;
    return heard;
}

START_TEST(every_step_is_taken_until_all_is_back)
{
    struct xlp_sim *sim;
    struct heard heard = release_with("100", &sim);

    ck_assert_uint_ge(heard.steps, 4);
    ck_assert_uint_eq(heard.failed, 0);
    ck_assert_uint_eq(heard.left, 0);
    ck_assert_int_eq(guest(sim, "gave")->memory.actual_kib, 512 << 10);
    ck_assert_int_eq(guest(sim, "took")->memory.actual_kib, 512 << 10);
    ck_assert(!guest(sim, "gave")->memory.recorded && !guest(sim, "took")->memory.recorded);
    sim_close(sim);
}
END_TEST

START_TEST(what_cannot_go_back_is_told_and_waited_for_no_longer)
{
    struct xlp_sim *sim;
    struct heard heard = release_with("600", &sim);

    ck_assert_uint_eq(heard.left, 2);
    ck_assert_int_ge(guest(sim, "took")->memory.target_kib, (600 + 16) << 10);
    ck_assert_uint_eq(guest(sim, "took")->growth_failures + guest(sim, "gave")->growth_failures, 0);
    ck_assert_uint_lt(sim->now_ns, 300 * S);
    sim_close(sim);
}
END_TEST

START_TEST(the_configuration_holds_for_a_release_without_a_daemon)
{
    char path[] = "/tmp/check_release_XXXXXX", error[256] = "";
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "w");
    struct xlp_policy policy;

    xlp_policy_init(&policy);
    fprintf(file, "mem_margin = \"128m\"\ndomains = [ \"gave: floor=256m\" ]\n");
    fclose(file);
    ck_assert_int_eq(release_memory_policy(path, &policy, error, sizeof(error)), 0);
    ck_assert_int_eq(policy.mem_margin_kib, 128 << 10);
    ck_assert_int_eq(xlp_policy_for(&policy, "gave").floor_kib, 256 << 10);

    file = fopen(path, "w");
    fprintf(file, "mem_marjin = 1\n");
    fclose(file);
    ck_assert_int_eq(release_memory_policy(path, &policy, error, sizeof(error)), -1);
    ck_assert_ptr_nonnull(strstr(error, ":1: mem_marjin: there is no such setting"));
    ck_assert_int_eq(policy.mem_margin_kib, 128 << 10);

    unlink(path);
    ck_assert_int_eq(release_memory_policy(path, &policy, error, sizeof(error)), 0);
    ck_assert_int_eq(policy.mem_margin_kib, 64 << 10);
    xlp_policy_dispose(&policy);
}
END_TEST

CHECK_CASE(steps, every_step_is_taken_until_all_is_back,
           what_cannot_go_back_is_told_and_waited_for_no_longer,
           the_configuration_holds_for_a_release_without_a_daemon)
CHECK_MAIN("release memory", steps)
