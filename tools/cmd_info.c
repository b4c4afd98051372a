/* SPDX-License-Identifier: LGPL-2.1-only */
/* info: the host in a few lines, as xl info has them. */
#include "commands.h"

#include <stdio.h>
#include <string.h>

#include "memory/reserve.h"
#include "source.h"

struct counts {
    size_t online, nodes, sockets, guests, vcpus;
};

/* How many different values the online pCPUs have in that field; sizes are small. */
static size_t count_different(const struct xlp_snapshot *s, size_t offset)
{
    size_t different = 0;

    for (size_t i = 0; i < s->pcpu_count; i++) {
        uint32_t value, other;
        bool seen = !s->pcpus[i].online;

        memcpy(&value, (const char *)&s->pcpus[i] + offset, sizeof(value));
        for (size_t j = 0; j < i && !seen; j++) {
            memcpy(&other, (const char *)&s->pcpus[j] + offset, sizeof(other));
            seen = s->pcpus[j].online && other == value;
        }
        different += !seen && value != XLP_UNKNOWN;
    }
    return different;
}

static struct counts count(const struct xlp_snapshot *s)
{
    struct counts n = {.nodes = count_different(s, offsetof(struct xlp_pcpu, node)),
                       .sockets = count_different(s, offsetof(struct xlp_pcpu, socket))};

    for (size_t i = 0; i < s->pcpu_count; i++)
        n.online += s->pcpus[i].online;
    for (size_t i = 0; i < s->domain_count; i++)
        n.guests += s->domains[i].domid != 0;
    for (size_t i = 0; i < s->vcpu_count; i++)
        n.vcpus += s->vcpus[i].online;
    return n;
}

static size_t domains_in(const struct xlp_snapshot *s, uint32_t pool_id)
{
    size_t domains = 0;

    for (size_t i = 0; i < s->domain_count; i++)
        domains += s->domains[i].pool_id == pool_id;
    return domains;
}

/* What is kept free for guests that are to start. */
static int64_t reserved_kib(const struct xlp_snapshot *s)
{
    int64_t sum_kib = 0;

    for (size_t i = 0; i < s->reservation_count; i++)
        sum_kib += xlp_reservation_left_kib(&s->reservations[i],
                                            xlp_reservation_taker(s, &s->reservations[i]));
    return sum_kib;
}

static void print_number(const char *key, long long number)
{
    printf("%-23s: %lld\n", key, number);
}

static void print_pool(const struct xlp_snapshot *s, const struct xlp_pool *pool)
{
    char map[XLP_CPUMAP_TEXT_MAX];

    printf("%-23s: %s, scheduler %s, pCPUs %s, %zu domains\n", "cpupool", pool->name,
           xlp_sched_name(pool->sched), xlp_cpumap_format(&s->maps[pool->map], map, sizeof(map)),
           domains_in(s, pool->id));
}

static enum cli_exit print_text(const struct source *source, struct source_range guests)
{
    const struct xlp_snapshot *s = &source->snapshot;
    struct counts n = count(s);

    (void)guests;
    printf("%-23s: %s\n", "source", source->name);
    print_number("nr_cpus", (long long)n.online);
    print_number("nr_nodes", (long long)n.nodes);
    print_number("nr_sockets", (long long)n.sockets);
    for (size_t i = 0; i < s->pool_count; i++)
        print_pool(s, &s->pools[i]);
    print_number("guests", (long long)n.guests);
    print_number("vcpus_online", (long long)n.vcpus);
    print_number("total_memory (MiB)", s->memory.total_kib / 1024);
    print_number("free_memory (MiB)", s->memory.free_kib / 1024);
    print_number("scrub_memory (MiB)", s->memory.scrub_kib / 1024);
    print_number("claimed_memory (MiB)", s->memory.claims_kib / 1024);
    print_number("reserved_memory (MiB)", reserved_kib(s) / 1024);
    printf("%-23s: %s\n", "other_controller",
           s->other_controller[0] ? s->other_controller : "none");
    printf("%-23s: %s\n", "daemon_mode", source_mode(source) ? source_mode(source) : "no daemon");
    printf("%-23s: %s\n", "xlpolicy_version", XLP_VERSION);
    return CLI_DONE;
}

static enum cli_exit print_json(const struct source *source, struct source_range guests)
{
    const struct xlp_snapshot *s = &source->snapshot;
    struct xlp_json_writer *w = cli_json_start();
    struct counts n = count(s);
    char map[XLP_CPUMAP_TEXT_MAX];

    (void)guests;
    if (!w)
        return cli_out_of_memory();
    xlp_json_put_string(w, "version", XLP_VERSION);
    xlp_json_put_string(w, "source", source->name);
    xlp_json_put_u64(w, "pcpus_online", n.online);
    xlp_json_put_u64(w, "nodes", n.nodes);
    xlp_json_put_u64(w, "sockets", n.sockets);
    xlp_json_put_u64(w, "guests", n.guests);
    xlp_json_put_u64(w, "vcpus_online", n.vcpus);
    xlp_json_put_int(w, "total_kib", s->memory.total_kib);
    xlp_json_put_int(w, "free_kib", s->memory.free_kib);
    xlp_json_put_int(w, "scrub_kib", s->memory.scrub_kib);
    xlp_json_put_int(w, "claims_kib", s->memory.claims_kib);
    xlp_json_put_int(w, "reserved_kib", reserved_kib(s));
    xlp_json_put_string(w, "other_controller", s->other_controller);
    xlp_json_write_key(w, "daemon_mode");
    if (source_mode(source))
        xlp_json_write_string(w, source_mode(source));
    else
        xlp_json_write_null(w);
    xlp_json_write_key(w, "pools");
    xlp_json_open_array(w);
    for (size_t i = 0; i < s->pool_count; i++) {
        const struct xlp_pool *pool = &s->pools[i];

        xlp_json_open_object(w);
        xlp_json_put_string(w, "name", pool->name);
        xlp_json_put_string(w, "scheduler", xlp_sched_name(pool->sched));
        xlp_json_put_string(w, "pcpus", xlp_cpumap_format(&s->maps[pool->map], map, sizeof(map)));
        xlp_json_put_u64(w, "domains", domains_in(s, pool->id));
        xlp_json_close_object(w);
    }
    xlp_json_close_array(w);
    return cli_json_print(w);
}

enum cli_exit cmd_info(const struct cli *cli, const struct command_line *line)
{
    return source_show(cli, line, print_text, print_json);
}
