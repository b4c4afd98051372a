/* SPDX-License-Identifier: LGPL-2.1-only */
/* How the simulated scheduler shares pCPUs. */
#include "check_main.h"

#include <math.h>

#include "sim_fixture.h"

#define NO_DOM0 "'dom0':{'load_pct':0},'run_s':100,"

static struct xlp_sim *running(const char *host, const char *guests)
{
    char text[2048];
    struct xlp_sim *sim;

    snprintf(text, sizeof(text), NO_DOM0 "'host':%s,'guests':[%s]", host, guests);
    sim = sim_of(text);
    run_to(sim, 1);
    return sim;
}

static void assert_rates(struct xlp_sim *sim, const char *pattern, int first, int last, double pct)
{
    for (int i = first; i <= last; i++) {
        char name[32];

        snprintf(name, sizeof(name), "%s%d", pattern, i);
        ck_assert_msg(fabs(rate_pct(sim, name) - pct) < 0.01, "%s got %g %%, not %g %%", name,
                      rate_pct(sim, name), pct);
    }
}

START_TEST(hogs_on_one_pcpu_share_it_by_weight)
{
    struct xlp_sim *sim = running("{'pcpus':2}", "{'name':'a1','hard':'0','load_pct':100},"
                                                 "{'name':'b1','hard':'0','load_pct':100,"
                                                 "'weight':512},"
                                                 "{'name':'c1','hard':'0','load_pct':10}");

    assert_rates(sim, "c", 1, 1, 10);
    assert_rates(sim, "a", 1, 1, 30);
    assert_rates(sim, "b", 1, 1, 60);
    ck_assert_double_eq_tol(sim->pcpus[1].load, 0, 1e-9);
    sim_close(sim);
}
END_TEST

START_TEST(a_cap_is_a_budget_of_the_whole_domain)
{
    struct xlp_sim *sim = running("{'pcpus':4}", "{'name':'a1','vcpus':3,'cap_pct':100,"
                                                 "'load_pct':[100,100,20]}");

    ck_assert_double_eq_tol(guest(sim, "a1")->vcpus[0].rate, 0.4, 1e-6);
    ck_assert_double_eq_tol(guest(sim, "a1")->vcpus[1].rate, 0.4, 1e-6);
    ck_assert_double_eq_tol(guest(sim, "a1")->vcpus[2].rate, 0.2, 1e-6);
    ck_assert_double_eq_tol(guest(sim, "a1")->vcpus[0].waiting, 0.6, 1e-6);
    ck_assert_double_eq_tol(guest(sim, "a1")->vcpus[0].blocked, 0, 1e-9);
    sim_close(sim);
}
END_TEST

START_TEST(floating_hogs_leave_no_pcpu_idle)
{
    struct xlp_sim *sim = running("{'pcpus':4}", "{'name':'h%d','count':6,'hard':'1-3',"
                                                 "'load_pct':100}");

    assert_rates(sim, "h", 1, 6, 50);
    sim_close(sim);
}
END_TEST

/* Measured on Xen 4.17: six hogs, soft on one pCPU, hard on three: 45 % each, all three full. */
START_TEST(soft_affinity_costs_no_work)
{
    struct xlp_sim *sim = running("{'pcpus':4}", "{'name':'h%d','count':6,'hard':'1-3',"
                                                 "'soft':'2','load_pct':100}");

    assert_rates(sim, "h", 1, 6, 50);
    for (int p = 1; p <= 3; p++)
        ck_assert_double_eq_tol(sim->pcpus[p].load, 1, 1e-6);
    sim_close(sim);
}
END_TEST

START_TEST(a_liked_pcpu_is_used_while_it_is_free)
{
    struct xlp_sim *sim = running("{'pcpus':4}", "{'name':'a1','soft':'2','load_pct':60},"
                                                 "{'name':'b1','soft':'3','load_pct':50},"
                                                 "{'name':'b2','soft':'3','load_pct':50}");

    ck_assert_double_eq_tol(xlp_sim_vcpu_part(sim, &guest(sim, "a1")->vcpus[0], 2), 1, 1e-6);
    /* Two that come and go by themselves meet a quarter of the time; one then runs elsewhere. */
    ck_assert_double_eq_tol(sim->pcpus[3].load, 0.75, 1e-6);
    assert_rates(sim, "b", 1, 2, 50);
    sim_close(sim);
}
END_TEST

