/* SPDX-License-Identifier: LGPL-2.1-only */
/* The simulated host as a port: its ledger, its answers, and how its time passes. */
#include "check_main.h"

#include <math.h>
#include <time.h>
#include <unistd.h>

#include "sim_fixture.h"

static const char eight[] = "'host':{'pcpus':4},'run_s':100,"
                            "'guests':[{'name':'vm%d','count':8,'hard':'0','load_pct':50}]";

static const struct xlp_vcpu *first_vcpu(const struct xlp_snapshot *s, const char *name)
{
    const struct xlp_domain *d = xlp_snapshot_find_domain(s, name);

    ck_assert_ptr_nonnull(d);
    return &s->vcpus[d->first_vcpu];
}

static void assert_map(const struct xlp_snapshot *s, uint32_t map, const char *expected)
{
    char text[XLP_CPUMAP_TEXT_MAX];

    ck_assert_str_eq(xlp_cpumap_format(&s->maps[map], text, sizeof(text)), expected);
}

/* ---- what is shown ---- */

START_TEST(every_snapshot_passes_the_check_for_files)
{
    struct xlp_sim *sim = sim_of(
        "'host':{'pcpus':8,'sockets':2,'threads':2,'nodes':2,'offline_pcpus':'5',"
        "'pools':[{'name':'Pool-0','pcpus':'0-3'},{'name':'rt','pcpus':'4-6','sched':'rtds'}]},"
        "'run_s':60,'guests':[{'name':'a','vcpus':3,'load_pct':40,'used_mib':200,"
        "'device_node':1},"
        "{'name':'b','pool':'rt','load_pct':100,'start_s':10}],"
        "'events':[{'at_s':20,'event':'reboot','guest':'a'},"
        "{'at_s':30,'event':'destroy','guest':'b'}]");
    struct xlp_snapshot s;
    char error[256];

    xlp_snapshot_init(&s);
    for (int t = 0; t <= 60; t++) {
        run_to(sim, t);
        ck_assert_int_eq(sim->host.ops->observe(&sim->host, &s), 0);
        ck_assert_msg(xlp_snapshot_check(&s, error, sizeof(error)) == 0, "at %d s: %s", t, error);
        ck_assert_uint_eq(s.domain_count, t < 10 || t >= 30 ? 2 : 3);
        ck_assert_str_eq(s.domains[0].name, "Domain-0");
    }
    ck_assert_uint_eq(s.pcpu_count, 8);
    ck_assert(!s.pcpus[5].online);
    ck_assert_uint_eq(s.pcpus[6].socket, 1);
    ck_assert_uint_eq(s.pcpus[6].core, 1);
    assert_map(&s, s.pools[1].map, "4,6");
    ck_assert_uint_eq(s.domains[0].device_node, XLP_UNKNOWN);
    ck_assert_uint_eq(s.domains[1].device_node, 1);
    xlp_snapshot_dispose(&s);
    sim_close(sim);
}
END_TEST

START_TEST(run_and_idle_time_add_up)
{
    struct xlp_sim *sim = sim_of(eight);
    struct xlp_snapshot s;
    double ran = 0, idle = 0;

    xlp_snapshot_init(&s);
    run_to(sim, 50);
    sim->host.ops->observe(&sim->host, &s);
    for (size_t i = 0; i < s.vcpu_count; i++)
        ran += (double)s.vcpus[i].cpu_time_ns / 1e9;
    for (size_t i = 0; i < s.pcpu_count; i++)
        idle += (double)s.pcpus[i].idle_ns / 1e9;
    ck_assert_double_eq_tol(ran + idle, 200, 0.001);
    ck_assert_double_eq_tol((double)first_vcpu(&s, "vm3")->cpu_time_ns / 1e9, 50 / 8.0, 0.01);
    xlp_snapshot_dispose(&s);
    sim_close(sim);
}
END_TEST

