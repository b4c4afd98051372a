/* SPDX-License-Identifier: LGPL-2.1-only */
/* bench WORD ...: measures one half of the engine beside what others do in its place. */
#include "bench.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *word;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"cpu", bench_cpu},
    {"memory", bench_memory},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(argv[1], commands[i].word) == 0)
            return commands[i].run(argc - 1, argv + 1);
    fprintf(stderr, "usage: bench cpu|memory [OPTION]...   (bench cpu --help lists them)\n");
    return 2;
}
