/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Ours, as users have it: the memory half of the engine once a second. The guests report as our
 * agent does, and what is decided is carried out as on any host.
 */
#include "policy.h"

static void *start_guests(struct mem_host *h)
{
    h->model.policy.mem_surplus = XLP_SURPLUS_GUESTS;
    return NULL;
}

static bool step(void *self, struct mem_host *h)
{
    (void)self;
    if (!mem_policy_is_due(h, 1))
        return false;
    model_observe(&h->model);
    if (model_decide(&h->model, h->now_s < 1.5) < 0)
        abort();
    for (size_t i = 0; i < h->model.plan.action_count; i++)
        model_apply(&h->model, &h->model.plan.actions[i]);
    return true;
}

const struct mem_policy mem_policy_ours = {.name = "xlpolicy",
                                           .start = mem_policy_start_nothing,
                                           .step = step,
                                           .stop = mem_policy_stop_nothing};

const struct mem_policy mem_policy_guests = {.name = "xlpolicy-guests",
                                             .start = start_guests,
                                             .step = step,
                                             .stop = mem_policy_stop_nothing};