START_TEST(samples_tell_what_the_lab_measured)
{
    struct xlp_sim *sim = sim_of("'host':{'pcpus':4},'dom0':{'load_pct':0},'run_s':1000,'guests':["
                                 "{'name':'alone','hard':'0','load_pct':100},"
                                 "{'name':'hog%d','count':2,'hard':'1','load_pct':100},"
                                 "{'name':'half%d','count':2,'hard':'2','load_pct':37},"
                                 "{'name':'idle','hard':'3','load_pct':5}]");
    struct xlp_snapshot s;
    const struct xlp_vcpu *v;

    xlp_snapshot_init(&s);
    run_to(sim, 1000);
    sim->host.ops->observe(&sim->host, &s);
    v = first_vcpu(&s, "alone");
    ck_assert_uint_eq(v->samples, 15000);
    ck_assert_uint_eq(v->samples_waiting + v->samples_blocked, 0);
    v = first_vcpu(&s, "hog2");
    ck_assert_uint_eq(v->samples_blocked, 0);
    ck_assert_double_eq_tol(v->samples_waiting / 15000.0, 0.5, 0.02);
    v = first_vcpu(&s, "half1"); /* measured: 19-27 % waiting, 38-43 % blocked */
    ck_assert_double_eq_tol(v->samples_waiting / 15000.0, 0.14, 0.02);
    ck_assert_double_eq_tol(v->samples_blocked / 15000.0, 0.49, 0.02);
    v = first_vcpu(&s, "idle");
    ck_assert_double_eq_tol(v->samples_blocked / 15000.0, 0.95, 0.02);
    ck_assert_uint_eq(first_vcpu(&s, "Domain-0")->samples, 0);

    sim->host.ops->observe(&sim->host, &s);
    ck_assert_uint_eq(first_vcpu(&s, "alone")->samples, 0);
    xlp_snapshot_dispose(&s);
    sim_close(sim);
}
END_TEST

/* ---- what may look odd ---- */

START_TEST(an_offline_vcpu_neither_runs_nor_waits)
{
    struct xlp_sim *sim =
        sim_of("'host':{'pcpus':1},'run_s':60,'dom0':{'load_pct':0},'guests':["
               "{'name':'a','vcpus':3,'online_vcpus':1,'load_pct':100,'cap_pct':80}],"
               "'events':[{'at_s':20,'event':'vcpu-set','guest':'a','vcpus':2}]");
    const struct xlp_vcpu *v;
    struct xlp_snapshot s;

    xlp_snapshot_init(&s);
    run_to(sim, 10);
    ck_assert_int_eq(sim->host.ops->observe(&sim->host, &s), 0);
    v = first_vcpu(&s, "a");
    ck_assert(v[0].online && !v[1].online && !v[2].online);
    ck_assert_uint_eq(v[0].cpu_time_ns / 1000000, 8000); /* the whole cap is its own */
    for (int k = 1; k <= 2; k++) {
        ck_assert(!v[k].running && !v[k].blocked);
        ck_assert_uint_eq(v[k].cpu_time_ns, 0);
        ck_assert_uint_eq(v[k].samples_waiting + v[k].samples_blocked, 0);
    }
    run_to(sim, 30);
    ck_assert_int_eq(sim->host.ops->observe(&sim->host, &s), 0);
    v = first_vcpu(&s, "a");
    ck_assert(v[0].online && v[1].online && !v[2].online);
    ck_assert_uint_eq(v[1].cpu_time_ns / 1000000, 4000);
    xlp_snapshot_dispose(&s);
    sim_close(sim);
}
END_TEST

START_TEST(zeros_are_shown_for_a_while)
{
    struct xlp_sim *sim =
        sim_of("'host':{'pcpus':2},'run_s':60,'guests':[{'name':'a','hard':'1','load_pct':50}],"
               "'events':[{'at_s':5,'event':'fault-zero','guest':'a','times':2}]");
    struct xlp_snapshot s;

    xlp_snapshot_init(&s);
    for (int t = 1; t <= 10; t++) {
        bool zero = t == 5 || t == 6;
        const struct xlp_vcpu *v;

        run_to(sim, t);
        ck_assert_int_eq(sim->host.ops->observe(&sim->host, &s), 0);
        v = first_vcpu(&s, "a");
        ck_assert_int_eq(v->online, !zero);
        ck_assert_uint_eq(v->samples, zero ? 0 : 15);
        ck_assert_uint_eq(v->pcpu, zero ? 0 : 1);
        ck_assert_uint_eq(v->cpu_time_ns / 1000000, zero ? 0 : (uint64_t)t * 500);
        assert_map(&s, v->hard, "1");
    }
    xlp_snapshot_dispose(&s);
    sim_close(sim);
}
END_TEST