START_TEST(stacked_hogs_stay_at_a_quarter_beside_idle_pcpus)
{
    struct xlp_sim *sim = running("{'pcpus':4}", "{'name':'h%d','count':4,'hard':'0',"
                                                 "'load_pct':100},{'name':'f1','load_pct':100}");

    assert_rates(sim, "h", 1, 4, 25);
    assert_rates(sim, "f", 1, 1, 100);
    sim_close(sim);
}
END_TEST

/* Measured: sockets {0,1} and {2,3}, six hogs on 1-3: three get 33 %, three get twice that, for as
 * long as one looks. */
START_TEST(credit2_settles_at_three_and_three)
{
    struct xlp_sim *sim =
        running("{'pcpus':4,'sockets':2}", "{'name':'h%d','count':6,'hard':'1-3','load_pct':100}");
    int low = 0, high = 0;

    run_to(sim, 90);
    for (int i = 1; i <= 6; i++) {
        char name[32];

        snprintf(name, sizeof(name), "h%d", i);
        low += fabs(rate_pct(sim, name) - 33.33) < 0.1;
        high += fabs(rate_pct(sim, name) - 66.67) < 0.1;
    }
    ck_assert_int_eq(low, 3);
    ck_assert_int_eq(high, 3);
    sim_close(sim);
}
END_TEST

START_TEST(credit_has_no_run_queues_to_be_unfair_between)
{
    struct xlp_sim *sim =
        running("{'pcpus':4,'sockets':2,'pools':[{'name':'p','pcpus':'0-3','sched':'credit'}]}",
                "{'name':'h%d','count':6,'hard':'1-3','load_pct':100}");

    assert_rates(sim, "h", 1, 6, 50);
    sim_close(sim);
}
END_TEST

START_TEST(credit2_evens_out_run_queues_that_differ_by_two)
{
    struct xlp_sim *sim =
        running("{'pcpus':4,'sockets':2}", "{'name':'h%d','count':8,'hard':'0-1','load_pct':100}");

    for (int i = 1; i <= 8; i++) {
        char name[32];

        snprintf(name, sizeof(name), "h%d", i);
        guest(sim, name)->vcpus[0].masks.hard = xlp_cpumap_all();
    }
    sim->rates_stale = true;
    run_to(sim, 20);
    assert_rates(sim, "h", 1, 8, 50);
    sim_close(sim);
}
END_TEST

START_TEST(a_write_moves_a_vcpu_to_the_run_queue_it_likes)
{
    struct xlp_sim *sim = running("{'pcpus':4,'sockets':2}", "{'name':'a1','load_pct':50}");
    struct xlp_sim_vcpu *v = &guest(sim, "a1")->vcpus[0];

    for (int p = 0; p < 4; p++) {
        char pcpu[16];

        snprintf(pcpu, sizeof(pcpu), "%d", p);
        ck_assert_int_eq(place(sim, "a1", "all", pcpu), XLP_DONE);
        run_to(sim, 2 + p);
        ck_assert_double_eq_tol(xlp_sim_vcpu_part(sim, v, (uint32_t)p), 1, 1e-6);
    }
    sim_close(sim);
}
END_TEST

START_TEST(an_offline_pcpu_breaks_pins_and_a_pool_move_drops_masks)
{
    struct xlp_sim *sim =
        sim_of(NO_DOM0 "'host':{'pcpus':4,'pools':[{'name':'a','pcpus':'0-1'},"
                       "{'name':'b','pcpus':'2-3'}]},"
                       "'guests':[{'name':'p','pool':'a','hard':'1','load_pct':80},"
                       "{'name':'m','pool':'a','hard':'0','soft':'0','load_pct':80}],"
                       "'events':[{'at_s':10,'event':'pcpu-offline','pcpu':1},"
                       "{'at_s':20,'event':'cpupool-migrate','guest':'m','pool':'b'}]");
    struct xlp_cpumap all = xlp_cpumap_all();

    run_to(sim, 5);
    ck_assert_double_eq_tol(rate_pct(sim, "p"), 80, 1e-3);
    run_to(sim, 15);
    ck_assert(xlp_cpumap_equal(&guest(sim, "p")->vcpus[0].masks.hard, &all));
    ck_assert_double_eq_tol(rate_pct(sim, "p"), 50, 1e-3);
    run_to(sim, 25);
    ck_assert(xlp_cpumap_equal(&guest(sim, "m")->vcpus[0].masks.soft, &all));
    ck_assert_double_eq_tol(rate_pct(sim, "p"), 80, 1e-3);
    ck_assert_double_eq_tol(rate_pct(sim, "m"), 80, 1e-3);
    ck_assert_int_eq(place(sim, "m", "0", "all"), XLP_NOT_DONE_REFUSED);
    sim_close(sim);
}
END_TEST

