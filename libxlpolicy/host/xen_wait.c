/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Waiting for the next tick, and looking at waiting vCPUs meanwhile.
 *
 * How much a vCPU wants shows on a full pCPU only in how often it waits for it, and Xen tells that
 * of a moment, not of a while. So on hosts with full pCPUs some 15 looks a second are taken at the
 * vCPUs on them, at irregular times lest they fall in step with the scheduler or a guest's timer.
 * With no full pCPU there are none, and this is one poll(2).
 */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "../grow.h"
#include "xen.h"

/* Events come in bunches: a domain is created with dozens of writes. */
#define COALESCE_NS     (200 * XEN_NS_PER_MS)
#define SAMPLE_MIN_NS   (33 * XEN_NS_PER_MS) /* 33 ... 99 ms, 66 on average */
#define SAMPLE_RANGE_NS (66 * XEN_NS_PER_MS)

static uint64_t earliest(uint64_t a, uint64_t b);
static int poll_once(struct xen_host *h, uint64_t until_ns, struct pollfd *fds, nfds_t fd_count);
static bool sampling(const struct xen_host *h);
static void plan_next_sample(struct xen_host *h, uint64_t now_ns);
static void take_samples(struct xen_host *h);

int xlp_xen_wait(struct xlp_host *host, uint64_t until_ns, struct pollfd *fds, nfds_t fd_count)
{
    struct xen_host *h = xen_host_of(host);
    uint64_t now_ns = xlp_xen_now_ns(), event_until_ns = UINT64_MAX;

    xlp_xen_store_watch(h);
    if (h->next_sample_ns <= now_ns)
        plan_next_sample(h, now_ns); /* else that of the wait before still stands */
    for (;;) {
        uint64_t wake_ns = earliest(until_ns, event_until_ns);
        int wake = 0;

        if (h->event && event_until_ns == UINT64_MAX) {
            event_until_ns = now_ns + COALESCE_NS;
            wake_ns = earliest(until_ns, event_until_ns);
        }
        wake = poll_once(h, sampling(h) ? earliest(wake_ns, h->next_sample_ns) : wake_ns, fds,
                         fd_count);
        if (wake < 0)
            return -1;
        now_ns = xlp_xen_now_ns();
        if (sampling(h) && now_ns >= h->next_sample_ns) {
            take_samples(h);
            plan_next_sample(h, now_ns);
        }
        if (now_ns >= until_ns)
            wake |= XLP_WAKE_TIME;
        if (now_ns >= event_until_ns)
            wake |= XLP_WAKE_EVENT;
        if (wake) {
            wake |= h->event ? XLP_WAKE_EVENT : 0;
            h->event = false; /* it is told once */
            return wake;
        }
    }
}