START_TEST(the_clock_that_is_shown_may_jump)
{
    struct xlp_sim *sim = sim_of("'host':{'pcpus':1},'run_s':60,'guests':[],"
                                 "'events':[{'at_s':10,'event':'clock-step','by_s':100.5},"
                                 "{'at_s':20,'event':'clock-step','by_s':-110.5},"
                                 "{'at_s':30,'event':'clock-step','by_s':-50}]");
    static const struct {
        double at_s, shown_s;
    } cases[] = {{9, 9}, {11, 111.5}, {21, 11}, {31, 0}, {59, 0}, {60, 0}};
    struct xlp_snapshot s;

    xlp_snapshot_init(&s);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        run_to(sim, cases[i].at_s);
        ck_assert_int_eq(sim->host.ops->observe(&sim->host, &s), 0);
        ck_assert_double_eq((double)s.time_ns / 1e9, cases[i].shown_s);
    }
    xlp_snapshot_dispose(&s);
    sim_close(sim);
}
END_TEST

/* ---- the ledger ---- */

START_TEST(the_first_write_records_what_was_there)
{
    struct xlp_sim *sim = sim_of(eight);
    struct xlp_snapshot s;
    const struct xlp_vcpu *v;

    xlp_snapshot_init(&s);
    ck_assert_int_eq(place(sim, "vm1", "2", "1-2"), XLP_DONE);
    ck_assert_int_eq(place(sim, "vm1", "3", "all"), XLP_DONE);
    sim->host.ops->observe(&sim->host, &s);
    v = first_vcpu(&s, "vm1");
    ck_assert(v->ledger.recorded);
    assert_map(&s, v->ledger.original_hard, "0");
    assert_map(&s, v->ledger.original_soft, "all");
    assert_map(&s, v->ledger.our_hard, "3");
    assert_map(&s, v->hard, "3");
    ck_assert(!first_vcpu(&s, "vm2")->ledger.recorded);
    ck_assert_uint_eq(guest(sim, "vm1")->moves, 2);
    ck_assert_int_eq(place(sim, "vm1", "3", "all"), XLP_DONE);
    ck_assert_uint_eq(guest(sim, "vm1")->moves, 2);
    ck_assert_uint_eq(guest(sim, "vm1")->needless_writes, 1);
    xlp_snapshot_dispose(&s);
    sim_close(sim);
}
END_TEST

START_TEST(adopting_records_and_writes_nothing)
{
    struct xlp_sim *sim = sim_of(eight);
    struct xlp_action adopt = action_on(sim, "vm1", XLP_ADOPT_VCPU);
    struct xlp_action release = action_on(sim, "vm1", XLP_RELEASE_VCPU);
    struct xlp_sim_vcpu *v = &guest(sim, "vm1")->vcpus[0];
    struct xlp_cpumap zero = xlp_cpumap_of(0);

    ck_assert_int_eq(apply(sim, &release), XLP_NOT_DONE_REFUSED);
    ck_assert_int_eq(apply(sim, &adopt), XLP_DONE);
    ck_assert(v->recorded && xlp_cpumap_equal(&v->original.hard, &zero) &&
              xlp_cpumap_equal(&v->ours.hard, &zero) && xlp_cpumap_equal(&v->masks.hard, &zero));
    ck_assert_int_eq(place(sim, "vm1", "1", "all"), XLP_DONE);
    release.hard = v->original.hard;
    ck_assert_int_eq(apply(sim, &release), XLP_DONE);
    ck_assert(!v->recorded && xlp_cpumap_equal(&v->masks.hard, &zero));
    sim_close(sim);
}
END_TEST

