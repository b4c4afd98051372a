/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Ganeti's balancer hbal takes a file of what instances use, one a line: name, CPU, memory, disk
 * and network. It adds the figures up by node and evens out the sums. Ours are parts of this host,
 * so that a node that is full sums up to one.
 */
#include "export.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "progress.h"
#include "source.h"

/* We measure neither. hbal spreads secondary instances by the disk figure, and takes everybody's
 * for 1 if it is told none. A network figure of 1 would have it even out the number of instances
 * instead of their load. */
#define UNMEASURED "1 0"

/* No two looks are nearer than this: the daemon looks no more often. */
#define LOOK_S 1

/* The sum of what one guest wanted at each look. */
struct load {
    uint32_t domid;
    uint8_t uuid[16];
    char name[XLP_NAME_SIZE];
    double cpu, memory;
    unsigned int cpu_looks, looks;
    bool here; /* at the last look */
};

struct loads {
    struct load *at;
    size_t count, room;
};

static enum cli_exit watch(const struct cli *cli, double for_s, struct loads *loads);
static enum cli_exit read_names(const char *path, char **names_out);
static enum cli_exit print_loads(const struct loads *loads, const char *names);

enum cli_exit export_hbal(const struct cli *cli, double for_s, const char *instances_path)
{
    struct loads loads = {NULL, 0, 0};
    char *names = NULL;
    enum cli_exit exit_code = CLI_DONE;

    if (instances_path)
        exit_code = read_names(instances_path, &names);
    if (exit_code == CLI_DONE)
        exit_code = watch(cli, for_s, &loads);
    if (exit_code == CLI_DONE)
        exit_code = print_loads(&loads, names);
    free(loads.at);
    free(names);
    return exit_code;
}

/* ---- watching ---- */

static struct load *load_of(struct loads *loads, const struct xlp_domain *d)
{
    struct load *load;

    for (size_t i = 0; i < loads->count; i++)
        if (loads->at[i].domid == d->domid && memcmp(loads->at[i].uuid, d->uuid, 16) == 0)
            return &loads->at[i];
    if (loads->count == loads->room) {
        size_t room = loads->room ? loads->room * 2 : 64;
        struct load *grown = reallocarray(loads->at, room, sizeof(*grown));

        if (!grown)
            return NULL;
        loads->at = grown;
        loads->room = room;
    }
    load = &loads->at[loads->count++];
    *load = (struct load){.domid = d->domid};
    memcpy(load->uuid, d->uuid, sizeof(load->uuid));
    memcpy(load->name, d->name, sizeof(load->name));
    return load;
}

static uint32_t online_pcpus(const struct xlp_snapshot *s)
{
    uint32_t count = 0;

    for (size_t i = 0; i < s->pcpu_count; i++)
        count += s->pcpus[i].online;
    return count ? count : 1;
}

/* Who does not report its use uses what it has, for all that is known. */
static double memory_kib(const struct source *source, size_t i)
{
    const struct xlp_domain_view *view = &source->domains[i];

    return (double)(view->known ? view->used_kib : source->snapshot.domains[i].memory.actual_kib);
}

static enum cli_exit add_look(const struct source *source, struct loads *loads)
{
    const unsigned int leaving = XLP_DOMAIN_SHUTDOWN | XLP_DOMAIN_DYING;
    const struct xlp_snapshot *s = &source->snapshot;
    double pcpus = online_pcpus(s), total_kib = (double)s->memory.total_kib;

    for (size_t i = 0; i < loads->count; i++)
        loads->at[i].here = false;
    for (size_t i = 0; i < s->domain_count; i++) {
        const struct xlp_domain *d = &s->domains[i];
        struct xlp_domain_cpu cpu = xlp_domain_cpu_sum(s, d, source->vcpus);
        struct load *load;

        if (d->domid == 0 || d->flags & leaving)
            continue;
        load = load_of(loads, d);
        if (!load)
            return cli_out_of_memory();
        load->here = true;
        load->looks++;
        load->memory += total_kib > 0 ? memory_kib(source, i) / total_kib : 0;
        if (!cpu.known)
            continue;
        load->cpu_looks++;
        load->cpu += cpu.demand / pcpus;
    }
    return CLI_DONE;
}

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static enum cli_exit watch(const struct cli *cli, double for_s, struct loads *loads)
{
    double start_s = now_s(), passed_s = 0;
    struct progress progress;
    enum cli_exit exit_code;

    progress_start(&progress, "watching, second", (uint64_t)for_s);
    do {
        struct source source;

        progress_tell(&progress, (uint64_t)passed_s);
        exit_code = source_read(cli, &source);
        if (exit_code != CLI_DONE)
            break;
        exit_code = add_look(&source, loads);
        source_dispose(&source);
        passed_s = now_s() - start_s;
        if (exit_code == CLI_DONE && passed_s < for_s)
            sleep(LOOK_S);
    } while (exit_code == CLI_DONE && passed_s < for_s);
    progress_end(&progress);
    return exit_code;
}

/* ---- names ---- */

/* The whole file, as one string with a newline before and after each name. */
static enum cli_exit read_names(const char *path, char **names_out)
{
    FILE *file = fopen(path, "re"), *names;
    char *line = NULL;
    size_t line_size = 0, names_size;

    *names_out = NULL;
    if (!file) {
        cli_error("cannot read %s: %s", path, strerror(errno));
        return CLI_FAILED;
    }
    names = open_memstream(names_out, &names_size);
    if (names) {
        fputc('\n', names);
        while (getline(&line, &line_size, file) > 0)
            fprintf(names, "%.*s\n", (int)strcspn(line, " \t\r\n"), line);
        fclose(names);
    }
    free(line);
    fclose(file);
    return *names_out ? CLI_DONE : cli_out_of_memory();
}

static bool is_among(const char *names, const char *name)
{
    char line[XLP_NAME_SIZE + 2];

    snprintf(line, sizeof(line), "\n%s\n", name);
    return strstr(names, line) != NULL;
}

/* hbal passes over a name that it does not know, in silence, and takes the instance that was meant
 * for one that is fully loaded: so we look. A name that fills its room may have been cut. */
static const char *name_is_wrong(const char *name, const char *names)
{
    for (const char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("-._", *c))
            return "Ganeti has no such names";
    if (!name[0])
        return "it has no name";
    if (names)
        return is_among(names, name) ? NULL : "not among the instances";
    return strlen(name) == XLP_NAME_SIZE - 1 ? "its name is too long to be sure of" : NULL;
}

/* ---- printing ---- */

static enum cli_exit leave_out(const struct load *load, const char *why)
{
    cli_error("export: %s left out: %s", load->name, why);
    return CLI_FAILED;
}

static enum cli_exit print_loads(const struct loads *loads, const char *names)
{
    enum cli_exit exit_code = CLI_DONE;

    for (size_t i = 0; i < loads->count; i++) {
        const struct load *load = &loads->at[i];
        const char *wrong = name_is_wrong(load->name, names);

        if (!load->here)
            continue;
        if (wrong)
            exit_code = leave_out(load, wrong);
        else if (load->cpu_looks == 0)
            exit_code = leave_out(load, "not measured yet; try again in a moment");
        else
            printf("%s %.4f %.4f " UNMEASURED "\n", load->name, load->cpu / load->cpu_looks,
                   load->memory / load->looks);
    }
    return exit_code;
}