static uint64_t earliest(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* One poll of the caller's fds and xenstore's. XLP_WAKE_FD, 0, or -1. */
static int poll_once(struct xen_host *h, uint64_t until_ns, struct pollfd *fds, nfds_t fd_count)
{
    uint64_t now_ns = xlp_xen_now_ns(), left_ns = until_ns > now_ns ? until_ns - now_ns : 0;
    struct timespec timeout = {.tv_sec = (time_t)(left_ns / XEN_NS_PER_S),
                               .tv_nsec = (long)(left_ns % XEN_NS_PER_S)};
    int ready, wake = 0;

    if (xlp_grow(&h->poll_fds, &h->poll_room, fd_count + 1, sizeof(*h->poll_fds)) < 0)
        return xlp_xen_out_of_memory(h);
    for (nfds_t i = 0; i < fd_count; i++)
        h->poll_fds[i] = fds[i];
    h->poll_fds[fd_count] = (struct pollfd){.fd = xs_fileno(h->xs), .events = POLLIN};

    ready = ppoll(h->poll_fds, fd_count + 1, &timeout, NULL);
    if (ready < 0 && errno != EINTR)
        return xlp_xen_fail(h, "waiting");
    for (nfds_t i = 0; i < fd_count; i++) {
        fds[i].revents = ready > 0 ? h->poll_fds[i].revents : 0;
        if (fds[i].revents)
            wake = XLP_WAKE_FD;
    }
    if (ready > 0 && h->poll_fds[fd_count].revents)
        xlp_xen_store_take_events(h);
    return wake;
}

/* ---- samples ---- */

static bool sampling(const struct xen_host *h)
{
    return h->single_count || h->multiple_count;
}

/* Knuth's generator: jitter needs no more than that, and repeats in a test. */
static void plan_next_sample(struct xen_host *h, uint64_t now_ns)
{
    h->jitter = h->jitter * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    h->next_sample_ns = now_ns + SAMPLE_MIN_NS + (h->jitter >> 32) * SAMPLE_RANGE_NS / UINT32_MAX;
}

static int add_target(struct xen_sample_target **targets, size_t *count, size_t *room,
                      struct xen_domain *d, uint32_t vcpu)
{
    if (xlp_grow(targets, room, *count + 1, sizeof(**targets)) < 0)
        return -1;
    (*targets)[(*count)++] = (struct xen_sample_target){.domain = d, .vcpu = vcpu};
    return 0;
}

/* Whether it may be waiting for a full pCPU. A domain with one vCPU is looked at for nothing, so
 * that may be any which it may use; the others where they were last seen. */
static bool may_wait(const struct xen_host *h, const struct xen_domain *d, const struct xen_vcpu *v)
{
    struct xlp_cpumap full;

    if (d->vcpu_count > 1)
        return xlp_cpumap_test(&h->saturated, v->pcpu);
    full = xlp_cpumap_and(&h->saturated, &v->masks.hard);
    return !xlp_cpumap_is_empty(&full);
}

/* dom0 looks while it runs itself, and would always be found running: see xen_dom0.c. */
static bool is_worth_looking_at(const struct xen_host *h, const struct xen_domain *d,
                                const struct xen_vcpu *v)
{
    return d->domid != 0 && v->exists && v->online && v->pcpu < h->pcpu_limit &&
           may_wait(h, d, v) &&
           !(d->info.flags & (XEN_DOMINF_paused | XEN_DOMINF_shutdown | XEN_DOMINF_dying));
}

int xlp_xen_choose_samples(struct xen_host *h)
{
    h->single_count = h->multiple_count = 0;
    for (size_t i = 0; i < h->domain_count; i++) {
        struct xen_domain *d = h->domains[i];

        for (uint32_t id = 0; id < d->vcpu_count; id++) {
            int rc = 0;

            if (!is_worth_looking_at(h, d, &d->vcpus[id]))
                continue;
            if (d->vcpu_count == 1)
                rc = add_target(&h->single, &h->single_count, &h->single_room, d, id);
            else
                rc = add_target(&h->multiple, &h->multiple_count, &h->multiple_room, d, id);
            if (rc < 0)
                return xlp_xen_out_of_memory(h);
        }
    }
    return 0;
}

static void count_look(struct xen_vcpu *v, bool blocked, bool running)
{
    v->samples++;
    if (blocked)
        v->samples_blocked++;
    else if (!running)
        v->samples_waiting++;
}

/* Both lists rise by domid. A domain that went, or changed its uuid, is passed over. */
static void look_through_list(struct xen_host *h, const xc_domaininfo_t *infos, int count,
                              size_t *at)
{
    for (int i = 0; i < count && *at < h->single_count; i++) {
        struct xen_domain *d;

        while (*at < h->single_count && h->single[*at].domain->domid < infos[i].domain)
            ++*at;
        if (*at == h->single_count)
            return;
        d = h->single[*at].domain;
        if (d->domid != infos[i].domain)
            continue;
        ++*at;
        if (memcmp(d->uuid, infos[i].handle, sizeof(d->uuid)) == 0 &&
            !(infos[i].flags & XEN_DOMINF_paused) && infos[i].nr_online_vcpus)
            count_look(&d->vcpus[0], infos[i].flags & XEN_DOMINF_blocked,
                       infos[i].flags & XEN_DOMINF_running);
    }
}

/* One call for up to as many domains as the buffer of the last look has room for: at least 1024. */
static void sample_singles(struct xen_host *h)
{
    size_t at = 0;

    while (at < h->single_count) {
        int room = (int)h->info_room;
        int got =
            xc_domain_getinfolist(h->xc, h->single[at].domain->domid, (uint32_t)room, h->infos);

        if (got <= 0)
            return; /* a look less; the next observation will say what is wrong */
        look_through_list(h, h->infos, got, &at);
        if (got < room)
            return;
    }
}

static void take_samples(struct xen_host *h)
{
    if (h->single_count)
        sample_singles(h);
    for (size_t i = 0; i < h->multiple_count; i++) {
        struct xen_sample_target *t = &h->multiple[i];
        xc_vcpuinfo_t info;

        if (xc_vcpu_getinfo(h->xc, t->domain->domid, t->vcpu, &info) == 0 && info.online)
            count_look(&t->domain->vcpus[t->vcpu], info.blocked, info.running);
    }
}
