/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Where a command's facts come from: the daemon, which has watched the host all along, or the host
 * itself, read here and watched for a tick or more so that use is measured.
 */
#ifndef SOURCE_H
#define SOURCE_H

#include "commands.h"
#include "xlpolicy.h"

struct source {
    char name[256];                /* for people: "xlpolicyd on ...", "xen, watched for 1 tick" */
    struct xlp_json *daemon_root;  /* the daemon's reply, NULL when the host was read here */
    const struct xlp_json *status; /* its part about the daemon itself, in daemon_root */
    const struct xlp_json *overrides; /* what was set by hand, in daemon_root; or NULL */
    struct xlp_policy policy;         /* that it is decided by */
    unsigned int *entry_lines; /* one a policy.domains: its line in the daemon's configuration, 0
                                  where that is not known; NULL unless excluded_by.h has looked */
    struct xlp_snapshot snapshot;
    struct xlp_plan plan;            /* what is, or would be, done on this snapshot */
    struct xlp_pcpu_view *pcpus;     /* one a snapshot.pcpus */
    struct xlp_vcpu_view *vcpus;     /* one a snapshot.vcpus */
    struct xlp_domain_view *domains; /* one a snapshot.domains */
};

/* CLI_DONE, and *source_out is to be disposed of; else the error has been printed, and the exit
 * code is returned. */
enum cli_exit source_read(const struct cli *cli, struct source *source_out);

/* An empty one; dispose leaves one behind, too. */
void source_init(struct source *source);
void source_dispose(struct source *source);

/* Chooses only: *spec_out is the host to read here; or NULL, and what the daemon says is in
 * daemon_out, which is initialised. CLI_DONE, or the error has been printed. */
enum cli_exit source_choose(const struct cli *cli, const char **spec_out,
                            struct source *daemon_out);

/* The two kinds of source that source_read chooses from. The daemon's returns CLI_NOTHING_THERE
 * without printing anything when there is no daemon and quiet is set. */
enum cli_exit source_read_daemon(const struct cli *cli, bool quiet, struct source *source_out);
enum cli_exit source_read_host(const struct cli *cli, const char *spec, struct source *source_out);

/* The daemon's mode ("act", "advise", "pause"), or NULL when the host was read here. */
const char *source_mode(const struct source *source);

/* Whether it is a daemon that never changes anything, whatever its mode. */
bool source_is_dry_run(const struct source *source);

/* The domain of that id or, failing that, of that name. NULL when there is none, and the
 * error has been printed. */
const struct xlp_domain *source_find_domain(const struct xlp_snapshot *snapshot, const char *text);

/* Part of snapshot.domains. */
struct source_range {
    size_t first, end;
};

/* The guests that a command line names: one, or all where it names none. CLI_DONE, or the error has
 * been printed. */
enum cli_exit source_select(const struct source *source, const struct command_line *line,
                            struct source_range *guests_out);

/* Prints what a command shows of these guests, as text or as JSON. */
typedef enum cli_exit source_printer(const struct source *source, struct source_range guests);

/* A reader's whole work: reads the host, finds the guests that the command line names (all when it
 * names none) and prints. Errors have been printed when it returns. */
enum cli_exit source_show(const struct cli *cli, const struct command_line *line,
                          source_printer *print_text, source_printer *print_json);

/* What `set` holds for a guest of that name, "cpu=0, shares=2000"; or NULL. */
const char *source_override(const struct source *source, const char *name);

#endif