/* ---- other schedulers ---- */

static double used_pct(struct xlp_sim *sim, uint32_t pcpu)
{
    return 100 * sim->pcpus[pcpu].load;
}

START_TEST(null_gives_each_vcpu_a_pcpu_of_its_own_while_there_are_any)
{
    struct xlp_sim *sim =
        sim_of(NO_DOM0 "'host':{'pcpus':4,'pools':[{'name':'a','pcpus':'0'},"
                       "{'name':'n','pcpus':'1-3','sched':'null'}]},"
                       "'guests':[{'name':'h%d','count':4,'pool':'n','load_pct':100},"
                       "{'name':'h5','pool':'n','vcpus':2,'start_s':17,'load_pct':100},"
                       "{'name':'h6','pool':'n','start_s':18,'load_pct':100}],"
                       "'events':[{'at_s':10,'event':'destroy','guest':'h2'},"
                       "{'at_s':16,'event':'destroy','guest':'h1'},"
                       "{'at_s':16,'event':'destroy','guest':'h3'},"
                       "{'at_s':20,'event':'vcpu-set','guest':'h5','vcpus':1}]");

    run_to(sim, 5);
    assert_rates(sim, "h", 1, 3, 100);
    assert_rates(sim, "h", 4, 4, 0);
    ck_assert_double_eq(guest(sim, "h4")->vcpus[0].waiting, 1);
    ck_assert_int_eq(place(sim, "h4", "1", "all"), XLP_DONE); /* taken: it goes on waiting */
    ck_assert_int_eq(place(sim, "h1", "1", "all"), XLP_DONE);
    run_to(sim, 9);
    assert_rates(sim, "h", 4, 4, 0);
    ck_assert_int_eq(place(sim, "h4", "all", "all"), XLP_DONE);
    run_to(sim, 15);
    assert_rates(sim, "h", 3, 4, 100);
    run_to(sim, 19);
    ck_assert_double_eq_tol(guest(sim, "h5")->vcpus[0].rate, 1, 1e-6);
    ck_assert_double_eq_tol(guest(sim, "h5")->vcpus[1].rate, 1, 1e-6);
    run_to(sim, 25); /* the second vCPU of h5 leaves its pCPU to h6 */
    ck_assert_double_eq_tol(rate_pct(sim, "h6"), 100, 1e-6);
    sim_close(sim);
}
END_TEST

START_TEST(realtime_schedulers_know_neither_soft_affinity_nor_weights)
{
    static const char *const scheds[] = {"rtds", "arinc653"};

    for (size_t i = 0; i < 2; i++) {
        char host[128];
        struct xlp_snapshot s;
        struct xlp_sim *sim;

        snprintf(host, sizeof(host),
                 "{'pcpus':3,'pools':[{'name':'p','pcpus':'0-2','sched':'%s'}]}", scheds[i]);
        sim = running(host, "{'name':'a1','soft':'1','load_pct':50},"
                            "{'name':'a2','hard':'2','load_pct':100,'weight':512},"
                            "{'name':'a3','hard':'2','load_pct':100}");
        assert_rates(sim, "a", 2, 3, 50);
        ck_assert_double_eq_tol(used_pct(sim, 0), 25, 1e-6);
        ck_assert_double_eq_tol(used_pct(sim, 1), 25, 1e-6);
        xlp_snapshot_init(&s);
        ck_assert_int_eq(sim->host.ops->observe(&sim->host, &s), 0);
        ck_assert_str_eq(xlp_sched_name(s.pools[0].sched), scheds[i]);
        ck_assert_uint_eq(s.domains[1].weight, 0);
        xlp_snapshot_dispose(&s);
        sim_close(sim);
    }
}
END_TEST

