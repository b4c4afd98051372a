/* SPDX-License-Identifier: LGPL-2.1-only */
/* Work is not run time: what a simulated vCPU gets done where it is slowed down. */
#include "check_main.h"

#include <math.h>

#include "sim_fixture.h"

static struct xlp_sim *running(const char *host, const char *guests)
{
    char text[2048];
    struct xlp_sim *sim;

    snprintf(text, sizeof(text), "'dom0':{'load_pct':0},'run_s':100,'host':%s,'guests':[%s]", host,
             guests);
    sim = sim_of(text);
    run_to(sim, 1);
    return sim;
}

/* Both in percent of a pCPU, of one of the guest's vCPUs. */
static void assert_runs(struct xlp_sim *sim, const char *name, uint32_t vcpu, double time_pct,
                        double work_pct)
{
    const struct xlp_sim_vcpu *v = &guest(sim, name)->vcpus[vcpu];

    ck_assert_msg(fabs(100 * v->rate - time_pct) < 0.01, "%s ran %.3f %%, not %.3f %%", name,
                  100 * v->rate, time_pct);
    ck_assert_msg(fabs(100 * v->work - work_pct) < 0.01, "%s did %.3f %%, not %.3f %%", name,
                  100 * v->work, work_pct);
}

/* ---- threads of one core ---- */

#define TWO_CORES "{'pcpus':4,'threads':2,'core_capacity':1.3}"

START_TEST(two_busy_threads_share_what_their_core_can_do)
{
    struct xlp_sim *sim = running(TWO_CORES, "{'name':'a','hard':'0','load_pct':100},"
                                             "{'name':'b','hard':'1','load_pct':100},"
                                             "{'name':'c','hard':'2','load_pct':100}");

    /* The time is theirs in full, as Xen counts it. */
    assert_runs(sim, "a", 0, 100, 65);
    assert_runs(sim, "b", 0, 100, 65);
    assert_runs(sim, "c", 0, 100, 100);
    ck_assert_double_eq_tol(sim->pcpus[1].load, 1, 1e-9);
    ck_assert_double_eq_tol(guest(sim, "a")->vcpus[0].run_ns, 1e9, 1);
    ck_assert_double_eq_tol(guest(sim, "a")->vcpus[0].work_ns, 0.65e9, 1);
    ck_assert_double_eq_tol(xlp_sim_capacity(sim, 0), 2.6, 1e-9);
    sim_close(sim);
}
END_TEST

START_TEST(who_is_slowed_down_runs_for_longer)
{
    struct xlp_sim *sim = running(TWO_CORES, "{'name':'hog','hard':'0','load_pct':100},"
                                             "{'name':'light','hard':'1','load_pct':26},"
                                             "{'name':'a','hard':'2','load_pct':40},"
                                             "{'name':'b','hard':'3','load_pct':40}");
    /* Each slows the other while both run: time = work / (1 - 0.35 * time). */
    double time_pct = 100 * (1 - sqrt(1 - 4 * 0.35 * 0.40)) / 0.70;

    assert_runs(sim, "light", 0, 40, 26);
    assert_runs(sim, "hog", 0, 100, 100 - 0.40 * 35);
    assert_runs(sim, "a", 0, time_pct, 40);
    assert_runs(sim, "b", 0, time_pct, 40);
    ck_assert_double_gt(guest(sim, "a")->vcpus[0].blocked, 0.3);
    sim_close(sim);
}
END_TEST

/* Neither run time nor samples tell: it never waits. */
START_TEST(work_that_does_not_fit_is_lost_unseen)
{
    struct xlp_sim *sim = running(TWO_CORES, "{'name':'hog','hard':'0','load_pct':100},"
                                             "{'name':'most','hard':'1','load_pct':90}");

    assert_runs(sim, "most", 0, 100, 65);
    ck_assert_double_eq_tol(guest(sim, "most")->vcpus[0].waiting, 0, 1e-6);
    sim_close(sim);
}
END_TEST

START_TEST(a_core_of_four_threads_gains_evenly_by_each)
{
    static const double core_pct[] = {100, 100 * 4 / 3.0, 100 * 5 / 3.0, 200};

    for (int n = 1; n <= 4; n++) {
        char guests[128];
        struct xlp_sim *sim;

        snprintf(guests, sizeof(guests),
                 "{'name':'h%%d','count':%d,'hard':['0','1','2','3'],'load_pct':100}", n);
        sim = running("{'pcpus':4,'threads':4,'core_capacity':2}", guests);
        assert_runs(sim, "h1", 0, 100, core_pct[n - 1] / n);
        sim_close(sim);
    }
}
END_TEST

START_TEST(a_vcpu_that_floats_is_not_in_its_own_way)
{
    struct xlp_sim *sim = running(TWO_CORES, "{'name':'a','hard':'0-1','load_pct':80}");

    assert_runs(sim, "a", 0, 80, 80);
    sim_close(sim);
}
END_TEST

