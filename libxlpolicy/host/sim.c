/* SPDX-License-Identifier: LGPL-2.1-only */
/* The simulated host as a host: opening, closing, and how its time passes. */
#include "host/sim.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct xlp_host_ops sim_ops;
static int build(struct xlp_sim *sim);

struct xlp_host *xlp_host_sim_open(const char *path, unsigned int flags, char *error,
                                   size_t error_size)
{
    struct xlp_sim_scenario *scenario = xlp_sim_scenario_read_file(path, error, error_size);
    struct xlp_sim *sim;

    if (!scenario)
        return NULL;
    sim = xlp_sim_new(scenario, flags, error, error_size);
    return sim ? &sim->host : NULL;
}

static void sim_close(struct xlp_host *host)
{
    struct xlp_sim *sim = (struct xlp_sim *)host;

    xlp_sim_cpu_dispose(sim);
    for (size_t i = 0; sim->domains && i < sim->domain_count; i++)
        free(sim->domains[i].vcpus);
    free(sim->domains);
    free(sim->live);
    free(sim->pcpus);
    xlp_sim_scenario_free(sim->scenario);
    free(sim);
}

static uint64_t real_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * XLP_SIM_SECOND_NS + (uint64_t)ts.tv_nsec;
}

struct xlp_sim *xlp_sim_new(struct xlp_sim_scenario *scenario, unsigned int flags, char *error,
                            size_t error_size)
{
    struct xlp_sim *sim = calloc(1, sizeof(*sim));

    if (!sim) {
        xlp_sim_scenario_free(scenario);
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    sim->host.ops = &sim_ops;
    sim->scenario = scenario;
    sim->open_flags = flags;
    if (build(sim) < 0) {
        snprintf(error, error_size, "out of memory");
        sim_close(&sim->host);
        return NULL;
    }
    sim->real_start_ns = real_ns();
    return sim;
}

static void make_uuid(struct xlp_sim_domain *d, uint64_t seed, uint64_t slot)
{
    for (uint64_t i = 0; i < sizeof(d->uuid); i++)
        d->uuid[i] = (uint8_t)(xlp_sim_random(seed, slot, i) * 256);
}

/* The start events of time 0 run at once; free memory is what the file says once they did. */
static void start_guests(struct xlp_sim *sim)
{
    const struct xlp_sim_scenario *scenario = sim->scenario;
    int64_t held_kib = scenario->dom0.memory_kib;

    for (size_t i = 0; i < scenario->guest_count; i++)
        if (scenario->guests[i].start_ns == 0)
            held_kib += scenario->guests[i].memory_kib + scenario->guests[i].video_kib;
    sim->total_kib = scenario->host.free_kib + held_kib;
    sim->free_kib = sim->total_kib;
    xlp_sim_create(sim, &sim->domains[0]);
    xlp_sim_advance(sim, 0, false);
    sim->woken = false;
}

static int build(struct xlp_sim *sim)
{
    const struct xlp_sim_scenario *scenario = sim->scenario;
    const struct xlp_sim_host_spec *host = &scenario->host;

    sim->pcpu_count = host->pcpus;
    sim->domain_count = scenario->guest_count + 1;
    sim->pcpus = calloc(sim->pcpu_count, sizeof(*sim->pcpus));
    sim->domains = calloc(sim->domain_count, sizeof(*sim->domains));
    sim->live = calloc(sim->domain_count, sizeof(*sim->live));
    if (!sim->pcpus || !sim->domains || !sim->live)
        return -1;
    for (size_t i = 0; i < sim->domain_count; i++) {
        struct xlp_sim_domain *d = &sim->domains[i];

        d->spec = i == 0 ? &scenario->dom0 : &scenario->guests[i - 1];
        d->vcpu_count = d->spec->vcpu_count;
        d->vcpus = calloc(d->vcpu_count, sizeof(*d->vcpus));
        if (!d->vcpus)
            return -1;
        if (i > 0)
            make_uuid(d, host->seed, i);
    }
    sim->claims_kib = host->claims_kib;
    memcpy(sim->other_controller, host->other_controller, XLP_NAME_SIZE);
    if (xlp_sim_cpu_start(sim) < 0)
        return -1;
    start_guests(sim);
    return 0;
}

/* ---- time ---- */

static void run_due_events(struct xlp_sim *sim)
{
    const struct xlp_sim_scenario *scenario = sim->scenario;

    while (sim->event_next < scenario->event_count &&
           scenario->events[sim->event_next].at_ns <= sim->now_ns)
        xlp_sim_event_apply(sim, &scenario->events[sim->event_next++]);
}

/* Steps end on a grid that does not depend on who waits for how long, and at events. */
static uint64_t step_end(const struct xlp_sim *sim, uint64_t to_ns)
{
    const struct xlp_sim_scenario *scenario = sim->scenario;
    uint64_t end = (sim->now_ns / XLP_SIM_STEP_NS + 1) * XLP_SIM_STEP_NS;

    if (end > to_ns)
        end = to_ns;
    if (sim->event_next < scenario->event_count && scenario->events[sim->event_next].at_ns < end)
        end = scenario->events[sim->event_next].at_ns;
    return end;
}

void xlp_sim_advance(struct xlp_sim *sim, uint64_t to_ns, bool stop_when_woken)
{
    run_due_events(sim);
    while (sim->now_ns < to_ns && !(stop_when_woken && sim->woken)) {
        uint64_t from_ns = sim->now_ns, end_ns = step_end(sim, to_ns);

        xlp_sim_cpu_step(sim, end_ns);
        xlp_sim_memory_step(sim, end_ns);
        sim->now_ns = end_ns;
        if (sim->probe)
            sim->probe(sim->probe_arg, sim, from_ns, end_ns);
        run_due_events(sim);
    }
}

const struct xlp_sim_event *xlp_sim_next_command(struct xlp_sim *sim)
{
    while (sim->command_next < sim->event_next) {
        const struct xlp_sim_event *event = &sim->scenario->events[sim->command_next++];

        if (event->kind >= XLP_SIM_KILL_DAEMON)
            return event;
    }
    return NULL;
}

void xlp_sim_forget_seen(struct xlp_sim *sim)
{
    for (size_t i = 0; i < sim->domain_count; i++)
        sim->domains[i].seen_ns = UINT64_MAX;
}

/* ---- the port ---- */

static uint64_t due_now_ns(const struct xlp_sim *sim)
{
    double passed = (double)(real_ns() - sim->real_start_ns) * sim->scenario->host.speed;

    return passed < 1.8e19 ? (uint64_t)passed : UINT64_MAX;
}

static uint64_t sim_now_ns(struct xlp_host *host)
{
    struct xlp_sim *sim = (struct xlp_sim *)host;

    if (!(sim->open_flags & XLP_HOST_REALTIME))
        return sim->now_ns;
    /* Never behind what was already shown. */
    return due_now_ns(sim) > sim->now_ns ? due_now_ns(sim) : sim->now_ns;
}

/* Sleeps until simulated time until_ns is due, at most. Returns poll()'s result. */
static int sleep_until(const struct xlp_sim *sim, uint64_t until_ns, struct pollfd *fds,
                       nfds_t fd_count)
{
    uint64_t due_ns = due_now_ns(sim);
    double wait_ns = 0;
    struct timespec ts;

    if (until_ns > due_ns)
        wait_ns = fmin((double)(until_ns - due_ns) / sim->scenario->host.speed, 3600e9);
    ts.tv_sec = (time_t)(wait_ns / 1e9);
    ts.tv_nsec = (long)fmod(wait_ns, 1e9);
    return ppoll(fds, fd_count, &ts, NULL);
}

static int wait_in_real_time(struct xlp_sim *sim, uint64_t until_ns, struct pollfd *fds,
                             nfds_t fd_count)
{
    const struct xlp_sim_scenario *scenario = sim->scenario;

    for (;;) {
        uint64_t stop_ns = until_ns;

        if (sim->event_next < scenario->event_count &&
            scenario->events[sim->event_next].at_ns < stop_ns)
            stop_ns = scenario->events[sim->event_next].at_ns;

        int ready = sleep_until(sim, stop_ns, fds, fd_count);
        if (ready < 0 && errno != EINTR) {
            snprintf(sim->host.error, sizeof(sim->host.error), "poll: %s", strerror(errno));
            return -1;
        }
        uint64_t due_ns = due_now_ns(sim);
        xlp_sim_advance(sim, due_ns < stop_ns ? due_ns : stop_ns, true);
        if (ready != 0)
            return ready > 0 ? XLP_WAKE_FD : 0;
        if (sim->woken || sim->now_ns >= until_ns)
            return 0;
    }
}

static int sim_wait(struct xlp_host *host, uint64_t until_ns, struct pollfd *fds, nfds_t fd_count)
{
    struct xlp_sim *sim = (struct xlp_sim *)host;
    uint64_t end_ns = sim->scenario->run_ns;
    uint64_t stop_ns = until_ns < end_ns ? until_ns : end_ns;
    int wake = 0;

    if (sim->open_flags & XLP_HOST_REALTIME) {
        wake = wait_in_real_time(sim, stop_ns, fds, fd_count);
        if (wake < 0)
            return -1;
    } else {
        xlp_sim_advance(sim, stop_ns, true);
    }
    if (sim->now_ns >= until_ns)
        wake |= XLP_WAKE_TIME;
    if (sim->now_ns >= end_ns)
        wake |= XLP_WAKE_END;
    if (sim->woken)
        wake |= XLP_WAKE_EVENT;
    sim->woken = false;
    return wake;
}

static int sim_observe(struct xlp_host *host, struct xlp_snapshot *s)
{
    struct xlp_sim *sim = (struct xlp_sim *)host;
    uint64_t end_ns = sim->scenario->run_ns, now_ns = sim_now_ns(host);

    if (sim->open_flags & XLP_HOST_REALTIME)
        xlp_sim_advance(sim, now_ns < end_ns ? now_ns : end_ns, false);
    return xlp_sim_observe(host, s);
}

static const struct xlp_host_ops sim_ops = {
    .name = "sim",
    .observe = sim_observe,
    .apply = xlp_sim_apply,
    .now_ns = sim_now_ns,
    .wait = sim_wait,
    .close = sim_close,
};
