/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * xlpolicy-guest-agent: tells the host how much memory this guest needs.
 *
 * It runs inside a guest and needs nothing but Linux and the xenbus device. This file is its
 * command line; loop.c is what it does.
 */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "format.h"
#include "loop.h"
#include "publish.h"

#define EXIT_USAGE 2

/* The host stops trusting a report that is 15 s old, so a sign of life has to come before. */
#define INTERVAL_MIN_S     1
#define INTERVAL_MAX_S     10
#define INTERVAL_DEFAULT_S 5

struct options {
    const char *proc_dir;
    const char *xenbus_device;
    long interval_s;
    bool once;
    bool dry_run;
};

static const char usage[] =
    "Usage: xlpolicy-guest-agent [OPTION]...\n"
    "Report this guest's use of memory to the host, in xenstore's " REPORT_KEY ".\n"
    "\n"
    "  -1, --once         print one report, write it, and exit\n"
    "  -N, --dry-run      print reports, write nothing\n"
    "  -i, --interval S   write at least every S seconds, 1 to 10 (default 5)\n"
    "      --proc DIR     read DIR/meminfo and so on (default /proc)\n"
    "      --xenbus FILE  the xenbus device (default /dev/xen/xenbus)\n"
    "  -h, --help         show this text\n"
    "\n"
    "Exit status: 0 done, 1 failed, 2 wrong usage.\n";

static void parse_options(int argc, char **argv, struct options *options);
static long parse_interval(const char *text);
static void refuse_usage(void);

int main(int argc, char **argv)
{
    struct options options;
    struct publisher xenstore;
    struct publisher printer;
    int rc;

    parse_options(argc, argv, &options);
    publisher_init_xenstore(&xenstore, options.xenbus_device);
    publisher_init_stdout(&printer);

    if (options.once) {
        struct publisher *const publishers[] = {&printer, &xenstore};

        rc = loop_once(options.proc_dir, publishers, options.dry_run ? 1 : 2);
    } else {
        rc = loop_run(options.proc_dir, options.interval_s * 1000,
                      options.dry_run ? &printer : &xenstore);
    }
    publisher_dispose(&xenstore);
    publisher_dispose(&printer);
    return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}

static void parse_options(int argc, char **argv, struct options *options)
{
    enum { OPTION_PROC = 256, OPTION_XENBUS };
    static const struct option long_options[] = {
        {"once", no_argument, NULL, '1'},
        {"dry-run", no_argument, NULL, 'N'},
        {"interval", required_argument, NULL, 'i'},
        {"proc", required_argument, NULL, OPTION_PROC},
        {"xenbus", required_argument, NULL, OPTION_XENBUS},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    int c;

    *options = (struct options){.proc_dir = "/proc", .interval_s = INTERVAL_DEFAULT_S};
    while ((c = getopt_long(argc, argv, "1Ni:h", long_options, NULL)) != -1) {
        switch (c) {
        case '1': options->once = true; break;
        case 'N': options->dry_run = true; break;
        case 'i': options->interval_s = parse_interval(optarg); break;
        case OPTION_PROC: options->proc_dir = optarg; break;
        case OPTION_XENBUS: options->xenbus_device = optarg; break;
        case 'h': fputs(usage, stdout); exit(EXIT_SUCCESS);
        default: refuse_usage();
        }
    }
    if (optind < argc) {
        fprintf(stderr, "xlpolicy-guest-agent: unexpected argument '%s'\n", argv[optind]);
        refuse_usage();
    }
}

static long parse_interval(const char *text)
{
    char *end;

    errno = 0;
    long seconds = strtol(text, &end, 10);
    if (errno || end == text || *end || seconds < INTERVAL_MIN_S || seconds > INTERVAL_MAX_S) {
        fprintf(stderr,
                "xlpolicy-guest-agent: --interval takes whole seconds, %d to %d, not '%s'\n",
                INTERVAL_MIN_S, INTERVAL_MAX_S, text);
        refuse_usage();
    }
    return seconds;
}

static void refuse_usage(void)
{
    fputs("Try 'xlpolicy-guest-agent --help'.\n", stderr);
    exit(EXIT_USAGE);
}
