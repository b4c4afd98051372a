/* SPDX-License-Identifier: LGPL-2.1-only */
/* The benchmark's sub-commands. Each reads its own options and returns an exit status. */
#ifndef XLPOLICY_BENCH_H
#define XLPOLICY_BENCH_H

int bench_cpu(int argc, char **argv);
int bench_memory(int argc, char **argv);

#endif
