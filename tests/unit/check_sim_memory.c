/* SPDX-License-Identifier: LGPL-2.1-only */
/* Balloons, guests' memory and agents of the simulated host. */
#include "check_main.h"

#include "sim_fixture.h"

#define ONE_PCPU "'host':{'pcpus':1,'free_mib':64},'run_s':10000,"

static struct xlp_sim *with_guest(const char *more)
{
    char text[1024];

    snprintf(text, sizeof(text),
             ONE_PCPU "'guests':[{'name':'a','memory_mib':512,'max_memory_mib':1024%s}]", more);
    return sim_of(text);
}

/* As a manager would write it that does not look at what is free. */
static void tell(struct xlp_sim *sim, int64_t mib)
{
    ck_assert_int_eq(set_target(sim, "a", mib * 1024, mib * 1024), XLP_DONE);
}

/* ---- balloons ---- */

START_TEST(a_balloon_moves_at_its_rate_and_stops_at_its_target)
{
    struct xlp_sim *sim = with_guest(",'balloon_mib_s':20");

    tell(sim, 412);
    run_to(sim, 1);
    ck_assert_int_eq(actual_mib(sim, "a"), 492);
    run_to(sim, 60);
    ck_assert_int_eq(actual_mib(sim, "a"), 412);
    ck_assert_int_eq(sim->free_kib / 1024, 164);
    tell(sim, 452);
    run_to(sim, 61);
    ck_assert_int_eq(actual_mib(sim, "a"), 432);
    run_to(sim, 90);
    ck_assert_int_eq(actual_mib(sim, "a"), 452);
    sim_close(sim);
}
END_TEST

START_TEST(growth_takes_no_more_than_is_free_unclaimed_and_allowed)
{
    struct xlp_sim *sim = with_guest("");

    sim->claims_kib = 40 * 1024;
    tell(sim, 700);
    run_to(sim, 10);
    ck_assert_int_eq(actual_mib(sim, "a"), 536);
    sim->claims_kib = 0;
    ck_assert_int_eq(set_target(sim, "a", 701 * 1024, 540 * 1024), XLP_DONE);
    run_to(sim, 20);
    ck_assert_int_eq(actual_mib(sim, "a"), 540);
    tell(sim, 702);
    run_to(sim, 30);
    ck_assert_int_eq(actual_mib(sim, "a"), 576);
    ck_assert_int_eq(sim->free_kib, 0);
    sim_close(sim);
}
END_TEST

/* drivers/xen/balloon.c: again after 2, 4 and 8 s, then not for an hour. */
START_TEST(linux_parks_when_growth_fails)
{
    static const struct {
        double at_s;
        uint32_t failures;
    } steps[] = {{1.9, 1},  {2.5, 2},  {5.9, 2},  {6.5, 3},
                 {13.9, 3}, {14.5, 4}, {3613, 4}, {3700, 8}};
    struct xlp_sim *sim = with_guest(",'balloon_mib_s':1000");

    tell(sim, 700);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        run_to(sim, steps[i].at_s);
        ck_assert_msg(guest(sim, "a")->growth_failures == steps[i].failures,
                      "%u failures at %g s, not %u", guest(sim, "a")->growth_failures,
                      steps[i].at_s, steps[i].failures);
    }
    ck_assert_int_eq(actual_mib(sim, "a"), 576);
    sim_close(sim);
}
END_TEST

START_TEST(only_another_target_wakes_a_parked_balloon)
{
    struct xlp_sim *sim = with_guest("");

    tell(sim, 700);
    run_to(sim, 100);
    ck_assert_int_eq(actual_mib(sim, "a"), 576);
    sim->free_kib += 500 * 1024;
    sim->total_kib += 500 * 1024;
    tell(sim, 700);
    run_to(sim, 200);
    ck_assert_int_eq(actual_mib(sim, "a"), 576);
    ck_assert_int_eq(set_target(sim, "a", 700 * 1024 - 3, 0), XLP_DONE);
    run_to(sim, 210);
    ck_assert_int_eq(actual_mib(sim, "a"), 576);
    ck_assert_int_eq(set_target(sim, "a", 700 * 1024 - 4, 0), XLP_DONE);
    run_to(sim, 220);
    ck_assert_int_eq(guest(sim, "a")->memory.actual_kib, 700 * 1024 - 4);
    sim_close(sim);
}
END_TEST