START_TEST(those_that_are_scheduled_together_slow_each_other)
{
    struct xlp_sim *sim =
        running("{'pcpus':4,'threads':2,'core_capacity':1.3,'pools':[{'name':'p','pcpus':'0-3',"
                "'sched_gran':'core'}]}",
                "{'name':'pair','vcpus':2,'hard':'0','load_pct':100},"
                "{'name':'one','hard':'2','load_pct':100}");

    assert_runs(sim, "pair", 0, 100, 65);
    assert_runs(sim, "pair", 1, 100, 65);
    assert_runs(sim, "one", 0, 100, 100);
    sim_close(sim);
}
END_TEST

START_TEST(a_cap_counts_time_and_not_work)
{
    struct xlp_sim *sim = running(TWO_CORES, "{'name':'hog','hard':'0','load_pct':100},"
                                             "{'name':'capped','hard':'1','load_pct':60,"
                                             "'cap_pct':40}");

    assert_runs(sim, "capped", 0, 40, 26);
    ck_assert_double_eq_tol(guest(sim, "capped")->vcpus[0].blocked, 0, 1e-9);
    sim_close(sim);
}
END_TEST

/* ---- memory elsewhere ---- */

START_TEST(away_from_its_memory_a_vcpu_is_slower)
{
    struct xlp_sim *sim = running("{'pcpus':4,'nodes':2,'remote_speed':0.8}",
                                  "{'name':'home','memory_node':1,'hard':'2','load_pct':100},"
                                  "{'name':'away','memory_node':1,'hard':'0','load_pct':100},"
                                  "{'name':'any','hard':'1','load_pct':100},"
                                  "{'name':'half','memory_node':1,'hard':'3','load_pct':50}");

    assert_runs(sim, "home", 0, 100, 100);
    assert_runs(sim, "away", 0, 100, 80);
    assert_runs(sim, "any", 0, 100, 100);
    assert_runs(sim, "half", 0, 50, 50);
    ck_assert_int_eq(place(sim, "half", "1", "all"), XLP_DONE);
    ck_assert_int_eq(place(sim, "any", "3", "all"), XLP_DONE);
    run_to(sim, 2);
    assert_runs(sim, "half", 0, 62.5, 50); /* it takes longer, and is done */
    sim_close(sim);
}
END_TEST

/* ---- moves ---- */

static double lost_ms(struct xlp_sim *sim, const char *name)
{
    const struct xlp_sim_vcpu *v = &guest(sim, name)->vcpus[0];

    return (v->run_ns - v->work_ns) / 1e6;
}

START_TEST(a_move_costs_work_and_no_time)
{
    struct xlp_sim *sim =
        running("{'pcpus':4,'migration_ms':150}", "{'name':'hog','hard':'0','load_pct':100},"
                                                  "{'name':'half','hard':'1','load_pct':50}");

    ck_assert_double_eq(lost_ms(sim, "hog"), 0); /* it was nowhere before */
    xlp_sim_see_vcpus(sim);
    ck_assert_int_eq(place(sim, "hog", "2", "all"), XLP_DONE);
    ck_assert_int_eq(place(sim, "half", "3", "all"), XLP_DONE);
    run_to(sim, 1.1);
    assert_runs(sim, "hog", 0, 100, 0);
    run_to(sim, 3);
    assert_runs(sim, "hog", 0, 100, 100);
    ck_assert_double_eq_tol(lost_ms(sim, "hog"), 150, 1e-3);
    ck_assert_double_eq_tol(lost_ms(sim, "half"), 150, 1e-3);
    ck_assert_double_eq_tol(guest(sim, "hog")->vcpus[0].run_ns, 3e9, 1);
    sim_close(sim);
}
END_TEST

START_TEST(cold_caches_do_not_get_colder)
{
    struct xlp_sim *sim =
        running("{'pcpus':4,'migration_ms':50}", "{'name':'hog','hard':'0','load_pct':100}");

    for (int i = 0; i < 10; i++) {
        xlp_sim_see_vcpus(sim);
        ck_assert_int_eq(place(sim, "hog", i % 2 ? "0" : "1", "all"), XLP_DONE);
        run_to(sim, 1 + 0.01 * (i + 1));
    }
    run_to(sim, 3);
    ck_assert_double_ge(lost_ms(sim, "hog"), 100 - 1e-3); /* and it was cold all that time */
    ck_assert_double_le(lost_ms(sim, "hog"), 150 + 1e-3);
    sim_close(sim);
}
END_TEST

