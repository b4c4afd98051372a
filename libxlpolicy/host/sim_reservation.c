/* SPDX-License-Identifier: LGPL-2.1-only */
/* The simulated host's record of reservations. */
#include <string.h>

#include "host/sim.h"

static struct xlp_sim_reservation *find(struct xlp_sim *sim, uint32_t id)
{
    for (size_t i = 0; i < sim->reservation_count; i++)
        if (sim->reservations[i].what.id == id)
            return &sim->reservations[i];
    return NULL;
}

static void forget(struct xlp_sim *sim, struct xlp_sim_reservation *r)
{
    size_t after = (size_t)(&sim->reservations[sim->reservation_count] - (r + 1));

    memmove(r, r + 1, after * sizeof(*r));
    sim->reservation_count--;
}

bool xlp_sim_apply_reservation(struct xlp_sim *sim, const struct xlp_action *action)
{
    const struct xlp_reservation *wanted = &action->reservation;
    struct xlp_sim_reservation *r = find(sim, wanted->id);

    if (action->kind == XLP_RESERVE && !r && sim->reservation_count < XLP_RESERVATIONS_MAX) {
        r = &sim->reservations[sim->reservation_count++];
        r->end_ns = sim->now_ns + wanted->ttl_left_ns;
        sim->next_reservation = wanted->id + 1;
    } else if (action->kind == XLP_RESERVE || !r) {
        return false;
    }
    r->what = *wanted;
    if (action->kind == XLP_UNRESERVE)
        forget(sim, r);
    return true;
}

int xlp_sim_show_reservations(const struct xlp_sim *sim, struct xlp_snapshot *s)
{
    s->next_reservation = sim->next_reservation;
    for (size_t i = 0; i < sim->reservation_count; i++) {
        const struct xlp_sim_reservation *from = &sim->reservations[i];
        struct xlp_reservation *r = xlp_snapshot_add_reservation(s);

        if (!r)
            return -1;
        *r = from->what;
        r->ttl_left_ns = from->end_ns > sim->now_ns ? from->end_ns - sim->now_ns : 0;
    }
    return 0;
}

int64_t xlp_sim_reserved_kib(const struct xlp_sim *sim, uint32_t id)
{
    int64_t sum_kib = 0;

    for (size_t i = 0; i < sim->reservation_count; i++) {
        const struct xlp_reservation *r = &sim->reservations[i].what;

        if (!r->taken && (id == 0 || r->id == id))
            sum_kib += r->granted_kib;
    }
    return sum_kib;
}
