/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * How long the engine takes to decide, and how much it moves, on hosts made at random.
 *
 *   bench [--seed N] [--vcpus N] [--pcpus N] [--ticks N]
 *
 * The loads are drawn from a Pareto distribution capped at one pCPU and drift from tick to tick.
 * Three starts: placed at random, all stacked on a quarter of the pCPUs, and the steady state that
 * follows the random start. The same seed gives the same hosts.
 */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "xlpolicy.h"

#define SECOND_NS   UINT64_C(1000000000)
#define UTILISATION 0.6

struct options {
    uint64_t seed;
    uint32_t vcpus, pcpus, ticks;
};

struct world {
    struct options o;
    uint64_t random;
    struct xlp_snapshot s;
    struct xlp_policy policy;
    struct xlp_plan plan;
    double *demand; /* of each vCPU */
};

struct timing {
    double p50_us, p99_us;
    size_t actions;
};

static void usage(void)
{
    fprintf(stderr, "usage: bench [--seed N] [--vcpus N] [--pcpus N] [--ticks N]\n");
    exit(2);
}

static uint32_t number(const char *text, unsigned long max)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (!*text || *end || value == 0 || value > max)
        usage();
    return (uint32_t)value;
}

static struct options read_options(int argc, char **argv)
{
    static const struct option names[] = {{"seed", required_argument, NULL, 's'},
                                          {"vcpus", required_argument, NULL, 'v'},
                                          {"pcpus", required_argument, NULL, 'p'},
                                          {"ticks", required_argument, NULL, 't'},
                                          {0}};
    struct options o = {.seed = 1, .vcpus = 10000, .pcpus = 512, .ticks = 200};

    for (int c; (c = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        switch (c) {
        case 's': o.seed = number(optarg, UINT32_MAX); break;
        case 'v': o.vcpus = number(optarg, 1000000); break;
        case 'p': o.pcpus = number(optarg, XLP_PCPUS_MAX); break;
        case 't': o.ticks = number(optarg, 1000000); break;
        default: usage();
        }
    }
    if (optind < argc)
        usage();
    return o;
}

/* ---- a made host ---- */

static double random_fraction(struct world *w)
{
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return (double)(w->random >> 11) / 9007199254740992.0;
}

static void draw_demands(struct world *w)
{
    double total = 0, scale;

    for (uint32_t i = 0; i < w->o.vcpus; i++) {
        w->demand[i] = fmin(1, 0.01 * pow(1 - random_fraction(w), -1 / 1.1));
        total += w->demand[i];
    }
    scale = UTILISATION * w->o.pcpus / total;
    for (uint32_t i = 0; i < w->o.vcpus; i++)
        w->demand[i] = fmin(1, w->demand[i] * scale);
}

static void drift(struct world *w)
{
    for (uint32_t i = 0; i < w->o.vcpus; i++)
        w->demand[i] = fmin(1, w->demand[i] * (0.98 + 0.04 * random_fraction(w)));
}

static uint32_t pin_to(struct xlp_snapshot *s, uint32_t pcpu)
{
    struct xlp_cpumap map = xlp_cpumap_of(pcpu);

    return xlp_snapshot_intern(s, &map);
}

static void pass_second(struct world *w)
{
    w->s.time_ns += SECOND_NS;
    for (uint32_t i = 0; i < w->o.vcpus; i++)
        w->s.vcpus[i].cpu_time_ns += (uint64_t)(w->demand[i] * 1e9);
    for (size_t i = 0; i < w->s.pcpu_count; i++)
        w->s.pcpus[i].idle_ns += SECOND_NS / 2; /* nothing is censored here */
}

/* Guests of one vCPU each, which we pinned ourselves to pCPUs below `spread`. */
static void make_world(struct world *w, uint32_t spread)
{
    struct xlp_cpumap all = xlp_cpumap_all();
    struct xlp_pool *pool;

    xlp_snapshot_reset(&w->s);
    w->s.time_ns = SECOND_NS;
    w->s.memory.total_kib = INT64_C(1) << 32;
    for (uint32_t i = 0; i < w->o.pcpus; i++)
        *xlp_snapshot_add_pcpu(&w->s) = (struct xlp_pcpu){.id = i, .core = i, .online = true};
    pool = xlp_snapshot_add_pool(&w->s);
    pool->sched = XLP_SCHED_CREDIT2;
    pool->map = xlp_snapshot_intern(&w->s, &all);
    for (uint32_t i = 0; i < w->o.vcpus; i++) {
        struct xlp_domain *d = xlp_snapshot_add_domain(&w->s);
        struct xlp_vcpu *v;
        uint32_t pcpu = (uint32_t)(random_fraction(w) * spread), pin = pin_to(&w->s, pcpu);

        d->domid = i + 1;
        memcpy(d->uuid, &i, sizeof(i));
        snprintf(d->name, sizeof(d->name), "vm%u", i + 1);
        d->weight = 256;
        d->age_ns = 3600 * SECOND_NS;
        v = xlp_snapshot_add_vcpu(&w->s);
        v->online = true;
        v->pcpu = pcpu;
        v->hard = pin;
        v->ledger = (struct xlp_vcpu_ledger){true, 0, 0, pin, 0};
    }
}

/* Carries the plan out at once, as a perfect host would. */
static void carry_out(struct world *w)
{
    for (size_t i = 0; i < w->plan.action_count; i++) {
        const struct xlp_action *a = &w->plan.actions[i];
        struct xlp_vcpu *v = &w->s.vcpus[a->domid - 1];

        if (a->kind != XLP_PLACE_VCPU)
            continue;
        v->hard = v->ledger.our_hard = pin_to(&w->s, a->to_pcpu);
        v->pcpu = a->to_pcpu;
    }
}

/* ---- timing ---- */

static double now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void decide(struct world *w, struct xlp_engine *engine)
{
    if (xlp_engine_decide(engine, &w->s, &w->policy, &w->plan) < 0) {
        fprintf(stderr, "bench: out of memory\n");
        exit(1);
    }
}

/* Times that many ticks from now on; the first decision after a start is the interesting one. */
static struct timing time_ticks(struct world *w, struct xlp_engine *engine, uint32_t ticks)
{
    double *us = malloc(ticks * sizeof(*us));
    struct timing timing = {0};