START_TEST(only_who_ends_up_elsewhere_has_moved)
{
    struct xlp_sim *sim = running("{'pcpus':4,'sockets':2,'migration_ms':50}",
                                  "{'name':'a','load_pct':60},{'name':'b','load_pct':60}");
    struct xlp_snapshot s;
    char pcpu[16];

    xlp_snapshot_init(&s);
    ck_assert_int_eq(sim->host.ops->observe(&sim->host, &s), 0);
    snprintf(pcpu, sizeof(pcpu), "%u", guest(sim, "a")->vcpus[0].pcpu);
    ck_assert_int_eq(place(sim, "a", pcpu, "all"), XLP_DONE); /* where it happens to be */
    run_to(sim, 3);
    ck_assert_double_eq_tol(lost_ms(sim, "a"), 0, 1e-6);
    ck_assert_double_eq_tol(lost_ms(sim, "b"), 0, 1e-6);
    /* Wherever it was, it leaves its run queue. */
    ck_assert_int_eq(place(sim, "b", guest(sim, "b")->vcpus[0].pcpu < 2 ? "2-3" : "0-1", "all"),
                     XLP_DONE);
    run_to(sim, 5);
    ck_assert_double_eq_tol(lost_ms(sim, "b"), 50, 1e-3);
    xlp_snapshot_dispose(&s);
    sim_close(sim);
}
END_TEST

/* credit2 moves vCPUs between run queues too. */
START_TEST(a_move_by_the_scheduler_costs_the_same)
{
    struct xlp_sim *sim =
        running("{'pcpus':4,'sockets':2,'migration_ms':50}", "{'name':'h%d','count':8,'hard':'0-1',"
                                                             "'load_pct':100}");
    double lost = 0;

    for (int i = 1; i <= 8; i++) {
        char name[32];

        snprintf(name, sizeof(name), "h%d", i);
        guest(sim, name)->vcpus[0].masks.hard = xlp_cpumap_all();
    }
    xlp_sim_see_vcpus(sim);
    sim->rates_stale = true;
    run_to(sim, 20);
    for (int i = 1; i <= 8; i++) {
        char name[32];

        snprintf(name, sizeof(name), "h%d", i);
        lost += lost_ms(sim, name);
    }
    ck_assert_double_eq_tol(lost, 4 * 50, 1e-3);
    sim_close(sim);
}
END_TEST

/* ---- what looks tell ---- */

/* Seconds with 15 looks each at one that waits two thirds of its time: mean and variance are those
 * of draws by chance, and another seed draws others. */
START_TEST(samples_are_draws_by_chance)
{
    double sum = 0, squares = 0;
    uint32_t first_of_seed[2];

    for (int seed = 0; seed < 2; seed++) {
        char host[64];
        struct xlp_snapshot s;
        struct xlp_sim *sim;

        snprintf(host, sizeof(host), "{'pcpus':2,'seed':%d}", seed);
        sim = running(host, "{'name':'h%d','count':3,'hard':'0','load_pct':100}");
        xlp_snapshot_init(&s);
        ck_assert_int_eq(sim->host.ops->observe(&sim->host, &s), 0);
        for (int t = 2; t <= 91; t++) {
            const struct xlp_vcpu *v;

            run_to(sim, t);
            ck_assert_int_eq(sim->host.ops->observe(&sim->host, &s), 0);
            v = &s.vcpus[s.domains[1].first_vcpu];
            ck_assert_uint_eq(v->samples, 15);
            ck_assert_uint_eq(v->samples_blocked, 0);
            sum += v->samples_waiting;
            squares += (double)v->samples_waiting * v->samples_waiting;
            if (t == 2)
                first_of_seed[seed] = v->samples_waiting;
        }
        xlp_snapshot_dispose(&s);
        sim_close(sim);
    }
    ck_assert_uint_ne(first_of_seed[0], first_of_seed[1]);
    ck_assert_double_eq_tol(sum / 180, 10, 0.5);                                   /* n p */
    ck_assert_double_eq_tol(squares / 180 - sum / 180 * sum / 180, 10 / 3.0, 1.0); /* n p (1 - p) */
}
END_TEST

CHECK_CASE(threads, two_busy_threads_share_what_their_core_can_do,
           who_is_slowed_down_runs_for_longer, work_that_does_not_fit_is_lost_unseen,
           a_core_of_four_threads_gains_evenly_by_each, a_vcpu_that_floats_is_not_in_its_own_way,
           those_that_are_scheduled_together_slow_each_other, a_cap_counts_time_and_not_work)
CHECK_CASE(memory, away_from_its_memory_a_vcpu_is_slower)
CHECK_CASE(moves, a_move_costs_work_and_no_time, cold_caches_do_not_get_colder,
           only_who_ends_up_elsewhere_has_moved, a_move_by_the_scheduler_costs_the_same)
CHECK_CASE(looks, samples_are_draws_by_chance)
CHECK_MAIN("sim_work", threads, memory, moves, looks)
