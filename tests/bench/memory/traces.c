/* SPDX-License-Identifier: LGPL-2.1-only */
#include "traces.h"

#include <math.h>

#include "../rng.h"

static void use(struct mem_host *h, size_t guest, double at_s, double mib)
{
    struct model_guest *g = &h->model.guest[guest];

    if (g->trace.count < MODEL_POINTS_MAX)
        model_point(g, at_s, mib);
}

static void use_of_all(struct mem_host *h, double at_s, double mib)
{
    for (size_t i = 0; i < h->model.count; i++)
        use(h, i, at_s, mib);
}

/* To be made at once, before what is used now. */
static void jump(struct mem_host *h, size_t guest, double at_s, double from_mib, double mib)
{
    use(h, guest, at_s, from_mib);
    use(h, guest, at_s, mib);
}

static void one_takes_and_frees(struct mem_host *h)
{
    use(h, 0, 10, 150);
    use(h, 0, 125, 1300);
    use(h, 0, 185, 1300);
    use(h, 0, 300, 150);
}

static void all_take_and_free(struct mem_host *h)
{
    use_of_all(h, 10, 150);
    use_of_all(h, 100, 600);
    use_of_all(h, 160, 600);
    use_of_all(h, 250, 150);
}

static void two_take_over_from_two(struct mem_host *h)
{
    use_of_all(h, 80, 500);
    use_of_all(h, 100, 500);
    for (size_t i = 0; i < 2; i++)
        use(h, i, 135, 150);
    for (size_t i = 2; i < 4; i++) {
        use(h, i, 135, 500);
        use(h, i, 180, 900);
        use(h, i, 260, 900);
        use(h, i, 335, 150);
    }
}

static void one_jumps(struct mem_host *h)
{
    jump(h, 0, 60, 150, 900);
    jump(h, 0, 150, 900, 150);
    jump(h, 1, 240, 150, 900);
    jump(h, 1, 330, 900, 150);
}

/* Two high while two are low, and the other way round, every minute; within ten seconds. */
static void two_against_two(struct mem_host *h)
{
    for (size_t i = 0; i < 4; i++) {
        for (int turn = 0; turn < 10; turn++) {
            bool high = (turn + (int)i) % 2 == 0;

            use(h, i, 60 * turn + 10, high ? 850 : 150);
            use(h, i, 60 * turn + 60, high ? 850 : 150);
        }
    }
}

static void all_want_more_than_there_is(struct mem_host *h)
{
    static const uint32_t shares[] = {4000, 2000, 1000, 1000};

    for (size_t i = 0; i < 4; i++)
        h->shares[i] = shares[i];
    use_of_all(h, 60, 150);
    use_of_all(h, 120, 1000);
    use_of_all(h, 240, 1000);
    use_of_all(h, 300, 150);
}

static void nobody_moves(struct mem_host *h)
{
    (void)h;
}

const struct mem_trace mem_traces[MEM_TRACES] = {
    {"M1", "one takes 1300 MiB in 115 s and frees it, the others use 150", 400,
     one_takes_and_frees},
    {"M2", "all take 600 MiB, more than there is, and free it", 400, all_take_and_free},
    {"M3", "all take 500 MiB, then two free theirs while two go on to 900", 400,
     two_take_over_from_two},
    {"step", "one jumps from 150 to 900 MiB and back, then another", 400, one_jumps},
    {"antiphase", "two use 850 MiB while two use 150, in turns of a minute", 600, two_against_two},
    {"shares", "all want 1000 MiB, with shares of 4:2:1:1", 400, all_want_more_than_there_is},
    {"idle", "nobody's use changes for an hour", 3600, nobody_moves},
};

/* ---- random ones ---- */

#define HOLD_LEAST_S  5
#define HOLD_MEAN_S   30 /* on top of that */
#define JUMPS         0.25
#define SLOWEST_MIB_S 2.0
#define FASTEST_MIB_S 60.0

static double draw_level(struct rng *r)
{
    double kind = rng_fraction(r), part = rng_fraction(r);

    if (kind < 0.5)
        return 100 + 150 * part;
    return kind < 0.85 ? 250 + 450 * part : 700 + 700 * part;
}

void mem_trace_random(struct mem_host *h, uint64_t seed, unsigned int seconds)
{
    for (size_t i = 0; i < h->model.count; i++) {
        struct rng r = rng_start(seed, 100 + i);
        double at_s = 0, mib = 150;

        while (at_s < seconds) {
            double to_mib = draw_level(&r), rate_mib_s;

            at_s += HOLD_LEAST_S + rng_exponential(&r, HOLD_MEAN_S);
            use(h, i, at_s, mib);
            rate_mib_s = SLOWEST_MIB_S * pow(FASTEST_MIB_S / SLOWEST_MIB_S, rng_fraction(&r));
            if (rng_fraction(&r) >= JUMPS)
                at_s += fabs(to_mib - mib) / rate_mib_s;
            use(h, i, at_s, to_mib);
            mib = to_mib;
        }
    }
}