START_TEST(the_first_weight_records_what_was_there)
{
    struct xlp_sim *sim =
        sim_of("'host':{'pcpus':2,'pools':[{'name':'a','pcpus':'0'},"
               "{'name':'rt','pcpus':'1','sched':'rtds'}]},'run_s':100,'guests':["
               "{'name':'light','weight':300,'load_pct':100},{'name':'heavy','load_pct':100},"
               "{'name':'rt','pool':'rt'}],'events':["
               "{'at_s':30,'event':'cpupool-migrate','guest':'light','pool':'rt'},"
               "{'at_s':40,'event':'reboot','guest':'heavy'}]");
    struct xlp_action adopt = action_on(sim, "light", XLP_ADOPT_WEIGHT);
    struct xlp_action release = action_on(sim, "light", XLP_RELEASE_WEIGHT);
    struct xlp_sim_domain *light = guest(sim, "light");

    run_to(sim, 5);
    release.to_weight = 300;
    ck_assert_int_eq(apply(sim, &release), XLP_NOT_DONE_REFUSED);
    ck_assert_int_eq(apply(sim, &adopt), XLP_DONE);
    ck_assert_uint_eq(light->weight_writes, 0);
    ck_assert_int_eq(set_weight(sim, "light", 64), XLP_DONE);
    ck_assert_int_eq(set_weight(sim, "light", 64), XLP_DONE);
    ck_assert_uint_eq(light->weight_writes, 1);
    ck_assert(light->ledger.recorded && light->ledger.original_weight == 300 &&
              light->ledger.our_weight == 64);
    run_to(sim, 10);
    ck_assert_double_eq_tol(rate_pct(sim, "light") * 4, rate_pct(sim, "heavy"), 0.1);
    ck_assert_int_eq(apply(sim, &release), XLP_DONE);
    ck_assert(!light->ledger.recorded && light->weight == 300);

    ck_assert_int_eq(set_weight(sim, "heavy", 0), XLP_NOT_DONE_REFUSED);
    ck_assert_int_eq(set_weight(sim, "heavy", 65536), XLP_NOT_DONE_REFUSED);
    ck_assert_int_eq(set_weight(sim, "rt", 512), XLP_NOT_DONE_REFUSED);
    ck_assert_int_eq(set_weight(sim, "heavy", 1000), XLP_DONE);
    ck_assert_uint_eq(guest(sim, "heavy")->ledger.original_weight, 256);
    run_to(sim, 30);
    ck_assert_uint_eq(light->weight, 256); /* the other pool's scheduler knows nothing of 300 */
    run_to(sim, 40);
    ck_assert(guest(sim, "heavy")->ledger.recorded && guest(sim, "heavy")->weight == 1000);
    sim_close(sim);
}
END_TEST

START_TEST(the_first_target_records_target_and_limit)
{
    struct xlp_sim *sim = sim_of("'host':{'pcpus':1},'run_s':100,'guests':[{'name':'a',"
                                 "'memory_mib':512,'max_memory_mib':1024}]");
    struct xlp_sim_memory *m = &guest(sim, "a")->memory;

    ck_assert_int_eq(m->max_kib, 513 * 1024);
    ck_assert_int_eq(set_target(sim, "a", 300 * 1024, 301 * 1024), XLP_DONE);
    ck_assert_int_eq(m->max_kib, 512 * 1024); /* never below what it has */
    run_to(sim, 10);
    ck_assert_int_eq(set_target(sim, "a", 300 * 1024, 301 * 1024), XLP_DONE);
    ck_assert_int_eq(m->max_kib, 301 * 1024);
    ck_assert_int_eq(set_target(sim, "a", 800 * 1024, 801 * 1024), XLP_DONE);
    ck_assert_int_eq(m->original_target_kib, 512 * 1024);
    ck_assert_int_eq(m->original_max_kib, 513 * 1024);
    ck_assert_int_eq(m->our_target_kib, 800 * 1024);
    ck_assert_uint_eq(guest(sim, "a")->target_writes, 2);
    ck_assert_uint_eq(guest(sim, "a")->target_flips, 1);
    ck_assert_int_eq(set_target(sim, "a", 1025 * 1024, 0), XLP_NOT_DONE_REFUSED);
    sim_close(sim);
}
END_TEST

START_TEST(steps_back_keep_the_record_until_there_is_none_left)
{
    struct xlp_sim *sim = sim_of("'host':{'pcpus':1},'run_s':100,'guests':[{'name':'a',"
                                 "'memory_mib':512,'max_memory_mib':1024}]");
    struct xlp_sim_memory *m = &guest(sim, "a")->memory;
    struct xlp_action release = action_on(sim, "a", XLP_RELEASE_TARGET);

    set_target(sim, "a", 300 * 1024, 0);
    release.to_kib = 300 * 1024; /* a step on the spot: it only says where it goes */
    ck_assert_int_eq(apply(sim, &release), XLP_DONE);
    ck_assert(m->recorded && m->releasing);
    release.to_kib = 512 * 1024;
    release.limit_kib = 513 * 1024;
    ck_assert_int_eq(apply(sim, &release), XLP_DONE);
    ck_assert_int_eq(m->target_kib, 512 * 1024);
    ck_assert(m->recorded && m->releasing);
    ck_assert_int_eq(apply(sim, &release), XLP_DONE);
    ck_assert(!m->recorded && !m->releasing);
    ck_assert_int_eq(apply(sim, &release), XLP_NOT_DONE_REFUSED);
    sim_close(sim);
}
END_TEST