/* ---- scheduling by cores ---- */

#define BY_CORE "{'pcpus':4,'threads':2,'pools':[{'name':'p','pcpus':'0-3','sched_gran':'core'}]}"

START_TEST(guests_never_share_a_core_that_is_scheduled_as_one)
{
    struct xlp_sim *sim = running(BY_CORE, "{'name':'a%d','count':3,'load_pct':100}");

    assert_rates(sim, "a", 1, 3, 200.0 / 3);
    ck_assert_double_eq_tol(used_pct(sim, 0), 100, 1e-6);
    ck_assert_double_eq_tol(used_pct(sim, 2), 100, 1e-6);
    ck_assert_double_eq(used_pct(sim, 1) + used_pct(sim, 3), 0); /* nobody else may use them */
    sim_close(sim);
}
END_TEST

START_TEST(the_vcpus_of_a_guest_share_its_cores_by_pairs)
{
    struct xlp_sim *sim = running(BY_CORE, "{'name':'a1','vcpus':3,'hard':['0','0','2'],"
                                           "'load_pct':[100,40,60]},"
                                           "{'name':'b1','vcpus':2,'hard':'2','load_pct':100}");
    const struct xlp_sim_vcpu *a = guest(sim, "a1")->vcpus, *b = guest(sim, "b1")->vcpus;

    /* The pair of a1 has the first core. Its third vCPU meets b1 on the second one. */
    ck_assert_double_eq_tol(a[0].rate, 1, 1e-6);
    ck_assert_double_eq_tol(a[1].rate, 0.4, 1e-6);
    ck_assert_double_eq_tol(a[2].rate, 0.5, 1e-6);
    ck_assert_double_eq_tol(b[0].rate, 0.5, 1e-6);
    ck_assert_double_eq_tol(b[1].rate, 0.5, 1e-6);
    ck_assert_double_eq_tol(xlp_sim_vcpu_part(sim, &a[1], 1), 1, 1e-6);
    ck_assert_double_eq_tol(used_pct(sim, 1), 40, 1e-4);
    ck_assert_double_eq_tol(used_pct(sim, 2), 100, 1e-4);
    ck_assert_double_eq_tol(used_pct(sim, 3), 50, 1e-4);
    sim_close(sim);
}
END_TEST

START_TEST(a_write_to_one_vcpu_is_one_to_all_that_are_scheduled_with_it)
{
    struct xlp_sim *sim = running(BY_CORE, "{'name':'a1','vcpus':3,'load_pct':50}");
    struct xlp_cpumap second = xlp_cpumap_of(2), all = xlp_cpumap_all();
    const struct xlp_sim_vcpu *a = guest(sim, "a1")->vcpus;

    /* Only the first thread of a core counts. */
    ck_assert_int_eq(place(sim, "a1", "3", "all"), XLP_NOT_DONE_REFUSED);
    ck_assert_int_eq(place(sim, "a1", "2", "all"), XLP_DONE);
    run_to(sim, 5);
    ck_assert(xlp_cpumap_equal(&a[0].masks.hard, &second));
    ck_assert(xlp_cpumap_equal(&a[1].masks.hard, &second));
    ck_assert(xlp_cpumap_equal(&a[2].masks.hard, &all));
    ck_assert(a[0].recorded && !a[1].recorded);
    xlp_sim_see_vcpus(sim);
    ck_assert_uint_eq(a[0].pcpu, 2);
    ck_assert_uint_eq(a[1].pcpu, 3);
    ck_assert_uint_eq(a[2].pcpu, 0);
    ck_assert_uint_eq(guest(sim, "a1")->moves, 1);
    sim_close(sim);
}
END_TEST

