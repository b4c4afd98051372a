/* SPDX-License-Identifier: LGPL-2.1-only */
#include "options.h"

#include <getopt.h>

#include "../options.h"

enum {
    OPT_SEED = 256,
    OPT_SEEDS,
    OPT_GUESTS,
    OPT_MINUTES,
    OPT_PART,
    OPT_ONLY,
    OPT_SET,
    OPT_JSON,
    OPT_STRICT,
    OPT_HELP
};

static const struct option names[] = {
    {"seed", required_argument, NULL, OPT_SEED},
    {"seeds", required_argument, NULL, OPT_SEEDS},
    {"guests", required_argument, NULL, OPT_GUESTS},
    {"minutes", required_argument, NULL, OPT_MINUTES},
    {"part", required_argument, NULL, OPT_PART},
    {"only", required_argument, NULL, OPT_ONLY},
    {"set", required_argument, NULL, OPT_SET},
    {"json", no_argument, NULL, OPT_JSON},
    {"strict", no_argument, NULL, OPT_STRICT},
    {"help", no_argument, NULL, OPT_HELP},
    {0},
};

static const char help[] =
    "usage: bench memory [OPTION]...\n"
    "Memory moved between guests by xlpolicy and by others, on the same traces.\n"
    "\n"
    "  --part traces|random|scale  only this part\n"
    "  --only NAME[,NAME]... only these policies (as the tables name them)\n"
    "  --seed N              the first seed (1); the same seed makes the same random traces\n"
    "  --seeds N             how many seeds, from that on (20)\n"
    "  --guests N            guests of a random trace (4)\n"
    "  --minutes N           the length of a random trace (10)\n"
    "  --set NAME=VALUE      a setting of xlpolicy's, as in its configuration file\n"
    "  --json                everything, seed by seed, as JSON\n"
    "  --strict              exit with 1 unless every target is met\n";

static int usage(void)
{
    fputs("bench memory: see bench memory --help\n", stderr);
    return 2;
}

static bool read_part(struct mem_options *o, const char *text)
{
    o->traces = strcmp(text, "traces") == 0;
    o->random = strcmp(text, "random") == 0;
    o->scale = strcmp(text, "scale") == 0;
    return o->traces || o->random || o->scale;
}

static bool read_only(struct mem_options *o, char *text)
{
    memset(o->only, 0, sizeof(o->only));
    for (char *at = NULL, *name = strtok_r(text, ",", &at); name; name = strtok_r(NULL, ",", &at)) {
        enum mem_policy_id id = mem_policy_by_name(name);

        if (id == MEM_POLICY_COUNT) {
            fprintf(stderr, "bench memory: there is no policy \"%s\"\n", name);
            return false;
        }
        o->only[id] = true;
    }
    return true;
}

static bool read_option(struct mem_options *o, int option, char *text)
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
    case OPT_GUESTS:
        good = option_number(text, 1, 64, &x);
        o->guest_count = (size_t)x;
        break;
    case OPT_MINUTES:
        good = option_number(text, 1, 30, &x);
        o->seconds = (unsigned int)(x * 60);
        break;
    case OPT_PART: good = read_part(o, text); break;
    case OPT_ONLY: good = read_only(o, text); break;
    case OPT_SET: good = option_setting(&o->settings, text); break;
    case OPT_JSON: o->json = true; break;
    case OPT_STRICT: o->strict = true; break;
    default: good = false; break;
    }
    return good;
}

int mem_options_read(struct mem_options *o, int argc, char **argv)
{
    *o = (struct mem_options){.seed = 1,
                              .seeds = 20,
                              .guest_count = 4,
                              .seconds = 600,
                              .traces = true,
                              .random = true,
                              .scale = true};
    xlp_policy_init(&o->settings);
    for (enum mem_policy_id id = 0; id < MEM_POLICY_COUNT; id++)
        o->only[id] = true;
    for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        if (option == OPT_HELP) {
            fputs(help, stdout);
            return 0;
        }
        if (!read_option(o, option, optarg))
            return usage();
    }
    return optind < argc ? usage() : -1;
}