START_TEST(of_a_target_set_by_hand_only_the_record_goes)
{
    struct xlp_sim *sim =
        sim_of("'host':{'pcpus':1},'run_s':100,'guests':[{'name':'a','memory_mib':512}],"
               "'events':[{'at_s':10,'event':'mem-set','guest':'a','memory_mib':400}]");
    struct xlp_sim_memory *m = &guest(sim, "a")->memory;
    struct xlp_action release = action_on(sim, "a", XLP_RELEASE_TARGET);

    set_target(sim, "a", 300 * 1024, 0);
    run_to(sim, 20);
    release.to_kib = 512 * 1024;
    ck_assert_int_eq(apply(sim, &release), XLP_DONE);
    ck_assert(!m->recorded);
    ck_assert_int_eq(m->target_kib, 400 * 1024);
    sim_close(sim);
}
END_TEST

START_TEST(an_action_on_another_life_of_the_guest_is_not_done)
{
    struct xlp_sim *sim = sim_of("'host':{'pcpus':2},'run_s':100,'guests':[{'name':'a'},"
                                 "{'name':'b'}],'events':["
                                 "{'at_s':10,'event':'reboot','guest':'a'},"
                                 "{'at_s':20,'event':'fault-vanish','guest':'b'}]");
    struct xlp_action before = action_on(sim, "a", XLP_PLACE_VCPU);
    struct xlp_action off = action_on(sim, "a", XLP_RELEASE_DOMAIN);
    struct xlp_action stranger = action_on(sim, "b", XLP_PLACE_VCPU);

    ck_assert_int_eq(apply(sim, &off), XLP_DONE);
    run_to(sim, 10);
    ck_assert_uint_eq(guest(sim, "a")->domid, 3);
    ck_assert(guest(sim, "a")->released);
    ck_assert_int_eq(apply(sim, &before), XLP_NOT_DONE_GONE);
    stranger.uuid[0] ^= 1;
    ck_assert_int_eq(apply(sim, &stranger), XLP_NOT_DONE_GONE);
    stranger.uuid[0] ^= 1;
    stranger.vcpu = 7;
    ck_assert_int_eq(apply(sim, &stranger), XLP_NOT_DONE_GONE);
    run_to(sim, 20);
    ck_assert(guest(sim, "b")->alive);
    stranger.vcpu = 0;
    ck_assert_int_eq(apply(sim, &stranger), XLP_NOT_DONE_GONE);
    ck_assert(!guest(sim, "b")->alive);
    sim_close(sim);
}
END_TEST

START_TEST(xen_refuses_a_mask_without_a_pcpu_and_is_busy_on_demand)
{
    struct xlp_sim *sim =
        sim_of("'host':{'pcpus':4,'offline_pcpus':'3'},'run_s':100,'guests':[{'name':'a'}],"
               "'events':[{'at_s':5,'event':'fault-busy','guest':'a','times':2}]");

    ck_assert_int_eq(place(sim, "a", "3", "all"), XLP_NOT_DONE_REFUSED);
    ck_assert(!guest(sim, "a")->vcpus[0].recorded);
    run_to(sim, 5);
    ck_assert_int_eq(place(sim, "a", "1", "all"), XLP_NOT_DONE_BUSY);
    ck_assert_int_eq(place(sim, "a", "1", "all"), XLP_NOT_DONE_BUSY);
    ck_assert_int_eq(place(sim, "a", "1", "all"), XLP_DONE);
    sim_close(sim);
}
END_TEST

/* ---- time ---- */