    if (!us)
        exit(1);
    for (uint32_t i = 0; i < ticks; i++) {
        double start;

        drift(w);
        pass_second(w);
        start = now_us();
        decide(w, engine);
        us[i] = now_us() - start;
        timing.actions += w->plan.action_count;
        carry_out(w);
    }
    qsort(us, ticks, sizeof(*us), by_value);
    timing.p50_us = us[ticks / 2];
    timing.p99_us = us[ticks * 99 / 100];
    free(us);
    return timing;
}

static void report(const char *start, const struct timing *t, uint32_t ticks)
{
    printf("%-24s %6u %10.0f %10.0f %10zu\n", start, ticks, t->p50_us, t->p99_us, t->actions);
}

static void run_start(struct world *w, const char *name, uint32_t spread, bool then_steady)
{
    struct xlp_engine *engine = xlp_engine_new();
    struct timing first, steady;

    if (!engine)
        exit(1);
    w->policy.cpu_moves_max = w->o.vcpus; /* the whole way at once */
    draw_demands(w);
    make_world(w, spread);
    decide(w, engine);
    first = time_ticks(w, engine, 1);
    report(name, &first, 1);
    if (then_steady) {
        time_ticks(w, engine, 20);
        w->policy.cpu_moves_max = 0;
        steady = time_ticks(w, engine, w->o.ticks);
        report("steady, drifting", &steady, w->o.ticks);
    }
    xlp_engine_free(engine);
}

int main(int argc, char **argv)
{
    struct world w = {.o = read_options(argc, argv)};

    w.random = w.o.seed * UINT64_C(0x9e3779b97f4a7c15);
    w.demand = calloc(w.o.vcpus, sizeof(*w.demand));
    xlp_snapshot_init(&w.s);
    xlp_policy_init(&w.policy);
    xlp_plan_init(&w.plan);
    w.policy.cpu_affinity = XLP_AFFINITY_HARD;
    w.policy.mem_policy = XLP_MEM_OFF;
    if (!w.demand)
        return 1;
    printf("%u guests of one vCPU on %u pCPUs, seed %llu, utilisation %.2f\n", w.o.vcpus, w.o.pcpus,
           (unsigned long long)w.o.seed, UTILISATION);
    printf("%-24s %6s %10s %10s %10s\n", "start", "ticks", "p50 (us)", "p99 (us)", "moves");
    run_start(&w, "stacked on a quarter", w.o.pcpus / 4 ? w.o.pcpus / 4 : 1, false);
    run_start(&w, "random", w.o.pcpus, true);
    xlp_plan_dispose(&w.plan);
    xlp_policy_dispose(&w.policy);
    xlp_snapshot_dispose(&w.s);
    free(w.demand);
    return 0;
}
