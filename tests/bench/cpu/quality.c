/* SPDX-License-Identifier: LGPL-2.1-only */
#include "quality.h"

#include <math.h>
#include <string.h>

/* The mean of the pCPUs that are not filled by one heavy vCPU each. */
static double mean_without_heavy(const double *load, size_t vcpu_count, double total,
                                 size_t pcpu_count)
{
    double mean = total / (double)pcpu_count;
    size_t heavy = 0;

    for (;;) {
        double heavy_load = 0;
        size_t now = 0;

        for (size_t i = 0; i < vcpu_count; i++) {
            if (load[i] > mean * (1 + 1e-9)) {
                heavy_load += load[i];
                now++;
            }
        }
        if (now <= heavy || now >= pcpu_count)
            return mean;
        heavy = now;
        mean = (total - heavy_load) / (double)(pcpu_count - heavy);
    }
}

struct quality quality_of(const double *load, const uint32_t *place, size_t vcpu_count,
                          double *scratch, size_t pcpu_count)
{
    double total = 0, heaviest = 0, fullest = 0, missing = 0, mean;

    memset(scratch, 0, pcpu_count * sizeof(*scratch));
    for (size_t i = 0; i < vcpu_count; i++) {
        scratch[place[i]] += load[i];
        total += load[i];
        heaviest = fmax(heaviest, load[i]);
    }
    mean = mean_without_heavy(load, vcpu_count, total, pcpu_count);
    for (size_t p = 0; p < pcpu_count; p++) {
        fullest = fmax(fullest, scratch[p]);
        missing += fmax(0, mean - scratch[p]);
    }
    if (total <= 0)
        return (struct quality){0, 1};
    return (struct quality){100 * missing / total,
                            fullest / fmax(heaviest, total / (double)pcpu_count)};
}