START_TEST(null_gives_a_whole_core_where_it_deals_in_cores)
{
    struct xlp_sim *sim =
        running("{'pcpus':4,'threads':2,'pools':[{'name':'p','pcpus':'0-3','sched':'null',"
                "'sched_gran':'core'}]}",
                "{'name':'a1','vcpus':2,'load_pct':80},{'name':'b1','load_pct':80},"
                "{'name':'c1','load_pct':80}");

    /* dom0 has the first core, and a1 the second. */
    ck_assert_double_eq_tol(guest(sim, "a1")->vcpus[0].rate, 0.8, 1e-6);
    ck_assert_double_eq_tol(guest(sim, "a1")->vcpus[1].rate, 0.8, 1e-6);
    ck_assert_double_eq_tol(xlp_sim_vcpu_part(sim, &guest(sim, "a1")->vcpus[1], 3), 1, 1e-6);
    assert_rates(sim, "b", 1, 1, 0);
    ck_assert_int_eq(place(sim, "a1", "2", "all"), XLP_DONE); /* its own place is not taken */
    run_to(sim, 2);
    assert_rates(sim, "a", 1, 1, 80);
    xlp_sim_destroy(sim, guest(sim, "a1"));
    run_to(sim, 4);
    assert_rates(sim, "b", 1, 1, 80);
    assert_rates(sim, "c", 1, 1, 0);
    sim_close(sim);
}
END_TEST

START_TEST(a_core_with_an_offline_thread_is_not_scheduled_on)
{
    struct xlp_sim *sim = sim_of(NO_DOM0 "'host':" BY_CORE ",'guests':[{'name':'a','hard':'2',"
                                         "'vcpus':2,'load_pct':50}],"
                                         "'events':[{'at_s':10,'event':'pcpu-offline','pcpu':3}]");
    struct xlp_cpumap all = xlp_cpumap_all();

    run_to(sim, 5);
    ck_assert_double_eq_tol(used_pct(sim, 3), 50, 1e-4);
    run_to(sim, 15);
    ck_assert(xlp_cpumap_equal(&guest(sim, "a")->vcpus[1].masks.hard, &all));
    ck_assert_double_eq_tol(used_pct(sim, 0), 50, 1e-4);
    ck_assert_double_eq_tol(used_pct(sim, 2), 0, 1e-4);
    sim_close(sim);
}
END_TEST

START_TEST(a_paused_guest_neither_runs_nor_blocks)
{
    struct xlp_sim *sim = sim_of(NO_DOM0 "'host':{'pcpus':1},'guests':["
                                         "{'name':'a','load_pct':100},{'name':'b','load_pct':100}],"
                                         "'events':[{'at_s':10,'event':'pause','guest':'a'},"
                                         "{'at_s':20,'event':'unpause','guest':'a'}]");
    struct xlp_sim_vcpu *v = &guest(sim, "a")->vcpus[0];

    run_to(sim, 15);
    ck_assert_double_eq(v->rate + v->waiting + v->blocked, 0);
    ck_assert_double_eq_tol(rate_pct(sim, "b"), 100, 1e-3);
    run_to(sim, 25);
    ck_assert_double_eq_tol(rate_pct(sim, "a"), 50, 1e-3);
    sim_close(sim);
}
END_TEST

START_TEST(noise_holds_for_a_second_and_averages_out)
{
    struct xlp_sim *sim = running("{'pcpus':1}", "{'name':'a1','load_pct':40,'noise_pct':10}");
    double sum = 0;
    int changes = 0;

    for (int t = 1; t < 90; t++) {
        double now_pct;

        run_to(sim, t + 0.2);
        now_pct = rate_pct(sim, "a1");
        ck_assert(now_pct >= 30 && now_pct <= 50);
        sum += now_pct;
        run_to(sim, t + 0.9);
        ck_assert_double_eq(rate_pct(sim, "a1"), now_pct);
        run_to(sim, t + 1.2);
        changes += rate_pct(sim, "a1") != now_pct;
    }
    ck_assert_double_eq_tol(sum / 89, 40, 2);
    ck_assert_int_ge(changes, 80);
    sim_close(sim);
}
END_TEST

/* ---- max-min fairness, on random hosts ---- */

static void fill(struct xlp_share *share, uint64_t seed)
{
    size_t cells = share->class_count * share->pcpu_count;

    for (size_t i = 0; i < cells; i++) {
        share->allowed[i] = xlp_sim_random(seed, 1, i) < 0.4;
        share->liked[i] = share->allowed[i] && xlp_sim_random(seed, 2, i) < 0.4;
    }
    for (size_t c = 0; c < share->class_count; c++)
        share->allowed[c * share->pcpu_count + c % share->pcpu_count] = true;
    for (size_t i = 0; i < share->vcpu_count; i++)
        share->vcpus[i] = (struct xlp_share_vcpu){.class = i % share->class_count,
                                                  .weight = 1 + 7 * xlp_sim_random(seed, 3, i),
                                                  .limit = xlp_sim_random(seed, 4, i)};
}

