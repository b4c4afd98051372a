/* SPDX-License-Identifier: LGPL-2.1-only */
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "host/host.h"

#define PIDFILE_DEFAULT "/run/xlpolicy/xlpolicyd.pid"

static const char usage[] =
    "Usage: xlpolicyd [options]\n"
    "Watches the guests of this Xen host and moves vCPUs and memory to where they are needed.\n"
    "\n"
    "  -f, --config FILE   read this configuration (" CONFIG_DEFAULT_PATH ")\n"
    "  -n, --check         check the configuration and exit\n"
    "  -F, --foreground    stay in the foreground\n"
    "  -N, --dry-run       never change anything, whatever the mode\n"
    "      --mode MODE     advise, act or pause, instead of the configured mode\n"
    "      --once          decide once, print what was or would be done, and exit\n"
    "      --host SPEC     xen, or sim:FILE for a simulated host, or replay:FILE (xen)\n"
    "      --socket PATH   the control socket (" CONTROL_SOCKET_DEFAULT ")\n"
    "      --pidfile PATH  the pidfile (" PIDFILE_DEFAULT ")\n"
    "      --record FILE   write every snapshot to FILE, to be replayed\n"
    "  -v, --verbose       log more\n"
    "  -h, --help          print this and exit\n"
    "  -V, --version       print the version and exit\n"
    "\n"
    "Exit codes: 0 done, 1 failed, 2 usage, 3 no Xen here.\n";

enum { OPT_MODE = 256, OPT_ONCE, OPT_HOST, OPT_SOCKET, OPT_PIDFILE, OPT_RECORD };

static const struct option long_options[] = {
    {"config", required_argument, NULL, 'f'},
    {"check", no_argument, NULL, 'n'},
    {"foreground", no_argument, NULL, 'F'},
    {"dry-run", no_argument, NULL, 'N'},
    {"mode", required_argument, NULL, OPT_MODE},
    {"once", no_argument, NULL, OPT_ONCE},
    {"host", required_argument, NULL, OPT_HOST},
    {"socket", required_argument, NULL, OPT_SOCKET},
    {"pidfile", required_argument, NULL, OPT_PIDFILE},
    {"record", required_argument, NULL, OPT_RECORD},
    {"verbose", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

static int take_option(int option, const char *argument, struct options *o);
static int take_path(const char *path, char copy[PATH_MAX]);
static int make_absolute(char path[PATH_MAX]);

int options_parse(int argc, char **argv, struct options *options_out)
{
    struct options o = {
        .config_path = CONFIG_DEFAULT_PATH,
        .socket_path = CONTROL_SOCKET_DEFAULT,
        .pidfile_path = PIDFILE_DEFAULT,
        .host = "xen",
        .mode = -1,
    };
    int option, rc;

    while ((option = getopt_long(argc, argv, "f:nFNvhV", long_options, NULL)) != -1) {
        rc = take_option(option, optarg, &o);
        if (rc >= 0)
            return rc;
    }
    if (optind < argc) {
        fprintf(stderr, "xlpolicyd: unexpected argument \"%s\"; see xlpolicyd --help\n",
                argv[optind]);
        return EXIT_CODE_USAGE;
    }
    if (!o.foreground && !o.check && !o.once &&
        (make_absolute(o.config_path) < 0 || make_absolute(o.socket_path) < 0 ||
         make_absolute(o.pidfile_path) < 0 ||
         (o.record_path[0] && make_absolute(o.record_path) < 0)))
        return EXIT_CODE_USAGE;
    *options_out = o;
    return -1;
}

static int take_option(int option, const char *argument, struct options *o)
{
    switch (option) {
    case 'f': o->config_named = true; return take_path(argument, o->config_path);
    case 'n': o->check = true; return -1;
    case 'F': o->foreground = true; return -1;
    case 'N': o->dry_run = true; return -1;
    case 'v': o->verbose = true; return -1;
    case OPT_ONCE: o->once = true; return -1;
    case OPT_HOST:
        o->host = argument;
        if (xlp_host_is_spec(argument))
            return -1;
        fprintf(stderr, "xlpolicyd: --host \"%s\" is not one of: xen sim:FILE replay:FILE\n",
                argument);
        return EXIT_CODE_USAGE;
    case OPT_SOCKET: return take_path(argument, o->socket_path);
    case OPT_PIDFILE: return take_path(argument, o->pidfile_path);
    case OPT_RECORD: return take_path(argument, o->record_path);
    case OPT_MODE:
        if (config_mode_by_name(argument, &o->mode) == 0)
            return -1;
        fprintf(stderr, "xlpolicyd: --mode \"%s\" is not one of: advise act pause\n", argument);
        return EXIT_CODE_USAGE;
    case 'h': fputs(usage, stdout); return EXIT_CODE_DONE;
    case 'V': puts("xlpolicyd " XLP_VERSION); return EXIT_CODE_DONE;
    default: fputs("Try xlpolicyd --help.\n", stderr); return EXIT_CODE_USAGE;
    }
}

static int take_path(const char *path, char copy[PATH_MAX])
{
    if (snprintf(copy, PATH_MAX, "%s", path) < PATH_MAX)
        return -1;
    fprintf(stderr, "xlpolicyd: path too long: %s\n", path);
    return EXIT_CODE_USAGE;
}

/* In the background we leave the directory we were started in. 0, or -1 (and has said why). */
static int make_absolute(char path[PATH_MAX])
{
    char directory[PATH_MAX], absolute[PATH_MAX];

    if (path[0] == '/')
        return 0;
    if (!getcwd(directory, sizeof(directory)) ||
        snprintf(absolute, sizeof(absolute), "%s/%s", directory, path) >= PATH_MAX) {
        fprintf(stderr, "xlpolicyd: cannot tell where %s is; give a path that begins with /\n",
                path);
        return -1;
    }
    memcpy(path, absolute, sizeof(absolute));
    return 0;
}
