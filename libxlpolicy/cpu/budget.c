/* SPDX-License-Identifier: LGPL-2.1-only */
/* Dividing the moves of a tick among pools: see budget.h. */
#include "budget.h"

#include <stdlib.h>

#include "grow.h"

void xlp_budget_init(struct xlp_budget *b)
{
    *b = (struct xlp_budget){.pools = NULL};
    xlp_stride_init(&b->stride);
}

void xlp_budget_dispose(struct xlp_budget *b)
{
    free(b->pools);
    free(b->before);
    free(b->parts);
    xlp_budget_init(b);
}

/* Makes the holders of the tick before the present ones, and makes room. */
static int turn_over(struct xlp_budget *b, size_t pool_count)
{
    struct xlp_holder *swap = b->before;
    size_t swap_room = b->before_room;

    b->before = b->pools;
    b->before_room = b->pool_room;
    b->pools = swap;
    b->pool_room = swap_room;
    return xlp_grow(&b->pools, &b->pool_room, pool_count, sizeof(*b->pools)) < 0 ||
                   xlp_grow(&b->parts, &b->part_room, pool_count, sizeof(*b->parts)) < 0
               ? -1
               : 0;
}

static uint32_t count_vcpus(const struct xlp_snapshot *s, uint32_t pool_id)
{
    uint32_t count = 0;

    if (s->pool_count == 1) /* there is nothing to divide */
        return (uint32_t)s->vcpu_count;
    for (size_t i = 0; i < s->domain_count; i++)
        if (s->domains[i].pool_id == pool_id)
            count += s->domains[i].vcpu_count;
    return count;
}

/* A pool that was there before is owed what it was owed. Both lists rise by id. */
static void list_pools(struct xlp_budget *b, const struct xlp_snapshot *s)
{
    size_t count_before = b->pool_count, old = 0;

    for (size_t i = 0; i < s->pool_count; i++) {
        struct xlp_holder *pool = &b->pools[i];

        *pool =
            (struct xlp_holder){.id = s->pools[i].id, .tickets = count_vcpus(s, s->pools[i].id)};
        while (old < count_before && b->before[old].id < pool->id)
            old++;
        if (old < count_before && b->before[old].id == pool->id)
            pool->due = b->before[old].due;
    }
    b->pool_count = s->pool_count;
    xlp_apportion_among(&b->stride, b->pools, b->pool_count);
}

int xlp_budget_divide(struct xlp_budget *b, const struct xlp_snapshot *s, uint32_t moves)
{
    if (turn_over(b, s->pool_count) < 0) {
        b->pool_count = 0;
        return -1;
    }
    list_pools(b, s);
    b->turn++;
    b->over = 0;
    for (size_t i = 0; i < b->pool_count; i++)
        b->parts[i] = moves >= b->stride.tickets ? b->pools[i].tickets : 0;
    if (moves >= b->stride.tickets) /* enough to move everything: there is nothing to divide */
        return 0;
    for (; moves > 0; moves--)
        b->parts[xlp_apportion_next(&b->stride)]++;
    return 0;
}

size_t xlp_budget_pool(const struct xlp_budget *b, size_t i)
{
    return (b->turn + i) % b->pool_count;
}

uint32_t xlp_budget_open(struct xlp_budget *b, size_t pool)
{
    b->over += b->parts[pool];
    return b->over;
}

void xlp_budget_close(struct xlp_budget *b, uint32_t made)
{
    b->over = b->over > made ? b->over - made : 0;
}
