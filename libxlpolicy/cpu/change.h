/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The changes that a board allows, what each gains, and which is the best. Private to
 * libxlpolicy/cpu.
 */
#ifndef XLP_CPU_CHANGE_H
#define XLP_CPU_CHANGE_H

#include "board.h"

/* A move of one item, or a trade of two. */
struct change {
    uint32_t item, partner; /* partner XLP_NOWHERE: a plain move */
    uint32_t to;
    double gain; /* of phi, for each vCPU that moves */
};

/* What a step looks for, and what it asks of a change. */
struct quest {
    double kappa;             /* least gain of a vCPU that moves, in units of the mean squared */
    double overload;          /* only slots whose demand is above this give */
    enum xlp_reason_code why; /* of a plain move */
};

bool xlp_may_go(const struct board *b, const struct item *item, uint32_t slot);

/* More than any weight could gain; a trade gains no more than half of that for each of the two. */
double xlp_gain_bound(const struct board *b, uint32_t from, uint32_t to);

/* The best change that takes load off a slot: a move, or a trade where no move is good enough; item
 * XLP_NOWHERE: there is none. only: this item alone, which has kin there; or XLP_NOWHERE: any. */
struct change xlp_best_change(struct board *b, const struct quest *q, uint32_t donor,
                              uint32_t only);

#endif