START_TEST(an_eager_balloon_takes_memory_when_it_comes)
{
    struct xlp_sim *sim = with_guest(",'balloon':'eager'");

    tell(sim, 700);
    run_to(sim, 100);
    ck_assert_int_eq(actual_mib(sim, "a"), 576);
    sim->free_kib += 500 * 1024;
    sim->total_kib += 500 * 1024;
    run_to(sim, 105);
    ck_assert_int_eq(actual_mib(sim, "a"), 700);
    sim_close(sim);
}
END_TEST

START_TEST(a_new_driver_knows_nothing_of_what_failed_before_it)
{
    struct xlp_sim *sim = with_guest(",'balloon':'eager'");
    uint32_t before;

    tell(sim, 700);
    run_to(sim, 100); /* has failed some ninety times by now */
    guest(sim, "a")->memory.balloon = XLP_SIM_BALLOON_LINUX;
    before = guest(sim, "a")->growth_failures;
    run_to(sim, 200);
    ck_assert_uint_eq(guest(sim, "a")->growth_failures - before, 4);
    ck_assert_int_eq(guest(sim, "a")->memory.driver, XLP_SIM_DRIVER_PARKED);
    sim_close(sim);
}
END_TEST

START_TEST(balloons_misbehave_as_their_name_says)
{
    static const struct {
        const char *kind;
        int64_t down_mib, up_mib;
        enum xlp_outcome_code outcome;
    } kinds[] = {
        {"linux", 412, 532, XLP_DONE},        {"stuck", 512, 512, XLP_DONE},
        {"stuck-up", 412, 412, XLP_DONE},     {"stuck-down", 512, 532, XLP_DONE},
        {"intermittent", 502, 512, XLP_DONE}, {"refuses", 512, 512, XLP_NOT_DONE_REFUSED},
        {"none", 512, 512, XLP_DONE},
    };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        char more[64];
        struct xlp_sim *sim;

        snprintf(more, sizeof(more), ",'balloon':'%s','balloon_mib_s':10", kinds[i].kind);
        sim = with_guest(more);
        ck_assert_int_eq(set_target(sim, "a", 412 * 1024, 0), kinds[i].outcome);
        run_to(sim, 20);
        ck_assert_msg(actual_mib(sim, "a") == kinds[i].down_mib, "%s: %ld MiB", kinds[i].kind,
                      (long)actual_mib(sim, "a"));
        ck_assert_int_eq(set_target(sim, "a", 532 * 1024, 540 * 1024), kinds[i].outcome);
        run_to(sim, 39);
        ck_assert_msg(actual_mib(sim, "a") == kinds[i].up_mib, "%s: %ld MiB", kinds[i].kind,
                      (long)actual_mib(sim, "a"));
        sim_close(sim);
    }
}
END_TEST

START_TEST(what_a_dead_guest_held_is_scrubbed_before_it_is_free)
{
    struct xlp_sim *sim = sim_of("'host':{'pcpus':1,'free_mib':64,'scrub_mib_s':50},'run_s':100,"
                                 "'guests':[{'name':'a','memory_mib':500}],"
                                 "'events':[{'at_s':10,'event':'destroy','guest':'a'}]");

    run_to(sim, 10);
    ck_assert_int_eq(sim->scrub_kib / 1024, 500);
    run_to(sim, 14);
    ck_assert_int_eq(sim->scrub_kib / 1024, 300);
    ck_assert_int_eq(sim->free_kib / 1024, 264);
    run_to(sim, 30);
    ck_assert_int_eq(sim->free_kib / 1024, 564);
    sim_close(sim);
}
END_TEST

