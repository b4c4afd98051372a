/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The configuration file: xl's own syntax, read with xl's own parser. Its keys are the parameters
 * of the policy (libxlpolicy/policy.h), the few below that concern the daemon, and "domains".
 */
#ifndef CONFIG_H
#define CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "policy.h"

#define CONFIG_DEFAULT_PATH    "/etc/xlpolicy/xlpolicyd.conf"
#define CONFIG_ALL_DEFAULTS    "no such file, all defaults; " /* before "configuration OK" */
#define CONTROL_SOCKET_DEFAULT "/run/xlpolicy/control.sock"
#define CONFIG_GROUP_SIZE      33
#define CONFIG_PATH_SIZE       256

enum config_mode { CONFIG_ADVISE, CONFIG_ACT, CONFIG_PAUSE };
enum config_log { CONFIG_LOG_AUTO, CONFIG_LOG_SYSLOG, CONFIG_LOG_STDERR };

struct config {
    struct xlp_policy policy;
    int mode;                              /* enum config_mode */
    int log;                               /* enum config_log */
    char control_group[CONFIG_GROUP_SIZE]; /* "": none */
    char metrics_file[CONFIG_PATH_SIZE];   /* "": none */
};

enum config_kind {
    CONFIG_CHOICE, /* an int */
    CONFIG_GROUP,  /* text of CONFIG_GROUP_SIZE */
    CONFIG_PATH,   /* text of CONFIG_PATH_SIZE: absolute */
};

/* One key of the daemon's own. */
struct config_key {
    const char *name;
    enum config_kind kind;
    size_t offset;        /* in struct config */
    const char *choices;  /* "advise act pause": the i-th word stands for value i */
    const char *standard; /* the default */
    const char *help;     /* one line: what it does */
};

extern const struct config_key config_keys[];
extern const size_t config_key_count;

void config_init(struct config *c); /* all defaults */
void config_dispose(struct config *c);

enum config_result {
    CONFIG_OK = 0,
    CONFIG_WRONG = -1,   /* error begins with "PATH:LINE: " */
    CONFIG_MISSING = -2, /* there is no such file */
};

/* Reads a file, at most CONFIG_FILE_MAX bytes of it. *c, which is initialised, is replaced on
 * success only. Returns enum config_result, with one line in error unless CONFIG_OK. */
#define CONFIG_FILE_MAX (256 * 1024)
int config_read(struct config *c, const char *path, char *error, size_t error_size);

/* The same from a text; path is for messages. */
int config_parse(struct config *c, const char *text, size_t length, const char *path, char *error,
                 size_t error_size);

/* What a wrong name was meant for: the name of a setting, or of xlpolicyd's own, that is at most
 * two letters away; none away for a right one. NULL: there is none. */
const char *config_name_nearest(const char *name);

/* The id of control_group, or (gid_t)-1 when there is none. */
gid_t config_group_id(const struct config *c);

/* Finds a mode by its name. 0, or -1. */
int config_mode_by_name(const char *name, int *mode_out);
const char *config_mode_name(int mode);

#endif