START_TEST(wait_comes_back_for_guests_and_at_the_end)
{
    struct xlp_sim *sim =
        sim_of("'host':{'pcpus':1},'run_s':30,'guests':[{'name':'a','start_s':4}],"
               "'events':[{'at_s':12.25,'event':'destroy','guest':'a'}]");
    const struct xlp_host_ops *ops = sim->host.ops;

    ck_assert_int_eq(ops->wait(&sim->host, S / 3, NULL, 0), XLP_WAKE_TIME);
    ck_assert_uint_eq(ops->now_ns(&sim->host), S / 3);
    ck_assert_int_eq(ops->wait(&sim->host, 2 * S, NULL, 0), XLP_WAKE_TIME);
    ck_assert_int_eq(ops->wait(&sim->host, 10 * S, NULL, 0), XLP_WAKE_EVENT);
    ck_assert_uint_eq(ops->now_ns(&sim->host), 4 * S);
    ck_assert_int_eq(ops->wait(&sim->host, 10 * S, NULL, 0), XLP_WAKE_TIME);
    ck_assert_int_eq(ops->wait(&sim->host, 20 * S, NULL, 0), XLP_WAKE_EVENT);
    ck_assert_uint_eq(ops->now_ns(&sim->host), 12 * S + S / 4);
    ck_assert_int_eq(ops->wait(&sim->host, 99 * S, NULL, 0), XLP_WAKE_END);
    ck_assert_uint_eq(ops->now_ns(&sim->host), 30 * S);
    sim_close(sim);
}
END_TEST

static uint64_t run_in_steps(double step_s)
{
    struct xlp_sim *sim =
        sim_of("'host':{'pcpus':2,'sockets':2,'seed':7},'run_s':60,'guests':["
               "{'name':'vm%d','count':5,'load_pct':{'points':[[0,10],[7,90],[9,30]],'every_s':11},"
               "'noise_pct':20}]");
    uint64_t sum = 0;

    for (double t = step_s; t < 60; t += step_s)
        run_to(sim, t);
    run_to(sim, 60);
    for (size_t i = 0; i < sim->domain_count; i++)
        sum = sum * 31 + (uint64_t)sim->domains[i].vcpus[0].run_ns / 1000;
    sim_close(sim);
    return sum;
}

START_TEST(the_same_scenario_gives_the_same_run)
{
    ck_assert_uint_eq(run_in_steps(1), run_in_steps(1));
    ck_assert_uint_eq(run_in_steps(1), run_in_steps(5));
}
END_TEST

static double real_s(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

START_TEST(in_real_time_it_keeps_to_the_clock_and_wakes_for_a_descriptor)
{
    struct xlp_sim *sim =
        sim_of_flags("'host':{'pcpus':1,'speed':50},'run_s':1000,'guests':[]", XLP_HOST_REALTIME);
    const struct xlp_host_ops *ops = sim->host.ops;
    double start_s = real_s(), took_s;
    int ends[2];

    ck_assert_int_eq(ops->wait(&sim->host, 5 * S, NULL, 0), XLP_WAKE_TIME);
    took_s = real_s() - start_s;
    ck_assert_msg(took_s > 0.095 && took_s < 1, "5 s at fifty times the speed took %g s", took_s);
    ck_assert_uint_eq(sim->now_ns, 5 * S);

    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], "x", 1), 1);
    struct pollfd fd = {.fd = ends[0], .events = POLLIN};
    ck_assert_int_eq(ops->wait(&sim->host, 999 * S, &fd, 1), XLP_WAKE_FD);
    ck_assert_int_eq(fd.revents, POLLIN);
    close(ends[0]);
    close(ends[1]);
    sim_close(sim);
}
END_TEST

CHECK_CASE(shown, every_snapshot_passes_the_check_for_files, run_and_idle_time_add_up,
           samples_tell_what_the_lab_measured)
CHECK_CASE(oddities, an_offline_vcpu_neither_runs_nor_waits, zeros_are_shown_for_a_while,
           the_clock_that_is_shown_may_jump)
CHECK_CASE(ledger, the_first_write_records_what_was_there, adopting_records_and_writes_nothing,
           the_first_weight_records_what_was_there, the_first_target_records_target_and_limit,
           steps_back_keep_the_record_until_there_is_none_left,
           of_a_target_set_by_hand_only_the_record_goes,
           an_action_on_another_life_of_the_guest_is_not_done,
           xen_refuses_a_mask_without_a_pcpu_and_is_busy_on_demand)
CHECK_CASE(passing_time, wait_comes_back_for_guests_and_at_the_end,
           the_same_scenario_gives_the_same_run,
           in_real_time_it_keeps_to_the_clock_and_wakes_for_a_descriptor)
CHECK_MAIN("sim", shown, oddities, ledger, passing_time)
