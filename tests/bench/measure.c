/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The program has its own malloc, calloc and realloc, which count and pass on to the C library's:
 * no allocation escapes, not even one that qsort makes. The sanitizers have theirs; with them
 * nothing is counted.
 */
#include "measure.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
#define COUNTED 1
static unsigned long long allocation_count;

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

void *malloc(size_t size)
{
    allocation_count++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    allocation_count++;
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    allocation_count++;
    return __libc_realloc(old, size);
}
#else
#define COUNTED 0
static const unsigned long long allocation_count;
#endif

static double cpu_time_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

struct stopwatch stopwatch_start(void)
{
    return (struct stopwatch){.start_allocations = (double)allocation_count,
                              .start_us = cpu_time_us()};
}

struct cost stopwatch_stop(const struct stopwatch *w)
{
    double us = cpu_time_us() - w->start_us;

    return (struct cost){us, COUNTED ? (double)allocation_count - w->start_allocations : NAN};
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double quantile(double *values, size_t count, double part)
{
    size_t at = (size_t)(part * (double)count);

    if (count == 0)
        return NAN;
    qsort(values, count, sizeof(*values), by_value);
    return values[at < count ? at : count - 1];
}

double median(double *values, size_t count)
{
    double upper = quantile(values, count, 0.5);

    return count && count % 2 == 0 ? (values[count / 2 - 1] + upper) / 2 : upper;
}

void *bench_alloc(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size);

    if (!memory) {
        fprintf(stderr, "bench: out of memory\n");
        exit(1);
    }
    return memory;
}
