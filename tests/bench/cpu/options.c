/* SPDX-License-Identifier: LGPL-2.1-only */
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "../options.h"

enum {
    OPT_SEED = 256,
    OPT_SEEDS,
    OPT_UTIL,
    OPT_VCPUS,
    OPT_PCPUS,
    OPT_PART,
    OPT_ONLY,
    OPT_MINUTES,
    OPT_LOOKS,
    OPT_MOVE_COST,
    OPT_IRQBALANCE,
    OPT_RUSTY,
    OPT_SET,
    OPT_JSON,
    OPT_STRICT,
    OPT_HELP
};

static const struct option names[] = {
    {"seed", required_argument, NULL, OPT_SEED},
    {"seeds", required_argument, NULL, OPT_SEEDS},
    {"util", required_argument, NULL, OPT_UTIL},
    {"vcpus", required_argument, NULL, OPT_VCPUS},
    {"pcpus", required_argument, NULL, OPT_PCPUS},
    {"part", required_argument, NULL, OPT_PART},
    {"only", required_argument, NULL, OPT_ONLY},
    {"minutes", required_argument, NULL, OPT_MINUTES},
    {"looks", required_argument, NULL, OPT_LOOKS},
    {"move-cost-us", required_argument, NULL, OPT_MOVE_COST},
    {"irqbalance-s", required_argument, NULL, OPT_IRQBALANCE},
    {"rusty-s", required_argument, NULL, OPT_RUSTY},
    {"set", required_argument, NULL, OPT_SET},
    {"json", no_argument, NULL, OPT_JSON},
    {"strict", no_argument, NULL, OPT_STRICT},
    {"help", no_argument, NULL, OPT_HELP},
    {0},
};

static const char help[] =
    "usage: bench cpu [OPTION]...\n"
    "Decisions on a large host, and an hour on a small one, by xlpolicy and by others.\n"
    "\n"
    "  --part decision|loop  only this part\n"
    "  --only NAME[,NAME]... only these policies (as the tables name them)\n"
    "  --seed N              the first seed (1); the same seed makes the same hosts and traces\n"
    "  --seeds N             how many seeds, from that on (20)\n"
    "  --util U              what guests want of the host: 0.6 for decisions;\n"
    "                        0.3, 0.6, 0.85 and 1.3 one after the other for the loop\n"
    "  --vcpus V, --pcpus P  the host's size: 10000 and 512 for decisions, 64 and 16 for the loop\n"
    "  --minutes N           the length of a trace (60)\n"
    "  --looks N             looks a second at vCPUs on saturated pCPUs (15)\n"
    "  --move-cost-us N      work lost by each move (0)\n"
    "  --irqbalance-s N      seconds between two decisions of irqbalance-like (10)\n"
    "  --rusty-s N           the same for scx_rusty-like (2)\n"
    "  --set NAME=VALUE      a setting of xlpolicy's, as in its configuration file\n"
    "  --json                everything, seed by seed, as JSON\n"
    "  --strict              exit with 1 unless every target is met\n";

static int usage(void)
{
    fputs("bench cpu: see bench cpu --help\n", stderr);
    return 2;
}

static bool read_part(struct options *o, const char *text)
{
    o->decisions = strcmp(text, "decision") == 0;
    o->loop = strcmp(text, "loop") == 0;
    return o->decisions || o->loop;
}

static bool read_only(struct options *o, char *text)
{
    memset(o->only, 0, sizeof(o->only));
    for (char *at = NULL, *name = strtok_r(text, ",", &at); name; name = strtok_r(NULL, ",", &at)) {
        enum policy_id id = policy_by_name(name);

        if (id == POLICY_COUNT) {
            fprintf(stderr, "bench cpu: there is no policy \"%s\"\n", name);
            return false;
        }
        o->only[id] = true;
    }
    return true;
}

static bool read_size(struct options *o, int option, const char *text)
{
    size_t *for_decisions = option == OPT_VCPUS ? &o->decision.vcpu_count : &o->decision.pcpu_count;
    size_t *for_loop = option == OPT_VCPUS ? &o->one_loop.vcpu_count : &o->one_loop.pcpu_count;
    double size;

    if (!option_number(text, 1, option == OPT_VCPUS ? 1e6 : XLP_PCPUS_MAX, &size))
        return false;
    *for_decisions = *for_loop = (size_t)size;
    return true;
}

static bool read_option(struct options *o, int option, char *text)
{
    double x = 0;
    bool good = true;

    switch (option) {
    case OPT_SEED:
        good = option_number(text, 0, 1e15, &x);
        o->seed = (uint64_t)x;
        break;
    case OPT_SEEDS:
        good = option_number(text, 1, 1e4, &x);
        o->seeds = (uint32_t)x;
        break;
    case OPT_UTIL:
        good = option_number(text, 0.01, 10, &o->util[0]);
        o->util_count = 1;
        o->decision.util = o->util[0];
        break;
    case OPT_VCPUS:
    case OPT_PCPUS: good = read_size(o, option, text); break;
    case OPT_PART: good = read_part(o, text); break;
    case OPT_ONLY: good = read_only(o, text); break;
    case OPT_MINUTES:
        good = option_number(text, 1, 1e4, &x);
        o->one_loop.seconds = (uint32_t)(x * 60);
        break;
    case OPT_LOOKS:
        good = option_number(text, 0, 1000, &x);
        o->one_loop.looks_per_s = (uint32_t)x;
        break;
    case OPT_MOVE_COST:
        good = option_number(text, 0, 1e6, &x);
        o->one_loop.move_cost = x / 1e6;
        break;
    case OPT_IRQBALANCE:
        good = option_number(text, 1, 3600, &x);
        o->one_loop.irqbalance_s = (uint32_t)x;
        break;
    case OPT_RUSTY:
        good = option_number(text, 1, 3600, &x);
        o->one_loop.rusty_s = (uint32_t)x;
        break;
    case OPT_SET: good = option_setting(&o->settings, text); break;
    case OPT_JSON: o->json = true; break;
    case OPT_STRICT: o->strict = true; break;
    default: good = false; break;
    }
    return good;
}

int options_read(struct options *o, int argc, char **argv)
{
    *o = (struct options){
        .seed = 1,
        .seeds = 20,
        .decisions = true,
        .loop = true,
        .util = {0.3, 0.6, 0.85, 1.3},
        .util_count = UTILS_MAX,
        .decision = {.vcpu_count = 10000,
                     .pcpu_count = 512,
                     .util = 0.6,
                     .instances = 20,
                     .drifts = 30,
                     .drift = {.noise = 0.35, .anew = 0.005}},
        .one_loop = {.vcpu_count = 64,
                     .pcpu_count = 16,
                     .seconds = 3600,
                     .looks_per_s = 15,
                     .irqbalance_s = 10,
                     .rusty_s = 2},
    };
    xlp_policy_init(&o->settings);
    o->decision.settings = o->one_loop.settings = &o->settings;
    for (enum policy_id id = 0; id < POLICY_COUNT; id++)
        o->only[id] = true;
    for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        if (option == OPT_HELP) {
            fputs(help, stdout);
            return 0;
        }
        if (!read_option(o, option, optarg))
            return usage();
    }
    o->decision.seed = o->seed;
    /* Nobody can want more than a pCPU, so there is no more to be wanted than that. */
    if (optind < argc || (o->util_count == 1 && o->util[0] * (double)o->one_loop.pcpu_count >
                                                    0.95 * (double)o->one_loop.vcpu_count))
        return usage();
    return -1;
}

void options_dispose(struct options *o)
{
    xlp_policy_dispose(&o->settings);
}
