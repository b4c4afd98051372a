/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * How a guest's balloon behaves: does it move towards its target, and if not, when is it tried
 * again. Judged by how far it came in a window of time, not by whether it moved lately: a balloon
 * that gives a page now and then does not pass for one that works.
 */
#include "memory/parts.h"

#define BRIEF_NS          (5 * XLP_SECOND_NS)
#define BRIEF_KIB_S       XLP_MIB /* slower than this is slow */
#define LONG_NS           (30 * XLP_SECOND_NS)
#define LONG_PROGRESS_KIB (20 * XLP_MIB)
#define RETRY_FIRST_S     30
#define RETRY_LAST_S      600

static void judge(struct balloon *b, const struct xlp_domain_memory *memory, int64_t host_free_kib,
                  uint64_t passed_ns);
static void fail(struct balloon *b, const struct xlp_domain_memory *memory, int64_t host_free_kib);

static int direction_of(const struct xlp_domain_memory *memory, int64_t distance_kib)
{
    int64_t way_kib = memory->target_kib - memory->actual_kib;

    if (way_kib > distance_kib + XLP_ARRIVED_KIB)
        return 1;
    return way_kib < -XLP_ARRIVED_KIB ? -1 : 0;
}

static void open_brief_window(struct balloon *b, int64_t actual_kib)
{
    b->brief_from_kib = actual_kib;
    b->brief_ns = 0;
}

static void open_long_window(struct balloon *b, int64_t actual_kib)
{
    b->long_from_kib = actual_kib;
    b->long_ns = 0;
}

/* Proof that it works: it came a good way the way it did not, or a little way and arrived. */
static bool has_proved_itself(const struct balloon *b, int64_t actual_kib)
{
    bool was_to_grow = b->failed_target_kib > b->failed_actual_kib;
    int64_t risen_kib = actual_kib - b->failed_actual_kib;
    int64_t came_kib = was_to_grow ? risen_kib : -risen_kib;
    int64_t moved_kib = risen_kib < 0 ? -risen_kib : risen_kib;

    return came_kib >= LONG_PROGRESS_KIB || (b->direction == 0 && moved_kib >= XLP_ARRIVED_KIB);
}

static void forgive(struct balloon *b)
{
    b->failed = false;
    b->failures = 0;
    b->retry_left_ns = 0;
}

void xlp_balloon_observe(struct balloon *balloon, const struct xlp_domain_memory *memory,
                         int64_t host_free_kib, uint64_t passed_ns, bool fresh)
{
    int direction = direction_of(memory, balloon->distance_kib);
    bool told_again = balloon->failed && balloon->target_kib != memory->target_kib;
    bool at_rest = balloon->seen && balloon->actual_kib == memory->actual_kib;

    balloon->retold = balloon->retold || told_again;
    balloon->rest_ns = at_rest ? balloon->rest_ns + passed_ns : 0;
    balloon->retry_left_ns = xlp_time_left(balloon->retry_left_ns, passed_ns);
    balloon->actual_kib = memory->actual_kib;
    balloon->target_kib = memory->target_kib;
    if (fresh || told_again || !balloon->seen || direction != balloon->direction) {
        open_brief_window(balloon, memory->actual_kib);
        open_long_window(balloon, memory->actual_kib);
        balloon->slow = false;
        balloon->direction = direction;
    } else if (direction != 0) {
        judge(balloon, memory, host_free_kib, passed_ns);
    }
    balloon->seen = true;
    if (balloon->failed && has_proved_itself(balloon, memory->actual_kib))
        forgive(balloon);
}

static void judge(struct balloon *b, const struct xlp_domain_memory *memory, int64_t host_free_kib,
                  uint64_t passed_ns)
{
    b->brief_ns += passed_ns;
    b->long_ns += passed_ns;
    if (b->brief_ns >= BRIEF_NS) {
        int64_t progress_kib = (memory->actual_kib - b->brief_from_kib) * b->direction;

        b->slow = progress_kib < BRIEF_KIB_S * (int64_t)(b->brief_ns / XLP_SECOND_NS);
        open_brief_window(b, memory->actual_kib);
    }
    if (b->long_ns >= LONG_NS) {
        int64_t progress_kib = (memory->actual_kib - b->long_from_kib) * b->direction;

        if (progress_kib < LONG_PROGRESS_KIB)
            fail(b, memory, host_free_kib);
        open_long_window(b, memory->actual_kib);
    }
}

/* Told less, it went as far below that: such a driver counts otherwise than Xen, and has arrived.
 * To tell it what it has, again and again, would take all it has. No guest gains by it: others lose
 * what it does not take of its promise, and it has lost as much itself. */
static bool keeps_its_distance(const struct balloon *b, const struct xlp_domain_memory *memory)
{
    int64_t gap_kib = memory->target_kib - memory->actual_kib;
    int64_t failed_gap_kib = b->failed_target_kib - b->failed_actual_kib;

    return memory->target_kib < b->failed_target_kib &&
           memory->actual_kib < b->failed_actual_kib - XLP_ARRIVED_KIB / 2 &&
           gap_kib <= failed_gap_kib + XLP_ARRIVED_KIB;
}

/* Failing again on what it failed on is old news: it has not been told anything new. */
static void fail(struct balloon *b, const struct xlp_domain_memory *memory, int64_t host_free_kib)
{
    bool no_memory = b->direction > 0 && host_free_kib < memory->target_kib - memory->actual_kib;
    uint64_t retry_s = RETRY_FIRST_S;

    if (b->failed && keeps_its_distance(b, memory)) {
        b->distance_kib = memory->target_kib - memory->actual_kib;
        forgive(b);
        return;
    }
    if (b->failed && !b->retold)
        return;
    b->failed = true;
    b->retold = false;
    b->failed_actual_kib = memory->actual_kib;
    b->failed_target_kib = memory->target_kib;
    if (no_memory)
        return;
    for (unsigned int i = 0; i < b->failures && retry_s < RETRY_LAST_S; i++)
        retry_s *= 2;
    b->failures++;
    b->retry_left_ns = (retry_s < RETRY_LAST_S ? retry_s : RETRY_LAST_S) * XLP_SECOND_NS;
}

int64_t xlp_balloon_retry_s(const struct balloon *balloon)
{
    uint64_t left_ns = balloon->retry_left_ns > 0 ? balloon->retry_left_ns
                                                  : xlp_time_left(LONG_NS, balloon->long_ns);

    return (int64_t)((left_ns + XLP_SECOND_NS - 1) / XLP_SECOND_NS);
}