START_TEST(no_memory_is_made_or_lost)
{
    struct xlp_sim *sim =
        sim_of("'host':{'pcpus':2,'free_mib':300,'scrub_mib_s':40},'run_s':400,"
               "'guests':[{'name':'a','memory_mib':512,'max_memory_mib':1024},"
               "{'name':'b','memory_mib':512,'max_memory_mib':1024,'type':'hvm','video_mib':16},"
               "{'name':'c','memory_mib':256,'start_s':50}],"
               "'events':[{'at_s':100,'event':'reboot','guest':'b'},"
               "{'at_s':150,'event':'destroy','guest':'a'}]");

    for (int t = 0; t < 400; t++) {
        int64_t held_kib = sim->free_kib + sim->scrub_kib;

        run_to(sim, t);
        held_kib = sim->free_kib + sim->scrub_kib;
        for (size_t i = 0; i < sim->live_count; i++)
            held_kib += sim->live[i]->memory.actual_kib + sim->live[i]->spec->video_kib;
        ck_assert_int_eq(held_kib, sim->total_kib);
        ck_assert_int_ge(sim->free_kib, 0);
        for (size_t i = 1; i < sim->live_count && t % 7 == 0; i++)
            set_target(sim, sim->live[i]->spec->name,
                       (int64_t)(200 * 1024 + 312 * 1024 * xlp_sim_random(1, (uint64_t)t, i)),
                       900 * 1024);
    }
    sim_close(sim);
}
END_TEST

/* ---- guests ---- */

START_TEST(a_guest_that_lacks_memory_swaps_stalls_and_recovers)
{
    struct xlp_sim *sim = with_guest(",'overhead_mib':12,'swap_mib':200,"
                                     "'used_mib':[[0,400],[10,400],[10,600],[40,600],[40,300]]");
    const struct xlp_sim_memory *m = &guest(sim, "a")->memory;

    run_to(sim, 9);
    ck_assert_int_eq(m->deficit_kib, 0);
    ck_assert_double_eq(m->psi_some_pct, 0);
    run_to(sim, 39);
    ck_assert_int_eq(m->deficit_kib, 100 * 1024);
    ck_assert_int_eq(m->swap_used_kib, 100 * 1024);
    ck_assert_double_gt(m->psi_some_pct, 50);
    ck_assert_uint_eq(m->oom_kill, 0);
    run_to(sim, 80);
    ck_assert_int_eq(m->swap_used_kib, 0);
    ck_assert_double_lt(m->psi_some_pct, 5);
    ck_assert_uint_eq(m->pswpin, m->pswpout);
    sim_close(sim);
}
END_TEST

START_TEST(without_swap_the_guest_kills)
{
    struct xlp_sim *sim = with_guest(",'used_mib':[[0,400],[10,400],[10,600]]");

    run_to(sim, 9);
    ck_assert_uint_eq(guest(sim, "a")->memory.oom_kill, 0);
    run_to(sim, 60);
    ck_assert_uint_eq(guest(sim, "a")->memory.oom_kill, 1);
    sim_close(sim);
}
END_TEST

/* ---- agents ---- */

START_TEST(our_agent_tells_changes_at_once_and_else_every_five_seconds)
{
    struct xlp_sim *sim =
        with_guest(",'overhead_mib':12,'cache_mib':50,'used_mib':[[0,200],[21,200],[21,230]]");
    const struct xlp_sim_memory *m = &guest(sim, "a")->memory;

    run_to(sim, 20.9);
    ck_assert_int_eq(m->report.source, XLP_REPORT_AGENT);
    ck_assert_int_eq(m->report.total_kib, 500 * 1024);
    ck_assert_int_eq(m->report.avail_kib, 300 * 1024);
    ck_assert_int_eq(m->report.free_kib, 250 * 1024);
    ck_assert_uint_eq(m->report.seq, 5);
    run_to(sim, 21.5);
    ck_assert_int_eq(m->report.avail_kib, 270 * 1024);
    ck_assert_uint_eq(m->report.seq, 6);
    ck_assert_uint_le(m->report_ns, 21 * S + S / 4);
    sim_close(sim);
}
END_TEST