/* Flows and loads belong together, and nobody has more by weight than one who wants more and may
 * run where the first one runs. */
static void assert_fair(const struct xlp_share *share, uint64_t seed)
{
    size_t n = share->pcpu_count;

    for (size_t p = 0; p < n; p++) {
        double load = 0;

        for (size_t c = 0; c < share->class_count; c++) {
            ck_assert(share->flow[c * n + p] >= -1e-9);
            ck_assert(share->allowed[c * n + p] || share->flow[c * n + p] < 1e-9);
            load += share->flow[c * n + p];
        }
        ck_assert_double_eq_tol(load, share->load[p], 1e-6);
        ck_assert(load <= 1 + 1e-6);
    }
    for (size_t i = 0; i < share->vcpu_count; i++) {
        const struct xlp_share_vcpu *v = &share->vcpus[i];

        ck_assert(v->rate >= 0 && v->rate <= v->limit + 1e-9);
        if (v->rate > v->limit - 1e-6)
            continue;
        for (size_t p = 0; p < n; p++) {
            if (!share->allowed[v->class * n + p])
                continue;
            ck_assert_msg(share->load[p] > 1 - 1e-6, "seed %lu: short beside an idle pCPU",
                          (unsigned long)seed);
            for (size_t j = 0; j < share->vcpu_count; j++)
                if (share->flow[share->vcpus[j].class * n + p] > 1e-6)
                    ck_assert_msg(
                        share->vcpus[j].rate / share->vcpus[j].weight <= v->rate / v->weight + 1e-6,
                        "seed %lu: one with more runs where one is short", (unsigned long)seed);
        }
    }
}

START_TEST(random_hosts_are_shared_max_min_fairly)
{
    struct xlp_share share = {0};

    for (uint64_t seed = 0; seed < 400; seed++) {
        size_t pcpus = 1 + seed % 8, classes = 1 + seed % 11, vcpus = classes + seed % 23;

        ck_assert_int_eq(xlp_share_start(&share, classes, pcpus, vcpus), 0);
        fill(&share, seed);
        xlp_share_solve(&share);
        assert_fair(&share, seed);
        for (size_t c = 0; c < classes; c++) {
            double flow = 0;

            for (size_t p = 0; p < pcpus; p++)
                flow += share.flow[c * pcpus + p];
            ck_assert_double_eq_tol(flow, share.rate[c], 1e-6);
        }
    }
    xlp_share_dispose(&share);
}
END_TEST

CHECK_CASE(sharing, hogs_on_one_pcpu_share_it_by_weight, a_cap_is_a_budget_of_the_whole_domain,
           floating_hogs_leave_no_pcpu_idle, soft_affinity_costs_no_work,
           a_liked_pcpu_is_used_while_it_is_free, stacked_hogs_stay_at_a_quarter_beside_idle_pcpus,
           random_hosts_are_shared_max_min_fairly)
CHECK_CASE(run_queues, credit2_settles_at_three_and_three,
           credit_has_no_run_queues_to_be_unfair_between,
           credit2_evens_out_run_queues_that_differ_by_two,
           a_write_moves_a_vcpu_to_the_run_queue_it_likes)
CHECK_CASE(schedulers, null_gives_each_vcpu_a_pcpu_of_its_own_while_there_are_any,
           realtime_schedulers_know_neither_soft_affinity_nor_weights)
CHECK_CASE(cores, guests_never_share_a_core_that_is_scheduled_as_one,
           the_vcpus_of_a_guest_share_its_cores_by_pairs,
           a_write_to_one_vcpu_is_one_to_all_that_are_scheduled_with_it,
           null_gives_a_whole_core_where_it_deals_in_cores,
           a_core_with_an_offline_thread_is_not_scheduled_on)
CHECK_CASE(changes, an_offline_pcpu_breaks_pins_and_a_pool_move_drops_masks,
           a_paused_guest_neither_runs_nor_blocks, noise_holds_for_a_second_and_averages_out)
CHECK_MAIN("sim_cpu", sharing, run_queues, schedulers, cores, changes)