START_TEST(qubes_is_silent_while_nothing_changes)
{
    struct xlp_sim *sim = with_guest(",'agent':'qubes','used_mib':[[0,200],[100,200],[100,240]]");
    const struct xlp_sim_memory *m = &guest(sim, "a")->memory;

    run_to(sim, 99);
    ck_assert_int_eq(m->report.source, XLP_REPORT_QUBES);
    ck_assert_int_eq(m->report.total_kib - m->report.avail_kib, 200 * 1024);
    ck_assert_uint_lt(m->report_ns, S);
    run_to(sim, 101);
    ck_assert_int_eq(m->report.total_kib - m->report.avail_kib, 240 * 1024);
    sim_close(sim);
}
END_TEST

START_TEST(xenserver_tells_every_two_minutes)
{
    struct xlp_sim *sim = with_guest(",'agent':'xenserver','used_mib':[[0,100],[300,400]]");
    const struct xlp_sim_memory *m = &guest(sim, "a")->memory;

    run_to(sim, 119);
    ck_assert_uint_lt(m->report_ns, S);
    run_to(sim, 121);
    ck_assert_int_eq(m->report.source, XLP_REPORT_XENSERVER);
    ck_assert_uint_gt(m->report_ns, 119 * S);
    sim_close(sim);
}
END_TEST

START_TEST(bad_agents_lie_fall_silent_or_write_garbage)
{
    struct xlp_sim *sim =
        sim_of(ONE_PCPU "'guests':[{'name':'liar','agent':'lies','used_mib':100},"
                        "{'name':'mute','agent':'none'},{'name':'mad','agent':'garbage'},"
                        "{'name':'dead','used_mib':100}],"
                        "'events':[{'at_s':20,'event':'agent','guest':'dead','agent':'dead'}]");

    for (int t = 1; t < 60; t++) {
        run_to(sim, t);
        ck_assert(guest(sim, "mad")->memory.report_bad);
        ck_assert_int_eq(guest(sim, "mad")->memory.report.source, XLP_REPORT_NONE);
    }
    ck_assert_int_eq(guest(sim, "liar")->memory.report.avail_kib, 0);
    ck_assert_int_eq(guest(sim, "mute")->memory.report.source, XLP_REPORT_NONE);
    ck_assert(!guest(sim, "mute")->memory.report_bad);
    ck_assert_int_eq(guest(sim, "dead")->memory.report.source, XLP_REPORT_AGENT);
    ck_assert_uint_le(guest(sim, "dead")->memory.report_ns, 20 * S);
    sim_close(sim);
}
END_TEST

CHECK_CASE(balloons, a_balloon_moves_at_its_rate_and_stops_at_its_target,
           growth_takes_no_more_than_is_free_unclaimed_and_allowed, linux_parks_when_growth_fails,
           only_another_target_wakes_a_parked_balloon, an_eager_balloon_takes_memory_when_it_comes,
           a_new_driver_knows_nothing_of_what_failed_before_it,
           balloons_misbehave_as_their_name_says,
           what_a_dead_guest_held_is_scrubbed_before_it_is_free, no_memory_is_made_or_lost)
CHECK_CASE(guests, a_guest_that_lacks_memory_swaps_stalls_and_recovers,
           without_swap_the_guest_kills)
CHECK_CASE(agents, our_agent_tells_changes_at_once_and_else_every_five_seconds,
           qubes_is_silent_while_nothing_changes, xenserver_tells_every_two_minutes,
           bad_agents_lie_fall_silent_or_write_garbage)
CHECK_MAIN("sim_memory", balloons, guests, agents)
